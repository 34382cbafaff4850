/*
 * mime_body.c: the bytes of a body on their way to the handler: transfer decoding, and files inside text cut out.
 *
 * What nobody wants is only counted.
 */
#include "base64.h"
#include "mime_private.h"
#include "quoted_printable.h"
#include "uuencode.h"

/* So much is decoded at a time: it fits into m->out with what the decoders held back. */
#define SLICE (MIME_OUT - MAIL_BASE64_TAIL - MAIL_QP_BLANKS - 16)

/* A file inside the text is the top frame: the text is the one below. */
static struct mime_frame *body_frame(struct mime *m)
{
	return &m->frames[m->depth - (m->uu.open ? 1 : 0)];
}

static enum mime_encoding body_encoding(const struct mime_frame *f)
{
	return f->entity.opaque || mime_is_multipart(f->entity.type) || f->entity.type == MIME_MESSAGE_RFC822
		? MIME_BINARY : f->entity.encoding;
}

void mime_body_begin(struct mime *m)
{
	struct mime_frame *f = mime_top(m);

	base64_begin(&m->base64);
	qp_begin(&m->qp);
	uuencode_begin(&m->uu);
	m->uu.wanted = f->want == MIME_BYTES && !f->entity.opaque && f->entity.type == MIME_TEXT_PLAIN &&
		(f->entity.charset < CHARSET_UTF_16 || f->entity.charset > CHARSET_UTF_16BE);
}

void mime_body_give(struct mime *m, struct mime_frame *f, const uint8_t *p, size_t n)
{
	f->entity.decoded += n;
	if (n > 0 && f->want == MIME_BYTES && m->handler.bytes != NULL)
		m->handler.bytes(m->arg, &f->entity, p, n);
}

/* Decoded. */
static void give(struct mime *m, const uint8_t *p, size_t n)
{
	if (m->uu.wanted)
		uuencode_push(m, p, n);
	else
		mime_body_give(m, mime_top(m), p, n);
}

void mime_body_push(struct mime *m, const uint8_t *p, size_t n)
{
	struct mime_frame *f = body_frame(m);
	enum mime_encoding encoding = body_encoding(f);

	f->entity.raw += n;
	if (f->want != MIME_BYTES)
		return;
	if (encoding == MIME_7BIT && (f->body & MIME_FLAG(BODY_8BIT)) == 0 && mime_line_8bit(p, n))
		f->body |= MIME_FLAG(BODY_8BIT);
	if (encoding != MIME_BASE64 && encoding != MIME_QUOTED_PRINTABLE) {
		give(m, p, n);
		return;
	}
	while (n > 0 && !mime_is_refused(m)) {
		size_t slice = n < SLICE ? n : SLICE;
		size_t got = encoding == MIME_BASE64 ? base64_push(&m->base64, p, slice, m->out)
						     : qp_push(&m->qp, p, slice, m->out);
		give(m, m->out, got);
		p += slice;
		n -= slice;
	}
}

void mime_body_end(struct mime *m)
{
	struct mime_frame *f = body_frame(m);
	enum mime_encoding encoding = body_encoding(f);

	if (f->want != MIME_BYTES)
		return;
	if (encoding == MIME_BASE64) {
		give(m, m->out, base64_end(&m->base64, m->out));
		f->body |= m->base64.flags;
	} else if (encoding == MIME_QUOTED_PRINTABLE) {
		give(m, m->out, qp_end(&m->qp, m->line_end, m->out));
		f->body |= m->qp.flags & ~(mime_is_text(f->entity.type) ? 0 : MIME_FLAG(QP_CONTROL));
	}
	if (m->uu.wanted && !mime_is_refused(m))
		uuencode_end(m);
}
