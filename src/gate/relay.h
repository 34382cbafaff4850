/*
 * relay.h: what sekishod holds of sekisho-inspect (relay.c), and the kernel's figures of the queues (statistics.c).
 */
#ifndef GATE_RELAY_H
#define GATE_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/limits.h>
#include <sekisho/msg.h>

struct gate;
struct generation;
struct loop_timer;

struct relay {
	int fd;			   /* to the inspector, -1: there is none */
	int queue[LIMIT_SEGMENTS]; /* our copies of its sockets, -1 while not bound */
	int statistics;		   /* see statistics.c; -1 where there are none */
	uint64_t epoch, last_epoch; /* 0: it has no queues yet */
	int open_error;		   /* of the queues, told once */
	bool links_due;
	uint32_t offered, enforced; /* generations that it was told of */
	struct mono heard, renewed, away;
	struct mono answered[LIMIT_SEGMENTS]; /* last verdict, or when the queue was last seen empty */
	uint32_t dropped[LIMIT_SEGMENTS];     /* by the kernel since the queue was bound, as last seen */
	uint64_t overflows_told;
	struct mono pinholes_since;
	unsigned pinholes_now;
	struct msg_inspector shown; /* for the status */
	struct loop_timer *timer;
};

/* statistics: a descriptor of the kernel's list of queues, or -1. 0 or -errno. */
int relay_start(struct gate *g, int statistics);
void relay_stop(struct gate *g);

/* A new inspector is READY; fd is taken. */
void relay_attach(struct gate *g, int fd);
/* No inspector any more: what its queues hold is refused. */
void relay_detach(struct gate *g);

/* Takes what the inspector said: also between the steps of long work. */
void relay_pump(struct gate *g);

/* A generation that the kernel may have next; that it has now. The links that interfaces are. */
void relay_offer(struct gate *g, const struct generation *gen);
void relay_enforce(struct gate *g, const struct generation *gen);
void relay_links(struct gate *g);
/* Packets go to the inspector for some seconds from now, if it is well. */
void relay_present(struct gate *g);

/* Each second: findings. Each ten: what the kernel lost. */
void relay_tick(struct gate *g);
void relay_report(struct gate *g);

struct queue_line {
	uint32_t waiting; /* packets without a verdict */
	uint32_t dropped; /* since it was bound: the queue or its socket was full */
};
/* False when they cannot be read; *ret is untouched then. By segment; 0 for a queue that is not bound. */
bool relay_statistics(int fd, struct queue_line ret[LIMIT_SEGMENTS]);
/* The text of the list, for tests. */
void relay_statistics_parse(const char *text, size_t n, struct queue_line ret[LIMIT_SEGMENTS]);

#endif
