/*
 * review.c: compare and what-if in one, for the moment before a commit.
 *
 * Nothing here refuses anything: what is wrong with the candidate `check` and the commit itself say.
 */
#include "review.h"

#include "compare.h"
#include "console.h"
#include "whatif.h"

#include <string.h>

#define REVIEW_DAYS 7

static void add_whatif(struct console *c, const struct compare_side *old, const struct compare_side *new, struct buf *out)
{
	struct whatif *w = whatif_new(&old->file.ir, &new->file.ir, new->file.at);

	if (whatif_query(w, c, REVIEW_DAYS) == CONSOLE_OK && whatif_differs(w)) {
		buf_printf(out, _("Of what was blocked in the last %d days:"), REVIEW_DAYS);
		buf_addc(out, '\n');
		whatif_text(w, out);
	}
	whatif_free(w);
}

void review_text(struct console *c, const struct buf *from, const struct buf *to, struct buf *out)
{
	static const struct args none;
	struct compare_side old = {0}, new = {0};
	bool read = policy_file_text(&old.file, "running", from, &none) == CONSOLE_OK &&
		    policy_file_text(&new.file, "candidate", to, &none) == CONSOLE_OK;

	buf_add(&old.text, from->data, from->len);
	buf_add(&new.text, to->data, to->len);
	if (read) {
		compare_words(&old, &new, out);
		if (old.file.usable && new.file.usable)
			add_whatif(c, &old, &new, out);
	}
	compare_close(&old);
	compare_close(&new);
}
