/*
 * shell_run.c: runs a command's work as a child of the shell.
 *
 * A child, since then Ctrl-C always comes back to the prompt, whatever the work is waiting for or
 * calculating, and what it allocated is gone with it. It executes no program: it is this process's own copy.
 * Its output comes through a pipe a piece at a time, and is read only as fast as the terminal takes it:
 * nothing piles up in between. A lost line (SIGHUP) ends the shell, and the child with it; what the gate was
 * asked by then, it finishes or leaves as a whole.
 */
#include "shell_run.h"

#include "console.h"
#include "shell.h"
#include "shell_filter.h"
#include "shell_pager.h"
#include "shell_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_PIECE 65536 /* a longer line is handled in pieces */
#define PATIENCE_MS 500	 /* for a child that was told to end */
#define LOOK_MS 100	 /* how often we look whether it is still there */

/* Output on its way: a stream cut into lines. */
struct stream {
	int fd;
	struct buf line;
};

struct running {
	struct shell *sh;
	const struct run *r;
	pid_t pid;
	struct stream out, err;
	struct pager pager;
	bool ended, interrupted;
	int status, waited_ms;
};

static void child(struct running *x, int out, int err)
{
	struct console c = {.root = x->sh->console.root,
		.shell = x->sh,
		.json = x->r->json,
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO};

	terminal_child();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!x->r->talks) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
			dup2(err, STDERR_FILENO) < 0)
			_exit(CONSOLE_ENV);
	}
	int code = x->r->work(&c, x->r->arg);
	console_flush(&c);
	_exit(code);
}

static void show_line(void *arg, const char *line)
{
	struct running *x = arg;

	pager_line(&x->pager, line);
}

static void end_line(struct running *x, struct stream *s)
{
	const char *line = buf_str(&s->line);

	if (s == &x->out && x->r->filters != NULL)
		filters_line(x->r->filters, line, show_line, x);
	else
		pager_line(&x->pager, line);
	buf_clear(&s->line);
}

/* Up to the last whole character of a piece. */
static bool piece_full(const struct stream *s, uint8_t next)
{
	return s->line.len >= LINE_PIECE && (next & 0xc0) != 0x80;
}

static void take_bytes(struct running *x, struct stream *s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && !x->pager.stopped; i++) {
		if (p[i] == '\n' || piece_full(s, p[i]))
			end_line(x, s);
		if (p[i] != '\n')
			buf_addc(&s->line, p[i] == '\0' ? '?' : (char)p[i]);
	}
}

/* Reads what is there. */
static void take(struct running *x, struct stream *s)
{
	uint8_t piece[4096];
	ssize_t n = read(s->fd, piece, sizeof(piece));

	if (n > 0) {
		take_bytes(x, s, piece, (size_t)n);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		close(s->fd);
		s->fd = -1;
	}
}

static void tell_to_end(struct running *x, int signal_number)
{
	if (!x->ended)
		kill(x->pid, signal_number);
}

/* Looks whether the child is still there; one that was told to end and does not is ended. */
static void look(struct running *x, int ms)
{
	bool told = x->interrupted || x->pager.stopped;

	if (!x->ended && waitpid(x->pid, &x->status, WNOHANG) == x->pid)
		x->ended = true;
	x->waited_ms += told ? ms : 0;
	if (told && x->waited_ms >= PATIENCE_MS)
		tell_to_end(x, SIGKILL);
}

static void attend(struct running *x)
{
	struct pollfd p[2] = {{.fd = x->out.fd, .events = POLLIN}, {.fd = x->err.fd, .events = POLLIN}};
	struct timespec limit = {.tv_nsec = LOOK_MS * 1000000};
	int n = ppoll(p, 2, &limit, terminal_waiting_mask());

	if (terminal_ended())
		x->pager.stopped = true;
	if (terminal_interrupted() && !x->interrupted) {
		x->interrupted = true;
		if (x->pager.written) /* else there is only our own line, whose escape sequences must stay whole */
			terminal_discard(x->sh->terminal);
		tell_to_end(x, SIGINT);
	}
	if (n > 0 && p[0].revents != 0)
		take(x, &x->out);
	if (n > 0 && p[1].revents != 0)
		take(x, &x->err);
	look(x, n == 0 ? LOOK_MS : 0);
}

/* Until the child and what it wrote are at their end, or nobody wants it any more. */
static void attend_all(struct running *x)
{
	bool told = false;

	while (!x->ended || ((x->out.fd >= 0 || x->err.fd >= 0) && !x->pager.stopped && !x->interrupted)) {
		bool was_ended = x->ended;
		attend(x);
		if (x->pager.stopped && !told) {
			told = true;
			tell_to_end(x, terminal_ended() ? SIGKILL : SIGINT);
		}
		/* A grandchild may hold the pipes: what is there by now is all. */
		if (was_ended && x->out.fd >= 0) {
			struct pollfd p = {.fd = x->out.fd, .events = POLLIN};
			if (poll(&p, 1, 0) == 0)
				break;
		}
	}
}

static int result(struct running *x)
{
	if (x->interrupted)
		return RUN_INTERRUPTED;
	if (x->pager.stopped)
		return CONSOLE_OK;
	return WIFEXITED(x->status) ? WEXITSTATUS(x->status) : 128 + WTERMSIG(x->status);
}

static void finish(struct running *x)
{
	if (!x->interrupted && !x->pager.stopped) {
		if (x->err.line.len > 0)
			end_line(x, &x->err);
		if (x->out.line.len > 0)
			end_line(x, &x->out);
		if (x->r->filters != NULL)
			filters_end(x->r->filters, show_line, x);
	}
	if (x->out.fd >= 0)
		close(x->out.fd);
	if (x->err.fd >= 0)
		close(x->err.fd);
	buf_free(&x->out.line);
	buf_free(&x->err.line);
}

int shell_run(struct shell *sh, const struct run *r)
{
	struct running x = {.sh = sh, .r = r, .out.fd = -1, .err.fd = -1};
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return console_fail(CONSOLE_ENV, "%s", strerror(errno));
	x.out.fd = out[0];
	x.err.fd = err[0];
	terminal_mode(sh->terminal, r->talks ? TERMINAL_COOKED : TERMINAL_WORKING);
	(void)terminal_interrupted();
	pager_begin(&x.pager, sh->terminal,
		!r->live && !sh->no_more && (r->filters == NULL || !filters_no_more(r->filters)));
	x.pid = fork();
	if (x.pid == 0)
		child(&x, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (x.pid < 0)
		return console_fail(CONSOLE_ENV, "%s", strerror(errno));
	attend_all(&x);
	finish(&x);
	terminal_mode(sh->terminal, TERMINAL_WORKING);
	return result(&x);
}
