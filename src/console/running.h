/*
 * running.h: the policy that is in force.
 */
#ifndef CONSOLE_RUNNING_H
#define CONSOLE_RUNNING_H

struct buf;
struct console;

/* Asks the gate for the text of its policy, appended to *ret. Returns CONSOLE_OK, or an exit code with its message printed. */
int running_read(struct console *c, struct buf *ret);

#endif
