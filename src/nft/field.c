/*
 * field.c: what can be read from a packet: nft's word for it and the kernel expression that loads it.
 *
 * One row a field; both forms side by side, so that text and netlink cannot drift apart.
 * Header offsets: RFC 791, 8200, 768, 9293, 792, 4443.
 */
#include "nl.h"
#include "objects.h"

#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>

enum loader { LOAD_META, LOAD_NETWORK, LOAD_TRANSPORT, LOAD_LINK, LOAD_CT, LOAD_CT_ORIGINAL, LOAD_FIB, LOAD_HEADER };

static const struct {
	const char *text;
	enum datatype type;
	enum loader loader;
	uint8_t key;	/* of meta and ct, or the extension header's number */
	uint8_t offset; /* of a payload */
	uint32_t mask;	/* of a mark; 0 = all of it */
} fields[F_END] = {
	[F_NFPROTO] = {"meta nfproto", TYPE_NFPROTO, LOAD_META, NFT_META_NFPROTO, 0},
	[F_L4PROTO] = {"meta l4proto", TYPE_L4PROTO, LOAD_META, NFT_META_L4PROTO, 0},
	[F_IIFNAME] = {"iifname", TYPE_IFNAME, LOAD_META, NFT_META_IIFNAME, 0},
	[F_OIFNAME] = {"oifname", TYPE_IFNAME, LOAD_META, NFT_META_OIFNAME, 0},
	[F_MARK] = {"meta mark", TYPE_MARK, LOAD_META, NFT_META_MARK, 0},
	[F_MARK_VERIFIED] = {"meta mark & 0x0ffff000", TYPE_MARK, LOAD_META, NFT_META_MARK, 0, CTMARK_VERIFIED},
	[F_LENGTH] = {"meta length", TYPE_U32, LOAD_META, NFT_META_LEN, 0},
	[F_PKTTYPE] = {"meta pkttype", TYPE_PKTTYPE, LOAD_META, NFT_META_PKTTYPE, 0},
	[F_IIFTYPE] = {"meta iiftype", TYPE_ARPHRD, LOAD_META, NFT_META_IIFTYPE, 0},
	[F_IHL] = {"@nh,4,4", TYPE_U8, LOAD_NETWORK, 0, 0},
	/* version, header length, service, length: as a word, for the same reason as below */
	[F_IHLWORD] = {"@nh,0,32", TYPE_HEX32, LOAD_NETWORK, 0, 0},
	[F_FRAGOFF] = {"ip frag-off", TYPE_U16, LOAD_NETWORK, 0, 6},
	/* identification and fragment word together: four bytes are what the kernel compares fastest */
	[F_FRAGWORD] = {"@nh,32,32", TYPE_HEX32, LOAD_NETWORK, 0, 4},
	[F_IPLENGTH] = {"ip length", TYPE_U16, LOAD_NETWORK, 0, 2},
	[F_SADDR4] = {"ip saddr", TYPE_ADDR4, LOAD_NETWORK, 0, 12},
	[F_DADDR4] = {"ip daddr", TYPE_ADDR4, LOAD_NETWORK, 0, 16},
	[F_NEXTHDR] = {"ip6 nexthdr", TYPE_L4PROTO, LOAD_NETWORK, 0, 6},
	[F_HOPLIMIT] = {"ip6 hoplimit", TYPE_U8, LOAD_NETWORK, 0, 7},
	[F_SADDR6] = {"ip6 saddr", TYPE_ADDR6, LOAD_NETWORK, 0, 8},
	[F_DADDR6] = {"ip6 daddr", TYPE_ADDR6, LOAD_NETWORK, 0, 24},
	[F_SPORT] = {"th sport", TYPE_PORT, LOAD_TRANSPORT, 0, 0},
	[F_DPORT] = {"th dport", TYPE_PORT, LOAD_TRANSPORT, 0, 2},
	[F_TCPFLAGS] = {"tcp flags", TYPE_TCPFLAGS, LOAD_TRANSPORT, 0, 13},
	[F_TCPDOFF] = {"@th,96,8", TYPE_HEX8, LOAD_TRANSPORT, 0, 12},
	[F_UDPLENGTH] = {"udp length", TYPE_U16, LOAD_TRANSPORT, 0, 4},
	[F_ICMPTYPE] = {"icmp type", TYPE_ICMPTYPE, LOAD_TRANSPORT, 0, 0},
	[F_ICMP6TYPE] = {"icmpv6 type", TYPE_ICMP6TYPE, LOAD_TRANSPORT, 0, 0},
	[F_ETHERSADDR] = {"ether saddr", TYPE_ETHER, LOAD_LINK, 0, 6},
	[F_CTSTATE] = {"ct state", TYPE_CTSTATE, LOAD_CT, NFT_CT_STATE, 0},
	[F_CTMARK] = {"ct mark", TYPE_MARK, LOAD_CT, NFT_CT_MARK, 0},
	[F_CTMARK_VERIFIED] = {"ct mark & 0x0ffff000", TYPE_MARK, LOAD_CT, NFT_CT_MARK, 0, CTMARK_VERIFIED},
	/* generation and verified policy */
	[F_CTMARK_FLOW] = {"ct mark & 0x0ffffffc", TYPE_MARK_NET, LOAD_CT, NFT_CT_MARK, 0, 0x0ffffffc},
	[F_CTDIR] = {"ct direction", TYPE_CTDIR, LOAD_CT, NFT_CT_DIRECTION, 0},
	[F_CTSADDR4] = {"ct original ip saddr", TYPE_ADDR4, LOAD_CT_ORIGINAL, NFT_CT_SRC_IP, 0},
	[F_CTDADDR4] = {"ct original ip daddr", TYPE_ADDR4, LOAD_CT_ORIGINAL, NFT_CT_DST_IP, 0},
	[F_CTSADDR6] = {"ct original ip6 saddr", TYPE_ADDR6, LOAD_CT_ORIGINAL, NFT_CT_SRC_IP6, 0},
	[F_CTDADDR6] = {"ct original ip6 daddr", TYPE_ADDR6, LOAD_CT_ORIGINAL, NFT_CT_DST_IP6, 0},
	[F_CTDPORT] = {"ct original proto-dst", TYPE_PORT, LOAD_CT_ORIGINAL, NFT_CT_PROTO_DST, 0},
	[F_FIBOIF] = {"fib daddr oif", TYPE_PRESENT32, LOAD_FIB, 0, 0},
	[F_FRAGHDR] = {"exthdr frag", TYPE_PRESENT, LOAD_HEADER, 44, 0},
	[F_FRAGNEXTHDR] = {"frag nexthdr", TYPE_L4PROTO, LOAD_HEADER, 44, 0},
};

const char *field_text(enum field f)
{
	return fields[f].text;
}

enum datatype field_type(enum field f)
{
	return fields[f].type;
}

static void load_payload(enum field f, uint32_t base, unsigned reg, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "payload");

	nl_put_be32(out, NFTA_PAYLOAD_DREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_PAYLOAD_BASE, base);
	nl_put_be32(out, NFTA_PAYLOAD_OFFSET, fields[f].offset);
	nl_put_be32(out, NFTA_PAYLOAD_LEN, datatype(fields[f].type)->len);
	nl_expr_end(out, e);
}

static void load_meta(enum field f, unsigned reg, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "meta");

	nl_put_be32(out, NFTA_META_KEY, fields[f].key);
	nl_put_be32(out, NFTA_META_DREG, NFT_REG32_00 + reg);
	nl_expr_end(out, e);
}

static void load_ct(enum field f, unsigned reg, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "ct");

	nl_put_be32(out, NFTA_CT_KEY, fields[f].key);
	nl_put_be32(out, NFTA_CT_DREG, NFT_REG32_00 + reg);
	if (fields[f].loader == LOAD_CT_ORIGINAL)
		nl_put_u8(out, NFTA_CT_DIRECTION, IP_CT_DIR_ORIGINAL);
	nl_expr_end(out, e);
}

static void load_fib(unsigned reg, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "fib");

	nl_put_be32(out, NFTA_FIB_DREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_FIB_RESULT, NFT_FIB_RESULT_OIF);
	nl_put_be32(out, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR | NFTA_FIB_F_PRESENT);
	nl_expr_end(out, e);
}

static void load_header(enum field f, unsigned reg, struct buf *out)
{
	struct nl_expr e = nl_expr(out, "exthdr");

	nl_put_be32(out, NFTA_EXTHDR_DREG, NFT_REG32_00 + reg);
	nl_put_u8(out, NFTA_EXTHDR_TYPE, fields[f].key);
	nl_put_be32(out, NFTA_EXTHDR_OFFSET, 0);
	nl_put_be32(out, NFTA_EXTHDR_LEN, 1);
	nl_put_be32(out, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	if (fields[f].type == TYPE_PRESENT)
		nl_put_be32(out, NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	nl_expr_end(out, e);
}

/* Only some bits of a mark; in an interval set turned round, since those compare bytes. */
static void mask_mark(enum field f, unsigned reg, struct buf *out)
{
	uint32_t zero = 0;
	struct nl_expr e = nl_expr(out, "bitwise");

	nl_put_be32(out, NFTA_BITWISE_SREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_BITWISE_DREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_BITWISE_LEN, 4);
	nl_put_data(out, NFTA_BITWISE_MASK, &fields[f].mask, 4);
	nl_put_data(out, NFTA_BITWISE_XOR, &zero, 4);
	nl_expr_end(out, e);
	if (fields[f].type != TYPE_MARK_NET)
		return;
	e = nl_expr(out, "byteorder");
	nl_put_be32(out, NFTA_BYTEORDER_SREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_BYTEORDER_DREG, NFT_REG32_00 + reg);
	nl_put_be32(out, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nl_put_be32(out, NFTA_BYTEORDER_LEN, 4);
	nl_put_be32(out, NFTA_BYTEORDER_SIZE, 4);
	nl_expr_end(out, e);
}

void field_load(enum field f, unsigned reg, struct buf *out)
{
	switch (fields[f].loader) {
	case LOAD_META:
		load_meta(f, reg, out);
		break;
	case LOAD_NETWORK:
		load_payload(f, NFT_PAYLOAD_NETWORK_HEADER, reg, out);
		break;
	case LOAD_TRANSPORT:
		load_payload(f, NFT_PAYLOAD_TRANSPORT_HEADER, reg, out);
		break;
	case LOAD_LINK:
		load_payload(f, NFT_PAYLOAD_LL_HEADER, reg, out);
		break;
	case LOAD_CT:
	case LOAD_CT_ORIGINAL:
		load_ct(f, reg, out);
		break;
	case LOAD_FIB:
		load_fib(reg, out);
		break;
	case LOAD_HEADER:
		load_header(f, reg, out);
		break;
	}
	if (fields[f].mask != 0)
		mask_mark(f, reg, out);
}
