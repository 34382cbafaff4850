/*
 * handshake.c: TLS 1.2 and 1.3 as both sides of the mail gate speak it.
 *
 * Offered: elliptic curves only (forward secrecy), AES-GCM and ChaCha20-Poly1305; no RSA key exchange, no CBC, no compression,
 * no tickets (no session is ever resumed: each has a process of its own), no renegotiation. No certificate is asked of clients.
 * A mail server behind us is looked at by the policy's level: by fingerprint where there is one, else by name and authority.
 *
 * Input: bytes of anybody, read by GnuTLS. Limits: a message of the handshake HANDSHAKE_BYTES, a chain of VERIFY_DEPTH
 * (certificate.c), the time that the job says. Failure: enum tls_why.
 */
#include "handshake.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include <sekisho/clock.h>

#include "remote_key.h"

#define HANDSHAKE_BYTES 49152
#define PRIORITY                                                                                                 \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM:"    \
	"+AES-128-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"               \
	"+GROUP-SECP384R1:+GROUP-SECP521R1:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%PROFILE_MEDIUM"

/* -- The wire -------------------------------------------------------------------------------------------- */

static ssize_t push(gnutls_transport_ptr_t arg, const void *p, size_t n)
{
	const struct wire *w = arg;

	return write(w->net, p, n);
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *p, size_t n)
{
	struct wire *w = arg;
	ssize_t got = read(w->net, p, n);

	w->ended = w->ended || got == 0;
	return got;
}

static int pull_timeout(gnutls_transport_ptr_t arg, unsigned ms)
{
	const struct wire *w = arg;
	struct pollfd p = {.fd = w->net, .events = POLLIN};

	return poll(&p, 1, ms == GNUTLS_INDEFINITE_TIMEOUT ? -1 : (int)ms);
}

/* -- Before ---------------------------------------------------------------------------------------------- */

static int prepare_server(gnutls_session_t session, const struct chain *own)
{
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_IGNORE);
	return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, own->credentials);
}

static int prepare_client(gnutls_session_t session, const struct msg_tls_job *job, const struct chain *authority)
{
	static gnutls_certificate_credentials_t nobody;
	int r = 0;

	if (authority == NULL)
		r = gnutls_certificate_allocate_credentials(&nobody);
	if (r == 0 && job->name[0] != '\0')
		r = gnutls_server_name_set(session, GNUTLS_NAME_DNS, job->name, strlen(job->name));
	if (r == 0)
		r = gnutls_credentials_set(
			session, GNUTLS_CRD_CERTIFICATE, authority != NULL ? authority->credentials : nobody);
	return r;
}

enum tls_why handshake_prepare(const struct msg_tls_job *job, const struct chain *own, struct wire *w, gnutls_session_t *ret)
{
	bool server = job->role == MSG_TLS_SERVER;
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_REKEY;
	gnutls_session_t s = NULL;

	*ret = NULL;
	if (own == NULL && (server || job->authority[0] != '\0'))
		return TLS_WHY_OWN;
	int r = gnutls_init(&s, flags | (server ? GNUTLS_SERVER : GNUTLS_CLIENT));
	if (r == 0)
		r = gnutls_priority_set_direct(s, PRIORITY, NULL);
	if (r == 0)
		r = server ? prepare_server(s, own) : prepare_client(s, job, own);
	if (r != 0) {
		gnutls_deinit(s);
		return TLS_WHY_HANDSHAKE;
	}
	gnutls_handshake_set_max_packet_length(s, HANDSHAKE_BYTES);
	gnutls_transport_set_ptr(s, w);
	gnutls_transport_set_push_function(s, push);
	gnutls_transport_set_pull_function(s, pull);
	gnutls_transport_set_pull_timeout_function(s, pull_timeout);
	*ret = s;
	return TLS_WHY_OK;
}

/* -- Who is it? ------------------------------------------------------------------------------------------ */

/* The certificate itself; NULL: it showed none, or none that can be read. */
static gnutls_x509_crt_t shown(gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &n);
	gnutls_x509_crt_t crt = NULL;

	if (list == NULL || n == 0 || gnutls_x509_crt_init(&crt) != 0)
		return NULL;
	if (gnutls_x509_crt_import(crt, &list[0], GNUTLS_X509_FMT_DER) == 0)
		return crt;
	gnutls_x509_crt_deinit(crt);
	return NULL;
}

static enum tls_why by_fingerprint(const struct msg_tls_job *job, struct msg_tls_done *ret)
{
	for (uint32_t i = 0; i < job->npins; i++) {
		if (memcmp(job->pin[i], ret->pin, sizeof(ret->pin)) == 0) {
			ret->trust = TLS_TRUST_FINGERPRINT;
			return TLS_WHY_OK;
		}
	}
	return TLS_WHY_WRONG_PIN;
}

static enum tls_why by_authority(gnutls_session_t session, const struct msg_tls_job *job, struct msg_tls_done *ret)
{
	gnutls_typed_vdata_st wanted = {.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)(uintptr_t)job->name,
		.size = (unsigned)strlen(job->name)};
	unsigned status = 0;

	if (gnutls_certificate_verify_peers(session, &wanted, 1, &status) != 0)
		return TLS_WHY_UNTRUSTED;
	if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0)
		return TLS_WHY_EXPIRED;
	if (status != 0 && (status & ~(unsigned)(GNUTLS_CERT_INVALID | GNUTLS_CERT_UNEXPECTED_OWNER)) == 0)
		return TLS_WHY_WRONG_NAME;
	if (status != 0)
		return TLS_WHY_UNTRUSTED;
	ret->trust = TLS_TRUST_AUTHORITY;
	MSG_TEXT(ret->peer, job->name);
	return TLS_WHY_OK;
}

static enum tls_why look_at_peer(gnutls_session_t session, const struct msg_tls_job *job, struct msg_tls_done *ret)
{
	gnutls_x509_crt_t crt = shown(session);
	char subject[512] = "";
	size_t n = sizeof(subject), pin = sizeof(ret->pin);

	if (crt == NULL)
		return TLS_WHY_NO_CERTIFICATE;
	ret->trust = TLS_TRUST_UNVERIFIED;
	bool good = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, ret->pin, &pin) == 0;
	if (gnutls_x509_crt_get_dn(crt, subject, &n) < 0)
		subject[0] = '\0';
	gnutls_x509_crt_deinit(crt);
	MSG_TEXT(ret->peer, subject);
	if (!good)
		return TLS_WHY_UNTRUSTED;
	if (job->level != TLS_VERIFY)
		return TLS_WHY_OK;
	if (job->npins > 0)
		return by_fingerprint(job, ret);
	return job->authority[0] != '\0' ? by_authority(session, job, ret) : TLS_WHY_UNTRUSTED;
}

/* -- The handshake --------------------------------------------------------------------------------------- */

static enum tls_why why_of(int r, const struct wire *w)
{
	switch (r) {
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_RECORD_OVERFLOW:
	case GNUTLS_E_RECORD_LIMIT_REACHED:
		return TLS_WHY_GARBAGE;
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return TLS_WHY_VERSION;
	case GNUTLS_E_NO_CIPHER_SUITES:
	case GNUTLS_E_NO_COMMON_KEY_SHARE:
	case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
	case GNUTLS_E_INSUFFICIENT_SECURITY:
		return TLS_WHY_CIPHER;
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return TLS_WHY_ALERT;
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return TLS_WHY_CLOSED;
	case GNUTLS_E_PK_SIGN_FAILED:
		return TLS_WHY_KEY;
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
		return TLS_WHY_NO_CERTIFICATE;
	default:
		return w->ended ? TLS_WHY_CLOSED : TLS_WHY_HANDSHAKE;
	}
}

static int64_t now_ms(void)
{
	return clock_mono().ns / 1000000;
}

/* Until the connection can go on. False: time is up, or nobody waits for it any more. */
static bool wait_for(gnutls_session_t session, const struct wire *w, int64_t until)
{
	short events = gnutls_record_get_direction(session) ? POLLOUT : POLLIN;
	struct pollfd p[2] = {{.fd = w->net, .events = events}, {.fd = w->plain, .events = 0}};
	int64_t left = until - now_ms();

	return left > 0 && poll(p, 2, (int)left) > 0 && p[1].revents == 0;
}

static enum tls_why shake_hands(gnutls_session_t session, const struct wire *w, int64_t until)
{
	int r;

	do {
		remote_key_patience_ms = (int)(until - now_ms() > 0 ? until - now_ms() : 0);
		r = gnutls_handshake(session);
		if (r == GNUTLS_E_AGAIN && !wait_for(session, w, until))
			return TLS_WHY_TIMEOUT;
	} while (r < 0 && !gnutls_error_is_fatal(r));
	if (r == 0)
		return TLS_WHY_OK;
	gnutls_alert_send_appropriate(session, r); /* once; whoever does not take it has none */
	return why_of(r, w);
}

/* "TLS1.3", "AES-256-GCM": what people compare with what they asked for. */
static void tell_session(gnutls_session_t session, struct msg_tls_done *ret)
{
	const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(session));
	const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(session));

	MSG_TEXT(ret->version, version != NULL ? version : "");
	MSG_TEXT(ret->cipher, cipher != NULL ? cipher : "");
}

void handshake_run(gnutls_session_t session, const struct msg_tls_job *job, const struct wire *w, int64_t until,
	struct msg_tls_done *ret)
{
	*ret = (struct msg_tls_done){.why = shake_hands(session, w, until)};
	if (ret->why != TLS_WHY_OK)
		return;
	tell_session(session, ret);
	if (job->role == MSG_TLS_CLIENT)
		ret->why = look_at_peer(session, job, ret);
	if (ret->why != TLS_WHY_OK)
		gnutls_alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
}
