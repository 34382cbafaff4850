/*
 * log_admissions.c: `sekisho show log admissions`: what passed, by rule and ends, a minute a row.
 */
#include "console.h"
#include "control.h"
#include "figures.h"
#include "logquery.h"
#include "render.h"
#include "seen.h"
#include "text.h"
#include "words.h"

#include <sekisho/clock.h>

#include <inttypes.h>
#include <stdio.h>

#define INDENT 6

static const struct field fields[] = {
	{"sequence"},
	{"first"},
	{"last"},
	{"connections"},
	{"lost"},
	{"rule"},
	{"from"},
	{"to"},
	{"src"},
	{"src_host"},
	{"dst"},
	{"dst_host"},
	{"service"},
	{"protocol"},
	{"dport"},
	{"packets_out"},
	{"packets_back"},
	{"bytes_out"},
	{"bytes_back"},
	{"generation"},
	{"open"},
	{"hash"},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* "10.1.10.5", "10.1.10.0/24", or NULL where various addresses were counted together. */
static const char *end_text(uint8_t family, const uint8_t b[16], uint8_t len, char *buf)
{
	struct addr a = ir_addr(family, b);

	if ((family != 4 && family != 6) || len == 0)
		return NULL;
	if (len >= addr_len(family) * 8)
		return addr_format(&a, buf);
	struct addr_range r = prefix_range(&a, len);
	return range_format(&r, buf);
}

static void put_end(struct buf *b, const char *address, const char *host)
{
	buf_adds(b, address != NULL ? address : _("various"));
	if (host[0] != '\0')
		buf_printf(b, " (%s)", host);
}

static void print_text(struct buf *out, const struct msg_admission_row *w, const char *src, const char *dst,
	const char *service)
{
	struct buf line = {0}, more = {0};
	char first[32], there[FIGURES_MAX], back[FIGURES_MAX];

	buf_printf(&line, "%s %6" PRIu64 "  ", log_time_short(w->first_ns / 1000000000, first), w->lost != 0 ? w->lost : w->connections);
	if (w->lost != 0) {
		buf_adds(&line, _("ENDS OF CONNECTIONS LOST (not recorded)"));
	} else {
		put_end(&line, src, w->host_src);
		buf_adds(&line, " -> ");
		put_end(&line, dst, w->host_dst);
		buf_printf(&line, " %s", service);
		buf_printf(&more, _("%s; %s there, %s back"), w->rule[0] != '\0' ? w->rule : _("(rule not known)"),
			figures_bytes(w->bytes_out, there), figures_bytes(w->bytes_back, back));
	}
	text_wrap(out, buf_str(&line), 0, INDENT);
	buf_addc(out, '\n');
	if (more.len > 0) {
		text_spaces(out, INDENT);
		text_wrap(out, buf_str(&more), INDENT, INDENT);
		buf_addc(out, '\n');
	}
	buf_free(&line);
	buf_free(&more);
}

struct list {
	struct console *c;
	struct render r;
	size_t n;
};

static void print_json(struct list *l, const struct msg_admission_row *w, const char *src, const char *dst, const char *service)
{
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX], protocol[8], hash[65];

	for (size_t i = 0; i < sizeof(w->hash); i++)
		snprintf(hash + 2 * i, 3, "%02x", w->hash[i]);
	struct value v[FIELDS] = {w->sequence != 0 ? value_number(w->sequence) : value_text(NULL),
		value_text(log_time(w->first_ns / 1000000000, first)),
		value_text(log_time(w->last_ns / 1000000000, last)), value_number(w->connections),
		value_number(w->lost), value_name(w->rule), value_name(w->from), value_name(w->to),
		value_text(src), value_name(w->host_src), value_text(dst), value_name(w->host_dst),
		value_name(service), value_text(w->family != 0 ? words_protocol(w->proto, protocol) : NULL),
		value_number(w->dport), value_number(w->packets_out), value_number(w->packets_back),
		value_number(w->bytes_out), value_number(w->bytes_back), value_number(w->generation),
		{.kind = VALUE_BOOL, .number = w->sequence == 0}, value_text(w->sequence != 0 ? hash : NULL)};
	render_row(&l->r, v);
}

static bool take(void *arg, const struct msg *m)
{
	const struct msg_admission_row *w = &m->u.msg_admission_row;
	struct list *l = arg;
	char src[ADDR_TEXT_MAX * 2], dst[ADDR_TEXT_MAX * 2];
	struct buf service = {0};
	const char *from = end_text(w->family, w->src, w->src_len, src), *to = end_text(w->family, w->dst, w->dst_len, dst);

	if (w->family != 0)
		words_service(&service, w->proto, w->dport, from != NULL);
	if (l->c->json)
		print_json(l, w, from, to, buf_str(&service));
	else
		print_text(&l->c->out, w, from, to, buf_str(&service));
	l->n++;
	buf_free(&service);
	return console_flush(l->c);
}

static int verify(struct console *c)
{
	struct msg_watch_query q = {.verb = MSG_WATCH_VERIFY};
	struct msg_end end;
	int code = seen_ask(c, &q, MSG_ADMISSION_ROW, take, NULL, &end);

	if (code != CONSOLE_OK)
		return code;
	if (c->json) {
		buf_printf(&c->out, "{\"ok\":%s,\"checked\":%" PRIu64 "}\n", end.ok ? "true" : "false", end.checked);
	} else if (end.ok) {
		buf_printf(&c->out, _("the record of what passed is whole: %llu rows, none changed, none missing\n"),
			(unsigned long long)end.checked);
	} else {
		buf_printf(&c->out, _("THE RECORD OF WHAT PASSED WAS CHANGED: %s\n"), end.error);
	}
	return end.ok ? CONSOLE_OK : CONSOLE_REFUSED;
}

int verb_log_admissions(struct console *c, const struct args *a)
{
	struct msg_watch_query q = {.verb = MSG_WATCH_ADMISSIONS};
	struct list l = {.c = c, .r = {.ops = &render_json, .out = &c->out, .fields = fields, .nfields = FIELDS}};
	struct msg_end end;

	control_zone(c);
	if (args_option(a, "--verify") != NULL)
		return verify(c);
	if (!seen_args(a, &q))
		return CONSOLE_USAGE;
	int code = seen_ask(c, &q, MSG_ADMISSION_ROW, take, &l, &end);
	if (code != CONSOLE_OK || c->json)
		return code;
	if (l.n == 0)
		buf_adds(&c->out, _("nothing that passed ended in this time\n"));
	else if (end.more)
		buf_printf(&c->out, _("(the newest %zu records; --limit shows more)\n"), l.n);
	return code;
}
