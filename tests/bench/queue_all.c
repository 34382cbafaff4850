/*
 * queue_all.c: a queue program that judges nothing: accepts each packet, and with the last of so many packets of a
 * connection it sets a mark, after which the kernel leaves the rest alone. What sekisho-inspect is measured against: the
 * same packets are queued, nothing is looked at but the ports.
 *
 * usage: queue_all QUEUES PACKETS [FORWARD PASS]      QUEUES: numbers with commas. Marks: of each packet before the last, of
 *                                                     the last (default: none, and 1)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define TABLE (1u << 16)

static uint8_t seen[TABLE];
static uint32_t forward, pass = 1; /* marks */

static struct nlmsghdr *message(void *buf, uint8_t type, uint16_t queue)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	h->nlmsg_flags = NLM_F_REQUEST;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->version = NFNETLINK_V0;
	g->res_id = htons(queue);
	return h;
}

static void configure(struct mnl_socket *s, uint16_t queue)
{
	char buf[512];
	struct nlmsghdr *h = message(buf, NFQNL_MSG_CONFIG, queue);
	struct nfqnl_msg_config_cmd bind = {.command = NFQNL_CFG_CMD_BIND};
	struct nfqnl_msg_config_params copy = {.copy_range = htonl(65531), .copy_mode = NFQNL_COPY_PACKET};

	mnl_attr_put(h, NFQA_CFG_CMD, sizeof(bind), &bind);
	mnl_socket_sendto(s, h, h->nlmsg_len);
	h = message(buf, NFQNL_MSG_CONFIG, queue);
	mnl_attr_put(h, NFQA_CFG_PARAMS, sizeof(copy), &copy);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	mnl_attr_put_u32(h, NFQA_CFG_QUEUE_MAXLEN, htonl(4096));
	mnl_socket_sendto(s, h, h->nlmsg_len);
}

/* The place of the connection: its ports, whichever way round. */
static uint32_t place(const uint8_t *ip, size_t n)
{
	size_t at = n > 0 ? (size_t)(ip[0] & 15) * 4 : 0;

	return at + 4 > n ? 0 : (uint32_t)((ip[at] << 8 | ip[at + 1]) ^ (ip[at + 2] << 8 | ip[at + 3]));
}

static size_t verdict(void *out, const struct nlmsghdr *in, unsigned packets)
{
	const struct nfgenmsg *of = mnl_nlmsg_get_payload(in);
	const struct nlattr *a;
	uint32_t id = 0, at = 0;

	mnl_attr_for_each(a, in, sizeof(struct nfgenmsg)) {
		const struct nfqnl_msg_packet_hdr *h = mnl_attr_get_payload(a);
		if (mnl_attr_get_type(a) == NFQA_PACKET_HDR)
			id = h->packet_id;
		else if (mnl_attr_get_type(a) == NFQA_PAYLOAD)
			at = place(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	}
	struct nlmsghdr *h = message(out, NFQNL_MSG_VERDICT, ntohs(of->res_id));
	struct nfqnl_msg_verdict_hdr v = {htonl(NF_ACCEPT), id};
	mnl_attr_put(h, NFQA_VERDICT_HDR, sizeof(v), &v);
	bool last = ++seen[at] >= packets;
	if (last)
		seen[at] = 0;
	if (last || forward != 0)
		mnl_attr_put_u32(h, NFQA_MARK, htonl(last ? pass : forward));
	return h->nlmsg_len;
}

int main(int argc, char **argv)
{
	static uint8_t in[BATCH][70000], out[BATCH * 128];
	static struct mmsghdr m[BATCH];
	static struct iovec v[BATCH];
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	int room = 32 << 20, one = 1;

	if ((argc != 3 && argc != 5) || s == NULL || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		return 2;
	if (argc == 5) {
		forward = (uint32_t)strtoul(argv[3], NULL, 0);
		pass = (uint32_t)strtoul(argv[4], NULL, 0);
	}
	unsigned packets = (unsigned)atoi(argv[2]);
	int fd = mnl_socket_get_fd(s);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	for (const char *q = strtok(argv[1], ","); q != NULL; q = strtok(NULL, ","))
		configure(s, (uint16_t)atoi(q));
	for (int i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){in[i], sizeof(in[i])};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		size_t len = 0;
		for (int i = 0; i < n; i++) {
			const struct nlmsghdr *h = (const void *)in[i];
			if (m[i].msg_len >= sizeof(*h) && h->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
				len += verdict(out + len, h, packets);
		}
		if (len > 0)
			mnl_socket_sendto(s, out, len);
		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return 3;
	}
}
