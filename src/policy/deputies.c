/*
 * deputies.c: roles that accounts have for a time (代理), and what is doubtful about them.
 *
 * Input: words that were checked for form. A deputy whose days are the wrong way round is an error; one that is over, or
 * lasts longer than a year, is a warning: a role for good is a group's matter. Whether the account exists is not known here.
 */
#include "compile.h"

#include <string.h>

#include <sekisho/clock.h>

#define LONG_DAYS 366

static int64_t day(const struct date *d, int plus)
{
	return clock_from_civil(&(struct civil){.year = d->year, .month = d->month, .day = d->day + plus}).sec;
}

static uint32_t role_of(const char *word)
{
	if (strcmp(word, "administrator") == 0)
		return IR_DEPUTY_ADMINISTRATOR;
	return strcmp(word, "operator") == 0 ? IR_DEPUTY_OPERATOR : IR_DEPUTY_VIEWER;
}

static void put_deputy(struct compiler *c, const struct model_deputy *d)
{
	int64_t from = day(&d->from, 0), until = day(&d->to, 1);

	if (from >= until) {
		diag_error(c->diags, d->to.line, "deputy-days",
			_("write the first day behind `from`, the last one behind `to`"),
			_("deputy \"%s\" ends before it begins"), d->name.text);
		return;
	}
	if (until <= c->now.sec)
		diag_warning(c->diags, d->to.line, "deputy-over", _("remove it"), _("deputy \"%s\" ended on %04d-%02d-%02d"),
			d->name.text, d->to.year, d->to.month, d->to.day);
	else if (until - from > LONG_DAYS * INT64_C(86400))
		diag_warning(c->diags, d->to.line, "deputy-long", _("who has a role for good belongs into its group"),
			_("deputy \"%s\" lasts longer than a year"), d->name.text);
	const struct ir_deputy r = {.name = ir_intern(&c->ir, d->name.text), .user = ir_intern(&c->ir, d->user.text),
		.approved_by = ir_intern(&c->ir, d->approved_by), .role = role_of(d->role.text), .from = from, .until = until};
	*(struct ir_deputy *)IR_PUSH(&c->ir, deputies) = r;
}

void stage_deputies(struct compiler *c)
{
	for (size_t i = 0; i < c->m->ndeputies; i++) {
		const struct model_deputy *d = &c->m->deputies[i];
		/* What the schema demands and is not there was said already. */
		if (d->user.text != NULL && d->role.text != NULL && d->from.year != 0 && d->to.year != 0 &&
			d->approved_by != NULL)
			put_deputy(c, d);
	}
}
