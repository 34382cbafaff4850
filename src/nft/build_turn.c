/*
 * build_turn.c: mail that the mail gate takes in the place of the server that it is addressed to (TPROXY).
 *
 *	turn	prerouting -140: who passed `early` (source, MAC) and `state` (destination, SYN, route) and is of the set goes
 *		to `turning`: the lease, the limits of a source, then the mail gate's listener and the mark that routes it here
 *	forward	what is of the set and comes this way had no listener: it is refused before any mark is looked at
 *	input	only with the mark: a packet for another's address comes here in no other way
 *	output	answers in the server's name, to a client of the set, within a connection
 *
 * Each packet is looked up, so no connection outlives the policy that turned it; its flow has no mark of its own.
 */
#include "build.h"

#include <sekisho/daemon.h>

#include <netinet/in.h>
#include <string.h>

#define CT_ESTABLISHED 2
#define CT_NEW 8

static struct set *turned_set(struct build *b, uint8_t fam)
{
	struct set *s = NULL;

	for (uint32_t i = 0; i < b->ir->nowns; i++) {
		const struct ir_own *o = &b->ir->owns[i];
		struct key lo = {.len = 0}, hi = {.len = 0};
		if (o->turned == 0 || o->family != fam)
			continue;
		if (s == NULL)
			s = set_named(b, TYPES(TYPE_IFNAME, addr_type(fam), addr_type(fam)), SET_INTERVAL, "turned%u", fam);
		key_ifname(&lo, b->ir->interfaces[o->interface].name);
		key_ifname(&hi, b->ir->interfaces[o->interface].name);
		key_addr(&lo, fam, o->remote.lo);
		key_addr(&hi, fam, o->remote.hi);
		key_addr(&lo, fam, o->local);
		key_addr(&hi, fam, o->local);
		set_add(s, &lo, &hi);
	}
	if (s != NULL)
		set_sort(s);
	return s;
}

/* A packet of the client, by where it comes from. */
static struct rb asked(struct build *b, struct rb r, uint8_t fam)
{
	r = is(is(is(family(r, fam), F_L4PROTO, IPPROTO_TCP), F_DPORT, DAEMON_MAIL_PORT), F_CTDIR, 0);
	return in(r, FIELDS(F_IIFNAME, saddr(fam), daddr(fam)), b->turned[at(fam)]);
}

static struct chain *turning(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "turning"), *begins = chain_new(rs, "turning_new");

	stop(in(on(rs, begins), FIELDS(F_NFPROTO), b->log_full), REASON_LOG_FULL);
	limit_rates(b, begins, 4);
	limit_rates(b, begins, 6);
	/* Without a lease nothing is turned: forward says why. */
	let_pass(not_in(on(rs, c), FIELDS(F_NFPROTO), b->lease));
	jump(is(on(rs, c), F_CTSTATE, CT_NEW), begins);
	let_pass(set_mark(turn_to(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), DAEMON_MAIL_TURNED_PORT), TURNED_MARK));
	return c;
}

void build_turn(struct build *b)
{
	struct chain *c = NULL;

	for (uint8_t fam = 4; fam <= 6; fam += 2) {
		b->turned[at(fam)] = turned_set(b, fam);
		if (b->turned[at(fam)] == NULL || (b->rs->opt.capabilities & CAP_TPROXY) == 0)
			continue;
		c = c != NULL ? c : turning(b);
		go(asked(b, on(b->rs, b->turn), fam), c);
	}
}

void turn_stops(struct build *b, struct chain *c)
{
	for (uint8_t fam = 4; fam <= 6; fam += 2)
		if (b->turned[at(fam)] != NULL)
			stop(asked(b, on(b->rs, c), fam), REASON_NO_MAIL_GATE);
}

void turn_local(struct build *b, struct chain *c, bool sending)
{
	for (uint8_t fam = 4; fam <= 6; fam += 2) {
		if (b->turned[at(fam)] == NULL || (b->rs->opt.capabilities & CAP_TPROXY) == 0)
			continue;
		struct rb r = on(b->rs, c);
		if (sending) {
			r = is(is(is(family(r, fam), F_L4PROTO, IPPROTO_TCP), F_SPORT, DAEMON_MAIL_PORT), F_CTDIR, 1);
			r = in(r, FIELDS(F_OIFNAME, daddr(fam), saddr(fam)), b->turned[at(fam)]);
			r = is(r, F_CTSTATE, CT_ESTABLISHED);
		} else {
			r = asked(b, is(r, F_MARK, TURNED_MARK), fam);
		}
		let_pass(r);
		comment(r, "mail (turned)");
	}
}
