/*
 * flows.h: flows of captures and interfaces before the inspector, each with what the policy says of it.
 *
 * Shared by `sekisho classify` and `sekisho watch`: policies of rules, rows of flows, totals.
 */
#ifndef CONSOLE_FLOWS_H
#define CONSOLE_FLOWS_H

#include "console.h"
#include "traffic.h"

#include <sekisho/inspect.h>
#include <sekisho/match.h>

/* What judges the flows; all of it made before the jail. */
struct judges {
	const struct ir *ir; /* NULL: no policy, flows are identified */
	struct matcher *matcher;
	struct verify_policy *policy; /* by number of verified policy; [0] is unused */
	uint32_t npolicies;
	bool has_as;
	struct verify_policy as; /* --as: every flow as if a rule named this application */
	struct wall at;
};

#define FLOWS_APPS APP_END
struct flow_totals {
	uint64_t frames, frame_bytes, other_frames, flows, packets, bytes;
	uint64_t passed, refused, undecided, allowed, dropped;
	uint64_t decided_early; /* passed after at most two packets with payload in each direction */
	uint64_t application[FLOWS_APPS]; /* flows by what they are */
	uint64_t why[WHY_END];
};

struct flows {
	struct console *c;
	const struct judges *judges;
	struct inspector *inspector;
	const char *file;	/* of rows; NULL = none */
	struct traffic *traffic; /* where every flow is added, or NULL */
	unsigned decode;	/* flags of packet_decode() */
	bool identify;		/* say what a flow is even where there is a policy (drafts of rules) */
	bool rows;		/* print a row for each flow */
	bool only_wrong;	/* rows of refused flows alone */
	bool headed;
	bool closed; /* nobody reads the output any more */
	struct flow_totals totals;
};

/* ir NULL: none. False without memory for the policies. */
bool judges_init(struct judges *j, struct arena *a, const struct ir *ir, struct wall at);
void judges_free(struct judges *j);

/* A new inspector for `flows` entries; lenient: for identification of what began before the capture. False without memory. */
bool flows_begin(struct flows *f, uint32_t flows, bool lenient);
/* Ends every flow that is left: their rows are printed. */
void flows_end(struct flows *f);

struct frame;
#define FLOWS_BATCH 32
/* Frames in their order, at most FLOWS_BATCH. */
void flows_frames(struct flows *f, const struct frame *frame, int n);

/* Totals for people, or one JSON object. cpu_ns: 0 = not measured. */
void flows_totals(const struct flows *f, struct buf *out, bool as_json, int64_t cpu_ns);

#endif
