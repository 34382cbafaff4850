/*
 * shell_names.c: names of the policy in force, for completion.
 *
 * They are read from its lines of set, which is much quicker than to read a policy of 10 000 flows as a
 * whole, and again when they are older than FRESH_SECONDS. A name that is missing here is no error anywhere.
 */
#include "control.h"
#include "shell.h"

#include <sekisho/clock.h>
#include <sekisho/limits.h>

#include <stdlib.h>
#include <string.h>

#define FRESH_SECONDS 30
#define ANSWER_SECONDS 2 /* a person waits */

enum { SEGMENTS, HOSTS, GROUPS, RULES, KINDS };

struct names {
	struct mono at;
	bool fresh;
	struct buf text[KINDS]; /* names, each with a NUL behind */
};

static const char *const words[KINDS] = {"segment", "host", "host-group", "allow"};

/* The last name of a list, or "". */
static const char *last(const struct buf *b)
{
	size_t at = b->len;

	if (at == 0)
		return "";
	for (at--; at > 0 && b->data[at - 1] != '\0'; at--)
		;
	return (const char *)b->data + at;
}

/* The name at s: a word, or one in quotes. */
static void take_name(struct buf *names, const char *s)
{
	struct buf name = {0};
	bool quoted = *s == '"';

	for (s += quoted; *s != '\0' && *s != (quoted ? '"' : ' '); s++) {
		if (quoted && *s == '\\' && s[1] != '\0')
			s++;
		buf_addc(&name, *s);
	}
	if (name.len > 0 && strcmp(last(names), buf_str(&name)) != 0)
		buf_add(names, buf_str(&name), name.len + 1);
	buf_free(&name);
}

/* "set host NAME …": lines of one object follow each other. */
static void take_line(struct names *n, const char *line)
{
	if (strncmp(line, "set ", 4) != 0)
		return;
	for (int k = 0; k < KINDS; k++) {
		size_t len = strlen(words[k]);
		if (strncmp(line + 4, words[k], len) == 0 && line[4 + len] == ' ')
			take_name(&n->text[k], line + 4 + len + 1);
	}
}

/* Without a word when the gate does not answer: whoever asks it something will be told. */
static void refresh(struct shell *sh)
{
	struct msg_request q = {.verb = MSG_VERB_RUNNING};
	struct buf text = {0};
	char *save = NULL;
	struct msg m;

	if (!control_try(&sh->console, &q, -1, ANSWER_SECONDS, MSG_OPENED, &m))
		return;
	for (int k = 0; k < KINDS; k++)
		buf_clear(&sh->names->text[k]);
	if (m.u.msg_opened.ok && m.nfds == 1 && control_read_fd(m.fds[0], LIMIT_POLICY_BYTES, &text)) {
		buf_str(&text);
		for (char *line = strtok_r((char *)text.data, "\r\n", &save); line != NULL;
			line = strtok_r(NULL, "\r\n", &save))
			take_line(sh->names, line);
	}
	msg_close_fds(&m);
	buf_free(&text);
	sh->names->at = clock_mono();
	sh->names->fresh = true;
}

static void each(const struct buf *b, void (*fn)(void *arg, const char *name), void *arg)
{
	for (size_t at = 0; at < b->len; at += strlen((const char *)b->data + at) + 1)
		fn(arg, (const char *)b->data + at);
}

void shell_names(struct shell *sh, enum complete kind, void (*fn)(void *arg, const char *name), void *arg)
{
	if (sh->names == NULL)
		sh->names = calloc(1, sizeof(*sh->names));
	if (sh->names == NULL)
		return;
	if (!sh->names->fresh || mono_since_ms(sh->names->at) > FRESH_SECONDS * 1000)
		refresh(sh);
	const struct buf *t = sh->names->text;
	if (kind == COMPLETE_HOST || kind == COMPLETE_END)
		each(&t[HOSTS], fn, arg);
	if (kind == COMPLETE_END)
		each(&t[GROUPS], fn, arg);
	if (kind == COMPLETE_SEGMENT || kind == COMPLETE_END)
		each(&t[SEGMENTS], fn, arg);
	if (kind == COMPLETE_RULE)
		each(&t[RULES], fn, arg);
}

void shell_names_free(struct shell *sh)
{
	for (int k = 0; sh->names != NULL && k < KINDS; k++)
		buf_free(&sh->names->text[k]);
	free(sh->names);
	sh->names = NULL;
}
