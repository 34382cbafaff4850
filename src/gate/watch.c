/*
 * watch.c: what people look at while the gate runs: the connections of now, beside the policy that says what they mean.
 *
 * A list is made at most once each LIST_MS: who asks again meanwhile is given the same one, so that nobody keeps the gate
 * reading the kernel's table. The policy goes along as the sealed block that is in force: the reader needs no other copy.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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
