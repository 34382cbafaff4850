/*
 * prompt.c: asking somebody who has not logged in.
 *
 * Input: a keyboard, or whoever hammers on the line. Raw mode, a byte at a time, so that nothing is ever
 * waiting in the terminal's own buffer and nothing is edited by anybody but us. Limits: the caller's array,
 * and the time for a line.
 */
#include "prompt.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sekisho/clock.h>

#define CONTROL(c) ((c) & 0x1f)

static void put(const struct prompt *p, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(p->out, text, n);
		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

void prompt_say(const struct prompt *p, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put(p, line, strlen(line));
	put(p, "\r\n", 2);
}

/* The next byte; -1 at the end of input or of the time. */
static int next(const struct prompt *p, struct mono since)
{
	struct pollfd fd = {.fd = p->in, .events = POLLIN};
	int64_t left = (int64_t)p->seconds * 1000 - mono_since_ms(since);
	unsigned char c;

	if (left <= 0 || poll(&fd, 1, (int)left) <= 0 || read(p->in, &c, 1) != 1)
		return -1;
	return c;
}

/* "ESC [ row ; column R": the column; 0 when nothing like it comes in time. */
static unsigned cursor_column(const struct prompt *p)
{
	const struct prompt brief = {p->in, p->out, 1};
	struct mono since = clock_mono();
	unsigned number = 0;
	bool second = false;
	int c;

	for (unsigned i = 0; i < 32 && (c = next(&brief, since)) >= 0 && c != 'R'; i++) {
		if (c == ';')
			second = true;
		number = c >= '0' && c <= '9' && number < 1000 ? number * 10 + (unsigned)(c - '0') : 0;
	}
	return second && c == 'R' ? number : 0;
}

bool prompt_japanese(const struct prompt *p)
{
	struct termios before, raw;
	static const char ask[] = "\r\xe3\x81\x82\x1b[6n", wipe[] = "\r    \r";

	if (tcgetattr(p->in, &before) != 0)
		return false;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	tcsetattr(p->in, TCSAFLUSH, &raw);
	put(p, ask, sizeof(ask) - 1);
	bool wide = cursor_column(p) == 3;
	put(p, wipe, sizeof(wipe) - 1);
	tcsetattr(p->in, TCSAFLUSH, &before);
	return wide;
}

/* Takes away the last character: its continuation bytes too. Returns the new length. */
static size_t shorten(const char *text, size_t n)
{
	while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
		n--;
	return n > 0 ? n - 1 : 0;
}

static void wipe_shown(const struct prompt *p, const char *text, size_t from, size_t to, bool echo)
{
	if (!echo || from == to)
		return;
	/* A character of several bytes is taken to be two columns wide. */
	put(p, "\b \b", 3);
	if ((unsigned char)text[to] >= 0x80)
		put(p, "\b \b", 3);
}

/* True when the line is whole. */
static bool read_line(const struct prompt *p, bool echo, char *ret, size_t size)
{
	struct mono since = clock_mono();
	size_t n = 0;
	int c;

	while ((c = next(p, since)) >= 0 && c != '\r' && c != '\n') {
		if (c == CONTROL('C') || c == CONTROL('D')) {
			c = -1;
			break;
		}
		if (c == 0x7f || c == '\b') {
			size_t less = shorten(ret, n);
			wipe_shown(p, ret, n, less, echo);
			n = less;
		} else if (c == CONTROL('U')) {
			for (size_t less; n > 0; n = less) {
				less = shorten(ret, n);
				wipe_shown(p, ret, n, less, echo);
			}
		} else if (c < 0x20 || n + 1 == size) {
			put(p, "\a", 1);
		} else {
			ret[n++] = (char)c;
			if (echo)
				put(p, &ret[n - 1], 1);
		}
	}
	ret[c < 0 ? 0 : n] = '\0';
	put(p, "\r\n", 2);
	return c >= 0;
}

bool prompt_line(const struct prompt *p, const char *text, bool echo, char *ret, size_t size)
{
	struct termios before, raw;
	bool terminal = tcgetattr(p->in, &before) == 0;

	if (terminal) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
		raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | ISTRIP);
		raw.c_iflag |= IXON;
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(p->in, TCSAFLUSH, &raw);
	}
	put(p, text, strlen(text));
	bool whole = read_line(p, echo, ret, size);
	if (!whole)
		explicit_bzero(ret, size);
	if (terminal)
		tcsetattr(p->in, TCSAFLUSH, &before);
	return whole;
}
