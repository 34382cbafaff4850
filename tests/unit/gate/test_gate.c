/*
 * sekishod's logic, with the kernel, the network settings and sekisho-init stood in for: commits and each way that
 * they fail, boot, proof, lease, tampering, schedule, clock, records. Time is the test's.
 */
#include "compile.h"
#include "fake_kernel.h"
#include "gate.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <sekisho/i18n.h>
#include <sekisho/loop.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)
#define NOW 1795136400 /* 2026-11-20 */

static char root[64];
static struct gate gate;
static struct daemon d;
static int init_end = -1, logd_end = -1, mail_end = -1, caller_end = -1;
static struct wall wall;
static struct mono mono;

/* What the stand-in for sekisho-init and its one-shots does. */
static struct {
	bool compile_dies, prove_dies, unsealed, lies, forbidden, silent;
	uint32_t errors, findings;
	unsigned findings_times; /* so often; 0 = always */
	unsigned compiled, proved;
	uint32_t nsegments; /* of the IR that comes: tells generations apart */
	bool close_all, prove_untrusted;
	bool mail; /* the policy has a mail gate */
	unsigned listens;
	struct msg_mail_listen listen;
} world;

/* -- An IR ----------------------------------------------------------------------------------------------- */

/* The gate listens on 10.0.0.1 for segment 1 (internet), and calls 10.0.0.25. */
static void build_mail(struct ir_builder *b)
{
	struct ir_interface *i = IR_PUSH(b, interfaces);
	i->segment = 1;
	snprintf(i->name, sizeof(i->name), "eth9");
	struct ir_network *n = IR_PUSH(b, networks);
	*n = (struct ir_network){.segment = 1, .family = 4, .range = {.lo = {10, 0, 0, 0}, .hi = {10, 0, 0, 255}}};
	b->segments[1].networks = (struct ir_run){0, 1};
	struct ir_own *in = IR_PUSH(b, owns), *out = IR_PUSH(b, owns);
	in = &b->owns[0]; /* the second push may have moved it */
	*in = (struct ir_own){.what = ir_intern(b, "mail"), .family = 4, .proto = 6, .port_lo = 25, .port_hi = 25,
		.local = {10, 0, 0, 1}, .remote = n->range};
	*out = (struct ir_own){.what = ir_intern(b, "mail"), .out = 1, .family = 4, .proto = 6, .port_lo = 25, .port_hi = 25,
		.remote = {.lo = {10, 0, 0, 25}, .hi = {10, 0, 0, 25}}};
}

static void build_ir(struct buf *out)
{
	struct arena *a = arena_new();
	struct ir_builder b;

	ir_builder_init(&b, a);
	struct ir_system *s = IR_PUSH(&b, system);
	s->hostname = ir_intern(&b, "gate-01");
	s->timezone = ir_intern(&b, "Asia/Tokyo");
	s->language = ir_intern(&b, "ja");
	s->close_all_on_log_failure = world.close_all;
	for (uint32_t i = 0; i < world.nsegments; i++) {
		char name[24];
		snprintf(name, sizeof(name), "segment%u", i);
		struct ir_segment *g = IR_PUSH(&b, segments);
		g->kind = i == 0 ? KIND_MYNUMBER : KIND_INTERNET;
		b.segments[i].name = ir_intern(&b, name);
	}
	if (world.forbidden) {
		struct ir_rule *r = IR_PUSH(&b, rules);
		*r = (struct ir_rule){.from_segment = 0, .to_segment = 1, .action = IR_ALLOW, .ends = INT64_MAX,
			.window_to = INT64_MAX};
		b.rules[0].name = ir_intern(&b, "evil");
	}
	if (world.mail)
		build_mail(&b);
	ir_encode(&b, out);
	ir_builder_free(&b);
	arena_free(a);
}

static int sealed(const void *p, size_t n, bool seal)
{
	int fd = memfd_create("ir", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK_INT(write(fd, p, n), n);
	if (seal)
		CHECK_INT(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	return fd;
}

/* -- sekisho-init ---------------------------------------------------------------------------------------- */

static void answer_compile(int result)
{
	struct msg_result r = {.errors = world.errors};
	struct buf b = {0};
	int fds[2];

	build_ir(&b);
	if (world.lies)
		b.data[b.len / 2] ^= 0xff;
	fds[0] = sealed("[]", 2, true);
	fds[1] = sealed(b.data, b.len, !world.unsealed);
	msg_send(result, MSG_RESULT, 0, &r, fds, world.errors != 0 ? 1 : 2);
	close(fds[0]);
	close(fds[1]);
	buf_free(&b);
	world.compiled++;
}

static void answer_prove(int result)
{
	struct msg_result r = {.errors = world.findings};
	int fd = sealed("[]", 2, true);

	if (world.findings != 0 && world.findings_times > 0 && --world.findings_times == 0)
		world.findings = 0;
	msg_send(result, MSG_RESULT, 0, &r, &fd, 1);
	close(fd);
	world.proved++;
}

static void on_spawn(void *arg, int fd, uint32_t events)
{
	struct msg m;

	(void)arg;
	(void)events;
	while (msg_recv(fd, &m) == 1) {
		if (m.type == MSG_SPAWN && !world.silent) {
			bool compile = m.u.msg_spawn.what == MSG_CHILD_COMPILE;
			int result = m.fds[m.nfds - 1];
			struct msg_exited e = {.status = 0};
			if (compile ? !world.compile_dies : !world.prove_dies)
				compile ? answer_compile(result) : answer_prove(result);
			else
				e.status = 9;
			world.prove_untrusted = !compile && m.u.msg_spawn.clock_untrusted;
			MSG_TEXT(e.name, compile ? "sekisho-compile" : "sekisho-prove");
			CHECK_INT(msg_send(fd, MSG_EXITED, m.tag, &e, NULL, 0), 0);
		}
		if (m.type == MSG_MAIL_LISTEN) {
			world.listens++;
			world.listen = m.u.msg_mail_listen;
		}
		msg_close_fds(&m);
	}
}

static void on_init_message(void *arg, int fd, uint32_t events)
{
	struct msg m;

	(void)arg;
	(void)events;
	while (msg_recv(fd, &m) == 1) {
		gate_spec.notice(&d, &m);
		msg_close_fds(&m);
	}
}

/* -- Life ------------------------------------------------------------------------------------------------ */

static void quiet(void)
{
	clock_set_test(&wall, &mono);
}

static void stop_loop(void *arg)
{
	loop_stop(arg, 0);
}

/* Moves time on in steps of a quarter second, running what is due. */
static void run_ms(int64_t ms)
{
	for (int64_t t = 0; t <= ms; t += 250) {
		for (int turn = 0; turn < 6; turn++) {
			struct loop_timer *end = loop_add_timer(d.loop, 0, 0, stop_loop, d.loop);
			loop_run(d.loop);
			loop_del_timer(end);
		}
		mono.ns += 250000000;
		if (mono.ns % 1000000000 == 0)
			wall.sec++;
		quiet();
	}
}

static void pair_on(int number, int *ret_other)
{
	int p[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p), 0);
	/* The far end well above the fixed numbers. */
	*ret_other = fcntl(p[1], F_DUPFD_CLOEXEC, 20);
	close(p[1]);
	if (p[0] != number) {
		dup2(p[0], number);
		close(p[0]);
	}
}

static void listen_on(int number)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/control", root);
	unlink(a.sun_path);
	CHECK_INT(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_INT(listen(fd, 32), 0);
	if (fd != number) {
		dup2(fd, number);
		close(fd);
	}
}

static void wipe_store(void)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s/var; mkdir -p %s/var/lib/sekisho/gate", root, root);
	CHECK_INT(system(command), 0);
}

static void life(void)
{
	memset(&gate, 0, sizeof(gate));
	d = (struct daemon){.spec = &gate_spec, .arg = &gate, .root = root, .handed = true, .init = DAEMON_FD_INIT};
	MSG_TEXT(d.language, "en");
	pair_on(DAEMON_FD_INIT, &init_end);
	pair_on(DAEMON_FD_LOG, &logd_end);
	listen_on(DAEMON_FD_CONTROL);
	int list = memfd_create("queues", 0);
	if (list != DAEMON_FD_QUEUES) {
		dup2(list, DAEMON_FD_QUEUES);
		close(list);
	}
	pair_on(DAEMON_FD_POST, &mail_end);
	pair_on(DAEMON_FD_CALLER, &caller_end);
	d.loop = loop_new();
	CHECK_INT(loop_add_fd(d.loop, init_end, EPOLLIN, on_spawn, NULL), 0);
	CHECK_INT(loop_add_fd(d.loop, DAEMON_FD_INIT, EPOLLIN, on_init_message, NULL), 0);
	CHECK_INT(gate_spec.start(&d), 0);
}

static void death(void)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (gate.clients[i].fd >= 0)
			close(gate.clients[i].fd);
	gate_spec.stop(&d);
	generation_free(gate.current);
	loop_free(d.loop);
	close(init_end);
	close(logd_end);
	close(mail_end);
	close(caller_end);
	for (int fd = DAEMON_FD_INIT; fd <= DAEMON_FD_CALLER; fd++)
		close(fd);
}

/* A new machine: nothing stored, nothing in the kernel. */
static void machine(void)
{
	memset(&world, 0, sizeof(world));
	world.nsegments = 2;
	wipe_store();
	fake_kernel_reset();
	wall = (struct wall){NOW};
	mono = (struct mono){1000000000};
	quiet();
	life();
}

/* -- The command ----------------------------------------------------------------------------------------- */

static int client(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 40);

	close(fd);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/control", root);
	CHECK_INT(connect(high, (struct sockaddr *)&a, sizeof(a)), 0);
	return high;
}

static void request(int fd, uint32_t verb, const char *policy)
{
	struct msg_request r = {.verb = verb};
	int file = -1;
	char path[160];

	MSG_TEXT(r.who, "yamada");
	MSG_TEXT(r.language, "en");
	snprintf(path, sizeof(path), "%s/policy", root);
	if (policy != NULL) {
		FILE *f = fopen(path, "w");
		fputs(policy, f);
		fclose(f);
		file = open(path, O_RDONLY | O_CLOEXEC);
	}
	CHECK_INT(msg_send(fd, MSG_REQUEST, 77, &r, &file, file >= 0 ? 1 : 0), 0);
	if (file >= 0)
		close(file);
}

static struct msg_committed commit_text(const char *text)
{
	int fd = client();
	struct msg m = {0};

	request(fd, MSG_VERB_COMMIT, text);
	run_ms(1000);
	int r = msg_recv(fd, &m);
	CHECK_INT(r, 1);
	CHECK_INT(m.type, MSG_COMMITTED);
	CHECK_INT(m.tag, 77);
	close(fd);
	msg_close_fds(&m);
	return m.u.msg_committed;
}

static struct msg_status status(void)
{
	int fd = client();
	struct msg m = {0};

	request(fd, MSG_VERB_STATUS, NULL);
	run_ms(250);
	CHECK_INT(msg_recv(fd, &m), 1);
	CHECK_INT(m.type, MSG_STATUS);
	close(fd);
	return m.u.msg_status;
}

static bool has_finding(const struct msg_status *s, const char *code)
{
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (strcmp(s->findings[i].code, code) == 0)
			return true;
	return false;
}

/* Tells the gate that the records are fine (or not), as logd does. */
static void logd_says(bool writable)
{
	struct msg_log_status s = {.writable = writable, .epoch = 5};

	CHECK_INT(msg_send(logd_end, MSG_LOG_STATUS, 0, &s, NULL, 0), 0);
}

/* Takes what was sent to logd; counts faults with this code and generations. */
static unsigned heard(const char *code, unsigned *ret_generations)
{
	struct msg m;
	unsigned n = 0;

	while (msg_recv(logd_end, &m) == 1) {
		n += m.type == MSG_FAULT && strcmp(m.u.msg_fault.code, code) == 0;
		if (ret_generations != NULL)
			*ret_generations += m.type == MSG_GENERATION;
		msg_close_fds(&m);
	}
	return n;
}

/* -- Tests ----------------------------------------------------------------------------------------------- */

static void test_first_commit(void)
{
	unsigned generations = 0;

	machine();
	run_ms(1000);
	struct msg_status s = status();
	CHECK(!s.gate_open && has_finding(&s, "no-policy"));
	CHECK(kernel.table && !kernel.lease && !kernel.forwarding);
	struct msg_committed c = commit_text("set one");
	CHECK_STR(c.error, "");
	CHECK(c.ok && c.generation == 1 && c.kernel_us == 1234);
	CHECK(kernel.lease && kernel.forwarding && kernel.generation == 1 && kernel.net_generation == 2);
	CHECK(kernel.sweeps > 0);
	logd_says(true);
	s = status();
	CHECK(s.gate_open && !has_finding(&s, "no-policy"));
	CHECK_STR(s.hostname, "gate-01");
	CHECK_INT(s.nboxes_open, 7);
	CHECK_INT(s.dropped[REASON_NO_RULE], 42);
	CHECK_INT(s.health, MSG_OK);
	run_ms(1000);
	heard("x", &generations);
	CHECK(generations >= 1);
	c = commit_text("set two");
	CHECK(c.ok && c.generation == 2 && kernel.generation == 2);
	CHECK_INT(gate.running, 2);
	death();
}

/* Each step that can fail: the old generation stays in force, is proved again, and nothing is stored. */
static void failing_commit(const char *what, void (*break_it)(void), void (*mend)(void))
{
	machine();
	CHECK(commit_text("set one").ok);
	world.nsegments = 3;
	break_it();
	struct msg_committed c = commit_text("set two");
	if (c.ok || c.error[0] == '\0')
		printf("at: %s\n", what);
	CHECK(!c.ok && c.error[0] != '\0');
	CHECK_INT(c.generation, 1);
	mend();
	run_ms(2000);
	CHECK_INT(kernel.generation, 1);
	CHECK(kernel.lease && kernel.forwarding);
	CHECK_INT(kernel.net_generation, 2);
	CHECK_INT(gate.state, GATE_OPEN);
	uint32_t running = 0;
	CHECK_INT(store_running(&gate.store, &running), 0);
	CHECK_INT(running, 1);
	/* And the next one works. */
	c = commit_text("set three");
	CHECK_STR(c.error, "");
	CHECK(c.ok && kernel.net_generation == 3);
	death();
}

#define BREAK(name, statement)                                                                                 \
	static void break_##name(void)                                                                          \
	{                                                                                                       \
		statement;                                                                                      \
	}
BREAK(errors, world.errors = 3)
BREAK(dies, world.compile_dies = true)
BREAK(unsealed, world.unsealed = true)
BREAK(lies, world.lies = true)
BREAK(forbidden, world.forbidden = true)
BREAK(kernel, (kernel.commit_error = -ENOMEM, kernel.commit_errors = 1))
BREAK(net, kernel.apply_error = -ENETUNREACH)
BREAK(findings, (world.findings = 2, world.findings_times = 1))
BREAK(prove_dies, world.prove_dies = true)
BREAK(dump, kernel.dump_error = -EIO)

static void break_store(void)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir %s/var/lib/sekisho/gate/2.policy.new", root);
	CHECK_INT(system(command), 0);
}

static void mend_world(void)
{
	bool dies = world.prove_dies;
	char command[256];

	world.errors = world.findings = 0;
	world.compile_dies = world.prove_dies = world.unsealed = world.lies = world.forbidden = false;
	kernel.dump_error = 0;
	if (dies)
		CHECK(!kernel.lease || gate.state == GATE_OPEN);
	snprintf(command, sizeof(command), "rm -rf %s/var/lib/sekisho/gate/2.policy.new", root);
	CHECK_INT(system(command), 0);
	/* A proof that could not be made is made again after some seconds. */
	run_ms(6000);
}

static void test_failing_commits(void)
{
	failing_commit("errors", break_errors, mend_world);
	failing_commit("compiler dies", break_dies, mend_world);
	failing_commit("IR not sealed", break_unsealed, mend_world);
	failing_commit("IR damaged", break_lies, mend_world);
	failing_commit("IR against the laws", break_forbidden, mend_world);
	failing_commit("kernel refuses", break_kernel, mend_world);
	failing_commit("network refuses", break_net, mend_world);
	failing_commit("proof finds", break_findings, mend_world);
	failing_commit("proof dies", break_prove_dies, mend_world);
	failing_commit("no dump", break_dump, mend_world);
	failing_commit("store full", break_store, mend_world);
}

static void test_refused_rule_is_named(void)
{
	machine();
	kernel.commit_error = -ENOMEM;
	struct msg_committed c = commit_text("set one");
	CHECK(!c.ok && strstr(c.error, "pittari") != NULL);
	CHECK(!kernel.lease && !kernel.forwarding && gate.state == GATE_SHUT);
	death();
}

/* Death and return: what runs in the kernel goes on until the stored policy is compiled. */
static void test_restart(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	CHECK(commit_text("set two").ok);
	unsigned shuts = kernel.shuts;
	death();
	world.silent = true;
	life();
	CHECK_INT(kernel.shuts, shuts);
	CHECK(kernel.lease && kernel.forwarding && kernel.generation == 2);
	death();
	world.silent = false;
	life();
	run_ms(500);
	CHECK_INT(gate.state, GATE_OPEN);
	CHECK(kernel.generation == 2 && kernel.lease && kernel.forwarding);
	CHECK_INT(gate.current->meta.number, 2);
	CHECK_STR(gate.current->meta.who, "yamada");
	death();
	/* The table is gone too (a reboot): closed first, then the stored policy. */
	kernel.table = kernel.lease = kernel.forwarding = false;
	kernel.generation = 0;
	life();
	CHECK(kernel.shuts > shuts && !kernel.lease);
	run_ms(500);
	CHECK(kernel.generation == 2 && kernel.lease && kernel.forwarding);
	death();
}

/* A stored policy that cannot be put in force: closed, said, and tried again. */
static void test_broken_boot(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	death();
	world.compile_dies = true;
	life();
	run_ms(1000);
	CHECK(gate.state == GATE_SHUT && !kernel.lease && !kernel.forwarding);
	struct msg_status s = status();
	CHECK(has_finding(&s, "policy-broken") && s.health == MSG_ABNORMAL && !s.gate_open);
	world.compile_dies = false;
	run_ms(7000);
	CHECK(gate.state == GATE_OPEN && kernel.lease);
	s = status();
	CHECK(!has_finding(&s, "policy-broken"));
	death();
	char command[256];
	snprintf(command, sizeof(command), "echo x >> %s/var/lib/sekisho/gate/1.policy", root);
	CHECK_INT(system(command), 0);
	life();
	run_ms(1000);
	CHECK(gate.state == GATE_SHUT && !kernel.lease);
	death();
}

/* A proof of what is in force that finds something: made anew; finds it again: the lease goes, until it is right. */
static void test_proof(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	unsigned shuts = kernel.shuts, proofs = world.proved;
	world.findings = 1;
	world.findings_times = 1;
	int fd = client();
	struct msg m = {0};
	request(fd, MSG_VERB_PROVE, NULL);
	run_ms(500);
	CHECK_INT(msg_recv(fd, &m), 1);
	CHECK(m.type == MSG_COMMITTED && !m.u.msg_committed.ok && m.nfds == 1);
	msg_close_fds(&m);
	run_ms(1500);
	CHECK(world.proved >= proofs + 2 && kernel.shuts > shuts);
	CHECK(gate.state == GATE_OPEN && kernel.lease);
	world.findings = 1;
	world.findings_times = 0;
	gate.proof_due = true;
	run_ms(3000);
	CHECK(gate.state == GATE_HELD && !kernel.lease);
	struct msg_status s = status();
	CHECK(!s.gate_open && has_finding(&s, "proof") && s.health == MSG_ABNORMAL);
	/* No renewal while it is held. */
	run_ms(20000);
	CHECK(!kernel.lease);
	world.findings = 0;
	run_ms(7000);
	CHECK(gate.state == GATE_OPEN && kernel.lease);
	s = status();
	CHECK(!has_finding(&s, "proof"));
	close(fd);
	death();
}

static void test_tampering(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	unsigned shuts = kernel.shuts;
	heard("", NULL);
	/* The table vanishes: restored as soon as the event comes. */
	kernel.table = kernel.lease = false;
	kernel.events = 1;
	CHECK_INT(write(kernel.watch[1], "x", 1), 1);
	run_ms(0);
	CHECK(kernel.table && kernel.lease && kernel.shuts == shuts + 1);
	run_ms(1500);
	struct msg_status s = status();
	CHECK(has_finding(&s, "tampered") && has_finding(&s, "foreign-table"));
	CHECK(kernel.forwarding);
	CHECK(heard("tampered", NULL) >= 1);
	/* A change elsewhere: proved again, nothing restored. */
	unsigned proofs = world.proved;
	kernel.events = 1;
	CHECK_INT(write(kernel.watch[1], "x", 1), 1);
	run_ms(500);
	CHECK(world.proved == proofs + 1 && kernel.shuts == shuts + 1);
	/* A hook before ours stands as a finding until it is gone. */
	kernel.foreign = "ip evil prerouting (priority -500)";
	run_ms(11000);
	s = status();
	CHECK(has_finding(&s, "foreign-hook") && s.health == MSG_ABNORMAL);
	kernel.foreign = NULL;
	run_ms(11000);
	s = status();
	CHECK(!has_finding(&s, "foreign-hook"));
	/* Without an event too: the look each 10 s. */
	kernel.table = false;
	run_ms(11000);
	CHECK(kernel.table && kernel.lease);
	death();
}

static void test_lease(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	unsigned before = kernel.renewals;
	run_ms(31000);
	CHECK(kernel.renewals >= before + 3);
	kernel.renew_error = -ENOENT;
	kernel.table = false;
	run_ms(11000);
	kernel.renew_error = 0;
	run_ms(11000);
	CHECK(kernel.lease && gate.state == GATE_OPEN);
	death();
}

static void test_schedule_and_clock(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	logd_says(true);
	run_ms(1000);
	unsigned commits = kernel.commits, proofs = world.proved;
	run_ms(5000);
	CHECK_INT(kernel.commits, commits);
	kernel.next_change = wall.sec + 3;
	run_ms(2000);
	CHECK_INT(kernel.commits, commits);
	run_ms(2000);
	CHECK(kernel.commits > commits);
	kernel.next_change = 0;
	run_ms(1500);
	CHECK(world.proved > proofs);
	/* The clock jumps: programmed anew; it falls before our release: what has a time is closed. */
	commits = kernel.commits;
	wall.sec += 7200;
	run_ms(1500);
	CHECK_INT(kernel.commits, commits + 1);
	wall.sec = 1000000000;
	run_ms(2000);
	CHECK(kernel.clock_untrusted && kernel.lease);
	CHECK(world.prove_untrusted);
	struct msg_status s = status();
	CHECK(!s.clock_trusted && has_finding(&s, "clock"));
	wall.sec = NOW + 20000;
	run_ms(2000);
	CHECK(!kernel.clock_untrusted);
	/* Before the newest of our own records. */
	struct msg_log_status l = {.writable = 1, .newest = wall.sec + 100000};
	CHECK_INT(msg_send(logd_end, MSG_LOG_STATUS, 0, &l, NULL, 0), 0);
	run_ms(2000);
	CHECK(kernel.clock_untrusted);
	death();
}

static void test_records(bool close_all)
{
	machine();
	world.close_all = close_all;
	CHECK(commit_text("set one").ok);
	logd_says(true);
	run_ms(1000);
	CHECK_INT(kernel.records, NFT_RECORDS_OK);
	logd_says(false);
	run_ms(1000);
	CHECK_INT(kernel.records, close_all ? NFT_RECORDS_CLOSE_ALL : NFT_RECORDS_CLOSE_NEW);
	CHECK(kernel.lease == !close_all);
	struct msg_status s = status();
	CHECK(has_finding(&s, "log-full") && s.gate_open == !close_all);
	/* The lease of close-all is not renewed. */
	logd_says(false);
	run_ms(11000);
	CHECK(kernel.lease == !close_all);
	logd_says(true);
	run_ms(1000);
	CHECK(kernel.records == NFT_RECORDS_OK && kernel.lease);
	/* Silence: first a finding, then as good as full. */
	run_ms(17000);
	s = status();
	CHECK(has_finding(&s, "log-silent"));
	run_ms(15000);
	CHECK(kernel.records != NFT_RECORDS_OK);
	logd_says(true);
	run_ms(1000);
	CHECK_INT(kernel.records, NFT_RECORDS_OK);
	death();
}

/* Records could not be kept when we died: what that closed stays closed until logd says otherwise. */
static void test_records_restart(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	logd_says(false);
	run_ms(1000);
	CHECK_INT(kernel.records, NFT_RECORDS_CLOSE_NEW);
	death();
	life();
	run_ms(3000);
	CHECK_INT(gate.state, GATE_OPEN);
	CHECK_INT(kernel.records, NFT_RECORDS_CLOSE_NEW);
	logd_says(true);
	run_ms(1000);
	CHECK_INT(kernel.records, NFT_RECORDS_OK);
	/* A new ruleset knows nothing of it: closed with the load, not a moment later. */
	logd_says(false);
	run_ms(1000);
	kernel.records = NFT_RECORDS_OK;
	CHECK(commit_text("set two").ok);
	CHECK_INT(kernel.records, NFT_RECORDS_CLOSE_NEW);
	death();
}

static void test_restarted(void)
{
	struct msg_exited e = {.status = 9, .restarts = 1, .down_ms = 120};
	unsigned generations = 0;

	machine();
	CHECK(commit_text("set one").ok);
	run_ms(1000);
	heard("", NULL);
	MSG_TEXT(e.name, "sekisho-logd");
	CHECK_INT(msg_send(init_end, MSG_EXITED, 0, &e, NULL, 0), 0);
	run_ms(1500);
	CHECK(heard("restarted", &generations) >= 1);
	CHECK_INT(generations, 1);
	struct msg_status s = status();
	CHECK(has_finding(&s, "restarted"));
	death();
}

/* Peers that misbehave: dropped, and nothing else happens. */
static void test_bad_clients(void)
{
	struct msg m = {0};
	struct msg_request r = {.verb = MSG_VERB_COMMIT};
	struct msg_status st;
	int fd;

	machine();
	CHECK(commit_text("set one").ok);
	fd = client();
	CHECK_INT(send(fd, "garbage", 7, 0), 7);
	run_ms(250);
	CHECK_INT(msg_recv(fd, &m), 0);
	close(fd);
	fd = client(); /* a commit without a file */
	CHECK_INT(msg_send(fd, MSG_REQUEST, 1, &r, NULL, 0), 0);
	run_ms(250);
	CHECK_INT(msg_recv(fd, &m), 0);
	close(fd);
	fd = client(); /* not a request at all */
	memset(&st, 0, sizeof(st));
	CHECK_INT(msg_send(fd, MSG_STATUS, 1, &st, NULL, 0), 0);
	run_ms(250);
	CHECK_INT(msg_recv(fd, &m), 0);
	close(fd);
	fd = client(); /* a pipe for a policy: it would hang us */
	int p[2];
	CHECK_INT(pipe(p), 0);
	CHECK_INT(msg_send(fd, MSG_REQUEST, 1, &r, &p[0], 1), 0);
	run_ms(250);
	CHECK_INT(msg_recv(fd, &m), 1);
	CHECK(m.type == MSG_COMMITTED && !m.u.msg_committed.ok);
	close(p[0]);
	close(p[1]);
	close(fd);
	fd = client(); /* goes away while its commit is under way: it is done all the same */
	world.nsegments = 4;
	request(fd, MSG_VERB_COMMIT, "set four");
	close(fd);
	run_ms(1000);
	CHECK_INT(gate.state, GATE_OPEN);
	int many[CLIENTS_MAX + 4];
	for (unsigned i = 0; i < CLIENTS_MAX + 4; i++)
		many[i] = client();
	run_ms(250);
	for (unsigned i = 0; i < CLIENTS_MAX + 4; i++)
		close(many[i]);
	run_ms(250);
	CHECK(status().gate_open);
	fd = client();
	run_ms(70000);
	CHECK_INT(msg_recv(fd, &m), 0); /* asked nothing for a minute */
	close(fd);
	death();
}

/* Two commits at once: one after the other. */
static void test_queue(void)
{
	struct msg m = {0};
	int a, b, c;

	machine();
	a = client();
	b = client();
	c = client();
	request(a, MSG_VERB_COMMIT, "set a");
	request(b, MSG_VERB_COMMIT, "set b");
	request(c, MSG_VERB_RUNNING, NULL);
	run_ms(1500);
	CHECK_INT(msg_recv(a, &m), 1);
	CHECK(m.u.msg_committed.ok && m.u.msg_committed.generation == 1);
	msg_close_fds(&m);
	CHECK_INT(msg_recv(b, &m), 1);
	CHECK(m.u.msg_committed.ok && m.u.msg_committed.generation == 2);
	msg_close_fds(&m);
	CHECK_INT(msg_recv(c, &m), 1);
	CHECK(m.type == MSG_OPENED);
	msg_close_fds(&m);
	request(c, MSG_VERB_RUNNING, NULL);
	request(a, MSG_VERB_LOG, NULL);
	run_ms(250);
	CHECK_INT(msg_recv(c, &m), 1);
	CHECK(m.type == MSG_OPENED && m.u.msg_opened.ok && m.nfds == 1);
	char text[32] = "";
	if (m.nfds == 1)
		CHECK(read(m.fds[0], text, sizeof(text) - 1) >= 0);
	CHECK_STR(text, "set b");
	msg_close_fds(&m);
	CHECK_INT(msg_recv(a, &m), 1);
	CHECK(m.type == MSG_OPENED && m.u.msg_opened.ok && m.nfds == 1);
	msg_close_fds(&m);
	close(a);
	close(b);
	close(c);
	death();
}

/* logd turns on us: told to init, nothing else happens. */
static void test_broken_logd(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	logd_says(true);
	CHECK_INT(send(logd_end, "garbage", 7, 0), 7);
	run_ms(1000);
	CHECK(gate.state == GATE_OPEN && kernel.lease);
	death();
}

static void test_missing_interface(void)
{
	machine();
	kernel.missing = "eth9";
	CHECK(commit_text("set one").ok);
	logd_says(true);
	struct msg_status s = status();
	CHECK(s.gate_open && has_finding(&s, "interface-missing") && s.health == MSG_CAUTION);
	kernel.missing = NULL;
	CHECK_INT(write(kernel.net_watch[1], "x", 1), 1);
	run_ms(500);
	s = status();
	CHECK(!has_finding(&s, "interface-missing"));
	death();
}

/* -- The mail gate --------------------------------------------------------------------------------------- */

static bool was_told(int fd, enum msg_type type, struct msg *ret)
{
	while (msg_recv(fd, ret) == 1) {
		msg_close_fds(ret);
		if (ret->type == type)
			return true;
	}
	return false;
}

static void test_mail(void)
{
	struct msg_mail_status s = {.sessions_max = 8, .way = {{.configured = 1, .hops = 1}}};
	struct msg m;

	machine();
	run_ms(1000);
	world.mail = true;
	struct msg_committed c = commit_text("set mail");
	CHECK_STR(c.error, "");
	CHECK_INT(world.listen.n, 1);
	const struct msg_mail_address *a = &world.listen.address[0];
	CHECK(a->direction == MSG_MAIL_IN && a->port == 25 && a->addr[3] == 1);
	CHECK(was_told(mail_end, MSG_GENERATION, &m) && m.u.msg_generation.number == 1);
	CHECK(was_told(caller_end, MSG_MAIL_HOPS, &m) && m.u.msg_mail_hops.n == 1 && m.u.msg_mail_hops.hop[0].addr[3] == 25);
	/* What stays as it is is not said again. */
	unsigned said = world.listens;
	CHECK(commit_text("set mail again").ok);
	CHECK_INT(world.listens, said);
	CHECK(was_told(mail_end, MSG_GENERATION, &m) && m.u.msg_generation.number == 2);
	/* No word, no answer of its servers, no socket. */
	run_ms(21000);
	struct msg_status st = status();
	CHECK(has_finding(&st, "mail-away"));
	CHECK_INT(msg_send(mail_end, MSG_MAIL_STATUS, 0, &s, NULL, 0), 0);
	run_ms(1500);
	st = status();
	CHECK(!has_finding(&st, "mail-away") && has_finding(&st, "mail-hop-down") && has_finding(&st, "mail-deaf"));
	s.way[0].hops_well = s.way[0].listening = 1;
	s.way[0].flood = MSG_MAIL_STOPPED;
	CHECK_INT(msg_send(mail_end, MSG_MAIL_STATUS, 0, &s, NULL, 0), 0);
	run_ms(1500);
	st = status();
	CHECK(!has_finding(&st, "mail-hop-down") && !has_finding(&st, "mail-deaf") && has_finding(&st, "mail-stopped"));
	/* Another life of sekisho-maild learns the policy, and that it is stopped. */
	struct msg_exited e = {.status = 9};
	MSG_TEXT(e.name, "sekisho-maild");
	CHECK_INT(msg_send(init_end, MSG_EXITED, 0, &e, NULL, 0), 0);
	run_ms(1500);
	CHECK(was_told(mail_end, MSG_GENERATION, &m) && m.u.msg_generation.number == 2);
	CHECK(was_told(mail_end, MSG_MAIL_COMMAND, &m) && m.u.msg_mail_command.what == MSG_MAIL_STOP);
	/* A policy without a mail gate: nobody listens. */
	world.mail = false;
	CHECK(commit_text("set none").ok);
	CHECK_INT(world.listen.n, 0);
	death();
}

int main(void)
{
	if (geteuid() != 0)
		return 77;
	signal(SIGPIPE, SIG_IGN);
	snprintf(root, sizeof(root), "/tmp/sekisho-test-gate-XXXXXX");
	if (mkdtemp(root) == NULL)
		return 77;
	i18n_init("en");
	/* The kernel's own logs of the daemon are not wanted here. */
	if (getenv("TEST_VERBOSE") == NULL && freopen("/dev/null", "w", stderr) == NULL)
		return 77;
	test_first_commit();
	test_failing_commits();
	test_refused_rule_is_named();
	test_restart();
	test_broken_boot();
	test_proof();
	test_tampering();
	test_lease();
	test_schedule_and_clock();
	test_records(false);
	test_records(true);
	test_records_restart();
	test_restarted();
	test_bad_clients();
	test_queue();
	test_broken_logd();
	test_missing_interface();
	test_mail();
	char command[256];
	snprintf(command, sizeof(command), "rm -rf %s", root);
	CHECK_INT(system(command), 0);
	return test_end();
}
