/*
 * commands_act.c: words of the top: what acts on the gate at once, outside the policy.
 */
#include "commands.h"

const struct command act_commands[] = {
	END_COMMANDS,
};
