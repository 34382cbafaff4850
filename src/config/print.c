/*
 * print.c: a policy in canonical form: objects in the order of the schema, within it in the order of the
 * file; an object's leaves on one line as far as a line of PRINT_WIDTH bytes holds them; its lists and
 * containers on lines of their own behind it. A leaf with a remark is followed by it as a comment at the end of its
 * line; an object's note stands above its first line. Reading it back gives the same tree.
 */
#include "print.h"

#include "schema.h"
#include "tree.h"
#include "words.h"

#include <sekisho/buf.h>

#include <string.h>

#define PRINT_WIDTH 110

struct printer {
	struct buf *out;
	struct buf path, piece;
	size_t start; /* of the line in hand; out->len when there is none */
	const char *remark; /* for its end; NULL */
};

static void end_line(struct printer *p)
{
	if (p->out->len > p->start && p->remark != NULL)
		buf_printf(p->out, " # %s", p->remark);
	if (p->out->len > p->start)
		buf_addc(p->out, '\n');
	p->start = p->out->len;
	p->remark = NULL;
}

/* Appends " word value" to the line in hand, or begins a new line with the path. */
static void add_piece(struct printer *p)
{
	size_t here = p->out->len - p->start;

	if (here > 0 && here + p->piece.len > PRINT_WIDTH)
		end_line(p);
	if (p->out->len == p->start)
		buf_add(p->out, p->path.data, p->path.len);
	buf_add(p->out, p->piece.data, p->piece.len);
	buf_clear(&p->piece);
}

static void add_value(struct printer *p, const struct node *n)
{
	bool bare_list = n->place->parent->bare == n->place && n->place->kind == PLACE_LEAFLIST;

	if (!bare_list)
		buf_printf(&p->piece, " %s", n->place->word);
	if (!n->place->flag || strcmp(n->value, "true") != 0) {
		buf_addc(&p->piece, ' ');
		words_add_quoted(&p->piece, n->value);
	}
	add_piece(p);
	if (n->place->remark != NULL)
		p->remark = n->place->remark;
}

static bool is_value(const struct place *place)
{
	return place->kind == PLACE_LEAF || place->kind == PLACE_LEAFLIST;
}

void print_note(const char *prefix, const char *note, struct buf *out)
{
	while (note != NULL) {
		size_t n = strcspn(note, "\n");
		buf_printf(out, "%s#%s%.*s\n", prefix, n == 0 ? "" : " ", (int)n, note);
		note = note[n] == '\0' ? NULL : note + n + 1;
	}
}

static void add_note(struct printer *p, const char *note)
{
	print_note("", note, p->out);
	p->start = p->out->len;
}

static void add_place(struct printer *p, const struct node *node, const struct place *place)
{
	const struct node *leaf = place->kind == PLACE_LEAF ? tree_leaf(node, place) : NULL;

	if (leaf != NULL)
		add_value(p, leaf);
	for (const struct node *v = place->kind == PLACE_LEAFLIST ? node->items : NULL; v != NULL; v = v->next)
		if (v->place == place)
			add_value(p, v);
}

/* The values of a node: leaves and leaf-lists, on as few lines as hold them. */
static void print_values(struct printer *p, const struct node *node)
{
	bool alone = node->items == NULL && node->leaves == NULL;

	buf_clear(&p->path);
	words_add_path(&p->path, node);
	for (size_t i = 0; i < node->place->nchildren; i++)
		add_place(p, node, node->place->children[i]);
	/* An entry with nothing but its name is said all the same, and so is one whose note would be another's. */
	if (p->out->len == p->start && node->place->kind == PLACE_LIST && (alone || node->note != NULL))
		add_piece(p);
	end_line(p);
}

static void print_node(struct printer *p, const struct node *node)
{
	if (node->place->kind != PLACE_ROOT)
		add_note(p, node->note);
	print_values(p, node);
	for (size_t i = 0; i < node->place->nchildren; i++) {
		const struct place *c = node->place->children[i];
		if (is_value(c))
			continue;
		const struct node *inner = c->kind == PLACE_CONTAINER ? tree_leaf(node, c) : NULL;
		if (inner != NULL)
			print_node(p, inner);
		for (const struct node *e = c->kind == PLACE_LIST ? node->items : NULL; e != NULL;
			e = e->next)
			if (e->place == c)
				print_node(p, e);
	}
}

static void printer_end(struct printer *p)
{
	buf_free(&p->path);
	buf_free(&p->piece);
}

void print(const struct node *node, struct buf *out)
{
	struct printer p = {.out = out, .start = out->len};

	if (node->parent == NULL && node->note != NULL) {
		print_note("", node->note, out);
		buf_addc(out, '\n');
		p.start = out->len;
	}
	print_node(&p, node);
	if (node->parent == NULL && node->tail != NULL) {
		buf_addc(out, '\n');
		print_note("", node->tail, out);
	}
	printer_end(&p);
}

void print_own(const struct node *node, const struct place *place, struct buf *out)
{
	struct printer p = {.out = out, .start = out->len};

	if (place == NULL) {
		print_values(&p, node);
	} else {
		words_add_path(&p.path, node);
		add_place(&p, node, place);
		end_line(&p);
	}
	printer_end(&p);
}

void print_value(const struct node *value, struct buf *out)
{
	struct printer p = {.out = out, .start = out->len};

	words_add_path(&p.path, value->parent);
	add_value(&p, value);
	end_line(&p);
	printer_end(&p);
}
