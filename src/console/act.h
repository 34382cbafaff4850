/* act.h: what the verbs that act on the running gate share (cut.c has the functions). */
#ifndef CONSOLE_ACT_H
#define CONSOLE_ACT_H

#include <sekisho/cut.h>
#include <sekisho/msg.h>

struct console;
struct args;

/* --who and --why, both needed. An exit code, the message printed. */
int act_sign(const struct args *a, struct msg_request *q);
/* Copies a word; one that would be cut is refused. */
int act_fill(char *dst, size_t size, const char *option, const char *text);
/* The number of a cut, a freeze. An exit code, the message printed. */
int act_number(const char *word, uint32_t *ret);
/* The alert level's name, translated. */
const char *act_level_text(uint32_t level);
/* The list of the running gate. */
int act_cuts(struct console *c, struct cuts *ret);

int verb_cut_host(struct console *c, const struct args *a);
int verb_cut_segment(struct console *c, const struct args *a);
int verb_cut_pair(struct console *c, const struct args *a);
int verb_cut_all(struct console *c, const struct args *a);
int verb_cuts(struct console *c, const struct args *a);
int verb_freeze(struct console *c, const struct args *a);
int verb_freeze_list(struct console *c, const struct args *a);
int verb_freeze_show(struct console *c, const struct args *a);
int verb_freeze_release(struct console *c, const struct args *a);
int verb_freeze_export(struct console *c, const struct args *a);
int verb_drill_host(struct console *c, const struct args *a);
int verb_drill_segment(struct console *c, const struct args *a);
int verb_drill_pair(struct console *c, const struct args *a);
int verb_drill_all(struct console *c, const struct args *a);
int verb_drill_restore(struct console *c, const struct args *a);
int verb_drill_join(struct console *c, const struct args *a);
int verb_drill_end(struct console *c, const struct args *a);
int verb_drill_report(struct console *c, const struct args *a);
int verb_level_normal(struct console *c, const struct args *a);
int verb_level_caution(struct console *c, const struct args *a);
int verb_level_lockdown(struct console *c, const struct args *a);
int verb_restore(struct console *c, const struct args *a);

#endif
