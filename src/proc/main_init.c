/*
 * main_init.c: sekisho-init: the only process of ours that is root. It parses its command line and nothing
 * else.
 *
 *	sekisho-init [--root=DIR] [--libexec=DIR] [--watchdog[=DEV]] [--foreground]
 *
 * Exit status: 0 stopped by SIGTERM or SIGINT, 2 usage, 3 the environment. Whoever starts it (busybox init)
 * starts it again when it ends by itself; each start closes the gate first.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static bool take_directory(const char *value, const char **ret)
{
	*ret = value;
	return value[0] == '/' && strlen(value) <= DAEMON_ROOT_MAX;
}

static bool take_option(struct init *in, const char *text)
{
	if (strncmp(text, "--root=", 7) == 0)
		return take_directory(text + 7, &in->root);
	if (strncmp(text, "--libexec=", 10) == 0) {
		in->libexec = text + 10;
		return in->libexec[0] == '/';
	}
	/* Without a path for an inittab, which gives a word with '=' to a shell; there is none. */
	if (strcmp(text, "--watchdog") == 0) {
		in->watchdog_path = "/dev/watchdog";
		return true;
	}
	if (strncmp(text, "--watchdog=", 11) == 0) {
		in->watchdog_path = text + 11;
		return true;
	}
	if (strcmp(text, "--foreground") == 0) {
		in->foreground = true;
		return true;
	}
	return false;
}

/* Messages go to the kernel's log, which survives us and is on the serial console. */
static int log_to_kernel(void)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		return -errno;
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct init in = {.root = "/", .libexec = SEKISHO_LIBEXECDIR};

	daemon_log_name("sekisho-init");
	for (int i = 1; i < argc; i++) {
		if (!take_option(&in, argv[i])) {
			fprintf(stderr, "usage: sekisho-init [--root=DIR] [--libexec=DIR] [--watchdog[=DEV]] "
					"[--foreground]\n");
			return 2;
		}
	}
	snprintf(in.root_option, sizeof(in.root_option), "--root=%s", in.root);
	umask(022);
	signal(SIGPIPE, SIG_IGN);
	if (geteuid() != 0 || (!in.foreground && log_to_kernel() < 0)) {
		daemon_log("must be root, with /dev/kmsg or --foreground");
		return 3;
	}
	int status = init_open(&in) < 0 ? 3 : init_run(&in);
	init_close(&in);
	return status;
}
