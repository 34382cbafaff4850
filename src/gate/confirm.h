/*
 * confirm.h: a commit that stays only when somebody confirms it.
 *
 * Until then the store's running generation is the old one: whatever ends the machine, the old one returns. What waits
 * is in a record of its own, so that sekishod may die and go on with the rest of the time.
 */
#ifndef GATE_CONFIRM_H
#define GATE_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

struct gate;

#define CONFIRM_MINUTES_MAX 1440u

struct confirm {
	uint32_t number;      /* in force, and waiting; 0: nothing waits */
	uint32_t previous;    /* returns */
	uint32_t minutes;
	uint32_t uid;	      /* who committed it */
	int64_t deadline_ns;  /* clock_mono(), of this boot */
	int64_t deadline;     /* wall seconds, to be shown */
	char boot_id[40];
	char account[64];
};

/* At start, when the store says what runs: goes on waiting, or drops what another boot left. */
void confirm_resume(struct gate *g);
/* `number` is stored and in force: waits. 0 or -errno: nothing waits then. */
int confirm_begin(struct gate *g, uint32_t number, uint32_t minutes);
/* Another generation became the stored running one: nothing waits any more. */
void confirm_end(struct gate *g);
/* It stays: the stored running generation is the one in force now. 0 or -errno. */
int confirm_accept(struct gate *g);
/* The time is up: the old one is to return. */
bool confirm_is_due(const struct gate *g);

#endif
