/*
 * schema.c: loads sekisho.yang (compiled into the program) and mirrors it as places.
 *
 * Input: our own module, so a failure here is a fault of the build or of libyang, never of a policy.
 * Standard: RFC 7950 (YANG 1.1). libyang's own messages are kept off the terminal: diagnostics are ours.
 */
#include "schema.h"

#include "fields.h"

#include <sekisho/arena.h>
#include <sekisho/i18n.h>

#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>

/* Generated from sekisho.yang. */
extern const char schema_yang[];

static struct {
	struct arena *arena;
	struct ly_ctx *ctx;
	struct lys_module *module;
	struct place *root;
	unsigned nplaces;
	const char *why;
} schema;

const char *schema_ext(const struct lysc_ext_instance *exts, const char *name)
{
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(exts, i)
	{
		if (strcmp(exts[i].def->name, name) == 0)
			return exts[i].argument == NULL ? "" : exts[i].argument;
	}
	return NULL;
}

static bool is_transparent(const struct lysc_node *node)
{
	return schema_ext(node->exts, "transparent") != NULL;
}

static bool is_key(const struct lysc_node *node)
{
	return node->nodetype == LYS_LEAF && (node->flags & LYS_KEY) != 0;
}

/* How many words stand within a node, those of its transparent containers included. */
static size_t count_words(const struct lysc_node *first)
{
	size_t n = 0;

	for (const struct lysc_node *c = first; c != NULL; c = c->next)
		n += is_transparent(c) ? count_words(lysc_node_child(c)) : !is_key(c);
	return n;
}

static enum place_kind kind_of(const struct lysc_node *node)
{
	switch (node->nodetype) {
	case LYS_CONTAINER:
		return PLACE_CONTAINER;
	case LYS_LIST:
		return PLACE_LIST;
	case LYS_LEAF:
		return PLACE_LEAF;
	default:
		return PLACE_LEAFLIST;
	}
}

/* What the schema says of a leaf's type, default and number. */
static void read_limits(struct place *p, bool *ret_required)
{
	const struct lysc_node *node = p->node;

	*ret_required = false;
	p->max = UINT32_MAX;
	if (p->kind == PLACE_LEAF) {
		const struct lysc_node_leaf *leaf = (const struct lysc_node_leaf *)node;
		p->type = leaf->type;
		p->units = leaf->units;
		p->fallback = leaf->dflt == NULL ? NULL : lyd_value_get_canonical(schema.ctx, leaf->dflt);
		*ret_required = (node->flags & LYS_MAND_TRUE) != 0;
	} else if (p->kind == PLACE_LEAFLIST) {
		const struct lysc_node_leaflist *list = (const struct lysc_node_leaflist *)node;
		p->type = list->type;
		p->max = list->max;
		*ret_required = list->min > 0;
	} else if (p->kind == PLACE_LIST) {
		p->max = ((const struct lysc_node_list *)node)->max;
	}
}

static struct place *add_place(const struct lysc_node *node, struct place *parent);

static void add_children(struct place *parent, const struct lysc_node *first)
{
	for (const struct lysc_node *c = first; c != NULL; c = c->next) {
		if (is_transparent(c)) {
			add_children(parent, lysc_node_child(c));
			continue;
		}
		struct place *p = add_place(c, parent);
		if (is_key(c))
			parent->key = p;
		else
			parent->children[parent->nchildren++] = p;
	}
}

static struct place *add_place(const struct lysc_node *node, struct place *parent)
{
	struct place *p = ARENA_NEW(schema.arena, struct place);
	bool required;

	*p = (struct place){.kind = kind_of(node),
		.id = schema.nplaces++,
		.word = node->name,
		.len = strlen(node->name),
		.node = node,
		.parent = parent,
		.text = node->dsc};
	p->ja = schema_ext(node->exts, "ja");
	p->ja_units = schema_ext(node->exts, "ja-units");
	p->example = schema_ext(node->exts, "example");
	p->remark = schema_ext(node->exts, "remark");
	p->flag = schema_ext(node->exts, "flag") != NULL;
	p->has_must = lysc_node_musts(node) != NULL;
	read_limits(p, &required);
	if (schema_ext(node->exts, "bare") != NULL)
		parent->bare = p;
	if (required) {
		/* Distinct bits: no place has more than 32 required children (checked by the unit test). */
		p->required_bit = parent->required + 1;
		parent->required |= p->required_bit;
	}
	const struct lysc_node *first = lysc_node_child(node);
	p->children = ARENA_ARRAY(schema.arena, count_words(first), struct place *);
	add_children(p, first);
	return p;
}

/* Gives every leaf and list its place in the model; false when the table knows it not. */
static bool bind_fields(struct place *p)
{
	p->field = p->kind == PLACE_ROOT ? NULL : fields_find(p);
	if (p->field == NULL && p->kind != PLACE_ROOT && p->kind != PLACE_CONTAINER) {
		schema.why = arena_printf(schema.arena, "%s has no field in the model", p->word);
		return false;
	}
	if (p->key != NULL && !bind_fields(p->key))
		return false;
	for (size_t i = 0; i < p->nchildren; i++)
		if (!bind_fields(p->children[i]))
			return false;
	return true;
}

/* The list of the top that a leafref points to, or that has this word. */
static const struct place *find_list(const struct place *root, const struct lysc_node *target, const char *word, size_t n)
{
	for (size_t i = 0; i < root->nchildren; i++) {
		const struct place *c = root->children[i];
		bool it = word == NULL ? target != NULL && c->node == target->parent : place_child(root, word, n) == c;
		if (c->kind == PLACE_LIST && it)
			return c;
	}
	return NULL;
}

/* Which entries a value may name; false when the schema names a list that is not there. */
static bool bind_names(const struct place *root, struct place *p)
{
	const char *s = p->type == NULL ? NULL : schema_ext(p->node->exts, "names");
	unsigned found = 0;

	if (p->type != NULL && p->type->basetype == LY_TYPE_LEAFREF) {
		const char *path = lyxp_get_expr(((const struct lysc_type_leafref *)p->type)->path);
		p->names[found++] = find_list(root, lys_find_path(schema.ctx, NULL, path, 0), NULL, 0);
	}
	while (s != NULL && *s != '\0' && found < PLACE_NAMES) {
		size_t n = strcspn(s, " ");
		p->names[found++] = find_list(root, NULL, s, n);
		s += n + strspn(s + n, " ");
	}
	bool good = (s == NULL || *s == '\0') && (found == 0 || p->names[found - 1] != NULL);
	if (!good)
		schema.why = arena_printf(schema.arena, "%s names a list that is not there", p->word);
	if (p->key != NULL)
		good = bind_names(root, p->key) && good;
	for (size_t i = 0; i < p->nchildren; i++)
		good = bind_names(root, p->children[i]) && good;
	return good;
}

static bool load(void)
{
	uint16_t options = LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIRS | LY_CTX_DISABLE_SEARCHDIR_CWD;

	schema.why = N_("out of memory");
	schema.arena = arena_new();
	if (schema.arena == NULL)
		return false;
	ly_log_options(LY_LOSTORE_LAST);
	schema.why = N_("libyang does not start");
	if (ly_ctx_new(NULL, options, &schema.ctx) != LY_SUCCESS)
		return false;
	if (lys_parse_mem(schema.ctx, schema_yang, LYS_IN_YANG, &schema.module) != LY_SUCCESS) {
		const char *msg = ly_errmsg(schema.ctx);
		schema.why = arena_strdup(schema.arena, msg == NULL ? "the schema does not load" : msg);
		return false;
	}
	struct place *root = ARENA_NEW(schema.arena, struct place);
	*root = (struct place){.kind = PLACE_ROOT, .id = schema.nplaces++, .word = "", .max = 1};
	const struct lysc_node *first = schema.module->compiled->data;
	root->children = ARENA_ARRAY(schema.arena, count_words(first), struct place *);
	add_children(root, first);
	if (!bind_fields(root) || !bind_names(root, root))
		return false;
	schema.root = root;
	return true;
}

const struct place *schema_open(const char **ret_why)
{
	if (schema.root == NULL && !load()) {
		*ret_why = schema.why;
		ly_ctx_destroy(schema.ctx);
		schema.ctx = NULL;
		return NULL;
	}
	return schema.root;
}

struct ly_ctx *schema_ctx(void)
{
	return schema.ctx;
}

const struct lys_module *schema_module(void)
{
	return schema.module;
}

unsigned schema_places(void)
{
	return schema.nplaces;
}

const struct place *place_child(const struct place *place, const char *word, size_t len)
{
	for (size_t i = 0; i < place->nchildren; i++) {
		const struct place *c = place->children[i];
		if (c->len == len && memcmp(c->word, word, len) == 0)
			return c;
	}
	return NULL;
}
