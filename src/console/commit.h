/*
 * commit.h: a request that puts a policy in force, and its answer.
 */
#ifndef CONSOLE_COMMIT_H
#define CONSOLE_COMMIT_H

struct console;
struct msg_request;

/*
 * Sends a request that is answered with MSG_COMMITTED, the policy's text beside it (closed here; -1 = none), and prints the
 * answer; `name` stands for the policy in its findings. Returns an exit code.
 */
int commit_send(struct console *c, const struct msg_request *q, int fd, const char *name);

#endif
