/*
 * people.c: what sekishod remembers of people (see people.h).
 *
 * One record of the store, replaced as a whole; a damaged or missing one means that nothing is remembered, no more. Whoever
 * is refused again and again writes to the disk and to the records once in REFUSED_SECONDS.
 */
#include "people.h"

#include <errno.h>
#include <string.h>

#include "gate.h"

#define MAGIC_PEOPLE 0x50474b53u /* "SKGP" */
#define FILE_PEOPLE "people"
#define REFUSED_SECONDS 10

static void save(struct gate *g)
{
	int r = g->have_store ? store_put_record(&g->store, FILE_PEOPLE, MAGIC_PEOPLE, &g->people, sizeof(g->people)) : -ENOENT;

	if (r != 0)
		daemon_log("what is remembered of people could not be stored: %s", strerror(-r));
}

static bool text_ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool is_whole(const struct people *p)
{
	bool whole = p->n <= PEOPLE_MAX && p->nopen <= MSG_SESSIONS_MAX;

	for (uint32_t i = 0; whole && i < p->n; i++)
		whole = text_ends(p->of[i].terminal, sizeof(p->of[i].terminal));
	for (uint32_t i = 0; whole && i < p->nopen; i++)
		whole = text_ends(p->open[i].account, MSG_ACCOUNT) &&
			text_ends(p->open[i].terminal, sizeof(p->open[i].terminal)) &&
			p->open[i].role < MSG_ROLE_END;
	return whole;
}

void people_resume(struct gate *g)
{
	struct people *p = &g->people;

	if (!g->have_store || store_get_record(&g->store, FILE_PEOPLE, MAGIC_PEOPLE, p, sizeof(*p)) != 0 || !is_whole(p)) {
		*p = (struct people){0};
		return;
	}
	for (uint32_t i = 0; i < p->nopen; i++) {
		const struct msg_session_of *s = &p->open[i];
		struct msg_login m = {.at = clock_wall().sec,
			.event = MSG_LOGIN_LOST,
			.uid = s->uid,
			.role = s->role,
			.session = s->id};
		MSG_TEXT(m.account, s->account);
		MSG_TEXT(m.terminal, s->terminal);
		recorder_login(g, &m);
	}
	if (p->nopen > 0) {
		p->nopen = 0;
		save(g);
	}
}

static int64_t seen(const struct person *p)
{
	return p->last_login > p->last_refused ? p->last_login : p->last_refused;
}

struct person *people_find(struct people *p, uint32_t uid)
{
	struct person *oldest = &p->of[0];

	for (uint32_t i = 0; i < p->n; i++) {
		if (p->of[i].uid == uid)
			return &p->of[i];
		if (seen(&p->of[i]) < seen(oldest))
			oldest = &p->of[i];
	}
	struct person *one = p->n < PEOPLE_MAX ? &p->of[p->n++] : oldest;
	*one = (struct person){.uid = uid};
	return one;
}

bool people_refused(struct gate *g, const struct peer *peer)
{
	struct person *one = people_find(&g->people, peer->uid);
	int64_t now = clock_wall().sec;
	bool again = now >= one->last_refused && now < one->last_refused + REFUSED_SECONDS;

	one->refused++;
	if (again)
		return false;
	one->last_refused = now;
	save(g);
	return true;
}

void people_opened(struct gate *g, const struct msg_session_of *s)
{
	struct people *p = &g->people;
	struct person *one = people_find(p, s->uid);

	one->last_login = s->since;
	one->refused = 0;
	MSG_TEXT(one->terminal, s->terminal);
	if (p->nopen < MSG_SESSIONS_MAX)
		p->open[p->nopen++] = *s;
	save(g);
}

void people_closed(struct gate *g, uint32_t id)
{
	struct people *p = &g->people;

	for (uint32_t i = 0; i < p->nopen; i++) {
		if (p->open[i].id != id)
			continue;
		p->open[i] = p->open[--p->nopen];
		p->open[p->nopen] = (struct msg_session_of){0};
		save(g);
		return;
	}
}
