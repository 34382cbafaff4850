/*
 * commands.c: the words of the `sekisho` command: the top of the table and nothing else.
 *
 * Texts are msgids; rootfs/doc/commands.md is printed from this table (`sekisho help --reference`), and a test
 * compares them.
 */
#include "commands.h"

const struct option global_options[] = {
	{"--lang", N_("ja|en"), N_("language of the messages"), .complete = COMPLETE_LANGUAGE},
	{"--root", N_("DIR"), N_("directory under which the gate runs (default: /, or SEKISHO_ROOT)"),
		.complete = COMPLETE_FILE},
	{"--help", NULL, N_("explain this command")},
	END_OPTIONS,
};

const struct option shell_options[] = {
	{"--help", NULL, N_("explain this command")},
	END_OPTIONS,
};

static const struct argument policy_argument[] = {ARGUMENT_POLICY, END_ARGUMENTS};

const struct option json_option[] = {OPTION_JSON, END_OPTIONS};

static const struct argument check_arguments[] = {
	{N_("POLICY|path"), N_("the policy file; or the word `path`, for a question about a way (as `show path`)"),
		.complete = COMPLETE_FILE},
	{N_("SRC"), N_("source: an address, or the name of a host of the policy"), .optional = true},
	{N_("DST"), N_("destination: an address, or the name of a host of the policy"), .optional = true},
	{N_("PROTO[/PORT]"), N_("tcp/443, udp/53, icmp/echo-request, icmp/8/0, or a protocol alone"), .optional = true,
		.complete = COMPLETE_PROTOCOL},
	END_ARGUMENTS,
};

static const struct option check_options[] = {OPTION_AT, OPTION_JSON, END_OPTIONS};

static const struct argument explain_arguments[] = {
	ARGUMENT_POLICY,
	{N_("SRC"), N_("source: an address, or the name of a host of the policy; or `mail`, for a question about a mail"),
		.optional = true},
	{N_("DST"), N_("destination: an address, or the name of a host of the policy"), .optional = true},
	{N_("PROTO[/PORT]"), N_("tcp/443, udp/53, icmp/echo-request, icmp/8/0, or a protocol alone"), .optional = true,
		.complete = COMPLETE_PROTOCOL},
	END_ARGUMENTS,
};

static const struct option ledger_options[] = {OPTION_FORMAT, OPTION_AT, OPTION_JSON, END_OPTIONS};

static const struct argument ledger_arguments[] = {
	ARGUMENT_POLICY,
	{N_("FLOW"), N_("only the approved flow of this name"), .optional = true},
	END_ARGUMENTS,
};

static const struct option explain_options[] = {
	{"--batch", NULL, N_("read questions from standard input, one a line; answer one JSON object a line")},
	OPTION_AT,
	{"--src-mac", N_("MAC"), N_("the source MAC address as the gate would see it")},
	{"--from", N_("ADDRESS"), N_("mail: the sender")},
	{"--to", N_("ADDRESS[,ADDRESS...]"), N_("mail: the recipients, those in Cc as well")},
	{"--direction", N_("in|out"), N_("mail: from or to the internet (default: out for a sender of ours)")},
	{"--server", N_("HOST"), N_("mail: the server that sends it: an address, or the name of a host")},
	{"--size", N_("SIZE"), N_("mail: its size, such as 3M (default: that of its attachments)")},
	{"--attachment", N_("NAME[:MARK...],..."),
		N_("mail: file names, each with its marks: a size, encrypted, macro, program, is=KIND")},
	{"--subject", N_("TEXT"), N_("mail: the subject, for its labels")},
	{"--with", N_("WORD[,WORD...]"), N_("mail: what else is the case: mynumber, forwarded, approved")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct argument classify_arguments[] = {
	{N_("[POLICY] FILE..."), N_("captures (pcap, pcapng, also packed with gzip); the first may be the policy to judge by"),
		.complete = COMPLETE_FILE, .many = true},
	END_ARGUMENTS,
};

static const struct option classify_options[] = {
	{"--as", N_("APPLICATION[,OPTION]"), N_("judge every flow as if a rule named this application"),
		.complete = COMPLETE_APPLICATION},
	{"--suggest", NULL, N_("print drafts of allow rules, with blank forms, for what was seen")},
	{"--stats", NULL, N_("print totals instead of flows")},
	{"--ignore-checksums", NULL, N_("do not judge checksums: hosts let their card make them, after the capture")},
	{"--lenient", NULL, N_("put up with beginnings that were not captured, wrong checksums and cut packets")},
	OPTION_AT,
	OPTION_JSON,
	END_OPTIONS,
};

static const struct option verify_options[] = {
	{"--gaiji", NULL, N_("characters of private use may pass")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct option clean_options[] = {
	{"--direction", N_("in|out"), N_("in (default): text comes out; out: nothing comes out, only the report")},
	{"--report", N_("FILE"), N_("write what was found to this file, as JSON"), .complete = COMPLETE_FILE},
	{"--attachment-text", N_("LIST"), N_("docx,xlsx,pptx,txt,csv: the text of such attachments follows the mail's")},
	{"--original", N_("upstream|copied"), N_("where the original is, as the notice says it")},
	{"--authserv", N_("NAME"), N_("show the Authentication-Results that this server wrote")},
	{"--gaiji", NULL, N_("keep characters of private use")},
	{"--lf", NULL, N_("lines of the mail end in LF (a file), not in CR LF (as mail travels)")},
	END_OPTIONS,
};

static const struct argument watch_arguments[] = {
	{N_("INTERFACE"), N_("the interface to read: a mirror port, or one of the gateway's")},
	{N_("POLICY"), N_("the policy to judge by"), .optional = true, .complete = COMPLETE_FILE},
	END_ARGUMENTS,
};

static const struct option watch_options[] = {
	{"--learn", N_("DAYS"), N_("keep a table of who talks to whom, and print drafts of allow rules at the end")},
	{"--save", N_("FILE"), N_("keep the table of --learn in this file, and go on with what is there"), .complete = COMPLETE_FILE},
	OPTION_AT,
	OPTION_JSON,
	END_OPTIONS,
};

static const struct argument commit_arguments[] = {
	{N_("FILE"), N_("the policy file to put in force"), .complete = COMPLETE_FILE},
	END_ARGUMENTS,
};

static const struct option commit_options[] = {
	{"--who", N_("NAME"), N_("who puts it in force"), .required = true},
	{"--why", N_("TEXT"), N_("why; kept in the history of changes"), .required = true},
	{"--approval", N_("NO"), N_("number of the approval")},
	{"--confirm", N_("MINUTES"), N_("it returns to the generation before unless `sekisho confirm` comes within so many minutes")},
	{"--base", N_("N"), N_("only when generation N is in force: what the file was made from")},
	OPTION_JSON,
	END_OPTIONS,
};

const struct option status_options[] = {
	{"--check", NULL, N_("exit with 1 unless everything is normal")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct argument receipt_arguments[] = {{N_("NUMBER"), N_("the receipt number (受付番号)")}, END_ARGUMENTS};
static const struct argument direction_arguments[] = {{N_("in|out"), N_("the direction")}, END_ARGUMENTS};
static const struct option who_options[] = {
	{"--who", N_("NAME"), N_("who decided it"), .required = true},
	OPTION_JSON,
	END_OPTIONS,
};
static const struct option resume_options[] = {
	{"--who", N_("NAME"), N_("who decided it"), .required = true},
	{"--sender", N_("ADDRESS"), N_("only this sender, who was stopped alone")},
	OPTION_JSON,
	END_OPTIONS,
};

static const struct command mail_commands[] = {
	{
		.word = "status",
		.options = json_option,
		.help = N_("show how the mail gate fares"),
		.run = verb_mail_status,
	},
	{
		.word = "approve",
		.args = receipt_arguments,
		.options = who_options,
		.help = N_("let a mail leave that is held"),
		.about = N_("The mail is not kept here: its mail server sends it again by itself, and then it leaves. How long an approval "
			    "holds is `mail outbound attachments approval-days` of the policy."),
		.run = verb_mail_approve,
	},
	{
		.word = "resume",
		.args = direction_arguments,
		.options = resume_options,
		.help = N_("let mail pass again that was stopped as a flood"),
		.run = verb_mail_resume,
	},
	{
		.word = "certificates",
		.options = json_option,
		.help = N_("show the certificates of STARTTLS: what is wrong with them, and how long they hold"),
		.about = N_("Their files are placed by root in var/lib/sekisho/tls: NAME.crt (PEM: the certificate, then those between it and "
			    "its authority) and NAME.key (PEM, readable by root alone); of an authority NAME.crt alone. A file that was "
			    "replaced is in use a few seconds later; while it is not good the one of before stays in use."),
		.run = verb_mail_certificates,
	},
	END_COMMANDS,
};

static const struct command alarm_commands[] = {
	{
		.word = "test",
		.options = json_option,
		.help = N_("send a test mail to the people in charge"),
		.about = N_("To everyone whom `system alarm mail-to` names. Waits half a minute for the mail server's answer. Exit code 0: the "
			    "mail server took it; 1: it did not, and why. What waits and what was sent last is in `sekisho status`."),
		.run = verb_alarm_test,
	},
	END_COMMANDS,
};

static const struct argument help_arguments[] = {
	{N_("COMMAND"), N_("the command to explain, or \"reasons\", \"times\" or \"guide\""), .optional = true,
		.complete = COMPLETE_COMMAND},
	{N_("WORD"), N_("its second word"), .optional = true},
	{N_("WORD"), N_("its third word"), .optional = true},
	END_ARGUMENTS,
};

static const struct option help_options[] = {
	{"--reference", NULL, N_("print the manual of all commands as Markdown")},
	END_OPTIONS,
};

const struct command commands[] = {
	{
		.word = "status",
		.options = status_options,
		.help = N_("show whether the gate is well, and what to do if not"),
		.run = verb_status,
	},
	{
		.word = "check",
		.places = PLACE_OUTSIDE,
		.args = check_arguments,
		.options = check_options,
		.help = N_("check a policy file"),
		.about = N_("Finds everything that is wrong in one run, each with its line and what would be right. Nothing "
			    "is put in force. Exit code 0: usable (warnings are allowed); 1: refused."),
		.run = verb_check,
	},
	{
		.word = "explain",
		.places = PLACE_OUTSIDE,
		.args = explain_arguments,
		.options = explain_options,
		.help = N_("say what the policy does with a packet or a mail, and why"),
		.about = N_("Answers from the policy file alone, without asking the running gate. For a packet that would be "
			    "blocked it names the nearest approved flow and everything that differs from it. "
			    "`sekisho explain POLICY mail --from A --to B` asks about a mail instead: which rule of the mail gate "
			    "speaks, and what the sender would be told; rootfs/doc/mail.md explains the words. "
			    "With --batch each line of standard input is a question in the same words "
			    "(SRC DST PROTO[/PORT] [--at TIME] [--src-mac MAC]); a line that is no question is answered with "
			    "{\"error\": …} and the next is read. rootfs/doc/explain.md defines the fields."),
		.run = verb_explain,
	},
	{
		.word = "ledger",
		.places = PLACE_OUTSIDE,
		.args = ledger_arguments,
		.options = ledger_options,
		.help = N_("print the ledger of approved flows"),
		.about = N_("For each approved flow: its kind, both ends, what is verified of it, purpose, applicant, "
			    "approvals, validity, and how it stands at the moment. With --json one object a line; --format csv is for "
			    "spreadsheets: all fields of the form, in UTF-8 or (csv-cp932) as older ones read it."),
		.run = verb_ledger,
	},
	{
		.word = "ruleset",
		.places = PLACE_OUTSIDE,
		.args = policy_argument,
		.options = check_options,
		.help = N_("print the kernel ruleset that a policy becomes"),
		.about = N_("In the syntax of nft, so that `nft -c -f` accepts it; with --json the same ruleset in a JSON "
			    "object."),
		.run = verb_ruleset,
	},
	{
		.word = "classify",
		.places = PLACE_OUTSIDE,
		.args = classify_arguments,
		.options = classify_options,
		.help = N_("judge or identify the flows of captures"),
		.about = N_("With a policy each flow is judged as the gate would judge it: the rule, the application that the "
			    "inspector verified or what came instead, and why. Without one each flow is identified, to find out "
			    "what an old network carries. The files are read in a process that can do nothing else."),
		.run = verb_classify,
	},
	{
		.word = "watch",
		.places = PLACE_OUTSIDE,
		.args = watch_arguments,
		.options = watch_options,
		.help = N_("judge or identify the flows on an interface; learn what a network carries"),
		.about = N_("Nothing is blocked here. A flow is printed when it ends, counters each ten seconds; the command runs "
			    "until it is interrupted. With --learn it keeps a table of host pairs, ports and applications for "
			    "so many days and then prints drafts of allow rules by section: the way from an old network to an "
			    "approved one."),
		.run = verb_watch,
	},
	{
		.word = "verify",
		.places = PLACE_OUTSIDE,
		.options = verify_options,
		.help = N_("say whether the mail on standard input is harmless text that the mail gate would let out"),
		.about = N_("Exit code 0: it is; 1: it is not, with the reason and the byte where it leaves the form of "
			    "rootfs/doc/mail-output.md. It shares nothing with the program that makes such mails."),
		.run = verb_verify,
	},
	{
		.word = "clean",
		.places = PLACE_OUTSIDE,
		.options = clean_options,
		.help = N_("make plain text of the mail on standard input, as the mail gate does"),
		.about = N_("The result has one part of plain text; what was removed is listed at its end, with a receipt number. "
			    "rootfs/doc/mail-output.md defines its form. The mail is read in a process that can do nothing "
			    "else. Exit code 0: it would be delivered; 1: it is refused, the reason is on standard error."),
		.run = verb_clean,
	},
	{
		.word = "commit",
		.places = PLACE_OUTSIDE,
		.args = commit_arguments,
		.options = commit_options,
		.help = N_("put a policy in force on the running gate"),
		.about = N_("The gate checks the policy, programs the kernel in one step, reads it back and compares, and only "
			    "then keeps it as a new generation. When anything fails the old generation stays in force and "
			    "the exit code is 1."),
		.run = verb_commit,
	},
	{
		.word = "running",
		.places = PLACE_OUTSIDE,
		.options = json_option,
		.help = N_("print the policy that is in force"),
		.run = verb_running,
	},
	{
		.word = "prove",
		.options = json_option,
		.help = N_("prove that the kernel holds the policy that is in force"),
		.about = N_("Reads the kernel's ruleset back now and compares what could cross with what the policy grants; the gate "
			    "does the same by itself after each commit and when anything was changed from outside. Exit code 0: no "
			    "finding; 1: there is one, or the proof could not be made. A finding makes the gate build the ruleset "
			    "anew, or close."),
		.run = verb_prove,
	},
	{
		.word = "show",
		.sub = show_commands,
		.help = N_("show the state, the records, the ledger, the policy"),
	},
	{.word = "", .sub = act_commands},
	{.word = "", .sub = host_commands},
	{.word = "", .sub = record_commands},
	{.word = "", .sub = config_commands},
	{.word = "", .sub = guide_commands},
	{.word = "", .sub = generation_commands},
	{
		.word = "monitor",
		.sub = monitor_commands,
		.help = N_("watch what happens"),
	},
	{
		.word = "check",
		.places = PLACE_OPERATE,
		.sub = check_commands,
		.help = N_("find out what is wrong"),
	},
	{
		.word = "log",
		.places = PLACE_OUTSIDE,
		.sub = log_commands,
		.help = N_("read the records"),
	},
	{
		.word = "mail",
		.sub = mail_commands,
		.help = N_("the mail gate: how it fares, what waits for somebody's word"),
	},
	{
		.word = "alarm",
		.sub = alarm_commands,
		.help = N_("mail to the people in charge"),
	},
	{
		.word = "help",
		.places = PLACE_OUTSIDE | PLACE_OPERATE | PLACE_CONFIGURE,
		.args = help_arguments,
		.options = help_options,
		.help = N_("explain a command, the reasons, or the forms of a time"),
		.run = verb_help,
	},
	{
		.word = "version",
		.options = json_option,
		.help = N_("print the version"),
		.run = verb_version,
	},
	{
		.word = "complete",
		.places = PLACE_OUTSIDE,
		.rest = true,
		.help = N_("list what may follow the words typed so far (for the shell)"),
		.run = verb_complete,
	},
	END_COMMANDS,
};
