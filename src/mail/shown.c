/*
 * shown.c: names of files as people see them (shown.h). Input: bytes of strangers. No state, never fails.
 */
#include "shown.h"

#include <string.h>

#include <sekisho/mailtext.h>

struct sink {
	char *out;
	size_t n, most;
	bool cut;
};

static void take(void *arg, const char *utf8, size_t n)
{
	struct sink *s = arg;
	size_t room = s->most - s->n;

	s->cut = s->cut || n > room;
	n = n < room ? n : room;
	memcpy(s->out + s->n, utf8, n);
	s->n += n;
}

/* Without a character at the end that is cut: UTF-8 that came from mailtext is valid. */
static size_t whole(const char *s, size_t n)
{
	size_t i = n;

	while (i > 0 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0)
		return 0;
	unsigned char lead = (unsigned char)s[i - 1];
	size_t need = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	return i - 1 + need <= n ? n : i - 1;
}

size_t shown_name(enum charset charset, const uint8_t *bytes, size_t n, char *out, size_t most, bool *ret_odd)
{
	char utf8[DECODER_OUT(SHOWN_RAW_MAX)];
	struct sink sink = {.out = out, .most = most, .cut = n > SHOWN_RAW_MAX};
	struct decoder d;
	struct mailtext filter;

	n = n < SHOWN_RAW_MAX ? n : SHOWN_RAW_MAX;
	decoder_begin(&d, charset);
	size_t have = decoder_push(&d, bytes, n, utf8);
	mailtext_begin(&filter, &(struct mailtext_options){.sink = take, .arg = &sink, .visible = true, .one_line = true});
	mailtext_put(&filter, utf8, have);
	have = decoder_end(&d, utf8);
	mailtext_put(&filter, utf8, have);
	mailtext_end(&filter);
	if (d.errors != 0 || filter.dropped != 0 || filter.replaced != 0 || sink.cut || sink.n == 0)
		*ret_odd = true;
	size_t kept = sink.cut ? whole(out, sink.n) : sink.n;
	out[kept] = '\0';
	return kept;
}

enum charset shown_charset(const uint8_t *bytes, size_t n)
{
	bool high = false, kana = true;

	for (size_t i = 0; i < n; i++) {
		high = high || bytes[i] >= 0x80;
		kana = kana && (bytes[i] < 0x80 || (bytes[i] >= 0xa1 && bytes[i] <= 0xdf));
	}
	if (!high)
		return CHARSET_UTF_8;
	return kana ? CHARSET_SHIFT_JIS : charset_settle(CHARSET_UTF_8, bytes, n);
}
