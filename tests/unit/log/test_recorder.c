/* test_recorder.c: the storing thread beside the reading one: events, messages, clients, the end. */
#include "test.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/clock.h>

#include "packet.h"
#include "recorder.h"
#include "temp.h"

#define DROPS 200000u

static int kernel, ours;
static struct intake *in;
static struct recorder *r;

static void feed(unsigned n)
{
	static struct datagram d;
	static uint32_t sequence;

	for (unsigned done = 0; done < n;) {
		d.n = 0;
		for (unsigned i = 0; i < 64 && done < n; i++, done++) {
			struct test_packet p = {.mark = 0xbb0002, .in = 3, .sequence = sequence++,
				.src = {10, (uint8_t)(done >> 16), (uint8_t)(done >> 8), (uint8_t)done}, .proto = IPPROTO_TCP};
			add_packet(&d, &p);
		}
		while (send(kernel, d.b, d.n, 0) < 0)
			intake_read(in, 0);
	}
	while (intake_read(in, 0))
		;
}

static void give(enum msg_type type, const void *body, size_t n, int fd)
{
	struct msg m = {.type = type, .nfds = fd >= 0};

	for (unsigned i = 0; i < MSG_FDS_MAX; i++)
		m.fds[i] = i == 0 ? fd : -1;
	memcpy(&m.u, body, n);
	recorder_give(r, &m);
}

/* Asks on a connection of its own; the rows' packets. */
static uint64_t ask(uint32_t verb, struct msg_end *ret_end)
{
	struct msg_query q = {.verb = verb, .limit = 100000, .port = MSG_ANY_PORT};
	struct msg_client c = {.seconds = 20, .rights = MSG_RIGHTS};
	uint64_t sum = 0;
	struct msg m;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		abort();
	give(MSG_CLIENT, &c, sizeof(c), pair[1]);
	CHECK_INT(msg_send(pair[0], MSG_QUERY, 1, &q, NULL, 0), 0);
	*ret_end = (struct msg_end){0};
	struct pollfd p = {.fd = pair[0], .events = POLLIN};
	while (poll(&p, 1, 20000) == 1 && msg_recv(pair[0], &m) == 1 && m.type != MSG_END)
		sum += m.type == MSG_DROP_ROW ? m.u.msg_drop_row.count : 1;
	if (m.type == MSG_END)
		*ret_end = m.u.msg_end;
	close(pair[0]);
	return sum;
}

static bool wait_stored(uint64_t n)
{
	struct msg_log_status st;

	for (int i = 0; i < 100; i++) {
		if (recorder_status(r, &st) && st.stored[2] == n)
			return true;
		usleep(100000);
	}
	return false;
}

static void test_side_by_side(void)
{
	const struct writer_options o = {.store = {.dir = temp_begin(), .space = 32 << 20}, .boot_id = "b", .window_s = 60};
	struct msg_counters c = {.epoch = 1};
	struct msg_fault f = {.severity = 2, .process = "sekishod", .code = "restarted", .text = "x"};
	struct msg_links links = {.n = 1, .link = {{3, "eth0"}}};
	struct msg_end end;

	CHECK_INT(recorder_start(&r, &o, in, NULL, NULL), 0);
	give(MSG_LINKS, &links, sizeof(links), -1);
	for (unsigned i = 0; i < 20; i++) {
		feed(DROPS / 20);
		c.packets[2] = (i + 1) * (uint64_t)(DROPS / 20);
		give(MSG_COUNTERS, &c, sizeof(c), -1);
		intake_generation(in, i);
		if (i % 5 == 0)
			give(MSG_FAULT, &f, sizeof(f), -1);
		usleep(50000);
	}
	CHECK(wait_stored(DROPS));
	CHECK_INT(ask(MSG_LOG_DROPS, &end), DROPS);
	CHECK_INT(end.ok, 1);
	CHECK_INT(ask(MSG_LOG_FAULTS, &end), 4);
	ask(MSG_LOG_VERIFY, &end);
	CHECK_INT(end.ok, 1);
	/* The last transaction takes what came before the end. */
	feed(100);
	recorder_stop(r);
}

/* More messages than the queue holds are let go, and their descriptors closed. */
static void test_ends_with_a_full_queue(void)
{
	const struct writer_options o = {.store = {.dir = temp_begin(), .space = 32 << 20}, .boot_id = "b", .window_s = 60};
	struct msg_fault f = {.severity = 2, .process = "sekishod", .code = "restarted", .text = "x"};
	struct msg_client c = {.seconds = 20, .rights = MSG_RIGHTS};
	int pair[2];
	char byte;

	CHECK_INT(recorder_start(&r, &o, in, NULL, NULL), 0);
	for (int i = 0; i < 2000; i++)
		give(MSG_FAULT, &f, sizeof(f), -1);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	give(MSG_CLIENT, &c, sizeof(c), pair[1]);
	recorder_stop(r);
	/* Whoever waits sees the end. */
	CHECK_INT(recv(pair[0], &byte, 1, MSG_DONTWAIT), 0);
	close(pair[0]);
}

int main(void)
{
	int pair[2], size = 4 << 20;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
	kernel = pair[0];
	ours = pair[1];
	setsockopt(kernel, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	in = intake_new(&ours, 1);
	test_side_by_side();
	test_ends_with_a_full_queue();
	intake_free(in);
	temp_end();
	return test_end();
}
