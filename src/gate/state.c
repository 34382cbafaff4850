/*
 * state.c: the gate's states and what leads from one to another, in one table.
 *
 *	         committed  proved  disproved  shut
 *	shut     open       shut    shut       shut
 *	open     open       open    held       shut
 *	held     held       open    held       shut
 *
 * A commit while held is not yet trusted: only its proof opens. (kernel_commit() drops the lease again then.)
 */
#include "gate.h"

static const enum gate_state table[GATE_STATES][GATE_EVENTS] = {
	[GATE_SHUT] = {
		[EVENT_COMMITTED] = GATE_OPEN,
		[EVENT_PROVED] = GATE_SHUT,
		[EVENT_DISPROVED] = GATE_SHUT,
		[EVENT_SHUT] = GATE_SHUT,
	},
	[GATE_OPEN] = {
		[EVENT_COMMITTED] = GATE_OPEN,
		[EVENT_PROVED] = GATE_OPEN,
		[EVENT_DISPROVED] = GATE_HELD,
		[EVENT_SHUT] = GATE_SHUT,
	},
	[GATE_HELD] = {
		[EVENT_COMMITTED] = GATE_HELD,
		[EVENT_PROVED] = GATE_OPEN,
		[EVENT_DISPROVED] = GATE_HELD,
		[EVENT_SHUT] = GATE_SHUT,
	},
};

enum gate_state state_next(enum gate_state s, enum gate_event e)
{
	return s < GATE_STATES && e < GATE_EVENTS ? table[s][e] : GATE_SHUT;
}

const char *state_word(enum gate_state s)
{
	static const char *const words[GATE_STATES] = {"shut", "open", "held"};

	return s < GATE_STATES ? words[s] : "unknown";
}
