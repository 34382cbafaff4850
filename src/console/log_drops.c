/*
 * log_drops.c: `sekisho log drops`: what was blocked, and why.
 *
 * For people each record takes two lines: what came, and why it was blocked. An address is never cut; a line
 * that is too long for the terminal is wrapped.
 */
#include "console.h"
#include "control.h"
#include "logquery.h"
#include "render.h"
#include "text.h"
#include "words.h"

#include <sekisho/addr.h>
#include <sekisho/clock.h>
#include <sekisho/inspect.h>
#include <sekisho/ir.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define INDENT 6

/* The fields of a record, in JSON's order; for people only those that drop_text() names. */
#define DROP_FIELDS(X)                                                                                         \
	X(SEQUENCE, "sequence")                                                                                 \
	X(FIRST, "first")                                                                                       \
	X(LAST, "last")                                                                                         \
	X(COUNT, "count")                                                                                       \
	X(LOSS, "loss")                                                                                         \
	X(REASON, "reason")                                                                                     \
	X(WHY, "why")                                                                                           \
	X(SEEN, "seen")                                                                                         \
	X(EXPECTED, "expected")                                                                                 \
	X(CUT, "cut")                                                                                           \
	X(FROM, "from")                                                                                         \
	X(TO, "to")                                                                                             \
	X(IFACE, "interface")                                                                                   \
	X(OUT_IFACE, "out_interface")                                                                           \
	X(SRC, "src")                                                                                           \
	X(SRC_HOST, "src_host")                                                                                 \
	X(SRC_MAC, "src_mac")                                                                                   \
	X(SPORT, "sport")                                                                                       \
	X(DST, "dst")                                                                                           \
	X(DST_HOST, "dst_host")                                                                                 \
	X(DST_MAC, "dst_mac")                                                                                   \
	X(DPORT, "dport")                                                                                       \
	X(PROTOCOL, "protocol")                                                                                 \
	X(ICMP_TYPE, "icmp_type")                                                                               \
	X(ICMP_CODE, "icmp_code")                                                                               \
	X(TCP_FLAGS, "tcp_flags")                                                                               \
	X(LENGTH, "length")                                                                                     \
	X(NEAREST, "nearest")                                                                                   \
	X(DIFFERS, "differs")                                                                                   \
	X(GENERATION, "generation")                                                                             \
	X(BOOT, "boot_id")                                                                                      \
	X(OPEN, "open")                                                                                         \
	X(HASH, "hash")

enum drop_field {
#define X(NAME, word) FIELD_##NAME,
	DROP_FIELDS(X)
#undef X
	FIELD_END,
};

static const struct field drop_fields[] = {
#define X(NAME, word) {.key = word},
	DROP_FIELDS(X)
#undef X
};

/* Text that the values of one row point to. */
struct drop_texts {
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX], shown_first[32], shown_last[32];
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX], src_mac[MAC_TEXT_MAX], dst_mac[MAC_TEXT_MAX];
	char protocol[8], flags[32], hash[65];
	struct buf service;
};

/* "10.1.0.0/16" when a flood was counted by wider keys, else the address. */
static const char *address(uint8_t family, const uint8_t b[16], uint8_t len, char *buf)
{
	struct addr a = ir_addr(family, b);

	if (family != 4 && family != 6)
		return NULL;
	if (len >= addr_len(family) * 8)
		return addr_format(&a, buf);
	struct addr_range r = prefix_range(&a, len);
	return range_format(&r, buf);
}

static const char *mac_text(const struct msg_drop_row *d, const uint8_t b[6], char *buf)
{
	struct mac m;

	memcpy(m.b, b, sizeof(m.b));
	return d->has_mac ? mac_format(&m, buf) : NULL;
}

/* "syn,ack" of TCP, NULL of others. */
static const char *flags_text(const struct msg_drop_row *d, char buf[32])
{
	static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};

	buf[0] = '\0';
	if (d->proto != IPPROTO_TCP)
		return NULL;
	for (size_t i = 0; i < 8; i++)
		if (d->tcp_flags & 1u << i)
			snprintf(buf + strlen(buf), 32 - strlen(buf), "%s%s", buf[0] != '\0' ? "," : "", names[i]);
	return buf;
}

static const char *hash_text(const struct msg_drop_row *d, char buf[65])
{
	for (size_t i = 0; i < sizeof(d->hash); i++)
		snprintf(buf + 2 * i, 3, "%02x", d->hash[i]);
	return d->open ? NULL : buf;
}

static const char *loss_word(uint32_t loss)
{
	return loss == MSG_LOSS_LOST ? "lost" : loss == MSG_LOSS_FOUND ? "found" : NULL;
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static struct value application(uint8_t application)
{
	if (application == APP_NONE || application >= APP_END)
		return value_text(NULL);
	return value_both(application_word((enum application)application), words_application(application));
}

static void fill_values(const struct msg_drop_row *d, struct drop_texts *t, struct value v[FIELD_END])
{
	bool ports = has_ports(d->proto), icmp = d->proto == IPPROTO_ICMP || d->proto == IPPROTO_ICMPV6;

	memset(v, 0, FIELD_END * sizeof(*v));
	v[FIELD_SEQUENCE] = value_number(d->sequence);
	v[FIELD_FIRST] = value_both(log_time(d->first_ns / 1000000000, t->first),
		log_time_short(d->first_ns / 1000000000, t->shown_first));
	v[FIELD_LAST] = value_both(log_time(d->last_ns / 1000000000, t->last),
		log_time_short(d->last_ns / 1000000000, t->shown_last));
	v[FIELD_COUNT] = value_number(d->count);
	v[FIELD_LOSS] = value_text(loss_word(d->loss));
	v[FIELD_REASON] = value_both(reason_word(d->reason), words_reason(d->reason));
	if (d->reason == REASON_CUT) { /* they hold the number of the cut */
		if (d->why != 0 || d->seen != 0)
			v[FIELD_CUT] = value_number(d->why | (uint64_t)d->seen << 8);
	} else {
		if (d->why != 0)
			v[FIELD_WHY] = value_both(inspect_why_word(d->why), words_why(d->why));
		v[FIELD_SEEN] = application(d->seen);
	}
	v[FIELD_EXPECTED] = application(d->expected);
	v[FIELD_FROM] = value_name(d->from);
	v[FIELD_TO] = value_name(d->to);
	v[FIELD_IFACE] = value_name(d->iface);
	v[FIELD_OUT_IFACE] = value_name(d->out_iface);
	v[FIELD_SRC] = value_text(address(d->family, d->src, d->src_len, t->src));
	v[FIELD_SRC_HOST] = value_name(d->host_src);
	v[FIELD_SRC_MAC] = value_text(mac_text(d, d->src_mac, t->src_mac));
	v[FIELD_DST] = value_text(address(d->family, d->dst, d->dst_len, t->dst));
	v[FIELD_DST_HOST] = value_name(d->host_dst);
	v[FIELD_DST_MAC] = value_text(mac_text(d, d->dst_mac, t->dst_mac));
	if (ports) {
		v[FIELD_SPORT] = value_number(d->sport);
		v[FIELD_DPORT] = value_number(d->dport);
	} else if (icmp) {
		v[FIELD_ICMP_TYPE] = value_number(d->dport >> 8);
		v[FIELD_ICMP_CODE] = value_number(d->dport & 0xff);
	}
	words_service(&t->service, d->proto, d->dport, ports || icmp);
	v[FIELD_PROTOCOL] = value_both(words_protocol(d->proto, t->protocol), buf_str(&t->service));
	v[FIELD_TCP_FLAGS] = value_text(flags_text(d, t->flags));
	v[FIELD_LENGTH] = value_number(d->length);
	v[FIELD_NEAREST] = value_name(d->rule);
	v[FIELD_DIFFERS] = (struct value){.kind = VALUE_DIFFERS, .number = d->rule[0] != '\0' ? d->differs : 0};
	v[FIELD_GENERATION] = value_number(d->generation);
	v[FIELD_BOOT] = value_name(d->boot_id);
	v[FIELD_OPEN] = (struct value){.kind = VALUE_BOOL, .number = d->open};
	v[FIELD_HASH] = value_text(hash_text(d, t->hash));
}

/* A segment, or the interface when it belongs to none. */
static const char *segment_or_interface(const struct value *segment, const struct value *interface)
{
	return segment->kind == VALUE_TEXT ? segment->text : interface->kind == VALUE_TEXT ? interface->text : "?";
}

static const char *or_unknown(const struct value *v)
{
	return v->kind == VALUE_TEXT ? v->text : "?";
}

/* "10.2.0.5:1025" or "[2001:db8::5]:1025", with the host's name. */
static void put_end(struct buf *b, const struct value *addr, const struct value *host, const struct value *port)
{
	bool v6 = addr->kind == VALUE_TEXT && strchr(addr->text, ':') != NULL;

	if (port == NULL || port->kind != VALUE_NUMBER)
		buf_adds(b, or_unknown(addr));
	else
		buf_printf(b, v6 ? "[%s]:%u" : "%s:%u", or_unknown(addr), (unsigned)port->number);
	if (host->kind == VALUE_TEXT)
		buf_printf(b, "(%s)", host->text);
}

/* What the inspector said: "SSH came where the rule says TLS", and why it was refused. */
static void put_inspection(struct buf *b, const struct value *v)
{
	const struct value *seen = &v[FIELD_SEEN], *expected = &v[FIELD_EXPECTED];

	if (v[FIELD_WHY].kind != VALUE_TEXT)
		return;
	if (seen->kind == VALUE_TEXT && expected->kind == VALUE_TEXT && strcmp(seen->text, expected->text) != 0)
		buf_printf(b, _("; %1$s came where the rule says %2$s"), seen->shown, expected->shown);
	buf_printf(b, _("; %s [%s]"), v[FIELD_WHY].shown, v[FIELD_WHY].text);
}

static void put_reason(struct buf *b, const struct value *v)
{
	unsigned reason = reason_find(v[FIELD_REASON].text);

	buf_printf(b, "%s [%s]", v[FIELD_REASON].shown, v[FIELD_REASON].text);
	put_inspection(b, v);
	if (v[FIELD_CUT].kind == VALUE_NUMBER)
		buf_printf(b, _("; emergency cut %u"), (unsigned)v[FIELD_CUT].number);
	if (v[FIELD_COUNT].number > 1)
		buf_printf(b, _("; the last at %s"), v[FIELD_LAST].shown);
	if ((reason == REASON_MAC || reason == REASON_SPOOF) && v[FIELD_SRC_MAC].kind == VALUE_TEXT)
		buf_printf(b, _("; from MAC %s"), v[FIELD_SRC_MAC].text);
	if (v[FIELD_NEAREST].kind != VALUE_TEXT)
		return;
	buf_printf(b, _("; nearest flow: %s"), v[FIELD_NEAREST].text);
	if (v[FIELD_DIFFERS].number == 0)
		return;
	buf_adds(b, _(" ("));
	words_differs(b, (uint32_t)v[FIELD_DIFFERS].number);
	buf_adds(b, _(")"));
}

/* Two lines: "time count from -> to  src -> dst service", and why. */
static void drop_row(struct render *r, const struct value *v)
{
	struct buf line = {0}, why = {0};

	buf_printf(&line, "%s %6llu  ", v[FIELD_FIRST].shown, (unsigned long long)v[FIELD_COUNT].number);
	if (v[FIELD_LOSS].kind == VALUE_TEXT) {
		buf_printf(&line,
			strcmp(v[FIELD_LOSS].text, "found") == 0
				? _("records came after all: %s")
				: _("RECORDS LOST (counted, not recorded): %s"),
			v[FIELD_REASON].text);
	} else {
		buf_printf(&line, "%s -> %s  ", segment_or_interface(&v[FIELD_FROM], &v[FIELD_IFACE]),
			segment_or_interface(&v[FIELD_TO], &v[FIELD_OUT_IFACE]));
		put_end(&line, &v[FIELD_SRC], &v[FIELD_SRC_HOST], &v[FIELD_SPORT]);
		buf_adds(&line, " -> ");
		put_end(&line, &v[FIELD_DST], &v[FIELD_DST_HOST], NULL);
		buf_printf(&line, " %s", v[FIELD_PROTOCOL].shown);
		put_reason(&why, v);
	}
	text_wrap(r->out, buf_str(&line), 0, INDENT);
	buf_addc(r->out, '\n');
	if (why.len > 0) {
		text_spaces(r->out, INDENT);
		text_wrap(r->out, buf_str(&why), INDENT, INDENT);
		buf_addc(r->out, '\n');
	}
	buf_free(&line);
	buf_free(&why);
}

static const struct render_ops drop_text = {.row = drop_row};

struct drops {
	struct console *c;
	struct render r;
	bool follow;
};

static bool take_drop(void *arg, const struct msg *m)
{
	struct drops *s = arg;
	struct drop_texts t = {0};
	struct value v[FIELD_END];

	fill_values(&m->u.msg_drop_row, &t, v);
	render_row(&s->r, v);
	buf_free(&t.service);
	return s->follow ? console_flush(s->c) : true;
}

/* Copies an option's text; false with a message when it does not fit. */
static bool text_arg(const struct args *a, const char *name, char *dst, size_t size)
{
	const char *text = args_option(a, name);

	if (text == NULL)
		return true;
	if (text[0] == '\0' || strlen(text) >= size) {
		console_fail(CONSOLE_USAGE, _("the value of %s is empty or too long"), name);
		return false;
	}
	msg_text(dst, size, text);
	return true;
}

static bool port_arg(const struct args *a, uint32_t *ret)
{
	const char *text = args_option(a, "--port");
	struct question q;
	char service[16];

	*ret = MSG_ANY_PORT;
	if (text == NULL)
		return true;
	snprintf(service, sizeof(service), "tcp/%.8s", text);
	if (strlen(text) > 5 || !words_parse_service(service, 0, &q)) {
		console_fail(CONSOLE_USAGE, "%s", _("--port takes a number from 0 to 65535"));
		return false;
	}
	*ret = q.dport;
	return true;
}

static bool reason_arg(const struct args *a, uint32_t *ret)
{
	const char *text = args_option(a, "--reason");

	*ret = text == NULL ? 0 : reason_find(text);
	if (text != NULL && *ret == REASON_NONE) {
		console_fail(CONSOLE_USAGE, _("there is no reason \"%s\" (see: sekisho help reasons)"), text);
		return false;
	}
	return true;
}

static bool query_args(const struct args *a, struct msg_query *q)
{
	q->follow = args_option(a, "--follow") != NULL || strcmp(a->path[0]->word, "monitor") == 0;
	return log_query_args(a, q) && text_arg(a, "--from", q->from, sizeof(q->from)) &&
	       text_arg(a, "--to", q->to, sizeof(q->to)) && text_arg(a, "--src", q->src, sizeof(q->src)) &&
	       text_arg(a, "--dst", q->dst, sizeof(q->dst)) && port_arg(a, &q->port) && reason_arg(a, &q->reason);
}

int verb_log_drops(struct console *c, const struct args *a)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS};
	struct drops s = {.c = c, .r = {.ops = c->json ? &render_json : &drop_text, .out = &c->out,
					   .fields = drop_fields, .nfields = FIELD_END}};
	struct msg_end end;

	control_zone(c);
	if (!query_args(a, &q))
		return CONSOLE_USAGE;
	s.follow = q.follow != 0;
	s.r.reversed = !s.follow;
	int code = log_query(c, &q, MSG_DROP_ROW, take_drop, &s, &end);
	render_end(&s.r);
	if (code != CONSOLE_OK || c->json)
		return code;
	if (s.r.nrows == 0)
		buf_adds(&c->out, _("nothing was blocked in this time\n"));
	else if (end.more)
		buf_printf(&c->out, _("(the newest %zu records; --limit shows more)\n"), s.r.nrows);
	return code;
}
