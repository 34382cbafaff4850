/*
 * clean_field.c: writes the fields of a header: tokens, folded (RFC 5322), text in encoded words (RFC 2047).
 *
 * The grammar is that of rootfs/doc/mail-output.md: what cannot be written in it is not written. Input: text that passed the
 * filter of mailtext.h, addresses and ids that mime_header.h took apart; each is looked at once more before it is written.
 * Limits: the size of the memory; a token that does not fit is left out whole.
 */
#include "clean_private.h"

#define LINE 76u
#define LINE_ONE 320u /* of a line with one token, an address or id */
#define WORD_OPEN "=?UTF-8?B?"
#define WORD_AROUND 12u /* and "?=" */
#define WORD_MAX 75u
#define PLAIN_TOKEN 60u

void clean_field_begin(struct clean_field *f, char *out, size_t max, const char *name)
{
	memset(f, 0, sizeof(*f));
	f->out = out;
	f->max = max - 3; /* the last line end, and room for a comma */
	f->n = strlen(name);
	memcpy(out, name, f->n);
	out[f->n++] = ':';
	f->column = f->n;
}

static bool put(struct clean_field *f, const char *s, size_t n)
{
	if (f->n + n > f->max)
		return false;
	memcpy(f->out + f->n, s, n);
	f->n += n;
	f->column += n;
	return true;
}

static bool fold(struct clean_field *f)
{
	if (!put(f, "\r\n", 2))
		return false;
	f->column = 0;
	return true;
}

/* One byte is kept free for the comma that may follow. The first token stands beside the name, however long. */
bool clean_field_token(struct clean_field *f, const char *token, size_t n)
{
	struct clean_field before = *f;
	bool first = f->tokens == 0;

	bool good = (first || f->column + 1 + n + 1 <= LINE || fold(f)) && put(f, " ", 1) && put(f, token, n) &&
		(f->column < LINE || f->column < LINE_ONE);
	if (!good)
		*f = before;
	f->tokens += good;
	return good;
}

/* -- Text ---------------------------------------------------------------------------------------------------- */

static bool is_plain(const char *s, size_t n, bool atoms)
{
	size_t token = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == ' ') {
			if (token == 0 || i + 1 == n)
				return false;
			token = 0;
		} else if (s[i] < '!' || s[i] > '~' || (atoms && !clean_is_atext(s[i])) || ++token > PLAIN_TOKEN ||
			(s[i] == '?' && i > 0 && s[i - 1] == '=')) {
			return false;
		}
	}
	return n > 0;
}

static bool put_plain(struct clean_field *f, const char *s, size_t n)
{
	for (size_t i = 0, end; i < n; i = end + 1) {
		const char *blank = memchr(s + i, ' ', n - i);
		end = blank == NULL ? n : (size_t)(blank - s);
		if (!clean_field_token(f, s + i, end - i))
			return false;
	}
	return true;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t encode_word(char out[WORD_MAX], const char *s, size_t n)
{
	size_t at = sizeof(WORD_OPEN) - 1;

	memcpy(out, WORD_OPEN, at);
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)s[i] << 16;
		v |= i + 1 < n ? (uint32_t)(uint8_t)s[i + 1] << 8 : 0;
		v |= i + 2 < n ? (uint8_t)s[i + 2] : 0;
		out[at++] = digits[v >> 18];
		out[at++] = digits[v >> 12 & 63];
		out[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		out[at++] = i + 2 < n ? digits[v & 63] : '=';
	}
	memcpy(out + at, "?=", 2);
	return at + 2;
}

/* As many of the bytes at s as make whole characters within `room`. */
static size_t whole(const char *s, size_t n, size_t room)
{
	if (n <= room)
		return n;
	while (room > 0 && (s[room] & 0xc0) == 0x80)
		room--;
	return room;
}

static bool put_words(struct clean_field *f, const char *s, size_t n)
{
	char word[WORD_MAX];

	while (n > 0) {
		size_t room = f->column + 1 + WORD_AROUND + 8 < LINE ? LINE - 1 - f->column - 1 - WORD_AROUND : 0;
		size_t take = whole(s, n, room / 4 * 3);
		if (take == 0) { /* a new line */
			size_t most = WORD_MAX - 1 - WORD_AROUND;
			take = whole(s, n, most / 4 * 3);
		}
		if (!clean_field_token(f, word, encode_word(word, s, take)))
			return false;
		s += take;
		n -= take;
	}
	return true;
}

bool clean_field_text(struct clean_field *f, const char *utf8, size_t n, bool atoms)
{
	struct clean_field before = *f;

	bool good = is_plain(utf8, n, atoms) ? put_plain(f, utf8, n) : put_words(f, utf8, n);
	if (!good)
		*f = before;
	return good;
}

/* -- Addresses ----------------------------------------------------------------------------------------------- */

bool clean_field_mailbox(struct clean_field *f, const char *display, const char *address)
{
	struct clean_field before = *f;
	char token[LINE_ONE];
	size_t n = strlen(address);

	bool good = n + 4 < sizeof(token);
	if (good && f->count > 0)
		good = put(f, ",", 1);
	if (good && display[0] != '\0')
		good = clean_field_text(f, display, strlen(display), true);
	if (good) {
		token[0] = '<';
		memcpy(token + 1, address, n);
		token[n + 1] = '>';
		good = clean_field_token(f, token, n + 2);
	}
	if (!good) {
		*f = before;
		f->full = true;
		return false;
	}
	f->count++;
	return true;
}

void clean_field_end(struct clean_field *f)
{
	f->max += 3;
	put(f, "\r\n", 2);
}
