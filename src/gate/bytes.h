/*
 * bytes.h: texts that clients hand over: copied before anything is done with them.
 */
#ifndef GATE_BYTES_H
#define GATE_BYTES_H

#include <stddef.h>

/* Copies a regular file into a sealed memfd. Its descriptor, or -EBADF (no file that can be read at once), -EFBIG, -errno. */
int bytes_copy(int from, size_t max);

/* The bytes of such a memfd; n 0: nothing is mapped. 0 or -errno. */
struct bytes {
	void *p;
	size_t n;
};
int bytes_map(int fd, struct bytes *ret);
void bytes_unmap(struct bytes *b);

#endif
