/*
 * commands_show.c: the words behind `show`: what looks and changes nothing.
 */
#include "commands.h"
#include "deeds.h"

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
static const struct option monitor_options[] = {
	{"--from", N_("SEGMENT"), N_("only packets that came from this segment")},
	{"--to", N_("SEGMENT"), N_("only packets that wanted to go to this segment")},
	{"--src", N_("ADDRESS"), N_("only this source: address, prefix, or host name")},
	{"--dst", N_("ADDRESS"), N_("only this destination: address, prefix, or host name")},
	{"--port", N_("PORT"), N_("only this destination port")},
	{"--reason", N_("WORD"), N_("only this reason (see: sekisho help reasons)"), .complete = COMPLETE_REASON},
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

#define OPTIONS_OF_FLOWS                                                                                       \
	OPTION_SINCE, OPTION_UNTIL, {"--from", N_("SEGMENT"), N_("only what came from this segment")},           \
		{"--to", N_("SEGMENT"), N_("only what went to this segment")},                                   \
		{"--src", N_("ADDRESS"), N_("only this source: address, prefix, or host name")},                 \
		{"--dst", N_("ADDRESS"), N_("only this destination: address, prefix, or host name")},            \
		{"--port", N_("PORT"), N_("only this destination port")},                                        \
		{"--rule", N_("FLOW"), N_("only what this approved flow let pass")}

static const struct option admissions_options[] = {
	OPTIONS_OF_FLOWS,
	OPTION_LIMIT,
	{"--verify", NULL, N_("check instead that no row was changed or taken away")},
	OPTION_JSON,
	END_OPTIONS,
};
static const struct option flows_options[] = {
	OPTIONS_OF_FLOWS,
	{"--limit", N_("N"), N_("at most N connections, the largest (default 100)")},
	{"--all", NULL, N_("also the gateway's own")},
	OPTION_JSON,
	END_OPTIONS,
};
static const struct option traffic_options[] = {OPTIONS_OF_FLOWS, OPTION_JSON, END_OPTIONS};
static const struct option rules_options[] = {
	{"--unused", N_("DAYS"), N_("only those that nothing used for so many days")},
	{"--expiring", N_("DAYS"), N_("only those that end within so many days")},
	OPTION_JSON,
	END_OPTIONS,
};
static const struct option support_options[] = {
	{"--key", N_("WORD"), N_("the same word gives the same pseudonyms in every bundle (default: random, forgotten)")},
	{"--table", NULL, N_("print instead who is who under this key: for your own eyes")},
	END_OPTIONS,
};
static const struct argument path_arguments[] = {
	{N_("SRC"), N_("source: an address, or the name of a host of the policy")},
	{N_("DST"), N_("destination: an address, or the name of a host of the policy")},
	{N_("PROTO[/PORT]"), N_("tcp/443, udp/53, icmp/echo-request, icmp/8/0, or a protocol alone"), .optional = true,
		.complete = COMPLETE_PROTOCOL},
	END_ARGUMENTS,
};
static const struct option deed_options[] = {
	OPTION_SINCE,
	OPTION_UNTIL,
	{"--who", N_("NAME"), N_("only this account, or who called himself so: a part is enough")},
	{"--session", N_("NUMBER"), N_("only this session")},
	OPTION_LIMIT,
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
		.word = "admissions",
		.options = admissions_options,
		.help = N_("list what passed: by approved flow, source and destination"),
		.about = N_("Each record stands for the connections of one approved flow between two hosts on one port that ended within "
			    "a minute: how many, and how much went there and back. What runs still is in `show flows`. A line \"ends of "
			    "connections lost\" says how many came faster than the kernel could tell of them."),
		.run = verb_log_admissions,
	},
	{
		.word = "commands",
		.options = deed_options,
		.help = N_("list what people did: lines of the shell, and requests with their results"),
		.about = N_("A line of the shell is recorded when it was run; a request that is more than a look is recorded by the gate "
			    "itself, also when it did not come out of the shell. Refused: it takes another role."),
		.run = verb_log_commands,
	},
	{
		.word = "logins",
		.options = deed_options,
		.help = N_("list who came and went"),
		.run = verb_log_logins,
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

static const struct option diagram_options[] = {OPTION_PICTURE, OPTION_AT, END_OPTIONS};
static const struct option ledger_options[] = {OPTION_FORMAT, OPTION_AT, OPTION_JSON, END_OPTIONS};

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
		.word = "flows",
		.options = flows_options,
		.help = N_("list the connections of now, each with its approved flow"),
		.about = N_("The largest come first: who with whom, by which approved flow, whether it was verified as what that names, "
			    "how much went there and back, since when."),
		.run = verb_show_flows,
	},
	{
		.word = "rules",
		.options = rules_options,
		.help = N_("show how each approved flow is used, and when it ends"),
		.run = verb_show_rules,
	},
	{
		.word = "traffic",
		.options = traffic_options,
		.help = N_("show how much passed between the segments, when, and from whom most"),
		.about = N_("Of the last 24 hours unless --since says otherwise; added up from the connections that ended."),
		.run = verb_show_traffic,
	},
	{
		.word = "path",
		.args = path_arguments,
		.options = json_option,
		.help = N_("find out why one host does not reach another, and what to do"),
		.about = N_("Port, neighbour and way on both sides, the policy, the newest refusal, the connections of now: in one answer. "
			    "The first thing that is wrong gives the advice. Exit code 1: something is wrong."),
		.run = verb_check_path,
	},
	{
		.word = "interfaces",
		.options = json_option,
		.help = N_("show the ports: link, speed, errors, addresses, segment"),
		.run = verb_show_interfaces,
	},
	{
		.word = "neighbours",
		.options = json_option,
		.help = N_("list the devices on the wires, and whether they are registered"),
		.run = verb_show_neighbours,
	},
	{
		.word = "routes",
		.options = json_option,
		.help = N_("list the ways that the kernel knows"),
		.run = verb_show_routes,
	},
	{
		.word = "clock",
		.options = json_option,
		.help = N_("show the time, and whether it can be believed"),
		.run = verb_show_clock,
	},
	{
		.word = "hardware",
		.options = json_option,
		.help = N_("show temperatures, disks and their wear, memory"),
		.run = verb_show_hardware,
	},
	{
		.word = "diagram",
		.options = diagram_options,
		.help = N_("draw the network of the policy in force"),
		.run = verb_show_diagram,
	},
	{
		.word = "support",
		.options = support_options,
		.help = N_("print what a vendor's engineer needs, without addresses and names of yours"),
		.about = N_("State, use of the approved flows, ports, neighbours, ways, hardware, summary of what was blocked, faults, and the "
			    "policy in force; addresses and names are replaced, the same one by the same everywhere. Read it before you "
			    "hand it on: what was written as free text in the policy is replaced as well, but only you know what is secret."),
		.run = verb_show_support,
	},
	{
		.word = "ledger",
		.args = ledger_arguments,
		.options = ledger_options,
		.help = N_("print the ledger of approved flows of the policy in force"),
		.run = verb_show_ledger,
	},
	{.word = "", .sub = past_commands},
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

/* `monitor …`: what goes on until it is interrupted. */
const struct command monitor_commands[] = {
	{
		.word = "drops",
		.options = monitor_options,
		.help = N_("print what is blocked, as it happens, until interrupted"),
		.run = verb_log_drops,
	},
	END_COMMANDS,
};

/* `check …` in our shell. */
const struct command check_commands[] = {
	{
		.word = "path",
		.args = path_arguments,
		.options = json_option,
		.help = N_("find out why one host does not reach another, and what to do"),
		.run = verb_check_path,
	},
	END_COMMANDS,
};
