/*
 * compose.c: what a mail of notices says (see compose.h); the daily report is in report.c.
 *
 * Input: messages of sekishod and sekisho-logd, whose texts may quote others: each is shown by field_shown().
 * Limits: QUEUE_MAX notices and MSG_FINDINGS_MAX findings, each of a few lines.
 */
#include "compose.h"

#include <stdio.h>
#include <string.h>

#include <sekisho/finding.h>
#include <sekisho/i18n.h>

#include "field.h"
#include "letter.h"

/* -- Words ----------------------------------------------------------------------------------------------- */

const char *letter_health(uint32_t health)
{
	static const char *const words[] = {[MSG_OK] = N_("normal"), [MSG_CAUTION] = N_("caution"),
		[MSG_ABNORMAL] = N_("ABNORMAL")};

	return _(words[health <= MSG_ABNORMAL ? health : MSG_ABNORMAL]);
}

static enum finding find_finding(const char *code)
{
	unsigned f = 0;

	while (f < FINDING_END && strcmp(finding_code(f), code) != 0)
		f++;
	return (enum finding)f;
}

/* The sentence of a code and what it is about; of a code without one the text alone. */
void letter_finding(struct buf *out, const char *code, const char *text)
{
	enum finding f = find_finding(code);

	if (f != FINDING_END)
		buf_adds(out, _(finding_text(f)));
	if (f != FINDING_END && text[0] != '\0')
		buf_adds(out, ": ");
	field_shown(out, text);
	if (f == FINDING_END && text[0] == '\0')
		field_shown(out, code);
}

static const char *kind_word(const struct notice *n)
{
	switch (n->kind) {
	case MSG_ALARM_CURED:
		return _("cured");
	case MSG_ALARM_FAULT:
		return _("fault");
	case MSG_ALARM_BEGAN:
	case MSG_ALARM_HAPPENED:
		return letter_health(n->health);
	default:
		return _("information");
	}
}

/* One line without its end. */
static void sentence(struct buf *out, const struct notice *n)
{
	switch (n->kind) {
	case MSG_ALARM_TEST:
		buf_adds(out, _("this is a test: alarm mail works"));
		break;
	case MSG_ALARM_HELD:
		buf_adds(out, _("a mail waits for approval"));
		break;
	case MSG_ALARM_WARNED:
		buf_adds(out, _("a mail to the internet seems to hold individual numbers, and was let through with a warning"));
		break;
	case MSG_ALARM_FAULT:
	case MSG_ALARM_NOTICE:
		field_shown(out, n->text);
		break;
	default:
		letter_finding(out, n->code, n->text);
	}
}

/* -- Head and foot --------------------------------------------------------------------------------------- */

/* The domain that the recipients know; the gate has no mailbox of its own. */
static const char *domain_of(const struct msg_alarm_settings *s)
{
	const char *at = s->nto > 0 ? strrchr(s->to[0], '@') : NULL;

	return at != NULL ? at + 1 : "invalid";
}

void letter_head(struct buf *out, const struct letter *l, const char *subject)
{
	const struct msg_alarm_settings *s = l->settings;
	char name[96], address[300];

	snprintf(name, sizeof(name), "sekisho %s", s->hostname);
	snprintf(address, sizeof(address), "sekisho@%s", domain_of(s));
	field_date(out, l->now, s->utc_offset);
	field_mailbox(out, "From", name, address);
	for (uint32_t i = 0; i < s->nto; i++)
		buf_printf(out, "%s<%s>%s\r\n", i == 0 ? "To: " : " ", s->to[i], i + 1 < s->nto ? "," : "");
	field_text(out, "Subject", subject);
	buf_printf(out, "Message-ID: <%s@%s>\r\n", l->id, domain_of(s));
	buf_adds(out, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n"
		      "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
}

static void standing(struct buf *b, const struct msg_alarm_health *h)
{
	if (h->nfindings == 0)
		buf_printf(b, "    %s\n", _("nothing is wrong now"));
	for (uint32_t i = 0; i < h->nfindings; i++) {
		const struct msg_alarm_finding *f = &h->finding[i];
		buf_printf(b, "    %s  ", letter_health(f->health));
		letter_finding(b, f->code, f->text);
		buf_printf(b, "  [%s]\n", f->code);
	}
}

void letter_state(struct buf *b, const struct letter *l)
{
	const struct msg_alarm_health *h = l->health;
	char time[FIELD_TIME];

	buf_printf(b, _("Now (%s): %s\n"), field_minute(l->now, l->settings->utc_offset, time), letter_health(h->health));
	buf_printf(b, "    %s\n", h->gate_open ? _("the gate is open as the policy says")
							    : _("the gate is CLOSED: nothing passes"));
	if (h->generation != 0)
		buf_printf(b, _("    policy: generation %u, since %s\n"), h->generation,
			field_minute(h->committed_at, l->settings->utc_offset, time));
	standing(b, h);
}

void letter_end(struct buf *out, struct buf *body)
{
	buf_adds(body, _("\n-- \nWritten by the gate itself; nobody reads answers to this mail. Hosts of segments of the kind mynumber\n"
			 "are given by their number in the policy, not by name.\n"));
	field_body(out, buf_str(body), body->len);
	buf_free(body);
}

/* -- Notices --------------------------------------------------------------------------------------------- */

static const struct notice *gravest(const struct queue *q)
{
	const struct notice *found = NULL;

	for (unsigned i = 0; i < q->n; i++)
		if (found == NULL || q->notice[i].health > found->health)
			found = &q->notice[i];
	return found;
}

static void subject(struct buf *out, const struct letter *l, const struct queue *q)
{
	const struct notice *first = gravest(q);
	uint32_t health = queue_health(q) > l->health->health ? queue_health(q) : l->health->health;
	uint64_t others = queue_count(q) - (first != NULL ? first->count : 0);

	buf_printf(out, _("[sekisho %s] %s: "), l->settings->hostname, letter_health(health));
	if (first != NULL && first->kind == MSG_ALARM_CURED)
		buf_printf(out, "%s: ", _("cured"));
	if (first != NULL)
		sentence(out, first);
	if (others > 0)
		buf_printf(out, _(" (and %llu more)"), (unsigned long long)others);
}

static const char *advice(const struct notice *n)
{
	enum finding f = find_finding(n->code);

	if ((n->kind != MSG_ALARM_BEGAN && n->kind != MSG_ALARM_HAPPENED) || f == FINDING_END)
		return NULL;
	return _(finding_cure(f));
}

static void mail_lines(struct buf *b, const struct notice *n)
{
	buf_printf(b, _("    receipt number %s, from "), n->receipt);
	field_shown(b, n->text[0] != '\0' ? n->text : "<>");
	if (n->kind == MSG_ALARM_HELD)
		buf_printf(b, _("\n    to let it leave: sekisho mail approve %s\n"), n->receipt);
	else
		buf_printf(b, _("\n    what was found: sekisho log mail --receipt %s\n"), n->receipt);
}

static void notice_lines(struct buf *b, const struct notice *n, int32_t offset)
{
	char time[FIELD_TIME];

	buf_printf(b, "%s  %s  ", field_time(n->first, offset, time), kind_word(n));
	sentence(b, n);
	if (n->code[0] != '\0')
		buf_printf(b, "  [%s]", n->code);
	buf_addc(b, '\n');
	if (n->kind == MSG_ALARM_HELD || n->kind == MSG_ALARM_WARNED)
		mail_lines(b, n);
	if (n->count > 1)
		buf_printf(b, _("    %u times, last at %s\n"), n->count, field_time(n->last, offset, time));
	if (advice(n) != NULL)
		buf_printf(b, _("    what to do: %s\n"), advice(n));
}

void compose_notices(struct buf *out, const struct letter *l, const struct queue *q)
{
	struct buf line = {0}, body = {0};

	subject(&line, l, q);
	letter_head(out, l, buf_str(&line));
	buf_free(&line);
	for (unsigned i = 0; i < q->n; i++)
		notice_lines(&body, &q->notice[i], l->settings->utc_offset);
	if (q->merged > 0)
		buf_printf(&body, _("%llu more notices had no place in this mail: see sekisho status, sekisho log faults\n"),
			(unsigned long long)q->merged);
	buf_addc(&body, '\n');
	letter_state(&body, l);
	letter_end(out, &body);
}
