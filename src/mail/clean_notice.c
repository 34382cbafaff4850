/*
 * clean_notice.c: what stands behind the text: what was removed, what to beware of, the receipt number, where the original is.
 *
 * Input: the report, and texts of strangers in it (names, ids), which have passed the filter. The notice is always the last
 * thing in the mail, so that nothing in the mail can follow it. Limits: CLEAN_NOTICE_MAX; parts that do not fit are counted.
 */
#include "clean_private.h"

#include <stdio.h>

#include <sekisho/i18n.h>

#define RULE "------------------------------------------------------------\n"

/* -- One removed part, at its end ---------------------------------------------------------------------------- */

static void say_hash(struct clean_text *t, const uint8_t hash[32])
{
	char text[65];

	for (size_t i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	clean_text_say(t, "    SHA-256: %s\n", text);
}

/* What people should know of it; encrypted content has a line of its own. */
static void say_flags(struct clean_text *t, uint32_t flags)
{
	const uint32_t quiet = ATTACHMENT_ENCRYPTED | ATTACHMENT_ARCHIVE | ATTACHMENT_TRUNCATED;

	if (flags & ATTACHMENT_ENCRYPTED)
		clean_text_say(t, "    %s\n", _("The content cannot be checked (encrypted)"));
	for (unsigned i = 0; attachment_flag_word(i) != NULL; i++)
		if (flags & ~quiet & 1u << i)
			clean_text_say(t, "    %s: %s\n", _("Caution"), _(attachment_flag_text(i)));
}

static void say_items(struct clean *c, struct clean_text *t, const struct mailreport_part *p)
{
	if (p->entries == 0 || c->items.n == 0 || sniff_type(p->kind)->traits & SNIFF_IS_OFFICE)
		return; /* what a document is made of helps nobody */
	clean_text_say(t, _("    Content (%u):\n"), p->entries);
	clean_text_put(t, c->items.data, c->items.n);
	if (c->nitems > CLEAN_ITEMS)
		clean_text_say(t, _("      - and %u more\n"), c->nitems - CLEAN_ITEMS);
}

void clean_notice_part(struct clean *c, const struct mailreport_part *p)
{
	struct clean_text *t = &c->list;
	char size[32];

	clean_size_text(p->size, size);
	clean_text_begin(t, 0, c->options.private_use);
	clean_text_say(t, "%2u. %s\n", c->report.shown, p->name[0] != '\0' ? p->name : _("(no name)"));
	if (p->other[0] != '\0')
		clean_text_say(t, _("    Other name: %s\n"), p->other);
	clean_text_say(t, _("    Type: %s (declared as %s), %s bytes\n"), _(sniff_type(p->kind)->text),
		p->declared[0] != '\0' ? p->declared : "-", size);
	say_hash(t, p->sha256);
	clean_text_say(t, _("    Removed because: %s\n"), _(mailreport_why_text(p->why)));
	say_flags(t, p->flags);
	say_items(c, t, p);
	clean_text_end(t);
	if (t->full)
		c->report.flags |= MAIL_FLAG(MANY_PARTS);
}

/* -- The whole ----------------------------------------------------------------------------------------------- */

/* What the letters stand for, where they can be no other name's. */
static void say_punycode(const struct clean *c, struct clean_text *t)
{
	char shown[IDN_SHOWN_MAX + 1];

	for (unsigned i = 0; i < c->header.npunycode; i++) {
		const char *domain = c->header.punycode[i];
		if (idn_shown(domain, strlen(domain), shown) > 0)
			clean_text_say(t, "\n      %s = %s", domain, shown);
		else
			clean_text_say(t, "\n      %s", domain);
	}
}

static void say_warnings(struct clean *c, struct clean_text *t)
{
	bool first = true;

	for (unsigned i = 0; i < MAIL_FLAG_END; i++) {
		if (!(c->report.flags >> i & 1) || !mail_flag_said(i))
			continue;
		if (first)
			clean_text_say(t, "%s\n", _("Caution:"));
		first = false;
		clean_text_say(t, "  - %s", _(mail_flag_text(i)));
		if (i == MAIL_FLAG_HIDDEN)
			clean_text_say(t, _(" (%u characters)"), c->report.hidden);
		else if (i == MAIL_FLAG_DECEPTIVE)
			clean_text_say(t, _(" (%u places)"), c->report.deceptive);
		else if (i == MAIL_FLAG_PUNYCODE)
			say_punycode(c, t);
		clean_text_put(t, "\n", 1);
	}
}

static void say_original(struct clean *c, struct clean_text *t)
{
	char date[MIME_DATE_TEXT] = "";

	if (c->options.original == CLEAN_ORIGINAL_COPIED)
		clean_text_say(t, "%s\n", _("The original: in the mailbox for originals on the internet side, with this receipt number in its subject."));
	if (c->options.original != CLEAN_ORIGINAL_UPSTREAM)
		return;
	clean_text_say(t, "%s\n", _("The original: the gate keeps none. Ask whoever runs the mail server on the internet side, with:"));
	if (c->header.date.year != 0)
		mime_date_text(&c->header.date, date);
	clean_text_say(t, "    Message-ID: %s\n", c->report.message_id[0] != '\0' ? c->report.message_id : "-");
	clean_text_say(t, _("    Sender: %s\n"), c->header.from_text);
	clean_text_say(t, _("    Time: %s\n"), date[0] != '\0' ? date : "-");
}

static void write_piece(struct clean *c, const struct clean_text *t)
{
	clean_output_base64(&c->output, t->data, t->n);
}

void clean_notice_write(struct clean *c)
{
	struct clean_text *t = &c->notice;

	clean_text_begin(t, 0, c->options.private_use);
	clean_text_say(t, RULE "%s\n", _("The mail gate has made plain text of this mail."));
	clean_text_say(t, _("Receipt number: %s\n"), c->report.receipt);
	if (c->report.parts_total > 0)
		clean_text_say(t, _("Removed (%u):\n"), c->report.parts_total);
	clean_text_end(t);
	write_piece(c, t);
	write_piece(c, &c->list);
	t->n = 0;
	clean_text_begin(t, 0, c->options.private_use);
	say_warnings(c, t);
	if (c->header.auth[0] != '\0')
		clean_text_say(t, _("Sender authentication, by %s: %s\n"), c->options.authserv, c->header.auth);
	say_original(c, t);
	clean_text_end(t);
	write_piece(c, t);
}
