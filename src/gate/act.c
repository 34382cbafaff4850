/*
 * act.c: requests that act on what runs: cut, restore in two steps, alert level.
 *
 * Who may is the table of roles (roles.c); beyond it: an operator restores what somebody else has cut, not what he cut
 * himself, so that two people have looked; an administrator restores anything. Every act is a record with who and why.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include "roles.h"

/* A code is good for so long. */
#define CODE_MS (10 * 60 * 1000)

static void refuse(struct gate *g, struct client *c, struct msg_acted *m, const char *why)
{
	m->ok = 0;
	MSG_TEXT(m->error, why);
	client_answer(g, c, MSG_ACTED, m, -1);
}

/* Texts without which nobody can be asked afterwards. */
static bool is_signed(struct gate *g, struct client *c, struct msg_acted *m)
{
	if (c->request.who[0] != '\0' && c->request.why[0] != '\0')
		return true;
	refuse(g, c, m, _("say who and why"));
	return false;
}

/* -- cut --------------------------------------------------------------------------------------------------- */

const char *act_build_cut(struct gate *g, const struct client *c, uint32_t kind, struct cut *ret)
{
	const struct msg_request *q = &c->request;
	const char *bad = NULL;

	*ret = (struct cut){.kind = kind, .at = clock_wall().sec, .uid = c->peer.uid};
	MSG_TEXT(ret->who, q->who);
	MSG_TEXT(ret->why, q->why);
	switch (kind) {
	case CUT_ALL:
		return NULL;
	case CUT_HOST:
	case CUT_SEGMENT:
		return gate_cut_resolve(g, kind == CUT_SEGMENT, q->object[0], &ret->end[0]);
	case CUT_PAIR:
		/* Segments first: a pair of them is what is cut most. */
		if (gate_cut_resolve(g, true, q->object[0], &ret->end[0]) == NULL &&
			gate_cut_resolve(g, true, q->object[1], &ret->end[1]) == NULL)
			return NULL;
		for (unsigned i = 0; i < 2 && bad == NULL; i++)
			bad = gate_cut_resolve(g, false, q->object[i], &ret->end[i]);
		return bad == NULL ? NULL : _("a pair is two segments, or two hosts or addresses of the policy in force");
	default:
		return _("cut what: host, segment, pair or all");
	}
}

static void record_cut(struct gate *g, const struct client *c, const struct cut *cut, const char *what)
{
	char text[CUT_TEXT_MAX];

	record(g, MSG_SEVERITY_NOTICE, "cut", "%s %u: %.100s by %s (%s): %.80s", what, cut->number, cut_text(cut, text),
		c->request.who, c->peer.account, c->request.why);
}

void act_cut(struct gate *g, struct client *c)
{
	struct mono begun = clock_mono();
	struct msg_acted m = {.ok = 1};
	char text[CUT_TEXT_MAX];
	const struct cut *held;
	struct cut cut;

	if (!is_signed(g, c, &m))
		return;
	const char *bad = act_build_cut(g, c, c->request.argument, &cut);
	if (bad != NULL) {
		refuse(g, c, &m, bad);
		return;
	}
	MSG_TEXT(m.object, cut_text(&cut, text));
	int r = cuts_add(&g->cut.list, &cut, &held);
	if (r == -ENOSPC) {
		refuse(g, c, &m, _("too many emergency cuts hold: cut a segment, or all"));
		return;
	}
	m.number = held->number;
	r = gate_cut_apply(g, begun, &m.kernel_us, &m.flows);
	record_cut(g, c, &cut, "cut");
	m.total_us = (uint32_t)((clock_mono().ns - begun.ns) / 1000);
	if (r != 0)
		MSG_TEXT(m.error, _("the kernel refused the cut: the whole gate was shut instead"));
	else if (g->cut.unstored)
		MSG_TEXT(m.error, _("it holds, but could not be stored: it ends with a restart"));
	client_answer(g, c, MSG_ACTED, &m, -1);
}

void act_cuts(struct gate *g, struct client *c)
{
	struct msg_cuts m = {.n = g->cut.list.n, .level = g->cut.list.level};
	struct msg_opened failed = {.ok = 0};
	int fd = gate_cut_memfd(g);

	if (fd < 0) {
		MSG_TEXT(failed.error, strerror(-fd));
		client_answer(g, c, MSG_OPENED, &failed, -1);
		return;
	}
	client_answer(g, c, MSG_CUTS, &m, fd);
	close(fd);
}

/* -- level --------------------------------------------------------------------------------------------------- */

/* Down again it goes as with a restoration: two people, or an administrator. */
static const char *may_lower(const struct gate *g, const struct client *c, uint32_t level)
{
	if (level >= g->cut.list.level || (client_roles(g, c) & ROLE(ADMINISTRATOR)) != 0 ||
		c->peer.uid != g->cut.list.level_uid)
		return NULL;
	return _("who has raised the alert level does not lower it alone: another person does, or an administrator");
}

void act_level(struct gate *g, struct client *c)
{
	struct mono begun = clock_mono();
	struct msg_acted m = {.ok = 1, .number = c->request.argument};
	const char *error = NULL;

	if (!is_signed(g, c, &m))
		return;
	if (c->request.argument >= LEVEL_END) {
		refuse(g, c, &m, _("the alert level is one of: normal, caution, lockdown"));
		return;
	}
	const char *bad = may_lower(g, c, c->request.argument);
	if (bad != NULL) {
		refuse(g, c, &m, bad);
		return;
	}
	MSG_TEXT(m.object, level_word(c->request.argument));
	record(g, MSG_SEVERITY_NOTICE, "level", "%s -> %s by %s (%s): %.120s", level_word(g->cut.list.level), m.object,
		c->request.who, c->peer.account, c->request.why);
	g->cut.list.level = c->request.argument;
	g->cut.list.level_uid = c->peer.uid;
	g->cut.list.level_at = clock_wall().sec;
	MSG_TEXT(g->cut.list.level_who, c->request.who);
	MSG_TEXT(g->cut.list.level_why, c->request.why);
	int r = gate_cut_level(g, &error, &m.kernel_us);
	m.flows = gate_cut_closed(g);
	m.total_us = (uint32_t)((clock_mono().ns - begun.ns) / 1000);
	if (r != 0)
		MSG_TEXT(m.error, error);
	else if (g->cut.unstored)
		MSG_TEXT(m.error, _("it holds, but could not be stored: it ends with a restart"));
	client_answer(g, c, MSG_ACTED, &m, -1);
}

/* -- restore ------------------------------------------------------------------------------------------------- */

bool act_make_code(char code[16])
{
	uint8_t random[3];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	snprintf(code, 16, "%02x%02x%02x", random[0], random[1], random[2]);
	return true;
}

static int text_memfd(const struct buf *b)
{
	int fd = memfd_create("flows", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, b->data, b->len) != (ssize_t)b->len || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The first step: what would pass again, and the code for the second. */
static void ask_for_code(struct gate *g, struct client *c, const struct cut *cut, struct msg_acted *m)
{
	struct buf flows = {0};

	if (!act_make_code(g->cut.asked.code)) {
		refuse(g, c, m, _("no code could be made: try again"));
		return;
	}
	g->cut.asked.number = cut->number;
	g->cut.asked.at = clock_mono();
	MSG_TEXT(m->code, g->cut.asked.code);
	gate_cut_flows(g, cut, &flows);
	int fd = text_memfd(&flows);
	client_answer(g, c, MSG_ACTED, m, fd);
	if (fd >= 0)
		close(fd);
	buf_free(&flows);
}

static const char *check_code(const struct gate *g, const struct client *c, const struct cut *cut)
{
	bool known = g->cut.asked.number == cut->number && mono_since_ms(g->cut.asked.at) < CODE_MS;

	if (!known || strcmp(g->cut.asked.code, c->request.approval) != 0)
		return _("that is not the code of this cut, or it is too old: ask again without --confirm");
	if ((client_roles(g, c) & ROLE(ADMINISTRATOR)) == 0 && c->peer.uid == cut->uid)
		return _("who has cut it does not restore it alone: another person confirms, or an administrator");
	return NULL;
}

void act_restore(struct gate *g, struct client *c)
{
	struct mono begun = clock_mono();
	struct msg_acted m = {.ok = 1, .number = c->request.argument};
	const struct cut *held = cuts_number(&g->cut.list, c->request.argument);
	char text[CUT_TEXT_MAX];
	struct cut cut;

	if (held == NULL) {
		refuse(g, c, &m, _("no emergency cut of this number holds (see: sekisho cuts)"));
		return;
	}
	cut = *held;
	MSG_TEXT(m.object, cut_text(&cut, text));
	if (c->request.approval[0] == '\0') {
		ask_for_code(g, c, &cut, &m);
		return;
	}
	const char *bad = check_code(g, c, &cut);
	if (bad != NULL) {
		refuse(g, c, &m, bad);
		return;
	}
	if (!is_signed(g, c, &m))
		return;
	g->cut.asked.number = 0;
	cuts_remove(&g->cut.list, cut.number);
	g->cut.broken = g->cut.broken && cuts_number(&g->cut.list, 1) != NULL;
	gate_cut_apply(g, begun, &m.kernel_us, &m.flows);
	record_cut(g, c, &cut, "restored");
	m.total_us = (uint32_t)((clock_mono().ns - begun.ns) / 1000);
	if (g->cut.unstored)
		MSG_TEXT(m.error, _("restored, but that could not be stored: it is cut again after a restart"));
	client_answer(g, c, MSG_ACTED, &m, -1);
}
