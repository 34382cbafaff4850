/*
 * commands_config.c: words of the top: configuration mode.
 */
#include "commands.h"

const struct command config_commands[] = {
	END_COMMANDS,
};
