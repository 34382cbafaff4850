/*
 * load.c: `sekisho load hosts FILE.csv --policy FILE`: what a table of machines would change in a policy.
 *
 * Prints the difference and writes nothing: the lines of set with a '+' in front are what to paste or load. Input: a policy
 * file and a table (hostsheet.h), both the user's. With anything wrong in the table nothing of it is taken.
 */
#include "compare.h"
#include "console.h"
#include "findings.h"
#include "hostsheet.h"

#include <sekisho/arena.h>
#include <sekisho/candidate.h>
#include <sekisho/json.h>

#include <string.h>

struct loading {
	struct compare_side old, new;
	struct arena *arena;
	struct diag_list diags; /* of the table */
	struct hostsheet_counts counts;
	struct buf table;
	const char *path;
};

/* The policy's text with the table's hosts in it. */
static int apply(struct loading *l, const struct args *a)
{
	struct diag_list none;

	diag_init(&none, l->arena);
	struct candidate *c = candidate_new((const char *)l->old.text.data, l->old.text.len, &none);
	int code = c == NULL ? CONSOLE_ENV : CONSOLE_OK;
	if (code == CONSOLE_OK && hostsheet_load(c, l->table.data, l->table.len, &l->counts, &l->diags) != 0)
		code = CONSOLE_REFUSED;
	if (code == CONSOLE_OK) {
		candidate_print(c, NULL, &l->new.text);
		code = policy_file_text(&l->new.file, l->old.file.path, &l->new.text, a);
	}
	diag_sort(&l->diags);
	candidate_free(c);
	return code;
}

static int print_text(struct console *c, struct loading *l, int code)
{
	findings_text(&c->out, l->path, &l->diags);
	buf_printf(&c->out, _("%zu rows: %zu new hosts, %zu that were there"), l->counts.rows,
		l->counts.added, l->counts.known);
	buf_addc(&c->out, '\n');
	if (code != CONSOLE_OK) {
		buf_printf(&c->out, "%s\n", _("Nothing of the table was taken."));
		return code;
	}
	buf_addc(&c->out, '\n');
	return compare_print(c, &l->old, &l->new, NULL);
}

static int print_json(struct console *c, struct loading *l, int code)
{
	struct json j = json_init(&c->out);

	json_object(&j, NULL);
	json_str(&j, "table", l->path);
	json_bool(&j, "table_ok", code == CONSOLE_OK);
	json_uint(&j, "rows", l->counts.rows);
	json_uint(&j, "hosts_new", l->counts.added);
	json_uint(&j, "hosts_known", l->counts.known);
	json_object(&j, "table_findings");
	findings_json(&j, &l->diags);
	json_object_end(&j);
	if (code == CONSOLE_OK)
		code = compare_print(c, &l->old, &l->new, &j);
	json_object_end(&j);
	buf_addc(&c->out, '\n');
	return code;
}

int verb_load_hosts(struct console *c, const struct args *a)
{
	struct loading l = {.path = a->words[0], .arena = arena_new()};
	int code = l.arena == NULL ? CONSOLE_ENV : compare_open(&l.old, c, args_option(a, "--policy"), a);

	if (code == CONSOLE_OK) {
		diag_init(&l.diags, l.arena);
		int r = policy_file_read(l.path, &l.table);
		if (r < 0)
			code = console_fail(CONSOLE_ENV, "%s: %s", l.path, strerror(-r));
	}
	if (code == CONSOLE_OK) {
		code = apply(&l, a);
		if (code == CONSOLE_OK || code == CONSOLE_REFUSED)
			code = (c->json ? print_json : print_text)(c, &l, code);
	}
	compare_close(&l.old);
	compare_close(&l.new);
	buf_free(&l.table);
	arena_free(l.arena);
	return code;
}
