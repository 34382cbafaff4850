/*
 * standing.h: which findings stand and were told: each is told once when it begins and once when it is cured, also when
 * sekishod was started again in between and says them all anew.
 */
#ifndef ALARM_STANDING_H
#define ALARM_STANDING_H

#include <stdbool.h>

#include <sekisho/msg.h>

/* As many as sekishod keeps. */
#define STANDING_MAX 48

struct standing {
	struct standing_item {
		char code[32], text[256];
		bool stale; /* said by a former sekishod, and not by this one yet */
	} item[STANDING_MAX];
	unsigned n;
	int64_t doubt_until; /* monotonic ms */
};

/* A finding begins: false when it was told already. */
bool standing_began(struct standing *s, const char *code, const char *text);
void standing_cured(struct standing *s, const char *code, const char *text);
/* sekishod is another one: until then it says again what stands. */
void standing_doubt(struct standing *s, int64_t until_ms);
/* One that this sekishod has not said again in time, out of the list; false: none. */
bool standing_gone(struct standing *s, int64_t now_ms, struct standing_item *ret);

#endif
