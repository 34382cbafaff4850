/*
 * test_open.c: NFLOG sockets, the control socket and the directories, as root in a network namespace of its
 * own.
 */
#include <sekisho/daemon.h>
#include <sekisho/open.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

static char root[] = "/tmp/sekisho-open-XXXXXX";

static const char *path(const char *below)
{
	static char buf[200];

	daemon_path(root, below, buf, sizeof(buf));
	return buf;
}

static void test_nflog(void)
{
	int size = 0, fd = nflog_open(100), other = nflog_open(108);
	socklen_t len = sizeof(size);
	char byte;

	CHECK(fd >= 0 && other >= 0);
	CHECK_INT(nflog_open(100), -EPERM); /* taken */
	CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) == 0 && size >= 32 << 20);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN); /* the answers were read */
	close(fd);
	/* Free again once closed (the kernel needs a moment for it). */
	for (int i = 0; (fd = nflog_open(100)) < 0 && i < 100; i++)
		usleep(10000);
	CHECK(fd >= 0);
	close(fd);
	close(other);
}

static int connects(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	daemon_path(root, DAEMON_PATH_CONTROL, a.sun_path, sizeof(a.sun_path));
	int r = connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static void test_control(void)
{
	char too_long[120];
	struct stat st;
	int fd = control_open(root);

	CHECK(fd >= 0);
	CHECK(stat(path(DAEMON_PATH_CONTROL), &st) == 0 && (st.st_mode & 07777) == 0660);
	CHECK(st.st_uid == 0 && st.st_gid == JAIL_GID_CONTROL);
	CHECK_INT(connects(), 0);
	close(fd);
	CHECK_INT(connects(), -ECONNREFUSED); /* the name of a dead one stays … */
	fd = control_open(root);	      /* … and is replaced */
	CHECK_INT(connects(), 0);
	close(fd);
	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[0] = '/';
	too_long[sizeof(too_long) - 1] = 0;
	CHECK_INT(control_open(too_long), -ENAMETOOLONG);
	CHECK_INT(control_open("/nowhere"), -ENOENT);
}

static void test_paths(void)
{
	struct stat st;

	CHECK_INT(paths_make(root), 0);
	CHECK(chmod(path(DAEMON_PATH_LOG), 0777) == 0 && chown(path(DAEMON_PATH_LOG), 0, 0) == 0);
	CHECK_INT(paths_make(root), 0); /* puts right what is wrong */
	CHECK(stat(path(DAEMON_PATH_LOG), &st) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(st.st_uid == JAIL_UID_LOG && st.st_gid == JAIL_UID_LOG);
	/* A link in the place of a directory is not followed: nothing else changes its owner. */
	CHECK(rmdir(path(DAEMON_PATH_GATE)) == 0 && symlink("/tmp", path(DAEMON_PATH_GATE)) == 0);
	CHECK(paths_make(root) < 0);
	CHECK(stat("/tmp", &st) == 0 && st.st_uid == 0);
	CHECK(unlink(path(DAEMON_PATH_GATE)) == 0);
	int fd = open(path(DAEMON_PATH_GATE), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	CHECK_INT(paths_make(root), -ENOTDIR);
	CHECK(unlink(path(DAEMON_PATH_GATE)) == 0);
	CHECK_INT(paths_make(root), 0);
	CHECK_INT(paths_make("/proc"), -ENOENT);
}

int main(void)
{
	char command[100];

	if (geteuid() != 0) {
		printf("needs root\n");
		return 77;
	}
	if (mkdtemp(root) == NULL || chmod(root, 0755) < 0 || unshare(CLONE_NEWNET) < 0)
		return 1;
	test_paths();
	test_nflog();
	test_control();
	snprintf(command, sizeof(command), "rm -rf -- '%s'", root);
	CHECK_INT(system(command), 0);
	return test_end();
}
