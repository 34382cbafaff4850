/*
 * whatif.h: what another policy would have made of the packets that were blocked.
 */
#ifndef CONSOLE_WHATIF_H
#define CONSOLE_WHATIF_H

#include <sekisho/clock.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct console;
struct ir;
struct json;
struct msg_drop_row;
struct whatif;

/* Different answers (ends, service, what changes) that are kept apart; further ones are only counted. */
#define WHATIF_KEPT 65536
/* How many of each kind people are shown. */
#define WHATIF_SHOWN 20

/*
 * Compares two compiled policies, which outlive it, over recorded drops. Rules have hours and days: each
 * packet is asked about as if it came again within seven days from `now`, on the same weekday at the same
 * time. Ends the process without memory.
 */
struct whatif *whatif_new(const struct ir *running, const struct ir *candidate, struct wall now);
void whatif_free(struct whatif *w);

/* One recorded drop. What was lost or counted by wider keys stands for no single packet and is only counted. */
void whatif_take(struct whatif *w, const struct msg_drop_row *d);

/* Takes the drops of the last days from the running gate. An exit code, its message printed. */
int whatif_query(struct whatif *w, struct console *c, unsigned days);
/* The same from text as `sekisho log drops --json` prints it. Lines that are no such record are counted. */
void whatif_read(struct whatif *w, const char *text, size_t n);

/* Would any of them end otherwise? */
bool whatif_differs(const struct whatif *w);

/* Lines for people, and the members of an open object. */
void whatif_text(struct whatif *w, struct buf *out);
void whatif_json(struct whatif *w, struct json *j);

#endif
