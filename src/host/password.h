/*
 * password.h: what a password must be, and what is kept of it.
 */
#ifndef HOST_PASSWORD_H
#define HOST_PASSWORD_H

#include <stdbool.h>

#include "account.h"

#define PASSWORD_MAX 256 /* with its NUL; longer ones are refused, not cut */
#define PASSWORD_MIN 12	 /* characters; NIST SP 800-63B asks 8 and no rules of composition, the towns' standards "long" ones */

/*
 * May this be the account's next password (libpwquality: length, palindromes, the user's own name in it, sequences, few
 * different characters; and none of its last ACCOUNT_HISTORY + 1)? NULL, or why not: a sentence, translated.
 */
const char *password_refused(const struct account *account, const char *password);

/* yescrypt, with a salt of its own. False when the kernel gives no random bytes or the library refuses. */
bool password_hash(const char *password, char ret[ACCOUNT_HASH]);

/* Compares in constant time. */
bool password_is(const char *hash, const char *password);

#endif
