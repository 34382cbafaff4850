/*
 * policies.h: what each flow of the queues must be: the verified policies of the generations that the kernel has, or has next.
 *
 * A commit changes the kernel's rules in one instant, and nobody else sees it: therefore both generations are here
 * during that time, and each packet names its own in its mark.
 */
#ifndef INSPECT_POLICIES_H
#define INSPECT_POLICIES_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/inspect.h>
#include <sekisho/msg.h>

struct policies;

struct policies *policies_new(void); /* NULL without memory */
void policies_free(struct policies *p);

/*
 * A generation that the kernel may have from now on; fd (a memfd with its IR) is taken in any case. It takes the place of
 * the one that is not enforced (or not any more). NULL, or what is wrong with it (static text): then nothing has changed.
 */
const char *policies_offer(struct policies *p, uint32_t number, int fd);

/*
 * The kernel has generation `number`: flows of the one before are renewed by the text of their policies, or refused with
 * their next packet. False when that number was not offered.
 */
bool policies_enforce(struct policies *p, uint32_t number, struct inspector *in);
uint32_t policies_enforced(const struct policies *p); /* 0 = none yet */

/* Is the generation of a packet with this mark known? */
bool policies_known(const struct policies *p, uint32_t mark);

/* The policy of a packet with this mark, NULL when there is none; *ret_tag names it. */
const struct verify_policy *policies_find(const struct policies *p, uint32_t mark, uint32_t *ret_tag);

/* The generation and the number in it that a tag stands for. False when it is gone. */
bool policies_tag(const struct policies *p, uint32_t tag, uint32_t *ret_generation, uint16_t *ret_verified);

/* The host's links by kernel index. */
void policies_links(struct policies *p, const struct msg_links *links);

/* Part of a flow's key, the same for both directions: the two segments that it crosses. */
uint32_t policies_zone(const struct policies *p, uint32_t in, uint32_t out);

#endif
