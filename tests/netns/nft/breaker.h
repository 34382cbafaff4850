/*
 * breaker.h: ways to break a ruleset before it is programmed, so that the evaluator has something to find.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stddef.h>

struct ruleset;

/*
 * One way, as words. A rule is found by its chain and by words that its text holds:
 *	drop CHAIN WORDS...               the rule is gone
 *	accept CHAIN WORDS...             instead of what it ends with
 *	without NTH CHAIN WORDS...        without its statement NTH (0: the first)
 *	number OLD NEW CHAIN WORDS...     another number, wherever the rule has it
 *	class OLD NEW MAP                 another class in a map's marks
 *	pair SET A B                      one more element, two marks
 *	wide MAP                          the first element's destination is any
 * False when nothing was changed.
 */
bool breaker_apply(struct ruleset *rs, char **words, unsigned n);

/* Sets `bypass` in the first queue expression of a dump (native or xt target). False when there is none. */
bool breaker_bypass(unsigned char *dump, size_t n);

#endif
