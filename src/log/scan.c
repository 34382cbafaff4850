/*
 * scan.c: reads rows of the store by ranges of their sequence (see store.h).
 *
 * A caller asks for bounded ranges, so that no question holds up the writing of records. Errors do not stick: a
 * store that cannot be read is the next transaction's to find.
 */
#include "store_private.h"

#include <stdio.h>
#include <string.h>

uint64_t store_oldest(const struct store *s)
{
	uint64_t best = 0;

	for (unsigned i = 0; i < ROW_TABLES; i++) {
		char sql[96];
		sqlite3_stmt *stmt = NULL;
		snprintf(sql, sizeof(sql), "SELECT min(seq) FROM %s", row_kinds[i].table);
		if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
			uint64_t seq = (uint64_t)sqlite3_column_int64(stmt, 0);
			if (seq != 0 && (best == 0 || seq < best))
				best = seq;
		}
		sqlite3_finalize(stmt);
	}
	return best;
}

static sqlite3_stmt *range_stmt(struct store *s, const char *table, const char *columns, bool backwards)
{
	char sql[512];
	sqlite3_stmt *stmt = NULL;

	snprintf(sql, sizeof(sql), "SELECT %s FROM %s WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq %s", columns, table,
		backwards ? "DESC" : "ASC");
	return sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK ? stmt : NULL;
}

/* What to do with each row of a range. */
struct scan {
	union {
		store_drop_fn *drop;
		store_fault_fn *fault;
		store_commit_fn *commit;
		store_deed_fn *deed;
	} fn;
	void *arg;
	enum row_table table;
	bool stopped;
};

static bool give_drop(const struct scan *scan, sqlite3_stmt *stmt)
{
	struct msg_drop_row row;

	row_drop_read(stmt, &row, sqlite3_column_count(stmt) > (int)row_kinds[ROW_DROP].n);
	return scan->fn.drop(scan->arg, &row);
}

static bool give_fault(const struct scan *scan, sqlite3_stmt *stmt)
{
	struct msg_fault_row row;

	row_fault_read(stmt, &row);
	return scan->fn.fault(scan->arg, &row);
}

static bool give_commit(const struct scan *scan, sqlite3_stmt *stmt)
{
	struct msg_commit_row row;

	row_commit_read(stmt, &row);
	return scan->fn.commit(scan->arg, &row);
}

static bool give_deed(const struct scan *scan, sqlite3_stmt *stmt)
{
	struct store_deed deed = {.table = scan->table};

	if (scan->table == ROW_COMMAND)
		row_command_read(stmt, &deed.u.command);
	else if (scan->table == ROW_LOGIN)
		row_login_read(stmt, &deed.u.login);
	else
		row_record_read(stmt, &deed.u.record);
	return scan->fn.deed(scan->arg, &deed);
}

typedef bool give_fn(const struct scan *scan, sqlite3_stmt *stmt);

static enum store_result run_range(sqlite3_stmt *stmt, uint64_t lo, uint64_t hi, give_fn *give, struct scan *scan)
{
	int rc;

	if (stmt == NULL)
		return STORE_CORRUPT;
	sqlite3_bind_int64(stmt, 1, (int64_t)lo);
	sqlite3_bind_int64(stmt, 2, (int64_t)hi);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (!give(scan, stmt)) {
			scan->stopped = true;
			break;
		}
	}
	sqlite3_finalize(stmt);
	return store_result_of(rc);
}

enum store_result store_drops(struct store *s, uint64_t lo, uint64_t hi, bool backwards, store_drop_fn *fn, void *arg)
{
	struct scan scan = {.fn.drop = fn, .arg = arg};
	enum store_result r = STORE_OK;
	char columns[400];

	snprintf(columns, sizeof(columns), "%s,hash", row_kinds[ROW_DROP].columns);
	/* What is open has the highest numbers. */
	for (int i = 0; i < 2 && r == STORE_OK && !scan.stopped; i++) {
		if ((i == 0) == backwards)
			r = run_range(range_stmt(s, "open", row_kinds[ROW_DROP].columns, backwards), lo, hi, give_drop, &scan);
		else
			r = run_range(range_stmt(s, "drops", columns, backwards), lo, hi, give_drop, &scan);
	}
	return r;
}

enum store_result store_faults(struct store *s, uint64_t lo, uint64_t hi, bool backwards, store_fault_fn *fn, void *arg)
{
	struct scan scan = {.fn.fault = fn, .arg = arg};

	return run_range(range_stmt(s, "faults", row_kinds[ROW_FAULT].columns, backwards), lo, hi, give_fault, &scan);
}

enum store_result store_commits(struct store *s, uint64_t lo, uint64_t hi, bool backwards, store_commit_fn *fn,
	void *arg)
{
	struct scan scan = {.fn.commit = fn, .arg = arg};

	return run_range(range_stmt(s, "commits", row_kinds[ROW_COMMIT].columns, backwards), lo, hi, give_commit, &scan);
}

enum store_result store_deeds(struct store *s, enum row_table table, uint64_t lo, uint64_t hi, bool backwards,
	store_deed_fn *fn, void *arg)
{
	struct scan scan = {.fn.deed = fn, .arg = arg, .table = table};

	return run_range(range_stmt(s, row_kinds[table].table, row_kinds[table].columns, backwards), lo, hi, give_deed, &scan);
}

static uint32_t record_number(struct store *s, const char *sql, uint32_t number)
{
	sqlite3_stmt *stmt = NULL;
	uint32_t v = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		if (sqlite3_bind_parameter_count(stmt) > 0)
			sqlite3_bind_int64(stmt, 1, number);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			v = (uint32_t)sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return v;
}

uint32_t store_record_newest(struct store *s)
{
	return record_number(s, "SELECT max(number) FROM records", 0);
}

uint32_t store_record_kind(struct store *s, uint32_t number)
{
	return record_number(s, "SELECT kind FROM records WHERE number=?1 LIMIT 1", number);
}

bool store_span_within(struct store *s, uint64_t n, int64_t since_ns, int64_t until_ns)
{
	sqlite3_stmt *stmt = NULL;
	bool within = false;

	/* Rows that are still open are in no span yet. */
	if ((n + 1) * STORE_SPAN > s->first_open)
		return true;
	static const char sql[] = "SELECT first<=?3 AND last>=?2 FROM span WHERE n=?1";
	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return true;
	sqlite3_bind_int64(stmt, 1, (int64_t)n);
	sqlite3_bind_int64(stmt, 2, since_ns);
	sqlite3_bind_int64(stmt, 3, until_ns);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		within = sqlite3_column_int(stmt, 0) != 0;
	sqlite3_finalize(stmt);
	return within;
}

/* The newest row up to hi with this address in its index, at one width. */
static uint64_t newest_of(sqlite3_stmt *stmt, const struct addr *a, unsigned bits, uint64_t hi)
{
	struct addr_range net = prefix_range(a, (uint8_t)bits);
	uint64_t found = 0;

	sqlite3_bind_blob(stmt, 1, net.lo.b, (int)addr_len(a->family), SQLITE_TRANSIENT);
	sqlite3_bind_int64(stmt, 2, (int64_t)hi);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		found = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return found;
}

uint64_t store_drop_of(struct store *s, bool source, const struct addr *a, uint64_t hi)
{
	const unsigned widths[] = {(unsigned)addr_len(a->family) * 8, a->family == 4 ? 24 : 64, 0};
	sqlite3_stmt *stmt = NULL;
	uint64_t best = 0;

	if (hi >= s->first_open)
		return hi;
	if (sqlite3_prepare_v2(s->db,
		    source ? "SELECT max(seq) FROM drops WHERE src=?1 AND seq<=?2"
			   : "SELECT max(seq) FROM drops WHERE dst=?1 AND seq<=?2",
		    -1, &stmt, NULL) != SQLITE_OK)
		return hi;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t found = newest_of(stmt, a, widths[i], hi);
		best = found > best ? found : best;
	}
	sqlite3_finalize(stmt);
	return best;
}

bool store_get_account(struct store *s, struct account *ret, char *boot_id)
{
	sqlite3_stmt *stmt = NULL;

	if (!s->account_known)
		return false;
	*ret = s->account;
	boot_id[0] = '\0';
	if (sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key='boot'", -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0) != NULL)
		msg_text(boot_id, 40, (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return true;
}
