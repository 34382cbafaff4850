/*
 * figures.h: numbers as people read them: sizes, spans of time, a row of signs for a course.
 */
#ifndef CONSOLE_FIGURES_H
#define CONSOLE_FIGURES_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define FIGURES_MAX 24
/* "999 B", "1.5 GB"; buf: FIGURES_MAX; returns buf. */
const char *figures_bytes(uint64_t bytes, char *buf);
/* "45s", "12m", "3h", "9d"; "-" below 0. */
const char *figures_age(int64_t seconds, char *buf);
/*
 * Appends one sign for each value, the highest at the largest of all (0: at the largest of these): plain ASCII, which is one
 * column wide in every terminal.
 */
void figures_course(struct buf *b, const uint64_t *values, size_t n, uint64_t largest);

#endif
