/*
 * shell_draft.h: the candidate of configuration mode, and what it was begun from.
 */
#ifndef CONSOLE_SHELL_DRAFT_H
#define CONSOLE_SHELL_DRAFT_H

#include <sekisho/buf.h>
#include <sekisho/candidate.h>
#include <sekisho/diag.h>

#include <stdbool.h>
#include <stdint.h>

struct shell;

struct draft {
	struct candidate *c;
	struct buf level;     /* the words of `edit`, "" at the top */
	struct buf base_text; /* the policy that it was begun from, in canonical order */
	uint32_t base;	      /* its generation; 0 = none was in force */
	unsigned long kept;   /* candidate_changes() when the gate kept it last */
	bool cannot_keep;     /* it was said already */
};

/* The policy in force: its generation and its text in canonical order. False with the message printed. */
bool draft_running(struct shell *sh, uint32_t *ret_generation, struct buf *ret_text);

/* Begins from the text that the gate keeps for this user, or from the policy in force. NULL with the message
 * printed. */
struct draft *draft_begin(struct shell *sh);
void draft_free(struct draft *d); /* NULL is allowed */

/* The whole candidate, or what differs from the base ("" = nothing), appended. */
void draft_text(const struct draft *d, struct buf *out);
void draft_changes(const struct draft *d, struct buf *out);

/* Begins anew from this text and generation; the old candidate is gone. False with the message printed. */
bool draft_restart(struct draft *d, const struct buf *text, const struct buf *base_text, uint32_t base);

/* The gate keeps it; false when it does not. */
bool draft_keep(struct shell *sh, struct draft *d);
/* The gate forgets it. */
void draft_forget(struct shell *sh);

#endif
