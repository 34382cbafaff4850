/*
 * alarm.c: `sekisho alarm test`, and alarm mail in `sekisho status`.
 *
 * Input: figures of sekisho-alarm by way of sekishod, checked by msg_recv(); its error holds a mail server's words, without
 * control characters.
 */
#include "alarm.h"

#include "console.h"
#include "control.h"
#include "logquery.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/json.h>

#include <time.h>

/* The mail server is asked at once; a slow one has this long before the command ends without knowing. */
#define WAIT_MS 30000
#define NAP_MS 250

static const char *const states[] = {"away", "off", "idle", "waiting", "sending", "failing"};

/* -- In `sekisho status` --------------------------------------------------------------------------------- */

static const char *last_text(struct arena *a, const struct msg_alarm_status *s)
{
	char at[32];

	if (s->last_sent == 0)
		return _("none sent since the gate's start");
	return arena_printf(a, _("last sent %s"), log_time_long(s->last_sent, at));
}

const char *alarm_text(struct arena *a, const struct msg_alarm_status *s)
{
	const char *text = last_text(a, s);

	if (s->state == MSG_ALARM_AWAY)
		return _("nothing was heard of it yet");
	if (s->state == MSG_ALARM_OFF)
		return _("none: the policy names no recipient");
	if (s->waiting > 0)
		text = arena_printf(a, _("%s; waiting: %u"), text, s->waiting);
	if (s->state == MSG_ALARM_FAILING || s->failures > 0)
		text = arena_printf(a, _("%s; NOT TAKEN, tried %u times: %s"), text, s->failures, s->error);
	else if (s->error[0] != '\0')
		text = arena_printf(a, _("%s; not by every recipient: %s"), text, s->error);
	return text;
}

void alarm_json(struct json *j, const struct msg_alarm_status *s)
{
	char at[CLOCK_TEXT_MAX];

	json_object(j, "alarm");
	json_str(j, "state", states[s->state]);
	json_str(j, "last_sent", log_time(s->last_sent, at));
	json_uint(j, "sent", s->sent);
	json_uint(j, "waiting", s->waiting);
	json_uint(j, "merged", s->merged);
	json_uint(j, "failures", s->failures);
	json_uint(j, "failing_seconds", s->failing_s);
	json_uint(j, "reported", s->reported);
	json_str(j, "error", s->error);
	json_object_end(j);
}

/* -- sekisho alarm test ---------------------------------------------------------------------------------- */

static bool look(struct console *c, struct msg_alarm_status *ret)
{
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct msg m;

	if (!control_try(c, &q, -1, 10, MSG_STATUS, &m))
		return false;
	*ret = m.u.msg_status.alarm;
	msg_close_fds(&m);
	return true;
}

/* Until it was taken, or not. */
static bool wait_for(struct console *c, const struct msg_alarm_status *before, struct msg_alarm_status *now)
{
	for (int ms = 0; ms < WAIT_MS; ms += NAP_MS) {
		nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
		if (!look(c, now))
			return false;
		if (now->sent > before->sent || (now->state == MSG_ALARM_FAILING && now->failures != before->failures))
			return true;
	}
	return false;
}

static int tell(struct console *c, bool known, const struct msg_alarm_status *before, const struct msg_alarm_status *now)
{
	bool sent = known && now->sent > before->sent;

	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_bool(&j, "ok", sent);
		alarm_json(&j, now);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else if (sent) {
		buf_printf(&c->out, "%s\n", _("the mail server took the mail"));
	}
	if (sent || c->json)
		return sent ? CONSOLE_OK : CONSOLE_REFUSED;
	if (known)
		return console_fail(CONSOLE_REFUSED, _("the mail server did not take it: %s"), now->error);
	return console_fail(CONSOLE_REFUSED, "%s", _("the mail server has not answered yet: see sekisho status"));
}

int verb_alarm_test(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_ALARM_TEST};
	struct msg_alarm_status before = {0}, now = {0};
	struct msg m;

	(void)a;
	look(c, &before);
	int code = control_ask(c, &q, -1, MSG_OPENED, &m);
	if (code != CONSOLE_OK)
		return code;
	if (!m.u.msg_opened.ok)
		return console_fail(CONSOLE_REFUSED, "%s", m.u.msg_opened.error);
	return tell(c, wait_for(c, &before, &now), &before, &now);
}
