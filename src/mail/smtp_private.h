/*
 * smtp_private.h: what the files of SMTP share among themselves: characters of ASCII (locale has no say) and the text of a
 * message as lines.
 */
#ifndef SEKISHO_SMTP_PRIVATE_H
#define SEKISHO_SMTP_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/smtp.h>

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Printable and no blank. */
static inline bool is_graph(char c)
{
	return c > ' ' && c < 0x7f;
}

static inline char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* A decimal number of at most 20 digits; false when it is none or does not fit. */
bool smtp_number(const char *p, size_t n, uint64_t *ret);
/* xtext of RFC 3461 4 that stands for printable ASCII (blanks too). */
bool smtp_xtext_valid(const char *p, size_t n);
/* Decodes such xtext into ret, which holds size; false when it is none or too long. */
bool smtp_xtext_decode(const char *p, size_t n, char *ret, size_t size);
/* Encodes printable ASCII; returns the end of what it wrote (three bytes a character at most) and a NUL. */
char *smtp_xtext_encode(const char *text, char *out);
/* Does the text match the word, without case? */
bool smtp_word(const char *p, size_t n, const char *word);

/* smtp_text.c: a message's lines. */
enum text_state {
	TEXT_START,	/* a line begins */
	TEXT_IN,	/* within a line */
	TEXT_CR,	/* a CR was there */
	TEXT_DOT,	/* a line began with a dot */
	TEXT_DOT_CR,	/* and a CR */
	TEXT_DOT_BLANK, /* or blanks */
};
/* Reads on within a line up to its end, if there is one (state TEXT_START or TEXT_IN); returns how far. */
size_t text_line(struct smtp_text *t, const uint8_t *p, size_t n);
/* After a CR (state TEXT_CR or TEXT_DOT_CR): true when c is the LF that ends the line; else c was not taken. */
bool text_after_cr(struct smtp_text *t, uint8_t c);

/* smtp_origin.c: XCLIENT and XFORWARD. */
enum origin_attribute {
	ORIGIN_NAME = 1,
	ORIGIN_ADDR = 2,
	ORIGIN_PORT = 4,
	ORIGIN_PROTO = 8,
	ORIGIN_HELO = 16,
	ORIGIN_IDENT = 32,
	ORIGIN_SOURCE = 64,
};
/* Attributes of XCLIENT (`forward` false) or XFORWARD into *o, which keeps what is not named; false: *o is worth nothing. */
bool origin_parse(const char *p, size_t n, bool forward, struct smtp_origin *o);
/* The XFORWARD line with its CRLF, of these attributes only; 0: of none. out holds ORIGIN_LINE_MAX. */
#define ORIGIN_LINE_MAX (3 * (2 * SMTP_DOMAIN_MAX + 128) + 128)
size_t origin_write(const struct smtp_origin *o, unsigned attributes, char *out);
/* The attributes that a server's EHLO names. */
unsigned origin_attributes(const char *p, size_t n);

#endif
