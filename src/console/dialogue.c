/*
 * dialogue.c: one question of a guide, over and over until it is answered.
 *
 * Trust: answers are what a person typed, of any bytes; they are shown escaped and judged by the question's own check.
 * An answer `?` explains, `-` leaves an optional question empty. Nothing is kept here, so that an end in the middle
 * leaves nothing behind.
 */
#include "dialogue.h"

#include "text.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <stdarg.h>
#include <string.h>

#define INDENT 2

static void put_line(struct buf *out, const char *text)
{
	text_spaces(out, INDENT);
	text_wrap(out, text, INDENT, INDENT);
	buf_addc(out, '\n');
}

static void tell_buf(struct dialogue *d, struct buf *b)
{
	if (b->len > 0)
		d->tell(d->arg, buf_str(b));
	buf_free(b);
}

void dialogue_tell(struct dialogue *d, const char *fmt, ...)
{
	struct buf text = {0}, line = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	text_wrap(&line, buf_str(&text), 0, 0);
	buf_addc(&line, '\n');
	buf_free(&text);
	tell_buf(d, &line);
}

static void put_name(void *to, const char *name, const char *help)
{
	struct buf line = {0};

	text_pad(&line, name, 20);
	buf_addc(&line, ' ');
	buf_adds(&line, help);
	while (line.len > 0 && line.data[line.len - 1] == ' ')
		line.len--;
	text_spaces(to, INDENT + 2);
	text_wrap(to, buf_str(&line), INDENT + 2, INDENT + 2);
	buf_addc(to, '\n');
	buf_free(&line);
}

static void explain(struct dialogue *d, const struct dialogue_question *q)
{
	struct buf b = {0};

	if (q->about != NULL)
		put_line(&b, _(q->about));
	if (q->more != NULL)
		put_line(&b, _(q->more));
	if (q->names != NULL)
		q->names(q->arg, put_name, &b);
	if (q->optional)
		put_line(&b, _("An answer of - leaves it empty."));
	put_line(&b, _("Ctrl-C ends here; nothing is changed then."));
	tell_buf(d, &b);
}

/* Without the blanks at both ends. */
static void trim(struct buf *b)
{
	const char *text = buf_str(b);
	size_t first = strspn(text, " \t"), n = strlen(text);

	while (n > first && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	memmove(b->data, text + first, n - first);
	b->len = n - first;
}

static bool asked(struct dialogue *d, const struct dialogue_question *q, const char *otherwise, struct buf *answer)
{
	struct buf prompt = {0};

	text_safe(&prompt, _(q->title));
	if (otherwise[0] != '\0') {
		buf_adds(&prompt, " [");
		text_safe(&prompt, otherwise);
		buf_addc(&prompt, ']');
	}
	buf_adds(&prompt, ": ");
	d->now = q;
	buf_clear(answer);
	bool ok = d->ask(d->arg, buf_str(&prompt), answer);
	d->now = NULL;
	buf_free(&prompt);
	if (ok)
		trim(answer);
	return ok;
}

/* True when the answer ends the question. */
static bool take(struct dialogue *d, const struct dialogue_question *q, const char *text, struct buf *ret)
{
	struct buf wrong = {0}, line = {0};

	if (strcmp(text, "?") == 0) {
		explain(d, q);
		return false;
	}
	if (q->optional && (text[0] == '\0' || strcmp(text, "-") == 0))
		return true;
	bool ok = text[0] != '\0' && (q->check == NULL || q->check(q->arg, text, ret, &wrong));
	if (ok && q->check == NULL)
		buf_adds(ret, text);
	if (!ok) {
		buf_clear(ret);
		put_line(&line, wrong.len > 0 ? buf_str(&wrong) : _("This must be answered; `?` explains it, Ctrl-C ends."));
	}
	buf_free(&wrong);
	tell_buf(d, &line);
	return ok;
}

bool dialogue_ask(struct dialogue *d, const struct dialogue_question *q, struct buf *ret)
{
	const char *otherwise = q->otherwise != NULL ? q->otherwise : "";
	struct buf answer = {0}, about = {0};
	bool ok;

	if (q->about != NULL)
		put_line(&about, _(q->about));
	tell_buf(d, &about);
	buf_clear(ret);
	do {
		ok = asked(d, q, otherwise, &answer);
		if (ok && answer.len == 0)
			buf_adds(&answer, otherwise);
	} while (ok && !take(d, q, buf_str(&answer), ret));
	buf_free(&answer);
	return ok;
}

bool dialogue_yes(struct dialogue *d, const char *question, bool *ret)
{
	struct buf answer = {0}, prompt = {0};

	buf_printf(&prompt, "%s [y/N] ", question);
	bool ok = d->ask(d->arg, buf_str(&prompt), &answer);
	trim(&answer);
	const char *text = buf_str(&answer);
	*ret = ok && (strcmp(text, "y") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "はい") == 0);
	buf_free(&answer);
	buf_free(&prompt);
	return ok;
}
