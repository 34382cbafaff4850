/*
 * flood.c: counts mails and says when they are too many (see flood.h).
 *
 * Input: envelope senders, which anybody may forge; hence the keyed hash, the fixed table and the direction's own thresholds.
 * Letters count as equal in either case: else one sender had as many counters as ways to write it.
 */
#include <sekisho/flood.h>
#include <sekisho/ir.h>
#include <sekisho/strmap.h>

#include <string.h>
#include <strings.h>

#define MINUTE 60000

/* -- a minute ------------------------------------------------------------------------------------------------ */

static void roll(struct flood_count *c, int64_t minute)
{
	if (minute <= c->minute)
		return;
	c->before = minute == c->minute + 1 ? c->now : 0;
	c->now = 0;
	c->minute = minute;
}

static void add(struct flood_count *c, int64_t now)
{
	roll(c, now / MINUTE);
	if (c->now < UINT32_MAX)
		c->now++;
}

/* The running minute, and of the one before what is less than a minute old, taken as evenly spread. */
static uint32_t rate(const struct flood_count *c, int64_t now)
{
	struct flood_count copy = *c;

	roll(&copy, now / MINUTE);
	uint64_t left = (uint64_t)(MINUTE - now % MINUTE);
	uint64_t sum = copy.now + copy.before * left / MINUTE;
	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* True once a minute. */
static bool tell(struct flood_count *c, int64_t now)
{
	int64_t minute = now / MINUTE + 1; /* 0: never */

	if (c->told == minute)
		return false;
	c->told = minute;
	return true;
}

/* -- senders ------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct flood *f, const char *sender)
{
	char lower[FLOOD_SENDER];
	size_t n = strnlen(sender, sizeof(lower));

	for (size_t i = 0; i < n; i++)
		lower[i] = sender[i] >= 'A' && sender[i] <= 'Z' ? (char)(sender[i] - 'A' + 'a') : sender[i];
	uint64_t h = siphash(f->key, lower, n);
	return h == 0 ? 1 : h;
}

/* The sender's counter; a new one in the place of the one that was longest silent. */
static struct flood_count *sender_count(struct flood *f, const char *sender)
{
	uint64_t hash = hash_of(f, sender);
	struct flood_sender *set = f->sender[hash % FLOOD_SETS], *oldest = &set[0];

	for (unsigned i = 0; i < FLOOD_WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i].count;
		if (oldest->hash != 0 && (set[i].hash == 0 || set[i].count.minute < oldest->count.minute))
			oldest = &set[i];
	}
	*oldest = (struct flood_sender){.hash = hash};
	return &oldest->count;
}

static uint32_t stopped_at(const struct flood *f, const char *sender)
{
	for (uint32_t i = 0; i < f->nstopped; i++)
		if (strncasecmp(f->stopped_sender[i], sender, FLOOD_SENDER - 1) == 0)
			return i;
	return f->nstopped;
}

/* -- outside ------------------------------------------------------------------------------------------------- */

void flood_begin(struct flood *f, const uint64_t key[2])
{
	memset(f, 0, sizeof(*f));
	memcpy(f->key, key, sizeof(f->key));
}

void flood_limits(struct flood *f, const struct ir_mail *m)
{
	static const struct ir_mail none;

	if (m == NULL)
		m = &none;
	f->slow = m->slow;
	f->stop = m->stop;
	f->sender_slow = m->sender_slow;
	f->sender_stop = m->sender_stop;
}

void flood_stop(struct flood *f, const char *sender)
{
	if (*sender == '\0' || f->nstopped == FLOOD_STOPPED) {
		f->stopped = true;
		return;
	}
	if (stopped_at(f, sender) < f->nstopped)
		return;
	size_t n = strnlen(sender, FLOOD_SENDER - 1);
	memcpy(f->stopped_sender[f->nstopped], sender, n);
	f->stopped_sender[f->nstopped++][n] = '\0';
}

static bool over(uint32_t limit, const struct flood_count *c, int64_t now)
{
	return limit != 0 && rate(c, now) > limit;
}

static enum mail_reason stop_now(struct flood *f, const char *sender, enum flood_event *ret_event)
{
	flood_stop(f, sender);
	*ret_event = f->stopped ? FLOOD_STOPPED_NOW : FLOOD_SENDER_STOPPED;
	return MAIL_REASON_FLOOD_STOPPED;
}

enum mail_reason flood_mail(struct flood *f, int64_t now, const char *sender, enum flood_event *ret_event)
{
	struct flood_count none = {0}, *one = *sender == '\0' ? &none : sender_count(f, sender);

	*ret_event = FLOOD_CALM;
	add(&f->count, now);
	add(one, now);
	if (f->stopped || stopped_at(f, sender) < f->nstopped)
		return MAIL_REASON_FLOOD_STOPPED;
	if (over(f->stop, &f->count, now))
		return stop_now(f, "", ret_event);
	if (*sender != '\0' && over(f->sender_stop, one, now))
		return stop_now(f, sender, ret_event);
	bool all = over(f->slow, &f->count, now);
	if (!all && (*sender == '\0' || !over(f->sender_slow, one, now)))
		return MAIL_REASON_NONE;
	if (tell(all ? &f->count : one, now))
		*ret_event = all ? FLOOD_SLOWED : FLOOD_SENDER_SLOWED;
	return MAIL_REASON_FLOOD_SLOW;
}

bool flood_resume(struct flood *f, const char *sender)
{
	uint32_t at = stopped_at(f, sender);

	if (*sender == '\0') {
		bool any = f->stopped || f->nstopped > 0;
		f->stopped = false;
		f->nstopped = 0;
		f->count = (struct flood_count){0};
		memset(f->sender, 0, sizeof(f->sender));
		return any;
	}
	if (at == f->nstopped)
		return false;
	*sender_count(f, sender) = (struct flood_count){0};
	f->nstopped--;
	if (at != f->nstopped) {
		memcpy(f->stopped_sender[at], f->stopped_sender[f->nstopped], FLOOD_SENDER);
	}
	return true;
}

uint32_t flood_rate(const struct flood *f, int64_t now)
{
	return rate(&f->count, now);
}
