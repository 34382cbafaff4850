/*
 * flow.h: connections of the kernel's table as ctnetlink tells them: for the sweep, for the list that people see.
 */
#ifndef NFT_FLOW_H
#define NFT_FLOW_H

#include "kernel.h"

#include <sekisho/match.h>

struct flow {
	const struct nlattr *tuple; /* CTA_TUPLE_ORIG, in the message */
	const struct nlattr *zone;
	struct question q;
	uint32_t mark, status;
};

/* Reads the original direction, mark and status. False for one that we do not understand. */
bool flow_read(const struct nlmsghdr *h, struct flow *f);

/* Asks for all connections whose status, masked, is this; older kernels ignore the filter. 0 or -errno. */
int flow_dump(struct nft *n, uint32_t status, uint32_t status_mask, wire_message_fn *fn, void *arg);

#endif
