/*
 * drill.c: a drill: everything that a cut asks of people, with the same words, refusals and codes, and nothing is cut.
 *
 *	begin + cut	the end is resolved as a real one would be; what it would stop is answered
 *	restore		in two steps, with a code
 *	join, end	who took part; the report: each step with its time since the beginning
 *
 * The kernel, the mail gate and the list of cuts are never touched from here. Each step is a record and on the disk.
 * Limits: one drill at a time, DRILL_EVENTS steps, CUT_MAX cuts. The newest drill's report stays until the next begins.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/buf.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>

#define FILE_DRILL "drill"
#define MAGIC_DRILL 0x44474b53u /* "SKGD" */

static const char *const kinds[DRILL_KINDS] = {"", "begun", "joined", "cut", "restore-asked", "restored", "ended"};

static void save(struct gate *g)
{
	int r = g->have_store ? store_put_record(&g->store, FILE_DRILL, MAGIC_DRILL, &g->drill, sizeof(g->drill)) : -ENOENT;

	if (r != 0)
		record(g, MSG_SEVERITY_NOTICE, "drill", "DRILL: it could not be stored: %s", strerror(-r));
}

static bool is_text(const char *s, size_t n)
{
	return memchr(s, '\0', n) != NULL;
}

static bool is_good(const struct gate_drill *d)
{
	if (d->n > DRILL_EVENTS || d->ncuts > CUT_MAX || d->under_way > 1)
		return false;
	for (uint32_t i = 0; i < d->n; i++) {
		const struct drill_event *e = &d->event[i];
		if (e->kind == 0 || e->kind >= DRILL_KINDS || !is_text(e->who, sizeof(e->who)) ||
			!is_text(e->account, sizeof(e->account)) || !is_text(e->text, sizeof(e->text)) ||
			!is_text(e->why, sizeof(e->why)))
			return false;
	}
	for (uint32_t i = 0; i < d->ncuts; i++)
		if (!is_text(d->cut[i].text, sizeof(d->cut[i].text)) || !is_text(d->cut[i].code, sizeof(d->cut[i].code)))
			return false;
	return true;
}

void drill_start(struct gate *g)
{
	int r = g->have_store ? store_get_record(&g->store, FILE_DRILL, MAGIC_DRILL, &g->drill, sizeof(g->drill)) : -ENOENT;

	if (r != 0 || !is_good(&g->drill))
		g->drill = (struct gate_drill){0};
}

/* -- steps ------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void step(struct gate *g, const struct client *c, enum drill_kind kind, const char *text)
{
	struct gate_drill *d = &g->drill;

	record(g, MSG_SEVERITY_NOTICE, "drill", "DRILL %u: %s %s by %s (%s): %.80s", d->number, kinds[kind],
		text, c->request.who, c->peer.account, c->request.why);
	if (d->n == DRILL_EVENTS) {
		d->more++;
	} else {
		struct drill_event *e = &d->event[d->n++];
		*e = (struct drill_event){.at_ms = now_ms(), .kind = kind, .uid = c->peer.uid};
		MSG_TEXT(e->who, c->request.who);
		MSG_TEXT(e->account, c->peer.account);
		MSG_TEXT(e->text, text);
		MSG_TEXT(e->why, c->request.why);
	}
	save(g);
}

static void say(struct gate *g, struct client *c, struct msg_acted *m, const char *error, int fd)
{
	m->ok = error == NULL;
	if (error != NULL)
		MSG_TEXT(m->error, error);
	client_answer(g, c, MSG_ACTED, m, fd);
}

static void begin(struct gate *g, const struct client *c)
{
	uint32_t number = g->drill.number + 1;

	g->drill = (struct gate_drill){.number = number, .under_way = 1};
	step(g, c, DRILL_BEGUN, "");
}

static int text_memfd(const struct buf *b)
{
	int fd = memfd_create("drill", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, b->data, b->len) != (ssize_t)b->len || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void say_flows(struct gate *g, struct client *c, struct msg_acted *m, const struct cut *cut)
{
	struct buf flows = {0};

	gate_cut_flows(g, cut, &flows);
	int fd = text_memfd(&flows);
	say(g, c, m, NULL, fd);
	if (fd >= 0)
		close(fd);
	buf_free(&flows);
}

static void drill_cut(struct gate *g, struct client *c, struct msg_acted *m)
{
	char text[CUT_TEXT_MAX];
	struct cut cut;
	const char *bad = act_build_cut(g, c, c->request.detail, &cut);

	if (bad == NULL && g->drill.under_way && g->drill.ncuts == CUT_MAX)
		bad = _("too many emergency cuts hold: cut a segment, or all");
	if (bad != NULL) {
		say(g, c, m, bad, -1);
		return;
	}
	if (!g->drill.under_way)
		begin(g, c);
	uint32_t i = g->drill.ncuts++;
	g->drill.cut[i].number = m->number = i + 1;
	g->drill.cut[i].held = 1;
	msg_text(g->drill.cut[i].text, sizeof(g->drill.cut[i].text), cut_text(&cut, text));
	MSG_TEXT(m->object, text);
	step(g, c, DRILL_CUT, text);
	say_flows(g, c, m, &cut);
}

static void drill_restore(struct gate *g, struct client *c, struct msg_acted *m)
{
	uint32_t i = c->request.detail - 1;

	m->number = c->request.detail;
	if (i >= g->drill.ncuts || !g->drill.cut[i].held) {
		say(g, c, m, _("the drill has no cut of this number that holds"), -1);
		return;
	}
	MSG_TEXT(m->object, g->drill.cut[i].text);
	if (c->request.approval[0] == '\0') {
		if (!act_make_code(g->drill.cut[i].code)) {
			say(g, c, m, _("no code could be made: try again"), -1);
			return;
		}
		MSG_TEXT(m->code, g->drill.cut[i].code);
		step(g, c, DRILL_ASKED, m->object);
		say(g, c, m, NULL, -1);
		return;
	}
	if (strcmp(g->drill.cut[i].code, c->request.approval) != 0) {
		say(g, c, m, _("that is not the code of this cut, or it is too old: ask again without --confirm"), -1);
		return;
	}
	g->drill.cut[i].held = 0;
	step(g, c, DRILL_RESTORED, m->object);
	say(g, c, m, NULL, -1);
}

/* -- report ------------------------------------------------------------------------------------------------ */

static void events_json(struct json *j, const struct gate_drill *d)
{
	json_array(j, "events");
	for (uint32_t i = 0; i < d->n; i++) {
		const struct drill_event *e = &d->event[i];
		json_object(j, NULL);
		json_int(j, "at", e->at_ms / 1000);
		json_int(j, "after_ms", e->at_ms - d->event[0].at_ms);
		json_str(j, "what", kinds[e->kind]);
		json_str(j, "object", e->text);
		json_str(j, "who", e->who);
		json_str(j, "account", e->account);
		json_str(j, "why", e->why);
		json_object_end(j);
	}
	json_array_end(j);
}

static bool named_before(const struct gate_drill *d, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(d->event[k].who, d->event[i].who) == 0)
			return true;
	return d->event[i].who[0] == '\0';
}

static void report_json(const struct gate_drill *d, struct buf *out)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_uint(&j, "drill", d->number);
	json_bool(&j, "under_way", d->under_way != 0);
	json_int(&j, "begun", d->n > 0 ? d->event[0].at_ms / 1000 : 0);
	json_array(&j, "participants");
	for (uint32_t i = 0; i < d->n; i++)
		if (!named_before(d, i))
			json_str(&j, NULL, d->event[i].who);
	json_array_end(&j);
	events_json(&j, d);
	json_uint(&j, "steps_without_place", d->more);
	json_object_end(&j);
}

static void say_report(struct gate *g, struct client *c, struct msg_acted *m)
{
	struct buf text = {0};

	report_json(&g->drill, &text);
	int fd = text_memfd(&text);
	say(g, c, m, fd < 0 ? _("the report could not be made") : NULL, fd);
	if (fd >= 0)
		close(fd);
	buf_free(&text);
}

void act_drill(struct gate *g, struct client *c)
{
	struct msg_acted m = {.drill = 1, .number = g->drill.number};
	uint32_t what = c->request.argument;
	const char *bad = NULL;

	if (what != MSG_DRILL_REPORT && c->request.who[0] == '\0')
		bad = _("say who and why");
	else if (what == MSG_DRILL_REPORT ? g->drill.number == 0 : what != MSG_DRILL_CUT && !g->drill.under_way)
		bad = _("no drill is under way");
	if (bad != NULL) {
		say(g, c, &m, bad, -1);
	} else if (what == MSG_DRILL_CUT) {
		drill_cut(g, c, &m);
	} else if (what == MSG_DRILL_RESTORE) {
		drill_restore(g, c, &m);
	} else if (what == MSG_DRILL_REPORT) {
		say_report(g, c, &m);
	} else if (what == MSG_DRILL_JOIN) {
		step(g, c, DRILL_JOINED, "");
		say(g, c, &m, NULL, -1);
	} else if (what == MSG_DRILL_END) {
		step(g, c, DRILL_ENDED, "");
		g->drill.under_way = 0;
		save(g);
		say_report(g, c, &m);
	} else {
		say(g, c, &m, _("no drill is under way"), -1);
	}
}
