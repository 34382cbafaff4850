/*
 * host.h: the link to sekisho-hostd: who may is handed over, what was done is recorded.
 */
#ifndef GATE_HOST_H
#define GATE_HOST_H

struct gate;
struct client;

/* fd: the pair to it, -1 = none. 0 or -errno. */
int host_start(struct gate *g, int fd);

/* MSG_VERB_ACCOUNTS, _HOST, _PASSWORD: a socket to sekisho-hostd (MSG_OPENED). */
void host_open(struct gate *g, struct client *c);

#endif
