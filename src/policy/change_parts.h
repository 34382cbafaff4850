/*
 * change_parts.h: what the files of change*.c share.
 */
#ifndef POLICY_CHANGE_PARTS_H
#define POLICY_CHANGE_PARTS_H

#include <sekisho/change.h>

struct strmap;

struct finding {
	struct arena *arena;
	const struct change_side *old, *new;
	struct wall at;
	struct change *ret;
};

/* change_flow.c: fills ret->cuts and ret->opens. Both sides have an IR. */
void change_flows(const struct finding *f);

/* change_time.c: what a rule's other dates, days and hours do: CHANGE_LONGER, CHANGE_SHORTER, both or none. */
unsigned change_times(const struct ir *old, const struct ir_rule *a, const struct ir *new, const struct ir_rule *b);

/* change_words.c: what an object is, in one line, or NULL; from the side's model. */
const char *change_words(struct arena *a, const struct change_side *side, const char *object, const char *name);
/* "LABEL" of a host, or its name. */
const char *change_host(const struct change_side *side, const char *name);

#endif
