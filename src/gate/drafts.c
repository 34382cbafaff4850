/*
 * drafts.c: the candidates (see drafts.h).
 *
 *	candidate-UID  struct draft behind a checksum, then the text, byte for byte as the editor sent it
 *
 * Input and trust: the text is opaque here: it is moved and never looked into. Who it belongs to is the kernel's word.
 * Limits: DRAFT_BYTES_MAX each, MSG_CANDIDATES_MAX of them. Failure: a sentence in the answer; what was kept before stays.
 */
#include "drafts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sekisho/crc.h>
#include <sekisho/i18n.h>

#include "bytes.h"
#include "gate.h"

#define MAGIC_DRAFT 0x44474b53u /* "SKGD" */
#define PREFIX "candidate-"
#define NAME_BYTES 32

/* On disk, before the text. */
struct draft {
	struct msg_candidate_of of;
	uint32_t text_crc, pad;
};

static const char *name_of(uint32_t uid, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, PREFIX "%u", uid);
	return name;
}

static struct msg_candidate_of *find(struct drafts *d, uint32_t uid)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (d->of[i].uid == uid)
			return &d->of[i];
	return NULL;
}

static void forget(struct drafts *d, struct msg_candidate_of *it)
{
	*it = d->of[--d->n];
	d->of[d->n] = (struct msg_candidate_of){0};
}

static int read_draft(const struct store *s, uint32_t uid, struct draft *ret)
{
	char name[NAME_BYTES];
	int r = store_get_record(s, name_of(uid, name), MAGIC_DRAFT, ret, sizeof(*ret));

	if (r == 0 && (ret->of.uid != uid || ret->of.size > DRAFT_BYTES_MAX ||
			memchr(ret->of.account, 0, sizeof(ret->of.account)) == NULL))
		r = -EBADMSG;
	return r;
}

static void resume_one(const struct store *s, const char *name, void *arg)
{
	struct gate *g = arg;
	struct draft d;
	char *end;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return;
	unsigned long uid = strtoul(name + strlen(PREFIX), &end, 10);
	if (*end != '\0' || uid >= UINT32_MAX || g->drafts.n == MSG_CANDIDATES_MAX)
		return;
	if (read_draft(s, (uint32_t)uid, &d) == 0) {
		g->drafts.of[g->drafts.n++] = d.of;
		return;
	}
	record(g, MSG_SEVERITY_NOTICE, "candidate-damaged", "the candidate of uid %lu is damaged and was removed", uid);
	store_remove(s, name);
}

void drafts_resume(struct gate *g)
{
	store_names(&g->store, resume_one, g);
}

static struct msg_candidate about(const struct gate *g, uint32_t uid)
{
	struct msg_candidate m = {.running = g->running};

	for (uint32_t i = 0; i < g->drafts.n; i++) {
		if (g->drafts.of[i].uid != uid) {
			m.others++;
			continue;
		}
		m.there = 1;
		m.it = g->drafts.of[i];
	}
	return m;
}

/* -- Requests ---------------------------------------------------------------------------------------------- */

/* The text in a memfd, compared with its checksum; or -errno. */
static int open_text(const struct gate *g, uint32_t uid)
{
	struct draft d;
	struct bytes text;
	char name[NAME_BYTES];
	int r = read_draft(&g->store, uid, &d);
	int fd = r == 0 ? store_get_text(&g->store, name_of(uid, name), sizeof(d), DRAFT_BYTES_MAX) : r;

	if (fd < 0 || (r = bytes_map(fd, &text)) != 0)
		return fd < 0 ? fd : r;
	bool whole = text.n == d.of.size && crc32c(0, text.p, text.n) == d.text_crc;
	bytes_unmap(&text);
	if (whole)
		return fd;
	close(fd);
	return -EBADMSG;
}

void drafts_get(struct gate *g, struct client *c)
{
	uint32_t uid = c->request.argument != 0 ? c->request.argument : c->peer.uid;
	struct msg_candidate m = about(g, uid);
	int fd = m.there ? open_text(g, uid) : -1;

	if (m.there && fd < 0) {
		m.there = 0;
		MSG_TEXT(m.error, _("the candidate that was kept cannot be read"));
	}
	client_answer(g, c, MSG_CANDIDATE, &m, fd);
	if (fd >= 0)
		close(fd);
}

/* Keeps the text; NULL, or why not. */
static const char *keep(struct gate *g, struct client *c, int fd)
{
	struct msg_candidate_of *old = find(&g->drafts, c->peer.uid);
	struct draft d = {.of = {.uid = c->peer.uid, .base = c->request.base, .changed = clock_wall().sec}};
	struct bytes text;
	char name[NAME_BYTES];

	if (old == NULL && g->drafts.n == MSG_CANDIDATES_MAX)
		return N_("so many candidates are kept already that one has to be discarded first");
	if (!g->have_store || bytes_map(fd, &text) != 0)
		return N_("the candidate could not be stored");
	d.of.since = old != NULL ? old->since : d.of.changed;
	d.of.size = text.n;
	d.text_crc = crc32c(0, text.p, text.n);
	MSG_TEXT(d.of.account, c->peer.account);
	int r = store_put_text(&g->store, name_of(d.of.uid, name), MAGIC_DRAFT, &d, sizeof(d), text.p, text.n);
	bytes_unmap(&text);
	if (r != 0)
		return r == -ENOSPC ? N_("the candidate could not be stored: the disk is full") :
				      N_("the candidate could not be stored");
	if (old == NULL)
		old = &g->drafts.of[g->drafts.n++];
	*old = d.of;
	return NULL;
}

void drafts_put(struct gate *g, struct client *c)
{
	int fd = bytes_copy(c->policy, DRAFT_BYTES_MAX);
	const char *wrong = fd == -EFBIG ? N_("the candidate is larger than may be kept") :
			    fd < 0	 ? N_("the candidate cannot be read") : keep(g, c, fd);
	struct msg_candidate m = about(g, c->peer.uid);

	if (wrong != NULL)
		MSG_TEXT(m.error, _(wrong));
	client_answer(g, c, MSG_CANDIDATE, &m, -1);
	if (fd >= 0)
		close(fd);
}

void drafts_list(struct gate *g, struct client *c)
{
	struct msg_candidates m = {.n = g->drafts.n, .running = g->running};

	memcpy(m.candidate, g->drafts.of, sizeof(m.candidate));
	client_answer(g, c, MSG_CANDIDATES, &m, -1);
}

/* One's own; that of another only for an administrator: who left may have left one. */
void drafts_discard(struct gate *g, struct client *c)
{
	uint32_t uid = c->request.argument != 0 ? c->request.argument : c->peer.uid;
	struct msg_candidate_of *it = find(&g->drafts, uid);
	struct msg_opened m = {.ok = 1};
	char name[NAME_BYTES];

	if (uid != c->peer.uid && (client_roles(g, c) & ROLE(ADMINISTRATOR)) == 0) {
		m.ok = 0;
		MSG_TEXT(m.error, _("only an administrator may discard the candidate of somebody else"));
	} else if (it != NULL && store_remove(&g->store, name_of(uid, name)) != 0) {
		m.ok = 0;
		MSG_TEXT(m.error, _("the candidate could not be removed"));
	} else if (it != NULL) {
		forget(&g->drafts, it);
	}
	client_answer(g, c, MSG_OPENED, &m, -1);
}
