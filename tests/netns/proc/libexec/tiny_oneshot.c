/*
 * tiny_oneshot.c: stands in for both one-shots. As sekisho-compile: answers with the length of what it was
 * handed and of the language; as sekisho-prove: looks at both files, then hangs.
 */
#include <sekisho/daemon.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t length(int fd)
{
	char buf[64];
	ssize_t n = pread(fd, buf, sizeof(buf), 0);

	return n < 0 ? 1000 : (uint32_t)n;
}

static int start(struct daemon *d)
{
	struct msg_result r = {.errors = length(DAEMON_FD_POLICY)};
	int fd = memfd_create("diagnostics", MFD_CLOEXEC);

	if (d->spec->row == JAIL_PROVE) {
		while (length(DAEMON_FD_IR) == 5 && length(DAEMON_FD_DUMP) == 6)
			usleep(10000);
		return -EINVAL;
	}
	r.warnings = d->now == 1800000000 && strcmp(d->language, "ja") == 0;
	int sent = msg_send(DAEMON_FD_RESULT, MSG_RESULT, 0, &r, &fd, 1);
	return sent < 0 ? sent : 1;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	struct daemon_spec spec = {
		.row = jail_find(slash ? slash + 1 : argv[0]), .oneshot = true, .start = start};

	if (spec.row == JAIL_ROWS)
		return 2;
	return daemon_run(&spec, NULL, argc, argv);
}
