/*
 * mailreport.c: the words of a report on a mail, and the check of one that another process wrote.
 *
 * Input to mailreport_open(): bytes of a process that reads strangers' mail and may have been taken over by one. Whoever
 * opens a report may then print its texts and count with its numbers; whether they are true nobody can know.
 * Limits: MAILREPORT_MAX. Failure: -EINVAL, nothing is half open.
 */
#include <sekisho/mailreport.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <sekisho/attachment.h>
#include <sekisho/mailtext.h>

static_assert(MAIL_FLAG_END < 64 && MIME_FLAG_END < 64, "a bit each");

static const struct {
	const char *word, *text;
	bool said;
} flags[MAIL_FLAG_END] = {
#define X(bit, name, said, word, text) [bit] = {word, text, said},
	MAIL_FLAGS(X)
#undef X
};

static const struct {
	const char *word, *text;
} whys[MAILREPORT_WHY_END] = {
#define X(code, name, word, text) [code] = {word, text},
	MAILREPORT_WHYS(X)
#undef X
};

const char *mail_flag_word(unsigned bit)
{
	return bit < MAIL_FLAG_END ? flags[bit].word : "unknown";
}

const char *mail_flag_text(unsigned bit)
{
	return bit < MAIL_FLAG_END ? flags[bit].text : N_("unknown");
}

bool mail_flag_said(unsigned bit)
{
	return bit < MAIL_FLAG_END && flags[bit].said;
}

const char *mailreport_why_word(unsigned why)
{
	return why < MAILREPORT_WHY_END ? whys[why].word : "unknown";
}

const char *mailreport_why_text(unsigned why)
{
	return why < MAILREPORT_WHY_END ? whys[why].text : N_("unknown");
}

/* -- Checking ------------------------------------------------------------------------------------------------ */

struct compare {
	const char *text;
	size_t left;
	bool same;
};

static void compare(void *arg, const char *utf8, size_t n)
{
	struct compare *c = arg;

	c->same = c->same && n <= c->left && memcmp(c->text, utf8, n) == 0;
	if (!c->same)
		return;
	c->text += n;
	c->left -= n;
}

/* A text is good if it ends and the filter of all text would leave it as it is. */
static bool text_ok(const char *text, size_t size)
{
	struct mailtext filter;

	if (memchr(text, '\0', size) == NULL)
		return false;
	struct compare c = {text, strlen(text), true};
	mailtext_begin(&filter, &(struct mailtext_options){.sink = compare, .arg = &c, .one_line = true, .private_use = true});
	mailtext_put(&filter, text, strlen(text));
	mailtext_end(&filter);
	return c.same && c.left == 0;
}

/* Printable ASCII of one word. */
static bool word_ok(const char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL)
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool part_ok(const struct mailreport_part *p)
{
	return text_ok(p->name, sizeof(p->name)) && text_ok(p->other, sizeof(p->other)) &&
		word_ok(p->declared, sizeof(p->declared)) && p->kind < SNIFF_KINDS && p->why < MAILREPORT_WHY_END &&
		(p->flags & ~(uint32_t)MAILREPORT_ATTACHMENT_ALL) == 0 && (p->marks & ~(uint32_t)MAILREPORT_MARKS_ALL) == 0;
}

static bool texts_ok(const struct mailreport *r)
{
	for (size_t i = 0; i < MAILREPORT_MASKED; i++)
		if (!word_ok(r->mynumber_masked[i], sizeof(r->mynumber_masked[i])))
			return false;
	return word_ok(r->receipt, sizeof(r->receipt)) && word_ok(r->charset, sizeof(r->charset)) &&
		word_ok(r->message_id, sizeof(r->message_id)) && word_ok(r->from, sizeof(r->from));
}

static bool head_ok(const struct mailreport *r)
{
	static const uint8_t zero[sizeof(r->zero)];

	return r->magic == MAILREPORT_MAGIC && r->version == MAILREPORT_VERSION && r->shown <= MAILREPORT_PARTS &&
		r->shown <= r->parts_total && r->flags >> MAIL_FLAG_END == 0 && r->structure >> MIME_FLAG_END == 0 &&
		(r->forward & ~(uint32_t)MAILREPORT_FORWARD_ALL) == 0 && (r->reason == 0 || mail_reason_known(r->reason)) &&
		r->direction <= 1 && memcmp(r->zero, zero, sizeof(zero)) == 0 && texts_ok(r);
}

int mailreport_open(const void *bytes, size_t n, struct mailreport_view *ret_view)
{
	const struct mailreport *r = bytes;

	if (n < sizeof(*r) || n > MAILREPORT_MAX || (uintptr_t)bytes % _Alignof(struct mailreport) != 0 || !head_ok(r) ||
		n != sizeof(*r) + r->shown * sizeof(struct mailreport_part))
		return -EINVAL;
	const struct mailreport_part *parts = (const struct mailreport_part *)(r + 1);
	for (uint32_t i = 0; i < r->shown; i++)
		if (!part_ok(&parts[i]))
			return -EINVAL;
	*ret_view = (struct mailreport_view){r, parts};
	return 0;
}
