/*
 * net_facts.c: arrays of network settings, their order and their text.
 *
 * Order: kind, family, prefix length, type, interface, address, metric, tos, value; compared as bytes, so two
 * facts are equal exactly when every byte before `proto` is.
 */
#include "net_private.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/addr.h>

_Static_assert(offsetof(struct net_fact, proto) == 48, "a fact has no padding");

void net_facts_add(struct net_facts *f, const struct net_fact *x)
{
	if (net_facts_n(f) < NET_FACTS_MAX)
		buf_add(&f->b, x, sizeof(*x));
}

int net_facts_cmp(const struct net_fact *a, const struct net_fact *b)
{
	return memcmp(a, b, offsetof(struct net_fact, proto));
}

static int cmp_qsort(const void *a, const void *b)
{
	return net_facts_cmp(a, b);
}

void net_facts_sort(struct net_facts *f)
{
	size_t n = net_facts_n(f), kept = 0;

	if (n == 0)
		return;
	qsort(f->b.data, n, sizeof(struct net_fact), cmp_qsort);
	for (size_t i = 1; i < n; i++)
		if (net_facts_cmp(net_facts_at(f, kept), net_facts_at(f, i)) != 0)
			*net_facts_at(f, ++kept) = *net_facts_at(f, i);
	f->b.len = (kept + 1) * sizeof(struct net_fact);
}

size_t net_facts_from(const struct net_facts *f, const struct net_fact *x)
{
	size_t lo = 0, hi = net_facts_n(f);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (net_facts_cmp(net_facts_at(f, mid), x) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void net_facts_free(struct net_facts *f)
{
	buf_free(&f->b);
}

bool net_facts_same_key(const struct net_fact *a, const struct net_fact *b)
{
	if (a->kind != b->kind || a->family != b->family || memcmp(a->addr, b->addr, sizeof(a->addr)) != 0)
		return false;
	switch (a->kind) {
	case NET_NEIGH:
		return a->ifindex == b->ifindex;
	case NET_ROUTE:
		return a->plen == b->plen && a->type == b->type && a->metric == b->metric && a->tos == b->tos;
	default:
		return false; /* an address has no value that could be replaced */
	}
}

static const char *addr_text(uint8_t family, const uint8_t b[16], char *buf)
{
	struct addr a = {.family = family};

	memcpy(a.b, b, addr_len(family));
	return addr_format(&a, buf);
}

void net_fact_text(const struct net_fact *f, const char *ifname, char *ret, size_t n)
{
	char a[ADDR_TEXT_MAX], via[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX];
	struct mac m;
	static const uint8_t none[16];

	addr_text(f->family, f->addr, a);
	memcpy(m.b, f->via, sizeof(m.b));
	if (f->kind == NET_TURN_RULE)
		snprintf(ret, n, "routing rule of turned mail (IPv%u)", f->family);
	else if (f->kind == NET_TURN_ROUTE)
		snprintf(ret, n, "route %s/%u of turned mail", a, f->plen);
	else if (f->kind == NET_ADDR)
		snprintf(ret, n, "address %s/%u on %s", a, f->plen, ifname);
	else if (f->kind == NET_NEIGH)
		snprintf(ret, n, "neighbour %s %s on %s", a, mac_format(&m, mac), ifname);
	else if (memcmp(f->via, none, addr_len(f->family)) == 0)
		snprintf(ret, n, "route %s/%u on %s", a, f->plen, ifname);
	else
		snprintf(ret, n, "route %s/%u via %s on %s", a, f->plen, addr_text(f->family, f->via, via), ifname);
}
