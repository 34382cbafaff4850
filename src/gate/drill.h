/* drill.h: 訓練, an exercise: the steps of an emergency cut without the cut; who took part, and when (drill.c). */
#ifndef GATE_DRILL_H
#define GATE_DRILL_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/cut.h>
#include <sekisho/msg.h>

struct gate;
struct client;

/* Steps that one drill keeps. */
#define DRILL_EVENTS 100

enum drill_kind { DRILL_BEGUN = 1, DRILL_JOINED, DRILL_CUT, DRILL_ASKED, DRILL_RESTORED, DRILL_ENDED, DRILL_KINDS };
struct drill_event {
	int64_t at_ms; /* wall */
	uint32_t kind; /* enum drill_kind */
	uint32_t uid;
	char who[64], account[MSG_ACCOUNT], text[160], why[160];
};
/* The newest drill, also when it is over; on the disk as it is. */
struct gate_drill {
	uint32_t number; /* 0: there was none yet */
	uint32_t under_way; /* 0 or 1 */
	uint32_t n, more; /* events; more: how many found no place */
	struct drill_event event[DRILL_EVENTS];
	uint32_t ncuts, pad;
	struct {
		uint32_t number, held;
		char text[CUT_TEXT_MAX];
		char code[16];
	} cut[CUT_MAX];
};

void drill_start(struct gate *g);
/* MSG_VERB_DRILL */
void act_drill(struct gate *g, struct client *c);

#endif
