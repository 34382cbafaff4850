/*
 * timearg.h: times as people type them.
 */
#ifndef CONSOLE_TIMEARG_H
#define CONSOLE_TIMEARG_H

#include <sekisho/clock.h>

#include <stdbool.h>

/*
 * Reads "now", "10s" "10m" "2h" "3d" "1w" (ago), "today", "yesterday", "HH:MM" (today), a date in the forms of
 * date_parse(), or a date and time of clock_parse(). A day stands for its first second; with `end` for the first
 * second behind it, so that "until" a day includes it. False when the text is none of these.
 */
bool timearg_parse(const char *text, struct wall now, bool end, struct wall *ret);

#endif
