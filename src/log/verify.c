/*
 * verify.c: checks the hash chain of the store (see chain.h, store.h).
 *
 * Rule: each row's hash = SHA-256(hash of the row before, kind, columns), and sequences have no gaps from the newest
 * anchor on. Before it only faults, commits, and what people did are kept: each fits the hash that it keeps of its
 * predecessor, and all of them together fit the anchor's digest.
 */
#include "store_private.h"

#include <stdio.h>
#include <string.h>

const char *store_union(char *sql, size_t size, const char *columns, const char *op, bool kept_only)
{
	size_t at = 0;

	sql[0] = '\0';
	for (unsigned i = 0; i < ROW_TABLES && at < size; i++)
		if (!kept_only || row_kinds[i].has_prev)
			at += (size_t)snprintf(sql + at, size - at, "%sSELECT %s FROM %s WHERE seq%s?1",
				at > 0 ? " UNION ALL " : "", columns, row_kinds[i].table, op);
	return sql;
}

void store_hash_of(struct store *s, uint64_t sequence, uint8_t ret[CHAIN_HASH])
{
	sqlite3_stmt *stmt;
	char sql[512];

	if (s->error != SQLITE_OK)
		return;
	int rc = sqlite3_prepare_v2(s->db, store_union(sql, sizeof(sql), "hash", "=", false), -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, (int64_t)sequence);
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == CHAIN_HASH)
			memcpy(ret, sqlite3_column_blob(stmt, 0), CHAIN_HASH);
		else if (store_result_of(rc) == STORE_OK)
			rc = SQLITE_CORRUPT;
		sqlite3_finalize(stmt);
	}
	store_fail(s, rc);
}

/* A cursor over one table. */
struct cursor {
	const struct row_kind *kind;
	sqlite3_stmt *stmt;
	bool more;
	uint64_t sequence;
};

static void cursor_next(struct cursor *c)
{
	c->more = c->stmt != NULL && sqlite3_step(c->stmt) == SQLITE_ROW;
	c->sequence = c->more ? (uint64_t)sqlite3_column_int64(c->stmt, 0) : 0;
}

static void cursor_open(struct store *s, struct cursor *c, unsigned table, uint64_t lo, uint64_t hi)
{
	char sql[512];

	c->kind = &row_kinds[table];
	snprintf(sql, sizeof(sql), "SELECT %s%s FROM %s WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", c->kind->columns,
		c->kind->has_prev ? ",hash,prev" : ",hash", c->kind->table);
	c->stmt = NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &c->stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(c->stmt, 1, (int64_t)lo);
		sqlite3_bind_int64(c->stmt, 2, (int64_t)hi);
	}
	cursor_next(c);
}

/* The cursor with the lowest sequence, or NULL. */
static struct cursor *lowest(struct cursor *c)
{
	struct cursor *best = NULL;

	for (unsigned i = 0; i < ROW_TABLES; i++)
		if (c[i].more && (best == NULL || c[i].sequence < best->sequence))
			best = &c[i];
	return best;
}

/* Does the cursor's row follow `prev`? ret_hash gets its own hash. */
static bool row_holds(const struct cursor *c, const uint8_t prev[CHAIN_HASH], uint8_t ret_hash[CHAIN_HASH])
{
	struct chain_column columns[CHAIN_COLUMNS_MAX];
	uint8_t want[CHAIN_HASH];
	int at = (int)c->kind->n;

	row_columns(c->stmt, columns, c->kind->n);
	chain_hash(prev, c->kind->letter, columns, row_hashed((enum row_table)(c->kind - row_kinds), columns), want);
	if (sqlite3_column_bytes(c->stmt, at) != CHAIN_HASH)
		return false;
	memcpy(ret_hash, sqlite3_column_blob(c->stmt, at), CHAIN_HASH);
	return memcmp(want, ret_hash, CHAIN_HASH) == 0;
}

static void broken(struct store_verify *v, uint64_t sequence, const char *what)
{
	snprintf(v->error, sizeof(v->error), "row %llu: %s", (unsigned long long)sequence, what);
}

/* The rows kept from before the newest anchor. */
static void check_kept(struct store *s, struct store_verify *v)
{
	struct cursor c[ROW_TABLES], *at;

	for (unsigned i = 0; i < ROW_TABLES; i++)
		cursor_open(s, &c[i], i, 1, v->kept_upto);
	while ((at = lowest(c)) != NULL && v->error[0] == '\0') {
		int prev = (int)at->kind->n + 1;
		uint8_t hash[CHAIN_HASH];
		if (!at->kind->has_prev || sqlite3_column_bytes(at->stmt, prev) != CHAIN_HASH)
			broken(v, at->sequence, "is older than the place where old rows were removed");
		else if (!row_holds(at, sqlite3_column_blob(at->stmt, prev), hash))
			broken(v, at->sequence, "was changed");
		else
			chain_fold(v->kept, hash);
		v->checked++;
		cursor_next(at);
	}
	for (unsigned i = 0; i < ROW_TABLES; i++)
		sqlite3_finalize(c[i].stmt);
	if (v->error[0] == '\0' && memcmp(v->kept, v->kept_want, CHAIN_HASH) != 0)
		snprintf(v->error, sizeof(v->error), "what is kept from before row %llu was changed or removed",
			(unsigned long long)v->kept_upto);
}

bool store_verify_range(struct store *s, struct store_verify *v, unsigned n)
{
	struct cursor c[ROW_TABLES];
	uint64_t hi = v->next + n - 1 < v->end ? v->next + n - 1 : v->end;

	for (unsigned i = 0; i < ROW_TABLES; i++)
		cursor_open(s, &c[i], i, v->next, hi);
	for (; v->next <= hi && v->error[0] == '\0'; v->next++) {
		struct cursor *at = lowest(c);
		uint8_t hash[CHAIN_HASH] = {0};
		if (at != NULL && at->sequence < v->next)
			broken(v, at->sequence, "is there twice");
		else if (at == NULL || at->sequence != v->next)
			broken(v, v->next, "is missing");
		else if (!row_holds(at, v->hash, hash))
			broken(v, v->next, "was changed, or the row before it");
		if (v->error[0] != '\0')
			break;
		memcpy(v->hash, hash, CHAIN_HASH);
		v->checked++;
		cursor_next(at);
	}
	for (unsigned i = 0; i < ROW_TABLES; i++)
		sqlite3_finalize(c[i].stmt);
	return v->next <= v->end && v->error[0] == '\0';
}

static bool read_newest_anchor(struct store *s, struct anchor_row *ret)
{
	sqlite3_stmt *stmt = NULL;
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT %s FROM anchors ORDER BY seq DESC LIMIT 1", row_kinds[ROW_ANCHOR].columns);
	bool found = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
	if (found)
		row_anchor_read(stmt, ret);
	sqlite3_finalize(stmt);
	return found;
}

/* Begins at the newest anchor, the rows kept from before it first. */
static void start(struct store *s, struct store_verify *v, const struct anchor_row *a)
{
	*v = (struct store_verify){.started = true, .next = a->upto + 1, .kept_upto = a->upto};
	/* What is open is not in the chain yet. */
	v->end = s->first_open - 1;
	memcpy(v->hash, a->upto_hash, CHAIN_HASH);
	memcpy(v->kept_want, a->kept, CHAIN_HASH);
	check_kept(s, v);
}

bool store_verify_step(struct store *s, struct store_verify *v, unsigned n)
{
	struct anchor_row a;

	if (v->error[0] != '\0')
		return false;
	if (!read_newest_anchor(s, &a)) {
		snprintf(v->error, sizeof(v->error), "the store's beginning is missing");
		return false;
	}
	if (!v->started || v->kept_upto != a.upto)
		start(s, v, &a);
	if (v->error[0] != '\0')
		return false;
	return v->next <= v->end && store_verify_range(s, v, n);
}
