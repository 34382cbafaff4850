/*
 * commands_act.c: words of the top: what acts on the gate at once, outside the policy.
 */
#include "act.h"
#include "commands.h"

#define OPTION_WHO {"--who", N_("NAME"), N_("who decided it"), .required = true}
#define OPTION_WHY {"--why", N_("TEXT"), N_("why; it is recorded"), .required = true}

static const struct option signed_options[] = {OPTION_WHO, OPTION_WHY, OPTION_JSON, END_OPTIONS};

static const struct argument host_argument[] = {
	{N_("HOST"), N_("a host of the policy in force, an address, or a prefix")},
	END_ARGUMENTS,
};
static const struct argument segment_argument[] = {{N_("SEGMENT"), N_("a segment of the policy in force")}, END_ARGUMENTS};
static const struct argument pair_arguments[] = {
	{N_("A"), N_("a segment; or a host, an address, a prefix")},
	{N_("B"), N_("the other end, of the same kind")},
	END_ARGUMENTS,
};

static const struct command cut_commands[] = {
	{
		.word = "host",
		.args = host_argument,
		.options = signed_options,
		.help = N_("cut a machine off: nothing from it or to it passes, the gateway's own connections neither"),
		.run = verb_cut_host,
	},
	{
		.word = "segment",
		.args = segment_argument,
		.options = signed_options,
		.help = N_("cut a segment off: nothing passes in or out of it"),
		.run = verb_cut_segment,
	},
	{
		.word = "pair",
		.args = pair_arguments,
		.options = signed_options,
		.help = N_("cut between two segments, or between two machines: nothing passes either way"),
		.run = verb_cut_pair,
	},
	{
		.word = "all",
		.options = signed_options,
		.help = N_("cut everything: nothing passes the gateway"),
		.run = verb_cut_all,
	},
	END_COMMANDS,
};

static const struct argument number_argument[] = {{N_("NUMBER"), N_("its number")}, END_ARGUMENTS};
static const struct option restore_options[] = {
	{"--confirm", N_("CODE"), N_("the second step: the code that the first one printed")},
	{"--who", N_("NAME"), N_("who decided it")},
	{"--why", N_("TEXT"), N_("why; it is recorded")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct command drill_cut_commands[] = {
	{
		.word = "host",
		.args = host_argument,
		.options = signed_options,
		.help = N_("exercise to cut a machine off"),
		.run = verb_drill_host,
	},
	{
		.word = "segment",
		.args = segment_argument,
		.options = signed_options,
		.help = N_("exercise to cut a segment off"),
		.run = verb_drill_segment,
	},
	{
		.word = "pair",
		.args = pair_arguments,
		.options = signed_options,
		.help = N_("exercise to cut between two segments or machines"),
		.run = verb_drill_pair,
	},
	{
		.word = "all",
		.options = signed_options,
		.help = N_("exercise to cut everything"),
		.run = verb_drill_all,
	},
	END_COMMANDS,
};

static const struct command drill_begin_commands[] = {
	{
		.word = "cut",
		.sub = drill_cut_commands,
		.help = N_("exercise an emergency cut; the first one begins the drill"),
	},
	END_COMMANDS,
};

static const struct argument name_argument[] = {{N_("NAME"), N_("who takes part")}, END_ARGUMENTS};
static const struct option drill_restore_options[] = {
	{"--confirm", N_("CODE"), N_("the second step: the code that the first one printed")},
	OPTION_WHO,
	OPTION_WHY,
	OPTION_JSON,
	END_OPTIONS,
};
static const struct option drill_end_options[] = {
	OPTION_WHO,
	{"--report", NULL, N_("print its report")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct command drill_commands[] = {
	{
		.word = "begin",
		.sub = drill_begin_commands,
		.help = N_("begin a drill, or take its next step"),
	},
	{
		.word = "restore",
		.args = number_argument,
		.options = drill_restore_options,
		.help = N_("exercise to restore, in two steps"),
		.run = verb_drill_restore,
	},
	{
		.word = "join",
		.args = name_argument,
		.options = json_option,
		.help = N_("write down who takes part"),
		.run = verb_drill_join,
	},
	{
		.word = "end",
		.options = drill_end_options,
		.help = N_("end the drill"),
		.run = verb_drill_end,
	},
	{
		.word = "report",
		.options = json_option,
		.help = N_("print the report of the newest drill: each step, its time, who took part"),
		.run = verb_drill_report,
	},
	END_COMMANDS,
};

static const struct argument export_arguments[] = {
	{N_("NUMBER"), N_("its number")},
	{N_("DIR"), N_("the directory to copy into"), .complete = COMPLETE_FILE},
	END_ARGUMENTS,
};

static const struct command freeze_commands[] = {
	{
		.word = "now",
		.options = signed_options,
		.help = N_("keep everything as it is now"),
		.run = verb_freeze,
	},
	{
		.word = "list",
		.options = json_option,
		.help = N_("list the freezes"),
		.run = verb_freeze_list,
	},
	{
		.word = "show",
		.args = number_argument,
		.options = json_option,
		.help = N_("print the files of a freeze and their SHA-256"),
		.run = verb_freeze_show,
	},
	{
		.word = "release",
		.args = number_argument,
		.options = signed_options,
		.help = N_("records need not be held back for it any more; its files stay"),
		.run = verb_freeze_release,
	},
	{
		.word = "export",
		.args = export_arguments,
		.help = N_("copy the files of a freeze, and compare each with the manifest"),
		.run = verb_freeze_export,
	},
	END_COMMANDS,
};

static const struct command level_commands[] = {
	{
		.word = "normal",
		.options = signed_options,
		.help = N_("alert level normal (平常): what the policy allows passes"),
		.run = verb_level_normal,
	},
	{
		.word = "caution",
		.options = signed_options,
		.help = N_("alert level caution (警戒): what says `closed-at caution` is closed"),
		.run = verb_level_caution,
	},
	{
		.word = "lockdown",
		.options = signed_options,
		.help = N_("alert level lockdown (遮断): everything is closed but what says `closed-at never`"),
		.run = verb_level_lockdown,
	},
	END_COMMANDS,
};

const struct command act_commands[] = {
	{
		.word = "cut",
		.sub = cut_commands,
		.help = N_("emergency cut: stop traffic at once, whatever the policy allows"),
		.about = N_("It takes effect within a second, on running connections and on mail under way too, and holds over restarts "
			    "and commits until somebody restores it. The mail stays with its sender. rootfs/doc/emergency.md says what "
			    "to do when."),
	},
	{
		.word = "cuts",
		.options = json_option,
		.help = N_("list the emergency cuts that hold"),
		.run = verb_cuts,
	},
	{
		.word = "level",
		.sub = level_commands,
		.help = N_("change the alert level"),
		.about = N_("What each level closes is prepared in the policy: `allow NAME closed-at caution|lockdown|never`, and the same for "
			    "`mail inbound` and `mail outbound`; what says nothing is closed at lockdown. The level holds over restarts and "
			    "commits. An operator does not lower alone what he has raised himself."),
	},
	{
		.word = "drill",
		.sub = drill_commands,
		.help = N_("exercise an emergency cut: the same steps, and nothing is cut"),
		.about = N_("Every line says that it is a drill. Steps, times and participants are recorded; the kernel is not touched."),
	},
	{
		.word = "freeze",
		.sub = freeze_commands,
		.help = N_("keep evidence: ruleset, counters, connections, records, the last dropped packets"),
		.about = N_("Files that nobody writes again, with a manifest that has the SHA-256 of each; written below "
			    "var/lib/sekisho/evidence. Until its release the records of the day before it are kept as long as there is "
			    "room for new ones."),
	},
	{
		.word = "restore",
		.args = number_argument,
		.options = restore_options,
		.help = N_("end an emergency cut, in two steps"),
		.about = N_("The first step prints which approved flows would pass again, and a code; the second one, with the code, who and "
			    "why, restores. On a terminal the code is asked for. An operator does not restore alone what he has cut himself."),
		.run = verb_restore,
	},
	END_COMMANDS,
};
