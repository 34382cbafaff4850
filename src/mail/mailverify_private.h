/* mailverify_private.h: what the two files of the verifier say to each other. */
#ifndef SEKISHO_MAILVERIFY_PRIVATE_H
#define SEKISHO_MAILVERIFY_PRIVATE_H

#include <sekisho/mailverify.h>

enum mailverify_stage { FIELDS, FIXED, BODY };

/* A text begins: that of the body, or of a field. */
void mailverify_text_begin(struct mailverify *v);

/* n bytes more of it. Sets v->reason. Returns how many are good. */
size_t mailverify_text_put(struct mailverify *v, const uint8_t *s, size_t n);

/*
 * n characters of Base64, a multiple of 4: how many bytes are in out (room for 3/4 of n), or -1. One or two '=' only where
 * they end all of it, with no bit set in what they leave over.
 */
int mailverify_decode(const uint8_t *s, size_t n, uint8_t *out);

#endif
