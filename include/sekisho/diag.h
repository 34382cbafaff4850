/*
 * diag.h: what is wrong with an input, where, and what would be right.
 *
 * A parser or checker collects diagnostics and goes on, so that one run shows all of them. The text is in the
 * language of the reader already (gettext); `code` is a stable word for programs and tests.
 */
#ifndef SEKISHO_DIAG_H
#define SEKISHO_DIAG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;
struct buf;

enum diag_severity {
	DIAG_WARNING,
	DIAG_ERROR,
};

struct diag {
	enum diag_severity severity;
	uint32_t line;	  /* 1-based; 0 = the input as a whole */
	const char *code; /* stable, static: "shadowed", "unknown-host" */
	const char *what; /* one sentence: what is wrong */
	const char *hint; /* one sentence: what would be right; NULL when `what` says it */
};

/*
 * More than this many are counted but not kept: nobody reads them, and memory stays bounded. An error is kept in the
 * place of a warning, so that what refuses a policy is always shown.
 */
#define DIAG_KEEP_MAX 1000

struct diag_list {
	struct arena *arena; /* owns the texts; given at init */
	struct diag *items;
	size_t n, cap;
	size_t nerrors, nwarnings; /* all, also those beyond DIAG_KEEP_MAX */
	size_t nkept_errors;
};

void diag_init(struct diag_list *d, struct arena *a);

/* Adds one; `hint` (may be NULL) is copied, `fmt` formats `what`. */
void diag_error(struct diag_list *d, uint32_t line, const char *code, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void diag_warning(struct diag_list *d, uint32_t line, const char *code, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Orders by line, errors before warnings within a line, keeping the order of finding. */
void diag_sort(struct diag_list *d);

/* "FILE:LINE: error: what; hint [code]" a line each, and a last line counting those that were not kept. */
void diag_print(const struct diag_list *d, const char *file, FILE *out);
/* A JSON array of {severity,line,code,what,hint}. */
void diag_json(const struct diag_list *d, struct buf *out);

#endif
