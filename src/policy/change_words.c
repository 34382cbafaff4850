/*
 * change_words.c: one line that says what an object of the policy is.
 */
#include "change_parts.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <stdio.h>
#include <string.h>

static bool is_named(const struct word *w, const char *name)
{
	return w->text != NULL && strcmp(w->text, name) == 0;
}

static const struct model_host *find_host(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nhosts; i++)
		if (is_named(&m->hosts[i].name, name))
			return &m->hosts[i];
	return NULL;
}

static const char *segment_label(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nsegments; i++)
		if (is_named(&m->segments[i].name, name))
			return m->segments[i].label == NULL ? name : m->segments[i].label;
	return name;
}

const char *change_host(const struct change_side *side, const char *name)
{
	const struct model_host *h = name == NULL ? NULL : find_host(side->model, name);

	if (name == NULL)
		return "";
	return h == NULL ? segment_label(side->model, name) : h->label == NULL ? name : h->label;
}

static void put_addresses(struct buf *b, const struct prefixes *list)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < list->n; i++) {
		buf_printf(b, "%s%s", b->len == 0 ? "" : i == 0 ? ", " : " ", addr_format(&list->v[i].addr, text));
		if (list->v[i].has_len)
			buf_printf(b, "/%u", list->v[i].len);
	}
}

static void put_text(struct buf *b, const char *text)
{
	if (text != NULL)
		buf_printf(b, "%s%s", b->len == 0 ? "" : ", ", text);
}

/* "住民記録AP -> renkei, tcp/443 tls, until 2027-03-31" */
static void put_allow(struct buf *b, const struct change_side *side, const struct model_allow *a)
{
	buf_printf(b, _("%s -> %s"), change_host(side, a->from.text), change_host(side, a->to.text));
	for (size_t i = 0; i < a->nservices; i++)
		buf_printf(b, "%s%s", i == 0 ? ", " : " ", a->services[i].name.text);
	if (a->application != APP_NONE)
		buf_printf(b, " %s", application_word(a->application));
	if (a->hours_from != a->hours_to)
		buf_printf(b, ", %02u:%02u-%02u:%02u", a->hours_from / 60, a->hours_from % 60, a->hours_to / 60, a->hours_to % 60);
	buf_adds(b, ", ");
	if (a->expires.year != 0) {
		char date[48];
		snprintf(date, sizeof(date), "%04d-%02d-%02d", a->expires.year, a->expires.month, a->expires.day);
		buf_printf(b, _("until %s"), date);
	} else {
		buf_adds(b, _("without end"));
	}
	if (a->exception_line != 0)
		put_text(b, _("exception"));
}

static void put_host(struct buf *b, const struct model *m, const struct model_host *h)
{
	put_text(b, h->label);
	put_text(b, h->segment.text == NULL ? NULL : segment_label(m, h->segment.text));
	put_addresses(b, &h->addresses);
	put_text(b, h->section);
}

/* What the names of the list hold; each name has at most one entry in a text without errors. */
static void put_object(struct buf *b, const struct change_side *side, const char *object, const char *name)
{
	const struct model *m = side->model;

	for (size_t i = 0; strcmp(object, "allow") == 0 && i < m->nallows; i++)
		if (is_named(&m->allows[i].name, name))
			put_allow(b, side, &m->allows[i]);
	if (strcmp(object, "host") == 0 && find_host(m, name) != NULL)
		put_host(b, m, find_host(m, name));
	for (size_t i = 0; strcmp(object, "segment") == 0 && i < m->nsegments; i++)
		if (is_named(&m->segments[i].name, name))
			put_text(b, m->segments[i].label);
	for (size_t i = 0; strcmp(object, "router") == 0 && i < m->nrouters; i++)
		if (is_named(&m->routers[i].name, name))
			put_addresses(b, &m->routers[i].addresses);
	for (size_t i = 0; strcmp(object, "route") == 0 && i < m->nroutes; i++) {
		struct prefixes one = {.v = &m->routes[i].prefix, .n = 1};
		struct buf text = {0};
		put_addresses(&text, &one);
		if (strcmp(buf_str(&text), name) == 0 && m->routes[i].via.text != NULL)
			buf_printf(b, _("by %s"), m->routes[i].via.text);
		buf_free(&text);
	}
	for (size_t i = 0; strcmp(object, "host-group") == 0 && i < m->ngroups; i++)
		for (size_t k = 0; is_named(&m->groups[i].name, name) && k < m->groups[i].members.n; k++)
			put_text(b, m->groups[i].members.v[k].text);
}

const char *change_words(struct arena *a, const struct change_side *side, const char *object, const char *name)
{
	struct buf b = {0};

	if (name != NULL)
		put_object(&b, side, object, name);
	const char *text = b.len == 0 ? NULL : arena_strdup(a, buf_str(&b));
	buf_free(&b);
	return text;
}
