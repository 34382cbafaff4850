/* test_store.c: rows, their chain, space, damage. */
#include "test.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sekisho/clock.h>

#include "store.h"
#include "temp.h"

#define MIB ((uint64_t)1 << 20)

static char note[128];

static struct store *open_at(const char *dir, uint64_t space)
{
	const struct store_options o = {.dir = dir, .space = space};
	struct store *s = NULL;
	enum store_result r = store_open(&o, &s, note, sizeof(note));

	if (r != STORE_OK) {
		printf("store_open: %s\n", store_result_word(r));
		return NULL;
	}
	store_begin(s);
	store_start_at(s, 0, "begun");
	CHECK_INT(store_commit(s), STORE_OK);
	return s;
}

static struct msg_drop_row row_of(uint64_t seq, uint64_t count)
{
	struct msg_drop_row r = {.sequence = seq, .count = count, .first_ns = (int64_t)seq * 1000000000,
		.last_ns = (int64_t)seq * 1000000000 + 5, .family = 4, .proto = 6, .src = {10, 1, 0, 5}, .dst = {10, 2, 0, 8},
		.src_len = 32, .dst_len = 32, .sport = 999, .dport = 443, .reason = 2, .generation = 3, .differs = 8,
		.has_mac = 1, .src_mac = {2, 0, 0, 1, 0, 5}, .length = 60, .open = 1};

	MSG_TEXT(r.boot_id, "6fa1");
	MSG_TEXT(r.from, "mynumber");
	MSG_TEXT(r.to, "lgwan");
	MSG_TEXT(r.iface, "eth0");
	MSG_TEXT(r.rule, "pittari");
	MSG_TEXT(r.host_src, "jumin-ap");
	return r;
}

/* n rows, closed, with a fault behind. */
static enum store_result add(struct store *s, unsigned n)
{
	struct msg_fault_row f = {.at = 7, .severity = 2};

	MSG_TEXT(f.process, "sekishod");
	MSG_TEXT(f.code, "restarted");
	store_begin(s);
	store_prune(s, 100);
	uint64_t first = store_next(s);
	for (unsigned i = 0; i < n; i++) {
		struct msg_drop_row r = row_of(first + i, i + 1);
		store_put_open(s, &r, true);
	}
	store_close_open(s);
	store_put_fault(s, &f);
	store_prune_anchor(s, 100);
	return store_commit(s);
}

static const char *verify(struct store *s, uint64_t *checked)
{
	static struct store_verify v;

	v = (struct store_verify){0};
	while (store_verify_step(s, &v, 100))
		;
	if (checked != NULL)
		*checked = v.checked;
	return v.error;
}

static struct msg_drop_row got[8];
static unsigned ngot;

static bool keep(void *arg, const struct msg_drop_row *r)
{
	(void)arg;
	if (ngot < 8)
		got[ngot] = *r;
	ngot++;
	return true;
}

static void test_open_rows_become_chain(void)
{
	struct store *s = open_at(temp_begin(), 16 * MIB);
	uint64_t checked;

	CHECK_INT(store_next(s), 2);
	store_begin(s);
	struct msg_drop_row r = row_of(2, 1);
	store_put_open(s, &r, true);
	CHECK_INT(store_commit(s), STORE_OK);
	CHECK_INT(store_first_open(s), 2);
	/* It is visible at once. */
	ngot = 0;
	store_drops(s, 1, 100, true, keep, NULL);
	CHECK_INT(ngot, 1);
	CHECK_INT(got[0].open, 1);
	store_begin(s);
	r.count = 57;
	r.last_ns = 99;
	store_put_open(s, &r, false);
	struct msg_drop_row r2 = row_of(3, 4);
	store_put_open(s, &r2, true);
	CHECK_INT(store_commit(s), STORE_OK);
	store_begin(s);
	store_close_open(s);
	CHECK_INT(store_commit(s), STORE_OK);
	CHECK_INT(store_first_open(s), 4);
	ngot = 0;
	store_drops(s, 1, 100, false, keep, NULL);
	CHECK_INT(ngot, 2);
	CHECK_INT(got[0].count, 57);
	CHECK_INT(got[0].open, 0);
	CHECK_INT(got[0].last_ns, 99);
	CHECK_STR(got[0].rule, "pittari");
	CHECK_STR(got[0].host_src, "jumin-ap");
	CHECK(memcmp(got[0].src, r.src, 16) == 0 && got[0].has_mac && got[0].src_mac[5] == 5);
	CHECK_STR(verify(s, &checked), "");
	CHECK_INT(checked, 3);
	store_free(s);
}

static void test_rollback_keeps_numbers(void)
{
	struct store *s = open_at(temp_begin(), 16 * MIB);
	uint8_t head[2][CHAIN_HASH];
	struct msg_drop_row r = row_of(2, 1);

	add(s, 3);
	uint64_t next = store_next(s);
	store_head(s, head[0]);
	store_begin(s);
	store_put_open(s, &r, true); /* this number is taken: refused */
	struct msg_drop_row b = row_of(next + 7, 1);
	store_put_open(s, &b, false); /* and this row is not there */
	CHECK_INT(store_commit(s), STORE_CORRUPT);
	store_head(s, head[1]);
	CHECK_INT(store_next(s), next);
	CHECK(memcmp(head[0], head[1], CHAIN_HASH) == 0);
	CHECK_INT(add(s, 3), STORE_OK);
	CHECK_STR(verify(s, NULL), "");
	store_free(s);
}

/* What a process left open, killed, is closed by the next. */
static void test_killed(void)
{
	const char *dir = temp_begin();
	struct account a = {.epoch = 5}, back;
	char boot[40];

	if (fork() == 0) {
		struct store *s = open_at(dir, 16 * MIB);
		store_begin(s);
		struct msg_drop_row r = row_of(2, 41);
		store_put_open(s, &r, true);
		a.stored[2] = 41;
		a.loss[2] = 1;
		a.kernel[2] = 42;
		store_put_account(s, &a, "boot-a");
		_exit(store_commit(s) == STORE_OK ? 0 : 1);
	}
	int status;
	wait(&status);
	CHECK_INT(status, 0);
	struct store *s = open_at(dir, 16 * MIB);
	CHECK(s != NULL);
	CHECK_STR(note, "");
	CHECK_INT(store_first_open(s), store_next(s));
	ngot = 0;
	store_drops(s, 1, 100, false, keep, NULL);
	CHECK(ngot == 1 && got[0].count == 41 && !got[0].open);
	CHECK(store_get_account(s, &back, boot));
	CHECK_STR(boot, "boot-a");
	CHECK_INT(back.epoch, 5);
	CHECK_INT(back.stored[2], 41);
	CHECK_INT(back.loss[2], 1);
	CHECK_INT(back.kernel[2], 42);
	CHECK_STR(verify(s, NULL), "");
	store_free(s);
}

/* Does SQL to the file of a closed store. */
static void tamper(const char *dir, const char *sql)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/records.db", dir);
	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_tampering_is_found(void)
{
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{"UPDATE drops SET count=1 WHERE seq=50", "row 50: was changed, or the row before it"},
		{"UPDATE drops SET host_src='other' WHERE seq=10", "row 10: was changed, or the row before it"},
		{"UPDATE drops SET src=x'0a010006' WHERE seq=10", "row 10: was changed, or the row before it"},
		{"UPDATE drops SET rule=CAST(rule AS BLOB) WHERE seq=10", "row 10: was changed, or the row before it"},
		{"DELETE FROM drops WHERE seq=30", "row 30: is missing"},
		{"DELETE FROM faults WHERE seq=22", "row 22: is missing"},
		{"UPDATE faults SET text='nothing' WHERE seq=22", "row 22: was changed, or the row before it"},
		{"UPDATE drops SET hash=zeroblob(32) WHERE seq=40", "row 40: was changed, or the row before it"},
		{"INSERT INTO faults SELECT 10,at,severity,process,code,text,prev,hash FROM faults LIMIT 1",
			"row 10: is there twice"},
		{"DELETE FROM anchors", "the store's beginning is missing"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *dir = temp_begin();
		struct store *s = open_at(dir, 16 * MIB);
		for (int k = 0; k < 10; k++)
			add(s, 20);
		CHECK_STR(verify(s, NULL), "");
		store_free(s);
		tamper(dir, cases[i].sql);
		s = open_at(dir, 16 * MIB);
		CHECK(s != NULL);
		if (s == NULL)
			continue;
		CHECK_STR(verify(s, NULL), cases[i].want);
		store_free(s);
	}
}

/* What the inspector said is kept, counted in, chained, and missed when it is changed. */
static void test_inspection(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir, 16 * MIB);
	struct msg_drop_row r = row_of(2, 1);

	store_begin(s);
	store_put_open(s, &r, true);
	CHECK_INT(store_commit(s), STORE_OK);
	store_begin(s);
	r.count = 2;
	r.why = 1;
	r.seen = 3;
	r.expected = 1;
	store_put_open(s, &r, false);
	struct msg_drop_row plain = row_of(3, 1);
	store_put_open(s, &plain, true);
	CHECK_INT(store_commit(s), STORE_OK);
	store_begin(s);
	store_close_open(s);
	CHECK_INT(store_commit(s), STORE_OK);
	ngot = 0;
	store_drops(s, 1, 100, false, keep, NULL);
	CHECK_INT(ngot, 2);
	CHECK(got[0].why == 1 && got[0].seen == 3 && got[0].expected == 1 && got[0].count == 2);
	CHECK(got[1].why == 0 && got[1].seen == 0 && got[1].expected == 0);
	CHECK_STR(verify(s, NULL), "");
	store_free(s);
	static const char *const changes[] = {"UPDATE drops SET why=2 WHERE seq=2", "UPDATE drops SET seen=NULL WHERE seq=2",
		"UPDATE drops SET why=NULL,seen=NULL,expected=NULL WHERE seq=2", "UPDATE drops SET why=1 WHERE seq=3"};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		tamper(dir, "CREATE TABLE kept AS SELECT * FROM drops");
		tamper(dir, changes[i]);
		s = open_at(dir, 16 * MIB);
		CHECK(strstr(verify(s, NULL), "was changed") != NULL);
		store_free(s);
		tamper(dir, "DELETE FROM drops; INSERT INTO drops SELECT * FROM kept; DROP TABLE kept");
	}
}

/* A store of the version before: its rows keep their hashes, and new ones follow in the same chain. */
static void test_version_1(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir, 16 * MIB);
	uint64_t before, after;

	add(s, 20);
	/* And rows that were left open. */
	store_begin(s);
	struct msg_drop_row r = row_of(store_next(s), 5);
	store_put_open(s, &r, true);
	CHECK_INT(store_commit(s), STORE_OK);
	CHECK_STR(verify(s, &before), "");
	store_free(s);
	tamper(dir, "ALTER TABLE drops DROP COLUMN why; ALTER TABLE drops DROP COLUMN seen; ALTER TABLE drops DROP COLUMN expected;"
		"ALTER TABLE open DROP COLUMN why; ALTER TABLE open DROP COLUMN seen; ALTER TABLE open DROP COLUMN expected;"
		"ALTER TABLE commits DROP COLUMN uid; ALTER TABLE commits DROP COLUMN account;"
		"DROP TABLE commands; DROP TABLE logins; DROP TABLE records; PRAGMA user_version=1");
	s = open_at(dir, 16 * MIB);
	CHECK(s != NULL);
	CHECK_STR(note, "");
	CHECK_STR(verify(s, &after), "");
	CHECK_INT(after, before + 1); /* the open one was closed */
	store_begin(s);
	struct msg_drop_row new = row_of(store_next(s), 1);
	new.why = 1;
	store_put_open(s, &new, true);
	store_close_open(s);
	CHECK_INT(store_commit(s), STORE_OK);
	CHECK_STR(verify(s, NULL), "");
	store_free(s);
	s = open_at(dir, 16 * MIB);
	CHECK_STR(verify(s, NULL), "");
	store_free(s);
}

/* The last rows are checked at each start. */
static void test_tail_is_checked_at_start(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir, 16 * MIB);

	add(s, 200);
	store_free(s);
	tamper(dir, "UPDATE drops SET dport=80 WHERE seq=190");
	s = open_at(dir, 16 * MIB);
	CHECK_STR(note, "chain-broken: row 190: was changed, or the row before it");
	/* It goes on all the same. */
	CHECK_INT(add(s, 5), STORE_OK);
	store_free(s);
}

static void test_pruning(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir, 2 * MIB);
	struct store_sizes sizes;
	uint64_t checked;

	for (int i = 0; i < 300; i++) {
		if (add(s, 100) != STORE_OK) {
			CHECK(false);
			break;
		}
	}
	store_sizes(s, &sizes);
	ngot = 0;
	store_drops(s, 1, 100, false, keep, NULL);
	CHECK_INT(ngot, 0); /* the oldest are gone */
	CHECK(sizes.bytes_used < 2 * MIB);
	CHECK(sizes.oldest > 100);
	CHECK_STR(verify(s, &checked), "");
	CHECK(checked > 500);
	store_free(s);
	/* Faults outlive the drops around them, and are protected too. */
	s = open_at(dir, 2 * MIB);
	CHECK_STR(note, "");
	CHECK_STR(verify(s, NULL), "");
	store_free(s);
	tamper(dir, "UPDATE faults SET at=8 WHERE seq=(SELECT min(seq) FROM faults)");
	s = open_at(dir, 2 * MIB);
	CHECK(strstr(verify(s, NULL), "was changed") != NULL);
	store_free(s);
	tamper(dir, "UPDATE faults SET at=7; DELETE FROM faults WHERE seq=(SELECT min(seq) FROM faults)");
	s = open_at(dir, 2 * MIB);
	CHECK(strstr(verify(s, NULL), "was changed or removed") != NULL);
	store_free(s);
}

static void test_spans(void)
{
	struct store *s = open_at(temp_begin(), 64 * MIB);

	for (int i = 0; i < 10; i++)
		add(s, 1000);
	/* Rows tell their own sequence as their second. */
	CHECK(store_span_within(s, 0, 100 * INT64_C(1000000000), 200 * INT64_C(1000000000)));
	CHECK(!store_span_within(s, 0, 5000 * INT64_C(1000000000), INT64_MAX));
	CHECK(store_span_within(s, 1, 5000 * INT64_C(1000000000), INT64_MAX));
	CHECK(!store_span_within(s, 1, 0, 4000 * INT64_C(1000000000)));
	store_free(s);
}

static void write_file(const char *dir, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/records.db", dir);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs(text, f);
	fclose(f);
}

static void test_damage(void)
{
	const char *dir = temp_begin();
	const struct store_options o = {.dir = dir, .space = 16 * MIB};
	struct store *s;
	char name[96], path[256];

	write_file(dir, "this is no database at all\n");
	CHECK_INT(store_open(&o, &s, note, sizeof(note)), STORE_CORRUPT);
	CHECK_INT(store_set_aside(dir, 1234, name, sizeof(name)), 0);
	CHECK_STR(name, "records.db.set-aside-000000001234-000");
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK(access(path, F_OK) == 0);
	s = open_at(dir, 16 * MIB);
	add(s, 3);
	store_free(s);
	/* Another program's database. */
	dir = temp_begin();
	tamper(dir, "CREATE TABLE x(y)");
	CHECK_INT(store_open(&(struct store_options){.dir = dir}, &s, note, sizeof(note)), STORE_CORRUPT);
	/* A later version. */
	dir = temp_begin();
	store_free(open_at(dir, 16 * MIB));
	tamper(dir, "PRAGMA user_version=99");
	CHECK_INT(store_open(&(struct store_options){.dir = dir}, &s, note, sizeof(note)), STORE_CORRUPT);
	/* Set aside twice in one second: both are kept. */
	CHECK_INT(store_set_aside(dir, 1234, name, sizeof(name)), 0);
	write_file(dir, "x");
	CHECK_INT(store_set_aside(dir, 1234, name, sizeof(name)), 0);
	CHECK_STR(name, "records.db.set-aside-000000001234-001");
}

/* A disk that damages store after store: the newest three are kept, with their logs. */
static void test_asides_are_bounded(void)
{
	const char *dir = temp_begin();
	char name[96], path[256];

	for (int i = 0; i < 6; i++) {
		write_file(dir, "x");
		snprintf(path, sizeof(path), "%s/records.db-wal", dir);
		fclose(fopen(path, "w"));
		CHECK_INT(store_set_aside(dir, 9000 + i, name, sizeof(name)), 0);
	}
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/records.db.set-aside-%012d-000", dir, 9000 + i);
		CHECK((access(path, F_OK) == 0) == (i >= 3));
		strcat(path, "-wal");
		CHECK((access(path, F_OK) == 0) == (i >= 3));
	}
}

/* On a full disk the oldest one goes, until there is none. */
static void test_asides_give_way(void)
{
	const char *dir = temp_begin();
	char name[96], first[256], second[256];

	write_file(dir, "x");
	CHECK_INT(store_set_aside(dir, 1, name, sizeof(name)), 0);
	snprintf(first, sizeof(first), "%s/%s", dir, name);
	write_file(dir, "x");
	CHECK_INT(store_set_aside(dir, 2, name, sizeof(name)), 0);
	snprintf(second, sizeof(second), "%s/%s", dir, name);
	CHECK(store_drop_aside(dir) && access(first, F_OK) != 0 && access(second, F_OK) == 0);
	CHECK(store_drop_aside(dir) && access(second, F_OK) != 0);
	CHECK(!store_drop_aside(dir));
}

/* Every page of a small store is overwritten in turn: an error or a finding, never a crash. */
static void test_damaged_pages(void)
{
	const char *dir = temp_begin();
	const struct store_options o = {.dir = dir, .space = 4 * MIB};
	char path[128];
	unsigned seed = 7;

	struct store *s = open_at(dir, 4 * MIB);
	for (int i = 0; i < 5; i++)
		add(s, 50);
	store_free(s);
	snprintf(path, sizeof(path), "%s/records.db", dir);
	int fd = open(path, O_RDWR);
	for (off_t page = 0; page < 60; page++) {
		uint8_t old[4096], bad[4096];
		CHECK(pread(fd, old, sizeof(old), page * 4096) == 4096);
		memcpy(bad, old, sizeof(bad));
		for (int i = 0; i < 200; i++)
			bad[rand_r(&seed) % 4096] = (uint8_t)rand_r(&seed);
		CHECK(pwrite(fd, bad, sizeof(bad), page * 4096) == 4096);
		s = NULL;
		if (store_open(&o, &s, note, sizeof(note)) == STORE_OK) {
			verify(s, NULL);
			ngot = 0;
			store_drops(s, 1, 1000, true, keep, NULL);
			add(s, 3);
			store_free(s);
		}
		CHECK(pwrite(fd, old, sizeof(old), page * 4096) == 4096);
		char name[160];
		snprintf(name, sizeof(name), "%s-wal", path);
		unlink(name);
	}
	close(fd);
}

static void test_locked(void)
{
	const char *dir = temp_begin();
	const struct store_options o = {.dir = dir, .space = 16 * MIB};
	struct store *s = open_at(dir, 16 * MIB), *other;

	/* SQLite's locks are between processes. */
	if (fork() == 0)
		_exit(store_open(&o, &other, note, sizeof(note)) == STORE_BUSY ? 0 : 1);
	int status;
	wait(&status);
	CHECK_INT(status, 0);
	store_free(s);
}

static void test_next_store_goes_on(void)
{
	struct store *s;
	const struct store_options o = {.dir = temp_begin(), .space = 16 * MIB};

	CHECK_INT(store_open(&o, &s, note, sizeof(note)), STORE_OK);
	store_begin(s);
	store_start_at(s, 5000, "after records.db.set-aside-1-0");
	CHECK_INT(store_commit(s), STORE_OK);
	CHECK_INT(store_next(s), 5001);
	add(s, 10);
	CHECK_STR(verify(s, NULL), "");
	store_free(s);
}

int main(void)
{
	test_open_rows_become_chain();
	test_rollback_keeps_numbers();
	test_killed();
	test_tampering_is_found();
	test_inspection();
	test_version_1();
	test_tail_is_checked_at_start();
	test_pruning();
	test_spans();
	test_damage();
	test_asides_are_bounded();
	test_asides_give_way();
	test_damaged_pages();
	test_locked();
	test_next_store_goes_on();
	temp_end();
	return test_end();
}
