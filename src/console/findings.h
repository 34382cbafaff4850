/*
 * findings.h: what is wrong with a policy, printed.
 */
#ifndef CONSOLE_FINDINGS_H
#define CONSOLE_FINDINGS_H

struct buf;
struct diag_list;
struct json;

/* "FILE:LINE: error: what; hint [code]" a line each, escaped. */
void findings_text(struct buf *out, const char *file, const struct diag_list *d);

/* The members "errors", "warnings", "not_shown" and the array "diagnostics" of an open object. */
void findings_json(struct json *j, const struct diag_list *d);

#endif
