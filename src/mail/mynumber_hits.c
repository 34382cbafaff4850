/*
 * mynumber_hits.c: numbers of 12 digits: which are individual numbers, which are near a word, what it comes to.
 *
 * The check digit (番号法総務省令85号 第5条): digits weighted from the right by 2,3,4,5,6,7,2,3,4,5,6; r = sum mod 11; 0 if r
 * <= 1, else 11 - r. Numbers are told apart by SipHash-2-4 (Aumasson, Bernstein 2012) under the owner's key; the
 * number itself is not kept.
 */
#include "mynumber_private.h"

#include <stdio.h>
#include <string.h>

#define POINTS_NAMED 100u
#define POINTS_WEAK 30u
#define POINTS_WEAK_MOST 90u
#define POINTS_MANY 30u
#define MANY 4u
#define POINTS_ALONE 5u
#define POINTS_ALONE_MOST 50u

unsigned mynumber_check_digit(uint64_t first11)
{
	unsigned sum = 0;

	for (unsigned n = 1; n <= 11; n++, first11 /= 10)
		sum += (unsigned)(first11 % 10) * (n <= 6 ? n + 1 : n - 5);
	return sum % 11 <= 1 ? 0 : 11 - sum % 11;
}

static uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_block(uint64_t v[4], uint64_t block)
{
	v[3] ^= block;
	sip_round(v);
	sip_round(v);
	v[0] ^= block;
}

/* Of eight bytes. */
static uint64_t hash(const uint8_t key[16], uint64_t value)
{
	uint64_t k[2], v[4];

	memcpy(k, key, sizeof(k));
	v[0] = k[0] ^ 0x736f6d6570736575u;
	v[1] = k[1] ^ 0x646f72616e646f6du;
	v[2] = k[0] ^ 0x6c7967656e657261u;
	v[3] = k[1] ^ 0x7465646279746573u;
	sip_block(v, value);
	sip_block(v, (uint64_t)8 << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* A pattern of one, two, three or four digits, repeated. */
static bool repeats(uint64_t value)
{
	static const unsigned sizes[] = {100, 1000, 10000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t whole = 0;
		for (uint64_t unit = 1; unit < 1000000000000; unit *= sizes[i])
			whole += value % sizes[i] * unit;
		if (whole == value)
			return true;
	}
	return false;
}

static bool is_date(unsigned month, unsigned day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool is_time(unsigned clock)
{
	return clock / 100 < 24 && clock % 100 < 60;
}

static bool is_year(unsigned year)
{
	return year >= 1900 && year <= 2099;
}

/* yyyymmddHHMM of our times. */
static bool is_stamp(uint64_t value)
{
	unsigned year = (unsigned)(value / 100000000), rest = (unsigned)(value % 100000000);

	return year >= 1990 && year <= 2049 && is_date(rest / 1000000, rest / 10000 % 100) && is_time(rest % 10000);
}

/* yyyymmdd and something; yymmddHHMMSS; three years. */
static bool is_dated(uint64_t value, bool grouped)
{
	unsigned a = (unsigned)(value / 100000000), b = (unsigned)(value / 10000 % 10000), c = (unsigned)(value % 10000);

	if (is_year(a) && (is_date(b / 100, b % 100) || (grouped && is_year(b) && is_year(c))))
		return true;
	return !grouped && is_date(a % 100, b / 100) && is_time(b % 100 * 100 + c / 100) && c % 100 < 60;
}

/* false: it was judged before, or so many were that the rate is known. */
static bool is_new(struct mynumber *m, uint64_t h)
{
	if (m->njudged == MYNUMBER_JUDGED)
		return false;
	for (uint32_t i = 0; i < m->njudged; i++)
		if (m->judged[i] == h)
			return false;
	m->judged[m->njudged++] = h;
	return true;
}

static struct mynumber_hit *hit_of(struct mynumber *m, uint64_t h, uint64_t value)
{
	for (uint32_t i = 0; i < m->nhit; i++)
		if (m->hit[i].hash == h)
			return &m->hit[i];
	if (m->nhit == MYNUMBER_HITS)
		return NULL;
	struct mynumber_hit *hit = &m->hit[m->nhit++];
	*hit = (struct mynumber_hit){.hash = h};
	for (int i = 3; i >= 0; i--, value /= 10)
		hit->last[i] = (char)('0' + value % 10);
	return hit;
}

static void name(struct mynumber_hit *hit)
{
	if (hit->doubtful)
		hit->weak = true;
	else
		hit->named = true;
}

void mynumber_judge(struct mynumber *m, uint64_t value, const struct mynumber_group *first,
	const struct mynumber_group *last)
{
	bool grouped = first->n != 12;
	bool right = mynumber_check_digit(value / 10) == value % 10;
	bool direct = m->word != 0 && first->at - m->word <= MYNUMBER_DIRECT;
	bool doubtful = first->doubtful || (is_dated(value, grouped) && !direct);
	uint64_t h = hash(m->options.key, value);

	if (value < 1000000 || repeats(value) || (!grouped && is_stamp(value)) || first->exempt) {
		m->nexempt += right;
		return;
	}
	if (is_new(m, h) && !doubtful) {
		m->nplain++;
		m->npassed += right;
	}
	struct mynumber_hit *hit = right ? hit_of(m, h, value) : NULL;
	if (hit == NULL)
		return;
	hit->at = last->end;
	hit->doubtful = doubtful;
	hit->plain = hit->plain || !doubtful;
	if (m->word != 0 && first->at - m->word <= MYNUMBER_NEAR)
		name(hit);
}

void mynumber_named(struct mynumber *m)
{
	for (uint32_t i = 0; i < m->nhit; i++)
		if (m->at - m->hit[i].at <= MYNUMBER_NEAR)
			name(&m->hit[i]);
}

static uint32_t at_most(uint32_t points, uint32_t most)
{
	return points < most ? points : most;
}

static void show(const struct mynumber *m, struct mynumber_report *ret, bool named)
{
	for (uint32_t i = 0; i < m->nhit && ret->nshown < MYNUMBER_SHOWN; i++) {
		const struct mynumber_hit *hit = &m->hit[i];
		bool near = hit->named || hit->weak;
		if (near != named || (!near && !hit->plain))
			continue;
		snprintf(ret->shown[ret->nshown], MYNUMBER_MASKED, "****-****-%.4s", hit->last);
		ret->nshown++;
	}
}

void mynumber_end(struct mynumber *m, struct mynumber_report *ret)
{
	uint32_t named = 0, weak = 0, alone = 0;

	mynumber_break(m);
	for (uint32_t i = 0; i < m->nhit; i++) {
		named += m->hit[i].named;
		weak += m->hit[i].weak && !m->hit[i].named;
		alone += m->hit[i].plain && !m->hit[i].named && !m->hit[i].weak;
	}
	bool many = alone >= MANY && m->npassed * 2 >= m->nplain;
	*ret = (struct mynumber_report){.hits = named + weak + alone, .named = named};
	ret->judged = m->njudged;
	ret->exempt = m->nexempt;
	ret->score = named * POINTS_NAMED + at_most(weak * POINTS_WEAK, POINTS_WEAK_MOST) +
		(many ? alone * POINTS_MANY : at_most(alone * POINTS_ALONE, POINTS_ALONE_MOST));
	show(m, ret, true);
	show(m, ret, false);
	explicit_bzero(m, sizeof(*m));
}
