/*
 * space.c: the store's share of the disk (see store.h): how much, reserved how, and what goes when it is used up.
 *
 * The share is split: write-ahead log, ballast, and the database file, which is allocated whole. The ballast is
 * given up when the disk is full all the same (others wrote there), so that pruning and the fault record succeed.
 */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
#define SHARED_DISK_SPACE (256 * MIB)
#define SPACE_MIN (256 * (uint64_t)1024)
#define WAL_MAX (32 * MIB)
#define BALLAST_MAX (8 * MIB)
/* Pruning begins at this share of the pages and stops at the lower one. */
#define PRUNE_AT_PERCENT 90
#define PRUNE_TO_PERCENT 85
/* What a freeze holds goes only from here on: new records need the rest. */
#define PRUNE_HELD_PERCENT 97
/* Faults, commits and what people did outlive the drops around them; of each kind the newest so many. */
#define KEPT_ROWS "5000"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void path_of(char *path, size_t size, const char *dir, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
}

static uint64_t file_size(const char *dir, const char *name)
{
	char path[STORE_PATH_MAX + 32];
	struct stat st;

	path_of(path, sizeof(path), dir, name);
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* The directory is the root of a file system that holds nothing else. */
static bool own_file_system(const char *dir)
{
	char parent[STORE_PATH_MAX + 8];
	struct stat a, b;

	path_of(parent, sizeof(parent), dir, "..");
	return stat(dir, &a) == 0 && stat(parent, &b) == 0 && a.st_dev != b.st_dev;
}

int space_init(struct space *sp, const struct store_options *o)
{
	struct statvfs fs;

	if (statvfs(o->dir, &fs) != 0)
		return -errno;
	uint64_t ours = file_size(o->dir, STORE_FILE) + file_size(o->dir, STORE_BALLAST) +
			file_size(o->dir, STORE_FILE "-wal");
	uint64_t there = (uint64_t)fs.f_bavail * fs.f_frsize + ours;
	uint64_t total = o->space;
	if (total == 0)
		total = own_file_system(o->dir) ? (uint64_t)fs.f_blocks * fs.f_frsize / 5 * 4 : SHARED_DISK_SPACE;
	total = min_u64(total, there / 20 * 19);
	if (total < SPACE_MIN)
		total = SPACE_MIN;
	*sp = (struct space){.total = total, .wal = min_u64(total / 4, WAL_MAX),
		.ballast = min_u64(total / 16, BALLAST_MAX)};
	sp->pages = (total - sp->wal - sp->ballast) / STORE_PAGE;
	uint64_t checkpoint = sp->wal / 4 / STORE_PAGE;
	sp->checkpoint_pages = checkpoint < 16 ? 16 : checkpoint > 1000 ? 1000 : (int)checkpoint;
	return 0;
}

/* By descriptor: the jail has no call that cuts a file by its name. */
static bool cut_ballast(const char *dir, uint64_t size)
{
	char path[STORE_PATH_MAX + 32];

	path_of(path, sizeof(path), dir, STORE_BALLAST);
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	bool ok = ftruncate(fd, (off_t)size) == 0;
	close(fd);
	return ok;
}

void space_trim_ballast(const struct space *sp, const char *dir)
{
	/* It fails when the disk is read-only, and then nothing is the fuller for it. */
	if (file_size(dir, STORE_BALLAST) > sp->ballast)
		cut_ballast(dir, sp->ballast);
}

static bool take_ballast(struct store *s)
{
	char path[STORE_PATH_MAX + 32];

	path_of(path, sizeof(path), s->dir, STORE_BALLAST);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	bool ok = posix_fallocate(fd, 0, (off_t)s->space.ballast) == 0;
	if (!ok && ftruncate(fd, 0) != 0)
		ok = false;
	close(fd);
	s->space.ballast_out = !ok;
	return ok;
}

void space_release_ballast(struct store *s)
{
	if (cut_ballast(s->dir, 0))
		s->space.ballast_out = true;
}

void space_restore_ballast(struct store *s, int64_t wall)
{
	if (!s->space.ballast_out || (wall >= s->space.ballast_tried && wall < s->space.ballast_tried + 60))
		return;
	s->space.ballast_tried = wall;
	take_ballast(s);
}

bool space_reserve(struct store *s)
{
	int64_t hint = (int64_t)s->space.pages * STORE_PAGE;
	bool ok = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_SIZE_HINT, &hint) == SQLITE_OK;

	return take_ballast(s) && ok;
}

static uint64_t used_pages(struct store *s)
{
	return (uint64_t)(store_number(s, "PRAGMA page_count", 0) - store_number(s, "PRAGMA freelist_count", 0));
}

bool space_short(struct store *s)
{
	return used_pages(s) > s->space.pages / 100 * PRUNE_AT_PERCENT;
}

void store_make_room(struct store *s)
{
	space_release_ballast(s);
	/* The write-ahead log starts over in the blocks that it has. */
	sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	s->space.make_room = true;
}

/* Runs SQL with two numbers bound. */
static void run_sql(struct store *s, const char *sql, uint64_t a, uint64_t b)
{
	sqlite3_stmt *stmt;

	if (s->error != SQLITE_OK)
		return;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, (int64_t)a);
		if (sqlite3_bind_parameter_count(stmt) > 1)
			sqlite3_bind_int64(stmt, 2, (int64_t)b);
		rc = sqlite3_step(stmt);
		sqlite3_finalize(stmt);
	}
	store_fail(s, rc);
}

/* The digest over the kept rows up to a place. */
static void fold_kept(struct store *s, uint64_t upto, uint8_t ret[CHAIN_HASH])
{
	sqlite3_stmt *stmt;
	char sql[640];

	store_union(sql, sizeof(sql) - 32, "seq,hash", "<=", true);
	strcat(sql, " ORDER BY seq");
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	memset(ret, 0, CHAIN_HASH);
	if (rc != SQLITE_OK) {
		store_fail(s, rc);
		return;
	}
	sqlite3_bind_int64(stmt, 1, (int64_t)upto);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		if (sqlite3_column_bytes(stmt, 1) == CHAIN_HASH)
			chain_fold(ret, sqlite3_column_blob(stmt, 1));
	sqlite3_finalize(stmt);
	store_fail(s, rc);
}

/*
 * Where the next removal ends: an eighth of a small store, a span of a large one, so that one step stays short.
 * 0: there are no drops.
 */
static uint64_t removal_end(struct store *s)
{
	uint64_t lo = (uint64_t)store_number(s, "SELECT min(seq) FROM drops", 0);
	uint64_t hi = (uint64_t)store_number(s, "SELECT max(seq) FROM drops", 0);

	if (lo == 0 || s->error != SQLITE_OK)
		return 0;
	return min_u64(lo + min_u64((hi - lo) / 8 + 16, STORE_SPAN) - 1, hi);
}

void store_hold(struct store *s, int64_t since)
{
	s->space.held = since;
}

bool store_hold_broken(struct store *s)
{
	bool broken = s->space.hold_broken;

	s->space.hold_broken = false;
	return broken;
}

/* May the drops up to there go, although somebody holds some of them? */
static bool may_go(struct store *s, uint64_t end)
{
	char sql[96];

	if (s->space.held == 0)
		return true;
	snprintf(sql, sizeof(sql), "SELECT max(last) FROM drops WHERE seq<=%llu", (unsigned long long)end);
	if (store_number(s, sql, 0) / 1000000000 < s->space.held)
		return true;
	if (!s->space.make_room && used_pages(s) <= s->space.pages / 100 * PRUNE_HELD_PERCENT)
		return false;
	s->space.hold_broken = true;
	return true;
}

void store_prune(struct store *s, int64_t wall)
{
	struct removal *r = &s->removal;

	*r = (struct removal){0};
	space_restore_ballast(s, wall);
	if (s->error != SQLITE_OK || (!s->space.make_room && !space_short(s)))
		return;
	do {
		uint64_t end = removal_end(s);
		if (end == 0 || !may_go(s, end))
			break;
		r->upto = end;
		store_hash_of(s, end, r->hash);
		run_sql(s, "DELETE FROM drops WHERE seq<=?1", end, 0);
		r->rows += (uint64_t)sqlite3_changes(s->db);
	} while (s->error == SQLITE_OK && used_pages(s) > s->space.pages / 100 * PRUNE_TO_PERCENT);
}

/* The place in the chain from which it can be checked again after the removal. */
void store_prune_anchor(struct store *s, int64_t wall)
{
	const struct removal *r = &s->removal;
	struct anchor_row a = {.at = wall, .upto = r->upto, .rows = r->rows};

	if (r->upto == 0 || s->error != SQLITE_OK)
		return;
	memcpy(a.upto_hash, r->hash, CHAIN_HASH);
	run_sql(s, "DELETE FROM anchors WHERE seq<=?1", r->upto, 0);
	run_sql(s, "DELETE FROM span WHERE (n+1)*?2<=?1", r->upto, STORE_SPAN);
	for (unsigned i = 0; i < ROW_TABLES; i++) {
		char sql[160];
		if (!row_kinds[i].has_prev)
			continue;
		snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE seq<=?1 AND seq<=(SELECT seq FROM %s ORDER BY seq DESC LIMIT 1 "
			"OFFSET " KEPT_ROWS ")", row_kinds[i].table, row_kinds[i].table);
		run_sql(s, sql, r->upto, 0);
	}
	fold_kept(s, r->upto, a.kept);
	snprintf(a.note, sizeof(a.note), "removed for space");
	store_put_anchor(s, &a);
	if (s->error == SQLITE_OK)
		s->space.make_room = false;
}

void store_sizes(struct store *s, struct store_sizes *ret)
{
	uint64_t used = used_pages(s) * STORE_PAGE, share = s->space.pages * STORE_PAGE;
	uint64_t lo = store_oldest(s);

	*ret = (struct store_sizes){
		.rows = lo == 0 ? 0 : s->next - lo,
		.bytes_used = used,
		.bytes_free = share > used ? share - used : 0,
		.oldest = store_number(s, "SELECT first FROM drops ORDER BY seq LIMIT 1", 0) / 1000000000,
	};
	ret->newest = store_number(s, "SELECT last FROM open ORDER BY seq DESC LIMIT 1", 0) / 1000000000;
	if (ret->newest == 0)
		ret->newest = store_number(s, "SELECT last FROM drops ORDER BY seq DESC LIMIT 1", 0) / 1000000000;
	s->error = SQLITE_OK;
}
