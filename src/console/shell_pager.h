/*
 * shell_pager.h: output, a page at a time, on a terminal of any width and speed.
 */
#ifndef CONSOLE_SHELL_PAGER_H
#define CONSOLE_SHELL_PAGER_H

#include <sekisho/buf.h>

#include <stdbool.h>

struct terminal;

struct pager {
	struct terminal *t;
	bool paging;   /* stop at each page */
	bool written;  /* something was shown */
	bool stopped;  /* the reader wants no more, or the line is lost */
	unsigned left; /* rows until the page is full */
};

/* From the top of a page. */
void pager_begin(struct pager *p, struct terminal *t, bool paging);

/* One line, of any length, broken where the terminal ends. After `stopped` nothing is shown. */
void pager_line(struct pager *p, const char *line);

/* A whole text. */
void pager_text(struct pager *p, const char *text);

#endif
