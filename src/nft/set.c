/*
 * set.c: sets and maps with their elements (see objects.h): building, order, names, text.
 *
 * Elements are kept as one row of key bytes and one row of structs: a policy of 100 k rules is some megabytes,
 * and two rulesets are compared by a merge of sorted rows.
 */
#include "builder.h"

#include <sekisho/addr.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct set *set_new(struct ruleset *rs, const char *name, const enum datatype *types, unsigned flags)
{
	struct set *s = ARENA_NEW(rs->arena, struct set);
	struct set **slot = arena_push(rs->arena, (void **)&rs->sets, &rs->nsets, &rs->sets_cap, sizeof(*rs->sets));

	s->name = arena_strdup(rs->arena, name);
	s->flags = (uint8_t)flags;
	s->made = (flags & (SET_LIVE | SET_DYNAMIC)) != 0 ? 0 : rs->opt.generation;
	for (; types[s->nfields] != TYPE_END; s->nfields++) {
		assert(s->nfields < SET_FIELDS_MAX && datatype(types[s->nfields])->name != NULL);
		s->types[s->nfields] = (uint8_t)types[s->nfields];
		s->klen += (uint32_t)(datatype(types[s->nfields])->len + 3) & ~3u;
	}
	s->index = (uint32_t)rs->nsets - 1;
	*slot = s;
	return s;
}

const char *set_name(const struct set *s, char *buf)
{
	int n = snprintf(buf, SET_NAME_MAX, "%s", s->name);

	if (s->made > 0)
		n += snprintf(buf + n, SET_NAME_MAX - (size_t)n, "_g%u", s->made);
	if (s->again > 0)
		snprintf(buf + n, SET_NAME_MAX - (size_t)n, "_%u", s->again);
	return buf;
}

/* -- keys ------------------------------------------------------------------------------------------------ */

static void key_bytes(struct key *k, const void *p, unsigned n)
{
	unsigned padded = (n + 3) & ~3u;

	assert(k->len + padded <= SET_KEY_MAX);
	memset(k->b + k->len, 0, padded);
	memcpy(k->b + k->len, p, n);
	k->len += padded;
}

void key_number(struct key *k, enum datatype t, uint32_t number)
{
	uint8_t bytes[4] = {0};

	value_from_number(t, number, bytes);
	key_bytes(k, bytes, datatype(t)->len);
}

void key_ifname(struct key *k, const char *name)
{
	char padded[LIMIT_IFNAME] = "";

	memcpy(padded, name, strnlen(name, sizeof(padded) - 1));
	key_bytes(k, padded, sizeof(padded));
}

void key_addr(struct key *k, uint8_t fam, const uint8_t *bytes)
{
	key_bytes(k, bytes, fam == 4 ? 4 : 16);
}

void key_mac(struct key *k, const uint8_t mac[6])
{
	key_bytes(k, mac, 6);
}

/* -- elements -------------------------------------------------------------------------------------------- */

struct elem *set_add(struct set *s, const struct key *lo, const struct key *hi)
{
	assert(lo->len == s->klen && (hi == NULL || hi->len == s->klen));
	buf_add(&s->keys, lo->b, s->klen);
	if ((s->flags & SET_INTERVAL) != 0)
		buf_add(&s->keys, hi != NULL ? hi->b : lo->b, s->klen);
	s->n++;
	struct elem *e = buf_reserve(&s->elems, sizeof(*e));
	e->rule = IR_NONE;
	e->until = INT64_MAX;
	return e;
}

struct elem *set_add_number(struct set *s, uint32_t number)
{
	struct key k = {.len = 0};

	key_number(&k, s->types[0], number);
	return set_add(s, &k, NULL);
}

static int by_key(const void *a, const void *b, void *arg)
{
	const struct set *s = arg;

	return memcmp(set_lo(s, *(const uint32_t *)a), set_lo(s, *(const uint32_t *)b), s->klen);
}

static bool in_order(const struct set *s)
{
	for (uint32_t i = 1; i < s->n; i++)
		if (memcmp(set_lo(s, i - 1), set_lo(s, i), s->klen) > 0)
			return false;
	return true;
}

void set_sort(struct set *s)
{
	struct buf keys = {0}, elems = {0};
	size_t width = (size_t)s->klen * ((s->flags & SET_INTERVAL) != 0 ? 2 : 1);

	if (in_order(s))
		return;
	uint32_t *order = calloc(s->n, sizeof(*order));
	if (order == NULL)
		abort();
	for (uint32_t i = 0; i < s->n; i++)
		order[i] = i;
	qsort_r(order, s->n, sizeof(*order), by_key, s);
	for (uint32_t i = 0; i < s->n; i++) {
		buf_add(&keys, set_lo(s, order[i]), width);
		buf_add(&elems, set_elem(s, order[i]), sizeof(struct elem));
	}
	free(order);
	buf_free(&s->keys);
	buf_free(&s->elems);
	s->keys = keys;
	s->elems = elems;
}

/* -- text ------------------------------------------------------------------------------------------------ */

static void range_text(enum datatype t, const uint8_t *lo, const uint8_t *hi, struct buf *out)
{
	char text[ADDR_TEXT_MAX];
	size_t len = datatype(t)->len;

	if (memcmp(lo, hi, len) == 0) {
		value_text(t, lo, out);
	} else if (t == TYPE_ADDR4 || t == TYPE_ADDR6) {
		struct addr_range r = {{.family = t == TYPE_ADDR4 ? 4 : 6}, {.family = t == TYPE_ADDR4 ? 4 : 6}};
		memcpy(r.lo.b, lo, len);
		memcpy(r.hi.b, hi, len);
		buf_adds(out, range_format(&r, text));
	} else {
		value_text(t, lo, out);
		buf_addc(out, '-');
		value_text(t, hi, out);
	}
}

void set_key_text(const struct set *s, uint32_t i, struct buf *out)
{
	const uint8_t *lo = set_lo(s, i), *hi = set_hi(s, i);

	for (unsigned f = 0; f < s->nfields; f++) {
		unsigned padded = (unsigned)(datatype(s->types[f])->len + 3) & ~3u;
		if (f > 0)
			buf_adds(out, " . ");
		range_text(s->types[f], lo, hi, out);
		lo += padded;
		hi += padded;
	}
}

const char *elem_rule(const struct ruleset *rs, const struct elem *e)
{
	return rs != NULL && rs->ir != NULL && e->rule < rs->ir->nrules ? ir_text(rs->ir, rs->ir->rules[e->rule].name) : "";
}

/* nft takes no more than 2^31 of one unit. */
static void duration_text(int64_t seconds, struct buf *out)
{
	buf_printf(out, " timeout %lldd%lldh%lldm%llds", (long long)(seconds / 86400), (long long)(seconds / 3600 % 24),
		(long long)(seconds / 60 % 60), (long long)(seconds % 60));
}

void elem_text(const struct ruleset *rs, const struct set *s, uint32_t i, struct buf *out)
{
	const struct elem *e = set_elem(s, i);
	const char *rule = elem_rule(rs, e);

	set_key_text(s, i, out);
	if (e->until != INT64_MAX)
		duration_text(e->until - rs->now.sec, out);
	if (*rule != '\0')
		buf_printf(out, " comment \"%s\"", rule);
	if ((s->flags & SET_MARKS) != 0) {
		buf_printf(out, " : 0x%08x", e->mark);
	} else if ((s->flags & SET_VERDICTS) != 0) {
		buf_printf(out, " : %s%s", e->chain != NULL ? "goto " : "accept", e->chain != NULL ? e->chain->name : "");
	}
}
