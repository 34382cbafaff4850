/*
 * print.h: tree -> set-lines.
 */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

struct buf;
struct node;

/* Appends the canonical text of everything below root. */
void print(const struct node *root, struct buf *out);

#endif
