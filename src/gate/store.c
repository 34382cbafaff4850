/*
 * store.c: generations on disk (see store.h).
 *
 * Input: our own files, which may be damaged: sizes and checksums are compared before anything is believed.
 * Each step reaches the disk before the next begins: write X.new, fsync X.new, rename to X, fsync the directory.
 * Limits: a text of LIMIT_POLICY_BYTES. Failure: -errno, what was there before stays as it was.
 */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/crc.h>
#include <sekisho/limits.h>

#define MAGIC_META 0x4d474b53u	  /* "SKGM" */
#define MAGIC_RUNNING 0x52474b53u /* "SKGR" */
#define FORMAT 1
#define META_OLDER ((uint32_t)offsetof(struct store_meta, uid)) /* its first form */
#define NAME_BYTES 40
#define CHUNK 65536

/* Head of both kinds of file; the body is behind it. */
struct head {
	uint32_t magic, format;
	uint32_t size; /* of the body */
	uint32_t crc;  /* of the body */
};

static int real_openat(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

const struct store_io store_io_real = {real_openat, write, fsync, renameat, unlinkat};

/* "12.policy" -> 12; 0 when the name is no generation's. */
static uint32_t number_of(const char *name)
{
	char *end;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	unsigned long v = strtoul(name, &end, 10);
	return v < UINT32_MAX && (strcmp(end, ".policy") == 0 || strcmp(end, ".meta") == 0) ? (uint32_t)v : 0;
}

void store_names(const struct store *s, void (*fn)(const struct store *s, const char *name, void *arg), void *arg)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		fn(s, e->d_name, arg);
	closedir(d);
}

static void remove_leftover(const struct store *s, const char *name, void *arg)
{
	size_t n = strlen(name);

	(void)arg;
	if (n > 4 && strcmp(name + n - 4, ".new") == 0)
		s->io->unlinkat(s->dir, name, 0);
}

int store_open(struct store *s, const char *path, const struct store_io *io)
{
	s->io = io;
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return -errno;
	store_names(s, remove_leftover, NULL);
	return 0;
}

void store_close(struct store *s)
{
	if (s->dir >= 0)
		close(s->dir);
	s->dir = -1;
}

/* -- Reading --------------------------------------------------------------------------------------------- */

static int read_all(int fd, void *p, size_t n)
{
	uint8_t *b = p;

	while (n > 0) {
		ssize_t k = read(fd, b, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k == 0 ? -EBADMSG : -errno;
		b += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Head and body of `size` bytes, or of the `older` number of bytes and zeros. The descriptor is behind them then. */
static int read_body(int fd, uint32_t magic, void *body, uint32_t size, uint32_t older)
{
	struct head h;
	int r = read_all(fd, &h, sizeof(h));

	if (r == 0 && (h.magic != magic || h.format != FORMAT || (h.size != size && h.size != older)))
		r = -EBADMSG;
	if (r != 0)
		return r;
	memset(body, 0, size);
	r = read_all(fd, body, h.size);
	return r == 0 && crc32c(0, body, h.size) != h.crc ? -EBADMSG : r;
}

/* A file of head and body. text: more may follow. */
static int read_record(const struct store *s, const char *name, uint32_t magic, void *body, uint32_t size, uint32_t older)
{
	uint8_t more;
	int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r;

	if (fd < 0)
		return -errno;
	r = read_body(fd, magic, body, size, older);
	/* Only the records with a text have more. */
	if (r == 0 && older != UINT32_MAX && read(fd, &more, 1) != 0)
		r = -EBADMSG;
	close(fd);
	return r;
}

int store_running(const struct store *s, uint32_t *ret)
{
	uint32_t number;
	int r = read_record(s, "running", MAGIC_RUNNING, &number, sizeof(number), 0);

	if (r == 0 && number == 0)
		r = -EBADMSG;
	if (r == 0)
		*ret = number;
	return r;
}

int store_meta(const struct store *s, uint32_t number, struct store_meta *ret)
{
	char name[NAME_BYTES];
	struct store_meta m;

	snprintf(name, sizeof(name), "%" PRIu32 ".meta", number);
	int r = read_record(s, name, MAGIC_META, &m, sizeof(m), META_OLDER);
	if (r != 0)
		return r;
	bool good = m.number == number && m.policy_size <= LIMIT_POLICY_BYTES &&
		    memchr(m.who, 0, sizeof(m.who)) != NULL && memchr(m.why, 0, sizeof(m.why)) != NULL &&
		    memchr(m.approval, 0, sizeof(m.approval)) != NULL && memchr(m.account, 0, sizeof(m.account)) != NULL;
	if (!good)
		return -EBADMSG;
	*ret = m;
	return 0;
}

static int check_text(int fd, const struct store_meta *m)
{
	static uint8_t buf[CHUNK];
	uint64_t left = m->policy_size;
	uint32_t crc = 0;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != m->policy_size)
		return -EBADMSG;
	while (left > 0) {
		size_t n = left < CHUNK ? (size_t)left : CHUNK;
		int r = read_all(fd, buf, n);
		if (r != 0)
			return r;
		crc = crc32c(crc, buf, n);
		left -= n;
	}
	return crc == m->policy_crc && lseek(fd, 0, SEEK_SET) == 0 ? 0 : -EBADMSG;
}

int store_policy(const struct store *s, const struct store_meta *m)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof(name), "%" PRIu32 ".policy", m->number);
	int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r;
	if (fd < 0)
		return -errno;
	if ((r = check_text(fd, m)) == 0)
		return fd;
	close(fd);
	return r;
}

static void find_highest(const struct store *s, const char *name, void *arg)
{
	uint32_t n = number_of(name), *highest = arg;

	(void)s;
	if (n > *highest)
		*highest = n;
}

uint32_t store_next(const struct store *s)
{
	uint32_t highest = 0;

	store_names(s, find_highest, &highest);
	return highest + 1;
}

struct below {
	uint32_t limit, best;
};

static void find_below(const struct store *s, const char *name, void *arg)
{
	struct below *b = arg;
	uint32_t n = number_of(name);

	(void)s;
	if (n > b->best && (b->limit == 0 || n < b->limit) && strchr(name, '.')[1] == 'm')
		b->best = n;
}

uint32_t store_below(const struct store *s, uint32_t below)
{
	struct below b = {below, 0};

	store_names(s, find_below, &b);
	return b.best;
}

/* -- Writing --------------------------------------------------------------------------------------------- */

static int write_all(const struct store *s, int fd, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0) {
		ssize_t k = s->io->write(fd, b, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k == 0 ? -EIO : -errno;
		b += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Bytes of a file, one run behind another. */
struct run {
	const void *p;
	size_t n;
};

/* The whole file, durably under its name. */
static int put_file(const struct store *s, const char *name, const struct run *runs, unsigned nruns)
{
	char temporary[NAME_BYTES + 4];
	int fd, r = 0;

	snprintf(temporary, sizeof(temporary), "%s.new", name);
	fd = s->io->openat(s->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	for (unsigned i = 0; r == 0 && i < nruns; i++)
		r = write_all(s, fd, runs[i].p, runs[i].n);
	if (r == 0 && s->io->fsync(fd) != 0)
		r = -errno;
	close(fd);
	if (r == 0 && s->io->renameat(s->dir, temporary, s->dir, name) != 0)
		r = -errno;
	if (r == 0 && s->io->fsync(s->dir) != 0)
		r = -errno;
	if (r != 0)
		s->io->unlinkat(s->dir, temporary, 0);
	return r;
}

int store_put_text(const struct store *s, const char *name, uint32_t magic, const void *body, uint32_t size,
	const void *text, size_t n)
{
	struct head h = {magic, FORMAT, size, crc32c(0, body, size)};
	const struct run runs[] = {{&h, sizeof(h)}, {body, size}, {text, n}};

	return put_file(s, name, runs, n > 0 ? 3 : 2);
}

int store_put_record(const struct store *s, const char *name, uint32_t magic, const void *body, uint32_t size)
{
	return store_put_text(s, name, magic, body, size, NULL, 0);
}

int store_get_record(const struct store *s, const char *name, uint32_t magic, void *body, uint32_t size)
{
	return read_record(s, name, magic, body, size, UINT32_MAX);
}

int store_remove(const struct store *s, const char *name)
{
	if (s->io->unlinkat(s->dir, name, 0) != 0)
		return errno == ENOENT ? 0 : -errno;
	return s->io->fsync(s->dir) != 0 ? -errno : 0;
}

int store_get_text(const struct store *s, const char *name, uint32_t size, size_t max)
{
	static uint8_t buf[CHUNK];
	int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = fd >= 0 ? memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
	int r = to < 0 || lseek(fd, (off_t)(sizeof(struct head) + size), SEEK_SET) < 0 ? -errno : 0;
	size_t total = 0;
	ssize_t n = 1;

	while (r == 0 && n > 0) {
		n = read(fd, buf, sizeof(buf));
		total += n > 0 ? (size_t)n : 0;
		if (n < 0 || total > max)
			r = n < 0 ? -errno : -EBADMSG;
		else if (n > 0 && write(to, buf, (size_t)n) != n)
			r = -EIO;
	}
	if (r == 0 && lseek(to, 0, SEEK_SET) != 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (r != 0 && to >= 0)
		close(to);
	return r == 0 ? to : r;
}

int store_put(const struct store *s, struct store_meta *m, const void *text, size_t n)
{
	char name[NAME_BYTES];

	m->policy_size = n;
	m->policy_crc = crc32c(0, text, n);
	snprintf(name, sizeof(name), "%" PRIu32 ".policy", m->number);
	const struct run whole = {text, n};
	int r = put_file(s, name, &whole, 1);
	if (r != 0)
		return r;
	snprintf(name, sizeof(name), "%" PRIu32 ".meta", m->number);
	return store_put_record(s, name, MAGIC_META, m, sizeof(*m));
}

int store_set_running(const struct store *s, uint32_t number)
{
	return store_put_record(s, "running", MAGIC_RUNNING, &number, sizeof(number));
}

struct prune {
	uint32_t running, below;
};

static void prune_one(const struct store *s, const char *name, void *arg)
{
	const struct prune *p = arg;
	uint32_t n = number_of(name);

	if (n != 0 && n < p->below && n != p->running)
		s->io->unlinkat(s->dir, name, 0);
}

void store_prune(const struct store *s, uint32_t running)
{
	struct prune p = {running, 0};
	uint32_t next = store_next(s);

	if (next <= STORE_KEEP)
		return;
	p.below = next - STORE_KEEP;
	store_names(s, prune_one, &p);
}
