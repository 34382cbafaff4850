/*
 * html.c (fuzz): whatever bytes come in, valid UTF-8 without controls, bidirectional marks or links comes out, not more than
 * was allowed, and the same however the input is cut. Of the bytes as HTML, and as plain text through the filter alone.
 */
#include <sekisho/html.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MIN 4096u /* half of the inputs may give no more: what happens at the limit */
#define TEXT_MAX 65536u
#define PLAIN_MAX 8192u /* a byte may become "[U+FFFF]" */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct out {
	char text[TEXT_MAX + 1];
	size_t n;
};

static void take(void *arg, const char *utf8, size_t n)
{
	struct out *o = arg;

	if (n > TEXT_MAX - o->n)
		abort();
	memcpy(o->text + o->n, utf8, n);
	o->n += n;
}

static uint32_t decode(const char **p, const char *end)
{
	const uint8_t *s = (const uint8_t *)*p;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};

	if ((size_t)(end - *p) < n || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		abort();
	uint32_t v = s[0] & mask[n];
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			abort();
		v = v << 6 | (s[i] & 0x3f);
	}
	if (v < least[n] || v - 0xd800 < 0x800 || v > 0x10ffff)
		abort();
	*p += n;
	return v;
}

static void check(struct out *o)
{
	const char *p = o->text, *end = o->text + o->n;

	while (p < end) {
		uint32_t v = decode(&p, end);
		if ((v < 0x20 && v != '\n' && v != '\t') || (v >= 0x7f && v < 0xa0) || (v >= 0x202a && v <= 0x202e) ||
			(v >= 0x2066 && v <= 0x2069) || (v >= 0x200b && v <= 0x200f) || v == 0xfeff || v == 0xad)
			abort();
	}
	o->text[o->n] = '\0';
	if (strstr(o->text, "http://") != NULL || strstr(o->text, "https://") != NULL)
		abort();
}

static void convert(struct out *o, const uint8_t *data, size_t size, size_t step)
{
	static struct html html;
	size_t most = size & 2 ? TEXT_MIN : TEXT_MAX;

	o->n = 0;
	html_begin(&html, &(struct html_options){.text = take, .arg = o, .text_max = most, .english = size & 1});
	for (size_t i = 0; i < size; i += step)
		html_push(&html, (const char *)data + i, size - i < step ? size - i : step);
	html_end(&html);
	if (o->n > most)
		abort();
	check(o);
}

static void filter(struct out *o, const uint8_t *data, size_t size, size_t step)
{
	static struct mailtext filter;

	o->n = 0;
	mailtext_begin(&filter, &(struct mailtext_options){.sink = take, .arg = o, .visible = size & 1, .one_line = size & 2,
		.defang = true});
	for (size_t i = 0; i < size; i += step)
		mailtext_put(&filter, (const char *)data + i, size - i < step ? size - i : step);
	mailtext_end(&filter);
	check(o);
}

static void same(const struct out *a, const struct out *b)
{
	if (a->n != b->n || memcmp(a->text, b->text, a->n) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out whole, pieces;

	convert(&whole, data, size, size + 1);
	convert(&pieces, data, size, 1);
	same(&whole, &pieces);
	convert(&pieces, data, size, size % 29 + 2);
	same(&whole, &pieces);
	if (size > PLAIN_MAX)
		return 0;
	filter(&whole, data, size, size + 1);
	filter(&pieces, data, size, 1);
	same(&whole, &pieces);
	return 0;
}
