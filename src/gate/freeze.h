/* freeze.h: 証拠保全: everything as it is at this moment, in files that nobody writes again (freeze.c). */
#ifndef GATE_FREEZE_H
#define GATE_FREEZE_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/msg.h>

struct gate;
struct client;

/* Freezes that are listed; the files of older ones stay. */
#define FREEZES_MAX 64

struct freeze {
	uint32_t number, held; /* held: records are not pruned because of it */
	uint32_t uid, pad;
	int64_t at, since; /* wall seconds; since: of the records that it covers */
	char who[64], why[256], account[MSG_ACCOUNT];
	char sha256[65]; /* of its manifest */
	char pad2[7];
};
struct freezes {
	uint32_t n, next;
	struct freeze freeze[FREEZES_MAX];
};

struct gate_freeze {
	int dir; /* -1: there is none */
	struct freezes list;
	/* One is being made: logd has been asked. */
	struct {
		bool active;
		struct freeze it;
		int client;
		uint64_t turn;
		uint32_t tag;
		int records, packets; /* memfds */
		struct mono begun;
	} pending;
};

void freeze_start(struct gate *g);
void freeze_tick(struct gate *g);
/* logd was started again: it is told what it must keep. */
void freeze_renew(struct gate *g);
/* logd's answer. */
void freeze_done(struct gate *g, uint32_t tag, const struct msg_evidence_done *m);
uint32_t freeze_held(const struct gate *g);

/* MSG_VERB_FREEZE, FREEZES, RELEASE, FREEZE_FILE */
void act_freeze(struct gate *g, struct client *c);
void act_freezes(struct gate *g, struct client *c);
void act_release(struct gate *g, struct client *c);
void act_freeze_file(struct gate *g, struct client *c);

/* freeze_files.c: writes all files of the freeze; 0 or -errno with the number of files written. fills sha256. */
int freeze_write(struct gate *g, struct freeze *f, int records, int packets, const struct msg_evidence_done *logd);

#endif
