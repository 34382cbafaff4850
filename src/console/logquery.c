/*
 * logquery.c: one query to sekisho-logd, on a socket that the gate grants for it.
 */
#include "logquery.h"

#include "console.h"
#include "control.h"
#include "timearg.h"

#include <sekisho/clock.h>

#include <stdio.h>
#include <string.h>

/* Each row must come within this; following waits for ever. */
#define ROW_SECONDS 60
#define LIMIT_ROWS 100000 /* the rows are held until the last is there, to turn them around */

/* Decimal 1..max; 0 when it is not. */
static uint32_t count_arg(const char *text, uint32_t max)
{
	uint64_t v = 0;

	if (text[0] == '\0' || strlen(text) > 9 || text[strspn(text, "0123456789")] != '\0')
		return 0;
	for (; *text != '\0'; text++)
		v = v * 10 + (uint64_t)(*text - '0');
	return v <= max ? (uint32_t)v : 0;
}

static bool time_arg(const char *text, struct wall now, bool end, int64_t *ret)
{
	struct wall w;

	if (text == NULL)
		return true;
	if (!timearg_parse(text, now, end, &w)) {
		console_fail(CONSOLE_USAGE, _("\"%s\" is not a time (see: sekisho help times)"), text);
		return false;
	}
	*ret = w.sec;
	return true;
}

bool log_query_args(const struct args *a, struct msg_query *q)
{
	struct wall now = clock_wall();
	const char *limit = args_option(a, "--limit");

	if (!time_arg(args_option(a, "--since"), now, false, &q->since) ||
		!time_arg(args_option(a, "--until"), now, true, &q->until))
		return false;
	if (q->since != 0 && q->until != 0 && q->until < q->since) {
		console_fail(CONSOLE_USAGE, "%s", _("--until is earlier than --since"));
		return false;
	}
	if (limit != NULL && (q->limit = count_arg(limit, LIMIT_ROWS)) == 0) {
		console_fail(CONSOLE_USAGE, _("--limit takes a number from 1 to %d"), LIMIT_ROWS);
		return false;
	}
	q->all = args_option(a, "--all") != NULL;
	return true;
}

/* The rows of one answer. */
static int receive_rows(int fd, const struct msg_query *q, enum msg_type want, log_row_fn *fn, void *arg,
	struct msg_end *ret_end)
{
	struct msg m;

	for (;;) {
		if (!control_receive(fd, q->follow ? -1 : ROW_SECONDS, &m))
			return CONSOLE_ENV;
		msg_close_fds(&m);
		if (m.type == MSG_END) {
			*ret_end = m.u.msg_end;
			if (m.u.msg_end.ok || q->verb == MSG_LOG_VERIFY)
				return CONSOLE_OK;
			return console_fail(CONSOLE_ENV, _("the records cannot be read: %s"), _(m.u.msg_end.error));
		}
		if (m.type != want)
			return console_fail(CONSOLE_ENV, "%s",
				_("the gate answers in a form that this command does not know"));
		if (!fn(arg, &m))
			return CONSOLE_OK;
	}
}

int log_query(struct console *c, const struct msg_query *q, enum msg_type want, log_row_fn *fn, void *arg,
	struct msg_end *ret_end)
{
	int fd = -1, code = control_open_log(c, MSG_VERB_LOG, &fd);

	*ret_end = (struct msg_end){0};
	if (code != CONSOLE_OK)
		return code;
	if (msg_send(fd, MSG_QUERY, 1, q, NULL, 0) < 0)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate has closed the connection"));
	else
		code = receive_rows(fd, q, want, fn, arg, ret_end);
	msg_close_fd(fd);
	return code;
}

const char *log_time_short(int64_t sec, char *buf)
{
	struct civil t = clock_civil((struct wall){sec});

	if (sec == 0)
		return "-";
	snprintf(buf, 32, "%02d-%02d %02d:%02d:%02d", t.month, t.day, t.hour, t.minute, t.second);
	return buf;
}

const char *log_time_long(int64_t sec, char *buf)
{
	char text[32];

	snprintf(buf, 32, "%04d-%s", clock_civil((struct wall){sec}).year, log_time_short(sec, text));
	return sec == 0 ? "-" : buf;
}

const char *log_time(int64_t sec, char *buf)
{
	return sec == 0 ? NULL : clock_format((struct wall){sec}, buf);
}
