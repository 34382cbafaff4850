/*
 * ledger.h: one approved flow in the words of the ledger (通信許可台帳).
 */
#ifndef CONSOLE_LEDGER_H
#define CONSOLE_LEDGER_H

#include "policyfile.h"

struct model_allow;
struct word;

/* As people wrote it, and as it was compiled. */
struct ledger_flow {
	const struct policy_file *f;
	const struct model_allow *a;
	const struct ir_rule *r;
	uint32_t rule;
};

/* Texts in the language set; allocated in the file's arena where they are put together. NULL where there is nothing. */
const char *ledger_kind(const struct ledger_flow *w);
const char *ledger_state(const struct ledger_flow *w);
const char *ledger_end(const struct ledger_flow *w, const struct word *end, uint16_t segment);
const char *ledger_verified(const struct ledger_flow *w);
const char *ledger_approvals(const struct ledger_flow *w);
const char *ledger_ground(const struct ledger_flow *w);
const char *ledger_notes(const struct ledger_flow *w);
void ledger_days(struct buf *b, uint8_t days);
void ledger_hours(struct buf *b, const struct model_allow *a);

/* ledger_csv.c: a row of titles, and a row for a flow, both ended. */
void ledger_csv_titles(struct buf *out);
void ledger_csv(struct buf *out, const struct ledger_flow *w);

#endif
