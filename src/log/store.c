/*
 * store.c: the life of the store, and its transactions (see store.h).
 *
 * Input: rows of our own; the file itself may be damaged, foreign, locked or on a full disk, and each of these is a
 * result of its own. Nothing here parses bytes from the network.
 * Failure: within a transaction the first error sticks and nothing after it is done; store_commit() rolls back,
 * restores the numbering, and says which error it was.
 * Reservation: the file's chunk size is its whole share, so SQLite keeps the file that long for good.
 */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const result_words[] = {"ok", "full", "busy", "corrupt", "io"};

const char *store_result_word(enum store_result r)
{
	return result_words[r];
}

enum store_result store_result_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return STORE_OK;
	case SQLITE_FULL:
		return STORE_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return STORE_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* no such table, column, constraint: not a store as we write it */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_SCHEMA:
	case SQLITE_FORMAT:
		return STORE_CORRUPT;
	default:
		return STORE_IO;
	}
}

void store_fail(struct store *s, int rc)
{
	if (s->error == SQLITE_OK && store_result_of(rc) != STORE_OK)
		s->error = rc;
}

void store_run(struct store *s, enum store_stmt which)
{
	if (s->error != SQLITE_OK)
		return;
	store_fail(s, sqlite3_step(s->st[which]));
	store_fail(s, sqlite3_reset(s->st[which]));
}

void store_run_row(struct store *s, enum store_stmt which, const struct chain_column *c, unsigned n)
{
	if (s->error != SQLITE_OK)
		return;
	store_fail(s, row_bind(s->st[which], c, n));
	store_run(s, which);
}

int64_t store_number(struct store *s, const char *sql, int64_t fallback)
{
	sqlite3_stmt *stmt;
	int64_t v = fallback;

	if (s->error != SQLITE_OK)
		return fallback;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
			v = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
	}
	store_fail(s, rc);
	return v;
}

static void exec(struct store *s, const char *sql)
{
	if (s->error == SQLITE_OK)
		store_fail(s, sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* -- opening ------------------------------------------------------------------------------------------------ */

static void create_table(struct store *s, unsigned i)
{
	char sql[2048];

	snprintf(sql, sizeof(sql), "CREATE TABLE %s(%s%s,hash BLOB)", row_kinds[i].table, row_kinds[i].types,
		row_kinds[i].has_prev ? ",prev BLOB" : "");
	exec(s, sql);
}

static void create_schema(struct store *s)
{
	char sql[2048];

	for (unsigned i = 0; i < ROW_TABLES; i++)
		create_table(s, i);
	snprintf(sql, sizeof(sql), "CREATE TABLE open(%s)", row_kinds[ROW_DROP].types);
	exec(s, sql);
	exec(s, "CREATE TABLE account(reason INTEGER PRIMARY KEY,stored INTEGER,loss INTEGER,kernel INTEGER);"
		"CREATE TABLE meta(key TEXT PRIMARY KEY,value) WITHOUT ROWID;"
		"CREATE TABLE span(n INTEGER PRIMARY KEY,first INTEGER,last INTEGER)");
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", STORE_SCHEMA_VERSION);
	exec(s, sql);
}

/* A store of version 1 knew nothing of what the inspector says: three columns, NULL in all its rows. */
static void add_inspection(struct store *s)
{
	exec(s, "ALTER TABLE drops ADD COLUMN why INTEGER; ALTER TABLE drops ADD COLUMN seen INTEGER;"
		"ALTER TABLE drops ADD COLUMN expected INTEGER; ALTER TABLE open ADD COLUMN why INTEGER;"
		"ALTER TABLE open ADD COLUMN seen INTEGER; ALTER TABLE open ADD COLUMN expected INTEGER;"
		"PRAGMA user_version=2");
}

/* One of version 2 knew no accounts, and none of the tables of what people do. */
static void add_people(struct store *s)
{
	exec(s, "ALTER TABLE commits ADD COLUMN uid INTEGER; ALTER TABLE commits ADD COLUMN account TEXT;");
	for (unsigned i = ROW_COMMAND; i <= ROW_RECORD; i++)
		create_table(s, i);
	exec(s, "PRAGMA user_version=3");
}

static void bring_up_to_date(struct store *s, int64_t version)
{
	exec(s, "BEGIN EXCLUSIVE");
	if (version == 1)
		add_inspection(s);
	add_people(s);
	exec(s, "COMMIT");
}

/* "INSERT INTO t(columns,extra) VALUES(?,…)" into sql. */
static const char *insert_text(char *sql, size_t size, const char *table, const char *columns, const char *extra,
	unsigned n)
{
	int at = snprintf(sql, size, "INSERT INTO %s(%s%s) VALUES(?", table, columns, extra);

	for (unsigned i = 1; i < n; i++)
		at += snprintf(sql + at, size - (size_t)at, ",?");
	snprintf(sql + at, size - (size_t)at, ")");
	return sql;
}

static void prepare(struct store *s, enum store_stmt which, const char *sql)
{
	if (s->error == SQLITE_OK)
		store_fail(s, sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->st[which], NULL));
}

static void prepare_all(struct store *s)
{
	static const enum store_stmt puts[ROW_TABLES] = {ST_DROP_PUT, ST_FAULT_PUT, ST_COMMIT_PUT, ST_ANCHOR_PUT,
		ST_COMMAND_PUT, ST_LOGIN_PUT, ST_RECORD_PUT};
	const struct row_kind *drop = &row_kinds[ROW_DROP];
	char sql[2048];

	prepare(s, ST_BEGIN, "BEGIN IMMEDIATE");
	prepare(s, ST_COMMIT, "COMMIT");
	prepare(s, ST_ROLLBACK, "ROLLBACK");
	prepare(s, ST_OPEN_PUT, insert_text(sql, sizeof(sql), "open", drop->columns, "", drop->n));
	prepare(s, ST_OPEN_BUMP, "UPDATE open SET count=?2,last=?3,why=?4,seen=?5,expected=?6 WHERE seq=?1");
	snprintf(sql, sizeof(sql), "SELECT %s FROM open ORDER BY seq", drop->columns);
	prepare(s, ST_OPEN_ALL, sql);
	prepare(s, ST_OPEN_CLEAR, "DELETE FROM open");
	for (unsigned i = 0; i < ROW_TABLES; i++) {
		const struct row_kind *k = &row_kinds[i];
		prepare(s, puts[i], insert_text(sql, sizeof(sql), k->table, k->columns,
			k->has_prev ? ",hash,prev" : ",hash", k->n + 1 + k->has_prev));
	}
	prepare(s, ST_ACCOUNT_PUT, "INSERT OR REPLACE INTO account VALUES(?,?,?,?)");
	prepare(s, ST_META_PUT, "INSERT OR REPLACE INTO meta VALUES(?,?)");
	prepare(s, ST_SPAN_PUT, "INSERT INTO span VALUES(?1,?2,?3) ON CONFLICT(n) DO UPDATE SET "
		"first=min(first,?2),last=max(last,?3)");
}

static void configure(struct store *s)
{
	char sql[256];
	int chunk = s->space.pages * STORE_PAGE > 1u << 30 ? 1 << 30 : (int)(s->space.pages * STORE_PAGE);

	sqlite3_busy_timeout(s->db, 0);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
		"PRAGMA temp_store=MEMORY; PRAGMA locking_mode=EXCLUSIVE", STORE_PAGE);
	exec(s, sql);
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
	snprintf(sql, sizeof(sql), "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=%d;"
		"PRAGMA max_page_count=%llu; PRAGMA cache_size=-8192", s->space.checkpoint_pages,
		(unsigned long long)s->space.pages);
	exec(s, sql);
}

/* The newest row of all tables: its number, and its hash as head. */
static void find_head(struct store *s)
{
	sqlite3_stmt *stmt;
	uint64_t best = 0;

	for (unsigned i = 0; i < ROW_TABLES && s->error == SQLITE_OK; i++) {
		char sql[128];
		snprintf(sql, sizeof(sql), "SELECT seq,hash FROM %s ORDER BY seq DESC LIMIT 1", row_kinds[i].table);
		int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
		if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			uint64_t seq = (uint64_t)sqlite3_column_int64(stmt, 0);
			const void *hash = sqlite3_column_blob(stmt, 1);
			if (hash == NULL || sqlite3_column_bytes(stmt, 1) != CHAIN_HASH)
				rc = SQLITE_CORRUPT;
			else if (seq > best) {
				best = seq;
				memcpy(s->head, hash, CHAIN_HASH);
			}
		}
		sqlite3_finalize(rc == SQLITE_ERROR ? NULL : stmt);
		store_fail(s, rc);
	}
	s->fresh = best == 0;
	s->next = best + 1;
	s->first_open = s->next;
}

static void load_account(struct store *s)
{
	sqlite3_stmt *stmt;

	s->account = (struct account){0};
	s->account.epoch = (uint64_t)store_number(s, "SELECT value FROM meta WHERE key='epoch'", 0);
	s->account.limited = (uint64_t)store_number(s, "SELECT value FROM meta WHERE key='limited'", 0);
	if (s->error != SQLITE_OK)
		return;
	int rc = sqlite3_prepare_v2(s->db, "SELECT reason,stored,loss,kernel FROM account", -1, &stmt, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW)
			break;
		int64_t reason = sqlite3_column_int64(stmt, 0);
		if (reason < 0 || reason >= REASON_END)
			continue;
		s->account.stored[reason] = (uint64_t)sqlite3_column_int64(stmt, 1);
		s->account.loss[reason] = (uint64_t)sqlite3_column_int64(stmt, 2);
		s->account.kernel[reason] = (uint64_t)sqlite3_column_int64(stmt, 3);
		s->account_known = true;
	}
	sqlite3_finalize(stmt);
	store_fail(s, rc);
}

/* What the process before left counting has ended: its rows are closed. */
static enum store_result close_left_open(struct store *s)
{
	int64_t newest = store_number(s, "SELECT max(seq) FROM open", 0);

	if (newest == 0 || s->error != SQLITE_OK)
		return store_result_of(s->error);
	store_begin(s);
	store_close_open(s);
	return store_commit(s);
}

/* The newest rows are checked at each start; the whole chain when somebody asks. */
static void check_tail(struct store *s, char *note, size_t size)
{
	struct store_verify v = {.end = store_newest(s)};
	int64_t upto = store_number(s, "SELECT upto FROM anchors ORDER BY seq DESC LIMIT 1", 0);

	v.next = v.end > 64 ? v.end - 64 : 1;
	if (v.next <= (uint64_t)upto + 1)
		v.next = (uint64_t)upto + 2;
	if (v.next > v.end)
		return;
	store_hash_of(s, v.next - 1, v.hash);
	store_verify_range(s, &v, 65);
	/* A damaged place is told, not fatal: what is there stays readable, and the chain goes on behind it. */
	s->error = SQLITE_OK;
	if (v.error[0] != '\0')
		snprintf(note, size, "chain-broken: %s", v.error);
}

static enum store_result open_file(struct store *s)
{
	char path[STORE_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/" STORE_FILE, s->dir);
	int rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL);
	store_fail(s, rc);
	if (s->error == SQLITE_OK)
		configure(s);
	int64_t version = store_number(s, "PRAGMA user_version", 0);
	if (version == 0 && store_number(s, "SELECT count(*) FROM sqlite_schema", 0) == 0) {
		exec(s, "BEGIN EXCLUSIVE");
		create_schema(s);
		exec(s, "COMMIT");
	} else if (s->error == SQLITE_OK && (version == 1 || version == 2)) {
		bring_up_to_date(s, version);
	} else if (s->error == SQLITE_OK && version != STORE_SCHEMA_VERSION) {
		return STORE_CORRUPT;
	}
	/* For who asks of one address among millions of rows; made once for a store that has none yet. */
	exec(s, "CREATE INDEX IF NOT EXISTS drops_of_src ON drops(src); CREATE INDEX IF NOT EXISTS drops_of_dst ON drops(dst)");
	prepare_all(s);
	find_head(s);
	load_account(s);
	return store_result_of(s->error);
}

enum store_result store_open(const struct store_options *o, struct store **ret, char *note, size_t note_size)
{
	struct store *s = calloc(1, sizeof(*s));

	note[0] = '\0';
	if (s == NULL || strlen(o->dir) >= sizeof(s->dir)) {
		free(s);
		return STORE_IO;
	}
	strcpy(s->dir, o->dir);
	enum store_result r = space_init(&s->space, o) != 0 ? STORE_IO : STORE_OK;
	if (r == STORE_OK) {
		space_trim_ballast(&s->space, s->dir);
		r = open_file(s);
	}
	if (r == STORE_OK)
		r = close_left_open(s);
	if (r != STORE_OK) {
		store_free(s);
		return r;
	}
	if (!s->fresh)
		check_tail(s, note, note_size);
	if (!space_reserve(s) && note[0] == '\0')
		snprintf(note, note_size, "space-not-reserved");
	*ret = s;
	return STORE_OK;
}

void store_free(struct store *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	free(s);
}

/* -- writing ------------------------------------------------------------------------------------------------ */

uint64_t store_next(const struct store *s)
{
	return s->next;
}

uint64_t store_newest(const struct store *s)
{
	return s->next - 1;
}

uint64_t store_first_open(const struct store *s)
{
	return s->first_open;
}

void store_head(const struct store *s, uint8_t ret[CHAIN_HASH])
{
	memcpy(ret, s->head, CHAIN_HASH);
}

/* Gives the row its place in the chain and puts it in its table. */
static void put_chained(struct store *s, enum row_table table, enum store_stmt which, struct chain_column *c,
	unsigned n)
{
	uint8_t hash[CHAIN_HASH];

	if (s->error != SQLITE_OK)
		return;
	chain_hash(s->head, row_kinds[table].letter, c, row_hashed(table, c), hash);
	c[n] = (struct chain_column){CHAIN_BLOB, 0, hash, CHAIN_HASH};
	c[n + 1] = (struct chain_column){CHAIN_BLOB, 0, s->head, CHAIN_HASH};
	store_run_row(s, which, c, n + 1 + row_kinds[table].has_prev);
	memcpy(s->head, hash, CHAIN_HASH);
}

static uint64_t take_number(struct store *s)
{
	if (s->first_open == s->next)
		s->first_open++;
	return s->next++;
}

void store_put_anchor(struct store *s, struct anchor_row *row)
{
	struct chain_column c[CHAIN_COLUMNS_MAX];

	row->sequence = take_number(s);
	put_chained(s, ROW_ANCHOR, ST_ANCHOR_PUT, c, row_anchor_columns(row, c));
}

void store_put_fault(struct store *s, struct msg_fault_row *row)
{
	struct chain_column c[CHAIN_COLUMNS_MAX];

	row->sequence = take_number(s);
	put_chained(s, ROW_FAULT, ST_FAULT_PUT, c, row_fault_columns(row, c));
}

void store_put_commit(struct store *s, struct msg_commit_row *row)
{
	struct chain_column c[CHAIN_COLUMNS_MAX];

	row->sequence = take_number(s);
	put_chained(s, ROW_COMMIT, ST_COMMIT_PUT, c, row_commit_columns(row, c));
}

void store_put_deed(struct store *s, struct store_deed *deed)
{
	struct chain_column c[CHAIN_COLUMNS_MAX];

	switch (deed->table) {
	case ROW_COMMAND:
		deed->u.command.sequence = take_number(s);
		put_chained(s, ROW_COMMAND, ST_COMMAND_PUT, c, row_command_columns(&deed->u.command, c));
		break;
	case ROW_LOGIN:
		deed->u.login.sequence = take_number(s);
		put_chained(s, ROW_LOGIN, ST_LOGIN_PUT, c, row_login_columns(&deed->u.login, c));
		break;
	default:
		deed->u.record.sequence = take_number(s);
		put_chained(s, ROW_RECORD, ST_RECORD_PUT, c, row_record_columns(&deed->u.record, c));
	}
}

void store_start_at(struct store *s, uint64_t sequence, const char *note)
{
	struct anchor_row a = {0};

	if (!s->fresh)
		return;
	if (sequence > s->next)
		s->next = s->first_open = sequence;
	a.upto = s->next - 1;
	snprintf(a.note, sizeof(a.note), "%s", note);
	store_put_anchor(s, &a);
	s->fresh = false;
}

void store_begin(struct store *s)
{
	s->error = SQLITE_OK;
	s->next_before = s->next;
	s->first_open_before = s->first_open;
	memcpy(s->head_before, s->head, CHAIN_HASH);
	store_run(s, ST_BEGIN);
}

void store_put_open(struct store *s, const struct msg_drop_row *row, bool fresh)
{
	struct chain_column c[CHAIN_COLUMNS_MAX];
	unsigned n = row_drop_columns(row, c);

	if (fresh) {
		store_run_row(s, ST_OPEN_PUT, c, n);
		if (row->sequence >= s->next)
			s->next = row->sequence + 1;
		return;
	}
	const struct chain_column bump[6] = {c[0], c[3], c[2], c[n - 3], c[n - 2], c[n - 1]};
	store_run_row(s, ST_OPEN_BUMP, bump, 6);
	/* A row that we counted in is gone: somebody else wrote here. */
	if (s->error == SQLITE_OK && sqlite3_changes(s->db) != 1)
		store_fail(s, SQLITE_CORRUPT);
}

struct span_sum {
	int64_t n, first, last;
	bool any;
};

static void flush_span(struct store *s, struct span_sum *sum)
{
	const struct chain_column c[3] = {{CHAIN_INT, sum->n, NULL, 0}, {CHAIN_INT, sum->first, NULL, 0},
		{CHAIN_INT, sum->last, NULL, 0}};

	if (sum->any)
		store_run_row(s, ST_SPAN_PUT, c, 3);
	sum->any = false;
}

static void add_span(struct store *s, struct span_sum *sum, const struct chain_column *c)
{
	int64_t n = c[0].i / STORE_SPAN, lo = c[1].i < c[2].i ? c[1].i : c[2].i, hi = c[1].i < c[2].i ? c[2].i : c[1].i;

	if (sum->any && sum->n != n)
		flush_span(s, sum);
	if (!sum->any)
		*sum = (struct span_sum){n, lo, hi, true};
	sum->first = lo < sum->first ? lo : sum->first;
	sum->last = hi > sum->last ? hi : sum->last;
}

void store_close_open(struct store *s)
{
	struct chain_column c[CHAIN_COLUMNS_MAX];
	sqlite3_stmt *all = s->st[ST_OPEN_ALL];
	const unsigned n = row_kinds[ROW_DROP].n;
	struct span_sum sum = {0};
	int rc = SQLITE_DONE;

	while (s->error == SQLITE_OK && (rc = sqlite3_step(all)) == SQLITE_ROW) {
		row_columns(all, c, n);
		if (c[0].i >= (int64_t)s->next)
			s->next = (uint64_t)c[0].i + 1;
		add_span(s, &sum, c);
		put_chained(s, ROW_DROP, ST_DROP_PUT, c, n);
	}
	store_fail(s, rc);
	sqlite3_reset(all);
	flush_span(s, &sum);
	store_run(s, ST_OPEN_CLEAR);
	s->first_open = s->next;
}

static void put_meta(struct store *s, const char *key, struct chain_column value)
{
	const struct chain_column c[2] = {{CHAIN_TEXT, 0, key, strlen(key)}, value};

	store_run_row(s, ST_META_PUT, c, 2);
}

void store_put_account(struct store *s, const struct account *a, const char *boot_id)
{
	bool all = !s->account_known || s->account.epoch != a->epoch;

	if (all) {
		put_meta(s, "epoch", (struct chain_column){CHAIN_INT, (int64_t)a->epoch, NULL, 0});
		put_meta(s, "boot", (struct chain_column){CHAIN_TEXT, 0, boot_id, strlen(boot_id)});
	}
	if (all || s->account.limited != a->limited)
		put_meta(s, "limited", (struct chain_column){CHAIN_INT, (int64_t)a->limited, NULL, 0});
	for (unsigned r = 0; r < REASON_END; r++) {
		const struct account *old = &s->account;
		if (!all && old->stored[r] == a->stored[r] && old->loss[r] == a->loss[r] &&
		    old->kernel[r] == a->kernel[r])
			continue;
		const struct chain_column c[4] = {{CHAIN_INT, r, NULL, 0}, {CHAIN_INT, (int64_t)a->stored[r], NULL, 0},
			{CHAIN_INT, (int64_t)a->loss[r], NULL, 0}, {CHAIN_INT, (int64_t)a->kernel[r], NULL, 0}};
		store_run_row(s, ST_ACCOUNT_PUT, c, 4);
	}
	s->account = *a;
	s->account_known = true;
}

enum store_result store_commit(struct store *s)
{
	store_run(s, ST_COMMIT);
	if (s->error == SQLITE_OK)
		return STORE_OK;
	int error = s->error;
	s->error = SQLITE_OK;
	if (sqlite3_get_autocommit(s->db) == 0)
		store_run(s, ST_ROLLBACK);
	s->error = SQLITE_OK;
	s->next = s->next_before;
	s->first_open = s->first_open_before;
	memcpy(s->head, s->head_before, CHAIN_HASH);
	s->account_known = false; /* write all of it next time */
	return store_result_of(error);
}
