/*
 * explain.h: the second question that `sekisho explain` answers (explain_mail.c).
 */
#ifndef CONSOLE_EXPLAIN_H
#define CONSOLE_EXPLAIN_H

struct args;
struct console;
struct policy_file;

/* `sekisho explain POLICY mail --from … --to …`, with a policy that is usable. Returns the exit code. */
int explain_mail(struct console *c, const struct policy_file *f, const struct args *args);

#endif
