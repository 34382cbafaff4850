/*
 * render.h: rows of values, printed as text for people or as JSON for programs.
 *
 * A verb names its fields once and hands over rows; which renderer prints them is the user's choice. Text is
 * escaped on the way out, so a verb passes what it has.
 */
#ifndef CONSOLE_RENDER_H
#define CONSOLE_RENDER_H

#include <sekisho/buf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct render;

struct field {
	const char *key;   /* of JSON; NULL = only for people */
	const char *label; /* N_(): heading; NULL = only for programs */
	unsigned columns;  /* of a table; 0 = the last column, as wide as it comes */
	bool right;	   /* numbers stand at the right edge */
};

enum value_kind {
	VALUE_NULL, /* JSON null; an empty place for people */
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_DIFFERS, /* number = DIFFERS_* */
};

struct value {
	enum value_kind kind;
	const char *text;  /* VALUE_TEXT */
	const char *shown; /* for people, instead of text or number; NULL = the same */
	uint64_t number;
};

struct render_ops {
	void (*heading)(struct render *r); /* before the first row; may be NULL */
	void (*row)(struct render *r, const struct value *values);
};

struct render {
	const struct render_ops *ops;
	struct buf *out;
	const struct field *fields;
	size_t nfields, nrows;
	bool reversed;	   /* rows come newest first and are printed newest last, where a terminal shows them */
	struct buf starts; /* of a reversed list: where in `out` each row begins */
};

/* A table with headings; nothing at all without rows. */
extern const struct render_ops render_table;
/* "label  value" a line, wrapped. */
extern const struct render_ops render_card;
/* One JSON object a line. */
extern const struct render_ops render_json;

void render_row(struct render *r, const struct value *values);
/* Puts reversed rows into their order and frees what the list held. */
void render_end(struct render *r);

static inline struct value value_text(const char *text)
{
	return (struct value){.kind = text == NULL ? VALUE_NULL : VALUE_TEXT, .text = text};
}

/* "" counts as nothing. */
static inline struct value value_name(const char *text)
{
	return value_text(text[0] == '\0' ? NULL : text);
}

static inline struct value value_both(const char *text, const char *shown)
{
	return (struct value){.kind = text == NULL ? VALUE_NULL : VALUE_TEXT, .text = text, .shown = shown};
}

static inline struct value value_number(uint64_t n)
{
	return (struct value){.kind = VALUE_NUMBER, .number = n};
}

/* What people read of a value; digits: room for a number. */
const char *value_shown(const struct value *v, char digits[24]);

#endif
