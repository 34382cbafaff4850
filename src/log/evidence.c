/*
 * evidence.c: rows of the store as they are, one JSON object a row: {"table":"drops","seq":…,every column…};
 * bytes (addresses, hashes of the chain) in hex. Every column is there, so that the chain can be checked
 * again from the file.
 *
 * Input: the own store, read only; the rings of intake. Limits: EVIDENCE_ROWS of each table (the newest),
 * EVIDENCE_BYTES in all; what was left out is said in `error`. Failure: ok 0 with a reason; what was written
 * until then stays.
 */
#include "evidence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sekisho/buf.h>
#include <sekisho/json.h>

#include "intake.h"
#include "rows.h"
#include "store_private.h"

static bool write_all(int fd, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0) {
		ssize_t k = write(fd, b, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		b += k;
		n -= (size_t)k;
	}
	return true;
}

static void hex_json(struct json *j, const char *key, const uint8_t *p, size_t n)
{
	char text[2 * 64 + 1] = "";

	for (size_t i = 0; i < n && i < 64; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	json_str(j, key, text);
}

static void row_json(struct buf *out, const char *table, sqlite3_stmt *st)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "table", table);
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const char *key = sqlite3_column_name(st, i);
		switch (sqlite3_column_type(st, i)) {
		case SQLITE_INTEGER: json_int(&j, key, sqlite3_column_int64(st, i)); break;
		case SQLITE_TEXT: json_str(&j, key, (const char *)sqlite3_column_text(st, i)); break;
		case SQLITE_BLOB: hex_json(&j, key, sqlite3_column_blob(st, i), (size_t)sqlite3_column_bytes(st, i)); break;
		default: json_null(&j, key); break;
		}
	}
	json_object_end(&j);
	buf_addc(out, '\n');
}

struct making {
	int fd;
	size_t bytes;
	struct buf out;
	struct msg_evidence_done *ret;
};

static bool flush(struct making *m)
{
	bool good = write_all(m->fd, m->out.data, m->out.len);

	m->bytes += m->out.len;
	buf_clear(&m->out);
	if (!good)
		MSG_TEXT(m->ret->error, "the records could not be written");
	return good;
}

static bool take_row(struct making *m, const char *table, sqlite3_stmt *st)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);

	row_json(&m->out, table, st);
	m->ret->rows++;
	if (m->ret->first == 0 || seq < m->ret->first)
		m->ret->first = seq;
	if (seq > m->ret->last)
		m->ret->last = seq;
	return m->out.len < 65536 || flush(m);
}

/* False: stop. */
static bool put_table(struct making *m, struct store *s, const struct row_kind *k, int64_t since)
{
	bool drops = strcmp(k->table, "drops") == 0, good = true;
	unsigned n = 0;
	sqlite3_stmt *st;
	char sql[160];

	snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE %s>=?1 ORDER BY seq DESC", k->table, drops ? "last" : "at");
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK) {
		MSG_TEXT(m->ret->error, "the records cannot be read");
		return false;
	}
	sqlite3_bind_int64(st, 1, drops ? since * 1000000000 : since);
	while (good && sqlite3_step(st) == SQLITE_ROW) {
		if (++n > EVIDENCE_ROWS || m->bytes > EVIDENCE_BYTES) {
			MSG_TEXT(m->ret->error, "there are more records than a freeze takes: the newest are in it");
			break;
		}
		good = take_row(m, k->table, st);
	}
	sqlite3_finalize(st);
	return good;
}

static void put_packets(struct intake *in, int fd, struct msg_evidence_done *ret)
{
	struct buf out = {0};

	ret->packets = intake_heads(in, &out);
	if (!write_all(fd, out.data, out.len))
		MSG_TEXT(ret->error, "the packets could not be written");
	buf_free(&out);
}

void evidence_make(struct store *s, struct intake *in, const struct msg_evidence *q, const int fds[2],
	struct msg_evidence_done *ret)
{
	struct making m = {.fd = fds[0], .ret = ret};
	bool good = s != NULL;

	*ret = (struct msg_evidence_done){0};
	if (s == NULL)
		MSG_TEXT(ret->error, "there is no store of records now");
	for (unsigned i = 0; good && i < ROW_TABLES; i++)
		good = put_table(&m, s, &row_kinds[i], q->since);
	if (good)
		good = flush(&m);
	buf_free(&m.out);
	put_packets(in, fds[1], ret);
	ret->ok = good;
}
