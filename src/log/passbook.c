/*
 * passbook.c: what passed, between the kernel's events, its file and people (see passbook.h).
 *
 * Each second the connections that ended are taken, named by the policy that let them pass, and added to the
 * window of their rule and ends. Each SAVE_S seconds what changed is saved; after a minute all windows become
 * rows.
 *
 * Limits: PASSBOOK_EXACT + PASSBOOK_RULES + 1 windows in fixed memory; the sums of rules are exact also where
 * windows are counted together. Failure: a file that cannot be written is opened again each ten seconds; what
 * was counted waits, and one note tells.
 */
#include "passbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/clock.h>
#include <sekisho/i18n.h>
#include <sekisho/strmap.h>

#include "admissions.h"

#define SECOND INT64_C(1000000000)
#define SAVE_S 2
#define OPEN_AGAIN_MS 10000
#define LIMIT_DEFAULT 100
#define WINDOWS (PASSBOOK_EXACT + PASSBOOK_RULES + 1)
#define BUCKETS 8192

/* Compared and hashed as bytes: no padding inside. */
struct key {
	char rule[64];
	uint8_t src[16], dst[16];
	uint16_t dport;
	uint8_t family, proto;
};

struct window {
	struct key key;
	struct msg_admission_row row, saved; /* as it stands; as it was when last saved */
	bool dirty;
	uint32_t next; /* in its bucket, + 1 */
};

struct passbook {
	struct admissions *file; /* NULL: cannot be opened now */
	struct mono tried, opened, saved; /* opened: the oldest window */
	char dir[512], note[128];
	struct passing *passing;
	struct names *names;
	struct passing_troubles troubles;
	uint64_t lost; /* that no row tells of yet */
	bool failed_told;
	uint64_t hash_key[2];
	uint32_t n, nexact, nrules;
	uint32_t bucket[BUCKETS];
	struct window window[WINDOWS];
	struct passed taken[PASSING_MAX + 1];
};

struct passbook *passbook_new(const char *dir, struct passing *p, struct names *names)
{
	struct passbook *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	snprintf(b->dir, sizeof(b->dir), "%s", dir);
	b->passing = p;
	b->names = names;
	memcpy(b->hash_key, siphash_key(), sizeof(b->hash_key));
	return b;
}

void passbook_free(struct passbook *b)
{
	if (b == NULL)
		return;
	passbook_tick(b, true);
	admissions_close(b->file);
	free(b);
}

void passbook_note(struct passbook *b, char *note)
{
	snprintf(note, sizeof(b->note), "%s", b->note);
	b->note[0] = '\0';
}

static struct admissions *get(struct passbook *b)
{
	if (b->file == NULL && (b->tried.ns == 0 || mono_since_ms(b->tried) >= OPEN_AGAIN_MS)) {
		b->tried = clock_mono();
		b->file = admissions_open(b->dir, ADMISSIONS_SPACE, b->note, sizeof(b->note));
	}
	return b->file;
}

/* -- Windows ------------------------------------------------------------------------------------------------- */

static struct window *find(struct passbook *b, const struct key *k, uint32_t *ret_bucket)
{
	*ret_bucket = (uint32_t)siphash(b->hash_key, k, sizeof(*k)) % BUCKETS;
	for (uint32_t i = b->bucket[*ret_bucket]; i != 0; i = b->window[i - 1].next)
		if (memcmp(&b->window[i - 1].key, k, sizeof(*k)) == 0)
			return &b->window[i - 1];
	return NULL;
}

static struct window *open_window(struct passbook *b, const struct key *k, uint32_t bucket,
	const struct msg_admission_row *like)
{
	struct window *w = &b->window[b->n++];

	*w = (struct window){.key = *k, .row = *like, .next = b->bucket[bucket]};
	b->bucket[bucket] = b->n;
	if (b->n == 1)
		b->opened = clock_mono();
	return w;
}

/* What a window that stands for several ends keeps of them. */
static void widen(struct msg_admission_row *row, bool keep_rule)
{
	struct msg_admission_row wide = {.generation = row->generation, .first_ns = row->first_ns, .last_ns = row->last_ns};

	if (keep_rule) {
		MSG_TEXT(wide.rule, row->rule);
		MSG_TEXT(wide.from, row->from);
		MSG_TEXT(wide.to, row->to);
	}
	*row = wide;
}

static void key_of(const struct msg_admission_row *row, struct key *k)
{
	*k = (struct key){.dport = row->dport, .family = row->family, .proto = row->proto};
	memcpy(k->rule, row->rule, sizeof(k->rule));
	memcpy(k->src, row->src, sizeof(k->src));
	memcpy(k->dst, row->dst, sizeof(k->dst));
}

/* The narrowest window that is open or may be opened. `named` has no counts. */
static struct window *window_for(struct passbook *b, struct msg_admission_row *named)
{
	uint32_t bucket;
	struct key k;

	key_of(named, &k);
	struct window *w = find(b, &k, &bucket);
	if (w != NULL)
		return w;
	if (b->nexact < PASSBOOK_EXACT) {
		b->nexact++;
		return open_window(b, &k, bucket, named);
	}
	for (int keep_rule = 1; keep_rule >= 0; keep_rule--) {
		widen(named, keep_rule != 0);
		key_of(named, &k);
		w = find(b, &k, &bucket);
		if (w != NULL)
			return w;
		if (!keep_rule || b->nrules < PASSBOOK_RULES) {
			b->nrules += keep_rule != 0;
			return open_window(b, &k, bucket, named);
		}
	}
	return NULL;
}

static void count(struct window *w, const struct passed *f)
{
	struct msg_admission_row *r = &w->row;

	if (r->connections == 0 || f->first_ns < r->first_ns)
		r->first_ns = f->first_ns;
	if (f->last_ns > r->last_ns)
		r->last_ns = f->last_ns;
	r->connections += f->connections;
	r->packets_out += f->packets[0];
	r->packets_back += f->packets[1];
	r->bytes_out += f->bytes[0];
	r->bytes_back += f->bytes[1];
	w->dirty = true;
}

static void take(struct passbook *b)
{
	struct passing_troubles t;
	struct msg_admission_row named;

	if (b->passing == NULL)
		return;
	size_t n = passing_take(b->passing, b->taken);
	for (size_t i = 0; i < n; i++) {
		names_passed(b->names, &b->taken[i], &named);
		struct window *w = window_for(b, &named);
		if (w != NULL)
			count(w, &b->taken[i]);
	}
	passing_troubles(b->passing, &t);
	if (t.lost != b->troubles.lost)
		snprintf(b->note, sizeof(b->note), "%llu ends of allowed connections came faster than they could be taken",
			(unsigned long long)(t.lost - b->troubles.lost));
	b->lost += t.lost - b->troubles.lost;
	b->troubles = t;
}

/* -- Saving -------------------------------------------------------------------------------------------------- */

/* What came to a window since it was last saved. */
static struct msg_admission_row growth(const struct window *w)
{
	struct msg_admission_row d = w->row;

	d.connections -= w->saved.connections;
	d.packets_out -= w->saved.packets_out;
	d.packets_back -= w->saved.packets_back;
	d.bytes_out -= w->saved.bytes_out;
	d.bytes_back -= w->saved.bytes_back;
	return d;
}

static void put_lost(struct passbook *b, struct admissions *a)
{
	struct msg_admission_row row = {.lost = b->lost, .first_ns = clock_wall_ns()};

	row.last_ns = row.first_ns;
	admissions_put(a, &row);
}

static bool write_all(struct passbook *b, struct admissions *a, bool close)
{
	admissions_begin(a);
	if (close)
		admissions_clear_open(a);
	for (uint32_t i = 0; i < b->n; i++) {
		struct window *w = &b->window[i];
		struct msg_admission_row d = growth(w);
		if (d.connections != 0 && d.rule[0] != '\0')
			admissions_add(a, &d);
		if (close)
			admissions_put(a, &w->row);
		else if (w->dirty)
			admissions_put_open(a, i, &w->row);
	}
	if (b->lost != 0)
		put_lost(b, a);
	return admissions_commit(a);
}

static void saved(struct passbook *b, bool close)
{
	b->lost = 0;
	b->failed_told = false;
	if (close) {
		b->n = b->nexact = b->nrules = 0;
		memset(b->bucket, 0, sizeof(b->bucket));
		return;
	}
	for (uint32_t i = 0; i < b->n; i++) {
		b->window[i].saved = b->window[i].row;
		b->window[i].dirty = false;
	}
}

static void save(struct passbook *b, bool close)
{
	struct admissions *a = get(b);

	if (a == NULL)
		return;
	/* A full file has given up its oldest rows: once more. */
	if (write_all(b, a, close) || write_all(b, a, close)) {
		saved(b, close);
		return;
	}
	if (!b->failed_told)
		snprintf(b->note, sizeof(b->note), "what passed cannot be recorded now: it waits");
	b->failed_told = true;
	admissions_close(b->file);
	b->file = NULL;
	b->tried = clock_mono();
}

void passbook_tick(struct passbook *b, bool close)
{
	take(b);
	if (b->n == 0 && b->lost == 0)
		return;
	/* A tick early, so that no window gets older than its limit. */
	close = close || mono_since_ms(b->opened) >= (PASSBOOK_WINDOW_S - 1) * 1000;
	if (!close && mono_since_ms(b->saved) < SAVE_S * 1000)
		return;
	b->saved = clock_mono();
	save(b, close);
}

/* -- Questions ----------------------------------------------------------------------------------------------- */

static void parse_end(const char *text, struct addr_range *ret)
{
	uint8_t len;

	*ret = (struct addr_range){0};
	if (text[0] != '\0')
		prefix_parse(text, NULL, &len, ret);
}

void passbook_ask(struct watch_question *q, const struct msg_watch_query *ask)
{
	memset(q, 0, sizeof(*q));
	q->ask = *ask;
	if (q->ask.limit == 0)
		q->ask.limit = LIMIT_DEFAULT;
	parse_end(ask->src, &q->src);
	parse_end(ask->dst, &q->dst);
}

static bool name_fits(const char *want, const char *have)
{
	return want[0] == '\0' || strcmp(want, have) == 0;
}

static bool end_fits(const struct addr_range *want, const char *text, const struct msg_admission_row *row, bool src)
{
	if (text[0] == '\0')
		return true;
	if (want->lo.family == 0)
		return strcmp(text, src ? row->host_src : row->host_dst) == 0;
	if (row->family != want->lo.family)
		return false;
	struct addr a = {.family = row->family};
	memcpy(a.b, src ? row->src : row->dst, sizeof(a.b));
	struct addr_range r = prefix_range(&a, src ? row->src_len : row->dst_len);
	return range_overlaps(want, &r);
}

static bool fits(const struct watch_question *q, const struct msg_admission_row *row)
{
	const struct msg_watch_query *a = &q->ask;

	if ((a->since != 0 && row->last_ns < a->since * SECOND) || (a->until != 0 && row->first_ns / SECOND > a->until))
		return false;
	if (a->port != MSG_ANY_PORT && row->dport != a->port)
		return false;
	return name_fits(a->from, row->from) && name_fits(a->to, row->to) && name_fits(a->rule, row->rule) &&
	       end_fits(&q->src, a->src, row, true) && end_fits(&q->dst, a->dst, row, false);
}

static int finish(const char *error, bool more, enum msg_type *ret_type, union watch_answer *ret)
{
	*ret_type = MSG_END;
	ret->end = (struct msg_end){.ok = error == NULL, .more = more};
	MSG_TEXT(ret->end.error, error != NULL ? error : "");
	return 0;
}

static int next_rule(struct admissions *a, struct watch_question *q, enum msg_type *ret_type, union watch_answer *ret)
{
	int r = admissions_rule(a, q->after, &ret->rule);

	if (r <= 0)
		return finish(r == 0 ? NULL : N_("the store cannot be read"), false, ret_type, ret);
	*ret_type = MSG_RULE_ROW;
	memcpy(q->after, ret->rule.rule, sizeof(q->after));
	return 1;
}

static int verify(struct admissions *a, enum msg_type *ret_type, union watch_answer *ret)
{
	uint64_t rows, bad;
	char text[128];
	bool good = admissions_verify(a, &rows, &bad);

	snprintf(text, sizeof(text), "row %llu: is missing or was changed, or the row before it", (unsigned long long)bad);
	finish(good ? NULL : text, false, ret_type, ret);
	ret->end.checked = rows;
	return 0;
}

/* Looks through one chunk; what is still counting comes first. 1: a row in *ret; 2: look on; 0: there is no more; < 0. */
static int next_admission(struct passbook *b, struct admissions *a, struct watch_question *q, struct msg_admission_row *ret)
{
	while (q->open_at < b->n) {
		*ret = b->window[q->open_at++].row;
		if (fits(q, ret))
			return 1;
	}
	while (q->at < q->n) {
		*ret = q->chunk[q->at++];
		if (fits(q, ret))
			return 1;
	}
	if (q->all_read)
		return 0;
	int n = admissions_read(a, q->before, PASSBOOK_CHUNK, q->chunk);
	if (n < 0)
		return n;
	q->n = (unsigned)n;
	q->at = 0;
	q->all_read = n < PASSBOOK_CHUNK;
	if (n > 0)
		q->before = q->chunk[n - 1].sequence;
	/* Rows are in the order of their ends, more or less: what ended a minute before the time asked for ends the search. */
	if (n > 0 && q->ask.since != 0 && q->chunk[n - 1].last_ns < (q->ask.since - PASSBOOK_WINDOW_S) * SECOND)
		q->all_read = true;
	return 2;
}

int passbook_next(struct passbook *b, struct watch_question *q, enum msg_type *ret_type, union watch_answer *ret)
{
	struct admissions *a = get(b);

	if (a == NULL)
		return finish(N_("there is no store of records now"), false, ret_type, ret);
	if (q->ask.verb == MSG_WATCH_RULES)
		return next_rule(a, q, ret_type, ret);
	if (q->ask.verb == MSG_WATCH_VERIFY)
		return verify(a, ret_type, ret);
	int r = next_admission(b, a, q, &ret->admission);
	if (r == 2)
		return 2;
	if (r <= 0)
		return finish(r == 0 ? NULL : N_("the store cannot be read"), false, ret_type, ret);
	if (q->given == q->ask.limit)
		return finish(NULL, true, ret_type, ret);
	q->given++;
	*ret_type = MSG_ADMISSION_ROW;
	return 1;
}
