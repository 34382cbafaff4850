/*
 * mail_tls.c: STARTTLS of the mail gate into the IR: what clients are offered, what mail servers must do.
 *
 * Names of certificates and authorities are only names here: whether their files are there the gate says at run time, since
 * they come and go without the policy.
 */
#include "own.h"

#include <sekisho/tls.h>

#include <string.h>

const struct model_tls_to *mail_tls_to(const struct model_tls *tls, const char *host)
{
	for (size_t i = 0; i < tls->nto; i++)
		if (strcmp(tls->to[i].host.text, host) == 0)
			return &tls->to[i];
	return NULL;
}

void mail_put_tls_to(struct compiler *c, const struct model_tls_to *to, struct ir_mail_host *h)
{
	h->tls = to->level;
	h->tls_name = ir_intern(&c->ir, to->name.text);
	h->tls_ca = ir_intern(&c->ir, to->ca.text);
	h->tls_pins.first = (uint32_t)c->ir.nnames;
	for (size_t i = 0; i < to->pins.n; i++) {
		struct ir_name pin = {ir_intern(&c->ir, to->pins.v[i].text)};
		*(struct ir_name *)IR_PUSH(&c->ir, names) = pin;
		h->tls_pins.n++;
	}
}

static bool is_hop(const char *host, const struct word *original, const struct words *hops)
{
	for (size_t i = 0; i < hops->n; i++)
		if (strcmp(hops->v[i].text, host) == 0)
			return true;
	return original != NULL && original->text != NULL && strcmp(original->text, host) == 0;
}

/* Enough to know the server by, and no more than is looked at. */
static void check_demand(struct compiler *c, const char *which, const struct model_tls_to *to)
{
	bool named = to->name.text != NULL && to->ca.text != NULL;

	if (to->level == TLS_VERIFY && to->pins.n == 0 && !named)
		diag_error(c->diags, to->host.line, "tls-to-unknown", _("add: fingerprint SHA256, or: name NAME ca NAME"),
			_("mail %s: `verify` does not say by what \"%s\" is to be known"), which, to->host.text);
	else if (to->level == TLS_VERIFY && to->pins.n > 0 && to->ca.text != NULL)
		diag_warning(c->diags, to->ca.line, "tls-to-both", _("leave out `ca`, or the fingerprints"),
			_("mail %s: \"%s\" is known by its fingerprint alone: `ca` is not looked at"), which, to->host.text);
	else if (to->level != TLS_VERIFY && (to->pins.n > 0 || to->ca.text != NULL))
		diag_warning(c->diags, to->host.line, "tls-to-not-verified", _("write: level verify"),
			_("mail %s: whose certificate \"%s\" shows is looked at with `verify` only"), which, to->host.text);
}

static void check_servers(struct compiler *c, const char *which, const struct model_tls *tls, const struct word *original,
	const struct words *hops)
{
	for (size_t i = 0; i < tls->nto; i++) {
		const struct model_tls_to *to = &tls->to[i];
		if (name_find(c, c->hosts, NAME_HOST, &to->host) == NONE)
			continue;
		if (!is_hop(to->host.text, original, hops))
			diag_error(c->diags, to->host.line, "tls-to-no-hop", _("name a `next-hop`, or `original-to`"),
				_("mail %s: `tls-to` names \"%s\", to which no mail goes"), which, to->host.text);
		check_demand(c, which, to);
	}
}

void mail_put_tls(struct compiler *c, const char *which, const struct model_tls *tls, const struct word *original,
	const struct words *hops, struct ir_mail *m)
{
	bool wanted = tls->offer != TLS_OFF, have = tls->certificate.text != NULL;

	check_servers(c, which, tls, original, hops);
	if (wanted && !have)
		diag_error(c->diags, tls->line, "tls-no-certificate", _("add: certificate NAME"),
			_("mail %s: STARTTLS needs a certificate"), which);
	if (have && !wanted)
		diag_warning(c->diags, tls->certificate.line, "tls-off", _("add: tls offer"),
			_("mail %s: the certificate \"%s\" is not used: `tls` is off"), which, tls->certificate.text);
	m->tls = wanted && have ? tls->offer : TLS_OFF;
	m->certificate = m->tls != TLS_OFF ? ir_intern(&c->ir, tls->certificate.text) : 0;
}
