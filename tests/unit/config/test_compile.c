/*
 * test_compile.c: sekisho-compile as sekisho-init starts it: descriptors handed, jailed, one answer, an end.
 * Needs root for the jail; without, it is skipped.
 *
 * usage: test_compile SEKISHO-COMPILE POLICY
 */
#include <sekisho/buf.h>
#include <sekisho/daemon.h>
#include <sekisho/ir.h>
#include <sekisho/msg.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define SKIP 77
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static const char *program;

struct run {
	int status; /* of waitpid */
	int got;    /* what msg_recv() said */
	struct msg answer;
};

static void child(int policy, int result)
{
	/* Out of the way first: the two may sit on each other's number. */
	int p = fcntl(policy, F_DUPFD, 20), r = fcntl(result, F_DUPFD, 20);

	dup2(r, DAEMON_FD_RESULT);
	dup2(p, DAEMON_FD_POLICY);
	for (int fd = 5; fd < 64; fd++)
		close(fd);
	execl(program, program, "--handed", "--now=1795136400", "--language=en", (char *)NULL);
	_exit(127);
}

static struct run compile(const char *text, size_t n, bool seal)
{
	struct run run = {.got = -1};
	int pair[2], policy = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(policy >= 0 && write(policy, text, n) == (ssize_t)n);
	CHECK(!seal || fcntl(policy, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid_t pid = fork();
	if (pid == 0)
		child(policy, pair[1]);
	close(pair[1]);
	close(policy);
	struct pollfd poll_fd = {.fd = pair[0], .events = POLLIN};
	if (poll(&poll_fd, 1, 60000) == 1)
		run.got = msg_recv(pair[0], &run.answer);
	waitpid(pid, &run.status, 0);
	close(pair[0]);
	return run;
}

/* The bytes of a memfd, which must be sealed for good. */
static struct buf content(int fd)
{
	struct buf b = {0};
	struct stat st;

	CHECK_INT(fcntl(fd, F_GET_SEALS), SEALS | F_SEAL_SEAL);
	CHECK(fstat(fd, &st) == 0);
	CHECK(pread(fd, buf_reserve(&b, (size_t)st.st_size), (size_t)st.st_size, 0) == st.st_size);
	return b;
}

static void test_good(const char *path)
{
	struct buf text = {0};
	char chunk[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, (size_t)n);
	close(fd);
	struct run run = compile((const char *)text.data, text.len, true);
	CHECK(run.got == 1 && run.answer.type == MSG_RESULT);
	CHECK(WIFEXITED(run.status) && WEXITSTATUS(run.status) == 0);
	if (run.got == 1) {
		CHECK_INT(run.answer.u.msg_result.errors, 0);
		CHECK_INT(run.answer.nfds, 2);
		struct buf json = content(run.answer.fds[0]), block = content(run.answer.fds[1]);
		struct ir ir;
		CHECK(ir_open(block.data, block.len, &ir) == NULL);
		CHECK(ir.nrules > 10 && ir.nsegments == 3);
		CHECK(json.len >= 2 && json.data[0] == '[');
		buf_free(&json);
		buf_free(&block);
		msg_close_fds(&run.answer);
	}
	buf_free(&text);
}

/* A policy with errors gives diagnostics and nothing else. */
static void test_bad(const char *text, size_t n, const char *line)
{
	struct run run = compile(text, n, true);

	CHECK(run.got == 1 && WIFEXITED(run.status) && WEXITSTATUS(run.status) == 0);
	if (run.got != 1)
		return;
	CHECK(run.answer.u.msg_result.errors > 0);
	CHECK_INT(run.answer.nfds, 1);
	struct buf json = content(run.answer.fds[0]);
	CHECK(strstr(buf_str(&json), line) != NULL);
	buf_free(&json);
	msg_close_fds(&run.answer);
}

/* Its memory and the size of the answers are bounded by the jail: a large town fits. */
static void test_many(void)
{
	struct buf b = {0};

	buf_adds(&b, "set segment s kind lgwan interface e0 address 10.0.0.1/8 network 10.0.0.0/8\n"
		     "set segment t kind other interface e1 address 172.16.0.1/12 network 172.16.0.0/12\n"
		     "set host h segment s address 10.0.0.2\nset host i segment t address 172.16.0.2\n");
	for (int i = 1; i <= 20000; i++)
		buf_printf(&b, "set allow r%d from h to i service tcp/%d\n", i, i);
	struct run run = compile((const char *)b.data, b.len, true);
	CHECK(run.got == 1 && run.answer.u.msg_result.errors == 0 && run.answer.nfds == 2);
	if (run.got == 1)
		msg_close_fds(&run.answer);
	buf_free(&b);
}

/* What could change while it is read is not read. */
static void test_unsealed(void)
{
	struct run run = compile("set system hostname g\n", 22, false);

	CHECK_INT(run.got, 0);
	CHECK(WIFEXITED(run.status) && WEXITSTATUS(run.status) == 3);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (geteuid() != 0) {
		printf("not root: skipped\n");
		return SKIP;
	}
	program = argv[1];
	test_good(argv[2]);
	test_bad("", 0, "\"code\":\"empty\"");
	test_bad("set system hostname g\nset segmnt x\n", 35, "\"line\":2,\"code\":\"unknown-word\"");
	test_bad("\x7f"
		 "ELF\0\0\0\0",
		8, "\"line\":1,\"code\":\"control-character\"");
	test_many();
	test_unsealed();
	return test_end();
}
