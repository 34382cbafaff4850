/*
 * shell_edit.h: one line typed at the prompt.
 */
#ifndef CONSOLE_SHELL_EDIT_H
#define CONSOLE_SHELL_EDIT_H

#include <stdbool.h>

struct buf;
struct editor;
struct terminal;

enum edit_result {
	EDIT_LINE,	/* a line is there */
	EDIT_INTERRUPT, /* Ctrl-C */
	EDIT_EOF,	/* Ctrl-D at an empty line */
	EDIT_END,	/* the line is lost, or the time is up */
	EDIT_HELP,	/* `?`: the text up to the cursor is there */
	EDIT_COMPLETE,	/* Tab: likewise */
	EDIT_TOO_LONG,	/* a line beyond LINE_BYTES_MAX came, and was thrown away whole */
	EDIT_IDLE,	/* nothing was typed for that long */
};

/* NULL without memory. */
struct editor *editor_new(struct terminal *t);
void editor_free(struct editor *e);

/*
 * Reads a line behind the prompt. HELP and COMPLETE give the text before the cursor, and the next call goes on with the
 * whole line as it was (see editor_insert()). idle_ms < 0: for ever.
 */
enum edit_result editor_read(struct editor *e, const char *prompt, int idle_ms, struct buf *ret);

/* After COMPLETE: takes `drop` bytes before the cursor away and puts text there. */
void editor_insert(struct editor *e, unsigned drop, const char *text);

/* Adds a line to the history of this session. */
void editor_remember(struct editor *e, const char *line);

/* Reads a line without keys' meanings other than Enter, erasing and Ctrl-C: for questions. */
enum edit_result editor_ask(struct editor *e, const char *prompt, struct buf *ret);

#endif
