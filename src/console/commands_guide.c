/*
 * commands_guide.c: words of the top: guides, which ask and make lines of set.
 */
#include "commands.h"
#include "shell.h"

#define SHELL (PLACE_OPERATE | PLACE_CONFIGURE)

static const struct argument allow_arguments[] = {
	{N_("NUMBER"), N_("the number of a typical flow; without it they are listed"), .optional = true},
	END_ARGUMENTS,
};

static const struct command guides[] = {
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

const struct command guide_commands[] = {
	{
		.word = "guide",
		.places = SHELL,
		.sub = guides,
		.help = N_("be asked step by step"),
	},
	END_COMMANDS,
};
