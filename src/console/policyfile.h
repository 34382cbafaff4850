/*
 * policyfile.h: a policy file read and compiled in this process, for the offline verbs.
 */
#ifndef CONSOLE_POLICYFILE_H
#define CONSOLE_POLICYFILE_H

#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>

#include <stdbool.h>

struct args;
struct model;

struct policy_file {
	const char *path;
	struct arena *arena;
	struct diag_list diags; /* sorted by line */
	struct model *model;
	struct buf block; /* the IR's memory */
	struct ir ir;	  /* valid when `usable` */
	bool usable;
	struct wall at; /* the moment for which it was compiled */
};

/*
 * Reads and compiles for the moment that --at names (local time of the policy's zone; without it now). Returns
 * CONSOLE_OK also when the policy has errors (see ->usable and ->diags), CONSOLE_USAGE for a bad --at, or
 * CONSOLE_ENV; the latter two with their message printed. policy_file_close() follows in each case.
 */
int policy_file_open(struct policy_file *f, const char *path, const struct args *a);

/* The same of the policy that is in force, which the running gate hands out; ->path is "running". */
struct console;
int policy_file_running(struct policy_file *f, struct console *c, const struct args *a);

/* The same of text that is there already; `path` names it in messages. */
int policy_file_text(struct policy_file *f, const char *path, const struct buf *text, const struct args *a);
void policy_file_close(struct policy_file *f);

/* Prints why an unusable policy cannot answer, on standard error. Returns CONSOLE_REFUSED. */
int policy_file_refused(const struct policy_file *f);

/* The whole file. Returns 0 or -errno (-EFBIG beyond LIMIT_POLICY_BYTES). */
int policy_file_read(const char *path, struct buf *ret);

#endif
