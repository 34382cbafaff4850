/*
 * commands_config.c: words of the top: configuration mode, and the shell itself.
 */
#include "commands.h"
#include "shell.h"

#include <sekisho/candidate.h>

#define SCHEMA(use) (1 + (unsigned)(use))
#define SHELL (PLACE_OPERATE | PLACE_CONFIGURE)

static const struct argument language_argument[] = {
	{N_("ja|en"), N_("language of the messages"), .complete = COMPLETE_LANGUAGE},
	END_ARGUMENTS,
};
static const struct argument rows_argument[] = {{N_("N"), N_("rows of the screen; 0: no pages")}, END_ARGUMENTS};
static const struct argument columns_argument[] = {
	{N_("N"), N_("columns of the screen; 0: the terminal's own")},
	END_ARGUMENTS,
};

static const struct command cli_commands[] = {
	{
		.word = "language",
		.places = SHELL,
		.args = language_argument,
		.help = N_("language of this session"),
		.run = verb_shell_language,
		.inside = true,
	},
	{
		.word = "screen-length",
		.places = SHELL,
		.args = rows_argument,
		.help = N_("how many rows a page has"),
		.run = verb_shell_length,
		.inside = true,
	},
	{
		.word = "screen-width",
		.places = SHELL,
		.args = columns_argument,
		.help = N_("how many columns a row has"),
		.run = verb_shell_width,
		.inside = true,
	},
	END_COMMANDS,
};

static const struct command set_commands[] = {
	{
		.word = "cli",
		.places = SHELL,
		.sub = cli_commands,
		.help = N_("this session: language, size of the screen"),
	},
	END_COMMANDS,
};

static const struct argument compare_arguments[] = {
	{"running", N_("with what is in force now, instead of what you began from"), .optional = true,
		.complete = COMPLETE_LITERAL},
	END_ARGUMENTS,
};
static const struct argument load_arguments[] = {
	{"merge|replace|hosts", N_("add to the candidate, take its place, or add hosts from a table (CSV)"), .complete = COMPLETE_LITERAL},
	{"terminal", N_("lines that you paste"), .complete = COMPLETE_LITERAL},
	END_ARGUMENTS,
};
static const struct argument commit_arguments[] = {
	{"confirmed", N_("it returns by itself unless you confirm it"), .optional = true, .complete = COMPLETE_LITERAL},
	{N_("MINUTES"), N_("within so many minutes (10 unless you say)"), .optional = true},
	END_ARGUMENTS,
};
static const struct argument generation_argument[] = {{N_("N"), N_("the number of the generation")}, END_ARGUMENTS};
static const struct argument reason_argument[] = {{N_("TEXT"), N_("why it takes longer")}, END_ARGUMENTS};

static const struct option who_options[] = {
	{"--who", N_("NAME"), N_("who puts it in force")},
	{"--why", N_("TEXT"), N_("why; kept in the history of changes")},
	{"--approval", N_("NO"), N_("number of the approval")},
	END_OPTIONS,
};
static const struct option at_options[] = {OPTION_AT, END_OPTIONS};

static const struct argument compare_files[] = {
	{N_("POLICY"), N_("the policy file; alone it is compared with the policy in force"), .complete = COMPLETE_FILE},
	{N_("NEW"), N_("the policy file to compare the first one with"), .optional = true, .complete = COMPLETE_FILE},
	END_ARGUMENTS,
};

static const struct option file_options[] = {OPTION_AT, OPTION_JSON, END_OPTIONS};

static const struct argument new_policy[] = {{N_("FILE"), N_("the new policy file"), .complete = COMPLETE_FILE}, END_ARGUMENTS};

static const struct option what_if_options[] = {
	{"--days", N_("N"), N_("the records of so many days (default 7)")},
	{"--running", N_("FILE"), N_("the policy to compare it with (default: the one in force)"), .complete = COMPLETE_FILE},
	{"--drops", N_("RECORDS"), N_("records from a file instead, as `sekisho log drops --json` prints them"), .complete = COMPLETE_FILE},
	OPTION_AT,
	OPTION_JSON,
	END_OPTIONS,
};

static const struct argument table_argument[] = {
	{N_("TABLE"), N_("the table: CSV in UTF-8 or as Excel saves it"), .complete = COMPLETE_FILE},
	END_ARGUMENTS,
};

static const struct option load_options[] = {
	{"--policy", N_("FILE"), N_("the policy file (default: the policy in force)"), .complete = COMPLETE_FILE},
	OPTION_AT,
	OPTION_JSON,
	END_OPTIONS,
};

static const struct command load_commands[] = {
	{
		.word = "hosts",
		.places = PLACE_OUTSIDE,
		.args = table_argument,
		.options = load_options,
		.help = N_("say what a table of machines changes in the policy"),
		.about = N_("The first row names the columns, in Japanese or English: 名前 (name), 区間 (segment), IPアドレス (address), MACアドレス "
			    "(mac), ルータ (behind), 外部団体 (external), 名称 (label), 課 (section), 設置場所 (location). What a cell says "
			    "replaces what the host has; an empty cell changes nothing; hosts without a row stay. Nothing is written: the "
			    "lines with + are what to add. With an error in any row, which is named by line and column, nothing of the "
			    "table is taken, and the exit code is 1."),
		.run = verb_load_hosts,
	},
	END_COMMANDS,
};

static const struct argument policy_argument[] = {ARGUMENT_POLICY, END_ARGUMENTS};
static const struct option diagram_options[] = {OPTION_PICTURE, OPTION_AT, END_OPTIONS};

const struct command config_commands[] = {
	{
		.word = "what-if",
		.places = PLACE_OUTSIDE,
		.args = new_policy,
		.options = what_if_options,
		.help = N_("say which recorded drops a new policy would let pass"),
		.about = N_("Asks the policy in force and the new one about each recorded drop, as if the packet came again within a week, on the "
			    "same weekday at the same time. Told are those that would pass (or be let in to be verified), those that the "
			    "policy would then block too, and those with another reason; the most frequent first. Whether a connection is "
			    "what its rule names nobody can know before. Nothing is put in force."),
		.run = verb_what_if,
	},
	{
		.word = "diagram",
		.places = PLACE_OUTSIDE,
		.args = policy_argument,
		.options = diagram_options,
		.help = N_("draw the network that a policy describes"),
		.about = N_("Segments with their interfaces, routers and hosts, the approved flows as arrows, and the mail gate: as text of 80 "
			    "columns, or as a picture (SVG) that a browser or a word processor opens. Flows that are expired or have not begun "
			    "are left out."),
		.run = verb_diagram,
	},
	{
		.word = "load",
		.places = PLACE_OUTSIDE,
		.sub = load_commands,
		.help = N_("take many hosts from a table"),
	},
	{
		.word = "compare",
		.places = PLACE_OUTSIDE,
		.args = compare_files,
		.options = file_options,
		.help = N_("say what a new policy changes"),
		.about = N_("First the lines of set that go (-) and come (+), then the same in plain words: flows, hosts and settings that "
			    "come, go or change, what passes now and will be cut, and what will pass that does not pass now. Nothing "
			    "is put in force. Exit code 1: the new policy is refused; its errors are printed too."),
		.run = verb_compare,
	},
	{
		.word = "configure",
		.places = PLACE_OPERATE,
		.help = N_("change the policy"),
		.about = N_("What you change is a candidate of your own; nothing is in force before `commit`. The gate "
			    "keeps it, also when the line is lost."),
		.run = verb_shell_configure,
		.inside = true,
	},
	{
		.word = "set",
		.places = PLACE_OPERATE,
		.sub = set_commands,
		.help = N_("settings of this session"),
	},
	{
		.word = "set",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_SET),
		.help = N_("write something into the candidate"),
		.run = verb_config_set,
		.inside = true,
	},
	{
		.word = "delete",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_DELETE),
		.help = N_("take something out of the candidate"),
		.run = verb_config_delete,
		.inside = true,
	},
	{
		.word = "rename",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_ENTRY),
		.help = N_("give something another name: rename host a to b"),
		.run = verb_config_rename,
		.inside = true,
	},
	{
		.word = "copy",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_ENTRY),
		.help = N_("make another one like it: copy allow a to b"),
		.run = verb_config_copy,
		.inside = true,
	},
	{
		.word = "move",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_ENTRY),
		.help = N_("change the order: move allow a before b"),
		.run = verb_config_move,
		.inside = true,
	},
	{
		.word = "annotate",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_ENTRY),
		.help = N_("write a note above something: annotate host a \"TEXT\""),
		.run = verb_config_annotate,
		.inside = true,
	},
	{
		.word = "edit",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_ENTRY),
		.help = N_("work below some words: edit host a"),
		.run = verb_config_edit,
		.inside = true,
	},
	{
		.word = "up",
		.places = PLACE_CONFIGURE,
		.help = N_("one word higher"),
		.run = verb_config_up,
		.inside = true,
	},
	{
		.word = "top",
		.places = PLACE_CONFIGURE,
		.help = N_("back to the top"),
		.run = verb_config_top,
		.inside = true,
	},
	{
		.word = "show",
		.places = PLACE_CONFIGURE,
		.rest = true,
		.schema = SCHEMA(CANDIDATE_FOR_ENTRY),
		.help = N_("show the candidate, or a part of it"),
		.run = verb_config_show,
	},
	{
		.word = "compare",
		.places = PLACE_CONFIGURE,
		.args = compare_arguments,
		.help = N_("show what you have changed"),
		.run = verb_config_compare,
	},
	{
		.word = "load",
		.places = PLACE_CONFIGURE,
		.args = load_arguments,
		.help = N_("take many lines at once"),
		.run = verb_config_load,
		.inside = true,
	},
	{
		.word = "check",
		.places = PLACE_CONFIGURE,
		.options = at_options,
		.help = N_("find everything that is wrong with the candidate"),
		.run = verb_config_check,
	},
	{
		.word = "commit",
		.places = PLACE_CONFIGURE,
		.args = commit_arguments,
		.options = who_options,
		.help = N_("put the candidate in force"),
		.about = N_("What is not said on the line is asked. `commit confirmed 5` returns to the generation before after five minutes unless "
			    "you `confirm`: for changes that could shut you out."),
		.run = verb_config_commit,
		.inside = true,
	},
	{
		.word = "confirm",
		.places = PLACE_CONFIGURE,
		.help = N_("what was committed with `confirmed` stays"),
		.run = verb_config_confirm,
		.inside = true,
	},
	{
		.word = "rollback",
		.places = PLACE_CONFIGURE,
		.args = generation_argument,
		.options = who_options,
		.help = N_("put an older generation in force again"),
		.run = verb_config_rollback,
		.inside = true,
	},
	{
		.word = "update",
		.places = PLACE_CONFIGURE,
		.help = N_("carry your changes over to what is in force now"),
		.run = verb_config_update,
		.inside = true,
	},
	{
		.word = "extend",
		.places = PLACE_CONFIGURE,
		.args = reason_argument,
		.help = N_("have more time for configuration mode"),
		.run = verb_config_extend,
		.inside = true,
	},
	{
		.word = "discard",
		.places = PLACE_CONFIGURE,
		.help = N_("drop all changes"),
		.run = verb_config_discard,
		.inside = true,
	},
	{
		.word = "run",
		.places = PLACE_CONFIGURE,
		.operate = true,
		.rest = true,
		.help = N_("a command of operational mode: run show status"),
		.run = verb_help,
	},
	{
		.word = "exit",
		.places = SHELL,
		.help = N_("leave"),
		.run = verb_shell_exit,
		.inside = true,
	},
	END_COMMANDS,
};
