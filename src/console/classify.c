/*
 * classify.c: `sekisho classify`: the inspector over capture files.
 *
 * With a policy each flow is judged as the gate would judge it; without one it is identified, for building rules from a
 * capture. The files are read in a jail (reader.h). A file that is no capture, is cut off or has a link type that we do not
 * decode is one error with the file's name; what could be read of it counts, and the other files are read all the same.
 */
#include "capture.h"
#include "console.h"
#include "draft.h"
#include "flows.h"
#include "policyfile.h"
#include "reader.h"
#include "text.h"

#include <sekisho/arena.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Entries of the table of flows for a file: as many as its packets could make, within reason. */
#define FLOWS_MIN 16384u
#define FLOWS_MAX (4u << 20)
#define BYTES_A_FLOW 160u
#define BATCHES_BETWEEN_LOOKS 4096u

struct classify {
	struct judges judges;
	bool suggest, stats, lenient, ignore_checksums;
	size_t files;
	struct traffic *traffic;
	struct flow_totals totals;
};

static uint32_t flows_for(int fd)
{
	struct stat st;
	uint64_t n = FLOWS_MAX;
	uint8_t magic[2] = {0};

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, magic, 2, 0) == 2 && magic[0] != 0x1f)
		n = (uint64_t)st.st_size / BYTES_A_FLOW;
	return n < FLOWS_MIN ? FLOWS_MIN : n > FLOWS_MAX ? FLOWS_MAX : (uint32_t)n;
}

/* -- progress, on a terminal --------------------------------------------------------------------------------------- */

struct progress {
	bool on;
	int shown; /* per mille; -1 = nothing yet */
};

static void progress_show(struct progress *p, const char *name, int per_mille)
{
	char line[120];

	if (!p->on || per_mille < 0 || per_mille / 10 == p->shown / 10)
		return;
	p->shown = per_mille;
	int n = snprintf(line, sizeof(line), "\r%3d %% [%-20.*s] %.40s", per_mille / 10, per_mille / 50, "####################",
		name);
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		p->on = false;
}

static void progress_end(struct progress *p)
{
	if (p->on && p->shown >= 0 && write(STDERR_FILENO, "\r\033[K", 4) < 0)
		p->on = false;
}

/* -- one file ---------------------------------------------------------------------------------------------------------- */

static void add_totals(struct flow_totals *all, const struct flow_totals *one)
{
	/* Nothing but counters. */
	_Static_assert(sizeof(*all) % sizeof(uint64_t) == 0, "flow_totals is an array of counters");
	uint64_t *a = (uint64_t *)(void *)all;
	const uint64_t *b = (const uint64_t *)(const void *)one;

	for (size_t i = 0; i < sizeof(*all) / sizeof(uint64_t); i++)
		a[i] += b[i];
}

/* Returns NULL, or what is wrong with the file. */
static const char *read_frames(struct flows *f, struct capture *cap, struct progress *p)
{
	struct frame frame[FLOWS_BATCH];
	uint32_t n = 0;
	int got;

	while ((got = capture_some(cap, frame, FLOWS_BATCH)) > 0) {
		if (n == 0 && !packet_link_known(frame[0].linktype))
			return _("a link type that is not decoded");
		if (n++ % BATCHES_BETWEEN_LOOKS == 0)
			progress_show(p, f->file, capture_progress(cap));
		flows_frames(f, frame, got);
		if (f->closed)
			return NULL;
	}
	return got < 0 ? capture_error(cap) : NULL;
}

/* Between the tables of several files. */
static void put_file(struct buf *out, const char *name)
{
	buf_adds(out, "== ");
	text_safe(out, name);
	buf_adds(out, " ==\n");
}

static int classify_file(struct console *c, struct classify *k, int fd, const char *name)
{
	struct flows f = {.c = c, .judges = &k->judges, .file = name, .traffic = k->traffic,
		.decode = k->ignore_checksums ? PACKET_SKIP_CHECKSUM : 0, .identify = k->suggest,
		.rows = !k->stats && !k->suggest};
	struct progress p = {.on = isatty(STDERR_FILENO) == 1, .shown = -1};
	uint32_t flows = flows_for(fd);
	struct capture *cap = capture_open(fd);

	if (cap == NULL || !flows_begin(&f, flows, k->lenient || k->suggest)) {
		capture_close(cap);
		return console_fail(CONSOLE_ENV, "%s: %s", name, strerror(ENOMEM));
	}
	if (k->files > 1 && f.rows && !c->json)
		put_file(&c->out, name);
	const char *wrong = read_frames(&f, cap, &p);
	progress_end(&p);
	int code = wrong == NULL ? CONSOLE_OK : console_fail(CONSOLE_ENV, "%s: %s", name, wrong);
	flows_end(&f);
	capture_close(cap);
	add_totals(&k->totals, &f.totals);
	return code;
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int read_all(struct console *c, struct reader_files *files, void *arg)
{
	struct classify *k = arg;
	struct flows sum = {.judges = &k->judges};
	int64_t before = cpu_ns();
	int fd, code = CONSOLE_OK;
	const char *name;

	k->files = reader_count(files);
	if (k->suggest)
		k->traffic = traffic_new(TRAFFIC_ENTRIES);
	while ((fd = reader_next(files, &name)) >= 0) {
		int r = classify_file(c, k, fd, name);
		code = r != CONSOLE_OK ? r : code;
	}
	if (k->suggest)
		draft_print(&c->out, k->traffic, k->judges.ir, k->judges.matcher);
	sum.totals = k->totals;
	if (k->stats)
		flows_totals(&sum, &c->out, c->json, cpu_ns() - before);
	traffic_free(k->traffic);
	return code;
}

/* -- the verb ------------------------------------------------------------------------------------------------------------ */

/* The first FILE may be the policy: it is when it does not begin as a capture does. */
static bool is_policy(const char *path)
{
	uint8_t head[4];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));
	struct stat st;
	bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	if (fd >= 0)
		close(fd);
	return regular && n > 0 && !capture_looks_like(head, (size_t)n);
}

static uint32_t option_of(const char *word, size_t n)
{
#define X(bit, NAME, text)                                                                                     \
	if (n == sizeof(text) - 1 && memcmp(word, text, n) == 0)                                                \
		return bit;
	VERIFY_OPTIONS(X)
#undef X
	return 0;
}

/* "ftp", or with options of the application: "ftp,active-data". */
static int take_as(struct classify *k, const char *word)
{
	if (word == NULL)
		return CONSOLE_OK;
	size_t n = strcspn(word, ",");
	for (unsigned a = 1; a < APP_END; a++) {
		const char *known = application_word((enum application)a);
		if (strlen(known) == n && memcmp(known, word, n) == 0)
			k->judges.as.application = (enum application)a;
	}
	for (const char *p = word + n; *p == ','; p += n) {
		n = strcspn(++p, ",");
		uint32_t option = option_of(p, n);
		if (option == 0)
			return console_fail(CONSOLE_USAGE, _("\"%s\" is no option of an application"), p);
		k->judges.as.options |= option;
	}
	k->judges.has_as = k->judges.as.application != APP_NONE;
	if (k->judges.has_as)
		return CONSOLE_OK;
	return console_fail(CONSOLE_USAGE, _("\"%s\" is no application that can be verified"), word);
}

static int run(struct console *c, struct classify *k, const struct args *a, size_t first)
{
	if (a->nmany == first)
		return console_fail(CONSOLE_USAGE, "%s", _("a capture file is missing"));
	int code = take_as(k, args_option(a, "--as"));
	return code != CONSOLE_OK ? code : reader_run(c, a->many + first, a->nmany - first, read_all, k);
}

int verb_classify(struct console *c, const struct args *a)
{
	struct classify k = {.suggest = args_option(a, "--suggest") != NULL,
		.stats = args_option(a, "--stats") != NULL,
		.lenient = args_option(a, "--lenient") != NULL,
		.ignore_checksums = args_option(a, "--ignore-checksums") != NULL};
	struct policy_file f;
	bool policy = is_policy(a->many[0]);

	if (!policy) {
		judges_init(&k.judges, NULL, NULL, clock_wall());
		k.lenient = k.lenient || args_option(a, "--as") == NULL;
		return run(c, &k, a, 0);
	}
	int code = policy_file_open(&f, a->many[0], a);
	if (code == CONSOLE_OK && !f.usable)
		code = policy_file_refused(&f);
	if (code == CONSOLE_OK && !judges_init(&k.judges, f.arena, &f.ir, f.at))
		code = console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	if (code == CONSOLE_OK)
		code = run(c, &k, a, 1);
	judges_free(&k.judges);
	policy_file_close(&f);
	return code;
}
