/*
 * zygote_drive.h: a zygote as sekisho-init starts it and sekisho-maild uses it: for its tests and its measurement. Root.
 *
 * Without the other two processes: the caller is both.
 */
#ifndef ZYGOTE_DRIVE_H
#define ZYGOTE_DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sekisho/msg.h>

#define DRIVE_MAX (1 << 20) /* bytes of output that are kept */

struct zygote {
	pid_t pid;
	int init, mail;	     /* our ends */
	int mail_theirs;     /* kept, as sekisho-init keeps it: the pair outlives the process */
	bool clean;	     /* sekisho-clean, else sekisho-verify */
	const char *program;
	char root[64];
};

/* A job under way: our ends. -1: closed. */
struct drive_job {
	int in, out, result;
};

/* What became of it. */
struct drive_end {
	bool answered;
	struct msg answer; /* its descriptors are the caller's */
	size_t n;	   /* bytes of output, also beyond DRIVE_MAX */
	char out[DRIVE_MAX];
};

/* Starts the program and waits for READY; false with a line of why. */
bool drive_start(struct zygote *z, const char *program, bool clean);
/* Starts it again, on the same pair to sekisho-maild. */
bool drive_restart(struct zygote *z);
/* Waits for its end; the status of waitpid, or -1 after `ms`. */
int drive_wait(struct zygote *z, int ms);
/* SIGTERM, wait, close. */
void drive_stop(struct zygote *z);

/* The usual job: to the inside, 20 s. */
void drive_job_init(struct msg_mail_job *job);
/* Sends it with fresh sockets. False when it could not be sent. */
bool drive_send(struct zygote *z, const struct msg_mail_job *job, uint32_t tag, struct drive_job *ret);
/* The same with descriptors of the caller's choice, which stay his. */
int drive_send_fds(struct zygote *z, const struct msg_mail_job *job, uint32_t tag, const int *fds, unsigned n);
/* Feeds `n` bytes, takes the output and the answer, until both have ended or `ms` are over (false). Closes the sockets. */
bool drive_finish(struct drive_job *j, const char *bytes, size_t n, int ms, struct drive_end *ret);
/* drive_send() and drive_finish(). */
bool drive_mail(struct zygote *z, const char *bytes, size_t n, struct drive_end *ret);
void drive_close(struct drive_job *j);

/* Living or dead children of the zygote (/proc); the first `max` of them are written to ret. */
unsigned drive_children(const struct zygote *z, pid_t *ret, unsigned max);
/* How many descriptors it has open. */
unsigned drive_descriptors(const struct zygote *z);

#endif
