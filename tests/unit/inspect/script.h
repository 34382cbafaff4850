/*
 * script.h: a conversation for a verifier: who says what, whole, in pieces of one byte and in pieces of seven.
 *
 * script_run() checks that the pieces do not change the answer, and gives the answer of the whole.
 *
 *	static const struct line hello[] = {{'c', TEXT("SSH-2.0-x\r\n")}, {'s', HEX("53 53 48")}};
 *	struct outcome o = script_run(APP_SSH, &policy, hello, 2);
 */
#ifndef SEKISHO_TEST_SCRIPT_H
#define SEKISHO_TEST_SCRIPT_H

#include "judge.h"

struct line {
	char who; /* 'c' or 's'; 'C', 'S': and then it closes */
	const char *text; /* bytes; with n 0: hex digits and blanks */
	size_t n;
};
/* Reads a kept conversation (tests/fuzz/verify.h says its form) of tests/fuzz/corpus; ends the program without it. */
size_t script_load(const char *name, struct line *lines, size_t max);
#define TEXT(literal) (literal), sizeof(literal) - 1
#define HEX(digits) (digits), 0
#define BYTES(array) (const char *)(array), sizeof(array)

struct outcome {
	enum verify_status status;
	enum inspect_level level;
	enum inspect_why why;
	size_t line;  /* 0-based: during which line it became final */
	size_t bytes; /* bytes that both sides together had said by then */
	char name[VERIFY_NAME_MAX + 1];
	bool has_pinhole;
	struct inspect_pinhole pinhole;
};

/* Over TCP; between 10.1.0.5 and 10.2.0.8. Ends the test program when the pieces change the answer. */
struct outcome script_run(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n);
#define SCRIPT(app, policy, lines) script_run((app), (policy), (lines), sizeof(lines) / sizeof((lines)[0]))
/* Over UDP: each line a datagram, `gap_ms` apart. */
struct outcome script_datagrams(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	unsigned gap_ms);
/* A conversation must stay undecided or be decided with every prefix of it: no prefix may be refused. */
void script_no_prefix_refused(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n);

/* A conversation of which one place is other bytes, and what must come of it. */
struct edit {
	size_t line, at;
	const char *hex; /* written over what is there at `at`; at the end of the line also behind it */
	enum inspect_why why; /* WHY_NONE: it is not refused */
};
/* Each edit alone, over TCP or by datagrams; tells those that came out otherwise and returns their number. */
size_t script_edits(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	const struct edit *edits, size_t nedits, bool datagrams);
/* Is it refused in its last line and not before, for this reason? Says so when it is not. */
bool script_refuses(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	enum inspect_why why);
/* Does the last line, and none before it, bring this status and L3? Says so when not; prefixes as above. */
bool script_decides(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	enum verify_status status);
/* Does the last byte of the conversation, and none before it, hand the connection over to TLS? Byte by byte. */
bool script_hands_over(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n);

#endif
