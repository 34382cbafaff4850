/*
 * build_refuse.c: how a packet is refused: counted by its reason, limited, logged, dropped.
 *
 * Log and drop are rules of their own: whatever a limiter does, the packet ends here. A limiter's set that is
 * full does not match, so the whole segment's limit behind it still holds.
 */
#include "build.h"

#include <netinet/in.h>

/* Sources remembered per segment; a flood of forged ones fills it and falls under the segment's limit. */
#define SEEN_SIZE 8192
#define SEEN_SECONDS 10
/* Events a second of what came from no segment, and while there is no policy. */
#define LOG_NONE 1000

/* A verdict's mark says why, and what it rather was: both travel on to the log. */
static struct rb keep_why(struct rb r, const char *counter, enum reason reason)
{
	r = count(match_masked(r, F_MARK, 0xff000000, OP_EQ, INSPECTED_MARK(0, 0, 0)), counter);
	return set_mark_bits(r, F_MARK, 0x00ffff00, REFUSAL_MARK(reason));
}

static void add_stops(struct build *b)
{
	b->refuse = chain_new(b->rs, "refuse");
	for (unsigned i = 1; i < REASON_END; i++) {
		struct chain *c = chain_named(b, "stop_%s", reason_word(i));
		if (i == REASON_APP_MISMATCH || i == REASON_UNFITTING)
			go(keep_why(on(b->rs, c), c->name, i), b->refuse);
		if (i == REASON_CUT) /* the cut's number travels on */
			go(set_mark_bits(count(on(b->rs, c), c->name), F_MARK, 0x00ffff00, REFUSAL_MARK(i)), b->refuse);
		else
			go(set_mark(count(on(b->rs, c), c->name), REFUSAL_MARK(i)), b->refuse);
		b->rs->stop[i] = c;
	}
}

static struct set *seen_set(struct build *b, uint8_t fam, enum datatype last, const char *name, uint32_t segment)
{
	/* The kernel keeps an element's limit as it was when the source was first seen: another rate is another set. */
	struct set *s = set_named(b, TYPES(addr_type(fam), TYPE_MARK, last), SET_DYNAMIC | SET_TIMEOUT, "%s%u_%u_%u",
		name, fam, segment, b->ir->system->log_per_source);

	s->size = SEEN_SIZE;
	s->timeout = SEEN_SECONDS;
	s->limit = b->ir->system->log_per_source;
	return s;
}

/* Each source by reason and port (protocols without ports: by protocol). */
static void limit_sources(struct build *b, struct chain *c, uint32_t segment, const char *limited)
{
	uint32_t rate = b->ir->system->log_per_source;

	for (uint8_t fam = 4; fam <= 6; fam += 2) {
		struct set *ports = seen_set(b, fam, TYPE_PORT, "seen", segment);
		struct set *others = seen_set(b, fam, TYPE_L4PROTO, "seen_other", segment);
		struct rb r = in(family(on(b->rs, c), fam), FIELDS(F_L4PROTO), b->l4_ports);
		drop(count(over_rate(r, FIELDS(saddr(fam), F_MARK, F_DPORT), ports, rate, rate), limited));
		r = not_in(family(on(b->rs, c), fam), FIELDS(F_L4PROTO), b->l4_ports);
		drop(count(over_rate(r, FIELDS(saddr(fam), F_MARK, F_L4PROTO), others, rate, rate), limited));
	}
}

static void refuse_tail(struct build *b, struct chain *c, uint32_t group, uint32_t rate, const char *limited)
{
	if (rate > 0)
		drop(count(over_limit(on(b->rs, c), rate, rate), limited));
	log_to(on(b->rs, c), group);
	/* Who is refused a connection learns it at once and does not try on for minutes. */
	if (resets(b))
		reset(is(match_masked(on(b->rs, c), F_MARK, 0xff, OP_EQ, REASON_APP_MISMATCH), F_L4PROTO, IPPROTO_TCP));
	drop(on(b->rs, c));
}

static struct chain *refuse_segment(struct build *b, uint32_t segment)
{
	struct chain *c = chain_named(b, "refuse_%u", segment);
	const char *limited = b->rs->counters[b->rs->ncounters - 1 - LIMIT_SEGMENTS + segment];

	if (b->ir->system->log_per_source > 0)
		limit_sources(b, c, segment, limited);
	refuse_tail(b, c, REFUSAL_LOG_GROUP(segment), b->ir->system->log_per_segment, limited);
	return c;
}

void build_refuse(struct build *b)
{
	struct chain *none, *by_segment[LIMIT_SEGMENTS] = {NULL};

	add_stops(b);
	none = chain_new(b->rs, "refuse_none");
	refuse_tail(b, none, REFUSAL_LOG_GROUP_NONE, LOG_NONE, b->rs->counters[b->rs->ncounters - 1]);
	if (b->ir != NULL) {
		struct set *map = set_named(b, TYPES(TYPE_IFNAME), SET_VERDICTS, "refuse_by_interface");
		for (uint32_t i = 0; i < b->ir->nsegments && i < LIMIT_SEGMENTS; i++)
			by_segment[i] = refuse_segment(b, i);
		for (uint32_t i = 0; i < b->ir->ninterfaces; i++) {
			struct key k = {.len = 0};
			key_ifname(&k, b->ir->interfaces[i].name);
			set_add(map, &k, NULL)->chain = by_segment[b->ir->interfaces[i].segment];
		}
		set_sort(map);
		vmap(on(b->rs, b->refuse), FIELDS(F_IIFNAME), map);
	}
	go(on(b->rs, b->refuse), none);
}
