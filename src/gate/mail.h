/* mail.h: what sekishod tells the mail gate's processes, and what it holds of their answers (mail.c). */
#ifndef GATE_MAIL_H
#define GATE_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/msg.h>

struct gate;
struct generation;

struct gate_mail {
	int fd, caller;	     /* to sekisho-maild and sekisho-connect, -1: none */
	uint32_t told; /* generation that sekisho-maild has */
	bool generation_due, hops_due, listen_due, cuts_due;
	bool stop_due[2]; /* a flood was stopped when the former sekisho-maild ended: it stays so until somebody resumes */
	struct msg_mail_listen listen;
	struct msg_mail_hops hops;
	struct msg_mail_status status; /* the last */
	bool have_status;
	struct mono heard;
};

/* fds: the pairs, -1 without an init. 0 or -errno. */
int gate_mail_start(struct gate *g, int fd, int caller);
/* The kernel has this generation; NULL: the closed ruleset, nobody listens. */
void gate_mail_enforce(struct gate *g, const struct generation *gen);
/* One of the two was started again. */
void gate_mail_renew(struct gate *g, const char *name);
/* Each second: what could not be said before; findings. */
void gate_mail_tick(struct gate *g);
/* Emergency cuts or the alert level changed: it ends what is cut. */
void gate_mail_cut(struct gate *g);
/* Then: until it has, while it has sessions; a quarter of a second at most, so that those who are cut hear 421. */
void gate_mail_settle(struct gate *g);
/* An operator's word. 0 or -errno. */
int gate_mail_command(struct gate *g, const struct msg_mail_command *c);

#endif
