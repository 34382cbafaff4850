/*
 * drafts.h: the candidates: texts that people are editing, one for each uid, kept so that a lost line loses nothing.
 */
#ifndef GATE_DRAFTS_H
#define GATE_DRAFTS_H

#include <stdint.h>

#include <sekisho/msg.h>

struct gate;
struct client;

/* The largest policy that was ever measured (100 k rules), twice. */
#define DRAFT_BYTES_MAX (64u << 20)

struct drafts {
	uint32_t n;
	struct msg_candidate_of of[MSG_CANDIDATES_MAX]; /* as they are on disk */
};

/* At start: what is on disk. */
void drafts_resume(struct gate *g);

/* Requests of a client (MSG_VERB_CANDIDATE_…), answered. */
void drafts_get(struct gate *g, struct client *c);
void drafts_put(struct gate *g, struct client *c);
void drafts_list(struct gate *g, struct client *c);
void drafts_discard(struct gate *g, struct client *c);

#endif
