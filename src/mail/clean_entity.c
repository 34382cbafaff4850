/*
 * clean_entity.c: what becomes of each entity of the mail: text, container, or something that is removed and listed.
 *
 * Input: the events of mime.h. Nothing is guessed: what is ambiguous is opaque there and removed here. Of alternatives the
 * plain text is shown unless it is a stub beside a fuller HTML; mails within the mail are quoted to MAIL_QUOTE_DEPTH; what a
 * delivery report says is text, the mail that it returns is removed but for its header.
 */
#include "clean_private.h"

#include <strings.h>

#include <sekisho/i18n.h>

enum role {
	ROLE_NOTHING,
	ROLE_CONTAINER,
	ROLE_TEXT,
	ROLE_PART,
	ROLE_BLOCK,	/* header fields of a returned mail */
	ROLE_RETURNED,	/* ... and all of it is listed */
	ROLE_CALENDAR,	/* lines, and it is listed */
	ROLE_SEARCHED,	/* direction out: text that is listed and searched */
};

#define BLOCK_MAX (64u << 10)	 /* of a returned header: a long one */
#define CALENDAR_MAX (256u << 10) /* of an invitation */

static struct clean_frame *frame_of(struct clean *c, const struct mime_entity *e)
{
	return &c->frames[e->depth];
}

/* -- Which role ---------------------------------------------------------------------------------------------- */

static bool has_name(const struct mime_entity *e)
{
	return mime_entity_name(e)[0] != '\0';
}

static bool is_attached(const struct mime_entity *e)
{
	if (e->disposition == MIME_ATTACHMENT)
		return true;
	/* Some programs name the text of the mail itself. */
	return has_name(e) && e->parent_type != MIME_NONE && e->parent_type != MIME_MESSAGE_RFC822 &&
		e->parent_type != MIME_MULTIPART_ALTERNATIVE && e->parent_type != MIME_MULTIPART_RELATED;
}

/* Why a leaf that is no text of the mail is removed. */
static enum mailreport_why why_of(const struct mime_entity *e)
{
	static const uint8_t whys[] = {
		[MIME_UUENCODE] = MAILREPORT_WHY_UUENCODE, [MIME_YENC] = MAILREPORT_WHY_UUENCODE,
		[MIME_BINHEX] = MAILREPORT_WHY_UUENCODE, [MIME_MESSAGE_RFC822] = MAILREPORT_WHY_NESTED,
		[MIME_MESSAGE_PARTIAL] = MAILREPORT_WHY_PARTIAL, [MIME_MESSAGE_EXTERNAL_BODY] = MAILREPORT_WHY_EXTERNAL,
		[MIME_APPLICATION_MS_TNEF] = MAILREPORT_WHY_TNEF, [MIME_APPLICATION_VND_MS_TNEF] = MAILREPORT_WHY_TNEF,
		[MIME_APPLICATION_PKCS7_MIME] = MAILREPORT_WHY_ENCRYPTED,
		[MIME_APPLICATION_X_PKCS7_MIME] = MAILREPORT_WHY_ENCRYPTED,
		[MIME_APPLICATION_PKCS7_SIGNATURE] = MAILREPORT_WHY_SIGNATURE,
		[MIME_APPLICATION_X_PKCS7_SIGNATURE] = MAILREPORT_WHY_SIGNATURE,
		[MIME_APPLICATION_PGP_ENCRYPTED] = MAILREPORT_WHY_ENCRYPTED,
		[MIME_APPLICATION_PGP_SIGNATURE] = MAILREPORT_WHY_SIGNATURE,
		[MIME_APPLICATION_ICS] = MAILREPORT_WHY_ATTACHMENT,
	};

	if (e->opaque)
		return MAILREPORT_WHY_AMBIGUOUS;
	if (e->parent_type == MIME_MULTIPART_ENCRYPTED)
		return MAILREPORT_WHY_ENCRYPTED;
	if (e->type < sizeof(whys) && whys[e->type] != MAILREPORT_WHY_ATTACHMENT)
		return whys[e->type];
	if (e->disposition == MIME_ATTACHMENT || has_name(e))
		return e->parent_type == MIME_MULTIPART_RELATED && e->disposition != MIME_ATTACHMENT ? MAILREPORT_WHY_INLINE :
											       MAILREPORT_WHY_ATTACHMENT;
	if (e->parent_type == MIME_MULTIPART_ALTERNATIVE)
		return MAILREPORT_WHY_ALTERNATIVE;
	return e->parent_type == MIME_MULTIPART_RELATED ? MAILREPORT_WHY_INLINE : MAILREPORT_WHY_TYPE;
}

/* Text that a program made for a person: how a delivery went. */
static bool is_status(enum mime_type type)
{
	return type == MIME_MESSAGE_DELIVERY_STATUS || type == MIME_MESSAGE_DISPOSITION_NOTIFICATION ||
		type == MIME_MESSAGE_FEEDBACK_REPORT;
}

static enum role role_of_message(struct clean *c, const struct mime_entity *e)
{
	if (e->parent_type == MIME_MULTIPART_REPORT && c->options.direction == CLEAN_IN)
		return ROLE_RETURNED;
	return e->message < MAIL_QUOTE_DEPTH || c->options.direction == CLEAN_OUT ? ROLE_CONTAINER : ROLE_PART;
}

static enum role role_of(struct clean *c, const struct mime_entity *e)
{
	if (e->opaque)
		return ROLE_PART;
	if (mime_is_multipart(e->type))
		return ROLE_CONTAINER;
	if (e->type == MIME_MESSAGE_RFC822)
		return role_of_message(c, e);
	if (is_status(e->type))
		return ROLE_TEXT;
	if (e->type == MIME_TEXT_RFC822_HEADERS)
		return ROLE_BLOCK;
	bool readable = e->charset != CHARSET_UNKNOWN;
	if ((e->type == MIME_TEXT_PLAIN || e->type == MIME_TEXT_HTML) && !is_attached(e) && readable)
		return ROLE_TEXT;
	if (c->options.direction == CLEAN_OUT)
		return mime_is_text(e->type) && readable ? ROLE_SEARCHED : ROLE_PART;
	/* One invitation often comes twice, as a part and as a file. */
	bool again = e->type == MIME_APPLICATION_ICS && c->calendar.n > 0;
	return (e->type == MIME_TEXT_CALENDAR || e->type == MIME_APPLICATION_ICS) && !again ? ROLE_CALENDAR : ROLE_PART;
}

/* -- Texts --------------------------------------------------------------------------------------------------- */

static void begin_text(struct clean *c, const struct mime_entity *e, struct clean_frame *f)
{
	clean_text_gap(&c->text);
	f->kind = e->type == MIME_TEXT_HTML ? CLEAN_KIND_HTML : CLEAN_KIND_PLAIN;
	clean_capture_begin(c, e, &c->text);
}

static void say_unreadable(struct clean *c, const struct mime_entity *e)
{
	clean_text_gap(&c->text);
	clean_text_begin(&c->text, e->message, false);
	clean_text_say(&c->text, _("[Text in the charset \"%s\" cannot be shown here]\n"), e->charset_label);
	clean_text_end(&c->text);
}

static void begin_part(struct clean *c, const struct mime_entity *e)
{
	enum mailreport_why why = why_of(e);
	bool unreadable = !e->opaque && mime_is_text(e->type) && e->charset_named && e->charset == CHARSET_UNKNOWN &&
		!is_attached(e);

	if (unreadable) {
		why = MAILREPORT_WHY_CHARSET;
		if (c->options.direction == CLEAN_IN)
			say_unreadable(c, e);
	}
	clean_part_begin(c, e, why);
}

static enum mime_want begin_role(struct clean *c, const struct mime_entity *e, struct clean_frame *f)
{
	c->capture.n = f->role == ROLE_PART || f->role == ROLE_CONTAINER ? c->capture.n : 0;
	switch ((enum role)f->role) {
	case ROLE_CONTAINER:
		return MIME_DESCEND;
	case ROLE_TEXT:
		begin_text(c, e, f);
		break;
	case ROLE_PART:
	case ROLE_CALENDAR:
		begin_part(c, e);
		break;
	case ROLE_SEARCHED:
		clean_capture_begin(c, e, &c->text);
		clean_part_begin(c, e, why_of(e));
		break;
	case ROLE_RETURNED:
		clean_part_begin(c, e, MAILREPORT_WHY_RETURNED);
		break;
	case ROLE_BLOCK:
		break;
	case ROLE_NOTHING:
		return MIME_SKIP;
	}
	return MIME_BYTES;
}

/* The first entity of a mail within the mail: its header comes first. */
static void begin_inner(struct clean *c, const struct mime_entity *e)
{
	if (c->options.direction == CLEAN_IN)
		clean_inner_say(c, &c->inner, e->message, _("Attached mail"));
	else
		clean_inner_search(c, &c->inner);
}

static enum mime_want on_entity(void *arg, const struct mime_entity *e)
{
	struct clean *c = arg;
	struct clean_frame *f = frame_of(c, e);

	if (!c->header_done) {
		c->header_done = true;
		c->reason = clean_header_end(c);
	}
	if (e->parent_type == MIME_MESSAGE_RFC822)
		begin_inner(c, e);
	*f = (struct clean_frame){.type = e->type, .start = c->text.n, .role = role_of(c, e)};
	return begin_role(c, e, f);
}

static void on_field(void *arg, const struct mime_field *field)
{
	struct clean *c = arg;

	if (field->message == 0)
		clean_header_field(c, field);
	else
		clean_inner_field(&c->inner, field);
}

/* -- Bytes --------------------------------------------------------------------------------------------------- */

static void keep(struct clean *c, const uint8_t *bytes, size_t n, size_t max)
{
	size_t room = max - c->capture.n;

	n = n < room ? n : room;
	memcpy(c->raw + c->capture.n, bytes, n);
	c->capture.n += n;
}

static void on_bytes(void *arg, const struct mime_entity *e, const uint8_t *bytes, size_t n)
{
	struct clean *c = arg;

	switch ((enum role)frame_of(c, e)->role) {
	case ROLE_TEXT:
		clean_capture_push(c, bytes, n);
		break;
	case ROLE_PART:
		clean_part_push(c, bytes, n);
		break;
	case ROLE_BLOCK:
		keep(c, bytes, n, BLOCK_MAX);
		break;
	case ROLE_RETURNED:
		keep(c, bytes, n, BLOCK_MAX);
		clean_part_push(c, bytes, n);
		break;
	case ROLE_CALENDAR:
		keep(c, bytes, n, CALENDAR_MAX);
		clean_part_push(c, bytes, n);
		break;
	case ROLE_SEARCHED:
		clean_capture_push(c, bytes, n);
		clean_part_push(c, bytes, n);
		break;
	case ROLE_NOTHING:
	case ROLE_CONTAINER:
		break;
	}
}

/* -- Ends ---------------------------------------------------------------------------------------------------- */

/* Text that is not shown: the first `n` bytes from `at` are taken out. */
static void take_out(struct clean_text *t, size_t at, size_t n)
{
	memmove(t->data + at, t->data + at + n, t->n - at - n);
	t->n -= n;
}

/* Both forms are there: one stays. */
static void choose(struct clean *c, struct clean_frame *f)
{
	const char *plain = c->text.data + f->plain.at, *html = c->text.data + f->html.at;
	bool stub = clean_is_stub(plain, f->plain.n, html, f->html.n);

	if (stub)
		c->report.flags |= MAIL_FLAG(STUB);
	else if (clean_differ(c, plain, f->plain.n, html, f->html.n))
		c->report.flags |= MAIL_FLAG(DIFFER);
	const struct clean_range *out = stub ? &f->plain : &f->html;
	f->kind = stub ? CLEAN_KIND_HTML : CLEAN_KIND_PLAIN;
	take_out(&c->text, out->at, out->n);
	if (out->at == 0 && c->text.n > 2 && c->text.data[0] == '\r') /* the empty line between them */
		take_out(&c->text, 0, 2);
}

/* A child of an alternative has given its text: the first plain one and the first HTML are kept for the choice. */
static void end_alternative(struct clean *c, struct clean_frame *parent, const struct clean_frame *child)
{
	struct clean_range *range = child->kind == CLEAN_KIND_HTML ? &parent->html : &parent->plain;
	size_t n = c->text.n - child->start;

	if (n == 0)
		return;
	if (range->there) {
		c->text.n = child->start;
		return;
	}
	*range = (struct clean_range){child->start, n, true};
}

static void end_container(struct clean *c, const struct mime_entity *e, struct clean_frame *f)
{
	if (f->type == MIME_MESSAGE_RFC822 && c->options.direction == CLEAN_OUT)
		clean_part_mail(c, e);
	if (f->type == MIME_MULTIPART_ALTERNATIVE && f->plain.there && f->html.there)
		choose(c, f);
	if (f->type == MIME_MULTIPART_REPORT)
		c->report.flags |= MAIL_FLAG(BOUNCE);
}

static void end_block(struct clean *c, const struct mime_entity *e)
{
	struct clean_inner inner = {0};

	clean_inner_block(&inner, c->raw, c->capture.n);
	if (c->options.direction == CLEAN_IN)
		clean_inner_say(c, &inner, e->message, _("The mail that this is about"));
	else
		clean_inner_search(c, &inner);
}

static void end_role(struct clean *c, const struct mime_entity *e, struct clean_frame *f, mime_flags body)
{
	switch ((enum role)f->role) {
	case ROLE_CONTAINER:
		end_container(c, e, f);
		break;
	case ROLE_TEXT:
		clean_capture_end(c, body);
		break;
	case ROLE_PART:
		clean_part_end(c, e, body);
		break;
	case ROLE_BLOCK:
		end_block(c, e);
		break;
	case ROLE_RETURNED:
		end_block(c, e);
		clean_part_end(c, e, body);
		break;
	case ROLE_CALENDAR:
		clean_calendar(c, c->raw, c->capture.n);
		clean_part_end(c, e, body);
		break;
	case ROLE_SEARCHED:
		clean_capture_end(c, body);
		clean_part_end(c, e, body);
		break;
	case ROLE_NOTHING:
		break;
	}
}

static void on_end(void *arg, const struct mime_entity *e, mime_flags body)
{
	struct clean *c = arg;
	struct clean_frame *f = frame_of(c, e);

	end_role(c, e, f, body);
	if (mime_is_multipart(e->type) && e->outside > 0 && !e->opaque)
		c->report.flags |= MAIL_FLAG(OUTSIDE);
	if (e->depth == 0)
		return;
	struct clean_frame *parent = f - 1;
	if (parent->role == ROLE_CONTAINER && parent->type == MIME_MULTIPART_ALTERNATIVE)
		end_alternative(c, parent, f);
	else if (f->kind > parent->kind && parent->role == ROLE_CONTAINER)
		parent->kind = f->kind;
}

const struct mime_handler clean_handler = {
	.field = on_field, .entity = on_entity, .bytes = on_bytes, .end = on_end,
};
