/*
 * names.h: what the numbers of a drop mean: interfaces, segments, hosts, the nearest rule and what differs from it.
 *
 * Works on the compiled policy of the generation that was in force; the former one is kept as well, for windows that
 * were opened before a commit.
 */
#ifndef LOG_NAMES_H
#define LOG_NAMES_H

#include <sekisho/msg.h>

#include "aggregate.h"
#include "alarms.h"
#include "passing.h"

struct ir;
struct names;

struct names *names_new(void); /* NULL without memory */
void names_free(struct names *n);

/* The newest table of links; what was known before is forgotten. */
void names_links(struct names *n, const struct msg_links *links);

/*
 * The policy of a generation: a sealed memfd, which stays the caller's. NULL, or what is wrong with it (static text);
 * the old one stays then.
 */
const char *names_policy(struct names *n, uint32_t generation, int fd);

/* The policy in force; NULL before there is one. */
const struct ir *names_ir(const struct names *n);

/* Fills the row of a window, all but boot id and hash. */
void names_fill(const struct names *n, const struct agg_window *w, struct msg_drop_row *ret);

/*
 * A window for the alarms: exact ones alone (false for others), with texts that live until the next call. count, at and the
 * source port are the caller's to fill.
 */
bool names_alarm(const struct names *n, const struct agg_window *w, struct alarm_event *ret);
/* Of the policy in force, NULL without one. */
const struct alarm_thresholds *names_thresholds(const struct names *n);

/*
 * Names what passed: the rule that let it (the policy in force is asked, then the one before), segments, hosts. No counts but
 * the times.
 */
void names_passed(const struct names *n, const struct passed *f, struct msg_admission_row *ret);

#endif
