/*
 * direct_tls.c: a ClientHello where a protocol's own greeting could stand. See direct_tls.h. Standards: RFC 7301 (ALPN),
 * PostgreSQL's sslnegotiation=direct ("postgresql"), MS-TDS 8.0 ("tds/8.0").
 *
 * Input: the first bytes of a client. The hello is only looked at here and left to the verifier of TLS, which judges the rest
 * by the rule's own policy, server-name included.
 */
#include "direct_tls.h"

#include "tls_hello.h"

enum verify_status direct_tls(struct verify *v, const char *alpn)
{
	struct verify_policy policy = {.application = APP_TLS, .options = VERIFY_ECH, .alpns = {&alpn, 1}};
	struct tls_message m UNSET;
	struct tls_hello h = {0};

	tls_message_read(&m, TLS_CLIENT_HELLO, v->side[VERIFY_CLIENT].p, v->side[VERIFY_CLIENT].n, WHY_PROTOCOL);
	struct cursor c = cursor_init(m.p, m.n);
	if (m.has_length)
		tls_client_hello(&c, &m, &policy, &h);
	if (c.why != WHY_NONE || m.why != WHY_NONE)
		return verify_refuse(v, c.why != WHY_NONE ? c.why : m.why);
	if (!m.whole)
		return VERIFY_MORE;
	v->next = APP_TLS;
	return VERIFY_HANDOVER;
}
