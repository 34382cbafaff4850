/*
 * store_private.h: what the files of the store share: store.c (life, transactions), space.c (the disk), aside.c
 * (stores that could not be used), scan.c (reading), verify.c (the chain).
 */
#ifndef LOG_STORE_PRIVATE_H
#define LOG_STORE_PRIVATE_H

#include "store.h"

#define STORE_SCHEMA_VERSION 3
#define STORE_FILE "records.db"
#define STORE_BALLAST "ballast"
#define STORE_ASIDE ".set-aside-"
#define STORE_PAGE 4096
#define STORE_PATH_MAX 512

/* Statements are prepared once; their texts are in store.c in this order. */
enum store_stmt {
	ST_BEGIN, ST_COMMIT, ST_ROLLBACK,
	ST_OPEN_PUT, ST_OPEN_BUMP, ST_OPEN_ALL, ST_OPEN_CLEAR,
	ST_DROP_PUT, ST_FAULT_PUT, ST_COMMIT_PUT, ST_ANCHOR_PUT, ST_COMMAND_PUT, ST_LOGIN_PUT, ST_RECORD_PUT,
	ST_ACCOUNT_PUT, ST_META_PUT, ST_SPAN_PUT,
	ST_COUNT
};

/* How the share of the disk is used. */
struct space {
	uint64_t total, ballast, wal; /* bytes */
	uint64_t pages;		      /* of the database file */
	int checkpoint_pages;
	bool ballast_out;	      /* given up for room */
	int64_t ballast_tried;	      /* wall seconds */
	bool make_room;		      /* at the next prune, whatever the numbers say */
	int64_t held;		      /* wall seconds: rows since then are evidence; 0 = none */
	bool hold_broken;
};

/* What this transaction has removed for space. */
struct removal {
	uint64_t upto, rows;
	uint8_t hash[CHAIN_HASH];
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	char dir[STORE_PATH_MAX];
	struct space space;
	int error; /* SQLite code, sticky within a transaction */
	/* The chain's newest link, and as it was when the transaction began. */
	uint64_t next, next_before;
	uint8_t head[CHAIN_HASH], head_before[CHAIN_HASH];
	uint64_t first_open, first_open_before; /* == next when nothing is open */
	bool fresh; /* no row yet */
	struct removal removal;
	struct account account; /* as stored */
	bool account_known;
};

/* Cuts a ballast that is larger than this share needs, before the store is opened on a disk that may be full. */
void space_trim_ballast(const struct space *sp, const char *dir);
/* Steps a statement that returns no rows, resets it, remembers an error. */
void store_run(struct store *s, enum store_stmt which);
/* Binds columns and steps. */
void store_run_row(struct store *s, enum store_stmt which, const struct chain_column *c, unsigned n);
void store_fail(struct store *s, int rc);
enum store_result store_result_of(int rc);
/* One integer by SQL; fallback when there is no row. */
int64_t store_number(struct store *s, const char *sql, int64_t fallback);
/*
 * "SELECT columns FROM t1 WHERE seq op ?1 UNION ALL …" over all tables, or over those whose rows are kept when drops are
 * removed, into sql.
 */
const char *store_union(char *sql, size_t size, const char *columns, const char *op, bool kept_only);
/* The hash of one row, whatever its table; a missing row is corruption. */
void store_hash_of(struct store *s, uint64_t sequence, uint8_t ret[CHAIN_HASH]);
/* Checks up to n rows from v->next on, which follow v->hash. For the check at start. */
bool store_verify_range(struct store *s, struct store_verify *v, unsigned n);
void store_put_anchor(struct store *s, struct anchor_row *row);

/* Works out the share of a directory's file system. 0 or -errno. */
int space_init(struct space *sp, const struct store_options *o);
/* Reserves the database's share and the ballast. False when the disk did not give it all. */
bool space_reserve(struct store *s);
void space_release_ballast(struct store *s);
/* Tries to take the ballast back, at most once a minute. */
void space_restore_ballast(struct store *s, int64_t wall);
/* Used pages have come near the share. */
bool space_short(struct store *s);

#endif
