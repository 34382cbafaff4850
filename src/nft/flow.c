/*
 * flow.c: connections of the kernel's table (see flow.h): one read, all asked for, and all as rows for people.
 *
 * Input: the kernel's dump of conntrack; attributes are read with bounds. Limits: WATCH_FLOWS_MAX rows. A connection that
 * is not understood is left out. The dump is not of one moment: one that moves meanwhile may be there twice or not at all.
 */
#include "flow.h"
#include "nl.h"

#include <sekisho/watch.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>

#define WRITE_BYTES ((size_t)1 << 20)

static bool read_addr(const struct nlattr *ip, uint16_t four, uint16_t six, struct addr *ret)
{
	const struct nlattr *a;

	*ret = (struct addr){0};
	if ((a = wire_nested(ip, four)) != NULL && wire_len(a) == 4)
		ret->family = 4;
	else if ((a = wire_nested(ip, six)) != NULL && wire_len(a) == 16)
		ret->family = 6;
	else
		return false;
	memcpy(ret->b, wire_data(a), wire_len(a));
	return true;
}

static uint16_t read_be16(const struct nlattr *a)
{
	uint16_t v = 0;

	if (a != NULL && wire_len(a) == sizeof(v))
		memcpy(&v, wire_data(a), sizeof(v));
	return ntohs(v);
}

static uint8_t read_u8(const struct nlattr *a)
{
	return a != NULL && wire_len(a) == 1 ? *(const uint8_t *)wire_data(a) : 0;
}

static void read_ports(const struct nlattr *proto, struct question *q)
{
	q->proto = read_u8(wire_nested(proto, CTA_PROTO_NUM));
	q->has_port = true;
	if (q->proto == IPPROTO_ICMP) {
		q->dport = (uint16_t)(read_u8(wire_nested(proto, CTA_PROTO_ICMP_TYPE)) << 8 |
				      read_u8(wire_nested(proto, CTA_PROTO_ICMP_CODE)));
	} else if (q->proto == IPPROTO_ICMPV6) {
		q->dport = (uint16_t)(read_u8(wire_nested(proto, CTA_PROTO_ICMPV6_TYPE)) << 8 |
				      read_u8(wire_nested(proto, CTA_PROTO_ICMPV6_CODE)));
	} else {
		q->sport = read_be16(wire_nested(proto, CTA_PROTO_SRC_PORT));
		q->dport = read_be16(wire_nested(proto, CTA_PROTO_DST_PORT));
	}
}

bool flow_read(const struct nlmsghdr *h, struct flow *f)
{
	size_t skip = sizeof(struct nfgenmsg);

	*f = (struct flow){.tuple = wire_attr(h, skip, CTA_TUPLE_ORIG), .zone = wire_attr(h, skip, CTA_ZONE)};
	const struct nlattr *ip = wire_nested(f->tuple, CTA_TUPLE_IP), *proto = wire_nested(f->tuple, CTA_TUPLE_PROTO);
	if (ip == NULL || proto == NULL || !read_addr(ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC, &f->q.src) ||
		!read_addr(ip, CTA_IP_V4_DST, CTA_IP_V6_DST, &f->q.dst))
		return false;
	read_ports(proto, &f->q);
	f->mark = wire_be32(wire_attr(h, skip, CTA_MARK), 0);
	f->status = wire_be32(wire_attr(h, skip, CTA_STATUS), 0);
	return true;
}

int flow_dump(struct nft *n, uint32_t status, uint32_t status_mask, wire_message_fn *fn, void *arg)
{
	struct buf b = {0};
	size_t msg = nl_msg(&b, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, 0);

	((struct nfgenmsg *)(void *)(b.data + NLMSG_HDRLEN))->nfgen_family = AF_UNSPEC;
	if (status_mask != 0) {
		nl_put_be32(&b, CTA_STATUS, status);
		nl_put_be32(&b, CTA_STATUS_MASK, status_mask);
	}
	nl_msg_end(&b, msg);
	int r = wire_dump(&n->query, &b, fn, arg);
	buf_free(&b);
	return r;
}

/* -- for people ---------------------------------------------------------------------------------------------------- */

struct listing {
	int fd;
	struct buf rows;
	struct nft_flows *ret;
};

static void read_counters(const struct nlattr *a, struct flow_row *r, unsigned way)
{
	r->packets[way] = wire_be64(wire_nested(a, CTA_COUNTERS_PACKETS), 0);
	r->bytes[way] = wire_be64(wire_nested(a, CTA_COUNTERS_BYTES), 0);
}

static void fill_row(const struct nlmsghdr *h, const struct flow *f, struct flow_row *r)
{
	const size_t skip = sizeof(struct nfgenmsg);
	uint64_t start = wire_be64(wire_nested(wire_attr(h, skip, CTA_TIMESTAMP), CTA_TIMESTAMP_START), 0);

	*r = (struct flow_row){.sport = f->q.sport, .dport = f->q.dport, .family = f->q.src.family, .proto = f->q.proto,
		.mark = f->mark, .status = f->status, .start_ns = start <= INT64_MAX ? (int64_t)start : 0};
	memcpy(r->src, f->q.src.b, sizeof(r->src));
	memcpy(r->dst, f->q.dst.b, sizeof(r->dst));
	r->timeout = wire_be32(wire_attr(h, skip, CTA_TIMEOUT), 0);
	r->tcp_state = read_u8(wire_nested(wire_nested(wire_attr(h, skip, CTA_PROTOINFO), CTA_PROTOINFO_TCP),
		CTA_PROTOINFO_TCP_STATE));
	read_counters(wire_attr(h, skip, CTA_COUNTERS_ORIG), r, 0);
	read_counters(wire_attr(h, skip, CTA_COUNTERS_REPLY), r, 1);
}

static int write_rows(struct listing *l)
{
	ssize_t n = write(l->fd, l->rows.data, l->rows.len);
	bool whole = n == (ssize_t)l->rows.len;

	buf_clear(&l->rows);
	return whole ? 0 : -EIO;
}

static int on_row(void *arg, const struct nlmsghdr *h)
{
	struct listing *l = arg;
	struct flow_row row;
	struct flow f;

	if (!flow_read(h, &f))
		return 0;
	if (l->ret->rows == WATCH_FLOWS_MAX) {
		l->ret->missed++;
		return 0;
	}
	fill_row(h, &f, &row);
	buf_add(&l->rows, &row, sizeof(row));
	l->ret->rows++;
	return l->rows.len >= WRITE_BYTES ? write_rows(l) : 0;
}

int nft_flows(struct nft *n, struct nft_flows *ret)
{
	struct listing l = {.ret = ret};

	*ret = (struct nft_flows){.fd = -1};
	l.fd = memfd_create("flows", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (l.fd < 0)
		return -errno;
	int r = flow_dump(n, 0, 0, on_row, &l);
	if (r == 0 && l.rows.len > 0)
		r = write_rows(&l);
	if (r == 0 && fcntl(l.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
		r = -errno;
	buf_free(&l.rows);
	if (r != 0)
		close(l.fd);
	else
		ret->fd = l.fd;
	return r;
}
