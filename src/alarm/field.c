/*
 * field.c: header fields and the body of a mail (see field.h).
 *
 * Standards: RFC 5322 (fields, dates, folding), RFC 2047 (encoded words: 75 characters at most, whole characters in each),
 * RFC 2045 6.8 (base64, 76 columns).
 */
#include "field.h"

#include <string.h>
#include <time.h>

#include <sekisho/mailtext.h>

/* "=?UTF-8?B?" + 60 + "?=" is 72 characters: 45 bytes of text. The first one stands behind the name of the field. */
#define WORD_BYTES 45u
#define FIRST_BYTES 33u
#define LINE_BYTES 57u /* 76 columns */

static void take(void *arg, const char *utf8, size_t n)
{
	buf_add(arg, utf8, n);
}

void field_shown(struct buf *out, const char *text)
{
	const struct mailtext_options o = {.sink = take, .arg = out, .visible = true, .one_line = true, .defang = true};
	struct mailtext t;

	mailtext_begin(&t, &o);
	mailtext_put(&t, text, strlen(text));
	mailtext_end(&t);
}

static void base64(struct buf *out, const char *text, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)text;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
		buf_addc(out, digits[v >> 18]);
		buf_addc(out, digits[v >> 12 & 63]);
		buf_addc(out, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_addc(out, i + 2 < n ? digits[v & 63] : '=');
	}
}

static bool is_plain(const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0'; n++)
		if ((unsigned char)text[n] < 0x20 || (unsigned char)text[n] > 0x7e)
			return false;
	return n <= WORD_BYTES && strstr(text, "=?") == NULL;
}

/* At most `most` bytes, whole characters. */
static size_t piece(const char *text, size_t most)
{
	size_t n = strlen(text);

	if (n <= most)
		return n;
	for (n = most; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n > 0 ? n : most;
}

static void words(struct buf *out, const char *text)
{
	size_t most = FIRST_BYTES;

	while (*text != '\0') {
		size_t n = piece(text, most);
		if (most == WORD_BYTES)
			buf_adds(out, "\r\n ");
		buf_adds(out, "=?UTF-8?B?");
		base64(out, text, n);
		buf_adds(out, "?=");
		text += n;
		most = WORD_BYTES;
	}
}

void field_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "%s: ", name);
	if (is_plain(text))
		buf_adds(out, text);
	else
		words(out, text);
	buf_adds(out, "\r\n");
}

void field_mailbox(struct buf *out, const char *name, const char *display, const char *address)
{
	buf_printf(out, "%s: ", name);
	words(out, display);
	buf_printf(out, "\r\n <%s>\r\n", address);
}

static struct tm local(int64_t at, int32_t offset)
{
	time_t t = (time_t)(at + offset);
	struct tm tm;

	gmtime_r(&t, &tm);
	return tm;
}

void field_date(struct buf *out, int64_t at, int32_t offset)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
		"Dec"};
	struct tm tm = local(at, offset);
	int32_t east = offset < 0 ? -offset : offset;

	buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d %c%02d%02d\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, offset < 0 ? '-' : '+', (int)(east / 3600),
		(int)(east / 60 % 60));
}

void field_body(struct buf *out, const char *text, size_t n)
{
	struct buf lines = {0};

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			buf_addc(&lines, '\r');
		buf_addc(&lines, text[i]);
	}
	for (size_t at = 0; at < lines.len; at += LINE_BYTES) {
		base64(out, (const char *)lines.data + at, lines.len - at < LINE_BYTES ? lines.len - at : LINE_BYTES);
		buf_adds(out, "\r\n");
	}
	buf_free(&lines);
}

const char *field_time(int64_t at, int32_t offset, char *buf)
{
	struct tm tm = local(at, offset);

	if (strftime(buf, FIELD_TIME, "%m-%d %H:%M:%S", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

const char *field_minute(int64_t at, int32_t offset, char *buf)
{
	struct tm tm = local(at, offset);

	if (strftime(buf, FIELD_TIME, "%Y-%m-%d %H:%M", &tm) == 0)
		buf[0] = '\0';
	return buf;
}
