/*
 * mail_people.c: superiors, partners and the labels of the mail gate, and what is doubtful about them.
 *
 * A superior counts as an envelope recipient, so the address is kept in lower case: mail servers do not tell Kacho@ and
 * kacho@ apart. Partners that demand the same form one group: to different groups a mail has different verdicts.
 */
#include "own.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- superiors -------------------------------------------------------------------------------------------- */

struct sorted {
	const char *address;
	const struct model_superior *superior;
};

static int by_address(const void *pa, const void *pb)
{
	const struct sorted *a = pa, *b = pb;
	int d = strcmp(a->address, b->address);

	return d != 0 ? d : strcmp(a->superior->role.text, b->superior->role.text);
}

static const char *lower(struct compiler *c, const char *text)
{
	char *s = arena_strdup(c->arena, text);

	for (char *p = s; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return s;
}

static void check_superior(struct compiler *c, const struct model_superior *s)
{
	const struct model_mail_out *out = &c->m->mail_out;
	const char *at = strchr(s->address.text, '@');

	if (at == NULL || !mail_domain_own(c, at + 1))
		diag_warning(c->diags, s->address.line, "mail-superior-outside",
			_("use an address of a domain of `mail inbound` or a `sender-domain`"),
			_("the superior \"%s\" has an address outside of the own domains: whoever reads mail there could let "
			  "attachments leave"),
			s->name.text);
	if (out->require_cc.n > 0 && !mail_domain_in(&out->require_cc, s->role.text))
		diag_warning(c->diags, s->role.line, "mail-role-unused", _("correct the role, or add it to `require-cc`"),
			_("no `require-cc` names the role \"%s\" of superior \"%s\""), s->role.text, s->name.text);
}

static bool is_complete(struct compiler *c, const struct model_superior *s)
{
	if (s->address.text != NULL && s->role.text != NULL)
		return true;
	if (!form_said(c, s->name.line))
		diag_error(c->diags, s->name.line, "mail-superior-incomplete", _("add: address ADDRESS role ROLE"),
			_("the superior \"%s\" has no address or no role"), s->name.text);
	return false;
}

static void put_superiors(struct compiler *c)
{
	const struct model *m = c->m;
	struct sorted *v = ARENA_ARRAY(c->arena, m->nsuperiors + 1, struct sorted);
	size_t n = 0;

	for (size_t i = 0; i < m->nsuperiors; i++) {
		const struct model_superior *s = &m->superiors[i];
		if (!is_complete(c, s))
			continue;
		v[n++] = (struct sorted){lower(c, s->address.text), s};
		check_superior(c, s);
	}
	qsort(v, n, sizeof(*v), by_address);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && by_address(&v[i - 1], &v[i]) == 0) {
			diag_warning(c->diags, v[i].superior->name.line, "mail-superior-twice", _("remove one of the two"),
				_("the superiors \"%s\" and \"%s\" have the same address and role"),
				v[i - 1].superior->name.text, v[i].superior->name.text);
			continue;
		}
		struct ir_superior r = {ir_intern(&c->ir, v[i].address), ir_intern(&c->ir, v[i].superior->name.text),
			ir_intern(&c->ir, lower(c, v[i].superior->role.text))};
		*(struct ir_superior *)IR_PUSH(&c->ir, superiors) = r;
	}
}

static bool has_role(const struct model *m, const char *role)
{
	for (size_t i = 0; i < m->nsuperiors; i++)
		if (m->superiors[i].role.text != NULL && strcasecmp(m->superiors[i].role.text, role) == 0)
			return true;
	return false;
}

/* A role that nobody has can never let anything pass. */
static void check_roles(struct compiler *c)
{
	const struct words *roles = &c->m->mail_out.require_cc;

	for (size_t i = 0; i < roles->n; i++)
		if (!has_role(c->m, roles->v[i].text))
			diag_warning(c->diags, roles->v[i].line, "mail-no-superior",
				_("add: set mail superior NAME address ADDRESS role ROLE"),
				_("`require-cc %s`: no superior has this role, so that nobody can let attachments leave by it"),
				roles->v[i].text);
}

/* -- labels ----------------------------------------------------------------------------------------------- */

/* The bit of a label, made when it is new; 0 when there is no room. */
static uint8_t label_bit(struct compiler *c, const struct word *w)
{
	struct ir_builder *b = &c->ir;

	if (strlen(w->text) >= LIMIT_MAIL_LABEL) {
		diag_error(c->diags, w->line, "mail-label-long", _("use a shorter label"),
			_("the label \"%s\" has more than %u bytes"), w->text, LIMIT_MAIL_LABEL - 1u);
		return 0;
	}
	for (size_t i = 0; i < b->nlabels; i++)
		if (strcmp(&b->strings[b->labels[i].text].c, w->text) == 0)
			return (uint8_t)(1u << i);
	if (b->nlabels == LIMIT_MAIL_LABELS) {
		diag_error(c->diags, w->line, "mail-labels", _("use the same label for several partners"),
			_("the label \"%s\" is one too many: all partners together have at most %u different ones"), w->text,
			(unsigned)LIMIT_MAIL_LABELS);
		return 0;
	}
	struct ir_label label = {ir_intern(b, w->text)};
	*(struct ir_label *)IR_PUSH(b, labels) = label;
	return (uint8_t)(1u << (b->nlabels - 1));
}

/* -- partners --------------------------------------------------------------------------------------------- */

static bool is_other(const char *domain)
{
	return strcmp(domain, "other") == 0;
}

/* A domain has one partner, and no own domain is one's. `seen`: partner by domain. */
static void check_domain(struct compiler *c, struct strmap *seen, uint32_t partner, const struct word *w)
{
	const struct model_partner *p = &c->m->partners[partner];
	uint32_t first = partner;

	if (!strmap_get(seen, lower(c, w->text), &first))
		strmap_add(seen, lower(c, w->text), partner);
	if (first != partner)
		diag_error(c->diags, w->line, "mail-partner-twice", _("leave it with one of the two"),
			_("the domain \"%s\" belongs to the partners \"%s\" and \"%s\""), w->text,
			c->m->partners[first].name.text, p->name.text);
	if (mail_domain_own(c, w->text))
		diag_warning(c->diags, w->line, "mail-partner-own", _("remove it"),
			_("the domain \"%s\" of partner \"%s\" is one of our own: nothing is demanded there"), w->text,
			p->name.text);
}

static uint16_t group_of(const struct compiler *c, uint8_t labels, size_t self)
{
	for (size_t i = 0; i < self; i++)
		if (c->ir.partners[i].labels == labels)
			return c->ir.partners[i].group;
	return (uint16_t)self;
}

static void put_partner(struct compiler *c, struct strmap *seen, uint32_t partner)
{
	const struct model_partner *p = &c->m->partners[partner];
	struct ir_partner r = {.name = ir_intern(&c->ir, p->name.text)};
	struct words named = {ARENA_ARRAY(c->arena, p->domains.n + 1, struct word), 0, 0};

	for (size_t i = 0; i < p->domains.n; i++) {
		check_domain(c, seen, partner, &p->domains.v[i]);
		if (is_other(p->domains.v[i].text))
			r.others = 1;
		else
			named.v[named.n++] = p->domains.v[i];
	}
	for (size_t i = 0; i < p->labels.n; i++)
		r.labels |= label_bit(c, &p->labels.v[i]);
	r.domains = mail_put_domains(c, &named);
	r.group = group_of(c, r.labels, c->ir.npartners);
	*(struct ir_partner *)IR_PUSH(&c->ir, partners) = r;
}

void mail_people(struct compiler *c)
{
	struct strmap *seen = strmap_new();

	put_superiors(c);
	check_roles(c);
	for (uint32_t i = 0; i < c->m->npartners; i++)
		put_partner(c, seen, i);
	strmap_free(seen);
}
