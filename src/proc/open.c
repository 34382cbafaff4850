/*
 * open.c: what only root can open: the control socket, the directories. Sockets of the packet filter: open_netfilter.c.
 *
 * Nothing is parsed here. Directories are made and given to their owners only below directories that belong to root, and
 * never through a symbolic link.
 */
#include <sekisho/open.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <sekisho/daemon.h>

#define CONTROL_BACKLOG 16

int control_open(const char *root)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int r = daemon_path(root, DAEMON_PATH_CONTROL, a.sun_path, sizeof(a.sun_path));

	if (r < 0)
		return r;
	if (unlink(a.sun_path) < 0 && errno != ENOENT)
		return -errno;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Mode 0 from birth by umask: nobody can connect before owner and mode are right. */
	mode_t old = umask(0777);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(old);
	if (r == 0 && (chown(a.sun_path, 0, JAIL_GID_CONTROL) < 0 || chmod(a.sun_path, 0660) < 0 ||
			      listen(fd, CONTROL_BACKLOG) < 0))
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Each component is made where it is missing; the last gets owner and mode. Only real directories count. */
static int make_directory(const char *root, const char *path, uid_t owner, mode_t mode)
{
	char buf[PATH_MAX];
	struct stat st;
	int r = daemon_path(root, path, buf, sizeof(buf));

	if (r < 0)
		return r;
	for (char *p = strchr(buf + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = 0;
		if (mkdir(buf, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdir(buf, mode) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(buf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	/* On a disk that is read-only nothing is changed that is right already. */
	if (r == 0 && (st.st_uid != owner || st.st_gid != owner))
		r = fchown(fd, owner, owner) < 0 ? -errno : 0;
	if (r == 0 && (st.st_mode & 07777) != mode)
		r = fchmod(fd, mode) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int paths_make(const char *root)
{
	static const struct {
		const char *path;
		uid_t owner;
		mode_t mode;
	} paths[] = {
		{DAEMON_PATH_RUN, 0, 0755},
		{DAEMON_PATH_EMPTY, 0, 0555},
		{DAEMON_PATH_STATE, 0, 0755},
		{DAEMON_PATH_GATE, JAIL_UID_GATE, 0700},
		{DAEMON_PATH_EVIDENCE, JAIL_UID_GATE, 0700},
		{DAEMON_PATH_LOG, JAIL_UID_LOG, 0700},
		{DAEMON_PATH_TLS, 0, 0700},
		{DAEMON_PATH_ACCOUNTS, JAIL_UID_HOST, 0755},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int r = make_directory(root, paths[i].path, paths[i].owner, paths[i].mode);
		if (r < 0)
			return r;
	}
	return 0;
}
