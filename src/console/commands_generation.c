/*
 * commands_generation.c: words of the top: generations of before, and who is here.
 */
#include "commands.h"
#include "deeds.h"

static const struct argument number_argument[] = {{N_("NUMBER"), N_("the number of the generation")}, END_ARGUMENTS};
static const struct option history_options[] = {OPTION_LIMIT, OPTION_JSON, END_OPTIONS};
static const struct option rollback_options[] = {
	{"--who", N_("NAME"), N_("who puts it in force"), .required = true},
	{"--why", N_("TEXT"), N_("why; kept in the history of changes"), .required = true},
	{"--approval", N_("NO"), N_("number of the approval")},
	OPTION_JSON,
	END_OPTIONS,
};

const struct command generation_commands[] = {
	{
		.word = "confirm",
		.options = json_option,
		.help = N_("what was committed with a time to confirm stays"),
		.run = verb_confirm,
	},
	{
		.word = "rollback",
		.args = number_argument,
		.options = rollback_options,
		.help = N_("put the text of an older generation in force again"),
		.about = N_("It becomes a generation of its own, with a number above all others: nothing that was in force is forgotten. "
			    "It also ends the wait of a commit that nobody has confirmed."),
		.run = verb_rollback,
	},
	{
		.word = "history",
		.options = history_options,
		.help = N_("list the generations that are kept: who, when, why"),
		.run = verb_history,
	},
	{
		.word = "sessions",
		.options = json_option,
		.help = N_("list who is here"),
		.run = verb_sessions,
	},
	END_COMMANDS,
};

const struct command past_commands[] = {
	{
		.word = "generation",
		.args = number_argument,
		.options = json_option,
		.help = N_("print the policy of a generation that is kept"),
		.run = verb_show_generation,
	},
	{
		.word = "history",
		.options = history_options,
		.help = N_("list the generations that are kept: who, when, why"),
		.run = verb_history,
	},
	{
		.word = "users",
		.options = json_option,
		.help = N_("list who is here"),
		.run = verb_sessions,
	},
	END_COMMANDS,
};
