/*
 * jsonread.h: reads JSON (RFC 8259): the diagnostics that come from a process that has read foreign bytes.
 */
#ifndef CONSOLE_JSONREAD_H
#define CONSOLE_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define JSON_DEPTH_MAX 8
#define JSON_VALUES_MAX 65536

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Children of an array or object form a list; those of an object have keys. */
struct json_value {
	enum json_kind kind;
	bool truth;
	int64_t number;	  /* integers only; a fraction or exponent is malformed here */
	const char *text; /* of a string; NUL-terminated (a \u0000 is malformed) */
	const char *key;
	struct json_value *first, *next;
};

/* The one value in n bytes, allocated in a; NULL when it is malformed or beyond the limits. */
const struct json_value *json_read(struct arena *a, const char *text, size_t n);

/* The member of an object, or NULL. */
const struct json_value *json_member(const struct json_value *v, const char *key);
/* Its text when it is a string, else NULL. */
const char *json_member_text(const struct json_value *v, const char *key);
/* Its number when it is one and not negative, else 0. */
uint64_t json_member_number(const struct json_value *v, const char *key);

#endif
