/*
 * nft_queue: an inspector that says what it was told, for the tests in this directory: opens the queues of the first
 * segments by the gate's own calls and answers each packet by the last word that its payload has of
 *
 *	-FORW-  -PASS-  -REFU-  -DROP-
 *
 * or else by the default. Commands on standard input, each answered with one line: default CODE, hold, go, count, abandon,
 * drop (an answer with a mark of no verdict), quit. usage: nft_queue SEGMENTS
 */
#include <sekisho/nft.h>
#include <sekisho/inspect.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the tests look for in the records. */
#define WHY WHY_SERVER_NAME
#define SEEN APP_SSH

struct program {
	int fd[LIMIT_SEGMENTS];
	uint32_t segments, code, seen[LIMIT_SEGMENTS], last_mark, largest;
	bool hold;
};

struct packet_in {
	uint32_t id, mark;
	const uint8_t *payload;
	size_t n;
};

static void read_packet(const struct nlmsghdr *h, struct packet_in *p)
{
	const uint8_t *at = (const uint8_t *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const uint8_t *end = (const uint8_t *)h + h->nlmsg_len;

	*p = (struct packet_in){0};
	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *a = (const void *)at;
		const uint8_t *data = at + NLA_HDRLEN;
		uint32_t v;
		if (a->nla_len < NLA_HDRLEN)
			break;
		memcpy(&v, data, a->nla_len >= NLA_HDRLEN + 4 ? 4 : 0);
		switch (a->nla_type & NLA_TYPE_MASK) {
		case NFQA_PACKET_HDR: p->id = ntohl(v); break;
		case NFQA_MARK: p->mark = ntohl(v); break;
		case NFQA_PAYLOAD:
			p->payload = data;
			p->n = a->nla_len - NLA_HDRLEN;
			break;
		default: break;
		}
		at += NLA_ALIGN(a->nla_len);
	}
}

static uint8_t code_of(const struct program *g, const struct packet_in *p)
{
	static const char *const words[] = {"-FORW-", "-PASS-", "-REFU-", "-DROP-"};
	uint8_t code = (uint8_t)g->code;
	const uint8_t *last = NULL;

	for (uint8_t i = 0; i < 4; i++) {
		const uint8_t *at = memmem(p->payload, p->n, words[i], 6);
		if (at != NULL && (last == NULL || at > last)) {
			last = at;
			code = (uint8_t)(i + 1);
		}
	}
	return code;
}

static void take(struct program *g, uint32_t segment, const struct nlmsghdr *h)
{
	struct packet_in p;

	if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return;
	read_packet(h, &p);
	g->seen[segment]++;
	g->last_mark = p.mark;
	g->largest = p.n > g->largest ? (uint32_t)p.n : g->largest;
	struct nft_verdict v = {.packet = p.id, .code = code_of(g, &p)};
	if (v.code >= INSPECT_REFUSE) {
		v.why = WHY;
		v.seen = SEEN;
	}
	int r = nft_queue_verdicts(g->fd[segment], segment, &v, 1);
	if (r != 0)
		fprintf(stderr, "verdict: %s\n", strerror(-r));
}

static void drain(struct program *g, uint32_t segment)
{
	static union {
		struct nlmsghdr h;
		uint8_t b[80000];
	} in;
	ssize_t n;

	while (!g->hold && (n = recv(g->fd[segment], &in, sizeof(in), MSG_DONTWAIT)) > 0)
		if (n >= (ssize_t)sizeof(in.h) && in.h.nlmsg_len <= (size_t)n)
			take(g, segment, &in.h);
}

static void command(struct program *g, const char *line)
{
	if (sscanf(line, "default %u", &g->code) == 1) {
		puts("ok");
	} else if (strncmp(line, "hold", 4) == 0) {
		g->hold = true;
		puts("ok");
	} else if (strncmp(line, "go", 2) == 0) {
		g->hold = false;
		puts("ok");
	} else if (strncmp(line, "abandon", 7) == 0) {
		for (uint32_t i = 0; i < g->segments; i++)
			nft_queue_abandon(g->fd[i], i);
		puts("ok");
	} else if (strncmp(line, "count", 5) == 0) {
		printf("ok mark=%#x largest=%u", g->last_mark, g->largest);
		for (uint32_t i = 0; i < g->segments; i++)
			printf(" q%u=%u", i, g->seen[i]);
		puts("");
	} else {
		exit(0);
	}
}

int main(int argc, char **argv)
{
	struct program g = {.segments = argc > 1 ? (uint32_t)atoi(argv[1]) : 1, .code = INSPECT_FORWARD};
	struct pollfd p[LIMIT_SEGMENTS + 1];
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (uint32_t i = 0; i < g.segments; i++) {
		g.fd[i] = nft_queue_open(i);
		if (g.fd[i] < 0) {
			printf("error %s\n", strerror(-g.fd[i]));
			return 1;
		}
	}
	/* What must not work: a second listener. */
	if (nft_queue_open(0) >= 0) {
		puts("error the same queue was opened twice");
		return 1;
	}
	puts("ok");
	for (;;) {
		for (uint32_t i = 0; i < g.segments; i++)
			p[i] = (struct pollfd){g.fd[i], g.hold ? 0 : POLLIN, 0};
		p[g.segments] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
		if (poll(p, g.segments + 1, -1) < 0 && errno != EINTR)
			return 1;
		for (uint32_t i = 0; i < g.segments; i++)
			drain(&g, i);
		if ((p[g.segments].revents & (POLLIN | POLLHUP)) != 0) {
			ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
			if (n <= 0)
				return 0;
			line[n] = '\0';
			command(&g, line);
		}
	}
}
