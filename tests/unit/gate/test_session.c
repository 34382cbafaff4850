/*
 * People through the control socket, with real users and groups: every role against every verb, sessions and their limits,
 * lines that become records, configuration mode and its time, deputies. The kernel and the one-shots are stood in for.
 */
#include "life.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/jail.h>

#define MINUTE 60000
#define SATO 1001
#define SUZUKI 1002

/* -- What logd was told ------------------------------------------------------------------------------------ */

static struct {
	unsigned works, refused, logins[MSG_LOGIN_LOST + 1];
	struct msg_work work;	/* the last */
	struct msg_login login; /* the last */
	struct msg_generation generation;
} told;

static void listen_to_gate(void)
{
	struct msg m;

	while (msg_recv(logd_end, &m) == 1) {
		if (m.type == MSG_WORK) {
			told.works++;
			told.refused += m.u.msg_work.kind == MSG_WORK_REQUEST && m.u.msg_work.result == MSG_WORK_REFUSED;
			told.work = m.u.msg_work;
		}
		if (m.type == MSG_LOGIN) {
			told.logins[m.u.msg_login.event]++;
			told.login = m.u.msg_login;
		}
		if (m.type == MSG_GENERATION)
			told.generation = m.u.msg_generation;
		msg_close_fds(&m);
	}
}

static void forget(void)
{
	run_ms(250);
	listen_to_gate();
	memset(&told, 0, sizeof(told));
}

static void accounts(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/etc", root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/etc/passwd", root);
	FILE *f = fopen(path, "w");
	CHECK(f != NULL);
	fputs("root:x:0:0::/:/bin/sh\nsato:x:1001:100::/:/bin/sh\nsuzuki:x:1002:100::/:/bin/sh\n", f);
	fclose(f);
}

/* A machine with one generation in force. */
static void town(void)
{
	machine();
	accounts();
	CHECK(commit_text("set one").ok);
	logd_says(true);
	forget();
}

/* -- Every role against every verb ------------------------------------------------------------------------- */

static const struct {
	gid_t group;
	enum msg_role role;
} roles[] = {
	{JAIL_GID_CONTROL, MSG_ROLE_VIEWER},
	{JAIL_GID_VIEWER, MSG_ROLE_VIEWER},
	{JAIL_GID_AUDITOR, MSG_ROLE_AUDITOR},
	{JAIL_GID_OPERATOR, MSG_ROLE_OPERATOR},
	{JAIL_GID_ADMINISTRATOR, MSG_ROLE_ADMINISTRATOR},
	{JAIL_GID_MAINTENANCE, MSG_ROLE_MAINTENANCE},
};

static const uint32_t verbs[] = {
#define X(NAME, value, word) MSG_VERB_##NAME,
	MSG_VERBS(X)
#undef X
};
#define N(array) (sizeof(array) / sizeof((array)[0]))

static void one_pair(uint32_t verb, gid_t group, enum msg_role role)
{
	const struct msg_request q = {.verb = verb, .argument = 1, .who = "sato", .why = "test"};
	bool file = verb == MSG_VERB_COMMIT || verb == MSG_VERB_CANDIDATE_PUT;
	int fd = client_as(SATO, group), text = file ? text_file("set two") : -1;
	bool allowed = (roles_allowed(verb) >> role & 1) != 0;
	struct msg m = {0};

	ask(fd, &q, text);
	if (verb == MSG_VERB_FREEZE && allowed) { /* it waits for the recorder's part */
		const struct msg_evidence_done done = {.ok = 1};
		run_ms(0);
		CHECK_INT(msg_send(logd_end, MSG_EVIDENCE_DONE, gate.freeze.pending.it.number, &done, NULL, 0), 0);
	}
	enum msg_type got = answer_of(fd, &m);
	if (got == 0)
		printf("no answer to %s of role %s\n", roles_verb(verb), roles_word(role));
	CHECK(got != 0);
	CHECK_INT(got == MSG_REFUSED, !allowed);
	if (got == MSG_REFUSED) {
		CHECK_INT(m.u.msg_refused.verb, verb);
		CHECK_INT(m.u.msg_refused.role, role);
		CHECK_INT(m.u.msg_refused.allowed, roles_allowed(verb));
		CHECK_STR(m.u.msg_refused.account, "sato");
	}
	msg_close_fds(&m);
	close(fd);
	if (text >= 0)
		close(text);
}

static void test_every_role_every_verb(void)
{
	town();
	for (size_t r = 0; r < N(roles); r++) {
		for (size_t v = 0; v < N(verbs); v++) {
			uint32_t before = gate.running;
			one_pair(verbs[v], roles[r].group, roles[r].role);
			/* Whoever is no administrator leaves everything as it was. */
			if (roles[r].role != MSG_ROLE_ADMINISTRATOR)
				CHECK_INT(gate.running, before);
			listen_to_gate();
		}
	}
	CHECK(told.refused > 0); /* some are counted only: see below */
	death();
}

/* A refusal is recorded with who it was; the next ones of the same person within ten seconds are counted. */
static void test_refusals(void)
{
	const struct msg_request commit = {.verb = MSG_VERB_ROLLBACK, .argument = 1, .who = "me", .why = "because"};
	const struct msg_request session = {.verb = MSG_VERB_SESSION, .why = "ttyS0"};
	struct msg m = {0};

	town();
	int fd = client_as(SATO, JAIL_GID_VIEWER);
	ask(fd, &commit, -1);
	CHECK_INT(answer_of(fd, &m), MSG_REFUSED);
	listen_to_gate();
	CHECK(told.refused == 1 && told.work.uid == SATO && told.work.role == MSG_ROLE_VIEWER);
	CHECK_STR(told.work.account, "sato");
	CHECK_STR(told.work.text, "rollback 1: because");
	for (int i = 0; i < 5; i++) {
		ask(fd, &commit, -1);
		CHECK_INT(answer_of(fd, &m), MSG_REFUSED);
	}
	listen_to_gate();
	CHECK_INT(told.refused, 1);
	run_ms(11000);
	ask(fd, &commit, -1);
	CHECK_INT(answer_of(fd, &m), MSG_REFUSED);
	listen_to_gate();
	CHECK_INT(told.refused, 2);
	/* He is told when he comes the next time. */
	ask(fd, &session, -1);
	CHECK_INT(answer_of(fd, &m), MSG_SESSION);
	CHECK(m.u.msg_session.refused == 7 && m.u.msg_session.last_refused != 0 && m.u.msg_session.last_login == 0);
	close(fd);
	/* Somebody without a role gets no word at all, and one record. */
	forget();
	for (int i = 0; i < 3; i++) {
		fd = client_as(SUZUKI, 100);
		run_ms(250);
		CHECK_INT(msg_recv(fd, &m), 0);
		close(fd);
	}
	listen_to_gate();
	CHECK(told.logins[MSG_LOGIN_REFUSED] == 1 && told.login.uid == SUZUKI);
	CHECK_STR(told.login.account, "suzuki");
	death();
}

/* What changes something is recorded with its result, and the generation knows the account. */
static void test_deeds(void)
{
	struct msg_request q = {.verb = MSG_VERB_COMMIT, .who = "佐藤", .why = "追加", .approval = "R8-1"};
	struct msg m = {0};

	town();
	int file = text_file("set two");
	int fd = client_as(SATO, JAIL_GID_ADMINISTRATOR);
	ask(fd, &q, file);
	CHECK(answer_of(fd, &m) == MSG_COMMITTED && m.u.msg_committed.ok);
	msg_close_fds(&m);
	run_ms(1000);
	listen_to_gate();
	CHECK(told.works == 1 && told.work.result == MSG_WORK_DONE && told.work.kind == MSG_WORK_REQUEST);
	CHECK_STR(told.work.text, "commit: 追加 [R8-1]");
	CHECK_STR(told.work.who, "佐藤");
	CHECK(told.generation.number == 2 && told.generation.uid == SATO);
	CHECK_STR(told.generation.account, "sato");
	world.errors = 1;
	ask(fd, &q, file);
	CHECK(answer_of(fd, &m) == MSG_COMMITTED && !m.u.msg_committed.ok);
	msg_close_fds(&m);
	listen_to_gate();
	CHECK(told.works == 2 && told.work.result == MSG_WORK_FAILED);
	/* Looking is no deed. */
	q = (struct msg_request){.verb = MSG_VERB_HISTORY};
	ask(fd, &q, -1);
	CHECK_INT(answer_of(fd, &m), MSG_HISTORY);
	listen_to_gate();
	CHECK_INT(told.works, 2);
	close(file);
	close(fd);
	death();
}

/* -- Sessions ---------------------------------------------------------------------------------------------- */

/* A session of this user; -1 when there was no place. ret may be NULL. */
static int session_as(uid_t uid, gid_t group, struct msg_session *ret)
{
	const struct msg_request q = {.verb = MSG_VERB_SESSION, .why = "ttyS0", .language = "en"};
	int fd = client_as(uid, group);
	struct msg m = {0};

	ask(fd, &q, -1);
	enum msg_type got = answer_of(fd, &m);
	if (got == MSG_SESSION) {
		if (ret != NULL)
			*ret = m.u.msg_session;
		return fd;
	}
	CHECK(got == MSG_OPENED && !m.u.msg_opened.ok);
	close(fd);
	return -1;
}

static struct msg_sessions sessions(void)
{
	const struct msg_request q = {.verb = MSG_VERB_SESSIONS};
	struct msg m = {0};
	int fd = client();

	ask(fd, &q, -1);
	CHECK_INT(answer_of(fd, &m), MSG_SESSIONS);
	close(fd);
	return m.u.msg_sessions;
}

static bool is_closed(int fd)
{
	struct msg m;

	return msg_recv(fd, &m) == 0;
}

static void test_life_of_a_session(void)
{
	struct msg_session s;

	town();
	int fd = session_as(SATO, JAIL_GID_OPERATOR, &s);
	CHECK(s.me.id == 1 && s.me.uid == SATO && s.me.role == MSG_ROLE_OPERATOR && s.sessions == 1);
	CHECK(s.last_login == 0 && s.idle_seconds == 0 && s.me.configure_until == 0);
	CHECK_STR(s.me.account, "sato");
	CHECK_STR(s.me.terminal, "ttyS0");
	listen_to_gate();
	CHECK(told.logins[MSG_LOGIN_BEGIN] == 1 && told.login.session == 1);
	CHECK_STR(told.login.terminal, "ttyS0");
	struct msg_sessions all = sessions();
	CHECK(all.n == 1 && all.session[0].id == 1 && status().sessions == 1);
	/* A connection of requests ends after a minute, a session does not. */
	int other = client_as(SATO, JAIL_GID_OPERATOR);
	run_ms(2 * MINUTE);
	CHECK(is_closed(other) && !is_closed(fd));
	close(other);
	close(fd);
	run_ms(500);
	listen_to_gate();
	CHECK(told.logins[MSG_LOGIN_END] == 1 && told.login.seconds >= 120 && told.login.session == 1);
	CHECK_INT(sessions().n, 0);
	fd = session_as(SATO, JAIL_GID_OPERATOR, &s);
	CHECK(s.me.id == 2 && s.last_login != 0 && s.refused == 0);
	CHECK_STR(s.last_terminal, "ttyS0");
	/* sekishod dies: the session is over, and the next life says so. */
	close(fd);
	death();
	life();
	run_ms(1500);
	listen_to_gate();
	CHECK(told.logins[MSG_LOGIN_LOST] == 1 && told.login.session == 2);
	fd = session_as(SATO, JAIL_GID_OPERATOR, &s);
	CHECK_INT(s.me.id, 3);
	close(fd);
	death();
}

static void test_idle(void)
{
	const struct msg_command line = {.text = "show status"};
	struct msg m = {0};

	town();
	world.idle = 5;
	CHECK(commit_text("set two").ok);
	struct msg_session s;
	int fd = session_as(SATO, JAIL_GID_VIEWER, &s);
	CHECK_INT(s.idle_seconds, 300);
	run_ms(4 * MINUTE);
	CHECK_INT(msg_send(fd, MSG_COMMAND, 77, &line, NULL, 0), 0);
	CHECK_INT(answer_of(fd, &m), MSG_OPENED);
	run_ms(4 * MINUTE);
	CHECK(!is_closed(fd));
	run_ms(2 * MINUTE);
	CHECK(is_closed(fd));
	listen_to_gate(); /* the counters of minutes are before it */
	run_ms(1000);
	listen_to_gate();
	CHECK_INT(told.logins[MSG_LOGIN_IDLE], 1);
	close(fd);
	death();
}

static void test_places(void)
{
	int fds[MSG_SESSIONS_MAX + 1], n = 0;

	town();
	/* Of one person, then of all that are no administrators. */
	for (int i = 0; i < SESSIONS_EACH; i++)
		CHECK((fds[n++] = session_as(SATO, JAIL_GID_VIEWER, NULL)) >= 0);
	CHECK(session_as(SATO, JAIL_GID_VIEWER, NULL) < 0);
	for (uid_t uid = 2000; n < SESSIONS_OTHERS; uid++)
		CHECK((fds[n++] = session_as(uid, JAIL_GID_OPERATOR, NULL)) >= 0);
	CHECK(session_as(3000, JAIL_GID_AUDITOR, NULL) < 0);
	/* Administrators have places left; then root alone finds one, and the idlest session goes. */
	for (uid_t uid = 4000; n < MSG_SESSIONS_MAX; uid++)
		CHECK((fds[n++] = session_as(uid, JAIL_GID_ADMINISTRATOR, NULL)) >= 0);
	CHECK(session_as(5000, JAIL_GID_ADMINISTRATOR, NULL) < 0);
	CHECK((fds[n++] = session_as(0, 0, NULL)) >= 0);
	CHECK(is_closed(fds[0]) && !is_closed(fds[1]));
	CHECK_INT(sessions().n, MSG_SESSIONS_MAX);
	listen_to_gate();
	CHECK(told.logins[MSG_LOGIN_REFUSED] == 3 && told.logins[MSG_LOGIN_IDLE] == 1);
	while (n > 0)
		close(fds[--n]);
	death();
}

/* Viewers who open connections by the hundred keep nobody out. */
static void test_exhaustion(void)
{
	const struct msg_request q = {.verb = MSG_VERB_HISTORY};
	int fds[120];
	struct msg m = {0};

	town();
	world.silent = true; /* a proof never ends: whoever asks for one waits */
	for (int i = 0; i < 120; i++) {
		const struct msg_request prove = {.verb = MSG_VERB_PROVE};
		fds[i] = client_as(2000 + (uid_t)(i / 30), JAIL_GID_OPERATOR);
		ask(fds[i], &prove, -1);
		run_ms(250);
	}
	int fd = client_as(SATO, JAIL_GID_ADMINISTRATOR);
	ask(fd, &q, -1);
	CHECK_INT(answer_of(fd, &m), MSG_HISTORY);
	close(fd);
	fd = session_as(SATO, JAIL_GID_ADMINISTRATOR, NULL);
	CHECK(fd >= 0);
	close(fd);
	for (int i = 0; i < 120; i++)
		close(fds[i]);
	death();
}

/* -- Lines ------------------------------------------------------------------------------------------------- */

/* A thousand lines pasted while the recorder takes none: the shell waits, and none is lost. */
static void test_lines(void)
{
	struct msg_command line = {.result = 3};
	struct msg m = {0};
	int answered = 0, held = 0;

	town();
	int fd = session_as(SATO, JAIL_GID_MAINTENANCE, NULL);
	forget();
	for (int i = 0; i < 1000; i++) {
		char text[64];
		snprintf(text, sizeof(text), "set host h%d segment lgwan", i);
		MSG_TEXT(line.text, text);
		CHECK_INT(msg_send(fd, MSG_COMMAND, 77, &line, NULL, 0), 0);
		run_ms(0);
		if (msg_recv(fd, &m) != 1) {
			held++;
			listen_to_gate(); /* the recorder goes on */
			CHECK_INT(answer_of(fd, &m), MSG_OPENED);
		}
		answered++;
	}
	run_ms(2000);
	listen_to_gate();
	CHECK(answered == 1000 && held > 0 && held < 100);
	CHECK_INT(told.works, 1000);
	CHECK_STR(told.work.text, "set host h999 segment lgwan");
	CHECK(told.work.kind == MSG_WORK_LINE && told.work.result == 3 && told.work.session == 1);
	CHECK_INT(told.work.role, MSG_ROLE_MAINTENANCE);
	/* Only a session has lines. */
	int other = client_as(SATO, JAIL_GID_ADMINISTRATOR);
	CHECK_INT(msg_send(other, MSG_COMMAND, 77, &line, NULL, 0), 0);
	run_ms(500);
	CHECK(is_closed(other));
	close(other);
	close(fd);
	death();
}

/* -- Configuration mode ------------------------------------------------------------------------------------ */

static enum msg_type word(int fd, uint32_t verb, uint32_t argument, const char *why, struct msg *ret)
{
	struct msg_request q = {.verb = verb, .argument = argument, .language = "en"};

	MSG_TEXT(q.why, why);
	ask(fd, &q, -1);
	return answer_of(fd, ret);
}

/* On a connection of its own, as the shell's commands are. */
static struct msg_committed commit_as(uid_t uid, gid_t group)
{
	struct msg_request q = {.verb = MSG_VERB_COMMIT, .who = "a", .why = "b", .language = "en"};
	int fd = client_as(uid, group), file = text_file("set x");
	struct msg m = {0};

	ask(fd, &q, file);
	CHECK_INT(answer_of(fd, &m), MSG_COMMITTED);
	msg_close_fds(&m);
	close(fd);
	close(file);
	return m.u.msg_committed;
}

static void test_configuration_mode(void)
{
	struct msg m = {0};

	town();
	world.configure = 10;
	CHECK(commit_text("set two").ok);
	int fd = session_as(SATO, JAIL_GID_ADMINISTRATOR, NULL);
	CHECK(word(fd, MSG_VERB_EXTEND, 0, "more", &m) == MSG_OPENED && !m.u.msg_opened.ok);
	CHECK_INT(word(fd, MSG_VERB_CONFIGURE, 1, "", &m), MSG_SESSION);
	CHECK_INT(m.u.msg_session.configure_seconds, 600);
	CHECK(m.u.msg_session.me.configure_until > wall.sec + 500 && m.u.msg_session.me.configure_until <= wall.sec + 600);
	CHECK(commit_as(SATO, JAIL_GID_ADMINISTRATOR).ok);
	run_ms(11 * MINUTE);
	struct msg_committed c = commit_as(SATO, JAIL_GID_ADMINISTRATOR);
	CHECK(!c.ok && strstr(c.error, "time of configuration mode is over") != NULL);
	CHECK(commit_as(SUZUKI, JAIL_GID_ADMINISTRATOR).ok); /* nobody else's matter */
	/* Entering once more is no extension; a reason is asked for, and recorded. */
	CHECK_INT(word(fd, MSG_VERB_CONFIGURE, 1, "", &m), MSG_SESSION);
	CHECK(!commit_as(SATO, JAIL_GID_ADMINISTRATOR).ok);
	CHECK(word(fd, MSG_VERB_EXTEND, 0, "", &m) == MSG_OPENED && !m.u.msg_opened.ok);
	forget();
	CHECK_INT(word(fd, MSG_VERB_EXTEND, 0, "vendor is late", &m), MSG_SESSION);
	listen_to_gate();
	CHECK_STR(told.work.text, "extend: vendor is late");
	CHECK(commit_as(SATO, JAIL_GID_ADMINISTRATOR).ok);
	run_ms(11 * MINUTE);
	CHECK_INT(word(fd, MSG_VERB_CONFIGURE, 0, "", &m), MSG_SESSION);
	CHECK_INT(m.u.msg_session.me.configure_until, 0);
	CHECK(commit_as(SATO, JAIL_GID_ADMINISTRATOR).ok);
	close(fd);
	/* It is a session's. */
	fd = client_as(SATO, JAIL_GID_ADMINISTRATOR);
	CHECK(word(fd, MSG_VERB_CONFIGURE, 1, "", &m) == MSG_OPENED && !m.u.msg_opened.ok);
	close(fd);
	death();
}

/* -- Deputies ---------------------------------------------------------------------------------------------- */

static bool may_commit(uid_t uid, gid_t group)
{
	const struct msg_request q = {.verb = MSG_VERB_ROLLBACK, .argument = 1, .who = "a", .why = "b"};
	int fd = client_as(uid, group);
	struct msg m = {0};

	ask(fd, &q, -1);
	enum msg_type got = answer_of(fd, &m);
	CHECK(got == MSG_COMMITTED || got == MSG_REFUSED);
	msg_close_fds(&m);
	close(fd);
	return got == MSG_COMMITTED;
}

static void test_deputies(void)
{
	town();
	CHECK(!may_commit(SATO, JAIL_GID_OPERATOR));
	world.deputy = "sato";
	CHECK(commit_text("set deputy").ok);
	CHECK(may_commit(SATO, JAIL_GID_OPERATOR));
	forget();
	CHECK(may_commit(SATO, JAIL_GID_VIEWER));
	listen_to_gate();
	CHECK_INT(told.work.role, MSG_ROLE_ADMINISTRATOR); /* as what he did it */
	CHECK(!may_commit(SUZUKI, JAIL_GID_OPERATOR));
	CHECK(!may_commit(SATO, JAIL_GID_MAINTENANCE) && !may_commit(SATO, JAIL_GID_AUDITOR));
	/* His day is over, in the middle of a session too. */
	int fd = session_as(SATO, JAIL_GID_OPERATOR, NULL);
	CHECK_INT(sessions().session[0].role, MSG_ROLE_ADMINISTRATOR);
	wall.sec += 3600;
	run_ms(1000);
	CHECK_INT(sessions().session[0].role, MSG_ROLE_OPERATOR);
	CHECK(!may_commit(SATO, JAIL_GID_OPERATOR));
	close(fd);
	death();
	/* A clock that is not believed gives nobody a role. */
	town();
	world.deputy = "sato";
	CHECK(commit_text("set deputy").ok && may_commit(SATO, JAIL_GID_OPERATOR));
	wall.sec = NOW + 60;
	gate.committed_at = NOW + 86400;
	run_ms(1500);
	CHECK(!gate.clock_trusted && !may_commit(SATO, JAIL_GID_OPERATOR));
	death();
}

/* What people have is damaged on the disk: nothing is remembered, and nothing fails. */
static void test_damage(void)
{
	struct msg_session s;

	town();
	close(session_as(SATO, JAIL_GID_VIEWER, &s));
	run_ms(500);
	int fd = openat(gate.store.dir, "people", O_WRONLY);
	CHECK(pwrite(fd, "xxxx", 4, 100) == 4);
	close(fd);
	death();
	life();
	run_ms(1000);
	close(session_as(SATO, JAIL_GID_VIEWER, &s));
	CHECK(s.last_login == 0 && s.me.id == 1);
	death();
}

int main(void)
{
	if (!life_begin())
		return 77;
	test_every_role_every_verb();
	test_refusals();
	test_deeds();
	test_life_of_a_session();
	test_idle();
	test_places();
	test_exhaustion();
	test_lines();
	test_configuration_mode();
	test_deputies();
	test_damage();
	CHECK_INT(life_end(), 0);
	return test_end();
}
