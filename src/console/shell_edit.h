/*
 * shell_edit.h: one line typed at the prompt.
 */
#ifndef CONSOLE_SHELL_EDIT_H
#define CONSOLE_SHELL_EDIT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct editor;
struct terminal;

enum edit_result {
	EDIT_LINE,	/* a line is there */
	EDIT_INTERRUPT, /* Ctrl-C */
	EDIT_EOF,	/* Ctrl-D at an empty line */
	EDIT_END,	/* the line is lost, or the time is up */
	EDIT_HELP,	/* `?`: the text up to the cursor is there */
	EDIT_COMPLETE,	/* Tab, and nothing could be completed: likewise */
	EDIT_IDLE,	/* idle() wanted no more of it */
	EDIT_TOO_LONG,	/* a line beyond LINE_BYTES_MAX came, and was thrown away whole */
};

/* Tab: what is to be written in the place of the *ret_drop bytes before the cursor; false when nothing can be
 * completed. */
typedef bool edit_complete_fn(void *arg, const char *before, size_t *ret_drop, struct buf *insert);

/*
 * `idle` is called when nothing was typed for idle_ms, and again each EDIT_IDLE_MORE_MS, with the seconds so
 * far; false ends the line. NULL without memory.
 */
#define EDIT_IDLE_MORE_MS 5000
struct editor *editor_new(struct terminal *t, edit_complete_fn *complete,
	bool (*idle)(void *arg, unsigned seconds), void *arg, int idle_ms);
void editor_free(struct editor *e);

/* Reads a line behind the prompt. HELP and COMPLETE give the text before the cursor; the next call goes on
 * with the line. */
enum edit_result editor_read(struct editor *e, const char *prompt, struct buf *ret);

/* Adds a line to the history of this session. */
void editor_remember(struct editor *e, const char *line);

/* Reads a line without keys' meanings other than Enter, erasing and Ctrl-C: for questions. */
enum edit_result editor_ask(struct editor *e, const char *prompt, struct buf *ret);
/* From now on Tab completes the answers of questions by this; NULL: it does nothing there, as at first. */
void editor_complete(struct editor *e, edit_complete_fn *fn, void *arg);

#endif
