/*
 * ber.h: reading BER and DER (ITU-T X.690) on a cursor, for what may not be all there yet.
 *
 * An element knows how many of its bytes are still to be read, whether they have come or not, so a child that is longer
 * than its parent contradicts at its length, not at its end. All elements of a message share one cursor and are read in
 * order: open, read, end. After a contradiction, or when the bytes have run out, each read gives zero; ask the cursor once.
 *
 * Definite lengths of at most four octets, tags of one octet, BER_DEPTH levels. With BER_DER lengths must be the shortest.
 */
#ifndef SEKISHO_INSPECT_BER_H
#define SEKISHO_INSPECT_BER_H

#include "verify.h"

#define BER_DEPTH 24u

enum { BER_BASIC = 0, BER_DER = 1 };

/* Universal tags that protocols use; context [n] is 0x80 + n, constructed 0xa0 + n, application 0x40 + n and 0x60 + n. */
enum {
	BER_BOOLEAN = 0x01,
	BER_INTEGER = 0x02,
	BER_BITS = 0x03,
	BER_OCTETS = 0x04,
	BER_NULL = 0x05,
	BER_OID = 0x06,
	BER_ENUMERATED = 0x0a,
	BER_TIME = 0x18,
	BER_GENERAL_STRING = 0x1b,
	BER_SEQUENCE = 0x30,
	BER_SET = 0x31,
};

struct ber {
	struct cursor *c;
	uint32_t left; /* content that was not read */
	uint8_t depth, der;
};

struct ber_bytes {
	const uint8_t *p; /* NULL when they are not there */
	uint32_t n;
};

/* The next n bytes of the cursor, as the content of an element that holds elements. */
struct ber ber_init(struct cursor *c, uint32_t n, unsigned der);

/* Is there another element inside? False also when the bytes have run out or contradict. */
bool ber_has(const struct ber *b);
/* The tag of the next one, which is not read yet; 0 when there is none. */
uint8_t ber_tag(const struct ber *b);

/* Opens the next element, which must have this tag. On failure *ret is empty. */
bool ber_open(struct ber *b, uint8_t tag, struct ber *ret);
/* Opens it whatever its tag is; returns the tag, 0 on failure. */
uint8_t ber_any(struct ber *b, struct ber *ret);
/* Opens it if it has this tag; false, and nothing read, if it is another one or there is none. */
bool ber_optional(struct ber *b, uint8_t tag, struct ber *ret);
/* The element must have been read to its end. */
bool ber_end(struct ber *b);
/* The rest of an element, unseen or in place. */
struct ber_bytes ber_rest(struct ber *b);

/* A whole element in place; its content. */
struct ber_bytes ber_octets(struct ber *b, uint8_t tag);
/* A whole number of 1 to `max` octets (8 at most, and one of sign), which must lie in [least, most]. */
struct ber_range {
	int64_t least, most;
};
int64_t ber_int(struct ber *b, uint8_t tag, struct ber_range in);
/* A number of 1 to `max` octets whose value does not matter; also those that are no 64-bit number. */
void ber_number(struct ber *b, uint8_t tag, uint32_t max);
/* An object identifier: at least one octet, each arc ended, none padded. */
struct ber_bytes ber_oid(struct ber *b);
void ber_null(struct ber *b);

/* The same element inside a context tag, as DER of Kerberos has it: [tag] EXPLICIT. */
static inline int64_t ber_explicit_int(struct ber *b, uint8_t tag, struct ber_range in)
{
	struct ber e;

	if (!ber_open(b, tag, &e))
		return 0;
	int64_t v = ber_int(&e, BER_INTEGER, in);
	ber_end(&e);
	return v;
}

static inline struct ber_bytes ber_explicit_octets(struct ber *b, uint8_t tag, uint8_t inner)
{
	struct ber e;

	if (!ber_open(b, tag, &e))
		return (struct ber_bytes){0};
	struct ber_bytes s = ber_octets(&e, inner);
	ber_end(&e);
	return s;
}

#define BER_INT32 ((struct ber_range){INT32_MIN, INT32_MAX})
#define BER_UINT31 ((struct ber_range){0, INT32_MAX})
#define BER_UINT32 ((struct ber_range){0, UINT32_MAX})

#endif
