/*
 * main_slot.c: sekisho-slot: says to the boot loader that this system is well, once it is.
 *
 *	sekisho-slot [--root=DIR] [--once]
 *
 * The boot loader notes each start of a slot as tried. This program asks sekishod until the box is well (the
 *daemons run, records can be stored, and the stored policy, if there is one, is in force and proven), and
 *then takes the note back. It never comes to that when the kernel panics, a block of the root is damaged, or
 *the programs do not start: then the next start takes the other slot. It does not restart the box itself: a
 *box that is closed and can be looked at is better than one that restarts for ever.
 *
 * Input: sekishod's status; the kernel's command line; the boot loader's block. Runs as root, once, without a
 *network.
 * --once: asks once and exits with 0 (well) or 1, and marks nothing. Exit: 0 marked, 1 never well, 3 the
 *partition cannot be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/daemon.h>
#include <sekisho/msg.h>

#include "slot.h"

#define PATIENCE 150 /* times 2 s: a large policy on a slow board */
#define MOUNT_POINT "/run/sekisho-boot"
#define DEVICE_FILE "/run/boot-partition" /* the initramfs writes the device's name there */

static int ask(const char *root, struct msg_status *ret)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct timeval limit = {.tv_sec = 10};
	struct msg m;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r = -EIO;

	if (fd < 0 || daemon_path(root, DAEMON_PATH_CONTROL, to.sun_path, sizeof(to.sun_path)) < 0)
		return -ENAMETOOLONG;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
		msg_send(fd, MSG_REQUEST, 1, &q, NULL, 0) == 0 && msg_recv(fd, &m) == 1) {
		if (m.type == MSG_STATUS) {
			*ret = m.u.msg_status;
			r = 0;
		}
		msg_close_fds(&m);
	}
	close(fd);
	return r;
}

/* A box without a policy is well when it is closed; one with a policy when that is in force. */
static bool well(const char *root)
{
	struct msg_status s;

	return ask(root, &s) == 0 && s.log.writable && (s.generation == 0 ? !s.gate_open : s.gate_open || !s.clock_trusted);
}

static int read_text(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -ENOENT;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

/* 0 or 1; -1 when this system was not started from a slot. */
static int own_slot(void)
{
	char line[2048];
	const char *word = read_text("/proc/cmdline", line, sizeof(line)) == 0 ? strstr(line, "sekisho.slot=") : NULL;

	if (word == NULL || (word[13] != 'a' && word[13] != 'b'))
		return -1;
	return word[13] - 'a';
}

/* The block is written over in place, synced, and the file system is left. */
static int mark(int dir, unsigned slot)
{
	char block[SLOT_BLOCK];
	struct slots s;
	int r = 0, fd = openat(dir, "grubenv", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return -errno;
	memset(block, 0, sizeof(block));
	if (pread(fd, block, sizeof(block), 0) < 0)
		r = -errno;
	slots_read(block, &s);
	slots_good(&s, slot);
	slots_write(&s, block);
	if (r == 0 && (pwrite(fd, block, sizeof(block), 0) != SLOT_BLOCK || fsync(fd) < 0))
		r = -EIO;
	close(fd);
	return r;
}

static int mark_mounted(unsigned slot)
{
	char device[64];

	if (read_text(DEVICE_FILE, device, sizeof(device)) != 0)
		return -ENODEV;
	if ((mkdir(MOUNT_POINT, 0700) < 0 && errno != EEXIST) ||
		mount(device, MOUNT_POINT, "vfat", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS, "umask=077") < 0)
		return -errno;
	int dir = open(MOUNT_POINT, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = dir < 0 ? -errno : mark(dir, slot);
	if (dir >= 0)
		close(dir);
	if (umount(MOUNT_POINT) < 0 && r == 0)
		r = -errno;
	return r;
}

int main(int argc, char **argv)
{
	const char *root = "/";
	bool once = false;

	daemon_log_name("sekisho-slot");
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--root=", 7) == 0)
			root = argv[i] + 7;
		else if (strcmp(argv[i], "--once") == 0)
			once = true;
	}
	if (once)
		return well(root) ? 0 : 1;
	int slot = own_slot();
	if (slot < 0)
		return 0;
	for (unsigned i = 0; !well(root); i++) {
		if (i == PATIENCE) {
			daemon_log("not well after %d s: the next start takes the other slot", PATIENCE * 2);
			return 1;
		}
		nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
	}
	int r = mark_mounted((unsigned)slot);
	if (r < 0)
		daemon_log("the boot loader cannot be told that all is well: %s", strerror(-r));
	return r < 0 ? 3 : 0;
}
