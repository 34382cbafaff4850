/*
 * test_ranges: range and rectangle arithmetic against counting: small spaces, every point asked.
 */
#include "../../../src/nft/ranges.h"
#include "test.h"

#include <stdint.h>

static struct addr point(unsigned n)
{
	struct addr a = {.family = 4, .b = {10, 0, (uint8_t)(n >> 8), (uint8_t)n}};

	return a;
}

static struct addr_range span(unsigned lo, unsigned hi)
{
	return (struct addr_range){point(lo), point(hi)};
}

static uint32_t seed = 1;
static unsigned dice(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8 & 0xffff ? (seed >> 8) % n : 0;
}

static size_t owners(const struct ranges *r, unsigned p, void **tag)
{
	struct addr a = point(p);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (range_has(&r->v[i].range, &a)) {
			n++;
			*tag = r->v[i].tag;
		}
	}
	return n;
}

/* Who comes first wins, nothing twice, nothing lost. */
static void test_add(void)
{
	int tags[40];
	unsigned wrong = 0;

	for (unsigned round = 0; round < 200; round++) {
		struct ranges r = {.arena = arena_new()};
		void *first[64] = {NULL};
		for (unsigned i = 0; i < 12; i++) {
			unsigned lo = dice(64), hi = lo + dice(64 - lo);
			struct addr_range s = span(lo, hi);
			ranges_add(&r, &s, &tags[i]);
			for (unsigned p = lo; p <= hi; p++)
				first[p] = first[p] == NULL ? &tags[i] : first[p];
		}
		ranges_sort(&r);
		for (unsigned p = 0; p < 64; p++) {
			void *tag = NULL;
			size_t n = owners(&r, p, &tag);
			wrong += n != (first[p] != NULL) || tag != first[p];
		}
		for (size_t i = 1; i < r.n; i++)
			wrong += addr_cmp(&r.v[i - 1].range.hi, &r.v[i].range.lo) >= 0;
		arena_free(r.arena);
	}
	CHECK_INT(wrong, 0);
}

static void test_without(void)
{
	unsigned wrong = 0;

	for (unsigned round = 0; round < 200; round++) {
		struct ranges holes = {.arena = arena_new()}, out = {.arena = holes.arena};
		int tag;
		for (unsigned i = 0; i < 5; i++) {
			unsigned lo = dice(60);
			struct addr_range s = span(lo, lo + dice(4));
			ranges_add(&holes, &s, NULL);
		}
		ranges_sort(&holes);
		unsigned lo = dice(64), hi = lo + dice(64 - lo);
		struct addr_range s = span(lo, hi);
		ranges_without(&out, &s, &holes, &tag);
		for (unsigned p = 0; p < 70; p++) {
			void *got = NULL, *none = NULL;
			bool want = p >= lo && p <= hi && owners(&holes, p, &none) == 0;
			wrong += owners(&out, p, &got) != want || (want && got != &tag);
		}
		arena_free(holes.arena);
	}
	CHECK_INT(wrong, 0);
}

static void test_ends_of_space(void)
{
	struct ranges holes = {.arena = arena_new()}, out = {.arena = holes.arena};
	struct addr_range all;

	ranges_add_text(&holes, "0.0.0.0/8", NULL);
	ranges_add_text(&holes, "240.0.0.0-255.255.255.255", NULL);
	ranges_sort(&holes);
	CHECK(prefix_parse("0.0.0.0/0", NULL, NULL, &all));
	ranges_without(&out, &all, &holes, NULL);
	CHECK_INT(out.n, 1);
	char text[ADDR_TEXT_MAX];
	CHECK_STR(range_format(&out.v[0].range, text), "1.0.0.0-239.255.255.255");
	arena_free(holes.arena);
}

static bool covered(const struct rects *r, unsigned s, unsigned d, size_t *times)
{
	struct addr src = point(s), dst = point(d);

	*times = 0;
	for (size_t i = 0; i < r->n; i++)
		*times += range_has(&r->v[i].src, &src) && range_has(&r->v[i].dst, &dst);
	return *times > 0;
}

static void test_rects(void)
{
	unsigned wrong = 0;

	for (unsigned round = 0; round < 60; round++) {
		struct rects r = {.arena = arena_new()};
		bool want[24][24] = {{false}};
		for (unsigned i = 0; i < 8; i++) {
			unsigned s = dice(24), sh = s + dice(24 - s), d = dice(24), dh = d + dice(24 - d);
			rects_add(&r, &(struct rect){span(s, sh), span(d, dh)});
			for (unsigned x = s; x <= sh; x++)
				for (unsigned y = d; y <= dh; y++)
					want[x][y] = true;
		}
		for (unsigned x = 0; x < 24; x++) {
			for (unsigned y = 0; y < 24; y++) {
				size_t times;
				bool got = covered(&r, x, y, &times);
				wrong += got != want[x][y] || times > 1;
			}
		}
		arena_free(r.arena);
	}
	CHECK_INT(wrong, 0);
}

int main(void)
{
	test_add();
	test_without();
	test_ends_of_space();
	test_rects();
	return test_end();
}
