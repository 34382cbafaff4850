/*
 * test_roles.c: every role against every verb, and what no group can give. The expected table is written out here a second
 * time, verb by verb: a verb that msg.h has and this table has not is a failure.
 */
#include "roles.h"

#include <string.h>

#include <sekisho/jail.h>

#include "test.h"

/* One letter a role that may: v(iewer) a(uditor) o(perator) A(dministrator) m(aintenance). */
static const struct {
	uint32_t verb;
	const char *who;
	bool changes;
} expected[] = {
	{MSG_VERB_STATUS, "vaoAm", false},
	{MSG_VERB_COMMIT, "A", true},
	{MSG_VERB_LOG, "vaoAm", false},
	{MSG_VERB_RUNNING, "vaoAm", false},
	{MSG_VERB_PROVE, "aoAm", true},
	{MSG_VERB_MAIL, "vaoAm", false},
	{MSG_VERB_RESUME, "oA", true},
	{MSG_VERB_TLS, "vaoAm", false},
	{MSG_VERB_SESSION, "vaoAm", false},
	{MSG_VERB_SESSIONS, "vaoAm", false},
	{MSG_VERB_CONFIGURE, "Am", true},
	{MSG_VERB_EXTEND, "Am", true},
	{MSG_VERB_RECORD, "oA", true},
	{MSG_VERB_APPROVE, "oA", true},
	{MSG_VERB_CANDIDATE_GET, "aAm", false},
	{MSG_VERB_CANDIDATE_PUT, "Am", false},
	{MSG_VERB_CANDIDATE_LIST, "aoAm", false},
	{MSG_VERB_CANDIDATE_DISCARD, "Am", true},
	{MSG_VERB_ALARM_TEST, "oA", true},
	{MSG_VERB_HISTORY, "vaoAm", false},
	{MSG_VERB_GENERATION, "vaoAm", false},
	{MSG_VERB_CONFIRM, "A", true},
	{MSG_VERB_ROLLBACK, "A", true},
	{MSG_VERB_FLOWS, "vaoAm", false},
	{MSG_VERB_POLICY, "vaoAm", false},
	{MSG_VERB_ACCOUNTS, "aA", false},
	{MSG_VERB_HOST, "A", true},
	{MSG_VERB_PASSWORD, "vaoAm", true},
	{MSG_VERB_CUT, "oA", true},
	{MSG_VERB_CUTS, "vaoAm", false},
	{MSG_VERB_RESTORE, "oA", true},
	{MSG_VERB_LEVEL, "oA", true},
	{MSG_VERB_DRILL, "oA", true},
	{MSG_VERB_FREEZE, "oA", true},
	{MSG_VERB_FREEZES, "aoA", false},
	{MSG_VERB_RELEASE, "A", true},
	{MSG_VERB_FREEZE_FILE, "aA", false},
};

static const uint32_t verbs[] = {
#define X(NAME, value, word) MSG_VERB_##NAME,
	MSG_VERBS(X)
#undef X
};
#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	char letter;
	enum msg_role role;
	gid_t group;
} roles[] = {
	{'v', MSG_ROLE_VIEWER, JAIL_GID_VIEWER},
	{'a', MSG_ROLE_AUDITOR, JAIL_GID_AUDITOR},
	{'o', MSG_ROLE_OPERATOR, JAIL_GID_OPERATOR},
	{'A', MSG_ROLE_ADMINISTRATOR, JAIL_GID_ADMINISTRATOR},
	{'m', MSG_ROLE_MAINTENANCE, JAIL_GID_MAINTENANCE},
};

static bool may(uint32_t verb, uint32_t set)
{
	return (roles_allowed(verb) & set) != 0;
}

static void test_every_role_every_verb(void)
{
	for (size_t v = 0; v < N(verbs); v++) {
		size_t row = 0;
		while (row < N(expected) && expected[row].verb != verbs[v])
			row++;
		CHECK(row < N(expected)); /* a new verb: say here who may */
		if (row == N(expected))
			continue;
		CHECK(roles_allowed(verbs[v]) != 0);
		CHECK(roles_changes(verbs[v]) == expected[row].changes);
		for (size_t r = 0; r < N(roles); r++) {
			gid_t groups[2] = {JAIL_GID_CONTROL, roles[r].group};
			bool want = strchr(expected[row].who, roles[r].letter) != NULL;
			CHECK_INT(may(verbs[v], roles_of(1000, groups, 2)), want);
		}
		CHECK(may(verbs[v], roles_of(0, NULL, 0)) == (strchr(expected[row].who, 'A') != NULL));
		CHECK(strcmp(roles_verb(verbs[v]), "?") != 0);
	}
	CHECK_INT(N(verbs), N(expected));
}

/* Numbers that are no verb are nobody's. */
static void test_no_verb(void)
{
	for (uint32_t v = 0; v < 2 * MSG_VERB_END; v++) {
		bool known = false;
		for (size_t i = 0; i < N(verbs); i++)
			known |= verbs[i] == v;
		CHECK(known || roles_allowed(v) == 0);
		CHECK(known || !roles_changes(v));
	}
	CHECK_INT(roles_allowed(UINT32_MAX), 0);
}

static void test_groups(void)
{
	const gid_t control[] = {JAIL_GID_CONTROL}, stranger[] = {100, 27, 0};
	const gid_t both[] = {JAIL_GID_ADMINISTRATOR, JAIL_GID_MAINTENANCE, JAIL_GID_OPERATOR};
	const gid_t auditing[] = {JAIL_GID_OPERATOR, JAIL_GID_AUDITOR, JAIL_GID_ADMINISTRATOR};
	const gid_t two[] = {JAIL_GID_VIEWER, JAIL_GID_OPERATOR};

	CHECK_INT(roles_of(1000, control, 1), ROLE(VIEWER));
	CHECK_INT(roles_of(1000, stranger, 3), 0);
	CHECK_INT(roles_of(1000, NULL, 0), 0);
	CHECK_INT(roles_of(1000, both, 3), ROLE(MAINTENANCE));
	CHECK_INT(roles_of(1000, auditing, 3), ROLE(AUDITOR));
	CHECK_INT(roles_of(1000, two, 2), ROLE(VIEWER) | ROLE(OPERATOR));
	CHECK_INT(roles_of(0, both, 3), ROLE(ADMINISTRATOR));
}

/* A vendor touches no record, no evidence, no policy in force; an auditor changes nothing at all. */
static void test_structure(void)
{
	for (size_t i = 0; i < N(verbs); i++) {
		uint32_t v = verbs[i];
		bool prepares = v == MSG_VERB_CONFIGURE || v == MSG_VERB_EXTEND || v == MSG_VERB_CANDIDATE_DISCARD ||
			v == MSG_VERB_PROVE;
		if (roles_changes(v) && v != MSG_VERB_PASSWORD) { /* which is one's own */
			CHECK(!may(v, ROLE(MAINTENANCE)) || prepares);
			CHECK(!may(v, ROLE(AUDITOR)) || v == MSG_VERB_PROVE);
			CHECK(!may(v, ROLE(VIEWER)));
		}
		CHECK((roles_rights(v, ROLE(MAINTENANCE)) & ~(uint32_t)MSG_RIGHT_READ) == 0);
		CHECK((roles_rights(v, ROLE(AUDITOR)) & (MSG_RIGHT_APPROVE | MSG_RIGHT_RECORD)) == 0);
		CHECK((roles_rights(v, ROLE(VIEWER)) & (MSG_RIGHT_APPROVE | MSG_RIGHT_RECORD)) == 0);
		CHECK_INT(roles_rights(v, 0), 0);
	}
	CHECK_INT(roles_rights(MSG_VERB_LOG, ROLE(AUDITOR)), MSG_RIGHT_READ | MSG_RIGHT_MAIL);
	CHECK_INT(roles_rights(MSG_VERB_RECORD, ROLE(OPERATOR)), MSG_RIGHT_RECORD);
	CHECK_INT(roles_rights(MSG_VERB_APPROVE, ROLE(ADMINISTRATOR)), MSG_RIGHT_APPROVE);
}

static void test_deputies(void)
{
	CHECK_INT(roles_add(ROLE(OPERATOR), MSG_ROLE_ADMINISTRATOR), ROLE(OPERATOR) | ROLE(ADMINISTRATOR));
	CHECK_INT(roles_add(ROLE(VIEWER), MSG_ROLE_OPERATOR), ROLE(VIEWER) | ROLE(OPERATOR));
	CHECK_INT(roles_add(ROLE(MAINTENANCE), MSG_ROLE_ADMINISTRATOR), ROLE(MAINTENANCE));
	CHECK_INT(roles_add(ROLE(AUDITOR), MSG_ROLE_ADMINISTRATOR), ROLE(AUDITOR));
	CHECK_INT(roles_add(0, MSG_ROLE_ADMINISTRATOR), 0); /* who may not even ask gains nothing */
	CHECK_INT(roles_add(ROLE(VIEWER), MSG_ROLE_MAINTENANCE), ROLE(VIEWER));
	CHECK_INT(roles_add(ROLE(VIEWER), MSG_ROLE_AUDITOR), ROLE(VIEWER));
	CHECK_INT(roles_add(ROLE(VIEWER), MSG_ROLE_END), ROLE(VIEWER));
}

static void test_words(void)
{
	CHECK_STR(roles_word(roles_first(ROLE(VIEWER) | ROLE(ADMINISTRATOR))), "administrator");
	CHECK_STR(roles_word(roles_first(0)), "none");
	CHECK_STR(roles_word(MSG_ROLE_END), "none");
	CHECK_STR(roles_verb(0), "?");
}

int main(void)
{
	test_every_role_every_verb();
	test_no_verb();
	test_groups();
	test_structure();
	test_deputies();
	test_words();
	return test_end();
}
