/*
 * shell_terminal.c: bytes from and to a terminal.
 *
 * Input: keys, pasted text, answers of the terminal to our questions, and noise of a serial line. Signals are
 * blocked except while we wait, so that each is noticed at a known place and none is lost between a look and
 * a wait. Output is written in pieces that fit the line's buffer: Ctrl-C is heard within a piece also at 9600
 * baud, and what the kernel still holds is thrown away then. TERM is believed only when it is in a list;
 * every other terminal is a dumb one. Standards: ECMA-48 (CPR, CUP), DEC VT100 (DECSC, DECRC).
 */
#include "shell_terminal.h"

#include "text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PROBE_MS 500
#define WRITE_PIECE 128

static volatile sig_atomic_t ended, interrupted, resized;
static sigset_t waiting_mask;

static void on_signal(int number)
{
	if (number == SIGINT)
		interrupted = 1;
	else if (number == SIGWINCH)
		resized = 1;
	else
		ended = 1;
}

static const int heard[] = {SIGINT, SIGHUP, SIGTERM, SIGWINCH};
static const int ignored[] = {SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE};

static void set_signals(void)
{
	struct sigaction act = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++) {
		sigaction(heard[i], &act, NULL);
		sigaddset(&block, heard[i]);
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigprocmask(SIG_BLOCK, &block, NULL);
	sigemptyset(&waiting_mask);
}

void terminal_child(void)
{
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		signal(heard[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &waiting_mask, NULL);
}

const sigset_t *terminal_waiting_mask(void)
{
	return &waiting_mask;
}

bool terminal_ended(void)
{
	return ended != 0;
}

bool terminal_interrupted(void)
{
	bool was = interrupted != 0;

	interrupted = 0;
	return was;
}

/* The terminals whose descriptions (terminfo) are on the image. */
static const char *known_name(const char *name)
{
	static const char *const names[] = {"vt100", "vt102", "vt220", "linux", "xterm", "xterm-color",
		"xterm-256color", "screen", "screen-256color", "tmux", "tmux-256color", "ansi"};

	for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return names[i];
	return "dumb";
}

bool terminal_open(struct terminal *t)
{
	*t = (struct terminal){.in = STDIN_FILENO, .out = STDOUT_FILENO, .name = known_name(getenv("TERM"))};
	t->dumb = strcmp(t->name, "dumb") == 0;
	if (!isatty(t->in) || !isatty(t->out) || tcgetattr(t->in, &t->cooked) < 0)
		return false;
	set_signals();
	terminal_resize(t);
	return true;
}

void terminal_close(struct terminal *t)
{
	terminal_mode(t, TERMINAL_FOUND);
}

void terminal_mode(struct terminal *t, enum terminal_mode mode)
{
	struct termios to = t->cooked;

	if (mode != TERMINAL_FOUND)
		to.c_iflag &= (tcflag_t)~IXON; /* a Ctrl-S in pasted text would halt the screen for good; pages halt it here */
	if (mode == TERMINAL_WORKING || mode == TERMINAL_KEYS) {
		to.c_lflag &= (tcflag_t) ~(ICANON | ECHO | IEXTEN);
		to.c_lflag |= ISIG | NOFLSH; /* what is thrown away, terminal_discard() says */
		to.c_oflag |= OPOST | ONLCR;
		to.c_cc[VMIN] = 1;
		to.c_cc[VTIME] = 0;
	}
	if (mode == TERMINAL_KEYS) {
		to.c_lflag &= (tcflag_t)~ISIG;
		to.c_iflag |= ICRNL;
	}
	while (tcsetattr(t->in, TCSADRAIN, &to) < 0 && errno == EINTR && !ended)
		;
}

static unsigned bounded(unsigned v, unsigned least, unsigned otherwise)
{
	if (v == 0)
		return otherwise;
	return v < least ? least : v > TERMINAL_SIZE_MAX ? TERMINAL_SIZE_MAX : v;
}

void terminal_resize(struct terminal *t)
{
	struct winsize w = {0};

	(void)ioctl(t->out, TIOCGWINSZ, &w);
	t->rows = t->fixed_rows != 0 ? t->fixed_rows : bounded(w.ws_row, TERMINAL_ROWS_MIN, 24);
	t->columns = t->fixed_columns != 0 ? t->fixed_columns
					   : bounded(w.ws_col, TERMINAL_COLUMNS_MIN, TEXT_COLUMNS);
	text_set_columns(t->columns);
}

/* -- bytes ------------------------------------------------------------------------------------------------
 */

static int read_more(struct terminal *t)
{
	ssize_t n = read(t->in, t->ahead, sizeof(t->ahead));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return TERMINAL_TIMEOUT;
	if (n <= 0)
		return TERMINAL_END;
	t->at = 0;
	t->nahead = (size_t)n;
	return t->ahead[t->at++];
}

int terminal_byte(struct terminal *t, int ms)
{
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	struct pollfd p = {.fd = t->in, .events = POLLIN};

	if (ended)
		return TERMINAL_END;
	if (t->at < t->nahead)
		return t->ahead[t->at++];
	for (;;) {
		int n = ppoll(&p, 1, ms < 0 ? NULL : &limit, &waiting_mask);
		if (ended)
			return TERMINAL_END;
		if (terminal_interrupted())
			return TERMINAL_INTERRUPT;
		if (resized) {
			resized = 0;
			terminal_resize(t);
			return TERMINAL_RESIZED;
		}
		if (n == 0)
			return TERMINAL_TIMEOUT;
		if (n < 0)
			continue;
		int byte = read_more(t);
		if (byte != TERMINAL_TIMEOUT)
			return byte;
	}
}

void terminal_unread(struct terminal *t, const uint8_t *p, size_t n)
{
	size_t left = t->nahead - t->at;

	if (n + left > sizeof(t->ahead))
		n = sizeof(t->ahead) - left;
	memmove(t->ahead + n, t->ahead + t->at, left);
	memcpy(t->ahead, p, n);
	t->at = 0;
	t->nahead = n + left;
}

bool terminal_write(struct terminal *t, const void *text, size_t n)
{
	struct pollfd p = {.fd = t->out, .events = POLLOUT};
	const uint8_t *at = text;

	while (n > 0) {
		if (ppoll(&p, 1, NULL, &waiting_mask) < 0 && errno != EINTR)
			return false;
		if (ended || interrupted)
			return false;
		if ((p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
			return false;
		if ((p.revents & POLLOUT) == 0)
			continue;
		ssize_t done = write(t->out, at, n < WRITE_PIECE ? n : WRITE_PIECE);
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		at += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
	return true;
}

void terminal_discard(struct terminal *t)
{
	tcflush(t->out, TCIOFLUSH);
	t->at = t->nahead = 0;
}

/* -- questions to the terminal ------------------------------------------------------------------------- */

static int left_ms(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t ms = (int64_t)(end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
	return ms < 0 ? 0 : (int)ms;
}

/* One report "ESC [ ROW ; COLUMN R"; other bytes go to kept. False when it did not come by `end`. */
static bool read_report(struct terminal *t, const struct timespec *end, unsigned *ret_row,
	unsigned *ret_column, uint8_t *kept, size_t size, size_t *nkept)
{
	char seen[16];
	size_t n = 0;
	int byte;

	while ((byte = terminal_byte(t, left_ms(end))) >= 0 || byte == TERMINAL_RESIZED) {
		bool fits = byte >= 0 &&
			    (n == 0	     ? byte == 033
				    : n == 1 ? byte == '['
					     : (byte >= '0' && byte <= '9') || byte == ';' || byte == 'R');
		if (byte < 0)
			continue;
		if (!fits || n == sizeof(seen) - 1) {
			for (size_t i = 0; i < n && *nkept < size; i++)
				kept[(*nkept)++] = (uint8_t)seen[i];
			n = 0;
			if (byte == 033)
				seen[n++] = 033;
			else if (*nkept < size)
				kept[(*nkept)++] = (uint8_t)byte;
			continue;
		}
		seen[n++] = (char)byte;
		seen[n] = '\0';
		if (byte == 'R')
			return sscanf(seen + 2, "%4u;%4uR", ret_row, ret_column) == 2;
	}
	return false;
}

bool terminal_probe(struct terminal *t)
{
	static const char question[] = "\r\xe3\x81\x82\033[6n", size[] = "\0337\033[999;999H\033[6n\0338";
	static const char wipe[] = "\r    \r";
	unsigned row = 0, column = 0, rows = 0, columns = 0;
	uint8_t kept[1024];
	size_t nkept = 0;
	struct winsize w = {0};
	struct timespec end;

	if (t->dumb)
		return false;
	bool unsized = ioctl(t->out, TIOCGWINSZ, &w) < 0 || w.ws_row == 0 || w.ws_col == 0;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += PROBE_MS * 1000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	terminal_mode(t, TERMINAL_KEYS);
	terminal_write(t, question, sizeof(question) - 1);
	t->answered = read_report(t, &end, &row, &column, kept, sizeof(kept), &nkept);
	terminal_write(t, wipe, sizeof(wipe) - 1);
	if (t->answered && unsized) {
		terminal_write(t, size, sizeof(size) - 1);
		if (read_report(t, &end, &rows, &columns, kept, sizeof(kept), &nkept)) {
			w.ws_row = (unsigned short)bounded(rows, TERMINAL_ROWS_MIN, 24);
			w.ws_col = (unsigned short)bounded(columns, TERMINAL_COLUMNS_MIN, TEXT_COLUMNS);
			(void)ioctl(t->in, TIOCSWINSZ, &w);
			terminal_resize(t);
		}
	}
	terminal_unread(t, kept, nkept);
	terminal_mode(t, TERMINAL_WORKING);
	return t->answered && column == 3;
}
