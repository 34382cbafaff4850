/*
 * compare.c: comparisons of registers with constants: a field of the region is cut, the unknown goes both ways.
 */
#include "state.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* The words from w on that hold `bytes` bytes, as one operand. */
struct operand compare_operand(const struct word *w, size_t bytes, uint8_t family)
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

/* Does the operand lie in [lo, hi]? Cuts the region to the part that does. */
enum match compare_in(const struct operand *o, const uint8_t *lo, const uint8_t *hi, size_t n,
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
		enum match eq = compare_in(o, data, data, n, &copy);
		if (o->kind == OPERAND_CONST)
			return eq == MATCH_YES ? MATCH_NO : MATCH_YES;
		return eq == MATCH_YES ? MATCH_NO : eq == MATCH_NO ? MATCH_YES : MATCH_MAYBE;
	}
	return op_range(op, data, n, lo, hi) ? compare_in(o, lo, hi, n, r) : MATCH_NO;
}

/* Returns whether this path goes on in the rule. The other outcome, where possible, has been run. */
bool compare_cmp(struct run *run, struct state *s, const struct dump_expr *e)
{
	size_t n;
	struct word *w = load_words(s, e->sreg, e->ndata, &n);

	if (e->data == NULL || e->ndata == 0 || e->ndata > 16 * 4 || n * 4 < e->ndata)
		return true;
	struct operand o = compare_operand(w, e->ndata, run->sc->family);
	run->field_uses += o.kind == OPERAND_FIELD;
	struct region yes = s->region, no = s->region;
	enum match m = cut(&o, e->op, e->data, e->ndata, &yes);
	enum match not = cut(&o, op_not(e->op), e->data, e->ndata, &no);
	if (not != MATCH_NO && m != MATCH_NO)
		eval_fork(run, s, &no);
	s->region = m == MATCH_NO ? s->region : yes;
	return m != MATCH_NO;
}

bool compare_range(struct run *run, struct state *s, const struct dump_expr *e)
{
	size_t n;
	struct word *w = load_words(s, e->sreg, e->ndata, &n);

	if (e->data == NULL || e->data2 == NULL || e->ndata == 0 || e->ndata > 16 || n * 4 < e->ndata)
		return true;
	struct operand o = compare_operand(w, e->ndata, run->sc->family);
	run->field_uses += o.kind == OPERAND_FIELD;
	struct region in = s->region;
	enum match m = compare_in(&o, e->data, e->data2, e->ndata, &in);
	bool inverted = e->op == NFT_RANGE_NEQ;
	if (m == MATCH_MAYBE) {
		eval_fork(run, s, inverted ? &in : &s->region);
		if (!inverted)
			s->region = in;
		return true;
	}
	return (m == MATCH_YES) != inverted;
}
