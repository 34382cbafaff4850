/*
 * json.c: JSON writer (RFC 8259). Output is always valid UTF-8 and free of raw control characters.
 */
#include <sekisho/buf.h>
#include <sekisho/json.h>

#include <inttypes.h>
#include <string.h>

struct json json_init(struct buf *out)
{
	return (struct json){.out = out};
}

/*
 * Length of the valid UTF-8 sequence at s, 0 when there is none (RFC 3629: no surrogates, nothing beyond
 * U+10FFFF, no overlong forms).
 */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char lo, hi, second_lo, second_hi, len;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].lo || s[0] > forms[i].hi)
			continue;
		if (left < forms[i].len || s[1] < forms[i].second_lo || s[1] > forms[i].second_hi)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

static void put_char(struct buf *out, const unsigned char *s, size_t len)
{
	/* C1 controls (U+0080..U+009F) drive some terminals as ESC does. */
	bool c1 = len == 2 && s[0] == 0xc2 && s[1] < 0xa0;

	if (len == 0)
		buf_adds(out, "\xef\xbf\xbd");
	else if (s[0] == '"' || s[0] == '\\')
		buf_printf(out, "\\%c", s[0]);
	else if (s[0] < 0x20 || s[0] == 0x7f)
		buf_printf(out, "\\u%04x", s[0]);
	else if (c1)
		buf_printf(out, "\\u%04x", s[1]);
	else
		buf_add(out, s, len);
}

static void quote(struct buf *out, const char *value, size_t n)
{
	const unsigned char *s = (const unsigned char *)value;

	buf_addc(out, '"');
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(s + i, n - i);
		put_char(out, s + i, len);
		i += len == 0 ? 1 : len;
	}
	buf_addc(out, '"');
}

static void begin(struct json *j, const char *key)
{
	if (j->comma)
		buf_addc(j->out, ',');
	if (key != NULL) {
		quote(j->out, key, strlen(key));
		buf_addc(j->out, ':');
	}
	j->comma = true;
}

static void open_with(struct json *j, const char *key, char c)
{
	begin(j, key);
	buf_addc(j->out, c);
	j->comma = false;
}

static void close_with(struct json *j, char c)
{
	buf_addc(j->out, c);
	j->comma = true;
}

void json_object(struct json *j, const char *key)
{
	open_with(j, key, '{');
}

void json_object_end(struct json *j)
{
	close_with(j, '}');
}

void json_array(struct json *j, const char *key)
{
	open_with(j, key, '[');
}

void json_array_end(struct json *j)
{
	close_with(j, ']');
}

void json_strn(struct json *j, const char *key, const char *value, size_t n)
{
	begin(j, key);
	quote(j->out, value, n);
}

void json_str(struct json *j, const char *key, const char *value)
{
	if (value == NULL)
		json_null(j, key);
	else
		json_strn(j, key, value, strlen(value));
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	buf_printf(j->out, "%" PRId64, value);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	buf_printf(j->out, "%" PRIu64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	buf_adds(j->out, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin(j, key);
	buf_adds(j->out, "null");
}
