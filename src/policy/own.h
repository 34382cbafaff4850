/*
 * own.h: how the gate's own flows are written, for own.c and mail.c.
 */
#ifndef POLICY_OWN_H
#define POLICY_OWN_H

#include "compile.h"

/* The interface through which an address is reached; NONE. */
uint32_t own_interface(const struct compiler *c, const struct addr *a);

/* One more own flow, inward until said otherwise. Valid until the next. */
struct ir_own *own_put(struct compiler *c, const char *what, uint32_t interface, const struct addr_range *remote);

/*
 * The gate speaks to a host of the policy: one record for each of its addresses that can be reached. Returns the host, or
 * NONE when there is none; that, and a host that cannot be reached, is an error said here.
 */
uint32_t own_put_out(
	struct compiler *c, const char *what, const struct word *host, const struct service_port *port);

/* Of the segment that the host stands in. */
enum segment_kind own_kind_of_host(const struct compiler *c, uint32_t host);

/* The mail gate: its own flows, its settings in the IR, and what is wrong or doubtful about them (mail.c). */
void mail_compile(struct compiler *c);

/* Superiors, partners and labels (mail_people.c). */
void mail_people(struct compiler *c);

/* STARTTLS (mail_tls.c): what is demanded of a mail server, NULL: nothing; the same into its record. */
const struct model_tls_to *mail_tls_to(const struct model_tls *tls, const char *host);
void mail_put_tls_to(struct compiler *c, const struct model_tls_to *to, struct ir_mail_host *h);
/* What clients are offered, into the direction's record; and what is wrong about all of it. */
void mail_put_tls(struct compiler *c, const char *which, const struct model_tls *tls, const struct word *original,
	const struct words *hops, struct ir_mail *m);

/* Is the domain (any case) in the list? */
bool mail_domain_in(const struct words *list, const char *domain);

/* Is it one of the own ones: mail for it is taken, or its senders may send? */
bool mail_domain_own(const struct compiler *c, const char *domain);

/* Domains into the IR: lower case, sorted, none twice. A domain without a dot is warned of. */
struct ir_run mail_put_domains(struct compiler *c, const struct words *list);

#endif
