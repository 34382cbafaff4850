/*
 * judge.c: what the policy says of a mail's envelope, and in which order its rules speak (see judge.h).
 *
 * Input: an IR that ir_open() accepted, addresses that smtp_address_parse() took, a report that mailreport_open() accepted.
 * What the rules say of attachments is in judge_attachment.c.
 */
#include "judge_private.h"

#include <sekisho/i18n.h>
#include <sekisho/ir.h>
#include <sekisho/mynumber.h>
#include <sekisho/smtp_address.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- saying ------------------------------------------------------------------------------------------------- */

static void pass(struct judgement *ret)
{
	*ret = (struct judgement){.verdict = JUDGE_PASS};
}

/* Where a text that is too long ends: between characters. */
static size_t cut(const char *text)
{
	size_t n = strlen(text);

	if (n < JUDGE_DETAIL)
		return n;
	n = JUDGE_DETAIL - 1;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

bool judge_say(struct judgement *ret, enum mail_reason reason, const char *fmt, ...)
{
	char text[2 * JUDGE_DETAIL];
	va_list ap;

	*ret = (struct judgement){.reason = reason,
		.verdict = reason == MAIL_REASON_HELD		 ? JUDGE_HOLD
			   : mail_reason_smtp(reason) >= 500 ? JUDGE_REFUSE
							     : JUDGE_DEFER};
	if (fmt == NULL)
		return true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(ret->detail, text, cut(text)); /* the rest is zero */
	return true;
}

/* -- lists --------------------------------------------------------------------------------------------------- */

/* Is the word in a sorted list? */
static bool listed(const struct ir *ir, struct ir_run run, const char *word)
{
	uint32_t lo = 0, hi = run.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int d = strcmp(word, ir_text(ir, ir->names[run.first + mid].name));
		if (d == 0)
			return true;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

static bool is_own(const struct ir *ir, const char *domain)
{
	for (uint32_t i = 0; i < ir->nmails; i++)
		if (listed(ir, ir->mails[i].domains, domain))
			return true;
	return false;
}

/*
 * The group of partners whose rules hold for a domain; JUDGE_NO_GROUP for nobody's. *ret_labels: what demands protection.
 * Own domains have no partner; the partner of `other` has what is left.
 */
static uint16_t group_of(const struct ir *ir, const char *domain, uint8_t *ret_labels)
{
	const struct ir_partner *found = NULL;

	*ret_labels = 0;
	for (uint32_t i = 0; i < ir->npartners; i++) {
		const struct ir_partner *p = &ir->partners[i];
		if (listed(ir, p->domains, domain)) {
			found = p;
			break;
		}
		if (p->others != 0 && found == NULL)
			found = p;
	}
	if (found == NULL || found->labels == 0)
		return JUDGE_NO_GROUP;
	*ret_labels = found->labels;
	return found->group;
}

/* -- the client ---------------------------------------------------------------------------------------------- */

static bool among(const struct ir *ir, struct ir_run run, const struct addr *a)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_mail_host *h = &ir->mail_hosts[run.first + i];
		if (h->family == a->family && memcmp(h->range.lo, a->b, sizeof(a->b)) <= 0 &&
			memcmp(a->b, h->range.hi, sizeof(a->b)) <= 0)
			return true;
	}
	return false;
}

void judge_client(const struct ir *ir, enum mail_direction direction, const struct addr *client, struct judgement *ret)
{
	const struct ir_mail *m = ir_mail(ir, direction);
	char text[ADDR_TEXT_MAX];

	pass(ret);
	if (m == NULL)
		judge_say(ret, MAIL_REASON_NO_POLICY, NULL);
	else if (direction == MAIL_OUT && !among(ir, m->servers, client))
		judge_say(ret, MAIL_REASON_SERVER_NOT_LISTED, "%s",
			client->family == 0 ? "?" : addr_format(client, text));
}

/* -- addresses ----------------------------------------------------------------------------------------------- */

/*
 * An address that says nothing but a mailbox: no route, nothing in the local part that another server takes for one, no
 * address in brackets for a domain. Dots where none belong are harmless: mobile carriers gave such addresses out.
 */
static bool is_plain(const struct smtp_address *a)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789#$&'*+-/=?^_`{|}~.";
	unsigned bad = SMTP_ADDRESS_ROUTED | SMTP_ADDRESS_RELAY | SMTP_ADDRESS_LITERAL | SMTP_ADDRESS_POSTMASTER;

	return (a->flags & bad) == 0 && a->local[0] != '\0' && a->local[strspn(a->local, letters)] == '\0';
}

void judge_sender(const struct ir *ir, enum mail_direction direction, const struct smtp_address *from, uint64_t size,
	struct judge_envelope *env, struct judgement *ret)
{
	const struct ir_mail *m = ir_mail(ir, direction);
	bool null = (from->flags & SMTP_ADDRESS_NULL) != 0;

	*env = (struct judge_envelope){.group = JUDGE_NO_GROUP};
	pass(ret);
	if (m == NULL)
		judge_say(ret, MAIL_REASON_NO_POLICY, NULL);
	else if (direction == MAIL_OUT && !null && !is_plain(from))
		judge_say(ret, MAIL_REASON_ADDRESS_FORM, "%s", from->text);
	else if (direction == MAIL_OUT && !null && !listed(ir, m->domains, from->domain))
		judge_say(ret, MAIL_REASON_SENDER_DOMAIN, "%s", from->domain);
	else if (size > m->max_size)
		judge_say(ret, MAIL_REASON_TOO_BIG, "limit %" PRIu64, m->max_size);
}

/* Mail for the postmaster must be taken, also without a domain (RFC 5321 4.5.1). */
static bool is_postmaster(enum mail_direction direction, const struct smtp_address *to)
{
	return direction == MAIL_IN && (to->flags & SMTP_ADDRESS_POSTMASTER) != 0;
}

void judge_rcpt(const struct ir *ir, enum mail_direction direction, const struct judge_envelope *env,
	const struct smtp_address *to, struct judgement *ret)
{
	const struct ir_mail *m = ir_mail(ir, direction);
	bool postmaster = is_postmaster(direction, to);
	uint8_t labels;

	pass(ret);
	if (m == NULL)
		judge_say(ret, MAIL_REASON_NO_POLICY, NULL);
	else if (!postmaster && !is_plain(to))
		judge_say(ret, MAIL_REASON_ADDRESS_FORM, "%s", to->text);
	else if (direction == MAIL_IN && !postmaster && !listed(ir, m->domains, to->domain))
		judge_say(ret, MAIL_REASON_RELAY, "%s", to->domain);
	else if (env->recipients >= JUDGE_RECIPIENTS)
		judge_say(ret, MAIL_REASON_TOO_MANY_RECIPIENTS, "limit %u", JUDGE_RECIPIENTS);
	else if (direction == MAIL_OUT && env->grouped && !is_own(ir, to->domain) &&
		 group_of(ir, to->domain, &labels) != env->group)
		judge_say(ret, MAIL_REASON_OTHER_RULES, "%s", to->domain);
}

/* The first row of an address, or the number of rows. */
static uint32_t superior_find(const struct ir *ir, const char *address)
{
	uint32_t lo = 0, hi = ir->nsuperiors;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (strcmp(ir_text(ir, ir->superiors[mid].address), address) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void take_superior(const struct ir *ir, const struct ir_mail *m, struct judge_envelope *env, const char *address)
{
	char lower[SMTP_PATH_MAX];
	size_t n = strnlen(address, sizeof(lower) - 1);

	for (size_t i = 0; i < n; i++)
		lower[i] = address[i] >= 'A' && address[i] <= 'Z' ? (char)(address[i] - 'A' + 'a') : address[i];
	lower[n] = '\0';
	for (uint32_t i = superior_find(ir, lower); i < ir->nsuperiors; i++) {
		const struct ir_superior *s = &ir->superiors[i];
		if (strcmp(ir_text(ir, s->address), lower) != 0)
			return;
		env->superior = true;
		if (m->roles.n == 0 || listed(ir, m->roles, ir_text(ir, s->role)))
			env->superior_role = true;
	}
}

void judge_rcpt_taken(
	const struct ir *ir, enum mail_direction direction, struct judge_envelope *env, const struct smtp_address *to)
{
	const struct ir_mail *m = ir_mail(ir, direction);
	uint8_t labels;

	env->recipients++;
	if (m == NULL || direction != MAIL_OUT)
		return;
	take_superior(ir, m, env, to->text);
	if (env->grouped || is_own(ir, to->domain))
		return;
	env->grouped = true;
	env->group = group_of(ir, to->domain, &labels);
	env->labels = labels;
}

/* -- the whole mail ------------------------------------------------------------------------------------------ */

static bool rule_size(const struct judge_case *c, struct judgement *ret)
{
	return c->head->size_in > c->m->max_size && judge_say(ret, MAIL_REASON_TOO_BIG, "limit %" PRIu64, c->m->max_size);
}

/* What a cleaner may refuse: a mail's form. Anything else from it is no verdict but a failure: it decides no policy. */
static bool is_cleaners(unsigned reason)
{
	return (reason >= MAIL_REASON_SMUGGLING && reason <= MAIL_REASON_LIMIT_LINE && mail_reason_known(reason)) ||
	       reason == MAIL_REASON_TOO_BIG || reason == MAIL_REASON_LOOP;
}

static bool rule_cleaner(const struct judge_case *c, struct judgement *ret)
{
	unsigned reason = c->head->reason;

	if (c->head->direction != c->m->direction)
		return judge_say(ret, MAIL_REASON_WORKER_FAILED, NULL);
	if (reason == MAIL_REASON_NONE)
		return false;
	return judge_say(ret, is_cleaners(reason) ? (enum mail_reason)reason : MAIL_REASON_WORKER_FAILED, NULL);
}

static bool has_mynumber(const struct judge_case *c)
{
	return c->head->mynumber_hits > 0 && c->head->mynumber_score >= MYNUMBER_THRESHOLD;
}

static bool rule_mynumber(const struct judge_case *c, struct judgement *ret)
{
	return has_mynumber(c) && c->m->mynumber == MAIL_MYNUMBER_REFUSE &&
	       judge_say(ret, MAIL_REASON_MYNUMBER, "found %u", c->head->mynumber_hits);
}

static bool rule_external(const struct judge_case *c, struct judgement *ret)
{
	return c->m->max_external > 0 && c->head->recipients_external > c->m->max_external &&
	       judge_say(ret, MAIL_REASON_TOO_MANY_EXTERNAL, "found %u, limit %u", c->head->recipients_external,
		       c->m->max_external);
}

/*
 * A program forwarded it: a mail server says so, it had been in a mailbox before, or it names a sender outside of the own
 * domains. Resent- fields alone are what a person's "redirect" writes.
 */
static bool is_forwarded(const struct judge_case *c)
{
	return (c->head->forward & ~(uint32_t)MAILREPORT_RESENT) != 0;
}

static bool rule_forward(const struct judge_case *c, struct judgement *ret)
{
	return is_forwarded(c) && c->m->auto_forward_refuse != 0 && judge_say(ret, MAIL_REASON_AUTO_FORWARD, NULL);
}

static bool rule_cc(const struct judge_case *c, struct judgement *ret)
{
	return (c->demands & MAIL_DEMAND_CC) != 0 && !c->env->superior_role && judge_say(ret, MAIL_REASON_NEEDS_CC, NULL);
}

static bool rule_held(const struct judge_case *c, struct judgement *ret)
{
	return (c->demands & MAIL_DEMAND_HOLD) != 0 && !c->approved && judge_say(ret, MAIL_REASON_HELD, "%s", c->head->receipt);
}

static uint32_t notes_of(const struct judge_case *c)
{
	return (has_mynumber(c) ? JUDGE_NOTE_MYNUMBER : 0u) |
	       (has_mynumber(c) && c->m->mynumber == MAIL_MYNUMBER_WARN ? JUDGE_NOTE_MYNUMBER_TELL : 0u) |
	       (is_forwarded(c) ? JUDGE_NOTE_AUTO_FORWARD : 0u) |
	       ((c->demands & MAIL_DEMAND_CC) != 0 ? JUDGE_NOTE_SUPERIOR : 0u) |
	       ((c->demands & MAIL_DEMAND_HOLD) != 0 ? JUDGE_NOTE_APPROVED : 0u) | (c->unseen ? JUDGE_NOTE_UNSEEN : 0u);
}

typedef bool rule(const struct judge_case *c, struct judgement *ret);

/* The order is the precedence that judge.h and rootfs/doc/mail.md promise. */
static rule *const inward[] = {rule_size, rule_cleaner};
static rule *const outward[] = {rule_size, rule_cleaner, rule_mynumber, judge_label, judge_attachments_refused,
	judge_attachment_type, judge_attachment_encrypted, judge_attachment_size, judge_attachment_count, rule_external,
	rule_forward, rule_cc, rule_held};

static bool apply(rule *const *rules, size_t n, const struct judge_case *c, struct judgement *ret)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i](c, ret))
			return true;
	return false;
}

void judge_message(const struct ir *ir, enum mail_direction direction, const struct judge_envelope *env,
	const struct mailreport_view *report, bool approved, struct judgement *ret)
{
	struct judge_case c = {.ir = ir, .m = ir_mail(ir, direction), .env = env, .approved = approved};

	pass(ret);
	if (c.m == NULL) {
		judge_say(ret, MAIL_REASON_NO_POLICY, NULL);
		return;
	}
	if (report == NULL) {
		judge_say(ret, MAIL_REASON_WORKER_FAILED, NULL);
		return;
	}
	c.head = report->head;
	c.parts = report->parts;
	if (direction == MAIL_IN) {
		apply(inward, sizeof(inward) / sizeof(inward[0]), &c, ret);
		return;
	}
	judge_attachments(&c);
	if (!apply(outward, sizeof(outward) / sizeof(outward[0]), &c, ret))
		ret->notes = notes_of(&c);
}

/* -- words --------------------------------------------------------------------------------------------------- */

const char *judge_verdict_word(enum judge_verdict verdict)
{
	static const char *const words[] = {"pass", "refuse", "hold", "defer"};

	return (unsigned)verdict < sizeof(words) / sizeof(words[0]) ? words[verdict] : "unknown";
}

const char *judge_note_word(enum judge_note note)
{
#define X(bit, name, word, text)                                                                                \
	if (note == JUDGE_NOTE_##name)                                                                          \
		return word;
	JUDGE_NOTES(X)
#undef X
	return "unknown";
}

const char *judge_note_text(enum judge_note note)
{
#define X(bit, name, word, text)                                                                                \
	if (note == JUDGE_NOTE_##name)                                                                          \
		return text;
	JUDGE_NOTES(X)
#undef X
	return N_("unknown");
}
