/*
 * shell_run.h: a command's work in a process of its own, its output through pipes and pager.
 */
#ifndef CONSOLE_SHELL_RUN_H
#define CONSOLE_SHELL_RUN_H

#include <stdbool.h>

struct console;
struct filters;
struct shell;

struct run {
	int (*work)(struct console *c, void *arg);
	void *arg;
	struct filters *filters; /* may be NULL */
	bool json;		 /* console.json of the work */
	bool live;		 /* without pager */
	bool talks;		 /* the terminal is its own */
};

#define RUN_INTERRUPTED 130 /* the exit code when Ctrl-C ended it */

/*
 * Runs the work until it ends, Ctrl-C ends it, or the reader has seen enough (then the result is CONSOLE_OK).
 * Returns its exit code. Nothing that it does to the shell's memory is seen here.
 */
int shell_run(struct shell *sh, const struct run *r);

#endif
