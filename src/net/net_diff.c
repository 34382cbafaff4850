/*
 * net_diff.c: what to add and what to remove, by one merge of two sorted arrays.
 */
#include "net_private.h"

void net_diff(const struct net_facts *want, const struct net_facts *have, struct net_facts *ret_add,
	struct net_facts *ret_remove)
{
	size_t i = 0, j = 0, nw = net_facts_n(want), nh = net_facts_n(have);

	buf_clear(&ret_add->b);
	buf_clear(&ret_remove->b);
	while (i < nw || j < nh) {
		int c = i == nw ? 1 : j == nh ? -1 : net_facts_cmp(net_facts_at(want, i), net_facts_at(have, j));
		if (c < 0)
			net_facts_add(ret_add, net_facts_at(want, i));
		else if (c > 0)
			net_facts_add(ret_remove, net_facts_at(have, j));
		i += c <= 0;
		j += c >= 0;
	}
}
