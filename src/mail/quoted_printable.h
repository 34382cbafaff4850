/* quoted_printable.h: bytes from quoted-printable (RFC 2045 6.7). */
#ifndef MAIL_QUOTED_PRINTABLE_H
#define MAIL_QUOTED_PRINTABLE_H

#include <sekisho/mime.h>

/* The value of a hexadecimal digit, of either case; 16 for what is none. */
unsigned qp_hex(uint8_t c);

void qp_begin(struct quoted_printable *q);
/* Decodes n bytes; out holds n + MAIL_QP_BLANKS + 8. Returns how many were written. */
size_t qp_push(struct quoted_printable *q, const uint8_t *in, size_t n, uint8_t *out);
/* The end; line_end: a line end came last, which belongs to the boundary. out holds 8 bytes. */
size_t qp_end(struct quoted_printable *q, bool line_end, uint8_t *out);

#endif
