/*
 * build_local.c: what the gateway itself receives and sends: nothing but its own named flows (IR_OWN), neighbour
 * discovery, echo where a segment allows it, ICMP errors in small number, and resets of refused connections.
 *
 * A local address answers only on its own interface.
 */
#include "build.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define CT_ESTABLISHED 2
#define CT_RELATED 4
#define TCP_RST 0x04u
/* Packets a second of all together. */
#define ECHO_RATE 50
#define ERROR_RATE 100

static uint32_t icmp_proto(uint8_t fam)
{
	return fam == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static enum field icmp_type(uint8_t fam)
{
	return fam == 4 ? F_ICMPTYPE : F_ICMP6TYPE;
}

static struct rb icmp(struct build *b, struct chain *c, uint8_t fam, uint32_t type)
{
	return is(is(family(on(b->rs, c), fam), F_L4PROTO, icmp_proto(fam)), icmp_type(fam), type);
}

/* -- own flows -------------------------------------------------------------------------------------------------- */

static struct rb remote(struct rb r, enum field f, uint8_t fam, const struct ir_range *range)
{
	size_t n = addr_len(fam);

	if (memcmp(range->lo, range->hi, n) == 0)
		return match_bytes(r, f, OP_EQ, range->lo);
	return match_bytes(match_bytes(r, f, OP_GTE, range->lo), f, OP_LTE, range->hi);
}

static struct rb port(struct rb r, const struct ir_own *o, bool dst)
{
	enum field f = dst ? F_DPORT : F_SPORT;

	if (o->proto == IPPROTO_ICMP || o->proto == IPPROTO_ICMPV6)
		return dst ? is(r, icmp_type(o->family), o->port_lo >> 8) : r;
	if (o->port_lo == o->port_hi)
		return is(r, f, o->port_lo);
	return match(match(r, f, OP_GTE, o->port_lo), f, OP_LTE, o->port_hi);
}

/* One direction of one own flow in one chain. `asking`: the packets of who began it. */
static void own_rule(struct build *b, const struct ir_own *o, bool sending, bool asking)
{
	static const uint8_t any[16];
	const char *name = b->ir->interfaces[o->interface].name;
	enum field far = sending ? daddr(o->family) : saddr(o->family);
	enum field near = sending ? saddr(o->family) : daddr(o->family);
	struct rb r = on(b->rs, sending ? b->output : b->input);

	r = is(sending ? oif(r, name) : iif(r, name), F_CTDIR, asking ? 0 : 1);
	r = is(family(r, o->family), F_L4PROTO, o->proto);
	r = remote(r, far, o->family, &o->remote);
	if (memcmp(o->local, any, addr_len(o->family)) != 0)
		r = match_bytes(r, near, OP_EQ, o->local);
	/* The service's port is at the far end of what we send as the asker and of what we hear as the asker. */
	r = port(r, o, asking);
	if (!asking)
		r = is(r, F_CTSTATE, CT_ESTABLISHED);
	let_pass(r);
	comment(r, ir_text(b->ir, o->what));
}

static void own_flows(struct build *b, bool sending)
{
	for (uint32_t i = 0; i < b->ir->nowns; i++) {
		const struct ir_own *o = &b->ir->owns[i];
		if (o->turned == 0)
			own_rule(b, o, sending, (o->out != 0) == sending);
	}
	turn_local(b, sending ? b->output : b->input, sending);
}

/* -- input ---------------------------------------------------------------------------------------------------------- */

static struct set *echo_set(struct build *b, uint8_t fam)
{
	struct set *s = set_named(b, TYPES(TYPE_IFNAME, addr_type(fam)), 0, "answer_echo%u", fam);

	for (uint32_t i = 0; i < b->ir->nlocals; i++) {
		const struct ir_local *l = &b->ir->locals[i];
		const struct ir_interface *itf = &b->ir->interfaces[l->interface];
		if (l->family != fam || b->ir->segments[itf->segment].answer_ping == 0)
			continue;
		struct key k = {.len = 0};
		key_ifname(&k, itf->name);
		key_addr(&k, fam, l->addr);
		set_add(s, &k, NULL);
	}
	set_sort(s);
	return s;
}

static void build_input(struct build *b)
{
	struct ruleset *rs = b->rs;

	let_pass(iif(on(rs, b->input), "lo"));
	check_cut(b, b->input);
	let_pass(is(on(rs, b->input), F_CTSTATE, 64)); /* discovery that `nd` let pass */
	own_flows(b, false);
	for (uint8_t fam = 4; fam <= 6; fam += 2) {
		enum field ours = fam == 4 ? F_CTSADDR4 : F_CTSADDR6;
		let_pass(in(is(family(on(rs, b->input), fam), F_CTSTATE, CT_RELATED), FIELDS(ours), b->own[at(fam)]));
		let_pass(limit_to(in(icmp(b, b->input, fam, fam == 4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST),
			FIELDS(F_IIFNAME, daddr(fam)), echo_set(b, fam)), ECHO_RATE, ECHO_RATE));
	}
	stop(is(on(rs, b->input), F_CTSTATE, CT_RELATED), REASON_RELATED);
	stop(on(rs, b->input), REASON_TO_GATEWAY);
	drop(on(rs, b->input));
}

/* -- output --------------------------------------------------------------------------------------------------------- */

static void send_discovery(struct build *b)
{
	static const uint8_t listener[] = {MLD_LISTENER_REPORT, MLD_LISTENER_REDUCTION, 143};

	for (unsigned type = ND_NEIGHBOR_SOLICIT; type <= ND_NEIGHBOR_ADVERT; type++)
		let_pass(is(icmp(b, b->output, 6, type), F_HOPLIMIT, 255));
	for (size_t i = 0; i < sizeof(listener); i++)
		let_pass(is(icmp(b, b->output, 6, listener[i]), F_HOPLIMIT, 1));
}

static void send_errors(struct build *b, uint8_t fam)
{
	static const uint8_t four[] = {ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB};
	static const uint8_t six[] = {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB};
	const uint8_t *types = fam == 4 ? four : six;

	for (size_t i = 0; i < (fam == 4 ? sizeof(four) : sizeof(six)); i++)
		let_pass(limit_to(icmp(b, b->output, fam, types[i]), ERROR_RATE, ERROR_RATE));
	let_pass(is(icmp(b, b->output, fam, fam == 4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY), F_CTSTATE, CT_ESTABLISHED));
}

/* The reset that the kernel makes for a connection that was refused, in the name of its other end. */
static void send_resets(struct build *b)
{
	if (!resets(b))
		return;
	struct rb r = is(is(on(b->rs, b->output), F_L4PROTO, IPPROTO_TCP), F_CTSTATE, CT_RELATED);
	r = match_masked(r, F_TCPFLAGS, TCP_RST, OP_NEQ, 0);
	let_pass(match_masked(r, F_CTMARK, CTMARK_STATE, OP_EQ, CTMARK_REFUSED));
}

static void build_output(struct build *b)
{
	struct ruleset *rs = b->rs;

	let_pass(oif(on(rs, b->output), "lo"));
	check_cut(b, b->output);
	own_flows(b, true);
	send_resets(b);
	send_discovery(b);
	send_errors(b, 4);
	send_errors(b, 6);
	stop(on(rs, b->output), REASON_FROM_GATEWAY);
	drop(on(rs, b->output));
}

void build_local(struct build *b)
{
	build_input(b);
	build_output(b);
}
