/*
 * net.h: the host's own network settings: interfaces, VLANs, addresses, routes, permanent neighbours, kernel
 * settings (sysctl), and samples of what the kernel loses.
 *
 * All of it follows from the IR. net_apply() makes the kernel match and reads it back; net_check() does so again
 * when the kernel reported a change or time has passed, and says what others had changed. What belongs to an
 * interface that does not exist waits until it does. Everything else that the kernel refuses is an error.
 * Needs CAP_NET_ADMIN. Works in the network namespace of the calling process.
 */
#ifndef SEKISHO_NET_H
#define SEKISHO_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/finding.h>
#include <sekisho/limits.h>

struct ir;
struct msg_links;
struct net;

/* Called for each standing finding, and for each event (finding_is_event()), with its subject ("eth2.20"). */
typedef void net_finding_fn(void *arg, enum finding f, const char *detail);

/* Opens the rtnetlink sockets (requests and watch). NULL with errno. */
struct net *net_open(net_finding_fn *fn, void *arg);
void net_close(struct net *n); /* NULL is allowed; settings stay as they are */

/* What went wrong in net_apply(): the kernel's refusal with its place, e.g. "route 10.1.10.0/24 …". */
struct net_error {
	char text[160];
};

/*
 * Makes the kernel's links, addresses, routes and neighbours those of the IR, and takes away what the former
 * apply had and this has not. Links go up here: the caller has loaded and verified the ruleset. NULL: nothing
 * is wanted (all that was ours goes, links down). Then reads back and compares.
 * Returns 0, or -errno with *ret filled: the kernel is somewhere between, the caller applies the old one again.
 */
int net_apply(struct net *n, const struct ir *ir, struct net_error *ret);

/*
 * Reads the kernel again and puts back what differs from the last net_apply(). Reports each difference as
 * FINDING_NET_CHANGED, and all standing findings of the room. Returns how many differences were put right,
 * or -errno.
 */
int net_check(struct net *n);

/* The watch socket, for the loop (EPOLLIN); when readable, call net_watch(). */
int net_watch_fd(const struct net *n);
/* Drains the watch socket. True when net_check() is due (something of interest changed, or events were lost). */
bool net_watch(struct net *n);

/* The links as last read (net_apply(), net_check()). True when they differ from those of the call before. */
bool net_link_table(struct net *n, struct msg_links *ret);

/* -- kernel settings ------------------------------------------------------------------------------------- */

enum net_forwarding { NET_FORWARDING_OFF, NET_FORWARDING_ON };

/*
 * Gives every kernel setting of the table its value, for the interfaces of the last net_apply(), and reads it
 * back; forwarding comes last and only with NET_FORWARDING_ON. Reports FINDING_SYSCTL for what cannot be set and,
 * when `check`, FINDING_SYSCTL_CHANGED for what somebody else had changed since the last call.
 * Returns the number of settings that do not have their value, or -errno.
 */
int net_settings(struct net *n, enum net_forwarding forwarding, bool check);

/* Forwarding off at once, and nothing else: for when the ruleset is gone. net_settings() puts it on again. */
void net_forwarding_stop(struct net *n);

/* -- what the kernel loses ------------------------------------------------------------------------------- */

/* Called once per group ("ip", "ip6", "conntrack", "eth0", …) with "NAME +n NAME +n" since the last sample. */
typedef void net_loss_fn(void *arg, const char *group, const char *text);
/* Samples /proc and reports what grew. The first call only remembers. */
void net_sample(struct net *n, net_loss_fn *fn, void *arg);

/* Entries of the connection table now, and its limit; false when the kernel doesn't tell. */
bool net_conntrack(uint32_t *ret_count, uint32_t *ret_max);

#endif
