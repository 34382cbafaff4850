/*
 * show_traffic.c: `sekisho show traffic`: how much passed between the segments, when, and from whom most.
 *
 * Added up here from the records of what passed, which come newest first; connections that run still are not in them.
 * Limits: ROWS_MAX records, PAIRS_MAX pairs, SOURCES_MAX sources of a pair: what is beyond is counted and said.
 */
#include "console.h"
#include "control.h"
#include "figures.h"
#include "seen.h"
#include "text.h"

#include <sekisho/clock.h>
#include <sekisho/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 100000
#define PAIRS_MAX 64
#define SOURCES_MAX 256
#define SLOTS 24
#define TOP 3

struct source {
	struct addr addr;
	char host[64];
	uint64_t bytes, connections;
};

struct pair {
	char from[64], to[64];
	uint64_t connections, out, back, slot[SLOTS];
	struct source source[SOURCES_MAX];
	size_t nsources;
	uint64_t others; /* bytes of sources that found no place */
};

struct traffic_sum {
	int64_t since, until;
	size_t n;
	struct pair *pair;
	uint64_t rows, left_out;
};

static struct pair *pair_of(struct traffic_sum *t, const char *from, const char *to)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->pair[i].from, from) == 0 && strcmp(t->pair[i].to, to) == 0)
			return &t->pair[i];
	if (t->n == PAIRS_MAX)
		return NULL;
	struct pair *p = &t->pair[t->n++];
	MSG_TEXT(p->from, from);
	MSG_TEXT(p->to, to);
	return p;
}

static void add_source(struct pair *p, const struct msg_admission_row *w)
{
	struct addr a = ir_addr(w->family, w->src);
	uint64_t bytes = w->bytes_out + w->bytes_back;
	size_t i;

	for (i = 0; i < p->nsources && addr_cmp(&p->source[i].addr, &a) != 0; i++)
		;
	if (i == p->nsources && (p->nsources == SOURCES_MAX || w->src_len == 0)) {
		p->others += bytes;
		return;
	}
	if (i == p->nsources) {
		p->source[p->nsources++].addr = a;
		MSG_TEXT(p->source[i].host, w->host_src);
	}
	p->source[i].bytes += bytes;
	p->source[i].connections += w->connections;
}

static bool take(void *arg, const struct msg *m)
{
	const struct msg_admission_row *w = &m->u.msg_admission_row;
	struct traffic_sum *t = arg;
	int64_t at = w->last_ns / 1000000000;
	struct pair *p = w->connections != 0 ? pair_of(t, w->from, w->to) : NULL;

	if (p == NULL) {
		t->left_out += w->connections;
		return true;
	}
	t->rows++;
	p->connections += w->connections;
	p->out += w->bytes_out;
	p->back += w->bytes_back;
	int64_t span = t->until - t->since, slot = span > 0 ? (at - t->since) * SLOTS / span : 0;
	p->slot[slot < 0 ? 0 : slot >= SLOTS ? SLOTS - 1 : slot] += w->bytes_out + w->bytes_back;
	add_source(p, w);
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static int by_volume(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	uint64_t p = x->out + x->back, q = y->out + y->back;

	return p < q ? 1 : p > q ? -1 : 0;
}

static void print_text(struct buf *out, const struct traffic_sum *t, const struct pair *p)
{
	char there[FIGURES_MAX], back[FIGURES_MAX], bytes[FIGURES_MAX], span[FIGURES_MAX];
	struct buf line = {0};

	buf_printf(&line, _("%s -> %s: %s there, %s back, %llu connections"), p->from[0] != '\0' ? p->from : "?",
		p->to[0] != '\0' ? p->to : "?", figures_bytes(p->out, there), figures_bytes(p->back, back), (unsigned long long)p->connections);
	text_wrap(out, buf_str(&line), 0, 6);
	buf_addc(out, '\n');
	buf_adds(out, "      |");
	figures_course(out, p->slot, SLOTS, 0);
	buf_printf(out, _("|  %s, a sign each %s\n"), figures_age(t->until - t->since, span),
		figures_age((t->until - t->since) / SLOTS, bytes));
	buf_clear(&line);
	for (size_t i = 0; i < p->nsources && i < TOP; i++) {
		buf_adds(&line, i == 0 ? _("most from ") : ", ");
		seen_end(&line, &p->source[i].addr, p->source[i].host);
		buf_printf(&line, " %s", figures_bytes(p->source[i].bytes, bytes));
	}
	text_spaces(out, 6);
	text_wrap(out, buf_str(&line), 6, 6);
	buf_addc(out, '\n');
	buf_free(&line);
}

static void print_json(struct buf *out, const struct traffic_sum *t, const struct pair *p)
{
	struct json j = json_init(out);
	char text[ADDR_TEXT_MAX];

	json_object(&j, NULL);
	json_str(&j, "from", p->from[0] != '\0' ? p->from : NULL);
	json_str(&j, "to", p->to[0] != '\0' ? p->to : NULL);
	json_uint(&j, "connections", p->connections);
	json_uint(&j, "bytes_out", p->out);
	json_uint(&j, "bytes_back", p->back);
	json_int(&j, "slot_seconds", (t->until - t->since) / SLOTS);
	json_array(&j, "slots");
	for (size_t i = 0; i < SLOTS; i++)
		json_uint(&j, NULL, p->slot[i]);
	json_array_end(&j);
	json_array(&j, "top");
	for (size_t i = 0; i < p->nsources && i < TOP; i++) {
		json_object(&j, NULL);
		json_str(&j, "src", addr_format(&p->source[i].addr, text));
		json_str(&j, "src_host", p->source[i].host[0] != '\0' ? p->source[i].host : NULL);
		json_uint(&j, "bytes", p->source[i].bytes);
		json_uint(&j, "connections", p->source[i].connections);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void print(struct console *c, struct traffic_sum *t, bool more)
{
	qsort(t->pair, t->n, sizeof(*t->pair), by_volume);
	for (size_t i = 0; i < t->n; i++) {
		qsort(t->pair[i].source, t->pair[i].nsources, sizeof(struct source), by_bytes);
		if (c->json)
			print_json(&c->out, t, &t->pair[i]);
		else
			print_text(&c->out, t, &t->pair[i]);
	}
	if (c->json)
		return;
	if (t->n == 0)
		buf_adds(&c->out, _("nothing that passed ended in this time\n"));
	if (more)
		buf_printf(&c->out, _("(the newest %d records; ask for a shorter time)\n"), ROWS_MAX);
	if (t->left_out != 0)
		buf_printf(&c->out, _("(%llu connections of further segments are left out)\n"),
			(unsigned long long)t->left_out);
}

int verb_show_traffic(struct console *c, const struct args *a)
{
	struct msg_watch_query q = {.verb = MSG_WATCH_ADMISSIONS};
	struct msg_end end;

	control_zone(c);
	if (!seen_args(a, &q))
		return CONSOLE_USAGE;
	q.limit = ROWS_MAX;
	if (q.since == 0)
		q.since = clock_wall().sec - 86400;
	struct traffic_sum t = {.since = q.since, .until = q.until != 0 ? q.until : clock_wall().sec,
		.pair = calloc(PAIRS_MAX, sizeof(struct pair))};
	if (t.pair == NULL)
		return console_fail(CONSOLE_ENV, "%s", _("no memory"));
	int code = seen_ask(c, &q, MSG_ADMISSION_ROW, take, &t, &end);
	if (code == CONSOLE_OK)
		print(c, &t, end.more != 0);
	free(t.pair);
	return code;
}
