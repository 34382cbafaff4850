/*
 * main_sign.c: sekisho-sign: has the private keys of the mail gate, and signs handshakes with them.
 *
 *	sekisho-init --MSG_TLS_FILE + key--> here          sekisho-tls --MSG_TLS_GRANT + socket--> here
 *	its child    --MSG_TLS_SIGN--> here --MSG_TLS_SIGNED--> it, and the socket is closed
 *
 * No byte of the network comes here, and no key leaves. A grant is made by the part of sekisho-tls that reads nothing of
 * anybody, before its child reads its connection: a child that is taken over has one signature, its own.
 *
 * Input and trust: keys that root put there; fixed-size messages, of which those of children may be an attacker's
 * (signing.h). Limits: GRANTS_MAX grants, each for GRANT_MS; TLS_NAMES_MAX keys, and for each the one of before, for
 * certificates that are still in use. Failure: no answer, and that handshake fails.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include "signing.h"

#define GRANTS_MAX 768
#define GRANT_MS 60000
#define TICK_MS 1000
#define MESSAGES_A_TURN 64

struct key {
	gnutls_privkey_t privkey; /* NULL: none */
	uint8_t id[32];
};

struct grant {
	int fd; /* -1: free */
	uint8_t key[32];
	int64_t until; /* monotonic ns */
};

struct signer {
	struct daemon *d;
	struct slot {
		char name[32];
		struct key now, before;
	} slots[TLS_NAMES_MAX];
	struct grant grants[GRANTS_MAX];
};

/* -- Keys ------------------------------------------------------------------------------------------------ */

static void key_clear(struct key *k)
{
	if (k->privkey != NULL)
		gnutls_privkey_deinit(k->privkey);
	*k = (struct key){0};
}

static bool key_name(struct key *k)
{
	gnutls_pubkey_t public = NULL;
	size_t n = sizeof(k->id);
	unsigned bits = 0;
	int pk = gnutls_privkey_get_pk_algorithm(k->privkey, &bits);
	bool good = pk >= 0 && signing_key_good((gnutls_pk_algorithm_t)pk, bits) && gnutls_pubkey_init(&public) == 0 &&
		gnutls_pubkey_import_privkey(public, k->privkey, 0, 0) == 0 &&
		gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, k->id, &n) == 0;

	if (public != NULL)
		gnutls_pubkey_deinit(public);
	return good;
}

/* False: there is no key in it that handshakes may use. */
static bool key_read(struct key *k, int fd)
{
	static unsigned char text[TLS_FILE_BYTES];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	gnutls_datum_t pem = {text, n > 0 ? (unsigned)n : 0};
	bool good = n > 0 && gnutls_privkey_init(&k->privkey) == 0 &&
		gnutls_privkey_import_x509_raw(k->privkey, &pem, GNUTLS_X509_FMT_PEM, NULL, 0) == 0 && key_name(k);

	gnutls_memset(text, 0, sizeof(text));
	if (!good)
		key_clear(k);
	return good;
}

static void take_file(struct signer *s, const struct msg_tls_file *m, int fd)
{
	struct slot *slot = &s->slots[m->index];
	struct key fresh = {0};

	for (uint32_t i = m->n; i < TLS_NAMES_MAX; i++) {
		key_clear(&s->slots[i].now);
		key_clear(&s->slots[i].before);
		s->slots[i].name[0] = '\0';
	}
	if (m->n == 0)
		return;
	if (strcmp(slot->name, m->name) != 0) {
		key_clear(&slot->now);
		key_clear(&slot->before);
		MSG_TEXT(slot->name, m->name);
	}
	bool good = fd >= 0 && key_read(&fresh, fd);
	if (good && memcmp(fresh.id, slot->now.id, sizeof(fresh.id)) == 0) {
		key_clear(&fresh);
		return;
	}
	/* The certificate in use may be of the former one, as long as its own successor is not there. */
	if (slot->now.privkey != NULL) {
		key_clear(&slot->before);
		slot->before = slot->now;
	}
	slot->now = fresh;
	if (!good)
		daemon_log("%s: no key that can be used", slot->name);
}

static const struct key *find_key(const struct signer *s, const uint8_t id[32])
{
	for (unsigned i = 0; i < TLS_NAMES_MAX; i++) {
		const struct slot *slot = &s->slots[i];
		if (slot->now.privkey != NULL && memcmp(slot->now.id, id, 32) == 0)
			return &slot->now;
		if (slot->before.privkey != NULL && memcmp(slot->before.id, id, 32) == 0)
			return &slot->before;
	}
	return NULL;
}

/* Said again each second: a sekisho-tls that was started anew has it soon. What is not taken now is taken then. */
static void tell_keys(const struct signer *s)
{
	for (unsigned i = 0; i < TLS_NAMES_MAX; i++) {
		struct msg_tls_key m = {{0}, {0}};
		if (s->slots[i].name[0] == '\0')
			continue;
		MSG_TEXT(m.name, s->slots[i].name);
		memcpy(m.key, s->slots[i].now.id, sizeof(m.key));
		if (msg_send(DAEMON_FD_SIGN, MSG_TLS_KEY, 0, &m, NULL, 0) != 0)
			return;
	}
}

static void on_notice(struct daemon *d, const struct msg *m)
{
	if (m->type != MSG_TLS_FILE)
		return;
	take_file(d->arg, &m->u.msg_tls_file, m->nfds > 0 ? m->fds[0] : -1);
	tell_keys(d->arg);
}

/* -- Signatures ------------------------------------------------------------------------------------------ */

static void end_grant(struct signer *s, struct grant *g)
{
	loop_del_fd(s->d->loop, g->fd);
	msg_close_fd(g->fd);
	g->fd = -1;
}

/* 0 bytes: refused. */
static void sign(const struct key *k, const struct msg_tls_sign *q, struct msg_tls_signed *ret)
{
	gnutls_datum_t hash = {(unsigned char *)(uintptr_t)q->data, q->n}, signature = {0};
	gnutls_sign_algorithm_t algorithm = (gnutls_sign_algorithm_t)q->algorithm;
	int pk = gnutls_privkey_get_pk_algorithm(k->privkey, NULL);

	if (pk < 0 || !signing_allowed((gnutls_pk_algorithm_t)pk, algorithm, q->data, q->n) ||
		gnutls_privkey_sign_hash2(k->privkey, algorithm, 0, &hash, &signature) != 0)
		return;
	if (signature.size <= sizeof(ret->signature)) {
		memcpy(ret->signature, signature.data, signature.size);
		ret->n = signature.size;
	}
	gnutls_free(signature.data);
}

static void on_grant(void *arg, int fd, uint32_t events)
{
	struct signer *s = arg;
	struct grant *g = s->grants;
	struct msg_tls_signed a = {0};
	struct msg m;
	int r = msg_recv(fd, &m);

	(void)events;
	while (g->fd != fd)
		g++;
	if (r == -EAGAIN)
		return;
	const struct key *k = find_key(s, g->key);
	if (r == 1 && m.type == MSG_TLS_SIGN && k != NULL) {
		sign(k, &m.u.msg_tls_sign, &a);
		/* A child that is gone meanwhile needs none. */
		if (msg_send(fd, MSG_TLS_SIGNED, 0, &a, NULL, 0) != 0)
			a.n = 0;
	}
	if (r == 1)
		msg_close_fds(&m);
	end_grant(s, g);
}

/* Takes the descriptor. */
static void take_grant(struct signer *s, const struct msg_tls_grant *m, int fd)
{
	struct grant *g = NULL;

	for (unsigned i = 0; i < GRANTS_MAX && g == NULL; i++)
		if (s->grants[i].fd < 0)
			g = &s->grants[i];
	if (g == NULL || loop_add_fd(s->d->loop, fd, EPOLLIN, on_grant, s) != 0) {
		msg_close_fd(fd);
		return;
	}
	*g = (struct grant){.fd = fd, .until = clock_mono().ns + (int64_t)GRANT_MS * 1000000};
	memcpy(g->key, m->key, sizeof(g->key));
}

static void on_tls(void *arg, int fd, uint32_t events)
{
	struct signer *s = arg;
	struct msg m;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &m)) == 1; i++) {
		if (m.type != MSG_TLS_GRANT) {
			msg_close_fds(&m);
			r = -EPROTO;
			break;
		}
		take_grant(s, &m.u.msg_tls_grant, m.fds[0]);
	}
	if (r != 1 && r != -EAGAIN)
		daemon_peer_broken(s->d, MSG_PEER_TLS);
}

static void on_tick(void *arg)
{
	struct signer *s = arg;
	int64_t now = clock_mono().ns;

	for (unsigned i = 0; i < GRANTS_MAX; i++)
		if (s->grants[i].fd >= 0 && now > s->grants[i].until)
			end_grant(s, &s->grants[i]);
	tell_keys(s);
}

static int start(struct daemon *d)
{
	struct signer *s = d->arg;
	int r = d->handed ? 0 : -ENOTCONN;

	s->d = d;
	for (unsigned i = 0; i < GRANTS_MAX; i++)
		s->grants[i].fd = -1;
	if (r == 0)
		r = loop_add_fd(d->loop, DAEMON_FD_SIGN, EPOLLIN, on_tls, s);
	if (r == 0 && loop_add_timer(d->loop, TICK_MS, TICK_MS, on_tick, s) == NULL)
		r = -ENOMEM;
	return r;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_SIGN, .start = start, .notice = on_notice};
	static struct signer signer;

	return daemon_run(&spec, &signer, argc, argv);
}
