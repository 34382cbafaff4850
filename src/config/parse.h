/*
 * parse.h: set-lines -> tree.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

struct arena;
struct diag_list;
struct lines;
struct tree;

/*
 * Reads a whole policy into the tree. Every flaw is reported, and what is right of a broken line is taken all
 * the same, so that later checks see as much as possible. Values are copied into `values`; nodes and what
 * messages need live as long as the tree.
 */
void parse(struct tree *tree, struct arena *values, struct lines *lines, struct diag_list *diags);

#endif
