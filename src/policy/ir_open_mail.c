/*
 * ir_open_mail.c: the part of ir_open() that looks at the mail gate's sections, and believes nothing of them.
 *
 * Checked: flags and small numbers, that every run lies in its section and is not longer than its limit, that lists which
 * are searched are sorted, that texts have the form in which they are compared. Time is linear in the sizes and the limits.
 */
#include "ir_open.h"

#include <sekisho/tls.h>

#include <string.h>

/* A text of less than `max` bytes, not empty, without control characters. */
static bool short_text_ok(const struct ir *ir, ir_str s, size_t max)
{
	if (s == 0 || !ir_text_ok(ir, s))
		return false;
	size_t n = 0;
	for (; ir->strings[s + n].c != '\0'; n++) { /* the last string ends, so this does */
		unsigned char c = (unsigned char)ir->strings[s + n].c;
		if (n == max || c <= ' ' || c == 0x7f)
			return false;
	}
	return n > 0 && n < max;
}

static bool mail_hosts_ok(const struct ir *ir, struct ir_run run, bool own, bool ranges)
{
	if (!ir_run_ok(run, ir->nmail_hosts) || run.n > LIMIT_MAIL_HOSTS)
		return false;
	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_mail_host *h = &ir->mail_hosts[run.first + i];
		bool single = memcmp(h->range.lo, h->range.hi, sizeof(h->range.lo)) == 0;
		if ((own ? h->name != 0 : !ir_name_ok(ir, h->name)) || (!single && !ranges))
			return false;
	}
	return true;
}

/* "" or small letters, digits, "-": it becomes the name of a file. */
static bool certificate_ok(const struct ir *ir, ir_str s)
{
	if (s == 0)
		return true;
	if (!short_text_ok(ir, s, TLS_NAME_MAX + 1))
		return false;
	const char *text = ir_text(ir, s);
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool pins_ok(const struct ir *ir, struct ir_run run)
{
	if (!ir_run_ok(run, ir->nnames) || run.n > TLS_PINS_MAX)
		return false;
	for (uint32_t i = 0; i < run.n; i++) {
		ir_str s = ir->names[run.first + i].name;
		if (!short_text_ok(ir, s, 2 * TLS_PIN_BYTES + 1) ||
			strspn(ir_text(ir, s), "0123456789abcdef") != 2 * TLS_PIN_BYTES)
			return false;
	}
	return true;
}

/* Who is to be verified can be. */
static bool tls_ok(const struct ir *ir, const struct ir_mail_host *h)
{
	bool known = h->tls_pins.n > 0 || (h->tls_name != 0 && h->tls_ca != 0);

	return h->tls < TLS_LEVELS && (h->tls != TLS_VERIFY || known) && certificate_ok(ir, h->tls_ca) &&
	       (h->tls_name == 0 || short_text_ok(ir, h->tls_name, LIMIT_VERIFY_NAME + 1)) && pins_ok(ir, h->tls_pins);
}

static bool mail_types_ok(const struct ir *ir, struct ir_run run)
{
	if (!ir_run_ok(run, ir->nmail_types) || run.n > LIMIT_MAIL_TYPES)
		return false;
	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_mail_type *t = &ir->mail_types[run.first + i];
		if (!ir_verify_name_ok(ir, t->name) || strlen(ir_text(ir, t->name)) > LIMIT_MAIL_TYPE ||
			(t->demands & ~(uint32_t)MAIL_DEMAND_ALL) != 0 ||
			(i > 0 && strcmp(ir_text(ir, t[-1].name), ir_text(ir, t->name)) >= 0))
			return false;
	}
	return true;
}

static bool mail_values_ok(const struct ir_mail *m)
{
	return m->direction < MAIL_DIRECTIONS && m->transparent <= 1 && m->english <= 1 && m->original_copied <= 1 &&
	       (m->attachment_text & ~MAIL_TEXT_ALL) == 0 && m->private_use <= 1 && m->mynumber < MAIL_MYNUMBER_END &&
	       m->auto_forward_refuse <= 1 && (m->demands & ~MAIL_DEMAND_ALL) == 0 &&
	       (m->encrypted & ~MAIL_DEMAND_ALL) == 0 && m->listed_only <= 1 && m->max_size > 0 &&
	       (m->original_copied != 0) == (m->originals.n > 0);
}

const struct ir_mail *ir_mail_turned(const struct ir *ir, const struct addr *server)
{
	for (uint32_t i = 0; i < ir->nmails; i++) {
		const struct ir_mail *m = &ir->mails[i];
		for (uint32_t k = 0; m->transparent != 0 && k < m->hops.n; k++) {
			const struct ir_mail_host *h = &ir->mail_hosts[m->hops.first + k];
			if (h->family == server->family && memcmp(h->range.lo, server->b, 16) == 0)
				return m;
		}
	}
	return NULL;
}

static const char *check_mails(const struct ir *ir)
{
	if (ir->nmails > MAIL_DIRECTIONS)
		return "mail: too many directions";
	for (uint32_t i = 0; i < ir->nmails; i++) {
		const struct ir_mail *m = &ir->mails[i];
		if (!mail_values_ok(m) || (i > 0 && m[-1].direction >= m->direction))
			return ir_wrong("mail %u: value", i);
		if (m->tls >= TLS_OFFERS || (m->tls != TLS_OFF) != (m->certificate != 0) || !certificate_ok(ir, m->certificate))
			return ir_wrong("mail %u: tls", i);
		if (m->authserv != 0 && !short_text_ok(ir, m->authserv, LIMIT_VERIFY_NAME + 1))
			return ir_wrong("mail %u: string", i);
		if (!mail_hosts_ok(ir, m->listens, true, false) || !mail_hosts_ok(ir, m->hops, false, false) ||
			!mail_hosts_ok(ir, m->originals, false, false) || !mail_hosts_ok(ir, m->servers, false, true))
			return ir_wrong("mail %u: hosts", i);
		if (!ir_names_ok(ir, m->domains, LIMIT_MAIL_DOMAINS) || !ir_names_ok(ir, m->roles, LIMIT_MAIL_ROLES))
			return ir_wrong("mail %u: names", i);
		if (!mail_types_ok(ir, m->types))
			return ir_wrong("mail %u: types", i);
	}
	if (ir->system->has_mail_in != (ir_mail(ir, MAIL_IN) != NULL) ||
		ir->system->has_mail_out != (ir_mail(ir, MAIL_OUT) != NULL))
		return "system: mail";
	return NULL;
}

static const char *check_mail_hosts(const struct ir *ir)
{
	if (ir->nmail_hosts > 8 * LIMIT_MAIL_HOSTS)
		return "mail hosts: too many";
	for (uint32_t i = 0; i < ir->nmail_hosts; i++) {
		const struct ir_mail_host *h = &ir->mail_hosts[i];
		if (!ir_text_ok(ir, h->name) || h->interface >= ir->ninterfaces || !ir_range_ok(h->family, &h->range) ||
			!tls_ok(ir, h))
			return ir_wrong("mail host %u", i);
	}
	for (uint32_t i = 0; i < ir->nmail_types; i++)
		if (!ir_text_ok(ir, ir->mail_types[i].name))
			return ir_wrong("mail type %u", i);
	return NULL;
}

static int superior_cmp(const struct ir *ir, const struct ir_superior *a, const struct ir_superior *b)
{
	int d = strcmp(ir_text(ir, a->address), ir_text(ir, b->address));

	return d != 0 ? d : strcmp(ir_text(ir, a->role), ir_text(ir, b->role));
}

static const char *check_superiors(const struct ir *ir)
{
	if (ir->nsuperiors > LIMIT_SUPERIORS)
		return "superiors: too many";
	for (uint32_t i = 0; i < ir->nsuperiors; i++) {
		const struct ir_superior *s = &ir->superiors[i];
		if (!short_text_ok(ir, s->address, LIMIT_MAIL_ADDRESS + 1) || !ir_name_ok(ir, s->name) ||
			!ir_name_ok(ir, s->role))
			return ir_wrong("superior %u: string", i);
		if (i > 0 && superior_cmp(ir, s - 1, s) >= 0)
			return ir_wrong("superior %u: not in order", i);
	}
	return NULL;
}

static const char *check_partners(const struct ir *ir)
{
	if (ir->nlabels > LIMIT_MAIL_LABELS || ir->npartners > LIMIT_PARTNERS)
		return "partners: too many";
	for (uint32_t i = 0; i < ir->nlabels; i++)
		if (!short_text_ok(ir, ir->labels[i].text, LIMIT_MAIL_LABEL))
			return ir_wrong("label %u", i);
	for (uint32_t i = 0; i < ir->npartners; i++) {
		const struct ir_partner *p = &ir->partners[i];
		if (!ir_name_ok(ir, p->name) || p->others > 1 || (p->labels >> ir->nlabels) != 0)
			return ir_wrong("partner %u: value", i);
		if (p->group > i || ir->partners[p->group].group != p->group || ir->partners[p->group].labels != p->labels)
			return ir_wrong("partner %u: group", i);
		if (!ir_names_ok(ir, p->domains, LIMIT_MAIL_DOMAINS))
			return ir_wrong("partner %u: domains", i);
	}
	return NULL;
}

const char *ir_check_mail(const struct ir *ir)
{
	static const char *(*const checks[])(const struct ir *) = {
		check_mail_hosts, check_mails, check_superiors, check_partners};
	const char *bad = NULL;

	for (size_t i = 0; bad == NULL && i < sizeof(checks) / sizeof(checks[0]); i++)
		bad = checks[i](ir);
	return bad;
}
