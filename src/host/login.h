/*
 * login.h: from the serial line to a person's session.
 */
#ifndef HOST_LOGIN_H
#define HOST_LOGIN_H

#include "account.h"
#include "prompt.h"

struct login {
	struct prompt prompt;
	struct accounts accounts;
	int base;	     /* directory of the system's own passwd and group */
	bool without_data;   /* the data partition could not be used: what is made now is gone with the power */
	const char *terminal; /* "ttyS0": for PAM and the records */
};

/* The first start: makes the administrator. False when he gave up: the line is offered again. */
bool login_first(struct login *l);

/*
 * Asks name and password until somebody is let in, at most LOGIN_TRIES times. NULL: nobody; the caller ends,
 * and the line is offered again. The account's password is changed on the way where it must be.
 */
#define LOGIN_TRIES 3
const struct account *login_ask(struct login *l);

/* New password for the account, asked twice and stored. False when he gave up. */
bool login_change_password(struct login *l, struct account *account);

/* Opens the session, runs the shell as this person, and returns when it ended (its exit status). */
int login_run(struct login *l, const struct account *account);

#endif
