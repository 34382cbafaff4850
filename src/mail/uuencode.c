/*
 * uuencode.c: files inside text: uuencode (POSIX), yEnc 1.3, BinHex 4.0 (RFC 1741).
 *
 * Mail programs show such a block as a file, so it is an entity of its own and no text. A block begins with its first
 * line and, for the two that a sentence could begin like ("begin 2 x"), one good line of data after it; else all of it
 * stays text. It ends with its last line. A line that is none of it ends it as well, flagged, and is text again.
 *
 * Input: decoded text of strangers, cut anywhere. State: struct uuencode. Lines: MAIL_UU_LINE, longer ones are text.
 */
#include "uuencode.h"

#include "mime_private.h"

#include <ctype.h>
#include <string.h>

enum uu_state {
	UU_TEXT,
	UU_BEGIN, /* a first line is in begin */
	UU_BLOCK,
};

static const char yenc[] = "=ybegin ", binhex[] = "(This file must be converted with BinHex";

void uuencode_begin(struct uuencode *u)
{
	memset(u, 0, offsetof(struct uuencode, line));
}

static void text(struct mime *m, const uint8_t *p, size_t n)
{
	mime_body_give(m, mime_top(m), p, n);
}

/* Bytes of a line without its end. */
static size_t bare(const uint8_t *line, size_t n)
{
	if (n > 0 && line[n - 1] == '\n')
		n--;
	return n > 0 && line[n - 1] == '\r' ? n - 1 : n;
}

/* -- Uuencode ------------------------------------------------------------------------------------------------ */

/* Where the name is in "begin 644 name"; 0: it is no such line. */
static size_t uu_name(const uint8_t *line, size_t n)
{
	size_t i = 6;

	if (n < 11 || memcmp(line, "begin ", 6) != 0)
		return 0;
	while (i < n && line[i] >= '0' && line[i] <= '7')
		i++;
	return (i == 9 || i == 10) && i + 1 < n && line[i] == ' ' && line[i + 1] != ' ' ? i + 1 : 0;
}

/* How many bytes a line of data holds; 0: it is none. A checksum of one character may follow. */
static unsigned uu_length(const uint8_t *line, size_t n)
{
	if (n < 2 || line[0] <= ' ' || line[0] >= '`')
		return 0;
	unsigned length = line[0] - 32u;
	size_t need = 1 + (length + 2) / 3 * 4;
	if (n != need && n != need + 1)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (line[i] < ' ' || line[i] > '`')
			return 0;
	return length;
}

static void uu_decode(struct mime *m, const uint8_t *line, unsigned length)
{
	uint8_t out[66];
	size_t n = 0;

	for (size_t i = 1; n < length; i += 4) {
		uint32_t bits = 0;
		for (size_t j = i; j < i + 4; j++)
			bits = bits << 6 | ((line[j] - 32u) & 63);
		out[n++] = (uint8_t)(bits >> 16);
		out[n++] = (uint8_t)(bits >> 8);
		out[n++] = (uint8_t)bits;
	}
	mime_body_give(m, mime_top(m), out, length);
}

/* A line within a block: true while the block goes on with it. */
static bool uu_line(struct mime *m, const uint8_t *line, size_t n)
{
	unsigned length = uu_length(line, n);

	if (m->uu.last)
		return false;
	if (length > 0)
		uu_decode(m, line, length);
	else if (n == 0 || (n == 1 && (line[0] == '`' || line[0] == ' ')))
		m->uu.last = true;
	else
		return false;
	return true;
}

/* -- BinHex ---------------------------------------------------------------------------------------------------- */

static bool binhex_line(const uint8_t *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] <= ' ' || line[i] > 'r')
			return false;
	return n > 0;
}

/* -- Blocks ------------------------------------------------------------------------------------------------------ */

static enum mime_type opens(const uint8_t *line, size_t n)
{
	if (uu_name(line, n) > 0)
		return MIME_UUENCODE;
	if (n >= sizeof(yenc) - 1 && memcmp(line, yenc, sizeof(yenc) - 1) == 0 &&
		memmem(line, n, " size=", 6) != NULL && memmem(line, n, " name=", 6) != NULL)
		return MIME_YENC;
	if (n >= sizeof(binhex) - 1 && memcmp(line, binhex, sizeof(binhex) - 1) == 0)
		return MIME_BINHEX;
	return MIME_NONE;
}

/* The line so far may become one that opens a block. */
static bool may_open(const uint8_t *line, size_t n)
{
	static const char *const begins[] = {"begin ", yenc, binhex};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t length = strlen(begins[i]);
		if (memcmp(line, begins[i], n < length ? n : length) == 0)
			return true;
	}
	return false;
}

static void block_begin(struct mime *m, enum mime_type kind, const uint8_t *line, size_t n)
{
	const uint8_t *name = NULL, *end = line + n;

	if (!mime_frame_begin(m, MIME_TEXT_PLAIN))
		return;
	struct mime_frame *f = mime_top(m);
	f->entity.type = kind;
	f->entity.disposition = MIME_ATTACHMENT;
	if (kind == MIME_UUENCODE)
		name = line + uu_name(line, n);
	else if (kind == MIME_YENC)
		name = (const uint8_t *)memmem(line, n, " name=", 6) + 6;
	if (name != NULL)
		mime_entity_name_set(m, f, MIME_FILENAME, name, (size_t)(end - name));
	f->want = m->handler.entity(m->arg, &f->entity);
	if (f->want == MIME_DESCEND)
		f->want = MIME_BYTES;
	m->uu.open = true;
	m->uu.last = false;
	m->uu.kind = (uint8_t)kind;
	m->uu.state = UU_BLOCK;
}

static void block_end(struct mime *m, bool broken)
{
	if (broken)
		mime_top(m)->body |= MIME_FLAG(UU_BROKEN);
	mime_frame_end(m);
	m->uu.open = false;
	m->uu.state = UU_TEXT;
}

/* A whole line of text. */
static void text_line(struct mime *m, const uint8_t *line, size_t n)
{
	struct uuencode *u = &m->uu;
	enum mime_type kind = line[n - 1] == '\n' ? opens(line, bare(line, n)) : MIME_NONE;

	u->middle = line[n - 1] != '\n';
	if (kind == MIME_NONE) {
		text(m, line, n);
	} else if (kind == MIME_YENC) {
		block_begin(m, kind, line, bare(line, n));
	} else {
		memcpy(u->begin, line, n);
		u->nbegin = (uint16_t)n;
		u->kind = (uint8_t)kind;
		u->state = UU_BEGIN;
	}
}

/* The line after a first line, or one within the block. */
static void block_line(struct mime *m, const uint8_t *line, size_t n)
{
	struct uuencode *u = &m->uu;
	size_t length = bare(line, n);
	bool good = false;

	mime_top(m)->entity.raw += n;
	if (u->kind == MIME_UUENCODE) {
		if (length == 3 && memcmp(line, "end", 3) == 0) {
			block_end(m, false);
			return;
		}
		good = uu_line(m, line, length);
	} else if (u->kind == MIME_YENC) {
		if (length >= 5 && memcmp(line, "=yend", 5) == 0) {
			block_end(m, false);
			return;
		}
		mime_body_give(m, mime_top(m), line, n);
		good = true;
	} else if (binhex_line(line, length)) {
		mime_body_give(m, mime_top(m), line, n);
		good = true;
		if (line[length - 1] == ':' && (length > 1 || u->last)) {
			block_end(m, false);
			return;
		}
		u->last = true;
	}
	if (!good) {
		block_end(m, true);
		text_line(m, line, n);
	}
}

/* The line after a first line decides what it was. */
static void second_line(struct mime *m, const uint8_t *line, size_t n)
{
	struct uuencode *u = &m->uu;
	size_t length = bare(line, n);
	bool good = u->kind == MIME_UUENCODE ? uu_length(line, length) > 0
					     : length > 1 && line[0] == ':' && binhex_line(line, length);

	if (good && line[n - 1] == '\n') {
		block_begin(m, (enum mime_type)u->kind, u->begin, bare(u->begin, u->nbegin));
		if (!mime_is_refused(m))
			block_line(m, line, n);
		return;
	}
	u->state = UU_TEXT;
	text(m, u->begin, u->nbegin);
	text_line(m, line, n);
}

/* Text up to a line that may open a block; returns where it stopped. */
static const uint8_t *run(struct mime *m, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *newline, *next = p;

	m->uu.middle = true;
	while ((newline = memchr(next, '\n', (size_t)(end - next))) != NULL) {
		next = newline + 1;
		if (next == end || *next == 'b' || *next == '=' || *next == '(') {
			m->uu.middle = false;
			break;
		}
	}
	if (newline == NULL)
		next = end;
	text(m, p, (size_t)(next - p));
	return next;
}

/* More of the line that is waited for: true when it is complete, or as long as it may be. */
static bool collect(struct uuencode *u, const uint8_t **p, const uint8_t *end)
{
	size_t n = sizeof(u->line) - u->nline;

	if ((size_t)(end - *p) < n)
		n = (size_t)(end - *p);
	const uint8_t *newline = memchr(*p, '\n', n);
	if (newline != NULL)
		n = (size_t)(newline + 1 - *p);
	memcpy(u->line + u->nline, *p, n);
	u->nline += (uint16_t)n;
	*p += n;
	return newline != NULL || u->nline == sizeof(u->line);
}

static void line_take(struct mime *m)
{
	size_t n = m->uu.nline;

	m->uu.nline = 0;
	if (m->uu.state == UU_BLOCK)
		block_line(m, m->uu.line, n);
	else if (m->uu.state == UU_BEGIN)
		second_line(m, m->uu.line, n);
	else
		text_line(m, m->uu.line, n);
}

void uuencode_push(struct mime *m, const uint8_t *p, size_t n)
{
	struct uuencode *u = &m->uu;
	const uint8_t *end = p + n;

	while (p < end && !mime_is_refused(m)) {
		bool candidate = !u->middle && (*p == 'b' || *p == '=' || *p == '(');
		if (u->state == UU_TEXT && u->nline == 0 && !candidate)
			p = run(m, p, end);
		else if (collect(u, &p, end) || (u->state == UU_TEXT && !may_open(u->line, u->nline)))
			line_take(m);
	}
}

void uuencode_end(struct mime *m)
{
	struct uuencode *u = &m->uu;

	if (u->nline > 0)
		line_take(m);
	if (mime_is_refused(m))
		return;
	if (u->open)
		block_end(m, true);
	else if (u->state == UU_BEGIN)
		text(m, u->begin, u->nbegin);
}
