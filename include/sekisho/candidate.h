/*
 * candidate.h: a policy that is being edited: lines of set in memory, changed word by word.
 *
 * No I/O. Each edit is whole or not at all: an edit that is refused says in `diags` what is wrong and what would be right,
 * and the candidate is what it was. What one line can be wrong in itself is refused at once; whether objects are whole and
 * fit together is for config_read() and the policy compiler to say of the whole (`check`), since a person writes an
 * object in several lines. Text given here is any bytes: what is not clean UTF-8 is refused with its column.
 *
 * Comments are kept: a comment above a line of set, or behind it, belongs to the object of that line (a list entry or
 * container); those in front of the first blank line to the whole, those behind the last line to its end.
 */
#ifndef SEKISHO_CANDIDATE_H
#define SEKISHO_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct candidate;
struct diag_list;

/*
 * A candidate with what was understood of a policy text of n bytes (n = 0: empty); findings of single lines go to diags.
 * NULL only when the schema cannot be loaded (said in diags). Ends the process without memory.
 */
struct candidate *candidate_new(const char *text, size_t n, struct diag_list *diags);
void candidate_free(struct candidate *c); /* NULL is allowed */

/* How often it was changed: the same number, the same text. */
unsigned long candidate_changes(const struct candidate *c);

/*
 * One line without the word set: "host a segment lgwan address 10.2.0.5". A leaf that was there gets the new value, a value
 * that may be there several times is added. 0, or -EINVAL with diags.
 */
int candidate_set(struct candidate *c, const char *line, struct diag_list *diags);

/*
 * Takes away what the words name: leaves ("host a mac label"), one of several values ("host a address 10.2.0.5"), an entry
 * ("host a"), or everything below ("allow"). A container that this empties is gone with it. -ENOENT: it is not there.
 */
int candidate_delete(struct candidate *c, const char *path, struct diag_list *diags);

/* "host a", "b": gives an entry another name; whatever names it follows. -EEXIST: the name is taken. */
int candidate_rename(struct candidate *c, const char *path, const char *name, struct diag_list *diags);
/* A second entry with all that the first holds, right behind it. Nothing names it yet. */
int candidate_copy(struct candidate *c, const char *path, const char *name, struct diag_list *diags);
/* Puts an entry right before or behind another of its list: of flows that overlap the first holds. */
int candidate_move(struct candidate *c, const char *path, bool before, const char *other, struct diag_list *diags);

/* Puts a comment (lines separated by '\n') above the object; NULL or "" takes it away. An empty path: the whole. */
int candidate_annotate(struct candidate *c, const char *path, const char *comment, struct diag_list *diags);

/*
 * Reads a whole text of lines: `set …` as candidate_set(), `delete …`, `rename PATH to NAME`, `copy PATH to NAME`,
 * `move PATH before|after NAME`, comments. All lines or none of them; diags have the lines' numbers. With `replace` what was
 * there before is gone. *ret_done (may be NULL): lines that were carried out.
 */
int candidate_load(struct candidate *c, const char *text, size_t n, bool replace, size_t *ret_done, struct diag_list *diags);

/* Appends lines of set in canonical order: all (path NULL or ""), or what the path names. -EINVAL: no such words (nothing is
 * appended and the candidate holds nothing there when 0 comes back without text). */
int candidate_print(const struct candidate *c, const char *path, struct buf *out);

/*
 * Appends what leads from text a to text b: "- set …" and "+ set …" a line each, in canonical order; "+ # …" for comments;
 * "! move allow x after y" where only the order of entries differs. Nothing when they say the same. Lines that are no
 * lines of a policy are left out of the comparison. False when the schema cannot be loaded.
 */
bool candidate_compare(const char *a, size_t na, const char *b, size_t nb, struct buf *out);

enum difference_kind {
	DIFFERENCE_ADDED,
	DIFFERENCE_REMOVED,
	DIFFERENCE_CHANGED, /* of a value: another one */
	DIFFERENCE_MOVED,   /* of an entry: it stands elsewhere among its like */
};

/* One thing in which two policies differ, in the order of the schema. Texts are valid during the call. */
struct difference {
	enum difference_kind kind;
	const char *object; /* word of the top: "allow", "system" */
	const char *name;   /* of a list's entry, else NULL */
	const char *field;  /* words that lead from the object to the value: "approval ciso date"; NULL: the object itself */
	const char *label;  /* what the value means, in the language set: a few words; NULL with `field` */
	const char *was, *now; /* the values; NULL = none */
};
typedef void candidate_differs(void *arg, const struct difference *d);

/*
 * The same comparison value by value. An entry of a list of the top that is only in one of them is told once, without its
 * values. Comments are not told. False when the schema cannot be loaded.
 */
bool candidate_differences(const char *a, size_t na, const char *b, size_t nb, candidate_differs *fn, void *arg);

/* What a word stands for. */
enum candidate_word {
	CANDIDATE_KEYWORD, /* a word of the schema; help = its meaning */
	CANDIDATE_VALUE,   /* one of the possible values; help = its meaning */
	CANDIDATE_NAME,	   /* the name of an object that is there, or a value that is; help = what people call it, or "" */
	CANDIDATE_FORM,	   /* not to be inserted: "<ADDRESS>"; help = what is meant, with an example */
	CANDIDATE_END,	   /* not to be inserted: "<Enter>": the line may end here */
};

/* What the words are for. */
enum candidate_use {
	CANDIDATE_FOR_SET,    /* all that could be written */
	CANDIDATE_FOR_DELETE, /* only what is there, values too */
	CANDIDATE_FOR_ENTRY,  /* only what is there, as far as names of entries: show, annotate, rename, copy, move */
};

/* Returns false when it wants no more. Texts are valid during the call. */
typedef bool candidate_emit(void *arg, const char *word, enum candidate_word kind, const char *help);

/*
 * Tells what may stand in the place of the line's last word, which may be half typed, or behind the line when it ends in a
 * blank: every possibility that begins with it, in the order of the schema, names in the order of the policy. Abbreviated
 * words before it are understood. Help is in the language set. Returns how many were emitted; -EINVAL when the line makes no
 * sense before that word (nothing is emitted).
 */
int candidate_complete(const struct candidate *c, enum candidate_use use, const char *line, candidate_emit *emit, void *arg);

/*
 * Appends the line with unique abbreviations of keywords and possible values written out ("s l k l" -> "segment l kind
 * lgwan"). Names and free text are never completed. -EINVAL: a word is ambiguous (diags name the possibilities) or
 * unknown; nothing is appended then.
 */
int candidate_expand(const struct candidate *c, enum candidate_use use, const char *line, struct buf *out,
	struct diag_list *diags);

#endif
