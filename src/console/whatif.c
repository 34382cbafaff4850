/*
 * whatif.c: recorded drops, asked again of two policies.
 *
 * The matcher says what each policy does with the first packet of such a flow. A record is told when the answers differ: it
 * would pass (or be let in to be verified), it would not pass any more (what was refused by verification, say), or it is
 * refused for another reason. What nobody knows is not guessed at: whether a flow that is let in to be verified is what its
 * rule names.
 *
 * Memory is bounded: only differences are kept, by ends and service, at most WHATIF_KEPT; rows are looked at as they come.
 * Limits: the newest WHATIF_ROWS records of the gate.
 */
#include "whatif.h"

#include "console.h"
#include "jsonread.h"
#include "logquery.h"
#include "text.h"
#include "words.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>
#include <sekisho/match.h>
#include <sekisho/strmap.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* What one query gives at most. */
#define WHATIF_ROWS 100000

enum outcome { OUTCOME_PASSES, OUTCOME_CLOSES, OUTCOME_REASON, OUTCOMES };

/* What is the same of many packets; compared as bytes, so all of it is set. */
struct key {
	struct addr src, dst;
	uint8_t proto, outcome, verdict, recorded; /* verdict of the candidate; recorded: the reason of the record */
	uint16_t dport;
	uint8_t was, now; /* reasons of the two policies */
	uint32_t rule;	  /* of the candidate, that grants; else of the running one */
};

struct group {
	struct key key;
	uint64_t packets, records;
	int64_t first, last; /* wall seconds */
};

struct whatif {
	const struct ir *running, *candidate;
	struct matcher *old, *new;
	struct wall now;
	struct group *groups;
	uint32_t *slots; /* open addressing: 1 + index into groups; twice as many as groups */
	size_t n;
	uint64_t records, packets;		    /* looked at */
	uint64_t unlike;			    /* records that say nothing of a policy, or of no single packet */
	uint64_t not_kept;			    /* differences for which there was no place */
	uint64_t malformed;			    /* lines of a file that are no record */
	int64_t oldest;
	bool more;				    /* there are older records than were looked at */
	uint64_t sums[OUTCOMES], sum_packets[OUTCOMES]; /* groups; packets */
};

struct whatif *whatif_new(const struct ir *running, const struct ir *candidate, struct wall now)
{
	struct whatif *w = calloc(1, sizeof(*w));

	if (w == NULL || (w->groups = calloc(WHATIF_KEPT, sizeof(*w->groups))) == NULL ||
		(w->slots = calloc((size_t)WHATIF_KEPT * 2, sizeof(*w->slots))) == NULL)
		abort();
	w->running = running;
	w->candidate = candidate;
	w->now = now;
	w->old = matcher_new(running);
	w->new = matcher_new(candidate);
	return w;
}

void whatif_free(struct whatif *w)
{
	if (w == NULL)
		return;
	matcher_free(w->old);
	matcher_free(w->new);
	free(w->groups);
	free(w->slots);
	free(w);
}

/* -- one record -------------------------------------------------------------------------------------------------- */

static struct group *find_group(struct whatif *w, const struct key *k)
{
	size_t mask = (size_t)WHATIF_KEPT * 2 - 1;
	size_t i = siphash(siphash_key(), k, sizeof(*k)) & mask;

	for (; w->slots[i] != 0; i = (i + 1) & mask)
		if (memcmp(&w->groups[w->slots[i] - 1].key, k, sizeof(*k)) == 0)
			return &w->groups[w->slots[i] - 1];
	if (w->n == WHATIF_KEPT)
		return NULL;
	w->slots[i] = (uint32_t)++w->n;
	w->groups[w->n - 1].key = *k;
	w->sums[k->outcome]++;
	return &w->groups[w->n - 1];
}

static bool passes(const struct decision *d)
{
	return d->verdict != VERDICT_DROP;
}

/* Do the answers differ, and how? OUTCOMES: they do not. */
static enum outcome compare(const struct decision *a, const struct decision *b, unsigned recorded)
{
	bool verified = recorded == REASON_APP_MISMATCH || recorded == REASON_UNFITTING;

	if (!passes(a) && passes(b))
		return OUTCOME_PASSES;
	/* Refused by verification, which the other policy does not ask for. */
	if (verified && a->verdict == VERDICT_INSPECT && b->verdict == VERDICT_ALLOW)
		return OUTCOME_PASSES;
	if (passes(a) && !passes(b))
		return OUTCOME_CLOSES;
	return !passes(a) && !passes(b) && a->reason != b->reason ? OUTCOME_REASON : OUTCOMES;
}

/* The same weekday and time within the week from now on. */
static struct wall again(struct wall now, int64_t then)
{
	const int64_t week = 7 * 24 * 3600;
	int64_t since = now.sec > then ? now.sec - then : 0;

	return (struct wall){then + (since + week - 1) / week * week};
}

static struct question question_of(const struct msg_drop_row *d)
{
	struct question q = {.proto = d->proto, .dport = d->dport, .has_port = true, .has_mac = d->has_mac != 0};

	q.src.family = q.dst.family = d->family;
	memcpy(q.src.b, d->src, addr_len(d->family));
	memcpy(q.dst.b, d->dst, addr_len(d->family));
	memcpy(q.mac.b, d->src_mac, sizeof(q.mac.b));
	q.sport = d->sport;
	return q;
}

/* Refusals that another policy could have made otherwise; the others are of the packet itself, or of the moment. */
static bool is_of_policy(uint32_t reason)
{
	static const uint8_t reasons[] = {REASON_NO_RULE, REASON_FORBIDDEN_PAIR, REASON_SPOOF, REASON_MAC,
		REASON_NO_ROUTE, REASON_TO_GATEWAY, REASON_ONE_WAY, REASON_NO_INSPECTOR, REASON_NO_MAIL_GATE,
		REASON_APP_MISMATCH, REASON_UNFITTING};

	for (size_t i = 0; i < sizeof(reasons); i++)
		if (reasons[i] == reason)
			return true;
	return false;
}

static bool is_judged(const struct msg_drop_row *d)
{
	uint8_t whole = d->family == 4 ? 32 : 128;

	if (!is_of_policy(d->reason))
		return false;

	return d->loss == MSG_LOSS_NONE && (d->family == 4 || d->family == 6) && (d->src_len == 0 || d->src_len == whole) &&
	       (d->dst_len == 0 || d->dst_len == whole);
}

void whatif_take(struct whatif *w, const struct msg_drop_row *d)
{
	int64_t first = d->first_ns / 1000000000, last = d->last_ns / 1000000000;
	struct decision a, b;

	w->records++;
	w->packets += d->loss == MSG_LOSS_FOUND ? 0 : d->count;
	w->oldest = w->oldest == 0 || (first > 0 && first < w->oldest) ? first : w->oldest;
	if (!is_judged(d)) {
		w->unlike++;
		return;
	}
	struct question q = question_of(d);
	matcher_decide(w->old, &q, again(w->now, last), &a);
	matcher_decide(w->new, &q, again(w->now, last), &b);
	enum outcome outcome = compare(&a, &b, d->reason);
	if (outcome == OUTCOMES)
		return;
	struct key k;
	memset(&k, 0, sizeof(k));
	k.src = q.src;
	k.dst = q.dst;
	k.proto = q.proto;
	k.dport = q.dport;
	k.outcome = (uint8_t)outcome;
	k.verdict = (uint8_t)b.verdict;
	k.recorded = (uint8_t)d->reason;
	k.was = passes(&a) ? 0 : (uint8_t)a.reason;
	k.now = passes(&b) ? 0 : (uint8_t)b.reason;
	k.rule = passes(&b) ? b.rule : passes(&a) ? a.rule : IR_NONE;
	struct group *g = find_group(w, &k);
	w->sum_packets[outcome] += d->count;
	if (g == NULL) {
		w->not_kept++;
		return;
	}
	g->packets += d->count;
	g->records++;
	g->first = g->first == 0 || first < g->first ? first : g->first;
	g->last = last > g->last ? last : g->last;
}

/* -- where they come from ---------------------------------------------------------------------------------------- */

static bool take_row(void *arg, const struct msg *m)
{
	whatif_take(arg, &m->u.msg_drop_row);
	return true;
}

int whatif_query(struct whatif *w, struct console *c, unsigned days)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS, .port = MSG_ANY_PORT, .limit = WHATIF_ROWS};
	struct msg_end end;

	q.since = w->now.sec - (int64_t)days * 24 * 3600;
	int code = log_query(c, &q, MSG_DROP_ROW, take_row, w, &end);
	w->more = end.more != 0;
	return code;
}

bool whatif_differs(const struct whatif *w)
{
	return w->n > 0;
}

/* -- what comes of it -------------------------------------------------------------------------------------------- */

static int by_packets(const void *pa, const void *pb)
{
	const struct group *a = *(const struct group *const *)pa, *b = *(const struct group *const *)pb;

	if (a->packets != b->packets)
		return a->packets > b->packets ? -1 : 1;
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

/* The groups of one outcome, most packets first, in *ret (to be freed); how many. */
static size_t sorted(const struct whatif *w, enum outcome outcome, const struct group ***ret)
{
	size_t n = 0;

	*ret = calloc(w->n + 1, sizeof(const struct group *));
	if (*ret == NULL)
		abort();
	for (size_t i = 0; i < w->n; i++)
		if (w->groups[i].key.outcome == outcome)
			(*ret)[n++] = &w->groups[i];
	qsort(*ret, n, sizeof(**ret), by_packets);
	return n;
}

static const char *host_name(const struct ir *ir, const struct matcher *m, const struct addr *a)
{
	uint32_t host = matcher_host(m, a);

	return host == IR_NONE ? "" : ir_text(ir, ir->hosts[host].name);
}

static void put_end(struct buf *b, const struct whatif *w, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	const char *name = host_name(w->candidate, w->new, a);

	buf_adds(b, addr_format(a, text));
	if (name[0] != '\0')
		buf_printf(b, " (%s)", name);
}

static const char *rule_name(const struct whatif *w, const struct key *k)
{
	const struct ir *ir = k->outcome == OUTCOME_CLOSES ? w->running : w->candidate;

	return k->rule == IR_NONE || k->rule >= ir->nrules ? "" : ir_text(ir, ir->rules[k->rule].name);
}

static void put_what(struct buf *b, const struct whatif *w, const struct key *k)
{
	if (k->outcome == OUTCOME_PASSES && k->verdict == VERDICT_INSPECT)
		buf_printf(b, _("%s, to be verified by %s"), reason_word(k->recorded), rule_name(w, k));
	else if (k->outcome == OUTCOME_PASSES && k->verdict == VERDICT_MAIL)
		buf_printf(b, _("%s, by the mail gate, %s"), reason_word(k->recorded), rule_name(w, k));
	else if (k->outcome == OUTCOME_PASSES)
		buf_printf(b, _("%s, allowed by %s"), reason_word(k->recorded), rule_name(w, k));
	else if (k->outcome == OUTCOME_CLOSES)
		buf_printf(b, _("%s until now in spite of %s; then %s"), reason_word(k->recorded), rule_name(w, k), reason_word(k->now));
	else
		buf_printf(b, _("%s; then %s"), reason_word(k->was), reason_word(k->now));
}

static void put_group(struct buf *out, const struct whatif *w, const struct group *g)
{
	struct buf line = {0};
	char last[32];

	buf_printf(&line, "%s %6llu  ", log_time_short(g->last, last), (unsigned long long)g->packets);
	put_end(&line, w, &g->key.src);
	buf_adds(&line, " -> ");
	put_end(&line, w, &g->key.dst);
	buf_addc(&line, ' ');
	words_service(&line, g->key.proto, g->key.dport, true);
	buf_adds(&line, " [");
	put_what(&line, w, &g->key);
	buf_addc(&line, ']');
	text_spaces(out, 2);
	text_wrap(out, buf_str(&line), 2, 6);
	buf_addc(out, '\n');
	buf_free(&line);
}

static void put_outcome(struct buf *out, const struct whatif *w, enum outcome outcome, const char *heading)
{
	const struct group **v;
	size_t n = sorted(w, outcome, &v);

	if (n > 0) {
		buf_printf(out, "%s: ", heading);
		buf_printf(out, _("%llu flows, %llu packets"), (unsigned long long)w->sums[outcome],
			(unsigned long long)w->sum_packets[outcome]);
		buf_addc(out, '\n');
	}
	for (size_t i = 0; i < n && i < WHATIF_SHOWN; i++)
		put_group(out, w, v[i]);
	if (n > WHATIF_SHOWN) {
		text_spaces(out, 2);
		buf_printf(out, _("and %zu more"), n - WHATIF_SHOWN);
		buf_addc(out, '\n');
	}
	free(v);
}

/* A sentence, wrapped, on lines of its own. */
static void put_sentence(struct buf *out, struct buf *text)
{
	text_wrap(out, buf_str(text), 0, 4);
	buf_addc(out, '\n');
	buf_free(text);
}

static void put_seen(struct buf *out, const struct whatif *w)
{
	struct buf seen = {0}, unlike = {0};
	char oldest[32];

	buf_printf(&seen, _("%llu records of blocked packets (%llu packets) since %s were looked at"), (unsigned long long)w->records,
		(unsigned long long)w->packets, log_time_long(w->oldest, oldest));
	put_sentence(out, &seen);
	if (w->more)
		buf_printf(out, "%s\n", _("There are older ones that were not looked at."));
	buf_printf(&unlike,
		_("%llu of them are not judged: a policy has no say in their reason, or they stand for many ends or lost records."),
		(unsigned long long)w->unlike);
	if (w->unlike > 0)
		put_sentence(out, &unlike);
	buf_free(&unlike);
}

void whatif_text(struct whatif *w, struct buf *out)
{
	if (w->records == 0)
		buf_printf(out, "%s\n", _("There are no records of blocked packets."));
	else
		put_seen(out, w);
	if (w->malformed > 0) {
		buf_printf(out, _("%llu lines are no records of blocked packets."), (unsigned long long)w->malformed);
		buf_addc(out, '\n');
	}
	put_outcome(out, w, OUTCOME_PASSES, _("Would pass"));
	put_outcome(out, w, OUTCOME_CLOSES, _("Would be blocked by the policy too"));
	put_outcome(out, w, OUTCOME_REASON, _("Would be blocked for another reason"));
	if (w->not_kept > 0) {
		buf_printf(out, _("%llu records more differ that had no place in the table."), (unsigned long long)w->not_kept);
		buf_addc(out, '\n');
	}
	if (w->n == 0 && w->records > 0)
		buf_printf(out, "%s\n", _("All of them would be blocked as before."));
}

static void json_group(struct json *j, const struct whatif *w, const struct group *g)
{
	static const char *const verdicts[] = {[VERDICT_DROP] = "drop",
		[VERDICT_ALLOW] = "allow",
		[VERDICT_INSPECT] = "inspect",
		[VERDICT_MAIL] = "mail"};
	char text[ADDR_TEXT_MAX], when[CLOCK_TEXT_MAX];
	const char *rule = rule_name(w, &g->key);
	struct buf service = {0};

	words_service(&service, g->key.proto, g->key.dport, true);
	json_object(j, NULL);
	json_str(j, "src", addr_format(&g->key.src, text));
	json_str(j, "src_host", host_name(w->candidate, w->new, &g->key.src));
	json_str(j, "dst", addr_format(&g->key.dst, text));
	json_str(j, "dst_host", host_name(w->candidate, w->new, &g->key.dst));
	json_str(j, "service", buf_str(&service));
	json_uint(j, "packets", g->packets);
	json_uint(j, "records", g->records);
	json_str(j, "first", log_time(g->first, when));
	json_str(j, "last", log_time(g->last, when));
	json_str(j, "recorded", reason_word(g->key.recorded));
	json_str(j, "verdict", verdicts[g->key.verdict]);
	json_str(j, "rule", rule[0] == '\0' ? NULL : rule);
	json_str(j, "reason", g->key.now == 0 ? NULL : reason_word(g->key.now));
	json_object_end(j);
	buf_free(&service);
}

static void json_outcome(struct json *j, const struct whatif *w, enum outcome outcome, const char *key)
{
	const struct group **v;
	size_t n = sorted(w, outcome, &v);

	json_array(j, key);
	for (size_t i = 0; i < n && i < 1000; i++)
		json_group(j, w, v[i]);
	json_array_end(j);
	free(v);
}

void whatif_json(struct whatif *w, struct json *j)
{
	char when[CLOCK_TEXT_MAX];

	json_uint(j, "records", w->records);
	json_uint(j, "packets", w->packets);
	json_str(j, "oldest", log_time(w->oldest, when));
	json_bool(j, "more", w->more);
	json_uint(j, "not_judged", w->unlike);
	json_uint(j, "not_kept", w->not_kept);
	json_uint(j, "malformed", w->malformed);
	json_uint(j, "passes_flows", w->sums[OUTCOME_PASSES]);
	json_uint(j, "passes_packets", w->sum_packets[OUTCOME_PASSES]);
	json_uint(j, "closes_flows", w->sums[OUTCOME_CLOSES]);
	json_uint(j, "closes_packets", w->sum_packets[OUTCOME_CLOSES]);
	json_uint(j, "reasons_flows", w->sums[OUTCOME_REASON]);
	json_uint(j, "reasons_packets", w->sum_packets[OUTCOME_REASON]);
	json_outcome(j, w, OUTCOME_PASSES, "passes");
	json_outcome(j, w, OUTCOME_CLOSES, "closes");
	json_outcome(j, w, OUTCOME_REASON, "reasons");
}

/* -- records as text --------------------------------------------------------------------------------------------- */

static bool read_address(const struct json_value *v, const char *key, struct msg_drop_row *d, uint8_t bytes[16])
{
	const char *text = json_member_text(v, key);
	struct addr a;

	if (text == NULL || !addr_parse(text, &a) || (d->family != 0 && d->family != a.family))
		return false;
	d->family = a.family;
	memcpy(bytes, a.b, sizeof(a.b));
	return true;
}

static bool read_service(const struct json_value *v, struct msg_drop_row *d)
{
	const char *protocol = json_member_text(v, "protocol");
	struct question q = {0};

	if (protocol == NULL || !words_parse_service(protocol, d->family, &q))
		return false;
	d->proto = q.proto;
	if (d->proto == IPPROTO_ICMP || d->proto == IPPROTO_ICMPV6)
		d->dport = (uint16_t)((json_member_number(v, "icmp_type") & 0xff) << 8 |
				      (json_member_number(v, "icmp_code") & 0xff));
	else
		d->dport = (uint16_t)json_member_number(v, "dport");
	d->sport = (uint16_t)json_member_number(v, "sport");
	return json_member_number(v, "dport") <= UINT16_MAX && json_member_number(v, "sport") <= UINT16_MAX;
}

static bool read_time(const struct json_value *v, const char *key, int64_t *ret_ns)
{
	const char *text = json_member_text(v, key);
	struct wall w;

	if (text == NULL || !clock_parse(text, &w) || w.sec < 0 || w.sec > INT64_MAX / 1000000000)
		return false;
	*ret_ns = w.sec * 1000000000;
	return true;
}

/* One object of `sekisho log drops --json`. */
static bool read_drop(const struct json_value *v, struct msg_drop_row *d)
{
	const char *mac = json_member_text(v, "src_mac"), *loss = json_member_text(v, "loss"),
		   *reason = json_member_text(v, "reason");
	struct mac m;

	*d = (struct msg_drop_row){.count = json_member_number(v, "count")};
	d->reason = reason == NULL ? REASON_NONE : reason_find(reason);
	if (loss != NULL) {
		d->loss = strcmp(loss, "found") == 0 ? MSG_LOSS_FOUND : MSG_LOSS_LOST;
		return d->reason != REASON_NONE;
	}
	if (mac != NULL && mac_parse(mac, &m)) {
		d->has_mac = 1;
		memcpy(d->src_mac, m.b, sizeof(m.b));
	}
	return d->reason != REASON_NONE && read_time(v, "first", &d->first_ns) && read_time(v, "last", &d->last_ns) &&
	       read_address(v, "src", d, d->src) && read_address(v, "dst", d, d->dst) && read_service(v, d);
}

void whatif_read(struct whatif *w, const char *text, size_t n)
{
	for (const char *p = text, *end = text + n; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl == NULL ? end : nl;
		struct arena *arena = arena_new();
		struct msg_drop_row d;
		if (arena == NULL)
			abort();
		const struct json_value *v = stop > p ? json_read(arena, p, (size_t)(stop - p)) : NULL;
		if (v != NULL && v->kind == JSON_OBJECT && read_drop(v, &d))
			whatif_take(w, &d);
		else if (stop > p)
			w->malformed++;
		arena_free(arena);
		p = nl == NULL ? end : nl + 1;
	}
}
