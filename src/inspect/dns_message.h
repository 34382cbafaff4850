/*
 * dns_message.h: the grammar of a DNS message (RFC 1035, 2136, 2181, 6891), for the verifier in dns.c.
 */
#ifndef SEKISHO_INSPECT_DNS_MESSAGE_H
#define SEKISHO_INSPECT_DNS_MESSAGE_H

#include "verify.h"

#define DNS_HEADER 12u
#define DNS_NAME_MAX 255u /* on the wire, with the root */

enum dns_opcode { DNS_QUERY = 0, DNS_NOTIFY = 4, DNS_UPDATE = 5 };
enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

#define DNS_FLAG_REPLY 0x8000u
#define DNS_FLAG_AUTHORITATIVE 0x0400u
#define DNS_FLAG_CUT 0x0200u
#define DNS_FLAG_RECURSION_AVAILABLE 0x0080u
#define DNS_FLAG_ZERO 0x0040u

enum {
	DNS_SOA = 6,
	DNS_NULL = 10,
	DNS_SIG = 24,
	DNS_OPT = 41,
	DNS_TKEY = 249,
	DNS_TSIG = 250,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255,
};

struct dns_question {
	const uint8_t *wire; /* name, type and class as they were sent */
	uint32_t wire_n;
	char name[DNS_NAME_MAX]; /* with dots between the labels, none at the end; not escaped: labels hold no dot */
	uint32_t name_n;
	uint32_t labels;
	uint16_t type, class;
};

struct dns_message {
	/* in */
	const uint8_t *start; /* first byte of the header; NULL: it is used up, so pointers are not followed */
	uint32_t at;	      /* place in the message of the cursor's first byte, for what is read without the start */
	const uint8_t *first; /* the cursor's first byte */
	bool updates;	      /* dynamic update and transfer are allowed */
	/* out */
	uint16_t id, flags, count[4];
	uint8_t opcode;
	uint8_t opts; /* OPT records seen */
	struct dns_question question; /* wire_n = 0: there is none */
};

/* The twelve bytes and what they may be: WHY_COMMAND, WHY_FIELD. `reply`: which way it goes. */
bool dns_header(struct dns_message *m, struct cursor *c, bool reply);
/* The question section: one question, or none where count says so. */
bool dns_question(struct dns_message *m, struct cursor *c, bool reply);
/*
 * One record. *ret_rest: when not NULL and the data are long and of no known form, so many bytes of them
 * were left unread.
 */
bool dns_record(struct dns_message *m, struct cursor *c, enum dns_section section, uint16_t *ret_rest);
/* All of it: header, question and records, of which `len` bytes are the message and no byte is left over. */
bool dns_message(struct dns_message *m, struct cursor *c, bool reply, size_t len);

#endif
