/*
 * sekishod's logic, with the kernel, the network settings and sekisho-init stood in for: commits and each way that
 * they fail, boot, proof, lease, tampering, schedule, clock, records. Time is the test's.
 */
#include "compile.h"
#include "life.h"
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
	run_ms(2000);
	for (unsigned i = 0; i < CLIENTS_MAX + 4; i++)
		close(many[i]);
	run_ms(2000);
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
	if (!life_begin())
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
	CHECK_INT(life_end(), 0);
	return test_end();
}
