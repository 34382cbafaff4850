/*
 * seen.c: what the gate sees now (see seen.h).
 *
 * Trust: the gate's answers come by descriptor from a process that root started; the policy block is checked by ir_open() all
 * the same, and rows are read as far as the descriptor is long.
 */
#include "seen.h"

#include "console.h"
#include "control.h"
#include "logquery.h"
#include "words.h"

#include <sekisho/clock.h>
#include <sekisho/ruleset.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ROW_SECONDS 60

/* The whole of a sealed descriptor, or NULL. An empty one: "" of length 0. */
static void *map_fd(int fd, size_t *ret_size)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_WRITE;
	struct stat st;

	if ((fcntl(fd, F_GET_SEALS) & seals) != seals || fstat(fd, &st) != 0 || st.st_size <= 0)
		return NULL;
	*ret_size = (size_t)st.st_size;
	void *p = mmap(NULL, *ret_size, PROT_READ, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static bool take_policy(struct seen *s, int fd)
{
	s->policy_map = map_fd(fd, &s->policy_size);
	if (s->policy_map == NULL || ir_open(s->policy_map, s->policy_size, &s->ir) != NULL)
		return false;
	clock_set_zone(ir_text(&s->ir, s->ir.system->timezone));
	s->matcher = matcher_new(&s->ir);
	return true;
}

static void take_flows(struct seen *s, int fd)
{
	s->flow_map = map_fd(fd, &s->flow_size);
	if (s->flow_map == NULL)
		return;
	s->flows = s->flow_map;
	s->nflows = (uint32_t)(s->flow_size / sizeof(*s->flows));
}

int seen_open(struct console *c, uint32_t verb, struct seen *s)
{
	struct msg_request q = {.verb = verb};
	struct msg m;

	*s = (struct seen){0};
	int code = control_ask(c, &q, -1, MSG_WATCHED, &m);
	if (code != CONSOLE_OK)
		return code;
	const struct msg_watched *w = &m.u.msg_watched;
	if (!w->ok || m.nfds == 0)
		code = console_fail(CONSOLE_REFUSED, "%s", w->error[0] != '\0' ? _(w->error) : _("no policy is in force"));
	else if (!take_policy(s, m.fds[0]))
		code = console_fail(CONSOLE_ENV, "%s", _("the policy in force cannot be read"));
	if (code == CONSOLE_OK && m.nfds > 1)
		take_flows(s, m.fds[1]);
	s->generation = w->generation;
	s->missed = w->missed;
	msg_close_fds(&m);
	return code;
}

void seen_close(struct seen *s)
{
	matcher_free(s->matcher);
	if (s->policy_map != NULL)
		munmap(s->policy_map, s->policy_size);
	if (s->flow_map != NULL)
		munmap(s->flow_map, s->flow_size);
	*s = (struct seen){0};
}

enum flow_standing seen_standing(const struct seen *s, const struct flow_row *f)
{
	bool now = (f->mark & CTMARK_GENERATION(0x3ff)) == CTMARK_GENERATION(s->generation);

	if (f->mark == 0)
		return STANDING_OWN;
	switch (f->mark & CTMARK_STATE) {
	case CTMARK_INSPECTING:
		return STANDING_WAITS;
	case CTMARK_REFUSED:
		return STANDING_REFUSED;
	default:
		return now && (f->mark & CTMARK_VERIFIED) != 0 ? STANDING_CHECKED : STANDING_PASSED;
	}
}

uint32_t seen_rule(const struct seen *s, const struct flow_row *f, struct decision *ret_d)
{
	struct question q = {.src = ir_addr(f->family, f->src), .dst = ir_addr(f->family, f->dst), .proto = f->proto,
		.sport = f->sport, .dport = f->dport, .has_port = true};

	matcher_decide(s->matcher, &q, clock_wall(), ret_d);
	return ret_d->rule;
}

const char *seen_host(const struct seen *s, const struct addr *a)
{
	uint32_t host = matcher_host(s->matcher, a);

	return host == IR_NONE ? NULL : ir_text(&s->ir, s->ir.hosts[host].name);
}

const char *seen_segment(const struct seen *s, uint32_t segment)
{
	return segment == IR_NONE ? NULL : ir_text(&s->ir, s->ir.segments[segment].name);
}

void seen_end(struct buf *b, const struct addr *a, const char *host)
{
	char text[ADDR_TEXT_MAX];

	buf_adds(b, addr_format(a, text));
	if (host != NULL && host[0] != '\0')
		buf_printf(b, " (%s)", host);
}

/* -- What passed ---------------------------------------------------------------------------------------------- */

static int receive(int fd, enum msg_type want, seen_row_fn *fn, void *arg, struct msg_end *ret_end)
{
	struct msg m;

	for (;;) {
		if (!control_receive(fd, ROW_SECONDS, &m))
			return CONSOLE_ENV;
		msg_close_fds(&m);
		if (m.type == MSG_END) {
			*ret_end = m.u.msg_end;
			return CONSOLE_OK;
		}
		if (m.type != want)
			return console_fail(CONSOLE_ENV, "%s",
				_("the gate answers in a form that this command does not know"));
		if (!fn(arg, &m))
			return CONSOLE_OK;
	}
}

int seen_ask(struct console *c, const struct msg_watch_query *q, enum msg_type want, seen_row_fn *fn, void *arg,
	struct msg_end *ret_end)
{
	struct msg_request request = {.verb = MSG_VERB_LOG};
	struct msg m;
	int code = control_ask(c, &request, -1, MSG_OPENED, &m);

	*ret_end = (struct msg_end){.ok = 1};
	if (code != CONSOLE_OK)
		return code;
	if (!m.u.msg_opened.ok || m.nfds != 1)
		code = console_fail(CONSOLE_ENV, _("the records cannot be read: %s"), _(m.u.msg_opened.error));
	else if (msg_send(m.fds[0], MSG_WATCH_QUERY, 1, q, NULL, 0) < 0)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate has closed the connection"));
	else
		code = receive(m.fds[0], want, fn, arg, ret_end);
	msg_close_fds(&m);
	if (code == CONSOLE_OK && !ret_end->ok && q->verb != MSG_WATCH_VERIFY)
		code = console_fail(CONSOLE_ENV, _("the records cannot be read: %s"), _(ret_end->error));
	return code;
}

static bool name_arg(const struct args *a, const char *option, char *dst, size_t size)
{
	const char *text = args_option(a, option);

	if (text == NULL)
		return true;
	if (text[0] == '\0' || strlen(text) >= size) {
		console_fail(CONSOLE_USAGE, _("the value of %s is empty or too long"), option);
		return false;
	}
	msg_text(dst, size, text);
	return true;
}

bool seen_args(const struct args *a, struct msg_watch_query *q)
{
	const char *port = args_option(a, "--port");
	struct msg_query times = {0};
	struct question service;
	char text[16];

	q->port = MSG_ANY_PORT;
	if (!log_query_args(a, &times))
		return false;
	q->since = times.since;
	q->until = times.until;
	q->limit = times.limit;
	if (port != NULL) {
		snprintf(text, sizeof(text), "tcp/%.8s", port);
		if (strlen(port) > 5 || !words_parse_service(text, 0, &service)) {
			console_fail(CONSOLE_USAGE, "%s", _("--port takes a number from 0 to 65535"));
			return false;
		}
		q->port = service.dport;
	}
	return name_arg(a, "--from", q->from, sizeof(q->from)) && name_arg(a, "--to", q->to, sizeof(q->to)) &&
	       name_arg(a, "--rule", q->rule, sizeof(q->rule)) && name_arg(a, "--src", q->src, sizeof(q->src)) &&
	       name_arg(a, "--dst", q->dst, sizeof(q->dst));
}
