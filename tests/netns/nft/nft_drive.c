/*
 * nft_drive: the kernel side of the packet filter by hand, for the tests in this directory: reads commands from
 * standard input, answers each with one line ("ok …" or "error …"). Policies are made of the same calls as in
 * tests/unit/nft/hand_ir.h.
 */
#include "../../unit/nft/hand_ir.h"
#include "breaker.h"

#include <sekisho/addr.h>
#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/match.h>
#include <sekisho/nft.h>
#include <sekisho/prove.h>

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS 16
#define HANDS 256
#define BREAKS 4

struct drive {
	struct nft *nft;
	struct hand *committed; /* whose ruleset is in the kernel */
	uint32_t generation;
	char breaks[BREAKS][256]; /* done to the next ruleset that is committed */
	unsigned nbreaks;
	struct arena *arena;
	struct hand *hands[HANDS]; /* every policy committed so far: rulesets point into them */
	unsigned nhands;
	bool finished;
};

static struct hand *hand(struct drive *d)
{
	return d->hands[d->nhands - 1];
}

static void new_hand(struct drive *d)
{
	if (d->nhands == HANDS)
		abort();
	d->hands[d->nhands] = calloc(1, sizeof(struct hand));
	if (d->hands[d->nhands] == NULL)
		abort();
	hand_init(d->hands[d->nhands++]);
	d->finished = false;
}

static const char *arg(char **w, unsigned n, unsigned i, const char *otherwise)
{
	return i < n ? w[i] : otherwise;
}

static unsigned number(char **w, unsigned n, unsigned i)
{
	return (unsigned)strtoul(arg(w, n, i, "0"), NULL, 0);
}

static uint8_t proto(const char *s)
{
	if (strcmp(s, "tcp") == 0)
		return IPPROTO_TCP;
	if (strcmp(s, "udp") == 0)
		return IPPROTO_UDP;
	return strcmp(s, "icmp") == 0 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static void failed(const struct nft_error *e)
{
	printf("error %d object=[%s] rule=[%s] text=[%s]\n", e->error, e->object, e->rule, e->text);
}

/* -- policy ---------------------------------------------------------------------------------------------------- */

static void do_new(struct drive *d, char **w, unsigned n)
{
	(void)w, (void)n;
	new_hand(d);
	puts("ok");
}

static void do_town(struct drive *d, char **w, unsigned n)
{
	(void)w, (void)n;
	new_hand(d);
	hand_free(hand(d));
	hand_town(hand(d));
	puts("ok");
}

/* segment NAME KIND IFACE ADDRESS... */
static void do_segment(struct drive *d, char **w, unsigned n)
{
	char addrs[256] = "";
	unsigned kind = number(w, n, 2);

	for (unsigned i = 4; i < n; i++) {
		strncat(addrs, w[i], sizeof(addrs) - strlen(addrs) - 1);
		strncat(addrs, " ", sizeof(addrs) - strlen(addrs) - 1);
	}
	printf("ok %u\n", hand_segment(hand(d), w[1], kind, w[3], addrs));
}

/* set KEY VALUE [SEGMENT] */
static void do_set(struct drive *d, char **w, unsigned n)
{
	struct ir_system *s = hand_system(hand(d));
	uint32_t v = number(w, n, 2);

	if (strcmp(w[1], "log-per-source") == 0)
		s->log_per_source = v;
	else if (strcmp(w[1], "log-per-segment") == 0)
		s->log_per_segment = v;
	else if (strcmp(w[1], "new-per-source") == 0)
		s->new_per_source = v;
	else if (strcmp(w[1], "open-per-source") == 0)
		s->open_per_source = v;
	else if (strcmp(w[1], "half-open") == 0)
		s->half_open = v;
	else if (strcmp(w[1], "refuse-silently") == 0)
		s->refuse_silently = v != 0;
	else if (strcmp(w[1], "mss") == 0)
		hand_segment_at(hand(d), (uint16_t)number(w, n, 3))->mss = v;
	else if (strcmp(w[1], "answer-ping") == 0)
		hand_segment_at(hand(d), (uint16_t)number(w, n, 3))->answer_ping = v != 0;
	puts("ok");
}

static void do_bound(struct drive *d, char **w, unsigned n)
{
	hand_bound(hand(d), (uint16_t)number(w, n, 1), w[2], w[3]);
	puts("ok");
}

static void do_network(struct drive *d, char **w, unsigned n)
{
	hand_network(hand(d), (uint16_t)number(w, n, 1), w[2], n > 3 ? w[3] : NULL);
	puts("ok");
}

static void do_route(struct drive *d, char **w, unsigned n)
{
	hand_route(hand(d), (uint16_t)number(w, n, 1), w[2], w[3]);
	puts("ok");
}

/* rule NAME FROM TO ACTION FLAGS [SECONDS until its end] */
static void do_rule(struct drive *d, char **w, unsigned n)
{
	unsigned action = number(w, n, 4);
	uint32_t r = hand_rule(hand(d), w[1], (uint16_t)number(w, n, 2), (uint16_t)number(w, n, 3), action,
		number(w, n, 5));

	if (n > 6)
		hand_rule_at(hand(d), r)->ends = clock_wall().sec + number(w, n, 6);
	printf("ok %u\n", r);
}

/* verify RULE APPLICATION OPTIONS WORDS: its flows are inspected; the numbers of inspect.h and model.h */
static void do_verify(struct drive *d, char **w, unsigned n)
{
	unsigned application = number(w, n, 2);

	hand_verify(hand(d), number(w, n, 1), application, number(w, n, 3), w[4]);
	puts("ok");
}

/* box RULE PROTO SRC DST LO HI */
static void do_box(struct drive *d, char **w, unsigned n)
{
	hand_box(hand(d), number(w, n, 1), proto(w[2]), w[3], w[4], (uint16_t)number(w, n, 5),
		(uint16_t)number(w, n, 6));
	puts("ok");
}

/* many N exact|range FROM TO: one rule each, sources 10.100.0.0 and up */
static void do_many(struct drive *d, char **w, unsigned n)
{
	uint16_t from = (uint16_t)number(w, n, 3), to = (uint16_t)number(w, n, 4);
	bool range = strcmp(w[2], "range") == 0;

	for (unsigned i = 0; i < number(w, n, 1); i++) {
		char name[32], src[32], dst[32];
		snprintf(name, sizeof(name), "rule-%u", i);
		snprintf(src, sizeof(src), "10.%u.%u.%u", 100 + (i >> 16), i >> 8 & 255, i & 255);
		snprintf(dst, sizeof(dst), "10.200.%u.%u", i % 16, i % 251);
		uint32_t r = hand_rule(hand(d), name, from, to, IR_ALLOW, 0);
		hand_box(hand(d), r, IPPROTO_TCP, src, dst, 443, range ? 445 : 443);
	}
	puts("ok");
}

/* own SEGMENT WHAT out|in PROTO REMOTE PORT */
static void do_own(struct drive *d, char **w, unsigned n)
{
	hand_own(hand(d), (uint16_t)number(w, n, 1), w[2], strcmp(w[3], "out") == 0, proto(w[4]), w[5],
		(uint16_t)number(w, n, 6));
	puts("ok");
}

static struct ruleset *build(struct drive *d, uint32_t generation)
{
	struct ruleset_options opt = {.generation = generation,
		.capabilities = d->nft != NULL ? nft_capabilities(d->nft) : CAP_ALL};

	if (!d->finished)
		hand_finish(hand(d));
	d->finished = true;
	/* As the gate does: marks of the generation in force live on where the words are the same. */
	if (d->committed != NULL && d->generation != generation)
		opt.renewal = (struct ruleset_renewal){d->generation, ir_renumber(&d->committed->ir, &hand(d)->ir, d->arena),
			d->committed->ir.nverifieds + 1, &d->committed->ir};
	return ruleset_build(&hand(d)->ir, clock_wall(), &opt);
}

/* break WAY...: see breaker.h */
static void do_break(struct drive *d, char **w, unsigned n)
{
	if (d->nbreaks == BREAKS)
		abort();
	char *line = d->breaks[d->nbreaks++];
	*line = '\0';
	for (unsigned i = 1; i < n; i++) {
		strncat(line, w[i], sizeof(d->breaks[0]) - strlen(line) - 2);
		strcat(line, " ");
	}
	puts("ok");
}

static bool apply_breaks(struct drive *d, struct ruleset *rs)
{
	bool done = true;

	for (unsigned i = 0; i < d->nbreaks; i++) {
		char *w[WORDS], *save = NULL;
		unsigned n = 0;
		for (char *s = strtok_r(d->breaks[i], " ", &save); s != NULL && n < WORDS; s = strtok_r(NULL, " ", &save))
			w[n++] = s;
		done = done && breaker_apply(rs, w, n);
	}
	d->nbreaks = 0;
	return done;
}

static void do_text(struct drive *d, char **w, unsigned n)
{
	struct ruleset *rs = build(d, number(w, n, 1));
	struct buf out = {0};
	FILE *f = fopen(w[2], "w");

	if (f == NULL)
		abort();
	if (n > 3 && strcmp(w[3], "json") == 0)
		ruleset_json(rs, &out);
	else
		ruleset_text(rs, &out);
	fwrite(out.data, 1, out.len, f);
	fclose(f);
	buf_free(&out);
	ruleset_free(rs);
	puts("ok");
}

/* -- kernel ---------------------------------------------------------------------------------------------------- */

static void do_commit(struct drive *d, char **w, unsigned n)
{
	struct nft_error e = {0};
	struct nft_commit c = {0};
	int64_t start = clock_mono().ns;
	struct ruleset *rs = build(d, number(w, n, 1));
	int64_t built = clock_mono().ns;

	if (!apply_breaks(d, rs)) {
		puts("error nothing was broken");
		ruleset_free(rs);
		return;
	}
	if (nft_commit(d->nft, &rs, &c, &e) != 0) {
		ruleset_free(rs);
		failed(&e);
		return;
	}
	d->committed = hand(d);
	d->generation = number(w, n, 1);
	struct wall next = ruleset_next_change(nft_current(d->nft));
	printf("ok kernel_us=%u build_us=%lld total_us=%lld batches=%u messages=%u sets=%u added=%u removed=%u chains=%u "
	       "next=%lld\n",
		c.kernel_us, (long long)(built - start) / 1000, (long long)(clock_mono().ns - start) / 1000, c.batches,
		c.messages, c.sets_new, c.elements_added, c.elements_removed, c.chains_replaced,
		next.sec == INT64_MAX ? -1LL : (long long)(next.sec - clock_wall().sec));
}

static void do_open(struct drive *d, char **w, unsigned n)
{
	struct nft_error e = {0};

	(void)w, (void)n;
	nft_close(d->nft);
	d->nft = NULL;
	if (nft_open(&d->nft, &e) != 0) {
		failed(&e);
		return;
	}
	printf("ok %#x", nft_capabilities(d->nft));
	for (uint32_t bit = 1; bit <= CAP_ALL; bit <<= 1)
		if ((nft_capabilities(d->nft) & bit) == 0)
			printf(" no-%s", capability_word((enum capability)bit));
	puts("");
}

static void do_shut(struct drive *d, char **w, unsigned n)
{
	struct nft_error e = {0};

	(void)w, (void)n;
	d->committed = NULL;
	if (nft_shut(d->nft, &e) != 0)
		failed(&e);
	else
		puts("ok");
}

static void answer(int r)
{
	if (r == 0)
		puts("ok");
	else
		printf("error %d %s\n", -r, strerror(-r));
}

static void do_renew(struct drive *d, char **w, unsigned n)
{
	(void)w, (void)n;
	answer(nft_lease_renew(d->nft));
}

static void do_drop(struct drive *d, char **w, unsigned n)
{
	(void)w, (void)n;
	answer(nft_lease_drop(d->nft));
}

/* inspectors on|off */
static void do_inspectors(struct drive *d, char **w, unsigned n)
{
	(void)n;
	answer(strcmp(w[1], "on") == 0 ? nft_inspectors_renew(d->nft) : nft_inspectors_drop(d->nft));
}

/* pinhole FROM TO PORT */
static void do_pinhole(struct drive *d, char **w, unsigned n)
{
	struct nft_pinhole h = {.port = (uint16_t)number(w, n, 3)};

	if (!addr_parse(w[1], &h.from) || !addr_parse(w[2], &h.to))
		abort();
	answer(nft_pinhole(d->nft, &h));
}

static void do_records(struct drive *d, char **w, unsigned n)
{
	unsigned mode = number(w, n, 1);

	answer(nft_records(d->nft, mode));
}

static void do_counters(struct drive *d, char **w, unsigned n)
{
	struct nft_counters c;
	int r = nft_counters(d->nft, &c);

	(void)w, (void)n;
	if (r != 0) {
		answer(r);
		return;
	}
	printf("ok epoch=%" PRIu64, c.epoch);
	for (unsigned i = 1; i < REASON_END; i++)
		if (c.packets[i] > 0)
			printf(" %s=%" PRIu64, reason_word(i), c.packets[i]);
	for (unsigned i = 0; i <= LIMIT_SEGMENTS; i++)
		if (c.limited[i] > 0)
			printf(" limited_%u=%" PRIu64, i, c.limited[i]);
	puts("");
}

static void do_check(struct drive *d, char **w, unsigned n)
{
	struct nft_check c;
	int r = nft_check(d->nft, &c);

	(void)w, (void)n;
	if (r != 0)
		answer(r);
	else
		printf("ok faults=%#x foreign=[%s]\n", c.faults, c.foreign);
}

static void do_watch(struct drive *d, char **w, unsigned n)
{
	struct nft_event e;

	(void)w, (void)n;
	printf("ok");
	while (nft_watch_read(d->nft, &e) == 1)
		printf(" kind=%u name=%s", e.kind, e.name);
	puts("");
}

static void do_dump(struct drive *d, char **w, unsigned n)
{
	int fd;
	uint32_t genid;
	int64_t start = clock_mono().ns;
	int r = nft_dump(d->nft, &fd, &genid);

	if (r != 0) {
		answer(r);
		return;
	}
	printf("ok bytes=%lld us=%lld\n", (long long)lseek(fd, 0, SEEK_END), (long long)(clock_mono().ns - start) / 1000);
	if (n > 1) {
		char buf[65536];
		ssize_t got;
		FILE *f = fopen(w[1], "w");
		lseek(fd, 0, SEEK_SET);
		while (f != NULL && (got = read(fd, buf, sizeof(buf))) > 0)
			fwrite(buf, 1, (size_t)got, f);
		if (f != NULL)
			fclose(f);
	}
	close(fd);
}

/* prove [bypass]: does the evaluator find the policy, and nothing else, in the kernel? */
static void do_prove(struct drive *d, char **w, unsigned n)
{
	struct arena *a = arena_new();
	struct prove p;
	uint32_t genid;
	int fd, r = nft_dump(d->nft, &fd, &genid);

	if (r != 0 || a == NULL) {
		answer(r);
		return;
	}
	size_t size = (size_t)lseek(fd, 0, SEEK_END);
	void *dump = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (dump == MAP_FAILED || (n > 1 && !breaker_bypass(dump, size)))
		abort();
	(void)w;
	prove_check(&p, a, &d->committed->ir, dump, size, clock_wall());
	printf("ok findings=%zu steps=%llu", p.total, (unsigned long long)p.steps);
	for (size_t i = 0; i < p.n && i < 5; i++)
		printf(" [%s: %s]", p.findings[i].code, p.findings[i].text);
	puts("");
	munmap(dump, size);
	close(fd);
	arena_free(a);
}

static void do_sweep(struct drive *d, char **w, unsigned n)
{
	struct nft_sweep s = {0};
	struct matcher *m = matcher_new(&hand(d)->ir);
	int64_t start = clock_mono().ns;
	int r = nft_sweep(d->nft, &hand(d)->ir, m, clock_wall(), &s);

	(void)w, (void)n;
	matcher_free(m);
	if (r != 0)
		answer(r);
	else
		printf("ok seen=%u renewed=%u unmarked=%u deleted=%u us=%lld\n", s.seen, s.renewed, s.unmarked, s.deleted,
			(long long)(clock_mono().ns - start) / 1000);
}

static void do_halfopen(struct drive *d, char **w, unsigned n)
{
	struct nft_sweep s = {0};
	int r = nft_half_open(d->nft, &hand(d)->ir, &s);

	(void)w, (void)n;
	if (r != 0)
		answer(r);
	else
		printf("ok seen=%u sources=%u\n", s.seen, s.half_open_sources);
}

static void do_without(struct drive *d, char **w, unsigned n)
{
	nft_pretend_without(d->nft, number(w, n, 1));
	puts("ok");
}

static const struct {
	const char *word;
	unsigned args;
	void (*run)(struct drive *d, char **w, unsigned n);
} commands[] = {
	{"new", 0, do_new}, {"town", 0, do_town}, {"segment", 4, do_segment}, {"set", 2, do_set}, {"bound", 3, do_bound},
	{"network", 2, do_network}, {"route", 3, do_route}, {"rule", 5, do_rule}, {"box", 6, do_box}, {"many", 4, do_many},
	{"own", 6, do_own}, {"text", 2, do_text}, {"open", 0, do_open}, {"commit", 1, do_commit}, {"shut", 0, do_shut},
	{"renew", 0, do_renew}, {"drop", 0, do_drop}, {"records", 1, do_records}, {"counters", 0, do_counters},
	{"check", 0, do_check}, {"watch", 0, do_watch}, {"dump", 0, do_dump}, {"sweep", 0, do_sweep},
	{"verify", 4, do_verify}, {"inspectors", 1, do_inspectors}, {"pinhole", 3, do_pinhole},
	{"prove", 0, do_prove}, {"break", 1, do_break}, {"halfopen", 0, do_halfopen}, {"without", 1, do_without},
};

static void run_line(struct drive *d, char *line)
{
	char *w[WORDS], *save = NULL;
	unsigned n = 0;

	for (char *s = strtok_r(line, " \n", &save); s != NULL && n < WORDS; s = strtok_r(NULL, " \n", &save))
		w[n++] = s;
	if (n == 0)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].word, w[0]) == 0 && n > commands[i].args) {
			commands[i].run(d, w, n);
			return;
		}
	}
	printf("error usage %s\n", w[0]);
}

int main(void)
{
	struct drive d = {.arena = arena_new()};
	char line[1024];

	clock_set_zone("UTC");
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin) != NULL)
		run_line(&d, line);
	nft_close(d.nft);
	arena_free(d.arena);
	for (unsigned i = 0; i < d.nhands; i++) {
		hand_free(d.hands[i]);
		free(d.hands[i]);
	}
	return 0;
}
