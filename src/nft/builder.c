/*
 * builder.c: chains, rules and statements, appended one by one (see builder.h).
 */
#include "builder.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#define PUSH(a, items, n, cap) arena_push((a), (void **)&(items), &(n), &(cap), sizeof(*(items)))

struct chain *chain_new(struct ruleset *rs, const char *name)
{
	struct chain *c = ARENA_NEW(rs->arena, struct chain);
	struct chain **slot = PUSH(rs->arena, rs->chains, rs->nchains, rs->chains_cap);

	c->name = arena_strdup(rs->arena, name);
	c->index = (uint32_t)rs->nchains - 1;
	*slot = c;
	return c;
}

struct chain *chain_base(struct ruleset *rs, const char *name, uint8_t hook, int32_t priority, bool policy_drop)
{
	struct chain *c = chain_new(rs, name);

	c->base = true;
	c->hook = hook;
	c->priority = priority;
	c->policy_drop = policy_drop;
	return c;
}

struct rule *rule_new(struct ruleset *rs, struct chain *c)
{
	return PUSH(rs->arena, c->rules, c->nrules, c->rules_cap);
}

struct rb on(struct ruleset *rs, struct chain *c)
{
	return (struct rb){rs, rule_new(rs, c)};
}

static struct stmt *add(struct rb r, enum stmt_kind kind)
{
	struct stmt *s = PUSH(r.rs->arena, r.rule->stmts, r.rule->nstmts, r.rule->cap);

	s->kind = (uint8_t)kind;
	return s;
}

static struct stmt *add_key(struct rb r, enum stmt_kind kind, const enum field *fields, const struct set *set)
{
	struct stmt *s = add(r, kind);

	for (; fields[s->nparts] != F_END; s->nparts++) {
		assert(s->nparts < SET_FIELDS_MAX);
		s->part[s->nparts].field = (uint8_t)fields[s->nparts];
	}
	assert(set == NULL || set->nfields == s->nparts);
	s->set = set;
	return s;
}

struct rb match(struct rb r, enum field f, enum cmp_op op, uint32_t number)
{
	struct stmt *s = add_key(r, S_MATCH, FIELDS(f), NULL);

	s->op = (uint8_t)op;
	value_from_number(field_type(f), number, s->value);
	return r;
}

struct rb match_masked(struct rb r, enum field f, uint32_t mask, enum cmp_op op, uint32_t number)
{
	struct stmt *s = add_key(r, S_MATCH, FIELDS(f), NULL);

	s->op = (uint8_t)op;
	s->masked = true;
	value_from_number(field_type(f), mask, s->mask);
	value_from_number(field_type(f), number, s->value);
	return r;
}

struct rb match_bytes(struct rb r, enum field f, enum cmp_op op, const void *bytes)
{
	struct stmt *s = add_key(r, S_MATCH, FIELDS(f), NULL);

	s->op = (uint8_t)op;
	memcpy(s->value, bytes, datatype(field_type(f))->len);
	return r;
}

struct rb family(struct rb r, uint8_t fam)
{
	return is(r, F_NFPROTO, fam == 4 ? 2 : 10);
}

static struct rb name_match(struct rb r, enum field f, const char *name)
{
	char padded[LIMIT_IFNAME] = "";

	memcpy(padded, name, strnlen(name, sizeof(padded) - 1));
	return match_bytes(r, f, OP_EQ, padded);
}

struct rb iif(struct rb r, const char *name)
{
	return name_match(r, F_IIFNAME, name);
}

struct rb oif(struct rb r, const char *name)
{
	return name_match(r, F_OIFNAME, name);
}

struct rb in(struct rb r, const enum field *fields, const struct set *s)
{
	add_key(r, S_IN, fields, s);
	return r;
}

struct rb not_in(struct rb r, const enum field *fields, const struct set *s)
{
	add_key(r, S_IN, fields, s)->op = OP_NEQ;
	return r;
}

struct rb not_in_masked(struct rb r, enum field f, uint32_t mask, const struct set *s)
{
	struct stmt *st = add_key(r, S_IN, FIELDS(f), s);

	st->op = OP_NEQ;
	st->masked = true;
	value_from_number(field_type(f), mask, st->mask);
	return r;
}

void vmap(struct rb r, const enum field *fields, const struct set *s)
{
	add_key(r, S_VMAP, fields, s);
}

void vmap_masked(struct rb r, enum field f, uint32_t mask, const struct set *s)
{
	struct stmt *st = add_key(r, S_VMAP, FIELDS(f), s);

	st->masked = true;
	value_from_number(field_type(f), mask, st->mask);
}

struct rb map_mark(struct rb r, const enum field *fields, const struct set *s)
{
	add_key(r, S_MAPMARK, fields, s);
	return r;
}

struct rb set_mark(struct rb r, uint32_t value)
{
	add(r, S_SETMARK)->b = value;
	return r;
}

struct rb set_ctmark(struct rb r, enum field from, uint32_t mask, uint32_t value)
{
	struct stmt *s = add_key(r, S_CTMARK, FIELDS(from), NULL);

	s->a = mask;
	s->b = value;
	return r;
}

struct rb set_mark_bits(struct rb r, enum field from, uint32_t mask, uint32_t value)
{
	struct stmt *s = add_key(r, S_REMARK, FIELDS(from), NULL);

	s->a = mask;
	s->b = value;
	return r;
}

struct rb add_to(struct rb r, const enum field *fields, const struct set *s)
{
	add_key(r, S_UPDATE, fields, s)->sub = UPDATE_ADD;
	return r;
}

/* An IPv6 neighbour can take any address of its /64: count those as one source. */
static void widen_sources(struct stmt *s)
{
	for (unsigned i = 0; i < s->nparts; i++)
		if (s->part[i].field == F_SADDR6)
			s->part[i].prefix = 64;
}

struct rb in_by_network(struct rb r, const enum field *fields, const struct set *s)
{
	widen_sources(add_key(r, S_IN, fields, s));
	return r;
}

struct rb over_rate(struct rb r, const enum field *fields, const struct set *s, uint32_t rate, uint32_t burst)
{
	struct stmt *st = add_key(r, S_UPDATE, fields, s);

	st->sub = UPDATE_LIMIT;
	st->a = rate;
	st->b = burst;
	widen_sources(st);
	return r;
}

struct rb over_minute(struct rb r, const enum field *fields, const struct set *s, uint32_t rate, uint32_t burst)
{
	over_rate(r, fields, s, rate, burst);
	r.rule->stmts[r.rule->nstmts - 1].per_minute = true;
	return r;
}

struct rb take_from(struct rb r, const enum field *fields, const struct set *s)
{
	add_key(r, S_UPDATE, fields, s)->sub = UPDATE_REMOVE;
	return r;
}

struct rb remove_from(struct rb r, const enum field *fields, const struct set *s)
{
	struct stmt *st = add_key(r, S_UPDATE, fields, s);

	st->sub = UPDATE_REMOVE;
	widen_sources(st);
	return r;
}

struct rb over_count(struct rb r, const enum field *fields, const struct set *s, uint32_t count_max)
{
	struct stmt *st = add_key(r, S_UPDATE, fields, s);

	st->sub = UPDATE_COUNT;
	st->a = count_max;
	widen_sources(st);
	return r;
}

static struct rb limit(struct rb r, bool over, uint32_t rate, uint32_t burst)
{
	struct stmt *s = add(r, S_LIMIT);

	s->sub = over;
	s->a = rate;
	s->b = burst;
	return r;
}

struct rb limit_to(struct rb r, uint32_t rate, uint32_t burst)
{
	return limit(r, false, rate, burst);
}

struct rb over_limit(struct rb r, uint32_t rate, uint32_t burst)
{
	return limit(r, true, rate, burst);
}

struct rb count(struct rb r, const char *counter)
{
	add(r, S_COUNTER)->name = counter;
	return r;
}

void queue_to(struct rb r, uint32_t number)
{
	struct stmt *s = add(r, S_QUEUE);

	s->a = number;
	s->sub = (r.rs->opt.capabilities & CAP_QUEUE) == 0;
}

void reset(struct rb r)
{
	add(r, S_RESET);
}

struct rb turn_to(struct rb r, uint16_t port)
{
	add(r, S_TURN)->a = port;
	return r;
}

void log_to(struct rb r, uint32_t group)
{
	struct stmt *s = add(r, S_LOG);

	s->a = group;
	s->b = 128;
}

void clamp_mss(struct rb r, uint32_t mss)
{
	add(r, S_MSS)->a = mss;
}

static void end(struct rb r, enum verdict_kind v, struct chain *c)
{
	struct stmt *s = add(r, S_VERDICT);

	s->sub = (uint8_t)v;
	s->chain = c;
}

void let_pass(struct rb r)
{
	end(r, V_ACCEPT, NULL);
}

void drop(struct rb r)
{
	end(r, V_DROP, NULL);
}

void go_back(struct rb r)
{
	end(r, V_RETURN, NULL);
}

void jump(struct rb r, struct chain *c)
{
	end(r, V_JUMP, c);
}

void go(struct rb r, struct chain *c)
{
	end(r, V_GOTO, c);
}

void stop(struct rb r, enum reason why)
{
	end(r, V_GOTO, r.rs->stop[why]);
}

void comment(struct rb r, const char *text)
{
	r.rule->comment = arena_strdup(r.rs->arena, text);
}
