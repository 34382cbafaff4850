/*
 * compare.h: two policies compared, printed: for `compare` and for what would change a policy.
 */
#ifndef CONSOLE_COMPARE_H
#define CONSOLE_COMPARE_H

#include "policyfile.h"

struct console;
struct json;

struct compare_side {
	struct buf text;
	struct policy_file file;
};

/* Reads and compiles a file, or (path NULL) the policy in force. An exit code, its message printed. compare_close() follows. */
int compare_open(struct compare_side *s, struct console *c, const char *path, const struct args *a);
void compare_close(struct compare_side *s);

/* Appends what the new one changes in plain words, wrapped to the terminal. False when the schema cannot be loaded. */
bool compare_words(const struct compare_side *old, struct compare_side *new, struct buf *out);

/*
 * Prints the lines of set that lead from old to new, and the same in plain words; the errors of a new policy that is refused.
 * With `j` (an open object) its members "ok", "lines", those of change_json() and the findings instead. Returns an exit code.
 */
int compare_print(struct console *c, struct compare_side *old, struct compare_side *new, struct json *j);

#endif
