/*
 * seen.h: what the gate sees now: the policy in force, the connections of the kernel's table, and what passed.
 */
#ifndef CONSOLE_SEEN_H
#define CONSOLE_SEEN_H

#include <sekisho/ir.h>
#include <sekisho/match.h>
#include <sekisho/msg.h>
#include <sekisho/watch.h>

#include <stdbool.h>

struct args;
struct console;
struct buf;

struct seen {
	struct ir ir;
	struct matcher *matcher;
	uint32_t generation;
	const struct flow_row *flows; /* verb FLOWS */
	uint32_t nflows, missed;
	/* its own */
	void *policy_map, *flow_map;
	size_t policy_size, flow_size;
};

/*
 * Asks for MSG_VERB_POLICY or MSG_VERB_FLOWS. From now on times are in the policy's zone. An exit code, with
 * the message printed on failure; seen_close() follows in each case.
 */
int seen_open(struct console *c, uint32_t verb, struct seen *s);
void seen_close(struct seen *s);

/* What a connection's mark says. */
enum flow_standing {
	STANDING_OWN,	  /* the gateway's */
	STANDING_PASSED,
	STANDING_CHECKED, /* passed, and verified as what its rule names */
	STANDING_WAITS,	  /* is being verified */
	STANDING_REFUSED,
};
enum flow_standing seen_standing(const struct seen *s, const struct flow_row *f);
/* The rule that grants it now, or IR_NONE. *ret_d: the whole answer. */
uint32_t seen_rule(const struct seen *s, const struct flow_row *f, struct decision *ret_d);
/* The name of the host with this address, or NULL. */
const char *seen_host(const struct seen *s, const struct addr *a);
const char *seen_segment(const struct seen *s, uint32_t segment); /* NULL for IR_NONE */

/* Appends "10.1.10.5 (jumin-ap)". */
void seen_end(struct buf *b, const struct addr *a, const char *host);

/* Takes one row; false ends the answer. */
typedef bool seen_row_fn(void *arg, const struct msg *row);
/* Asks sekisho-logd for what passed: an exit code, a failure has its message printed. */
int seen_ask(struct console *c, const struct msg_watch_query *q, enum msg_type want, seen_row_fn *fn, void *arg,
	struct msg_end *ret_end);
/* Fills q from --since, --until, --limit, --from, --to, --src, --dst, --port, --rule. False with a message printed. */
bool seen_args(const struct args *a, struct msg_watch_query *q);

#endif
