/*
 * words.c: words at a place of the schema, for the parser, for hints and for printing.
 */
#include "words.h"

#include "schema.h"
#include "tree.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/i18n.h>
#include <sekisho/strmap.h>

#include <string.h>

const struct place *scope_find(const struct scope *s, const char *word, size_t n, unsigned *ret_depth)
{
	unsigned depth = s->depth;

	for (;;) {
		const struct place *here = s->places[depth], *found = place_child(here, word, n);
		if (found != NULL) {
			if (ret_depth != NULL)
				*ret_depth = depth;
			return found;
		}
		/* Behind a list of bare values everything is a value; and no line leaves its first object. */
		bool swallows = here->bare != NULL && here->bare->kind == PLACE_LEAFLIST;
		if (swallows || depth <= 1)
			return NULL;
		depth--;
	}
}

static void add_possible(struct buf *out, const struct place *place)
{
	buf_adds(out, _("possible here: "));
	for (size_t i = 0; i < place->nchildren; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ", ", place->children[i]->word);
}

const char *words_possible(struct arena *arena, const struct place *place)
{
	struct buf b = {0};

	add_possible(&b, place);
	const char *s = arena_strdup(arena, buf_str(&b));
	buf_free(&b);
	return s;
}

const char *words_hint(struct arena *arena, const struct scope *s, const char *word)
{
	struct strmap *known = strmap_new();
	struct buf b = {0};

	for (unsigned d = s->depth;; d--) {
		for (size_t i = 0; i < s->places[d]->nchildren; i++)
			strmap_add(known, s->places[d]->children[i]->word, 0);
		if (d <= 1)
			break;
	}
	const char *nearest = strmap_nearest(known, word);
	if (nearest != NULL)
		buf_printf(&b, _("did you mean \"%s\"? "), nearest);
	add_possible(&b, s->places[s->depth]);
	const char *hint = arena_strdup(arena, buf_str(&b));
	buf_free(&b);
	strmap_free(known);
	return hint;
}

void words_add_quoted(struct buf *out, const char *value)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:/@+,*=%";

	if (value[0] != '\0' && value[strspn(value, plain)] == '\0') {
		buf_adds(out, value);
		return;
	}
	words_add_in_quotes(out, value);
}

void words_add_in_quotes(struct buf *out, const char *value)
{
	buf_addc(out, '"');
	for (const char *s = value; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

const char *words_quote(struct arena *arena, const char *value)
{
	struct buf b = {0};

	words_add_quoted(&b, value);
	const char *s = arena_strdup(arena, buf_str(&b));
	buf_free(&b);
	return s;
}

void words_add_path(struct buf *out, const struct node *node)
{
	if (node->parent == NULL) {
		buf_adds(out, "set");
		return;
	}
	words_add_path(out, node->parent);
	buf_printf(out, " %s", node->place->word);
	if (node->value != NULL) {
		buf_addc(out, ' ');
		words_add_quoted(out, node->value);
	}
}
