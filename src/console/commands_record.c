/*
 * commands_record.c: words of the top: the records that people write.
 */
#include "commands.h"
#include "deeds.h"

static const struct argument title_argument[] = {{N_("TITLE"), N_("what it is about, in a line")}, END_ARGUMENTS};
static const struct argument number_argument[] = {{N_("NUMBER"), N_("the number of the record")}, END_ARGUMENTS};

#define ENTRY_OPTIONS                                                                                          \
	{"--who", N_("NAME"), N_("who reports it"), .required = true},                                          \
		{"--occurred", N_("TIME"), N_("when it happened")},                                             \
		{"--cause", N_("TEXT"), N_("the cause")},                                                       \
		{"--action", N_("TEXT"), N_("what was done")},                                                  \
		{"--prevention", N_("TEXT"), N_("how it is kept from happening again")},                        \
		{"--note", N_("TEXT"), N_("anything else; \" / \" begins a line")},                             \
		{"--since", N_("TIME"), N_("add what the gate recorded from this time on: commits, faults, people, drops")}, \
		{"--until", N_("TIME"), N_("of that only up to this time (default: now)")}, OPTION_JSON, END_OPTIONS

static const struct option entry_options[] = {ENTRY_OPTIONS};
static const struct option list_options[] = {
	{"--open", NULL, N_("only those that are not closed")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct command kind_commands[] = {
	{
		.word = "new",
		.args = title_argument,
		.options = entry_options,
		.help = N_("begin a record: it gets a number"),
		.run = verb_record_new,
	},
	{
		.word = "add",
		.args = number_argument,
		.options = entry_options,
		.help = N_("add an entry: what is new, or what has to be corrected"),
		.run = verb_record_add,
	},
	{
		.word = "close",
		.args = number_argument,
		.options = entry_options,
		.help = N_("add the last entry: it is settled"),
		.run = verb_record_close,
	},
	{
		.word = "list",
		.options = list_options,
		.help = N_("list the records of this kind"),
		.run = verb_record_list,
	},
	{
		.word = "show",
		.args = number_argument,
		.options = json_option,
		.help = N_("print a record with all its entries"),
		.run = verb_record_show,
	},
	END_COMMANDS,
};

static const struct command kinds[] = {
	{.word = "incident", .sub = kind_commands, .help = N_("incidents of information security (事故)")},
	{.word = "fault", .sub = kind_commands, .help = N_("faults of systems (障害)")},
	{.word = "work", .sub = kind_commands, .help = N_("work on systems (作業)")},
	{.word = "deputy", .sub = kind_commands, .help = N_("who stands in for whom (代理)")},
	{.word = "exception", .sub = kind_commands, .help = N_("exceptions from the rules (例外措置)")},
	{.word = "disposal", .sub = kind_commands, .help = N_("disposal of machines and media (廃棄)")},
	{.word = "training", .sub = kind_commands, .help = N_("training and drills (訓練・研修)")},
	END_COMMANDS,
};

const struct command record_commands[] = {
	{
		.word = "record",
		.sub = kinds,
		.help = N_("keep records: entries are only added, and each is protected like the others"),
	},
	END_COMMANDS,
};
