/*
 * change.h: what a new policy changes, in plain words: before it is put in force.
 *
 * Two views of the same thing. Items follow the text: which approved flows, hosts, settings come, go or change, field by
 * field. Flows follow the compiled policies: which packets may pass after it that may not now, and the other way, at one
 * moment, wherever the cause stands (a host's address that a rule names, a group's member). Both are exact; of the flows
 * of one rule one example is given.
 */
#ifndef SEKISHO_CHANGE_H
#define SEKISHO_CHANGE_H

#include <sekisho/candidate.h>
#include <sekisho/clock.h>
#include <sekisho/ir.h>
#include <sekisho/model.h>

struct arena;
struct buf;
struct json;

/* One policy. */
struct change_side {
	const char *text;
	size_t n;
	const struct model *model;
	const struct ir *ir; /* NULL when it is refused: flows are not compared then */
};

/* What a change of a rule does to what it grants. */
#define CHANGE_WIDENED 1u   /* something passes that did not */
#define CHANGE_NARROWED 2u  /* something does not pass that did */
#define CHANGE_LONGER 4u    /* at times when it did not */
#define CHANGE_SHORTER 8u   /* not at times when it did */
#define CHANGE_VERIFIED 16u /* the same passes, but other things are demanded of it */

struct change_field {
	enum difference_kind kind;
	const char *field, *label; /* words of the policy; what they mean */
	const char *was, *now;	   /* NULL = none */
};

struct change_item {
	enum difference_kind kind;
	const char *object, *name; /* "allow", "pittari"; name NULL of "system" and "mail" */
	const char *text;	   /* of a flow, host, ...: what it is, in one line; NULL where the name says all */
	const char *beside;	   /* of one that moved: which entry it stands beside now */
	struct change_field *fields;
	size_t nfields, cap;
	unsigned effect; /* CHANGE_*; of rules only */
};

enum change_why {
	CHANGE_NOT_GRANTED, /* no rule grants it on the other side */
	CHANGE_OTHERWISE,   /* it is granted, but with another verification: connections have to be made anew */
};

/* What one rule granted or will grant, and the other side does not. */
struct change_flow {
	const char *rule, *text; /* text: "jumin-ap (10.1.1.5) -> renkei (10.2.0.8) tcp/443", one of them */
	enum change_why why;
	uint32_t n; /* boxes (source x destination x ports) of this rule that differ so */
};

struct change {
	struct change_item *items;
	size_t nitems, items_cap;
	struct change_flow *cuts, *opens;
	size_t ncuts, cuts_cap, nopens, opens_cap;
	bool compared; /* flows were compared */
	bool cut_short; /* they were not compared to the end: the policies differ too much */
};

/* Finds what `now` changes at the moment `at`. Everything lives in the arena. False when the schema cannot be loaded. */
bool change_find(struct arena *a, const struct change_side *old, const struct change_side *new, struct wall at,
	struct change *ret);

/* Appends lines for people, in the language set; text from the policies is as it is. Nothing changes: one line that says so. */
void change_text(const struct change *c, struct buf *out);

/* Members "items", "cuts", "opens", "flows_compared", "flows_cut_short" of an open object. */
void change_json(const struct change *c, struct json *j);

#endif
