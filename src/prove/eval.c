/*
 * eval.c: symbolic execution of nf_tables rules.
 *
 * The rule of the kernel (nft_do_chain): expressions of a rule run in order over registers; one that does not
 * match ends the rule; a verdict ends the chain, jumps or returns; at the end of a base chain its policy holds.
 * Ours: a register word is a constant, a word of one of the fields of the region, or unknown. Where an outcome
 * depends on a field, the region is cut and each part goes its way; where it depends on the unknown, both ways
 * are followed with the whole region. The part that a lookup did not match keeps the whole region too (it is not
 * cut to the complement): that can only add acceptance, never hide one.
 *
 * Limits: EVAL_STEPS_MAX expressions in all, FORKS_MAX forks on one path, CALLS_MAX nested jumps (the kernel's NFT_JUMP_STACK_SIZE).
 * An expression that is not in dump.c's grammar is a finding and ends the path as if it accepted.
 */
#include "eval.h"

#include <sekisho/arena.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 16
/* Forks on one path: a frame is about 3 KB of stack; a real ruleset forks some hundred times. */
#define FORKS_MAX 2000
#define WORDS 16
/* Base chains of one or two hooks; ours has three and two. More of them are a finding. */
#define BASE_MAX 16

enum word_kind {
	WORD_UNKNOWN,
	WORD_CONST,
	WORD_FIELD,
};

struct word {
	enum word_kind kind;
	uint8_t field, index; /* the index-th four bytes of a field */
	uint8_t b[4];
};

struct frame {
	const struct dump_chain *chain;
	size_t rule;
};

struct state {
	struct region region;
	struct word reg[WORDS];
	struct word meta_mark, ct_mark;
	struct frame at, calls[CALLS_MAX];
	size_t ncalls;
	size_t base; /* position in the hook's order of base chains */
	size_t expr; /* next expression of the current rule */
	uint64_t expires_ms;
};

/* One element with its bounds made explicit. */
struct span {
	const uint8_t *lo, *hi;
	const struct dump_elem *elem;
	uint32_t outcome; /* elements with the same verdict and value share one */
};

struct eval_set {
	struct span *spans;
	size_t n;
	const struct dump_elem **outcomes; /* one element of each */
	size_t noutcomes, outcomes_cap;
};

struct run {
	struct eval *ev;
	const struct scenario *sc;
	const struct dump_chain *base[BASE_MAX];
	size_t nbase;
	unsigned forks;	     /* nested exec() calls */
	uint64_t field_uses; /* how often an outcome depended on the region */
};

static void exec(struct run *run, struct state *s);

size_t field_len(enum field f, uint8_t family)
{
	if (f == FIELD_PORT)
		return 2;
	return f == FIELD_MAC ? 6 : family == 4 ? 4 : 16;
}

struct region region_all(uint8_t family)
{
	struct region r = {0};

	for (enum field f = 0; f < FIELDS; f++)
		memset(r.hi[f], 0xff, field_len(f, family));
	return r;
}

bool region_within(const struct region *inner, const struct region *outer, uint8_t family)
{
	for (enum field f = 0; f < FIELDS; f++) {
		size_t n = field_len(f, family);
		if (memcmp(inner->lo[f], outer->lo[f], n) < 0 || memcmp(inner->hi[f], outer->hi[f], n) > 0)
			return false;
	}
	return true;
}

/* -- sets --------------------------------------------------------------------------------------------- */

static size_t sort_len;

static int by_key(const void *pa, const void *pb)
{
	const struct dump_elem *a = *(const struct dump_elem *const *)pa, *b = *(const struct dump_elem *const *)pb;
	int c = memcmp(a->key, b->key, sort_len);

	return c != 0 ? c : (int)b->interval_end - (int)a->interval_end;
}

/* Sets that keep starts and exclusive ends as separate elements (rbtree): pair them up. */
static void pair_points(struct eval *ev, struct eval_set *es, const struct dump_set *s)
{
	const struct dump_elem **v = ARENA_ARRAY(ev->arena, s->nelems, const struct dump_elem *);

	for (size_t i = 0; i < s->nelems; i++)
		v[i] = &s->elems[i];
	sort_len = s->key_len;
	qsort(v, s->nelems, sizeof(const struct dump_elem *), by_key);
	for (size_t i = 0; i < s->nelems; i++) {
		if (v[i]->interval_end)
			continue;
		uint8_t *hi = arena_alloc(ev->arena, DUMP_KEY_MAX);
		memset(hi, 0xff, s->key_len);
		if (i + 1 < s->nelems) {
			memcpy(hi, v[i + 1]->key, s->key_len);
			for (size_t k = s->key_len; k-- > 0 && hi[k]-- == 0;)
				;
		}
		es->spans[es->n++] = (struct span){v[i]->key, hi, v[i], 0};
	}
}

/* Does the same happen after a match of either element? */
static bool same_outcome(const struct dump_elem *a, const struct dump_elem *b)
{
	if (a->has_verdict != b->has_verdict || a->ndata != b->ndata)
		return false;
	if (a->ndata > 0 && memcmp(a->data, b->data, a->ndata) != 0)
		return false;
	if (!a->has_verdict)
		return true;
	bool named = a->verdict.chain != NULL && b->verdict.chain != NULL;
	return a->verdict.code == b->verdict.code && (a->verdict.chain == NULL) == (b->verdict.chain == NULL) &&
	       (!named || strcmp(a->verdict.chain, b->verdict.chain) == 0);
}

static void find_outcomes(struct eval *ev, struct eval_set *es)
{
	for (size_t i = 0; i < es->n; i++) {
		struct span *sp = &es->spans[i];
		while (sp->outcome < es->noutcomes && !same_outcome(es->outcomes[sp->outcome], sp->elem))
			sp->outcome++;
		if (sp->outcome == es->noutcomes)
			*(const struct dump_elem **)arena_push(ev->arena, (void **)&es->outcomes, &es->noutcomes,
				&es->outcomes_cap, sizeof(*es->outcomes)) = sp->elem;
	}
}

static void prepare_set(struct eval *ev, struct eval_set *es, const struct dump_set *s)
{
	es->spans = ARENA_ARRAY(ev->arena, s->nelems, struct span);
	for (size_t i = 0; i < s->nelems; i++)
		if (s->elems[i].catchall)
			ev->finding = "a set with a catch-all element";
	if (ev->finding != NULL)
		return;
	if ((s->flags & NFT_SET_INTERVAL) != 0 && s->nfields < 2) {
		pair_points(ev, es, s);
		return;
	}
	for (size_t i = 0; i < s->nelems; i++) {
		const struct dump_elem *e = &s->elems[i];
		es->spans[es->n++] = (struct span){e->key, e->end == NULL ? e->key : e->end, e, 0};
	}
}

void eval_init(struct eval *ev, const struct dump *d, struct arena *a)
{
	*ev = (struct eval){.dump = d, .arena = a, .max_steps = EVAL_STEPS_MAX};
	ev->sets = ARENA_ARRAY(a, d->nsets, struct eval_set);
	for (size_t i = 0; i < d->nsets; i++) {
		prepare_set(ev, &ev->sets[i], &d->sets[i]);
		find_outcomes(ev, &ev->sets[i]);
	}
}

/* -- registers ---------------------------------------------------------------------------------------- */

/* The first word of a register number, or WORDS when it is none. */
static size_t reg_word(uint32_t reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (reg - NFT_REG_1) * 4;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return reg - NFT_REG32_00;
	return WORDS;
}

static struct word *reg_at(struct state *s, uint32_t reg, size_t bytes, size_t *ret_n)
{
	size_t w = reg_word(reg), n = (bytes + 3) / 4;

	*ret_n = w >= WORDS ? 0 : w + n > WORDS ? WORDS - w : n;
	return &s->reg[w >= WORDS ? 0 : w];
}

static void load_const(struct state *s, uint32_t reg, const void *p, size_t bytes)
{
	size_t n;
	struct word *w = reg_at(s, reg, bytes, &n);

	for (size_t i = 0; i < n; i++) {
		w[i] = (struct word){.kind = WORD_CONST};
		size_t left = bytes - i * 4;
		memcpy(w[i].b, (const uint8_t *)p + i * 4, left < 4 ? left : 4);
	}
}

static void load_field(struct state *s, uint32_t reg, enum field f, uint8_t family)
{
	size_t n;
	struct word *w = reg_at(s, reg, field_len(f, family), &n);

	for (size_t i = 0; i < n; i++)
		w[i] = (struct word){.kind = WORD_FIELD, .field = (uint8_t)f, .index = (uint8_t)i};
}

/* At least one word; sixteen bytes when the size is not known. */
static void load_unknown(struct state *s, uint32_t reg, size_t bytes)
{
	size_t n;
	struct word *w = reg_at(s, reg, bytes == 0 ? 16 : bytes, &n);

	for (size_t i = 0; i < n; i++)
		w[i] = (struct word){0};
}

static void run_meta(struct run *run, struct state *s, const struct dump_expr *e)
{
	const struct scenario *sc = run->sc;
	uint16_t ether = 1 /* ARPHRD_ETHER */, proto = sc->family == 4 ? 0x0008 : 0xdd86; /* network order */
	uint8_t nfproto = sc->family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	size_t n;

	switch (e->key) {
	case NFT_META_NFPROTO: load_const(s, e->dreg, &nfproto, 1); break;
	case NFT_META_L4PROTO: load_const(s, e->dreg, &sc->l4proto, 1); break;
	case NFT_META_PROTOCOL: load_const(s, e->dreg, &proto, 2); break;
	case NFT_META_IIFNAME: load_const(s, e->dreg, sc->iif, 16); break;
	case NFT_META_OIFNAME: load_const(s, e->dreg, sc->oif, 16); break;
	case NFT_META_IIFTYPE: load_const(s, e->dreg, &ether, 2); break;
	case NFT_META_MARK: *reg_at(s, e->dreg, 4, &n) = s->meta_mark; break;
	default: load_unknown(s, e->dreg, 16); break;
	}
}

/* The field that a conntrack key of the original direction names; FIELDS when it is none. */
static enum field ct_field(const struct dump_expr *e)
{
	bool flip = e->dir == 1;

	switch (e->key) {
	case NFT_CT_SRC:
	case NFT_CT_SRC_IP:
	case NFT_CT_SRC_IP6: return flip ? FIELD_DST : FIELD_SRC;
	case NFT_CT_DST:
	case NFT_CT_DST_IP:
	case NFT_CT_DST_IP6: return flip ? FIELD_SRC : FIELD_DST;
	case NFT_CT_PROTO_DST: return flip ? FIELDS : FIELD_PORT;
	default: return FIELDS;
	}
}

/* Returns false when the kernel would end the rule here: an IPv4 key of an IPv6 flow, or the other way round. */
static bool run_ct(struct run *run, struct state *s, const struct dump_expr *e)
{
	const struct scenario *sc = run->sc;
	bool only4 = e->key == NFT_CT_SRC_IP || e->key == NFT_CT_DST_IP;
	bool only6 = e->key == NFT_CT_SRC_IP6 || e->key == NFT_CT_DST_IP6;
	uint8_t dir = sc->reply;
	enum field f = e->dir == UINT32_MAX ? FIELDS : ct_field(e);
	size_t n;

	bool no_ct = (sc->ct_state & (CT_INVALID | CT_UNTRACKED)) != 0; /* then only the state can be asked for */
	if ((only4 && sc->family != 4) || (only6 && sc->family != 6) || (no_ct && e->key != NFT_CT_STATE))
		return false;
	if (e->key == NFT_CT_STATE)
		load_const(s, e->dreg, &sc->ct_state, 4);
	else if (e->key == NFT_CT_DIRECTION)
		load_const(s, e->dreg, &dir, 1);
	else if (e->key == NFT_CT_MARK)
		*reg_at(s, e->dreg, 4, &n) = s->ct_mark;
	else if (f != FIELDS)
		load_field(s, e->dreg, f, sc->family);
	else
		load_unknown(s, e->dreg, 16);
	return true;
}

static enum field payload_field(const struct scenario *sc, const struct dump_expr *e)
{
	size_t alen = sc->family == 4 ? 4 : 16, src = sc->family == 4 ? 12 : 8;
	bool icmp = sc->l4proto == IPPROTO_ICMP || sc->l4proto == IPPROTO_ICMPV6;

	if (e->key == NFT_PAYLOAD_LL_HEADER && e->offset == 6 && e->len == 6)
		return FIELD_MAC;
	if (e->key == NFT_PAYLOAD_NETWORK_HEADER && e->len == alen && e->offset == src)
		return sc->reply ? FIELD_DST : FIELD_SRC;
	if (e->key == NFT_PAYLOAD_NETWORK_HEADER && e->len == alen && e->offset == src + alen)
		return sc->reply ? FIELD_SRC : FIELD_DST;
	if (e->key == NFT_PAYLOAD_TRANSPORT_HEADER && e->len == 2) {
		if (icmp)
			return e->offset == 0 && !sc->reply ? FIELD_PORT : FIELDS;
		return e->offset == (sc->reply ? 0 : 2) ? FIELD_PORT : FIELDS;
	}
	return FIELDS;
}

static void run_payload(struct run *run, struct state *s, const struct dump_expr *e)
{
	enum field f = payload_field(run->sc, e);

	if (f != FIELDS)
		load_field(s, e->dreg, f, run->sc->family);
	else
		load_unknown(s, e->dreg, e->len);
}

static bool all_bytes(const uint8_t *p, uint8_t v)
{
	return p[0] == v && p[1] == v && p[2] == v && p[3] == v;
}

static void run_bitwise(struct state *s, const struct dump_expr *e)
{
	size_t n, m;
	struct word src[WORDS], *from = reg_at(s, e->sreg, e->len, &n);

	memcpy(src, from, n * sizeof(*src));
	struct word *to = reg_at(s, e->dreg, e->len, &m);
	for (size_t i = 0; i < n && i < m; i++) {
		bool masks = e->op == 0 && e->data != NULL && e->data2 != NULL && e->ndata >= i * 4 + 4;
		if (masks && src[i].kind == WORD_CONST) {
			for (size_t k = 0; k < 4; k++)
				src[i].b[k] = (uint8_t)((src[i].b[k] & e->data[i * 4 + k]) ^ e->data2[i * 4 + k]);
		} else if (masks && all_bytes(e->data + i * 4, 0) && all_bytes(e->data2 + i * 4, 0)) {
			src[i] = (struct word){.kind = WORD_CONST};
		} else if (!masks || !all_bytes(e->data + i * 4, 0xff) || !all_bytes(e->data2 + i * 4, 0)) {
			src[i] = (struct word){0};
		}
		to[i] = src[i];
	}
}

/* -- operands: what a run of words stands for ------------------------------------------------------------ */

enum operand_kind {
	OPERAND_UNKNOWN,
	OPERAND_CONST,
	OPERAND_FIELD,
};

struct operand {
	enum operand_kind kind;
	enum field field;
	uint8_t b[DUMP_KEY_MAX];
};

/* The words from w on that hold `bytes` bytes, as one operand. */
static struct operand operand_of(const struct word *w, size_t bytes, uint8_t family)
{
	struct operand o = {0};
	size_t n = (bytes + 3) / 4;
	bool fields = true, consts = true;

	for (size_t i = 0; i < n; i++) {
		consts = consts && w[i].kind == WORD_CONST;
		fields = fields && w[i].kind == WORD_FIELD && w[i].field == w[0].field && w[i].index == i;
		memcpy(o.b + i * 4, w[i].b, 4);
	}
	if (consts) {
		o.kind = OPERAND_CONST;
	} else if (fields && field_len((enum field)w[0].field, family) == bytes) {
		o.kind = OPERAND_FIELD;
		o.field = (enum field)w[0].field;
	}
	return o;
}

enum match {
	MATCH_NO,
	MATCH_MAYBE,
	MATCH_YES,
};

/* Does the operand lie in [lo, hi]? Cuts the region to the part that does. */
static enum match operand_in(const struct operand *o, const uint8_t *lo, const uint8_t *hi, size_t n,
	struct region *r)
{
	if (o->kind == OPERAND_UNKNOWN)
		return MATCH_MAYBE;
	if (o->kind == OPERAND_CONST)
		return memcmp(lo, o->b, n) <= 0 && memcmp(o->b, hi, n) <= 0 ? MATCH_YES : MATCH_NO;
	uint8_t *rlo = r->lo[o->field], *rhi = r->hi[o->field];
	if (memcmp(lo, rhi, n) > 0 || memcmp(hi, rlo, n) < 0)
		return MATCH_NO;
	bool whole = memcmp(lo, rlo, n) <= 0 && memcmp(hi, rhi, n) >= 0;
	if (memcmp(lo, rlo, n) > 0)
		memcpy(rlo, lo, n);
	if (memcmp(hi, rhi, n) < 0)
		memcpy(rhi, hi, n);
	return whole ? MATCH_YES : MATCH_MAYBE;
}

/* -- comparisons ---------------------------------------------------------------------------------------- */

/* Moves a bound by one; false when it would leave the space. */
static bool step_bytes(uint8_t *b, size_t n, int by)
{
	for (size_t k = n; k-- > 0;) {
		b[k] = (uint8_t)(b[k] + by);
		if (b[k] != (by > 0 ? 0 : 0xff))
			return true;
	}
	return false;
}

/* The values for which `x op data` holds, as a range; false when there are none, or when it is not one range. */
static bool op_range(uint32_t op, const uint8_t *data, size_t n, uint8_t *lo, uint8_t *hi)
{
	memset(lo, 0, n);
	memset(hi, 0xff, n);
	switch (op) {
	case NFT_CMP_EQ:
		memcpy(lo, data, n);
		memcpy(hi, data, n);
		return true;
	case NFT_CMP_LT: memcpy(hi, data, n); return step_bytes(hi, n, -1);
	case NFT_CMP_LTE: memcpy(hi, data, n); return true;
	case NFT_CMP_GT: memcpy(lo, data, n); return step_bytes(lo, n, 1);
	case NFT_CMP_GTE: memcpy(lo, data, n); return true;
	default: return false;
	}
}

static uint32_t op_not(uint32_t op)
{
	static const uint32_t inverse[] = {[NFT_CMP_EQ] = NFT_CMP_NEQ, [NFT_CMP_NEQ] = NFT_CMP_EQ,
		[NFT_CMP_LT] = NFT_CMP_GTE, [NFT_CMP_LTE] = NFT_CMP_GT, [NFT_CMP_GT] = NFT_CMP_LTE,
		[NFT_CMP_GTE] = NFT_CMP_LT};

	return op <= NFT_CMP_GTE ? inverse[op] : op;
}

/* Cuts the region to where `operand op data` holds. NEQ of a field cuts nothing unless the region is that value. */
static enum match cut(const struct operand *o, uint32_t op, const uint8_t *data, size_t n, struct region *r)
{
	uint8_t lo[DUMP_KEY_MAX], hi[DUMP_KEY_MAX];

	if (op == NFT_CMP_NEQ) {
		struct region copy = *r;
		enum match eq = operand_in(o, data, data, n, &copy);
		if (o->kind == OPERAND_CONST)
			return eq == MATCH_YES ? MATCH_NO : MATCH_YES;
		return eq == MATCH_YES ? MATCH_NO : eq == MATCH_NO ? MATCH_YES : MATCH_MAYBE;
	}
	return op_range(op, data, n, lo, hi) ? operand_in(o, lo, hi, n, r) : MATCH_NO;
}

/* Runs the rest on a copy of the state in which the current rule did not match. */
static void fork_next_rule(struct run *run, const struct state *s, const struct region *r)
{
	struct state other = *s;

	other.region = *r;
	other.at.rule++;
	other.expr = 0;
	exec(run, &other);
}

/* Returns whether this path goes on in the rule. The other outcome, where possible, has been run. */
static bool run_cmp(struct run *run, struct state *s, const struct dump_expr *e)
{
	size_t n;
	struct word *w = reg_at(s, e->sreg, e->ndata, &n);

	if (e->data == NULL || e->ndata == 0 || e->ndata > 16 * 4 || n * 4 < e->ndata)
		return true;
	struct operand o = operand_of(w, e->ndata, run->sc->family);
	run->field_uses += o.kind == OPERAND_FIELD;
	struct region yes = s->region, no = s->region;
	enum match m = cut(&o, e->op, e->data, e->ndata, &yes);
	enum match not = cut(&o, op_not(e->op), e->data, e->ndata, &no);
	if (not != MATCH_NO && m != MATCH_NO)
		fork_next_rule(run, s, &no);
	s->region = m == MATCH_NO ? s->region : yes;
	return m != MATCH_NO;
}

static bool run_range(struct run *run, struct state *s, const struct dump_expr *e)
{
	size_t n;
	struct word *w = reg_at(s, e->sreg, e->ndata, &n);

	if (e->data == NULL || e->data2 == NULL || e->ndata == 0 || e->ndata > 16 || n * 4 < e->ndata)
		return true;
	struct operand o = operand_of(w, e->ndata, run->sc->family);
	run->field_uses += o.kind == OPERAND_FIELD;
	struct region in = s->region;
	enum match m = operand_in(&o, e->data, e->data2, e->ndata, &in);
	bool inverted = e->op == NFT_RANGE_NEQ;
	if (m == MATCH_MAYBE) {
		fork_next_rule(run, s, inverted ? &in : &s->region);
		if (!inverted)
			s->region = in;
		return true;
	}
	return (m == MATCH_YES) != inverted;
}

/* -- lookups -------------------------------------------------------------------------------------------- */

/* How the key's words fall into operands: by the set's own fields, or by what the words hold. */
struct layout {
	struct operand op[WORDS];
	size_t off[WORDS], len[WORDS], n;
};

static size_t run_length(const struct word *w, size_t left_bytes, uint8_t family)
{
	if (w->kind == WORD_FIELD && w->index == 0) {
		size_t n = field_len((enum field)w->field, family);
		if (n <= left_bytes)
			return n;
	}
	return left_bytes < 4 ? left_bytes : 4;
}

static struct layout layout_of(const struct dump_set *set, const struct word *w, uint8_t family)
{
	struct layout l = {0};

	for (size_t off = 0; off < set->key_len && l.n < WORDS; l.n++) {
		size_t len;
		if (set->nfields > 1)
			len = l.n < set->nfields ? set->fields[l.n] : set->key_len - off;
		else if ((set->flags & NFT_SET_INTERVAL) != 0)
			len = set->key_len;
		else
			len = run_length(w + off / 4, set->key_len - off, family);
		len = len < set->key_len - off ? len : set->key_len - off;
		l.off[l.n] = off;
		l.len[l.n] = len;
		l.op[l.n] = operand_of(w + off / 4, len, family);
		off += (len + 3) / 4 * 4;
	}
	return l;
}

static enum match span_match(const struct layout *l, const struct span *sp, struct region *r)
{
	enum match all = MATCH_YES;

	for (size_t i = 0; i < l->n; i++) {
		enum match m = operand_in(&l->op[i], sp->lo + l->off[i], sp->hi + l->off[i], l->len[i], r);
		if (m == MATCH_NO)
			return MATCH_NO;
		if (m == MATCH_MAYBE)
			all = MATCH_MAYBE;
	}
	return all;
}

static bool apply(struct run *run, struct state *s, const struct dump_verdict *v);

/* The path on which an element was found, over the region r. dreg: where a map to values puts its value. */
static void run_found(struct run *run, const struct state *s, const struct span *sp, const struct region *r,
	uint32_t dreg)
{
	struct state hit = *s;
	uint64_t end = sp->elem->expires_ms;

	hit.region = *r;
	if (sp->elem->data != NULL)
		load_const(&hit, dreg, sp->elem->data, sp->elem->ndata > 64 ? 64 : sp->elem->ndata);
	if (end != 0 && (hit.expires_ms == 0 || end < hit.expires_ms))
		hit.expires_ms = end;
	if (!sp->elem->has_verdict || apply(run, &hit, &sp->elem->verdict))
		exec(run, &hit);
}

/* What happens after a match, worked out once for all elements with the same verdict and value. */
struct outcome {
	bool known;
	bool alike;	  /* it does not depend on the region, so that it holds for each element */
	bool accepted;
	uint64_t expires_ms; /* of the path beyond the element; the longest, 0 = no end */
};

static void capture(void *arg, const struct region *r, uint64_t expires_ms)
{
	struct outcome *o = arg;

	(void)r;
	bool longer = !o->accepted || expires_ms == 0 || (o->expires_ms != 0 && expires_ms > o->expires_ms);
	o->expires_ms = longer ? expires_ms : o->expires_ms;
	o->accepted = true;
}

static void learn_outcome(struct run *run, const struct state *s, const struct span *sp, uint32_t dreg,
	struct outcome *o)
{
	struct eval *ev = run->ev;
	accept_fn *accept = ev->accept;
	void *arg = ev->arg;
	uint64_t uses = run->field_uses;
	struct dump_elem elem = *sp->elem;
	struct span any = {sp->lo, sp->hi, &elem, 0};

	elem.expires_ms = 0; /* each element's own end is added where the outcome is used */
	ev->accept = capture;
	ev->arg = o;
	run_found(run, s, &any, &s->region, dreg);
	ev->accept = accept;
	ev->arg = arg;
	o->known = true;
	o->alike = run->field_uses == uses;
}

static void use_outcome(struct eval *ev, const struct outcome *o, const struct span *sp, const struct region *r)
{
	uint64_t own = sp->elem->expires_ms, path = o->expires_ms;

	if (o->accepted)
		ev->accept(ev->arg, r, own == 0 || (path != 0 && path < own) ? path : own);
}

/* A few elements are run one by one; of many, each outcome is run once where that is the same. */
#define OUTCOMES_FROM 8
#define OUTCOMES_MAX 64

/* All paths on which something was found; returns whether it is certain that something is. */
static bool run_matches(struct run *run, const struct state *s, const struct eval_set *es, const struct layout *l,
	const struct dump_expr *e)
{
	struct outcome outcomes[OUTCOMES_MAX] = {0};
	bool share = es->n >= OUTCOMES_FROM && es->noutcomes <= OUTCOMES_MAX && !e->invert, certain = false;

	for (size_t i = 0; i < es->n && !certain; i++) {
		const struct span *sp = &es->spans[i];
		struct outcome *o = share ? &outcomes[sp->outcome] : NULL;
		struct region r = s->region;
		enum match m = span_match(l, sp, &r);
		if (m == MATCH_NO)
			continue;
		certain = m == MATCH_YES;
		if (o != NULL && !o->known)
			learn_outcome(run, s, sp, e->dreg, o);
		/* Inverted: found means that the rule does not apply. */
		if (e->invert)
			fork_next_rule(run, s, &r);
		else if (o != NULL && o->alike)
			use_outcome(run->ev, o, sp, &r);
		else
			run_found(run, s, sp, &r, e->dreg);
	}
	return certain;
}

/* Returns whether the path without a match goes on in this rule. */
static bool run_lookup(struct run *run, struct state *s, const struct dump_expr *e)
{
	const struct dump *d = run->ev->dump;
	const struct dump_set *set = e->set == NULL ? NULL : dump_set(d, e->set);
	size_t n;

	if (set == NULL) {
		run->ev->finding = "a lookup in a set that is not there";
		return true;
	}
	struct word *w = reg_at(s, e->sreg, set->key_len, &n);
	const struct eval_set *es = &run->ev->sets[set - d->sets];
	bool empty = run->sc->empty_set != NULL && strcmp(set->name, run->sc->empty_set) == 0;
	if (n * 4 < set->key_len) {
		run->ev->finding = "a lookup beyond the registers";
		return true;
	}
	struct layout l = layout_of(set, w, run->sc->family);
	for (size_t i = 0; i < l.n && es->n > 0; i++)
		run->field_uses += l.op[i].kind == OPERAND_FIELD;
	bool certain = !empty && run_matches(run, s, es, &l, e);
	if (certain) {
		/* No miss is possible: this path ends here. */
		s->at.chain = NULL;
		return false;
	}
	return e->invert;
}

/* -- verdicts and the main walk ----------------------------------------------------------------------------- */

/* Begins the next base chain of the hook, or reports the region as accepted. Returns whether to go on. */
static bool enter_base(struct run *run, struct state *s)
{
	if (s->base >= run->nbase) {
		run->ev->accept(run->ev->arg, &s->region, s->expires_ms);
		return false;
	}
	s->at = (struct frame){run->base[s->base++], 0};
	s->expr = 0;
	s->ncalls = 0;
	return true;
}

static bool end_of_chain(struct run *run, struct state *s)
{
	if (s->ncalls > 0) {
		s->at = s->calls[--s->ncalls];
		s->expr = 0;
		return true;
	}
	/* The base chain whose end this is, also when gotos led away from it. */
	return run->base[s->base - 1]->policy == NF_ACCEPT && enter_base(run, s);
}

/* Does what a verdict says. Returns whether the path goes on. */
static bool apply(struct run *run, struct state *s, const struct dump_verdict *v)
{
	const struct dump_chain *target = v->chain == NULL ? NULL : dump_chain(run->ev->dump, v->chain);

	switch (v->code) {
	case NF_ACCEPT: return enter_base(run, s);
	case NFT_CONTINUE: return true;
	case NFT_RETURN: return end_of_chain(run, s);
	case NFT_JUMP:
		if (s->ncalls == CALLS_MAX) {
			run->ev->finding = "jumps nested too deep";
			return enter_base(run, s);
		}
		s->calls[s->ncalls++] = (struct frame){s->at.chain, s->at.rule + 1};
		break;
	case NFT_GOTO: break;
	default: return false; /* drop */
	}
	if (target == NULL) {
		run->ev->finding = "a jump to a chain that is not there";
		return enter_base(run, s);
	}
	s->at = (struct frame){target, 0};
	s->expr = 0;
	return true;
}

static void run_set(struct state *s, const struct dump_expr *e)
{
	size_t n;
	struct word *w = reg_at(s, e->sreg, 4, &n);

	if (strcmp(e->name, "meta") == 0 && e->key == NFT_META_MARK)
		s->meta_mark = *w;
	else if (strcmp(e->name, "ct") == 0 && e->key == NFT_CT_MARK)
		s->ct_mark = *w;
}

/* An expression that was never seen: say so, and take the worst: the packet may pass. */
static bool run_unknown(struct run *run, struct state *s, const struct dump_expr *e)
{
	if (run->ev->finding == NULL) {
		run->ev->finding = "an expression that the evaluator does not know";
		run->ev->finding_chain = s->at.chain->name;
		run->ev->finding_expr = e->name;
	}
	s->base = run->nbase;
	enter_base(run, s);
	s->at.chain = NULL;
	return false;
}

/* Runs one expression. True: go on with the next one; false: the rule ends, or (at.chain NULL) the path does. */
static bool run_expr(struct run *run, struct state *s, const struct dump_expr *e)
{
	switch (e->kind) {
	case EXPR_LOAD_META: run_meta(run, s, e); return true;
	case EXPR_LOAD_CT: return run_ct(run, s, e);
	case EXPR_LOAD_PAYLOAD: run_payload(run, s, e); return true;
	case EXPR_LOAD_OTHER:
		load_unknown(s, e->dreg, 16);
		fork_next_rule(run, s, &s->region);
		return true;
	case EXPR_BITWISE: run_bitwise(s, e); return true;
	case EXPR_BYTEORDER: load_unknown(s, e->dreg, e->len); return true;
	case EXPR_CMP: return run_cmp(run, s, e);
	case EXPR_RANGE: return run_range(run, s, e);
	case EXPR_LOOKUP: return run_lookup(run, s, e);
	case EXPR_MAYBE: fork_next_rule(run, s, &s->region); return true;
	case EXPR_PASS: return true;
	case EXPR_SET: run_set(s, e); return true;
	case EXPR_IMMEDIATE:
		if (e->data != NULL && !e->has_verdict)
			load_const(s, e->dreg, e->data, e->ndata > 64 ? 64 : e->ndata);
		return true;
	case EXPR_DROP:
	case EXPR_QUEUE: /* to the inspector: not a plain pass */
		s->at.chain = NULL;
		return false;
	case EXPR_UNKNOWN: break;
	}
	return run_unknown(run, s, e);
}

/* Runs the rule at s->at from s->expr on. Returns whether the path goes on (at the next rule or elsewhere). */
static bool run_rule(struct run *run, struct state *s)
{
	const struct dump_rule *rule = &s->at.chain->rules[s->at.rule];

	while (s->expr < rule->nexprs) {
		const struct dump_expr *e = &rule->exprs[s->expr++];
		run->ev->steps++;
		if (e->kind == EXPR_IMMEDIATE && e->has_verdict) {
			if (e->verdict.code != NFT_CONTINUE)
				return apply(run, s, &e->verdict);
		} else if (!run_expr(run, s, e)) {
			if (s->at.chain == NULL)
				return false;
			break;
		}
	}
	s->at.rule++;
	s->expr = 0;
	return true;
}

static void exec(struct run *run, struct state *s)
{
	bool on = true;

	run->forks++;
	while (on) {
		run->ev->steps++;
		if (run->ev->steps > run->ev->max_steps || run->forks > FORKS_MAX) {
			run->ev->finding = "the ruleset is too large to check";
			break;
		}
		on = s->at.rule < s->at.chain->nrules ? run_rule(run, s) : end_of_chain(run, s);
	}
	run->forks--;
}

static int by_priority(const void *pa, const void *pb)
{
	const struct dump_chain *a = *(const struct dump_chain *const *)pa, *b = *(const struct dump_chain *const *)pb;

	return (a->priority > b->priority) - (a->priority < b->priority);
}

/* Appends the base chains of a hook in the order in which the kernel calls them. */
static void add_hook(struct run *run, uint32_t hook)
{
	const struct dump *d = run->ev->dump;
	size_t first = run->nbase;

	for (size_t i = 0; i < d->nchains; i++)
		if (d->chains[i].base && d->chains[i].hook == hook) {
			if (run->nbase == BASE_MAX) {
				run->ev->finding = "too many base chains";
				break;
			}
			run->base[run->nbase++] = &d->chains[i];
		}
	qsort(run->base + first, run->nbase - first, sizeof(run->base[0]), by_priority);
}

void eval_run(struct eval *ev, const struct scenario *sc, const struct region *start)
{
	struct run run = {.ev = ev, .sc = sc};
	struct state s = {.region = *start, .meta_mark = {.kind = WORD_CONST}, .ct_mark = {.kind = WORD_CONST}};

	memcpy(s.ct_mark.b, &sc->ct_mark, 4);
	if (sc->from_prerouting)
		add_hook(&run, NF_INET_PRE_ROUTING);
	add_hook(&run, sc->hook);
	if (enter_base(&run, &s))
		exec(&run, &s);
}
