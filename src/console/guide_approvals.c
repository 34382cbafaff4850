/*
 * guide_approvals.c: whose approval a flow needs, and the questions about each.
 *
 * The cases are those of the compiler (policy/guard.c), which has the last word: this only knows what to ask.
 */
#include "guide.h"

#include <sekisho/i18n.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_pair(const struct guide_end_of *a, const struct guide_end_of *b, enum segment_kind x, enum segment_kind y)
{
	return (a->segment->kind == x && b->segment->kind == y) || (a->segment->kind == y && b->segment->kind == x);
}

static bool has_line(struct buf *lines, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = buf_str(lines); *p != '\0'; p += strcspn(p, "\n") + 1)
		if (strncmp(p, word, n) == 0 && p[n] == '\n')
			return true;
	return false;
}

/* The roles of a case; false when the policy says nothing of it. */
static bool add_case(const struct guide *g, const char *kase, struct buf *ret)
{
	const struct model_system *s = &g->file.model->system;

	for (size_t i = 0; i < s->napproval_required; i++) {
		if (strcmp(s->approval_required[i].kase.text, kase) != 0)
			continue;
		for (size_t k = 0; k < s->approval_required[i].roles.n; k++)
			if (!has_line(ret, s->approval_required[i].roles.v[k].text))
				buf_printf(ret, "%s\n", s->approval_required[i].roles.v[k].text);
		return true;
	}
	return false;
}

void guide_roles(const struct guide *g, const char *from, const char *to, struct buf *ret, bool *ret_any)
{
	struct guide_end_of a, b;

	*ret_any = false;
	if (!guide_find_end(g, from, &a) || !guide_find_end(g, to, &b) || a.segment == NULL || b.segment == NULL)
		return;
	bool crosses = a.segment != b.segment;
	if (crosses && (a.segment->kind == KIND_MYNUMBER || b.segment->kind == KIND_MYNUMBER))
		*ret_any = !add_case(g, "mynumber", ret);
	if ((a.host != NULL && a.host->external.text != NULL) || (b.host != NULL && b.host->external.text != NULL))
		add_case(g, "external", ret);
	if (is_pair(&a, &b, KIND_LGWAN, KIND_INTERNET))
		add_case(g, "lgwan-internet", ret);
	if (strcmp(a.segment->name.text, "mynumber") != 0)
		add_case(g, a.segment->name.text, ret);
	if (crosses && strcmp(b.segment->name.text, "mynumber") != 0)
		add_case(g, b.segment->name.text, ret);
	*ret_any = *ret_any && ret->len == 0;
}

static bool ask_one(struct guide *g, const char *allow, const char *role)
{
	struct buf name_path = {0}, date_path = {0}, number_path = {0}, value = {0};
	char today[16];

	buf_printf(&name_path, "allow %s approval %s name", allow, role);
	buf_printf(&date_path, "allow %s approval %s date", allow, role);
	buf_printf(&number_path, "allow %s approval %s number", allow, role);
	dialogue_tell(g->d, _("The approval of %s is needed."), role);
	bool ok = guide_ask_set(g, &(struct guide_leaf){.path = buf_str(&name_path),
					   .q = {.title = N_("approved by"),
						.about = N_("The name or office of the one who approved.")}},
			  &value) &&
		  guide_ask_set(g, &(struct guide_leaf){.path = buf_str(&date_path),
					   .q = {.title = N_("approved on"),
						.about = N_("The date of the approval, such as 2026-04-01."),
						   .otherwise = guide_today(today)}},
			  &value) &&
		  guide_ask_set(g, &(struct guide_leaf){.path = buf_str(&number_path),
					   .q = {.title = N_("number of the approval"),
						   .about = N_("As on the form; leave it empty when there is none."),
							.optional = true}},
			  &value);
	buf_free(&name_path);
	buf_free(&date_path);
	buf_free(&number_path);
	buf_free(&value);
	return ok;
}

bool guide_ask_approvals(struct guide *g, const char *allow, struct buf *roles, bool any)
{
	bool ok = true;

	if (any) {
		struct guide_leaf leaf = {.path = "system approval-required mynumber role",
			.q = {.title = N_("role of the approver"), .otherwise = "ciso",
				.about = N_("What touches mynumber needs an approval; the policy names no role, so say whose it is.")}};
		ok = guide_ask(g, &leaf, roles);
		buf_addc(roles, '\n');
	}
	char *copy = strdup(buf_str(roles)), *save = NULL;
	if (copy == NULL)
		abort();
	for (char *role = strtok_r(copy, "\n", &save); ok && role != NULL; role = strtok_r(NULL, "\n", &save))
		ok = ask_one(g, allow, role);
	free(copy);
	return ok;
}
