/*
 * test_metamorphic.c: what a network may do to a conversation must not change the verdict, and what only a deceiver does must
 * never pass. No labels are needed: the conversations are the kept inputs of the verifiers' fuzzers, right and wrong ones,
 * and the verdict of each as it stands is what its changed copies must get.
 *
 * Changes: segments of 1, 7, 536 and random bytes; payload out of order by up to three; repeated frames; VLAN tags; IPv4
 * fragments; all of them together. Contradictions: before each segment a decoy of other bytes in its place that nobody
 * acknowledges, ahead or behind by one, and the same after the original.
 */
#include <dirent.h>

#include "gate.h"
#include "judge.h"
#include "test.h"

#define TURNS 64u

/* A conversation: the format of tests/fuzz/verify.h. */
struct conversation {
	char path[700];
	enum application application;
	bool datagrams;
	uint8_t bytes[1 << 17];
	struct turn {
		unsigned from;
		bool ends;
		uint32_t at, n;
	} turn[TURNS];
	size_t turns;
};

struct result {
	enum inspect_code code;
	enum inspect_why why;
	enum inspect_level level;
	enum application application;
	char name[256];
};

static unsigned conversations, variants, decoys, passed;
static uint32_t seed = 1;

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static bool load(struct conversation *c, const char *dir, const char *name)
{
	size_t n, at = 0;

	snprintf(c->path, sizeof(c->path), "%s/%s", dir, name);
	FILE *f = fopen(c->path, "rb");
	if (f == NULL)
		return false;
	n = fread(c->bytes, 1, sizeof(c->bytes), f);
	fclose(f);
	for (c->turns = 0; at + 3 < n && c->turns < TURNS; c->turns++) {
		uint32_t len = (uint32_t)(c->bytes[at + 1] << 8 | c->bytes[at + 2]);
		struct turn *t = &c->turn[c->turns];
		*t = (struct turn){c->bytes[at] >> 7, (c->bytes[at] & 0x40) != 0, (uint32_t)at + 3, len};
		if (len > n - at - 3)
			t->n = (uint32_t)(n - at - 3);
		at += 3 + t->n;
	}
	return c->turns > 0;
}

/* -- Making packets --------------------------------------------------------------------------------------------- */

static void said(struct talk *k, const struct conversation *c, const struct turn *t, size_t mss)
{
	const uint8_t *p = c->bytes + t->at;

	if (c->datagrams) {
		traffic_datagram(k->t, &k->end[t->from], &k->end[!t->from], k->port[t->from], k->port[!t->from], p, t->n);
		return;
	}
	k->mss = mss != 0 ? mss : 1 + any(300);
	talk_say(k, t->from != 0 ? 's' : 'c', p, t->n);
	if (t->ends)
		talk_close(k, t->from != 0 ? 's' : 'c');
}

/* mss 0: random. */
static void make(struct traffic *t, const struct conversation *c, size_t mss)
{
	const struct verifier *v = verifier_of(c->application);
	bool closed[2] = {false, false};
	struct talk k;

	traffic_init(t);
	t->gap = 10000;
	talk_init(&k, t, 40000, v->ports[0] != 0 ? v->ports[0] : 4000);
	if (!c->datagrams)
		talk_open(&k);
	for (size_t i = 0; i < c->turns; i++) {
		if (closed[c->turn[i].from])
			continue;
		said(&k, c, &c->turn[i], mss);
		closed[c->turn[i].from] = c->turn[i].ends && !c->datagrams;
	}
	if (!c->datagrams)
		talk_ack(&k, 'c');
}

static struct result judge(const struct traffic *t, const struct verify_policy *policy)
{
	struct gate g;
	struct result r;

	gate_open(&g, policy, false);
	gate_run(&g, t);
	const struct inspect_flow *f = &g.over;
	gate_close(&g);
	CHECK_INT(g.ended, 1);
	r = (struct result){f->code, f->why, f->level, f->application, ""};
	snprintf(r.name, sizeof(r.name), "%s", f->server_name);
	return r;
}

/* -- Changes that mean nothing ------------------------------------------------------------------------------------- */

static void same(const struct conversation *c, const char *change, const struct result *want, const struct traffic *t,
	const struct verify_policy *policy)
{
	struct result got = judge(t, policy);

	variants++;
	if (got.code == want->code && got.why == want->why && got.level == want->level &&
		got.application == want->application && strcmp(got.name, want->name) == 0)
		return;
	test_failures++;
	printf("%s: %s: code %u why %s level %u \"%s\", expected %u %s %u \"%s\"\n", c->path, change, got.code,
		inspect_why_word(got.why), got.level, got.name, want->code, inspect_why_word(want->why), want->level,
		want->name);
}

typedef void change_fn(struct traffic *to, const struct traffic *from);

static void reorder(struct traffic *to, const struct traffic *from)
{
	traffic_reorder(to, from, any(1u << 30));
}

static void tag_once(struct traffic *to, const struct traffic *from)
{
	traffic_vlan(to, from, 1);
}

static void tag_twice(struct traffic *to, const struct traffic *from)
{
	traffic_vlan(to, from, 2);
}

static void fragment(struct traffic *to, const struct traffic *from)
{
	traffic_fragment(to, from, 48);
}

static void fragment_some(struct traffic *to, const struct traffic *from)
{
	traffic_fragment(to, from, 552);
}

static void changed(const struct conversation *c, const char *name, change_fn *change, const struct result *want,
	const struct traffic *t, const struct verify_policy *policy)
{
	struct traffic to;

	traffic_init(&to);
	change(&to, t);
	same(c, name, want, &to, policy);
	traffic_free(&to);
}

static void together(const struct conversation *c, const struct result *want, const struct traffic *t,
	const struct verify_policy *policy)
{
	struct traffic a, b;

	traffic_init(&a);
	traffic_init(&b);
	traffic_duplicate(&a, t);
	reorder(&b, &a);
	traffic_free(&a);
	traffic_init(&a);
	traffic_fragment(&a, &b, 64);
	same(c, "repeated, out of order, in fragments", want, &a, policy);
	traffic_free(&b);
	traffic_init(&b);
	tag_twice(&b, &a);
	traffic_free(&a);
	traffic_free(&b);
}

static void segments(const struct conversation *c, size_t mss, const struct result *want, const struct verify_policy *policy)
{
	struct traffic t;

	make(&t, c, mss);
	same(c, mss == 1 ? "1" : mss == 7 ? "7" : mss == 536 ? "536" : "random", want, &t, policy);
	changed(c, "repeated", traffic_duplicate, want, &t, policy);
	if (!c->datagrams)
		changed(c, "out of order", reorder, want, &t, policy);
	changed(c, "one tag", tag_once, want, &t, policy);
	changed(c, "two tags", tag_twice, want, &t, policy);
	changed(c, "fragments", fragment, want, &t, policy);
	changed(c, "larger fragments", fragment_some, want, &t, policy);
	if (!c->datagrams)
		together(c, want, &t, policy);
	traffic_free(&t);
}

/* -- Contradictions ------------------------------------------------------------------------------------------------ */

static size_t payload_at(const struct frame *f)
{
	return 34 + (size_t)(f->bytes[46] >> 4) * 4;
}

static bool is_payload(const struct frame *f)
{
	return f->bytes[23] == 6 && payload_at(f) < f->n;
}

static void set16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The TCP checksum after a change of the segment. */
static void seal(struct frame *f)
{
	uint32_t sum = 6 + f->n - 34;

	set16(f->bytes + 50, 0);
	for (size_t i = 26; i < f->n; i++)
		sum += i % 2 == 0 ? (uint32_t)f->bytes[i] << 8 : f->bytes[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	set16(f->bytes + 50, ~sum & 0xffff);
}

/* A copy of frame i with one other byte, in the list at `where`. */
static void put_decoy(struct traffic *t, size_t i, size_t where)
{
	struct frame *d = traffic_add(t, t->v[i].bytes, t->v[i].n), copy;

	d->bytes[payload_at(d) + any((uint32_t)(d->n - payload_at(d)))] ^= (uint8_t)(1 + any(255));
	seal(d);
	d->at = t->v[where < t->n - 1 ? where : t->n - 2].at;
	copy = *d;
	memmove(&t->v[where + 1], &t->v[where], (t->n - 1 - where) * sizeof(*t->v));
	t->v[where] = copy;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Do the frames before i pass by themselves, once both ends have acknowledged all of them? Then i is not needed. */
static bool passes_without(const struct traffic *plain, size_t i, const struct verify_policy *policy)
{
	struct traffic t;
	struct talk k;

	traffic_init(&t);
	talk_init(&k, &t, 40000, (uint16_t)(plain->v[0].bytes[36] << 8 | plain->v[0].bytes[37]));
	for (size_t n = 0; n < i; n++) {
		const struct frame *f = &plain->v[n];
		unsigned from = f->bytes[27] == 2; /* 10.2.0.8 */
		traffic_add(&t, f->bytes, f->n)->at = f->at;
		k.seq[from] = get32(f->bytes + 38) + (uint32_t)(f->n - payload_at(f)) + ((f->bytes[47] & 3) != 0);
		k.clock = get32(f->bytes + payload_at(f) - 8);
	}
	talk_ack(&k, 'c');
	talk_ack(&k, 's');
	struct result r = judge(&t, policy);
	traffic_free(&t);
	return r.code == INSPECT_PASS;
}

static void deceive(const struct conversation *c, const struct traffic *plain, size_t i, bool before,
	const struct verify_policy *policy)
{
	struct traffic t;

	traffic_init(&t);
	for (size_t k = 0; k < plain->n; k++)
		traffic_add(&t, plain->v[k].bytes, plain->v[k].n)->at = plain->v[k].at;
	put_decoy(&t, i, before ? i : i + 1);
	struct result r = judge(&t, policy);
	traffic_free(&t);
	decoys++;
	if (r.code == INSPECT_REFUSE || passes_without(plain, i, policy))
		return;
	test_failures++;
	printf("%s: a decoy %s frame %zu: code %u level %u\n", c->path, before ? "before" : "behind", i, r.code, r.level);
}

/*
 * Of those that are verified. Of one that passes only what its decision rests on: afterwards nobody compares. One that is
 * looked at for ever is compared for ever.
 */
static void contradictions(const struct conversation *c, const struct verify_policy *policy)
{
	struct traffic t;
	struct gate g;
	size_t decision = 0;

	make(&t, c, 100);
	gate_open(&g, policy, false);
	for (size_t i = 0; i < t.n && decision == 0; i++)
		if (gate_frame(&g, &t.v[i]).code == INSPECT_PASS)
			decision = i;
	if (decision == 0)
		decision = t.n;
	gate_close(&g);
	for (size_t i = 0; i + 1 < decision; i++) {
		if (!is_payload(&t.v[i]))
			continue;
		deceive(c, &t, i, true, policy);
		/* Behind the last segment of a turn comes its acknowledgement. */
		if (is_payload(&t.v[i + 1]))
			deceive(c, &t, i, false, policy);
	}
	traffic_free(&t);
}

/* -- All ---------------------------------------------------------------------------------------------------------- */

static void all_of(const struct conversation *c)
{
	static const size_t sizes[] = {1, 7, 536, 0};
	struct verify_policy policy = {.application = c->application};
	struct traffic t;

	make(&t, c, 60000);
	struct result want = judge(&t, &policy);
	traffic_free(&t);
	conversations++;
	passed += want.code != INSPECT_REFUSE && want.level == LEVEL_RELATES;
	for (size_t i = 0; i < 4; i++)
		if (!c->datagrams || sizes[i] == 536)
			segments(c, sizes[i], &want, &policy);
	if (want.code != INSPECT_REFUSE && want.level == LEVEL_RELATES && !c->datagrams)
		contradictions(c, &policy);
}

static void directory(struct conversation *c, const char *root)
{
	char path[400];
	struct dirent *e;

	snprintf(path, sizeof(path), "%s/verify_%s", root, application_word(c->application));
	DIR *d = opendir(path);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || !load(c, path, e->d_name))
			continue;
		const struct verifier *v = verifier_of(c->application);
		for (unsigned datagrams = 0; datagrams < 2; datagrams++) {
			c->datagrams = datagrams != 0;
			if (v != NULL && (c->datagrams ? v->datagram : v->stream) != NULL)
				all_of(c);
		}
	}
	closedir(d);
}

int main(int argc, char **argv)
{
	static struct conversation c;

	for (c.application = APP_NONE + 1; argc == 2 && c.application < APP_END; c.application++)
		directory(&c, argv[1]);
	printf("%u conversations, %u of them verified; %u changed copies, %u decoys\n", conversations, passed, variants, decoys);
	CHECK(conversations >= 10);
	CHECK(passed >= 5);
	CHECK(decoys >= 20);
	return test_end();
}
