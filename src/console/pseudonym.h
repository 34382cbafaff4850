/*
 * pseudonym.h: text without the town's addresses and names: the same one is always called the same, and who has not the key
 * cannot tell which it was.
 *
 * Addresses keep what they have in common, byte by byte (10.1.10.5 and 10.1.10.6 begin alike afterwards too), MAC addresses
 * their maker. Names become "n-" and eight signs, and so does every word with @, with a domain's dots or beyond
 * ASCII; in a policy also what stands in quotes, and the values of label, purpose, applicant and the like.
 */
#ifndef CONSOLE_PSEUDONYM_H
#define CONSOLE_PSEUDONYM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct pseudonym;

/* key: of any length; the same key gives the same names. NULL without memory. */
struct pseudonym *pseudonym_new(const char *key);
void pseudonym_free(struct pseudonym *p);

/* This word is a name, wherever it stands alone. */
void pseudonym_name(struct pseudonym *p, const char *name);

/* Appends `text` to out with everything replaced. policy: it is lines of set. */
void pseudonym_text(struct pseudonym *p, const char *text, bool policy, struct buf *out);

/* What was replaced so far, in the order in which it came. False: there is no i-th. */
bool pseudonym_pair(const struct pseudonym *p, size_t i, const char **ret_real, const char **ret_shown);

#endif
