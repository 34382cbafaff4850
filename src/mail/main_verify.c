/*
 * main_verify.c: sekisho-verify: is this the harmless text that may leave? A child for each mail (zygote.c).
 *
 * Input: what the cleaner wrote, believed nothing. Only lines that are proven are written on, so that nothing else leaves
 * even if the answer at the end is lost. Memory: one buffer. Failure: no answer, and the mail is not delivered.
 */
#include "zygote.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include <sekisho/mailverify.h>

#define BUFFER 65536 /* as much as a pipe holds; only what a mail needs of it is ever touched */

enum { EXIT_READ = 1, EXIT_WRITE, EXIT_ANSWER };

static bool write_all(const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(MAIL_FD_OUT, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

static int answer(const struct mailverify *v, uint64_t bytes, struct sha256_ctx *hash)
{
	struct msg_mail_verified said = {.bytes = bytes, .offset = v->offset, .reason = v->reason};

	sha256_digest(hash, sizeof(said.sha256), said.sha256);
	int r = msg_send(MAIL_FD_RESULT, MSG_MAIL_VERIFIED, 0, &said, NULL, 0);
	return r == 0 || r == -EPIPE ? 0 : EXIT_ANSWER; /* nobody waits for it any more: as good as said */
}

static int verify(const struct msg_mail_job *job)
{
	static uint8_t buffer[BUFFER] __attribute__((aligned(4096))); /* a page for a small mail, not two */
	struct mailverify v;
	struct sha256_ctx hash;
	size_t have = 0;
	uint64_t bytes = 0;
	ssize_t n;

	mailverify_begin(&v, &(struct mailverify_options){job->out_max, job->private_use != 0});
	sha256_init(&hash);
	while (v.reason == MAILVERIFY_OK && (n = read(MAIL_FD_IN, buffer + have, sizeof(buffer) - have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return EXIT_READ;
		have += (size_t)n;
		size_t proven = mailverify_push(&v, buffer, have);
		sha256_update(&hash, proven, buffer);
		if (!write_all(buffer, proven))
			return errno == EPIPE ? 0 : EXIT_WRITE;
		bytes += proven;
		have -= proven;
		memmove(buffer, buffer + proven, have);
	}
	mailverify_end(&v, have);
	return answer(&v, bytes, &hash);
}

int main(int argc, char **argv)
{
	static const struct zygote_spec spec = {
		.row = JAIL_VERIFY, .child = JAIL_VERIFY_MAIL, .fds = MSG_MAIL_FDS_VERIFY, .work = verify};

	return zygote_run(&spec, argc, argv);
}
