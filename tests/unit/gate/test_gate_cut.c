/*
 * test_gate_cut.c: emergency cuts and the alert level in sekishod, over stand-ins: what the kernel and the mail gate are
 * told and when, what survives which end, who may restore, what a disk that fails or lies leads to.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/jail.h>

#include "test.h"

#define OPERATOR_1 1501
#define OPERATOR_2 1502

static struct msg_acted act(int fd, const struct msg_request *q)
{
	struct msg m = {0};

	ask(fd, q, -1);
	CHECK(answer_of(fd, &m) == MSG_ACTED);
	struct msg_acted acted = m.u.msg_acted;
	msg_close_fds(&m);
	return acted;
}

static struct msg_request cut_request(uint32_t kind, const char *a, const char *b)
{
	struct msg_request q = {.verb = MSG_VERB_CUT, .argument = kind};

	MSG_TEXT(q.who, "yamada");
	MSG_TEXT(q.why, "strange traffic");
	MSG_TEXT(q.object[0], a);
	MSG_TEXT(q.object[1], b);
	MSG_TEXT(q.language, "en");
	return q;
}

static struct msg_acted cut_as(int fd, uint32_t kind, const char *a, const char *b)
{
	struct msg_request q = cut_request(kind, a, b);

	return act(fd, &q);
}

static struct msg_acted cut(uint32_t kind, const char *a, const char *b)
{
	int fd = client();
	struct msg_acted m = cut_as(fd, kind, a, b);

	close(fd);
	return m;
}

static struct msg_acted restore_step(int fd, uint32_t number, const char *code)
{
	struct msg_request q = {.verb = MSG_VERB_RESTORE, .argument = number};

	MSG_TEXT(q.language, "en");
	MSG_TEXT(q.who, "suzuki");
	MSG_TEXT(q.why, "it was a scanner of ours");
	MSG_TEXT(q.approval, code);
	return act(fd, &q);
}

/* The newest list that the mail gate was given. */
static uint32_t mail_heard(void)
{
	struct msg m;
	uint32_t n = UINT32_MAX;

	run_ms(0);
	while (msg_recv(mail_end, &m) == 1) {
		if (m.type == MSG_CUTS) {
			struct cuts *c = mmap(NULL, sizeof(*c), PROT_READ, MAP_SHARED, m.fds[0], 0);
			CHECK(c != MAP_FAILED && cuts_check(c, sizeof(*c)) == NULL && c->n == m.u.msg_cuts.n);
			n = m.u.msg_cuts.n;
			munmap(c, sizeof(*c));
		}
		msg_close_fds(&m);
	}
	return n;
}

static void test_cut_and_restore(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	mail_heard();
	uint32_t calls = kernel.cut_calls;
	struct msg_acted a = cut(CUT_SEGMENT, "segment0", "");
	CHECK(a.ok && a.number == 1 && a.flows == 3);
	CHECK_STR(a.object, "segment segment0");
	CHECK(kernel.cut_calls == calls + 1 && kernel.cuts.n == 1 && kernel.cut_sweeps == 1);
	CHECK_INT(mail_heard(), 1);
	struct msg_status s = status();
	CHECK(has_finding(&s, "cut") && s.ncuts == 1 && s.health == MSG_CAUTION);
	run_ms(1500);
	CHECK(heard("cut", NULL) >= 2); /* the finding, and who and why */
	int fd = client();
	struct msg_acted first = restore_step(fd, 1, "");
	CHECK(first.ok && strlen(first.code) == 6 && kernel.cuts.n == 1);
	CHECK(!restore_step(fd, 1, "nonono").ok && kernel.cuts.n == 1);
	CHECK(!restore_step(fd, 2, first.code).ok);
	CHECK(restore_step(fd, 1, first.code).ok && kernel.cuts.n == 0);
	CHECK(!restore_step(fd, 1, first.code).ok); /* once */
	close(fd);
	CHECK_INT(mail_heard(), 0);
	s = status();
	CHECK(!has_finding(&s, "cut") && s.ncuts == 0);
	/* A number is never used twice. */
	CHECK_INT(cut(CUT_ALL, "", "").number, 2);
	death();
}

static void test_what_cannot_be_cut(void)
{
	machine();
	struct msg_acted a = cut(CUT_SEGMENT, "segment0", ""); /* no policy knows it */
	CHECK(!a.ok && a.error[0] != '\0');
	CHECK(cut(CUT_HOST, "10.1.0.5", "").ok);
	CHECK(cut(CUT_ALL, "", "").ok);
	CHECK(commit_text("set one").ok);
	CHECK(!cut(CUT_SEGMENT, "segment9", "").ok);
	CHECK(!cut(CUT_HOST, "nobody", "").ok);
	CHECK(!cut(CUT_HOST, "10.0.0.0/33", "").ok);
	CHECK(!cut(CUT_PAIR, "segment0", "10.0.0.1").ok);
	CHECK(!cut(9, "", "").ok);
	struct msg_request q = cut_request(CUT_ALL, "", "");
	q.why[0] = '\0';
	memset(q.why, 0, sizeof(q.why));
	int fd = client();
	CHECK(!act(fd, &q).ok);
	close(fd);
	CHECK_INT(kernel.cuts.n, 2);
	char address[16];
	for (unsigned i = 2; i < CUT_MAX; i++) {
		snprintf(address, sizeof(address), "10.0.0.%u", i);
		CHECK(cut(CUT_HOST, address, "").ok);
	}
	CHECK(!cut(CUT_HOST, "10.9.0.1", "").ok);
	CHECK(cut(CUT_HOST, "10.0.0.2", "").ok); /* it is cut already */
	CHECK_INT(kernel.cuts.n, CUT_MAX);
	death();
}

static void test_lives_on(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	CHECK(cut(CUT_SEGMENT, "segment0", "").ok);
	CHECK(commit_text("set two").ok);
	CHECK(kernel.built.n == 1); /* the ruleset that opens has it */
	death();
	kernel.cuts = kernel.built = (struct cuts){0};
	world.silent = true;
	life(); /* what was left running has it before anything else is done */
	CHECK(kernel.cuts.n == 1);
	world.silent = false;
	run_ms(6000);
	CHECK(kernel.built.n == 1 && gate.state == GATE_OPEN);
	death();
	/* A reboot: nothing is in the kernel, and what opens it has the cut. */
	kernel.table = kernel.lease = kernel.forwarding = false;
	kernel.generation = 0;
	kernel.built = (struct cuts){0};
	life();
	CHECK(!kernel.lease && kernel.cuts.n == 1);
	run_ms(500);
	CHECK(kernel.lease && kernel.built.n == 1);
	CHECK_INT(kernel.built.cut[0].number, 1);
	death();
}

static void spoil(const char *name)
{
	uint8_t byte;
	int fd = openat(gate.store.dir, name, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0 && pread(fd, &byte, 1, 100) == 1);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, 100) == 1);
	close(fd);
}

/* Nobody knows what was cut: all of it is, until somebody looks. */
static void test_a_damaged_list(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	CHECK(cut(CUT_HOST, "10.1.0.5", "").ok);
	spoil("cuts");
	death();
	life();
	run_ms(500);
	struct msg_status s = status();
	CHECK(kernel.cuts.n == 1 && kernel.cuts.cut[0].kind == CUT_ALL && has_finding(&s, "cuts-broken"));
	CHECK_INT(s.health, MSG_ABNORMAL);
	int fd = client();
	struct msg_acted first = restore_step(fd, 1, "");
	CHECK(restore_step(fd, 1, first.code).ok);
	close(fd);
	s = status();
	CHECK(kernel.cuts.n == 0 && !has_finding(&s, "cuts-broken"));
	death();
	life();
	CHECK_INT(kernel.cuts.n, 0);
	death();
}

static int no_write(int dir, const char *name, int flags, mode_t mode)
{
	(void)dir, (void)name, (void)flags, (void)mode;
	errno = EROFS;
	return -1;
}

/* A disk that is full keeps nobody from cutting. */
static void test_a_disk_that_fails(void)
{
	static struct store_io broken;

	machine();
	CHECK(commit_text("set one").ok);
	broken = *gate.store.io;
	broken.openat = no_write;
	gate.store.io = &broken;
	struct msg_acted a = cut(CUT_ALL, "", "");
	struct msg_status s = status();
	CHECK(a.ok && a.error[0] != '\0' && kernel.cuts.n == 1 && has_finding(&s, "cuts-unstored"));
	gate.store.io = &store_io_real;
	CHECK(cut(CUT_HOST, "10.0.0.1", "").ok);
	s = status();
	CHECK(!has_finding(&s, "cuts-unstored"));
	death();
	life();
	CHECK_INT(kernel.cuts.n, 2);
	death();
}

/* What the kernel refuses shuts the gate. */
static void test_a_kernel_that_refuses(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	kernel.cut_error = -EPERM;
	unsigned shuts = kernel.shuts;
	CHECK(cut(CUT_ALL, "", "").error[0] != '\0');
	CHECK(kernel.shuts > shuts);
	/* It is opened again from the start, by a ruleset that has the cut. */
	run_ms(6000);
	CHECK(gate.state == GATE_OPEN && kernel.built.n == 1);
	kernel.cut_error = 0;
	death();
}

static struct msg_acted level(int fd, uint32_t to)
{
	struct msg_request q = {.verb = MSG_VERB_LEVEL, .argument = to};

	MSG_TEXT(q.language, "en");
	MSG_TEXT(q.who, "yamada");
	MSG_TEXT(q.why, "a threat was announced");
	return act(fd, &q);
}

/* Who is an operator undoes what another has done, never what is his own; an administrator both. */
static void test_two_people(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	int one = client_as(OPERATOR_1, JAIL_GID_OPERATOR), two = client_as(OPERATOR_2, JAIL_GID_OPERATOR);
	CHECK(cut_as(one, CUT_ALL, "", "").ok);
	struct msg_acted first = restore_step(one, 1, "");
	CHECK(!restore_step(one, 1, first.code).ok && kernel.cuts.n == 1);
	CHECK(restore_step(two, 1, first.code).ok && kernel.cuts.n == 0);
	CHECK(level(one, LEVEL_LOCKDOWN).ok);
	CHECK(!level(one, LEVEL_NORMAL).ok && !level(one, LEVEL_CAUTION).ok);
	CHECK(level(two, LEVEL_CAUTION).ok);
	CHECK(!level(two, LEVEL_NORMAL).ok && level(two, LEVEL_LOCKDOWN).ok); /* up again anybody may */
	close(one);
	close(two);
	int root_fd = client();
	CHECK(level(root_fd, LEVEL_NORMAL).ok);
	close(root_fd);
	death();
}

static void test_levels(void)
{
	machine();
	CHECK(commit_text("set one").ok);
	unsigned commits = kernel.commits;
	int fd = client();
	CHECK(!level(fd, LEVEL_END).ok);
	CHECK(level(fd, LEVEL_CAUTION).ok);
	CHECK(kernel.commits == commits + 1 && gate.current->ir.level == LEVEL_CAUTION);
	struct msg_status s = status();
	CHECK(s.level == LEVEL_CAUTION && has_finding(&s, "level"));
	CHECK(commit_text("set two").ok);
	CHECK_INT(gate.current->ir.level, LEVEL_CAUTION);
	close(fd);
	death();
	life();
	run_ms(500);
	CHECK(gate.current != NULL && gate.current->ir.level == LEVEL_CAUTION);
	s = status();
	CHECK_INT(s.level, LEVEL_CAUTION);
	death();
}

static struct msg_acted drill(int fd, uint32_t what, uint32_t detail, const char *object, const char *code, char *text)
{
	struct msg_request q = {.verb = MSG_VERB_DRILL, .argument = what, .detail = detail};
	struct msg m = {0};

	MSG_TEXT(q.language, "en");
	MSG_TEXT(q.who, "tanaka");
	MSG_TEXT(q.why, "quarterly");
	MSG_TEXT(q.object[0], object);
	MSG_TEXT(q.approval, code);
	ask(fd, &q, -1);
	CHECK(answer_of(fd, &m) == MSG_ACTED);
	struct msg_acted acted = m.u.msg_acted;
	ssize_t n = text != NULL && m.nfds > 0 ? pread(m.fds[0], text, 8191, 0) : 0;
	if (text != NULL)
		text[n > 0 ? n : 0] = '\0';
	msg_close_fds(&m);
	return acted;
}

/* The same steps, and the kernel hears nothing of them; the report is there after a restart too. */
static void test_drill(void)
{
	static char report[8192];

	machine();
	CHECK(commit_text("set one").ok);
	int fd = client();
	unsigned calls = kernel.cut_calls;
	CHECK(!drill(fd, MSG_DRILL_JOIN, 0, "", "", NULL).ok); /* none is under way */
	CHECK(!drill(fd, MSG_DRILL_CUT, CUT_SEGMENT, "segment9", "", NULL).ok);
	struct msg_acted a = drill(fd, MSG_DRILL_CUT, CUT_SEGMENT, "segment0", "", NULL);
	CHECK(a.ok && a.drill && a.number == 1);
	CHECK_STR(a.object, "segment segment0");
	CHECK(drill(fd, MSG_DRILL_JOIN, 0, "", "", NULL).ok);
	a = drill(fd, MSG_DRILL_RESTORE, 1, "", "", NULL);
	CHECK(a.ok && strlen(a.code) == 6);
	CHECK(!drill(fd, MSG_DRILL_RESTORE, 1, "", "wrong", NULL).ok && !drill(fd, MSG_DRILL_RESTORE, 2, "", a.code, NULL).ok);
	close(fd);
	CHECK_INT(status().drill, 1);
	death();
	life();
	run_ms(500);
	fd = client();
	CHECK(drill(fd, MSG_DRILL_RESTORE, 1, "", a.code, NULL).ok);
	CHECK(!drill(fd, MSG_DRILL_RESTORE, 1, "", a.code, NULL).ok);
	CHECK(drill(fd, MSG_DRILL_END, 0, "", "", NULL).ok);
	CHECK(!drill(fd, MSG_DRILL_JOIN, 0, "", "", NULL).ok);
	CHECK(drill(fd, MSG_DRILL_REPORT, 0, "", "", report).ok);
	CHECK(strstr(report, "\"participants\":[\"tanaka\"]") != NULL && strstr(report, "\"what\":\"restored\"") != NULL);
	CHECK(strstr(report, "\"what\":\"ended\"") != NULL && strstr(report, "segment segment0") != NULL);
	CHECK(kernel.cut_calls == calls + 1 && kernel.cuts.n == 0 && gate.cut.list.n == 0); /* the one of the second start */
	close(fd);
	death();
}

/* While logd is asked everybody else is answered; it answers, or it does not in time: the files are there all the same. */
static void test_freeze(void)
{
	struct msg_request q = {.verb = MSG_VERB_FREEZE};
	struct msg_evidence_done done = {.ok = 1, .rows = 5, .packets = 2};
	char path[256];
	struct msg m = {0};

	machine();
	snprintf(path, sizeof(path), "%s/%s", root, DAEMON_PATH_EVIDENCE);
	CHECK(mkdir(path, 0700) == 0 || errno == EEXIST);
	death();
	life();
	CHECK(commit_text("set one").ok);
	MSG_TEXT(q.who, "yamada");
	int fd = client();
	ask(fd, &q, -1);
	CHECK(answer_of(fd, &m) == MSG_ACTED && !m.u.msg_acted.ok); /* why? */
	MSG_TEXT(q.why, "strange traffic");
	ask(fd, &q, -1);
	CHECK(answer_of(fd, &m) == 0);
	CHECK_INT(status().nfrozen, 0);
	CHECK_INT(msg_send(logd_end, MSG_EVIDENCE_DONE, 1, &done, NULL, 0), 0);
	CHECK(answer_of(fd, &m) == MSG_ACTED && m.u.msg_acted.ok && m.u.msg_acted.number == 1);
	CHECK_INT(strlen(m.u.msg_acted.object), 64);
	CHECK_INT(status().nfrozen, 1);
	ask(fd, &q, -1);
	CHECK(answer_of(fd, &m) == 0);
	run_ms(21000);
	CHECK(answer_of(fd, &m) == MSG_ACTED && m.u.msg_acted.ok && m.u.msg_acted.number == 2);
	close(fd);
	death();
	life();
	CHECK_INT(status().nfrozen, 2);
	death();
}

int main(void)
{
	if (!life_begin())
		return 77;
	test_cut_and_restore();
	test_what_cannot_be_cut();
	test_lives_on();
	test_a_damaged_list();
	test_a_disk_that_fails();
	test_a_kernel_that_refuses();
	test_two_people();
	test_levels();
	test_drill();
	test_freeze();
	CHECK_INT(life_end(), 0);
	return test_end();
}
