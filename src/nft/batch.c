/*
 * batch.c: rulesets as nf_tables messages; one transaction with the names of what fails in it.
 *
 * An element message holds up to ELEMS_BYTES (a nested attribute is limited to 64 KB). When the kernel refuses
 * one, the extended acknowledgement gives the attribute's offset in the message, and with it the element.
 */
#include "batch.h"
#include "nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ELEMS_BYTES 60000
/* As libnftnl: type 0 is the comment of a rule and of an element. */
#define UDATA_COMMENT 0

#ifndef NFT_TABLE_F_PERSIST
#define NFT_TABLE_F_PERSIST 0x4
#endif

void batch_init(struct batch *b, uint32_t seq0)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	*b = (struct batch){.table = RULESET_TABLE, .seq0 = seq0};
	b->now_ms = clock_wall().sec * 1000 + ts.tv_nsec / 1000000;
}

void batch_free(struct batch *b)
{
	buf_free(&b->b);
	buf_free(&b->tags);
	buf_free(&b->order);
}

static struct tag *begin(struct batch *b, uint16_t type, uint16_t flags, enum tag_kind kind, const char *verb)
{
	/* The begin message is not written yet: it goes in front when the batch is run. */
	struct tag *t = buf_reserve(&b->tags, sizeof(*t));

	*t = (struct tag){.kind = kind, .verb = verb, .at = b->b.len};
	nl_msg(&b->b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, b->seq0 + 1 + b->n++);
	return t;
}

static struct tag *tag_of(struct batch *b, uint32_t i)
{
	return (struct tag *)(void *)b->tags.data + i;
}

static void finish(struct batch *b)
{
	nl_msg_end(&b->b, tag_of(b, b->n - 1)->at);
}

/* -- table, counters, chains ------------------------------------------------------------------------------------ */

static void put_userdata(struct buf *b, uint16_t type, const char *comment)
{
	uint8_t data[2 + 256];
	size_t n = strlen(comment) + 1;

	if (n > 255)
		n = 255;
	data[0] = UDATA_COMMENT;
	data[1] = (uint8_t)n;
	memcpy(data + 2, comment, n);
	data[2 + n - 1] = '\0';
	nl_put(b, type, data, n + 2);
}

void put_table(struct batch *b, uint32_t flags, const char *comment)
{
	begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, TAG_OTHER, "table")->name = b->table;
	nl_put_str(&b->b, NFTA_TABLE_NAME, b->table);
	nl_put_be32(&b->b, NFTA_TABLE_FLAGS, flags);
	if (comment != NULL)
		put_userdata(&b->b, NFTA_TABLE_USERDATA, comment);
	finish(b);
}

void put_table_delete(struct batch *b)
{
	begin(b, NFT_MSG_DELTABLE, 0, TAG_OTHER, "delete table")->name = b->table;
	nl_put_str(&b->b, NFTA_TABLE_NAME, b->table);
	finish(b);
}

void put_counter(struct batch *b, const char *name)
{
	begin(b, NFT_MSG_NEWOBJ, NLM_F_CREATE, TAG_OTHER, "counter")->name = name;
	nl_put_str(&b->b, NFTA_OBJ_TABLE, b->table);
	nl_put_str(&b->b, NFTA_OBJ_NAME, name);
	nl_put_be32(&b->b, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
	size_t nest = nl_nest(&b->b, NFTA_OBJ_DATA);
	nl_put_be64(&b->b, NFTA_COUNTER_BYTES, 0);
	nl_put_be64(&b->b, NFTA_COUNTER_PACKETS, 0);
	nl_nest_end(&b->b, nest);
	finish(b);
}

void put_chain(struct batch *b, const struct chain *c)
{
	struct tag *t = begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, TAG_CHAIN, "chain");

	t->chain = c;
	t->first = UINT32_MAX;
	nl_put_str(&b->b, NFTA_CHAIN_TABLE, b->table);
	nl_put_str(&b->b, NFTA_CHAIN_NAME, c->name);
	if (c->base) {
		size_t nest = nl_nest(&b->b, NFTA_CHAIN_HOOK);
		nl_put_be32(&b->b, NFTA_HOOK_HOOKNUM, c->hook);
		nl_put_be32(&b->b, NFTA_HOOK_PRIORITY, (uint32_t)c->priority);
		nl_nest_end(&b->b, nest);
		nl_put_be32(&b->b, NFTA_CHAIN_POLICY, c->policy_drop ? NF_DROP : NF_ACCEPT);
		nl_put_str(&b->b, NFTA_CHAIN_TYPE, "filter");
	}
	finish(b);
}

void put_chain_delete(struct batch *b, const char *name)
{
	begin(b, NFT_MSG_DELCHAIN, 0, TAG_OTHER, "delete chain")->name = name;
	nl_put_str(&b->b, NFTA_CHAIN_TABLE, b->table);
	nl_put_str(&b->b, NFTA_CHAIN_NAME, name);
	finish(b);
}

static void put_rule_body(struct buf *b, const struct rule *r)
{
	size_t nest = nl_nest(b, NFTA_RULE_EXPRESSIONS);

	for (size_t i = 0; i < r->nstmts; i++)
		stmt_put(&r->stmts[i], b);
	nl_nest_end(b, nest);
	if (r->comment != NULL)
		put_userdata(b, NFTA_RULE_USERDATA, r->comment);
}

static void put_rule(struct batch *b, const struct ruleset *rs, const struct chain *c, uint32_t i, uint64_t position,
	bool append)
{
	struct tag *t = begin(b, NFT_MSG_NEWRULE, (uint16_t)(NLM_F_CREATE | (append ? NLM_F_APPEND : 0)), TAG_RULE, "rule");

	t->rs = rs;
	t->chain = c;
	t->first = i;
	nl_put_str(&b->b, NFTA_RULE_TABLE, b->table);
	nl_put_str(&b->b, NFTA_RULE_CHAIN, c->name);
	if (position != 0)
		nl_put_be64(&b->b, NFTA_RULE_POSITION, position);
	put_rule_body(&b->b, &c->rules[i]);
	finish(b);
}

void put_rules(struct batch *b, const struct ruleset *rs, const struct chain *c)
{
	for (uint32_t i = 0; i < c->nrules; i++)
		put_rule(b, rs, c, i, 0, true);
}

void put_rule_at(struct batch *b, const struct ruleset *rs, const struct chain *c, uint32_t i, uint64_t handle, bool behind)
{
	put_rule(b, rs, c, i, handle, behind);
}

void put_rule_delete(struct batch *b, const char *chain, uint64_t handle)
{
	begin(b, NFT_MSG_DELRULE, 0, TAG_OTHER, "delete rule of")->name = chain;
	nl_put_str(&b->b, NFTA_RULE_TABLE, b->table);
	nl_put_str(&b->b, NFTA_RULE_CHAIN, chain);
	nl_put_be64(&b->b, NFTA_RULE_HANDLE, handle);
	finish(b);
}

void put_rules_delete(struct batch *b, const char *chain)
{
	begin(b, NFT_MSG_DELRULE, 0, TAG_OTHER, "empty chain")->name = chain;
	nl_put_str(&b->b, NFTA_RULE_TABLE, b->table);
	nl_put_str(&b->b, NFTA_RULE_CHAIN, chain);
	finish(b);
}

void rule_bytes(const struct rule *r, struct buf *out)
{
	put_rule_body(out, r);
}

/* -- sets ------------------------------------------------------------------------------------------------------ */

static bool is_concat_interval(const struct set *s)
{
	return (s->flags & SET_INTERVAL) != 0 && s->nfields > 1;
}

static uint32_t kernel_flags(const struct set *s)
{
	return ((s->flags & SET_INTERVAL) != 0 ? (uint32_t)NFT_SET_INTERVAL : 0u) |
	       (is_concat_interval(s) ? (uint32_t)NFT_SET_CONCAT : 0u) |
	       ((s->flags & SET_TIMEOUT) != 0 ? (uint32_t)NFT_SET_TIMEOUT : 0u) |
	       ((s->flags & SET_DYNAMIC) != 0 ? (uint32_t)NFT_SET_EVAL : 0u) |
	       ((s->flags & (SET_VERDICTS | SET_MARKS)) != 0 ? (uint32_t)NFT_SET_MAP : 0u);
}

static void put_desc(struct buf *b, const struct set *s)
{
	if (s->size == 0 && !is_concat_interval(s))
		return;
	size_t desc = nl_nest(b, NFTA_SET_DESC);
	if (s->size > 0)
		nl_put_be32(b, NFTA_SET_DESC_SIZE, s->size);
	if (is_concat_interval(s)) {
		size_t concat = nl_nest(b, NFTA_SET_DESC_CONCAT);
		for (unsigned i = 0; i < s->nfields; i++) {
			size_t field = nl_nest(b, NFTA_LIST_ELEM);
			nl_put_be32(b, NFTA_SET_FIELD_LEN, datatype(s->types[i])->len);
			nl_nest_end(b, field);
		}
		nl_nest_end(b, concat);
	}
	nl_nest_end(b, desc);
}

/* nft's own notes beside a set, without which it lists numbers turned round (libnftnl/udata.h). */
static void put_byte_orders(struct buf *b, const struct set *s)
{
	enum { UDATA_KEY_BYTEORDER, UDATA_DATA_BYTEORDER };
	uint8_t data[12];
	size_t n = 0;
	uint32_t order = datatype(s->types[0])->host_order ? 1 : 2;

	if (s->nfields == 1) {
		data[n++] = UDATA_KEY_BYTEORDER;
		data[n++] = sizeof(order);
		memcpy(data + n, &order, sizeof(order));
		n += sizeof(order);
	}
	if ((s->flags & SET_MARKS) != 0) {
		order = 1;
		data[n++] = UDATA_DATA_BYTEORDER;
		data[n++] = sizeof(order);
		memcpy(data + n, &order, sizeof(order));
		n += sizeof(order);
	}
	if (n > 0)
		nl_put(b, NFTA_SET_USERDATA, data, n);
}

void put_set(struct batch *b, const struct ruleset *rs, const struct set *s)
{
	struct tag *t = begin(b, NFT_MSG_NEWSET, NLM_F_CREATE, TAG_SET, "set");
	char name[SET_NAME_MAX];
	uint32_t type = 0, len = s->nfields > 1 ? s->klen : datatype(s->types[0])->len;

	t->rs = rs;
	t->set = s;
	for (unsigned i = 0; i < s->nfields; i++)
		type = type << 6 | datatype(s->types[i])->id;
	nl_put_str(&b->b, NFTA_SET_TABLE, b->table);
	nl_put_str(&b->b, NFTA_SET_NAME, set_name(s, name));
	nl_put_be32(&b->b, NFTA_SET_FLAGS, kernel_flags(s));
	nl_put_be32(&b->b, NFTA_SET_KEY_TYPE, type);
	nl_put_be32(&b->b, NFTA_SET_KEY_LEN, len);
	if ((s->flags & (SET_VERDICTS | SET_MARKS)) != 0) {
		bool marks = (s->flags & SET_MARKS) != 0;
		nl_put_be32(&b->b, NFTA_SET_DATA_TYPE, marks ? datatype(TYPE_MARK)->id : (uint32_t)NFT_DATA_VERDICT);
		nl_put_be32(&b->b, NFTA_SET_DATA_LEN, marks ? 4 : 16);
	}
	if (s->timeout > 0)
		nl_put_be64(&b->b, NFTA_SET_TIMEOUT, (uint64_t)s->timeout * 1000);
	put_desc(&b->b, s);
	put_byte_orders(&b->b, s);
	nl_put_be32(&b->b, NFTA_SET_ID, s->index + 1);
	finish(b);
}

void put_set_delete(struct batch *b, const char *name)
{
	begin(b, NFT_MSG_DELSET, 0, TAG_OTHER, "delete set")->name = name;
	nl_put_str(&b->b, NFTA_SET_TABLE, b->table);
	nl_put_str(&b->b, NFTA_SET_NAME, name);
	finish(b);
}

/* -- elements -------------------------------------------------------------------------------------------------- */

static size_t key_len(const struct set *s)
{
	return s->nfields > 1 ? s->klen : datatype(s->types[0])->len;
}

/* One end of an interval in an ordered tree: the key behind `hi`; false when there is none. */
static bool put_interval_end(struct buf *b, const struct set *s, const uint8_t *hi)
{
	uint8_t key[SET_KEY_MAX];
	size_t n = key_len(s);

	memcpy(key, hi, n);
	size_t i = n;
	while (i > 0 && ++key[i - 1] == 0)
		i--;
	if (i == 0)
		return false;
	size_t elem = nl_nest(b, NFTA_LIST_ELEM);
	nl_put_data(b, NFTA_SET_ELEM_KEY, key, n);
	nl_put_be32(b, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	nl_nest_end(b, elem);
	return true;
}

static void put_elem_data(struct buf *b, const struct set *s, const struct elem *e)
{
	if ((s->flags & SET_MARKS) != 0)
		nl_put_data(b, NFTA_SET_ELEM_DATA, &e->mark, 4);
	else if ((s->flags & SET_VERDICTS) != 0)
		nl_put_verdict(b, NFTA_SET_ELEM_DATA, e->chain != NULL ? NFT_GOTO : NF_ACCEPT,
			e->chain != NULL ? e->chain->name : NULL);
}

static void put_elem(struct batch *b, const struct ruleset *rs, const struct set *s, uint32_t i, bool remove)
{
	const struct elem *e = set_elem(s, i);
	const char *rule = elem_rule(rs, e);
	size_t elem = nl_nest(&b->b, NFTA_LIST_ELEM);

	nl_put_data(&b->b, NFTA_SET_ELEM_KEY, set_lo(s, i), key_len(s));
	if (is_concat_interval(s))
		nl_put_data(&b->b, NFTA_SET_ELEM_KEY_END, set_hi(s, i), key_len(s));
	if (!remove) {
		put_elem_data(&b->b, s, e);
		if (e->until != INT64_MAX)
			nl_put_be64(&b->b, NFTA_SET_ELEM_TIMEOUT, (uint64_t)(e->until * 1000 - b->now_ms));
		if (*rule != '\0')
			put_userdata(&b->b, NFTA_SET_ELEM_USERDATA, rule);
	}
	nl_nest_end(&b->b, elem);
	if ((s->flags & SET_INTERVAL) != 0 && s->nfields == 1)
		put_interval_end(&b->b, s, set_hi(s, i));
}

/* An ordered tree says first that nothing matches below its first element. */
static void put_gap(struct batch *b, const struct set *s)
{
	static const uint8_t zero[SET_KEY_MAX];
	size_t n = key_len(s);

	if ((s->flags & SET_INTERVAL) == 0 || s->nfields != 1 || s->n == 0 || memcmp(set_lo(s, 0), zero, n) == 0)
		return;
	size_t elem = nl_nest(&b->b, NFTA_LIST_ELEM);
	nl_put_data(&b->b, NFTA_SET_ELEM_KEY, zero, n);
	nl_put_be32(&b->b, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	nl_nest_end(&b->b, elem);
}

static bool expired(const struct batch *b, const struct elem *e)
{
	return e->until != INT64_MAX && e->until * 1000 <= b->now_ms;
}

void put_elems(struct batch *b, const struct ruleset *rs, const struct set *s, const uint32_t *order, uint32_t n,
	bool remove)
{
	char name[SET_NAME_MAX];

	for (uint32_t i = 0; i < n;) {
		struct tag *t = begin(b, remove ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM, remove ? 0 : NLM_F_CREATE,
			TAG_ELEMS, remove ? "remove from" : "");
		t->rs = rs;
		t->set = s;
		t->first = (uint32_t)(b->order.len / sizeof(uint32_t));
		nl_put_str(&b->b, NFTA_SET_ELEM_LIST_TABLE, b->table);
		nl_put_str(&b->b, NFTA_SET_ELEM_LIST_SET, set_name(s, name));
		size_t list = nl_nest(&b->b, NFTA_SET_ELEM_LIST_ELEMENTS);
		if (i == 0 && !remove)
			put_gap(b, s);
		for (; i < n && b->b.len - list < ELEMS_BYTES; i++) {
			uint32_t which = order != NULL ? order[i] : i;
			if (!remove && expired(b, set_elem(s, which)))
				continue;
			buf_add(&b->order, &which, sizeof(which));
			put_elem(b, rs, s, which, remove);
			b->elements++;
		}
		if (b->b.len - list == NLA_HDRLEN) { /* all had ended already: such a message is an error */
			b->b.len = tag_of(b, b->n - 1)->at;
			b->tags.len -= sizeof(struct tag);
			b->n--;
			break;
		}
		nl_nest_end(&b->b, list);
		finish(b);
	}
}

void put_flush(struct batch *b, const char *set)
{
	begin(b, NFT_MSG_DELSETELEM, 0, TAG_OTHER, "empty set")->name = set;
	nl_put_str(&b->b, NFTA_SET_ELEM_LIST_TABLE, b->table);
	nl_put_str(&b->b, NFTA_SET_ELEM_LIST_SET, set);
	finish(b);
}

/* -- naming what failed ------------------------------------------------------------------------------------------- */

/* Which element of the message lies at that offset: its position in the batch's order, or UINT32_MAX. */
static uint32_t element_at(const struct batch *b, const struct tag *t, uint32_t offset)
{
	const struct nlmsghdr *h = (const void *)(b->b.data + t->at);
	const struct nlattr *list = wire_attr(h, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	const uint8_t *end = (const uint8_t *)list + (list != NULL ? list->nla_len : 0);
	uint32_t i = t->first;

	if (list == NULL)
		return UINT32_MAX;
	for (const uint8_t *p = wire_data(list); p < end;) {
		const struct nlattr *elem = (const void *)p;
		size_t from = (size_t)(p - (const uint8_t *)h);
		if (offset < from + NLA_ALIGN(elem->nla_len))
			return offset >= from ? i : UINT32_MAX;
		/* ends of intervals are no elements of ours */
		if (wire_nested(elem, NFTA_SET_ELEM_FLAGS) == NULL)
			i++;
		p += NLA_ALIGN(elem->nla_len);
	}
	return UINT32_MAX;
}

static void name_element(const struct batch *b, const struct tag *t, uint32_t offset, struct nft_error *err)
{
	char name[SET_NAME_MAX];
	uint32_t at = element_at(b, t, offset);
	struct buf key = {0};

	if (at != UINT32_MAX && at < b->order.len / sizeof(uint32_t)) {
		uint32_t which = ((const uint32_t *)(void *)b->order.data)[at];
		set_key_text(t->set, which, &key);
		snprintf(err->rule, sizeof(err->rule), "%s", elem_rule(t->rs, set_elem(t->set, which)));
	}
	snprintf(err->object, sizeof(err->object), "%s%smap %s element %s", t->verb, *t->verb != '\0' ? " " : "",
		set_name(t->set, name), buf_str(&key));
	buf_free(&key);
}

static void name_object(const struct batch *b, const struct tag *t, uint32_t offset, struct nft_error *err)
{
	char name[SET_NAME_MAX];

	switch (t->kind) {
	case TAG_ELEMS:
		name_element(b, t, offset, err);
		break;
	case TAG_SET:
		snprintf(err->object, sizeof(err->object), "set %s", set_name(t->set, name));
		break;
	case TAG_CHAIN:
		snprintf(err->object, sizeof(err->object), "chain %s", t->chain->name);
		break;
	case TAG_RULE:
		snprintf(err->object, sizeof(err->object), "chain %s rule %u", t->chain->name, t->first + 1);
		break;
	case TAG_OTHER:
		snprintf(err->object, sizeof(err->object), "%s %s", t->verb, t->name != NULL ? t->name : "");
		break;
	}
}

struct outcome {
	struct batch *b;
	struct nft_error *err;
	int error;
	bool acked;
};

static void take_outcome(void *arg, const struct wire_error *e)
{
	struct outcome *o = arg;
	uint32_t i = e->seq - o->b->seq0 - 1;

	if (e->error == 0) {
		o->acked |= i == o->b->n - 1;
		return;
	}
	if (o->error != 0)
		return; /* the first one explains the others */
	o->error = e->error;
	if (o->err == NULL)
		return;
	*o->err = (struct nft_error){.error = e->error};
	snprintf(o->err->text, sizeof(o->err->text), "%s", *e->text != '\0' ? e->text : strerror(e->error));
	if (i < o->b->n)
		name_object(o->b, tag_of(o->b, i), e->offset, o->err);
	else
		snprintf(o->err->object, sizeof(o->err->object), "transaction");
}

/* -- running ---------------------------------------------------------------------------------------------------- */

static void put_frame(struct buf *b, uint16_t type, uint32_t seq, uint32_t genid)
{
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = seq};
	struct nfgenmsg g = {.nfgen_family = NFPROTO_UNSPEC, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
	size_t at = b->len;

	buf_add(b, &h, sizeof(h));
	buf_add(b, &g, sizeof(g));
	if (genid != 0)
		nl_put_be32(b, NFNL_BATCH_GENID, genid);
	nl_msg_end(b, at);
}

static int send_batch(struct batch *b, struct wire *w, uint32_t genid, bool commit)
{
	struct nlmsghdr *last = (void *)(b->b.data + tag_of(b, b->n - 1)->at);
	struct buf head = {0}, tail = {0};

	if (commit)
		last->nlmsg_flags |= NLM_F_ACK;
	put_frame(&head, NFNL_MSG_BATCH_BEGIN, b->seq0, genid);
	put_frame(&tail, NFNL_MSG_BATCH_END, b->seq0 + b->n + 1, 0);
	w->seq = b->seq0 + b->n + 1;
	struct iovec parts[] = {{head.data, head.len}, {b->b.data, b->b.len}, {tail.data, tail.len}};
	/* Without its end the kernel checks a batch and undoes it. */
	int r = wire_send(w, parts, commit ? 3 : 2);
	buf_free(&head);
	buf_free(&tail);
	return r;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int batch_run(struct batch *b, struct wire *w, uint32_t genid, struct nft_error *err, uint32_t *us)
{
	struct outcome o = {.b = b, .err = err};
	int64_t start = now_us();
	int r = send_batch(b, w, genid, true);

	if (us != NULL)
		*us += (uint32_t)(now_us() - start);
	int c = wire_collect(w, take_outcome, &o);
	if (o.error != 0)
		return -o.error;
	r = r != 0 ? r : c;
	/* Silence is no success. */
	if (r == 0 && !o.acked)
		r = -EPROTO;
	if (r != 0 && err != NULL) {
		*err = (struct nft_error){.error = -r};
		snprintf(err->object, sizeof(err->object), "transaction");
		snprintf(err->text, sizeof(err->text), "%s", strerror(-r));
	}
	return r;
}

int batch_try(struct batch *b, struct wire *w, wire_error_fn *fn, void *arg)
{
	int r = send_batch(b, w, 0, false), c = wire_collect(w, fn, arg);

	return r != 0 ? r : c;
}
