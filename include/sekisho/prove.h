/*
 * prove.h: does the kernel enforce the policy, and nothing else?
 *
 * The evaluator reads the kernel's own dump of its ruleset and the IR, and shares no code with what compiled the
 * one from the other. It answers with findings; one finding closes the gate.
 */
#ifndef SEKISHO_PROVE_H
#define SEKISHO_PROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/ir.h>

#define PROVE_FINDINGS_MAX 64

struct prove_finding {
	const char *code; /* static: "crosses", "missing", "unknown-expression", ... */
	const char *text; /* what, where; in the arena */
};

struct prove {
	struct arena *arena;
	struct prove_finding findings[PROVE_FINDINGS_MAX];
	size_t n;	   /* kept */
	size_t total;	   /* found */
	uint64_t steps;	   /* expressions run */
	uint32_t scenarios;
};

/*
 * Checks a dump (raw netlink messages of table inet sekisho: table, chains, sets, rules, elements) against an
 * opened IR at the time `now` (negative: at -now, and the clock is not trusted: rules with times are closed).
 * Returns true when nothing was found. The arena keeps the texts.
 */
bool prove_check(struct prove *p, struct arena *arena, const struct ir *ir, const void *dump, size_t n,
	struct wall now);

#endif
