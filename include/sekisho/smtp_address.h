/*
 * smtp_address.h: the addresses of the envelope (RFC 5321 4.1.2), parsed strictly and written anew.
 *
 * What is sent on is built from the parsed parts and never copied. Ours differs from the standard in two places,
 * because mail would be lost otherwise: dots where the standard has none (`a..b`, `a.`: mobile carriers of Japan
 * gave such addresses out) are taken and sent on in quotes, and names of hosts may hold `_`.
 */
#ifndef SEKISHO_SMTP_ADDRESS_H
#define SEKISHO_SMTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 5321 4.5.3.1: octets of a local part, a domain, a path with its < and >. */
#define SMTP_LOCAL_MAX 64u
#define SMTP_DOMAIN_MAX 255u
#define SMTP_PATH_MAX 256u

enum smtp_address_flag {
	SMTP_ADDRESS_NULL = 1,	     /* <> */
	SMTP_ADDRESS_POSTMASTER = 2, /* <postmaster>, without a domain */
	SMTP_ADDRESS_LITERAL = 4,    /* the domain is [192.0.2.1] or [IPv6:2001:db8::1] */
	SMTP_ADDRESS_QUOTED = 8,     /* the local part needs quotes */
	SMTP_ADDRESS_ROUTED = 16,    /* there was a source route (<@a,@b:user@c>); it is not in the result */
	SMTP_ADDRESS_RELAY = 32,     /* % ! or @ in the local part: other programs may take it for a way to another host */
};

struct smtp_address {
	char text[SMTP_PATH_MAX]; /* local@domain, quoted where it must be; "" for <>; printable ASCII */
	char local[SMTP_LOCAL_MAX + 1]; /* without quotes */
	char domain[SMTP_DOMAIN_MAX + 1]; /* lower case; a literal in brackets and normal form; "" for <> and <postmaster> */
	unsigned flags;
};

enum smtp_address_result {
	SMTP_ADDRESS_OK,
	SMTP_ADDRESS_SYNTAX,
	SMTP_ADDRESS_BYTES,  /* a control character or NUL */
	SMTP_ADDRESS_UTF8,   /* bytes beyond ASCII: SMTPUTF8 is not offered */
	SMTP_ADDRESS_LOCAL,  /* its local part is too long */
	SMTP_ADDRESS_DOMAIN, /* its domain is too long or no domain */
	SMTP_ADDRESS_PATH,   /* it is too long */
};

/*
 * Parses the path that begins at p with '<'. *ret_taken: bytes up to behind its '>'. ret and ret_taken are written only when
 * the result is SMTP_ADDRESS_OK.
 */
enum smtp_address_result smtp_address_parse(const char *p, size_t n, struct smtp_address *ret, size_t *ret_taken);

/*
 * A domain or an address literal as HELO gives it, whole; ret holds SMTP_DOMAIN_MAX + 1, in lower case. Bare addresses
 * (`HELO 192.0.2.1`) and a dot at the end (which is dropped) pass here and not in a path.
 */
bool smtp_domain_parse(const char *p, size_t n, char *ret);

#endif
