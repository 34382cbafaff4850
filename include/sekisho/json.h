/*
 * json.h: writes JSON (RFC 8259) into a buffer, one value after another.
 *
 * Commas are kept by the writer. Text from the network may hold anything: what is not valid UTF-8 is replaced
 * by U+FFFD, and control characters are escaped, so that the output is always valid and safe on a terminal.
 */
#ifndef SEKISHO_JSON_H
#define SEKISHO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct json {
	struct buf *out;
	bool comma; /* a comma is due before the next value */
};

struct json json_init(struct buf *out);
/* key: NULL inside an array and at the top. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_str(struct json *j, const char *key, const char *value); /* NULL gives null */
void json_strn(struct json *j, const char *key, const char *value, size_t n);
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
