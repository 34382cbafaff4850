/*
 * store.h: where records are kept: one SQLite file in a directory that only sekisho-logd opens.
 *
 * Rows are numbered by one sequence without gaps over all tables and chained by hash (chain.h). Drops that still
 * count are in the side table `open`; store_close_open() makes them rows of the chain. A transaction a second,
 * durable when store_commit() says so (WAL, synchronous=FULL).
 *
 * Space: the file takes its whole share of the disk when it is made, and a ballast file is kept beside it, so that a
 * disk filled by others cannot stop it at once. Oldest rows go first; an anchor row tells what went.
 */
#ifndef LOG_STORE_H
#define LOG_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/addr.h>

#include "account.h"
#include "rows.h"

struct store;

enum store_result {
	STORE_OK,
	STORE_FULL,    /* no space: try again, the store makes room */
	STORE_BUSY,    /* another process holds the file */
	STORE_CORRUPT, /* the file is damaged or not ours: to be set aside */
	STORE_IO,      /* the disk refuses */
};
const char *store_result_word(enum store_result r);

struct store_options {
	const char *dir;  /* absolute; exists; ours alone */
	uint64_t space;	  /* bytes for everything; 0 = 80 % of a file system of its own, else 256 MB */
};

/*
 * Opens or makes the store. On STORE_OK *ret is the store; what the last process left open is closed into the chain.
 * note (at least 128 bytes): what is worth a fault record although it opened ("chain-broken …"), or "".
 */
enum store_result store_open(const struct store_options *o, struct store **ret, char *note, size_t note_size);
void store_free(struct store *s); /* NULL is allowed */

/*
 * Renames the files of a store that cannot be used; they are kept, the newest STORE_ASIDES_MAX of them: a disk that
 * damages one after the other must not fill itself up. name: gets the new name. 0 or -errno.
 */
#define STORE_ASIDES_MAX 3
int store_set_aside(const char *dir, int64_t wall, char *name, size_t size);
/* Removes the oldest of them: the disk is full. False when there is none. */
bool store_drop_aside(const char *dir);

/* The number that the next row will get. */
uint64_t store_next(const struct store *s);
/* Never below this: a store that follows another goes on with its numbers. Before the first row only. */
void store_start_at(struct store *s, uint64_t sequence, const char *note);

/* -- one transaction; errors are remembered and store_commit() tells ---------------------------------------- */

void store_begin(struct store *s);
/* A drop that counts: its row (all but hash). fresh: not there yet; else its count and times are brought up to date. */
void store_put_open(struct store *s, const struct msg_drop_row *row, bool fresh);
/* Makes chain rows of everything in `open`, in order. */
void store_close_open(struct store *s);
/* These rows get the next number and their hash; nothing may be open. */
void store_put_fault(struct store *s, struct msg_fault_row *row);
void store_put_commit(struct store *s, struct msg_commit_row *row);
/* What somebody did: a command, a session, an entry of a record. table: ROW_COMMAND, ROW_LOGIN or ROW_RECORD. */
struct store_deed {
	enum row_table table;
	union {
		struct msg_command_row command;
		struct msg_login_row login;
		struct msg_record_row record;
	} u;
};
void store_put_deed(struct store *s, struct store_deed *deed);
void store_put_account(struct store *s, const struct account *a, const char *boot_id);
/*
 * Removes the oldest rows when the space is nearly used up. In a transaction that closes what is open: before it, so
 * that the space is there; the anchor comes behind it.
 */
void store_prune(struct store *s, int64_t wall);
void store_prune_anchor(struct store *s, int64_t wall);
/* Rows since then (wall seconds; 0: none) go only when there is no room for others at all. Did some go? Asked once. */
void store_hold(struct store *s, int64_t since);
bool store_hold_broken(struct store *s);
/* The disk was full: gives up the ballast; the next store_prune() removes rows whatever the numbers say. */
void store_make_room(struct store *s);
/* STORE_OK: it is on the disk. Else nothing of it happened, the numbers are as before store_begin(). */
enum store_result store_commit(struct store *s);

/* -- reading ------------------------------------------------------------------------------------------------ */

/* False when the store holds none yet. boot_id: 40 bytes. */
bool store_get_account(struct store *s, struct account *ret, char *boot_id);

struct store_sizes {
	uint64_t rows, bytes_used, bytes_free; /* of the share */
	int64_t oldest, newest;		       /* wall seconds of drops, 0 = none */
};
void store_sizes(struct store *s, struct store_sizes *ret);

/* Sequences of the oldest row and of the newest, open ones included. */
uint64_t store_oldest(const struct store *s);
uint64_t store_newest(const struct store *s);
/* The first sequence that is still open (store_next() when none is). */
uint64_t store_first_open(const struct store *s);

/* Rows lo..hi of one kind, in order or backwards, until fn returns false. */
typedef bool store_drop_fn(void *arg, const struct msg_drop_row *row);
typedef bool store_fault_fn(void *arg, const struct msg_fault_row *row);
typedef bool store_commit_fn(void *arg, const struct msg_commit_row *row);
enum store_result store_drops(struct store *s, uint64_t lo, uint64_t hi, bool backwards, store_drop_fn *fn, void *arg);
enum store_result store_faults(struct store *s, uint64_t lo, uint64_t hi, bool backwards, store_fault_fn *fn,
	void *arg);
enum store_result store_commits(struct store *s, uint64_t lo, uint64_t hi, bool backwards, store_commit_fn *fn,
	void *arg);

typedef bool store_deed_fn(void *arg, const struct store_deed *deed);
enum store_result store_deeds(struct store *s, enum row_table table, uint64_t lo, uint64_t hi, bool backwards,
	store_deed_fn *fn, void *arg);
/* The highest number of a record, 0 = there is none. Of which kind a record is, 0 = it is not there. */
uint32_t store_record_newest(struct store *s);
uint32_t store_record_kind(struct store *s, uint32_t number);

/*
 * The newest drop up to `hi` whose source (else destination) is this address, or a network that a flood of it would have been
 * counted by; hi itself where that is still open; 0: none.
 */
uint64_t store_drop_of(struct store *s, bool source, const struct addr *a, uint64_t hi);

/* Rows of one span, [n * STORE_SPAN, (n + 1) * STORE_SPAN): false when no drop in it lies within since..until (ns). */
#define STORE_SPAN 4096
bool store_span_within(struct store *s, uint64_t n, int64_t since_ns, int64_t until_ns);

/* -- verification ------------------------------------------------------------------------------------------- */

struct store_verify {
	uint64_t next, end; /* rows still to be checked */
	uint64_t checked;
	uint8_t hash[CHAIN_HASH]; /* of the row before `next` */
	uint8_t kept[CHAIN_HASH], kept_want[CHAIN_HASH];
	uint64_t kept_upto;
	bool started;
	char error[128]; /* "" while all is well */
};
/* Checks up to n more rows; true when there are more. A fresh struct is zero. */
bool store_verify_step(struct store *s, struct store_verify *v, unsigned n);

/* Hash of the newest row of the chain. */
void store_head(const struct store *s, uint8_t ret[CHAIN_HASH]);

#endif
