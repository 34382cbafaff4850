/*
 * parse.h: set-lines -> tree.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include <stddef.h>

struct arena;
struct diag_list;
struct node;
struct place;
struct tree;

/*
 * Reads a whole policy. Every flaw is reported, and what is right of a broken line is taken all the same, so that
 * later checks see as much as possible. Returns the root; *ret_tree holds the index (the caller frees it).
 * Values and nodes live in the arena.
 */
struct node *parse(struct arena *arena, const struct place *root, const char *text, size_t n, struct diag_list *diags,
	struct tree **ret_tree);

#endif
