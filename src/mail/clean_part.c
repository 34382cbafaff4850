/*
 * clean_part.c: a part that does not reach the text: what it is, how large, its hash, what is in it.
 *
 * Input: decoded bytes of a part; attachment.h looks at them. Names are text of strangers, filtered, one line. Nothing of
 * the content is kept. Limits: MAILREPORT_PARTS parts are described, the others counted; CLEAN_ITEMS lines on an archive.
 */
#include "clean_private.h"

#include <stdio.h>

#include <sekisho/i18n.h>
#include <sekisho/unset.h>

#define EVERY_TEXT                                                                                             \
	(ATTACHMENT_DOCX | ATTACHMENT_XLSX | ATTACHMENT_PPTX | ATTACHMENT_ODF | ATTACHMENT_TXT | ATTACHMENT_CSV | \
		ATTACHMENT_ANY)

/* Whole characters of a name, in less than `size` bytes. */
static void copy_name(char *out, size_t size, const char *name)
{
	size_t n = strlen(name);

	if (n >= size) {
		n = size - 1;
		while (n > 0 && (name[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, name, n);
	out[n] = '\0';
}

/* A name that is not the one that is shown first. */
static const char *other_name(const struct mime_entity *e, const char *name)
{
	for (size_t i = 0; i < MIME_NAMES; i++)
		if (e->names[i].there && e->names[i].text[0] != '\0' && strcmp(e->names[i].text, name) != 0)
			return e->names[i].text;
	return "";
}

/* -- What is in it ------------------------------------------------------------------------------------------- */

void clean_size_text(uint64_t size, char out[32])
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)size), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

static void take_item(void *arg, const struct attachment_item *item)
{
	struct clean *c = arg;
	char size[32];

	if (c->options.direction == CLEAN_OUT) {
		mynumber_push(&c->mynumber, item->name, item->nname);
		mynumber_break(&c->mynumber);
		return;
	}
	if (c->nitems++ >= CLEAN_ITEMS)
		return;
	clean_size_text(item->size, size);
	clean_text_say(&c->items, _("      - %.*s (%s bytes)"), (int)item->nname, item->name, size);
	if (item->flags & ZIP_ENCRYPTED)
		clean_text_say(&c->items, " [%s]", _("encrypted"));
	if (item->flags & ZIP_PROGRAM)
		clean_text_say(&c->items, " [%s]", _("program"));
	clean_text_put(&c->items, "\n", 1);
}

static void take_text(void *arg, const char *utf8, size_t n)
{
	struct clean *c = arg;
	struct clean_text *t = &c->attached;

	if (!c->attached_open) {
		clean_text_gap(t);
		clean_text_begin(t, 0, c->options.private_use);
		if (c->options.direction == CLEAN_IN)
			clean_text_say(t, "---- %s: %s ----\n", _("Text of the attached file"), c->part_name);
		c->attached_open = true;
	}
	c->report.text_bytes += n;
	clean_text_put(t, utf8, n);
}

/* In direction out everything that can be read is searched; text parts come by clean_capture.c. */
static unsigned text_of(const struct clean *c, const struct mime_entity *e)
{
	if (c->options.direction == CLEAN_IN)
		return c->options.attachment_text;
	return mime_is_text(e->type) ? 0 : EVERY_TEXT;
}

void clean_part_begin(struct clean *c, const struct mime_entity *e, enum mailreport_why why)
{
	const char *name = mime_entity_name(e);
	struct attachment_options o = {.name = name, .nname = strlen(name), .text_of = text_of(c, e),
		.declared = e->charset_named ? e->charset : CHARSET_UNKNOWN, .private_use = c->options.private_use,
		.text_max = c->options.direction == CLEAN_IN ? CLEAN_TEXT_MAX : SIZE_MAX, .allowance = &c->allowance, .arg = c,
		.item = take_item, .text = take_text};

	c->why = why;
	c->part_open = true;
	c->attached_open = false;
	c->nitems = 0;
	copy_name(c->part_name, sizeof(c->part_name), name);
	if (c->options.direction == CLEAN_OUT) {
		mynumber_push(&c->mynumber, c->part_name, strlen(c->part_name));
		mynumber_break(&c->mynumber);
	}
	c->items.n = 0;
	clean_text_begin(&c->items, 0, c->options.private_use);
	attachment_begin(c->attachment, &o);
}

void clean_part_push(struct clean *c, const uint8_t *bytes, size_t n)
{
	attachment_push(c->attachment, bytes, n);
}

/* -- What it was --------------------------------------------------------------------------------------------- */

/* What people call an attachment, and what could carry something out. */
static bool is_attached(enum mailreport_why why)
{
	return why != MAILREPORT_WHY_SIGNATURE && why != MAILREPORT_WHY_ALTERNATIVE && why != MAILREPORT_WHY_RETURNED;
}

static uint64_t flags_of(const struct mailreport_part *p)
{
	static const struct {
		uint32_t flag;
		uint64_t is;
	} table[] = {
		{ATTACHMENT_ENCRYPTED, MAIL_FLAG(ENCRYPTED)}, {ATTACHMENT_MACROS, MAIL_FLAG(MACRO)},
		{ATTACHMENT_PROGRAM, MAIL_FLAG(EXECUTABLE)},
		{ATTACHMENT_BROKEN | ATTACHMENT_BOMB | ATTACHMENT_PATH, MAIL_FLAG(BROKEN_ARCHIVE)},
		{ATTACHMENT_UNFIT | ATTACHMENT_DRESSED, MAIL_FLAG(TYPE_DIFFERS)}, {ATTACHMENT_TRUNCATED, MAIL_FLAG(TRUNCATED)},
	};
	static const uint64_t whys[MAILREPORT_WHY_END] = {
		[MAILREPORT_WHY_AMBIGUOUS] = MAIL_FLAG(AMBIGUOUS), [MAILREPORT_WHY_CHARSET] = MAIL_FLAG(CHARSET_UNKNOWN),
		[MAILREPORT_WHY_NESTED] = MAIL_FLAG(NESTED), [MAILREPORT_WHY_PARTIAL] = MAIL_FLAG(EXTERNAL),
		[MAILREPORT_WHY_EXTERNAL] = MAIL_FLAG(EXTERNAL), [MAILREPORT_WHY_ENCRYPTED] = MAIL_FLAG(ENCRYPTED),
		[MAILREPORT_WHY_SIGNATURE] = MAIL_FLAG(SIGNED), [MAILREPORT_WHY_UUENCODE] = MAIL_FLAG(UUENCODE),
		[MAILREPORT_WHY_TNEF] = MAIL_FLAG(TNEF),
	};
	uint64_t flags = whys[p->why];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		flags |= p->flags & table[i].flag ? table[i].is : 0;
	return flags;
}

static void count_part(struct clean *c, const struct mailreport_part *p)
{
	struct mailreport *r = &c->report;

	r->flags |= flags_of(p);
	if (!(p->marks & MAILREPORT_ATTACHED))
		return;
	r->attachments++;
	r->attachments_bytes += p->size;
	r->attachments_encrypted += (p->flags & ATTACHMENT_ENCRYPTED) != 0;
	r->attachments_executable += (p->flags & ATTACHMENT_PROGRAM) != 0;
	r->attachments_macro += (p->flags & ATTACHMENT_MACROS) != 0;
}

static void fill(struct clean *c, struct mailreport_part *p, const struct mime_entity *e, const struct attachment_report *a)
{
	memset(p, 0, sizeof(*p));
	copy_name(p->name, sizeof(p->name), c->part_name);
	copy_name(p->other, sizeof(p->other), other_name(e, mime_entity_name(e)));
	snprintf(p->declared, sizeof(p->declared), "%.*s", (int)sizeof(p->declared) - 1, e->media);
	memcpy(p->sha256, a->sha256, sizeof(p->sha256));
	p->size = a->size;
	p->flags = a->flags;
	p->kind = (uint16_t)a->kind;
	p->entries = a->items;
	p->why = (uint8_t)c->why;
	p->depth = e->message;
	if (c->why == MAILREPORT_WHY_ENCRYPTED)
		p->flags |= ATTACHMENT_ENCRYPTED;
	p->marks = (is_attached(c->why) ? MAILREPORT_ATTACHED : 0) | (p->other[0] != '\0' ? MAILREPORT_NAMES_DIFFER : 0) |
		(a->text > 0 && c->attached_open ? MAILREPORT_TEXT_TAKEN : 0);
}

#define DAMAGED (MIME_FLAG(BASE64_BROKEN) | MIME_FLAG(BASE64_CUT) | MIME_FLAG(QP_BROKEN))

/* Describes it in the report, and in the list. */
static void list_part(struct clean *c, const struct mime_entity *e, const struct attachment_report *a, mime_flags body)
{
	struct mailreport_part spare UNSET, *p = c->report.shown < MAILREPORT_PARTS ? &c->parts[c->report.shown] : &spare;

	fill(c, p, e, a);
	if (body & DAMAGED)
		p->marks |= MAILREPORT_CUT;
	c->report.parts_total++;
	count_part(c, p);
	if (p == &spare) {
		c->report.flags |= MAIL_FLAG(MANY_PARTS);
		return;
	}
	c->report.shown++;
	if (c->options.direction == CLEAN_IN)
		clean_notice_part(c, p);
}

void clean_part_mail(struct clean *c, const struct mime_entity *e)
{
	c->why = MAILREPORT_WHY_MAIL;
	c->attached_open = false;
	copy_name(c->part_name, sizeof(c->part_name), mime_entity_name(e));
	list_part(c, e, &(struct attachment_report){.kind = SNIFF_MAIL, .size = e->raw}, 0);
}

void clean_part_end(struct clean *c, const struct mime_entity *e, mime_flags body)
{
	struct attachment_report a;

	attachment_end(c->attachment, &a);
	c->part_open = false;
	clean_text_end(&c->items);
	if (c->attached_open)
		clean_text_end(&c->attached);
	if (c->attached.full)
		c->report.flags |= MAIL_FLAG(TRUNCATED);
	if (a.size > 0 || c->part_name[0] != '\0') /* an empty part without a name is nothing */
		list_part(c, e, &a, body);
}
