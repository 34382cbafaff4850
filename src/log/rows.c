/*
 * rows.c: rows to columns and back (see rows.h).
 *
 * Input: rows of our own, and what SQLite reads from a file that may be damaged: every text and blob is copied
 * bounded into its array, whatever its length.
 */
#include "rows.h"

#include <string.h>

const struct row_kind row_kinds[ROW_TABLES] = {
	[ROW_DROP] = {'d', "drops",
		"seq,first,last,count,loss,boot,seg_from,seg_to,iface,out_iface,src_mac,dst_mac,family,proto,"
		"tcp_flags,src,src_len,dst,dst_len,sport,dport,length,reason,generation,differs,rule,host_src,host_dst,"
		"why,seen,expected",
		"seq INTEGER PRIMARY KEY,first INTEGER,last INTEGER,count INTEGER,loss INTEGER,boot TEXT,seg_from TEXT,"
		"seg_to TEXT,iface TEXT,out_iface TEXT,src_mac BLOB,dst_mac BLOB,family INTEGER,proto INTEGER,"
		"tcp_flags INTEGER,src BLOB,src_len INTEGER,dst BLOB,dst_len INTEGER,sport INTEGER,dport INTEGER,"
		"length INTEGER,reason INTEGER,generation INTEGER,differs INTEGER,rule TEXT,host_src TEXT,host_dst TEXT,"
		"why INTEGER,seen INTEGER,expected INTEGER",
		31, false, 28},
	[ROW_FAULT] = {'f', "faults", "seq,at,severity,process,code,text",
		"seq INTEGER PRIMARY KEY,at INTEGER,severity INTEGER,process TEXT,code TEXT,text TEXT", 6, true, 0},
	[ROW_COMMIT] = {'c', "commits", "seq,at,generation,who,why,approval,uid,account",
		"seq INTEGER PRIMARY KEY,at INTEGER,generation INTEGER,who TEXT,why TEXT,approval TEXT,uid INTEGER,account TEXT", 8,
		true, 6},
	[ROW_ANCHOR] = {'a', "anchors", "seq,at,upto,rows,upto_hash,kept,note",
		"seq INTEGER PRIMARY KEY,at INTEGER,upto INTEGER,rows INTEGER,upto_hash BLOB,kept BLOB,note TEXT", 7, true,
		0},
	[ROW_COMMAND] = {'w', "commands", "seq,at,kind,result,uid,role,session,account,who,text",
		"seq INTEGER PRIMARY KEY,at INTEGER,kind INTEGER,result INTEGER,uid INTEGER,role INTEGER,session INTEGER,account TEXT,"
		"who TEXT,text TEXT", 10, true, 0},
	[ROW_LOGIN] = {'l', "logins", "seq,at,event,uid,role,session,seconds,account,terminal",
		"seq INTEGER PRIMARY KEY,at INTEGER,event INTEGER,uid INTEGER,role INTEGER,session INTEGER,seconds INTEGER,"
		"account TEXT,terminal TEXT", 9, true, 0},
	[ROW_RECORD] = {'r', "records",
		"seq,at,number,kind,what,occurred,uid,role,account,who,title,cause,action,prevention,note",
		"seq INTEGER PRIMARY KEY,at INTEGER,number INTEGER,kind INTEGER,what INTEGER,occurred INTEGER,uid INTEGER,role INTEGER,"
		"account TEXT,who TEXT,title TEXT,cause TEXT,action TEXT,prevention TEXT,note TEXT", 15, true, 0},
};

static struct chain_column integer(int64_t i)
{
	return (struct chain_column){.type = CHAIN_INT, .i = i};
}

static struct chain_column text(const char *s)
{
	return (struct chain_column){.type = CHAIN_TEXT, .p = s, .n = strlen(s)};
}

static struct chain_column blob(const void *p, size_t n)
{
	return n == 0 ? (struct chain_column){.type = CHAIN_NULL} : (struct chain_column){CHAIN_BLOB, 0, p, n};
}

static size_t addr_bytes(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

/* NULL where the inspector had no word in it, as in all rows of before there was one. */
static struct chain_column inspected(const struct msg_drop_row *r, uint8_t value)
{
	return r->why == 0 && r->seen == 0 ? (struct chain_column){.type = CHAIN_NULL} : integer(value);
}

unsigned row_drop_columns(const struct msg_drop_row *r, struct chain_column *c)
{
	const size_t mac = r->has_mac ? 6 : 0, addr = addr_bytes(r->family);
	const struct chain_column columns[] = {
		integer((int64_t)r->sequence), integer(r->first_ns), integer(r->last_ns), integer((int64_t)r->count),
		integer(r->loss), text(r->boot_id), text(r->from), text(r->to), text(r->iface), text(r->out_iface),
		blob(r->src_mac, mac), blob(r->dst_mac, mac), integer(r->family), integer(r->proto),
		integer(r->tcp_flags), blob(r->src, addr), integer(r->src_len), blob(r->dst, addr),
		integer(r->dst_len), integer(r->sport), integer(r->dport), integer(r->length), integer(r->reason),
		integer(r->generation), integer(r->differs), text(r->rule), text(r->host_src), text(r->host_dst),
		inspected(r, r->why), inspected(r, r->seen), inspected(r, r->expected)};

	memcpy(c, columns, sizeof(columns));
	return sizeof(columns) / sizeof(columns[0]);
}

unsigned row_hashed(enum row_table table, const struct chain_column *c)
{
	const struct row_kind *k = &row_kinds[table];
	unsigned n = k->n;

	while (k->first_version != 0 && n > k->first_version && c[n - 1].type == CHAIN_NULL)
		n--;
	return n;
}

unsigned row_fault_columns(const struct msg_fault_row *r, struct chain_column *c)
{
	const struct chain_column columns[] = {integer((int64_t)r->sequence), integer(r->at), integer(r->severity),
		text(r->process), text(r->code), text(r->text)};

	memcpy(c, columns, sizeof(columns));
	return sizeof(columns) / sizeof(columns[0]);
}

unsigned row_commit_columns(const struct msg_commit_row *r, struct chain_column *c)
{
	/* As all rows were before accounts were recorded. */
	const struct chain_column none = {.type = CHAIN_NULL};
	const bool named = r->account[0] != '\0';
	const struct chain_column columns[] = {integer((int64_t)r->sequence), integer(r->at), integer(r->generation),
		text(r->who), text(r->why), text(r->approval), named ? integer(r->uid) : none, named ? text(r->account) : none};

	memcpy(c, columns, sizeof(columns));
	return sizeof(columns) / sizeof(columns[0]);
}

unsigned row_command_columns(const struct msg_command_row *r, struct chain_column *c)
{
	const struct msg_work *w = &r->it;
	const struct chain_column columns[] = {integer((int64_t)r->sequence), integer(w->at), integer(w->kind),
		integer(w->result), integer(w->uid), integer(w->role), integer(w->session), text(w->account), text(w->who),
		text(w->text)};

	memcpy(c, columns, sizeof(columns));
	return sizeof(columns) / sizeof(columns[0]);
}

unsigned row_login_columns(const struct msg_login_row *r, struct chain_column *c)
{
	const struct msg_login *l = &r->it;
	const struct chain_column columns[] = {integer((int64_t)r->sequence), integer(l->at), integer(l->event),
		integer(l->uid), integer(l->role), integer(l->session), integer(l->seconds), text(l->account),
		text(l->terminal)};

	memcpy(c, columns, sizeof(columns));
	return sizeof(columns) / sizeof(columns[0]);
}

unsigned row_record_columns(const struct msg_record_row *r, struct chain_column *c)
{
	const struct msg_record *w = &r->it;
	const struct chain_column columns[] = {integer((int64_t)r->sequence), integer(r->at), integer(w->number),
		integer(w->kind), integer(w->what), integer(w->occurred), integer(r->uid), integer(r->role), text(r->account),
		text(w->who), text(w->title), text(w->cause), text(w->action), text(w->prevention), text(w->note)};

	memcpy(c, columns, sizeof(columns));
	return sizeof(columns) / sizeof(columns[0]);
}

unsigned row_anchor_columns(const struct anchor_row *r, struct chain_column *c)
{
	const struct chain_column columns[] = {integer((int64_t)r->sequence), integer(r->at),
		integer((int64_t)r->upto), integer((int64_t)r->rows), blob(r->upto_hash, CHAIN_HASH),
		blob(r->kept, CHAIN_HASH), text(r->note)};

	memcpy(c, columns, sizeof(columns));
	return sizeof(columns) / sizeof(columns[0]);
}

int row_bind(sqlite3_stmt *stmt, const struct chain_column *c, unsigned n)
{
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		int at = (int)i + 1;
		if (c[i].type == CHAIN_INT)
			rc = sqlite3_bind_int64(stmt, at, c[i].i);
		else if (c[i].type == CHAIN_TEXT)
			rc = sqlite3_bind_text(stmt, at, c[i].p, (int)c[i].n, SQLITE_STATIC);
		else if (c[i].type == CHAIN_BLOB)
			rc = sqlite3_bind_blob(stmt, at, c[i].p, (int)c[i].n, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(stmt, at);
	}
	return rc;
}

void row_columns(sqlite3_stmt *stmt, struct chain_column *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int at = (int)i;
		c[i] = (struct chain_column){.type = CHAIN_NULL};
		switch (sqlite3_column_type(stmt, at)) {
		case SQLITE_INTEGER:
			c[i] = integer(sqlite3_column_int64(stmt, at));
			break;
		case SQLITE_TEXT:
			c[i].type = CHAIN_TEXT;
			c[i].p = sqlite3_column_text(stmt, at);
			c[i].n = (size_t)sqlite3_column_bytes(stmt, at);
			break;
		case SQLITE_BLOB:
			c[i].type = CHAIN_BLOB;
			c[i].p = sqlite3_column_blob(stmt, at);
			c[i].n = (size_t)sqlite3_column_bytes(stmt, at);
			break;
		default:
			break;
		}
	}
}

static void read_text(sqlite3_stmt *stmt, int at, char *dst, size_t size)
{
	const char *s = (const char *)sqlite3_column_text(stmt, at);

	msg_text(dst, size, s != NULL ? s : "");
}

/* True when there was a blob; it is cut or zero-filled to n bytes. */
static bool read_blob(sqlite3_stmt *stmt, int at, uint8_t *dst, size_t n)
{
	const void *p = sqlite3_column_blob(stmt, at);
	size_t have = (size_t)sqlite3_column_bytes(stmt, at);

	memset(dst, 0, n);
	if (p == NULL)
		return false;
	memcpy(dst, p, have < n ? have : n);
	return true;
}

#define READ_TEXT(stmt, at, array) read_text((stmt), (at), (array), sizeof(array))

void row_drop_read(sqlite3_stmt *stmt, struct msg_drop_row *r, bool with_hash)
{
	memset(r, 0, sizeof(*r));
	r->sequence = (uint64_t)sqlite3_column_int64(stmt, 0);
	r->first_ns = sqlite3_column_int64(stmt, 1);
	r->last_ns = sqlite3_column_int64(stmt, 2);
	r->count = (uint64_t)sqlite3_column_int64(stmt, 3);
	r->loss = (uint32_t)sqlite3_column_int64(stmt, 4);
	READ_TEXT(stmt, 5, r->boot_id);
	READ_TEXT(stmt, 6, r->from);
	READ_TEXT(stmt, 7, r->to);
	READ_TEXT(stmt, 8, r->iface);
	READ_TEXT(stmt, 9, r->out_iface);
	r->has_mac = read_blob(stmt, 10, r->src_mac, sizeof(r->src_mac));
	read_blob(stmt, 11, r->dst_mac, sizeof(r->dst_mac));
	r->family = (uint8_t)sqlite3_column_int(stmt, 12);
	r->proto = (uint8_t)sqlite3_column_int(stmt, 13);
	r->tcp_flags = (uint8_t)sqlite3_column_int(stmt, 14);
	read_blob(stmt, 15, r->src, sizeof(r->src));
	r->src_len = (uint8_t)sqlite3_column_int(stmt, 16);
	read_blob(stmt, 17, r->dst, sizeof(r->dst));
	r->dst_len = (uint8_t)sqlite3_column_int(stmt, 18);
	r->sport = (uint16_t)sqlite3_column_int(stmt, 19);
	r->dport = (uint16_t)sqlite3_column_int(stmt, 20);
	r->length = (uint32_t)sqlite3_column_int64(stmt, 21);
	r->reason = (uint32_t)sqlite3_column_int64(stmt, 22);
	r->generation = (uint32_t)sqlite3_column_int64(stmt, 23);
	r->differs = (uint32_t)sqlite3_column_int64(stmt, 24);
	READ_TEXT(stmt, 25, r->rule);
	READ_TEXT(stmt, 26, r->host_src);
	READ_TEXT(stmt, 27, r->host_dst);
	r->why = (uint8_t)sqlite3_column_int(stmt, 28);
	r->seen = (uint8_t)sqlite3_column_int(stmt, 29);
	r->expected = (uint8_t)sqlite3_column_int(stmt, 30);
	r->open = !with_hash;
	if (with_hash)
		read_blob(stmt, 31, r->hash, sizeof(r->hash));
}

void row_fault_read(sqlite3_stmt *stmt, struct msg_fault_row *r)
{
	memset(r, 0, sizeof(*r));
	r->sequence = (uint64_t)sqlite3_column_int64(stmt, 0);
	r->at = sqlite3_column_int64(stmt, 1);
	r->severity = (uint32_t)sqlite3_column_int64(stmt, 2);
	READ_TEXT(stmt, 3, r->process);
	READ_TEXT(stmt, 4, r->code);
	READ_TEXT(stmt, 5, r->text);
}

void row_commit_read(sqlite3_stmt *stmt, struct msg_commit_row *r)
{
	memset(r, 0, sizeof(*r));
	r->sequence = (uint64_t)sqlite3_column_int64(stmt, 0);
	r->at = sqlite3_column_int64(stmt, 1);
	r->generation = (uint32_t)sqlite3_column_int64(stmt, 2);
	READ_TEXT(stmt, 3, r->who);
	READ_TEXT(stmt, 4, r->why);
	READ_TEXT(stmt, 5, r->approval);
	r->uid = (uint32_t)sqlite3_column_int64(stmt, 6);
	READ_TEXT(stmt, 7, r->account);
}

/* A number of ours that must be below `end`: a damaged one counts as 0 would. */
static uint32_t below(sqlite3_stmt *stmt, int at, uint32_t end, uint32_t otherwise)
{
	int64_t v = sqlite3_column_int64(stmt, at);

	return v >= 0 && v < end ? (uint32_t)v : otherwise;
}

void row_command_read(sqlite3_stmt *stmt, struct msg_command_row *r)
{
	memset(r, 0, sizeof(*r));
	r->sequence = (uint64_t)sqlite3_column_int64(stmt, 0);
	r->it.at = sqlite3_column_int64(stmt, 1);
	r->it.kind = sqlite3_column_int64(stmt, 2) == MSG_WORK_LINE ? MSG_WORK_LINE : MSG_WORK_REQUEST;
	r->it.result = (uint32_t)sqlite3_column_int64(stmt, 3);
	r->it.uid = (uint32_t)sqlite3_column_int64(stmt, 4);
	r->it.role = below(stmt, 5, MSG_ROLE_END, 0);
	r->it.session = (uint32_t)sqlite3_column_int64(stmt, 6);
	READ_TEXT(stmt, 7, r->it.account);
	READ_TEXT(stmt, 8, r->it.who);
	READ_TEXT(stmt, 9, r->it.text);
}

void row_login_read(sqlite3_stmt *stmt, struct msg_login_row *r)
{
	memset(r, 0, sizeof(*r));
	r->sequence = (uint64_t)sqlite3_column_int64(stmt, 0);
	r->it.at = sqlite3_column_int64(stmt, 1);
	r->it.event = below(stmt, 2, MSG_LOGIN_LOST + 1, MSG_LOGIN_LOST);
	r->it.event = r->it.event == 0 ? MSG_LOGIN_LOST : r->it.event;
	r->it.uid = (uint32_t)sqlite3_column_int64(stmt, 3);
	r->it.role = below(stmt, 4, MSG_ROLE_END, 0);
	r->it.session = (uint32_t)sqlite3_column_int64(stmt, 5);
	r->it.seconds = (uint32_t)sqlite3_column_int64(stmt, 6);
	READ_TEXT(stmt, 7, r->it.account);
	READ_TEXT(stmt, 8, r->it.terminal);
}

void row_record_read(sqlite3_stmt *stmt, struct msg_record_row *r)
{
	memset(r, 0, sizeof(*r));
	r->sequence = (uint64_t)sqlite3_column_int64(stmt, 0);
	r->at = sqlite3_column_int64(stmt, 1);
	r->it.number = (uint32_t)sqlite3_column_int64(stmt, 2);
	r->it.kind = below(stmt, 3, MSG_RECORD_KINDS, MSG_RECORD_WORK);
	r->it.kind = r->it.kind == 0 ? MSG_RECORD_WORK : r->it.kind;
	r->it.what = below(stmt, 4, MSG_RECORD_CLOSE + 1, MSG_RECORD_ADD);
	r->it.what = r->it.what == 0 ? MSG_RECORD_ADD : r->it.what;
	r->it.occurred = sqlite3_column_int64(stmt, 5);
	r->uid = (uint32_t)sqlite3_column_int64(stmt, 6);
	r->role = below(stmt, 7, MSG_ROLE_END, 0);
	READ_TEXT(stmt, 8, r->account);
	READ_TEXT(stmt, 9, r->it.who);
	READ_TEXT(stmt, 10, r->it.title);
	READ_TEXT(stmt, 11, r->it.cause);
	READ_TEXT(stmt, 12, r->it.action);
	READ_TEXT(stmt, 13, r->it.prevention);
	READ_TEXT(stmt, 14, r->it.note);
}

void row_anchor_read(sqlite3_stmt *stmt, struct anchor_row *r)
{
	memset(r, 0, sizeof(*r));
	r->sequence = (uint64_t)sqlite3_column_int64(stmt, 0);
	r->at = sqlite3_column_int64(stmt, 1);
	r->upto = (uint64_t)sqlite3_column_int64(stmt, 2);
	r->rows = (uint64_t)sqlite3_column_int64(stmt, 3);
	read_blob(stmt, 4, r->upto_hash, CHAIN_HASH);
	read_blob(stmt, 5, r->kept, CHAIN_HASH);
	READ_TEXT(stmt, 6, r->note);
}
