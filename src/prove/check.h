/*
 * check.h: one question to a dumped ruleset, shared by check.c (what is plain) and check_inspect.c (what is verified).
 */
#ifndef SEKISHO_PROVE_CHECK_H
#define SEKISHO_PROVE_CHECK_H

#include <sekisho/arena.h>
#include <sekisho/i18n.h>
#include <sekisho/prove.h>

#include "eval.h"
#include "expect.h"

/* ct mark: bits 0-1 state, 2-11 policy generation, 12-27 verified policy, then how it is looked up. */
#define MARK_STATE 3u
#define MARK_INSPECTING 1u
#define MARK_PASSED 2u
#define MARK_REFUSED 3u
#define MARK_GENERATION(g) ((uint32_t)(g) << 2)
#define MARK_POLICY(v) ((uint32_t)(v) << 12)
#define MARK_TIMED 0x10000000u
#define MARK_ONEWAY 0x20000000u
#define MARK_DATA (MARK_TIMED | MARK_ONEWAY)
#define MARK_VERIFIED_OK 0x80000000u
#define MARK_TURNED 0x25000001u /* of a packet */
#define PORT_MAIL 25u
#define PORT_TURNED 10025u
#define GENERATIONS 1024u
#define QUEUE_BASE 200u
/* More of them in one pair, and what is the same for all is asked of examples. */
#define FEW_BOXES 500
/* A packet mark of the inspector's: its word in the lowest byte. */
#define WORD_MARK(word) (0x5e000000u | (word))
#define WORD_BITS 0xff0000ffu /* the others say why, and are no matter here */

struct generations {
	uint32_t current;
	uint32_t stale;	 /* one that is neither the current nor the one before */
	uint32_t before; /* whose verified flows may live on; 0 = none */
};

/* What should happen to flows that must be verified. */
enum inspected {
	INSPECTED_STOPS = 0,
	INSPECTED_IS_ASKED, /* handed to the inspector */
	INSPECTED_PASSES,
};

/* What is asked of one pair of interfaces. */
struct question_at {
	struct prove *p;
	struct eval *ev;
	const struct ir *ir;
	struct wall now;
	struct scenario sc;
	uint32_t from;	       /* segment that the packet comes from */
	struct generations generations;
	struct expect *cover;  /* what may cross; NULL = nothing may */
	const struct region *part; /* asked of; NULL = of all */
	const char *situation; /* for the finding */
	bool forbid_one_way;
	enum inspected inspected;
	uint16_t policy; /* only flows of this one are inspected or passed so; 0 = of any */
	bool pinholes;	 /* connections may begin through them */
	uint16_t data;	 /* connections through pinholes go on under this policy; 0 = none do */
	uint32_t accepted;
};

void add_finding(struct prove *p, const char *code, const char *text);
void find_crossing(struct question_at *q, const struct region *r);
const char *range_text(const struct region *r, enum field f, uint8_t family, char *buf);
const char *region_text(struct prove *p, const struct scenario *sc, const struct region *r);

/* No more than the cover may cross. */
void ask_at_most(struct question_at *q, struct expect *cover, const char *situation);
/* And no less. */
void ask_granted(struct question_at *q, struct expect *cover, const char *situation);
/* One of the two, where there are many flows of a few that are verified. */
void ask_examples(struct question_at *q, struct expect *cover, bool no_less, const char *situation);
/* Nothing may cross, nor be asked about. */
void ask_nothing(struct question_at *q, uint32_t state, uint32_t mark, const char *situation);
/* An accept_fn that counts (uint32_t). */
void count_accept(void *arg, const struct region *r, const struct passing *how);

/* -- check_inspect.c -- */

/* Flows of the pair that are verified, were, or should be. */
void check_inspected(struct question_at *q, struct expect *there, struct expect *back);
/* A region that came by way of a pinhole, now or before: true when it is one, right or (then found) wrong. */
bool check_data(struct question_at *q, const struct region *r, const struct passing *how);
/* Old marks are renewed only from a policy to its like. */
void check_renewals(struct prove *p, struct eval *ev, const struct ir *ir);
/* Behind the queue nothing but the inspector's word counts. */
void check_verdicts(struct prove *p, struct eval *ev, struct generations g);
/* -- check_cut.c -- */

/* What is cut is stopped, and nothing is that nobody cut. */
void check_cuts(struct prove *p, struct eval *ev, const struct ir *ir, uint32_t generation);
/* Mail that is taken in the place of a server (check_turned.c): nothing else is turned, and only to the mail
 * gate's listener. */
void check_turned(struct prove *p, struct eval *ev, const struct ir *ir, struct generations g);
/* The gateway sends resets for refused flows, and no others. */
void check_resets(struct prove *p, struct eval *ev, const struct ir *ir, struct generations g);

#endif
