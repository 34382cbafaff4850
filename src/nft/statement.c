/*
 * statement.c: the closed set of statements that a rule may hold: each with its text and its expressions.
 *
 * The expressions are those that nft 1.0.6 itself makes of the text (`nft --debug=netlink`), so that both forms
 * give the same listing. Register use as there: a key starts at register 1, each field padded to four bytes.
 */
#include "nl.h"
#include "objects.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

static void put_bitwise(struct buf *out, unsigned reg, size_t len, const uint8_t *mask, const uint8_t *xor)
{
	struct nl_expr e = nl_expr(out, "bitwise");

	nl_put_be32(out, NFTA_BITWISE_SREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_BITWISE_DREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_BITWISE_LEN, (uint32_t)len);
	nl_put_data(out, NFTA_BITWISE_MASK, mask, len);
	nl_put_data(out, NFTA_BITWISE_XOR, xor, len);
	nl_expr_end(out, e);
}

static void put_cmp(struct buf *out, int op, const uint8_t *value, size_t len)
{
	static const int ops[] = {NFT_CMP_EQ, NFT_CMP_NEQ, NFT_CMP_LT, NFT_CMP_LTE, NFT_CMP_GT, NFT_CMP_GTE};
	struct nl_expr e = nl_expr(out, "cmp");

	nl_put_be32(out, NFTA_CMP_SREG, NFT_REG32_00);
	nl_put_be32(out, NFTA_CMP_OP, (uint32_t)ops[op]);
	nl_put_data(out, NFTA_CMP_DATA, value, len);
	nl_expr_end(out, e);
}

static void put_mark(struct buf *out, const char *what, uint16_t key_attr, uint32_t key, uint16_t sreg_attr)
{
	struct nl_expr e = nl_expr(out, what);

	nl_put_be32(out, key_attr, key);
	nl_put_be32(out, sreg_attr, NFT_REG32_00);
	nl_expr_end(out, e);
}

/* -- keys ------------------------------------------------------------------------------------------------ */

static void prefix_mask(uint8_t prefix, uint8_t mask[16])
{
	memset(mask, 0, 16);
	for (unsigned i = 0; i < prefix; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static void key_text(const struct stmt *s, struct buf *out)
{
	uint8_t mask[16];

	for (unsigned i = 0; i < s->nparts; i++) {
		buf_printf(out, "%s%s", i > 0 ? " . " : "", field_text(s->part[i].field));
		if (s->part[i].prefix == 0)
			continue;
		prefix_mask(s->part[i].prefix, mask);
		buf_adds(out, " & ");
		value_text(field_type(s->part[i].field), mask, out);
	}
	if (s->masked) {
		buf_adds(out, " & ");
		value_text(field_type(s->part[0].field) == TYPE_CTSTATE ? TYPE_MARK : field_type(s->part[0].field),
			s->mask, out);
	}
}

static void key_put(const struct stmt *s, struct buf *out)
{
	static const uint8_t zero[16], low_nibble[1] = {0x0f};
	uint8_t mask[16];
	unsigned reg = 0;

	for (unsigned i = 0; i < s->nparts; i++) {
		enum field f = s->part[i].field;
		size_t len = datatype(field_type(f))->len;
		field_load(f, reg, out);
		if (f == F_IHL)
			put_bitwise(out, reg, 1, low_nibble, zero);
		if (s->part[i].prefix > 0) {
			prefix_mask(s->part[i].prefix, mask);
			put_bitwise(out, reg, len, mask, zero);
		}
		if (s->masked)
			put_bitwise(out, reg, len, s->mask, zero);
		reg += (unsigned)(len + 3) / 4;
	}
}

static void at_set_text(const struct stmt *s, struct buf *out)
{
	char name[SET_NAME_MAX];

	buf_printf(out, "@%s", set_name(s->set, name));
}

/* dreg: 0 for a verdict, NFT_REG32_00 for a mark, -1 for a plain set. */
static void lookup_put(const struct stmt *s, int dreg, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "lookup");
	char name[SET_NAME_MAX];

	nl_put_str(out, NFTA_LOOKUP_SET, set_name(s->set, name));
	nl_put_be32(out, NFTA_LOOKUP_SREG, NFT_REG32_00);
	if (dreg >= 0)
		nl_put_be32(out, NFTA_LOOKUP_DREG, (uint32_t)dreg);
	if (s->op == OP_NEQ)
		nl_put_be32(out, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	nl_expr_end(out, e);
}

/* -- matches --------------------------------------------------------------------------------------------- */

static void match_text(const struct stmt *s, struct buf *out)
{
	static const char *const ops[] = {" ", " != ", " < ", " <= ", " > ", " >= "};

	key_text(s, out);
	buf_adds(out, s->masked && s->op == OP_EQ ? " == " : ops[s->op]);
	value_text(field_type(s->part[0].field), s->value, out);
}

static void match_put(const struct stmt *s, struct buf *out)
{
	static const uint8_t zero[4];
	enum field f = s->part[0].field;
	size_t len = datatype(field_type(f))->len;

	key_put(s, out);
	if (field_type(f) == TYPE_CTSTATE) {
		put_bitwise(out, 0, 4, s->value, zero);
		put_cmp(out, s->op == OP_EQ ? OP_NEQ : OP_EQ, zero, 4);
	} else if (field_type(f) == TYPE_U32 && s->op >= OP_LT) {
		/* Greater and less compare bytes: the kernel's host-order number is turned round first. */
		struct nl_expr e = nl_expr(out, "byteorder");
		uint32_t host, net;
		nl_put_be32(out, NFTA_BYTEORDER_SREG, NFT_REG32_00);
		nl_put_be32(out, NFTA_BYTEORDER_DREG, NFT_REG32_00);
		nl_put_be32(out, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
		nl_put_be32(out, NFTA_BYTEORDER_LEN, 4);
		nl_put_be32(out, NFTA_BYTEORDER_SIZE, 4);
		nl_expr_end(out, e);
		memcpy(&host, s->value, 4);
		net = htonl(host);
		put_cmp(out, s->op, (const uint8_t *)&net, 4);
	} else {
		put_cmp(out, s->op, s->value, len);
	}
}

static void in_text(const struct stmt *s, struct buf *out)
{
	key_text(s, out);
	buf_adds(out, s->op == OP_NEQ ? " != " : " ");
	at_set_text(s, out);
}

static void in_put(const struct stmt *s, struct buf *out)
{
	key_put(s, out);
	lookup_put(s, -1, out);
}

static void vmap_text(const struct stmt *s, struct buf *out)
{
	key_text(s, out);
	buf_adds(out, " vmap ");
	at_set_text(s, out);
}

static void vmap_put(const struct stmt *s, struct buf *out)
{
	key_put(s, out);
	lookup_put(s, NFT_REG_VERDICT, out);
}

/* -- marks ----------------------------------------------------------------------------------------------- */

static void mapmark_text(const struct stmt *s, struct buf *out)
{
	buf_adds(out, "meta mark set ");
	key_text(s, out);
	buf_adds(out, " map ");
	at_set_text(s, out);
}

static void mapmark_put(const struct stmt *s, struct buf *out)
{
	key_put(s, out);
	lookup_put(s, NFT_REG32_00, out);
	put_mark(out, "meta", NFTA_META_KEY, NFT_META_MARK, NFTA_META_SREG);
}

static void setmark_text(const struct stmt *s, struct buf *out)
{
	buf_printf(out, "meta mark set 0x%08x", s->b);
}

static void put_number(struct buf *out, uint32_t number)
{
	struct nl_expr e = nl_expr(out, "immediate");

	nl_put_be32(out, NFTA_IMMEDIATE_DREG, NFT_REG32_00);
	nl_put_data(out, NFTA_IMMEDIATE_DATA, &number, 4);
	nl_expr_end(out, e);
}

static void setmark_put(const struct stmt *s, struct buf *out)
{
	put_number(out, s->b);
	put_mark(out, "meta", NFTA_META_KEY, NFT_META_MARK, NFTA_META_SREG);
}

static void ctmark_text(const struct stmt *s, struct buf *out)
{
	if (s->a == 0)
		buf_printf(out, "ct mark set 0x%08x", s->b);
	else
		buf_printf(out, "ct mark set %s & 0x%08x | 0x%08x", field_text(s->part[0].field), s->a, s->b);
}

static void mark_bits(const struct stmt *s, struct buf *out)
{
	uint32_t mask = s->a & ~s->b;

	field_load(s->part[0].field, 0, out);
	put_bitwise(out, 0, 4, (const uint8_t *)&mask, (const uint8_t *)&s->b);
}

static void ctmark_put(const struct stmt *s, struct buf *out)
{
	if (s->a == 0)
		put_number(out, s->b);
	else
		mark_bits(s, out);
	put_mark(out, "ct", NFTA_CT_KEY, NFT_CT_MARK, NFTA_CT_SREG);
}

static void remark_text(const struct stmt *s, struct buf *out)
{
	buf_printf(out, "meta mark set %s & 0x%08x | 0x%08x", field_text(s->part[0].field), s->a, s->b);
}

static void remark_put(const struct stmt *s, struct buf *out)
{
	mark_bits(s, out);
	put_mark(out, "meta", NFTA_META_KEY, NFT_META_MARK, NFTA_META_SREG);
}

/* -- dynamic sets and limits ------------------------------------------------------------------------------- */

static void limit_words(const struct stmt *s, bool over, struct buf *out)
{
	buf_printf(out, "limit rate %s%u/%s burst %u packets", over ? "over " : "", s->a,
		s->per_minute ? "minute" : "second", s->b);
}

static void limit_data(const struct stmt *s, bool over, struct buf *out)
{
	nl_put_be64(out, NFTA_LIMIT_RATE, s->a);
	nl_put_be64(out, NFTA_LIMIT_UNIT, s->per_minute ? 60 : 1);
	nl_put_be32(out, NFTA_LIMIT_BURST, s->b);
	nl_put_be32(out, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nl_put_be32(out, NFTA_LIMIT_FLAGS, over ? NFT_LIMIT_F_INV : 0);
}

static void limit_text(const struct stmt *s, struct buf *out)
{
	limit_words(s, s->sub != 0, out);
}

static void limit_put(const struct stmt *s, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "limit");

	limit_data(s, s->sub != 0, out);
	nl_expr_end(out, e);
}

static void update_text(const struct stmt *s, struct buf *out)
{
	static const char *const verbs[] = {"add ", "update ", "add ", "delete "};

	buf_adds(out, verbs[s->sub]);
	at_set_text(s, out);
	buf_adds(out, " { ");
	key_text(s, out);
	if (s->sub == UPDATE_LIMIT) {
		buf_addc(out, ' ');
		limit_words(s, true, out);
	} else if (s->sub == UPDATE_COUNT) {
		buf_printf(out, " ct count over %u", s->a);
	}
	buf_adds(out, " }");
}

static void update_put(const struct stmt *s, struct buf *out)
{
	static const uint32_t ops[] = {NFT_DYNSET_OP_ADD, NFT_DYNSET_OP_UPDATE, NFT_DYNSET_OP_ADD, NFT_DYNSET_OP_DELETE};
	char name[SET_NAME_MAX];

	key_put(s, out);
	struct nl_expr e = nl_expr(out, "dynset"), inner;
	nl_put_str(out, NFTA_DYNSET_SET_NAME, set_name(s->set, name));
	nl_put_be32(out, NFTA_DYNSET_OP, ops[s->sub]);
	nl_put_be32(out, NFTA_DYNSET_SREG_KEY, NFT_REG32_00);
	if (s->sub == UPDATE_LIMIT) {
		inner = nl_expr_under(out, NFTA_DYNSET_EXPR, "limit");
		limit_data(s, true, out);
		nl_expr_end(out, inner);
	} else if (s->sub == UPDATE_COUNT) {
		inner = nl_expr_under(out, NFTA_DYNSET_EXPR, "connlimit");
		nl_put_be32(out, NFTA_CONNLIMIT_COUNT, s->a);
		nl_put_be32(out, NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
		nl_expr_end(out, inner);
	}
	nl_expr_end(out, e);
}

/* -- the rest -------------------------------------------------------------------------------------------- */

static void counter_text(const struct stmt *s, struct buf *out)
{
	buf_printf(out, "counter name \"%s\"", s->name);
}

static void counter_put(const struct stmt *s, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "objref");

	nl_put_be32(out, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nl_put_str(out, NFTA_OBJREF_IMM_NAME, s->name);
	nl_expr_end(out, e);
}

/* The rule's threshold caps that of the group: both must be 64 for batches (measured). */
#define LOG_THRESHOLD 64u

static void log_text(const struct stmt *s, struct buf *out)
{
	buf_printf(out, "log group %u snaplen %u queue-threshold %u", s->a, s->b, LOG_THRESHOLD);
}

static void log_put(const struct stmt *s, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "log");

	nl_put_be16(out, NFTA_LOG_GROUP, (uint16_t)s->a);
	nl_put_be32(out, NFTA_LOG_SNAPLEN, s->b);
	nl_put_be16(out, NFTA_LOG_QTHRESHOLD, LOG_THRESHOLD);
	nl_expr_end(out, e);
}

static void mss_text(const struct stmt *s, struct buf *out)
{
	buf_printf(out, "tcp option maxseg size set %u", s->a);
}

static void mss_put(const struct stmt *s, struct buf *out)
{
	uint16_t mss = htons((uint16_t)s->a);
	struct nl_expr e = nl_expr(out, "immediate");

	nl_put_be32(out, NFTA_IMMEDIATE_DREG, NFT_REG32_00);
	nl_put_data(out, NFTA_IMMEDIATE_DATA, &mss, 2);
	nl_expr_end(out, e);
	e = nl_expr(out, "exthdr");
	nl_put_be32(out, NFTA_EXTHDR_SREG, NFT_REG32_00);
	nl_put_u8(out, NFTA_EXTHDR_TYPE, 2);	/* the option: maximum segment size */
	nl_put_be32(out, NFTA_EXTHDR_OFFSET, 2);
	nl_put_be32(out, NFTA_EXTHDR_LEN, 2);
	nl_put_be32(out, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	nl_expr_end(out, e);
}

/* -- the inspector's ---------------------------------------------------------------------------------------- */

/* Never `bypass`: without a listener the kernel drops. */
static void queue_text(const struct stmt *s, struct buf *out)
{
	buf_printf(out, "queue num %u", s->a);
}

static void queue_put(const struct stmt *s, struct buf *out)
{
	/* struct xt_NFQ_info_v3: number, how many, flags */
	uint16_t info[4] __attribute__((aligned(8))) = {(uint16_t)s->a, 1, 0, 0};
	struct nl_expr e;

	if (s->sub == 0) {
		e = nl_expr(out, "queue");
		nl_put_be16(out, NFTA_QUEUE_NUM, (uint16_t)s->a);
		nl_put_be16(out, NFTA_QUEUE_TOTAL, 1);
		nl_put_be16(out, NFTA_QUEUE_FLAGS, 0);
	} else {
		e = nl_expr(out, "target");
		nl_put_str(out, NFTA_TARGET_NAME, "NFQUEUE");
		nl_put_be32(out, NFTA_TARGET_REV, 3);
		nl_put(out, NFTA_TARGET_INFO, info, sizeof(info));
	}
	nl_expr_end(out, e);
}

static void reset_text(const struct stmt *s, struct buf *out)
{
	(void)s;
	buf_adds(out, "reject with tcp reset");
}

static void reset_put(const struct stmt *s, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "reject");

	(void)s;
	nl_put_be32(out, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
	nl_put_u8(out, NFTA_REJECT_ICMP_CODE, 0);
	nl_expr_end(out, e);
}

/* Without a listener, or when it does not take foreign addresses, the kernel goes on behind the rule. */
static void turn_text(const struct stmt *s, struct buf *out)
{
	buf_printf(out, "tproxy to :%u", s->a);
}

static void turn_put(const struct stmt *s, struct buf *out)
{
	uint16_t port = htons((uint16_t)s->a);
	struct nl_expr e = nl_expr(out, "immediate");

	nl_put_be32(out, NFTA_IMMEDIATE_DREG, NFT_REG32_00);
	nl_put_data(out, NFTA_IMMEDIATE_DATA, &port, 2);
	nl_expr_end(out, e);
	e = nl_expr(out, "tproxy");
	nl_put_be32(out, NFTA_TPROXY_FAMILY, NFPROTO_UNSPEC); /* IPv4 and IPv6 */
	nl_put_be32(out, NFTA_TPROXY_REG_PORT, NFT_REG32_00);
	nl_expr_end(out, e);
}

static void verdict_text(const struct stmt *s, struct buf *out)
{
	static const char *const words[] = {"accept", "drop", "return", "jump ", "goto "};

	buf_adds(out, words[s->sub]);
	if (s->chain != NULL)
		buf_adds(out, s->chain->name);
}

static void verdict_put(const struct stmt *s, struct buf *out)
{
	static const int codes[] = {NF_ACCEPT, NF_DROP, NFT_RETURN, NFT_JUMP, NFT_GOTO};
	struct nl_expr e = nl_expr(out, "immediate");

	nl_put_be32(out, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nl_put_verdict(out, NFTA_IMMEDIATE_DATA, codes[s->sub], s->chain != NULL ? s->chain->name : NULL);
	nl_expr_end(out, e);
}

static const struct {
	void (*text)(const struct stmt *s, struct buf *out);
	void (*put)(const struct stmt *s, struct buf *out);
} statements[S_END] = {
	[S_MATCH] = {match_text, match_put},
	[S_IN] = {in_text, in_put},
	[S_VMAP] = {vmap_text, vmap_put},
	[S_MAPMARK] = {mapmark_text, mapmark_put},
	[S_SETMARK] = {setmark_text, setmark_put},
	[S_CTMARK] = {ctmark_text, ctmark_put},
	[S_REMARK] = {remark_text, remark_put},
	[S_UPDATE] = {update_text, update_put},
	[S_LIMIT] = {limit_text, limit_put},
	[S_COUNTER] = {counter_text, counter_put},
	[S_LOG] = {log_text, log_put},
	[S_MSS] = {mss_text, mss_put},
	[S_QUEUE] = {queue_text, queue_put},
	[S_RESET] = {reset_text, reset_put},
	[S_TURN] = {turn_text, turn_put},
	[S_VERDICT] = {verdict_text, verdict_put},
};

void stmt_text(const struct stmt *s, struct buf *out)
{
	statements[s->kind].text(s, out);
}

void stmt_put(const struct stmt *s, struct buf *out)
{
	statements[s->kind].put(s, out);
}

void rule_text(const struct rule *r, struct buf *out)
{
	for (size_t i = 0; i < r->nstmts; i++) {
		if (i > 0)
			buf_addc(out, ' ');
		stmt_text(&r->stmts[i], out);
	}
	if (r->comment != NULL)
		buf_printf(out, " comment \"%s\"", r->comment);
}
