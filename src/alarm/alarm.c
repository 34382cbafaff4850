/*
 * alarm.c: what is mailed, and when (see alarm.h).
 *
 * Input and trust: fixed-size messages of sekishod and sekisho-logd; the mail server's words only as a text for the status.
 * Limits: a queue of QUEUE_MAX notices, one letter; news are fetched only while the queue has room, so that they wait in
 * the ledger where nothing is lost.
 * Failure: a letter that is not taken is kept and tried again at growing intervals; a recorder that does not answer lets
 * the daily report go without its numbers after DIGEST_LIMIT_MS, with a sentence.
 */
#include "alarm.h"

#include <stdio.h>
#include <string.h>

#include <sekisho/clock.h>
#include <sekisho/finding.h>
#include <sekisho/i18n.h>

#include "compose.h"

#define NEWS_MS 5000
/* Until it is known from where on: what happens meanwhile is not told. */
#define BEGIN_MS 500
#define ANSWER_MS 20000
#define DIGEST_LIMIT_MS 90000
/* sekishod says within this time what stands. */
#define DOUBT_MS 90000

static int64_t now_ms(void)
{
	return clock_mono().ns / 1000000;
}

static bool is_on(const struct alarm *a)
{
	return a->have_settings && a->settings.nto > 0 && a->settings.nhops > 0;
}

static bool has_letter(const struct alarm *a)
{
	return a->letter.text.len > 0;
}

static void drop_letter(struct alarm *a)
{
	buf_free(&a->letter.text);
	memset(&a->letter, 0, sizeof(a->letter));
	for (unsigned s = 0; s < SOURCES; s++)
		a->letter.lowest[s] = UINT64_MAX;
}

void alarm_init(struct alarm *a, const struct alarm_io *io, void *arg)
{
	*a = (struct alarm){.io = io, .arg = arg};
	drop_letter(a);
}

void alarm_free(struct alarm *a)
{
	buf_free(&a->letter.text);
}

/* -- Notices --------------------------------------------------------------------------------------------- */

static void put(struct alarm *a, const struct notice *n)
{
	if (queue_empty(&a->queue))
		a->since = now_ms();
	queue_put(&a->queue, n);
	if (n->kind == MSG_ALARM_TEST)
		pace_again(&a->pace);
}

/* Numbers begin anew with each sekishod. */
static void another_life(struct alarm *a, const struct msg_alarm_settings *s)
{
	queue_forget_numbers(&a->queue, SOURCE_EVENTS);
	a->letter.lowest[SOURCE_EVENTS] = UINT64_MAX;
	a->seen[SOURCE_EVENTS] = s->told;
	standing_doubt(&a->standing, now_ms() + DOUBT_MS);
}

static void first_settings(struct alarm *a, const struct msg_alarm_settings *s)
{
	a->seen[SOURCE_EVENTS] = s->told;
	a->seen[SOURCE_LEDGER] = s->ledger;
	a->seen[SOURCE_FAULTS] = s->faults;
	a->know_numbers = s->know_numbers != 0;
}

static bool is_another_way(const struct msg_alarm_settings *x, const struct msg_alarm_settings *y)
{
	return x->nhops != y->nhops || memcmp(x->hop, y->hop, sizeof(x->hop)) != 0 || x->nto != y->nto ||
	       memcmp(x->to, y->to, sizeof(x->to)) != 0;
}

void alarm_settings(struct alarm *a, const struct msg_alarm_settings *s)
{
	if (!a->have_settings)
		first_settings(a, s);
	else if (s->life != a->settings.life)
		another_life(a, s);
	if (a->have_settings && is_another_way(s, &a->settings))
		pace_again(&a->pace);
	a->settings = *s;
	a->have_settings = true;
	i18n_init(s->english ? "en" : "ja");
	/* Nobody is to be told any more: nothing is kept for whoever is told one day. */
	if (!is_on(a)) {
		if (!a->letter.sending)
			drop_letter(a);
		memset(&a->queue, 0, sizeof(a->queue));
		a->report.day = 0;
	}
}

void alarm_health(struct alarm *a, const struct msg_alarm_health *h)
{
	a->health = *h;
	a->have_health = true;
}

/* False: it was told already. */
static bool is_news(struct alarm *a, const struct msg_alarm_event *e)
{
	if (e->kind == MSG_ALARM_BEGAN)
		return standing_began(&a->standing, e->code, e->text);
	if (e->kind == MSG_ALARM_CURED)
		standing_cured(&a->standing, e->code, e->text);
	return true;
}

void alarm_event(struct alarm *a, const struct msg_alarm_event *e)
{
	struct notice n = {.source = SOURCE_EVENTS, .kind = (enum msg_notice_kind)e->kind, .health = (enum msg_health)e->health,
		.count = 1, .number = e->id, .first = e->at, .last = e->at};
	uint64_t *seen = &a->seen[SOURCE_EVENTS];

	if (e->id <= *seen)
		return;
	if (is_on(a))
		queue_lost(&a->queue, SOURCE_EVENTS, *seen + 1, e->id - *seen - 1);
	*seen = e->id;
	if (!is_on(a) || !is_news(a, e))
		return;
	MSG_TEXT(n.code, e->code);
	MSG_TEXT(n.text, e->text);
	put(a, &n);
}

/* sekishod was started again: what it does not say any more is cured. */
static void settle_doubts(struct alarm *a)
{
	struct standing_item it;

	while (standing_gone(&a->standing, now_ms(), &it)) {
		struct notice n = {.source = SOURCE_EVENTS, .kind = MSG_ALARM_CURED, .count = 1, .first = clock_wall().sec,
			.last = clock_wall().sec};
		memcpy(n.code, it.code, sizeof(n.code));
		memcpy(n.text, it.text, sizeof(n.text));
		put(a, &n);
	}
}

/* -- News of the recorder -------------------------------------------------------------------------------- */

static bool is_finding(const char *code)
{
	for (unsigned f = 0; f < FINDING_END; f++)
		if (strcmp(finding_code(f), code) == 0)
			return true;
	return false;
}

void alarm_news(struct alarm *a, const struct msg_alarm_news *m)
{
	bool record = m->kind == MSG_ALARM_FAULT || m->kind == MSG_ALARM_NOTICE;
	struct notice n = {.source = record ? SOURCE_FAULTS : SOURCE_LEDGER, .kind = (enum msg_notice_kind)m->kind,
		.health = m->kind == MSG_ALARM_FAULT ? MSG_ABNORMAL : MSG_CAUTION, .count = 1, .number = m->sequence,
		.first = m->at, .last = m->at};
	uint64_t *seen = &a->seen[n.source];

	if (!is_on(a) || m->sequence <= *seen)
		return;
	*seen = m->sequence;
	/* Findings come as events. */
	if (record && is_finding(m->code))
		return;
	MSG_TEXT(n.code, m->code);
	MSG_TEXT(n.text, record ? m->text : m->sender);
	MSG_TEXT(n.receipt, m->receipt);
	put(a, &n);
}

void alarm_done(struct alarm *a, const struct msg_alarm_done *d)
{
	a->news.asked = false;
	if (!d->ok)
		return;
	a->know_numbers = true;
	if (d->ledger > a->seen[SOURCE_LEDGER] || !d->more)
		a->seen[SOURCE_LEDGER] = d->ledger;
	if (d->faults > a->seen[SOURCE_FAULTS] || !d->more)
		a->seen[SOURCE_FAULTS] = d->faults;
	if (d->more)
		a->news.at = INT64_MIN / 2;
}

static void fetch_news(struct alarm *a)
{
	struct msg_alarm_ask q = {.what = MSG_ALARM_ASK_NEWS, .know_numbers = a->know_numbers, .ledger = a->seen[SOURCE_LEDGER],
		.faults = a->seen[SOURCE_FAULTS]};
	int64_t wait = a->news.asked ? ANSWER_MS : a->know_numbers ? NEWS_MS : BEGIN_MS;

	if (a->queue.n > QUEUE_MAX / 2 || (a->news.at != 0 && now_ms() - a->news.at < wait))
		return;
	a->news.asked = a->io->ask(a->arg, &q);
	a->news.at = now_ms();
}

/* -- The daily report ------------------------------------------------------------------------------------ */

void alarm_report(struct alarm *a, const struct msg_alarm_report *r)
{
	if (is_on(a) && r->day != a->reported)
		a->report = *r;
}

void alarm_digest(struct alarm *a, const struct msg_alarm_digest *d)
{
	if (a->digest.day == 0 || a->digest.have)
		return;
	a->digest.digest = *d;
	a->digest.have = true;
}

static void ask_digest(struct alarm *a)
{
	struct msg_alarm_ask q = {.what = MSG_ALARM_ASK_DIGEST, .since = a->report.since, .until = a->report.until};

	if (a->digest.day != a->report.day) {
		a->digest.day = a->report.day;
		a->digest.have = false;
		a->digest.first = now_ms();
	} else if (a->digest.have || now_ms() - a->digest.at < ANSWER_MS) {
		return;
	}
	a->io->ask(a->arg, &q);
	a->digest.at = now_ms();
}

static void make_id(const struct alarm *a, const char *rest, char *id, size_t size)
{
	size_t n = (size_t)snprintf(id, size, "%s.%s", a->settings.hostname, rest);

	for (size_t i = 0; i < n && i < size - 1; i++)
		if (strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_", id[i]) == NULL)
			id[i] = '-';
}

static struct letter head_of(const struct alarm *a, const char *id)
{
	return (struct letter){.settings = &a->settings, .health = &a->health, .now = clock_wall().sec, .id = id};
}

static void write_report(struct alarm *a)
{
	char rest[40], id[160];

	ask_digest(a);
	if (!a->digest.have && now_ms() - a->digest.first <= DIGEST_LIMIT_MS)
		return;
	snprintf(rest, sizeof(rest), "report.%u", a->report.day);
	make_id(a, rest, id, sizeof(id));
	struct letter l = head_of(a, id);
	compose_report(&a->letter.text, &l, &a->report, a->digest.have ? &a->digest.digest : NULL);
	a->letter.kind = PACE_REPORT;
	a->letter.day = a->report.day;
	a->digest.day = 0;
	a->report.day = 0;
}

/* -- Letters --------------------------------------------------------------------------------------------- */

static enum pace_kind kind_of(const struct queue *q)
{
	return queue_has(q, MSG_ALARM_TEST) ? PACE_TEST : PACE_NOTICES;
}

static void write_notices(struct alarm *a)
{
	char rest[120], id[240];

	snprintf(rest, sizeof(rest), "%llx.%llu.%llu.%llu", (unsigned long long)a->settings.life,
		(unsigned long long)a->seen[SOURCE_EVENTS], (unsigned long long)a->seen[SOURCE_LEDGER],
		(unsigned long long)a->seen[SOURCE_FAULTS]);
	make_id(a, rest, id, sizeof(id));
	struct letter l = head_of(a, id);
	compose_notices(&a->letter.text, &l, &a->queue);
	a->letter.kind = kind_of(&a->queue);
	a->letter.count = queue_count(&a->queue);
	for (unsigned s = 0; s < SOURCES; s++)
		a->letter.lowest[s] = queue_lowest(&a->queue, (enum source)s);
	memset(&a->queue, 0, sizeof(a->queue));
}

static void send(struct alarm *a)
{
	if (a->letter.sending || now_ms() < pace_when(&a->pace, PACE_REPORT, INT64_MIN))
		return;
	a->letter.sending = true;
	if (!a->io->send(a->arg, &a->settings, (const char *)a->letter.text.data, a->letter.text.len))
		a->letter.sending = false;
}

void alarm_ended(struct alarm *a, uint32_t taken, const char *error)
{
	a->letter.sending = false;
	MSG_TEXT(a->error, error);
	if (taken == 0) {
		pace_failed(&a->pace, now_ms());
		if (!is_on(a))
			drop_letter(a);
		return;
	}
	pace_sent(&a->pace, a->letter.kind, now_ms());
	a->sent++;
	a->last_sent = clock_wall().sec;
	if (a->letter.day != 0)
		a->reported = a->letter.day;
	drop_letter(a);
}

void alarm_tick(struct alarm *a)
{
	if (!is_on(a))
		return;
	settle_doubts(a);
	fetch_news(a);
	if (!has_letter(a) && a->have_health && a->report.day != 0)
		write_report(a);
	if (!has_letter(a) && a->have_health && !queue_empty(&a->queue) &&
		now_ms() >= pace_when(&a->pace, kind_of(&a->queue), a->since))
		write_notices(a);
	if (has_letter(a))
		send(a);
}

/* -- Status ---------------------------------------------------------------------------------------------- */

static uint64_t told(const struct alarm *a, enum source s)
{
	uint64_t lowest = queue_lowest(&a->queue, s);

	if (a->letter.lowest[s] < lowest)
		lowest = a->letter.lowest[s];
	return lowest <= a->seen[s] ? lowest - 1 : a->seen[s];
}

static uint32_t state(const struct alarm *a)
{
	if (!is_on(a))
		return MSG_ALARM_OFF;
	if (a->letter.sending)
		return MSG_ALARM_SENDING;
	if (a->pace.failures > 0)
		return MSG_ALARM_FAILING;
	return has_letter(a) || a->report.day != 0 || !queue_empty(&a->queue) ? MSG_ALARM_WAITING : MSG_ALARM_IDLE;
}

static uint32_t limited(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void alarm_status(const struct alarm *a, struct msg_alarm_status *ret)
{
	*ret = (struct msg_alarm_status){.life = a->settings.life, .told = told(a, SOURCE_EVENTS),
		.ledger = told(a, SOURCE_LEDGER),
		.faults = told(a, SOURCE_FAULTS), .know_numbers = a->know_numbers, .state = state(a),
		.generation = a->settings.generation,
		.waiting = limited(queue_count(&a->queue) + a->letter.count + (a->letter.day != 0)),
		.merged = limited(a->queue.merged), .reported = a->reported, .failures = a->pace.failures, .sent = a->sent,
		.last_sent = a->last_sent};
	if (a->pace.failures > 0)
		ret->failing_s = (uint32_t)((now_ms() - a->pace.failing_since) / 1000);
	MSG_TEXT(ret->error, a->error);
}
