/*
 * dialogue.h: a question to a person: explained, answered, checked, asked again.
 */
#ifndef CONSOLE_DIALOGUE_H
#define CONSOLE_DIALOGUE_H

#include <stdbool.h>

struct buf;

/* Takes one name that an answer may be; help: what people call it, or "". */
typedef void dialogue_name(void *to, const char *name, const char *help);

struct dialogue_question {
	const char *title;     /* N_(): what stands before the answer */
	const char *about;     /* N_(): one line that explains it; NULL = none */
	const char *more;      /* N_(): what `?` adds; NULL = nothing */
	const char *otherwise; /* what an empty answer means; NULL or "" = nothing */
	bool optional;	       /* it may stay empty; `-` empties what has a default */
	/* Is the answer good? Its value to *ret, or what is wrong and what would be right to *wrong. NULL = any answer is. */
	bool (*check)(void *arg, const char *answer, struct buf *ret, struct buf *wrong);
	/* Names that the answer may be: for `?` and completion. May be NULL. */
	void (*names)(void *arg, dialogue_name *fn, void *to);
	void *arg;
};

/* How the other side is reached. A test answers from a list. */
struct dialogue {
	/* One answer behind the prompt; false when none comes any more (Ctrl-C, the line is lost). */
	bool (*ask)(void *arg, const char *prompt, struct buf *answer);
	void (*tell)(void *arg, const char *text);
	void *arg;
	const struct dialogue_question *now; /* the question that is open, for completion */
};

/* Asks until the answer is good or missing by right (*ret empty). False: it ended, and nothing is to be done. */
bool dialogue_ask(struct dialogue *d, const struct dialogue_question *q, struct buf *ret);

/* A question of yes or no, translated; *ret is false for everything but a clear yes. False: it ended. */
bool dialogue_yes(struct dialogue *d, const char *question, bool *ret);

/* Tells a text, wrapped to the terminal, with a line's end. */
void dialogue_tell(struct dialogue *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
