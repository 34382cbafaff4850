/* The table of states: what may open the gate, and that nothing else does. */
#include "gate.h"
#include "test.h"

int main(void)
{
	/* From shut only a commit opens; no proof, no failure does. */
	CHECK_INT(state_next(GATE_SHUT, EVENT_COMMITTED), GATE_OPEN);
	CHECK_INT(state_next(GATE_SHUT, EVENT_PROVED), GATE_SHUT);
	CHECK_INT(state_next(GATE_SHUT, EVENT_DISPROVED), GATE_SHUT);
	/* Held by a finding: only a good proof opens, not another commit by itself. */
	CHECK_INT(state_next(GATE_OPEN, EVENT_DISPROVED), GATE_HELD);
	CHECK_INT(state_next(GATE_HELD, EVENT_COMMITTED), GATE_HELD);
	CHECK_INT(state_next(GATE_HELD, EVENT_PROVED), GATE_OPEN);
	/* Shut is shut from anywhere; what is no state or event is shut. */
	for (int s = 0; s < GATE_STATES; s++)
		CHECK_INT(state_next((enum gate_state)s, EVENT_SHUT), GATE_SHUT);
	for (int e = 0; e < GATE_EVENTS; e++)
		CHECK_INT(state_next(GATE_STATES, (enum gate_event)e), GATE_SHUT);
	CHECK_INT(state_next(GATE_OPEN, GATE_EVENTS), GATE_SHUT);
	/* No failure opens. */
	for (int s = 0; s < GATE_STATES; s++)
		CHECK(state_next((enum gate_state)s, EVENT_DISPROVED) != GATE_OPEN);
	CHECK_STR(state_word(GATE_HELD), "held");
	return test_end();
}
