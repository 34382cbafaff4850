/*
 * fields.h: where each leaf and list of the schema goes in struct model, and how its text becomes a value.
 */
#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct place;
struct field;

/* A value on its way into the model. */
struct filling {
	struct arena *arena;
	void *base; /* the object that the field belongs to */
	const struct field *field;
	const char *text; /* lives as long as the model */
	uint32_t line;	  /* 0 = a default */
};

/*
 * A kind of value. `refusal` says what a text that the schema's type refuses is not; check() finds what a
 * type cannot say (a date that the calendar has not) and returns that sentence, or NULL; store() puts a
 * checked text into the model. Sentences are untranslated msgids.
 */
struct kind {
	const char *refusal;
	const char *(*check)(const char *text);
	void (*store)(const struct filling *f);
};

struct field {
	const char *path; /* words from the top, keys left out: "allow approval date" */
	const struct kind
		*kind;	    /* NULL for a list (its entries are objects of `size` bytes) or a container */
	size_t offset;	    /* in the enclosing object: the innermost list entry, else struct model */
	size_t size;	    /* of a list's entries */
	size_t line_offset; /* of a uint32_t that gets the line; 0 = none */
	const char *word;   /* an argument for the kind */
	const void *fresh;  /* the first contents of an entry; NULL = zeroes */
};

/* The row for a place, or NULL. */
const struct field *fields_find(const struct place *place);

/* The whole table; *ret_n rows. */
const struct field *fields_table(size_t *ret_n);

#endif
