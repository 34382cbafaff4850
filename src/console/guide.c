/*
 * guide.c: the policy behind a guide's questions, and its answers as lines of set.
 *
 * Input: a policy text, and a person's answers. Each answer is tried on an empty candidate, so that what is wrong is said
 * in the schema's own words before it becomes a line; names are looked up in the policy. Nothing leaves this memory: whoever
 * called decides what becomes of the lines.
 */
#include "guide.h"

#include "console.h"
#include "shell_words.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/candidate.h>
#include <sekisho/match.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- begin and end ------------------------------------------------------------------------------------------------ */

bool guide_begin(struct guide *g, struct dialogue *d, const struct buf *text)
{
	static const struct args none;
	struct diag_list diags;

	*g = (struct guide){.d = d};
	if (policy_file_text(&g->file, "candidate", text, &none) != CONSOLE_OK)
		return false;
	diag_init(&diags, g->file.arena);
	g->c = candidate_new((const char *)text->data, text->len, &diags);
	return g->c != NULL;
}

void guide_end(struct guide *g)
{
	candidate_free(g->c);
	buf_free(&g->lines);
	policy_file_close(&g->file);
}

/* -- lines -------------------------------------------------------------------------------------------------------- */

static void tell_diags(struct guide *g, const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->n; i++)
		dialogue_tell(g->d, "%s%s%s", diags->items[i].what, diags->items[i].hint != NULL ? _("; ") : "",
			diags->items[i].hint != NULL ? diags->items[i].hint : "");
}

bool guide_line(struct guide *g, const char *fmt, ...)
{
	struct diag_list diags;
	struct buf line = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	buf_addc(&line, '\n');
	diag_init(&diags, g->file.arena);
	bool ok = candidate_load(g->c, (const char *)line.data, line.len, false, NULL, &diags) == 0;
	if (ok)
		buf_add(&g->lines, line.data, line.len);
	else
		tell_diags(g, &diags);
	buf_free(&line);
	return ok;
}

bool guide_value(struct guide *g, const char *path, struct buf *value)
{
	struct buf quoted = {0};

	if (value->len == 0)
		return true;
	words_quoted(&quoted, buf_str(value));
	bool ok = guide_line(g, "set %s %s", path, buf_str(&quoted));
	buf_free(&quoted);
	return ok;
}

/* -- values of leaves --------------------------------------------------------------------------------------------- */

struct leaf_check {
	struct guide *g;
	const struct guide_leaf *leaf;
};

/* Would an empty candidate take it? */
static bool try_value(const struct leaf_check *k, const char *value, struct buf *wrong)
{
	struct arena *arena = arena_new();
	struct buf line = {0};
	struct diag_list diags;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	struct candidate *c = candidate_new("", 0, &diags);
	buf_printf(&line, "%s ", k->leaf->path);
	words_quoted(&line, value);
	bool ok = c != NULL && candidate_set(c, buf_str(&line), &diags) == 0;
	if (!ok && diags.n > 0) {
		buf_adds(wrong, diags.items[0].what);
		buf_adds(wrong, diags.items[0].hint != NULL ? _("; ") : "");
		buf_adds(wrong, diags.items[0].hint != NULL ? diags.items[0].hint : "");
	}
	candidate_free(c);
	arena_free(arena);
	buf_free(&line);
	return ok;
}

static bool check_leaf(void *arg, const char *answer, struct buf *ret, struct buf *wrong)
{
	const struct leaf_check *k = arg;
	bool ok = true;

	if (!k->leaf->many) {
		ok = try_value(k, answer, wrong);
		buf_adds(ret, answer);
		return ok;
	}
	char *copy = strdup(answer), *save = NULL;
	if (copy == NULL)
		abort();
	for (char *w = strtok_r(copy, " \t,", &save); ok && w != NULL; w = strtok_r(NULL, " \t,", &save)) {
		ok = try_value(k, w, wrong);
		buf_printf(ret, "%s%s", ret->len > 0 ? " " : "", w);
	}
	free(copy);
	return ok;
}

/* What the schema offers in this place. */
struct leaf_offer {
	dialogue_name *fn;
	void *to;
};

static bool offer_value(void *arg, const char *word, enum candidate_word kind, const char *help)
{
	const struct leaf_offer *o = arg;

	if (kind == CANDIDATE_VALUE || kind == CANDIDATE_NAME)
		o->fn(o->to, word, help);
	return true;
}

static void leaf_names(void *arg, dialogue_name *fn, void *to)
{
	const struct leaf_check *k = arg;
	struct leaf_offer o = {fn, to};
	struct buf line = {0};

	buf_printf(&line, "%s ", k->leaf->path);
	candidate_complete(k->g->c, CANDIDATE_FOR_SET, buf_str(&line), offer_value, &o);
	buf_free(&line);
}

bool guide_ask(struct guide *g, struct guide_leaf *leaf, struct buf *ret)
{
	struct leaf_check k = {g, leaf};

	leaf->q.check = check_leaf;
	leaf->q.names = leaf_names;
	leaf->q.arg = &k;
	return dialogue_ask(g->d, &leaf->q, ret);
}

bool guide_ask_set(struct guide *g, struct guide_leaf *leaf, struct buf *ret)
{
	if (!guide_ask(g, leaf, ret))
		return false;
	if (!leaf->many)
		return guide_value(g, leaf->path, ret);
	char *copy = strdup(buf_str(ret)), *save = NULL;
	bool ok = true;
	if (copy == NULL)
		abort();
	for (char *w = strtok_r(copy, " ", &save); ok && w != NULL; w = strtok_r(NULL, " ", &save)) {
		struct buf one = {0};
		buf_adds(&one, w);
		ok = guide_value(g, leaf->path, &one);
		buf_free(&one);
	}
	free(copy);
	return ok;
}

/* -- ends --------------------------------------------------------------------------------------------------------- */

const struct model_host *guide_find_host(const struct guide *g, const char *name)
{
	const struct model *m = g->file.model;

	for (size_t i = 0; i < m->nhosts; i++)
		if (strcmp(m->hosts[i].name.text, name) == 0)
			return &m->hosts[i];
	return NULL;
}

const struct model_allow *guide_find_allow(const struct guide *g, const char *name)
{
	const struct model *m = g->file.model;

	for (size_t i = 0; i < m->nallows; i++)
		if (strcmp(m->allows[i].name.text, name) == 0)
			return &m->allows[i];
	return NULL;
}

static const struct model_segment *find_segment(const struct model *m, const char *name)
{
	for (size_t i = 0; name != NULL && i < m->nsegments; i++)
		if (strcmp(m->segments[i].name.text, name) == 0)
			return &m->segments[i];
	return NULL;
}

bool guide_find_end(const struct guide *g, const char *name, struct guide_end_of *ret)
{
	const struct model *m = g->file.model;

	*ret = (struct guide_end_of){.host = guide_find_host(g, name)};
	if (ret->host != NULL) {
		ret->segment = find_segment(m, ret->host->segment.text);
		return true;
	}
	for (size_t i = 0; i < m->ngroups; i++) {
		if (strcmp(m->groups[i].name.text, name) != 0)
			continue;
		const struct words *members = &m->groups[i].members;
		const struct model_host *h = members->n == 0 ? NULL : guide_find_host(g, members->v[0].text);
		ret->segment = h == NULL ? NULL : find_segment(m, h->segment.text);
		return true;
	}
	ret->segment = find_segment(m, name);
	return ret->segment != NULL;
}

void guide_end_names(void *arg, dialogue_name *fn, void *to)
{
	const struct guide *g = arg;
	const struct model *m = g->file.model;

	for (size_t i = 0; i < m->nhosts; i++)
		fn(to, m->hosts[i].name.text, m->hosts[i].label != NULL ? m->hosts[i].label : "");
	for (size_t i = 0; i < m->ngroups; i++)
		fn(to, m->groups[i].name.text, _("host group"));
	for (size_t i = 0; i < m->nsegments; i++)
		fn(to, m->segments[i].name.text, m->segments[i].label != NULL ? m->segments[i].label : _("segment"));
}

struct end_check {
	struct guide *g;
	const char *other;
};

static void end_names(void *arg, dialogue_name *fn, void *to)
{
	guide_end_names(((struct end_check *)arg)->g, fn, to);
}

/* The host whose very address this is; NULL: none. */
static const char *host_by_address(const struct guide *g, const struct addr *a)
{
	const struct model *m = g->file.model;

	for (size_t i = 0; i < m->nhosts; i++)
		for (size_t k = 0; k < m->hosts[i].addresses.n; k++)
			if (addr_cmp(&m->hosts[i].addresses.v[k].addr, a) == 0)
				return m->hosts[i].name.text;
	return NULL;
}

/* "insatsu, insatu2": names that begin like it (three characters), at most five; else how to see them. */
static void put_like(const struct guide *g, const char *answer, struct buf *wrong)
{
	const struct model *m = g->file.model;
	unsigned n = 0;

	for (size_t i = 0; i < m->nhosts && n < 5; i++) {
		const char *name = m->hosts[i].name.text;
		size_t same = strlen(name) < 3 ? strlen(name) : 3;
		if (strncmp(name, answer, same) == 0)
			buf_printf(wrong, "%s%s", n++ == 0 ? _("; names like it: ") : ", ", name);
	}
	buf_adds(wrong, n == 0 ? _("; `?` lists the names, Tab completes them") : "");
	buf_adds(wrong, _(". A new machine is entered first: set host NAME segment SEGMENT address ADDRESS"));
}

static bool never(const struct guide *g, const struct guide_end_of *end, const char *other)
{
	struct guide_end_of far;

	if (other == NULL || !guide_find_end(g, other, &far) || far.segment == NULL || end->segment == NULL)
		return false;
	enum segment_kind a = far.segment->kind, b = end->segment->kind;
	return (a == KIND_MYNUMBER && b == KIND_INTERNET) || (a == KIND_INTERNET && b == KIND_MYNUMBER);
}

static bool check_end(void *arg, const char *answer, struct buf *ret, struct buf *wrong)
{
	const struct end_check *k = arg;
	struct guide_end_of end;
	struct addr a;

	if (addr_parse(answer, &a)) {
		const char *name = host_by_address(k->g, &a);
		if (name == NULL) {
			buf_printf(wrong, _("no host has the address %s; enter it first: set host NAME segment SEGMENT address %s"),
				answer, answer);
			return false;
		}
		answer = name;
	}
	if (!guide_find_end(k->g, answer, &end)) {
		buf_printf(wrong, _("there is no host, group or segment \"%s\""), answer);
		put_like(k->g, answer, wrong);
		return false;
	}
	if (k->other != NULL && strcmp(answer, k->other) == 0)
		buf_adds(wrong, _("both ends are the same: nothing between them crosses the gate"));
	else if (never(k->g, &end, k->other))
		buf_adds(wrong, _("mynumber and internet never talk to each other; no application can permit it. Name another end"));
	else
		buf_adds(ret, answer);
	return wrong->len == 0;
}

bool guide_ask_end(struct guide *g, struct dialogue_question *q, const char *other, struct buf *ret)
{
	struct end_check k = {g, other};

	q->check = check_end;
	q->names = end_names;
	q->arg = &k;
	return dialogue_ask(g->d, q, ret);
}

/* -- dates and names ---------------------------------------------------------------------------------------------- */

const char *guide_today(char buf[16])
{
	struct civil t = clock_civil(clock_wall());

	snprintf(buf, 16, "%04d-%02d-%02d", t.year % 10000, t.month % 100, t.day % 100);
	return buf;
}

const char *guide_year_end(int years, char buf[16])
{
	struct civil t = clock_civil(clock_wall());

	snprintf(buf, 16, "%04d-03-31", (t.year + (t.month > 3) + years) % 10000);
	return buf;
}

void guide_free_name(const struct guide *g, const char *word, struct buf *ret)
{
	unsigned n = 1;

	do {
		buf_clear(ret);
		buf_adds(ret, word);
		if (n > 1)
			buf_printf(ret, "-%u", n);
		n++;
	} while (guide_find_allow(g, buf_str(ret)) != NULL);
}

/* -- what check says ---------------------------------------------------------------------------------------------- */

static bool known(const struct diag_list *d, const char *what)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->items[i].what, what) == 0)
			return true;
	return false;
}

bool guide_findings(struct guide *g, struct buf *out)
{
	static const struct args none;
	struct policy_file f;
	struct buf text = {0}, line = {0};
	bool ok = true;

	candidate_print(g->c, NULL, &text);
	if (policy_file_text(&f, "candidate", &text, &none) == CONSOLE_OK)
		for (size_t i = 0; i < f.diags.n; i++) {
			const struct diag *d = &f.diags.items[i];
			if (known(&g->file.diags, d->what))
				continue;
			ok = ok && d->severity != DIAG_ERROR;
			buf_clear(&line);
			buf_printf(&line, "%s: %s%s%s", d->severity == DIAG_ERROR ? _("error") : _("warning"), d->what,
				d->hint != NULL ? _("; ") : "", d->hint != NULL ? d->hint : "");
			text_wrap(out, buf_str(&line), 0, 2);
			buf_addc(out, '\n');
		}
	policy_file_close(&f);
	buf_free(&text);
	buf_free(&line);
	return ok;
}
