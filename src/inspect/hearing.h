/*
 * hearing.h: one verifier hears a conversation, under the widest policy: what identification is made of.
 */
#ifndef SEKISHO_INSPECT_HEARING_H
#define SEKISHO_INSPECT_HEARING_H

#include "verify.h"

/* What a verifier has made of a conversation so far: all that must be kept to go on hearing it. */
struct heard {
	uint8_t named, reader; /* enum application: who it would be; who reads: another one after a hand-over */
	bool alive, final;     /* nothing contradicts; it is verified */
	uint8_t level;	       /* enum inspect_level */
	_Alignas(8) uint8_t state[VERIFY_STATE_BYTES];
};

/* The bytes that it has not used yet, and what it said last. A local of it is UNSET: hearing_begin() sets all that is read. */
struct hearing {
	const uint8_t *p[2];
	uint32_t at[2], n[2]; /* used; told so far */
	bool ended[2], datagrams;
	bool dropped; /* its last answer: not this datagram, perhaps another */
	uint16_t server_port;
	uint32_t name_n; /* server name, when it was learned since hearing_begin() */
	char name[VERIFY_NAME_MAX];
	struct verify_policy policy;
	struct verify v;
};

void heard_begin(struct heard *m, const struct verifier *verifier);

/* No byte told yet; p: where the bytes of each side lie, from the first that the verifier has not used. */
void hearing_begin(struct hearing *h, const uint8_t *const p[2], bool datagrams, uint16_t server_port);
/* So many bytes of each side were told before, and not used. */
void hearing_resume(struct hearing *h, const uint32_t told[2]);
/* n more bytes of a side, or one datagram. Nothing to do for who is not alive, or final. */
void hearing_turn(struct hearing *h, struct heard *m, unsigned from, uint32_t n);
/* These sides have closed behind what was told. */
void hearing_ended(struct hearing *h, struct heard *m, const bool ended[2]);

#endif
