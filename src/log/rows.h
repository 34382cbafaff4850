/*
 * rows.h: the rows of the store: their tables, their columns, and how they go in and out.
 *
 * One list of columns serves the table, the insert, the read and the hash, so that they cannot drift apart.
 */
#ifndef LOG_ROWS_H
#define LOG_ROWS_H

#include <sqlite3.h>

#include <sekisho/msg.h>

#include "chain.h"

/* A mark in the chain itself: the store's beginning, or a place where older rows were removed. */
struct anchor_row {
	uint64_t sequence;
	int64_t at;
	uint64_t upto; /* rows with a sequence up to this are gone, but for what is kept of people's deeds,
			  faults and commits */
	uint64_t rows; /* how many were removed */
	uint8_t upto_hash[CHAIN_HASH]; /* hash of row `upto`: the chain goes on from it */
	uint8_t kept[CHAIN_HASH];      /* digest over the kept rows up to `upto` */
	char note[128];
};

/* What a table is. Columns are in the order of hashing, the sequence first. */
struct row_kind {
	char letter; /* goes into the hash */
	const char *table, *columns, *types;
	unsigned n;
	bool has_prev; /* keeps the hash of the row before, so that it can outlive it */
	unsigned first_version; /* columns that rows of the store's first version had, 0 = all: see row_hashed() */
};
enum row_table { ROW_DROP, ROW_FAULT, ROW_COMMIT, ROW_ANCHOR, ROW_COMMAND, ROW_LOGIN, ROW_RECORD, ROW_TABLES };
extern const struct row_kind row_kinds[ROW_TABLES];

/* A row's values as columns; they point into the row. c holds CHAIN_COLUMNS_MAX; returns how many. */
unsigned row_drop_columns(const struct msg_drop_row *r, struct chain_column *c);
unsigned row_fault_columns(const struct msg_fault_row *r, struct chain_column *c);
unsigned row_commit_columns(const struct msg_commit_row *r, struct chain_column *c);
unsigned row_command_columns(const struct msg_command_row *r, struct chain_column *c);
unsigned row_login_columns(const struct msg_login_row *r, struct chain_column *c);
unsigned row_record_columns(const struct msg_record_row *r, struct chain_column *c);
unsigned row_anchor_columns(const struct anchor_row *r, struct chain_column *c);

/*
 * How many of the columns go into the hash. Columns that came with a later version are not hashed where they are all
 * NULL: so a row of before has the hash that it always had.
 */
unsigned row_hashed(enum row_table table, const struct chain_column *c);

/* Binds columns from parameter 1 on. An SQLite result code. */
int row_bind(sqlite3_stmt *stmt, const struct chain_column *c, unsigned n);

/* The first n columns of the current row of a statement; they point into SQLite's memory until its next step. */
void row_columns(sqlite3_stmt *stmt, struct chain_column *c, unsigned n);

/* The current row of a statement that selected the kind's columns, then (if with_hash) the hash. */
void row_drop_read(sqlite3_stmt *stmt, struct msg_drop_row *ret, bool with_hash);
void row_fault_read(sqlite3_stmt *stmt, struct msg_fault_row *ret);
void row_commit_read(sqlite3_stmt *stmt, struct msg_commit_row *ret);
void row_command_read(sqlite3_stmt *stmt, struct msg_command_row *ret);
void row_login_read(sqlite3_stmt *stmt, struct msg_login_row *ret);
void row_record_read(sqlite3_stmt *stmt, struct msg_record_row *ret);
void row_anchor_read(sqlite3_stmt *stmt, struct anchor_row *ret);

#endif
