/*
 * draft_drop.h: one drop record as the draft of an allow rule, or why no rule can cure it.
 */
#ifndef CONSOLE_DRAFT_DROP_H
#define CONSOLE_DRAFT_DROP_H

#include "policyfile.h"

#include <sekisho/match.h>
#include <sekisho/msg.h>

struct draft_drop {
	bool ok;
	struct buf why, instead; /* !ok: the reason in a sentence, and what to do; translated */
	struct buf hosts;	 /* "set host …" of ends that the policy does not know, a line each */
	struct buf name, from, to, service;
	struct decision decision; /* of the policy that was asked, nearest and differs among it */
};

/*
 * What this policy says of the packet of a record, now: a draft, or a refusal. The policy must be usable. The row is foreign:
 * its names are not used, its addresses are looked up. draft_drop_free() follows.
 */
void draft_drop(struct draft_drop *ret, const struct policy_file *f, const struct msg_drop_row *row);
void draft_drop_free(struct draft_drop *d);

/* Lines with a blank form, and the nearest rule in comments; or the refusal in sentences. */
void draft_drop_text(struct draft_drop *d, const struct policy_file *f, const struct msg_drop_row *row, struct buf *out);

/* Asks the gate for the record of this number. An exit code, its message printed. */
struct console;
int draft_drop_read(struct console *c, const char *number, struct msg_drop_row *ret);
/* Prints the newest records that a draft may be made of, with their numbers. */
int draft_drop_list(struct console *c);

#endif
