/*
 * prompt.h: asking somebody who has not logged in: one line at a time, bounded, with a time limit.
 *
 * A control character but
 * backspace, Ctrl-U, Ctrl-C and Ctrl-D rings the bell and is not taken.
 */
#ifndef HOST_PROMPT_H
#define HOST_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

struct prompt {
	int in, out;
	unsigned seconds; /* how long each line may take */
};

void prompt_say(const struct prompt *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Shows `text` and reads one line into ret (at most size - 1 bytes; more are not taken). echo false: nothing is shown of it.
 * False at the end of input, Ctrl-C, Ctrl-D or when the time is over; ret is "" then.
 */
bool prompt_line(const struct prompt *p, const char *text, bool echo, char *ret, size_t size);

/*
 * Asks the terminal how far one Japanese character moves its cursor (ECMA-48 CPR), for a fraction of a
 * second. False when it does not answer: plain ASCII is understood by all.
 */
bool prompt_japanese(const struct prompt *p);

#endif
