/*
 * store.h: the generations on disk: what was committed, by whom, and which one is running.
 *
 *	NUMBER.policy  the text, byte for byte as it was committed
 *	NUMBER.meta    struct store_meta behind a header with a checksum, and the checksum of the text
 *	running        the number of the generation in force, replaced by rename
 *
 * A file is written under another name, synced, renamed, and its directory synced, before anything refers to it:
 * a power cut at any instant leaves exactly the old or exactly the new generation running.
 */
#ifndef GATE_STORE_H
#define GATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Generations kept on disk; the running one always is. */
#define STORE_KEEP 100

struct store_meta {
	uint32_t number; /* 1.. */
	uint32_t policy_crc;
	uint64_t policy_size;
	int64_t at; /* wall seconds */
	char who[64], why[256], approval[64];
};

/* The calls that reach the disk; tests replace them to stop after each one. */
struct store_io {
	int (*openat)(int dir, const char *name, int flags, mode_t mode);
	ssize_t (*write)(int fd, const void *p, size_t n);
	int (*fsync)(int fd);
	int (*renameat)(int dir, const char *from, int dir2, const char *to);
	int (*unlinkat)(int dir, const char *name, int flags);
};
extern const struct store_io store_io_real;

struct store {
	int dir;
	const struct store_io *io;
};

/* Opens the directory and removes what an interrupted write left. 0 or -errno. */
int store_open(struct store *s, const char *path, const struct store_io *io);
void store_close(struct store *s);

/* The running generation's number. 0; -ENOENT: none yet; -EBADMSG: the file is damaged; other -errno. */
int store_running(const struct store *s, uint32_t *ret);

/* Its metadata, checked. 0, -ENOENT, -EBADMSG, other -errno. */
int store_meta(const struct store *s, uint32_t number, struct store_meta *ret);

/* A descriptor for reading the text, after its size and checksum were compared with the metadata. */
int store_policy(const struct store *s, const struct store_meta *m);

/* A number that no generation on disk has: above all of them. */
uint32_t store_next(const struct store *s);

/* Writes text (n bytes) and metadata durably; fills policy_crc and policy_size of *m. 0 or -errno. */
int store_put(const struct store *s, struct store_meta *m, const void *text, size_t n);

/* From now on this generation is the running one, durably. 0 or -errno. */
int store_set_running(const struct store *s, uint32_t number);

/* Removes the oldest beyond STORE_KEEP, never `running`. */
void store_prune(const struct store *s, uint32_t running);

#endif
