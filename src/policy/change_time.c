/*
 * change_time.c: is a rule in force for longer, or for shorter, than it was?
 *
 * Dates, weekdays, hours of the day and closed dates are sets; each is compared as one. (Dates in the past count too: a
 * rule's first day that moves there changes nothing today, but it is another form.)
 */
#include "change_parts.h"

#include <stdbool.h>

#define MINUTES (24 * 60)

static unsigned compare_ends(int64_t was, int64_t now, bool later_is_wider)
{
	if (was == now)
		return 0;
	return (now > was) == later_is_wider ? CHANGE_LONGER : CHANGE_SHORTER;
}

static bool in_hours(const struct ir_rule *r, uint16_t minute)
{
	if (r->hours_from == r->hours_to)
		return true;
	if (r->hours_from < r->hours_to)
		return minute >= r->hours_from && minute < r->hours_to;
	return minute >= r->hours_from || minute < r->hours_to;
}

static unsigned compare_hours(const struct ir_rule *a, const struct ir_rule *b)
{
	unsigned effect = 0;

	for (uint16_t m = 0; m < MINUTES; m++) {
		effect |= in_hours(b, m) && !in_hours(a, m) ? CHANGE_LONGER : 0;
		effect |= in_hours(a, m) && !in_hours(b, m) ? CHANGE_SHORTER : 0;
	}
	return effect;
}

static bool is_closed(const struct ir *ir, const struct ir_rule *r, const struct ir_date *d)
{
	for (uint32_t i = 0; i < r->closed.n; i++) {
		const struct ir_date *x = &ir->dates[r->closed.first + i];
		if (x->year == d->year && x->month == d->month && x->day == d->day)
			return true;
	}
	return false;
}

/* Is a day closed by r that is not by the other rule? */
static bool closes_more(const struct ir *ir, const struct ir_rule *r, const struct ir *other, const struct ir_rule *o)
{
	for (uint32_t i = 0; i < r->closed.n; i++)
		if (!is_closed(other, o, &ir->dates[r->closed.first + i]))
			return true;
	return false;
}

unsigned change_times(const struct ir *old, const struct ir_rule *a, const struct ir *new, const struct ir_rule *b)
{
	unsigned effect = compare_ends(a->starts, b->starts, false) | compare_ends(a->ends, b->ends, true) |
			  compare_ends(a->window_from, b->window_from, false) |
			  compare_ends(a->window_to, b->window_to, true) | compare_hours(a, b);

	effect |= (b->days & ~a->days) != 0 ? CHANGE_LONGER : 0;
	effect |= (a->days & ~b->days) != 0 ? CHANGE_SHORTER : 0;
	effect |= closes_more(old, a, new, b) ? CHANGE_LONGER : 0;
	effect |= closes_more(new, b, old, a) ? CHANGE_SHORTER : 0;
	return effect;
}
