/*
 * findings.c: diagnostics as text and JSON, the same for `check` and `commit`.
 */
#include "findings.h"

#include "text.h"

#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>

void findings_text(struct buf *out, const char *file, const struct diag_list *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *it = &d->items[i];
		text_safe(out, file);
		if (it->line > 0)
			buf_printf(out, ":%u", it->line);
		buf_printf(out, ": %s: ", it->severity == DIAG_ERROR ? _("error") : _("warning"));
		text_safe(out, it->what);
		if (it->hint != NULL) {
			buf_adds(out, _("; "));
			text_safe(out, it->hint);
		}
		buf_adds(out, " [");
		text_safe(out, it->code);
		buf_adds(out, "]\n");
	}
	if (d->nerrors + d->nwarnings > d->n)
		buf_printf(out, _("%zu more findings are not shown\n"), d->nerrors + d->nwarnings - d->n);
}

static void finding_json(struct json *j, const struct diag *it)
{
	json_object(j, NULL);
	json_str(j, "severity", it->severity == DIAG_ERROR ? "error" : "warning");
	json_uint(j, "line", it->line);
	json_str(j, "code", it->code);
	json_str(j, "what", it->what);
	json_str(j, "hint", it->hint);
	json_object_end(j);
}

void findings_json(struct json *j, const struct diag_list *d)
{
	json_uint(j, "errors", d->nerrors);
	json_uint(j, "warnings", d->nwarnings);
	json_uint(j, "not_shown", d->nerrors + d->nwarnings - d->n);
	json_array(j, "diagnostics");
	for (size_t i = 0; i < d->n; i++)
		finding_json(j, &d->items[i]);
	json_array_end(j);
}
