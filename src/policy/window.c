/*
 * window.c: when is a rule in force: start, end, one-off window, days, hours, closed dates.
 *
 * A rule's calendar is a row of daily windows in local time. The window of a day opens at hours_from of that
 * day and closes at hours_to, of the next day when it wraps midnight; whether a day has one is decided by the
 * day on which it opens (days, closed dates). Whole days that follow each other are one window.
 * starts..ends and the one-off window cut that row; both are absolute times, their start included, their end
 * not. A window that wraps midnight and would have opened before the rule starts does not open at all.
 */
#include "matcher.h"

#include <sekisho/clock.h>
#include <sekisho/cut.h>
#include <sekisho/ir.h>

#define DAY_MINUTES (24 * 60)

static bool whole_day(const struct ir_rule *r)
{
	return r->hours_from == r->hours_to;
}

/* The same time `n` days later, at minute `minute` of that day. */
static struct wall day_minute(const struct civil *day, int n, int minute)
{
	struct civil c = {.year = day->year,
		.month = day->month,
		.day = day->day + n,
		.hour = minute / 60,
		.minute = minute % 60};

	return clock_from_civil(&c);
}

/* Does a window open on this date? */
static bool day_open(const struct ir *ir, const struct ir_rule *r, const struct civil *c)
{
	if ((r->days & 1u << c->weekday) == 0)
		return false;
	for (uint32_t i = 0; i < r->closed.n; i++) {
		const struct ir_date *d = &ir->dates[r->closed.first + i];
		if (d->year == c->year && d->month == c->month && d->day == c->day)
			return false;
	}
	return true;
}

/* The window that opens on the day `n` days from `day`; false when none does. */
static bool window_of(
	const struct ir *ir, const struct ir_rule *r, const struct civil *day, int n, int64_t w[2])
{
	struct civil c = *day;

	if (n != 0)
		c = clock_civil(day_minute(day, n, 12 * 60));
	if (!day_open(ir, r, &c))
		return false;
	if (whole_day(r)) {
		w[0] = day_minute(&c, 0, 0).sec;
		w[1] = day_minute(&c, 1, 0).sec;
		return true;
	}
	w[0] = day_minute(&c, 0, r->hours_from).sec;
	w[1] = day_minute(&c, r->hours_to < r->hours_from, r->hours_to).sec;
	return w[0] < w[1] && (r->hours_to > r->hours_from || w[0] >= r->starts);
}

/*
 * More days than this without a window means never: one open weekday
 * at least in each week, less closed dates.
 */
static int search_days(const struct ir_rule *r)
{
	return 7 * ((int)(r->closed.n > 5000 ? 5000 : r->closed.n) + 2);
}

/* Whole days, seven days a week: open until the next closed date. */
static int64_t next_closed(const struct ir *ir, const struct ir_rule *r, int64_t t)
{
	int64_t first = INT64_MAX;

	for (uint32_t i = 0; i < r->closed.n; i++) {
		const struct ir_date *d = &ir->dates[r->closed.first + i];
		int64_t at =
			clock_from_civil(&(struct civil){.year = d->year, .month = d->month, .day = d->day})
				.sec;
		if (at > t && at < first)
			first = at;
	}
	return first;
}

/*
 * The calendar alone: is one of its windows open at t? *until (may be NULL): when that changes. The windows
 * of yesterday (wrapping) and today decide; an open window is prolonged by those that begin where it ends.
 */
static bool calendar_open(const struct ir *ir, const struct ir_rule *r, int64_t t, int64_t *until)
{
	struct civil today = clock_civil((struct wall){t});
	int64_t w[2], end = INT64_MAX;
	bool open = false;
	int days = search_days(r);

	if (whole_day(r) && r->days == DAYS_ALL && day_open(ir, r, &today)) {
		if (until != NULL)
			*until = next_closed(ir, r, t);
		return true;
	}
	for (int n = -1; r->days != 0 && n <= (until == NULL ? 0 : days); n++) {
		if (!window_of(ir, r, &today, n, w) || w[1] <= t)
			continue;
		if (!open && w[0] > t) {
			end = w[0];
			break;
		}
		if (open && w[0] > end)
			break;
		open = true;
		end = w[1];
		if (until == NULL)
			break;
	}
	if (until != NULL)
		*until = end;
	return open;
}

static bool has_calendar(const struct ir_rule *r)
{
	return r->days != DAYS_ALL || !whole_day(r) || r->closed.n > 0;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * The moment, not before `from`, at which a rule opens that is closed
 * now; INT64_MAX when that is past its end.
 */
static int64_t opens_at(const struct ir *ir, const struct ir_rule *r, int64_t from, int64_t to)
{
	int64_t until;

	if (!has_calendar(r) || calendar_open(ir, r, from, &until))
		until = from;
	return until < to ? until : INT64_MAX;
}

bool level_closes(uint32_t level, unsigned closes)
{
	if (closes == CLOSES_NEVER)
		return false;
	return level >= (closes == CLOSES_CAUTION ? LEVEL_CAUTION : LEVEL_LOCKDOWN);
}

bool rule_closed_by_level(const struct ir *ir, const struct ir_rule *r)
{
	unsigned closes = (r->flags & IR_RULE_CLOSES_NEVER) != 0     ? CLOSES_NEVER
			  : (r->flags & IR_RULE_CLOSES_CAUTION) != 0 ? CLOSES_CAUTION
								     : CLOSES_LOCKDOWN;

	return level_closes(ir->level, closes);
}

bool rule_active(const struct ir *ir, const struct ir_rule *r, struct wall now, struct wall *ret_until)
{
	int64_t from = later(r->starts, r->window_from), to = sooner(r->ends, r->window_to);
	int64_t until = INT64_MAX;
	bool open = now.sec >= from && now.sec < to;

	if (rule_closed_by_level(ir, r)) { /* until somebody changes the level, and then all is asked anew */
		if (ret_until != NULL)
			*ret_until = WALL_NEVER;
		return false;
	}

	if (open && has_calendar(r))
		open = calendar_open(ir, r, now.sec, ret_until == NULL ? NULL : &until);
	if (ret_until == NULL)
		return open;
	if (open)
		ret_until->sec = sooner(until, to);
	else if (now.sec >= to || from >= to)
		ret_until->sec = INT64_MAX;
	else
		ret_until->sec = opens_at(ir, r, later(now.sec, from), to);
	return open;
}

/*
 * A permission made of more contiguous candidates than this ends early in our eyes: asked again, it goes on.
 */
#define CHAIN_MAX 64

/* When do the candidates that are open at `t` without a gap all end? */
static int64_t open_until(const struct ir *ir, const struct ir_box *b, int64_t t)
{
	for (int i = 0; i < CHAIN_MAX && t != INT64_MAX; i++) {
		int64_t end = t;
		for (uint32_t k = 0; k < b->cand.n; k++) {
			struct wall until;
			const struct ir_rule *r = &ir->rules[ir->cands[b->cand.first + k].rule];
			if (rule_active(ir, r, (struct wall){t}, &until))
				end = later(end, until.sec);
		}
		if (end == t)
			break;
		t = end;
	}
	return t;
}

uint32_t box_active(const struct ir *ir, const struct ir_box *b, struct wall now, struct wall *ret_until)
{
	int64_t opens = INT64_MAX;

	for (uint32_t k = 0; k < b->cand.n; k++) {
		uint32_t rule = ir->cands[b->cand.first + k].rule;
		struct wall until;
		if (rule_active(ir, &ir->rules[rule], now, ret_until == NULL ? NULL : &until)) {
			if (ret_until != NULL)
				ret_until->sec = open_until(ir, b, now.sec);
			return rule;
		}
		if (ret_until != NULL)
			opens = sooner(opens, until.sec);
	}
	if (ret_until != NULL)
		ret_until->sec = opens;
	return IR_NONE;
}

uint32_t window_differs(const struct ir *ir, const struct ir_rule *r, struct wall now)
{
	if (now.sec >= r->ends || now.sec >= r->window_to)
		return DIFFERS_EXPIRED;
	if (now.sec < r->starts || now.sec < r->window_from)
		return DIFFERS_NOT_STARTED;
	if (!has_calendar(r) || calendar_open(ir, r, now.sec, NULL))
		return 0;
	struct civil today = clock_civil(now);
	return day_open(ir, r, &today) ? DIFFERS_HOURS : DIFFERS_DAY;
}
