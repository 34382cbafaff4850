/*
 * hostsheet.c: fuzzes the reader of tables of machines: any bytes as a table that is loaded. Beside not crashing it must hold that
 *   - a table that is refused changes nothing and says why, and what one that is taken gives reads back without errors;
 *   - each cell that was read is written as one that reads the same, and never as a formula.
 */
#include "hostsheet.h"
#include "sheet.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/candidate.h>
#include <sekisho/diag.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char town[] = "set segment lgwan kind lgwan label \"LGWAN接続系\"\nset router r segment lgwan address 10.2.0.254\n"
			   "set host a segment lgwan address 10.2.0.5 address 2001:db8::5 label \"住民\"\n";

static void check_cell(struct arena *a, const char *cell)
{
	struct buf out = {0};
	struct diag_list diags;
	struct sheet s;
	struct sheet_row row;

	sheet_put(&out, "x", true);
	sheet_put(&out, cell, false);
	sheet_end_row(&out);
	if (strchr("=+-@", out.data[2]) != NULL && cell[0] != '\0')
		abort();
	diag_init(&diags, a);
	if (!sheet_open(&s, a, out.data, out.len, &diags) || !sheet_next(&s, &row) || row.n != 2)
		abort();
	/* The apostrophe in front of a formula is all that may differ. */
	const char *got = row.cells[1];
	if (strcmp(got, cell) != 0 && (got[0] != '\'' || strcmp(got + 1, cell) != 0))
		abort();
	buf_clear(&out);
	sheet_cp932(&out, cell, strlen(cell));
	buf_free(&out);
}

static void check_cells(struct arena *a, const uint8_t *data, size_t size)
{
	struct diag_list diags;
	struct sheet s;
	struct sheet_row row;
	size_t cells = 0;

	diag_init(&diags, a);
	if (!sheet_open(&s, a, data, size, &diags))
		return;
	while (sheet_next(&s, &row))
		for (size_t i = 0; i < row.n && cells++ < 200; i++)
			if (row.cells[i][0] != '\xef') /* a byte order mark inside of a cell would be the file's own */
				check_cell(a, row.cells[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	struct buf before = {0}, after = {0};
	struct hostsheet_counts counts;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	struct candidate *c = candidate_new(town, strlen(town), &diags);
	if (c == NULL)
		abort();
	candidate_print(c, NULL, &before);
	int r = hostsheet_load(c, data, size, &counts, &diags);
	candidate_print(c, NULL, &after);
	if (r != 0 && (diags.nerrors == 0 || strcmp(buf_str(&before), buf_str(&after)) != 0))
		abort();
	size_t errors = diags.nerrors;
	candidate_free(candidate_new((const char *)after.data, after.len, &diags));
	if (diags.nerrors != errors)
		abort();
	check_cells(arena, data, size);
	candidate_free(c);
	buf_free(&before);
	buf_free(&after);
	arena_free(arena);
	return 0;
}
