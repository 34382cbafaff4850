/*
 * candidate_tree.h: what the files of candidate*.c share: the candidate itself, and a cursor that goes through words.
 */
#ifndef CONFIG_CANDIDATE_TREE_H
#define CONFIG_CANDIDATE_TREE_H

#include "lines.h"
#include "schema.h"
#include "tokens.h"
#include "tree.h"
#include "words.h"

#include <sekisho/candidate.h>

#include <stdint.h>

struct arena;

struct candidate {
	struct arena *values; /* the tree's texts */
	struct tree *tree;
	unsigned long changes;
	struct tokens *tokens; /* of the line in hand */
	uint32_t line;	       /* its number, for findings */
};

enum cursor_want {
	WANT_WORD,  /* a word of the schema (or a bare value) */
	WANT_KEY,   /* the key of a list */
	WANT_VALUE, /* the value of a leaf */
};

/* Where a line of words has come to. Nodes are NULL for what is not there (yet). */
struct cursor {
	const struct candidate *c;
	enum candidate_use use;
	struct scope scope;
	struct node *nodes[SCOPE_DEPTH];
	enum cursor_want want;
	const struct place *place; /* whose key or value is wanted */
	bool may_skip;		   /* what is wanted may be left out: a flag's value, a key or value of what goes away */
};

enum cursor_step {
	STEP_WORD,	/* `place` is a container, list or leaf that was entered or named */
	STEP_KEY,	/* `place` is the list, `node` its entry or NULL */
	STEP_VALUE,	/* `place` is the leaf, `node` the value that is there with this text, or NULL */
	STEP_UNKNOWN,	/* no such word here */
	STEP_AMBIGUOUS, /* several words begin so */
};

struct step {
	enum cursor_step kind;
	const struct place *place;
	struct node *node;
	const char *text;   /* the word in full */
	unsigned depth;	    /* the scope's depth at which it stands */
	struct node *within; /* the object that holds a value; NULL when it is not there */
};

void cursor_begin(struct cursor *cur, const struct candidate *c, enum candidate_use use);
/* Takes one word; the cursor moves only when the word is known. */
struct step cursor_take(struct cursor *cur, const struct token *t);
/* May this child of a scope's place stand here? For what is there already: is there such a thing? */
bool cursor_offers(const struct cursor *cur, unsigned depth, const struct place *child);
/* The depths at which words are looked for, innermost first: from scope.depth down to this one. */
unsigned cursor_outermost(const struct cursor *cur);
/* Reports a word that cursor_take() did not take. */
void cursor_refuse(const struct cursor *cur, const struct step *s, const struct token *t, struct diag_list *diags);

/* Splits one line into c->tokens. False: it is no clean line (said in diags). */
bool candidate_split(const struct candidate *c, const char *text, size_t n, struct diag_list *diags);

/* What a path names: an object, one value, or (node NULL) all of `place` within `parent`. */
struct target {
	struct node *parent, *node;
	const struct place *place;
};

struct targets {
	struct target v[TOKENS_MAX];
	size_t n;
};

/*
 * The things that the words of a path name, which are there: leaves and values, else the object that the words end in.
 * 0; -EINVAL: no such words; -ENOENT: it is not there. Both say so in diags.
 */
int candidate_targets(const struct candidate *c, const char *path, struct targets *ret, struct diag_list *diags);
/* The one list entry that a path names, or NULL (said in diags, *ret_error -EINVAL or -ENOENT). */
struct node *candidate_entry(const struct candidate *c, const char *path, int *ret_error, struct diag_list *diags);

/* Copies what `from` holds into `to`, over what is there. */
void candidate_merge(struct candidate *c, struct node *to, const struct node *from);
/* Would more be there than the schema allows? Says so in diags. */
bool candidate_fits(const struct candidate *c, const struct node *to, const struct node *from, struct diag_list *diags);
/* Takes a node away, and the containers that this empties. */
void candidate_remove(struct candidate *c, struct node *node);

/* Does a value of this place name entries of the list? */
bool place_names(const struct place *place, const struct place *list);

#endif
