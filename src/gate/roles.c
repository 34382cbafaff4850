/*
 * roles.c: verb -> roles that may (see roles.h).
 *
 * Rules that hold whatever the groups say: a maintainer (of a vendor) is nothing else, so that no slip of an administrator
 * who adds a group lets him near commits, records or evidence; an auditor is nothing else, since who audits changes
 * nothing. Root is the administrator.
 *
 * To add a verb: its row in MSG_VERBS (msg.h) and its row here; a test fails for a verb without one.
 */
#include "roles.h"

#include <sekisho/jail.h>

#define VIEWER ROLE(VIEWER)
#define AUDITOR ROLE(AUDITOR)
#define OPERATOR ROLE(OPERATOR)
#define ADMINISTRATOR ROLE(ADMINISTRATOR)
#define MAINTENANCE ROLE(MAINTENANCE)
#define ALL (VIEWER | AUDITOR | OPERATOR | ADMINISTRATOR | MAINTENANCE)
/* Who acts on what runs, without changing what is configured. */
#define ACTING (OPERATOR | ADMINISTRATOR)
/* Who prepares a configuration; only an administrator puts it in force. */
#define PREPARING (ADMINISTRATOR | MAINTENANCE)

enum { LOOKS, CHANGES };

static const struct row {
	uint32_t roles;
	unsigned what; /* CHANGES: it is recorded who did it */
} rows[MSG_VERB_END] = {
	[MSG_VERB_STATUS] = {ALL, LOOKS},
	[MSG_VERB_LOG] = {ALL, LOOKS},
	[MSG_VERB_RUNNING] = {ALL, LOOKS},
	[MSG_VERB_PROVE] = {ALL & ~VIEWER, CHANGES},
	[MSG_VERB_MAIL] = {ALL, LOOKS},
	[MSG_VERB_RESUME] = {ACTING, CHANGES},
	[MSG_VERB_TLS] = {ALL, LOOKS},
	[MSG_VERB_APPROVE] = {ACTING, CHANGES},
	[MSG_VERB_RECORD] = {ACTING, CHANGES},
	[MSG_VERB_SESSION] = {ALL, LOOKS}, /* a record of its own */
	[MSG_VERB_SESSIONS] = {ALL, LOOKS},
	[MSG_VERB_CONFIGURE] = {PREPARING, CHANGES},
	[MSG_VERB_EXTEND] = {PREPARING, CHANGES},
	[MSG_VERB_CANDIDATE_GET] = {PREPARING | AUDITOR, LOOKS},
	[MSG_VERB_CANDIDATE_PUT] = {PREPARING, LOOKS}, /* each line of the editor is one already */
	[MSG_VERB_CANDIDATE_LIST] = {PREPARING | AUDITOR | OPERATOR, LOOKS},
	[MSG_VERB_CANDIDATE_DISCARD] = {PREPARING, CHANGES},
	[MSG_VERB_HISTORY] = {ALL, LOOKS},
	[MSG_VERB_GENERATION] = {ALL, LOOKS},
	[MSG_VERB_COMMIT] = {ADMINISTRATOR, CHANGES},
	[MSG_VERB_CONFIRM] = {ADMINISTRATOR, CHANGES},
	[MSG_VERB_ROLLBACK] = {ADMINISTRATOR, CHANGES},
	[MSG_VERB_FLOWS] = {ALL, LOOKS},
	[MSG_VERB_POLICY] = {ALL, LOOKS},
	[MSG_VERB_ACCOUNTS] = {ADMINISTRATOR | AUDITOR, LOOKS},
	[MSG_VERB_HOST] = {ADMINISTRATOR, CHANGES},
	[MSG_VERB_PASSWORD] = {ALL, CHANGES}, /* his own */
	[MSG_VERB_ALARM_TEST] = {ACTING, CHANGES},
	[MSG_VERB_CUT] = {ACTING, CHANGES},
	[MSG_VERB_CUTS] = {ALL, LOOKS},
	[MSG_VERB_RESTORE] = {ACTING, CHANGES}, /* an operator what somebody else has cut: act.c */
	[MSG_VERB_LEVEL] = {ACTING, CHANGES},	/* down again: the same */
	[MSG_VERB_DRILL] = {ACTING, CHANGES},
	[MSG_VERB_FREEZE] = {ACTING, CHANGES},
	[MSG_VERB_FREEZES] = {ACTING | AUDITOR, LOOKS},
	[MSG_VERB_RELEASE] = {ADMINISTRATOR, CHANGES},
	[MSG_VERB_FREEZE_FILE] = {ADMINISTRATOR | AUDITOR, LOOKS}, /* it has a record of its own */
};

static uint32_t role_of_group(gid_t group)
{
	switch (group) {
	case JAIL_GID_CONTROL:
	case JAIL_GID_VIEWER:
		return VIEWER;
	case JAIL_GID_AUDITOR:
		return AUDITOR;
	case JAIL_GID_OPERATOR:
		return OPERATOR;
	case JAIL_GID_ADMINISTRATOR:
		return ADMINISTRATOR;
	case JAIL_GID_MAINTENANCE:
		return MAINTENANCE;
	default:
		return 0;
	}
}

uint32_t roles_of(uid_t uid, const gid_t *groups, size_t n)
{
	uint32_t roles = 0;

	if (uid == 0)
		return ADMINISTRATOR;
	for (size_t i = 0; i < n; i++)
		roles |= role_of_group(groups[i]);
	if ((roles & MAINTENANCE) != 0)
		return MAINTENANCE;
	return (roles & AUDITOR) != 0 ? AUDITOR : roles;
}

uint32_t roles_add(uint32_t roles, enum msg_role deputy)
{
	bool may = deputy == MSG_ROLE_VIEWER || deputy == MSG_ROLE_OPERATOR || deputy == MSG_ROLE_ADMINISTRATOR;

	if (roles == 0 || (roles & (MAINTENANCE | AUDITOR)) != 0 || !may)
		return roles;
	return roles | UINT32_C(1) << deputy;
}

uint32_t roles_allowed(uint32_t verb)
{
	return verb < MSG_VERB_END ? rows[verb].roles : 0;
}

bool roles_changes(uint32_t verb)
{
	return verb < MSG_VERB_END && rows[verb].what == CHANGES;
}

uint32_t roles_rights(uint32_t verb, uint32_t roles)
{
	if ((roles_allowed(verb) & roles) == 0)
		return 0;
	if (verb == MSG_VERB_APPROVE)
		return MSG_RIGHT_APPROVE;
	if (verb == MSG_VERB_RECORD)
		return MSG_RIGHT_RECORD;
	/* Who writes to whom is no business of a vendor. */
	return verb != MSG_VERB_LOG ? 0 : roles == MAINTENANCE ? MSG_RIGHT_READ : MSG_RIGHT_READ | MSG_RIGHT_MAIL;
}

enum msg_role roles_first(uint32_t roles)
{
	static const enum msg_role order[] = {MSG_ROLE_ADMINISTRATOR, MSG_ROLE_OPERATOR, MSG_ROLE_AUDITOR,
		MSG_ROLE_MAINTENANCE, MSG_ROLE_VIEWER};

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if ((roles & UINT32_C(1) << order[i]) != 0)
			return order[i];
	return MSG_ROLE_NONE;
}

const char *roles_word(enum msg_role role)
{
	static const char *const words[MSG_ROLE_END] = {
		"none", "viewer", "auditor", "operator", "administrator", "maintenance"};

	return role < MSG_ROLE_END ? words[role] : "none";
}

const char *roles_verb(uint32_t verb)
{
	switch (verb) {
#define X(NAME, value, word)                                                                                   \
	case MSG_VERB_##NAME:                                                                                   \
		return word;
	MSG_VERBS(X)
#undef X
	default:
		return "?";
	}
}
