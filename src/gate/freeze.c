/*
 * freeze.c: freezes: asked for, made together with sekisho-logd, listed, handed out, released.
 *
 *	freeze	 logd writes the records of the last day and the last dropped packets into two memfds; when it
 *has answered (or did not in time) freeze_files.c writes everything. Until release logd keeps the records
 *that it covers, as long as there is room for others release	 the hold ends; the files stay
 *
 * Input: requests (checked texts; file names of a closed alphabet), logd's answer (numbers that are shown).
 *One at a time.
 */
#include "gate.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sekisho/buf.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>

#define FILE_FREEZES "freezes"
#define MAGIC_FREEZES 0x46474b53u /* "SKGF" */
/* logd writes some ten thousand rows a second. */
#define LOGD_MS 20000
/* Records that a freeze covers. */
#define COVERS_S (24 * 3600)

/* -- list ---------------------------------------------------------------------------------------------------- */

static bool is_text(const char *s, size_t n)
{
	return memchr(s, '\0', n) != NULL;
}

static bool is_good(const struct freezes *l)
{
	if (l->n > FREEZES_MAX || l->next == 0)
		return false;
	for (uint32_t i = 0; i < l->n; i++) {
		const struct freeze *f = &l->freeze[i];
		if (!is_text(f->who, sizeof(f->who)) || !is_text(f->why, sizeof(f->why)) ||
			!is_text(f->account, sizeof(f->account)) || !is_text(f->sha256, sizeof(f->sha256)) || f->held > 1)
			return false;
	}
	return true;
}

static int save(struct gate *g)
{
	return g->have_store ? store_put_record(&g->store, FILE_FREEZES, MAGIC_FREEZES, &g->freeze.list, sizeof(g->freeze.list))
			     : -ENOENT;
}

static struct freeze *find(struct gate *g, uint32_t number)
{
	for (uint32_t i = 0; i < g->freeze.list.n; i++)
		if (g->freeze.list.freeze[i].number == number)
			return &g->freeze.list.freeze[i];
	return NULL;
}

uint32_t freeze_held(const struct gate *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->freeze.list.n; i++)
		n += g->freeze.list.freeze[i].held;
	return n;
}

/* The oldest moment that any of them covers. */
void freeze_renew(struct gate *g)
{
	struct msg_hold m = {0};

	for (uint32_t i = 0; i < g->freeze.list.n; i++) {
		const struct freeze *f = &g->freeze.list.freeze[i];
		if (f->held && (m.since == 0 || f->since < m.since))
			m.since = f->since;
	}
	if (g->rec.fd >= 0)
		msg_send(g->rec.fd, MSG_HOLD, 0, &m, NULL, 0);
}

/* A number whose files are there already is never given again, also when the list was lost. */
static void above(const struct store *s, const char *name, void *arg)
{
	struct freezes *l = arg;
	unsigned number;

	(void)s;
	if (sscanf(name, "%u.", &number) == 1 && number >= l->next && number < UINT32_MAX)
		l->next = number + 1;
}

void freeze_start(struct gate *g)
{
	struct freezes *l = &g->freeze.list;
	char path[256];
	int r = daemon_path(g->d->root, DAEMON_PATH_EVIDENCE, path, sizeof(path));

	g->freeze.dir = r == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	g->freeze.pending.records = g->freeze.pending.packets = -1;
	r = g->have_store ? store_get_record(&g->store, FILE_FREEZES, MAGIC_FREEZES, l, sizeof(*l)) : -ENOENT;
	if (r != 0 || !is_good(l))
		*l = (struct freezes){.next = 1};
	if (g->freeze.dir >= 0) {
		struct store files = {.dir = g->freeze.dir, .io = &store_io_real};
		store_names(&files, above, l);
	}
	freeze_renew(g);
}

/* -- making -------------------------------------------------------------------------------------------------- */

static void refuse(struct gate *g, struct client *c, const char *why)
{
	struct msg_acted m = {.ok = 0};

	MSG_TEXT(m.error, why);
	client_answer(g, c, MSG_ACTED, &m, -1);
}

static void close_pending(struct gate *g)
{
	if (g->freeze.pending.records >= 0)
		close(g->freeze.pending.records);
	if (g->freeze.pending.packets >= 0)
		close(g->freeze.pending.packets);
	g->freeze.pending.records = g->freeze.pending.packets = -1;
	g->freeze.pending.active = false;
}

/* The place for the new one: of a full list the oldest that is released goes out (its files stay). */
static bool make_place(struct freezes *l)
{
	for (uint32_t i = 0; l->n == FREEZES_MAX && i < l->n; i++)
		if (!l->freeze[i].held) {
			memmove(&l->freeze[i], &l->freeze[i + 1], (l->n - i - 1) * sizeof(l->freeze[0]));
			l->n--;
		}
	return l->n < FREEZES_MAX;
}

static void finish(struct gate *g, const struct msg_evidence_done *logd)
{
	struct freeze *f = &g->freeze.pending.it;
	struct client *c = &g->clients[g->freeze.pending.client];
	bool there = c->fd >= 0 && c->turn == g->freeze.pending.turn;
	struct msg_acted m = {.ok = 1, .number = f->number};
	int r = freeze_write(g, f, g->freeze.pending.records, g->freeze.pending.packets, logd);

	m.total_us = (uint32_t)((clock_mono().ns - g->freeze.pending.begun.ns) / 1000);
	m.flows = logd != NULL ? (uint32_t)logd->rows : 0;
	MSG_TEXT(m.object, f->sha256);
	if (r == 0 && make_place(&g->freeze.list)) {
		g->freeze.list.freeze[g->freeze.list.n++] = *f;
		r = save(g);
		freeze_renew(g);
	}
	if (r != 0) {
		char text[256];
		snprintf(text, sizeof(text), "%s: %s", _("the evidence could not be stored"), strerror(-r));
		m.ok = 0;
		MSG_TEXT(m.error, text);
	}
	record(g, r == 0 ? MSG_SEVERITY_NOTICE : MSG_SEVERITY_FAULT, "freeze",
		"freeze %u by %s (%s): %.60s; manifest %s%s", f->number, f->who, f->account, f->why,
		f->sha256, r == 0 ? "" : " NOT STORED");
	if (there) {
		c->tag = g->freeze.pending.tag;
		client_answer(g, c, MSG_ACTED, &m, -1);
	}
	close_pending(g);
}

void act_freeze(struct gate *g, struct client *c)
{
	const struct msg_request *q = &c->request;
	struct freeze f = {.number = g->freeze.list.next, .held = 1, .uid = c->peer.uid, .at = clock_wall().sec};
	struct msg_evidence e = {.since = f.at - COVERS_S, .number = f.number};

	if (q->who[0] == '\0' || q->why[0] == '\0') {
		refuse(g, c, _("say who and why"));
		return;
	}
	if (g->freeze.pending.active) {
		refuse(g, c, _("a freeze is being made: try again in a moment"));
		return;
	}
	if (!make_place(&g->freeze.list)) {
		refuse(g, c, _("too many freezes are held: release one"));
		return;
	}
	f.since = e.since;
	MSG_TEXT(f.who, q->who);
	MSG_TEXT(f.why, q->why);
	MSG_TEXT(f.account, c->peer.account);
	g->freeze.list.next++;
	g->freeze.pending.active = true;
	g->freeze.pending.it = f;
	g->freeze.pending.client = (int)(c - g->clients);
	g->freeze.pending.turn = c->turn;
	g->freeze.pending.tag = c->tag;
	g->freeze.pending.begun = clock_mono();
	g->freeze.pending.records = memfd_create("records", MFD_CLOEXEC);
	g->freeze.pending.packets = memfd_create("packets", MFD_CLOEXEC);
	const int fds[2] = {g->freeze.pending.records, g->freeze.pending.packets};
	if (fds[0] < 0 || fds[1] < 0 || g->rec.fd < 0 || msg_send(g->rec.fd, MSG_EVIDENCE, f.number, &e, fds, 2) != 0)
		finish(g, NULL);
}

void freeze_done(struct gate *g, uint32_t tag, const struct msg_evidence_done *m)
{
	if (g->freeze.pending.active && tag == g->freeze.pending.it.number)
		finish(g, m);
}

void freeze_tick(struct gate *g)
{
	if (g->freeze.pending.active && mono_since_ms(g->freeze.pending.begun) > LOGD_MS)
		finish(g, NULL);
}

/* -- list, show, release, files ---------------------------------------------------------------------------------- */

static void list_json(const struct freezes *l, struct buf *out)
{
	struct json j = json_init(out);

	json_array(&j, NULL);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct freeze *f = &l->freeze[i];
		json_object(&j, NULL);
		json_uint(&j, "number", f->number);
		json_bool(&j, "held", f->held != 0);
		json_int(&j, "at", f->at);
		json_str(&j, "who", f->who);
		json_str(&j, "account", f->account);
		json_str(&j, "why", f->why);
		json_str(&j, "manifest_sha256", f->sha256);
		json_object_end(&j);
	}
	json_array_end(&j);
}

static int list_memfd(const struct freezes *l)
{
	struct buf text = {0};
	int fd = memfd_create("freezes", MFD_CLOEXEC);

	list_json(l, &text);
	if (fd >= 0 && (write(fd, text.data, text.len) != (ssize_t)text.len || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	buf_free(&text);
	return fd;
}

static int open_file(const struct gate *g, uint32_t number, const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "%u.%.60s", number, name);
	return g->freeze.dir >= 0 ? openat(g->freeze.dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
}

static void say_opened(struct gate *g, struct client *c, int fd)
{
	client_opened(g, c, fd, _("there is no such freeze, or it has no such file (see: sekisho freeze list)"));
	if (fd >= 0)
		close(fd);
}

void act_freezes(struct gate *g, struct client *c)
{
	uint32_t number = c->request.argument;

	say_opened(g, c, number == 0 ? list_memfd(&g->freeze.list) : open_file(g, number, "manifest.json"));
}

static bool is_name(const char *s)
{
	const char *p = s;

	while (islower((unsigned char)*p) || isdigit((unsigned char)*p) || (*p == '.' && p != s && p[-1] != '.'))
		p++;
	return *p == '\0' && p != s;
}

void act_freeze_file(struct gate *g, struct client *c)
{
	const char *name = c->request.object[0];
	int fd = is_name(name) ? open_file(g, c->request.argument, name) : -1;

	if (fd >= 0)
		record(g, MSG_SEVERITY_NOTICE, "freeze", "freeze %u: %.60s was handed out to %s",
			c->request.argument, name, c->peer.account);
	say_opened(g, c, fd);
}

void act_release(struct gate *g, struct client *c)
{
	struct freeze *f = find(g, c->request.argument);
	struct msg_acted m = {.ok = 1, .number = c->request.argument};

	if (c->request.who[0] == '\0' || c->request.why[0] == '\0') {
		refuse(g, c, _("say who and why"));
		return;
	}
	if (f == NULL || !f->held) {
		refuse(g, c, _("no freeze of this number is held (see: sekisho freeze list)"));
		return;
	}
	f->held = 0;
	int r = save(g);
	freeze_renew(g);
	record(g, MSG_SEVERITY_NOTICE, "freeze", "freeze %u was released by %s (%s): %.100s", f->number, c->request.who,
		c->peer.account, c->request.why);
	if (r != 0)
		MSG_TEXT(m.error, _("it could not be stored: it is held again after a restart"));
	client_answer(g, c, MSG_ACTED, &m, -1);
}
