/* test_query.c: questions: what fits, in which order, in which steps. */
#include "test.h"

#include "query.h"
#include "store_private.h"
#include "temp.h"

#define S INT64_C(1000000000)

static struct store *store;

/* What the sink got. */
static struct msg_drop_row drops[3000];
static struct msg_summary_row sums[64];
static unsigned ndrops, nsums, nfaults, ncommits, nends, full_after = ~0u;
static struct msg_end last;

static bool sink(void *arg, enum msg_type type, const void *body)
{
	(void)arg;
	if (full_after-- == 0) {
		full_after = 3;
		return false;
	}
	if (type == MSG_DROP_ROW && ndrops < 3000)
		drops[ndrops++] = *(const struct msg_drop_row *)body;
	nfaults += type == MSG_FAULT_ROW;
	ncommits += type == MSG_COMMIT_ROW;
	if (type == MSG_SUMMARY_ROW && nsums < 64)
		sums[nsums++] = *(const struct msg_summary_row *)body;
	if (type == MSG_END) {
		last = *(const struct msg_end *)body;
		nends++;
	}
	return true;
}

static void forget(void)
{
	ndrops = nsums = nfaults = ncommits = nends = 0;
	full_after = ~0u;
}

static struct msg_query about(uint32_t verb)
{
	return (struct msg_query){.verb = verb, .port = MSG_ANY_PORT, .limit = 3000};
}

/* Runs a query to its end. */
static const char *run(const struct msg_query *ask)
{
	struct query q;
	const char *wrong = query_init(&q, ask, store);

	if (wrong == NULL)
		while (query_step(&q, store, 0, sink, NULL) != QUERY_DONE)
			;
	query_clear(&q);
	return wrong;
}

static unsigned count(const struct msg_query *ask)
{
	forget();
	CHECK(run(ask) == NULL);
	CHECK_INT(nends, 1);
	CHECK_INT(last.ok, 1);
	return ndrops;
}

static void put(const char *from, const char *src, uint8_t src_len, unsigned reason, uint16_t port, int64_t at)
{
	struct msg_drop_row r = {.sequence = store_next(store), .count = 2, .first_ns = at * S, .last_ns = (at + 5) * S,
		.reason = reason, .dport = port, .src_len = src_len, .open = 1};
	struct addr a;

	CHECK(addr_parse(src, &a));
	r.family = a.family;
	memcpy(r.src, a.b, 16);
	r.dst_len = a.family == 4 ? 32 : 128;
	MSG_TEXT(r.from, from);
	MSG_TEXT(r.to, "internet");
	if (strcmp(src, "10.1.10.5") == 0)
		MSG_TEXT(r.host_src, "jumin-ap");
	store_put_open(store, &r, true);
}

/* 2 000 rows at times 1..2000 and some special ones, the last ten still open. */
static void fill(void)
{
	const struct store_options o = {.dir = temp_begin(), .space = 64 << 20};
	char note[128];
	struct msg_fault_row f = {.at = 1000, .severity = 1};
	struct msg_commit_row c = {.at = 1500, .generation = 3};

	CHECK_INT(store_open(&o, &store, note, sizeof(note)), STORE_OK);
	store_begin(store);
	store_start_at(store, 0, "begun");
	for (int i = 1; i <= 2000; i++)
		put("mynumber", "10.1.0.1", 32, REASON_NO_RULE, 80, i);
	put("lgwan", "10.1.10.5", 32, REASON_MAC, 443, 3000);
	put("lgwan", "10.2.7.0", 24, REASON_SPOOF, 0, 3001);
	put("internet", "2001:db8::7", 128, REASON_SPOOF, 25, 3002);
	put("internet", "2001:db8:0:9::", 64, REASON_SPOOF, 0, 3003);
	put("lgwan", "10.2.0.255", 32, REASON_LOCAL_NOISE, 137, 3004);
	store_close_open(store);
	store_put_fault(store, &f);
	store_put_commit(store, &c);
	CHECK_INT(store_commit(store), STORE_OK);
	store_begin(store);
	for (int i = 0; i < 10; i++)
		put("lgwan", "10.9.9.9", 32, REASON_STATE, (uint16_t)i, 4000 + i);
	CHECK_INT(store_commit(store), STORE_OK);
}

static void test_order_and_limit(void)
{
	struct msg_query q = about(MSG_LOG_DROPS);

	CHECK_INT(count(&q), 2014);
	for (unsigned i = 1; i < ndrops; i++)
		CHECK(drops[i].sequence < drops[i - 1].sequence);
	CHECK_INT(drops[0].open, 1);
	CHECK_INT(last.more, 0);
	q.limit = 12;
	CHECK_INT(count(&q), 12);
	CHECK_INT(last.more, 1);
	CHECK_INT(drops[9].open, 1);
	CHECK_INT(drops[10].open, 0);
	q.limit = 0;
	CHECK_INT(count(&q), 100);
	/* From a sequence on: oldest first. */
	q.after = 5;
	q.limit = 7;
	CHECK_INT(count(&q), 7);
	CHECK_INT(drops[0].sequence, 6);
	CHECK_INT(last.last_sequence, 12);
	/* Page by page: each row once. */
	q.after = 1;
	q.limit = 300;
	unsigned sum = 0;
	uint64_t before = 1;
	do {
		count(&q);
		sum += ndrops;
		for (unsigned i = 0; i < ndrops; i++) {
			CHECK(drops[i].sequence > before);
			before = drops[i].sequence;
		}
		q.after = last.last_sequence;
	} while (last.more);
	CHECK_INT(sum, 2014);
}

static void test_filters(void)
{
	struct msg_query q = about(MSG_LOG_DROPS);

	q.all = 1;
	CHECK_INT(count(&q), 2015);
	q = about(MSG_LOG_DROPS), q.reason = REASON_LOCAL_NOISE;
	CHECK_INT(count(&q), 1); /* asked for by name: shown */
	q = about(MSG_LOG_DROPS), q.reason = REASON_SPOOF;
	CHECK_INT(count(&q), 3);
	q = about(MSG_LOG_DROPS), q.port = 443;
	CHECK_INT(count(&q), 1);
	q = about(MSG_LOG_DROPS), q.port = 0;
	CHECK_INT(count(&q), 3); /* port 0 is a port */
	q = about(MSG_LOG_DROPS);
	MSG_TEXT(q.from, "lgwan");
	CHECK_INT(count(&q), 12);
	MSG_TEXT(q.to, "mynumber");
	CHECK_INT(count(&q), 0);
	q = about(MSG_LOG_DROPS);
	MSG_TEXT(q.src, "jumin-ap");
	CHECK_INT(count(&q), 1);
	q = about(MSG_LOG_DROPS);
	MSG_TEXT(q.src, "10.1.10.5");
	CHECK_INT(count(&q), 1);
	MSG_TEXT(q.src, "10.1.0.0/16");
	CHECK_INT(count(&q), 2001);
	/* A row by network meets an address in it, a wider and a narrower prefix. */
	MSG_TEXT(q.src, "10.2.7.99");
	CHECK_INT(count(&q), 1);
	MSG_TEXT(q.src, "10.2.7.128/25");
	CHECK_INT(count(&q), 1);
	MSG_TEXT(q.src, "10.2.8.0/24");
	CHECK_INT(count(&q), 0);
	MSG_TEXT(q.src, "2001:db8::/32");
	CHECK_INT(count(&q), 2);
	MSG_TEXT(q.src, "2001:db8:0:9::1");
	CHECK_INT(count(&q), 1);
}

static void test_times(void)
{
	struct msg_query q = about(MSG_LOG_DROPS);

	q.since = 3000;
	q.until = 3003;
	CHECK_INT(count(&q), 4);
	q.until = 2999;
	forget();
	CHECK(run(&q) != NULL); /* ends before it begins */
	q.since = 100;
	q.until = 200;
	/* A row lasts 5 s: those that end in it and those that begin in it. */
	CHECK_INT(count(&q), 106);
	q.since = 0;
	q.until = 1;
	CHECK_INT(count(&q), 1);
	q.since = 5000;
	q.until = 0;
	CHECK_INT(count(&q), 0);
}

static void test_full_sink(void)
{
	struct msg_query q = about(MSG_LOG_DROPS);
	struct query query;
	unsigned fulls = 0;
	enum query_state state;

	q.limit = 500;
	forget();
	full_after = 3;
	CHECK(query_init(&query, &q, store) == NULL);
	while ((state = query_step(&query, store, 0, sink, NULL)) != QUERY_DONE)
		fulls += state == QUERY_FULL;
	CHECK_INT(ndrops, 500);
	CHECK(fulls > 100);
	for (unsigned i = 1; i < ndrops; i++)
		CHECK(drops[i].sequence == drops[i - 1].sequence - 1 || drops[i - 1].sequence > 2001);
	query_clear(&query);
}

static void test_faults_commits_verify(void)
{
	struct msg_query q = about(MSG_LOG_FAULTS);
	uint8_t head[CHAIN_HASH];

	forget();
	run(&q);
	CHECK_INT(nfaults, 1);
	q.since = 1001;
	forget();
	run(&q);
	CHECK_INT(nfaults, 0);
	q = about(MSG_LOG_COMMITS);
	forget();
	run(&q);
	CHECK_INT(ncommits, 1);
	q = about(MSG_LOG_VERIFY);
	forget();
	run(&q);
	store_head(store, head);
	CHECK_INT(last.ok, 1);
	CHECK_INT(last.checked, 1 + 2005 + 2);
	CHECK(memcmp(last.head, head, CHAIN_HASH) == 0);
}

static void test_summary(void)
{
	struct msg_query q = about(MSG_LOG_SUMMARY);

	forget();
	run(&q);
	CHECK_INT(last.ok, 1);
	CHECK_INT(nsums, 5);
	CHECK_INT(sums[0].reason, REASON_NO_RULE);
	CHECK_INT(sums[0].packets, 4000);
	CHECK_INT(sums[0].rows, 2000);
	CHECK_INT(sums[0].first, 1);
	CHECK_INT(sums[0].last, 2005);
	CHECK_STR(sums[0].from, "mynumber");
	for (unsigned i = 1; i < nsums; i++)
		CHECK(sums[i].packets <= sums[i - 1].packets);
	q.all = 1;
	forget();
	full_after = 2;
	run(&q);
	CHECK_INT(nsums, 6);
}

static void test_follow(void)
{
	struct msg_query q = about(MSG_LOG_DROPS);
	struct query query;

	q.follow = 1;
	forget();
	CHECK(query_init(&query, &q, store) == NULL);
	CHECK_INT(query_step(&query, store, 7, sink, NULL), QUERY_WAIT);
	CHECK_INT(ndrops, 0);
	store_begin(store);
	uint64_t first = store_next(store);
	put("lgwan", "10.2.0.8", 32, REASON_NO_RULE, 80, 5000);
	put("lgwan", "10.2.0.9", 32, REASON_NO_RULE, 80, 5000);
	CHECK_INT(store_commit(store), STORE_OK);
	while (query_step(&query, store, 7, sink, NULL) == QUERY_MORE)
		;
	CHECK_INT(ndrops, 2);
	CHECK(drops[0].sequence == first && drops[0].open);
	/* They count on and close: told once more, and only those that the follower saw. */
	store_begin(store);
	struct msg_drop_row r = drops[0];
	r.count = 40;
	store_put_open(store, &r, false);
	r = drops[1];
	r.count = 1;
	store_put_open(store, &r, false);
	store_close_open(store);
	CHECK_INT(store_commit(store), STORE_OK);
	forget();
	full_after = 0;
	CHECK_INT(query_step(&query, store, 8, sink, NULL), QUERY_FULL);
	while (query_step(&query, store, 8, sink, NULL) == QUERY_MORE)
		;
	CHECK_INT(ndrops, 1);
	CHECK(drops[0].sequence == first && !drops[0].open && drops[0].count == 40);
	forget();
	CHECK_INT(query_step(&query, store, 8, sink, NULL), QUERY_WAIT);
	CHECK_INT(ndrops, 0);
	CHECK_INT(nends, 0);
	query_clear(&query);
	q.verb = MSG_LOG_FAULTS;
	CHECK(query_init(&query, &q, store) != NULL);
	query_clear(&query);
}

/* One address among thousands of rows is found by leaps, and so is none. */
static void test_leaps(void)
{
	static const struct {
		const char *src, *dst;
		unsigned rows;
	} asked[] = {{"10.1.10.5", "", 1}, {"10.2.7.77", "", 1}, {"2001:db8:0:9::5", "", 1}, {"10.8.8.8", "", 0},
		{"10.1.10.5", "10.9.9.9", 0}, {"2001:db8::7", "::", 1}};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct msg_query ask = about(MSG_LOG_DROPS);
		unsigned steps = 0;
		struct query q;
		MSG_TEXT(ask.src, asked[i].src);
		MSG_TEXT(ask.dst, asked[i].dst);
		forget();
		CHECK(query_init(&q, &ask, store) == NULL);
		while (query_step(&q, store, 0, sink, NULL) != QUERY_DONE)
			steps++;
		query_clear(&q);
		CHECK_INT(ndrops, asked[i].rows);
		CHECK(steps < 12);
	}
}

static void test_no_store(void)
{
	struct msg_query q = about(MSG_LOG_DROPS);
	struct query query;

	CHECK(query_init(&query, &q, NULL) != NULL);
	forget();
	CHECK(query_init(&query, &q, store) == NULL);
	CHECK_INT(query_step(&query, NULL, 0, sink, NULL), QUERY_DONE);
	CHECK_INT(last.ok, 0);
	CHECK(last.error[0] != '\0');
	query_clear(&query);
}

int main(void)
{
	fill();
	test_order_and_limit();
	test_filters();
	test_times();
	test_full_sink();
	test_faults_commits_verify();
	test_summary();
	test_leaps();
	test_no_store();
	test_follow();
	store_free(store);
	temp_end();
	return test_end();
}
