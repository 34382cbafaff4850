/*
 * pace.c: when a mail may go (see pace.h): gathering, spacing, a bucket of PACE_BURST mails, doubling waits after failures.
 */
#include "pace.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t retry_at(const struct pace *p)
{
	int64_t wait = PACE_RETRY_MS;

	if (p->failures == 0)
		return INT64_MIN;
	for (unsigned i = 1; i < p->failures && wait < PACE_RETRY_MAX_MS; i++)
		wait *= 2;
	return p->failed + (wait < PACE_RETRY_MAX_MS ? wait : PACE_RETRY_MAX_MS);
}

/* The bucket: the spent part must have become less than full by then. */
static int64_t bucket_at(const struct pace *p)
{
	int64_t over = p->credit + PACE_REFILL_MS - PACE_BURST * PACE_REFILL_MS;

	return p->any && over > 0 ? p->sent + over : INT64_MIN;
}

int64_t pace_when(const struct pace *p, enum pace_kind kind, int64_t since)
{
	int64_t when = later(since, retry_at(p));

	if (kind == PACE_REPORT)
		return when;
	if (kind == PACE_TEST)
		return p->any ? later(when, p->sent + PACE_TEST_MS) : when;
	when = later(when, since + PACE_GATHER_MS);
	if (p->any)
		when = later(when, later(p->sent + PACE_SPACING_MS, bucket_at(p)));
	return when;
}

void pace_sent(struct pace *p, enum pace_kind kind, int64_t now)
{
	p->failures = 0;
	if (kind == PACE_REPORT)
		return;
	int64_t left = p->any ? p->credit - (now - p->sent) : 0;
	p->credit = later(left, 0);
	if (kind == PACE_NOTICES)
		p->credit += PACE_REFILL_MS;
	p->any = true;
	p->sent = now;
}

void pace_failed(struct pace *p, int64_t now)
{
	if (p->failures++ == 0)
		p->failing_since = now;
	p->failed = now;
}

void pace_again(struct pace *p)
{
	if (p->failures > 1)
		p->failures = 1;
	p->failed = INT64_MIN / 2;
}
