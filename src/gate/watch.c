/*
 * watch.c: what people look at while the gate runs: the connections of now, beside the policy that says what they mean; and
 * what the gate watches for them: alarms that the recorder raises, the disk, the ends of approved flows.
 *
 * A list is made at most once each LIST_MS: who asks again meanwhile is given the same one, so that nobody keeps the gate
 * reading the kernel's table. The policy goes along as the sealed block that is in force: the reader needs no other copy.
 */
#include "gate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sekisho/i18n.h>

#define LIST_MS 1000

static int list(struct gate *g)
{
	struct gate_watch *w = &g->watch;

	if (w->made.ns != 0 && mono_since_ms(w->made) < LIST_MS)
		return w->flows.fd >= 0 ? 0 : -EAGAIN;
	watch_stop(g);
	w->made = clock_mono();
	return nft_flows(g->nft, &w->flows);
}

unsigned watch_answer(struct gate *g, uint32_t verb, struct msg_watched *ret, int fds[2])
{
	const char *wrong = g->current == NULL ? _("no policy is in force") : NULL;

	*ret = (struct msg_watched){0};
	if (wrong == NULL && verb == MSG_VERB_FLOWS && list(g) != 0)
		wrong = _("the kernel's table of connections cannot be read now");
	if (wrong != NULL) {
		MSG_TEXT(ret->error, wrong);
		return 0;
	}
	ret->ok = 1;
	ret->generation = g->current->number;
	fds[0] = g->current->ir_fd;
	if (verb != MSG_VERB_FLOWS)
		return 1;
	ret->rows = g->watch.flows.rows;
	ret->missed = g->watch.flows.missed;
	fds[1] = g->watch.flows.fd;
	return 2;
}

void watch_stop(struct gate *g)
{
	if (g->watch.flows.fd >= 0)
		close(g->watch.flows.fd);
	g->watch.flows.fd = -1;
}

/* -- What is watched for people -------------------------------------------------------------------------------- */

/* What one of them says of itself, as it was when it began: it names the alarm as long as it stands. */
static enum finding describe(const struct msg_alarm *m, char *text, size_t size)
{
	switch (m->kind) {
	case MSG_ALARM_SCAN:
		snprintf(text, size, "%s [%s]: %u / %u min", m->source, m->segment, m->count, m->seconds / 60);
		return FINDING_SCAN;
	case MSG_ALARM_FLOOD:
		snprintf(text, size, "%s [%s]: %u / min", m->source, m->segment, m->count);
		return FINDING_FLOOD;
	case MSG_ALARM_BEACON:
		snprintf(text, size, "%s [%s] -> %s: %u x %u s", m->source, m->segment, m->to, m->count, m->seconds);
		return FINDING_BEACON;
	default:
		snprintf(text, size, "%s [%s]", m->source, m->segment);
		return FINDING_UNKNOWN_MAC;
	}
}

void watch_alarms(struct gate *g, const struct msg_alarms *m)
{
	char text[HEALTH_DETAIL];

	health_begin(&g->health, SOURCE_WATCHED);
	for (uint32_t i = 0; i < m->n; i++)
		if (m->alarm[i].kind != 0)
			gate_finding(g, SOURCE_WATCHED, describe(&m->alarm[i], text, sizeof(text)), text);
	gate_health_end(g, SOURCE_WATCHED);
}

/* The detail has steps of five, so that a disk that fills is not told each time. */
static void look_at_disk(struct gate *g)
{
	const struct alarm_thresholds *t = &g->current->ir.system->thresholds;
	char path[256], text[32];
	struct statvfs fs;

	health_begin(&g->health, SOURCE_DISK);
	if (daemon_path(g->d->root, DAEMON_PATH_GATE, path, sizeof(path)) == 0 && statvfs(path, &fs) == 0) {
		uint64_t used = (uint64_t)fs.f_blocks - fs.f_bfree, all = used + fs.f_bavail;
		uint64_t percent = all == 0 ? 0 : used * 100 / all;
		snprintf(text, sizeof(text), "%" PRIu64 " %%", percent / 5 * 5);
		if (t->disk_abnormal != 0 && percent >= t->disk_abnormal)
			gate_finding(g, SOURCE_DISK, FINDING_DISK_FULL, text);
		else if (t->disk_caution != 0 && percent >= t->disk_caution)
			gate_finding(g, SOURCE_DISK, FINDING_DISK_CAUTION, text);
	}
	gate_health_end(g, SOURCE_DISK);
}

static void look_at_ends(struct gate *g)
{
	const struct ir *ir = &g->current->ir;
	int64_t now = clock_wall().sec, until = now + (int64_t)ir->system->thresholds.expiring_days * 86400;
	char text[HEALTH_DETAIL] = "";
	unsigned n = 0, more = 0;

	for (uint32_t i = 0; i < ir->nrules && ir->system->thresholds.expiring_days != 0; i++) {
		const struct ir_rule *r = &ir->rules[i];
		if (r->ends == INT64_MAX || r->ends <= now || r->ends > until)
			continue;
		size_t used = strlen(text);
		if (used + strlen(ir_text(ir, r->name)) + 16 < sizeof(text))
			snprintf(text + used, sizeof(text) - used, "%s%s", n++ > 0 ? ", " : "", ir_text(ir, r->name));
		else
			more++;
	}
	if (more != 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " +%u", more);
	health_begin(&g->health, SOURCE_EXPIRY);
	if (text[0] != '\0' && g->clock_trusted)
		gate_finding(g, SOURCE_EXPIRY, FINDING_EXPIRING, text);
	gate_health_end(g, SOURCE_EXPIRY);
}

void watch_slow(struct gate *g)
{
	if (g->current == NULL)
		return;
	look_at_disk(g);
	look_at_ends(g);
}
