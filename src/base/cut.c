/*
 * cut.c: the list of emergency cuts (see cut.h).
 *
 * Input: bytes that another process or the disk gave; cuts_check() bounds every count and text. The rest is given a list
 * that was checked. Limits: CUT_MAX, CUT_RANGES. No failure but those that are returned.
 */
#include <sekisho/cut.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const levels[LEVEL_END] = {"normal", "caution", "lockdown"};
static const char *const kinds[] = {"unknown", "host", "segment", "pair", "all"};

const char *level_word(unsigned level)
{
	return level < LEVEL_END ? levels[level] : "unknown";
}

enum alert_level level_find(const char *word)
{
	for (unsigned i = 0; i < LEVEL_END; i++)
		if (strcmp(levels[i], word) == 0)
			return (enum alert_level)i;
	return LEVEL_END;
}

const char *cut_kind_word(unsigned kind)
{
	return kinds[kind <= CUT_ALL ? kind : 0];
}

/* -- checking -------------------------------------------------------------------------------------------- */

static bool is_text(const char *s, size_t n)
{
	const char *end = memchr(s, '\0', n);

	for (const char *p = s; end != NULL && p < end; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return end != NULL;
}

static bool range_is_good(const struct cut_range *r)
{
	static const uint8_t zero[16];
	size_t n = r->family == 4 ? 4 : 16;

	return (r->family == 4 || r->family == 6) && memcmp(r->lo, r->hi, n) <= 0 &&
	       memcmp(r->lo + n, zero, 16 - n) == 0 && memcmp(r->hi + n, zero, 16 - n) == 0;
}

static const char *check_end(const struct cut_end *e, bool wanted)
{
	if (!is_text(e->name, sizeof(e->name)))
		return "a name";
	if (e->segment > 1 || e->gone > 1 || e->nranges > CUT_RANGES || e->ninterfaces > LIMIT_INTERFACES)
		return "a count";
	if (!wanted)
		return e->name[0] == '\0' && e->nranges == 0 && e->ninterfaces == 0 ? NULL : "an end too many";
	if (e->segment == 0 && (e->nranges == 0 || e->ninterfaces != 0))
		return "an end without addresses";
	if (e->segment == 1 && (e->name[0] == '\0' || e->nranges != 0))
		return "a segment without name";
	for (uint32_t i = 0; i < e->nranges; i++)
		if (!range_is_good(&e->range[i]))
			return "an address";
	for (uint32_t i = 0; i < e->ninterfaces; i++)
		if (!is_text(e->interface[i], LIMIT_IFNAME) || e->interface[i][0] == '\0')
			return "an interface";
	return NULL;
}

static const char *check_cut(const struct cut *c)
{
	const char *bad;

	if (c->number == 0 || c->number > CUT_NUMBER_MAX || c->kind < CUT_HOST || c->kind > CUT_ALL)
		return "number or kind";
	if (!is_text(c->who, sizeof(c->who)) || !is_text(c->why, sizeof(c->why)))
		return "a text";
	if ((bad = check_end(&c->end[0], c->kind != CUT_ALL)) != NULL ||
		(bad = check_end(&c->end[1], c->kind == CUT_PAIR)) != NULL)
		return bad;
	if (c->kind == CUT_PAIR && c->end[0].segment != c->end[1].segment)
		return "a pair of unlike ends";
	return (c->kind == CUT_SEGMENT) != (c->end[0].segment == 1) && c->kind != CUT_PAIR && c->kind != CUT_ALL
		       ? "an end of another kind"
		       : NULL;
}

const char *cuts_check(const void *p, size_t n)
{
	const struct cuts *c = p;
	const char *bad;

	if (n != sizeof(*c))
		return "size";
	if (c->n > CUT_MAX || c->level >= LEVEL_END || c->next == 0)
		return "count";
	if (!is_text(c->level_who, sizeof(c->level_who)) || !is_text(c->level_why, sizeof(c->level_why)))
		return "a text";
	for (uint32_t i = 0; i < c->n; i++) {
		if ((bad = check_cut(&c->cut[i])) != NULL)
			return bad;
		if (c->cut[i].number >= c->next || (i > 0 && c->cut[i].number <= c->cut[i - 1].number))
			return "order of numbers";
	}
	return NULL;
}

/* -- asking ---------------------------------------------------------------------------------------------- */

static bool end_has(const struct cut_end *e, const struct cut_place *p)
{
	if (e->segment == 1)
		return p->segment != NULL && strcmp(e->name, p->segment) == 0;
	for (uint32_t i = 0; p->addr != NULL && i < e->nranges; i++) {
		const struct cut_range *r = &e->range[i];
		if (r->family == p->addr->family && memcmp(r->lo, p->addr->b, 16) <= 0 && memcmp(p->addr->b, r->hi, 16) <= 0)
			return true;
	}
	return false;
}

static bool concerns(const struct cut *c, const struct cut_place *a, const struct cut_place *b)
{
	switch (c->kind) {
	case CUT_ALL: return true;
	case CUT_PAIR:
		return (end_has(&c->end[0], a) && end_has(&c->end[1], b)) || (end_has(&c->end[0], b) && end_has(&c->end[1], a));
	default: return end_has(&c->end[0], a) || end_has(&c->end[0], b);
	}
}

const struct cut *cuts_find(const struct cuts *c, const struct cut_place *a, const struct cut_place *b)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (concerns(&c->cut[i], a, b))
			return &c->cut[i];
	return NULL;
}

const struct cut *cuts_at(const struct cuts *c, const struct cut_place *a)
{
	static const struct cut_place nowhere;

	for (uint32_t i = 0; i < c->n; i++)
		if (c->cut[i].kind != CUT_PAIR && concerns(&c->cut[i], a, &nowhere))
			return &c->cut[i];
	return NULL;
}

const struct cut *cuts_number(const struct cuts *c, uint32_t number)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->cut[i].number == number)
			return &c->cut[i];
	return NULL;
}

/* -- changing -------------------------------------------------------------------------------------------- */

static bool same_end(const struct cut_end *a, const struct cut_end *b)
{
	return a->segment == b->segment && strcmp(a->name, b->name) == 0 && a->nranges == b->nranges &&
	       memcmp(a->range, b->range, a->nranges * sizeof(a->range[0])) == 0;
}

static bool same_cut(const struct cut *a, const struct cut *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == CUT_PAIR && same_end(&a->end[0], &b->end[1]) && same_end(&a->end[1], &b->end[0]))
		return true;
	return same_end(&a->end[0], &b->end[0]) && same_end(&a->end[1], &b->end[1]);
}

int cuts_add(struct cuts *c, struct cut *cut, const struct cut **ret)
{
	for (uint32_t i = 0; i < c->n; i++) {
		if (!same_cut(&c->cut[i], cut))
			continue;
		*ret = &c->cut[i];
		return -EEXIST;
	}
	if (c->n == CUT_MAX || c->next > CUT_NUMBER_MAX)
		return -ENOSPC;
	cut->number = c->next++;
	c->cut[c->n] = *cut;
	*ret = &c->cut[c->n++];
	return 0;
}

int cuts_remove(struct cuts *c, uint32_t number)
{
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->cut[i].number != number)
			continue;
		memmove(&c->cut[i], &c->cut[i + 1], (c->n - i - 1) * sizeof(c->cut[0]));
		memset(&c->cut[--c->n], 0, sizeof(c->cut[0]));
		return 0;
	}
	return -ENOENT;
}

/* -- saying ---------------------------------------------------------------------------------------------- */

static const char *end_text(const struct cut_end *e, char buf[64])
{
	struct addr_range r = {.lo.family = e->range[0].family, .hi.family = e->range[0].family};
	char text[ADDR_TEXT_MAX];

	if (e->name[0] != '\0' || e->nranges == 0)
		return e->name;
	memcpy(r.lo.b, e->range[0].lo, 16);
	memcpy(r.hi.b, e->range[0].hi, 16);
	snprintf(buf, 64, "%.63s", range_format(&r, text));
	return buf;
}

const char *cut_text(const struct cut *c, char buf[CUT_TEXT_MAX])
{
	char one[64], two[64];

	if (c->kind == CUT_ALL)
		snprintf(buf, CUT_TEXT_MAX, "all");
	else if (c->kind == CUT_PAIR)
		snprintf(buf, CUT_TEXT_MAX, "pair %s %s", end_text(&c->end[0], one), end_text(&c->end[1], two));
	else
		snprintf(buf, CUT_TEXT_MAX, "%s %s", cut_kind_word(c->kind), end_text(&c->end[0], one));
	return buf;
}
