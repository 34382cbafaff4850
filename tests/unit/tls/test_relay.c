/*
 * test_relay.c: handshake and relay as a child of sekisho-tls runs them, against peers of GnuTLS itself: who is believed to be
 * whom, bytes both ways, each kind of end. The child is a fork, without its jail (tests/netns/mail has that).
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sekisho/clock.h>

#include "certificate.h"
#include "handshake.h"
#include "relay.h"
#include "selfmade.h"
#include "test.h"

static struct selfmade authority, good, other, expired, foreign;

static int64_t now_ms(void)
{
	return clock_mono().ns / 1000000;
}

/* A key of this process, where a child of sekisho-tls has none. */
static const struct selfmade *own;
static int own_key(gnutls_privkey_t key, gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	(void)algorithm;
	(void)bits;
	return gnutls_privkey_import_x509(key, own->key, GNUTLS_PRIVKEY_IMPORT_COPY);
}

struct child {
	pid_t pid;
	int net, plain, result;
};

static struct child start(const struct msg_tls_job *job, const struct chain *chain, int64_t ms)
{
	int net[2], plain[2], result[2];
	struct child c;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, net) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, plain) == 0 &&
		socketpair(AF_UNIX, SOCK_SEQPACKET, 0, result) == 0);
	c = (struct child){.pid = fork(), .net = net[0], .plain = plain[0], .result = result[0]};
	if (c.pid == 0) {
		struct wire w = {.net = net[1], .plain = plain[1]};
		struct msg_tls_done done = {0};
		gnutls_session_t session;
		close(net[0]);
		close(plain[0]);
		signal(SIGPIPE, SIG_IGN);
		if (fcntl(net[1], F_SETFL, O_NONBLOCK) < 0 || fcntl(plain[1], F_SETFL, O_NONBLOCK) < 0)
			_exit(1);
		done.why = handshake_prepare(job, chain, &w, &session);
		if (done.why == TLS_WHY_OK)
			handshake_run(session, job, &w, now_ms() + ms, &done);
		msg_send(result[1], MSG_TLS_DONE, 0, &done, NULL, 0);
		if (done.why == TLS_WHY_OK)
			relay_run(session, &w);
		_exit(0);
	}
	close(net[1]);
	close(plain[1]);
	close(result[1]);
	return c;
}

static struct msg_tls_done finish(struct child *c)
{
	static struct msg m;

	CHECK_INT(msg_recv(c->result, &m), 1);
	CHECK_INT(m.type, MSG_TLS_DONE);
	return m.u.msg_tls_done;
}

/* Everything is closed; the child must be gone by itself. */
static void end(struct child *c)
{
	int status = -1;

	close(c->net);
	close(c->plain);
	close(c->result);
	CHECK_INT(waitpid(c->pid, &status, 0), c->pid);
	CHECK_INT(status, 0);
}

/* The peer on the other side of the wire: a plain session of GnuTLS, which waits. */
static gnutls_session_t peer(int fd, bool server, const struct selfmade *s, gnutls_certificate_credentials_t *cred)
{
	gnutls_session_t session;

	gnutls_certificate_allocate_credentials(cred);
	if (s != NULL)
		gnutls_certificate_set_x509_key(*cred, (gnutls_x509_crt_t[]){s->crt}, 1, s->key);
	gnutls_init(&session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NO_SIGNAL);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, *cred);
	gnutls_transport_set_int(session, fd);
	gnutls_handshake_set_timeout(session, 5000);
	return session;
}

static int shake(gnutls_session_t s)
{
	int r;

	do
		r = gnutls_handshake(s);
	while (r < 0 && !gnutls_error_is_fatal(r));
	return r;
}

static void free_peer(gnutls_session_t s, gnutls_certificate_credentials_t cred)
{
	gnutls_deinit(s);
	gnutls_certificate_free_credentials(cred);
}

/* As a client: what is said of a server with this certificate? */
static struct msg_tls_done meet(const struct selfmade *server, const struct msg_tls_job *job)
{
	struct chain *trusted = chain_read(authority.pem.data, authority.pem.size, false, own_key);
	struct child c = start(job, job->authority[0] != '\0' ? trusted : NULL, 5000);
	gnutls_certificate_credentials_t cred;
	gnutls_session_t s = peer(c.net, true, server, &cred);

	shake(s);
	struct msg_tls_done done = finish(&c);
	free_peer(s, cred);
	end(&c);
	chain_free(trusted);
	return done;
}

static void test_who_it_is(void)
{
	struct msg_tls_job any = {.role = MSG_TLS_CLIENT, .level = TLS_REQUIRE, .seconds = 5}, named = any, pinned = any;
	size_t n = sizeof(pinned.pin[0]);

	named.level = pinned.level = TLS_VERIFY;
	MSG_TEXT(named.name, "mx.example.jp");
	MSG_TEXT(named.authority, "ca");
	gnutls_x509_crt_get_fingerprint(foreign.crt, GNUTLS_DIG_SHA256, pinned.pin[1], &n);
	pinned.npins = 2;
	CHECK_INT(meet(&foreign, &any).why, TLS_WHY_OK);
	CHECK_INT(meet(&expired, &any).trust, TLS_TRUST_UNVERIFIED);
	struct msg_tls_done done = meet(&good, &named);
	CHECK(done.why == TLS_WHY_OK && done.trust == TLS_TRUST_AUTHORITY && strcmp(done.peer, "mx.example.jp") == 0);
	CHECK(strcmp(done.version, "TLS1.3") == 0 && done.cipher[0] != '\0');
	CHECK_INT(meet(&other, &named).why, TLS_WHY_WRONG_NAME);
	CHECK_INT(meet(&expired, &named).why, TLS_WHY_EXPIRED);
	CHECK_INT(meet(&foreign, &named).why, TLS_WHY_UNTRUSTED);
	done = meet(&foreign, &pinned);
	CHECK(done.why == TLS_WHY_OK && done.trust == TLS_TRUST_FINGERPRINT);
	CHECK_INT(meet(&good, &pinned).why, TLS_WHY_WRONG_PIN);
	named.authority[0] = '\0';
	memset(named.authority, 0, sizeof(named.authority));
	CHECK_INT(meet(&good, &named).why, TLS_WHY_UNTRUSTED); /* nothing to know it by: never believed */
}

static ssize_t read_all(int fd, char *p, size_t n)
{
	size_t have = 0;
	ssize_t got;

	while (have < n && (got = read(fd, p + have, n - have)) > 0)
		have += (size_t)got;
	return (ssize_t)have;
}

/* As a server: bytes both ways, more than fit into any buffer; then the end from either side. */
static void test_bytes(bool peer_first)
{
	static char text[200000], back[200000];
	struct chain *chain;
	gnutls_certificate_credentials_t cred;

	own = &good;
	chain = chain_read(good.pem.data, good.pem.size, true, own_key);
	struct msg_tls_job job = {.role = MSG_TLS_SERVER, .seconds = 5};
	struct child c = start(&job, chain, 5000);
	gnutls_session_t s = peer(c.net, false, NULL, &cred);
	CHECK_INT(shake(s), 0);
	CHECK_INT(finish(&c).why, TLS_WHY_OK);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 31 + i / 251);
	if (fork() == 0) { /* one end writes while the other reads */
		for (size_t at = 0; at < sizeof(text);) {
			ssize_t n = gnutls_record_send(s, text + at, sizeof(text) - at);
			if (n <= 0)
				_exit(1);
			at += (size_t)n;
		}
		_exit(0);
	}
	CHECK_INT(read_all(c.plain, back, sizeof(back)), sizeof(back));
	CHECK(memcmp(text, back, sizeof(text)) == 0);
	wait(NULL);
	CHECK_INT(write(c.plain, "220 hello\r\n", 11), 11);
	CHECK_INT(gnutls_record_recv(s, back, 100), 11);
	CHECK(memcmp(back, "220 hello\r\n", 11) == 0);
	if (peer_first) {
		gnutls_bye(s, GNUTLS_SHUT_WR);
		CHECK_INT(read(c.plain, back, 1), 0);
	} else { /* what was said last still arrives, and then an end in order */
		CHECK_INT(write(c.plain, "221 bye\r\n", 9), 9);
		shutdown(c.plain, SHUT_WR);
		CHECK_INT(gnutls_record_recv(s, back, 100), 9);
		CHECK_INT(gnutls_record_recv(s, back, 100), 0);
	}
	free_peer(s, cred);
	end(&c);
	chain_free(chain);
}

/* What is no handshake, or none in time. */
static void test_no_handshake(void)
{
	static const char smtp[] = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n";
	struct msg_tls_job job = {.role = MSG_TLS_SERVER, .seconds = 1};
	struct chain *chain = chain_read(good.pem.data, good.pem.size, true, own_key);
	struct child c = start(&job, chain, 5000);

	CHECK_INT(write(c.net, smtp, sizeof(smtp) - 1), sizeof(smtp) - 1);
	enum tls_why why = (enum tls_why)finish(&c).why;
	CHECK(why == TLS_WHY_GARBAGE || why == TLS_WHY_VERSION);
	end(&c);
	c = start(&job, chain, 300); /* it says nothing */
	CHECK_INT(finish(&c).why, TLS_WHY_TIMEOUT);
	end(&c);
	c = start(&job, chain, 300); /* three bytes, and no more */
	CHECK_INT(write(c.net, "\x16\x03\x01", 3), 3);
	CHECK_INT(finish(&c).why, TLS_WHY_TIMEOUT);
	end(&c);
	c = start(&job, chain, 5000); /* it goes away */
	shutdown(c.net, SHUT_WR);
	CHECK_INT(finish(&c).why, TLS_WHY_CLOSED);
	end(&c);
	c = start(&job, chain, 30000); /* whoever waited for it goes away: at once, whatever time there is */
	int64_t since = now_ms();
	close(c.plain);
	c.plain = dup(c.net);
	CHECK_INT(finish(&c).why, TLS_WHY_TIMEOUT);
	CHECK(now_ms() - since < 5000);
	end(&c);
	CHECK_INT(handshake_prepare(&job, NULL, &(struct wire){0}, &(gnutls_session_t){NULL}), TLS_WHY_OWN);
	chain_free(chain);
}

/* Another handshake inside: SMTP has its own, and this one has had its. */
static void test_renegotiation(void)
{
	struct msg_tls_job job = {.role = MSG_TLS_SERVER, .seconds = 5};
	struct chain *chain = chain_read(good.pem.data, good.pem.size, true, own_key);
	struct child c = start(&job, chain, 5000);
	gnutls_certificate_credentials_t cred;
	gnutls_session_t s = peer(c.net, false, NULL, &cred);
	char byte;

	gnutls_priority_set_direct(s, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL);
	CHECK_INT(shake(s), 0);
	CHECK(strcmp(finish(&c).version, "TLS1.2") == 0);
	CHECK(shake(s) != 0);
	CHECK_INT(read(c.plain, &byte, 1), 0);
	free_peer(s, cred);
	end(&c);
	chain_free(chain);
}

int main(void)
{
	unsigned p256 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

	signal(SIGPIPE, SIG_IGN);
	authority = selfmade(GNUTLS_PK_ECDSA, p256, "authority", 100, NULL);
	good = selfmade(GNUTLS_PK_ECDSA, p256, "mx.example.jp", 100, &authority);
	other = selfmade(GNUTLS_PK_ECDSA, p256, "other.example.jp", 100, &authority);
	expired = selfmade(GNUTLS_PK_ECDSA, p256, "mx.example.jp", -1, &authority);
	foreign = selfmade(GNUTLS_PK_RSA, 2048, "mx.example.jp", 100, NULL);
	own = &good;
	test_who_it_is();
	test_bytes(true);
	test_bytes(false);
	test_no_handshake();
	test_renegotiation();
	return test_end();
}
