/*
 * clean_flowed.c: text that was wrapped for the way becomes paragraphs again (RFC 3676, format=flowed).
 *
 * Input: decoded text of a stranger, cut anywhere. A line that ends in a blank goes on in the next one if both have the
 * same quote marks; "-- " stands alone. Output: the text, LF as line end. No limits: what is kept is a few counters.
 */
#include "clean_private.h"

enum flowed_state { BEGIN, STUFFED, TEXT };

void clean_flowed_begin(struct clean_flowed *f, bool delsp)
{
	*f = (struct clean_flowed){.on = true, .delsp = delsp};
}

/* The quote marks of the line were read. */
static void begin_line(struct clean_flowed *f, struct clean_text *to)
{
	f->state = STUFFED;
	f->dashes = 0;
	if (f->soft && f->depth == f->before)
		return;
	if (f->soft)
		clean_text_put(to, "\n", 1);
	for (unsigned i = 0; i < f->depth; i++)
		clean_text_put(to, ">", 1);
	if (f->depth > 0)
		clean_text_put(to, " ", 1);
}

static void end_line(struct clean_flowed *f, struct clean_text *to)
{
	f->soft = f->blank && f->dashes != 2;
	if (f->blank && !(f->soft && f->delsp))
		clean_text_put(to, " ", 1);
	if (!f->soft)
		clean_text_put(to, "\n", 1);
	f->blank = false;
	f->before = f->depth;
	f->depth = 0;
	f->state = BEGIN;
}

/* Text up to a blank or a line end. Returns how much. */
static size_t put_run(struct clean_flowed *f, struct clean_text *to, const char *s, size_t n)
{
	size_t run = 0;

	while (run < n && s[run] != ' ' && s[run] != '\n' && s[run] != '\r')
		run++;
	if (run == 0)
		return 0;
	bool only_dashes = f->dashes + run <= 2 && !f->blank && s[0] == '-' && s[run - 1] == '-';
	if (f->blank)
		clean_text_put(to, " ", 1);
	f->blank = false;
	f->dashes = only_dashes ? f->dashes + (unsigned)run : 3;
	clean_text_put(to, s, run);
	return run;
}

static void put_blank(struct clean_flowed *f, struct clean_text *to)
{
	if (f->blank) {
		clean_text_put(to, " ", 1);
		f->dashes = 3;
	}
	f->blank = true;
}

void clean_flowed_put(struct clean_flowed *f, struct clean_text *to, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		if (f->state == BEGIN && s[i] == '>') {
			f->depth++;
			i++;
			continue;
		}
		if (f->state == BEGIN)
			begin_line(f, to);
		bool stuffed = f->state == STUFFED && s[i] == ' ';
		f->state = TEXT;
		size_t run = stuffed ? 0 : put_run(f, to, s + i, n - i);
		if (run > 0) {
			i += run;
			continue;
		}
		if (s[i] == '\n')
			end_line(f, to);
		else if (s[i] == ' ' && !stuffed)
			put_blank(f, to);
		i++;
	}
}
