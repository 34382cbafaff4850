/*
 * msg.c (fuzz): a datagram from a peer that was taken over. First byte: how many descriptors came along.
 *
 * What is accepted must keep the promises of msg.h: it can be sent again unchanged, and its texts end.
 */
#include <sekisho/msg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void broken(const char *what)
{
	fprintf(stderr, "promise broken: %s\n", what);
	abort();
}

/* Over a real socket pair: what goes out comes in the same. */
static void send_again(const struct msg *m, unsigned nfds)
{
	static int pair[2] = {-1, -1};
	int fds[MSG_FDS_MAX] = {0, 0, 0};
	struct msg back;

	if (pair[0] < 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) < 0)
		exit(1);
	if (msg_send(pair[0], m->type, m->tag, &m->u, fds, nfds) != 0)
		broken("cannot be sent");
	if (msg_recv(pair[1], &back) != 1 || back.type != m->type || back.tag != m->tag ||
		back.nfds != nfds || memcmp(&back.u, &m->u, sizeof(m->u)) != 0)
		broken("does not come back the same");
	msg_close_fds(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg m;

	if (size == 0)
		return 0;
	unsigned nfds = data[0] & 7;
	if (!msg_decode(data + 1, size - 1, nfds, &m))
		return 0;
	if (nfds > MSG_FDS_MAX)
		broken("too many descriptors");
	/* One text of each of the longer kinds. */
	if (m.type == MSG_FAULT && strlen(m.u.msg_fault.text) >= sizeof(m.u.msg_fault.text))
		broken("text without end");
	if (m.type == MSG_STATUS && m.u.msg_status.nfindings > MSG_FINDINGS_MAX)
		broken("too many findings");
	send_again(&m, nfds);
	return 0;
}
