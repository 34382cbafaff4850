/*
 * load.c: the evaluator's registers: sixteen words of four bytes, as the kernel has them, and what fills them.
 *
 * A word is a constant (given by the scenario), a word of one of the fields of the region, or unknown.
 */
#include "state.h"

#include <netinet/in.h> /* before linux/: the two share names */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* The first word of a register number, or WORDS when it is none. */
static size_t reg_word(uint32_t reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (reg - NFT_REG_1) * 4;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return reg - NFT_REG32_00;
	return WORDS;
}

struct word *load_words(struct state *s, uint32_t reg, size_t bytes, size_t *ret_n)
{
	size_t w = reg_word(reg), n = (bytes + 3) / 4;

	*ret_n = w >= WORDS ? 0 : w + n > WORDS ? WORDS - w : n;
	return &s->reg[w >= WORDS ? 0 : w];
}

void load_const(struct state *s, uint32_t reg, const void *p, size_t bytes)
{
	size_t n;
	struct word *w = load_words(s, reg, bytes, &n);

	for (size_t i = 0; i < n; i++) {
		w[i] = (struct word){.kind = WORD_CONST};
		size_t left = bytes - i * 4;
		memcpy(w[i].b, (const uint8_t *)p + i * 4, left < 4 ? left : 4);
	}
}

static void load_field(struct state *s, uint32_t reg, enum field f, uint8_t family)
{
	size_t n;
	struct word *w = load_words(s, reg, field_len(f, family), &n);

	for (size_t i = 0; i < n; i++)
		w[i] = (struct word){.kind = WORD_FIELD, .field = (uint8_t)f, .index = (uint8_t)i};
}

/* At least one word; sixteen bytes when the size is not known. */
void load_unknown(struct state *s, uint32_t reg, size_t bytes)
{
	size_t n;
	struct word *w = load_words(s, reg, bytes == 0 ? 16 : bytes, &n);

	for (size_t i = 0; i < n; i++)
		w[i] = (struct word){0};
}

void load_meta(struct run *run, struct state *s, const struct dump_expr *e)
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
	case NFT_META_MARK: *load_words(s, e->dreg, 4, &n) = s->meta_mark; break;
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
bool load_ct(struct run *run, struct state *s, const struct dump_expr *e)
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
		*load_words(s, e->dreg, 4, &n) = s->ct_mark;
	else if (f != FIELDS)
		load_field(s, e->dreg, f, sc->family);
	else
		load_unknown(s, e->dreg, 16);
	return true;
}

/* Numbers of the host's order turned round; what is not known stays so. */
void load_byteorder(struct state *s, const struct dump_expr *e)
{
	size_t n, m;
	struct word w = {0}, *from = load_words(s, e->sreg, 4, &n);

	if (n == 1 && e->len == 4 && e->offset == 4 && from->kind == WORD_CONST) {
		w = (struct word){.kind = WORD_CONST, .b = {from->b[3], from->b[2], from->b[1], from->b[0]}};
		*load_words(s, e->dreg, 4, &m) = w;
	} else {
		load_unknown(s, e->dreg, e->len);
	}
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

void load_payload(struct run *run, struct state *s, const struct dump_expr *e)
{
	enum field f = payload_field(run->sc, e);
	bool flags = run->sc->has_flags && e->key == NFT_PAYLOAD_TRANSPORT_HEADER && e->offset == 13 && e->len == 1;

	if (flags)
		load_const(s, e->dreg, &run->sc->flags, 1);
	else if (f != FIELDS)
		load_field(s, e->dreg, f, run->sc->family);
	else
		load_unknown(s, e->dreg, e->len);
}

static bool all_bytes(const uint8_t *p, uint8_t v)
{
	return p[0] == v && p[1] == v && p[2] == v && p[3] == v;
}

void load_bitwise(struct state *s, const struct dump_expr *e)
{
	size_t n, m;
	struct word src[WORDS], *from = load_words(s, e->sreg, e->len, &n);

	memcpy(src, from, n * sizeof(*src));
	struct word *to = load_words(s, e->dreg, e->len, &m);
	for (size_t i = 0; i < n && i < m; i++) {
		bool known = e->op == 0 && e->data != NULL && e->data2 != NULL && e->ndata > i * 4;
		bool masks = known && e->ndata >= i * 4 + 4;
		if (known && src[i].kind == WORD_CONST) {
			for (size_t k = 0; k < 4 && i * 4 + k < e->ndata; k++)
				src[i].b[k] = (uint8_t)((src[i].b[k] & e->data[i * 4 + k]) ^ e->data2[i * 4 + k]);
		} else if (masks && all_bytes(e->data + i * 4, 0) && all_bytes(e->data2 + i * 4, 0)) {
			src[i] = (struct word){.kind = WORD_CONST};
		} else if (!masks || !all_bytes(e->data + i * 4, 0xff) || !all_bytes(e->data2 + i * 4, 0)) {
			src[i] = (struct word){0};
		}
		to[i] = src[i];
	}
}
