/*
 * relay.c: bytes between a TLS session and the stream on which sekisho-maild speaks SMTP. What they mean nobody here knows.
 *
 * One buffer each way: what is not taken on one side is not read on the other. A side that ends takes the other with it, once
 * what was on its way is there, LINGER_MS at most; a connection on which nothing moves for IDLE_MS ends too (sekisho-maild's
 * own limits are shorter: this one is for what it cannot see, a peer that never reads). Renegotiation ends it.
 */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include <sekisho/clock.h>

#define PIECE 16384u /* a record */
#define IDLE_MS 900000
#define LINGER_MS 30000

struct way {
	char bytes[PIECE];
	size_t at, n;
	bool ended; /* nothing more comes */
};

struct relay {
	gnutls_session_t session;
	struct wire *w;
	struct way in, out; /* to sekisho-maild; to the peer */
	bool again;	    /* the session has a record that the connection did not take: the same call again */
	bool broken;
	int64_t moved;
};

static int64_t now_ms(void)
{
	return clock_mono().ns / 1000000;
}

static bool waits(int r)
{
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
}

static void read_net(struct relay *r)
{
	if (r->in.n > 0 || r->in.ended)
		return;
	ssize_t n = gnutls_record_recv(r->session, r->in.bytes, sizeof(r->in.bytes));
	if (waits((int)n))
		return;
	if (n <= 0) { /* its end, in order or not, or another handshake: SMTP has its own */
		r->in.ended = true;
		return;
	}
	r->in.at = 0;
	r->in.n = (size_t)n;
	r->moved = now_ms();
}

static void write_net(struct relay *r)
{
	if (r->out.n == 0 && !r->again)
		return;
	ssize_t n = gnutls_record_send(r->session, r->again ? NULL : r->out.bytes + r->out.at, r->again ? 0 : r->out.n);
	r->again = waits((int)n);
	if (r->again)
		return;
	if (n < 0) {
		r->broken = true;
		return;
	}
	r->out.at += (size_t)n;
	r->out.n -= (size_t)n;
	r->moved = now_ms();
}

static void read_plain(struct relay *r)
{
	if (r->out.n > 0 || r->out.ended)
		return;
	ssize_t n = read(r->w->plain, r->out.bytes, sizeof(r->out.bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		r->out.ended = true;
		r->moved = now_ms();
		return;
	}
	r->out.at = 0;
	r->out.n = (size_t)n;
	r->moved = now_ms();
}

static void write_plain(struct relay *r)
{
	if (r->in.n == 0)
		return;
	ssize_t n = write(r->w->plain, r->in.bytes + r->in.at, r->in.n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* nobody reads it any more; what was said to the peer still goes out */
		r->in.n = 0;
		r->in.ended = true;
		return;
	}
	r->in.at += (size_t)n;
	r->in.n -= (size_t)n;
	r->moved = now_ms();
}

/* A side of which nothing is wanted is not waited for: its end would wake us for ever. */
static bool wait_for(struct relay *r)
{
	short net = (short)((r->in.n == 0 && !r->in.ended ? POLLIN : 0) | (r->out.n > 0 || r->again ? POLLOUT : 0));
	short plain = (short)((r->out.n == 0 && !r->out.ended ? POLLIN : 0) | (r->in.n > 0 ? POLLOUT : 0));
	struct pollfd p[2] = {{.fd = net != 0 ? r->w->net : -1, .events = net},
		{.fd = plain != 0 ? r->w->plain : -1, .events = plain}};
	int64_t left = r->moved + (r->out.ended ? LINGER_MS : IDLE_MS) - now_ms();

	if (r->in.n == 0 && !r->in.ended && gnutls_record_check_pending(r->session) > 0)
		left = 0;
	else if (left <= 0)
		return false;
	int n = poll(p, 2, (int)left);
	return n > 0 || left == 0 || (n < 0 && errno == EINTR);
}

static bool goes_on(const struct relay *r)
{
	bool said = r->out.ended && r->out.n == 0 && !r->again;
	bool heard = r->in.ended && r->in.n == 0;

	return !r->broken && !said && !heard;
}

void relay_run(gnutls_session_t session, struct wire *w)
{
	static struct relay r;

	r = (struct relay){.session = session, .w = w, .moved = now_ms()};
	while (goes_on(&r) && wait_for(&r)) {
		write_net(&r);
		write_plain(&r);
		read_net(&r);
		write_plain(&r);
		read_plain(&r);
		write_net(&r);
	}
	if (!r.broken)
		gnutls_bye(session, GNUTLS_SHUT_WR);
}
