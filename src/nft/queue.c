/*
 * queue.c: the kernel's packet queues: opened for the inspector, answered for it.
 *
 * nfnetlink_queue (linux/netfilter/nfnetlink_queue.h). The kernel asks CAP_NET_ADMIN of the opener and of each sender, and
 * nothing of who receives: the descriptor is handed to an unprivileged process, which reads packets from it and cannot
 * judge any. Verdicts must come from the very socket that is bound, so the opener keeps a copy.
 *
 * Input: none; what the kernel answers to verdicts (a packet that is gone: ENOENT) is read and forgotten on the next call.
 * Every packet is accepted with a mark; the chain `after` drops what the mark says, so that each drop is counted and logged.
 * Limits: a queue holds NFT_QUEUE_PACKETS; what comes beyond is dropped by the kernel and counted there.
 */
#include "nl.h"

#include <sekisho/inspect.h>
#include <sekisho/nft.h>

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A burst of whole packets waits here while the inspector works. */
#define RECEIVE_BUFFER (32 << 20)
/* The most of a packet that fits an attribute. */
#define COPY_BYTES 65531u
/* Verdicts in one send: 32 bytes each. */
#define VERDICTS_A_SEND 256

static size_t begin(struct buf *b, uint16_t type, uint16_t flags, uint32_t segment)
{
	size_t at = nl_msg(b, (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type), flags, 0);
	struct nfgenmsg *g = (void *)(b->data + at + NLMSG_HDRLEN);

	g->nfgen_family = AF_UNSPEC;
	g->res_id = htons((uint16_t)INSPECT_QUEUE(segment));
	return at;
}

static int send_all(int fd, const struct buf *b)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(fd, b->data, b->len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == b->len ? 0 : -EIO;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

static void put_configuration(struct buf *b, uint32_t segment)
{
	struct nfqnl_msg_config_cmd cmd = {.command = NFQNL_CFG_CMD_BIND};
	struct nfqnl_msg_config_params params = {.copy_range = htonl(COPY_BYTES), .copy_mode = NFQNL_COPY_PACKET};
	size_t at = begin(b, NFQNL_MSG_CONFIG, NLM_F_ACK, segment);

	nl_put(b, NFQA_CFG_CMD, &cmd, sizeof(cmd));
	nl_put(b, NFQA_CFG_PARAMS, &params, sizeof(params));
	nl_put_be32(b, NFQA_CFG_QUEUE_MAXLEN, NFT_QUEUE_PACKETS);
	nl_put_be32(b, NFQA_CFG_FLAGS, NFQA_CFG_F_GSO);
	nl_put_be32(b, NFQA_CFG_MASK, NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_CONNTRACK);
	nl_msg_end(b, at);
}

/* The kernel answers inside send(); nothing else can have come before it, but packets may come behind. */
static int read_answer(int fd)
{
	union {
		struct nlmsghdr h;
		uint8_t b[1024];
	} reply;
	ssize_t n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || reply.h.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return ((const struct nlmsgerr *)NLMSG_DATA(&reply.h))->error;
}

static int configure(int fd, uint32_t segment)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int size = RECEIVE_BUFFER, one = 1;
	struct buf b = {0};

	/* Without the privilege for FORCE the kernel's own limit holds: more is dropped then, nothing passes. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		return -errno;
	put_configuration(&b, segment);
	int r = send_all(fd, &b);
	buf_free(&b);
	return r != 0 ? r : read_answer(fd);
}

int nft_queue_open(uint32_t segment)
{
	if (segment >= LIMIT_SEGMENTS)
		return -EINVAL;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	int r = configure(fd, segment);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* -- verdicts ----------------------------------------------------------------------------------------------------- */

static uint32_t mark_of(const struct nft_verdict *v)
{
	if (v->code == 0 || v->code > INSPECTED_NOBODY)
		return INSPECTED_MARK(INSPECTED_NOBODY, 0, 0);
	return INSPECTED_MARK(v->code, v->why, v->seen);
}

static void put_verdict(struct buf *b, uint32_t segment, uint16_t type, uint32_t packet, uint32_t mark)
{
	struct nfqnl_msg_verdict_hdr hdr = {.verdict = htonl(NF_ACCEPT), .id = htonl(packet)};
	size_t at = begin(b, type, 0, segment);

	nl_put(b, NFQA_VERDICT_HDR, &hdr, sizeof(hdr));
	nl_put_be32(b, NFQA_MARK, mark);
	nl_msg_end(b, at);
}

int nft_queue_verdicts(int fd, uint32_t segment, const struct nft_verdict *v, size_t n)
{
	struct buf b = {0};
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		put_verdict(&b, segment, NFQNL_MSG_VERDICT, v[i].packet, mark_of(&v[i]));
		if ((i + 1) % VERDICTS_A_SEND != 0 && i + 1 < n)
			continue;
		r = send_all(fd, &b);
		buf_clear(&b);
	}
	buf_free(&b);
	return r;
}

int nft_queue_abandon(int fd, uint32_t segment)
{
	struct buf b = {0};

	/* A batch judges every packet up to an id, compared as sequence numbers are: four of them meet any id. */
	for (uint32_t quarter = 1; quarter <= 4; quarter++)
		put_verdict(&b, segment, NFQNL_MSG_VERDICT_BATCH, quarter * 0x40000000u - 1,
			INSPECTED_MARK(INSPECTED_NOBODY, 0, 0));
	int r = send_all(fd, &b);
	buf_free(&b);
	return r;
}
