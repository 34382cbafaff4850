/*
 * net.c: makes the kernel's network settings those of the policy, and keeps them so.
 *
 * One loop serves commit and watch: read links, make what is missing, read addresses, routes, neighbours,
 * take the difference, remove, add; again until nothing differs, ROUNDS times at most. In a commit a refusal
 * is an error; in a check it is a finding, and each difference is somebody else's doing and is said.
 *
 * What counts as ours to rule: everything on the interfaces of the policy (and of the former one, until it is
 * gone), what carries our protocol number anywhere, every route of the main table that the kernel did not
 * make itself, every route of the table of turned mail, and every policy routing rule. Link-local IPv6
 * addresses and learnt (not permanent) neighbours stay.
 */
#include "net_private.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/addr.h>

#define ROUNDS 4
/* More differences in one check are counted, not told one by one. */
#define NOTES_MAX 8

/* One run of the loop. */
struct run {
	struct net *n;
	bool check; /* differences are somebody else's: say them */
	int error;  /* the first refusal */
	struct net_error text;
	unsigned changes;
	struct net_facts want, have, add, remove;
};

static const struct net_link *link_by_name(const struct net_links *l, const char *name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strncmp(l->l[i].name, name, LIMIT_IFNAME) == 0)
			return &l->l[i];
	return NULL;
}

static const struct net_link *link_by_index(const struct net_links *l, uint32_t ifindex)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->l[i].ifindex == ifindex)
			return &l->l[i];
	return NULL;
}

static const char *ifname_of(const struct net *n, uint32_t ifindex)
{
	const struct net_link *l = link_by_index(&n->links, ifindex);

	return l != NULL ? l->name : "(no interface)";
}

static void finding(struct net *n, enum finding f, const char *detail)
{
	if (n->fn != NULL)
		n->fn(n->arg, f, detail);
}

/* Somebody else changed `what`. */
static void note(struct run *r, const char *what)
{
	r->changes++;
	if (r->check && r->n->notes++ < NOTES_MAX)
		finding(r->n, FINDING_NET_CHANGED, what);
}

static void refused(struct run *r, const char *what, int error)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
	if (r->check)
		finding(r->n, FINDING_NET_REFUSED, text);
	if (r->error != 0)
		return;
	r->error = error;
	snprintf(r->text.text, sizeof(r->text.text), "%s", text);
}

/* -- links ----------------------------------------------------------------------------------------------- */

static void links_restart(void *arg)
{
	((struct net_links *)arg)->n = 0;
}

static void links_add(void *arg, const void *p, size_t n)
{
	struct net_links *l = arg;
	struct net_link x;

	if (!net_parse_link(p, n, &x))
		return;
	if (l->n < NET_LINKS_MAX)
		l->l[l->n++] = x;
	else
		l->more = true;
}

static int read_links(struct net *n)
{
	int e = net_rtnl_dump(&n->rtnl, RTM_GETLINK, links_restart, links_add, &n->links);

	for (unsigned i = 0; e == 0 && i < n->want.nifaces; i++) {
		const struct net_link *l = link_by_name(&n->links, n->want.ifaces[i].name);
		n->want.ifaces[i].ifindex = l != NULL ? l->ifindex : 0;
	}
	return e;
}

static void make_vlan(struct run *r, const struct net_iface *i)
{
	const struct net_link *parent = link_by_name(&r->n->links, i->parent);
	char text[64];

	if (parent == NULL)
		return;
	snprintf(text, sizeof(text), "VLAN interface %s", i->name);
	int e = net_rtnl_vlan_new(&r->n->rtnl, i->name, parent->ifindex, i->vlan);
	/* A kernel without 8021q is a finding of its own; the interface is then simply missing. */
	if (e == -EOPNOTSUPP || e == -ENODEV)
		return;
	if (e != 0 && e != -EEXIST)
		refused(r, text, e);
	else
		r->changes++;
}

/* Whether the interface that bore this name when we last looked is still the same one. */
static bool same_as_seen(const struct net *n, const struct net_link *l)
{
	const struct net_link *s = link_by_name(&n->seen, l->name);

	return s != NULL && s->ifindex == l->ifindex;
}

static void set_link(struct run *r, const struct net_link *l, bool up)
{
	char text[64];

	snprintf(text, sizeof(text), "interface %s %s", l->name, up ? "up" : "down");
	int e = net_rtnl_link_up(&r->n->rtnl, l->ifindex, up);
	if (e == -ENODEV)
		return;
	if (e != 0) {
		refused(r, text, e);
	} else if (up && same_as_seen(r->n, l)) {
		snprintf(text, sizeof(text), "interface %s was down", l->name);
		note(r, text);
	} else {
		r->changes++;
	}
}

/* What the former policy had and this has not: down, and gone if it is a VLAN interface that we made. */
static void retire_links(struct run *r)
{
	struct net *n = r->n;

	for (unsigned i = 0; i < n->links.n; i++) {
		const struct net_link *l = &n->links.l[i];
		bool former = net_want_iface(&n->former, l->name) != NULL || l->ours;
		if (l->loopback || !former || net_want_iface(&n->want, l->name) != NULL)
			continue;
		if (l->ours && l->is_vlan) {
			net_rtnl_link_delete(&n->rtnl, l->ifindex);
			r->changes++;
		} else if (l->up) {
			set_link(r, l, false);
		}
	}
}

static int settle_links(struct run *r)
{
	struct net *n = r->n;
	int e = read_links(n);

	if (e != 0)
		return e;
	for (unsigned i = 0; i < n->want.nifaces; i++)
		if (n->want.ifaces[i].ifindex == 0 && n->want.ifaces[i].vlan != 0)
			make_vlan(r, &n->want.ifaces[i]);
	retire_links(r);
	for (unsigned i = 0; n->want.turns && i < n->links.n; i++)
		if (n->links.l[i].loopback && !n->links.l[i].up)
			set_link(r, &n->links.l[i], true);
	/* Parents stand behind the interfaces of the segments: backwards, so that they are up first. */
	for (unsigned i = n->want.nifaces; i-- > 0;) {
		const struct net_link *l = link_by_name(&n->links, n->want.ifaces[i].name);
		if (l != NULL && !l->up)
			set_link(r, l, true);
	}
	return r->changes != 0 ? read_links(n) : 0;
}

/* -- addresses, routes, neighbours ----------------------------------------------------------------------- */

static void facts_restart(void *arg)
{
	(void)arg; /* what an interrupted dump gave already is given again: doubles vanish in the sort */
}

static bool is_link_local(const struct net_fact *f)
{
	return f->family == 6 && f->addr[0] == 0xfe && (f->addr[1] & 0xc0) == 0x80;
}

/* Is the interface of the policy, or was it of the former one? */
static bool managed(struct net *n, uint32_t ifindex)
{
	const struct net_link *l = link_by_index(&n->links, ifindex);

	return l != NULL && !l->loopback &&
	       (net_want_iface(&n->want, l->name) != NULL || net_want_iface(&n->former, l->name) != NULL);
}

static void addr_add(void *arg, const void *p, size_t size)
{
	struct run *r = arg;
	struct net_fact f;

	if (net_parse_addr(p, size, &f) && !is_link_local(&f) &&
		(managed(r->n, f.ifindex) || f.proto == NET_PROTO_OURS))
		net_facts_add(&r->have, &f);
}

/* The route that the kernel makes by itself for an address of ours, or for link-local. */
static bool is_connected(const struct run *r, const struct net_fact *f)
{
	struct addr dst = {.family = f->family};

	memcpy(dst.b, f->addr, addr_len(f->family));
	if (is_link_local(f))
		return true;
	for (size_t i = 0; i < net_facts_n(&r->want); i++) {
		const struct net_fact *w = net_facts_at(&r->want, i);
		struct addr a = {.family = w->family};
		if (w->kind != NET_ADDR || w->family != f->family || w->plen != f->plen || w->ifindex != f->ifindex)
			continue;
		memcpy(a.b, w->addr, addr_len(w->family));
		struct addr_range prefix = prefix_range(&a, w->plen);
		if (addr_cmp(&prefix.lo, &dst) == 0)
			return true;
	}
	return false;
}

static void route_add(void *arg, const void *p, size_t size)
{
	struct run *r = arg;
	struct net_fact f;

	if (!net_parse_route(p, size, &f))
		return;
	/* The kernel's own: gone with their address; only a forged one stands on an interface of ours without. */
	if (f.proto == RTPROT_KERNEL && f.kind == NET_ROUTE && (!managed(r->n, f.ifindex) || is_connected(r, &f)))
		return;
	const struct net_link *l = link_by_index(&r->n->links, f.ifindex);
	if (l == NULL || !l->loopback || f.kind == NET_TURN_ROUTE)
		net_facts_add(&r->have, &f);
}

static void turn_rule_add(void *arg, const void *p, size_t size)
{
	struct run *r = arg;
	struct net_fact f;

	if (net_parse_rule(p, size, &f))
		net_facts_add(&r->have, &f);
}

static void neigh_add(void *arg, const void *p, size_t size)
{
	struct run *r = arg;
	struct net_fact f;

	if (net_parse_neigh(p, size, &f) && (managed(r->n, f.ifindex) || f.proto == NET_PROTO_OURS))
		net_facts_add(&r->have, &f);
}

static int read_facts(struct run *r)
{
	struct net *n = r->n;

	net_want_resolve(&n->want, &r->want);
	buf_clear(&r->have.b);
	int e = net_rtnl_dump(&n->rtnl, RTM_GETADDR, facts_restart, addr_add, r);
	if (e == 0)
		e = net_rtnl_dump(&n->rtnl, RTM_GETROUTE, facts_restart, route_add, r);
	if (e == 0)
		e = net_rtnl_dump(&n->rtnl, RTM_GETNEIGH, facts_restart, neigh_add, r);
	if (e == 0)
		e = net_rtnl_dump(&n->rtnl, RTM_GETRULE, facts_restart, turn_rule_add, r);
	/* A kernel without routing rules has none of ours. */
	if (e == -EOPNOTSUPP && !n->want.turns)
		e = 0;
	net_facts_sort(&r->have);
	return e;
}

/* A difference is somebody else's when the interface is the one that we had settled before. */
static void note_fact(struct run *r, const struct net_fact *f, const char *what)
{
	char text[160], fact[140];
	const struct net_link *l = link_by_index(&r->n->links, f->ifindex);
	const struct net_link *s = l != NULL ? link_by_name(&r->n->seen, l->name) : NULL;

	net_fact_text(f, ifname_of(r->n, f->ifindex), fact, sizeof(fact));
	snprintf(text, sizeof(text), "%s %s", fact, what);
	if (l == NULL || (s != NULL && s->ifindex == l->ifindex && s->up))
		note(r, text);
	else
		r->changes++;
}

/* True when a wanted fact takes this one's place, so that no gap is needed. */
static bool is_replaced(const struct run *r, const struct net_fact *f)
{
	/* The first in the order that could have the same key: a route may change its interface, a neighbour not. */
	struct net_fact from = {.kind = f->kind, .family = f->family, .plen = f->plen, .type = f->type};

	if (f->kind == NET_NEIGH) {
		from.ifindex = f->ifindex;
		memcpy(from.addr, f->addr, sizeof(from.addr));
	}
	for (size_t i = net_facts_from(&r->add, &from); i < net_facts_n(&r->add); i++) {
		const struct net_fact *a = net_facts_at(&r->add, i);
		if (net_facts_same_key(a, f))
			return true;
		if (f->kind != NET_ROUTE || a->kind != NET_ROUTE || a->family != f->family || a->plen != f->plen)
			return false;
	}
	return false;
}

static int settle_facts(struct run *r)
{
	char text[140];
	int e = read_facts(r);

	if (e != 0)
		return e;
	net_diff(&r->want, &r->have, &r->add, &r->remove);
	for (size_t i = 0; i < net_facts_n(&r->remove); i++) {
		const struct net_fact *f = net_facts_at(&r->remove, i);
		note_fact(r, f, "was there and was removed");
		if (is_replaced(r, f))
			continue;
		net_fact_text(f, ifname_of(r->n, f->ifindex), text, sizeof(text));
		if ((e = net_rtnl_remove(&r->n->rtnl, f)) != 0)
			refused(r, text, e);
	}
	for (size_t i = 0; i < net_facts_n(&r->add); i++) {
		const struct net_fact *f = net_facts_at(&r->add, i);
		note_fact(r, f, "was missing and was set");
		net_fact_text(f, ifname_of(r->n, f->ifindex), text, sizeof(text));
		e = net_rtnl_add(&r->n->rtnl, f);
		/* The interface went away meanwhile: the watch will come back. */
		if (e != 0 && e != -ENODEV)
			refused(r, text, e);
	}
	return 0;
}

/* -- policy routing rules -------------------------------------------------------------------------------- */

struct foreign_rule {
	bool found;
	size_t n;
	uint8_t payload[512];
};

static void rules_restart(void *arg)
{
	((struct foreign_rule *)arg)->found = false;
}

static void rule_add(void *arg, const void *p, size_t n)
{
	struct foreign_rule *f = arg;

	if (f->found || n > sizeof(f->payload) || !net_parse_rule_foreign(p, n))
		return;
	memcpy(f->payload, p, n);
	f->n = n;
	f->found = true;
}

/* But for that of turned mail the policy has no rules; what another made would send packets around our routes. */
static void settle_rules(struct run *r)
{
	for (unsigned i = 0; i < NOTES_MAX; i++) {
		struct foreign_rule f = {0};
		if (net_rtnl_dump(&r->n->rtnl, RTM_GETRULE, rules_restart, rule_add, &f) != 0 || !f.found)
			return;
		note(r, "a policy routing rule was there and was removed");
		int e = net_rtnl_rule_delete(&r->n->rtnl, f.payload, f.n);
		if (e != 0) {
			refused(r, "removing a policy routing rule", e);
			return;
		}
	}
}

/* -- the loop -------------------------------------------------------------------------------------------- */

static int settle(struct run *r)
{
	unsigned before;
	int e;

	for (unsigned i = 0; i < ROUNDS; i++) {
		before = r->changes;
		if ((e = settle_links(r)) != 0)
			return e;
		settle_rules(r);
		if ((e = settle_facts(r)) != 0)
			return e;
		if (r->changes == before)
			return 0;
		if (r->error != 0)
			return r->error;
	}
	snprintf(r->text.text, sizeof(r->text.text), "%s", "the settings do not stay as they were set");
	return -EBUSY;
}

static void run_end(struct run *r)
{
	net_facts_free(&r->n->held);
	r->n->held = r->want;
	net_facts_free(&r->have);
	net_facts_free(&r->add);
	net_facts_free(&r->remove);
}

/* What stands: missing interfaces, VLANs that are none, unknown interfaces that are up. */
static void standing_findings(struct net *n)
{
	for (unsigned i = 0; i < n->want.nifaces; i++) {
		const struct net_iface *w = &n->want.ifaces[i];
		const struct net_link *l = link_by_name(&n->links, w->name);
		const struct net_link *parent = link_by_name(&n->links, w->parent);
		if (l == NULL && w->vlan != 0 && parent != NULL)
			finding(n, FINDING_VLAN_UNSUPPORTED, w->name);
		else if (l == NULL)
			finding(n, FINDING_INTERFACE_MISSING, w->name);
		else if (w->vlan != 0 && (!l->is_vlan || l->vlan != w->vlan || parent == NULL ||
						 l->parent != parent->ifindex))
			finding(n, FINDING_VLAN_PLAIN, w->name);
	}
	for (unsigned i = 0; i < n->links.n; i++) {
		const struct net_link *l = &n->links.l[i];
		if (l->up && !l->loopback && net_want_iface(&n->want, l->name) == NULL)
			finding(n, FINDING_INTERFACE_UNKNOWN, l->name);
	}
	if (n->links.more)
		finding(n, FINDING_INTERFACE_UNKNOWN, "more interfaces than are looked at");
}

int net_apply(struct net *n, const struct ir *ir, struct net_error *ret)
{
	struct run r = {.n = n};
	struct net_want want;

	if (!net_want_from_ir(&want, ir)) {
		snprintf(ret->text, sizeof(ret->text), "%s", "more interfaces than there may be");
		net_want_free(&want);
		return -E2BIG;
	}
	/* Until an apply succeeds, `former` collects the interfaces of all that were begun. */
	for (unsigned i = 0; i < n->want.nifaces; i++)
		if (net_want_iface(&n->former, n->want.ifaces[i].name) == NULL && n->former.nifaces < NET_IFACES_MAX)
			n->former.ifaces[n->former.nifaces++] = n->want.ifaces[i];
	net_facts_free(&n->want.facts);
	n->want = want;
	n->settings_known = false;
	int e = settle(&r);
	n->settled = e == 0;
	if (e == 0) {
		net_want_free(&n->former);
		n->seen = n->links;
	} else {
		snprintf(ret->text, sizeof(ret->text), "%s", r.text.text[0] != '\0' ? r.text.text : strerror(-e));
	}
	run_end(&r);
	return e;
}

int net_check(struct net *n)
{
	struct run r = {.n = n, .check = n->settled};

	n->notes = 0;
	int e = settle(&r);
	if (n->notes > NOTES_MAX) {
		char text[64];
		snprintf(text, sizeof(text), "and %u more settings", n->notes - NOTES_MAX);
		finding(n, FINDING_NET_CHANGED, text);
	}
	if (e != 0 && r.error == 0)
		finding(n, FINDING_NET_REFUSED, r.text.text[0] != '\0' ? r.text.text : strerror(-e));
	n->seen = n->links;
	standing_findings(n);
	run_end(&r);
	return e != 0 ? e : (int)r.changes;
}

bool net_link_table(struct net *n, struct msg_links *ret)
{
	struct msg_links t = {0};

	for (unsigned i = 0; i < n->links.n && t.n < MSG_LINKS_MAX; i++) {
		t.link[t.n].index = n->links.l[i].ifindex;
		MSG_TEXT(t.link[t.n++].name, n->links.l[i].name);
	}
	bool changed = memcmp(&t, &n->told, sizeof(t)) != 0;
	n->told = t;
	*ret = t;
	return changed;
}

/* -- opening --------------------------------------------------------------------------------------------- */

struct net *net_open(net_finding_fn *fn, void *arg)
{
	struct net *n = calloc(1, sizeof(*n));
	int e;

	if (n == NULL)
		return NULL;
	*n = (struct net){.fn = fn, .arg = arg, .watch = -1, .rtnl.fd = -1};
	e = net_rtnl_open(&n->rtnl);
	if (e == 0 && (n->watch = net_watch_open()) < 0)
		e = n->watch;
	if (e == 0 && (n->samples = net_sample_new()) == NULL)
		e = -ENOMEM;
	if (e == 0)
		return n;
	net_close(n);
	errno = -e;
	return NULL;
}

void net_close(struct net *n)
{
	if (n == NULL)
		return;
	net_rtnl_close(&n->rtnl);
	if (n->watch >= 0)
		close(n->watch);
	net_want_free(&n->want);
	net_want_free(&n->former);
	net_facts_free(&n->held);
	free(n->samples);
	free(n);
}
