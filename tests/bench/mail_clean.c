/*
 * mail_clean.c: what a mail costs us: cleaned, and what was written verified, as in the gate but in one process.
 * usage: mail_clean SET ROUNDS (mail_set.h)
 *
 * Prints one JSON object: bytes of the set, mails, CPU seconds of the median round, bytes written, mails refused, bytes that
 * the verifier refused (must be 0), peak resident memory in KiB.
 */
#include <sekisho/clean.h>
#include <sekisho/mailverify.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "mail_set.h"

#define PIECE 65536u

static struct {
	uint64_t mails, written, refused, unverified;
} seen;

/* What the gate's second process does with it. */
struct check {
	struct mailverify v;
	uint8_t buffer[PIECE];
	size_t have;
};

static int verify(void *arg, const void *bytes, size_t n)
{
	struct check *c = arg;
	const uint8_t *p = bytes;

	seen.written += n;
	while (n > 0) {
		size_t piece = n < sizeof(c->buffer) - c->have ? n : sizeof(c->buffer) - c->have;
		memcpy(c->buffer + c->have, p, piece);
		c->have += piece;
		size_t proven = mailverify_push(&c->v, c->buffer, c->have);
		c->have -= proven;
		memmove(c->buffer, c->buffer + proven, c->have);
		p += piece;
		n -= piece;
		if (c->v.reason != MAILVERIFY_OK)
			return -1;
	}
	return 0;
}

static void one(const uint8_t *mail, size_t n)
{
	static struct check check;
	struct clean_options o = {.sink = verify, .arg = &check, .original = CLEAN_ORIGINAL_UPSTREAM, .lf = true};
	struct mailreport_view report;

	mailverify_begin(&check.v, &(struct mailverify_options){.size_max = 4u << 20});
	check.have = 0;
	struct clean *c = clean_new(&o);
	if (c == NULL)
		exit(1);
	for (size_t i = 0; i < n; i += PIECE)
		clean_push(c, mail + i, n - i < PIECE ? n - i : PIECE);
	int r = clean_end(c, &report);
	if (r > 0) {
		seen.refused++;
	} else {
		mailverify_end(&check.v, check.have);
		seen.unverified += check.v.reason != MAILVERIFY_OK;
	}
	seen.mails++;
	clean_free(c);
}

static void begin(void)
{
	memset(&seen, 0, sizeof(seen));
}

int main(int argc, char **argv)
{
	struct rusage u;
	size_t size;
	double seconds = mail_set_run(argc, argv, begin, one, &size);

	getrusage(RUSAGE_SELF, &u);
	printf("{\"bytes\":%zu,\"mails\":%llu,\"seconds\":%.6f,\"written\":%llu,\"refused\":%llu,\"unverified\":%llu,"
	       "\"rss\":%ld}\n", size,
		(unsigned long long)seen.mails, seconds, (unsigned long long)seen.written, (unsigned long long)seen.refused,
		(unsigned long long)seen.unverified, u.ru_maxrss);
	return seen.unverified == 0 ? 0 : 1;
}
