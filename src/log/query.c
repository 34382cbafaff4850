/*
 * query.c: questions about records (see query.h).
 *
 * Order: newest first; with `after` or `follow` oldest first from that sequence on. A follower gets each new row at
 * once, still counting, and once more with its final count when it closes (only if that is more than one).
 * Input: a question from a person's command, checked by the message layer; its texts are parsed here.
 * Limits: one span of rows a step; MAX_GROUPS lines of a summary.
 */
#include "query.h"

#include <stdlib.h>
#include <string.h>

#include <sekisho/i18n.h>

#define LIMIT_DEFAULT 100
#define MAX_GROUPS 4096
#define VERIFY_STEP 2000
#define LEAPS 8
#define LEAP_ROWS 64
#define SECOND INT64_C(1000000000)

struct query_summary {
	size_t n;
	struct msg_summary_row rows[MAX_GROUPS];
};

/* An address, a prefix, or (family 0) the name of a host. */
static void parse_end(const char *text, struct addr_range *ret)
{
	uint8_t len;

	*ret = (struct addr_range){0};
	if (text[0] != '\0')
		prefix_parse(text, NULL, &len, ret);
}

static bool backwards(const struct query *q)
{
	return !q->ask.follow && q->ask.after == 0;
}

const char *query_init(struct query *q, const struct msg_query *ask, struct store *s)
{
	memset(q, 0, sizeof(*q));
	q->ask = *ask;
	if (s == NULL)
		return N_("there is no store of records now");
	if (ask->verb != MSG_LOG_DROPS && ask->follow)
		return N_("only drops can be followed");
	if (ask->until != 0 && ask->since > ask->until)
		return N_("the time range ends before it begins");
	parse_end(ask->src, &q->src);
	parse_end(ask->dst, &q->dst);
	if (q->ask.limit == 0)
		q->ask.limit = LIMIT_DEFAULT;
	q->end = store_newest(s);
	q->cursor = ask->after != 0 ? ask->after + 1 : store_oldest(s);
	if (q->cursor == 0)
		q->cursor = 1;
	if (ask->follow) {
		q->cursor = ask->after != 0 ? ask->after + 1 : q->end + 1;
		q->end = UINT64_MAX;
	}
	if (ask->verb == MSG_LOG_SUMMARY) {
		q->summary = calloc(1, sizeof(*q->summary));
		if (q->summary == NULL)
			return N_("no memory");
	}
	return NULL;
}

void query_clear(struct query *q)
{
	free(q->summary);
	q->summary = NULL;
}

/* -- Does a row fit? ----------------------------------------------------------------------------------------- */

static bool time_fits(const struct query *q, int64_t first_ns, int64_t last_ns)
{
	int64_t lo = first_ns < last_ns ? first_ns : last_ns, hi = first_ns < last_ns ? last_ns : first_ns;

	if (q->ask.since != 0 && hi < q->ask.since * SECOND)
		return false;
	return q->ask.until == 0 || lo / SECOND <= q->ask.until;
}

/* A row that was counted by networks fits when its network meets what is asked. */
static bool end_fits(const struct addr_range *want, const char *text, const struct msg_drop_row *row, bool src)
{
	if (text[0] == '\0')
		return true;
	if (want->lo.family == 0)
		return strcmp(text, src ? row->host_src : row->host_dst) == 0;
	struct addr a = {.family = row->family};
	memcpy(a.b, src ? row->src : row->dst, sizeof(a.b));
	if (row->family != want->lo.family)
		return false;
	struct addr_range r = prefix_range(&a, src ? row->src_len : row->dst_len);
	return range_overlaps(want, &r);
}

static bool segment_fits(const char *want, const char *have)
{
	return want[0] == '\0' || strcmp(want, have) == 0;
}

static bool drop_fits(const struct query *q, const struct msg_drop_row *row)
{
	const struct msg_query *a = &q->ask;

	if (a->reason != 0 ? row->reason != a->reason : (!a->all && row->reason == REASON_LOCAL_NOISE))
		return false;
	if (a->port != MSG_ANY_PORT && row->dport != a->port)
		return false;
	return segment_fits(a->from, row->from) && segment_fits(a->to, row->to) &&
	       time_fits(q, row->first_ns, row->last_ns) && end_fits(&q->src, a->src, row, true) &&
	       end_fits(&q->dst, a->dst, row, false);
}

/* -- Giving rows --------------------------------------------------------------------------------------------- */

struct giving {
	struct query *q;
	query_sink_fn *sink;
	void *arg;
	bool full;
	bool final; /* rows that were sent open and are closed now */
};

/* The cursor moves past a row only when it was given or does not fit. */
static void passed(struct query *q, uint64_t sequence)
{
	if (backwards(q))
		q->end = sequence - 1;
	else
		q->cursor = sequence + 1;
}

static bool limit_reached(const struct query *q)
{
	return !q->ask.follow && q->sent >= q->ask.limit;
}

/* Offers one row that fits. False stops the scan. */
static bool give(struct giving *g, enum msg_type type, const void *body, uint64_t sequence)
{
	struct query *q = g->q;

	if (limit_reached(q)) {
		q->answer.more = 1;
		return false;
	}
	if (!g->sink(g->arg, type, body)) {
		g->full = true;
		return false;
	}
	q->sent++;
	if (sequence > q->last_sequence)
		q->last_sequence = sequence;
	if (!g->final)
		passed(q, sequence);
	return true;
}

static bool on_drop(void *arg, const struct msg_drop_row *row)
{
	struct giving *g = arg;
	struct query *q = g->q;

	if (!drop_fits(q, row)) {
		passed(q, row->sequence);
		return true;
	}
	if (!give(g, MSG_DROP_ROW, row, row->sequence))
		return false;
	if (row->open && q->ask.follow && q->open_from == 0)
		q->open_from = row->sequence;
	return true;
}

static bool on_final(void *arg, const struct msg_drop_row *row)
{
	struct giving *g = arg;

	if (row->count > 1 && drop_fits(g->q, row) && !give(g, MSG_DROP_ROW, row, row->sequence))
		return false;
	g->q->open_from = row->sequence + 1;
	return true;
}

static bool on_fault(void *arg, const struct msg_fault_row *row)
{
	struct giving *g = arg;

	if (!time_fits(g->q, row->at * SECOND, row->at * SECOND)) {
		passed(g->q, row->sequence);
		return true;
	}
	return give(g, MSG_FAULT_ROW, row, row->sequence);
}

/* A part of an account or of a name. */
static bool person_fits(const struct query *q, const char *account, const char *who)
{
	const char *part = q->ask.who;

	return part[0] == '\0' || strcasestr(account, part) != NULL || strcasestr(who, part) != NULL;
}

static bool number_fits(uint32_t want, uint32_t have)
{
	return want == 0 || want == have;
}

/* What the filters look at of one deed. */
struct aspect {
	enum msg_type type;
	uint64_t sequence;
	int64_t at;
	const char *account, *who;
	uint32_t number, kind;
};

static struct aspect aspect_of(const struct store_deed *d)
{
	switch (d->table) {
	case ROW_COMMAND:
		return (struct aspect){MSG_COMMAND_ROW, d->u.command.sequence, d->u.command.it.at, d->u.command.it.account,
			d->u.command.it.who, d->u.command.it.session, 0};
	case ROW_LOGIN:
		return (struct aspect){MSG_LOGIN_ROW, d->u.login.sequence, d->u.login.it.at, d->u.login.it.account, "",
			d->u.login.it.session, 0};
	default:
		return (struct aspect){MSG_RECORD_ROW, d->u.record.sequence, d->u.record.at, d->u.record.account,
			d->u.record.it.who, d->u.record.it.number, d->u.record.it.kind};
	}
}

static bool on_deed(void *arg, const struct store_deed *d)
{
	struct giving *g = arg;
	const struct msg_query *ask = &g->q->ask;
	struct aspect a = aspect_of(d);

	if (time_fits(g->q, a.at * SECOND, a.at * SECOND) && person_fits(g->q, a.account, a.who) &&
		number_fits(ask->number, a.number) && number_fits(ask->kind, a.kind))
		return give(g, a.type, &d->u, a.sequence);
	passed(g->q, a.sequence);
	return true;
}

static bool on_commit(void *arg, const struct msg_commit_row *row)
{
	struct giving *g = arg;

	if (!time_fits(g->q, row->at * SECOND, row->at * SECOND) || !person_fits(g->q, row->account, row->who)) {
		passed(g->q, row->sequence);
		return true;
	}
	return give(g, MSG_COMMIT_ROW, row, row->sequence);
}

/* -- Summary -------------------------------------------------------------------------------------------------- */

static struct msg_summary_row *group_of(struct query_summary *sum, const struct msg_drop_row *row)
{
	const uint32_t loss = row->loss != MSG_LOSS_NONE;

	for (size_t i = 0; i < sum->n; i++) {
		struct msg_summary_row *g = &sum->rows[i];
		if (g->reason == row->reason && g->loss == loss && strcmp(g->from, row->from) == 0 &&
		    strcmp(g->to, row->to) == 0)
			return g;
	}
	if (sum->n == MAX_GROUPS)
		return NULL;
	struct msg_summary_row *g = &sum->rows[sum->n++];
	g->reason = row->reason;
	g->loss = loss;
	MSG_TEXT(g->from, row->from);
	MSG_TEXT(g->to, row->to);
	return g;
}

static bool on_summary(void *arg, const struct msg_drop_row *row)
{
	struct query *q = ((struct giving *)arg)->q;
	struct msg_summary_row *g;

	if (drop_fits(q, row) && (g = group_of(q->summary, row)) != NULL) {
		int64_t first = row->first_ns / SECOND, last = row->last_ns / SECOND;
		/* What was found again takes back loss that an older row holds. */
		if (row->loss == MSG_LOSS_FOUND)
			g->packets = g->packets > row->count ? g->packets - row->count : 0;
		else
			g->packets += row->count;
		if (g->rows == 0 || first < g->first)
			g->first = first;
		if (g->rows == 0 || last > g->last)
			g->last = last;
		g->rows++;
	}
	passed(q, row->sequence);
	return true;
}

static int by_packets(const void *a, const void *b)
{
	const struct msg_summary_row *x = a, *y = b;

	return x->packets < y->packets ? 1 : x->packets > y->packets ? -1 : 0;
}

/* -- Steps ---------------------------------------------------------------------------------------------------- */

/* Asked of one address? */
static bool is_one(const struct addr_range *r)
{
	return r->lo.family != 0 && range_is_single(r);
}

/* Leaps over rows that cannot fit, by the indexes of addresses, to the next place worth looking at. */
static uint64_t leap(const struct query *q, struct store *s, uint64_t end)
{
	for (int i = 0; i < LEAPS && end != 0; i++) {
		uint64_t at = end;
		if (is_one(&q->src))
			at = store_drop_of(s, true, &q->src.lo, at);
		if (at != 0 && is_one(&q->dst))
			at = store_drop_of(s, false, &q->dst.lo, at);
		if (at == end)
			break;
		end = at;
	}
	return end;
}

/* The next part of the range, one span at most; spans without a row in the time asked for are skipped. */
static bool next_part(struct query *q, struct store *s, uint64_t newest, uint64_t *lo, uint64_t *hi)
{
	bool back = backwards(q), timed = q->ask.since != 0 || q->ask.until != 0;
	bool drops = q->ask.verb == MSG_LOG_DROPS || q->ask.verb == MSG_LOG_SUMMARY;
	uint64_t end = q->end < newest ? q->end : newest;
	int64_t until = q->ask.until == 0 ? INT64_MAX : (q->ask.until + 1) * SECOND - 1;

	bool leaps = back && q->ask.verb == MSG_LOG_DROPS && (is_one(&q->src) || is_one(&q->dst));
	if (leaps)
		q->end = end = leap(q, s, end);
	for (int i = 0; i < 1000 && q->cursor <= end; i++) {
		uint64_t span = (back ? end : q->cursor) / STORE_SPAN;
		*lo = span * STORE_SPAN > q->cursor ? span * STORE_SPAN : q->cursor;
		*hi = (span + 1) * STORE_SPAN - 1 < end ? (span + 1) * STORE_SPAN - 1 : end;
		/* Behind a leap little fits: the next leap is sooner there. */
		if (leaps && *hi - *lo >= LEAP_ROWS)
			*lo = *hi - LEAP_ROWS + 1;
		if (!timed || !drops || store_span_within(s, span, q->ask.since * SECOND, until))
			return true;
		if (back)
			q->end = end = *lo - 1;
		else
			q->cursor = *hi + 1;
	}
	return false;
}

static enum store_result scan(struct giving *g, struct store *s, uint64_t lo, uint64_t hi)
{
	bool back = backwards(g->q);

	switch (g->q->ask.verb) {
	case MSG_LOG_FAULTS:
		return store_faults(s, lo, hi, back, on_fault, g);
	case MSG_LOG_COMMITS:
		return store_commits(s, lo, hi, back, on_commit, g);
	case MSG_LOG_COMMANDS:
		return store_deeds(s, ROW_COMMAND, lo, hi, back, on_deed, g);
	case MSG_LOG_LOGINS:
		return store_deeds(s, ROW_LOGIN, lo, hi, back, on_deed, g);
	case MSG_LOG_RECORDS:
		return store_deeds(s, ROW_RECORD, lo, hi, back, on_deed, g);
	case MSG_LOG_SUMMARY:
		return store_drops(s, lo, hi, back, on_summary, g);
	default:
		return store_drops(s, lo, hi, back, on_drop, g);
	}
}

static enum query_state finish(struct query *q, query_sink_fn *sink, void *arg)
{
	q->answer.last_sequence = q->last_sequence;
	if (!sink(arg, MSG_END, &q->answer))
		return QUERY_FULL;
	q->done = true;
	return QUERY_DONE;
}

static enum query_state fail(struct query *q, const char *text, query_sink_fn *sink, void *arg)
{
	q->answer.ok = 0;
	MSG_TEXT(q->answer.error, text);
	return finish(q, sink, arg);
}

/* The rows of a summary, most packets first. */
static enum query_state send_summary(struct query *q, query_sink_fn *sink, void *arg)
{
	struct query_summary *sum = q->summary;

	if (!q->scanned)
		qsort(sum->rows, sum->n, sizeof(sum->rows[0]), by_packets);
	q->scanned = true;
	for (; q->at < sum->n; q->at++)
		if (!sink(arg, MSG_SUMMARY_ROW, &sum->rows[q->at]))
			return QUERY_FULL;
	q->answer.ok = 1;
	return finish(q, sink, arg);
}

static enum query_state step_verify(struct query *q, struct store *s, query_sink_fn *sink, void *arg)
{
	if (!q->scanned && store_verify_step(s, &q->verify, VERIFY_STEP))
		return QUERY_MORE;
	q->scanned = true;
	q->answer.checked = q->verify.checked;
	memcpy(q->answer.head, q->verify.hash, sizeof(q->answer.head));
	q->answer.ok = q->verify.error[0] == '\0';
	MSG_TEXT(q->answer.error, q->verify.error);
	return finish(q, sink, arg);
}

/* Rows that a follower was sent while they counted, and that are closed now. */
static enum query_state follow_closed(struct giving *g, struct store *s, uint64_t closings)
{
	struct query *q = g->q;

	if (q->closings == closings)
		return QUERY_WAIT;
	g->final = true;
	if (q->open_from != 0 && q->open_from < q->cursor)
		store_drops(s, q->open_from, q->cursor - 1, false, on_final, g);
	g->final = false;
	if (g->full)
		return QUERY_FULL;
	q->open_from = 0;
	q->closings = closings;
	return QUERY_WAIT;
}

static enum query_state nothing_left(struct query *q, query_sink_fn *sink, void *arg)
{
	if (q->ask.follow)
		return QUERY_WAIT;
	if (q->ask.verb == MSG_LOG_SUMMARY)
		return send_summary(q, sink, arg);
	q->answer.ok = 1;
	return finish(q, sink, arg);
}

enum query_state query_step(struct query *q, struct store *s, uint64_t closings, query_sink_fn *sink, void *arg)
{
	struct giving g = {.q = q, .sink = sink, .arg = arg};
	uint64_t lo, hi;

	if (q->done)
		return QUERY_DONE;
	if (s == NULL)
		return fail(q, N_("there is no store of records now"), sink, arg);
	if (q->ask.verb == MSG_LOG_VERIFY)
		return step_verify(q, s, sink, arg);
	if (q->scanned)
		return send_summary(q, sink, arg);
	if (q->ask.follow && follow_closed(&g, s, closings) == QUERY_FULL)
		return QUERY_FULL;
	if (!next_part(q, s, store_newest(s), &lo, &hi))
		return nothing_left(q, sink, arg);
	if (limit_reached(q)) {
		q->answer.more = 1;
		return nothing_left(q, sink, arg);
	}
	if (scan(&g, s, lo, hi) != STORE_OK)
		return fail(q, N_("the store cannot be read"), sink, arg);
	if (g.full)
		return QUERY_FULL;
	if (!limit_reached(q))
		backwards(q) ? (q->end = lo - 1) : (q->cursor = hi + 1);
	return QUERY_MORE;
}
