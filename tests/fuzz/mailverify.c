/*
 * mailverify.c (fuzz): any bytes. How they are cut makes no difference; only whole lines are ever proven; and what is
 * accepted keeps, by a second and simpler look, the promises that the gate rests on.
 */
#include <sekisho/mailverify.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mailverify verify(const uint8_t *data, size_t size, size_t piece, bool private_use)
{
	struct mailverify v;
	size_t have = 0, at = 0;

	mailverify_begin(&v, &(struct mailverify_options){1 << 21, private_use});
	while (v.reason == MAILVERIFY_OK && at + have < size) {
		have = have + piece < size - at ? have + piece : size - at;
		size_t proven = mailverify_push(&v, data + at, have);
		if (proven > have || (proven > 0 && data[at + proven - 1] != '\n'))
			abort();
		at += proven;
		have -= proven;
	}
	if (v.offset < at || v.offset > size)
		abort();
	mailverify_end(&v, have);
	return v;
}

/* Lines of printable ASCII that end in CR LF, none of which is a dot; one empty line; what stands behind it is Base64. */
static void check_lines(const uint8_t *p, size_t n)
{
	size_t length = 0, empty = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r') {
			if (i + 1 >= n || p[i + 1] != '\n' || length > 320)
				abort();
			empty += length == 0;
			length = 0;
			i++;
			continue;
		}
		bool strange = empty > 0 && strchr(" :-_?<>.", p[i]) != NULL;
		if (p[i] < 0x20 || p[i] > 0x7e || (length == 0 && p[i] == '.') || strange)
			abort();
		length++;
	}
	if (length != 0 || empty != 1)
		abort();
}

static size_t count(const uint8_t *p, size_t n, const char *what)
{
	size_t found = 0, len = strlen(what);

	for (size_t i = 0; i + len <= n; i++)
		found += memcmp(p + i, what, len) == 0;
	return found;
}

/* One type, one encoding, each a line of its own. */
static void check_header(const uint8_t *p, size_t n)
{
	if (count(p, n, "\r\nContent-Type: text/plain; charset=UTF-8\r\n") != 1 || count(p, n, "\r\nContent-Type:") != 1 ||
		count(p, n, "\r\nContent-Transfer-Encoding: base64\r\n\r\n") != 1 || count(p, n, "\r\nContent-") != 2 ||
		count(p, n, "\r\n\t") != 0 || count(p, n, "From: ") < 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool private_use = size > 0 && (data[size / 2] & 1) != 0;
	struct mailverify whole = verify(data, size, size, private_use);
	struct mailverify bytes = verify(data, size, 1, private_use), some = verify(data, size, 61, private_use);

	if (whole.reason != bytes.reason || whole.offset != bytes.offset || whole.reason != some.reason ||
		whole.offset != some.offset)
		abort();
	if (whole.reason != MAILVERIFY_OK)
		return 0;
	check_lines(data, size);
	check_header(data, size);
	/* A beginning of it is no mail unless it ends with a line, and a line more is never one. */
	if (verify(data, size - 1, size, private_use).reason == MAILVERIFY_OK)
		abort();
	return 0;
}
