/*
 * aggregate.h: counts repeats of the same drop, in fixed memory, without ever losing one.
 *
 * A window stands for all drops with one key since it was opened. When the windows of one key width are used up
 * (a flood of ever new addresses), further drops are counted by a wider key; the widest, one window per reason,
 * is always there. One aggregator serves one NFLOG group, so that a flood in one segment coarsens no other's.
 */
#ifndef LOG_AGGREGATE_H
#define LOG_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/reason.h>

#include "nflog.h"

enum agg_width {
	AGG_EXACT,  /* source, destination, protocol, port, interfaces, MAC */
	AGG_NET,    /* networks of source and destination (/24, /64), protocol, interfaces; no port, no MAC */
	AGG_PATH,   /* family, protocol, interfaces */
	AGG_REASON, /* the reason alone */
	AGG_WIDTHS,
};

/*
 * Windows of each width that may be open at once, per group. A quiet town needs some dozens; 1 024 rows a minute
 * are what a person can still read and what a 256 MB store holds for half a day of flood.
 */
#define AGG_MAX_EXACT 1024
#define AGG_MAX_NET 256
#define AGG_MAX_PATH 64
#define AGG_MAX (AGG_MAX_EXACT + AGG_MAX_NET + AGG_MAX_PATH + REASON_END)

/* Compared and hashed as bytes: no padding inside. */
struct agg_key {
	uint8_t src[16], dst[16];
	uint32_t in, out, generation;
	uint16_t dport;
	uint8_t mac[6];
	uint8_t family, proto, reason, width;
};

struct agg_window {
	struct agg_key key;
	uint64_t sequence; /* of the row; 0 = not taken yet */
	uint64_t count;
	uint64_t taken; /* of count, handed over by agg_take() */
	int64_t first_ns, last_ns;
	uint32_t length; /* these of the first packet */
	uint16_t sport, last_sport; /* of the first, of the last */
	uint8_t tcp_flags, has_mac;
	uint8_t why, seen; /* of the inspector: the first that were said, of an exact window */
	struct mac dst_mac;
	bool dirty;
	uint32_t next; /* in its bucket, + 1 */
};

struct agg;

struct agg *agg_new(void); /* NULL without memory */
void agg_free(struct agg *a);

/* Counts one event. now_ns: wall, for events that the kernel did not stamp. */
void agg_add(struct agg *a, const struct nflog_event *e, uint32_t generation, int64_t now_ns);

/* Events of each reason since agg_new(). */
const uint64_t *agg_received(const struct agg *a);

/* What changed since the last take: windows as they stand, new ones with a fresh number. */
struct agg_item {
	struct agg_window window;
	uint64_t delta; /* of its count */
	bool fresh;	/* first take */
};
struct agg_batch {
	struct agg_item *items; /* at least AGG_MAX free for each agg_take() */
	size_t n, cap;
	uint64_t next_sequence; /* the next fresh window gets this */
};

/* Appends what changed to *batch. close: all windows end here; later events open new ones. */
void agg_take(struct agg *a, struct agg_batch *batch, bool close);

/* The rows taken so far are gone (another store): what is counted since becomes new windows. */
void agg_forget(struct agg *a);

/* Prefix lengths that a width keeps of an address of this family. */
unsigned agg_prefix(enum agg_width width, uint8_t family);

#endif
