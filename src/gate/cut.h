/*
 * cut.h: what sekishod holds of emergency cuts and of the alert level (cut.c), and the requests about them (act.c).
 */
#ifndef GATE_CUT_H
#define GATE_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/cut.h>

struct gate;
struct generation;
struct client;
struct buf;

struct gate_cut {
	struct cuts list;
	bool broken;   /* what was stored could not be read: everything is cut */
	bool unstored; /* what holds is not on the disk */
	struct {
		uint32_t number; /* of the cut that somebody asked to restore, 0: none */
		char code[16];
		struct mono at;
	} asked;
};

/* Reads what is stored and gives it to the kernel: before anything is opened. 0 or -errno: the kernel refused. */
int gate_cut_start(struct gate *g);
/* The list changed: kernel, then disk, findings, mail gate, running flows. *ret_us: until the kernel had it. 0 or -errno. */
int gate_cut_apply(struct gate *g, struct mono begun, uint32_t *ret_us, uint32_t *ret_flows);
/* Cuts by name mean what the name means in this policy, before the kernel has it. */
void gate_cut_follow(struct gate *g, const struct generation *gen);
/*
 * What a word means at the end of a cut: a segment, a host of the policy in force, an address or a prefix. NULL, or a sentence
 * (translated) for why it means nothing.
 */
const char *gate_cut_resolve(struct gate *g, bool segment, const char *word, struct cut_end *ret);
/* The approved flows that the cut stops, a line each. */
void gate_cut_flows(struct gate *g, const struct cut *c, struct buf *out);
/* The generations of now are asked at the alert level that holds. */
void gate_cut_levels(struct gate *g);
/* Another alert level. 0 or -errno: the kernel refused; *ret_flows: connections that ended. */
int gate_cut_level(struct gate *g, const char **ret_error, uint32_t *ret_us);
/* How many rules the alert level closes. */
uint32_t gate_cut_closed(const struct gate *g);
/* The list for the mail gate and the console: a sealed memfd, or -errno. */
int gate_cut_memfd(const struct gate *g);

/* The cut that a request means: NULL, or why it means none. A code of six digits for a second step. */
const char *act_build_cut(struct gate *g, const struct client *c, uint32_t kind, struct cut *ret);
bool act_make_code(char code[16]);

/* act.c: MSG_VERB_CUT, CUTS, LEVEL, RESTORE */
void act_cut(struct gate *g, struct client *c);
void act_cuts(struct gate *g, struct client *c);
void act_level(struct gate *g, struct client *c);
void act_restore(struct gate *g, struct client *c);

#endif
