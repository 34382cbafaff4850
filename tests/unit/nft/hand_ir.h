/*
 * hand_ir.h: a policy made by hand, for tests that start behind the compiler: sections are filled by calls,
 * hand_finish() sorts the boxes as the compiler does and opens the view.
 */
#ifndef HAND_IR_H
#define HAND_IR_H

#include <sekisho/buf.h>
#include <sekisho/ir.h>

struct hand {
	struct ir ir; /* valid after hand_finish() */
	struct buf section[IR_NSECTIONS];
};

void hand_init(struct hand *h);
void hand_free(struct hand *h);
/* Settings may be changed through it until hand_finish(). */
struct ir_system *hand_system(struct hand *h);
/* A segment with one interface; addresses "10.1.0.1/24 2001:db8:1::1/64" become locals, networks and sources. */
uint16_t hand_segment(struct hand *h, const char *name, enum segment_kind kind, const char *ifname, const char *addresses);
struct ir_segment *hand_segment_at(struct hand *h, uint16_t segment);
/* A further network behind a segment's interface, from any MAC (mac NULL) or one. */
void hand_network(struct hand *h, uint16_t segment, const char *prefix, const char *mac);
/* A host whose frames carry this MAC: cuts it out of the interface's sources. */
void hand_bound(struct hand *h, uint16_t segment, const char *address, const char *mac);
void hand_route(struct hand *h, uint16_t segment, const char *prefix, const char *via);
uint32_t hand_rule(struct hand *h, const char *name, uint16_t from, uint16_t to, enum ir_action action, unsigned flags);
struct ir_rule *hand_rule_at(struct hand *h, uint32_t rule);
/* The rule's flows are verified: same words, same policy; hand_finish() numbers them by their words. options: VERIFY_*. */
void hand_verify(struct hand *h, uint32_t rule, enum application application, uint32_t options, const char *words);
/* A box (and its span) of that rule. src, dst: address, prefix. */
void hand_box(struct hand *h, uint32_t rule, uint8_t proto, const char *src, const char *dst, uint16_t lo, uint16_t hi);
void hand_own(struct hand *h, uint16_t segment, const char *what, bool out, uint8_t proto, const char *remote, uint16_t port);
/* The last own flow is to a server whose connections the mail gate takes. */
void hand_turn(struct hand *h, const char *server);
void hand_finish(struct hand *h);

/* Three segments (eth0 mynumber, eth1 lgwan, eth2 internet) with IPv4 and IPv6 and a rule of every kind. */
void hand_town(struct hand *h);

#endif
