/*
 * handshake.c: does a TCP segment fit its connection? stream_admit() of stream.h.
 *
 * The rule of RFC 9293 3.10.7 is what a receiver accepts. Ours is narrower, so that no segment is accepted here that a
 * receiver might ignore, and none is ignored here that it might accept:
 * - three steps: SYN, SYN with ACK of just that, ACK of both; no SYN against a SYN (simultaneous or split opening);
 * - data with ACK, not beyond the window that the peer opened (RFC 7323 scaling), no urgent data;
 * - a segment with new bytes whose timestamp is older than the newest in order is not taken (RFC 7323 5, PAWS);
 * - an acknowledgement of what was not sent is not taken;
 * - a reset only at the next byte or where the peer has acknowledged (RFC 5961 3).
 * What does not fit is dropped alone, so that nobody can end a connection by it; what no honest end sends refuses the flow.
 *
 * One more case: a server that still knows an old connection answers a SYN with a bare ACK, which the client answers
 * with a reset (RFC 5961 4). Both carry no data and may go.
 */
#include "stream.h"
#include "stream_words.h"

#define FAR (1 << 30) /* no window is larger; what lies further back belongs to another time */
#define SCALE_MAX 14  /* RFC 7323 2.3 */

static unsigned scale_of(const struct flow *f, unsigned side)
{
	if ((f->flags & FLOW_SCALED) == 0)
		return 0;
	return side == 0 ? f->scale & 0xf : f->scale >> 4;
}

static uint8_t scale_limited(uint8_t wscale)
{
	return wscale > SCALE_MAX ? SCALE_MAX : wscale;
}

void stream_start(struct flow *f, unsigned from, const struct packet *p)
{
	struct flow_side *me = &f->side[from];
	bool syn = (p->flags & PACKET_SYN) != 0;

	me->next = p->seq + syn;
	me->acked = me->edge = me->next;
	me->ts = p->ts_val;
	f->flags |= (uint8_t)(FLOW_KNOWN << from | (p->has_ts ? FLOW_TIMESTAMPS : 0) | (p->wscale != 0xff ? FLOW_SCALED : 0));
	f->scale = p->wscale != 0xff ? scale_limited(p->wscale) : 0;
	/* How far the server may send, once it is known from where. */
	f->side[!from].edge = p->window;
	f->state = FLOW_SYN;
}

/* -- Opening ------------------------------------------------------------------------------------------------- */

/* SYN with ACK: from here on both sides' numbers are known. Options count only when both sides have sent them. */
static void server_answers(struct flow *f, const struct packet *p)
{
	struct flow_side *client = &f->side[0], *server = &f->side[1];
	uint32_t window = f->state == FLOW_SYN ? server->edge : server->edge - server->next;

	server->next = server->acked = p->seq + 1;
	server->edge = server->next + window;
	server->ts = p->ts_val;
	client->acked = p->ack;
	client->edge = p->ack + p->window;
	f->flags |= (uint8_t)(FLOW_KNOWN << 1);
	if (!p->has_ts)
		f->flags &= (uint8_t)~FLOW_TIMESTAMPS;
	if (p->wscale == 0xff)
		f->flags &= (uint8_t)~FLOW_SCALED;
	else
		f->scale = (uint8_t)((f->scale & 0xf) | scale_limited(p->wscale) << 4);
	f->state = FLOW_SYN_ACK;
}

static struct inspect_verdict server_opening(struct flow *f, const struct packet *p, const struct stream_rules *r)
{
	struct flow_side *client = &f->side[0], *server = &f->side[1];
	bool acks_syn = (p->flags & PACKET_ACK) != 0 && distance(client->acked, p->ack) >= 0 &&
			distance(p->ack, client->next) >= 0;

	if ((p->flags & PACKET_RST) != 0) {
		if (!acks_syn && !(f->state == FLOW_SYN_ACK && p->seq == server->next))
			return drop(WHY_RESET);
		f->state = FLOW_CLOSED;
		return forward();
	}
	if ((p->flags & PACKET_SYN) != 0) {
		if ((p->flags & PACKET_ACK) == 0)
			return refuse(WHY_HANDSHAKE);
		if (!acks_syn)
			return drop(WHY_HANDSHAKE);
		if (p->n_wire > 0)
			return refuse(WHY_SYN_DATA);
		if (f->state == FLOW_SYN || p->seq + 1 != server->next)
			server_answers(f, p);
		return forward();
	}
	if (f->state == FLOW_SYN && p->n_wire == 0 && (p->flags & PACKET_FIN) == 0) {
		server->ts = p->ack; /* where the client's reset will be */
		return forward();
	}
	/* RFC 7413: a server that took the data of the SYN may answer at once. */
	if (f->state == FLOW_SYN_ACK && r->fast_open && (p->flags & PACKET_ACK) != 0) {
		f->state = FLOW_OPEN;
		return forward();
	}
	return drop(WHY_HANDSHAKE);
}

static struct inspect_verdict client_opening(struct flow *f, const struct packet *p)
{
	const struct flow_side *client = &f->side[0], *server = &f->side[1];

	if ((p->flags & PACKET_SYN) != 0) /* a repetition: the caller has seen to it */
		return (p->flags & PACKET_ACK) != 0 ? refuse(WHY_HANDSHAKE) : forward();
	if ((p->flags & PACKET_RST) != 0) {
		if (f->state == FLOW_SYN && p->seq == server->ts && p->n_wire == 0)
			return forward();
		if (p->seq != client->next)
			return drop(WHY_RESET);
		f->state = FLOW_CLOSED;
		return forward();
	}
	int32_t ahead = distance(client->next, p->seq);
	if (f->state != FLOW_SYN_ACK || (p->flags & PACKET_ACK) == 0 || p->ack != server->next || ahead > UINT16_MAX ||
		ahead < distance(client->next, client->acked))
		return drop(WHY_HANDSHAKE);
	f->state = FLOW_OPEN;
	return forward();
}

/* -- Open ---------------------------------------------------------------------------------------------------- */

static struct inspect_verdict reset(struct flow *f, unsigned from, const struct packet *p)
{
	if (p->seq != f->side[from].next && p->seq != f->side[from].acked)
		return drop(WHY_RESET);
	f->state = FLOW_CLOSED;
	return p->n_wire == 0 ? forward() : drop(WHY_RESET);
}

/* RFC 7323 5.3. A segment without new bytes may be an old one that was overtaken: it may go, and says nothing new. */
static struct inspect_verdict timestamp(struct flow *f, unsigned from, const struct packet *p, bool has_new, bool *ret_old)
{
	struct flow_side *me = &f->side[from];

	*ret_old = false;
	if ((f->flags & FLOW_TIMESTAMPS) == 0)
		return forward();
	if (!p->has_ts)
		return has_new ? drop(WHY_TIMESTAMP) : forward();
	if (distance(me->ts, p->ts_val) < 0) {
		*ret_old = true;
		return has_new ? drop(WHY_TIMESTAMP) : forward();
	}
	if (distance(me->next, p->seq) <= 0)
		me->ts = p->ts_val;
	return forward();
}

/* What the sender says of the other direction: how much of it has come, and how much more may. */
static void acknowledge(struct flow *f, unsigned from, const struct packet *p)
{
	struct flow_side *peer = &f->side[!from];
	uint32_t edge = p->ack + ((uint32_t)p->window << scale_of(f, from));

	if (distance(peer->acked, p->ack) > 0)
		peer->acked = p->ack;
	if (distance(peer->edge, edge) > 0)
		peer->edge = edge;
}

/* One byte more than the window: what a sender asks a closed window with. */
static bool outside_window(const struct flow_side *me, const struct packet *p, uint32_t length)
{
	int32_t at = distance(me->next, p->seq), room = distance(me->next, me->edge);

	if (at > FAR || at < -FAR)
		return true;
	return length > 0 ? (int64_t)at + length > (int64_t)room + 1 : at > room;
}

static struct inspect_verdict segment(struct flow *f, unsigned from, const struct packet *p)
{
	struct flow_side *me = &f->side[from];
	uint32_t length = p->n_wire + ((p->flags & PACKET_FIN) != 0);
	bool old;

	if ((p->flags & PACKET_SYN) != 0) /* the server's answer again: the third step was lost */
		return from == 1 && p->seq + 1 == me->next && p->n_wire == 0 ? forward() : drop(WHY_HANDSHAKE);
	if ((p->flags & PACKET_URG) != 0)
		return refuse(WHY_URGENT);
	if ((p->flags & PACKET_RST) != 0)
		return reset(f, from, p);
	if ((p->flags & PACKET_ACK) == 0)
		return drop(WHY_HANDSHAKE);
	if (outside_window(me, p, length) || distance(f->side[!from].next, p->ack) > 0)
		return drop(WHY_WINDOW);
	bool has_new = length > 0 && distance(me->next, p->seq + length) > 0;
	struct inspect_verdict v = timestamp(f, from, p, has_new, &old);
	if (v.code == INSPECT_FORWARD && !old)
		acknowledge(f, from, p);
	return v;
}

/* A capture that may lack packets: each side begins where it is first seen. */
static struct inspect_verdict lenient(struct flow *f, unsigned from, const struct packet *p)
{
	struct flow_side *me = &f->side[from], *peer = &f->side[!from];
	bool syn = (p->flags & PACKET_SYN) != 0;

	if ((f->flags & FLOW_KNOWN << from) == 0 || (syn && p->seq + 1 != me->next && p->n_wire == 0 && f->state < FLOW_OPEN)) {
		me->next = me->acked = p->seq + syn;
		f->flags |= (uint8_t)(FLOW_KNOWN << from);
	}
	if (!syn && f->state < FLOW_OPEN && (from == 0 || p->n_wire > 0))
		f->state = FLOW_OPEN;
	else if (syn && (p->flags & PACKET_ACK) != 0 && f->state == FLOW_SYN)
		f->state = FLOW_SYN_ACK;
	if ((p->flags & PACKET_RST) != 0)
		f->state = FLOW_CLOSED;
	else if ((p->flags & PACKET_ACK) != 0 && (f->flags & FLOW_KNOWN << !from) != 0 && distance(peer->acked, p->ack) > 0 &&
		 distance(p->ack, peer->next) >= 0)
		peer->acked = p->ack;
	return forward();
}

struct inspect_verdict stream_admit(struct flow *f, unsigned from, const struct packet *p, const struct stream_rules *r)
{
	if (r->lenient)
		return lenient(f, from, p);
	if (f->state == FLOW_SYN || f->state == FLOW_SYN_ACK) {
		struct inspect_verdict v = from == 0 ? client_opening(f, p) : server_opening(f, p, r);
		if (v.code != INSPECT_FORWARD || f->state != FLOW_OPEN)
			return v;
	}
	return segment(f, from, p);
}
