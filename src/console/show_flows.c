/*
 * show_flows.c: `sekisho show flows`: the connections of now, each with its rule.
 *
 * Two lines a connection: who, with whom, about what; and by which rule, how much, for how long. The largest come first.
 */
#include "console.h"
#include "control.h"
#include "figures.h"
#include "render.h"
#include "seen.h"
#include "text.h"
#include "words.h"

#include <sekisho/clock.h>
#include <sekisho/ruleset.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 6

enum {
	FIELD_RULE, FIELD_FROM, FIELD_TO, FIELD_SRC, FIELD_SRC_HOST, FIELD_SPORT, FIELD_DST, FIELD_DST_HOST, FIELD_SERVICE,
	FIELD_PROTOCOL, FIELD_DPORT, FIELD_STATE, FIELD_APPLICATION, FIELD_VERIFIED, FIELD_PACKETS_OUT, FIELD_PACKETS_BACK,
	FIELD_BYTES_OUT, FIELD_BYTES_BACK, FIELD_SINCE, FIELD_AGE, FIELD_ENDS_IN, FIELDS
};
static const struct field fields[FIELDS] = {
	{"rule"},
	{"from"},
	{"to"},
	{"src"},
	{"src_host"},
	{"sport"},
	{"dst"},
	{"dst_host"},
	{"service"},
	{"protocol"},
	{"dport"},
	{"state"},
	{"application"},
	{"verified"},
	{"packets_out"},
	{"packets_back"},
	{"bytes_out"},
	{"bytes_back"},
	{"since"},
	{"age_seconds"},
	{"idle_ends_in"},
};

/* One connection with what it means. */
struct shown {
	const struct flow_row *f;
	struct addr src, dst;
	struct decision d;
	uint32_t rule;
	enum flow_standing standing;
};

static const char *const tcp_states[] = {"none", "syn-sent", "syn-recv", "established", "fin-wait", "close-wait", "last-ack",
	"time-wait", "close", "syn-sent2"};

static const char *state_word(const struct shown *s)
{
	if (s->standing == STANDING_WAITS)
		return "verifying";
	if (s->standing == STANDING_REFUSED)
		return "refused";
	if (s->f->proto == IPPROTO_TCP && s->f->tcp_state < sizeof(tcp_states) / sizeof(tcp_states[0]))
		return tcp_states[s->f->tcp_state];
	return (s->f->status & IPS_SEEN_REPLY) != 0 ? "answered" : "unanswered";
}

static const char *state_text(const char *word)
{
	static const struct {
		const char *word, *text;
	} states[] = {{"verifying", N_("is being verified")}, {"refused", N_("was refused")},
		{"established", N_("established")}, {"syn-sent", N_("not answered yet")},
		{"syn-recv", N_("being opened")}, {"answered", N_("answered")},
		{"unanswered", N_("not answered yet")}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].word, word) == 0)
			return _(states[i].text);
	return _("being closed");
}

/* -- Which ones ------------------------------------------------------------------------------------------------ */

static bool name_fits(const char *want, const char *have)
{
	return want[0] == '\0' || (have != NULL && strcmp(want, have) == 0);
}

static bool end_fits(const struct seen *s, const char *want, const struct addr *a)
{
	struct addr_range r;
	uint8_t len;

	if (want[0] == '\0')
		return true;
	if (prefix_parse(want, NULL, &len, &r))
		return range_has(&r, a);
	return name_fits(want, seen_host(s, a));
}

static bool fits(const struct seen *s, const struct msg_watch_query *q, const struct shown *x, bool all)
{
	const char *rule = x->rule == IR_NONE ? NULL : ir_text(&s->ir, s->ir.rules[x->rule].name);
	int64_t start = x->f->start_ns / 1000000000;

	if (!all && x->standing == STANDING_OWN)
		return false;
	if (q->port != MSG_ANY_PORT && x->f->dport != q->port)
		return false;
	if ((q->since != 0 && start < q->since) || (q->until != 0 && start > q->until))
		return false;
	return name_fits(q->rule, rule) && name_fits(q->from, seen_segment(s, x->d.from)) &&
	       name_fits(q->to, seen_segment(s, x->d.to)) && end_fits(s, q->src, &x->src) && end_fits(s, q->dst, &x->dst);
}

static int by_bytes(const void *a, const void *b)
{
	const struct shown *x = a, *y = b;
	uint64_t p = x->f->bytes[0] + x->f->bytes[1], q = y->f->bytes[0] + y->f->bytes[1];

	return p < q ? 1 : p > q ? -1 : 0;
}

static size_t choose(const struct seen *s, const struct msg_watch_query *q, bool all, struct shown *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->nflows; i++) {
		struct shown *x = &ret[n];
		*x = (struct shown){.f = &s->flows[i], .src = ir_addr(s->flows[i].family, s->flows[i].src),
			.dst = ir_addr(s->flows[i].family, s->flows[i].dst), .standing = seen_standing(s, &s->flows[i])};
		if (x->f->family != 4 && x->f->family != 6)
			continue;
		x->rule = seen_rule(s, x->f, &x->d);
		n += fits(s, q, x, all);
	}
	qsort(ret, n, sizeof(*ret), by_bytes);
	return n;
}

/* -- How they look --------------------------------------------------------------------------------------------- */

static void print_text(struct buf *out, const struct seen *s, const struct shown *x)
{
	const struct ir_rule *r = x->rule == IR_NONE ? NULL : &s->ir.rules[x->rule];
	struct buf line = {0}, more = {0};
	char there[FIGURES_MAX], back[FIGURES_MAX], age[FIGURES_MAX];

	seen_end(&line, &x->src, seen_host(s, &x->src));
	buf_adds(&line, " -> ");
	seen_end(&line, &x->dst, seen_host(s, &x->dst));
	buf_addc(&line, ' ');
	words_service(&line, x->f->proto, x->f->dport, true);
	buf_printf(&more, "%s", x->standing == STANDING_OWN ? _("(the gateway itself)") : r != NULL ? ir_text(&s->ir, r->name)
												 : _("(no rule any more)"));
	if (x->standing == STANDING_CHECKED && r != NULL)
		buf_printf(&more, _(", verified as %s"), words_application(r->application));
	buf_printf(&more, _("; %s there, %s back"), figures_bytes(x->f->bytes[0], there), figures_bytes(x->f->bytes[1], back));
	if (x->f->start_ns != 0)
		buf_printf(&more, _("; for %s"), figures_age(clock_wall().sec - x->f->start_ns / 1000000000, age));
	buf_printf(&more, "; %s", state_text(state_word(x)));
	text_wrap(out, buf_str(&line), 0, INDENT);
	buf_addc(out, '\n');
	text_spaces(out, INDENT);
	text_wrap(out, buf_str(&more), INDENT, INDENT);
	buf_addc(out, '\n');
	buf_free(&line);
	buf_free(&more);
}

static void print_json(struct render *render, const struct seen *s, const struct shown *x)
{
	const struct ir_rule *r = x->rule == IR_NONE ? NULL : &s->ir.rules[x->rule];
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX], protocol[8], since[CLOCK_TEXT_MAX];
	struct buf service = {0};
	int64_t start = x->f->start_ns / 1000000000;

	words_service(&service, x->f->proto, x->f->dport, true);
	struct value v[FIELDS] = {[FIELD_RULE] = value_text(r != NULL ? ir_text(&s->ir, r->name) : NULL),
		[FIELD_FROM] = value_text(seen_segment(s, x->d.from)),
		[FIELD_TO] = value_text(seen_segment(s, x->d.to)),
		[FIELD_SRC] = value_text(addr_format(&x->src, src)),
		[FIELD_SRC_HOST] = value_text(seen_host(s, &x->src)),
		[FIELD_SPORT] = value_number(x->f->sport),
		[FIELD_DST] = value_text(addr_format(&x->dst, dst)),
		[FIELD_DST_HOST] = value_text(seen_host(s, &x->dst)),
		[FIELD_SERVICE] = value_text(buf_str(&service)),
		[FIELD_PROTOCOL] = value_text(words_protocol(x->f->proto, protocol)),
		[FIELD_DPORT] = value_number(x->f->dport),
		[FIELD_STATE] = value_text(x->standing == STANDING_OWN ? "own" : state_word(x)),
		[FIELD_APPLICATION] = value_text(
			r != NULL && r->application != APP_NONE ? application_word(r->application) : NULL),
		[FIELD_VERIFIED] = {.kind = VALUE_BOOL, .number = x->standing == STANDING_CHECKED},
		[FIELD_PACKETS_OUT] = value_number(x->f->packets[0]),
		[FIELD_PACKETS_BACK] = value_number(x->f->packets[1]),
		[FIELD_BYTES_OUT] = value_number(x->f->bytes[0]),
		[FIELD_BYTES_BACK] = value_number(x->f->bytes[1]),
		[FIELD_SINCE] = value_text(start == 0 ? NULL : clock_format((struct wall){start}, since)),
		[FIELD_ENDS_IN] = value_number(x->f->timeout)};
	if (start != 0)
		v[FIELD_AGE] = value_number((uint64_t)(clock_wall().sec > start ? clock_wall().sec - start : 0));
	render_row(render, v);
	buf_free(&service);
}

static int print(struct console *c, const struct seen *s, const struct msg_watch_query *q, bool all)
{
	struct render r = {.ops = &render_json, .out = &c->out, .fields = fields, .nfields = FIELDS};
	struct shown *list = calloc(s->nflows + 1u, sizeof(*list));
	size_t limit = q->limit != 0 ? q->limit : 100;

	if (list == NULL)
		return console_fail(CONSOLE_ENV, "%s", _("no memory"));
	size_t n = choose(s, q, all, list);
	for (size_t i = 0; i < n && i < limit; i++) {
		if (c->json)
			print_json(&r, s, &list[i]);
		else
			print_text(&c->out, s, &list[i]);
	}
	if (!c->json && n == 0)
		buf_adds(&c->out, _("there is no such connection now\n"));
	if (!c->json && n > limit)
		buf_printf(&c->out, _("(the largest %zu of %zu; --limit shows more)\n"), limit, n);
	if (!c->json && s->missed != 0)
		buf_printf(&c->out, _("(%u more connections were too many to be read)\n"), s->missed);
	free(list);
	return CONSOLE_OK;
}

int verb_show_flows(struct console *c, const struct args *a)
{
	struct msg_watch_query q = {0};
	struct seen s;

	control_zone(c);
	if (!seen_args(a, &q))
		return CONSOLE_USAGE;
	int code = seen_open(c, MSG_VERB_FLOWS, &s);
	if (code == CONSOLE_OK)
		code = print(c, &s, &q, args_option(a, "--all") != NULL);
	seen_close(&s);
	return code;
}
