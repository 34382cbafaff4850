/*
 * console.h: what the verbs of the `sekisho` command share.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "args.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <stdbool.h>

/* Exit codes: a contract with scripts (rootfs/doc/commands.md). */
enum console_exit {
	CONSOLE_OK = 0,	     /* done; warnings allowed */
	CONSOLE_REFUSED = 1, /* the policy or the gate says no */
	CONSOLE_USAGE = 2,   /* the command line is wrong */
	CONSOLE_ENV = 3,     /* a file, the schema, or the gate cannot be reached */
};

struct shell;

struct console {
	struct buf out; /* for standard output; console_flush() writes it */
	const char *root; /* "" or DIR: before /run/sekisho/control */
	bool json;
	int in_fd, out_fd;
	struct shell *shell; /* in which it runs; NULL outside */
};

/* Runs one command line; the result is the exit code. */
int console_main(int argc, char **argv);

/* Writes what is in c->out. False when nobody reads any more: the verb ends. */
bool console_flush(struct console *c);

/* "sekisho: …" on standard error, escaped. Returns `code`, to be returned on. */
int console_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes text that is escaped already to standard error. */
void console_error_text(const struct buf *text);

/* Usage of one command (or of all, command NULL) appended to out. */
void help_usage(struct buf *out, const struct args *a);
/* Help of a command or group (or of all) appended to out. */
void help_print(struct buf *out, const struct args *a);
/* The whole reference as Markdown, in the language that is set. */
void help_reference(struct buf *out);

int verb_account_list(struct console *c, const struct args *a);
int verb_account_add(struct console *c, const struct args *a);
int verb_account_role(struct console *c, const struct args *a);
int verb_account_act(struct console *c, const struct args *a);
int verb_password(struct console *c, const struct args *a);
int verb_set_clock(struct console *c, const struct args *a);
int verb_restart_box(struct console *c, const struct args *a);
int verb_check(struct console *c, const struct args *a);
int verb_compare(struct console *c, const struct args *a);
int verb_what_if(struct console *c, const struct args *a);
int verb_load_hosts(struct console *c, const struct args *a);
int verb_explain(struct console *c, const struct args *a);
int verb_draft_from_drop(struct console *c, const struct args *a);
int verb_diagram(struct console *c, const struct args *a);
int verb_show_diagram(struct console *c, const struct args *a);
int verb_ledger(struct console *c, const struct args *a);
int verb_show_ledger(struct console *c, const struct args *a);
int verb_ruleset(struct console *c, const struct args *a);
int verb_commit(struct console *c, const struct args *a);
int verb_prove(struct console *c, const struct args *a);
int verb_status(struct console *c, const struct args *a);
int verb_running(struct console *c, const struct args *a);
int verb_log_drops(struct console *c, const struct args *a);
int verb_log_summary(struct console *c, const struct args *a);
int verb_log_verify(struct console *c, const struct args *a);
int verb_log_faults(struct console *c, const struct args *a);
int verb_log_commits(struct console *c, const struct args *a);
int verb_log_mail(struct console *c, const struct args *a);
int verb_log_admissions(struct console *c, const struct args *a);
int verb_show_flows(struct console *c, const struct args *a);
int verb_show_rules(struct console *c, const struct args *a);
int verb_show_traffic(struct console *c, const struct args *a);
int verb_show_interfaces(struct console *c, const struct args *a);
int verb_show_neighbours(struct console *c, const struct args *a);
int verb_show_routes(struct console *c, const struct args *a);
int verb_show_clock(struct console *c, const struct args *a);
int verb_show_hardware(struct console *c, const struct args *a);
int verb_show_support(struct console *c, const struct args *a);
int verb_check_path(struct console *c, const struct args *a);
int verb_mail_status(struct console *c, const struct args *a);
int verb_mail_approve(struct console *c, const struct args *a);
int verb_mail_certificates(struct console *c, const struct args *a);
int verb_mail_resume(struct console *c, const struct args *a);
int verb_alarm_test(struct console *c, const struct args *a);
int verb_classify(struct console *c, const struct args *a);
int verb_verify(struct console *c, const struct args *a);
int verb_clean(struct console *c, const struct args *a);
int verb_watch(struct console *c, const struct args *a);
int verb_help(struct console *c, const struct args *a);
int verb_version(struct console *c, const struct args *a);
int verb_complete(struct console *c, const struct args *a);

#endif
