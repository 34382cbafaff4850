/*
 * nl.h: netlink messages written into a buffer: headers, attributes, nests.
 *
 * RFC 3549 framing; attribute types of <linux/netfilter/nf_tables.h>. Numbers of nf_tables are big-endian.
 */
#ifndef NFT_NL_H
#define NFT_NL_H

#include <stddef.h>
#include <stdint.h>

#include <sekisho/buf.h>

/* Attributes. `nl_nest` returns the place that nl_nest_end() closes. */
void nl_put(struct buf *b, uint16_t type, const void *data, size_t n);
void nl_put_str(struct buf *b, uint16_t type, const char *s); /* with its NUL */
void nl_put_be16(struct buf *b, uint16_t type, uint16_t v);
void nl_put_be32(struct buf *b, uint16_t type, uint32_t v);
void nl_put_be64(struct buf *b, uint16_t type, uint64_t v);
void nl_put_u8(struct buf *b, uint16_t type, uint8_t v);
size_t nl_nest(struct buf *b, uint16_t type);
void nl_nest_end(struct buf *b, size_t nest);
/* { NFTA_DATA_VALUE: bytes } under `type`. */
void nl_put_data(struct buf *b, uint16_t type, const void *value, size_t n);
/* A verdict under `type`: code and, for jump and goto, the chain. */
void nl_put_verdict(struct buf *b, uint16_t type, int code, const char *chain);

/* One expression of a list: NFTA_LIST_ELEM { NFTA_EXPR_NAME, NFTA_EXPR_DATA { … } }. */
struct nl_expr {
	size_t elem, data;
};
struct nl_expr nl_expr(struct buf *b, const char *name);
/* The same under another attribute (the expression of a dynset). */
struct nl_expr nl_expr_under(struct buf *b, uint16_t type, const char *name);
void nl_expr_end(struct buf *b, struct nl_expr e);

/* A message: header (nlmsghdr + nfgenmsg, family inet) with its length left to nl_msg_end(). */
size_t nl_msg(struct buf *b, uint16_t type, uint16_t flags, uint32_t seq);
void nl_msg_end(struct buf *b, size_t msg);

#endif
