/*
 * alarm.c: alarm mail as sekishod sees it: who is told, what happened, when a report is due, how it fares.
 *
 *	policy in force	    MSG_ALARM_SETTINGS to sekisho-alarm, MSG_ALARM_HOPS to sekisho-connect
 *	findings	    MSG_ALARM_EVENT; kept in a ring until sekisho-alarm says that they were mailed
 *	how it stands	    MSG_ALARM_HEALTH whenever it changed
 *	the report's time   MSG_ALARM_REPORT, until it says that the mail server has that day's
 *	MSG_ALARM_STATUS    kept for the console; silence, and an hour without delivery, are findings
 *
 * Law: sekisho-alarm speaks to a mail server, so it is told nothing that names a mynumber host: every text is
 *masked (mask.h) by the policy that was in force when it came about, and by that in force when it is said.
 *Without a policy nothing is said. Input and trust: the status: its numbers are compared and kept, never used
 *as sizes. A sekisho-alarm that was taken over can say that it mailed what it did not; the records have it
 *all. Failure: what the socket does not take is said at the next tick. A state that cannot be written costs a
 *doubled report or notice after the next start.
 */
#include "alarm.h"

#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <sekisho/i18n.h>
#include <sekisho/loop.h>
#include <sekisho/mask.h>

#define SILENT_MS 20000
#define MESSAGES_A_TURN 16
#define UNDELIVERED_S 3600
#define TEST_SPACING_MS 10000
/* Numbers that merely went on are written this often at most. */
#define WRITE_MS 60000
#define MAGIC_ALARM 0x41474b53u /* "SKGA" */
#define FILE_ALARM "alarm"

/* -- Texts ----------------------------------------------------------------------------------------------- */

static void mask(const struct gate *g, const char *text, char *ret, size_t size)
{
	const struct generation *gen = g->in_kernel;

	if (gen != NULL)
		mask_text(&gen->ir, g->alarm.settings.english, text, ret, size);
	else
		msg_text(ret, size, text);
}

void gate_alarm_event(struct gate *g, uint32_t kind, enum finding f, const char *detail)
{
	struct gate_alarm *a = &g->alarm;
	struct msg_alarm_event e = {.id = ++a->newest, .at = clock_wall().sec, .kind = kind};

	if (f != FINDING_END) {
		e.health = kind == MSG_ALARM_CURED ? MSG_OK : finding_severity(f);
		MSG_TEXT(e.code, finding_code(f));
	}
	mask(g, detail, e.text, sizeof(e.text));
	a->ring[e.id % ALARM_RING] = e;
}

/* Seconds east of UTC of local time now. */
static int32_t utc_offset(void)
{
	struct wall now = clock_wall();
	struct civil c = clock_civil(now);
	struct tm tm = {.tm_year = c.year - 1900,
		.tm_mon = c.month - 1,
		.tm_mday = c.day,
		.tm_hour = c.hour,
		.tm_min = c.minute,
		.tm_sec = c.second};

	return (int32_t)((int64_t)timegm(&tm) - now.sec);
}

/* -- From the policy ------------------------------------------------------------------------------------- */

static bool is_alarm(const struct ir *ir, const struct ir_own *o)
{
	return o->out && o->port_lo == DAEMON_MAIL_PORT && strcmp(ir_text(ir, o->what), "alarm") == 0;
}

static void add_hop(struct msg_alarm_settings *s, const struct ir_own *o)
{
	struct msg_mail_address a = {.family = o->family, .port = DAEMON_MAIL_PORT};

	memcpy(a.addr, o->remote.lo, sizeof(a.addr));
	for (uint32_t i = 0; i < s->nhops; i++)
		if (memcmp(&s->hop[i], &a, sizeof(a)) == 0)
			return;
	if (s->nhops < MSG_ALARM_HOPS_MAX)
		s->hop[s->nhops++] = a;
}

static void read_policy(const struct ir *ir, uint32_t generation, struct msg_alarm_settings *s)
{
	s->generation = generation;
	s->english = strcmp(ir_text(ir, ir->system->language), "en") == 0;
	MSG_TEXT(s->hostname, ir_text(ir, ir->system->hostname));
	for (uint32_t i = 0; i < ir->system->alarm_to.n; i++)
		MSG_TEXT(s->to[s->nto++], ir_text(ir, ir->names[ir->system->alarm_to.first + i].name));
	for (uint32_t i = 0; i < ir->nowns; i++)
		if (is_alarm(ir, &ir->owns[i]))
			add_hop(s, &ir->owns[i]);
}

void gate_alarm_enforce(struct gate *g, const struct generation *gen)
{
	struct gate_alarm *a = &g->alarm;
	struct msg_alarm_settings s = {0};
	struct msg_alarm_hops hops = {0};

	read_policy(&gen->ir, gen->number, &s);
	s.utc_offset = utc_offset();
	s.clock_trusted = g->clock_trusted;
	hops.n = s.nto > 0 ? s.nhops : 0;
	memcpy(hops.hop, s.hop, hops.n * sizeof(hops.hop[0]));
	a->hops_due = a->hops_due || memcmp(&hops, &a->hops, sizeof(hops)) != 0;
	a->hops = hops;
	a->settings_due = a->settings_due || memcmp(&s, &a->settings, sizeof(s)) != 0;
	a->settings = s;
	a->minute = s.nto > 0 ? gen->ir.system->daily_report : IR_NONE;
}

/* -- How it stands --------------------------------------------------------------------------------------- */

static void add_findings(const struct gate *g, uint32_t health, struct msg_alarm_health *h)
{
	for (unsigned i = 0; i < g->health.n && h->nfindings < MSG_FINDINGS_MAX; i++) {
		const struct health_item *it = &g->health.items[i];
		if (finding_severity(it->finding) != health)
			continue;
		struct msg_alarm_finding *f = &h->finding[h->nfindings++];
		f->health = health;
		MSG_TEXT(f->code, finding_code(it->finding));
		mask(g, it->detail, f->text, sizeof(f->text));
	}
}

static void look_at_health(struct gate *g)
{
	struct gate_alarm *a = &g->alarm;
	struct msg_alarm_health h = {.health = health_now(&g->health), .gate_open = g->state == GATE_OPEN && g->current != NULL,
		.generation = g->current != NULL ? g->current->number : 0, .committed_at = g->committed_at,
		.started_at = g->started.sec};

	add_findings(g, MSG_ABNORMAL, &h);
	add_findings(g, MSG_CAUTION, &h);
	a->health_due = a->health_due || memcmp(&h, &a->health, sizeof(h)) != 0;
	a->health = h;
}

static void look_at_settings(struct gate *g)
{
	struct gate_alarm *a = &g->alarm;
	int32_t offset = utc_offset();

	if (a->settings.utc_offset == offset && a->settings.clock_trusted == g->clock_trusted)
		return;
	a->settings.utc_offset = offset;
	a->settings.clock_trusted = g->clock_trusted;
	a->settings_due = true;
}

/* -- Saying it ------------------------------------------------------------------------------------------- */

static bool say_settings(struct gate_alarm *a)
{
	struct msg_alarm_settings s = a->settings;

	s.life = a->life;
	s.told = a->told;
	s.ledger = a->saved.ledger;
	s.faults = a->saved.faults;
	s.know_numbers = a->saved.know_numbers;
	return msg_send(a->fd, MSG_ALARM_SETTINGS, a->tag, &s, NULL, 0) == 0;
}

/* What the ring has no more is a gap that sekisho-alarm counts. */
static void say_events(struct gate *g)
{
	struct gate_alarm *a = &g->alarm;
	uint64_t id = a->sent + 1;

	if (id + ALARM_RING <= a->newest)
		id = a->newest - ALARM_RING + 1;
	for (; id <= a->newest; id++) {
		struct msg_alarm_event e = a->ring[id % ALARM_RING];
		char text[sizeof(e.text)];
		mask(g, e.text, text, sizeof(text));
		memcpy(e.text, text, sizeof(text));
		if (msg_send(a->fd, MSG_ALARM_EVENT, a->tag, &e, NULL, 0) != 0)
			return;
		a->sent = id;
	}
}

static void say_due(struct gate *g)
{
	struct gate_alarm *a = &g->alarm;

	if (a->hops_due && g->mail.caller >= 0)
		a->hops_due = msg_send(g->mail.caller, MSG_ALARM_HOPS, 0, &a->hops, NULL, 0) != 0;
	if (a->fd < 0 || a->tag == 0 || g->in_kernel == NULL)
		return;
	if (a->settings_due)
		a->settings_due = !say_settings(a);
	if (a->settings_due)
		return;
	if (a->health_due)
		a->health_due = msg_send(a->fd, MSG_ALARM_HEALTH, a->tag, &a->health, NULL, 0) != 0;
	say_events(g);
	if (a->report_due && a->report.day != 0)
		a->report_due = msg_send(a->fd, MSG_ALARM_REPORT, a->tag, &a->report, NULL, 0) != 0;
}

void gate_alarm_renew(struct gate *g, const char *name)
{
	if (strcmp(name, jail_name(JAIL_CONNECT)) == 0)
		g->alarm.hops_due = true;
	say_due(g);
}

/* -- What is kept ---------------------------------------------------------------------------------------- */

static void write_state(struct gate *g, bool now)
{
	struct gate_alarm *a = &g->alarm;

	if (!a->changed || !g->have_store || (!now && mono_since_ms(a->written) < WRITE_MS))
		return;
	a->written = clock_mono();
	int r = store_put_record(&g->store, FILE_ALARM, MAGIC_ALARM, &a->saved, sizeof(a->saved));
	a->changed = r != 0;
}

static void read_state(struct gate *g)
{
	struct gate_alarm *a = &g->alarm;

	if (!g->have_store || store_get_record(&g->store, FILE_ALARM, MAGIC_ALARM, &a->saved, sizeof(a->saved)) != 0)
		memset(&a->saved, 0, sizeof(a->saved));
}

/* -- The daily report ------------------------------------------------------------------------------------ */

static void no_report(struct gate_alarm *a)
{
	static const struct report_days none;

	a->report.day = 0;
	a->changed = a->changed || memcmp(&a->saved.days, &none, sizeof(none)) != 0;
	a->saved.days = none;
}

static void look_at_report(struct gate *g)
{
	struct gate_alarm *a = &g->alarm;

	/* Before a policy is in force nobody knows what is wanted; without a clock nobody knows the day. */
	if (g->in_kernel == NULL || !g->clock_trusted)
		return;
	if (a->minute == IR_NONE) {
		no_report(a);
		return;
	}
	if (a->saved.days.day[0] == 0) {
		report_begin(&a->saved.days, clock_wall(), a->minute);
		a->changed = true;
		write_state(g, true);
	}
	struct msg_alarm_report r;
	if (report_due(&a->saved.days, clock_wall(), a->minute, &r) && r.day != a->report.day) {
		a->report = r;
		a->report_due = true;
	}
}

static void report_was_taken(struct gate *g, uint32_t day)
{
	struct gate_alarm *a = &g->alarm;

	if (day == 0 || day != a->report.day)
		return;
	report_done(&a->saved.days, &a->report);
	a->report.day = 0;
	a->changed = true;
	record(g, MSG_SEVERITY_INFO, "daily-report", "the daily report of %u was sent", day);
	write_state(g, true);
}

/* -- Hearing it ------------------------------------------------------------------------------------------ */

/* A sekisho-alarm that was not heard before: all that is not mailed, from the beginning. */
static void greet(struct gate_alarm *a, uint32_t tag)
{
	a->tag = tag;
	a->sent = a->told;
	a->settings_due = a->health_due = true;
	a->report_due = a->report.day != 0;
}

static void take_status(struct gate *g, const struct msg_alarm_status *s)
{
	struct gate_alarm *a = &g->alarm;
	bool mailed = a->have_status && s->sent != a->status.sent;

	a->status = *s;
	a->have_status = true;
	a->heard = clock_mono();
	if (s->life == a->life && s->told > a->told && s->told <= a->newest)
		a->told = s->told;
	if (s->know_numbers && (!a->saved.know_numbers || s->ledger != a->saved.ledger || s->faults != a->saved.faults)) {
		a->saved.know_numbers = 1;
		a->saved.ledger = s->ledger;
		a->saved.faults = s->faults;
		a->changed = true;
	}
	report_was_taken(g, s->reported);
	write_state(g, mailed);
}

static void on_alarm(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct msg m;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &m)) == 1; i++) {
		bool good = m.type == MSG_ALARM_STATUS && m.tag != 0;
		if (good && m.tag != g->alarm.tag)
			greet(&g->alarm, m.tag);
		if (good)
			take_status(g, &m.u.msg_alarm_status);
		msg_close_fds(&m);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r == -EPROTO)
		daemon_peer_broken(g->d, MSG_PEER_ALARM);
	say_due(g);
}

static void look_at_findings(struct gate *g)
{
	struct gate_alarm *a = &g->alarm;
	bool on = a->settings.nto > 0;

	health_begin(&g->health, SOURCE_ALARM);
	if (on && mono_since_ms(a->heard) > SILENT_MS)
		gate_finding(g, SOURCE_ALARM, FINDING_ALARM_AWAY, "");
	if (on && a->have_status && a->status.failing_s >= UNDELIVERED_S)
		gate_finding(g, SOURCE_ALARM, FINDING_ALARM_UNDELIVERED, a->status.error);
	gate_health_end(g, SOURCE_ALARM);
}

void gate_alarm_tick(struct gate *g)
{
	if (g->alarm.fd < 0)
		return;
	look_at_findings(g);
	look_at_settings(g);
	look_at_health(g);
	look_at_report(g);
	say_due(g);
	write_state(g, false);
}

/* -- People ---------------------------------------------------------------------------------------------- */

void gate_alarm_test(struct gate *g, struct client *c)
{
	struct gate_alarm *a = &g->alarm;
	struct msg_opened done = {.ok = 1};

	if (a->settings.nto == 0 || a->settings.nhops == 0) {
		client_opened(g, c, -1, _("the policy in force has no alarm mail (system alarm mail-to ADDRESS via HOST)"));
	} else if (a->tested.ns != 0 && mono_since_ms(a->tested) < TEST_SPACING_MS) {
		client_opened(g, c, -1, _("a test was asked for a moment ago: wait ten seconds"));
	} else {
		a->tested = clock_mono();
		gate_alarm_event(g, MSG_ALARM_TEST, FINDING_END, "");
		say_due(g);
		client_answer(g, c, MSG_OPENED, &done, -1);
	}
}

int gate_alarm_start(struct gate *g, int fd)
{
	struct gate_alarm *a = &g->alarm;

	/* Events may be there already. */
	a->fd = fd;
	a->life = (uint64_t)clock_wall_ns();
	a->heard = a->written = clock_mono();
	a->minute = IR_NONE;
	read_state(g);
	return fd >= 0 ? loop_add_fd(g->d->loop, fd, EPOLLIN, on_alarm, g) : 0;
}

void gate_alarm_stop(struct gate *g)
{
	write_state(g, true);
}
