/*
 * spool.c: a mail while it comes and is worked on: in memory of its own, sealed when it is whole.
 *
 * Counted against MAILD_SPOOL in all, and half of it for the clients of one address. A mail that
 * finds no room is read to its end and answered with 452: its sender tries again.
 *
 * Its hash, which the receipt number and the ledger have, is made here of the bytes that came: no program that reads mail has
 * a word in it.
 */
#include "maild.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int memfd_sealable(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

/* Fails while somebody could still write by a mapping. */
int memfd_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

bool memfd_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS), whole = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

	return seals >= 0 && (seals & whole) == whole;
}

int spool_open(struct maild *m, struct spool *sp)
{
	(void)m;
	*sp = (struct spool){.fd = memfd_sealable("mail")};
	sha256_init(&sp->hash);
	return sp->fd < 0 ? sp->fd : 0;
}

static uint64_t spooled_of(const struct session *s)
{
	uint64_t n = 0;

	for (const struct session *o = s->m->sessions; o != NULL; o = o->next)
		if (addr_cmp(&o->peer, &s->peer) == 0)
			n += o->spool.size;
	return n;
}

/* The share of a source is looked at for each megabyte: it is a walk over all sessions. */
static bool has_room(const struct session *s, uint64_t now, size_t n)
{
	if (s->m->spooled + n > MAILD_SPOOL)
		return false;
	return now >> 20 == (now + n) >> 20 || spooled_of(s) + n <= MAILD_SPOOL / 2;
}

bool spool_write(struct session *s, struct spool *sp, const void *p, size_t n)
{
	if (sp->full)
		return false;
	if (!has_room(s, sp->size, n)) {
		sp->full = true;
		sp->reason = MAIL_REASON_NO_SPACE;
		return false;
	}
	for (size_t done = 0; done < n;) {
		ssize_t w = pwrite(sp->fd, (const char *)p + done, n - done, (off_t)(sp->size + done));
		if (w <= 0) {
			sp->full = true;
			sp->reason = MAIL_REASON_NO_SPACE;
			return false;
		}
		done += (size_t)w;
	}
	sha256_update(&sp->hash, n, p);
	sp->size += n;
	s->m->spooled += n;
	return true;
}

int spool_seal(struct spool *sp)
{
	int r = memfd_seal(sp->fd);

	sp->sealed = r == 0;
	if (sp->sealed)
		sha256_digest(&sp->hash, sizeof(sp->sha256), sp->sha256);
	return r;
}

void spool_close(struct maild *m, struct spool *sp)
{
	if (sp->fd >= 0)
		close(sp->fd);
	m->spooled -= sp->size;
	*sp = (struct spool){.fd = -1};
}
