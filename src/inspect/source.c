/*
 * source.c: plain files by read(2), gzip (RFC 1952, several members) by zlib, both into one buffer.
 *
 * Input: a file that somebody else may have made. What unpacks is bounded by who reads it: nothing is unpacked ahead of
 * the buffer. A file that ends inside a member is an error that is said after what could be read.
 */
#include "source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER (1u << 20)
#define PACKED (256u << 10)
#define READ (128u << 10) /* at a time: what was read is still in the processor's cache when it is looked at */

struct source {
	int fd;
	uint8_t *buffer;
	size_t from, to; /* the view: buffer[from..to) */
	bool ended, packed, member_open;
	const char *error;
	uint64_t position, size;
	uint8_t *raw; /* of a gzip file: what was read and not unpacked */
	z_stream z;
};

struct source *source_new(int fd)
{
	struct source *s = calloc(1, sizeof(*s));
	struct stat st;

	if (s != NULL)
		s->buffer = malloc(BUFFER);
	if (s == NULL || s->buffer == NULL) {
		free(s);
		close(fd);
		return NULL;
	}
	s->fd = fd;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	return s;
}

void source_free(struct source *s)
{
	if (s == NULL)
		return;
	if (s->raw != NULL)
		inflateEnd(&s->z);
	free(s->raw);
	free(s->buffer);
	close(s->fd);
	free(s);
}

/* Up to n bytes of the file; 0 at its end or after an error. */
static size_t read_some(struct source *s, uint8_t *p, size_t n)
{
	ssize_t got;

	do
		got = read(s->fd, p, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		s->error = "the file cannot be read";
	if (got <= 0)
		return 0;
	s->position += (uint64_t)got;
	return (size_t)got;
}

/* The first bytes say whether it is packed. What was read so far is then moved to where packed bytes wait. */
static void look_at_beginning(struct source *s)
{
	while (s->to < 2 && !s->ended) {
		size_t n = read_some(s, s->buffer + s->to, BUFFER - s->to);
		s->to += n;
		s->ended = n == 0;
	}
	if (s->to < 2 || s->buffer[0] != 0x1f || s->buffer[1] != 0x8b)
		return;
	s->raw = malloc(BUFFER);
	if (s->raw == NULL || inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK) {
		free(s->raw);
		s->raw = NULL;
		s->error = "there is no memory to unpack the file";
		s->ended = true;
		return;
	}
	memcpy(s->raw, s->buffer, s->to);
	s->z.next_in = s->raw;
	s->z.avail_in = (uInt)s->to;
	s->to = 0;
	s->packed = s->member_open = true;
}

static void end_with(struct source *s, const char *error)
{
	if (s->error == NULL)
		s->error = error;
	s->ended = true;
}

static void unpack_some(struct source *s)
{
	if (s->z.avail_in == 0) {
		s->z.next_in = s->raw;
		s->z.avail_in = (uInt)read_some(s, s->raw, PACKED);
	}
	if (s->z.avail_in == 0) {
		end_with(s, s->member_open ? "the gzip file is cut off" : NULL);
		return;
	}
	if (!s->member_open) {
		inflateReset(&s->z);
		s->member_open = true;
	}
	s->z.next_out = s->buffer + s->to;
	s->z.avail_out = (uInt)(BUFFER - s->to);
	int r = inflate(&s->z, Z_NO_FLUSH);
	s->to = BUFFER - s->z.avail_out;
	if (r == Z_STREAM_END)
		s->member_open = false;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		end_with(s, "the gzip file is damaged");
}

const uint8_t *source_view(struct source *s, size_t n, size_t *ret_n)
{
	if (s->position == 0 && !s->ended)
		look_at_beginning(s);
	if (s->to - s->from < n && s->from > 0) {
		memmove(s->buffer, s->buffer + s->from, s->to - s->from);
		s->to -= s->from;
		s->from = 0;
	}
	while (s->to - s->from < n && !s->ended) {
		if (s->packed) {
			unpack_some(s);
			continue;
		}
		size_t room = BUFFER - s->to;
		size_t got = read_some(s, s->buffer + s->to, room < READ ? room : READ);
		s->to += got;
		s->ended = got == 0;
	}
	*ret_n = s->to - s->from;
	return s->buffer + s->from;
}

void source_skip(struct source *s, size_t n)
{
	s->from += n;
}

const char *source_error(const struct source *s)
{
	return s->error;
}

uint64_t source_position(const struct source *s)
{
	return s->position;
}

uint64_t source_size(const struct source *s)
{
	return s->size;
}
