/*
 * clean_text.c: text of the output while it is gathered: filtered, in CR LF, within a fixed memory.
 *
 * Input: UTF-8 of decoders and of ourselves. Each piece passes the filter of mailtext.h once, so what lies here is what
 * will be written. Limits: the size of the memory; what is beyond is left out at the end of a character, and `full` says so.
 * In direction out nothing is kept: the same text is searched for individual numbers.
 */
#include "clean_private.h"

#include <stdarg.h>
#include <stdio.h>

#include <sekisho/unset.h>

#define END 2u /* bytes kept free for the last line end */

static void end_line(struct clean_text *t)
{
	t->gap = false;
	if (t->n + 2 * END > t->max)
		return;
	memcpy(t->data + t->n, "\r\n", 2);
	t->n += 2;
}

static void append(void *arg, const char *utf8, size_t n)
{
	struct clean_text *t = arg;

	if (n == 0)
		return;
	if (t->search != NULL) {
		mynumber_push(t->search, utf8, n);
		return;
	}
	if (t->gap)
		end_line(t);
	size_t room = t->max - END - t->n;
	if (t->full || n > room) {
		n = t->full ? 0 : room;
		t->full = true;
		while (n > 0 && (utf8[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(t->data + t->n, utf8, n);
	t->n += n;
}

void clean_text_begin(struct clean_text *t, unsigned quote, bool private_use)
{
	t->start = t->n;
	t->quote = quote;
	t->bol = true;
	mailtext_begin(&t->filter, &(struct mailtext_options){
		.sink = append, .arg = t, .crlf = true, .defang = true, .private_use = private_use});
}

static void put_quoted(struct clean_text *t, const char *utf8, size_t n)
{
	while (n > 0) {
		const char *end = memchr(utf8, '\n', n);
		size_t line = end == NULL ? n : (size_t)(end - utf8) + 1;
		for (unsigned i = 0; t->bol && i < t->quote; i++)
			mailtext_put(&t->filter, "> ", 2);
		mailtext_put(&t->filter, utf8, line);
		t->bol = end != NULL;
		utf8 += line;
		n -= line;
	}
}

void clean_text_put(struct clean_text *t, const char *utf8, size_t n)
{
	if (t->full)
		return;
	if (t->quote == 0)
		mailtext_put(&t->filter, utf8, n);
	else
		put_quoted(t, utf8, n);
}

void clean_text_filtered(struct clean_text *t, const char *utf8, size_t n)
{
	while (n > 0 && !t->full) {
		const char *end = memchr(utf8, '\n', n);
		size_t line = end == NULL ? n : (size_t)(end - utf8);
		for (unsigned i = 0; t->bol && i < t->quote; i++)
			append(t, "> ", 2);
		append(t, utf8, line);
		t->bol = end != NULL;
		if (end == NULL)
			return;
		append(t, "\r\n", 2);
		utf8 += line + 1;
		n -= line + 1;
	}
}

void clean_text_say(struct clean_text *t, const char *fmt, ...)
{
	char line[4096] UNSET;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		clean_text_put(t, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t clean_text_end(struct clean_text *t)
{
	mailtext_end(&t->filter);
	t->dropped += t->filter.dropped;
	t->replaced += t->filter.replaced;
	if (t->search != NULL) {
		mynumber_break(t->search);
		return 0;
	}
	while (t->n > t->start && is_blank(t->data[t->n - 1]))
		t->n--;
	if (t->n == t->start)
		return 0;
	memcpy(t->data + t->n, "\r\n", 2);
	t->n += 2;
	return t->n - t->start;
}

void clean_text_gap(struct clean_text *t)
{
	t->gap = t->n > 0;
}
