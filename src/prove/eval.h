/*
 * eval.h: runs a packet that is only partly known through the dumped ruleset.
 *
 * Known: the scenario (interfaces, family, protocol, conntrack state, direction, mark). Unknown but bounded: the
 * region (source, destination, port, MAC). Everything else is unknown: both outcomes are followed. So the set
 * of regions reported as accepted contains every packet that the kernel would accept: an over-approximation.
 */
#ifndef SEKISHO_PROVE_EVAL_H
#define SEKISHO_PROVE_EVAL_H

#include "dump.h"

/* 100 k elements in all scenarios need about a tenth. */
#define EVAL_STEPS_MAX 2000000000ull

/* Conntrack state bits, as `ct state` yields them (NF_CT_STATE_BIT). */
#define CT_INVALID 1u
#define CT_ESTABLISHED 2u
#define CT_RELATED 4u
#define CT_NEW 8u
#define CT_UNTRACKED 64u

/* The dimensions of a region, in the flow's original direction. */
enum field {
	FIELD_SRC,
	FIELD_DST,
	FIELD_PORT, /* destination port; ICMP: type << 8 | code */
	FIELD_MAC,  /* source MAC of the frame */
	FIELDS
};

struct region {
	uint8_t lo[FIELDS][16], hi[FIELDS][16];
};

struct scenario {
	uint32_t hook; /* NF_INET_* */
	bool from_prerouting; /* the packet has to come through that hook first */
	uint8_t family, l4proto;
	char iif[16], oif[16];
	uint32_t ct_state, ct_mark;
	bool reply; /* the packet goes against the flow's original direction */
	const char *empty_set; /* this set is taken as empty; NULL = none */
	uint32_t meta_mark;    /* with which the packet comes */
	const char *behind;    /* only base chains behind this one: what comes back from the queue, behind
				  `forward`; NULL = all */
	bool cuts; /* emergency cuts are as they are; else as if there were none: they only take away */
	bool has_flags;	       /* TCP */
	uint8_t flags;
};

/* How a region came through. */
struct passing {
	uint64_t expires_ms; /* the soonest end of the elements that let it through, 0 = none has an end */
	bool ct_known;
	uint32_t ct_mark;   /* that the flow has now */
	bool pinhole;	    /* by an element of a set of pinholes, whatever is in it now */
	bool pinhole_taken; /* which is gone by that */
	uint32_t turned_to; /* the port here that it was turned to, 0 = none, EVAL_ANY = anything */
	bool mark_known;
	uint32_t mark;	    /* that the packet has now */
};
#define EVAL_ANY UINT32_MAX

/* Called for each region that comes through all base chains of the hook. */
typedef void accept_fn(void *arg, const struct region *r, const struct passing *how);
/* Called for each region that is handed to a queue. */
typedef void queue_fn(void *arg, const struct region *r, uint32_t number, uint64_t expires_ms);

struct eval {
	const struct dump *dump;
	struct arena *arena;
	accept_fn *accept;
	queue_fn *queued; /* NULL: nobody asks */
	void *arg;
	uint64_t steps, max_steps; /* expressions run so far, and when to give up */
	const char *finding; /* the first thing that was not understood, or NULL */
	const char *finding_chain, *finding_expr;
	struct eval_set *sets; /* prepared, one per dump set */
};

/* Bytes of a field in this family. */
size_t field_len(enum field f, uint8_t family);
/* The whole space. */
struct region region_all(uint8_t family);
bool region_within(const struct region *inner, const struct region *outer, uint8_t family);

/* Prepares the sets of a dump (interval points to ranges). */
void eval_init(struct eval *ev, const struct dump *d, struct arena *a);

/* Runs one scenario over a region; e->accept is called for what comes through. */
void eval_run(struct eval *ev, const struct scenario *sc, const struct region *start);

#endif
