/*
 * diag.c: collects diagnostics and prints them for people and for programs.
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>

#include <stdarg.h>
#include <stdlib.h>

void diag_init(struct diag_list *d, struct arena *a)
{
	*d = (struct diag_list){.arena = a};
}

/* Where to keep the next one. When the list is full an error takes the place of the last warning; NULL: nowhere. */
static struct diag *room(struct diag_list *d, enum diag_severity severity)
{
	if (d->n < DIAG_KEEP_MAX) {
		d->nkept_errors += severity == DIAG_ERROR;
		return arena_push(d->arena, (void **)&d->items, &d->n, &d->cap, sizeof(*d->items));
	}
	if (severity != DIAG_ERROR || d->nkept_errors == DIAG_KEEP_MAX)
		return NULL;
	for (size_t i = d->n; i-- > 0;)
		if (d->items[i].severity == DIAG_WARNING) {
			d->nkept_errors++;
			return &d->items[i];
		}
	return NULL;
}

static void add(struct diag_list *d, enum diag_severity severity, uint32_t line, const char *code, const char *hint,
	const char *fmt, va_list ap)
{
	if (severity == DIAG_ERROR)
		d->nerrors++;
	else
		d->nwarnings++;
	struct diag *item = room(d, severity);
	if (item == NULL)
		return;
	const char *what = arena_vprintf(d->arena, fmt, ap);
	*item = (struct diag){severity, line, code, what, hint == NULL ? NULL : arena_strdup(d->arena, hint)};
}

void diag_error(struct diag_list *d, uint32_t line, const char *code, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, DIAG_ERROR, line, code, hint, fmt, ap);
	va_end(ap);
}

void diag_warning(struct diag_list *d, uint32_t line, const char *code, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, DIAG_WARNING, line, code, hint, fmt, ap);
	va_end(ap);
}

struct keyed {
	struct diag item;
	size_t order;
};

static int by_line(const void *pa, const void *pb)
{
	const struct keyed *a = pa, *b = pb;

	if (a->item.line != b->item.line)
		return a->item.line < b->item.line ? -1 : 1;
	if (a->item.severity != b->item.severity)
		return a->item.severity == DIAG_ERROR ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

void diag_sort(struct diag_list *d)
{
	struct keyed *k = ARENA_ARRAY(d->arena, d->n, struct keyed);

	for (size_t i = 0; i < d->n; i++)
		k[i] = (struct keyed){d->items[i], i};
	qsort(k, d->n, sizeof(*k), by_line);
	for (size_t i = 0; i < d->n; i++)
		d->items[i] = k[i].item;
}

void diag_print(const struct diag_list *d, const char *file, FILE *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *it = &d->items[i];
		fputs(file, out);
		if (it->line > 0)
			fprintf(out, ":%u", it->line);
		fprintf(out, ": %s: %s", it->severity == DIAG_ERROR ? _("error") : _("warning"), it->what);
		if (it->hint != NULL)
			fprintf(out, "; %s", it->hint);
		fprintf(out, " [%s]\n", it->code);
	}
	size_t total = d->nerrors + d->nwarnings;
	if (total > d->n)
		fprintf(out, _("%s: %zu more findings are not shown\n"), file, total - d->n);
}

void diag_json(const struct diag_list *d, struct buf *out)
{
	struct json j = json_init(out);

	json_array(&j, NULL);
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *it = &d->items[i];
		json_object(&j, NULL);
		json_str(&j, "severity", it->severity == DIAG_ERROR ? "error" : "warning");
		json_uint(&j, "line", it->line);
		json_str(&j, "code", it->code);
		json_str(&j, "what", it->what);
		json_str(&j, "hint", it->hint);
		json_object_end(&j);
	}
	json_array_end(&j);
}
