/*
 * print.h: tree -> set-lines.
 */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

struct buf;
struct node;

struct place;

/* Appends the canonical text of a node (the root: of everything) and all below it. */
void print(const struct node *node, struct buf *out);
/* Only its own values: those of `place`, or all (NULL). */
void print_own(const struct node *node, const struct place *place, struct buf *out);
/* One value on a line of its own. */
void print_value(const struct node *value, struct buf *out);
/* A note as lines of comment, each behind `prefix`. NULL is allowed. */
void print_note(const char *prefix, const char *note, struct buf *out);

#endif
