/* jail_mail.c: attempts of test_jail.c: what sekisho-clean, sekisho-verify and their children do for a mail. */
#include "jail_mail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/daemon.h>

int write_out(void)
{
	return write(MAIL_FD_OUT, "", 0) < 0 ? errno : 0;
}

int read_in(void)
{
	char byte;

	return read(MAIL_FD_IN, &byte, 0) < 0 ? errno : 0;
}

int write_log(void)
{
	return write(STDERR_FILENO, "", 0) < 0 ? errno : 0;
}

int seal_report(void)
{
	int ok = write(MAIL_FD_REPORT, "", 0) == 0 && ftruncate(MAIL_FD_REPORT, 0) == 0 &&
		fcntl(MAIL_FD_REPORT, F_ADD_SEALS, 0) == 0;

	return ok ? 0 : errno;
}

int take_job(void)
{
	char buf[64];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	return recvmsg(DAEMON_FD_MAIL, &mh, MSG_DONTWAIT) < 0 && errno != EAGAIN ? errno : 0;
}

int write_network(void)
{
	return write(TLS_FD_NET, "", 0) < 0 && errno != EBADF ? errno : 0;
}

int end_stream(void)
{
	return shutdown(TLS_FD_PLAIN, SHUT_WR) < 0 && errno != ENOTSOCK ? errno : 0;
}

int ask_signature(void)
{
	struct msghdr mh = {0};

	return sendmsg(TLS_FD_SIGN, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && (errno == EPERM || errno == EACCES) ? errno : 0;
}

int make_descriptor(void)
{
	return memfd_create("x", MFD_CLOEXEC) < 0 ? errno : 0;
}

int renumber(void)
{
	return dup2(MAIL_FD_OUT, 40) < 0 ? errno : 0;
}

int limit_processor(void)
{
	struct rlimit rl = {100, 100};

	return setrlimit(RLIMIT_CPU, &rl) < 0 ? errno : 0;
}

int set_alarm(void)
{
	alarm(100);
	return 0;
}

int ward_off_alarm(void)
{
	sigset_t all;

	sigfillset(&all);
	return sigprocmask(SIG_BLOCK, &all, NULL) < 0 || signal(SIGALRM, SIG_IGN) == SIG_ERR ? errno : 0;
}

int outlive_parent(void)
{
	return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0 ? errno : 0;
}

int use_little_memory(void)
{
	char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	memset(p, 1, 16 << 20);
	return munmap(p, 16 << 20) < 0 ? errno : 0;
}
