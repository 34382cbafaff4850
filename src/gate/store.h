/*
 * store.h: the generations on disk: what was committed, by whom, and which one is running.
 *
 *	NUMBER.policy  the text, byte for byte as it was committed
 *	NUMBER.meta    struct store_meta behind a header with a checksum, and the checksum of the text
 *	running        the number of the generation in force, replaced by rename
 *	others         small records of other files of the gate (confirm.c, cut.c, drafts.c, people.c), each replaced by rename
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
	/* Since the second form of the file; 0 and "" in older ones. */
	uint32_t uid;
	uint32_t of; /* the generation whose text this is again */
	char account[64];
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

/* The highest number below `below` (0: of all) that has metadata; 0: there is none. */
uint32_t store_below(const struct store *s, uint32_t below);

/* A number that no generation on disk has: above all of them. */
uint32_t store_next(const struct store *s);

/* Writes text (n bytes) and metadata durably; fills policy_crc and policy_size of *m. 0 or -errno. */
int store_put(const struct store *s, struct store_meta *m, const void *text, size_t n);

/* From now on this generation is the running one, durably. 0 or -errno. */
int store_set_running(const struct store *s, uint32_t number);

/*
 * A record of its own under its name (at most 31 bytes, no generation's), checked by magic, size and checksum,.
 * Put: durable when 0 is returned. Get: 0, -ENOENT, -EBADMSG, other -errno.
 */
int store_put_record(const struct store *s, const char *name, uint32_t magic, const void *body, uint32_t size);
int store_get_record(const struct store *s, const char *name, uint32_t magic, void *body, uint32_t size);
/* It is gone, durably; 0 also when it was not there. */
int store_remove(const struct store *s, const char *name);

/* A record with text behind it: `body` must tell the text's size and checksum, which the caller compares. */
int store_put_text(const struct store *s, const char *name, uint32_t magic, const void *body, uint32_t size,
	const void *text, size_t n);
/* The text behind the record, as many bytes as there are up to max, in a memfd at its beginning; or -errno. */
int store_get_text(const struct store *s, const char *name, uint32_t size, size_t max);

/* Calls fn for each name in the directory. */
void store_names(const struct store *s, void (*fn)(const struct store *s, const char *name, void *arg), void *arg);

/* Removes the oldest beyond STORE_KEEP, never `running`. */
void store_prune(const struct store *s, uint32_t running);

#endif
