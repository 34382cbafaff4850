/*
 * addr.h: network addresses, prefixes, ranges and MAC addresses.
 *
 * One type serves both families. Bytes are in network order; IPv4 uses the first four and keeps the
 * other twelve zero, so that memcmp() over `len` bytes orders addresses as numbers.
 * Text forms: RFC 4291 section 2.2 and RFC 5952 for IPv6, dotted quad for IPv4 (no octal, no short forms).
 */
#ifndef SEKISHO_ADDR_H
#define SEKISHO_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text of a range "lo-hi" of IPv6 addresses, with its NUL. */
#define ADDR_TEXT_MAX 96
#define MAC_TEXT_MAX 18

struct addr {
	uint8_t family; /* 4, 6; 0 = none */
	uint8_t b[16];	/* network order; IPv4 in b[0..3], the rest zero */
};

/* All addresses from lo to hi, both included, of one family. A prefix is such a range. */
struct addr_range {
	struct addr lo, hi;
};

struct mac {
	uint8_t b[6];
};

/* Bytes of an address of this family: 4 or 16. */
size_t addr_len(uint8_t family);

/* Parses one address. Returns false (and leaves *ret alone) when text is not exactly one address. */
bool addr_parse(const char *text, struct addr *ret);

/* Writes the canonical text. buf holds at least ADDR_TEXT_MAX bytes; returns buf. */
const char *addr_format(const struct addr *a, char *buf);

/* <0, 0, >0 as numbers; families compare first (4 before 6). */
int addr_cmp(const struct addr *a, const struct addr *b);

/* The next / previous address; false at the end of the family's space. */
bool addr_next(struct addr *a);
bool addr_prev(struct addr *a);

/*
 * Parses "ADDR" or "ADDR/LEN". With host bits set behind LEN: *ret_host (may be NULL) gets the address as
 * written and the range covers its prefix. Returns false when the text is neither.
 */
bool prefix_parse(const char *text, struct addr *ret_host, uint8_t *ret_len, struct addr_range *ret);

/* The range of a prefix around an address: host bits cleared to lo, set to hi. */
struct addr_range prefix_range(const struct addr *a, uint8_t len);

/* "A", "A/LEN" when the range is a prefix, else "LO-HI". buf: ADDR_TEXT_MAX bytes; returns buf. */
const char *range_format(const struct addr_range *r, char *buf);

/* If the range is exactly a prefix, its length; else -1. */
int range_prefix_len(const struct addr_range *r);

bool range_has(const struct addr_range *r, const struct addr *a);
bool range_covers(const struct addr_range *outer, const struct addr_range *inner);
bool range_overlaps(const struct addr_range *a, const struct addr_range *b);
bool range_is_single(const struct addr_range *r);

/* Six hex pairs with ':' or '-'. Returns false when the text is not a MAC address. */
bool mac_parse(const char *text, struct mac *ret);

/* buf: MAC_TEXT_MAX bytes; returns buf. */
const char *mac_format(const struct mac *m, char *buf);

bool mac_equal(const struct mac *a, const struct mac *b);
bool mac_is_zero(const struct mac *m);
bool mac_is_multicast(const struct mac *m);

#endif
