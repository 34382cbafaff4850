/*
 * sheet.h: tables as spreadsheets save them: CSV (RFC 4180) in UTF-8 or in CP932, read and written.
 */
#ifndef CONSOLE_SHEET_H
#define CONSOLE_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct diag_list;

/* A ledger of all machines of a large city with all its columns has 2 MB. */
#define SHEET_BYTES_MAX ((size_t)8 << 20)
/* More columns than any ledger that people can read. */
#define SHEET_CELLS_MAX 64
/* A cell's text in UTF-8: as long as the longest text of a policy. */
#define SHEET_CELL_MAX 1024

struct sheet {
	char *text; /* all of it in UTF-8, in the arena; cells are cut from it in place */
	char *p, *end;
	char separator; /* ',' or, where the first line has none, TAB */
	uint32_t line;	/* of the next row, from 1 */
	struct diag_list *diags;
};

struct sheet_row {
	const char *cells[SHEET_CELLS_MAX]; /* NUL-terminated; blanks around a cell are taken away */
	size_t n;
	uint32_t line; /* where the row begins */
};

/*
 * Makes UTF-8 of the file: with a byte order mark or valid as such it is UTF-8, else CP932. False, said in diags, when it
 * is too large or neither.
 */
bool sheet_open(struct sheet *s, struct arena *a, const void *data, size_t n, struct diag_list *diags);

/*
 * The next row with anything in it. A row that cannot be read (a quotation that does not end, too many or too long cells) is
 * reported and left out. False at the end.
 */
bool sheet_next(struct sheet *s, struct sheet_row *ret);

/*
 * Appends one cell: in quotes where it needs them, behind a comma when it is not the row's first. A text that
 * a spreadsheet would take for a formula (it begins with = + - @ or a control character) gets an apostrophe
 * in front.
 */
void sheet_put(struct buf *out, const char *text, bool first);
/* Ends the row: CR LF. */
void sheet_end_row(struct buf *out);

/*
 * Appends UTF-8 as CP932, as Windows writes it. Returns how many characters CP932 does not have: each became "〓".
 */
size_t sheet_cp932(struct buf *out, const char *text, size_t n);

#endif
