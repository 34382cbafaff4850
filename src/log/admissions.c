/*
 * admissions.c: the file of what passed (see admissions.h).
 *
 * Input: rows of our own; names in them are the policy's, addresses the network's, and all of it is bound as values. The file
 * itself may be damaged.
 * Failure: the first error of a transaction sticks; admissions_commit() rolls back and the numbering is as before.
 */
#include "admissions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "chain.h"
#include "rows.h"
#include "sidefile.h"

#define PAGE 4096
#define REMOVED_AT_ONCE 4096
#define KIND 'p'

/* In the order of hashing; the number first. */
#define COLUMNS                                                                                                  \
	"seq,first,last,connections,lost,packets_out,packets_back,bytes_out,bytes_back,rule,seg_from,seg_to,host_src,host_dst," \
	"family,proto,src,src_len,dst,dst_len,dport,generation"
#define TYPES                                                                                                    \
	"first INTEGER,last INTEGER,connections INTEGER,lost INTEGER,packets_out INTEGER,packets_back INTEGER,"        \
	"bytes_out INTEGER,bytes_back INTEGER,rule TEXT,seg_from TEXT,seg_to TEXT,host_src TEXT,host_dst TEXT,family INTEGER," \
	"proto INTEGER,src BLOB,src_len INTEGER,dst BLOB,dst_len INTEGER,dport INTEGER,generation INTEGER"
#define NCOLUMNS 22

enum stmt { ST_PUT, ST_OPEN, ST_ADD, ST_READ, ST_RULE, ST_COUNT };

static const char *const texts[ST_COUNT] = {
	[ST_PUT] = "INSERT INTO rows(" COLUMNS ",hash) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[ST_OPEN] = "INSERT OR REPLACE INTO open(" COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[ST_ADD] = "INSERT INTO totals VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT(rule) DO UPDATE SET "
		   "connections=connections+?2,packets_out=packets_out+?3,packets_back=packets_back+?4,bytes_out=bytes_out+?5,"
		   "bytes_back=bytes_back+?6,first=min(first,?7),last=max(last,?8)",
	[ST_READ] = "SELECT " COLUMNS ",hash FROM rows WHERE seq<?1 ORDER BY seq DESC LIMIT ?2",
	[ST_RULE] = "SELECT rule,connections,packets_out,packets_back,bytes_out,bytes_back,first,last FROM totals WHERE rule>?1 "
		    "ORDER BY rule LIMIT 1",
};

struct admissions {
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	char path[512];
	uint64_t next, next_before;
	uint8_t head[CHAIN_HASH], head_before[CHAIN_HASH];
	int error;
};

static void fail(struct admissions *a, int rc)
{
	if (a->error == SQLITE_OK && rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
		a->error = rc;
}

static void run(struct admissions *a, const char *sql)
{
	if (a->error == SQLITE_OK)
		fail(a, sqlite3_exec(a->db, sql, NULL, NULL, NULL));
}

static struct chain_column integer(uint64_t i)
{
	return (struct chain_column){.type = CHAIN_INT, .i = (int64_t)i};
}

static struct chain_column text(const char *s)
{
	return (struct chain_column){CHAIN_TEXT, 0, s, strlen(s)};
}

static struct chain_column blob(const void *p, size_t n)
{
	return (struct chain_column){CHAIN_BLOB, 0, p, n};
}

static void columns_of(const struct msg_admission_row *r, struct chain_column c[NCOLUMNS])
{
	const size_t len = r->family == 4 ? 4 : r->family == 6 ? 16 : 0;
	const struct chain_column columns[NCOLUMNS] = {integer(r->sequence), integer((uint64_t)r->first_ns),
		integer((uint64_t)r->last_ns), integer(r->connections), integer(r->lost), integer(r->packets_out),
		integer(r->packets_back), integer(r->bytes_out), integer(r->bytes_back), text(r->rule), text(r->from),
		text(r->to), text(r->host_src), text(r->host_dst), integer(r->family), integer(r->proto), blob(r->src, len),
		integer(r->src_len), blob(r->dst, len), integer(r->dst_len), integer(r->dport), integer(r->generation)};

	memcpy(c, columns, sizeof(columns));
}

static void run_row(struct admissions *a, enum stmt which, const struct chain_column *c, unsigned n)
{
	if (a->error != SQLITE_OK)
		return;
	fail(a, row_bind(a->st[which], c, n));
	if (a->error == SQLITE_OK)
		fail(a, sqlite3_step(a->st[which]));
	fail(a, sqlite3_reset(a->st[which]));
}

/* -- Opening ------------------------------------------------------------------------------------------------- */

static void configure(struct admissions *a, uint64_t space)
{
	char sql[300];

	sqlite3_db_config(a->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA max_page_count=%llu",
		PAGE, (unsigned long long)(space / PAGE));
	run(a, sql);
	run(a, "CREATE TABLE IF NOT EXISTS rows(seq INTEGER PRIMARY KEY," TYPES ",hash BLOB);"
	       "CREATE TABLE IF NOT EXISTS open(seq INTEGER PRIMARY KEY," TYPES ");"
	       "CREATE TABLE IF NOT EXISTS totals(rule TEXT PRIMARY KEY,connections INTEGER,packets_out INTEGER,"
	       "packets_back INTEGER,bytes_out INTEGER,bytes_back INTEGER,first INTEGER,last INTEGER) WITHOUT ROWID;"
	       "CREATE TABLE IF NOT EXISTS anchor(one INTEGER PRIMARY KEY,upto INTEGER,hash BLOB)");
}

/* The newest row of a table, as number and hash. */
static void take_newest(struct admissions *a, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int rc = a->error == SQLITE_OK ? sqlite3_prepare_v2(a->db, sql, -1, &st, NULL) : SQLITE_DONE;

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(st, 1) != CHAIN_HASH) {
			rc = SQLITE_CORRUPT;
		} else {
			a->next = (uint64_t)sqlite3_column_int64(st, 0) + 1;
			memcpy(a->head, sqlite3_column_blob(st, 1), CHAIN_HASH);
		}
	}
	sqlite3_finalize(st);
	fail(a, rc);
}

static void put_columns(struct admissions *a, struct chain_column c[NCOLUMNS + 1])
{
	uint8_t hash[CHAIN_HASH];

	if (a->error != SQLITE_OK)
		return;
	c[0] = integer(a->next);
	chain_hash(a->head, KIND, c, NCOLUMNS, hash);
	c[NCOLUMNS] = blob(hash, CHAIN_HASH);
	run_row(a, ST_PUT, c, NCOLUMNS + 1);
	memcpy(a->head, hash, CHAIN_HASH);
	a->next++;
}

/* What the process before left counting has ended. */
static void close_left_open(struct admissions *a)
{
	struct chain_column c[NCOLUMNS + 1];
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(a->db, "SELECT " COLUMNS " FROM open ORDER BY seq", -1, &st, NULL);

	admissions_begin(a);
	while (rc == SQLITE_OK && a->error == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		row_columns(st, c, NCOLUMNS);
		put_columns(a, c);
	}
	sqlite3_finalize(st);
	fail(a, rc);
	run(a, "DELETE FROM open");
	if (!admissions_commit(a))
		a->error = a->error == SQLITE_OK ? SQLITE_IOERR : a->error;
}

static bool begin(struct admissions *a, uint64_t space)
{
	a->error = SQLITE_OK;
	memset(a->head, 0, sizeof(a->head));
	fail(a, sqlite3_open_v2(a->path, &a->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_NOFOLLOW, NULL));
	if (a->error == SQLITE_OK)
		configure(a, space);
	a->next = 1;
	take_newest(a, "SELECT upto,hash FROM anchor");
	take_newest(a, "SELECT seq,hash FROM rows ORDER BY seq DESC LIMIT 1");
	for (unsigned i = 0; i < ST_COUNT && a->error == SQLITE_OK; i++)
		fail(a, sqlite3_prepare_v3(a->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &a->st[i], NULL));
	if (a->error == SQLITE_OK)
		close_left_open(a);
	return a->error == SQLITE_OK;
}

static void close_db(struct admissions *a)
{
	for (unsigned i = 0; i < ST_COUNT; i++) {
		sqlite3_finalize(a->st[i]);
		a->st[i] = NULL;
	}
	sqlite3_close(a->db);
	a->db = NULL;
}

struct admissions *admissions_open(const char *dir, uint64_t space, char *note, size_t note_size)
{
	struct admissions *a = calloc(1, sizeof(*a));

	note[0] = '\0';
	if (a == NULL)
		return NULL;
	snprintf(a->path, sizeof(a->path), "%s/admissions.db", dir);
	bool good = begin(a, space);
	if (!good && sidefile_damaged(a->error)) {
		close_db(a);
		good = sidefile_set_aside(a->path, "the record of what passed", note, note_size) && begin(a, space);
	}
	if (good)
		return a;
	admissions_close(a);
	return NULL;
}

void admissions_close(struct admissions *a)
{
	if (a == NULL)
		return;
	close_db(a);
	free(a);
}

/* -- Writing ------------------------------------------------------------------------------------------------- */

void admissions_begin(struct admissions *a)
{
	a->error = SQLITE_OK;
	a->next_before = a->next;
	memcpy(a->head_before, a->head, CHAIN_HASH);
	run(a, "BEGIN IMMEDIATE");
}

void admissions_put_open(struct admissions *a, uint32_t place, const struct msg_admission_row *row)
{
	struct chain_column c[NCOLUMNS];

	columns_of(row, c);
	c[0] = integer(place);
	run_row(a, ST_OPEN, c, NCOLUMNS);
}

void admissions_clear_open(struct admissions *a)
{
	run(a, "DELETE FROM open");
}

void admissions_put(struct admissions *a, const struct msg_admission_row *row)
{
	struct chain_column c[NCOLUMNS + 1];

	columns_of(row, c);
	put_columns(a, c);
}

void admissions_add(struct admissions *a, const struct msg_admission_row *row)
{
	const struct chain_column c[8] = {text(row->rule), integer(row->connections), integer(row->packets_out),
		integer(row->packets_back), integer(row->bytes_out), integer(row->bytes_back),
		integer((uint64_t)(row->first_ns / 1000000000)), integer((uint64_t)(row->last_ns / 1000000000))};

	run_row(a, ST_ADD, c, 8);
}

/* The oldest rows go; where the chain goes on from is kept. */
static void make_room(struct admissions *a)
{
	char sql[512];

	a->error = SQLITE_OK;
	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; INSERT OR REPLACE INTO anchor SELECT 1,seq,hash FROM rows ORDER BY seq LIMIT 1 "
		"OFFSET %d; DELETE FROM rows WHERE seq<=(SELECT upto FROM anchor); COMMIT", REMOVED_AT_ONCE - 1);
	run(a, sql);
	if (sqlite3_get_autocommit(a->db) == 0)
		sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
}

bool admissions_commit(struct admissions *a)
{
	run(a, "COMMIT");
	if (a->error == SQLITE_OK)
		return true;
	int error = a->error;
	if (sqlite3_get_autocommit(a->db) == 0)
		sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
	a->next = a->next_before;
	memcpy(a->head, a->head_before, CHAIN_HASH);
	if ((error & 0xff) == SQLITE_FULL)
		make_room(a);
	return false;
}

/* -- Reading ------------------------------------------------------------------------------------------------- */

static void read_bytes(sqlite3_stmt *st, int at, uint8_t *dst, size_t size)
{
	const void *p = sqlite3_column_blob(st, at);
	size_t n = (size_t)sqlite3_column_bytes(st, at);

	if (p != NULL)
		memcpy(dst, p, n < size ? n : size);
}

static void read_name(sqlite3_stmt *st, int at, char *dst)
{
	const char *s = (const char *)sqlite3_column_text(st, at);

	msg_text(dst, 64, s != NULL ? s : "");
}

static uint64_t number(sqlite3_stmt *st, int at)
{
	return (uint64_t)sqlite3_column_int64(st, at);
}

static uint8_t prefix(sqlite3_stmt *st, int at)
{
	uint64_t len = number(st, at);

	return len <= 128 ? (uint8_t)len : 128;
}

static void read_row(sqlite3_stmt *st, struct msg_admission_row *r)
{
	*r = (struct msg_admission_row){.sequence = number(st, 0), .first_ns = (int64_t)number(st, 1),
		.last_ns = (int64_t)number(st, 2), .connections = number(st, 3), .lost = number(st, 4),
		.packets_out = number(st, 5), .packets_back = number(st, 6), .bytes_out = number(st, 7),
		.bytes_back = number(st, 8), .family = (uint8_t)number(st, 14), .proto = (uint8_t)number(st, 15),
		.src_len = prefix(st, 17), .dst_len = prefix(st, 19), .dport = (uint16_t)number(st, 20),
		.generation = (uint32_t)number(st, 21)};
	read_name(st, 9, r->rule);
	read_name(st, 10, r->from);
	read_name(st, 11, r->to);
	read_name(st, 12, r->host_src);
	read_name(st, 13, r->host_dst);
	read_bytes(st, 16, r->src, sizeof(r->src));
	read_bytes(st, 18, r->dst, sizeof(r->dst));
	read_bytes(st, 22, r->hash, sizeof(r->hash));
}

int admissions_read(struct admissions *a, uint64_t before, unsigned n, struct msg_admission_row *ret)
{
	sqlite3_stmt *st = a->st[ST_READ];
	int rc, rows = 0;

	sqlite3_bind_int64(st, 1, before == 0 ? INT64_MAX : (int64_t)before);
	sqlite3_bind_int64(st, 2, n);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		read_row(st, &ret[rows++]);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? rows : -EIO;
}

int admissions_rule(struct admissions *a, const char *after, struct msg_rule_row *ret)
{
	sqlite3_stmt *st = a->st[ST_RULE];

	sqlite3_bind_text(st, 1, after, -1, SQLITE_STATIC);
	int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*ret = (struct msg_rule_row){.connections = number(st, 1), .packets_out = number(st, 2),
			.packets_back = number(st, 3), .bytes_out = number(st, 4), .bytes_back = number(st, 5),
			.first = (int64_t)number(st, 6), .last = (int64_t)number(st, 7)};
		read_name(st, 0, ret->rule);
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -EIO;
}

/* Does the statement's row follow `prev`? prev becomes its own. */
static bool follows(sqlite3_stmt *st, uint8_t prev[CHAIN_HASH])
{
	struct chain_column c[NCOLUMNS];
	uint8_t hash[CHAIN_HASH];

	row_columns(st, c, NCOLUMNS);
	chain_hash(prev, KIND, c, NCOLUMNS, hash);
	if (sqlite3_column_bytes(st, NCOLUMNS) != CHAIN_HASH ||
		memcmp(hash, sqlite3_column_blob(st, NCOLUMNS), CHAIN_HASH) != 0)
		return false;
	memcpy(prev, hash, CHAIN_HASH);
	return true;
}

static uint64_t read_anchor(struct admissions *a, uint8_t hash[CHAIN_HASH])
{
	sqlite3_stmt *st = NULL;
	uint64_t upto = 0;

	memset(hash, 0, CHAIN_HASH);
	if (sqlite3_prepare_v2(a->db, "SELECT upto,hash FROM anchor", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		upto = number(st, 0);
		read_bytes(st, 1, hash, CHAIN_HASH);
	}
	sqlite3_finalize(st);
	return upto;
}

bool admissions_verify(struct admissions *a, uint64_t *ret_rows, uint64_t *ret_bad)
{
	sqlite3_stmt *st = NULL;
	uint8_t prev[CHAIN_HASH];
	uint64_t want = read_anchor(a, prev) + 1;

	*ret_rows = 0;
	*ret_bad = want;
	if (sqlite3_prepare_v2(a->db, "SELECT " COLUMNS ",hash FROM rows ORDER BY seq", -1, &st, NULL) != SQLITE_OK)
		return false;
	while (sqlite3_step(st) == SQLITE_ROW && number(st, 0) == want && follows(st, prev)) {
		(*ret_rows)++;
		want++;
	}
	sqlite3_finalize(st);
	*ret_bad = want;
	return want == a->next;
}
