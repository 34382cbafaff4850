/* The mail ledger: rows, questions, approvals, the chain, a full disk, a damaged file. */
#include "ledger.h"
#include "test.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/mail_reason.h>

static char dir[] = "/tmp/sekisho-ledger-XXXXXX";

static const char *path(void)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s/mail.db", dir);
	return buf;
}

static void empty(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s/*", dir);
	CHECK_INT(system(command), 0);
}

static struct ledger *open_ledger(uint64_t space)
{
	char note[128];
	struct ledger *l = ledger_open(dir, space, note, sizeof(note));

	CHECK(l != NULL);
	CHECK_STR(note, "");
	return l;
}

static struct msg_mail_entry entry(uint64_t id, uint32_t verdict, const char *sender, const char *receipt)
{
	struct msg_mail_entry e = {.id = id, .at = 1000 + (int64_t)id, .direction = MSG_MAIL_OUT, .verdict = verdict,
		.size = 500, .nrecipients = 1, .sha256 = {7}};

	MSG_TEXT(e.sender, sender);
	MSG_TEXT(e.recipients, "Someone@Example.com other@example.net");
	MSG_TEXT(e.receipt, receipt);
	return e;
}

static void put(struct ledger *l, uint64_t id, uint32_t verdict, const char *sender, const char *receipt)
{
	struct msg_mail_entry e = entry(id, verdict, sender, receipt);

	ledger_put_entry(l, &e, "{\"removed\":[]}");
}

static unsigned found(struct ledger *l, const struct msg_mail_query *q, uint64_t *ret_last)
{
	struct msg_mail_row row;
	uint64_t before = 0;
	char *report;
	unsigned n = 0;

	while (ledger_find(l, q, before, &row, &report) == 1) {
		CHECK(before == 0 || row.sequence < before);
		before = *ret_last = row.sequence;
		free(report);
		n++;
	}
	return n;
}

static void test_rows(void)
{
	struct ledger *l = open_ledger(LEDGER_SPACE);
	struct msg_mail_outcome o = {.id = 2, .at = 2000, .result = MSG_MAIL_DELIVERED, .code = 250};
	struct msg_mail_query q = {0};
	struct msg_mail_row row;
	uint64_t rows, bad, last;
	char *report, who[64];
	uint8_t hash[32] = {7};
	int64_t at = 0;

	CHECK(ledger_commit(l)); /* nothing to do */
	put(l, 1, MSG_MAIL_HELD, "a@town.example.lg.jp", "AAAA-1");
	put(l, 2, MSG_MAIL_PASS, "b@town.example.lg.jp", "AAAA-2");
	put(l, 3, MSG_MAIL_REFUSED, "", "");
	ledger_put_outcome(l, &o);
	CHECK(ledger_commit(l));
	CHECK_INT(found(l, &q, &last), 3);
	MSG_TEXT(q.sender, "B@TOWN");
	CHECK_INT(found(l, &q, &last), 1);
	CHECK_INT(ledger_find(l, &q, 0, &row, &report), 1);
	CHECK(row.id == 2 && row.result == MSG_MAIL_DELIVERED && row.code == 250 && row.sha256[0] == 7 && row.size == 500);
	CHECK_STR(report, "{\"removed\":[]}");
	free(report);
	q = (struct msg_mail_query){0};
	MSG_TEXT(q.recipient, "someone@example");
	CHECK_INT(found(l, &q, &last), 3);
	MSG_TEXT(q.recipient, "%"); /* no pattern of anybody's */
	CHECK_INT(found(l, &q, &last), 0);
	q = (struct msg_mail_query){.verdict = MSG_MAIL_HELD, .since = 1001, .until = 1001, .direction = MSG_MAIL_OUT};
	CHECK_INT(found(l, &q, &last), 1);
	q.direction = MSG_MAIL_IN;
	CHECK_INT(found(l, &q, &last), 0);
	CHECK(ledger_is_held(l, "AAAA-1") && !ledger_is_held(l, "AAAA-2") && !ledger_is_held(l, ""));
	CHECK(!ledger_is_held(l, "' OR 1"));
	CHECK(!ledger_approval(l, "AAAA-1", hash, &at, who));
	ledger_put_approval(l, 3000, "AAAA-1", "佐藤");
	CHECK(ledger_commit(l));
	CHECK(ledger_approval(l, "AAAA-1", hash, &at, who) && at == 3000);
	hash[0]++; /* another mail with that number */
	CHECK(!ledger_approval(l, "AAAA-1", hash, &at, who));
	CHECK_STR(who, "佐藤");
	CHECK(ledger_verify(l, &rows, &bad));
	CHECK_INT(rows, 5);
	ledger_close(l);
	/* Another life goes on with the same chain. */
	l = open_ledger(LEDGER_SPACE);
	put(l, 4, MSG_MAIL_PASS, "c@town.example.lg.jp", "AAAA-3");
	CHECK(ledger_commit(l));
	CHECK(ledger_verify(l, &rows, &bad));
	CHECK_INT(rows, 6);
	ledger_close(l);
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
	static const char *const changes[] = {"UPDATE ledger SET sender='x' WHERE seq=2", "DELETE FROM ledger WHERE seq=3",
		"UPDATE ledger SET verdict=1 WHERE seq=1", "DELETE FROM ledger WHERE seq=1",
		"UPDATE ledger SET report=NULL WHERE seq=2"};
	uint64_t rows, bad;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		empty();
		struct ledger *l = open_ledger(LEDGER_SPACE);
		for (uint64_t n = 1; n <= 4; n++)
			put(l, n, MSG_MAIL_HELD, "a@town.example.lg.jp", "AAAA-1");
		CHECK(ledger_commit(l));
		ledger_close(l);
		tamper(changes[i]);
		l = open_ledger(LEDGER_SPACE);
		CHECK(!ledger_verify(l, &rows, &bad));
		CHECK_INT(bad, rows + 1);
		ledger_close(l);
	}
}

/* The oldest rows go, the chain still begins somewhere known; a mail is refused at most once for it. */
static void test_full(void)
{
	struct ledger *l;
	static char report[4000];
	uint64_t rows, bad, failed = 0;

	empty();
	memset(report, 'x', sizeof(report) - 1);
	l = open_ledger(8u << 20);
	for (uint64_t n = 1; n <= 4000; n++) {
		struct msg_mail_entry e = entry(n, MSG_MAIL_PASS, "a@town.example.lg.jp", "AAAA-1");
		ledger_put_entry(l, &e, report);
		failed += n % 20 == 0 && !ledger_commit(l);
	}
	CHECK(failed > 0 && failed < 10);
	CHECK(ledger_verify(l, &rows, &bad));
	CHECK(rows > 500 && rows < 3500);
	ledger_close(l);
	l = open_ledger(8u << 20);
	CHECK(ledger_verify(l, &rows, &bad));
	ledger_close(l);
}

static void test_damage(void)
{
	char note[128];
	FILE *f;

	empty();
	f = fopen(path(), "we");
	CHECK(f != NULL && fputs("this is no ledger, whatever its name says, and it is long enough to be read", f) >= 0);
	if (f != NULL)
		fclose(f);
	struct ledger *l = ledger_open(dir, LEDGER_SPACE, note, sizeof(note));
	CHECK(l != NULL && strstr(note, "set aside") != NULL);
	if (l != NULL) {
		put(l, 1, MSG_MAIL_PASS, "", "");
		CHECK(ledger_commit(l));
	}
	ledger_close(l);
	CHECK(ledger_open("/nowhere/at/all", LEDGER_SPACE, note, sizeof(note)) == NULL);
}

int main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	test_rows();
	test_tampering();
	test_full();
	test_damage();
	empty();
	rmdir(dir);
	return test_end();
}
