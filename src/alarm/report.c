/*
 * report.c: the daily report: how it stands, and the records of the time since the last one in numbers (see compose.h).
 *
 * Input: MSG_ALARM_DIGEST of sekisho-logd, which reads packets: its texts are shown by field_shown(), its numbers printed.
 */
#include "compose.h"

#include <stdio.h>

#include <sekisho/i18n.h>
#include <sekisho/reason.h>

#include "field.h"
#include "letter.h"

static const char *or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

static void drops(struct buf *b, const struct msg_alarm_digest *d)
{
	uint64_t shown = 0;

	buf_printf(b, _("\nBlocked packets: %llu\n"), (unsigned long long)d->drops);
	for (uint32_t i = 0; i < d->ndrops; i++) {
		const struct msg_alarm_drops *r = &d->drop[i];
		buf_printf(b, "    %10llu  ", (unsigned long long)r->packets);
		field_shown(b, or_dash(r->from));
		buf_adds(b, " -> ");
		field_shown(b, or_dash(r->to));
		buf_printf(b, "  %s [%s]\n", _(reason_text(r->reason)), reason_word(r->reason));
		shown += r->packets;
	}
	if (d->drops > shown)
		buf_printf(b, _("    %10llu  others\n"), (unsigned long long)(d->drops - shown));
	if (d->losses > 0)
		buf_printf(b, _("    %10llu  more were counted and could not be recorded\n"), (unsigned long long)d->losses);
}

static void mails(struct buf *b, const struct msg_alarm_mails *m, const char *way)
{
	if (m->passed + m->refused + m->held + m->deferred == 0)
		return;
	buf_printf(b, _("    %s: %llu let through, %llu refused, %llu held for approval, %llu put off\n"), way,
		(unsigned long long)m->passed, (unsigned long long)m->refused, (unsigned long long)m->held,
		(unsigned long long)m->deferred);
	if (m->warned > 0)
		buf_printf(b, _("        with a warning of individual numbers: %llu\n"), (unsigned long long)m->warned);
}

static bool any_mail(const struct msg_alarm_digest *d)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 2; i++)
		n += d->mail[i].passed + d->mail[i].refused + d->mail[i].held + d->mail[i].deferred;
	return n > 0;
}

static void faults(struct buf *b, const struct msg_alarm_digest *d, int32_t offset)
{
	char time[FIELD_TIME];

	buf_printf(b, "\n%s\n", d->nfaults > 0 ? _("Faults and notices") : _("Faults and notices: none"));
	for (uint32_t i = 0; i < d->nfaults; i++) {
		const struct msg_alarm_faults *f = &d->fault[i];
		buf_printf(b, "    %6llu  ", (unsigned long long)f->count);
		letter_finding(b, f->code, "");
		buf_printf(b, "  [%s, %s]  ", f->process, f->code);
		buf_printf(b, _("last at %s\n"), field_time(f->last, offset, time));
	}
}

static void commits(struct buf *b, const struct msg_alarm_digest *d, int32_t offset)
{
	char time[FIELD_TIME];

	buf_printf(b, _("\nChanges of the policy: %llu\n"), (unsigned long long)d->commits);
	for (uint32_t i = 0; i < d->ncommits; i++) {
		const struct msg_alarm_commit *c = &d->commit[i];
		buf_printf(b, _("    generation %u, %s, "), c->generation, field_time(c->at, offset, time));
		field_shown(b, or_dash(c->who));
		buf_adds(b, ": ");
		field_shown(b, or_dash(c->why));
		buf_addc(b, '\n');
	}
}

static void digest(struct buf *b, const struct msg_alarm_digest *d, int32_t offset)
{
	drops(b, d);
	if (any_mail(d)) {
		buf_adds(b, _("\nMail\n"));
		mails(b, &d->mail[0], _("from the internet"));
		mails(b, &d->mail[1], _("to the internet"));
	}
	faults(b, d, offset);
	commits(b, d, offset);
	if (d->logins + d->logins_refused + d->commands > 0)
		buf_printf(b, _("\nLog-ins: %llu, refused: %llu; commands: %llu\n"), (unsigned long long)d->logins,
			(unsigned long long)d->logins_refused, (unsigned long long)d->commands);
}

static void period(struct buf *b, const struct letter *l, const struct msg_alarm_report *r)
{
	char since[FIELD_TIME], until[FIELD_TIME];

	buf_printf(b, _("Daily report of %s: from %s to %s\n"), l->settings->hostname,
		field_minute(r->since, l->settings->utc_offset, since), field_minute(r->until, l->settings->utc_offset, until));
	if (r->late)
		buf_adds(b, _("It is late: at its time the gate was not running, or its clock was not trusted.\n"));
	if (r->missed > 0)
		buf_printf(b, _("There was no report on %u days before.\n"), r->missed);
	buf_addc(b, '\n');
}

void compose_report(struct buf *out, const struct letter *l, const struct msg_alarm_report *r, const struct msg_alarm_digest *d)
{
	struct buf line = {0}, body = {0};

	buf_printf(&line, _("[sekisho %s] %s: daily report %u-%02u-%02u"), l->settings->hostname,
		letter_health(l->health->health),
		r->day / 10000, r->day / 100 % 100, r->day % 100);
	letter_head(out, l, buf_str(&line));
	buf_free(&line);
	period(&body, l, r);
	letter_state(&body, l);
	if (d != NULL)
		digest(&body, d, l->settings->utc_offset);
	if (d == NULL || !d->ok)
		buf_adds(&body, _("\nThe records could not be read in full: see sekisho log.\n"));
	letter_end(out, &body);
}
