/*
 * The link to sekisho-inspect, with the kernel stood in for and the test as the inspector: queues and generations down,
 * verdicts up and every way in which they may be wrong, data connections, and the end of an inspector: dead, hung,
 * silent, lying. Time is the test's.
 */
#include "fake_kernel.h"
#include "gate.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/inspect.h>
#include <sekisho/loop.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static struct gate gate;
static struct daemon d;
static struct wall wall;
static struct mono mono;
static int inspector = -1; /* the test's end */
static int init_end = -1;
static char statistics[1024];

/* -- A policy ------------------------------------------------------------------------------------------------ */

#define HEAD                                                                                                   \
	"set system hostname g timezone Asia/Tokyo language ja\n"                                              \
	"set segment a kind internet interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"                  \
	"set segment b kind internet interface eth1 address 10.2.0.1/24 address fd00:2::1/64 network 10.2.0.0/16 network fd00:2::/64\n" \
	"set host c segment a address 10.1.0.5\nset host s segment b address 10.2.0.8\n"
#define RULE(name, app) "set allow " name " from c to s service " app " purpose x applicant y asset-class 3\n"

static struct generation *generation(const char *text, uint32_t number)
{
	struct arena *a = arena_new();
	struct diag_list diags;
	struct model *m = NULL;
	struct buf block = {0};
	const char *bad = NULL;

	diag_init(&diags, a);
	clock_set_zone("Asia/Tokyo");
	bool ok = config_read(a, text, strlen(text), &diags, &m) && policy_compile(m, wall, &diags, &block);
	for (size_t i = 0; !ok && i < diags.n; i++)
		printf("%u: %s\n", diags.items[i].line, diags.items[i].what);
	CHECK(ok);
	int fd = memfd_create("ir", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(write(fd, block.data, block.len) == (ssize_t)block.len && fcntl(fd, F_ADD_SEALS, SEALS) == 0);
	struct generation *g = generation_new(fd, &bad);
	CHECK(g != NULL && bad == NULL);
	if (g == NULL)
		exit(test_end());
	g->number = number;
	buf_free(&block);
	arena_free(a);
	return g;
}

static uint16_t verified(const struct generation *g, enum application app)
{
	for (uint32_t i = 0; i < g->ir.nverifieds; i++)
		if (g->ir.verifieds[i].application == app)
			return (uint16_t)(i + 1);
	return 0;
}

/* -- Life ---------------------------------------------------------------------------------------------------- */

static void quiet(void)
{
	clock_set_test(&wall, &mono);
}

static void stop_loop(void *arg)
{
	loop_stop(arg, 0);
}

static void turn(void)
{
	for (int i = 0; i < 4; i++) {
		struct loop_timer *end = loop_add_timer(d.loop, 0, 0, stop_loop, d.loop);
		loop_run(d.loop);
		loop_del_timer(end);
	}
}

static void run_ms(int64_t ms)
{
	turn();
	for (int64_t t = 0; t < ms; t += 250) {
		mono.ns += 250000000;
		quiet();
		turn();
	}
}

static void set_statistics(const char *text)
{
	snprintf(statistics, sizeof(statistics), "%s", text);
	CHECK(ftruncate(gate.relay.statistics, 0) == 0);
	CHECK(pwrite(gate.relay.statistics, statistics, strlen(statistics), 0) == (ssize_t)strlen(statistics));
}

static void machine(void)
{
	int p[2], list = memfd_create("queues", MFD_CLOEXEC);

	fake_kernel_reset();
	memset(&gate, 0, sizeof(gate));
	wall = (struct wall){1795136400};
	mono = (struct mono){1000000000};
	quiet();
	d = (struct daemon){.spec = &gate_spec, .arg = &gate};
	d.loop = loop_new();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p) == 0);
	d.init = p[0];
	init_end = p[1];
	gate.d = &d;
	gate.rec.fd = -1;
	gate.clock_trusted = true;
	gate.job = job_none();
	gate.rec.links = (struct msg_links){.n = 1, .link = {{4, "eth0"}}};
	struct nft_error e;
	CHECK(nft_open(&gate.nft, &e) == 0 && relay_start(&gate, list) == 0);
}

static void end_machine(void)
{
	relay_stop(&gate);
	nft_close(gate.nft);
	loop_free(d.loop);
	close(init_end);
	close(d.init);
	if (inspector >= 0)
		close(inspector);
	close(gate.relay.statistics);
	inspector = -1;
}

static void commit(struct generation *g)
{
	struct nft_commit done;
	char err[256] = "";

	CHECK_INT(kernel_commit(&gate, g, &done, err), 0);
	gate.current = g;
}

static void attach(void)
{
	int p[2];

	if (inspector >= 0)
		close(inspector);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p) == 0);
	inspector = p[1];
	relay_attach(&gate, p[0]);
	turn();
}

/* -- The test as inspector ------------------------------------------------------------------------------------ */

static struct msg heard;

/* The next message's type, 0 when there is none. Its descriptors are closed. */
static int hear(void)
{
	if (msg_recv(inspector, &heard) != 1)
		return 0;
	msg_close_fds(&heard);
	return (int)heard.type;
}

static void say_status(uint32_t generation)
{
	struct msg_inspect_status s = {.epoch = gate.relay.epoch, .generation = generation, .flows_max = 100};

	CHECK_INT(msg_send(inspector, MSG_INSPECT_STATUS, 0, &s, NULL, 0), 0);
	turn();
}

static void say_verdicts(const struct msg_verdict *v, uint32_t n)
{
	struct msg_verdicts m = {.epoch = gate.relay.epoch, .n = n};

	memcpy(m.verdict, v, n * sizeof(*v));
	CHECK_INT(msg_send(inspector, MSG_VERDICTS, 0, &m, NULL, 0), 0);
	turn();
}

static bool told_broken(void)
{
	struct msg m;

	while (msg_recv(init_end, &m) == 1)
		if (m.type == MSG_BROKEN)
			return m.u.msg_broken.peer == MSG_PEER_INSPECT;
	return false;
}

/* A machine with a policy in force and an inspector that is well. */
static struct generation *well(const char *text)
{
	struct generation *g;

	machine();
	g = generation(text, 7);
	commit(g);
	attach();
	while (hear() != 0)
		;
	say_status(7);
	CHECK_INT(gate.relay.shown.state, MSG_INSPECTOR_WELL);
	CHECK(kernel.inspectors);
	return g;
}

/* -- Tests ---------------------------------------------------------------------------------------------------- */

static void test_beginning(void)
{
	machine();
	struct generation *g = generation(HEAD RULE("t", "tcp/443 application tls"), 7);
	/* Without a policy it gets its queues and nothing is sent to it. */
	attach();
	CHECK_INT(hear(), MSG_QUEUES);
	CHECK(heard.u.msg_queues.epoch != 0 && kernel.queues_opened == LIMIT_SEGMENTS);
	CHECK_INT(hear(), MSG_LINKS);
	CHECK_INT(hear(), 0);
	say_status(0);
	CHECK_INT(gate.relay.shown.state, MSG_INSPECTOR_WELL);
	CHECK(!kernel.inspectors);
	/* It hears of a generation before the kernel has it, and that the kernel has it. */
	commit(g);
	CHECK_INT(hear(), MSG_GENERATION);
	CHECK_INT(heard.u.msg_generation.number, 7);
	CHECK_INT(hear(), MSG_ENFORCED);
	CHECK_INT(heard.u.msg_enforced.number, 7);
	CHECK(kernel.inspectors);
	/* Programmed again as it is: nothing new to tell. */
	commit(g);
	CHECK_INT(hear(), 0);
	end_machine();
	generation_free(g);
}

static void test_presence(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
	unsigned before = kernel.presences;

	for (int i = 0; i < 10; i++) {
		run_ms(500);
		say_status(7);
	}
	CHECK(kernel.presences >= before + 4 && kernel.presences <= before + 6);
	CHECK(kernel.inspectors && !told_broken());
	end_machine();
	generation_free(g);
}

/* It has yet to say that it knows the generation in force. */
static void test_starting(void)
{
	machine();
	struct generation *g = generation(HEAD RULE("t", "tcp/443 application tls"), 7);
	commit(g);
	attach();
	say_status(0);
	CHECK_INT(gate.relay.shown.state, MSG_INSPECTOR_STARTING);
	CHECK(!kernel.inspectors);
	say_status(7);
	CHECK(kernel.inspectors);
	end_machine();
	generation_free(g);
}

static void test_verdicts(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
	static const struct msg_verdict v[] = {{1, 0, INSPECT_FORWARD, 0, 0}, {2, 0, INSPECT_PASS, 0, 0},
		{9, 3, INSPECT_REFUSE, WHY_PROTOCOL, APP_SSH}, {3, 0, INSPECT_DROP, WHY_CHECKSUM, 0}};

	static const unsigned given[] = {0, 1, 3, 2}; /* a queue's at once, in their order */

	say_verdicts(v, 4);
	CHECK_INT(kernel.nverdicts, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct nft_verdict *k = &kernel.verdicts[i];
		const struct msg_verdict *said = &v[given[i]];
		CHECK(k->packet == said->id && k->code == said->code && k->why == said->why && k->seen == said->seen);
		CHECK_INT(kernel.verdict_queue[i], said->queue);
	}
	CHECK_INT(gate.relay.shown.verdicts, 4);
	CHECK_INT(kernel.verdict_calls, 2);
	/* Another life's: not heard, and no crime. */
	struct msg_verdicts old = {.epoch = gate.relay.epoch - 1, .n = 1, .verdict = {{1, 0, INSPECT_PASS, 0, 0}}};
	CHECK_INT(msg_send(inspector, MSG_VERDICTS, 0, &old, NULL, 0), 0);
	turn();
	CHECK_INT(kernel.nverdicts, 4);
	CHECK(!told_broken() && kernel.inspectors);
	end_machine();
	generation_free(g);
}

/* What several messages say while sekishod is busy goes to the kernel in as few calls as can be, and all of it. */
static void test_many_verdicts(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
	struct msg_verdicts m = {.epoch = gate.relay.epoch, .n = MSG_VERDICTS_MAX};
	uint32_t id = 0;

	for (unsigned i = 0; i < 3; i++) {
		for (unsigned k = 0; k < MSG_VERDICTS_MAX; k++)
			m.verdict[k] = (struct msg_verdict){++id, k % 4 == 0, INSPECT_FORWARD, 0, 0};
		CHECK_INT(msg_send(inspector, MSG_VERDICTS, 0, &m, NULL, 0), 0);
	}
	/* The first of a message that is broken is good. */
	m.verdict[1].code = 0;
	m.verdict[0].id = ++id;
	CHECK_INT(msg_send(inspector, MSG_VERDICTS, 0, &m, NULL, 0), 0);
	turn();
	CHECK_INT(kernel.nverdicts, 3 * MSG_VERDICTS_MAX + 1);
	CHECK_INT(kernel.verdict_calls, 3); /* 288 and 97 of two queues, 256 a call */
	uint32_t last[2] = {0, 0};
	for (unsigned i = 0; i < kernel.nverdicts; i++) {
		CHECK(kernel.verdicts[i].packet > last[kernel.verdict_queue[i]]);
		last[kernel.verdict_queue[i]] = kernel.verdicts[i].packet;
	}
	CHECK(told_broken() && gate.relay.fd < 0);
	end_machine();
	generation_free(g);
}

static void test_bad_verdicts(void)
{
	static const struct msg_verdict bad[] = {{1, LIMIT_SEGMENTS, INSPECT_PASS, 0, 0}, {1, 0, 0, 0, 0}, {1, 0, 5, 0, 0},
		{1, 0, INSPECT_REFUSE, WHY_END, 0}, {1, 0, INSPECT_REFUSE, 0, APP_END}, {1, 0, INSPECT_PASS, 1, 0},
		{1, 0, INSPECT_FORWARD, 0, 1}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
		say_verdicts(&bad[i], 1);
		CHECK_INT(kernel.nverdicts, 0);
		CHECK(told_broken() && !kernel.inspectors && gate.relay.fd < 0 && kernel.abandoned[0] == 2);
		end_machine();
		generation_free(g);
	}
}

static void test_forbidden_message(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
	struct msg_beat b = {.sequence = 1};

	CHECK_INT(msg_send(inspector, MSG_BEAT, 0, &b, NULL, 0), 0);
	turn();
	CHECK(told_broken() && gate.relay.fd < 0);
	attach();
	CHECK_INT(send(inspector, "nonsense", 8, 0), 8);
	turn();
	CHECK(told_broken() && gate.relay.fd < 0 && !kernel.inspectors);
	end_machine();
	generation_free(g);
}

/* Dead: what it held is refused at once, and the next one has other queues and another epoch. */
static void test_death(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
	uint64_t epoch = gate.relay.epoch;

	set_statistics("  200  4711     3 2 65531     0     0     9  1\n  207 12 4 2 65531 1 1 9 1\n");
	close(inspector);
	inspector = -1;
	turn();
	CHECK(!kernel.inspectors && gate.relay.fd < 0 && !told_broken());
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		CHECK(kernel.abandoned[i] == 2 && recv(kernel.queue[i], statistics, 1, 0) == 0); /* closed */
	CHECK_INT(gate.relay.shown.abandoned, 7);
	attach();
	CHECK(gate.relay.epoch > epoch && kernel.queues_opened == 2 * LIMIT_SEGMENTS);
	CHECK_INT(gate.relay.shown.starts, 2);
	CHECK(!kernel.inspectors);
	say_status(7);
	CHECK(kernel.inspectors);
	end_machine();
	generation_free(g);
}

static void test_silent(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));

	run_ms(1500);
	CHECK(kernel.inspectors);
	run_ms(1000);
	CHECK(told_broken() && !kernel.inspectors && kernel.abandoned[0] == 2);
	end_machine();
	generation_free(g);
}

/* It lives and speaks, and answers no packet of one queue. */
static void test_hung(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
	const struct msg_verdict other = {1, 0, INSPECT_PASS, 0, 0};

	for (int i = 0; i < 8; i++) {
		set_statistics(i % 2 == 0 ? "  201  4711     0 2 65531     0     0     9  1\n" :
					    "  201  4711     5 2 65531     0     0     9  1\n");
		run_ms(500);
		say_status(7);
	}
	CHECK(kernel.inspectors && !told_broken()); /* they wait, but never long */
	set_statistics("  201  4711     5 2 65531     0     0     9  1\n");
	for (int i = 0; i < 6 && gate.relay.fd >= 0; i++) {
		say_status(7);
		say_verdicts(&other, 1);
		run_ms(500);
	}
	CHECK(told_broken() && !kernel.inspectors);
	end_machine();
	generation_free(g);
}

/* A long commit: what was said meanwhile counts. */
static void test_busy_ourselves(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));
	const struct msg_verdict v = {1, 2, INSPECT_PASS, 0, 0};

	set_statistics("  202  4711     5 2 65531     0     0     9  1\n");
	run_ms(250);
	struct msg_inspect_status s = {.epoch = gate.relay.epoch, .generation = 7};
	struct msg_verdicts m = {.epoch = gate.relay.epoch, .n = 1, .verdict = {v}};
	CHECK_INT(msg_send(inspector, MSG_INSPECT_STATUS, 0, &s, NULL, 0), 0);
	CHECK_INT(msg_send(inspector, MSG_VERDICTS, 0, &m, NULL, 0), 0);
	mono.ns += 5000000000;
	quiet();
	turn();
	run_ms(250);
	CHECK(kernel.inspectors && !told_broken());
	end_machine();
	generation_free(g);
}

static void test_queues_refused(void)
{
	machine();
	struct generation *g = generation(HEAD RULE("t", "tcp/443 application tls"), 7);
	commit(g);
	kernel.queue_error = -EBUSY;
	attach();
	CHECK_INT(hear(), 0);
	run_ms(1000);
	CHECK_INT(gate.relay.shown.state, MSG_INSPECTOR_AWAY);
	kernel.queue_error = 0;
	run_ms(250);
	CHECK_INT(hear(), MSG_QUEUES);
	say_status(7);
	CHECK(kernel.inspectors);
	end_machine();
	generation_free(g);
}

static void test_overflow(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls"));

	set_statistics("  200  4711     1 2 65531     10     2     9  1\n");
	run_ms(250);
	CHECK_INT(gate.relay.shown.overflows, 12);
	set_statistics("  200  4711     0 2 65531     11     2     9  1\n");
	run_ms(250);
	CHECK_INT(gate.relay.shown.overflows, 13);
	relay_report(&gate);
	CHECK(gate.rec.n > 0 && strstr(gate.rec.queue[gate.rec.n - 2].u.fault.text, "13 packets dropped") != NULL);
	end_machine();
	generation_free(g);
}

/* The numbers of verified policies change with a commit: the ruleset hears which is which. */
static void test_renewal(void)
{
	struct generation *g = well(HEAD RULE("t", "tcp/443 application tls") RULE("u", "tcp/22 application ssh"));
	struct generation *h = generation(HEAD RULE("a", "tcp/21 application ftp") RULE("u", "tcp/22 application ssh"), 8);

	CHECK_INT(kernel.renewal.generation, 0);
	commit(h);
	CHECK_INT(kernel.renewal.generation, 7);
	CHECK_INT(kernel.renewal.n, 3);
	CHECK_INT(kernel.renewed_to[verified(g, APP_SSH)], verified(h, APP_SSH));
	CHECK_INT(kernel.renewed_to[verified(g, APP_TLS)], 0);
	/* Back again, as after a commit that was undone. */
	commit(g);
	CHECK_INT(kernel.renewal.generation, 8);
	CHECK_INT(hear(), MSG_GENERATION);
	CHECK_INT(hear(), MSG_ENFORCED);
	CHECK_INT(hear(), MSG_GENERATION);
	CHECK_INT(heard.u.msg_generation.number, 7);
	end_machine();
	generation_free(g);
	generation_free(h);
}

/* -- Data connections -------------------------------------------------------------------------------------------- */

static struct msg_pinhole ask(const struct generation *g, uint8_t c, uint8_t s)
{
	struct msg_pinhole m = {.epoch = gate.relay.epoch, .generation = g->number, .verified = verified(g, APP_FTP),
		.port = 40000, .family = 4, .client = {10, 1, 0, c}, .server = {10, 2, 0, s}};

	return m;
}

static bool granted(const struct msg_pinhole *m)
{
	unsigned before = kernel.pinholes;

	CHECK_INT(msg_send(inspector, MSG_PINHOLE, 0, m, NULL, 0), 0);
	turn();
	return kernel.pinholes == before + 1;
}

#define FTP HEAD RULE("t", "tcp/443 application tls") RULE("f", "tcp/21 application ftp")
static void test_pinholes(void)
{
	struct generation *g = well(FTP);
	struct msg_pinhole m = ask(g, 5, 8);

	CHECK(granted(&m));
	CHECK_INT(kernel.pinhole.port, 40000);
	CHECK(kernel.pinhole.from.b[3] == 5 && kernel.pinhole.to.b[3] == 8 && kernel.pinhole.to.family == 4);
	m.port = 1023;
	CHECK(!granted(&m));
	m = ask(g, 6, 8); /* another client */
	CHECK(!granted(&m));
	m = ask(g, 5, 9); /* another server */
	CHECK(!granted(&m));
	m = ask(g, 5, 8);
	m.verified = verified(g, APP_TLS);
	CHECK(!granted(&m));
	m.verified = 0;
	CHECK(!granted(&m));
	m.verified = 99;
	CHECK(!granted(&m));
	m = ask(g, 5, 8);
	m.generation = 6;
	CHECK(!granted(&m));
	m = ask(g, 5, 8);
	memcpy(m.client, (const uint8_t[4]){10, 2, 0, 8}, 4); /* from the server: only with active-data */
	memcpy(m.server, (const uint8_t[4]){10, 1, 0, 5}, 4);
	CHECK(!granted(&m));
	CHECK_INT(gate.relay.shown.pinholes, 1);
	CHECK(!told_broken());
	m = ask(g, 5, 8);
	m.client[4] = 1; /* an address that is none */
	CHECK(!granted(&m));
	CHECK(told_broken());
	end_machine();
	generation_free(g);
}

static void test_pinhole_options(void)
{
	struct generation *g = well(HEAD RULE("f", "tcp/21 application ftp application-option active-data"));
	struct msg_pinhole m = ask(g, 5, 8);

	memcpy(m.client, (const uint8_t[4]){10, 2, 0, 8}, 4);
	memcpy(m.server, (const uint8_t[4]){10, 1, 0, 5}, 4);
	CHECK(granted(&m));
	/* A rule that is not in force now, or depends on a clock that is not trusted. */
	end_machine();
	generation_free(g);
	g = well(HEAD RULE("f", "tcp/21 application ftp application-option no-data"));
	m = ask(g, 5, 8);
	CHECK(!granted(&m));
	end_machine();
	generation_free(g);
	g = well(HEAD RULE("f", "tcp/21 application ftp") "set allow f hours 09:00-18:00\n");
	m = ask(g, 5, 8);
	wall = (struct wall){1795136400}; /* 2026-11-20T10:00 or so */
	quiet();
	bool day = granted(&m);
	wall.sec += 12 * 3600;
	quiet();
	CHECK(granted(&m) != day);
	gate.clock_trusted = false;
	CHECK(!granted(&m));
	wall.sec -= 12 * 3600;
	quiet();
	CHECK(!granted(&m));
	end_machine();
	generation_free(g);
}

static void test_pinhole_rate(void)
{
	struct generation *g = well(FTP);
	struct msg_pinhole m = ask(g, 5, 8);

	for (unsigned i = 0; i < 300; i++)
		granted(&m);
	CHECK_INT(kernel.pinholes, 200);
	say_status(7);
	run_ms(1000);
	CHECK(granted(&m));
	end_machine();
	generation_free(g);
}

static void test_statistics(void)
{
	static const char text[] = "  200  4711     3 2 65531     10     7     9  1\nnonsense\n\n  199 1 1 1 1 1 1 1 1\n"
				   "  208 1 1 1 1 1 1 1 1\n 203 1 99999999999999 2 3 4 5 6 7\n  207 1 2";
	struct queue_line lines[LIMIT_SEGMENTS];

	relay_statistics_parse(text, sizeof(text) - 1, lines);
	CHECK(lines[0].waiting == 3 && lines[0].dropped == 17);
	for (unsigned i = 1; i < LIMIT_SEGMENTS; i++)
		CHECK(lines[i].waiting == 0 && lines[i].dropped == 0);
	relay_statistics_parse("", 0, lines);
	CHECK(lines[0].waiting == 0);
	CHECK(!relay_statistics(-1, lines));
}

int main(void)
{
	test_statistics();
	test_beginning();
	test_presence();
	test_starting();
	test_verdicts();
	test_many_verdicts();
	test_bad_verdicts();
	test_forbidden_message();
	test_death();
	test_silent();
	test_hung();
	test_busy_ourselves();
	test_queues_refused();
	test_overflow();
	test_renewal();
	test_pinholes();
	test_pinhole_options();
	test_pinhole_rate();
	return test_end();
}
