/*
 * account.h: the people who may log in: one file that counts, and those that the C library reads, made from
 *it.
 *
 *	accounts               the truth: a line an account, a checksum at the end; replaced whole by rename
 *	passwd shadow group    what libc and PAM read (the image's /etc has links to them), made anew from it
 *
 * All of it is written by root alone, on the data partition. A power cut leaves the old or the new
 *`accounts`; the others are made again at the next start (accounts_publish()), so that they never say more.
 *An account is never removed and its number never used again: records of years ago still name one person.
 *Passwords are here as yescrypt hashes only.
 */
#ifndef HOST_ACCOUNT_H
#define HOST_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/msg.h>

#define ACCOUNT_NAME 32	 /* with its NUL; useradd's own limit */
#define ACCOUNT_LABEL 64 /* the person's name, UTF-8 */
#define ACCOUNT_HASH 128 /* crypt(5): yescrypt needs 73 */
#define ACCOUNTS_MAX 64	 /* an IT section, its deputies and vendors of some years */
#define ACCOUNT_HISTORY 6
#define ACCOUNT_UID_FIRST 2000

struct account {
	char name[ACCOUNT_NAME];
	uint32_t uid;
	enum msg_role role;
	bool enabled;
	bool must_change; /* its password was set by somebody else */
	int64_t changed;  /* wall seconds of the last change of the password */
	char label[ACCOUNT_LABEL];
	char hash[ACCOUNT_HASH];
	char history[ACCOUNT_HISTORY][ACCOUNT_HASH]; /* older ones, newest first; "" = none */
};

struct accounts {
	int dir; /* the directory of the files, opened by the caller and his */
	unsigned n;
	struct account account[ACCOUNTS_MAX];
};

enum account_error {
	ACCOUNT_OK = 0,
	ACCOUNT_NAME_BAD,   /* not [a-z][a-z0-9-]* of 2 to 31 characters, or a name of the system */
	ACCOUNT_NAME_TAKEN, /* also by one that was disabled */
	ACCOUNT_LABEL_BAD,  /* empty, too long, ':' or a control character */
	ACCOUNT_UNKNOWN,
	ACCOUNT_FULL,
	ACCOUNT_LAST, /* no administrator would be left */
	ACCOUNT_DISK, /* it could not be stored: nothing was changed */
};
/* A sentence, translated. */
const char *account_error_text(enum account_error e);

/*
 * The truth, for a change: nobody else changes it until accounts_end(). Same result as accounts_load(); after
 * an error nothing is held.
 */
int accounts_begin(int dir, struct accounts *ret);
void accounts_end(struct accounts *a);

/* Reads the truth. 0 (also when there is none yet: n = 0), -EBADMSG: it is damaged, or -errno. Then *ret is empty. */
int accounts_load(int dir, struct accounts *ret);

/* What libc reads, made from what was loaded, where it differs. base: directory of the system's own passwd
 * and group, -1 = none. 0 or -errno. */
int accounts_publish(const struct accounts *a, int base);

struct account *accounts_find(struct accounts *a, const char *name);
/* Enabled administrators. */
unsigned accounts_administrators(const struct accounts *a);

/*
 * Changes, stored durably before they return ACCOUNT_OK; on an error *a is as it was. The hash is made by password_hash().
 */
enum account_error account_add(struct accounts *a, const char *name, const char *label, enum msg_role role, const char *hash,
	bool must_change, int64_t now);
enum account_error account_enable(struct accounts *a, const char *name, bool enabled);
enum account_error account_role(struct accounts *a, const char *name, enum msg_role role);
enum account_error account_password(struct accounts *a, const char *name, const char *hash, bool must_change, int64_t now);

/* May this be a name? */
bool account_name_ok(const char *name);

#endif
