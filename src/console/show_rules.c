/*
 * show_rules.c: `sekisho show rules`: how each approved flow is used, and when it ends.
 *
 * What ended is in the records; what runs now is counted beside it, so that a connection of days is no unused rule.
 */
#include "console.h"
#include "control.h"
#include "figures.h"
#include "logquery.h"
#include "render.h"
#include "seen.h"

#include <sekisho/clock.h>
#include <sekisho/strmap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

struct usage {
	struct msg_rule_row sum; /* rule "" = never */
	uint64_t live;
};

struct rules {
	const struct seen *seen;
	struct strmap *index;
	struct usage *usage; /* by index of the rule */
};

static bool take(void *arg, const struct msg *m)
{
	const struct msg_rule_row *r = &m->u.msg_rule_row;
	struct rules *s = arg;
	uint32_t i;

	/* A rule of before that the policy has no more is passed over. */
	if (strmap_get(s->index, r->rule, &i))
		s->usage[i].sum = *r;
	return true;
}

static void count_live(struct rules *s)
{
	struct decision d;

	for (uint32_t i = 0; i < s->seen->nflows; i++) {
		const struct flow_row *f = &s->seen->flows[i];
		enum flow_standing standing = seen_standing(s->seen, f);
		if ((standing != STANDING_PASSED && standing != STANDING_CHECKED) || (f->family != 4 && f->family != 6))
			continue;
		uint32_t rule = seen_rule(s->seen, f, &d);
		if (rule != IR_NONE)
			s->usage[rule].live++;
	}
}

/* -- How they look ---------------------------------------------------------------------------------------------- */

static const struct field fields[] = {
	{"rule", N_("FLOW"), 20, false}, {"from"}, {"to"}, {"service"}, {"connections", N_("ENDED"), 8, true},
	{"live", N_("NOW"), 5, true}, {"bytes_out", N_("THERE"), 8, true}, {"bytes_back", N_("BACK"), 8, true}, {"first"},
	{"last", N_("LAST USED"), 11, false}, {"unused_days"}, {"open"}, {"ends"}, {"ends_in_days", N_("ENDS"), 0, false},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Days until the end, < 0: over; INT64_MAX: never. */
static int64_t days_left(const struct ir_rule *r, struct wall now)
{
	return r->ends == INT64_MAX ? INT64_MAX : r->ends <= now.sec ? -1 : (r->ends - now.sec) / DAY;
}

/* Days since it was last used, or since the records began to know it; -1: in use now. */
static int64_t days_unused(const struct usage *u, struct wall now)
{
	if (u->live != 0)
		return 0;
	return u->sum.last == 0 ? -1 : (now.sec - u->sum.last) / DAY;
}

static const char *ends_text(int64_t left, char *buf, size_t size)
{
	if (left == INT64_MAX)
		return _("never");
	if (left < 0)
		return _("is over");
	snprintf(buf, size, _("in %lld days"), (long long)left);
	return buf;
}

static void print_rule(struct render *r, const struct rules *s, uint32_t i, struct wall now)
{
	const struct ir *ir = &s->seen->ir;
	const struct ir_rule *rule = &ir->rules[i];
	const struct usage *u = &s->usage[i];
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX], ends[CLOCK_TEXT_MAX], there[FIGURES_MAX],
		back[FIGURES_MAX], shown[32], left[32];
	int64_t days = days_left(rule, now), unused = days_unused(u, now);
	struct value none = {.kind = VALUE_NULL};

	snprintf(shown, sizeof(shown), "%s", u->live != 0 ? _("now") : log_time_short(u->sum.last, last));
	shown[u->live != 0 ? sizeof(shown) - 1 : 11] = '\0'; /* to the minute */
	struct value v[FIELDS] = {value_text(ir_text(ir, rule->name)), value_text(ir_text(ir, rule->from)),
		value_text(ir_text(ir, rule->to)), value_text(ir_text(ir, rule->service)), value_number(u->sum.connections),
		value_number(u->live), value_number(u->sum.bytes_out), value_number(u->sum.bytes_back),
		value_text(log_time(u->sum.first, first)), value_text(log_time(u->sum.last, last)),
		unused >= 0 ? value_number((uint64_t)unused) : none,
		{.kind = VALUE_BOOL, .number = rule_active(ir, rule, now, NULL)},
		value_text(rule->ends == INT64_MAX ? NULL : clock_format((struct wall){rule->ends}, ends)),
		days == INT64_MAX ? none : value_number(days < 0 ? 0 : (uint64_t)days)};
	v[6].shown = figures_bytes(u->sum.bytes_out, there);
	v[7].shown = figures_bytes(u->sum.bytes_back, back);
	v[9].shown = shown;
	v[9].kind = VALUE_TEXT;
	if (u->sum.last == 0 && r->ops == &render_json)
		v[9] = none;
	v[13].shown = ends_text(days, left, sizeof(left));
	render_row(r, v);
}

/* --unused DAYS, --expiring DAYS: a number, or -1 where it is not given; -2 with a message. */
static int64_t days_arg(const struct args *a, const char *option)
{
	const char *text = args_option(a, option);

	if (text == NULL)
		return -1;
	if (text[0] == '\0' || strlen(text) > 5 || text[strspn(text, "0123456789")] != '\0') {
		console_fail(CONSOLE_USAGE, _("%s takes a number of days"), option);
		return -2;
	}
	return strtol(text, NULL, 10);
}

static bool fits(const struct rules *s, uint32_t i, int64_t unused, int64_t expiring, struct wall now)
{
	int64_t days = days_unused(&s->usage[i], now), left = days_left(&s->seen->ir.rules[i], now);

	return (unused < 0 || days < 0 || days >= unused) && (unused < 0 || s->usage[i].live == 0) &&
	       (expiring < 0 || (left != INT64_MAX && left <= expiring));
}

static int print(struct console *c, struct rules *s, int64_t unused, int64_t expiring)
{
	struct render r = {.ops = c->json ? &render_json : &render_table, .out = &c->out, .fields = fields, .nfields = FIELDS};
	struct wall now = clock_wall();

	for (uint32_t i = 0; i < s->seen->ir.nrules; i++)
		if (fits(s, i, unused, expiring, now))
			print_rule(&r, s, i, now);
	render_end(&r);
	if (r.nrows == 0 && !c->json)
		buf_adds(&c->out, _("no approved flow is so\n"));
	return CONSOLE_OK;
}

int verb_show_rules(struct console *c, const struct args *a)
{
	struct msg_watch_query q = {.verb = MSG_WATCH_RULES};
	int64_t unused = days_arg(a, "--unused"), expiring = days_arg(a, "--expiring");
	struct msg_end end;
	struct seen seen;

	if (unused == -2 || expiring == -2)
		return CONSOLE_USAGE;
	int code = seen_open(c, MSG_VERB_FLOWS, &seen);
	struct rules s = {.seen = &seen, .index = strmap_new(), .usage = calloc(seen.ir.nrules + 1u, sizeof(struct usage))};
	for (uint32_t i = 0; code == CONSOLE_OK && i < seen.ir.nrules; i++)
		strmap_add(s.index, ir_text(&seen.ir, seen.ir.rules[i].name), i);
	if (code == CONSOLE_OK && s.usage == NULL)
		code = console_fail(CONSOLE_ENV, "%s", _("no memory"));
	if (code == CONSOLE_OK)
		code = seen_ask(c, &q, MSG_RULE_ROW, take, &s, &end);
	if (code == CONSOLE_OK) {
		count_live(&s);
		code = print(c, &s, unused, expiring);
	}
	free(s.usage);
	strmap_free(s.index);
	seen_close(&seen);
	return code;
}
