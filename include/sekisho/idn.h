/*
 * idn.h: the Unicode form of an internationalised domain, for people to see beside the name itself.
 *
 * Never instead of it, and only where it cannot be taken for another name: labels of Japanese (kana, Chinese characters,
 * with ASCII letters and digits) or of Korean (hangul). Letters of alphabets that look like ASCII (Cyrillic, Greek, Latin
 * with accents), mixed scripts, marks, invisible and private characters, half-width and other second forms of characters are
 * never shown.
 */
#ifndef SEKISHO_IDN_H
#define SEKISHO_IDN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDN_DOMAIN_MAX 253u /* RFC 1035 3.1 */
#define IDN_LABEL_MAX 63u
/* Each character of a label takes a byte of the encoded form at least, and four of UTF-8 at most. */
#define IDN_SHOWN_MAX (IDN_DOMAIN_MAX * 4u)

/*
 * Punycode (RFC 3492) behind "xn--", n bytes of ASCII in either case: characters written to out, at most IDN_LABEL_MAX.
 * 0: it is none, or not the one way to write what it decodes to.
 */
size_t idn_decode(const char *s, size_t n, uint32_t out[IDN_LABEL_MAX]);

/*
 * The Unicode form of a domain (n bytes of ASCII) as UTF-8 with a NUL; returns its bytes. 0: it has no label "xn--", or one
 * that must not be shown; out is untouched then.
 */
size_t idn_shown(const char *domain, size_t n, char out[IDN_SHOWN_MAX + 1]);

#endif
