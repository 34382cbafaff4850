/*
 * past.c: generations of before, as people ask for them; and what stands in the way of the next one.
 *
 * Input: numbers of a client, looked up in the store. Failure: a sentence in the answer.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sekisho/i18n.h>

bool past_allows(const struct gate *g, const struct client *c, char *err)
{
	const struct msg_request *q = &c->request;
	const struct confirm *w = &g->confirm;
	struct store_meta m = {0};
	const size_t size = 256;

	if (q->base != 0 && q->base != g->running) {
		if (!g->have_store || store_meta(&g->store, g->running, &m) != 0)
			m = (struct store_meta){0};
		snprintf(err, size, _("generation %u (by %s) is running now, and this was begun from %u: merge it first"), g->running,
			m.who[0] != '\0' ? m.who : m.account, q->base);
		return false;
	}
	if (q->verb != MSG_VERB_COMMIT)
		return true;
	if (!session_allows(g, c, err))
		return false;
	if (w->number != 0)
		snprintf(err, size, _("generation %u (by %s) waits to be confirmed: confirm it or roll it back first"), w->number,
			w->account);
	else if (q->argument > CONFIRM_MINUTES_MAX)
		snprintf(err, size, _("the time to confirm is at most %u minutes"), CONFIRM_MINUTES_MAX);
	else if (q->argument != 0 && g->running == 0)
		snprintf(err, size, "%s", _("there is no generation that could return: commit without a time to confirm"));
	else
		return true;
	return false;
}

static void fill_past(const struct store_meta *m, struct msg_past *p)
{
	*p = (struct msg_past){.number = m->number, .of = m->of, .at = m->at, .size = m->policy_size, .uid = m->uid};
	MSG_TEXT(p->who, m->who);
	MSG_TEXT(p->why, m->why);
	MSG_TEXT(p->approval, m->approval);
	MSG_TEXT(p->account, m->account);
}

void past_list(struct gate *g, struct client *c)
{
	struct msg_history h = {.running = g->running, .unconfirmed = g->confirm.number, .confirm_by = g->confirm.deadline};
	uint32_t number = g->have_store ? store_below(&g->store, c->request.argument) : 0;
	struct store_meta m;

	for (; number != 0; number = store_below(&g->store, number)) {
		if (h.n == MSG_HISTORY_MAX) {
			h.more = 1;
			break;
		}
		/* A damaged one is no generation any more. */
		if (store_meta(&g->store, number, &m) == 0)
			fill_past(&m, &h.past[h.n++]);
	}
	client_answer(g, c, MSG_HISTORY, &h, -1);
}

void past_text(struct gate *g, struct client *c)
{
	struct store_meta m;
	char error[124];
	int fd = g->have_store ? store_meta(&g->store, c->request.argument, &m) : -ENOENT;

	if (fd == 0)
		fd = store_policy(&g->store, &m);
	snprintf(error, sizeof(error), fd == -ENOENT ? _("generation %u is not kept: `sekisho history` shows those that are") :
							 _("generation %u is damaged"), c->request.argument);
	client_opened(g, c, fd, error);
	if (fd >= 0)
		close(fd);
}

void past_confirm(struct gate *g, struct client *c)
{
	struct msg_committed m = {0};
	uint32_t number = g->confirm.number;
	int r = 0;

	if (number == 0)
		MSG_TEXT(m.error, _("nothing waits to be confirmed"));
	else if (g->job.kind == JOB_REVERT)
		MSG_TEXT(m.error, _("too late: the generation before it is returning already"));
	else if ((r = confirm_accept(g)) != 0)
		MSG_TEXT(m.error, _("the generation could not be stored"));
	else
		m.ok = 1;
	if (m.ok)
		record(g, MSG_SEVERITY_INFO, "confirmed", "generation %u was confirmed by %s", number, c->peer.account);
	m.generation = g->current != NULL ? g->current->number : 0;
	client_answer(g, c, MSG_COMMITTED, &m, -1);
}
