/* zygote_drive.c: plays sekisho-init and sekisho-maild for a zygote. */
#include "zygote_drive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/daemon.h>
#include <sekisho/open.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -- The process --------------------------------------------------------------------------------------------- */

static void become(struct zygote *z, int init, int mail)
{
	char root[80];

	snprintf(root, sizeof(root), "--root=%s", z->root);
	/* Out of the way of 3 and 4 first. */
	int a = fcntl(init, F_DUPFD, 50), b = fcntl(mail, F_DUPFD, 50);
	if (dup2(a, DAEMON_FD_INIT) < 0 || dup2(b, DAEMON_FD_MAIL) < 0)
		_exit(100);
	execl(z->program, z->program, "--handed", root, (char *)NULL);
	_exit(101);
}

static bool wait_ready(struct zygote *z)
{
	struct pollfd p = {z->init, POLLIN, 0};
	struct msg m;

	if (poll(&p, 1, 10000) != 1 || msg_recv(z->init, &m) != 1 || m.type != MSG_READY) {
		printf("%s: not ready\n", z->program);
		return false;
	}
	return true;
}

bool drive_restart(struct zygote *z)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	if (z->init >= 0)
		close(z->init);
	z->init = pair[0];
	fflush(NULL);
	z->pid = fork();
	if (z->pid == 0)
		become(z, pair[1], z->mail_theirs);
	close(pair[1]);
	return z->pid > 0 && wait_ready(z);
}

bool drive_start(struct zygote *z, const char *program, bool clean)
{
	int pair[2];

	*z = (struct zygote){.program = program, .clean = clean, .init = -1, .root = "/tmp/sekisho-zygote-XXXXXX"};
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(z->root) == NULL || chmod(z->root, 0755) < 0 || paths_make(z->root) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	z->mail = pair[0];
	z->mail_theirs = pair[1];
	return drive_restart(z);
}

int drive_wait(struct zygote *z, int ms)
{
	int64_t end = now_ms() + ms;
	int status;

	while (now_ms() < end) {
		if (waitpid(z->pid, &status, WNOHANG) == z->pid) {
			z->pid = -1;
			return status;
		}
		usleep(2000);
	}
	return -1;
}

void drive_stop(struct zygote *z)
{
	char command[128];

	if (z->pid > 0 && (kill(z->pid, SIGTERM) < 0 || drive_wait(z, 5000) < 0)) {
		kill(z->pid, SIGKILL);
		drive_wait(z, 5000);
	}
	close(z->init);
	close(z->mail);
	close(z->mail_theirs);
	snprintf(command, sizeof(command), "rm -rf -- '%s'", z->root);
	if (system(command) != 0)
		printf("%s was not removed\n", z->root);
}

/* -- A job --------------------------------------------------------------------------------------------------- */

void drive_job_init(struct msg_mail_job *job)
{
	*job = (struct msg_mail_job){
		.direction = MSG_MAIL_IN, .seconds = 20, .cpu_seconds = 20, .text_max = 1 << 20, .out_max = 4 << 20};
	MSG_TEXT(job->hostname, "gate.example.lg.jp");
	MSG_TEXT(job->trace, "gate.example.lg.jp");
	MSG_TEXT(job->sender, "a@example.jp");
}

static int domains(void)
{
	static const char text[] = "example.lg.jp\nexample.jp\n";
	int fd = memfd_create("domains", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (write(fd, text, sizeof(text) - 1) < 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0))
		return -1;
	return fd;
}

int drive_send_fds(struct zygote *z, const struct msg_mail_job *job, uint32_t tag, const int *fds, unsigned n)
{
	struct pollfd p = {z->mail, POLLOUT, 0};
	int r;

	while ((r = msg_send(z->mail, MSG_MAIL_JOB, tag, job, fds, n)) == -EAGAIN && poll(&p, 1, 5000) == 1)
		;
	return r;
}

bool drive_send(struct zygote *z, const struct msg_mail_job *job, uint32_t tag, struct drive_job *ret)
{
	int in[2], out[2], result[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, result) < 0)
		return false;
	int fds[] = {in[1], out[1], result[1], z->clean ? domains() : -1};
	int r = drive_send_fds(z, job, tag, fds, z->clean ? MSG_MAIL_FDS_CLEAN : MSG_MAIL_FDS_VERIFY);
	for (unsigned i = 0; i < 4; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	*ret = (struct drive_job){in[0], out[0], result[0]};
	fcntl(ret->in, F_SETFL, O_NONBLOCK);
	return r == 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void drive_close(struct drive_job *j)
{
	close_one(&j->in);
	close_one(&j->out);
	close_one(&j->result);
}

static void feed(struct drive_job *j, const char *bytes, size_t n, size_t *at)
{
	ssize_t w = *at < n ? send(j->in, bytes + *at, n - *at, MSG_NOSIGNAL) : 0;

	*at += w > 0 ? (size_t)w : 0;
	if (*at == n || (w < 0 && errno != EAGAIN))
		close_one(&j->in);
}

static void take_output(struct drive_job *j, struct drive_end *ret)
{
	static char beyond[65536];
	size_t room = ret->n < DRIVE_MAX ? DRIVE_MAX - ret->n : 0;
	ssize_t r = read(j->out, room > 0 ? ret->out + ret->n : beyond, room > 0 ? room : sizeof(beyond));

	if (r > 0)
		ret->n += (size_t)r;
	else
		close_one(&j->out);
}

static void take_answer(struct drive_job *j, struct drive_end *ret)
{
	struct msg m;
	int r = msg_recv(j->result, &m);

	if (r == 1 && !ret->answered) {
		ret->answered = true;
		ret->answer = m;
	} else {
		if (r == 1)
			printf("a second answer\n");
		close_one(&j->result);
	}
}

bool drive_finish(struct drive_job *j, const char *bytes, size_t n, int ms, struct drive_end *ret)
{
	int64_t end = now_ms() + ms;
	size_t at = 0;

	ret->answered = false;
	ret->n = 0;
	while ((j->out >= 0 || j->result >= 0) && now_ms() < end) {
		struct pollfd p[] = {{j->in, POLLOUT, 0}, {j->out, POLLIN, 0}, {j->result, POLLIN, 0}};
		if (poll(p, 3, (int)(end - now_ms())) <= 0)
			break;
		if (j->in >= 0 && p[0].revents != 0)
			feed(j, bytes, n, &at);
		if (j->out >= 0 && p[1].revents != 0)
			take_output(j, ret);
		if (j->result >= 0 && p[2].revents != 0)
			take_answer(j, ret);
	}
	bool ended = j->out < 0 && j->result < 0;
	drive_close(j);
	return ended;
}

bool drive_mail(struct zygote *z, const char *bytes, size_t n, struct drive_end *ret)
{
	struct msg_mail_job job;
	struct drive_job j;

	drive_job_init(&job);
	return drive_send(z, &job, 1, &j) && drive_finish(&j, bytes, n, 20000, ret);
}

/* -- Looking at it ------------------------------------------------------------------------------------------- */

unsigned drive_children(const struct zygote *z, pid_t *ret, unsigned max)
{
	char path[64];
	unsigned n = 0;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)z->pid, (int)z->pid);
	FILE *f = fopen(path, "re");
	while (f != NULL && fscanf(f, "%d", &pid) == 1) {
		if (n < max)
			ret[n] = pid;
		n++;
	}
	if (f != NULL)
		fclose(f);
	return n;
}

unsigned drive_descriptors(const struct zygote *z)
{
	char path[64];
	unsigned n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)z->pid);
	DIR *d = opendir(path);
	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}
