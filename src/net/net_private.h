/*
 * net_private.h: what the files of the room share.
 *
 * want (from the IR) and have (from the kernel) are both sorted arrays of one type, struct net_fact, so that one
 * merge finds what to add and what to remove.
 */
#ifndef NET_PRIVATE_H
#define NET_PRIVATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <sekisho/buf.h>
#include <sekisho/msg.h>
#include <sekisho/net.h>

/* How our addresses, routes and neighbours are marked in the kernel (IFA_PROTO, rtm_protocol, NDA_PROTOCOL). */
#define NET_PROTO_OURS 93
/* How a VLAN interface that we made is marked (IFLA_IFALIAS). */
#define NET_ALIAS_OURS "sekisho"
/* Interfaces of a machine; more are not looked at and are said. */
#define NET_LINKS_MAX 256
/* Wanted interfaces: those of the segments and their parents. */
#define NET_IFACES_MAX (2 * LIMIT_INTERFACES)
/* Facts read from the kernel in one dump: LIMIT_ROUTES routes and all hosts bound on the link, twice over. */
#define NET_FACTS_MAX 500000

/*
 * Of mail that the kernel turns to the gate (ruleset.h, TURNED_MARK): a routing rule sends packets with the mark to a table of
 * our own, in which every address is here. The route is there before the rule.
 */
#define NET_TURN_TABLE 93
#define NET_TURN_PRIORITY 9300
#define NET_LOOPBACK 1 /* lo, in every network namespace */

enum net_kind { NET_ADDR = 1, NET_ROUTE = 2, NET_NEIGH = 3, NET_TURN_ROUTE = 4, NET_TURN_RULE = 5 };

/* One setting of the kernel. No padding: ordered and compared by memcmp(). */
struct net_fact {
	uint8_t kind, family; /* enum net_kind; 4, 6 */
	uint8_t plen, type;   /* ADDR, ROUTE: prefix length; ROUTE: RTN_* */
	uint32_t ifindex;     /* ROUTE: 0 when it has not exactly one next hop */
	uint8_t addr[16];     /* address, destination, neighbour */
	uint32_t metric;      /* ROUTE */
	uint32_t tos;	      /* ROUTE */
	uint8_t via[16];      /* ROUTE: next hop; NEIGH: the MAC in [0..5] */
	uint32_t proto;	      /* who set it; not part of the comparison (see net_facts_cmp) */
};

/* A growing array of facts over a buffer. */
struct net_facts {
	struct buf b;
};
static inline struct net_fact *net_facts_at(const struct net_facts *f, size_t i)
{
	return (struct net_fact *)(void *)(f->b.data + i * sizeof(struct net_fact));
}
static inline size_t net_facts_n(const struct net_facts *f)
{
	return f->b.len / sizeof(struct net_fact);
}
void net_facts_add(struct net_facts *f, const struct net_fact *x);
void net_facts_sort(struct net_facts *f);
void net_facts_free(struct net_facts *f);
/* Orders by everything but `proto`. */
int net_facts_cmp(const struct net_fact *a, const struct net_fact *b);
/* The same setting with perhaps another value: a replace does, no removal is needed. */
bool net_facts_same_key(const struct net_fact *a, const struct net_fact *b);
/* The index of the first fact that is not before `x`; the array is sorted. */
size_t net_facts_from(const struct net_facts *f, const struct net_fact *x);
/* "route 10.1.10.0/24 via 10.1.0.254 on eth0"; ret holds n bytes. */
void net_fact_text(const struct net_fact *f, const char *ifname, char *ret, size_t n);

/* -- net_want.c: what the IR wants ----------------------------------------------------------------------- */

struct net_iface {
	char name[LIMIT_IFNAME], parent[LIMIT_IFNAME];
	uint16_t vlan;	 /* 0: not a VLAN interface */
	bool segment;	 /* false: only the parent of others */
	uint32_t ifindex; /* 0: does not exist now */
};
struct net_want {
	struct net_iface ifaces[NET_IFACES_MAX];
	unsigned nifaces;
	struct net_facts facts; /* ifindex holds the index into ifaces until net_want_resolve() */
	bool turns;		/* the two kinds NET_TURN_ are among them, whose ifindex is what it says */
};
/* Reads the IR. Returns false when it wants more interfaces than there may be. */
bool net_want_from_ir(struct net_want *w, const struct ir *ir);
void net_want_free(struct net_want *w);
struct net_iface *net_want_iface(struct net_want *w, const char *name);
/* The wanted facts of interfaces that exist, with their ifindex, sorted. */
void net_want_resolve(const struct net_want *w, struct net_facts *ret);

/* -- net_parse.c: what the kernel says ------------------------------------------------------------------- */

struct net_link {
	uint32_t ifindex, parent; /* parent: IFLA_LINK, 0 = none */
	char name[LIMIT_IFNAME];
	bool up, loopback, is_vlan, ours;
	uint16_t vlan;
};
/* One netlink message's payload (behind nlmsghdr). False: malformed, or not of interest. */
bool net_parse_link(const void *p, size_t n, struct net_link *ret);
bool net_parse_addr(const void *p, size_t n, struct net_fact *ret);
bool net_parse_route(const void *p, size_t n, struct net_fact *ret);
bool net_parse_neigh(const void *p, size_t n, struct net_fact *ret);
/* The same for a neighbour in any state. */
bool net_parse_neigh_any(const void *p, size_t n, struct net_fact *ret, bool *ret_permanent);
/* A policy routing rule (ip rule): true when it is exactly that of NET_TURN_RULE. */
bool net_parse_rule(const void *p, size_t n, struct net_fact *ret);
/* True when it is neither that nor one of the kernel's own three. */
bool net_parse_rule_foreign(const void *p, size_t n);

/* -- net_diff.c: the difference -------------------------------------------------------------------------- */

/* Facts only in want (add, or replace) and only in have (remove). Both inputs are sorted. */
void net_diff(const struct net_facts *want, const struct net_facts *have, struct net_facts *ret_add,
	struct net_facts *ret_remove);

/* -- net_rtnl.c: requests -------------------------------------------------------------------------------- */

struct net_rtnl {
	int fd;
	uint32_t seq;
};
int net_rtnl_open(struct net_rtnl *r);
void net_rtnl_close(struct net_rtnl *r);

typedef void net_dump_fn(void *arg, const void *payload, size_t n);
/* Dumps `type` (RTM_GET*), calling fn per message; begins again when the kernel says it was interrupted. */
int net_rtnl_dump(struct net_rtnl *r, uint16_t type, void (*restart)(void *arg), net_dump_fn *fn, void *arg);
/* Adds or replaces / removes one fact. 0 or -errno. */
int net_rtnl_add(struct net_rtnl *r, const struct net_fact *f);
int net_rtnl_remove(struct net_rtnl *r, const struct net_fact *f);
int net_rtnl_link_up(struct net_rtnl *r, uint32_t ifindex, bool up);
int net_rtnl_vlan_new(struct net_rtnl *r, const char *name, uint32_t parent, uint16_t vlan);
int net_rtnl_link_delete(struct net_rtnl *r, uint32_t ifindex);
/* Removes a policy routing rule: the message of the dump, sent back as RTM_DELRULE. */
int net_rtnl_rule_delete(struct net_rtnl *r, const void *payload, size_t n);

/* -- net_watch.c ----------------------------------------------------------------------------------------- */

/* A non-blocking socket that hears of all that net_check() looks at. Descriptor or -errno. */
int net_watch_open(void);

/* -- net_sysctl.c, net_sample.c -------------------------------------------------------------------------- */

struct net_sample_state;
struct net_sample_state *net_sample_new(void);

struct net_links {
	struct net_link l[NET_LINKS_MAX];
	unsigned n;
	bool more; /* there were more */
};

/* -- the room's state ------------------------------------------------------------------------------------ */

struct net {
	struct net_rtnl rtnl;
	int watch;
	net_finding_fn *fn;
	void *arg;
	struct net_want want, former;
	struct net_facts held;	/* the wanted facts as of the last run, sorted */
	struct net_links links; /* as last read */
	struct net_links seen;	/* as of the last apply or check: to tell an interface that is new */
	struct msg_links told;	/* as net_link_table() last gave them */
	unsigned notes;		/* NET_CHANGED said in this check */
	bool settled;		/* the last apply succeeded: differences are somebody else's */
	bool settings_known;	/* net_settings() ran for this policy */
	enum net_forwarding forwarding; /* as it was asked for then */
	struct net_links settled_links; /* as they were then */
	struct net_sample_state *samples;
};

#endif
