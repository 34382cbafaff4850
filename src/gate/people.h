/*
 * people.h: what sekishod remembers of people beyond its own life: when they last came, what was refused to them, and which
 * sessions were open.
 */
#ifndef GATE_PEOPLE_H
#define GATE_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/msg.h>

struct gate;
struct peer;

/* An IT section and its vendors; who was not seen for longest makes room. */
#define PEOPLE_MAX 64

struct person {
	uint32_t uid;
	uint32_t refused;     /* since his last session */
	int64_t last_login;   /* wall seconds, 0 = never */
	int64_t last_refused;
	char terminal[64];    /* of last_login */
};
struct people {
	uint32_t sessions; /* the number that the last session got */
	uint32_t n;
	struct person of[PEOPLE_MAX];
	uint32_t nopen, pad;
	struct msg_session_of open[MSG_SESSIONS_MAX];
};

/* At start: reads what is there; sessions that were open then have ended, and it is recorded. */
void people_resume(struct gate *g);
/* The person of a uid; a new one when there is none. */
struct person *people_find(struct people *p, uint32_t uid);
/* Something was refused. True: it is to be recorded; else one like it was recorded a moment ago, and this one is counted. */
bool people_refused(struct gate *g, const struct peer *peer);
/* A session began or ended: *open is what is open now. */
void people_opened(struct gate *g, const struct msg_session_of *s);
void people_closed(struct gate *g, uint32_t id);

#endif
