/*
 * compare.c: `sekisho compare OLD NEW`: what leads from one policy to another, as lines of set and in plain words.
 *
 * Input: two files, or one and the policy that is in force. Both are read and compiled in this process; nothing is put
 * in force. A policy with errors is compared as far as it was understood, its errors are printed, and the exit code is 1.
 */
#include "compare.h"

#include "console.h"
#include "findings.h"
#include "running.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/change.h>
#include <sekisho/json.h>
#include <sekisho/model.h>

#include <string.h>

int compare_open(struct compare_side *s, struct console *c, const char *path, const struct args *a)
{
	int code = CONSOLE_OK;

	if (path == NULL) {
		code = running_read(c, &s->text);
	} else {
		int r = policy_file_read(path, &s->text);
		if (r < 0)
			code = console_fail(CONSOLE_ENV, "%s: %s", path, strerror(-r));
	}
	return code == CONSOLE_OK ? policy_file_text(&s->file, path == NULL ? "running" : path, &s->text, a) : code;
}

void compare_close(struct compare_side *s)
{
	buf_free(&s->text);
	policy_file_close(&s->file);
}

static struct change_side change_side_of(const struct compare_side *s)
{
	return (struct change_side){.text = (const char *)s->text.data, .n = s->text.len, .model = s->file.model,
		.ir = s->file.usable ? &s->file.ir : NULL};
}

static void print_json(struct json *j, const struct compare_side *new, const struct change *ch, struct buf *lines)
{
	json_bool(j, "ok", new->file.usable);
	json_array(j, "lines");
	for (const char *p = buf_str(lines); *p != '\0'; p += strcspn(p, "\n") + 1)
		json_strn(j, NULL, p, strcspn(p, "\n"));
	json_array_end(j);
	change_json(ch, j);
	findings_json(j, &new->file.diags);
}

/* Plain words, wrapped to the terminal; what goes on stands behind its beginning. */
static void print_words(struct buf *out, const struct change *ch)
{
	struct buf text = {0};

	change_text(ch, &text);
	for (char *p = (buf_str(&text), (char *)text.data), *end; *p != '\0'; p = end + 1) {
		size_t blanks = strspn(p, " ");
		end = p + strcspn(p, "\n");
		*end = '\0';
		text_spaces(out, blanks);
		text_wrap(out, p + blanks, blanks, blanks + 4);
		buf_addc(out, '\n');
	}
	buf_free(&text);
}

bool compare_words(const struct compare_side *old, struct compare_side *new, struct buf *out)
{
	struct change_side a = change_side_of(old), b = change_side_of(new);
	struct change ch;

	if (!change_find(new->file.arena, &a, &b, new->file.at, &ch))
		return false;
	print_words(out, &ch);
	return true;
}

int compare_print(struct console *c, struct compare_side *old, struct compare_side *new, struct json *j)
{
	struct change_side a = change_side_of(old), b = change_side_of(new);
	struct change ch;
	struct buf lines = {0};
	bool done = candidate_compare(a.text, a.n, b.text, b.n, &lines) &&
		    change_find(new->file.arena, &a, &b, new->file.at, &ch);

	if (done && j != NULL) {
		print_json(j, new, &ch, &lines);
	} else if (done) {
		buf_add(&c->out, lines.data, lines.len);
		if (lines.len > 0)
			buf_addc(&c->out, '\n');
		print_words(&c->out, &ch);
		if (!new->file.usable)
			findings_text(&c->out, new->file.path, &new->file.diags);
	}
	buf_free(&lines);
	if (!done)
		return console_fail(CONSOLE_ENV, _("the schema cannot be loaded: %s"), "libyang");
	return new->file.usable ? CONSOLE_OK : CONSOLE_REFUSED;
}

int verb_compare(struct console *c, const struct args *a)
{
	struct compare_side old = {0}, new = {0};
	bool two = a->nwords > 1;
	struct json j = json_init(&c->out);
	int code = compare_open(&old, c, two ? a->words[0] : NULL, a);

	if (code == CONSOLE_OK)
		code = compare_open(&new, c, a->words[two ? 1 : 0], a);
	if (code == CONSOLE_OK && c->json) {
		json_object(&j, NULL);
		json_str(&j, "old", old.file.path);
		json_str(&j, "new", new.file.path);
	}
	if (code == CONSOLE_OK)
		code = compare_print(c, &old, &new, c->json ? &j : NULL);
	if (c->json && (code == CONSOLE_OK || code == CONSOLE_REFUSED)) {
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	}
	compare_close(&old);
	compare_close(&new);
	return code;
}
