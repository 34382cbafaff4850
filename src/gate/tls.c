/*
 * tls.c: which certificates and keys the mail gate needs, and whether they are good.
 *
 *	policy in force   the names of its certificates and authorities to sekisho-init, which opens the files
 *	MSG_TLS_STATUS    kept for the console; what is missing, expired, about to expire or of another name is a finding
 *
 * Input and trust: sekisho-tls reads certificates that root put there, and none of the network: its texts are shown. Neither a
 * certificate nor a key comes here.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include <sekisho/loop.h>

#define MESSAGES_A_TURN 16
#define SOON_S (30 * 86400) /* a month to get a new one: an authority of the country's may take a week */

/* -- From the policy ------------------------------------------------------------------------------------- */

static void want(struct msg_tls_want *w, const char *name, bool keyed)
{
	if (name[0] == '\0')
		return;
	for (uint32_t i = 0; i < w->n; i++)
		if (strcmp(w->name[i].name, name) == 0 && (w->name[i].keyed != 0) == keyed)
			return;
	if (w->n == TLS_NAMES_MAX)
		return;
	MSG_TEXT(w->name[w->n].name, name);
	w->name[w->n++].keyed = keyed;
}

static void want_of_servers(const struct ir *ir, struct ir_run run, struct msg_tls_want *w)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_mail_host *h = &ir->mail_hosts[run.first + i];
		if (h->tls == TLS_VERIFY && h->tls_pins.n == 0)
			want(w, ir_text(ir, h->tls_ca), false);
	}
}

static void read_policy(const struct ir *ir, struct msg_tls_want *w)
{
	for (uint32_t i = 0; i < ir->nmails; i++) {
		const struct ir_mail *m = &ir->mails[i];
		want(w, ir_text(ir, m->certificate), true);
		want_of_servers(ir, m->hops, w);
		want_of_servers(ir, m->originals, w);
	}
}

static void say_due(struct gate *g)
{
	if (g->tls.want_due && g->d->init >= 0)
		g->tls.want_due = msg_send(g->d->init, MSG_TLS_WANT, 0, &g->tls.want, NULL, 0) != 0;
}

void gate_tls_enforce(struct gate *g, const struct generation *gen)
{
	struct msg_tls_want w = {0};

	if (gen == NULL)
		return;
	read_policy(&gen->ir, &w);
	g->tls.want_due = g->tls.want_due || memcmp(&w, &g->tls.want, sizeof(w)) != 0;
	g->tls.want = w;
	say_due(g);
}

/* -- From sekisho-tls ------------------------------------------------------------------------------------ */

static void on_tls(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct msg got;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &got)) == 1; i++) {
		if (got.type != MSG_TLS_STATUS) {
			msg_close_fds(&got);
			r = -EPROTO;
			break;
		}
		g->tls.status = got.u.msg_tls_status;
		g->tls.have_status = true;
	}
	if (r == -EPROTO)
		daemon_peer_broken(g->d, MSG_PEER_TLS);
}

/* The host's name, alone or as the first part of a name of the certificate. */
static bool names_host(const char *names, const char *host)
{
	size_t n = strlen(host);

	for (const char *s = names; *s != '\0'; s += strcspn(s, " "), s += *s == ' ')
		if (strncasecmp(s, host, n) == 0 && (s[n] == '\0' || s[n] == ' ' || s[n] == '.'))
			return true;
	return false;
}

static void look_at(struct gate *g, const struct msg_tls_certificate *c, int64_t now)
{
	char text[96];

	snprintf(text, sizeof(text), "%s: %s", c->name, tls_file_word(c->state));
	if (c->state != TLS_FILE_GOOD)
		gate_finding(g, SOURCE_TLS, FINDING_TLS_CERTIFICATE, text);
	if (!c->in_use)
		return;
	if (c->not_after <= now || c->not_before > now)
		gate_finding(g, SOURCE_TLS, FINDING_TLS_EXPIRED, c->name);
	else if (c->not_after - now < SOON_S)
		gate_finding(g, SOURCE_TLS, FINDING_TLS_EXPIRES, c->name);
	const struct ir *ir = g->in_kernel != NULL ? &g->in_kernel->ir : NULL;
	if (c->keyed && ir != NULL && !names_host(c->names, ir_text(ir, ir->system->hostname)))
		gate_finding(g, SOURCE_TLS, FINDING_TLS_NAME, c->name);
}

void gate_tls_tick(struct gate *g)
{
	const struct gate_tls *t = &g->tls;

	if (t->fd < 0)
		return;
	say_due(g);
	health_begin(&g->health, SOURCE_TLS);
	for (uint32_t i = 0; t->have_status && t->want.n > 0 && i < t->status.n; i++)
		look_at(g, &t->status.certificate[i], clock_wall().sec);
	gate_health_end(g, SOURCE_TLS);
}

int gate_tls_start(struct gate *g, int fd)
{
	g->tls = (struct gate_tls){.fd = fd};
	return fd < 0 ? 0 : loop_add_fd(g->d->loop, fd, EPOLLIN, on_tls, g);
}
