/*
 * hostsheet.h: a table of machines (機器台帳) becomes hosts of a candidate.
 */
#ifndef CONSOLE_HOSTSHEET_H
#define CONSOLE_HOSTSHEET_H

#include <stddef.h>

struct candidate;
struct diag_list;

struct hostsheet_counts {
	size_t rows, added, known; /* rows read; hosts that are new; hosts that were there */
};

/*
 * Reads a table (CSV, sheet.h) whose first row names the columns, in Japanese or English, and puts each row into the candidate
 * as a host: what a cell says replaces what the host had (IPv4 and IPv6 addresses each by themselves), an empty cell changes
 * nothing, hosts without a row stay.
 * All rows or none: -EINVAL with diags, each with the row's line and the column's name. Columns that are no host's are
 * named in a warning and not read.
 */
int hostsheet_load(struct candidate *c, const void *data, size_t n, struct hostsheet_counts *ret, struct diag_list *diags);

#endif
