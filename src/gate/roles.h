/*
 * roles.h: who may ask sekishod for what: one table, verb -> roles.
 *
 * A person's roles are a set of 1 << enum msg_role. They come from the kernel's word alone (uid and groups of the peer's
 * socket), and from the deputyships of the policy in force.
 */
#ifndef GATE_ROLES_H
#define GATE_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sekisho/msg.h>

#define ROLE(name) (UINT32_C(1) << MSG_ROLE_##name)

/* The roles of a uid with these groups: 0 when it has none, and then nothing is answered. */
uint32_t roles_of(uid_t uid, const gid_t *groups, size_t n);

/* `roles` and what a deputyship adds: nothing to an auditor or a maintainer, and none of these two roles. */
uint32_t roles_add(uint32_t roles, enum msg_role deputy);

/* The set of roles that may; 0 for a verb that is in no row: nobody. */
uint32_t roles_allowed(uint32_t verb);
/* Is it more than a look: who asked it, when and with what result is a record. */
bool roles_changes(uint32_t verb);

/* What logd lets somebody do who was let through for this verb (set of enum msg_right). */
uint32_t roles_rights(uint32_t verb, uint32_t roles);

/* The one of them that may most, for records and answers. */
enum msg_role roles_first(uint32_t roles);
/* "administrator"; "none". The word of the verb as people read it; "?" for an unknown one. */
const char *roles_word(enum msg_role role);
const char *roles_verb(uint32_t verb);

#endif
