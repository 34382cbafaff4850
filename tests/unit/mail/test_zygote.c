/*
 * test_zygote.c: sekisho-verify (and sekisho-clean) as real processes: jobs, good and bad mails, children that are killed,
 * stopped, starved, fed with garbage or left alone; a zygote that dies; thousands of jobs without a trace. Root.
 *
 * Usage: test_zygote verify|clean PROGRAM
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include <sekisho/mailverify.h>

#include "test.h"
#include "zygote_drive.h"

#define HEADER                                                                                                 \
	"From: <a@example.jp>\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\n"
#define LINE76 "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\r\n"

static struct zygote z;
static struct drive_end end;
static char large[1 << 20]; /* a whole mail for either program */
static size_t large_n;
static const char *small;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void make_mails(void)
{
	if (z.clean) {
		small = "From: a@example.jp\r\nSubject: x\r\n\r\nhello\r\n";
		large_n = (size_t)sprintf(large, "From: a@example.jp\r\nSubject: x\r\n\r\n");
		while (large_n < sizeof(large) - 100)
			large_n += (size_t)sprintf(large + large_n, "a line of text that is read and written %zu\r\n", large_n);
		return;
	}
	small = HEADER "aGVsbG8NCg==\r\n";
	large_n = (size_t)sprintf(large, HEADER);
	while (large_n < sizeof(large) - 100)
		large_n += (size_t)sprintf(large + large_n, LINE76);
	large_n += (size_t)sprintf(large + large_n, "DQo=\r\n");
}

/* -- Mails ------------------------------------------------------------------------------------------------------ */

static bool is_served(void)
{
	memset(&end.answer, 0, sizeof(end.answer));
	bool good = drive_mail(&z, small, strlen(small), &end) && end.answered;

	good = good && end.answer.type == (z.clean ? MSG_MAIL_RESULT : MSG_MAIL_VERIFIED);
	good = good && (z.clean || end.answer.u.msg_mail_verified.reason == MAILVERIFY_OK);
	msg_close_fds(&end.answer);
	return good && end.n > 0;
}

static void test_good(void)
{
	struct sha256_ctx hash;
	uint8_t sum[32];

	CHECK(is_served());
	CHECK(drive_mail(&z, large, large_n, &end));
	CHECK(end.answered);
	if (z.clean) {
		CHECK_INT(end.answer.nfds, 1);
		CHECK_INT(fcntl(end.answer.fds[0], F_GET_SEALS), F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
		CHECK_INT((long long)end.answer.u.msg_mail_result.bytes_in, (long long)large_n);
		CHECK_INT((long long)end.answer.u.msg_mail_result.bytes_out, (long long)end.n);
		msg_close_fds(&end.answer);
		return;
	}
	CHECK_INT(end.answer.u.msg_mail_verified.reason, MAILVERIFY_OK);
	CHECK(end.n == large_n && memcmp(end.out, large, large_n) == 0);
	CHECK_INT((long long)end.answer.u.msg_mail_verified.bytes, (long long)large_n);
	sha256_init(&hash);
	sha256_update(&hash, large_n, (const uint8_t *)large);
	sha256_digest(&hash, sizeof(sum), sum);
	CHECK(memcmp(sum, end.answer.u.msg_mail_verified.sha256, sizeof(sum)) == 0);
}

/* What is refused: the lines before come out, and nothing of the line itself or behind it. */
static void test_refused(void)
{
	static const char bad[] = HEADER LINE76 LINE76 "<script>\r\n" LINE76;
	size_t proven = strlen(HEADER LINE76 LINE76);

	CHECK(drive_mail(&z, bad, sizeof(bad) - 1, &end) && end.answered);
	CHECK_INT(end.answer.u.msg_mail_verified.reason, MAILVERIFY_BASE64);
	CHECK_INT((long long)end.answer.u.msg_mail_verified.offset, (long long)proven);
	CHECK(end.n == proven && memcmp(end.out, bad, proven) == 0);
	CHECK(drive_mail(&z, HEADER LINE76, strlen(HEADER LINE76), &end) && end.answered);
	CHECK_INT(end.answer.u.msg_mail_verified.reason, MAILVERIFY_TEXT_END);
	CHECK(drive_mail(&z, "", 0, &end) && end.answered);
	CHECK_INT(end.answer.u.msg_mail_verified.reason, MAILVERIFY_TRUNCATED);
	/* The job's own limits. */
	struct msg_mail_job job;
	struct drive_job j;
	drive_job_init(&job);
	job.out_max = large_n - 1;
	CHECK(drive_send(&z, &job, 1, &j) && drive_finish(&j, large, large_n, 20000, &end) && end.answered);
	CHECK_INT(end.answer.u.msg_mail_verified.reason, MAILVERIFY_SIZE);
}

/* -- Children in trouble ---------------------------------------------------------------------------------------- */

static bool is_alive(pid_t pid)
{
	char path[64], state = 'Z';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL || fscanf(f, "%*d %*s %c", &state) != 1)
		state = 'Z';
	if (f != NULL)
		fclose(f);
	return state != 'Z';
}

/* A child that is at work, once there is one; never the same twice. */
static pid_t a_child(void)
{
	static pid_t last;
	pid_t pids[64];

	for (int i = 0; i < 2000; i++) {
		unsigned n = drive_children(&z, pids, 64);
		if (n > 0 && n <= 64 && pids[n - 1] != last && is_alive(pids[n - 1]))
			return last = pids[n - 1];
		usleep(1000);
	}
	return -1;
}

static unsigned children_after(int ms, unsigned want)
{
	int64_t until = now_ms() + ms;
	unsigned n;

	while ((n = drive_children(&z, NULL, 0)) != want && now_ms() < until)
		usleep(5000);
	return n;
}

/* Killed after each of many beginnings of the mail: the end of file, never an answer or a piece that was not proven. */
static void test_killed(void)
{
	struct msg_mail_job job;
	struct drive_job j;

	drive_job_init(&job);
	CHECK_INT(children_after(3000, 0), 0);
	for (unsigned i = 0; i < 40; i++) {
		size_t n = large_n * i / 40;
		CHECK(drive_send(&z, &job, i, &j));
		pid_t pid = a_child();
		fcntl(j.in, F_SETFL, 0);
		fcntl(j.out, F_SETFL, O_NONBLOCK);
		size_t sent = 0;
		while (sent < n && pid > 0) {
			ssize_t w = send(j.in, large + sent, n - sent < 8192 ? n - sent : 8192, MSG_NOSIGNAL);
			if (w <= 0)
				break;
			sent += (size_t)w;
			while (read(j.out, end.out, sizeof(end.out)) > 0)
				;
		}
		CHECK(pid > 0 && kill(pid, SIGKILL) == 0);
		CHECK(drive_finish(&j, "", 0, 5000, &end));
		CHECK(!end.answered);
	}
	CHECK(is_served());
}

static void test_stopped_and_continued(void)
{
	struct msg_mail_job job;
	struct drive_job j;

	drive_job_init(&job);
	CHECK_INT(children_after(3000, 0), 0);
	CHECK(drive_send(&z, &job, 1, &j));
	pid_t pid = a_child();
	CHECK(pid > 0 && kill(pid, SIGSTOP) == 0);
	CHECK(is_served()); /* another child is not held up */
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(drive_finish(&j, small, strlen(small), 5000, &end) && end.answered);
	msg_close_fds(&end.answer);
}

/* Nothing comes in, or nobody reads: the alarm ends it. */
static void test_deadline(void)
{
	struct msg_mail_job job;
	struct drive_job starved, slow;
	struct pollfd p = {-1, POLLIN, 0};
	int64_t begin = now_ms();
	size_t at = 0;
	ssize_t w;

	drive_job_init(&job);
	job.seconds = 1;
	CHECK(drive_send(&z, &job, 1, &starved) && drive_send(&z, &job, 2, &slow));
	while ((w = send(slow.in, large + at, large_n - at, MSG_NOSIGNAL)) > 0)
		at += (size_t)w;
	p.fd = starved.result;
	CHECK(poll(&p, 1, 5000) == 1);
	p.fd = slow.result;
	CHECK(poll(&p, 1, 5000) == 1);
	CHECK(now_ms() - begin > 800 && now_ms() - begin < 4000);
	CHECK(drive_finish(&starved, "", 0, 1000, &end) && !end.answered && end.n == 0);
	CHECK(drive_finish(&slow, "", 0, 1000, &end) && !end.answered);
	CHECK(is_served());
}

/* Whoever is rid of a job closes his ends: the child ends at once, whatever it was at. */
static void test_closed(void)
{
	struct msg_mail_job job;
	struct drive_job j;

	drive_job_init(&job);
	for (int what = 0; what < 4; what++) {
		CHECK(drive_send(&z, &job, 1, &j));
		size_t at = 0;
		ssize_t w;
		while (what != 0 && (w = send(j.in, large + at, large_n - at, MSG_NOSIGNAL)) > 0)
			at += (size_t)w;
		if (what >= 2) {
			close(j.out);
			j.out = -1;
		}
		if (what == 3) {
			close(j.result);
			j.result = -1;
		}
		CHECK(drive_finish(&j, "", 0, 5000, &end));
		if (end.answered)
			msg_close_fds(&end.answer);
		CHECK_INT(children_after(3000, 0), 0);
	}
	CHECK(is_served());
}

/* -- Garbage ------------------------------------------------------------------------------------------------------ */

/* Descriptors that are no sockets, or cannot do what is asked of them. */
static void test_wrong_descriptors(void)
{
	struct msg_mail_job job;
	unsigned n = z.clean ? MSG_MAIL_FDS_CLEAN : MSG_MAIL_FDS_VERIFY, before = drive_descriptors(&z);
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path = open("/", O_PATH | O_CLOEXEC);
	int kinds[] = {zero, full, directory, path, open("/dev/null", O_RDONLY | O_CLOEXEC), epoll_create1(EPOLL_CLOEXEC),
		memfd_create("x", MFD_CLOEXEC)};
	const unsigned nkinds = sizeof(kinds) / sizeof(kinds[0]);

	drive_job_init(&job);
	job.seconds = job.cpu_seconds = 2;
	job.out_max = 1 << 16;
	for (unsigned i = 0; i < nkinds; i++) {
		for (unsigned k = 0; k < nkinds; k++) {
			int fds[] = {kinds[i], kinds[k], kinds[(i + k) % 7], zero};
			CHECK_INT(drive_send_fds(&z, &job, 1, fds, n), 0);
		}
	}
	CHECK_INT(children_after(8000, 0), 0);
	CHECK(is_served());
	CHECK_INT(drive_descriptors(&z), before);
	for (unsigned i = 0; i < nkinds; i++)
		close(kinds[i]);
}

/* What is no job ends the zygote, as it ends any of ours; it is started again on the same pair. */
static void test_malformed(void)
{
	struct msg_mail_job job;
	struct msg_beat beat = {.sequence = 1};
	int fds[4] = {z.mail, z.mail, z.mail, z.mail};
	unsigned wrong = z.clean ? MSG_MAIL_FDS_VERIFY : MSG_MAIL_FDS_CLEAN;

	drive_job_init(&job);
	CHECK_INT(drive_send_fds(&z, &job, 1, fds, wrong), 0);
	int status = drive_wait(&z, 5000);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(drive_restart(&z));
	CHECK_INT(msg_send(z.mail, MSG_BEAT, 0, &beat, NULL, 0), 0);
	status = drive_wait(&z, 5000);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(drive_restart(&z));
	CHECK(send(z.mail, "garbage", 7, 0) == 7);
	status = drive_wait(&z, 5000);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(drive_restart(&z));
	CHECK(is_served());
}

/* -- Many --------------------------------------------------------------------------------------------------------- */

#define CHILDREN_MAX 512
static struct drive_job crowd[CHILDREN_MAX];

/* As many as there may be; the next one is told so, and all are served in the end. */
static void test_full(void)
{
	struct msg_mail_job job;
	struct drive_job more;
	struct pollfd p = {z.mail, POLLIN, 0};
	struct msg m;

	drive_job_init(&job);
	CHECK_INT(children_after(3000, 0), 0);
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		CHECK(drive_send(&z, &job, i, &crowd[i]));
	CHECK(drive_send(&z, &job, 4711, &more));
	CHECK(poll(&p, 1, 10000) == 1 && msg_recv(z.mail, &m) == 1);
	CHECK(m.type == MSG_MAIL_BUSY && m.tag == 4711 && m.u.msg_mail_busy.living == CHILDREN_MAX);
	CHECK_INT(m.u.msg_mail_busy.error, 0);
	CHECK(drive_finish(&more, "", 0, 1000, &end) && !end.answered);
	CHECK_INT(drive_children(&z, NULL, 0), CHILDREN_MAX);
	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		bool good = drive_finish(&crowd[i], small, strlen(small), 10000, &end) && end.answered;
		CHECK(good);
		if (good)
			msg_close_fds(&end.answer);
	}
	CHECK_INT(children_after(3000, 0), 0);
	CHECK(is_served());
}

/* Answers, and the descriptors in them, that wait long to be read. */
static void test_answers_wait(void)
{
	struct msg_mail_job job;
	unsigned good = 0;

	drive_job_init(&job);
	for (unsigned i = 0; i < 300; i++) {
		CHECK(drive_send(&z, &job, i, &crowd[i]));
		CHECK(send(crowd[i].in, small, strlen(small), MSG_NOSIGNAL) == (ssize_t)strlen(small));
		CHECK(shutdown(crowd[i].in, SHUT_WR) == 0);
	}
	CHECK_INT(children_after(10000, 0), 0);
	for (unsigned i = 0; i < 300; i++) {
		if (!drive_finish(&crowd[i], "", 0, 5000, &end) || !end.answered)
			continue;
		good++;
		msg_close_fds(&end.answer);
	}
	CHECK_INT(good, 300);
}

/* Nobody reads what the zygote says: it goes on. */
static void test_unread(void)
{
	struct msg_mail_job job;
	struct drive_job more;
	struct msg m;

	drive_job_init(&job);
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		CHECK(drive_send(&z, &job, i, &crowd[i]));
	for (unsigned i = 0; i < 600; i++) {
		CHECK(drive_send(&z, &job, i, &more));
		CHECK(drive_finish(&more, "", 0, 5000, &end) && !end.answered);
	}
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		drive_close(&crowd[i]);
	CHECK_INT(children_after(3000, 0), 0);
	while (msg_recv(z.mail, &m) == 1)
		CHECK_INT(m.type, MSG_MAIL_BUSY);
	CHECK(is_served());
}

static long resident_pages(void)
{
	char path[64];
	long size = 0, resident = -1;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)z.pid);
	FILE *f = fopen(path, "re");
	if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = -1;
	if (f != NULL)
		fclose(f);
	return resident;
}

static void test_thousands(void)
{
	unsigned before = drive_descriptors(&z), bad = 0;

	CHECK(is_served());
	long pages = resident_pages();
	for (unsigned i = 0; i < 3000; i++)
		bad += !is_served();
	CHECK_INT(bad, 0);
	CHECK_INT(drive_descriptors(&z), before);
	CHECK_INT(children_after(3000, 0), 0);
#if !defined(__SANITIZE_ADDRESS__) /* its runtime keeps what is freed */
	CHECK(resident_pages() <= pages + 16);
#else
	(void)pages;
#endif
}

/* -- Life and death of the zygote --------------------------------------------------------------------------------- */

static void test_beats(void)
{
	struct pollfd p = {z.init, POLLIN, 0};
	struct msg m;
	unsigned beats = 0;

	while (msg_recv(z.init, &m) == 1)
		;
	for (unsigned i = 0; i < 3 && poll(&p, 1, 3000) == 1; i++)
		beats += msg_recv(z.init, &m) == 1 && m.type == MSG_BEAT;
	CHECK_INT(beats, 3);
}

/* Its children die with it; a job that waits is done by the next one. */
static void test_death(void)
{
	struct msg_mail_job job;
	struct drive_job running, waiting;

	drive_job_init(&job);
	CHECK_INT(children_after(3000, 0), 0);
	CHECK(drive_send(&z, &job, 1, &running));
	CHECK(a_child() > 0);
	CHECK(kill(z.pid, SIGSTOP) == 0);
	CHECK(drive_send(&z, &job, 2, &waiting));
	CHECK(kill(z.pid, SIGKILL) == 0);
	CHECK(WIFSIGNALED(drive_wait(&z, 5000)));
	CHECK(drive_finish(&running, small, strlen(small), 3000, &end) && !end.answered);
	CHECK(drive_restart(&z));
	CHECK(drive_finish(&waiting, small, strlen(small), 5000, &end) && end.answered);
	msg_close_fds(&end.answer);
	/* In order, too. */
	CHECK(drive_send(&z, &job, 3, &running));
	CHECK(a_child() > 0);
	CHECK(kill(z.pid, SIGTERM) == 0);
	int status = drive_wait(&z, 5000);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(drive_finish(&running, small, strlen(small), 3000, &end) && !end.answered);
	CHECK(drive_restart(&z));
	CHECK(is_served());
}

/* Without what sekisho-init hands over it ends at once. */
static void test_alone(void)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		char root[80];
		snprintf(root, sizeof(root), "--root=%s", z.root);
		execl(z.program, z.program, root, (char *)NULL);
		_exit(101);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

/* -- Measuring ------------------------------------------------------------------------------------------------------ */

struct cost {
	unsigned long faults, ticks;
};

/* What zygote and dead children have used. */
static struct cost cost(void)
{
	static const char format[] = "%*d %*s %*c %*d %*d %*d %*d %*d %*u %lu %lu %*u %*u %lu %lu %lu %lu";
	char path[64];
	unsigned long f[2] = {0}, t[4] = {0};

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)z.pid);
	FILE *file = fopen(path, "re");
	if (file == NULL || fscanf(file, format, &f[0], &f[1], &t[0], &t[1], &t[2], &t[3]) != 6)
		printf("%s: cannot be read\n", path);
	if (file != NULL)
		fclose(file);
	return (struct cost){f[0] + f[1], t[0] + t[1] + t[2] + t[3]};
}

/* `n` mails of about 4 KB, one after the other. Processor time is that of zygote and children. */
static int measure(unsigned n)
{
	char *mail = large;
	size_t size = z.clean ? 4096 : (size_t)sprintf(mail, HEADER);

	while (!z.clean && size < 4096)
		size += (size_t)sprintf(mail + size, LINE76);
	if (!z.clean)
		size += (size_t)sprintf(mail + size, "DQo=\r\n");
	struct cost before = cost();
	int64_t begin = now_ms();
	for (unsigned i = 0; i < n; i++) {
		struct msg m;
		if (!drive_mail(&z, mail, size, &end) || !end.answered) {
			bool busy = msg_recv(z.mail, &m) == 1 && m.type == MSG_MAIL_BUSY;
			printf("mail %u was not answered: %s\n", i, busy ? strerror(m.u.msg_mail_busy.error) : "no word of why");
			sleep(2); /* the log says more */
			return 1;
		}
		msg_close_fds(&end.answer);
	}
	double wall = (double)(now_ms() - begin) * 1000;
	children_after(2000, 0);
	struct cost after = cost();
	long tick = sysconf(_SC_CLK_TCK);
	double cpu = (double)(after.ticks - before.ticks) * 1e6 / (double)tick;
	printf("%zu bytes: %.1f us of a processor, %.1f us wall, %.1f page faults a mail\n", size, cpu / n, wall / n,
		(double)(after.faults - before.faults) / n);
	return 0;
}

int main(int argc, char **argv)
{
	if (geteuid() != 0) {
		printf("needs root\n");
		return 77;
	}
	if (argc < 3 || !drive_start(&z, argv[2], strcmp(argv[1], "clean") == 0))
		return 1;
	make_mails();
	if (argc > 3) {
		int r = measure((unsigned)atoi(argv[3]));
		drive_stop(&z);
		return r;
	}
	test_good();
	if (!z.clean)
		test_refused();
	test_killed();
	test_stopped_and_continued();
	test_deadline();
	test_closed();
	test_wrong_descriptors();
	test_full();
	test_answers_wait();
	test_unread();
	test_thousands();
	test_beats();
	test_death();
	test_malformed();
	test_alone();
	drive_stop(&z);
	return test_end();
}
