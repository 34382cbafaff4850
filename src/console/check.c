/*
 * check.c: `sekisho check`: everything that is wrong with a policy file, in one run.
 */
#include "console.h"
#include "findings.h"
#include "policyfile.h"
#include "text.h"

#include <sekisho/json.h>

#include <string.h>
#include <sekisho/model.h>

static void print_text(struct buf *out, const struct policy_file *f)
{
	findings_text(out, f->path, &f->diags);
	text_safe(out, f->path);
	buf_printf(out, f->usable ? _(": usable; %zu errors, %zu warnings") : _(": REFUSED; %zu errors, %zu warnings"),
		f->diags.nerrors, f->diags.nwarnings);
	buf_printf(out, _(" (%zu segments, %zu hosts, %zu approved flows)\n"), f->model->nsegments, f->model->nhosts,
		f->model->nallows);
}

static void print_json(struct buf *out, const struct policy_file *f)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "policy", f->path);
	json_bool(&j, "ok", f->usable);
	findings_json(&j, &f->diags);
	json_uint(&j, "segments", f->model->nsegments);
	json_uint(&j, "hosts", f->model->nhosts);
	json_uint(&j, "rules", f->model->nallows);
	json_object_end(&j);
	buf_addc(out, '\n');
}

int verb_check(struct console *c, const struct args *a)
{
	struct policy_file f;

	if (strcmp(a->words[0], "path") == 0 && a->nwords > 2)
		return verb_check_path(c, a);
	if (a->nwords > 1)
		return console_fail(CONSOLE_USAGE, _("\"%s\" is one word too many"), a->words[1]);
	int code = policy_file_open(&f, a->words[0], a);

	if (code == CONSOLE_OK) {
		if (c->json)
			print_json(&c->out, &f);
		else
			print_text(&c->out, &f);
		code = f.usable ? CONSOLE_OK : CONSOLE_REFUSED;
	}
	policy_file_close(&f);
	return code;
}
