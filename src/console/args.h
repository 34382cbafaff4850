/*
 * args.h: the command line as a table of words.
 *
 * commands*.c hold the table; parsing, --help, usage errors, completion, the shell and the reference manual read it
 * and nothing else does, so that they cannot differ. To add a command: a row in the file of its family, a verb file
 * with its function, its messages in po/ja.po, `tests/golden/console/run --regenerate`.
 */
#ifndef CONSOLE_ARGS_H
#define CONSOLE_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#define ARGS_WORDS_MAX 4
#define ARGS_OPTIONS_MAX 16
#define ARGS_DEPTH_MAX 4 /* steps in the table: `show log drops` are three */

/* Where a row stands; the same word may mean something else at another place. */
enum place {
	PLACE_OUTSIDE = 1,   /* `sekisho WORD ...`, from a script or another shell */
	PLACE_OPERATE = 2,   /* in our shell */
	PLACE_CONFIGURE = 4, /* in its configuration mode */
};

struct buf;
struct console;
struct args;

/* What completion offers for a value. */
enum complete {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_REASON,
	COMPLETE_PROTOCOL,
	COMPLETE_LANGUAGE,
	COMPLETE_APPLICATION,
	COMPLETE_COMMAND,
	COMPLETE_LITERAL, /* the name itself, or one of those in it: "merge|replace" */
	/* Names of the policy in force. */
	COMPLETE_SEGMENT,
	COMPLETE_HOST,
	COMPLETE_RULE,
	COMPLETE_END, /* a host, group or segment */
};

struct argument {
	const char *name; /* N_("POLICY") */
	const char *help; /* N_() */
	bool optional;
	enum complete complete;
	bool many; /* the last one: may be given several times; args.many holds them all */
};

struct option {
	const char *name;  /* "--since" */
	const char *value; /* N_("TIME"); NULL = a flag */
	const char *help;  /* N_() */
	bool required;
	enum complete complete;
};

/* A table ends with a row whose first member is NULL. A row with the word "" is a family: the rows of `sub` stand here. */
struct command {
	const char *word;
	unsigned places;	   /* PLACE_*; 0 = OUTSIDE and OPERATE. Of a family: nothing, its rows say it */
	const struct command *sub; /* the next table; then there are no args, options and run */
	const struct argument *args;
	const struct option *options;
	const char *help;  /* N_(): one line */
	const char *about; /* N_(): paragraphs; NULL = none */
	int (*run)(struct console *c, const struct args *a);
	bool rest; /* everything behind this word belongs to the verb, unread */
	/* Only for the shell: */
	bool inside;   /* it changes the shell itself, and runs in its process; else in one of its own, which Ctrl-C ends */
	bool talks;    /* it asks questions: the terminal is its own, without pipes and pager */
	bool live;     /* it prints as things happen, until it is interrupted: without pager */
	bool operate;  /* a command of operational mode follows */
	unsigned schema; /* with `rest`: words of the policy follow: 1 + enum candidate_use */
};

extern const struct command commands[];
/* Those that every command takes: outside, and in the shell. */
extern const struct option global_options[];
extern const struct option shell_options[];

/* A command line that fits its command. */
struct args {
	enum place place;
	const struct command *command;
	const struct command *path[ARGS_DEPTH_MAX]; /* the rows that lead to it, itself the last */
	unsigned depth;
	const char *words[ARGS_WORDS_MAX];
	unsigned nwords;
	char **many; /* the values of an argument with `many`; in argv itself */
	unsigned nmany;
	const char *values[ARGS_OPTIONS_MAX]; /* by index in command->options; "" for a flag; NULL = not given */
	const char *globals[ARGS_OPTIONS_MAX];
	int nrest; /* of a command with `rest`: argv from behind its word */
	char *const *rest;
	const char *raw; /* the same as it was typed, in the shell; else NULL */
	bool help; /* --help was among the words: the rest was not checked */
};

/* The value of an option of the command or a global one; NULL when it was not given. */
const char *args_option(const struct args *a, const char *name);

/*
 * Reads argv[1..] against the rows of a place. On an error false, and the message (one line, translated) is appended
 * to `error`; what was understood so far is in *ret, for the usage line.
 */
bool args_parse(enum place place, int argc, char **argv, struct args *ret, struct buf *error);

/* The row of this word at this place, or NULL. */
const struct command *args_find(const struct command *table, enum place place, const char *word);

/* Goes through the rows of a table that stand at a place, families too. Begin with {.at = table}; NULL at the end. */
struct args_rows {
	const struct command *at, *back;
};
const struct command *args_next(struct args_rows *r, enum place place);

/* Does the row stand at this place? */
static inline bool args_stands(const struct command *c, enum place place)
{
	return ((c->places == 0 ? PLACE_OUTSIDE | PLACE_OPERATE : c->places) & place) != 0;
}

/* The options that every command takes at this place. */
const struct option *args_globals(enum place place);

/* The option of a table that `text` names (up to "="): its index, or -1. */
int args_option_index(const struct option *table, const char *text);

/*
 * The candidates for the last of n words (which may be empty), one a line: a word of the table, an option, or
 * a value. A line "<file>" asks the shell for file names.
 */
void args_complete(int n, char *const *words, struct buf *out);

#endif
