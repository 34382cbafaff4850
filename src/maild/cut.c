/*
 * cut.c: emergency cuts as the mail gate has them: whose sessions end with 421, and whose never begin.
 *
 * At an alert level that closes its direction every session is cut, else when its client may reach none of
 * the mail servers of its direction any more, or when the one that it is delivering to is cut off. Whatever
 * it was at is dropped: the next server never saw the end of the mail, and no 250 was said, so the mail is
 * its sender's. Connections to mail servers that are cut are closed.
 *
 * Input: sekishod's list, checked by cuts_check(); a list that is none leaves what was there and ends the
 * connection to it.
 */
#include "maild.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The segment whose networks hold the address; NULL when none does. They are disjoint but for what lies within another. */
static const char *segment_of(const struct ir *ir, const struct addr *a)
{
	const struct ir_network *best = NULL;
	struct addr_range narrow = {0};

	for (uint32_t i = 0; i < ir->nnetworks; i++) {
		const struct ir_network *n = &ir->networks[i];
		struct addr_range r = ir_addr_range(n->family, &n->range);
		if (n->family != a->family || !range_has(&r, a))
			continue;
		if (best == NULL || (addr_cmp(&r.lo, &narrow.lo) >= 0 && addr_cmp(&r.hi, &narrow.hi) <= 0)) {
			best = n;
			narrow = r;
		}
	}
	return best == NULL ? NULL : ir_text(ir, ir->segments[best->segment].name);
}

/* Is the way between the client and this mail server cut? */
static bool way_is_cut(const struct session *s, const struct cut_place *client, const struct ir_mail_host *h)
{
	const struct ir *ir = &s->policy->ir;
	struct addr a = ir_addr(h->family, h->range.lo);
	struct cut_place server = {&a, ir_text(ir, ir->segments[ir->interfaces[h->interface].segment].name)};

	return cuts_find(s->m->cuts, client, &server) != NULL;
}

/* meant: the one that a turned client called, of which alone it is asked then; family 0: any will do. */
static bool all_are_cut(const struct session *s, const struct cut_place *client, struct ir_run run, const struct addr *meant)
{
	uint32_t asked = 0;

	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_mail_host *h = &s->policy->ir.mail_hosts[run.first + i];
		struct addr a = ir_addr(h->family, h->range.lo);
		if (meant->family != 0 && addr_cmp(&a, meant) != 0)
			continue;
		asked++;
		if (!way_is_cut(s, client, h))
			return false;
	}
	return asked > 0;
}

/* Which of the run it is talking to is known by its place in the list. */
static bool delivers_to_cut(
	const struct session *s, const struct cut_place *client, const struct delivery *d, struct ir_run run)
{
	return d->m != NULL && d->hop != NULL && !d->hop->stale && d->hop->server < run.n &&
	       way_is_cut(s, client, &s->policy->ir.mail_hosts[run.first + d->hop->server]);
}

bool session_is_cut(const struct session *s)
{
	const struct ir_mail *way = s->policy != NULL ? s->policy->way[s->way] : NULL;

	if (s->m->cuts == NULL || way == NULL)
		return false;
	if (level_closes(s->m->cuts->level, s->policy->ir.system->closes[s->way]))
		return true;
	if (s->m->cuts->n == 0)
		return false;
	static const struct addr any;
	struct cut_place client = {&s->peer, segment_of(&s->policy->ir, &s->peer)};
	return cuts_at(s->m->cuts, &client) != NULL || all_are_cut(s, &client, way->hops, &s->meant) ||
	       all_are_cut(s, &client, way->originals, &any) || delivers_to_cut(s, &client, &s->delivery, way->hops) ||
	       delivers_to_cut(s, &client, &s->copy, way->originals);
}

bool cut_take(struct maild *m, int fd)
{
	static struct cuts held;
	struct stat st;

	if (!memfd_is_sealed(fd) || fstat(fd, &st) != 0 || st.st_size != (off_t)sizeof(held))
		return false;
	void *p = mmap(NULL, sizeof(held), PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	bool good = cuts_check(p, sizeof(held)) == NULL;
	if (good) {
		memcpy(&held, p, sizeof(held));
		m->cuts = &held;
	}
	munmap(p, sizeof(held));
	if (good) {
		session_cut(m);
		hop_policy(m);
	}
	return good;
}
