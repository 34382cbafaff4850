/*
 * health.c: findings and health (see health.h). Fixed memory: what does not fit is said as "too many".
 */
#include "health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct health_item *find(struct health *h, enum health_source s, enum finding f, const char *detail)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->items[i].source == s && h->items[i].finding == f && strcmp(h->items[i].detail, detail) == 0)
			return &h->items[i];
	return NULL;
}

static void forget(struct health *h, unsigned i)
{
	memmove(&h->items[i], &h->items[i + 1], (h->n - i - 1) * sizeof(h->items[0]));
	h->n--;
}

/* An event gives way to what stands: the oldest one. */
static bool make_room(struct health *h)
{
	unsigned oldest = HEALTH_MAX;

	for (unsigned i = 0; i < h->n; i++)
		if (finding_is_event(h->items[i].finding) &&
			(oldest == HEALTH_MAX || h->items[i].last.ns < h->items[oldest].last.ns))
			oldest = i;
	if (oldest == HEALTH_MAX)
		return false;
	forget(h, oldest);
	return true;
}

void health_begin(struct health *h, enum health_source s)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->items[i].source == s && !finding_is_event(h->items[i].finding))
			h->items[i].stale = true;
}

enum health_news health_add(struct health *h, enum health_source s, enum finding f, const char *detail)
{
	char text[HEALTH_DETAIL];

	msg_text(text, sizeof(text), detail);
	struct health_item *it = find(h, s, f, text);
	if (it != NULL) {
		it->stale = false;
		it->last = clock_mono();
		it->count++;
		if (!finding_is_event(f) || mono_since_ms(it->told) < HEALTH_REPEAT_MS)
			return HEALTH_KNOWN;
		it->told = it->last;
		return HEALTH_NEW;
	}
	if (h->n == HEALTH_MAX && (finding_is_event(f) || !make_room(h))) {
		enum health_news news = h->more ? HEALTH_KNOWN : HEALTH_NEW;
		h->more = true;
		return news;
	}
	it = &h->items[h->n++];
	*it = (struct health_item){.source = s, .finding = f, .last = clock_mono(), .told = clock_mono(), .count = 1};
	memcpy(it->detail, text, sizeof(text));
	return HEALTH_NEW;
}

void health_end(struct health *h, enum health_source s, health_cured_fn *fn, void *arg)
{
	for (unsigned i = h->n; i-- > 0;) {
		struct health_item it = h->items[i];
		if (it.source != s || !it.stale)
			continue;
		forget(h, i);
		h->more = false;
		if (fn != NULL)
			fn(arg, it.finding, it.detail);
	}
}

void health_tick(struct health *h)
{
	for (unsigned i = h->n; i-- > 0;)
		if (finding_is_event(h->items[i].finding) && mono_since_ms(h->items[i].last) > HEALTH_EVENT_MS)
			forget(h, i);
}

enum msg_health health_now(const struct health *h)
{
	uint32_t worst = h->more ? MSG_CAUTION : MSG_OK;

	for (unsigned i = 0; i < h->n; i++)
		if (finding_severity(h->items[i].finding) > worst)
			worst = finding_severity(h->items[i].finding);
	return (enum msg_health)worst;
}

static int worst_first(const void *a, const void *b)
{
	const struct health_item *x = *(const struct health_item *const *)a, *y = *(const struct health_item *const *)b;
	uint32_t sx = finding_severity(x->finding), sy = finding_severity(y->finding);

	if (sx != sy)
		return sx > sy ? -1 : 1;
	return x->last.ns > y->last.ns ? -1 : x->last.ns < y->last.ns;
}

static void write_finding(enum finding f, const char *detail, uint32_t count, struct msg_finding *ret)
{
	char text[600], times[24] = "";

	*ret = (struct msg_finding){.health = finding_severity(f)};
	MSG_TEXT(ret->code, finding_code(f));
	if (count > 1 && finding_is_event(f))
		snprintf(times, sizeof(times), " (%u)", count);
	snprintf(text, sizeof(text), "%s%s%s%s", finding_text(f), detail[0] != '\0' ? ": " : "", detail, times);
	MSG_TEXT(ret->text, text);
}

uint32_t health_list(const struct health *h, struct msg_finding ret[MSG_FINDINGS_MAX])
{
	const struct health_item *order[HEALTH_MAX];
	bool more = h->more || h->n > MSG_FINDINGS_MAX;
	unsigned room = MSG_FINDINGS_MAX - (more ? 1 : 0), n = h->n < room ? h->n : room;

	for (unsigned i = 0; i < h->n; i++)
		order[i] = &h->items[i];
	qsort(order, h->n, sizeof(order[0]), worst_first);
	for (unsigned i = 0; i < n; i++)
		write_finding(order[i]->finding, order[i]->detail, order[i]->count, &ret[i]);
	if (more)
		write_finding(FINDING_TOO_MANY, "", 1, &ret[n++]);
	return n;
}
