/*
 * review.h: what a candidate would change, said before it is put in force.
 */
#ifndef CONSOLE_REVIEW_H
#define CONSOLE_REVIEW_H

struct buf;
struct console;

/*
 * Appends in plain words what leads from one policy to the other, what it cuts and opens, and which recorded drops of the
 * last week would end otherwise (nothing of that when there are none, or a policy is refused).
 */
void review_text(struct console *c, const struct buf *from, const struct buf *to, struct buf *out);

#endif
