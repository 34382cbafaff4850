/*
 * mailquestion.c: the words that describe a mail become its envelope and the report that the cleaner would give of it.
 *
 * Input: what the user typed. Attachments are believed to be what they are said to be: their content is that of the name's
 * extension, or of the word behind `is=`.
 */
#include "mailquestion.h"

#include "args.h"

#include <sekisho/attachment.h>
#include <sekisho/i18n.h>
#include <sekisho/ir.h>
#include <sekisho/mynumber.h>
#include <sekisho/sniff.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_TEXT_MAX 24u

struct reading {
	const struct ir *ir;
	struct mailquestion *q;
	char *error;
};

static bool wrong(struct reading *r, const char *fmt, const char *word)
{
	/* The formats are our own msgids with one %s; the catalogue is checked by msgfmt. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(r->error, MAILQUESTION_ERROR, fmt, word);
#pragma GCC diagnostic pop
	return false;
}

/* "20M" to bytes. */
static bool read_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMG";
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > SIZE_TEXT_MAX)
		return false;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	const char *unit = *end == '\0' ? NULL : strchr(units, *end);
	unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
	if (errno != 0 || (*end != '\0' && (unit == NULL || end[1] != '\0')) || n > UINT64_MAX >> shift)
		return false;
	*ret = (uint64_t)n << shift;
	return true;
}

/* -- addresses ----------------------------------------------------------------------------------------------- */

/* "kacho@town.example.lg.jp", with or without < >. */
static bool read_address(struct reading *r, const char *text, size_t n, struct smtp_address *ret)
{
	char path[SMTP_PATH_MAX + 3], shown[SMTP_PATH_MAX];
	bool bare = n == 0 || text[0] != '<';
	size_t taken = 0;

	int len = snprintf(path, sizeof(path), bare ? "<%.*s>" : "%.*s", (int)n, text);
	if (len > 0 && (size_t)len < sizeof(path) &&
		smtp_address_parse(path, (size_t)len, ret, &taken) == SMTP_ADDRESS_OK && taken == (size_t)len)
		return true;
	snprintf(shown, sizeof(shown), "%.*s", n < sizeof(shown) ? (int)n : (int)sizeof(shown) - 1, text);
	return wrong(r, _("\"%s\" is not a mail address"), shown);
}

static bool read_recipients(struct reading *r, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");
		if (r->q->nto == MAILQUESTION_RECIPIENTS)
			return wrong(r, "%s", _("these are too many recipients for one question"));
		struct smtp_address *to = &r->q->to[r->q->nto++];
		if (!read_address(r, text, n, to))
			return false;
		if ((to->flags & SMTP_ADDRESS_NULL) != 0)
			return wrong(r, "%s", _("--to names no recipient"));
		text += n + (text[n] == ',');
	}
	return r->q->nto > 0 || wrong(r, "%s", _("--to names no recipient"));
}

/* Own domains: those that mail is taken for, and those that may send. */
static bool is_own(const struct ir *ir, const char *domain)
{
	for (uint32_t i = 0; i < ir->nmails; i++)
		for (uint32_t k = 0; k < ir->mails[i].domains.n; k++)
			if (strcmp(ir_text(ir, ir->names[ir->mails[i].domains.first + k].name), domain) == 0)
				return true;
	return false;
}

/* A host of the policy, or an address. */
static bool read_server(struct reading *r, const char *text)
{
	const struct ir *ir = r->ir;

	for (uint32_t i = 0; i < ir->nhosts; i++)
		if (strcmp(ir_text(ir, ir->hosts[i].name), text) == 0 && ir->hosts[i].addrs.n > 0) {
			const struct ir_hostaddr *h = &ir->hostaddrs[ir->hosts[i].addrs.first];
			r->q->server = ir_addr(h->family, h->range.lo);
			return true;
		}
	return addr_parse(text, &r->q->server) ||
	       wrong(r, _("--server: \"%s\" is neither an address nor a host of the policy"), text);
}

/* -- attachments --------------------------------------------------------------------------------------------- */

/* One word behind a name: a size, a mark, or what its content is. */
static bool read_mark(struct reading *r, struct mailreport_part *p, const char *mark)
{
	static const struct {
		const char *word;
		uint32_t flag;
	} marks[] = {{"encrypted", ATTACHMENT_ENCRYPTED}, {"macro", ATTACHMENT_MACROS}, {"program", ATTACHMENT_PROGRAM}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strcmp(mark, marks[i].word) == 0) {
			p->flags |= marks[i].flag;
			return true;
		}
	enum sniff_kind kind = strncmp(mark, "is=", 3) == 0 ? sniff_find(mark + 3) : SNIFF_KINDS;
	if (kind != SNIFF_KINDS) {
		p->kind = (uint16_t)kind;
		return true;
	}
	return read_size(mark, &p->size) ||
	       wrong(r, _("--attachment: \"%s\" is neither a size nor encrypted, macro, program or is=KIND"), mark);
}

static void count_part(struct mailquestion *q, const struct mailreport_part *p)
{
	q->head.attachments++;
	q->head.attachments_bytes += p->size;
	q->head.attachments_encrypted += (p->flags & ATTACHMENT_ENCRYPTED) != 0;
	q->head.attachments_executable += (p->flags & ATTACHMENT_PROGRAM) != 0;
	q->head.attachments_macro += (p->flags & ATTACHMENT_MACROS) != 0;
}

/* "NAME[:MARK...]" */
static bool read_attachment(struct reading *r, char *text)
{
	char *save = NULL, *name = strtok_r(text, ":", &save);

	if (name == NULL || strlen(name) >= MAILREPORT_NAME)
		return wrong(r, "%s", _("--attachment: a file name is expected"));
	if (r->q->head.shown == MAILQUESTION_ATTACHMENTS)
		return wrong(r, "%s", _("these are too many attachments for one question"));
	struct mailreport_part *p = &r->q->parts[r->q->head.shown++];
	memcpy(p->name, name, strlen(name) + 1);
	p->marks = MAILREPORT_ATTACHED;
	enum sniff_kind claim = sniff_claim(name, strlen(name));
	p->kind = (uint16_t)claim;
	for (char *mark = strtok_r(NULL, ":", &save); mark != NULL; mark = strtok_r(NULL, ":", &save))
		if (!read_mark(r, p, mark))
			return false;
	if ((sniff_type((enum sniff_kind)p->kind)->traits & SNIFF_IS_PROGRAM) != 0 || sniff_name_runs(name, strlen(name)))
		p->flags |= ATTACHMENT_PROGRAM;
	r->q->head.parts_total++;
	count_part(r->q, p);
	return true;
}

static bool read_attachments(struct reading *r, const char *text)
{
	char *copy = strdup(text), *save = NULL;
	bool ok = copy != NULL;

	for (char *one = ok ? strtok_r(copy, ",", &save) : NULL; ok && one != NULL; one = strtok_r(NULL, ",", &save))
		ok = read_attachment(r, one);
	free(copy);
	return ok;
}

/* -- the rest ------------------------------------------------------------------------------------------------ */

static bool read_found(struct reading *r, const char *text)
{
	char word[32];

	while (*text != '\0') {
		size_t n = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", n < sizeof(word) ? (int)n : (int)sizeof(word) - 1, text);
		if (strcmp(word, "mynumber") == 0) {
			r->q->head.mynumber_hits = 1;
			r->q->head.mynumber_score = MYNUMBER_THRESHOLD;
		} else if (strcmp(word, "forwarded") == 0) {
			r->q->head.forward = MAILREPORT_AUTO;
		} else if (strcmp(word, "approved") == 0) {
			r->q->approved = true;
		} else {
			return wrong(r, _("--with: \"%s\" is none of mynumber, forwarded and approved"), word);
		}
		text += n + (text[n] == ',');
	}
	return true;
}

static void read_subject(struct reading *r, const char *text)
{
	for (uint32_t i = 0; i < r->ir->nlabels; i++)
		if (strstr(text, ir_text(r->ir, r->ir->labels[i].text)) != NULL)
			r->q->head.labels |= 1u << i;
}

/* Without --direction: outward is what a sender of ours sends; all else comes in. */
static bool read_direction(struct reading *r, const char *text)
{
	const struct ir_mail *out = ir_mail(r->ir, MAIL_OUT);

	if (text == NULL)
		r->q->direction = out != NULL && is_own(r->ir, r->q->from.domain) ? MAIL_OUT : MAIL_IN;
	else if (strcmp(text, "in") == 0 || strcmp(text, "out") == 0)
		r->q->direction = strcmp(text, "in") == 0 ? MAIL_IN : MAIL_OUT;
	else
		return wrong(r, _("--direction: \"%s\" is neither in nor out"), text);
	r->q->head.direction = (uint8_t)r->q->direction;
	return true;
}

static void count_recipients(struct reading *r)
{
	struct mailquestion *q = r->q;

	q->head.recipients = q->nto;
	for (uint32_t i = 0; i < q->nto; i++)
		q->head.recipients_external += !is_own(r->ir, q->to[i].domain);
}

/* Options that are not there leave what stands already. */
static bool read_options(struct reading *r, const struct args *a)
{
	const char *server = args_option(a, "--server"), *size = args_option(a, "--size");
	const char *attachments = args_option(a, "--attachment"), *found = args_option(a, "--with");

	if (server != NULL && !read_server(r, server))
		return false;
	if (attachments != NULL && !read_attachments(r, attachments))
		return false;
	if (found != NULL && !read_found(r, found))
		return false;
	/* Base64 makes four bytes of three, and a line end each 57. */
	r->q->head.size_in = r->q->head.attachments_bytes / 57 * 78 + 1000;
	if (size != NULL && !read_size(size, &r->q->head.size_in))
		return wrong(r, _("--size: \"%s\" is not a size such as 500K or 20M"), size);
	if (args_option(a, "--subject") != NULL)
		read_subject(r, args_option(a, "--subject"));
	return true;
}

bool mailquestion_read(
	const struct ir *ir, const struct args *a, struct mailquestion *ret, char error[MAILQUESTION_ERROR])
{
	struct reading r = {ir, ret, error};
	const char *from = args_option(a, "--from"), *to = args_option(a, "--to");

	memset(ret, 0, sizeof(*ret));
	ret->head.magic = MAILREPORT_MAGIC;
	ret->head.version = MAILREPORT_VERSION;
	if (from == NULL || to == NULL)
		return wrong(&r, "%s", _("--from and --to are missing"));
	if (!read_address(&r, from, strlen(from), &ret->from) || !read_recipients(&r, to) ||
		!read_direction(&r, args_option(a, "--direction")) || !read_options(&r, a))
		return false;
	count_recipients(&r);
	return true;
}
