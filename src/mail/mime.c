/*
 * mime.c: the structure of a mail (RFC 5322, RFC 2045-2046) by one pass over its bytes.
 *
 * Three states: the header of the top frame, the body of the top frame, or what is outside the parts of a multipart. Bodies go
 * through in runs of many lines; a run ends where a line begins with "--", and such a line is
 * compared with the boundaries that are open, byte by byte: the whole line, but for blanks at its end, is "--boundary" or
 * "--boundary--". RFC 2046 would take a line that only begins so; which programs do, and which don't, is where two
 * of them see two mails, so such a line is text, and flagged. The line end before a boundary belongs to it: the last
 * one of each run is held back.
 *
 * Input: the bytes of strangers, cut anywhere. Limits: mail_limits.h; past them the mail is refused. Memory: struct mime.
 */
#include "mime_private.h"

#include <errno.h>
#include <string.h>

void mime_flag_entity(struct mime *m, struct mime_frame *f, mime_flags flags)
{
	f->entity.flags |= flags;
	m->flags |= flags;
}

void mime_refuse(struct mime *m, enum mime_flag why)
{
	if (mime_is_refused(m))
		return;
	m->refusal = why;
	m->flags |= UINT64_C(1) << why;
}

/* -- Frames ---------------------------------------------------------------------------------------------------- */

static void entity_clear(struct mime_entity *e)
{
	memset(e, 0, offsetof(struct mime_entity, media));
	e->media[0] = e->charset_label[0] = e->method[0] = e->report_type[0] = '\0';
	e->protocol[0] = e->smime_type[0] = e->component[0] = '\0';
	for (unsigned i = 0; i < MIME_NAMES; i++) {
		e->names[i].there = false;
		e->names[i].nraw = 0;
		e->names[i].text[0] = '\0';
	}
	e->raw = e->decoded = e->outside = 0;
}

bool mime_frame_begin(struct mime *m, enum mime_type parent)
{
	bool first = m->parts == 0;

	if (m->parts == MAIL_PARTS)
		mime_refuse(m, MIME_BIT_PARTS);
	else if (!first && m->depth >= MAIL_DEPTH && parent != MIME_TEXT_PLAIN)
		mime_refuse(m, MIME_BIT_DEPTH);
	if (mime_is_refused(m))
		return false;
	uint16_t above = mime_top(m)->entity.index;
	if (!first) {
		mime_top(m)->children++;
		m->depth++;
	}
	struct mime_frame *f = mime_top(m);
	entity_clear(&f->entity);
	f->entity.index = m->parts++;
	f->entity.parent = first ? 0 : above;
	f->entity.parent_type = parent;
	f->entity.depth = m->depth;
	f->entity.message = m->message;
	f->boundary.n = 0;
	f->state = FRAME_FRESH;
	f->want = MIME_SKIP;
	f->children = 0;
	f->body = 0;
	f->fields = f->header_bytes = 0;
	f->seen = 0;
	f->is_message = false;
	return true;
}

/* A message begins: the top one, or that of the top frame. */
static void message_begin(struct mime *m, enum mime_type parent)
{
	if (parent != MIME_NONE)
		m->message++;
	if (!mime_frame_begin(m, parent))
		return;
	mime_top(m)->is_message = true;
	m->seen = 0;
	m->state = MIME_HEADER;
}

void mime_frame_end(struct mime *m)
{
	struct mime_frame *f = mime_top(m);

	if (f->boundary.n > 0 && f->state != FRAME_CLOSED)
		f->body |= MIME_FLAG(UNCLOSED);
	if (f->boundary.n > 0 && f->children == 0)
		f->body |= MIME_FLAG(NO_PARTS);
	m->flags |= f->body;
	f->entity.flags |= f->body;
	if (m->handler.end != NULL)
		m->handler.end(m->arg, &f->entity, f->body);
	if (f->is_message && m->depth > 0)
		m->message--;
	if (m->depth > 0)
		m->depth--;
}

/* What is above frame i ends. A header that has no end yet is taken for complete, which may begin a message in its turn. */
static void frames_end(struct mime *m, unsigned i)
{
	while (!mime_is_refused(m)) {
		if (m->state == MIME_HEADER) {
			mime_field_end(m);
			mime_flag_entity(m, mime_top(m), MIME_FLAG(HEADER_UNFINISHED));
			mime_header_end(m);
		} else if (m->state == MIME_BODY) {
			mime_body_end(m);
			m->state = MIME_OUTSIDE;
		} else if (m->depth > i) {
			mime_frame_end(m);
		} else {
			break;
		}
	}
}

void mime_header_end(struct mime *m)
{
	struct mime_frame *f = mime_top(m);

	if (!mime_is_refused(m))
		mime_entity_settle(m, f);
	if (mime_is_refused(m))
		return;
	f->want = m->handler.entity(m->arg, &f->entity);
	m->state = MIME_BODY;
	bool descend = f->want == MIME_DESCEND && !f->entity.opaque;
	if (descend && f->boundary.n > 0) {
		m->state = MIME_OUTSIDE;
		return;
	}
	f->boundary.n = 0;
	if (descend && f->entity.type == MIME_MESSAGE_RFC822) {
		message_begin(m, MIME_MESSAGE_RFC822);
		return;
	}
	if (f->want == MIME_DESCEND)
		f->want = MIME_BYTES;
	mime_body_begin(m);
}

/* -- Boundaries ------------------------------------------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The line "--..." without its line end is a boundary of frame f: 1, its last: 2. */
static int boundary_match(const struct mime_frame *f, const uint8_t *line, size_t n)
{
	const struct mime_boundary *b = &f->boundary;

	if (b->n == 0 || n < b->n || memcmp(line, b->text, b->n) != 0)
		return 0;
	return n == b->n ? 1 : n == b->n + 2u && memcmp(line + b->n, "--", 2) == 0 ? 2 : 0;
}

static bool boundary_near(const struct mime_frame *f, const uint8_t *line, size_t n)
{
	return f->boundary.n > 0 && n > f->boundary.n && memcmp(line, f->boundary.text, f->boundary.n) == 0;
}

static void part_begin(struct mime *m)
{
	mime_top(m)->state = FRAME_PARTS;
	if (mime_frame_begin(m, mime_top(m)->entity.type))
		m->state = MIME_HEADER;
}

static void boundary_take(struct mime *m, unsigned i, bool last)
{
	m->line_end = m->neol > 0;
	m->neol = 0;
	frames_end(m, i);
	m->line_end = false;
	if (mime_is_refused(m))
		return;
	struct mime_frame *f = mime_top(m);
	if (f->state == FRAME_CLOSED) {
		f->body |= MIME_FLAG(AFTER_CLOSE);
		f->entity.outside += m->nline;
	} else if (last) {
		f->state = FRAME_CLOSED;
	} else {
		part_begin(m);
	}
}

/* The candidate is complete. */
static bool candidate_match(struct mime *m)
{
	size_t n = m->nline;

	if (n > 0 && m->line[n - 1] == '\n')
		n--;
	if (n > 0 && m->line[n - 1] == '\r')
		n--;
	while (n > 0 && is_blank(m->line[n - 1]))
		n--;
	/* A multipart's own boundary counts when its header is complete. */
	unsigned frames = m->depth + (m->state == MIME_HEADER ? 0u : 1u);
	for (unsigned i = frames; i-- > 0 && n > 2;) {
		int match = boundary_match(&m->frames[i], m->line + 2, n - 2);
		if (match != 0) {
			boundary_take(m, i, match == 2);
			m->nline = 0;
			return true;
		}
	}
	for (unsigned i = 0; i < frames && n > 2; i++)
		if (boundary_near(&m->frames[i], m->line + 2, n - 2))
			m->frames[i].body |= MIME_FLAG(BOUNDARY_NEAR);
	return false;
}

enum mime_candidate mime_candidate(struct mime *m, const uint8_t **p, const uint8_t *end)
{
	while (m->nline < 2) {
		if (*p == end)
			return MIME_MORE;
		if (**p != '-')
			return MIME_NO_MATCH;
		m->line[m->nline++] = *(*p)++;
	}
	size_t room = sizeof(m->line) - m->nline, n = (size_t)(end - *p) < room ? (size_t)(end - *p) : room;
	const uint8_t *newline = memchr(*p, '\n', n);
	if (newline != NULL)
		n = (size_t)(newline + 1 - *p);
	memcpy(m->line + m->nline, *p, n);
	m->nline += (uint16_t)n;
	*p += n;
	if (newline != NULL)
		return candidate_match(m) ? MIME_MATCH : MIME_NO_MATCH;
	return m->nline == sizeof(m->line) ? MIME_NO_MATCH : MIME_MORE;
}

/* -- Bodies ------------------------------------------------------------------------------------------------------ */

static void content(struct mime *m, const uint8_t *p, size_t n)
{
	if (n == 0)
		return;
	if (m->state == MIME_BODY)
		mime_body_push(m, p, n);
	else
		mime_top(m)->entity.outside += n;
}

static void content_held(struct mime *m)
{
	content(m, m->eol, m->neol);
	m->neol = 0;
}

/* A line that is no boundary for sure. */
static bool is_ordinary(const uint8_t *line, const uint8_t *end)
{
	return line[0] != '-' || (end - line > 1 && line[1] != '-');
}

/* Whole lines from p, in the middle of a line, to the last one before a line that may be a boundary, or to the end. What is
 * held back is put into m->eol. */
static const uint8_t *run(struct mime *m, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *newline, *next = p;

	while ((newline = memchr(next, '\n', (size_t)(end - next))) != NULL) {
		next = newline + 1;
		if (next < end && is_ordinary(next, end))
			continue;
		size_t neol = newline > p && newline[-1] == '\r' ? 2 : 1;
		content(m, p, (size_t)(next - p) - neol);
		memcpy(m->eol, next - neol, neol);
		m->neol = (uint8_t)neol;
		m->bol = true;
		return next;
	}
	size_t held = end > p && end[-1] == '\r' ? 1 : 0;
	content(m, p, (size_t)(end - p) - held);
	m->eol[0] = '\r';
	m->neol = (uint8_t)held;
	return end;
}

/* Takes up to a line that may be a boundary; returns where it stopped. */
static const uint8_t *body_push(struct mime *m, const uint8_t *p, const uint8_t *end)
{
	if (!m->bol && m->neol == 1 && m->eol[0] == '\r' && *p == '\n') { /* CR | LF */
		m->eol[1] = *p++;
		m->neol = 2;
		m->bol = true;
		return p;
	}
	if (m->bol && (m->nline > 0 || !is_ordinary(p, end))) {
		enum mime_candidate found = mime_candidate(m, &p, end);
		if (found != MIME_NO_MATCH)
			return p;
		/* A line like any other. Its end, if it has one, is held back like any other. */
		content_held(m);
		uint16_t n = m->nline;
		m->nline = 0;
		m->bol = false;
		run(m, m->line, m->line + n);
		return p;
	}
	content_held(m);
	m->bol = false;
	return run(m, p, end);
}

/* -- Push ---------------------------------------------------------------------------------------------------------- */

void mime_begin(struct mime *m, const struct mime_handler *handler, void *arg)
{
	m->flags = 0;
	m->refusal = MIME_FLAG_END;
	m->handler = *handler;
	m->arg = arg;
	m->bol = true;
	m->neol = 0;
	m->previous = 0;
	m->ends = 0;
	m->message = 0;
	m->parts = 0;
	m->depth = 0;
	m->nline = 0;
	m->nfield = m->field_line = 0;
	m->nfolds = 0;
	m->field_cr = false;
	m->line_end = false;
	message_begin(m, MIME_NONE);
}

static void push(struct mime *m, const uint8_t *p, const uint8_t *end)
{
	while (p < end && !mime_is_refused(m)) {
		if (m->state == MIME_HEADER)
			p = mime_field_push(m, p, end);
		else
			p = body_push(m, p, end);
	}
}

static int result(const struct mime *m)
{
	return mime_is_refused(m) ? -EBADMSG : 0;
}

int mime_push(struct mime *m, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (n == 0 || mime_is_refused(m))
		return result(m);
	if (m->handler.tolerant) {
		mime_line_tolerant(p, n, m->previous, &m->ends);
		push(m, p, p + n);
	} else {
		enum mime_flag why;
		size_t good = mime_line_strict(p, n, m->previous, &why);
		push(m, p, p + good);
		if (why != MIME_FLAG_END)
			mime_refuse(m, why);
	}
	m->previous = p[n - 1];
	return result(m);
}

/* What waited for more. */
static void flush(struct mime *m)
{
	if (m->nline > 0 && !candidate_match(m)) {
		uint16_t n = m->nline;
		m->nline = 0;
		if (m->state == MIME_HEADER) {
			mime_field_push(m, m->line, m->line + n);
		} else {
			content_held(m);
			content(m, m->line, n);
		}
	}
	if (m->state != MIME_HEADER && !mime_is_refused(m))
		content_held(m);
}

int mime_end(struct mime *m)
{
	if (!m->handler.tolerant && m->previous == '\r')
		mime_refuse(m, MIME_BIT_BARE_CR);
	if (mime_is_refused(m))
		return result(m);
	if (m->ends & MIME_ENDS_NUL)
		m->flags |= MIME_FLAG(NUL);
	if (m->ends & MIME_ENDS_CR || m->previous == '\r')
		m->flags |= MIME_FLAG(BARE_CR);
	if ((m->ends & (MIME_ENDS_CRLF | MIME_ENDS_LF)) == (MIME_ENDS_CRLF | MIME_ENDS_LF))
		m->flags |= MIME_FLAG(BARE_LF);
	flush(m);
	frames_end(m, 0);
	if (!mime_is_refused(m))
		mime_frame_end(m);
	return result(m);
}
