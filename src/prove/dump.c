/*
 * dump.c: raw nf_tables netlink messages -> chains, rules, sets, elements (linux/netfilter/nf_tables.h).
 *
 * Input: the bytes that the kernel answered, relayed by sekishod; they are data like any other here. Limits: the
 * size of the memfd; nesting is fixed by the walk. Any broken message refuses the whole dump.
 */
#include "dump.h"
#include "attr.h"

#include <sekisho/arena.h>
#include <sekisho/nft.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

/* Linux 5.13 and later; older headers lack it. */
#ifndef NFT_SET_ELEM_CATCHALL
#define NFT_SET_ELEM_CATCHALL 0x2
#endif

static struct dump_verdict read_verdict(struct reader r)
{
	struct dump_verdict v = {.code = NF_DROP};
	struct attr a;

	while (attr_next(&r, &a)) {
		if (a.type == NFTA_VERDICT_CODE)
			v.code = (int32_t)attr_be32(&a);
		else if (a.type == NFTA_VERDICT_CHAIN)
			v.chain = attr_text(&a);
	}
	return v;
}

/* A nested NFTA_DATA: raw bytes, or a verdict. */
struct data {
	const uint8_t *p;
	size_t n;
	bool has_verdict;
	struct dump_verdict verdict;
};

static struct data read_data(struct attr *outer)
{
	struct data d = {0};
	struct attr a;

	while (attr_next(&outer->body, &a)) {
		if (a.type == NFTA_DATA_VALUE) {
			d.n = reader_left(&a.body);
			d.p = reader_bytes(&a.body, d.n);
		} else if (a.type == NFTA_DATA_VERDICT) {
			d.has_verdict = true;
			d.verdict = read_verdict(a.body);
		}
	}
	return d;
}

/* How the attributes of one kind of expression fill struct dump_expr. */
enum slot {
	SLOT_NONE,
	SLOT_SREG,
	SLOT_DREG,
	SLOT_KEY,
	SLOT_DIR, /* one byte */
	SLOT_OFFSET,
	SLOT_LEN,
	SLOT_OP,
	SLOT_FLAGS,
	SLOT_KEY16,
	SLOT_LEN16,
	SLOT_OP16,
	SLOT_SET,
	SLOT_DATA,
	SLOT_DATA2,
};

#define SLOTS_MAX 12

static const struct {
	const char *name;
	enum expr_kind kind;
	uint8_t slots[SLOTS_MAX]; /* by attribute number */
} grammar[] = {
	{"meta", EXPR_LOAD_META, {[NFTA_META_DREG] = SLOT_DREG, [NFTA_META_KEY] = SLOT_KEY, [NFTA_META_SREG] = SLOT_SREG}},
	{"ct", EXPR_LOAD_CT,
		{[NFTA_CT_DREG] = SLOT_DREG, [NFTA_CT_KEY] = SLOT_KEY, [NFTA_CT_DIRECTION] = SLOT_DIR,
			[NFTA_CT_SREG] = SLOT_SREG}},
	{"payload", EXPR_LOAD_PAYLOAD,
		{[NFTA_PAYLOAD_DREG] = SLOT_DREG, [NFTA_PAYLOAD_BASE] = SLOT_KEY, [NFTA_PAYLOAD_OFFSET] = SLOT_OFFSET,
			[NFTA_PAYLOAD_LEN] = SLOT_LEN, [NFTA_PAYLOAD_SREG] = SLOT_SREG}},
	{"bitwise", EXPR_BITWISE,
		{[NFTA_BITWISE_SREG] = SLOT_SREG, [NFTA_BITWISE_DREG] = SLOT_DREG, [NFTA_BITWISE_LEN] = SLOT_LEN,
			[NFTA_BITWISE_MASK] = SLOT_DATA, [NFTA_BITWISE_XOR] = SLOT_DATA2, [NFTA_BITWISE_OP] = SLOT_OP}},
	{"byteorder", EXPR_BYTEORDER,
		{[NFTA_BYTEORDER_SREG] = SLOT_SREG, [NFTA_BYTEORDER_DREG] = SLOT_DREG, [NFTA_BYTEORDER_OP] = SLOT_OP,
			[NFTA_BYTEORDER_LEN] = SLOT_LEN, [NFTA_BYTEORDER_SIZE] = SLOT_OFFSET}},
	{"cmp", EXPR_CMP, {[NFTA_CMP_SREG] = SLOT_SREG, [NFTA_CMP_OP] = SLOT_OP, [NFTA_CMP_DATA] = SLOT_DATA}},
	{"range", EXPR_RANGE,
		{[NFTA_RANGE_SREG] = SLOT_SREG, [NFTA_RANGE_OP] = SLOT_OP, [NFTA_RANGE_FROM_DATA] = SLOT_DATA,
			[NFTA_RANGE_TO_DATA] = SLOT_DATA2}},
	{"lookup", EXPR_LOOKUP,
		{[NFTA_LOOKUP_SET] = SLOT_SET, [NFTA_LOOKUP_SREG] = SLOT_SREG, [NFTA_LOOKUP_DREG] = SLOT_DREG,
			[NFTA_LOOKUP_FLAGS] = SLOT_FLAGS}},
	{"immediate", EXPR_IMMEDIATE, {[NFTA_IMMEDIATE_DREG] = SLOT_DREG, [NFTA_IMMEDIATE_DATA] = SLOT_DATA}},
	{"fib", EXPR_LOAD_OTHER, {[NFTA_FIB_DREG] = SLOT_DREG}},
	{"exthdr", EXPR_LOAD_OTHER, {[NFTA_EXTHDR_DREG] = SLOT_DREG, [NFTA_EXTHDR_LEN] = SLOT_LEN, [NFTA_EXTHDR_SREG] = SLOT_SREG}},
	{"dynset", EXPR_DYNSET, {[NFTA_DYNSET_SET_NAME] = SLOT_SET, [NFTA_DYNSET_OP] = SLOT_OP}},
	{"limit", EXPR_MAYBE, {0}},
	{"connlimit", EXPR_MAYBE, {0}},
	{"counter", EXPR_PASS, {0}},
	{"objref", EXPR_PASS, {0}},
	{"log", EXPR_PASS, {0}},
	{"notrack", EXPR_SET, {0}},
	{"reject", EXPR_DROP, {0}},
	{"tproxy", EXPR_TURN, {[NFTA_TPROXY_REG_ADDR] = SLOT_DREG, [NFTA_TPROXY_REG_PORT] = SLOT_SREG}},
	{"queue", EXPR_QUEUE,
		{[NFTA_QUEUE_NUM] = SLOT_KEY16, [NFTA_QUEUE_TOTAL] = SLOT_LEN16, [NFTA_QUEUE_FLAGS] = SLOT_OP16,
			[NFTA_QUEUE_SREG_QNUM] = SLOT_SREG}},
};

static void take_data(struct dump_expr *e, struct attr *a, bool second)
{
	struct data d = read_data(a);

	if (d.has_verdict) {
		e->has_verdict = true;
		e->verdict = d.verdict;
	}
	if (second) {
		e->data2 = d.p;
		e->ndata2 = d.n;
	} else {
		e->data = d.p;
		e->ndata = d.n;
	}
}

static void fill_slot(struct dump_expr *e, enum slot slot, struct attr *a)
{
	switch (slot) {
	case SLOT_SREG: e->sreg = attr_be32(a); break;
	case SLOT_DREG: e->dreg = attr_be32(a); break;
	case SLOT_KEY: e->key = attr_be32(a); break;
	case SLOT_DIR: e->dir = reader_u8(&a->body); break;
	case SLOT_OFFSET: e->offset = attr_be32(a); break;
	case SLOT_LEN: e->len = attr_be32(a); break;
	case SLOT_OP: e->op = attr_be32(a); break;
	case SLOT_FLAGS: e->invert = (attr_be32(a) & NFT_LOOKUP_F_INV) != 0; break;
	case SLOT_KEY16: e->key = reader_be16(&a->body); break;
	case SLOT_LEN16: e->len = reader_be16(&a->body); break;
	case SLOT_OP16: e->op = reader_be16(&a->body); break;
	case SLOT_SET: e->set = attr_text(a); break;
	case SLOT_DATA: take_data(e, a, false); break;
	case SLOT_DATA2: take_data(e, a, true); break;
	case SLOT_NONE: break;
	}
}

/*
 * xt target NFQUEUE, revision 3, through nft_compat hands to the inspector as `queue` does; any other target is unknown.
 * struct xt_NFQ_info_v3: number, how many, flags (host order).
 */
static void read_target(struct dump_expr *e, struct reader r)
{
	bool nfqueue = false, info = false;
	uint32_t revision = UINT32_MAX;
	struct attr a;

	while (attr_next(&r, &a)) {
		const char *name = a.type == NFTA_TARGET_NAME ? attr_text(&a) : NULL;
		nfqueue = nfqueue || (name != NULL && strcmp(name, "NFQUEUE") == 0);
		if (a.type == NFTA_TARGET_REV)
			revision = attr_be32(&a);
		if (a.type != NFTA_TARGET_INFO)
			continue;
		e->key = reader_u16(&a.body);
		e->len = reader_u16(&a.body);
		e->op = reader_u16(&a.body);
		info = !a.body.bad;
	}
	e->kind = nfqueue && info && revision == 3 ? EXPR_QUEUE : EXPR_UNKNOWN;
}

static struct dump_expr read_expr_body(const char *name, struct reader body)
{
	struct dump_expr e = {.name = name, .dir = UINT32_MAX};
	struct attr a;

	if (strcmp(name, "target") == 0) {
		read_target(&e, body);
		return e;
	}
	for (size_t i = 0; i < sizeof(grammar) / sizeof(grammar[0]); i++) {
		if (strcmp(grammar[i].name, name) != 0)
			continue;
		e.kind = grammar[i].kind;
		while (attr_next(&body, &a))
			if (a.type < SLOTS_MAX)
				fill_slot(&e, (enum slot)grammar[i].slots[a.type], &a);
		/* With a source register, meta, ct, payload and exthdr write to the packet instead of reading it. */
		if (e.sreg != 0 && (e.kind == EXPR_LOAD_META || e.kind == EXPR_LOAD_CT || e.kind == EXPR_LOAD_PAYLOAD ||
				    e.kind == EXPR_LOAD_OTHER))
			e.kind = EXPR_SET;
		break;
	}
	if (body.bad || (e.data2 != NULL && e.ndata2 != e.ndata))
		e.kind = EXPR_UNKNOWN;
	return e;
}

static void read_expr(struct dump *d, struct dump_rule *rule, struct reader r)
{
	const char *name = NULL;
	struct reader body = {0};
	struct attr a;

	while (attr_next(&r, &a)) {
		if (a.type == NFTA_EXPR_NAME)
			name = attr_text(&a);
		else if (a.type == NFTA_EXPR_DATA)
			body = a.body;
	}
	struct dump_expr *e =
		arena_push(d->arena, (void **)&rule->exprs, &rule->nexprs, &rule->exprs_cap, sizeof(*e));
	if (name == NULL) {
		d->bad = "expression without a name";
		return;
	}
	*e = read_expr_body(name, body);
	d->queues = d->queues || e->kind == EXPR_QUEUE;
	d->turns = d->turns || e->kind == EXPR_TURN;
}

static void read_rule(struct dump *d, struct reader r)
{
	struct dump_rule rule = {0};
	const char *chain = NULL;
	struct attr a, b;

	while (attr_next(&r, &a)) {
		if (a.type == NFTA_RULE_CHAIN)
			chain = attr_text(&a);
		else if (a.type == NFTA_RULE_HANDLE)
			rule.handle = attr_be64(&a);
		else if (a.type == NFTA_RULE_EXPRESSIONS)
			while (attr_next(&a.body, &b))
				read_expr(d, &rule, b.body);
	}
	struct dump_chain *c = chain == NULL ? NULL : dump_chain(d, chain);
	if (r.bad || c == NULL) {
		d->bad = "rule of an unknown chain";
		return;
	}
	struct dump_rule *slot = arena_push(d->arena, (void **)&c->rules, &c->nrules, &c->rules_cap, sizeof(*slot));
	*slot = rule;
}

static void read_hook(struct dump_chain *c, struct reader r)
{
	struct attr a;

	c->base = true;
	while (attr_next(&r, &a)) {
		if (a.type == NFTA_HOOK_HOOKNUM)
			c->hook = attr_be32(&a);
		else if (a.type == NFTA_HOOK_PRIORITY)
			c->priority = (int32_t)attr_be32(&a);
	}
}

static void read_chain(struct dump *d, struct reader r)
{
	struct dump_chain c = {.policy = NF_ACCEPT};
	struct attr a;

	while (attr_next(&r, &a)) {
		if (a.type == NFTA_CHAIN_NAME)
			c.name = attr_text(&a);
		else if (a.type == NFTA_CHAIN_HOOK)
			read_hook(&c, a.body);
		else if (a.type == NFTA_CHAIN_POLICY)
			c.policy = attr_be32(&a);
	}
	if (r.bad || c.name == NULL || !strmap_add(d->chain_names, c.name, (uint32_t)d->nchains)) {
		d->bad = "broken or doubled chain";
		return;
	}
	struct dump_chain *slot = arena_push(d->arena, (void **)&d->chains, &d->nchains, &d->chains_cap, sizeof(*slot));
	*slot = c;
}

static void read_fields(struct dump_set *s, struct reader r)
{
	struct attr a, b, c;

	while (attr_next(&r, &a)) {
		if (a.type != NFTA_SET_DESC_CONCAT)
			continue;
		while (attr_next(&a.body, &b))
			while (attr_next(&b.body, &c))
				if (c.type == NFTA_SET_FIELD_LEN && s->nfields < DUMP_FIELDS_MAX)
					s->fields[s->nfields++] = (uint8_t)attr_be32(&c);
	}
}

static void read_set(struct dump *d, struct reader r)
{
	struct dump_set s = {0};
	struct attr a;

	while (attr_next(&r, &a)) {
		if (a.type == NFTA_SET_NAME)
			s.name = attr_text(&a);
		else if (a.type == NFTA_SET_FLAGS)
			s.flags = attr_be32(&a);
		else if (a.type == NFTA_SET_KEY_LEN)
			s.key_len = attr_be32(&a);
		else if (a.type == NFTA_SET_DESC)
			read_fields(&s, a.body);
	}
	if (r.bad || s.name == NULL || s.key_len == 0 || s.key_len > DUMP_KEY_MAX ||
	    !strmap_add(d->set_names, s.name, (uint32_t)d->nsets)) {
		d->bad = "broken or doubled set";
		return;
	}
	struct dump_set *slot = arena_push(d->arena, (void **)&d->sets, &d->nsets, &d->sets_cap, sizeof(*slot));
	*slot = s;
}

/* Key bytes of exactly the set's length, or NULL. */
static const uint8_t *key_bytes(struct attr *a, const struct dump_set *s)
{
	struct data k = read_data(a);

	/* The kernel pads a set's key to its registers' words. */
	return k.n >= s->key_len && k.n <= ((size_t)s->key_len + 3) / 4 * 4 ? k.p : NULL;
}

static void read_elem(struct dump *d, struct dump_set *s, struct reader r)
{
	struct dump_elem e = {0};
	struct data v;
	struct attr a;
	uint32_t flags = 0;

	while (attr_next(&r, &a)) {
		switch (a.type) {
		case NFTA_SET_ELEM_KEY: e.key = key_bytes(&a, s); break;
		case NFTA_SET_ELEM_KEY_END: e.end = key_bytes(&a, s); break;
		case NFTA_SET_ELEM_FLAGS: flags = attr_be32(&a); break;
		case NFTA_SET_ELEM_TIMEOUT: e.timeout_ms = attr_be64(&a); break;
		case NFTA_SET_ELEM_EXPIRATION: e.expires_ms = attr_be64(&a); break;
		case NFTA_SET_ELEM_DATA:
			v = read_data(&a);
			e.has_verdict = v.has_verdict;
			e.verdict = v.verdict;
			e.data = v.p;
			e.ndata = v.n;
			break;
		default: break;
		}
	}
	e.interval_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
	e.catchall = (flags & NFT_SET_ELEM_CATCHALL) != 0;
	if (r.bad || (e.key == NULL && !e.catchall)) {
		d->bad = "broken element";
		return;
	}
	struct dump_elem *slot = arena_push(d->arena, (void **)&s->elems, &s->nelems, &s->elems_cap, sizeof(*slot));
	*slot = e;
}

static void read_elems(struct dump *d, struct reader r)
{
	struct dump_set *s = NULL;
	struct attr a, b;

	while (attr_next(&r, &a)) {
		if (a.type == NFTA_SET_ELEM_LIST_SET) {
			const char *name = attr_text(&a);
			s = name == NULL ? NULL : dump_set(d, name);
		} else if (a.type == NFTA_SET_ELEM_LIST_ELEMENTS && s != NULL) {
			while (attr_next(&a.body, &b))
				read_elem(d, s, b.body);
		}
	}
	if (r.bad || s == NULL)
		d->bad = "elements of an unknown set";
}

static void read_table(struct dump *d, struct reader r)
{
	struct attr a;

	d->has_table = true;
	while (attr_next(&r, &a))
		if (a.type == NFTA_TABLE_FLAGS)
			d->table_flags = attr_be32(&a);
}

/* All these message kinds carry the table's name as attribute 1 (NFTA_*_TABLE = NFTA_TABLE_NAME = 1). */
static bool of_table(struct reader r, const char *table)
{
	struct attr a;

	while (attr_next(&r, &a))
		if (a.type == NFTA_TABLE_NAME) {
			const char *name = attr_text(&a);
			return name != NULL && strcmp(name, table) == 0;
		}
	return false;
}

/* As many of the list as there are; the rest is zero. */
static void read_cuts(struct dump *d, struct reader r)
{
	struct cuts *c = ARENA_NEW(d->arena, struct cuts);
	size_t head = offsetof(struct cuts, cut), left = reader_left(&r);
	const void *bytes = left >= head && left <= sizeof(*c) ? reader_bytes(&r, left) : NULL;

	if (bytes != NULL)
		memcpy(c, bytes, left);
	if (bytes == NULL || c->n > CUT_MAX || left != head + c->n * sizeof(struct cut) || cuts_check(c, sizeof(*c)) != NULL)
		d->bad = "broken list of cuts";
	d->cuts = c;
}

static void read_note(struct dump *d, struct reader r)
{
	d->has_note = true;
	d->before = reader_u32(&r);
	while (!r.bad && reader_left(&r) > 0) {
		struct reader rest = r;
		size_t left = reader_left(&r);
		const char *text = (const char *)reader_bytes(&rest, left), *end = memchr(text, '\0', left);
		if (end == NULL) {
			d->bad = "broken note";
			return;
		}
		*(const char **)arena_push(d->arena, (void **)&d->policies, &d->npolicies, &d->policies_cap, sizeof(text)) =
			text;
		reader_skip(&r, (size_t)(end - text) + 1);
	}
	if (r.bad)
		d->bad = "broken note";
}

static void read_message(struct dump *d, uint16_t type, struct reader body, const char *table)
{
	if (type == NFT_DUMP_CUTS && d->cuts == NULL)
		read_cuts(d, body);
	if (type == NFT_DUMP_NOTE && !d->has_note)
		read_note(d, body);
	if (type >> 8 != NFNL_SUBSYS_NFTABLES)
		return;
	reader_skip(&body, sizeof(struct nfgenmsg));
	if (body.bad || !of_table(body, table))
		return;
	switch (type & 0xff) {
	case NFT_MSG_NEWTABLE: read_table(d, body); break;
	case NFT_MSG_NEWCHAIN: read_chain(d, body); break;
	case NFT_MSG_NEWRULE: read_rule(d, body); break;
	case NFT_MSG_NEWSET: read_set(d, body); break;
	case NFT_MSG_NEWSETELEM: read_elems(d, body); break;
	default: break;
	}
}

bool dump_read(struct dump *d, struct arena *arena, const void *p, size_t n, const char *table)
{
	struct reader r = reader_init(p, n);

	*d = (struct dump){.arena = arena, .chain_names = strmap_new(), .set_names = strmap_new()};
	while (d->bad == NULL && reader_left(&r) > 0) {
		uint32_t len = reader_u32(&r);
		uint16_t type = reader_u16(&r);
		reader_skip(&r, sizeof(struct nlmsghdr) - 6);
		if (r.bad || len < sizeof(struct nlmsghdr)) {
			d->bad = "broken message";
			break;
		}
		struct reader body = reader_sub(&r, len - sizeof(struct nlmsghdr));
		size_t pad = NLMSG_ALIGN(len) - len;
		reader_skip(&r, pad < reader_left(&r) ? pad : reader_left(&r));
		if (body.bad)
			d->bad = "message cut off";
		else
			read_message(d, type, body, table);
	}
	if (d->bad == NULL && !d->has_table)
		d->bad = "the table is not there";
	return d->bad == NULL;
}

void dump_free(struct dump *d)
{
	strmap_free(d->chain_names);
	strmap_free(d->set_names);
	*d = (struct dump){0};
}

struct dump_chain *dump_chain(const struct dump *d, const char *name)
{
	uint32_t i;

	return strmap_get(d->chain_names, name, &i) ? &d->chains[i] : NULL;
}

struct dump_set *dump_set(const struct dump *d, const char *name)
{
	uint32_t i;

	return strmap_get(d->set_names, name, &i) ? &d->sets[i] : NULL;
}
