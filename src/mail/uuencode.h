/* uuencode.h: files inside text: uuencode, yEnc, BinHex. */
#ifndef MAIL_UUENCODE_H
#define MAIL_UUENCODE_H

#include <sekisho/mime.h>

void uuencode_begin(struct uuencode *u);
/* Decoded text of the entity that is open: text goes on to the handler, a file in it becomes an entity. */
void uuencode_push(struct mime *m, const uint8_t *p, size_t n);
/* The end of the text: an open file ends, flagged. */
void uuencode_end(struct mime *m);

#endif
