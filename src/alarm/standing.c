/* standing.c: which findings stand and were told (see standing.h). Full: a finding may be told twice, none is kept back. */
#include "standing.h"

#include <string.h>

static struct standing_item *find(struct standing *s, const char *code, const char *text)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->item[i].code, code) == 0 && strcmp(s->item[i].text, text) == 0)
			return &s->item[i];
	return NULL;
}

static void remove_item(struct standing *s, struct standing_item *it)
{
	*it = s->item[--s->n];
}

bool standing_began(struct standing *s, const char *code, const char *text)
{
	struct standing_item *it = find(s, code, text);

	if (it != NULL) {
		it->stale = false;
		return false;
	}
	if (s->n < STANDING_MAX) {
		it = &s->item[s->n++];
		it->stale = false;
		MSG_TEXT(it->code, code);
		MSG_TEXT(it->text, text);
	}
	return true;
}

void standing_cured(struct standing *s, const char *code, const char *text)
{
	struct standing_item *it = find(s, code, text);

	if (it != NULL)
		remove_item(s, it);
}

void standing_doubt(struct standing *s, int64_t until_ms)
{
	s->doubt_until = until_ms;
	for (unsigned i = 0; i < s->n; i++)
		s->item[i].stale = true;
}

bool standing_gone(struct standing *s, int64_t now_ms, struct standing_item *ret)
{
	if (now_ms < s->doubt_until)
		return false;
	for (unsigned i = 0; i < s->n; i++) {
		if (!s->item[i].stale)
			continue;
		*ret = s->item[i];
		remove_item(s, &s->item[i]);
		return true;
	}
	return false;
}
