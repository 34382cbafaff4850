/*
 * builder.h: the words in which the files build_*.c write chains, rules and sets.
 *
 * Nothing here fails: memory ends the process (arena), and a wrong use is a bug (assert).
 */
#ifndef NFT_BUILDER_H
#define NFT_BUILDER_H

#include "objects.h"

/* -- chains and rules ---------------------------------------------------------------------------------- */

struct chain *chain_new(struct ruleset *rs, const char *name);
struct chain *chain_base(struct ruleset *rs, const char *name, uint8_t hook, int32_t priority, bool policy_drop);
struct rule *rule_new(struct ruleset *rs, struct chain *c);

/* A rule in the making: each call appends a statement. `R` keeps the arena beside it. */
struct rb {
	struct ruleset *rs;
	struct rule *rule;
};
struct rb on(struct ruleset *rs, struct chain *c); /* a new rule in the chain */

struct rb match(struct rb r, enum field f, enum cmp_op op, uint32_t number);
struct rb match_masked(struct rb r, enum field f, uint32_t mask, enum cmp_op op, uint32_t number);
struct rb match_bytes(struct rb r, enum field f, enum cmp_op op, const void *bytes);
struct rb match_prefix(struct rb r, enum field f, const struct addr_range *range); /* range: a prefix or one address */
static inline struct rb is(struct rb r, enum field f, uint32_t number)
{
	return match(r, f, OP_EQ, number);
}
static inline struct rb isnt(struct rb r, enum field f, uint32_t number)
{
	return match(r, f, OP_NEQ, number);
}
/* meta nfproto ipv4 / ipv6 (family 4 or 6). */
struct rb family(struct rb r, uint8_t fam);
struct rb iif(struct rb r, const char *name);
struct rb oif(struct rb r, const char *name);

#define FIELDS(...) (const enum field[]){__VA_ARGS__, F_END}
struct rb in(struct rb r, const enum field *fields, const struct set *s);
/* The same with IPv6 addresses cut to their /64. */
struct rb in_by_network(struct rb r, const enum field *fields, const struct set *s);
struct rb not_in(struct rb r, const enum field *fields, const struct set *s);
struct rb not_in_masked(struct rb r, enum field f, uint32_t mask, const struct set *s);
void vmap(struct rb r, const enum field *fields, const struct set *s);
void vmap_masked(struct rb r, enum field f, uint32_t mask, const struct set *s);
struct rb map_mark(struct rb r, const enum field *fields, const struct set *s);
struct rb set_mark(struct rb r, uint32_t value);
struct rb set_ctmark(struct rb r, enum field from, uint32_t mask, uint32_t value); /* from & mask | value */
struct rb set_mark_bits(struct rb r, enum field from, uint32_t mask, uint32_t value); /* the packet's */
struct rb add_to(struct rb r, const enum field *fields, const struct set *s);
/* Each key's own limit; IPv6 sources count by their /64. */
struct rb over_rate(struct rb r, const enum field *fields, const struct set *s, uint32_t rate, uint32_t burst);
/* Takes the packet's key out of a dynamic set. */
struct rb take_from(struct rb r, const enum field *fields, const struct set *s);
/* The same of a set that counts sources: IPv6 by their /64. */
struct rb remove_from(struct rb r, const enum field *fields, const struct set *s);
/* As over_rate(), by the minute. */
struct rb over_minute(struct rb r, const enum field *fields, const struct set *s, uint32_t rate, uint32_t burst);
struct rb over_count(struct rb r, const enum field *fields, const struct set *s, uint32_t count);
struct rb limit_to(struct rb r, uint32_t rate, uint32_t burst);
struct rb over_limit(struct rb r, uint32_t rate, uint32_t burst);
struct rb count(struct rb r, const char *counter);
void log_to(struct rb r, uint32_t group);
void clamp_mss(struct rb r, uint32_t mss);

void queue_to(struct rb r, uint32_t number); /* by what this kernel has of the two */
void reset(struct rb r);		     /* TCP only */
struct rb turn_to(struct rb r, uint16_t port); /* to a listener here (TPROXY); TCP only */

void let_pass(struct rb r);
void drop(struct rb r);
void go_back(struct rb r); /* return */
void jump(struct rb r, struct chain *c);
void go(struct rb r, struct chain *c);
void stop(struct rb r, enum reason why); /* goto stop_<word> */
void comment(struct rb r, const char *text);

/* -- sets ------------------------------------------------------------------------------------------------ */

/* Names are copied. types end with TYPE_END. `made` is the ruleset's generation, or 0 with SET_LIVE. */
#define TYPES(...) (const enum datatype[]){__VA_ARGS__, TYPE_END}
struct set *set_new(struct ruleset *rs, const char *name, const enum datatype *types, unsigned flags);

/* Bytes of a key in the making. */
struct key {
	uint8_t b[SET_KEY_MAX];
	unsigned len;
};
void key_number(struct key *k, enum datatype t, uint32_t number);
void key_ifname(struct key *k, const char *name);
void key_addr(struct key *k, uint8_t fam, const uint8_t *bytes);
void key_mac(struct key *k, const uint8_t mac[6]);

/* One element; hi == NULL: lo alone. Elements may come in any order; set_sort() orders them. */
struct elem *set_add(struct set *s, const struct key *lo, const struct key *hi);
struct elem *set_add_number(struct set *s, uint32_t number);
void set_sort(struct set *s);

#endif
