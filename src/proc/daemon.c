/*
 * daemon.c: the life of every process of ours, once.
 *
 * Input: the command line and messages of sekisho-init, both trusted; what was handed is looked at all the
 * same, because a wrong descriptor would be read by a parser later. Failure: before the loop, one line in the
 * log and exit status 3; init starts us again.
 */
#include <sekisho/daemon.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/i18n.h>
#include <sekisho/loop.h>
#include <sekisho/open.h>

#define EXIT_USAGE 2
#define EXIT_ENVIRONMENT 3
#define LINE_MAX_BYTES 900

static const char *log_name = "sekisho";

/* -- Small things ---------------------------------------------------------------------------------------- */

void daemon_log(const char *fmt, ...)
{
	char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 1];
	va_list ap;
	int n = snprintf(raw, sizeof(raw), "%s[%d]: ", log_name, (int)getpid());

	va_start(ap, fmt);
	vsnprintf(raw + n, sizeof(raw) - (size_t)n, fmt, ap);
	va_end(ap);
	/* It may be read on a terminal: no control characters, in whatever form. */
	msg_text(line, sizeof(raw), raw);
	size_t len = strlen(line);
	line[len++] = '\n';
	/* One write is one record of the kernel's log. Nobody could be told that it failed. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void daemon_log_name(const char *name)
{
	log_name = name;
}

int daemon_path(const char *root, const char *path, char *buf, size_t size)
{
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	int n = snprintf(buf, size, "%.*s/%s", (int)len, root, path);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* -- Options --------------------------------------------------------------------------------------------- */

static int64_t number(const char *text)
{
	char *end;

	errno = 0;
	long long v = strtoll(text, &end, 10);
	return errno != 0 || end == text || *end != 0 || v < 0 ? -1 : v;
}

static int take_value(struct daemon *d, const char *word, const char *value)
{
	if (strcmp(word, "--root") == 0) {
		d->root = value;
		return value[0] == '/' && strlen(value) <= DAEMON_ROOT_MAX ? 0 : -EINVAL;
	}
	if (strcmp(word, "--now") == 0) {
		d->now = number(value);
		return d->now >= 0 ? 0 : -EINVAL;
	}
	if (strcmp(word, "--language") == 0 && strlen(value) < sizeof(d->language)) {
		MSG_TEXT(d->language, value);
		return 0;
	}
	return -ENOENT;
}

static int take_option(struct daemon *d, const char *text)
{
	char word[32];
	const char *eq = strchr(text, '=');
	size_t len = eq ? (size_t)(eq - text) : strlen(text);
	int r = -ENOENT;

	if (strncmp(text, "--", 2) != 0 || len >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, len);
	word[len] = 0;
	if (eq != NULL) {
		r = take_value(d, word, eq + 1);
	} else if (strcmp(word, "--handed") == 0) {
		d->handed = true;
		return 0;
	} else if (strcmp(word, "--foreground") == 0) {
		return 0;
	}
	if (r == -ENOENT && d->spec->option != NULL)
		r = d->spec->option(d, word, eq ? eq + 1 : NULL);
	return r;
}

static int take_options(struct daemon *d, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (take_option(d, argv[i]) != 0) {
			daemon_log("unknown or malformed option: %s", argv[i]);
			return EXIT_USAGE;
		}
	}
	return 0;
}

/* -- What was handed ------------------------------------------------------------------------------------- */

/* Descriptors from 3 on, in order, as socket types (0 = a file). */
static const struct handed {
	int domain;
	unsigned n;
} handed_table[JAIL_ROWS][4] = {
	[JAIL_GATE] = {{AF_UNIX, 3}, {0, 1}, {AF_UNIX, 5}},
	[JAIL_LOG] = {{AF_UNIX, 2}, {AF_NETLINK, DAEMON_NFLOG_COUNT + 1}, {AF_UNIX, 2}},
	[JAIL_COMPILE] = {{AF_UNIX, 1}, {0, 1}},
	[JAIL_PROVE] = {{AF_UNIX, 1}, {0, 2}},
	[JAIL_INSPECT] = {{AF_UNIX, 2}},
	[JAIL_MAIL] = {{AF_UNIX, 7}},
	[JAIL_CONNECT] = {{AF_UNIX, 4}},
	[JAIL_ALARM] = {{AF_UNIX, 4}},
	[JAIL_HOST] = {{AF_UNIX, 2}},
	[JAIL_CLEAN] = {{AF_UNIX, 2}},
	[JAIL_VERIFY] = {{AF_UNIX, 2}},
	[JAIL_TLS] = {{AF_UNIX, 4}},
	[JAIL_SIGN] = {{AF_UNIX, 2}},
};

static bool fd_is(int fd, int domain)
{
	int got = 0;
	socklen_t len = sizeof(got);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &got, &len) < 0)
		return domain == 0 && errno == ENOTSOCK;
	return got == domain;
}

/* Looks at what was handed and closes everything else. */
static int take_handed(struct daemon *d)
{
	int fd = DAEMON_FD_INIT;

	for (const struct handed *h = handed_table[d->spec->row]; h->n > 0; h++) {
		for (unsigned i = 0; i < h->n; i++, fd++) {
			if (!fd_is(fd, h->domain)) {
				daemon_log("descriptor %d is not what was promised", fd);
				return EXIT_ENVIRONMENT;
			}
		}
	}
	if (close_range((unsigned)fd, ~0u, 0) < 0) {
		daemon_log("closing descriptors: %s", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	if (!d->spec->oneshot)
		d->init = DAEMON_FD_INIT;
	return 0;
}

/* 0, 1 and 2 are always open, so that no socket of ours ever gets one of these numbers. */
static int open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return EXIT_ENVIRONMENT;
	close(fd);
	return 0;
}

/* -- The jail -------------------------------------------------------------------------------------------- */

static int enter_jail(struct daemon *d)
{
	int r = jail_enter(d->spec->row, d->root, &d->jail);

	if (r < 0) {
		daemon_log("jail: %s: %s", d->jail.step, strerror(-r));
		return EXIT_ENVIRONMENT;
	}
	const char *missing = jail_verify(d->spec->row);
	if (missing != NULL) {
		daemon_log("jail: %s does not hold", missing);
		return EXIT_ENVIRONMENT;
	}
	if (d->jail.landlock == 0)
		daemon_log("this kernel has no Landlock: files are guarded by owner and system calls only");
	return 0;
}

/* -- Init ------------------------------------------------------------------------------------------------ */

static struct mono last_beat;

static void send_beat(struct daemon *d, unsigned busy_s)
{
	struct msg_beat beat = {.sequence = d->beats + 1, .busy_ms = busy_s * 1000};

	last_beat = clock_mono();
	/* A full socket: init does not read; nothing here can mend that. */
	if (msg_send(d->init, MSG_BEAT, 0, &beat, NULL, 0) == 0)
		d->beats++;
}

void daemon_beat(struct daemon *d)
{
	if (d->init >= 0 && mono_since_ms(last_beat) >= DAEMON_BEAT_MS / 2)
		send_beat(d, 0);
}

void daemon_busy(struct daemon *d, unsigned seconds)
{
	if (d->init >= 0)
		send_beat(d, seconds < DAEMON_BUSY_LIMIT_MS / 1000 ? seconds : DAEMON_BUSY_LIMIT_MS / 1000);
}

static void on_beat(void *arg)
{
	struct daemon *d = arg;

	if (d->spec->well == NULL || d->spec->well(d))
		daemon_beat(d);
}

static void on_init(void *arg, int fd, uint32_t events)
{
	struct daemon *d = arg;
	struct msg m;
	int r;

	(void)events;
	r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		daemon_log(r == 0 ? "sekisho-init is gone" : "sekisho-init: malformed message");
		loop_del_fd(d->loop, fd);
		d->init = -1;
		loop_stop(d->loop, EXIT_ENVIRONMENT);
		return;
	}
	if (d->spec->notice != NULL)
		d->spec->notice(d, &m);
	msg_close_fds(&m);
}

static void on_stop_signal(void *arg, int signo)
{
	struct daemon *d = arg;

	(void)signo;
	loop_stop(d->loop, 0);
}

void daemon_peer_broken(struct daemon *d, enum msg_peer peer)
{
	struct msg_broken broken = {peer};

	daemon_log("the peer sent a malformed message, or hangs");
	if (d->spec->row == JAIL_GATE && d->init >= 0)
		msg_send(d->init, MSG_BROKEN, 0, &broken, NULL, 0);
	else
		loop_stop(d->loop, EXIT_ENVIRONMENT);
}

/* -- Running --------------------------------------------------------------------------------------------- */

static int prepare_loop(struct daemon *d)
{
	static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};
	int r = 0;

	d->loop = loop_new();
	if (d->loop == NULL)
		return -errno;
	for (size_t i = 0; r == 0 && i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++)
		r = loop_add_signal(d->loop, stop_signals[i], on_stop_signal, d);
	if (r == 0 && d->init >= 0)
		r = loop_add_fd(d->loop, d->init, EPOLLIN, on_init, d);
	if (r == 0 && d->init >= 0 &&
		loop_add_timer(d->loop, DAEMON_BEAT_MS, DAEMON_BEAT_MS, on_beat, d) == NULL)
		r = -ENOMEM;
	return r;
}

static int run_loop(struct daemon *d)
{
	struct msg_ready ready = {(uint32_t)getpid()};
	int r = 0;

	if (d->init >= 0)
		r = msg_send(d->init, MSG_READY, 0, &ready, NULL, 0);
	if (r == 0)
		r = loop_run(d->loop);
	if (r < 0) {
		daemon_log("loop: %s", strerror(-r));
		return EXIT_ENVIRONMENT;
	}
	if (d->spec->stop != NULL)
		d->spec->stop(d);
	return r ? r : d->exit_code;
}

static int failed(const char *what, int r)
{
	daemon_log("%s: %s", what, strerror(-r));
	return EXIT_ENVIRONMENT;
}

/* As root: everything up to the jail. Exit status or 0. */
static int outside(struct daemon *d, int argc, char **argv)
{
	int r = open_standard();

	if (r == 0)
		r = take_options(d, argc, argv);
	if (r == 0 && d->handed)
		r = take_handed(d);
	if (r != 0)
		return r;
	i18n_init(d->language);
	if (!d->handed && !d->pathless && (r = paths_make(d->root)) < 0)
		return failed("directories", r);
	if (d->spec->before != NULL && (r = d->spec->before(d)) < 0)
		return failed("start", r);
	return 0;
}

/* In the jail. */
static int inside(struct daemon *d)
{
	int r;

	if (!d->spec->oneshot && (r = prepare_loop(d)) < 0)
		return failed("loop", r);
	r = d->spec->start != NULL ? d->spec->start(d) : 0;
	if (r < 0)
		return failed("start", r);
	if (r == 0 && !d->spec->oneshot)
		return run_loop(d);
	return d->exit_code;
}

int daemon_run(const struct daemon_spec *spec, void *arg, int argc, char **argv)
{
	struct daemon d = {
		.spec = spec, .arg = arg, .root = "/", .init = -1, .now = clock_wall().sec, .language = "ja"};
	int r;

	daemon_log_name(jail_name(spec->row));
	signal(SIGPIPE, SIG_IGN);
	r = outside(&d, argc, argv);
	if (r == 0)
		r = enter_jail(&d);
	if (r == 0)
		r = inside(&d);
	loop_free(d.loop);
	return r;
}
