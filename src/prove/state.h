/*
 * state.h: the inside of the evaluator: what a path knows, and the parts that work on it.
 *
 *	eval.c     the walk: rules, verdicts, forks
 *	load.c     registers: what is read from packet, conntrack and meta data
 *	compare.c  operands and comparisons: cuts of the region
 *	lookup.c   sets and maps
 */
#ifndef SEKISHO_PROVE_STATE_H
#define SEKISHO_PROVE_STATE_H

#include "eval.h"

#define CALLS_MAX 16
/* Forks on one path: a frame is about 3 KB of stack; a real ruleset forks some hundred times. */
#define FORKS_MAX 2000
#define WORDS 16
/* Base chains of one or two hooks; ours has three and two. More of them are a finding. */
#define BASE_MAX 16

enum word_kind {
	WORD_UNKNOWN,
	WORD_CONST,
	WORD_FIELD,
};

struct word {
	enum word_kind kind;
	uint8_t field, index; /* the index-th four bytes of a field */
	uint8_t b[4];
};

struct frame {
	const struct dump_chain *chain;
	size_t rule;
};

struct state {
	struct region region;
	struct word reg[WORDS];
	struct word meta_mark, ct_mark;
	struct frame at, calls[CALLS_MAX];
	size_t ncalls;
	size_t base; /* position in the hook's order of base chains */
	size_t expr; /* next expression of the current rule */
	uint64_t expires_ms;
	bool pinhole, pinhole_taken;
	uint32_t turned_to; /* as in struct passing */
};

/* One element with its bounds made explicit. */
struct span {
	const uint8_t *lo, *hi;
	const struct dump_elem *elem;
	uint32_t outcome; /* elements with the same verdict and value share one */
};

struct eval_set {
	struct span *spans;
	size_t n;
	const struct dump_elem **outcomes; /* one element of each */
	size_t noutcomes, outcomes_cap;
};

struct run {
	struct eval *ev;
	const struct scenario *sc;
	const struct dump_chain *base[BASE_MAX];
	size_t nbase;
	unsigned forks;	     /* nested exec() calls */
	uint64_t field_uses; /* how often an outcome depended on the region */
};

enum operand_kind {
	OPERAND_UNKNOWN,
	OPERAND_CONST,
	OPERAND_FIELD,
};

struct operand {
	enum operand_kind kind;
	enum field field;
	uint8_t b[DUMP_KEY_MAX];
};

enum match {
	MATCH_NO,
	MATCH_MAYBE,
	MATCH_YES,
};

/* -- eval.c -- */

/* Runs a path to its end; whatever it lets through is reported. */
void eval_exec(struct run *run, struct state *s);
/* Does what a verdict says. Returns whether the path goes on. */
bool eval_apply(struct run *run, struct state *s, const struct dump_verdict *v);
/* Runs the rest on a copy of the state in which the current rule did not match, over the region r. */
void eval_fork(struct run *run, const struct state *s, const struct region *r);

/* -- load.c -- */

/* The words of a register and how many of them there are (0 for a register that is none). */
struct word *load_words(struct state *s, uint32_t reg, size_t bytes, size_t *ret_n);
void load_const(struct state *s, uint32_t reg, const void *p, size_t bytes);
/* 16 bytes when the size is not known (0). */
void load_unknown(struct state *s, uint32_t reg, size_t bytes);
void load_meta(struct run *run, struct state *s, const struct dump_expr *e);
/* Returns false when the kernel would end the rule here. */
bool load_ct(struct run *run, struct state *s, const struct dump_expr *e);
void load_payload(struct run *run, struct state *s, const struct dump_expr *e);
void load_byteorder(struct state *s, const struct dump_expr *e);
void load_bitwise(struct state *s, const struct dump_expr *e);

/* -- compare.c -- */

/* The words from w on that hold `bytes` bytes, as one operand. */
struct operand compare_operand(const struct word *w, size_t bytes, uint8_t family);
/* Does the operand lie in [lo, hi]? Cuts the region to the part that does. */
enum match compare_in(const struct operand *o, const uint8_t *lo, const uint8_t *hi, size_t n, struct region *r);
/* Expressions cmp and range. Return whether this path goes on in the rule; the other outcome has been run. */
bool compare_cmp(struct run *run, struct state *s, const struct dump_expr *e);
bool compare_range(struct run *run, struct state *s, const struct dump_expr *e);

/* -- lookup.c -- */

/* A set of connections that were announced: of the moment, and it lets pass. */
bool lookup_is_pinholes(const char *set);
/* Makes the bounds of all elements explicit. */
void lookup_prepare(struct eval *ev);
/* Returns whether the path without a match goes on in this rule; at.chain is NULL when there is none. */
bool lookup_run(struct run *run, struct state *s, const struct dump_expr *e);

#endif
