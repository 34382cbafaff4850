/*
 * lines.h: the bytes of a policy as lines of clean text.
 */
#ifndef CONFIG_LINES_H
#define CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag_list;

struct lines {
	const uint8_t *p, *end;
	uint32_t number; /* of the line returned last */
};

/* Without its line end; not NUL-terminated; valid UTF-8 without control characters but TAB. */
struct line {
	const char *text;
	size_t n;
	uint32_t number;
};

/* A byte order mark in front is skipped. */
struct lines lines_init(const void *text, size_t n);

/* The next readable line; lines that are not text are reported and skipped. False at the end. */
bool lines_next(struct lines *l, struct diag_list *diags, struct line *ret);

/* Decodes one character of UTF-8 (RFC 3629) at p < end: its length, or 0 when the bytes are none. */
size_t utf8_decode(const uint8_t *p, const uint8_t *end, uint32_t *ret);

#endif
