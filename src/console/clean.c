/*
 * clean.c: `sekisho clean`: a mail on standard input becomes text on standard output.
 *
 * The cleaner of the gate, with the same bytes as in the gate. The mail is read in a jail (reader.h) that holds nothing but
 * standard input, standard output and the report's file. A refused mail has no output; the reason's word stands on
 * standard error.
 */
#include "console.h"
#include "reader.h"

#include <sekisho/clean.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536u /* bytes that are read at a time */

struct job {
	struct clean_options options;
	int report; /* descriptor, or -1 */
	int out;
};

/* -- options -------------------------------------------------------------------------------------------------------- */

static bool direction_of(const char *word, struct clean_options *o)
{
	if (word == NULL || strcmp(word, "in") == 0)
		o->direction = CLEAN_IN;
	else if (strcmp(word, "out") == 0)
		o->direction = CLEAN_OUT;
	else
		return false;
	return true;
}

static bool original_of(const char *word, struct clean_options *o)
{
	if (word == NULL)
		o->original = CLEAN_ORIGINAL_NONE;
	else if (strcmp(word, "upstream") == 0)
		o->original = CLEAN_ORIGINAL_UPSTREAM;
	else if (strcmp(word, "copied") == 0)
		o->original = CLEAN_ORIGINAL_COPIED;
	else
		return false;
	return true;
}

/* "docx,txt" */
static bool texts_of(const char *list, struct clean_options *o)
{
	while (list != NULL && *list != '\0') {
		size_t n = strcspn(list, ",");
		unsigned bit = clean_text_find(list, n);
		if (bit == 0)
			return false;
		o->attachment_text |= bit;
		list += n + (list[n] == ',');
	}
	return true;
}

static bool options_of(const struct args *a, struct clean_options *o)
{
	const char *authserv = args_option(a, "--authserv");

	*o = (struct clean_options){.english = strcmp(i18n_language(), "en") == 0, .lf = args_option(a, "--lf") != NULL,
		.private_use = args_option(a, "--gaiji") != NULL};
	if (authserv != NULL && strlen(authserv) < sizeof(o->authserv))
		strcpy(o->authserv, authserv);
	else if (authserv != NULL)
		return false;
	return direction_of(args_option(a, "--direction"), o) && original_of(args_option(a, "--original"), o) &&
		texts_of(args_option(a, "--attachment-text"), o);
}

/* -- in the jail ------------------------------------------------------------------------------------------------------ */

static int write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int put(void *arg, const void *bytes, size_t n)
{
	return write_all(((struct job *)arg)->out, bytes, n);
}

/* The whole mail, also behind a refusal: the receipt number is of all of it. */
static int feed(struct console *c, struct clean *clean)
{
	static char piece[PIECE];
	ssize_t n;

	while ((n = read(c->in_fd, piece, sizeof(piece))) != 0) {
		if (n > 0)
			clean_push(clean, piece, (size_t)n);
		else if (errno != EINTR)
			return console_fail(CONSOLE_ENV, _("cannot read the mail: %s"), strerror(errno));
	}
	return CONSOLE_OK;
}

static int write_report(struct job *job, const struct mailreport_view *view)
{
	struct buf json = {0};

	if (job->report < 0)
		return CONSOLE_OK;
	mailreport_json(view, &json);
	buf_addc(&json, '\n');
	int r = write_all(job->report, json.data, json.len);
	buf_free(&json);
	return r < 0 ? console_fail(CONSOLE_ENV, _("cannot write the report: %s"), strerror(-r)) : CONSOLE_OK;
}

static int run(struct console *c, struct reader_files *files, void *arg)
{
	struct job *job = arg;
	struct mailreport_view view;

	(void)files;
	job->out = c->out_fd;
	job->options.sink = put;
	job->options.arg = job;
	struct clean *clean = clean_new(&job->options);
	if (clean == NULL)
		return console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	int code = feed(c, clean);
	int result = clean_end(clean, &view);
	if (code == CONSOLE_OK)
		code = write_report(job, &view);
	if (result < 0)
		code = console_fail(CONSOLE_ENV, _("cannot write the output: %s"), strerror(-result));
	else if (result > 0)
		code = console_fail(CONSOLE_REFUSED, "%s: %s", mail_reason_word((unsigned)result), _(mail_reason_text((unsigned)result)));
	clean_free(clean);
	return code;
}

int verb_clean(struct console *c, const struct args *a)
{
	const char *report = args_option(a, "--report");
	struct job job = {.report = -1};

	if (!options_of(a, &job.options))
		return console_fail(CONSOLE_USAGE, _("an option has a value that is not known; see: sekisho clean --help"));
	if (report != NULL && (job.report = open(report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600)) < 0)
		return console_fail(CONSOLE_ENV, "%s: %s", report, strerror(errno));
	int code = reader_run(c, NULL, 0, run, &job);
	if (job.report >= 0)
		close(job.report);
	return code;
}
