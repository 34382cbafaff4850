/*
 * judging.c: the questions of a session put to judge.h and flood.h, and their answers in a session's terms.
 *
 * A flood is counted at MAIL, so that what is put off costs neither a mail server nor a cleaner anything. What was stopped
 * stays so until somebody resumes it, also over a restart: sekishod tells the next life of this process.
 */
#include "judging.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <sekisho/flood.h>
#include <sekisho/judge.h>

static const struct ir *ir_of(const struct session *s)
{
	return &s->policy->ir;
}

static enum mail_reason take(struct session *s, const struct judgement *j)
{
	snprintf(s->detail, sizeof(s->detail), "%s", j->detail);
	return j->verdict == JUDGE_PASS ? MAIL_REASON_NONE : j->reason;
}

enum mail_reason judging_client(struct session *s)
{
	struct judgement j;

	judge_client(ir_of(s), s->way, &s->peer, &j);
	return take(s, &j);
}

static enum mail_reason count(struct session *s)
{
	enum flood_event news;
	const char *sender = s->envelope.mail.from.text;
	enum mail_reason reason = flood_mail(&s->m->flood[s->way], maild_now(), sender, &news);

	if (news == FLOOD_SENDER_SLOWED || news == FLOOD_SENDER_STOPPED)
		maild_log(s, "many mails of <%s>: %s", sender, news == FLOOD_SENDER_STOPPED ? "stopped" : "slowed");
	else if (news != FLOOD_CALM)
		maild_log(s, "many mails: the direction is %s", news == FLOOD_STOPPED_NOW ? "stopped" : "slowed");
	return reason;
}

enum mail_reason judging_sender(struct session *s)
{
	struct judgement j;

	judge_sender(ir_of(s), s->way, &s->envelope.mail.from, s->envelope.mail.size, &s->judged, &j);
	enum mail_reason reason = take(s, &j);
	return reason != MAIL_REASON_NONE ? reason : count(s);
}

enum mail_reason judging_rcpt(struct session *s, const struct smtp_rcpt *r)
{
	struct judgement j;

	judge_rcpt(ir_of(s), s->way, &s->judged, &r->to, &j);
	return take(s, &j);
}

void judging_rcpt_taken(struct session *s, const struct smtp_rcpt *r)
{
	judge_rcpt_taken(ir_of(s), s->way, &s->judged, &r->to);
}

uint32_t judging_mail(struct session *s, bool approved)
{
	static const uint32_t verdicts[] = {[JUDGE_PASS] = MSG_MAIL_PASS, [JUDGE_REFUSE] = MSG_MAIL_REFUSED,
		[JUDGE_HOLD] = MSG_MAIL_HELD, [JUDGE_DEFER] = MSG_MAIL_DEFERRED};
	struct judgement j;

	judge_message(ir_of(s), s->way, &s->judged, s->have_report ? &s->view : NULL, approved, &j);
	s->reason = take(s, &j);
	s->notes = j.notes;
	return verdicts[j.verdict];
}

/* -- Floods ---------------------------------------------------------------------------------------------- */

int judging_start(struct maild *m)
{
	uint64_t key[2];

	for (unsigned w = 0; w < MAILD_WAYS; w++) {
		if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
			return -errno;
		flood_begin(&m->flood[w], key);
	}
	return 0;
}

void judging_policy(struct maild *m)
{
	for (unsigned w = 0; w < MAILD_WAYS; w++)
		flood_limits(&m->flood[w], m->policy->way[w]);
}

void judging_command(struct maild *m, const struct msg_mail_command *c)
{
	struct flood *f = &m->flood[c->direction == MSG_MAIL_OUT ? MAIL_OUT : MAIL_IN];

	if (c->what == MSG_MAIL_STOP)
		flood_stop(f, "");
	else if (flood_resume(f, c->sender))
		daemon_log("mail was resumed by %s", c->who);
}

uint32_t judging_flood(const struct maild *m, enum mail_direction way)
{
	const struct flood *f = &m->flood[way];

	if (f->stopped)
		return MSG_MAIL_STOPPED;
	return f->nstopped > 0 || (f->slow != 0 && flood_rate(f, maild_now()) > f->slow) ? MSG_MAIL_SLOWED : MSG_MAIL_CALM;
}
