/*
 * attr.h: a forward-only walk over netlink attributes (struct nlattr), bounded by their parent.
 *
 * Foreign bytes: every length is checked against what is left; a broken one ends the walk with r->bad set, and
 * the caller refuses the whole dump.
 */
#ifndef SEKISHO_PROVE_ATTR_H
#define SEKISHO_PROVE_ATTR_H

#include <stdbool.h>
#include <sekisho/reader.h>

struct attr {
	uint16_t type;	    /* without the NESTED and BYTEORDER bits */
	struct reader body; /* its payload */
};

/* The next attribute of *r; false at the end or when it is broken (then r->bad). */
bool attr_next(struct reader *r, struct attr *ret);

/* Payloads of fixed size; any other size sets a->body.bad and gives 0. */
uint32_t attr_be32(struct attr *a);
uint64_t attr_be64(struct attr *a);

/* A NUL-terminated string inside the attribute, or NULL. */
const char *attr_text(struct attr *a);

#endif
