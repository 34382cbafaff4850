/*
 * rtlist.h: the kernel's neighbours and routes, as anybody may ask for them.
 */
#ifndef CONSOLE_RTLIST_H
#define CONSOLE_RTLIST_H

#include <sekisho/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_neighbour {
	struct addr addr;
	struct mac mac;
	bool has_mac;
	uint32_t link;	/* kernel's index */
	uint16_t state; /* NUD_* */
};

struct rt_route {
	struct addr prefix, via; /* via.family 0: on the link */
	uint8_t prefix_len, type; /* RTN_* */
	uint32_t link;		  /* 0: none (blackhole) */
	uint32_t metric;
};

/* What was read, allocated; the caller frees it. */
struct rt_list {
	struct rt_neighbour *neighbours;
	size_t nneighbours;
	struct rt_route *routes; /* of the main table */
	size_t nroutes;
};

/* 0 or -errno. rt_list_free() in either case. */
int rt_list_read(struct rt_list *ret);
void rt_list_free(struct rt_list *l);

/* The route that the kernel would take, by longest prefix of the list; NULL: none. */
const struct rt_route *rt_list_route(const struct rt_list *l, const struct addr *to);
/* The neighbour of this address on this link, or NULL. */
const struct rt_neighbour *rt_list_neighbour(const struct rt_list *l, const struct addr *a, uint32_t link);

/* Decodes one datagram into the list; for tests and rt_list_read(). 1: the dump is done; 0; -errno of the kernel, -EPROTO. */
int rt_list_take(struct rt_list *l, const void *p, size_t n);

#endif
