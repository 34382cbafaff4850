/*
 * digest.h: what sekisho-logd tells sekisho-alarm: news that people are mailed, and the records of a day in numbers.
 *
 * Never a record as such: reasons, segments and counts; words of people and of faults only masked (mask.h). Without a policy
 * nothing is told, as nothing could be masked. Used by the recorder's thread.
 */
#ifndef LOG_DIGEST_H
#define LOG_DIGEST_H

#include <stdint.h>

#include <sekisho/msg.h>

struct digest;
struct loop;
struct mailbook;
struct names;
struct writer;

/* What the answers come from; all of them outlive it. */
struct digest_sources {
	struct loop *loop;
	struct writer *writer;
	struct names *names;
	struct mailbook *mail;
	int fd; /* to sekisho-alarm, -1: nobody asks */
};
struct digest *digest_new(const struct digest_sources *s); /* NULL without memory */
void digest_free(struct digest *d); /* NULL is allowed */

/* Takes a question; one of its kind that is being answered is given up. */
void digest_ask(struct digest *d, uint32_t tag, const struct msg_alarm_ask *q);

#endif
