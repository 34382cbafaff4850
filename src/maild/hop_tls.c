/*
 * hop_tls.c: STARTTLS to mail servers, as the policy demands of each.
 *
 * With `require` and `verify` a server without it, or with the wrong certificate, is one that cannot be reached. With
 * `opportunistic` a handshake that failed ends that connection, and the next ones for PLAIN_MS are in clear: the ledger's rows
 * say so. A fault of our own (sekisho-tls does not answer) makes nothing weaker: the mail waits.
 *
 * Input: how the handshake ended, of sekisho-tls (tls.c); replies of the mail server never come here.
 */
#include "hop_private.h"

#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>

#include <sekisho/loop.h>

#define PLAIN_MS 300000

static enum tls_level hop_level(const struct hop *h)
{
	bool known = !h->stale && h->server < hop_servers(h->m, h->group);

	return known ? (enum tls_level)hop_server(h->m, h->group, h->server)->tls : TLS_VERIFY;
}

/* It ends here; whoever waits gets another connection, or hears why there is none. */
static void unsecured(struct hop *h, enum tls_why why)
{
	struct smtp_client_event e = {.kind = SMTP_CLIENT_GONE, .why = SMTP_WHY_HOP_TLS};
	struct maild *m = h->m;
	enum hop_group group = h->group;
	char text[ADDR_TEXT_MAX];

	daemon_log("mail server %s: STARTTLS: %s", hop_name(h, text), tls_why_text(why));
	smtp_client_abort(&h->client);
	/* Our own fault makes nothing weaker: the mail waits. */
	if (hop_level(h) != TLS_OPPORTUNISTIC || why == TLS_WHY_AWAY) {
		hop_lost(h, &e);
		return;
	}
	m->servers[group][h->server].plain_until = maild_now() + PLAIN_MS;
	hop_close(h);
	hop_serve(m, group);
}

static void on_secured(void *arg, const struct msg_tls_done *r)
{
	struct hop *h = arg;

	if (h->stale) {
		hop_close(h);
		hop_serve(h->m, h->group);
		return;
	}
	if (r->why != TLS_WHY_OK || loop_add_fd(h->m->d->loop, h->fd, EPOLLIN, hop_on_bytes, h->m) != 0) {
		unsecured(h, (enum tls_why)r->why);
		return;
	}
	tls_write(r, h->tls_text, sizeof(h->tls_text));
	smtp_client_secured(&h->client, maild_now());
	hop_flush(h);
}

/* Two digits at a time; ir_open() has looked at them. */
static void read_pin(const char *text, uint8_t ret[TLS_PIN_BYTES])
{
	for (size_t i = 0; i < TLS_PIN_BYTES; i++) {
		unsigned byte = 0;
		for (size_t k = 0; k < 2; k++) {
			char c = text[2 * i + k];
			byte = byte * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		ret[i] = (uint8_t)byte;
	}
}

static struct msg_tls_job job_for(const struct hop *h)
{
	const struct ir *ir = &h->m->policy->ir;
	const struct ir_mail_host *host = hop_server(h->m, h->group, h->server);
	struct msg_tls_job job = {.role = MSG_TLS_CLIENT, .level = host->tls, .npins = host->tls_pins.n};

	MSG_TEXT(job.name, ir_text(ir, host->tls_name));
	MSG_TEXT(job.authority, host->tls == TLS_VERIFY && host->tls_pins.n == 0 ? ir_text(ir, host->tls_ca) : "");
	for (uint32_t i = 0; i < host->tls_pins.n && i < TLS_PINS_MAX; i++)
		read_pin(ir_text(ir, ir->names[host->tls_pins.first + i].name), job.pin[i]);
	return job;
}

/* Nothing came behind its yes: what comes now is the handshake's. */
void hop_secure(struct hop *h)
{
	h->secure = false;
	if (h->stale) {
		hop_close(h);
		return;
	}
	struct msg_tls_job job = job_for(h);
	h->tls = (struct tls_wait){.done = on_secured, .arg = h};
	int stream = tls_start(h->m, &h->tls, &job, h->fd);
	if (stream < 0) {
		unsecured(h, TLS_WHY_AWAY);
		return;
	}
	loop_del_fd(h->m->d->loop, h->fd);
	close(h->fd);
	h->fd = stream;
}

/* One that could be reached, were it not for TLS, is what somebody can do something about. */
enum mail_reason hop_why_none(const struct maild *m, enum hop_group group)
{
	for (uint32_t i = 0; i < hop_servers(m, group); i++)
		if (m->servers[group][i].tls_failed)
			return MAIL_REASON_NEXT_HOP_TLS;
	return MAIL_REASON_NEXT_HOP_DOWN;
}

struct smtp_client_options hop_options(const struct hop *h)
{
	enum tls_level level = hop_level(h);
	bool plain = level == TLS_OPPORTUNISTIC && h->m->servers[h->group][h->server].plain_until > maild_now();

	return (struct smtp_client_options){.name = h->m->policy != NULL ? h->m->policy->hostname : "sekisho",
		.tls = level != TLS_PLAIN && !plain, .need_tls = level >= TLS_REQUIRE};
}
