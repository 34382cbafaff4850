/*
 * login.c: from the serial line to a person's session: first administrator, name and password, the shell.
 *
 * Trust: it runs as root and reads a keyboard that anybody may have: each line is bounded (prompt.h) and is
 * only compared, hashed, or checked as a name. Linux-PAM judges the password (pam_unix) and counts failures
 * (pam_faillock: after five, each try waits; nobody is ever locked out for good). There is no factory
 * password: the first start makes the administrator. Failure: whatever goes wrong, nobody is logged in, and
 * the line is offered again.
 */
#include "login.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/i18n.h>
#include <sekisho/jail.h>

#include "password.h"

#define SERVICE "sekisho"
#define SHELL "/usr/bin/sekisho"
/* Typed wrong: a new try waits, whoever it was. */
#define DELAY_S 3

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec;
}

/* -- Passwords ------------------------------------------------------------------------------------------- */

/* Asks twice until both are the same and allowed. */
static bool new_password(const struct login *l, const struct account *account, char hash[ACCOUNT_HASH])
{
	char first[PASSWORD_MAX], again[PASSWORD_MAX];
	bool done = false;

	prompt_say(&l->prompt, "%s",
		_("The password needs 12 characters or more; a row of words is good. Nothing is shown while you type."));
	while (!done && prompt_line(&l->prompt, _("New password: "), false, first, sizeof(first))) {
		const char *why = password_refused(account, first);
		if (why != NULL) {
			prompt_say(&l->prompt, _("Not taken: %s."), why);
			continue;
		}
		if (!prompt_line(&l->prompt, _("Once more: "), false, again, sizeof(again)))
			break;
		if (strcmp(first, again) != 0)
			prompt_say(&l->prompt, "%s", _("The two differ. Please begin again."));
		else
			done = password_hash(first, hash);
	}
	explicit_bzero(first, sizeof(first));
	explicit_bzero(again, sizeof(again));
	return done;
}

/* The change is made to what is stored now, which may be newer than what we read when the line was offered. */
static enum account_error store_password(struct login *l, const char *name, const char *hash)
{
	if (accounts_begin(l->accounts.dir, &l->accounts) != 0)
		return ACCOUNT_DISK;
	enum account_error e = account_password(&l->accounts, name, hash, false, now());
	if (e == ACCOUNT_OK && accounts_publish(&l->accounts, l->base) != 0)
		e = ACCOUNT_DISK;
	accounts_end(&l->accounts);
	return e;
}

bool login_change_password(struct login *l, struct account *account)
{
	char hash[ACCOUNT_HASH];

	if (!new_password(l, account, hash))
		return false;
	enum account_error e = store_password(l, account->name, hash);
	explicit_bzero(hash, sizeof(hash));
	if (e != ACCOUNT_OK)
		prompt_say(&l->prompt, "%s", account_error_text(e));
	return e == ACCOUNT_OK;
}

/* -- The first start ------------------------------------------------------------------------------------- */

static bool ask_name(const struct login *l, struct account *ret)
{
	for (;;) {
		if (!prompt_line(&l->prompt, _("Account name (small letters, for example tanaka): "), true,
			    ret->name, sizeof(ret->name)))
			return false;
		if (account_name_ok(ret->name))
			break;
		prompt_say(&l->prompt, _("Not taken: %s."), account_error_text(ACCOUNT_NAME_BAD));
	}
	return prompt_line(&l->prompt, _("Your name, as it shall stand in the records: "), true, ret->label,
		sizeof(ret->label));
}

/* On two lines at once only one of them makes him. */
static enum account_error store_first(struct login *l, const struct account *a, const char *hash)
{
	enum account_error e = ACCOUNT_DISK;

	if (accounts_begin(l->accounts.dir, &l->accounts) != 0)
		return e;
	if (accounts_administrators(&l->accounts) == 0)
		e = account_add(&l->accounts, a->name, a->label, MSG_ROLE_ADMINISTRATOR, hash, false, now());
	if (e == ACCOUNT_OK && accounts_publish(&l->accounts, l->base) != 0)
		e = ACCOUNT_DISK;
	accounts_end(&l->accounts);
	return e;
}

bool login_first(struct login *l)
{
	struct account a = {0};
	char hash[ACCOUNT_HASH];

	prompt_say(&l->prompt, "%s", _("This gateway has no administrator yet. The gate is closed: nothing passes."));
	prompt_say(&l->prompt, "%s", _("Make the first administrator now. There is no other way in, and no factory password."));
	if (l->without_data)
		prompt_say(&l->prompt, "%s", _("The data partition cannot be used: what you make now is lost when the power goes."));
	if (!ask_name(l, &a) || !new_password(l, &a, hash))
		return false;
	enum account_error e = store_first(l, &a, hash);
	explicit_bzero(hash, sizeof(hash));
	if (e != ACCOUNT_OK) {
		prompt_say(&l->prompt, _("Not taken: %s."), account_error_text(e));
		return false;
	}
	prompt_say(&l->prompt, _("The administrator %s was made. Log in now."), a.name);
	return true;
}

/* -- Name and password ----------------------------------------------------------------------------------- */

struct talk {
	const char *password;
};

/* PAM asks for the password alone: the name it has. What it wants to tell before somebody is known is not shown. */
static int converse(int n, const struct pam_message **asked, struct pam_response **ret, void *arg)
{
	const struct talk *t = arg;
	struct pam_response *answers = n > 0 && n <= PAM_MAX_NUM_MSG ? calloc((size_t)n, sizeof(*answers)) : NULL;

	if (answers == NULL)
		return PAM_CONV_ERR;
	for (int i = 0; i < n; i++) {
		if (asked[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			answers[i].resp = strdup(t->password);
	}
	*ret = answers;
	return PAM_SUCCESS;
}

/* PAM's word: PAM_SUCCESS, PAM_NEW_AUTHTOK_REQD, or why not. */
static int authenticate(const struct login *l, const char *name, const char *password)
{
	struct talk talk = {password};
	struct pam_conv conv = {converse, &talk};
	pam_handle_t *pam;

	if (pam_start(SERVICE, name, &conv, &pam) != PAM_SUCCESS)
		return PAM_ABORT;
	pam_set_item(pam, PAM_TTY, l->terminal);
	int r = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	pam_end(pam, r);
	return r;
}

static struct account *judge(struct login *l, const char *name, const char *password)
{
	struct account *a = accounts_find(&l->accounts, name);
	int r = authenticate(l, name, password);

	/* A password that somebody else gave: we ask for a new one, as PAM's own module could not store it. */
	if (a == NULL || !a->enabled || (r != PAM_SUCCESS && r != PAM_NEW_AUTHTOK_REQD))
		return NULL;
	return a;
}

/* One file a person: when he last came in, and how often it failed since. Nobody is kept out when it cannot
 * be read or written. */
static void tell_last(const struct login *l, const struct account *a)
{
	char name[ACCOUNT_NAME + 8], text[64] = "";
	long long last = 0;
	unsigned failed = 0;

	snprintf(name, sizeof(name), "last-%s", a->name);
	int fd = openat(l->accounts.dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0 && sscanf(text, "%lld %u", &last, &failed) == 2) {
			struct tm tm;
			time_t t = last;
			char when[32];
			strftime(when, sizeof(when), "%Y-%m-%d %H:%M", localtime_r(&t, &tm));
			if (last == 0)
				prompt_say(&l->prompt, _("This is the first login of this account; failed tries before: %u"), failed);
			else
				prompt_say(&l->prompt, _("Last login: %s; failed tries since: %u"), when, failed);
		}
		close(fd);
	} else {
		prompt_say(&l->prompt, "%s", _("This is the first login of this account."));
	}
}

static void note_last(const struct login *l, const struct account *a, bool failed)
{
	char name[ACCOUNT_NAME + 8], text[64] = "";
	long long last = 0;
	unsigned n = 0;

	snprintf(name, sizeof(name), "last-%s", a->name);
	int fd = openat(l->accounts.dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0 && sscanf(text, "%lld %u", &last, &n) != 2)
		n = 0;
	int len = snprintf(text, sizeof(text), "%lld %u\n", failed ? last : (long long)now(), failed ? n + 1 : 0);
	if (pwrite(fd, text, (size_t)len, 0) == len && ftruncate(fd, len) == 0)
		fsync(fd);
	close(fd);
}

const struct account *login_ask(struct login *l)
{
	char name[ACCOUNT_NAME], password[PASSWORD_MAX];
	struct account *a = NULL;

	for (unsigned i = 0; i < LOGIN_TRIES && a == NULL; i++) {
		if (!prompt_line(&l->prompt, "login: ", true, name, sizeof(name)) ||
			!prompt_line(&l->prompt, _("Password: "), false, password, sizeof(password)))
			return NULL;
		a = judge(l, name, password);
		explicit_bzero(password, sizeof(password));
		if (a == NULL) {
			a = accounts_find(&l->accounts, name);
			if (a != NULL)
				note_last(l, a, true);
			a = NULL;
			sleep(DELAY_S);
			prompt_say(&l->prompt, "%s", _("Name or password is wrong, or the account is disabled or must wait."));
		}
	}
	if (a == NULL)
		return NULL;
	tell_last(l, a);
	if (a->must_change) {
		prompt_say(&l->prompt, "%s", _("Your password was set by somebody else: choose your own now."));
		if (!login_change_password(l, a))
			return NULL;
	}
	note_last(l, a, false);
	return a;
}

/* -- The session ----------------------------------------------------------------------------------------- */

static gid_t role_gid(enum msg_role role)
{
	static const gid_t gids[] = {
		[MSG_ROLE_VIEWER] = JAIL_GID_VIEWER,
		[MSG_ROLE_AUDITOR] = JAIL_GID_AUDITOR,
		[MSG_ROLE_OPERATOR] = JAIL_GID_OPERATOR,
		[MSG_ROLE_ADMINISTRATOR] = JAIL_GID_ADMINISTRATOR,
		[MSG_ROLE_MAINTENANCE] = JAIL_GID_MAINTENANCE,
	};
	return gids[role];
}

/* The child: the person's user and groups, an environment of ours, the shell. */
_Noreturn static void become(const struct account *a)
{
	gid_t gid = role_gid(a->role), groups[] = {gid, JAIL_GID_CONTROL};
	char term[32] = "TERM=vt100", user[ACCOUNT_NAME + 8], language[] = "LANG=C.UTF-8",
	     path[] = "PATH=/usr/bin", shell[] = "-sekisho";
	char *env[] = {term, user, language, path, NULL}, *args[] = {shell, NULL};
	const char *given = getenv("TERM");

	if (given != NULL && strlen(given) < 20 && strspn(given, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(given))
		snprintf(term, sizeof(term), "TERM=%s", given);
	snprintf(user, sizeof(user), "USER=%s", a->name);
	if (setgroups(2, groups) == 0 && setresgid(gid, gid, gid) == 0 &&
		setresuid(a->uid, a->uid, a->uid) == 0 && setuid(0) != 0 && chdir("/") == 0)
		execve(SHELL, args, env);
	_exit(3);
}

int login_run(struct login *l, const struct account *a)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		become(a);
	if (pid < 0) {
		prompt_say(&l->prompt, "%s", strerror(errno));
		return 3;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}
