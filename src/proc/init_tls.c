/*
 * init_tls.c: the files of the mail gate's certificates and keys, which root alone may open: certificates go to sekisho-tls,
 * keys to sekisho-sign, each as a descriptor. Their bytes are nobody's business here.
 *
 * Trust: the wish comes from sekishod: names of small letters, digits and "-", checked here once more, so that no path can
 * be made of them. A file is taken when it is a plain file of root's that nobody else may write, a key when nobody else may
 * read it; never through a symbolic link. Failure: the message goes without a descriptor and says which.
 * Every few seconds the files are looked at: one that was replaced or touched is handed over again.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/tls.h>

#define LOOK_MS 5000

static bool name_is_good(const char *name)
{
	return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
	       strlen(name) <= TLS_NAME_MAX;
}

/* Descriptor, or -1 with the reason. */
static int open_file(const struct init *in, const char *name, bool key, enum tls_file *ret_state)
{
	char dir[PATH_MAX], path[PATH_MAX + TLS_NAME_MAX + 8];
	mode_t forbidden = key ? 077 : 022;
	struct stat st;

	*ret_state = TLS_FILE_UNREADABLE;
	if (!name_is_good(name) || daemon_path(in->root, DAEMON_PATH_TLS, dir, sizeof(dir)) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%s%s", dir, name, key ? TLS_FILE_KEY : TLS_FILE_CERTIFICATE);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		*ret_state = errno == ENOENT ? TLS_FILE_MISSING : TLS_FILE_UNREADABLE;
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & forbidden) != 0 ||
		st.st_size > TLS_FILE_BYTES) {
		close(fd);
		return -1;
	}
	*ret_state = TLS_FILE_GOOD;
	return fd;
}

/* Differs when the file was written, replaced, or given other rights. */
static uint64_t look_at(int fd, enum tls_file state)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return (uint64_t)state;
	return ((uint64_t)st.st_ino << 40) ^ ((uint64_t)st.st_ctim.tv_sec << 30) ^ (uint64_t)st.st_ctim.tv_nsec ^
	       ((uint64_t)st.st_size << 8) ^ 1u << 7;
}

/* fresh: also what did not change. */
static void hand_over(struct init *in, uint32_t index, bool key, bool fresh)
{
	const struct msg_tls_want *w = &in->tls.want;
	const struct init_daemon *d = &in->daemons[key ? INIT_SIGN : INIT_TLS];
	struct msg_tls_file m = {.index = index, .n = w->n};
	enum tls_file state = TLS_FILE_MISSING;
	int fd = -1;

	if (w->n > 0) {
		m.keyed = w->name[index].keyed;
		memcpy(m.name, w->name[index].name, sizeof(m.name));
		fd = open_file(in, m.name, key, &state);
	}
	m.state = state;
	uint64_t seen = look_at(fd, state);
	if ((fresh || seen != in->tls.seen[index][key]) && d->ready) {
		if (msg_send(d->fd, MSG_TLS_FILE, 0, &m, fd >= 0 ? &fd : NULL, fd >= 0) == 0)
			in->tls.seen[index][key] = seen;
		else
			daemon_log("%s: a file could not be handed over", jail_name(d->row));
	}
	if (fd >= 0)
		close(fd);
}

static void hand_over_all(struct init *in, bool keys, bool fresh)
{
	for (uint32_t i = 0; i < in->tls.want.n || (i == 0 && fresh); i++)
		if (!keys || in->tls.want.n == 0 || in->tls.want.name[i].keyed)
			hand_over(in, i, keys, fresh);
}

void init_tls_ready(struct init *in, enum jail_row row)
{
	if (row == JAIL_TLS || row == JAIL_SIGN)
		hand_over_all(in, row == JAIL_SIGN, true);
}

void init_tls_want(struct init *in, const struct msg_tls_want *w)
{
	in->tls.want = *w;
	hand_over_all(in, false, true);
	hand_over_all(in, true, true);
}

void init_tls_check(struct init *in)
{
	if (in->tls.want.n == 0 || mono_since_ms(in->tls.looked) < LOOK_MS)
		return;
	in->tls.looked = clock_mono();
	hand_over_all(in, false, false);
	hand_over_all(in, true, false);
}
