/* test_admissions.c: the file of what passed: rows, sums of rules, what was left open, the chain, a full and a damaged file. */
#include "admissions.h"
#include "test.h"

#include <sqlite3.h>
#include <unistd.h>

static char dir[] = "/tmp/sekisho-admissions-XXXXXX";

static const char *path(void)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s/admissions.db", dir);
	return buf;
}

static void empty(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s/*", dir);
	CHECK_INT(system(command), 0);
}

static struct admissions *open_file(uint64_t space)
{
	char note[128];
	struct admissions *a = admissions_open(dir, space, note, sizeof(note));

	CHECK(a != NULL);
	CHECK_STR(note, "");
	return a;
}

static struct msg_admission_row row(const char *rule, uint64_t connections, uint16_t port)
{
	struct msg_admission_row r = {.connections = connections, .packets_out = 3, .packets_back = 2, .bytes_out = 300,
		.bytes_back = 200, .first_ns = 1795000000000000000, .last_ns = 1795000005000000000, .family = 4, .proto = 6,
		.src = {10, 1, 10, 5}, .dst = {10, 2, 0, 8}, .src_len = 32, .dst_len = 32, .dport = port, .generation = 7};

	MSG_TEXT(r.rule, rule);
	MSG_TEXT(r.from, "mynumber");
	MSG_TEXT(r.to, "lgwan");
	MSG_TEXT(r.host_src, "jumin-ap");
	return r;
}

static void put(struct admissions *a, const char *rule, uint64_t connections, uint16_t port)
{
	struct msg_admission_row r = row(rule, connections, port);

	admissions_begin(a);
	admissions_add(a, &r);
	admissions_put(a, &r);
	CHECK(admissions_commit(a));
}

static void test_rows(void)
{
	struct admissions *a = open_file(ADMISSIONS_SPACE);
	struct msg_admission_row got[8];
	struct msg_rule_row sum;
	uint64_t rows, bad;

	put(a, "pittari", 4, 443);
	put(a, "jumin", 1, 22);
	put(a, "pittari", 6, 443);
	CHECK_INT(admissions_read(a, 0, 8, got), 3);
	CHECK_INT(got[0].sequence, 3);
	CHECK_INT(got[0].connections, 6);
	CHECK_STR(got[1].rule, "jumin");
	CHECK_STR(got[2].host_src, "jumin-ap");
	CHECK_STR(got[2].host_dst, "");
	CHECK_INT(got[2].src[3], 5);
	CHECK_INT(got[2].dport, 443);
	CHECK_INT(got[2].bytes_back, 200);
	CHECK_INT(admissions_read(a, 2, 8, got), 1);
	CHECK_INT(admissions_read(a, 0, 2, got), 2);
	CHECK_INT(admissions_rule(a, "", &sum), 1);
	CHECK_STR(sum.rule, "jumin");
	CHECK_INT(admissions_rule(a, "jumin", &sum), 1);
	CHECK_STR(sum.rule, "pittari");
	CHECK_INT(sum.connections, 10);
	CHECK_INT(sum.bytes_out, 600);
	CHECK_INT(sum.last, 1795000005);
	CHECK_INT(admissions_rule(a, "pittari", &sum), 0);
	CHECK(admissions_verify(a, &rows, &bad));
	CHECK_INT(rows, 3);
	admissions_close(a);
	/* Sums and rows are there again after a restart. */
	a = open_file(ADMISSIONS_SPACE);
	CHECK_INT(admissions_rule(a, "jumin", &sum), 1);
	CHECK_INT(sum.connections, 10);
	put(a, "jumin", 1, 22);
	CHECK(admissions_verify(a, &rows, &bad));
	CHECK_INT(rows, 4);
	admissions_close(a);
}

/* What was still counting when the process was killed becomes rows at the next start, once. */
static void test_left_open(void)
{
	struct admissions *a = open_file(ADMISSIONS_SPACE);
	struct msg_admission_row r = row("pittari", 2, 443), got[8];
	uint64_t rows, bad;

	admissions_begin(a);
	admissions_put_open(a, 0, &r);
	r.connections = 5;
	admissions_put_open(a, 0, &r);
	r.dport = 80;
	admissions_put_open(a, 1, &r);
	CHECK(admissions_commit(a));
	CHECK_INT(admissions_read(a, 0, 8, got), 0);
	admissions_close(a);
	for (int i = 0; i < 2; i++) {
		a = open_file(ADMISSIONS_SPACE);
		CHECK_INT(admissions_read(a, 0, 8, got), 2);
		CHECK_INT(got[0].dport, 80);
		CHECK_INT(got[1].connections, 5);
		CHECK_INT(got[1].dport, 443);
		CHECK(admissions_verify(a, &rows, &bad));
		admissions_close(a);
	}
}

static void tamper(const char *sql)
{
	sqlite3 *db;

	CHECK_INT(sqlite3_open(path(), &db), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_tampering(void)
{
	static const char *const sql[] = {"UPDATE rows SET connections=1 WHERE seq=2", "DELETE FROM rows WHERE seq=2",
		"UPDATE rows SET rule='other' WHERE seq=2", "UPDATE rows SET seq=9 WHERE seq=2"};
	uint64_t rows, bad;

	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		empty();
		struct admissions *a = open_file(ADMISSIONS_SPACE);
		for (uint16_t k = 0; k < 3; k++)
			put(a, "pittari", 4, k);
		admissions_close(a);
		tamper(sql[i]);
		a = open_file(ADMISSIONS_SPACE);
		CHECK(!admissions_verify(a, &rows, &bad));
		CHECK_INT(bad, 2);
		admissions_close(a);
	}
}

/* A full file gives up its oldest rows, keeps the sums, and its chain still holds. */
static void test_full(void)
{
	struct admissions *a = open_file(2 << 20);
	struct msg_admission_row r = row("pittari", 1, 443), got[1];
	struct msg_rule_row sum;
	uint64_t rows, bad, done = 0;

	for (unsigned i = 0; i < 60; i++) {
		bool good = false;
		for (unsigned tries = 0; !good && tries < 2; tries++) {
			admissions_begin(a);
			admissions_add(a, &r);
			for (unsigned k = 0; k < 500; k++)
				admissions_put(a, &r);
			good = admissions_commit(a);
		}
		CHECK(good);
		done += good;
	}
	CHECK_INT(admissions_read(a, 0, 1, got), 1);
	CHECK_INT(got[0].sequence, done * 500);
	CHECK(admissions_verify(a, &rows, &bad));
	CHECK(rows >= 500 && rows < done * 500);
	CHECK_INT(admissions_rule(a, "", &sum), 1);
	CHECK_INT(sum.connections, done);
	admissions_close(a);
}

static void test_damage(void)
{
	char note[128];
	FILE *f;

	empty();
	f = fopen(path(), "we");
	CHECK(f != NULL && fputs("this is no record of anything, and it is long enough to be read as a file", f) >= 0);
	if (f != NULL)
		fclose(f);
	struct admissions *a = admissions_open(dir, ADMISSIONS_SPACE, note, sizeof(note));
	CHECK(a != NULL && strstr(note, "set aside") != NULL);
	if (a != NULL)
		put(a, "x", 1, 1);
	admissions_close(a);
	CHECK(admissions_open("/nowhere/at/all", ADMISSIONS_SPACE, note, sizeof(note)) == NULL);
}

int main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	test_rows();
	empty();
	test_left_open();
	test_tampering();
	empty();
	test_full();
	test_damage();
	empty();
	rmdir(dir);
	return test_end();
}
