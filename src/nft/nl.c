/*
 * nl.c: netlink messages in a buffer (see nl.h). Output only; growth is bounded by BUF_MAX.
 */
#include "nl.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

void nl_put(struct buf *b, uint16_t type, const void *data, size_t n)
{
	struct nlattr a = {.nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = type};
	uint8_t *p = buf_reserve(b, NLA_HDRLEN + NLA_ALIGN(n));

	memcpy(p, &a, sizeof(a));
	if (n > 0)
		memcpy(p + NLA_HDRLEN, data, n);
}

void nl_put_str(struct buf *b, uint16_t type, const char *s)
{
	nl_put(b, type, s, strlen(s) + 1);
}

void nl_put_be16(struct buf *b, uint16_t type, uint16_t v)
{
	v = htons(v);
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_be32(struct buf *b, uint16_t type, uint32_t v)
{
	v = htonl(v);
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_be64(struct buf *b, uint16_t type, uint64_t v)
{
	v = htobe64(v);
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_u8(struct buf *b, uint16_t type, uint8_t v)
{
	nl_put(b, type, &v, sizeof(v));
}

size_t nl_nest(struct buf *b, uint16_t type)
{
	size_t at = b->len;

	nl_put(b, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nl_nest_end(struct buf *b, size_t nest)
{
	uint16_t len = (uint16_t)(b->len - nest);

	memcpy(b->data + nest, &len, sizeof(len));
}

void nl_put_data(struct buf *b, uint16_t type, const void *value, size_t n)
{
	size_t nest = nl_nest(b, type);

	nl_put(b, NFTA_DATA_VALUE, value, n);
	nl_nest_end(b, nest);
}

void nl_put_verdict(struct buf *b, uint16_t type, int code, const char *chain)
{
	size_t nest = nl_nest(b, type), verdict = nl_nest(b, NFTA_DATA_VERDICT);

	nl_put_be32(b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain != NULL)
		nl_put_str(b, NFTA_VERDICT_CHAIN, chain);
	nl_nest_end(b, verdict);
	nl_nest_end(b, nest);
}

struct nl_expr nl_expr_under(struct buf *b, uint16_t type, const char *name)
{
	struct nl_expr e;

	e.elem = nl_nest(b, type);
	nl_put_str(b, NFTA_EXPR_NAME, name);
	e.data = nl_nest(b, NFTA_EXPR_DATA);
	return e;
}

struct nl_expr nl_expr(struct buf *b, const char *name)
{
	return nl_expr_under(b, NFTA_LIST_ELEM, name);
}

void nl_expr_end(struct buf *b, struct nl_expr e)
{
	nl_nest_end(b, e.data);
	nl_nest_end(b, e.elem);
}

size_t nl_msg(struct buf *b, uint16_t type, uint16_t flags, uint32_t seq)
{
	size_t at = b->len;
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags), .nlmsg_seq = seq};
	struct nfgenmsg g = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	buf_add(b, &h, sizeof(h));
	buf_add(b, &g, sizeof(g));
	return at;
}

void nl_msg_end(struct buf *b, size_t msg)
{
	uint32_t len = (uint32_t)(b->len - msg);

	memcpy(b->data + msg, &len, sizeof(len));
}
