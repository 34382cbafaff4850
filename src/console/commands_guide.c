/*
 * commands_guide.c: words of the top: guides, which ask and make lines of set.
 */
#include "commands.h"
#include "shell.h"

#define SHELL (PLACE_OPERATE | PLACE_CONFIGURE)

static const struct option json_options[] = {OPTION_JSON, END_OPTIONS};

static const struct argument allow_arguments[] = {
	{N_("NUMBER"), N_("the number of a typical flow; without it they are listed"), .optional = true},
	END_ARGUMENTS,
};

static const struct argument host_argument[] = {
	{N_("HOST"), N_("the name of the machine in the policy"), .complete = COMPLETE_HOST},
	END_ARGUMENTS,
};

static const struct command guides[] = {
	{
		.word = "setup",
		.places = SHELL,
		.help = N_("set the gate up: name, segments, interfaces, addresses, approvers"),
		.run = verb_guide_setup,
		.inside = true,
	},
	{
		.word = "swap",
		.places = SHELL,
		.args = host_argument,
		.help = N_("enter the addresses of a machine that was replaced"),
		.run = verb_guide_swap,
		.inside = true,
	},
	{
		.word = "window",
		.places = SHELL,
		.args = host_argument,
		.help = N_("open a maintenance window to a machine, once"),
		.run = verb_guide_window,
		.inside = true,
	},
	{
		.word = "renew",
		.places = SHELL,
		.help = N_("renew the flows that expire by the end of the fiscal year"),
		.run = verb_guide_renew,
		.inside = true,
	},
	{
		.word = "allow",
		.places = SHELL,
		.args = allow_arguments,
		.help = N_("add an approved flow"),
		.about = N_("Asks what the application form asks, beginning from a list of typical flows. Each question says what it means; "
			    "`?` says more, Tab completes names, Enter takes what is shown in brackets, Ctrl-C leaves nothing behind. At the end "
			    "the lines of set are shown, and put into the candidate after a yes."),
		.run = verb_guide_allow,
		.inside = true,
	},
	END_COMMANDS,
};

static const struct argument drop_arguments[] = {
	{N_("NUMBER"), N_("the number of a drop record; without it the newest are listed with theirs"), .optional = true},
	END_ARGUMENTS,
};

#define FROM_DROP                                                                                                      \
	.word = "from-drop", .args = drop_arguments, .help = N_("make the draft of an approved flow from a drop record"), \
	.about = N_("The draft names hosts of the policy, or new ones by their address; its form is blank, and `check` refuses it until " \
		    "somebody has filled it in. The nearest flow and what differs from it stand above. What no allow rule can cure " \
		    "(a forbidden pair, a forged source, a malformed packet, a flow that has only expired) is refused with the reason " \
		    "and what to do instead; the exit code is 1 then. In the shell the form's questions may follow at once.")

static const struct command drafts[] = {
	{FROM_DROP, .places = PLACE_OUTSIDE, .options = json_options, .run = verb_draft_from_drop},
	{FROM_DROP, .places = SHELL, .run = verb_shell_draft_from_drop, .inside = true},
	END_COMMANDS,
};

const struct command guide_commands[] = {
	{
		.word = "draft",
		.places = PLACE_OUTSIDE | SHELL,
		.sub = drafts,
		.help = N_("drafts of approved flows"),
	},
	{
		.word = "guide",
		.places = SHELL,
		.sub = guides,
		.help = N_("be asked step by step"),
	},
	END_COMMANDS,
};
