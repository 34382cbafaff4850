/*
 * clean_header.c: the header of the mail that came in, field by field, and the one that is written.
 *
 * Nothing is copied: addresses, ids, dates and text are taken apart (mime_header.h) and written anew from their parts; what
 * cannot be written in the grammar of rootfs/doc/mail-output.md is left out and flagged. Of a field that may occur once the
 * first one counts. Fields that are not named here do not reach the output.
 * Limits: those of mime_header.h; the sizes in clean_private.h, beyond which addressees are left out and flagged.
 */
#include "clean_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <sekisho/receipt.h>
#include <sekisho/unset.h>

#define TRACE_MAX 3u	/* times that a mail may pass this gate: more is a circle */
#define HOPS_MAX 999u
#define UNKNOWN "unknown@invalid"

static void raise_flag(struct clean *c, uint64_t flag)
{
	c->report.flags |= flag;
}

/* -- Addresses ----------------------------------------------------------------------------------------------- */

static bool domain_ok(const char *s)
{
	size_t label = 0, n = strlen(s);

	for (size_t i = 0; i <= n; i++) {
		if (s[i] == '.' || s[i] == '\0') {
			if (label == 0 || label > 63 || s[i - 1] == '-' || s[i - label] == '-')
				return false;
			label = 0;
		} else if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_') {
			return false;
		} else {
			label++;
		}
	}
	return n <= 253;
}

/* The address as it is written; false: it cannot be. */
static bool address_text(const struct mime_address *a, char out[MIME_ADDRESS_SPEC])
{
	bool dot = true, quoted = false; /* dot: one would be wrong here */
	size_t n = strlen(a->local);

	if (n == 0 || n > MAIL_LOCAL_PART || a->literal || !domain_ok(a->domain) || strstr(a->local, "=?") != NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (a->local[i] != '.' && !clean_is_atext(a->local[i]))
			return false;
		quoted = quoted || (a->local[i] == '.' && (dot || i + 1 == n));
		dot = a->local[i] == '.';
	}
	const char *mark = quoted ? "\"" : "";
	snprintf(out, MIME_ADDRESS_SPEC, "%s%s%s@%s", mark, a->local, mark, a->domain);
	return true;
}

static bool is_own(const struct clean *c, const char *domain)
{
	const char *s = c->options.domains, *end = s + c->options.ndomains;
	size_t n = strlen(domain);

	while (s != NULL && s < end) {
		const char *line = memchr(s, '\n', (size_t)(end - s));
		size_t length = line == NULL ? (size_t)(end - s) : (size_t)(line - s);
		if (length == n && strncasecmp(s, domain, n) == 0)
			return true;
		s += length + 1;
	}
	return false;
}

/* Notes it, too. */
static bool was_seen(struct clean_header *h, uint64_t hash)
{
	unsigned few = h->nseen < CLEAN_FEW ? h->nseen : CLEAN_FEW;

	for (unsigned i = 0; i < few; i++)
		if (h->few[i] == hash)
			return true;
	if (few < CLEAN_FEW) {
		h->few[few] = hash;
		return false;
	}
	size_t at = hash % CLEAN_SEEN;
	while (h->seen[at] != 0 && h->seen[at] != hash)
		at = (at + 1) % CLEAN_SEEN;
	bool seen = h->seen[at] == hash;
	h->seen[at] = hash;
	return seen;
}

/* Addresses that differ only in capitals are one. Two that share all 64 bits would be counted once. */
static void count_recipient(struct clean *c, const char *address, const char *domain)
{
	struct clean_header *h = &c->header;
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *address != '\0'; address++)
		hash = (hash ^ (uint8_t)tolower((unsigned char)*address)) * 0x100000001b3u;
	hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u;
	hash += hash == 0;
	if (was_seen(h, hash) || h->nseen >= CLEAN_SEEN / 2)
		return;
	h->nseen++;
	c->report.recipients++;
	c->report.recipients_external += !is_own(c, domain);
}

struct list {
	struct clean *c;
	struct clean_field *field;
	unsigned max;
	bool recipients;
};

static bool is_punycode(const char *domain)
{
	return strncmp(domain, "xn--", 4) == 0 || strstr(domain, ".xn--") != NULL;
}

static void note_punycode(struct clean *c, const char *domain)
{
	struct clean_header *h = &c->header;
	unsigned i = 0;

	raise_flag(c, MAIL_FLAG(PUNYCODE));
	while (i < h->npunycode && strcmp(h->punycode[i], domain) != 0)
		i++;
	if (i == h->npunycode && i < CLEAN_PUNYCODE && strlen(domain) <= IDN_DOMAIN_MAX)
		strcpy(h->punycode[h->npunycode++], domain);
}

static void note(struct clean *c, const struct mime_address *a)
{
	if (a->flags & MIME_FLAG(ADDRESS_NAME))
		raise_flag(c, MAIL_FLAG(LOOKALIKE));
	if (is_punycode(a->domain))
		note_punycode(c, a->domain);
}

static void take_listed(void *arg, const struct mime_address *a)
{
	struct list *l = arg;
	char address[MIME_ADDRESS_SPEC];

	if (a->group)
		return;
	note(l->c, a);
	if (!address_text(a, address)) {
		if (a->local[0] != '\0')
			l->c->report.structure |= MIME_FLAG(ADDRESS_BROKEN);
		return;
	}
	if (l->recipients)
		count_recipient(l->c, address, a->domain);
	if (l->field == NULL || l->field->full || l->field->count >= l->max ||
		!clean_field_mailbox(l->field, a->display, address))
		raise_flag(l->c, MAIL_FLAG(MANY_ADDRESSES));
}

/* A field is gathered behind those that are there. It must be whole before the next one begins. */
static void begin_field(struct clean_header *h, struct clean_field *field, size_t max, const char *name)
{
	size_t room = sizeof(h->fields) - h->nfields;

	clean_field_begin(field, h->fields + h->nfields, max < room ? max : room, name);
}

static void end_field(struct clean_header *h, struct clean_field *field)
{
	if (field->count == 0)
		return;
	clean_field_end(field);
	h->nfields += field->n;
}

static void take_addresses(struct clean *c, const struct mime_field *f, struct clean_field *field, const char *name)
{
	bool recipients = field == &c->header.to || field == &c->header.cc;
	struct list l = {c, field, recipients ? UINT32_MAX : CLEAN_REPLY_TO, recipients};

	if (f->flags & MIME_FLAG(FIELD_TWICE) || field->count > 0) {
		l.field = NULL; /* the second one: not shown, but its recipients count */
	} else {
		begin_field(&c->header, field, recipients ? CLEAN_FIELD_MAX : CLEAN_REPLY_TO_MAX, name);
	}
	c->report.structure |= mime_addresses(f->value, f->n, take_listed, &l);
	if (l.field != NULL)
		end_field(&c->header, field);
}

static void take_from(void *arg, const struct mime_address *a)
{
	struct clean *c = arg;
	struct clean_header *h = &c->header;
	char address[MIME_ADDRESS_SPEC];

	if (a->group)
		return;
	note(c, a);
	bool good = address_text(a, address);
	c->report.from_count += good;
	if (h->from.count > 0) {
		raise_flag(c, MAIL_FLAG(FROM_SEVERAL));
		return;
	}
	if (!good) {
		strcpy(address, UNKNOWN);
		raise_flag(c, MAIL_FLAG(FROM_MISSING));
	}
	clean_field_mailbox(&h->from, a->display, address);
	snprintf(h->from_text, sizeof(h->from_text), "%s <%s>", a->display, address);
	if (good && strlen(address) < sizeof(c->report.from))
		strcpy(c->report.from, address);
	if (good && !is_own(c, a->domain))
		c->report.forward |= MAILREPORT_OUTSIDE_FROM;
}

/* -- Message ids --------------------------------------------------------------------------------------------- */

static bool id_ok(const char *id, size_t n)
{
	if (n < 3 || n > MAIL_ID + 2 || id[0] != '<' || id[n - 1] != '>')
		return false;
	for (size_t i = 1; i < n - 1; i++)
		if ((!clean_is_atext(id[i]) && (id[i] == '\0' || strchr(".@:[]", id[i]) == NULL)) ||
			(id[i] == '=' && id[i + 1] == '?'))
			return false;
	return true;
}

static void take_message_id(void *arg, const char *id, size_t n)
{
	struct clean *c = arg;

	if (c->report.message_id[0] != '\0' || !id_ok(id, n))
		return;
	memcpy(c->report.message_id, id, n);
	c->report.message_id[n] = '\0';
}

static void take_reply(void *arg, const char *id, size_t n)
{
	struct clean_field *f = &((struct clean *)arg)->header.in_reply_to;

	if (id_ok(id, n) && f->count < CLEAN_IDS && clean_field_token(f, id, n))
		f->count++;
}

/* The first one is kept (where the talk began), and the last ones. */
static void take_reference(void *arg, const char *id, size_t n)
{
	struct clean_header *h = &((struct clean *)arg)->header;

	if (!id_ok(id, n))
		return;
	unsigned at = h->nids < CLEAN_REFERENCES ? h->nids : 1 + (h->nids - 1) % (CLEAN_REFERENCES - 1);
	memcpy(h->ids[at], id + 1, n - 2);
	h->ids[at][n - 2] = '\0';
	h->nids++;
}

static void gather_references(struct clean_header *h)
{
	char id[MAIL_ID + 3];
	unsigned n = h->nids < CLEAN_REFERENCES ? h->nids : CLEAN_REFERENCES;

	begin_field(h, &h->references, CLEAN_REFERENCES_MAX, "References");

	for (unsigned i = 0; i < n; i++) {
		bool all = i == 0 || h->nids <= CLEAN_REFERENCES;
		unsigned at = all ? i : 1 + (h->nids - 1 + i - 1) % (CLEAN_REFERENCES - 1);
		int length = snprintf(id, sizeof(id), "<%s>", h->ids[at]);
		h->references.count += clean_field_token(&h->references, id, (size_t)length);
	}
	end_field(h, &h->references);
}

/* -- Text, dates, words -------------------------------------------------------------------------------------- */

struct sized {
	char *out;
	size_t n, max;
	bool cut;
};

static void take_text(void *arg, const char *utf8, size_t n)
{
	struct sized *s = arg;

	if (s->cut || s->n + n > s->max) {
		n = s->cut ? 0 : s->max - s->n;
		s->cut = true;
		while (n > 0 && (utf8[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(s->out + s->n, utf8, n);
	s->n += n;
}

static void take_subject(struct clean *c, const struct mime_field *f)
{
	struct sized s = {c->header.subject, 0, sizeof(c->header.subject) - 1, false};
	struct mailtext filter;

	mailtext_begin(&filter, &(struct mailtext_options){
		.sink = take_text, .arg = &s, .one_line = true, .private_use = c->options.private_use});
	c->report.structure |= mime_words(&filter, f->value, f->n);
	mailtext_end(&filter);
	if (s.cut)
		c->report.structure |= MIME_FLAG(CUT);
	while (s.n > 0 && s.out[s.n - 1] == ' ')
		s.n--;
	s.out[s.n] = '\0';
	for (unsigned i = 0; i < CLEAN_LABELS; i++)
		if (c->options.labels[i][0] != '\0' && strstr(s.out, c->options.labels[i]) != NULL)
			c->report.labels |= 1u << i;
}

static bool date_ok(const struct mime_date *d)
{
	return d->year >= 1900 && d->year <= 9999 && d->zone > -15 * 60 && d->zone < 15 * 60;
}

static void take_date(struct clean *c, const uint8_t *value, size_t n, struct mime_date *ret_date)
{
	struct mime_date date;
	mime_flags flags = 0;

	if (ret_date->year == 0 && mime_date(value, n, &date, &flags) && date_ok(&date))
		*ret_date = date;
	if (ret_date == &c->header.date)
		c->report.structure |= flags;
}

static void take_received(struct clean *c, const struct mime_field *f)
{
	size_t at = f->n;

	c->report.received++;
	while (at > 0 && f->value[at - 1] != ';')
		at--;
	if (at > 0)
		take_date(c, f->value + at, f->n - at, &c->header.received_date);
}

static bool value_is(const struct mime_field *f, const char *word)
{
	size_t n = strlen(word);

	return f->n >= n && strncasecmp((const char *)f->value, word, n) == 0 &&
		(f->n == n || f->value[n] == ' ' || f->value[n] == ';' || f->value[n] == '\t');
}

static void take_automatic(struct clean *c, const struct mime_field *f)
{
	c->header.automatic = !value_is(f, "no");
	if (c->header.automatic)
		raise_flag(c, MAIL_FLAG(AUTOMATIC));
	if (value_is(f, "auto-forwarded"))
		c->report.forward |= MAILREPORT_AUTO;
}

/* -- Authentication-Results (RFC 8601) ----------------------------------------------------------------------- */

static const char *const methods[] = {"spf", "dkim", "dmarc", "arc", "iprev"};
static const char *const results[] = {
	"pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy", "hardfail",
};

static const char *find_word(const char *const *list, size_t count, const char *s, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == n && strncasecmp(list[i], s, n) == 0)
			return list[i];
	return NULL;
}

/* "spf=pass ..." at s: added in our own words. */
static void take_method(char out[256], const char *s, size_t n)
{
	while (n > 0 && (*s == ' ' || *s == '\t'))
		s++, n--;
	const char *equals = memchr(s, '=', n);
	if (equals == NULL)
		return;
	size_t end = 0, left = n - (size_t)(equals + 1 - s);
	while (end < left && isalpha((unsigned char)equals[1 + end]))
		end++;
	const char *method = find_word(methods, sizeof(methods) / sizeof(methods[0]), s, (size_t)(equals - s));
	const char *result = find_word(results, sizeof(results) / sizeof(results[0]), equals + 1, end);
	size_t used = strlen(out);
	if (method != NULL && result != NULL && used + 24 < 256)
		snprintf(out + used, 256 - used, "%s%s=%s", used > 0 ? " " : "", method, result);
}

static void take_auth(struct clean *c, const struct mime_field *f)
{
	const char *s = (const char *)f->value, *end = s + f->n;
	size_t n = strlen(c->options.authserv);

	if (n == 0 || c->header.auth[0] != '\0' || f->n <= n || strncasecmp(s, c->options.authserv, n) != 0 ||
		strchr("; \t", s[n]) == NULL)
		return;
	while (s < end && (s = memchr(s, ';', (size_t)(end - s))) != NULL) {
		s++;
		const char *next = memchr(s, ';', (size_t)(end - s));
		take_method(c->header.auth, s, (size_t)((next == NULL ? end : next) - s));
	}
}

/* -- Our own fields, and those of programs that forward ------------------------------------------------------ */

static bool name_is(const struct mime_field *f, const char *name)
{
	return f->nname == strlen(name) && strncasecmp(f->name, name, f->nname) == 0;
}

static unsigned number(const char *s, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n && i < 4 && isdigit((unsigned char)s[i]); i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	return v < HOPS_MAX ? v : HOPS_MAX;
}

static void take_trace(struct clean *c, const struct mime_field *f)
{
	size_t n = strlen(c->options.trace);
	const char *s = (const char *)f->value;

	if (n == 0 || f->n < n + 2 || strncmp(s, c->options.trace, n) != 0 || s[n] != ' ')
		return;
	unsigned passes = number(s + n + 1, f->n - n - 1);
	if (passes > c->report.passes)
		c->report.passes = passes;
}

static void take_other(struct clean *c, const struct mime_field *f)
{
	if (name_is(f, "X-Sekisho-Hops"))
		c->header.hops += number((const char *)f->value, f->n);
	else if (name_is(f, "X-Sekisho-Trace"))
		take_trace(c, f);
	else if (name_is(f, "X-Forwarded-To") || name_is(f, "X-Forwarded-For"))
		c->report.forward |= MAILREPORT_X_FORWARDED;
	else if (name_is(f, "X-Original-To"))
		c->report.forward |= MAILREPORT_DELIVERED;
	else if (name_is(f, "X-MS-Exchange-Organization-AutoForwarded") && value_is(f, "true"))
		c->report.forward |= MAILREPORT_AUTO;
}

static void take_once(struct clean *c, const struct mime_field *f)
{
	struct clean_header *h = &c->header;

	switch (f->id) {
	case MIME_FIELD_FROM:
		begin_field(h, &h->from, CLEAN_FROM_MAX, "From");
		c->report.structure |= mime_addresses(f->value, f->n, take_from, c);
		end_field(h, &h->from);
		break;
	case MIME_FIELD_REPLY_TO:
		take_addresses(c, f, &h->reply_to, "Reply-To");
		break;
	case MIME_FIELD_SUBJECT:
		take_subject(c, f);
		break;
	case MIME_FIELD_DATE:
		take_date(c, f->value, f->n, &h->date);
		break;
	case MIME_FIELD_MESSAGE_ID:
		c->report.structure |= mime_ids(f->value, f->n, take_message_id, c);
		break;
	case MIME_FIELD_IN_REPLY_TO:
		begin_field(h, &h->in_reply_to, CLEAN_REPLIES_MAX, "In-Reply-To");
		c->report.structure |= mime_ids(f->value, f->n, take_reply, c);
		end_field(h, &h->in_reply_to);
		break;
	case MIME_FIELD_REFERENCES:
		c->report.structure |= mime_ids(f->value, f->n, take_reference, c);
		break;
	default:
		break;
	}
}

void clean_header_field(struct clean *c, const struct mime_field *f)
{
	struct clean_header *h = &c->header;

	switch (f->id) {
	case MIME_FIELD_TO:
		take_addresses(c, f, &h->to, "To");
		break;
	case MIME_FIELD_CC:
		take_addresses(c, f, &h->cc, "Cc");
		break;
	case MIME_FIELD_RECEIVED:
		take_received(c, f);
		break;
	case MIME_FIELD_AUTHENTICATION_RESULTS:
		take_auth(c, f);
		break;
	case MIME_FIELD_AUTO_SUBMITTED:
		take_automatic(c, f);
		break;
	case MIME_FIELD_PRECEDENCE:
		h->bulk = h->bulk || value_is(f, "bulk") || value_is(f, "list") || value_is(f, "junk");
		break;
	case MIME_FIELD_LIST_ID:
		h->bulk = true;
		break;
	case MIME_FIELD_RESENT_FROM:
	case MIME_FIELD_RESENT_TO:
		c->report.forward |= MAILREPORT_RESENT;
		break;
	case MIME_FIELD_DELIVERED_TO:
		c->report.forward |= MAILREPORT_DELIVERED;
		break;
	case MIME_FIELD_OTHER:
		take_other(c, f);
		break;
	default:
		if (!(f->flags & MIME_FLAG(FIELD_TWICE)))
			take_once(c, f);
	}
}

/* -- The whole ----------------------------------------------------------------------------------------------- */

enum mail_reason clean_header_end(struct clean *c)
{
	struct clean_header *h = &c->header;

	if (h->from.count == 0) {
		raise_flag(c, MAIL_FLAG(FROM_MISSING));
		begin_field(h, &h->from, CLEAN_FROM_MAX, "From");
		clean_field_mailbox(&h->from, "", UNKNOWN);
		end_field(h, &h->from);
		snprintf(h->from_text, sizeof(h->from_text), " <%s>", UNKNOWN);
	}
	if (h->date.year == 0) {
		raise_flag(c, MAIL_FLAG(DATE_MISSING));
		h->date = h->received_date;
	}
	if (h->nids > 0)
		gather_references(h);
	/* Before the text: a word in the subject is near the first number. */
	if (c->options.direction == CLEAN_OUT) {
		mynumber_push(&c->mynumber, h->subject, strlen(h->subject));
		mynumber_break(&c->mynumber);
	}
	c->report.received += h->hops;
	if (c->report.structure & MIME_FLAG(ADDRESSES))
		return MAIL_REASON_LIMIT_ADDRESSES;
	bool loop = c->report.received >= MAIL_HOPS || c->report.passes >= TRACE_MAX;
	return loop ? MAIL_REASON_LOOP : MAIL_REASON_NONE;
}

static void write_field(struct clean *c, const struct clean_field *f)
{
	if (f->count > 0)
		clean_output_raw(&c->output, f->out, f->n);
}

static void write_line(struct clean *c, const char *name, const char *value)
{
	char line[400];
	int n = snprintf(line, sizeof(line), "%s: %s\r\n", name, value);

	clean_output_raw(&c->output, line, (size_t)n);
}

static void write_subject(struct clean *c)
{
	char out[2 * CLEAN_SUBJECT] UNSET;
	struct clean_field f;

	clean_field_begin(&f, out, sizeof(out), "Subject");
	size_t n = strlen(c->header.subject);
	if (n == 0 || !clean_field_text(&f, c->header.subject, n, false))
		return;
	clean_field_end(&f);
	clean_output_raw(&c->output, f.out, f.n);
}

static void write_ids(struct clean *c)
{
	char id[64];

	snprintf(id, sizeof(id), "<%s@sekisho.invalid>", c->report.receipt);
	write_line(c, "Message-ID", c->report.message_id[0] != '\0' ? c->report.message_id : id);
	write_field(c, &c->header.in_reply_to);
	write_field(c, &c->header.references);
}

static void write_own(struct clean *c)
{
	char value[96];

	if (c->header.automatic)
		write_line(c, "Auto-Submitted", "auto-generated");
	if (c->header.bulk)
		write_line(c, "Precedence", "bulk");
	write_line(c, "X-Sekisho-Receipt", c->report.receipt);
	snprintf(value, sizeof(value), "%u", (unsigned)c->report.received);
	write_line(c, "X-Sekisho-Hops", value);
	if (c->options.trace[0] == '\0')
		return;
	snprintf(value, sizeof(value), "%s %u", c->options.trace, (unsigned)c->report.passes + 1);
	write_line(c, "X-Sekisho-Trace", value);
}

void clean_header_write(struct clean *c)
{
	static const char fixed[] = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n";
	struct clean_header *h = &c->header;
	char date[MIME_DATE_TEXT];

	if (h->date.year != 0) {
		mime_date_text(&h->date, date);
		write_line(c, "Date", date);
	}
	write_field(c, &h->from);
	write_field(c, &h->reply_to);
	write_field(c, &h->to);
	write_field(c, &h->cc);
	write_subject(c);
	write_ids(c);
	write_own(c);
	clean_output_raw(&c->output, fixed, sizeof(fixed) - 1);
}
