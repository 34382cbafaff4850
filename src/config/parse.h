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

enum parse_form {
	PARSE_FILE,
	PARSE_NOTES = 1, /* comments become notes of their objects */
	PARSE_BARE = 2,	 /* lines without the word set */
};

/* The same for other forms: bits of enum parse_form. */
void parse_as(struct tree *tree, struct arena *values, struct lines *lines, unsigned form, struct diag_list *diags);

#endif
