/*
 * commands_show.c: the words behind `show`: what looks and changes nothing.
 */
#include "commands.h"

static const struct option drops_options[] = {
	OPTION_SINCE,
	OPTION_UNTIL,
	{"--from", N_("SEGMENT"), N_("only packets that came from this segment")},
	{"--to", N_("SEGMENT"), N_("only packets that wanted to go to this segment")},
	{"--src", N_("ADDRESS"), N_("only this source: address, prefix, or host name")},
	{"--dst", N_("ADDRESS"), N_("only this destination: address, prefix, or host name")},
	{"--port", N_("PORT"), N_("only this destination port")},
	{"--reason", N_("WORD"), N_("only this reason (see: sekisho help reasons)"), .complete = COMPLETE_REASON},
	OPTION_LIMIT,
	{"--follow", NULL, N_("keep printing new records until interrupted")},
	{"--all", NULL, N_("also broadcasts and multicasts that could never cross (local-noise)")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct option summary_options[] = {
	OPTION_SINCE,
	OPTION_UNTIL,
	{"--all", NULL, N_("also broadcasts and multicasts that could never cross (local-noise)")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct option rows_options[] = {OPTION_SINCE, OPTION_UNTIL, OPTION_LIMIT, OPTION_JSON, END_OPTIONS};

static const struct option mail_log_options[] = {
	{"--receipt", N_("NUMBER"), N_("only the mail with this receipt number (受付番号), with everything that was removed")},
	{"--sender", N_("ADDRESS"), N_("only mail of this sender: an address, or a part of one")},
	{"--recipient", N_("ADDRESS"), N_("only mail to this recipient: an address, or a part of one")},
	{"--direction", N_("in|out"), N_("only mail that comes in, or that goes out")},
	{"--verdict", N_("WORD"), N_("only mail that was: passed, refused, held, deferred")},
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_LIMIT,
	{"--verify", NULL, N_("check instead that no row of the mail ledger was changed or taken away")},
	OPTION_JSON,
	END_OPTIONS,
};

const struct command log_commands[] = {
	{
		.word = "drops",
		.options = drops_options,
		.help = N_("list the packets that were blocked, and why"),
		.about = N_("Each record stands for one or more like packets: time, number, segments, source, destination, "
			    "reason, and for a packet that no approved flow allows the nearest approved flow and what "
			    "differs from it. Of an application that was refused it says what came instead and why; later "
			    "packets of the same connection say nothing more. A line \"records lost\" says how many packets "
			    "were counted by the kernel but could not be recorded one by one."),
		.run = verb_log_drops,
	},
	{
		.word = "summary",
		.options = summary_options,
		.help = N_("count the blocked packets by reason and segments"),
		.run = verb_log_summary,
	},
	{
		.word = "verify",
		.options = json_option,
		.help = N_("check that no record was changed or taken away"),
		.about = N_("Walks the whole chain of records. Exit code 1 means that the chain is broken: keep the device "
			    "as it is and report it."),
		.run = verb_log_verify,
	},
	{
		.word = "faults",
		.options = rows_options,
		.help = N_("list the faults of the gate itself"),
		.run = verb_log_faults,
	},
	{
		.word = "commits",
		.options = rows_options,
		.help = N_("list who put which policy in force, when, and why"),
		.run = verb_log_commits,
	},
	{
		.word = "mail",
		.options = mail_log_options,
		.help = N_("find mails: what came, what was decided, what became of it"),
		.about = N_("One row for each mail: time, direction, sender, recipients, size, verdict with its reason, receipt number, and "
			    "what the mail server behind the gate answered. A mail's text and subject are never recorded."),
		.run = verb_log_mail,
	},
	END_COMMANDS,
};

static const struct argument ledger_arguments[] = {
	{N_("FLOW"), N_("only the approved flow of this name"), .optional = true},
	END_ARGUMENTS,
};

static const struct option ledger_options[] = {OPTION_AT, OPTION_JSON, END_OPTIONS};

const struct command show_commands[] = {
	{
		.word = "status",
		.options = status_options,
		.help = N_("show whether the gate is well, and what to do if not"),
		.run = verb_status,
	},
	{
		.word = "log",
		.sub = log_commands,
		.help = N_("read the records"),
	},
	{
		.word = "ledger",
		.args = ledger_arguments,
		.options = ledger_options,
		.help = N_("print the ledger of approved flows of the policy in force"),
		.run = verb_show_ledger,
	},
	{
		.word = "policy",
		.options = json_option,
		.help = N_("print the policy that is in force"),
		.run = verb_running,
	},
	{
		.word = "version",
		.options = json_option,
		.help = N_("print the version"),
		.run = verb_version,
	},
	END_COMMANDS,
};
