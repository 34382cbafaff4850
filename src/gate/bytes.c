/*
 * bytes.c: texts that clients hand over (see bytes.h).
 *
 * Input: a descriptor of anybody's choosing. Only a regular file whose reading cannot be held up by somebody else is read, and
 * what was read is sealed: nobody changes it any more.
 */
#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/* A file on a file system of somebody else, or one that is an event of the kernel, could hang our read. */
static bool may_hang(int fd)
{
	static const long remote[] = {0x65735546 /* fuse */, 0x6969 /* nfs */, 0x01021997 /* 9p */,
		0xff534d42 /* cifs */, 0xfe534d42 /* smb2 */, 0x00c36400 /* ceph */, 0x5346414f /* afs */,
		0x9fa0 /* proc */, 0x74726163 /* tracefs */, 0x64626720 /* debugfs */};
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return true;
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if ((unsigned long)fs.f_type == (unsigned long)remote[i])
			return true;
	return false;
}

int bytes_copy(int from, size_t max)
{
	static uint8_t chunk[65536];
	struct stat st;
	size_t total = 0;
	int to, r = 0;

	if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode) || may_hang(from))
		return -EBADF;
	if ((to = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0)
		return -errno;
	for (;;) {
		ssize_t n = pread(from, chunk, sizeof(chunk), (off_t)total);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		total += (size_t)n;
		if (total > max || write(to, chunk, (size_t)n) != n) {
			r = total > max ? -EFBIG : -EIO;
			break;
		}
	}
	if (r == 0 && (lseek(to, 0, SEEK_SET) != 0 || fcntl(to, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0))
		r = -errno;
	if (r == 0)
		return to;
	close(to);
	return r;
}

int bytes_map(int fd, struct bytes *ret)
{
	struct stat st;

	*ret = (struct bytes){0};
	if (fstat(fd, &st) != 0)
		return -errno;
	if (st.st_size <= 0)
		return 0;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = (struct bytes){p, (size_t)st.st_size};
	return 0;
}

void bytes_unmap(struct bytes *b)
{
	if (b->p != NULL)
		munmap(b->p, b->n);
	*b = (struct bytes){0};
}
