/*
 * recorder.c: what sekishod tells sekisho-logd, and what it hears from it.
 *
 * Faults, commands and sessions wait in a fixed queue until the socket takes them; what does not fit is
 * counted and told. The generation and the table of links are sent whenever they changed or logd began anew.
 * Counters are absolute: one that was not sent is made up for by the next.
 *
 * Input: MSG_LOG_STATUS and MSG_ALARMS of logd, which parses packets of the network: its numbers are shown
 * and compared, never used as sizes. Anything else ends it.
 */
#include "gate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <sekisho/loop.h>

/* logd speaks each second or each ten: this long without is silence, and this long is as good as no records. */
#define SILENT_MS 15000
#define SILENT_CLOSE_MS 30000
#define STATUS_A_TURN 16

static void enqueue(struct recorder *r, enum msg_type type, const void *body, size_t size)
{
	if (r->n == RECORDER_QUEUE) {
		r->lost++;
		return;
	}
	struct recorder_entry *e = &r->queue[(r->first + r->n++) % RECORDER_QUEUE];
	e->type = type;
	memcpy(&e->u, body, size);
}

static void flush_queue(struct recorder *r)
{
	while (r->n > 0 && msg_send(r->fd, r->queue[r->first].type, 0, &r->queue[r->first].u, NULL, 0) == 0) {
		r->first = (r->first + 1) % RECORDER_QUEUE;
		r->n--;
	}
	if (r->n == 0 && r->lost > 0) {
		struct msg_fault f = {.severity = MSG_SEVERITY_FAULT, .at = clock_wall().sec};
		char text[64];
		snprintf(text, sizeof(text), "%u records of faults, commands or sessions were lost", r->lost);
		MSG_TEXT(f.process, "sekishod");
		MSG_TEXT(f.code, "faults-lost");
		MSG_TEXT(f.text, text);
		if (msg_send(r->fd, MSG_FAULT, 0, &f, NULL, 0) == 0)
			r->lost = 0;
	}
}

/* At once: many may come within one tick. What the socket does not take waits for it. */
static void give(struct gate *g, enum msg_type type, const void *body, size_t size)
{
	enqueue(&g->rec, type, body, size);
	if (g->rec.fd >= 0)
		flush_queue(&g->rec);
}

void record(struct gate *g, enum msg_severity severity, const char *code, const char *fmt, ...)
{
	struct msg_fault f = {.severity = severity, .at = clock_wall().sec};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	MSG_TEXT(f.process, "sekishod");
	MSG_TEXT(f.code, code);
	MSG_TEXT(f.text, text);
	if (severity != MSG_SEVERITY_INFO)
		daemon_log("%s: %s", code, text);
	give(g, MSG_FAULT, &f, sizeof(f));
}

void recorder_work(struct gate *g, const struct msg_work *w)
{
	give(g, MSG_WORK, w, sizeof(*w));
}

void recorder_login(struct gate *g, const struct msg_login *l)
{
	give(g, MSG_LOGIN, l, sizeof(*l));
}

bool recorder_is_busy(const struct gate *g)
{
	return g->rec.n > RECORDER_QUEUE / 2;
}

/* Links before the generation: logd names interfaces by them. */
static void send_due(struct gate *g)
{
	struct recorder *r = &g->rec;

	if (r->links_due && msg_send(r->fd, MSG_LINKS, 0, &r->links, NULL, 0) == 0)
		r->links_due = false;
	if (r->generation_due && !r->links_due && g->current != NULL) {
		struct msg_generation m = {.number = g->current->number, .at = g->current->meta.at};
		MSG_TEXT(m.who, g->current->meta.who);
		MSG_TEXT(m.why, g->current->meta.why);
		MSG_TEXT(m.approval, g->current->meta.approval);
		MSG_TEXT(m.account, g->current->meta.account);
		m.uid = g->current->meta.uid;
		if (msg_send(r->fd, MSG_GENERATION, 0, &m, &g->current->ir_fd, 1) == 0)
			r->generation_due = false;
	}
}

static void send_counters(struct gate *g)
{
	struct msg_counters m = {0};

	if (nft_counters(g->nft, &g->counters) != 0)
		return;
	g->have_counters = true;
	m.epoch = g->counters.epoch;
	m.at = clock_wall().sec;
	memcpy(m.packets, g->counters.packets, sizeof(m.packets));
	memcpy(m.limited, g->counters.limited, sizeof(m.limited));
	msg_send(g->rec.fd, MSG_COUNTERS, 0, &m, NULL, 0);
}

void recorder_close_or_open(struct gate *g, const struct generation *gen, bool loaded)
{
	const struct recorder *r = &g->rec;
	bool writable = mono_since_ms(r->heard) < SILENT_CLOSE_MS && (!r->have_status || r->status.writable);
	bool all = gen != NULL && gen->ir.system->close_all_on_log_failure;
	enum nft_records want = writable ? NFT_RECORDS_OK : all ? NFT_RECORDS_CLOSE_ALL : NFT_RECORDS_CLOSE_NEW;
	bool news = want != g->records;

	/* The closed ruleset has no such switch. What a former life of ours left stays until logd has spoken. */
	if (nft_current(g->nft) == NULL || (!g->records_set && writable && !r->have_status))
		return;
	if (g->records_set && !news && !(loaded && want != NFT_RECORDS_OK))
		return;
	int e = nft_records(g->nft, want);
	if (e != 0) {
		record(g, MSG_SEVERITY_FAULT, "log-full", "the kernel refused to %s: %s",
			writable ? "open again" : "close", strerror(-e));
		return;
	}
	g->records = want;
	g->records_set = true;
	if (!news)
		return;
	record(g, writable ? MSG_SEVERITY_NOTICE : MSG_SEVERITY_FAULT, "log-full", "%s",
		writable ? "records can be stored again" : "records cannot be stored: closed");
	if (writable)
		kernel_lease(g);
}

static void note_loss(struct gate *g, const struct msg_log_status *s)
{
	uint64_t loss = 0;
	char text[64];

	for (unsigned i = 0; i < REASON_END; i++)
		loss += s->loss[i];
	if (g->rec.have_status && g->rec.status.epoch == s->epoch && loss > g->rec.loss_seen) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)(loss - g->rec.loss_seen));
		gate_finding(g, SOURCE_EVENT, FINDING_LOG_LOSS, text);
	}
	g->rec.loss_seen = loss;
}

static void on_logd(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct msg m;
	int r = 0;

	(void)events;
	for (unsigned i = 0; i < STATUS_A_TURN && (r = msg_recv(fd, &m)) == 1; i++) {
		bool status = m.type == MSG_LOG_STATUS || m.type == MSG_EVIDENCE_DONE || m.type == MSG_ALARMS;
		if (m.type == MSG_EVIDENCE_DONE)
			freeze_done(g, m.tag, &m.u.msg_evidence_done);
		if (m.type == MSG_ALARMS)
			watch_alarms(g, &m.u.msg_alarms);
		if (m.type == MSG_LOG_STATUS) {
			note_loss(g, &m.u.msg_log_status);
			g->rec.status = m.u.msg_log_status;
			g->rec.have_status = true;
			g->rec.heard = clock_mono();
		}
		msg_close_fds(&m);
		if (!status) {
			r = -EPROTO;
			break;
		}
	}
	if (r == 1 || r == -EAGAIN)
		return;
	if (r == 0)
		loop_del_fd(g->d->loop, fd); /* only without an init: the pair outlives both */
	else
		daemon_peer_broken(g->d, MSG_PEER_LOG);
}

void recorder_start(struct gate *g, int fd)
{
	g->rec.fd = fd;
	g->rec.heard = clock_mono();
	if (fd >= 0 && loop_add_fd(g->d->loop, fd, EPOLLIN, on_logd, g) != 0)
		g->rec.fd = -1;
}

void recorder_renew(struct gate *g)
{
	g->rec.generation_due = g->current != NULL;
	g->rec.links_due = g->rec.links.n > 0;
	freeze_renew(g);
	g->rec.heard = clock_mono();
}

void recorder_tick(struct gate *g)
{
	struct recorder *r = &g->rec;

	health_begin(&g->health, SOURCE_LOG);
	if (r->fd < 0 || mono_since_ms(r->heard) > SILENT_MS)
		gate_finding(g, SOURCE_LOG, FINDING_LOG_SILENT, "");
	if (r->have_status && !r->status.writable)
		gate_finding(g, SOURCE_LOG, FINDING_LOG_FULL, "");
	gate_health_end(g, SOURCE_LOG);
	recorder_close_or_open(g, g->current, false);
	if (r->fd < 0)
		return;
	send_due(g);
	flush_queue(r);
	send_counters(g);
}
