/*
 * Generations as people handle them: a commit that waits to be confirmed (and what ends the wait: a word, the time, a
 * crash, a reboot), going back, history, two editors at once. The kernel and the one-shots are stood in for.
 */
#include "life.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MINUTE 60000

static struct msg_committed committed(const struct msg_request *q, const char *text)
{
	int fd = client(), file = text != NULL ? text_file(text) : -1;
	struct msg m = {0};

	ask(fd, q, file);
	CHECK_INT(answer_of(fd, &m), MSG_COMMITTED);
	close(fd);
	if (file >= 0)
		close(file);
	msg_close_fds(&m);
	return m.u.msg_committed;
}

static struct msg_committed commit(const char *text, uint32_t minutes, uint32_t base)
{
	struct msg_request q = {.verb = MSG_VERB_COMMIT, .argument = minutes, .base = base};

	MSG_TEXT(q.who, "sato");
	MSG_TEXT(q.why, "reason");
	MSG_TEXT(q.language, "en");
	return committed(&q, text);
}

static struct msg_committed word(uint32_t verb, uint32_t argument)
{
	struct msg_request q = {.verb = verb, .argument = argument};

	MSG_TEXT(q.who, "suzuki");
	MSG_TEXT(q.why, "back");
	MSG_TEXT(q.language, "en");
	return committed(&q, NULL);
}

/* The text of a generation, or of the running one (verb RUNNING). */
static const char *text_of(uint32_t verb, uint32_t number)
{
	static char text[256];
	struct msg_request q = {.verb = verb, .argument = number};
	struct msg m = {0};
	int fd = client();

	memset(text, 0, sizeof(text));
	ask(fd, &q, -1);
	CHECK_INT(answer_of(fd, &m), MSG_OPENED);
	if (m.u.msg_opened.ok && m.nfds == 1)
		CHECK(read(m.fds[0], text, sizeof(text) - 1) >= 0);
	else
		snprintf(text, sizeof(text), "%s", m.u.msg_opened.error);
	msg_close_fds(&m);
	close(fd);
	return text;
}

static struct msg_history history(uint32_t below)
{
	struct msg_request q = {.verb = MSG_VERB_HISTORY, .argument = below};
	struct msg m = {0};
	int fd = client();

	ask(fd, &q, -1);
	CHECK_INT(answer_of(fd, &m), MSG_HISTORY);
	close(fd);
	return m.u.msg_history;
}

static void test_confirmed(void)
{
	machine();
	CHECK(!commit("one", 5, 0).ok); /* nothing could return */
	CHECK(commit("one", 0, 0).ok);
	struct msg_committed c = commit("two", 5, 0);
	CHECK(c.ok && c.generation == 2 && c.confirm_minutes == 5);
	struct msg_status s = status();
	CHECK(s.confirm_by > wall.sec + 4 * 60 && s.confirm_by <= wall.sec + 5 * 60);
	CHECK_INT(s.confirm_else, 1);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "two");
	/* Whoever comes now must decide first. */
	c = commit("three", 0, 0);
	CHECK(!c.ok && strstr(c.error, "waits to be confirmed") != NULL);
	c = word(MSG_VERB_CONFIRM, 0);
	CHECK(c.ok && c.generation == 2);
	CHECK_INT(status().confirm_by, 0);
	run_ms(6 * MINUTE);
	CHECK_INT(gate.running, 2);
	CHECK(!word(MSG_VERB_CONFIRM, 0).ok);
	death();
	life();
	run_ms(1000);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "two");
	death();
}

static void test_time_is_up(void)
{
	machine();
	CHECK(commit("one", 0, 0).ok && commit("two", 2, 0).ok);
	run_ms(MINUTE);
	CHECK_INT(gate.running, 2);
	run_ms(MINUTE + 2000);
	CHECK_INT(gate.running, 3);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "one");
	struct msg_history h = history(0);
	CHECK(h.n == 3 && h.running == 3 && h.unconfirmed == 0 && !h.more);
	CHECK(h.past[0].number == 3 && h.past[0].of == 1 && h.past[1].number == 2 && h.past[1].of == 0);
	CHECK_STR(h.past[0].who, "sekishod");
	CHECK(strstr(h.past[0].why, "世代 2 が 2 分以内") != NULL); /* in the policy's language */
	CHECK_STR(h.past[1].account, "root");
	CHECK(commit("four", 0, 0).ok);
	death();
}

/* While the old one cannot be made again, what is in force stays, and it is tried again. */
static void test_revert_fails(void)
{
	machine();
	CHECK(commit("one", 0, 0).ok && commit("two", 1, 0).ok);
	world.errors = 1;
	run_ms(MINUTE + 3000);
	CHECK_INT(gate.running, 2);
	CHECK(gate.current != NULL && gate.current->number == 2);
	CHECK(!gate.job.failed && gate.confirm.number == 2);
	world.errors = 0;
	run_ms(10000);
	CHECK_INT(gate.running, 3);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "one");
	death();
}

/* sekishod dies: the rest of the time is waited. The machine is started again: the old one is back at once. */
static void test_crash(void)
{
	machine();
	CHECK(commit("one", 0, 0).ok && commit("two", 3, 0).ok);
	run_ms(MINUTE);
	death();
	life();
	run_ms(2000);
	CHECK(gate.running == 2 && gate.confirm.number == 2);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "two");
	run_ms(2 * MINUTE);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "one");
	CHECK(commit("two", 3, 0).ok);
	snprintf(gate.confirm.boot_id, sizeof(gate.confirm.boot_id), "another boot");
	CHECK_INT(store_put_record(&gate.store, "unconfirmed", 0x55474b53u, &gate.confirm, sizeof(gate.confirm)), 0);
	death();
	fake_kernel_reset();
	life();
	run_ms(2000);
	CHECK(gate.confirm.number == 0 && heard("unconfirmed", NULL) == 1);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "one");
	death();
	/* The record is over once something else was stored as running; a damaged one is none. */
	life();
	run_ms(1000);
	CHECK(commit("two", 3, 0).ok);
	CHECK_INT(store_set_running(&gate.store, gate.running), 0);
	death();
	life();
	run_ms(1000);
	CHECK(gate.confirm.number == 0);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "two");
	CHECK(commit("three", 3, 0).ok);
	int fd = openat(gate.store.dir, "unconfirmed", O_WRONLY);
	CHECK(pwrite(fd, "x", 1, 20) == 1);
	close(fd);
	death();
	life();
	run_ms(1000);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "two");
	death();
}

static void test_rollback(void)
{
	machine();
	CHECK(commit("one", 0, 0).ok && commit("two", 0, 0).ok && commit("three", 0, 0).ok);
	struct msg_committed c = word(MSG_VERB_ROLLBACK, 1);
	CHECK(c.ok && c.generation == 4);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "one");
	CHECK_STR(text_of(MSG_VERB_GENERATION, 2), "two");
	CHECK(strstr(text_of(MSG_VERB_GENERATION, 9), "9 is not kept") != NULL);
	c = word(MSG_VERB_ROLLBACK, 77);
	CHECK(!c.ok && c.generation == 4 && strstr(c.error, "77 is not kept") != NULL);
	struct msg_history h = history(0);
	CHECK(h.n == 4 && h.past[0].of == 1);
	CHECK_STR(h.past[0].who, "suzuki");
	/* Out of the wait: back at once, and nothing returns later. */
	CHECK(commit("five", 1, 0).ok);
	c = word(MSG_VERB_ROLLBACK, 3);
	CHECK(c.ok && c.generation == 6);
	run_ms(2 * MINUTE);
	CHECK_STR(text_of(MSG_VERB_RUNNING, 0), "three");
	CHECK_INT(gate.running, 6);
	death();
}

static void test_pages(void)
{
	machine();
	for (int i = 0; i < 20; i++)
		CHECK(commit("text", 0, 0).ok);
	struct msg_history h = history(0);
	CHECK(h.n == MSG_HISTORY_MAX && h.more && h.past[0].number == 20);
	h = history(h.past[MSG_HISTORY_MAX - 1].number);
	CHECK(h.n == 4 && !h.more && h.past[3].number == 1);
	CHECK_INT(history(1).n, 0);
	death();
}

/* Two people begin from the same generation: the second is told, and nothing of the first is lost. */
static void test_two_editors(void)
{
	machine();
	CHECK(commit("one", 0, 0).ok);
	CHECK(commit("two", 0, 1).ok);
	struct msg_committed c = commit("three", 0, 1);
	CHECK(!c.ok && c.generation == 2 && strstr(c.error, "generation 2 (by sato) is running") != NULL);
	CHECK(commit("three", 0, 2).ok && commit("four", 0, 0).ok);
	/* At once: in the order of their coming, and the second is judged by what the first has left. */
	struct msg_request q = {.verb = MSG_VERB_COMMIT, .base = 4, .language = "en"};
	int a = client(), b = client(), file = text_file("five");
	struct msg m = {0};
	ask(a, &q, file);
	ask(b, &q, file);
	CHECK_INT(answer_of(a, &m), MSG_COMMITTED);
	CHECK(m.u.msg_committed.ok);
	msg_close_fds(&m);
	CHECK_INT(answer_of(b, &m), MSG_COMMITTED);
	CHECK(!m.u.msg_committed.ok && strstr(m.u.msg_committed.error, "generation 5 (by root)") != NULL);
	msg_close_fds(&m);
	close(a);
	close(b);
	close(file);
	death();
}

/* -- Candidates -------------------------------------------------------------------------------------------- */

static struct msg_candidate candidate(int fd, const struct msg_request *q, const char *text, char *ret_text)
{
	int file = text != NULL ? text_file(text) : -1;
	struct msg m = {0};

	ask(fd, q, file);
	CHECK_INT(answer_of(fd, &m), MSG_CANDIDATE);
	if (ret_text != NULL && m.nfds == 1)
		CHECK(read(m.fds[0], ret_text, 200) >= 0);
	msg_close_fds(&m);
	if (file >= 0)
		close(file);
	return m.u.msg_candidate;
}

static void test_candidates(void)
{
	const struct msg_request get = {.verb = MSG_VERB_CANDIDATE_GET}, list = {.verb = MSG_VERB_CANDIDATE_LIST};
	const struct msg_request put = {.verb = MSG_VERB_CANDIDATE_PUT, .base = 1};
	const struct msg_request other = {.verb = MSG_VERB_CANDIDATE_GET, .argument = 1001};
	struct msg_request discard = {.verb = MSG_VERB_CANDIDATE_DISCARD};
	char text[256] = "";
	struct msg m = {0};

	machine();
	CHECK(commit("one", 0, 0).ok);
	int fd = client(), her = client_as(1001, 983), vendor = client_as(1002, 984);
	CHECK(!candidate(fd, &get, NULL, NULL).there);
	struct msg_candidate c = candidate(fd, &put, "set a\nset b", NULL);
	CHECK(c.there && c.running == 1 && c.it.base == 1 && c.it.size == 11 && c.others == 0);
	c = candidate(her, &put, "set c", NULL);
	CHECK(c.there && c.others == 1 && c.it.uid == 1001);
	CHECK_STR(c.it.account, "#1001");
	c = candidate(fd, &get, NULL, text);
	CHECK(c.there && c.others == 1);
	CHECK_STR(text, "set a\nset b");
	memset(text, 0, sizeof(text));
	CHECK(candidate(fd, &other, NULL, text).it.uid == 1001);
	CHECK_STR(text, "set c");
	/* Also after a crash. */
	close(fd);
	close(her);
	close(vendor);
	death();
	life();
	run_ms(1000);
	fd = client();
	vendor = client_as(1002, 984);
	ask(fd, &list, -1);
	CHECK_INT(answer_of(fd, &m), MSG_CANDIDATES);
	CHECK(m.u.msg_candidates.n == 2 && m.u.msg_candidates.running == 1);
	memset(text, 0, sizeof(text));
	CHECK(candidate(fd, &get, NULL, text).there);
	CHECK_STR(text, "set a\nset b");
	/* Somebody else's is an administrator's to discard. */
	discard.argument = 1001;
	ask(vendor, &discard, -1);
	CHECK_INT(answer_of(vendor, &m), MSG_OPENED);
	CHECK(!m.u.msg_opened.ok);
	ask(fd, &discard, -1);
	CHECK(answer_of(fd, &m) == MSG_OPENED && m.u.msg_opened.ok);
	CHECK(!candidate(fd, &other, NULL, NULL).there);
	CHECK(candidate(fd, &put, "", NULL).there); /* an empty one is one */
	/* Damaged on the disk: said, and out of the way after the next start. */
	int file = openat(gate.store.dir, "candidate-0", O_WRONLY);
	CHECK(pwrite(file, "xx", 2, 30) == 2);
	close(file);
	c = candidate(fd, &get, NULL, NULL);
	CHECK(!c.there && strstr(c.error, "cannot be read") != NULL);
	close(fd);
	close(vendor);
	death();
	life();
	CHECK_INT(gate.drafts.n, 0);
	death();
}

static void test_candidate_limits(void)
{
	const struct msg_request put = {.verb = MSG_VERB_CANDIDATE_PUT};
	struct msg m = {0};

	machine();
	for (uid_t uid = 1000; uid < 1000 + MSG_CANDIDATES_MAX; uid++) {
		int fd = client_as(uid, 983);
		CHECK(candidate(fd, &put, "x", NULL).there);
		close(fd);
	}
	int fd = client_as(2000, 983);
	struct msg_candidate c = candidate(fd, &put, "x", NULL);
	CHECK(!c.there && c.others == MSG_CANDIDATES_MAX && strstr(c.error, "discarded first") != NULL);
	close(fd);
	/* Larger than may be; and no file at all. */
	fd = client_as(1000, 983);
	int file = text_file("y");
	CHECK_INT(ftruncate(file, DRAFT_BYTES_MAX + 1), 0);
	ask(fd, &put, file);
	CHECK_INT(answer_of(fd, &m), MSG_CANDIDATE);
	CHECK(m.u.msg_candidate.there && m.u.msg_candidate.it.size == 1);
	CHECK(strstr(m.u.msg_candidate.error, "larger") != NULL);
	close(file);
	int pair[2];
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ask(fd, &put, pair[0]);
	CHECK_INT(answer_of(fd, &m), MSG_CANDIDATE);
	CHECK(strstr(m.u.msg_candidate.error, "cannot be read") != NULL);
	close(pair[0]);
	close(pair[1]);
	close(fd);
	death();
}

int main(void)
{
	if (!life_begin())
		return 77;
	test_confirmed();
	test_time_is_up();
	test_revert_fails();
	test_crash();
	test_rollback();
	test_pages();
	test_two_editors();
	test_candidates();
	test_candidate_limits();
	CHECK_INT(life_end(), 0);
	return test_end();
}
