/*
 * password.c: passwords: libpwquality judges them, libcrypt hashes them (yescrypt).
 *
 * Input: what somebody typed. It is kept nowhere, and the memory is wiped. libpwquality reads no file here:
 * its settings are these.
 */
#include "password.h"

#include <crypt.h>
#include <pwquality.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/i18n.h>

#define SETTING "$y$" /* yescrypt, the library's own cost */

bool password_hash(const char *password, char ret[ACCOUNT_HASH])
{
	struct crypt_data *d = NULL;
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	int size = 0;
	bool good = false;

	if (crypt_gensalt_rn(SETTING, 0, NULL, 0, salt, sizeof(salt)) == NULL)
		return false;
	const char *hash = crypt_ra(password, salt, (void **)&d, &size);
	if (hash != NULL && hash[0] == '$' && strlen(hash) < ACCOUNT_HASH) {
		snprintf(ret, ACCOUNT_HASH, "%s", hash);
		good = true;
	}
	if (d != NULL)
		explicit_bzero(d, (size_t)size);
	free(d);
	return good;
}

static bool same(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char differs = 0;

	if (n != strlen(b))
		return false;
	for (size_t i = 0; i < n; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}

bool password_is(const char *hash, const char *password)
{
	struct crypt_data *d = NULL;
	int size = 0;
	const char *made = crypt_ra(password, hash, (void **)&d, &size);
	bool good = made != NULL && made[0] == '$' && same(made, hash);

	if (d != NULL)
		explicit_bzero(d, (size_t)size);
	free(d);
	return good;
}

static const char *quality_text(int error)
{
	switch (error) {
	case PWQ_ERROR_MIN_LENGTH:
		return _("it is too short: at least 12 characters");
	case PWQ_ERROR_PALINDROME:
		return _("it is the same read backwards");
	case PWQ_ERROR_USER_CHECK:
	case PWQ_ERROR_GECOS_CHECK:
		return _("it contains the account's name");
	case PWQ_ERROR_MAX_SEQUENCE:
	case PWQ_ERROR_MAX_CONSECUTIVE:
		return _("it has long rows of the same or of neighbouring characters");
	case PWQ_ERROR_MIN_CLASSES:
		return _("letters, digits and other characters must be mixed: at least two kinds");
	default:
		return _("it is too easy to guess");
	}
}

static bool used_before(const struct account *a, const char *password)
{
	bool used = a->hash[0] != '\0' && password_is(a->hash, password);

	for (unsigned i = 0; !used && i < ACCOUNT_HISTORY && a->history[i][0] != '\0'; i++)
		used = password_is(a->history[i], password);
	return used;
}

const char *password_refused(const struct account *account, const char *password)
{
	pwquality_settings_t *q = pwquality_default_settings();

	if (q == NULL)
		return _("it cannot be judged now: too little memory");
	pwquality_set_int_value(q, PWQ_SETTING_MIN_LENGTH, PASSWORD_MIN);
	pwquality_set_int_value(q, PWQ_SETTING_MIN_CLASS, 2);
	pwquality_set_int_value(q, PWQ_SETTING_MAX_REPEAT, 4);
	pwquality_set_int_value(q, PWQ_SETTING_MAX_SEQUENCE, 5);
	pwquality_set_int_value(q, PWQ_SETTING_USER_CHECK, 1);
	pwquality_set_int_value(q, PWQ_SETTING_DICT_CHECK, 0);
	/* No points for kinds of characters: twelve are twelve. */
	pwquality_set_int_value(q, PWQ_SETTING_DIG_CREDIT, 0);
	pwquality_set_int_value(q, PWQ_SETTING_UP_CREDIT, 0);
	pwquality_set_int_value(q, PWQ_SETTING_LOW_CREDIT, 0);
	pwquality_set_int_value(q, PWQ_SETTING_OTH_CREDIT, 0);
	int r = pwquality_check(q, password, NULL, account->name, NULL);
	pwquality_free_settings(q);
	if (r < 0)
		return quality_text(r);
	return used_before(account, password) ? _("it was used before") : NULL;
}
