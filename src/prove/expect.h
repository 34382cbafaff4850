/*
 * expect.h: what should cross between two segments, and how much of it does.
 */
#ifndef SEKISHO_PROVE_EXPECT_H
#define SEKISHO_PROVE_EXPECT_H

#include <sekisho/ir.h>
#include "eval.h"

/* The boxes of the IR that are open now, inspected ones too, for one pair, family and protocol. */
struct expect {
	const struct ir *ir;
	struct arena *arena;
	uint8_t family;
	struct expect_box *boxes;
	size_t n;
	uint32_t *slots; /* hash of the exact boxes: index + 1 */
	size_t nslots;
};

struct expect_box {
	struct region region;
	uint32_t box;	/* index in the IR */
	bool soon;	/* opens or closes within seconds: both answers are right */
	bool one_way;
	uint16_t policy; /* the verified policy that its flows must have; 0 = none: plain */
	bool covered;	/* by one piece that is all of it */
	uint64_t ends_ms; /* from now; 0 = no end */
	struct region *pieces;
	size_t npieces, pieces_cap;
};

void expect_init(struct expect *c, struct arena *a, const struct ir *ir, struct wall now, uint32_t from, uint32_t to,
	uint8_t family, uint8_t proto);

/*
 * The same of what the mail gate takes in the place of a server, by packets that come in there. Its box numbers mean nothing.
 */
void expect_turned(struct expect *c, struct arena *a, const struct ir *ir, uint32_t interface, uint8_t family);

/* The open box that holds all of the region, or NULL. */
struct expect_box *expect_find(struct expect *c, const struct region *r);

/* Notes that this part of the box was let through. */
void expect_add(struct expect *c, struct expect_box *b, const struct region *r);

/* True when the noted parts are all of the box. */
bool expect_full(const struct expect *c, const struct expect_box *b);

#endif
