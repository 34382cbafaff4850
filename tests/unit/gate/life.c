/*
 * life.c: sekishod's life over stand-ins (see life.h): the test makes its IRs, answers for its one-shots, and moves time.
 */
#include "life.h"

#include "compile.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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

char root[64];
struct gate gate;
struct daemon d;
int init_end = -1, logd_end = -1, mail_end = -1, caller_end = -1, tls_end = -1, alarm_end = -1;
static int host_end = -1; /* of sekisho-hostd */
struct wall wall;
struct mono mono;

struct world world;

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

/* Alarm mail to 10.0.0.26; a host of segment 0 (mynumber) that no mail may name. */
static void build_alarm(struct ir_builder *b)
{
	struct ir_interface *i = IR_PUSH(b, interfaces);
	i->segment = 1;
	snprintf(i->name, sizeof(i->name), "eth8");
	struct ir_own *o = IR_PUSH(b, owns);
	*o = (struct ir_own){.interface = (uint16_t)(b->ninterfaces - 1), .out = 1, .family = 4, .proto = 6, .port_lo = 25,
		.port_hi = 25, .remote = {.lo = {10, 0, 0, 26}, .hi = {10, 0, 0, 26}}};
	o->what = ir_intern(b, "alarm");
	struct ir_network *n = IR_PUSH(b, networks);
	*n = (struct ir_network){.segment = 1, .family = 4, .range = {.lo = {10, 0, 0, 0}, .hi = {10, 0, 0, 255}}};
	b->segments[1].networks = (struct ir_run){(uint32_t)b->nnetworks - 1, 1};
	struct ir_name *name = IR_PUSH(b, names);
	name->name = ir_intern(b, "joho@town.example.lg.jp");
	b->system[0].alarm_to = (struct ir_run){(uint32_t)b->nnames - 1, 1};
	b->system[0].daily_report = 8 * 60 + 30;
	struct ir_hostaddr *a = IR_PUSH(b, hostaddrs);
	*a = (struct ir_hostaddr){.family = 4, .range = {.lo = {10, 1, 0, 5}, .hi = {10, 1, 0, 5}}};
	struct ir_host *h = IR_PUSH(b, hosts);
	h->addrs = (struct ir_run){0, 1};
	h->name = ir_intern(b, "jumin-ap");
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
	s->daily_report = IR_NONE;
	s->close_all_on_log_failure = world.close_all;
	s->session_idle = world.idle;
	s->session_configure = world.configure;
	if (world.deputy != NULL) {
		struct ir_deputy *y = IR_PUSH(&b, deputies);
		*y = (struct ir_deputy){.role = IR_DEPUTY_ADMINISTRATOR, .from = NOW, .until = NOW + 3600};
		b.deputies[0].name = ir_intern(&b, "natsu");
		b.deputies[0].user = ir_intern(&b, world.deputy);
		b.deputies[0].approved_by = ir_intern(&b, "kacho");
	}
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
	if (world.alarm)
		build_alarm(&b);
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

void quiet(void)
{
	clock_set_test(&wall, &mono);
}

static void stop_loop(void *arg)
{
	loop_stop(arg, 0);
}

/* Moves time on in steps of a quarter second, running what is due. */
void run_ms(int64_t ms)
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
	CHECK_INT(chmod(a.sun_path, 0666), 0); /* here who may connect is not the file's to say */
	CHECK_INT(listen(fd, 128), 0);
	if (fd != number) {
		dup2(fd, number);
		close(fd);
	}
}

void wipe_store(void)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s/var; mkdir -p %s/var/lib/sekisho/gate", root, root);
	CHECK_INT(system(command), 0);
}

void life(void)
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
	pair_on(DAEMON_FD_NOTIFIER, &alarm_end);
	pair_on(DAEMON_FD_TLS, &tls_end);
	pair_on(DAEMON_FD_HOST, &host_end);
	d.loop = loop_new();
	CHECK_INT(loop_add_fd(d.loop, init_end, EPOLLIN, on_spawn, NULL), 0);
	CHECK_INT(loop_add_fd(d.loop, DAEMON_FD_INIT, EPOLLIN, on_init_message, NULL), 0);
	CHECK_INT(gate_spec.start(&d), 0);
}

void death(void)
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
	close(alarm_end);
	close(caller_end);
	close(tls_end);
	close(host_end);
	close(DAEMON_FD_HOST);
	for (int fd = DAEMON_FD_INIT; fd <= DAEMON_FD_TLS; fd++)
		close(fd);
}

/* A new machine: nothing stored, nothing in the kernel. */
void machine(void)
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

int client(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 40);

	close(fd);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/control", root);
	CHECK_INT(connect(high, (struct sockaddr *)&a, sizeof(a)), 0);
	return high;
}

void request(int fd, uint32_t verb, const char *policy)
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

struct msg_committed commit_text(const char *text)
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

struct msg_status status(void)
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

bool has_finding(const struct msg_status *s, const char *code)
{
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (strcmp(s->findings[i].code, code) == 0)
			return true;
	return false;
}

/* Tells the gate that the records are fine (or not), as logd does. */
void logd_says(bool writable)
{
	struct msg_log_status s = {.writable = writable, .epoch = 5};

	CHECK_INT(msg_send(logd_end, MSG_LOG_STATUS, 0, &s, NULL, 0), 0);
}

/* Takes what was sent to logd; counts faults with this code and generations. */
unsigned heard(const char *code, unsigned *ret_generations)
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

int client_as(uid_t uid, gid_t group)
{
	CHECK_INT(setgroups(1, &group), 0);
	CHECK(setresgid(-1, group, -1) == 0 && setresuid(-1, uid, -1) == 0);
	int fd = client();
	CHECK(setresuid(-1, 0, -1) == 0 && setresgid(-1, 0, -1) == 0 && setgroups(0, NULL) == 0);
	return fd;
}

void ask(int fd, const struct msg_request *q, int file)
{
	CHECK_INT(msg_send(fd, MSG_REQUEST, 77, q, &file, file >= 0 ? 1 : 0), 0);
}

enum msg_type answer_of(int fd, struct msg *ret)
{
	run_ms(1000);
	if (msg_recv(fd, ret) != 1)
		return 0;
	CHECK_INT(ret->tag, 77);
	return ret->type;
}

int text_file(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	size_t n = strlen(text);

	CHECK(write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

bool life_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	snprintf(root, sizeof(root), "/tmp/sekisho-test-gate-XXXXXX");
	if (geteuid() != 0 || mkdtemp(root) == NULL || chmod(root, 0755) != 0)
		return false;
	i18n_init("en");
	/* The daemon's own lines are not wanted here. */
	return getenv("TEST_VERBOSE") != NULL || freopen("/dev/null", "w", stderr) != NULL;
}

unsigned life_end(void)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	CHECK_INT(system(command), 0);
	return (unsigned)test_failures;
}
