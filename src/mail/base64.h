/* base64.h: bytes from base64 (RFC 2045 6.8), strictly. */
#ifndef MAIL_BASE64_H
#define MAIL_BASE64_H

#include <sekisho/mime.h>

/* The value of a character, 64 and more for what is none. */
unsigned base64_value(uint8_t c);

void base64_begin(struct base64 *b);
/* Decodes n bytes; out holds n + MAIL_BASE64_TAIL + 8. Returns how many were written. */
size_t base64_push(struct base64 *b, const uint8_t *in, size_t n, uint8_t *out);
/* The end: what was held back. b->flags is complete now. out holds MAIL_BASE64_TAIL + 8. */
size_t base64_end(struct base64 *b, uint8_t *out);

#endif
