/*
 * running.h: the policy that is in force.
 */
#ifndef CONSOLE_RUNNING_H
#define CONSOLE_RUNNING_H

struct buf;
struct console;
struct msg_request;

/* Asks the gate for the text of its policy, appended to *ret. Returns CONSOLE_OK, or an exit code with its message printed. */
int running_read(struct console *c, struct buf *ret);

/* Prints the policy text that this request is answered with, as text or JSON. Returns an exit code. */
int running_print(struct console *c, const struct msg_request *q);

#endif
