/*
 * test_mailworkers.c: sekisho-clean and sekisho-verify one behind the other, as sekisho-maild joins them, with the mails of the
 * public corpora: what the one writes the other accepts, all of it. Then either is killed at any moment: what came out is
 * always a beginning of what would have come, and is taken for whole only if it is. Root.
 *
 * Usage: test_mailworkers CLEAN VERIFY CORPORA
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/mailreport.h>
#include <sekisho/mailverify.h>

#include "test.h"
#include "zygote_drive.h"

#define MAIL_MAX (4u << 20)
#define OUT_MAX (4u << 20)
#define MAILS_MAX 4000

static struct zygote cleaner, verifier;
static char mail[MAIL_MAX];
static size_t mail_n;

/* What became of a mail. */
static struct outcome {
	bool cleaned, verified, accepted, whole;
	uint32_t reason; /* of the cleaner's report */
	size_t n;
	char out[OUT_MAX];
} outcome;

/* -- One mail through both ----------------------------------------------------------------------------------------- */

enum { IN, OUT, CLEANED, VERIFIED, ENDS };

static bool pair(int type, int ret[2])
{
	return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret) == 0;
}

/* Our four ends; those of the children are theirs alone. */
static bool begin(int ends[ENDS])
{
	int in[2], middle[2], out[2], cleaned[2], verified[2];
	struct msg_mail_job job;

	drive_job_init(&job);
	job.seconds = job.cpu_seconds = 60;
	if (!pair(SOCK_STREAM, in) || !pair(SOCK_STREAM, middle) || !pair(SOCK_STREAM, out) || !pair(SOCK_SEQPACKET, cleaned) ||
		!pair(SOCK_SEQPACKET, verified))
		return false;
	int domains = memfd_create("domains", MFD_CLOEXEC);
	int for_cleaner[] = {in[1], middle[0], cleaned[1], domains}, for_verifier[] = {middle[1], out[1], verified[1]};
	bool good = drive_send_fds(&cleaner, &job, 1, for_cleaner, MSG_MAIL_FDS_CLEAN) == 0 &&
		drive_send_fds(&verifier, &job, 1, for_verifier, MSG_MAIL_FDS_VERIFY) == 0;
	for (unsigned i = 0; i < 4; i++)
		close(for_cleaner[i]);
	for (unsigned i = 0; i < 3; i++)
		close(for_verifier[i]);
	ends[IN] = in[0];
	ends[OUT] = out[0];
	ends[CLEANED] = cleaned[0];
	ends[VERIFIED] = verified[0];
	fcntl(in[0], F_SETFL, O_NONBLOCK);
	return good;
}

static void end(int ends[ENDS], int which)
{
	if (ends[which] >= 0)
		close(ends[which]);
	ends[which] = -1;
}

static void feed(int ends[ENDS], size_t *at)
{
	ssize_t w = *at < mail_n ? send(ends[IN], mail + *at, mail_n - *at, MSG_NOSIGNAL) : 0;

	*at += w > 0 ? (size_t)w : 0;
	if (*at == mail_n || (w < 0 && errno != EAGAIN))
		end(ends, IN);
}

static void take_bytes(int ends[ENDS])
{
	ssize_t r = read(ends[OUT], outcome.out + outcome.n, OUT_MAX - outcome.n);

	if (r > 0)
		outcome.n += (size_t)r;
	else
		end(ends, OUT);
}

/* What the report says, for a process that believes it nothing. */
static void take_report(int fd)
{
	static _Alignas(8) uint8_t bytes[1 << 20];
	struct mailreport_view view;
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK));
	CHECK(n > 0 && mailreport_open(bytes, (size_t)n, &view) == 0);
	outcome.reason = view.head->reason;
}

static void take_answer(int ends[ENDS], int which, uint64_t bytes[2])
{
	struct msg m;

	if (msg_recv(ends[which], &m) != 1) {
		end(ends, which);
		return;
	}
	if (which == CLEANED && m.type == MSG_MAIL_RESULT) {
		outcome.cleaned = true;
		bytes[0] = m.u.msg_mail_result.bytes_out;
		take_report(m.fds[0]);
	} else if (which == VERIFIED && m.type == MSG_MAIL_VERIFIED) {
		outcome.verified = true;
		outcome.accepted = m.u.msg_mail_verified.reason == MAILVERIFY_OK;
		bytes[1] = m.u.msg_mail_verified.bytes;
	}
	msg_close_fds(&m);
}

static void kill_child(const struct zygote *z)
{
	pid_t pids[8];
	unsigned n = drive_children(z, pids, 8);

	for (unsigned i = 0; i < n && i < 8; i++)
		kill(pids[i], SIGKILL);
}

static unsigned turns; /* of the last run */

/* victim: whose child is killed once `when` turns are over, or NULL. False: it did not end in time. */
static bool run(const struct zygote *victim, unsigned when)
{
	int ends[ENDS];
	uint64_t bytes[2] = {0, 1};
	size_t at = 0;

	outcome.cleaned = outcome.verified = outcome.accepted = outcome.whole = false;
	outcome.n = 0;
	outcome.reason = 0;
	if (!begin(ends))
		return false;
	for (turns = 0; ends[OUT] >= 0 || ends[CLEANED] >= 0 || ends[VERIFIED] >= 0; turns++) {
		struct pollfd p[ENDS] = {{ends[IN], POLLOUT, 0}, {ends[OUT], POLLIN, 0}, {ends[CLEANED], POLLIN, 0},
			{ends[VERIFIED], POLLIN, 0}};
		if (victim != NULL && turns == when)
			kill_child(victim);
		if (poll(p, ENDS, 30000) <= 0)
			return false;
		if (p[IN].revents != 0)
			feed(ends, &at);
		if (p[OUT].revents != 0)
			take_bytes(ends);
		for (int which = CLEANED; which <= VERIFIED; which++) {
			if (p[which].revents != 0)
				take_answer(ends, which, bytes);
		}
	}
	end(ends, IN);
	/* As sekisho-maild decides it. */
	outcome.whole = outcome.cleaned && outcome.verified && outcome.accepted && outcome.reason == 0 && bytes[0] == bytes[1] &&
		bytes[1] == outcome.n;
	return true;
}

/* -- The corpora ----------------------------------------------------------------------------------------------------- */

static unsigned mails, delivered, refused;

/* As it would have travelled: bare LF becomes CR LF. */
static bool load(const char *path)
{
	static char raw[MAIL_MAX / 2];
	FILE *f = fopen(path, "rbe");
	size_t n = f != NULL ? fread(raw, 1, sizeof(raw), f) : 0;

	if (f != NULL)
		fclose(f);
	mail_n = 0;
	for (size_t i = 0; i < n; i++) {
		if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r'))
			mail[mail_n++] = '\r';
		mail[mail_n++] = raw[i];
	}
	return n > 0 && n < sizeof(raw);
}

static void one(const char *path)
{
	if (mails >= MAILS_MAX || !load(path))
		return;
	mails++;
	bool good = run(NULL, 0) && outcome.cleaned && outcome.verified;
	if (good && outcome.reason == 0) {
		delivered++;
		good = outcome.whole;
	} else {
		refused++;
		good = good && outcome.n == 0 && !outcome.accepted;
	}
	test_checks++;
	if (!good) {
		test_failures++;
		printf("%s: cleaned %d (reason %u), verified %d, accepted %d, %zu bytes\n", path, outcome.cleaned, outcome.reason,
			outcome.verified, outcome.accepted, outcome.n);
	}
}

static void walk(const char *directory, void (*fn)(const char *path))
{
	struct dirent **list = NULL;
	int n = scandir(directory, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[4096];
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s", directory, list[i]->d_name);
		if (list[i]->d_name[0] != '.' && lstat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode))
				walk(path, fn);
			else if (S_ISREG(st.st_mode))
				fn(path);
		}
		free(list[i]);
	}
	free(list);
}

/* -- Faults ------------------------------------------------------------------------------------------------------------ */

static void make_large_mail(void)
{
	mail_n = (size_t)sprintf(mail, "From: a@example.jp\r\nSubject: x\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n");
	while (mail_n < 700000)
		mail_n += (size_t)sprintf(mail + mail_n, "関所を通る文章の一行 %zu\r\n", mail_n);
}

static void test_faults(void)
{
	static char right[OUT_MAX];
	unsigned whole = 0, cut = 0;

	make_large_mail();
	CHECK(run(NULL, 0) && outcome.whole);
	size_t right_n = outcome.n, right_turns = turns;
	memcpy(right, outcome.out, right_n);
	for (unsigned i = 0; i < 240; i++) {
		CHECK(run(i % 2 == 0 ? &cleaner : &verifier, (unsigned)(i * right_turns / 240)));
		CHECK(outcome.n <= right_n && memcmp(outcome.out, right, outcome.n) == 0);
		CHECK(!outcome.whole || outcome.n == right_n);
		whole += outcome.whole;
		cut += !outcome.whole;
	}
	CHECK(cut > 100);
	CHECK(run(NULL, 0) && outcome.whole);
	printf("killed at 240 moments: %u mails cut off, %u whole\n", cut, whole);
}

int main(int argc, char **argv)
{
	if (geteuid() != 0) {
		printf("needs root\n");
		return 77;
	}
	if (argc < 4 || !drive_start(&cleaner, argv[1], true) || !drive_start(&verifier, argv[2], false))
		return 1;
	walk(argv[3], one);
	if (mails == 0)
		printf("SKIPPED the corpora: %s is not there\n", argv[3]);
	printf("%u mails: %u became text, %u were refused\n", mails, delivered, refused);
	CHECK(mails == 0 || delivered > mails / 2);
	test_faults();
	drive_stop(&cleaner);
	drive_stop(&verifier);
	return test_end();
}
