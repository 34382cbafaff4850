/*
 * queue.c: what has to be mailed and was not yet (see queue.h). Fixed memory; no input of its own.
 */
#include "queue.h"

#include <string.h>

static bool is_same(const struct notice *a, const struct notice *b)
{
	return a->source == b->source && a->kind == b->kind && strcmp(a->code, b->code) == 0 && strcmp(a->text, b->text) == 0 &&
	       strcmp(a->receipt, b->receipt) == 0;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void merge(struct queue *q, unsigned i)
{
	const struct notice *n = &q->notice[i];

	q->merged += n->count;
	q->merged_number[n->source] = lower(q->merged_number[n->source], n->number);
	memmove(&q->notice[i], &q->notice[i + 1], (q->n - i - 1) * sizeof(q->notice[0]));
	q->n--;
}

/* The oldest of the least grave. What an operator asked for, and what waits for a person, stays longest. */
static unsigned dispensable(const struct queue *q)
{
	unsigned found = 0, least = 9;

	for (unsigned i = 0; i < q->n; i++) {
		const struct notice *n = &q->notice[i];
		unsigned weight = n->kind == MSG_ALARM_TEST || n->kind == MSG_ALARM_HELD ? 3 : (unsigned)n->health;
		if (weight < least) {
			least = weight;
			found = i;
		}
	}
	return found;
}

void queue_put(struct queue *q, const struct notice *n)
{
	for (unsigned i = 0; i < q->n; i++) {
		struct notice *have = &q->notice[i];
		if (!is_same(have, n))
			continue;
		have->count += n->count;
		have->last = n->last;
		have->number = lower(have->number, n->number);
		return;
	}
	if (q->n == QUEUE_MAX)
		merge(q, dispensable(q));
	q->notice[q->n++] = *n;
}

void queue_lost(struct queue *q, enum source s, uint64_t number, uint64_t count)
{
	if (count == 0)
		return;
	q->merged += count;
	q->merged_number[s] = lower(q->merged_number[s], number);
}

bool queue_empty(const struct queue *q)
{
	return q->n == 0 && q->merged == 0;
}

enum msg_health queue_health(const struct queue *q)
{
	enum msg_health worst = MSG_OK;

	for (unsigned i = 0; i < q->n; i++)
		if (q->notice[i].health > worst)
			worst = q->notice[i].health;
	return worst;
}

bool queue_has(const struct queue *q, enum msg_notice_kind kind)
{
	for (unsigned i = 0; i < q->n; i++)
		if (q->notice[i].kind == kind)
			return true;
	return false;
}

uint64_t queue_count(const struct queue *q)
{
	uint64_t count = q->merged;

	for (unsigned i = 0; i < q->n; i++)
		count += q->notice[i].count;
	return count;
}

uint64_t queue_lowest(const struct queue *q, enum source s)
{
	uint64_t lowest = q->merged_number[s];

	for (unsigned i = 0; i < q->n; i++)
		if (q->notice[i].source == s)
			lowest = lower(lowest, q->notice[i].number);
	return lowest != 0 ? lowest : UINT64_MAX;
}

void queue_forget_numbers(struct queue *q, enum source s)
{
	q->merged_number[s] = 0;
	for (unsigned i = 0; i < q->n; i++)
		if (q->notice[i].source == s)
			q->notice[i].number = 0;
}
