/*
 * shell_terminal.h: the terminal of the shell: its bytes, its size, what it can show.
 */
#ifndef CONSOLE_SHELL_TERMINAL_H
#define CONSOLE_SHELL_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#define TERMINAL_ROWS_MIN 3
#define TERMINAL_COLUMNS_MIN 20
#define TERMINAL_SIZE_MAX 1000

enum terminal_event {
	TERMINAL_TIMEOUT = -1,
	TERMINAL_END = -2,	 /* the line is lost, or the shell was told to end */
	TERMINAL_INTERRUPT = -3, /* SIGINT came */
	TERMINAL_RESIZED = -4,
};

enum terminal_mode {
	TERMINAL_FOUND,	  /* as it was before us */
	TERMINAL_COOKED,  /* lines, as programs that ask questions have them */
	TERMINAL_WORKING, /* a command runs: no echo, Ctrl-C is a signal */
	TERMINAL_KEYS,	  /* we read keys: Ctrl-C is the byte 3 */
};

struct terminal {
	int in, out;
	const char *name; /* TERM, one of the known ones */
	bool dumb;	  /* understands no escape sequence */
	bool answered;	  /* it said what terminal_probe() asked */
	struct termios cooked;
	unsigned rows, columns; /* now; both may be fixed by the user, 0 = not */
	unsigned fixed_rows, fixed_columns;
	uint8_t ahead[4096]; /* bytes that came and were not asked for yet */
	size_t nahead, at;
};

/* Takes the terminal on descriptors 0 and 1; false when they are none. The signals of the shell are set up.
 */
bool terminal_open(struct terminal *t);

/* As it was found. */
void terminal_close(struct terminal *t);

void terminal_mode(struct terminal *t, enum terminal_mode mode);

/* Looks its size up again. */
void terminal_resize(struct terminal *t);

/*
 * Asks the terminal, within a fraction of a second, how many columns a Japanese character takes, and its size
 * where the system does not know that. True when it shows Japanese. Keys that were hit meanwhile are kept.
 */
bool terminal_probe(struct terminal *t);

/* The next byte, or what happened instead (enum terminal_event). ms < 0 waits for ever. */
int terminal_byte(struct terminal *t, int ms);

/* Were more bytes read already than were asked for? */
static inline bool terminal_has_more(const struct terminal *t)
{
	return t->at < t->nahead;
}

/* Gives bytes back, to be read next. */
void terminal_unread(struct terminal *t, const uint8_t *p, size_t n);

/* Writes text, on the line's own pace. False when the line is lost or Ctrl-C came. */
bool terminal_write(struct terminal *t, const void *p, size_t n);

/* Was the shell told to end (SIGHUP, SIGTERM)? Did Ctrl-C come since it was asked last? */
bool terminal_ended(void);
bool terminal_interrupted(void);
/* What is still on its way to the screen, and what was typed ahead, is not wanted any more. */
void terminal_discard(struct terminal *t);

/* In a child: signals as a command expects them. */
void terminal_child(void);

/* The signals that may come while the shell waits: the mask for ppoll(). */
const sigset_t *terminal_waiting_mask(void);

#endif
