/*
 * identify.h: what is this flow, when no rule says what it must be? All verifiers look, those that refuse are out.
 */
#ifndef SEKISHO_INSPECT_IDENTIFY_H
#define SEKISHO_INSPECT_IDENTIFY_H

#include "hearing.h"
#include "judge.h"

#define IDENTIFY_TURNS 16u

/* A conversation as it was heard: who spoke how much. The bytes of a side lie one behind the other. */
struct transcript {
	const uint8_t *p[2];
	uint32_t turn[IDENTIFY_TURNS]; /* bytes, of the server with TRANSCRIPT_SERVER */
	uint8_t turns;
	bool ended[2];
	bool datagrams;
	uint16_t server_port;
};
#define TRANSCRIPT_SERVER 0x80000000u

struct identity {
	enum application application;
	enum inspect_level level;
	bool settled; /* nothing will change it */
	char name[VERIFY_NAME_MAX]; /* when it was learned just now; at level NONE it waits until the level rises */
	uint32_t name_n;
};

/* Where a verifier that is left alone stands: it need not be told again what it has heard. */
struct alone {
	struct heard heard;
	uint32_t used[2]; /* bytes of each side that it needs no more */
};

/* All applications that a transcript may still become; bit = enum application. */
uint32_t identify_all(bool datagrams);
/*
 * Hears the whole transcript with the verifiers in *live, and takes out those that refuse it. The best of the others is the
 * identity: by level, then by the server's port, then in the order of enum application. One that is left alone is named at
 * level NONE, and *ret_alone (which may be NULL) is where it stands behind the turns, ends not counted. Returns whether
 * *ret_alone was written.
 */
bool identify(const struct transcript *t, uint32_t *live, struct identity *ret, struct alone *ret_alone);

/*
 * A flow that is being identified. While several verifiers are left, its transcript, with the bytes in the pool; from when
 * one is left, that one's state and the bytes that it has not used.
 */
struct identify {
	uint32_t live;
	uint32_t n[2], cap[2];
	uint8_t *p[2];
	uint16_t heard[2]; /* bytes of each side, JUDGE_BYTES at most */
	uint16_t turn[IDENTIFY_TURNS]; /* as in a transcript, with IDENTIFY_SERVER */
	uint8_t turns;
	bool ended[2], datagrams, alone;
	uint16_t server_port;
	struct heard only; /* of the one that is left */
};
#define IDENTIFY_SERVER 0x8000u
_Static_assert(JUDGE_BYTES < IDENTIFY_SERVER, "a turn fits its sixteen bits");

/* The applications that go on after this byte as the first that side `from` says; of datagrams, after any that begins so. */
uint32_t identify_first(bool datagrams, unsigned from, uint8_t byte);
/* The bytes of *i must be zero. */
void identify_init(struct identify *i, bool datagrams, uint16_t server_port);
/*
 * More of the flow. False: go on. True: no more is needed, release the memory: either ret->settled, or there is no more room
 * and what it was taken for before is what stays.
 */
bool identify_hear(struct identify *i, struct pool *pool, unsigned from, const uint8_t *p, uint32_t n, bool ended,
	struct identity *ret);
void identify_release(struct identify *i, struct pool *pool);

#endif
