/*
 * main_login.c: sekisho-login: what waits on the serial line.
 *
 *	sekisho-login [--accounts=DIR] [--base=DIR]
 *
 * getty starts it with the line as its standard descriptors and starts the next one when it ends. DIR: where the accounts are
 * (default /var/lib/sekisho/accounts), and the system's own passwd and group (default /usr/share/sekisho/accounts).
 * Exit status: that of the session; 1 nobody was let in; 3 the accounts cannot be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/i18n.h>

#include "login.h"

#define LINE_S 120
#define NO_DATA "/run/data-missing" /* the initramfs makes it */

static int open_directory(const char *path, bool make)
{
	if (make && mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* Damaged accounts let nobody in, and nobody is made beside them: that would be a way around the passwords. */
static bool load(struct login *l, const char *directory, const char *base)
{
	int dir = open_directory(directory, true);

	/* pam_faillock counts there, and counts nothing without it. */
	if (dir >= 0)
		mkdirat(dir, "faillock", 0700);
	l->base = open_directory(base, false);
	int r = dir < 0 || l->base < 0 ? -errno : accounts_begin(dir, &l->accounts);
	if (r == 0) {
		r = accounts_publish(&l->accounts, l->base);
		accounts_end(&l->accounts);
	}
	if (r == 0)
		return true;
	prompt_say(&l->prompt, _("The accounts cannot be read (%s). Nobody can log in; restore them from a backup."), strerror(-r));
	return false;
}

int main(int argc, char **argv)
{
	static struct login l = {.prompt = {STDIN_FILENO, STDOUT_FILENO, LINE_S}};
	const char *directory = "/var/lib/sekisho/accounts", *base = "/usr/share/sekisho/accounts",
		   *tty = ttyname(STDIN_FILENO);
	const struct account *who = NULL;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--accounts=", 11) == 0)
			directory = argv[i] + 11;
		else if (strncmp(argv[i], "--base=", 7) == 0)
			base = argv[i] + 7;
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	umask(022);
	i18n_init(prompt_japanese(&l.prompt) ? "ja" : "en");
	l.terminal = tty == NULL ? "" : strncmp(tty, "/dev/", 5) == 0 ? tty + 5 : tty;
	l.without_data = access(NO_DATA, F_OK) == 0;
	prompt_say(&l.prompt, " ");
	if (!load(&l, directory, base)) {
		sleep(10);
		return 3;
	}
	if (accounts_administrators(&l.accounts) == 0 && !login_first(&l))
		return 1;
	who = login_ask(&l);
	return who == NULL ? 1 : login_run(&l, who);
}
