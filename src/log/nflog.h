/*
 * nflog.h: what the kernel's log says of one dropped packet.
 *
 * One datagram of an NFLOG socket holds many netlink messages; each becomes one event.
 */
#ifndef LOG_NFLOG_H
#define LOG_NFLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/inspect.h>
#include <sekisho/reason.h>
#include <sekisho/ruleset.h>

struct nflog_event {
	int64_t time_ns; /* wall; 0 = the kernel did not stamp it */
	uint32_t mark;	 /* REFUSAL_MARK: reason, and what the inspector says */
	uint32_t in, out; /* kernel's interface indexes, 0 = none */
	uint32_t sequence; /* of the group */
	bool has_sequence;
	bool has_mac;
	struct mac src_mac, dst_mac; /* of the frame as it came */
	uint8_t family; /* 4, 6; 0 = not IP, or cut before the addresses */
	uint8_t proto;	/* IPPROTO_*; of IPv6 the last header that could be reached */
	uint8_t tcp_flags;
	uint8_t src[16], dst[16]; /* as in struct addr */
	uint16_t sport, dport;	  /* ICMP: dport = type << 8 | code */
	uint32_t length;	  /* as the IP header says */
	const uint8_t *packet;	  /* its beginning, in the datagram: good until the callback ends; NULL: none came */
	size_t npacket;
};

struct nflog_counts {
	uint64_t events;
	uint64_t malformed; /* messages that break netlink's framing or have no mark */
};

typedef void nflog_fn(void *arg, const struct nflog_event *e);

/*
 * Decodes one datagram and calls fn for each event in it. A packet that is itself cut or broken is an event all
 * the same (it was dropped and counted), with the fields that could be read. Adds to *counts.
 */
void nflog_decode(const void *p, size_t n, nflog_fn *fn, void *arg, struct nflog_counts *counts);

/* The reason code of an event: REASON_NONE when its mark holds none of the table. */
static inline enum reason nflog_reason(const struct nflog_event *e)
{
	uint32_t code = e->mark & 0xff;
	return code < REASON_END ? (enum reason)code : REASON_NONE;
}

/* Only refusals of the inspector carry its word; a code that is none counts as nothing said. */
static inline bool nflog_inspected(const struct nflog_event *e)
{
	enum reason r = nflog_reason(e);
	return r == REASON_APP_MISMATCH || r == REASON_UNFITTING;
}

/* enum inspect_why, WHY_NONE where nothing was said; the low byte of an emergency cut's number. */
static inline uint8_t nflog_why(const struct nflog_event *e)
{
	uint32_t why = REFUSAL_WHY(e->mark);
	if (nflog_reason(e) == REASON_CUT)
		return (uint8_t)why;
	return nflog_inspected(e) && why < WHY_END ? (uint8_t)why : WHY_NONE;
}

/* enum application: what it rather was; the high byte of an emergency cut's number. */
static inline uint8_t nflog_seen(const struct nflog_event *e)
{
	uint32_t seen = REFUSAL_SEEN(e->mark);
	if (nflog_reason(e) == REASON_CUT)
		return (uint8_t)seen;
	return nflog_inspected(e) && seen < APP_END ? (uint8_t)seen : APP_NONE;
}

#endif
