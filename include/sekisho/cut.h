/*
 * cut.h: 緊急遮断, the emergency cut: what is cut, and whom that concerns.
 *
 * One list, kept by sekishod (durably, before the kernel has it), given as it is to the kernel's ruleset, to sekisho-maild,
 * to the proof and to the console. It stands above the policy: no commit opens what is cut. Fixed size, no pointers: it is
 * written to disk and handed on as these bytes, and cuts_check() looks at all of them before anybody believes one.
 */
#ifndef SEKISHO_CUT_H
#define SEKISHO_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/limits.h>

/* Cuts at once: who needs more cuts a segment. Elements of the kernel's sets follow from it. */
#define CUT_MAX 32
/* Addresses of one end: a host has some, a group some dozen; who has more cuts the segment. */
#define CUT_RANGES 32

enum cut_kind {
	CUT_HOST = 1, /* everything from and to its addresses, the gateway's own flows too */
	CUT_SEGMENT = 2, /* everything in and out by its interfaces */
	CUT_PAIR = 3, /* between the two ends, both ways; both are segments, or both are addresses */
	CUT_ALL = 4, /* everything */
};

enum alert_level {
	LEVEL_NORMAL = 0,   /* 平常 */
	LEVEL_CAUTION = 1,  /* 警戒 */
	LEVEL_LOCKDOWN = 2, /* 遮断 */
	LEVEL_END,
};
/* "normal", "caution", "lockdown"; "unknown" beyond. */
const char *level_word(unsigned level);
/* The level of a word; LEVEL_END for none. */
enum alert_level level_find(const char *word);

struct cut_range {
	uint8_t family, pad[7]; /* 4 or 6 */
	uint8_t lo[16], hi[16]; /* as in struct addr */
};

/* One end: a segment by its interfaces, or addresses (with the name of the host that has them, "" of a bare address). */
struct cut_end {
	char name[64];
	uint32_t segment;     /* 1: a segment */
	uint32_t nranges;     /* of addresses: at least one */
	uint32_t ninterfaces; /* of a segment; 0: it has none now */
	uint32_t gone;	      /* 1: the policy in force knows the name no more: what it was stays cut */
	struct cut_range range[CUT_RANGES];
	char interface[LIMIT_INTERFACES][LIMIT_IFNAME];
};

struct cut {
	uint32_t number; /* 1.., never used twice; travels in the mark of what it stops, so 16 bits */
	uint32_t kind;	 /* enum cut_kind */
	int64_t at;	 /* wall seconds */
	uint32_t uid, pad; /* of who ordered it */
	char who[64], why[256];
	struct cut_end end[2]; /* PAIR: both; ALL: none */
};
#define CUT_NUMBER_MAX 65535u

struct cuts {
	uint32_t n;
	uint32_t next;	/* number of the next cut */
	/* enum alert_level, and who decided it: held with the cuts, as it is decided and kept in the same way */
	uint32_t level, level_uid;
	int64_t level_at;
	char level_who[64], level_why[256];
	struct cut cut[CUT_MAX]; /* zero behind the first n */
};

/* Bytes from disk or from another process. NULL when they are a list of cuts, else a static word for what is wrong. */
const char *cuts_check(const void *p, size_t n);

/* What lies at one end of a flow. */
struct cut_place {
	const struct addr *addr;  /* NULL: not known */
	const char *segment; /* NULL or "": not known, or the gateway itself */
};
/* The first cut between two places, in either direction; NULL when there is none. */
const struct cut *cuts_find(const struct cuts *c, const struct cut_place *a, const struct cut_place *b);
/* Is this place one that a cut of hosts, segments or all stops, whoever it talks to? */
const struct cut *cuts_at(const struct cuts *c, const struct cut_place *a);
const struct cut *cuts_number(const struct cuts *c, uint32_t number); /* NULL when there is none */

/* Adds a cut (its number is set). 0; -ENOSPC: CUT_MAX are held; -EEXIST: the very same is held, *ret is that one. */
int cuts_add(struct cuts *c, struct cut *cut, const struct cut **ret);
/* 0 or -ENOENT. */
int cuts_remove(struct cuts *c, uint32_t number);

/* "host jumin-ap", "segment lgwan", "pair lgwan internet", "all": as it is typed. */
#define CUT_TEXT_MAX 160
const char *cut_text(const struct cut *c, char buf[CUT_TEXT_MAX]);
const char *cut_kind_word(unsigned kind);

#endif
