/*
 * receipt.h: 受付番号, the number by which a mail is asked for: on the telephone, in the ledger, in an approval.
 *
 * It is the first 60 bits of the SHA-256 of the mail (its bytes as they came between DATA and the dot, dots
 * unstuffed) in Crockford's base 32 (0-9, A-Z without I L O U), and one character that checks: XXXX-XXXX-XXXXC. So
 * the same mail always has the same number, and who has the mail can compute it. The check character makes the
 * weighted sum of all 13 zero in the field of 32 elements: every single wrong character and every two that changed
 * places are noticed.
 *
 * 60 bits are enough to find a mail and too few to trust one: whoever can send mails can make two with the same
 * number. What is approved or released is decided by the whole hash.
 */
#ifndef SEKISHO_RECEIPT_H
#define SEKISHO_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIPT_HASH 32u
#define RECEIPT_TEXT 16u /* "XXXX-XXXX-XXXXC" and NUL */

/* The number of a mail with this SHA-256. */
void receipt_number(const uint8_t hash[RECEIPT_HASH], char out[RECEIPT_TEXT]);

/*
 * Reads a number as people type it: small letters, O for 0, I and L for 1, full-width forms, blanks and hyphens anywhere
 * or nowhere. Gives it in its one form. false: not 13 characters, or the check character is wrong.
 */
bool receipt_read(const char *text, size_t n, char out[RECEIPT_TEXT]);

#endif
