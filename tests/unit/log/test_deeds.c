/*
 * test_deeds.c: what people did, as records: commands, sessions, and the entries of records that they write. They come back
 * as they went in, no one is changed or taken away unseen, they outlive the drops around them, and questions find them.
 */
#include "test.h"

#include <sekisho/clock.h>

#include "query.h"
#include "store_private.h"
#include "temp.h"
#include "writer.h"

#define MIB ((uint64_t)1 << 20)

static struct store *open_at(const char *dir)
{
	const struct store_options o = {.dir = dir, .space = 2 * MIB};
	struct store *s = NULL;
	char note[128];

	CHECK_INT(store_open(&o, &s, note, sizeof(note)), STORE_OK);
	CHECK_STR(note, "");
	store_begin(s);
	store_start_at(s, 0, "begun");
	CHECK_INT(store_commit(s), STORE_OK);
	return s;
}

static struct store_deed command(int64_t at, const char *account, const char *text)
{
	struct store_deed d = {.table = ROW_COMMAND,
		.u.command.it = {.at = at, .kind = MSG_WORK_LINE, .result = 1, .uid = 1001, .role = MSG_ROLE_OPERATOR, .session = 7}};

	MSG_TEXT(d.u.command.it.account, account);
	MSG_TEXT(d.u.command.it.who, "佐藤");
	MSG_TEXT(d.u.command.it.text, text);
	return d;
}

static struct store_deed login(int64_t at, uint32_t event, const char *account)
{
	struct store_deed d = {.table = ROW_LOGIN,
		.u.login.it = {.at = at, .event = event, .uid = 1001, .role = MSG_ROLE_VIEWER, .session = 7, .seconds = 60}};

	MSG_TEXT(d.u.login.it.account, account);
	MSG_TEXT(d.u.login.it.terminal, "ttyS0");
	return d;
}

static struct store_deed entry(int64_t at, uint32_t number, uint32_t what)
{
	struct store_deed d = {.table = ROW_RECORD,
		.u.record = {.at = at, .uid = 1002, .role = MSG_ROLE_ADMINISTRATOR,
			.it = {.kind = MSG_RECORD_INCIDENT, .what = what, .number = number, .occurred = at - 600}}};

	MSG_TEXT(d.u.record.account, "suzuki");
	MSG_TEXT(d.u.record.it.who, "鈴木");
	MSG_TEXT(d.u.record.it.title, "LGWAN接続系でウイルスを検知");
	MSG_TEXT(d.u.record.it.cause, "添付ファイル");
	MSG_TEXT(d.u.record.it.prevention, "研修");
	return d;
}

static void put(struct store *s, struct store_deed *d, unsigned n)
{
	store_begin(s);
	for (unsigned i = 0; i < n; i++)
		store_put_deed(s, &d[i]);
	CHECK_INT(store_commit(s), STORE_OK);
}

static const char *verify(struct store *s)
{
	static struct store_verify v;

	v = (struct store_verify){0};
	while (store_verify_step(s, &v, 100))
		;
	return v.error;
}

static void tamper(const char *dir, const char *sql)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/" STORE_FILE, dir);
	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static struct store_deed got[16];
static unsigned ngot;

static bool keep(void *arg, const struct store_deed *d)
{
	(void)arg;
	if (ngot < 16)
		got[ngot++] = *d;
	return true;
}

/* Every byte comes back, also after the store was opened anew. */
static void test_round_trip(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir);
	struct store_deed in[] = {command(100, "sato", "show log drops | match 10.1.0.5"), login(90, MSG_LOGIN_BEGIN, "sato"),
		entry(110, 1, MSG_RECORD_NEW)};

	put(s, in, 3);
	store_free(s);
	s = open_at(dir);
	for (unsigned i = 0; i < 3; i++) {
		ngot = 0;
		CHECK_INT(store_deeds(s, in[i].table, 1, 100, true, keep, NULL), STORE_OK);
		CHECK_INT(ngot, 1);
		CHECK(memcmp(&got[0].u, &in[i].u, in[i].table == ROW_COMMAND ? sizeof(in[i].u.command) :
			in[i].table == ROW_LOGIN ? sizeof(in[i].u.login) : sizeof(in[i].u.record)) == 0);
	}
	CHECK_STR(verify(s), "");
	CHECK_INT(store_record_newest(s), 1);
	CHECK_INT(store_record_kind(s, 1), MSG_RECORD_INCIDENT);
	CHECK_INT(store_record_kind(s, 2), 0);
	store_free(s);
}

/* Each column of each table is in the chain. */
static void test_tampering(void)
{
	static const char *const changes[] = {"UPDATE commands SET text='show status'", "UPDATE commands SET account='root'",
		"UPDATE commands SET result=0", "UPDATE commands SET who=''", "DELETE FROM commands", "UPDATE logins SET at=5",
		"UPDATE logins SET terminal='ssh'", "DELETE FROM logins", "UPDATE records SET cause='不明'",
		"UPDATE records SET prevention=''", "UPDATE records SET number=2", "DELETE FROM records",
		"UPDATE commits SET account='root'", "UPDATE commits SET uid=0", "UPDATE commits SET account=NULL,uid=NULL"};

	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *dir = temp_begin();
		struct store *s = open_at(dir);
		struct store_deed d[] = {command(100, "sato", "commit"), login(90, MSG_LOGIN_END, "sato"), entry(110, 1, MSG_RECORD_NEW),
			command(111, "sato", "exit")};
		struct msg_commit_row c = {.at = 8, .generation = 3, .uid = 1001, .account = "sato"};
		store_begin(s);
		store_put_commit(s, &c);
		CHECK_INT(store_commit(s), STORE_OK);
		put(s, d, 4);
		CHECK_STR(verify(s), "");
		store_free(s);
		tamper(dir, changes[i]);
		const struct store_options o = {.dir = dir, .space = 2 * MIB};
		char note[128];
		CHECK_INT(store_open(&o, &s, note, sizeof(note)), STORE_OK);
		CHECK(strstr(verify(s), "was changed") != NULL || strstr(verify(s), "missing") != NULL);
		store_free(s);
	}
}

static struct msg_drop_row drop(uint64_t seq)
{
	struct msg_drop_row r = {.sequence = seq, .count = 1, .first_ns = (int64_t)seq * 1000000000, .family = 4, .proto = 6,
		.src_len = 32, .dst_len = 32, .reason = 2, .open = 1};

	MSG_TEXT(r.from, "mynumber");
	return r;
}

/* Drops go for space; what people did stays, and what stays is protected. */
static void test_pruning(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir);

	for (int i = 0; i < 400; i++) {
		struct store_deed d[] = {command(i, "sato", "show status"), entry(i, (uint32_t)i + 1, MSG_RECORD_NEW)};
		store_begin(s);
		store_prune(s, 100);
		uint64_t first = store_next(s);
		for (unsigned k = 0; k < 60; k++) {
			struct msg_drop_row r = drop(first + k);
			store_put_open(s, &r, true);
		}
		store_close_open(s);
		if (i < 20) {
			store_put_deed(s, &d[0]);
			store_put_deed(s, &d[1]);
		}
		store_prune_anchor(s, 100);
		CHECK_INT(store_commit(s), STORE_OK);
	}
	ngot = 0;
	store_deeds(s, ROW_RECORD, 1, 200, false, keep, NULL);
	CHECK_INT(ngot, 3); /* of a place where no drop is left */
	CHECK_STR(verify(s), "");
	store_free(s);
	tamper(dir, "UPDATE records SET title='x' WHERE number=1");
	s = open_at(dir);
	CHECK(strstr(verify(s), "was changed") != NULL);
	store_free(s);
	tamper(dir, "DELETE FROM records WHERE number=1");
	s = open_at(dir);
	CHECK(strstr(verify(s), "was changed or removed") != NULL);
	store_free(s);
}

/* -- Questions --------------------------------------------------------------------------------------------- */

static unsigned nrows, nends;

static bool sink(void *arg, enum msg_type type, const void *body)
{
	(void)arg;
	(void)body;
	nrows += type == MSG_COMMAND_ROW || type == MSG_LOGIN_ROW || type == MSG_RECORD_ROW;
	nends += type == MSG_END;
	return true;
}

static unsigned found(struct store *s, struct msg_query ask, const char *who)
{
	struct query q;

	ask.port = MSG_ANY_PORT;
	MSG_TEXT(ask.who, who);
	nrows = nends = 0;
	CHECK(query_init(&q, &ask, s) == NULL);
	while (query_step(&q, s, 0, sink, NULL) != QUERY_DONE)
		;
	query_clear(&q);
	CHECK_INT(nends, 1);
	return nrows;
}

static void test_questions(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir);
	struct store_deed d[] = {command(100, "sato", "a"), command(200, "Suzuki", "b"), login(90, MSG_LOGIN_BEGIN, "sato"),
		entry(110, 1, MSG_RECORD_NEW), entry(120, 2, MSG_RECORD_NEW), entry(130, 1, MSG_RECORD_CLOSE)};

	d[4].u.record.it.kind = MSG_RECORD_WORK;
	d[1].u.command.it.session = 8;
	put(s, d, 6);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_COMMANDS}, ""), 2);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_COMMANDS}, "suzu"), 1); /* a part, in any case */
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_COMMANDS}, "佐藤"), 2);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_COMMANDS}, "x"), 0);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_COMMANDS, .since = 150}, ""), 1);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_COMMANDS, .until = 150}, ""), 1);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_COMMANDS, .number = 8}, ""), 1);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_LOGINS}, "sato"), 1);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_RECORDS}, ""), 3);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_RECORDS, .number = 1}, ""), 2);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_RECORDS, .kind = MSG_RECORD_WORK}, ""), 1);
	CHECK_INT(found(s, (struct msg_query){.verb = MSG_LOG_RECORDS, .limit = 1}, ""), 1);
	store_free(s);
}

/* -- Entries of records ------------------------------------------------------------------------------------ */

static struct msg_record record(uint32_t what, uint32_t kind, uint32_t number)
{
	struct msg_record r = {.what = what, .kind = kind, .number = number};

	MSG_TEXT(r.title, "作業");
	return r;
}

static void test_entries(void)
{
	const char *dir = temp_begin();
	const struct writer_options o = {.store = {.dir = dir, .space = 2 * MIB}, .boot_id = "b", .window_s = 60};
	struct intake *in = intake_new(NULL, 0);
	struct names *names = names_new();
	struct writer *w = writer_new(&o, in, names);
	const struct msg_client who = {.uid = 1001, .role = MSG_ROLE_OPERATOR, .account = "sato"};
	struct msg_record r = record(MSG_RECORD_NEW, MSG_RECORD_WORK, 0);
	const char *error;
	uint32_t number = 0;
	uint64_t row = 0;

	CHECK(!writer_record(w, &who, &r, &number, &row, &error)); /* there is no store yet */
	CHECK_STR(error, "records cannot be stored now");
	writer_tick(w);
	for (uint32_t i = 1; i <= 3; i++) {
		CHECK(writer_record(w, &who, &r, &number, &row, &error));
		CHECK_INT(number, i);
	}
	r = record(MSG_RECORD_ADD, MSG_RECORD_WORK, 2);
	CHECK(writer_record(w, &who, &r, &number, &row, &error) && number == 2);
	r = record(MSG_RECORD_CLOSE, MSG_RECORD_INCIDENT, 2);
	CHECK(!writer_record(w, &who, &r, &number, &row, &error));
	CHECK_STR(error, "the record of this number is of another kind");
	r = record(MSG_RECORD_ADD, MSG_RECORD_WORK, 9);
	CHECK(!writer_record(w, &who, &r, &number, &row, &error));
	CHECK_STR(error, "there is no record of this number");
	/* On the disk at once, with who it was by the kernel's word; numbers go on in the next life. */
	ngot = 0;
	store_deeds(writer_store(w), ROW_RECORD, row, row, false, keep, NULL);
	CHECK(ngot == 1 && got[0].u.record.uid == 1001 && got[0].u.record.it.what == MSG_RECORD_ADD);
	CHECK_STR(got[0].u.record.account, "sato");
	writer_free(w);
	w = writer_new(&o, in, names);
	writer_tick(w);
	r = record(MSG_RECORD_NEW, MSG_RECORD_TRAINING, 0);
	CHECK(writer_record(w, &who, &r, &number, &row, &error) && number == 4);
	/* Commands wait for the next tick, in their order. */
	struct msg_work work = {.at = 5, .kind = MSG_WORK_REQUEST};
	struct msg_login gone = {.at = 6, .event = MSG_LOGIN_IDLE};
	writer_work(w, &work);
	writer_login(w, &gone);
	CHECK(writer_tick(w));
	CHECK_STR(verify(writer_store(w)), "");
	CHECK_INT(store_newest(writer_store(w)), row + 2);
	writer_free(w);
	names_free(names);
	intake_free(in);
}

/* A store of the version before accounts: what it has keeps its hashes. */
static void test_version_2(void)
{
	const char *dir = temp_begin();
	struct store *s = open_at(dir);
	struct msg_commit_row c = {.at = 8, .generation = 3, .who = "sato"};

	store_begin(s);
	store_put_commit(s, &c);
	CHECK_INT(store_commit(s), STORE_OK);
	store_free(s);
	tamper(dir, "ALTER TABLE commits DROP COLUMN uid; ALTER TABLE commits DROP COLUMN account; DROP TABLE commands;"
		"DROP TABLE logins; DROP TABLE records; PRAGMA user_version=2");
	s = open_at(dir);
	CHECK_STR(verify(s), "");
	struct store_deed d = entry(5, 1, MSG_RECORD_NEW);
	put(s, &d, 1);
	MSG_TEXT(c.account, "sato");
	store_begin(s);
	store_put_commit(s, &c);
	CHECK_INT(store_commit(s), STORE_OK);
	CHECK_STR(verify(s), "");
	store_free(s);
}

int main(void)
{
	clock_set_test(&(struct wall){1800000000}, &(struct mono){INT64_C(1000000000)});
	test_round_trip();
	test_tampering();
	test_pruning();
	test_questions();
	test_entries();
	test_version_2();
	temp_end();
	return test_end();
}
