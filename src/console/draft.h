/*
 * draft.h: what was seen on the wire as drafts of allow rules with blank application forms.
 */
#ifndef CONSOLE_DRAFT_H
#define CONSOLE_DRAFT_H

#include <sekisho/ir.h>

#include "traffic.h"

struct buf;
struct matcher;

/*
 * Appends set-lines: the hosts that the policy does not know, and an allow rule for each conversation, by section of the
 * client. Forms are blank (purpose "", applicant ""), so that `sekisho check` refuses a draft that nobody has filled in.
 * ir, matcher: the policy that is there already, or NULL; then every host is new and its segment is to be written.
 */
void draft_print(struct buf *out, const struct traffic *t, const struct ir *ir, const struct matcher *m);

#endif
