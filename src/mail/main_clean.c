/*
 * main_clean.c: sekisho-clean: a mail becomes text, in a child for each (zygote.c).
 *
 * Input: one mail, from anybody; the list of own domains, from sekisho-maild. Output: the text, once the whole mail was
 * read; the report in a sealed memfd. Memory: what clean_new() takes, and two buffers. Failure: no answer, and the mail is
 * not delivered. A mail that is refused is answered: the reason is in its report.
 */
#include "zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sekisho/clean.h>

#define BUFFER 65536  /* as much as a pipe holds; only what a mail needs of it is ever touched */
#define DOMAINS 65536 /* bytes of the list: some 250 of the longest names */

enum { EXIT_READ = 1, EXIT_WRITE, EXIT_ANSWER, EXIT_DOMAINS, EXIT_MEMORY, EXIT_REPORT };

static int write_all(int fd, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int put(void *arg, const void *bytes, size_t n)
{
	uint64_t *written = arg;
	int r = write_all(MAIL_FD_OUT, bytes, n);

	*written += r == 0 ? n : 0;
	return r;
}

/* -- What the job says --------------------------------------------------------------------------------------- */

static enum clean_original original_of(uint32_t original)
{
	switch (original) {
	case MSG_MAIL_ORIGINAL_UPSTREAM:
		return CLEAN_ORIGINAL_UPSTREAM;
	case MSG_MAIL_ORIGINAL_COPIED:
		return CLEAN_ORIGINAL_COPIED;
	default:
		return CLEAN_ORIGINAL_NONE;
	}
}

static void take_options(const struct msg_mail_job *job, struct clean_options *o)
{
	_Static_assert(sizeof(o->trace) == sizeof(job->trace) && sizeof(o->authserv) == sizeof(job->authserv) &&
		sizeof(o->labels) == sizeof(job->label), "the texts of a job fit");
	o->direction = job->direction == MSG_MAIL_OUT ? CLEAN_OUT : CLEAN_IN;
	o->original = original_of(job->original);
	o->attachment_text = job->attachment_text;
	o->english = job->english != 0;
	o->private_use = job->private_use != 0;
	o->text_max = job->text_max;
	o->sha256 = job->sha256;
	memcpy(o->trace, job->trace, sizeof(o->trace));
	memcpy(o->authserv, job->authserv, sizeof(o->authserv));
	memcpy(o->labels, job->label, sizeof(o->labels));
}

/* By offset: the file is the same one in every job, and so is its position. */
static bool take_domains(struct clean_options *o)
{
	static char domains[DOMAINS];
	ssize_t n = pread(MAIL_FD_DOMAINS, domains, sizeof(domains), 0);

	o->domains = domains;
	o->ndomains = n > 0 ? (size_t)n : 0;
	return n >= 0 && (size_t)n < sizeof(domains);
}

/* -- One mail ------------------------------------------------------------------------------------------------- */

/* All of it, also behind what refuses it: the receipt number is of the whole mail. */
static bool feed(struct clean *c, uint64_t *ret_bytes)
{
	static uint8_t buffer[BUFFER] __attribute__((aligned(4096)));
	ssize_t n;

	*ret_bytes = 0;
	while ((n = read(MAIL_FD_IN, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		clean_push(c, buffer, (size_t)n);
		*ret_bytes += (uint64_t)n;
	}
	return true;
}

static int answer(const struct clean *c, struct msg_mail_result *said)
{
	int fd = MAIL_FD_REPORT, r;
	size_t n;
	const void *report = clean_report(c, &n);
	int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

	if (write_all(fd, report, n) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return EXIT_REPORT;
	r = msg_send(MAIL_FD_RESULT, MSG_MAIL_RESULT, 0, said, &fd, 1);
	return r == 0 || r == -EPIPE ? 0 : EXIT_ANSWER; /* nobody waits for it any more: as good as said */
}

static int clean_mail(const struct msg_mail_job *job)
{
	static struct clean_options options;
	struct msg_mail_result said = {0};
	struct mailreport_view view;

	options.sink = put;
	options.arg = &said.bytes_out;
	take_options(job, &options);
	if (!take_domains(&options))
		return EXIT_DOMAINS;
	struct clean *c = clean_new(&options);
	if (c == NULL)
		return EXIT_MEMORY;
	if (!feed(c, &said.bytes_in))
		return EXIT_READ;
	int r = clean_end(c, &view);
	if (r < 0)
		return r == -EPIPE ? 0 : EXIT_WRITE;
	return answer(c, &said);
}

int main(int argc, char **argv)
{
	static const struct zygote_spec spec = {
		.row = JAIL_CLEAN, .child = JAIL_CLEAN_MAIL, .fds = MSG_MAIL_FDS_CLEAN, .work = clean_mail};

	return zygote_run(&spec, argc, argv);
}
