/*
 * ledger.c: the mail ledger's file (see ledger.h).
 *
 * Input: rows of our own; messages of sekisho-maild, which reads SMTP of the internet (checked by msg_recv(), bound as
 * values, never part of a statement); the file itself may be damaged.
 * Failure: the first error of a transaction sticks; ledger_commit() rolls back and the numbering is as before. A full file
 * gives up its oldest rows and is tried once more.
 */
#include "ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <sekisho/judge.h>

#include "chain.h"
#include "mailbook.h"
#include "rows.h"
#include "sidefile.h"

#define PAGE 4096
#define REMOVED_AT_ONCE 1000

enum kind { KIND_MAIL = 'm', KIND_OUTCOME = 'o', KIND_APPROVAL = 'p' };

/*
 * One table: the columns of all kinds, NULL where a kind has none. In the order of hashing; `tls` came later than the others:
 * a row without it is hashed as it was before there was such a column.
 */
#define COLUMNS                                                                                                  \
	"seq,kind,id,at,direction,verdict,reason,notes,nrecipients,size,size_out,sha256,sha256_out,receipt,client,helo," \
	"sender,recipients,detail,report,result,code,server,text,who,tls"
#define NCOLUMNS 26
#define COLUMN_TLS 25

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *put;
	char path[512];
	uint64_t next, next_before;
	uint8_t head[CHAIN_HASH], head_before[CHAIN_HASH];
	bool open; /* a transaction */
	int error;
};

static struct chain_column integer(int64_t i)
{
	return (struct chain_column){.type = CHAIN_INT, .i = i};
}

static struct chain_column text(const char *s)
{
	return s == NULL ? (struct chain_column){.type = CHAIN_NULL} : (struct chain_column){CHAIN_TEXT, 0, s, strlen(s)};
}

static struct chain_column text_or_none(const char *s)
{
	return text(s[0] != '\0' ? s : NULL);
}

static struct chain_column blob(const uint8_t hash[32])
{
	return (struct chain_column){CHAIN_BLOB, 0, hash, 32};
}

static void fail(struct ledger *l, int rc)
{
	if (l->error == SQLITE_OK && rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
		l->error = rc;
}

static void run(struct ledger *l, const char *sql)
{
	if (l->error == SQLITE_OK)
		fail(l, sqlite3_exec(l->db, sql, NULL, NULL, NULL));
}

/* -- Opening --------------------------------------------------------------------------------------------------- */

static void configure(struct ledger *l, uint64_t space)
{
	char sql[256];

	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA max_page_count=%llu",
		PAGE, (unsigned long long)(space / PAGE));
	run(l, sql);
	run(l, "CREATE TABLE IF NOT EXISTS ledger(seq INTEGER PRIMARY KEY,kind TEXT,id INTEGER,at INTEGER,direction INTEGER,"
	       "verdict INTEGER,reason INTEGER,notes INTEGER,nrecipients INTEGER,size INTEGER,size_out INTEGER,sha256 BLOB,"
	       "sha256_out BLOB,receipt TEXT,client TEXT,helo TEXT,sender TEXT,recipients TEXT,detail TEXT,report TEXT,result INTEGER,"
	       "code INTEGER,server TEXT,text TEXT,who TEXT,hash BLOB);"
	       "CREATE INDEX IF NOT EXISTS of_receipt ON ledger(receipt) WHERE receipt<>'';"
	       "CREATE INDEX IF NOT EXISTS of_id ON ledger(id) WHERE kind='o';"
	       "CREATE TABLE IF NOT EXISTS anchor(one INTEGER PRIMARY KEY,upto INTEGER,hash BLOB)");
}

/* A file of before there was TLS. */
static void add_columns(struct ledger *l)
{
	if (l->error == SQLITE_OK && sqlite3_table_column_metadata(l->db, NULL, "ledger", "tls", NULL, NULL,
					     NULL, NULL, NULL) == SQLITE_ERROR)
		run(l, "ALTER TABLE ledger ADD COLUMN tls TEXT");
}

/* The newest row of a table, as number and hash. */
static void take_newest(struct ledger *l, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(st, 1) != CHAIN_HASH) {
			rc = SQLITE_CORRUPT;
		} else {
			l->next = (uint64_t)sqlite3_column_int64(st, 0) + 1;
			memcpy(l->head, sqlite3_column_blob(st, 1), CHAIN_HASH);
		}
	}
	sqlite3_finalize(st);
	fail(l, rc);
}

static bool begin(struct ledger *l, uint64_t space)
{
	static const char put[] = "INSERT INTO ledger(" COLUMNS ",hash) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

	l->error = SQLITE_OK;
	fail(l, sqlite3_open_v2(l->path, &l->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_NOFOLLOW, NULL));
	if (l->error == SQLITE_OK)
		configure(l, space);
	add_columns(l);
	l->next = 1;
	if (l->error == SQLITE_OK)
		take_newest(l, "SELECT upto,hash FROM anchor");
	if (l->error == SQLITE_OK)
		take_newest(l, "SELECT seq,hash FROM ledger ORDER BY seq DESC LIMIT 1");
	if (l->error == SQLITE_OK)
		fail(l, sqlite3_prepare_v3(l->db, put, -1, SQLITE_PREPARE_PERSISTENT, &l->put, NULL));
	return l->error == SQLITE_OK;
}

static void close_db(struct ledger *l)
{
	sqlite3_finalize(l->put);
	sqlite3_close(l->db);
	l->put = NULL;
	l->db = NULL;
}

struct ledger *ledger_open(const char *dir, uint64_t space, char *note, size_t note_size)
{
	struct ledger *l = calloc(1, sizeof(*l));

	note[0] = '\0';
	if (l == NULL)
		return NULL;
	snprintf(l->path, sizeof(l->path), "%s/mail.db", dir);
	bool good = begin(l, space);
	if (!good && sidefile_damaged(l->error)) {
		close_db(l);
		good = sidefile_set_aside(l->path, "the mail ledger", note, note_size) && begin(l, space);
	}
	if (good)
		return l;
	ledger_close(l);
	return NULL;
}

void ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	close_db(l);
	free(l);
}

/* -- Writing --------------------------------------------------------------------------------------------------- */

static void open_transaction(struct ledger *l)
{
	if (l->open)
		return;
	l->open = true;
	l->error = SQLITE_OK;
	l->next_before = l->next;
	memcpy(l->head_before, l->head, CHAIN_HASH);
	run(l, "BEGIN IMMEDIATE");
}

static unsigned hashed(const struct chain_column c[NCOLUMNS])
{
	return c[COLUMN_TLS].type == CHAIN_NULL ? COLUMN_TLS : NCOLUMNS;
}

/* c[2..]: what the kind has; number, kind and hash are given here. */
static void put(struct ledger *l, enum kind kind, struct chain_column c[NCOLUMNS + 1])
{
	uint8_t hash[CHAIN_HASH];
	char word[2] = {(char)kind, '\0'};

	open_transaction(l);
	if (l->error != SQLITE_OK)
		return;
	c[0] = integer((int64_t)l->next);
	c[1] = text(word);
	chain_hash(l->head, (char)kind, c, hashed(c), hash);
	c[NCOLUMNS] = blob(hash);
	fail(l, row_bind(l->put, c, NCOLUMNS + 1));
	fail(l, sqlite3_step(l->put));
	fail(l, sqlite3_reset(l->put));
	sqlite3_clear_bindings(l->put);
	memcpy(l->head, hash, CHAIN_HASH);
	l->next++;
}

static void none(struct chain_column c[NCOLUMNS + 1])
{
	for (unsigned i = 0; i <= NCOLUMNS; i++)
		c[i] = (struct chain_column){.type = CHAIN_NULL};
}

void ledger_put_entry(struct ledger *l, const struct msg_mail_entry *e, const char *report_json)
{
	struct chain_column c[NCOLUMNS + 1];

	none(c);
	c[2] = integer((int64_t)e->id);
	c[3] = integer(e->at);
	c[4] = integer(e->direction);
	c[5] = integer(e->verdict);
	c[6] = integer(e->reason);
	c[7] = integer(e->notes);
	c[8] = integer(e->nrecipients);
	c[9] = integer((int64_t)e->size);
	c[10] = integer((int64_t)e->size_out);
	c[11] = blob(e->sha256);
	c[12] = blob(e->sha256_out);
	c[13] = text(e->receipt);
	c[14] = text(e->client);
	c[15] = text(e->helo);
	c[16] = text(e->sender);
	c[17] = text(e->recipients);
	c[18] = text(e->detail);
	c[19] = text(report_json);
	c[22] = text(e->meant); /* of an outcome: the server that was spoken to */
	c[COLUMN_TLS] = text_or_none(e->tls);
	put(l, KIND_MAIL, c);
}

void ledger_put_outcome(struct ledger *l, const struct msg_mail_outcome *o)
{
	struct chain_column c[NCOLUMNS + 1];

	none(c);
	c[2] = integer((int64_t)o->id);
	c[3] = integer(o->at);
	c[20] = integer(o->result);
	c[21] = integer(o->code);
	c[22] = text(o->server);
	c[23] = text(o->text);
	c[COLUMN_TLS] = text_or_none(o->tls);
	put(l, KIND_OUTCOME, c);
}

void ledger_put_approval(struct ledger *l, int64_t at, const char *receipt, const char *who)
{
	struct chain_column c[NCOLUMNS + 1];

	none(c);
	c[3] = integer(at);
	c[13] = text(receipt);
	c[24] = text(who);
	put(l, KIND_APPROVAL, c);
}

static void roll_back(struct ledger *l)
{
	if (sqlite3_get_autocommit(l->db) == 0)
		sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	l->next = l->next_before;
	memcpy(l->head, l->head_before, CHAIN_HASH);
}

/* The oldest rows go; where the chain goes on from is kept. */
static void make_room(struct ledger *l)
{
	char sql[512];

	l->error = SQLITE_OK;
	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; INSERT OR REPLACE INTO anchor SELECT 1,seq,hash FROM ledger ORDER BY seq LIMIT 1 OFFSET "
		"%d; DELETE FROM ledger WHERE seq<=(SELECT upto FROM anchor); COMMIT", REMOVED_AT_ONCE - 1);
	run(l, sql);
	if (sqlite3_get_autocommit(l->db) == 0)
		sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
}

bool ledger_commit(struct ledger *l)
{
	if (!l->open)
		return true;
	l->open = false;
	run(l, "COMMIT");
	if (l->error == SQLITE_OK)
		return true;
	int error = l->error;
	roll_back(l);
	/* This transaction is lost to its askers, who try again; the next one finds room. */
	if ((error & 0xff) == SQLITE_FULL)
		make_room(l);
	return false;
}

/* -- Reading --------------------------------------------------------------------------------------------------- */

static void read_text(sqlite3_stmt *st, int at, char *dst, size_t size)
{
	const char *s = (const char *)sqlite3_column_text(st, at);

	msg_text(dst, size, s != NULL ? s : "");
}

#define READ_TEXT(st, at, array) read_text((st), (at), (array), sizeof(array))

static void read_hash(sqlite3_stmt *st, int at, uint8_t ret[32])
{
	if (sqlite3_column_bytes(st, at) == 32)
		memcpy(ret, sqlite3_column_blob(st, at), 32);
}

static void read_row(sqlite3_stmt *st, struct msg_mail_row *r)
{
	*r = (struct msg_mail_row){.sequence = (uint64_t)sqlite3_column_int64(st, 0),
		.id = (uint64_t)sqlite3_column_int64(st, 2),
		.at = sqlite3_column_int64(st, 3), .direction = (uint32_t)sqlite3_column_int64(st, 4),
		.verdict = (uint32_t)sqlite3_column_int64(st, 5), .reason = (uint32_t)sqlite3_column_int64(st, 6),
		.notes = (uint32_t)sqlite3_column_int64(st, 7), .nrecipients = (uint32_t)sqlite3_column_int64(st, 8),
		.size = (uint64_t)sqlite3_column_int64(st, 9), .size_out = (uint64_t)sqlite3_column_int64(st, 10)};
	read_hash(st, 11, r->sha256);
	read_hash(st, 12, r->sha256_out);
	READ_TEXT(st, 13, r->receipt);
	READ_TEXT(st, 14, r->client);
	READ_TEXT(st, 15, r->helo);
	READ_TEXT(st, 16, r->sender);
	READ_TEXT(st, 17, r->recipients);
	READ_TEXT(st, 18, r->detail);
	READ_TEXT(st, 22, r->meant);
	READ_TEXT(st, COLUMN_TLS, r->tls);
	read_hash(st, NCOLUMNS, r->hash);
}

/* What became of it: the newest word. */
static void read_outcome(struct ledger *l, struct msg_mail_row *r)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(l->db, "SELECT at,result,code,server,text,tls FROM ledger WHERE kind='o' AND id=?1 ORDER BY seq DESC LIMIT 1",
		    -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, (int64_t)r->id);
		if (sqlite3_step(st) == SQLITE_ROW) {
			r->result_at = sqlite3_column_int64(st, 0);
			r->result = (uint32_t)sqlite3_column_int64(st, 1);
			r->code = (uint32_t)sqlite3_column_int64(st, 2);
			READ_TEXT(st, 3, r->server);
			READ_TEXT(st, 4, r->text);
			READ_TEXT(st, 5, r->server_tls);
		}
	}
	sqlite3_finalize(st);
}

/* Names of one's own choosing bind as values; a part of an address is enough to find it. */
static void bind_question(sqlite3_stmt *st, const struct msg_mail_query *q, uint64_t before)
{
	sqlite3_bind_int64(st, 1, before == 0 ? INT64_MAX : (int64_t)before);
	sqlite3_bind_text(st, 2, q->receipt, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, q->sender, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, q->recipient, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, q->since);
	sqlite3_bind_int64(st, 6, q->until == 0 ? INT64_MAX : q->until);
	sqlite3_bind_int64(st, 7, q->direction);
	sqlite3_bind_int64(st, 8, q->verdict);
}

int ledger_find(struct ledger *l, const struct msg_mail_query *q, uint64_t before, struct msg_mail_row *ret, char **ret_report)
{
	static const char sql[] = "SELECT " COLUMNS ",hash FROM ledger WHERE kind='m' AND seq<?1 AND (?2='' OR receipt=?2) AND "
		"(?3='' OR instr(lower(sender),lower(?3))>0) AND (?4='' OR instr(lower(recipients),lower(?4))>0) AND at>=?5 AND at<=?6 AND "
		"(?7=0 OR direction=?7) AND (?8=0 OR verdict=?8) ORDER BY seq DESC LIMIT 1";
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL);

	*ret_report = NULL;
	if (rc == SQLITE_OK) {
		bind_question(st, q, before);
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW) {
			read_row(st, ret);
			const char *report = (const char *)sqlite3_column_text(st, 19);
			*ret_report = report != NULL ? strdup(report) : NULL;
		}
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? 0 : -EIO;
	read_outcome(l, ret);
	return 1;
}

bool ledger_is_held(struct ledger *l, const char *receipt)
{
	struct msg_mail_query q = {.verdict = MSG_MAIL_HELD};
	struct msg_mail_row row;
	char *report;

	MSG_TEXT(q.receipt, receipt);
	int r = q.receipt[0] != '\0' ? ledger_find(l, &q, 0, &row, &report) : 0;
	if (r == 1)
		free(report);
	return r == 1;
}

bool ledger_approval(struct ledger *l, const char *receipt, const uint8_t sha256[32], int64_t *ret_at, char *who)
{
	static const char sql[] = "SELECT at,who FROM ledger WHERE kind='p' AND receipt=?1 AND EXISTS(SELECT 1 FROM ledger WHERE "
		"kind='m' AND verdict=3 AND receipt=?1 AND sha256=?2) ORDER BY seq DESC LIMIT 1";
	sqlite3_stmt *st = NULL;
	bool found = false;

	if (sqlite3_prepare_v2(l->db, sql, -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, receipt, -1, SQLITE_STATIC);
		sqlite3_bind_blob(st, 2, sha256, 32, SQLITE_STATIC);
		found = sqlite3_step(st) == SQLITE_ROW;
		if (found) {
			*ret_at = sqlite3_column_int64(st, 0);
			read_text(st, 1, who, 64);
		}
	}
	sqlite3_finalize(st);
	return found;
}

/* -- For the people in charge ------------------------------------------------------------------------------------ */

static uint64_t newest(struct ledger *l)
{
	return l->open ? l->next_before - 1 : l->next - 1;
}

/* A mail that is sent again and again until it is approved is told once, by its receipt number. */
int ledger_news(struct ledger *l, uint64_t after, struct mail_news *ret, uint64_t *ret_newest)
{
	static const char sql[] = "SELECT seq,at,verdict,receipt,sender FROM ledger AS m WHERE kind='m' AND seq>?1 AND seq<=?2 AND "
		"(verdict=3 OR (verdict=1 AND (notes&?3)<>0)) AND NOT EXISTS(SELECT 1 FROM ledger AS e WHERE e.receipt=m.receipt AND "
		"e.receipt<>'' AND e.kind='m' AND e.verdict=m.verdict AND e.seq<m.seq) ORDER BY seq LIMIT 1";
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL);

	*ret_newest = newest(l);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, (int64_t)after);
		sqlite3_bind_int64(st, 2, (int64_t)*ret_newest);
		sqlite3_bind_int64(st, 3, JUDGE_NOTE_MYNUMBER_TELL);
		rc = sqlite3_step(st);
	}
	if (rc == SQLITE_ROW) {
		*ret = (struct mail_news){.sequence = (uint64_t)sqlite3_column_int64(st, 0), .at = sqlite3_column_int64(st, 1),
			.held = sqlite3_column_int64(st, 2) == MSG_MAIL_HELD};
		READ_TEXT(st, 3, ret->receipt);
		READ_TEXT(st, 4, ret->sender);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -EIO;
}

static void add_count(sqlite3_stmt *st, struct msg_alarm_mails ret[2])
{
	int64_t direction = sqlite3_column_int64(st, 0);
	uint64_t n = (uint64_t)sqlite3_column_int64(st, 2);

	if (direction != MSG_MAIL_IN && direction != MSG_MAIL_OUT)
		return;
	struct msg_alarm_mails *m = &ret[direction - 1];
	switch (sqlite3_column_int64(st, 1)) {
	case MSG_MAIL_PASS:
		m->passed = n;
		m->warned = (uint64_t)sqlite3_column_int64(st, 3);
		break;
	case MSG_MAIL_REFUSED:
		m->refused = n;
		break;
	case MSG_MAIL_HELD:
		m->held = (uint64_t)sqlite3_column_int64(st, 4);
		break;
	case MSG_MAIL_DEFERRED:
		m->deferred = n;
		break;
	default:
		break;
	}
}

int ledger_counts(struct ledger *l, int64_t since, int64_t until, struct msg_alarm_mails ret[2])
{
	static const char sql[] = "SELECT direction,verdict,count(*),sum((notes&?3)<>0),count(DISTINCT receipt) FROM ledger "
		"WHERE kind='m' AND at>=?1 AND at<?2 GROUP BY direction,verdict";
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL);

	memset(ret, 0, 2 * sizeof(*ret));
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, since);
		sqlite3_bind_int64(st, 2, until);
		sqlite3_bind_int64(st, 3, JUDGE_NOTE_MYNUMBER_TELL);
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			add_count(st, ret);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : -EIO;
}

static void column(sqlite3_stmt *st, int at, struct chain_column *c)
{
	switch (sqlite3_column_type(st, at)) {
	case SQLITE_INTEGER:
		*c = integer(sqlite3_column_int64(st, at));
		break;
	case SQLITE_TEXT:
		*c = (struct chain_column){CHAIN_TEXT, 0, sqlite3_column_text(st, at), (size_t)sqlite3_column_bytes(st, at)};
		break;
	case SQLITE_BLOB:
		*c = (struct chain_column){CHAIN_BLOB, 0, sqlite3_column_blob(st, at), (size_t)sqlite3_column_bytes(st, at)};
		break;
	default:
		*c = (struct chain_column){.type = CHAIN_NULL};
		break;
	}
}

/* Does the statement's row follow `prev`? prev becomes its own. */
static bool follows(sqlite3_stmt *st, uint8_t prev[CHAIN_HASH])
{
	struct chain_column c[NCOLUMNS];
	uint8_t hash[CHAIN_HASH];

	for (unsigned i = 0; i < NCOLUMNS; i++)
		column(st, (int)i, &c[i]);
	const char *kind = c[1].type == CHAIN_TEXT && c[1].n == 1 ? c[1].p : "?";
	chain_hash(prev, kind[0], c, hashed(c), hash);
	if (sqlite3_column_bytes(st, NCOLUMNS) != CHAIN_HASH ||
		memcmp(hash, sqlite3_column_blob(st, NCOLUMNS), CHAIN_HASH) != 0)
		return false;
	memcpy(prev, hash, CHAIN_HASH);
	return true;
}

static uint64_t read_anchor(struct ledger *l, uint8_t hash[CHAIN_HASH])
{
	sqlite3_stmt *st = NULL;
	uint64_t upto = 0;

	memset(hash, 0, CHAIN_HASH);
	if (sqlite3_prepare_v2(l->db, "SELECT upto,hash FROM anchor", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		upto = (uint64_t)sqlite3_column_int64(st, 0);
		read_hash(st, 1, hash);
	}
	sqlite3_finalize(st);
	return upto;
}

bool ledger_verify(struct ledger *l, uint64_t *ret_rows, uint64_t *ret_bad)
{
	sqlite3_stmt *st = NULL;
	uint8_t prev[CHAIN_HASH];
	uint64_t want = read_anchor(l, prev) + 1;

	*ret_rows = 0;
	*ret_bad = want;
	if (sqlite3_prepare_v2(l->db, "SELECT " COLUMNS ",hash FROM ledger ORDER BY seq", -1, &st, NULL) != SQLITE_OK)
		return false;
	while (sqlite3_step(st) == SQLITE_ROW && (uint64_t)sqlite3_column_int64(st, 0) == want && follows(st, prev)) {
		(*ret_rows)++;
		want++;
	}
	sqlite3_finalize(st);
	*ret_bad = want;
	return want == l->next;
}
