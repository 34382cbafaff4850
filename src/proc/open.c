/*
 * open.c: what only root can open: NFLOG sockets, the control socket, the list of queues, the directories.
 *
 * Nothing is parsed here but the kernel's acknowledgement of our own requests. Directories are made and given
 * to their owners only below directories that belong to root, and never through a symbolic link. NFLOG:
 * linux/netfilter/nfnetlink_log.h; the values are the measured ones (no loss at 118 k events/s and more).
 */
#include <sekisho/open.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <sekisho/daemon.h>

#define NFLOG_PACKET_BYTES 128
#define NFLOG_BATCH 64
#define NFLOG_BUFFER (64 * 1024)
#define NFLOG_FLUSH_10MS 10
#define NFLOG_RECEIVE (32 << 20)
#define CONTROL_BACKLOG 16

static struct nlmsghdr *nflog_request(void *buf, uint16_t group)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	*g = (struct nfgenmsg){AF_UNSPEC, NFNETLINK_V0, htons(group)};
	return h;
}

/* Sends one request and waits for the kernel's answer: 0 or -errno. Events that already come are skipped. */
static int nflog_ask(int fd, const struct nlmsghdr *h)
{
	char buf[8192];
	ssize_t n;

	if (send(fd, h, h->nlmsg_len, 0) < 0)
		return -errno;
	while ((n = recv(fd, buf, sizeof(buf), 0)) >= 0 || errno == EINTR || errno == ENOBUFS) {
		const struct nlmsghdr *a = (const struct nlmsghdr *)(const void *)buf;
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(a);
		if (n >= (ssize_t)(sizeof(*a) + sizeof(*e)) && a->nlmsg_type == NLMSG_ERROR)
			return e->error;
	}
	return -errno;
}

static int nflog_configure(int fd, uint16_t group)
{
	char buf[512];
	struct nlmsghdr *h = nflog_request(buf, group);
	struct nfulnl_msg_config_cmd bind = {NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {htonl(NFLOG_PACKET_BYTES), NFULNL_COPY_PACKET, 0};
	int r;

	mnl_attr_put(h, NFULA_CFG_CMD, sizeof(bind), &bind);
	r = nflog_ask(fd, h);
	if (r < 0)
		return r;
	h = nflog_request(buf, group);
	mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(h, NFULA_CFG_NLBUFSIZ, htonl(NFLOG_BUFFER));
	mnl_attr_put_u32(h, NFULA_CFG_TIMEOUT, htonl(NFLOG_FLUSH_10MS));
	mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(NFLOG_BATCH));
	mnl_attr_put_u16(h, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return nflog_ask(fd, h);
}

int nflog_open(uint16_t group)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int size = NFLOG_RECEIVE, r = 0;
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	struct timeval patience = {.tv_sec = 2};

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		r = -errno;
	if (r == 0)
		r = nflog_configure(fd, group);
	if (r == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* The list is there once the kernel has its module, and any message for it loads that. */
static void load_queues(void)
{
	char buf[512], answer[512];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfqnl_msg_config_cmd cmd = {NFQNL_CFG_CMD_PF_UNBIND, 0, htons(AF_UNSPEC)}; /* has no effect any more */
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	h->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	*g = (struct nfgenmsg){AF_UNSPEC, NFNETLINK_V0, 0};
	mnl_attr_put(h, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	/* The answer comes inside send(); what it says is the same to us. */
	if (fd >= 0 && send(fd, h, h->nlmsg_len, 0) > 0)
		recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	if (fd >= 0)
		close(fd);
}

int queue_list_open(void)
{
	load_queues();
	int fd = open("/proc/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

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
		{DAEMON_PATH_LOG, JAIL_UID_LOG, 0700},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int r = make_directory(root, paths[i].path, paths[i].owner, paths[i].mode);
		if (r < 0)
			return r;
	}
	return 0;
}
