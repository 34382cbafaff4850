/*
 * commands.h: what the files of the command table share.
 *
 * commands.c holds the top of the table; a family of words lives in a file of its own (commands_show.c, …) and stands
 * in the top by a row with the word "" or under its first word.
 */
#ifndef CONSOLE_COMMANDS_H
#define CONSOLE_COMMANDS_H

#include "console.h"

#define END_ARGUMENTS {.name = NULL}
#define END_OPTIONS {.name = NULL}
#define END_COMMANDS {.word = NULL}

#define OPTION_JSON {"--json", NULL, N_("print JSON instead of text")}
#define OPTION_AT {"--at", N_("TIME"), N_("answer for this moment instead of now")}
#define OPTION_SINCE {"--since", N_("TIME"), N_("only from this time on")}
#define OPTION_UNTIL {"--until", N_("TIME"), N_("only up to this time")}
#define OPTION_LIMIT {"--limit", N_("N"), N_("at most N rows, the newest (default 100)")}
#define OPTION_FORMAT {"--format", N_("text|csv|csv-cp932|json"), N_("the form of the output"), .complete = COMPLETE_LITERAL}
#define OPTION_PICTURE {"--format", N_("text|svg"), N_("the form of the output"), .complete = COMPLETE_LITERAL}
#define ARGUMENT_POLICY {N_("POLICY"), N_("the policy file"), .complete = COMPLETE_FILE}

extern const struct option json_option[];
extern const struct option status_options[];

/* `show …` and `log …` */
extern const struct command show_commands[];
extern const struct command log_commands[];
/* `monitor …`, and `check …` of our shell */
extern const struct command monitor_commands[];
extern const struct command check_commands[];
/* Families of the top. */
extern const struct command act_commands[];
extern const struct command host_commands[];
extern const struct command record_commands[];
extern const struct command config_commands[];
extern const struct command generation_commands[];
extern const struct command guide_commands[];
/* `show …` of it */
extern const struct command past_commands[];

#endif
