/* tls.h: the certificates of the mail gate as sekishod sees them (tls.c). */
#ifndef GATE_TLS_H
#define GATE_TLS_H

#include <stdbool.h>

#include <sekisho/msg.h>

struct gate;
struct generation;

struct gate_tls {
	int fd; /* to sekisho-tls, -1: none */
	struct msg_tls_want want;
	bool want_due;
	struct msg_tls_status status; /* the last */
	bool have_status;
};

/* fd: the pair, -1 without an init. 0 or -errno. */
int gate_tls_start(struct gate *g, int fd);
/* The kernel has this generation; NULL: the closed ruleset, what is held stays. */
void gate_tls_enforce(struct gate *g, const struct generation *gen);
/* Each second: what could not be said before; findings. */
void gate_tls_tick(struct gate *g);

#endif
