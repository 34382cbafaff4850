/*
 * guide_renew.c: `guide renew`: flows that expire by the end of the fiscal year get a new last day, and a new approval.
 *
 * An approval of before is not taken over: each role that the flow needs, or had, is asked anew, for all at once or one by
 * one.
 */
#include "guide.h"

#include "text.h"

#include <sekisho/i18n.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends_by(const struct model_allow *a, const char *day)
{
	char text[48];

	snprintf(text, sizeof(text), "%04d-%02d-%02d", a->expires.year, a->expires.month, a->expires.day);
	return a->expires.year != 0 && a->window_line == 0 && strcmp(text, day) <= 0;
}

static size_t list_rules(struct guide *g, const char *day)
{
	const struct model *m = g->file.model;
	struct buf b = {0};
	size_t n = 0;

	for (size_t i = 0; i < m->nallows; i++) {
		const struct model_allow *a = &m->allows[i];
		if (!ends_by(a, day))
			continue;
		n++;
		buf_printf(&b, "  %04d-%02d-%02d  ", a->expires.year, a->expires.month, a->expires.day);
		text_pad(&b, a->name.text, 20);
		buf_addc(&b, ' ');
		text_safe(&b, a->purpose != NULL ? a->purpose : "");
		buf_addc(&b, '\n');
	}
	if (n > 0)
		g->d->tell(g->d->arg, buf_str(&b));
	buf_free(&b);
	return n;
}

static bool ask_day(struct guide *g, const char *name, struct buf *ret)
{
	struct buf path = {0};
	char end[16];

	buf_printf(&path, "allow %s expires", name);
	struct guide_leaf leaf = {.path = buf_str(&path),
		.q = {.title = N_("new last day"), .otherwise = guide_year_end(1, end),
			.about = N_("Up to the end of this day; usually the end of the next fiscal year.")}};
	bool ok = guide_ask(g, &leaf, ret);
	buf_free(&path);
	return ok;
}

static void add_role(struct buf *roles, const char *role)
{
	size_t n = strlen(role);

	for (const char *p = buf_str(roles); *p != '\0'; p += strcspn(p, "\n") + 1)
		if (strncmp(p, role, n) == 0 && p[n] == '\n')
			return;
	buf_printf(roles, "%s\n", role);
}

/* The roles that the flow needs, and those that it had. */
static void roles_of(const struct guide *g, const struct model_allow *a, struct buf *roles, bool *any)
{
	struct buf needed = {0};

	guide_roles(g, a->from.text, a->to.text, &needed, any);
	char *copy = strdup(buf_str(&needed)), *save = NULL;
	if (copy == NULL)
		abort();
	for (char *role = strtok_r(copy, "\n", &save); role != NULL; role = strtok_r(NULL, "\n", &save))
		add_role(roles, role);
	for (size_t i = 0; i < a->napprovals; i++)
		add_role(roles, a->approvals[i].role.text);
	*any = *any && roles->len == 0;
	free(copy);
	buf_free(&needed);
}

/* What was approved before does not stand for the new time. */
static bool drop_approvals(struct guide *g, const struct model_allow *a)
{
	bool ok = true;

	for (size_t i = 0; ok && i < a->napprovals; i++)
		ok = guide_line(g, "delete allow %s approval %s", a->name.text, a->approvals[i].role.text);
	return ok;
}

static bool renew_one(struct guide *g, const struct model_allow *a, struct buf *day)
{
	struct buf roles = {0}, path = {0};
	bool any;

	roles_of(g, a, &roles, &any);
	buf_printf(&path, "allow %s expires", a->name.text);
	bool ok = guide_value(g, buf_str(&path), day) && drop_approvals(g, a) && guide_ask_approvals(g, a->name.text,
		&roles, any);
	buf_free(&roles);
	buf_free(&path);
	return ok;
}

static bool one_by_one(struct guide *g, const char *until)
{
	const struct model *m = g->file.model;
	struct buf day = {0}, question = {0};
	bool ok = true, yes;

	for (size_t i = 0; ok && i < m->nallows; i++) {
		if (!ends_by(&m->allows[i], until))
			continue;
		buf_clear(&question);
		buf_printf(&question, _("Renew %s?"), m->allows[i].name.text);
		ok = dialogue_yes(g->d, buf_str(&question), &yes);
		if (ok && yes)
			ok = ask_day(g, m->allows[i].name.text, &day) && renew_one(g, &m->allows[i], &day);
	}
	buf_free(&day);
	buf_free(&question);
	return ok;
}

/* One day for all; the approvals of each flow are asked, as they are those of the flow. */
static bool all(struct guide *g, const char *until)
{
	const struct model *m = g->file.model;
	struct buf day = {0};
	bool ok = true;

	for (size_t i = 0; ok && i < m->nallows; i++) {
		if (!ends_by(&m->allows[i], until))
			continue;
		if (day.len == 0)
			ok = ask_day(g, m->allows[i].name.text, &day);
		if (ok)
			dialogue_tell(g->d, "%s:", m->allows[i].name.text);
		ok = ok && renew_one(g, &m->allows[i], &day);
	}
	buf_free(&day);
	return ok;
}

bool guide_renew(struct guide *g)
{
	char until[16];
	bool yes;

	guide_year_end(0, until);
	dialogue_tell(g->d, _("Flows that expire by %s:"), until);
	if (list_rules(g, until) == 0) {
		dialogue_tell(g->d, "%s", _("none; there is nothing to renew."));
		return true;
	}
	if (!dialogue_yes(g->d, _("All of them to the same day? (no: one by one)"), &yes))
		return false;
	return yes ? all(g, until) : one_by_one(g, until);
}
