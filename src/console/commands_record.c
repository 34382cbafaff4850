/*
 * commands_record.c: words of the top: the records that people write.
 */
#include "commands.h"

const struct command record_commands[] = {
	END_COMMANDS,
};
