/*
 * peer.c: who is at the other end of a connection (see peer.h).
 *
 * Input and trust: SO_PEERCRED and SO_PEERGROUPS are what the kernel noted when the peer connected. /etc/passwd is root's; it
 * gives names for people and records, never a right. Failure: a uid without a name is shown as "#UID".
 */
#include "peer.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sekisho/daemon.h>

#include "roles.h"

/* As many as one of our accounts could have by any sense; with more, nobody is let in. */
#define GROUPS_MAX 256

void peer_account(const char *root, uint32_t uid, char *ret)
{
	char path[512], none[16];
	const struct passwd *p;

	snprintf(none, sizeof(none), "#%u", uid);
	msg_text(ret, MSG_ACCOUNT, uid == 0 ? "root" : none);
	FILE *f = daemon_path(root, "/etc/passwd", path, sizeof(path)) == 0 ? fopen(path, "re") : NULL;
	if (f == NULL)
		return;
	while ((p = fgetpwent(f)) != NULL) {
		if (p->pw_uid == uid && p->pw_name[0] != '\0') {
			msg_text(ret, MSG_ACCOUNT, p->pw_name);
			break;
		}
	}
	fclose(f);
}

int peer_of(int fd, const char *root, struct peer *ret)
{
	gid_t groups[GROUPS_MAX + 1];
	socklen_t n = sizeof(groups) - sizeof(groups[0]), size = sizeof(struct ucred);
	struct ucred cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0 ||
		getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) != 0)
		return -errno;
	size_t count = n / sizeof(groups[0]);
	groups[count++] = cred.gid;
	*ret = (struct peer){.uid = cred.uid, .pid = (uint32_t)cred.pid, .roles = roles_of(cred.uid, groups, count)};
	peer_account(root, cred.uid, ret->account);
	return 0;
}
