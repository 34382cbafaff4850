/*
 * fragment.h: datagrams out of their fragments, for captures (in line the kernel has put them together already).
 */
#ifndef SEKISHO_INSPECT_FRAGMENT_H
#define SEKISHO_INSPECT_FRAGMENT_H

#include "pool.h"

#include <sekisho/inspect.h>

#define FRAGMENT_CONTEXTS 256u /* datagrams that are being put together */
#define FRAGMENT_PIECES 64u    /* of one datagram */
#define FRAGMENT_BYTES 65535u
#define FRAGMENT_SECONDS 5
#define FRAGMENT_MEMORY (4u << 20)

struct fragments;

enum fragment_result {
	FRAGMENT_MORE,	/* fits; more are to come */
	FRAGMENT_WHOLE, /* *ret is the datagram, its payload valid until the next call */
	FRAGMENT_BAD,	/* it and all others of its datagram are thrown away */
};

struct fragments *fragments_new(void); /* NULL without memory */
void fragments_free(struct fragments *f);
/* p->kind is PACKET_FRAGMENT. */
enum fragment_result fragment_add(struct fragments *f, const struct packet *p, struct packet *ret);

#endif
