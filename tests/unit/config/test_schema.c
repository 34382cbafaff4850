/* test_schema.c: what the code takes for granted of sekisho.yang, and what the manual promises of every word.
 */
#include "fields.h"
#include "schema.h"
#include "value.h"
#include "words.h"

#include <sekisho/model.h>

#include <libyang/libyang.h>

#include "test.h"

static const struct place *root;
static unsigned nvalues;

/* Names the place that a failed check is about. */
static void blame(const struct place *p, const char *what)
{
	test_failures++;
	printf("%s %s: %s\n", p->parent == NULL ? "" : p->parent->word, p->word, what);
}

#define WANT(p, cond, what)                                                                                  \
	do {                                                                                                 \
		test_checks++;                                                                               \
		if (!(cond))                                                                                 \
			blame(p, what);                                                                      \
	} while (0)

/* The possible values of an enumeration, also of one within a union. */
static void check_values_explained(const struct place *p, const struct lysc_type *type)
{
	const struct lysc_type_enum *e = (const struct lysc_type_enum *)type;
	const struct lysc_type_union *u = (const struct lysc_type_union *)type;
	LY_ARRAY_COUNT_TYPE i;

	if (type->basetype == LY_TYPE_UNION)
		LY_ARRAY_FOR(u->types, i)
			check_values_explained(p, u->types[i]);
	if (type->basetype != LY_TYPE_ENUM)
		return;
	LY_ARRAY_FOR(e->enums, i)
	{
		const char *ja = schema_ext(e->enums[i].exts, "ja");
		WANT(p, e->enums[i].dsc != NULL && e->enums[i].dsc[0] != '\0' && ja != NULL && ja[0] != '\0',
			e->enums[i].name);
	}
}

static void check_value_place(const struct place *p)
{
	bool closed = p->type->basetype == LY_TYPE_ENUM || p->type->basetype == LY_TYPE_BOOL;

	nvalues++;
	WANT(p, p->field != NULL && p->field->kind != NULL && p->field->kind->store != NULL, "goes nowhere");
	WANT(p, p->field->kind->refusal != NULL, "has no sentence for a wrong value");
	WANT(p, closed || p->example != NULL, "has no example");
	WANT(p, p->example == NULL || value_check(p, p->example, strlen(p->example)) == NULL,
		"its example is refused");
	WANT(p, p->fallback == NULL || value_check(p, p->fallback, strlen(p->fallback)) == NULL,
		"its default is refused");
	if (p->type->basetype >= LY_TYPE_UINT8 && p->type->basetype <= LY_TYPE_UINT64) {
		const struct lysc_range *r = ((const struct lysc_type_num *)p->type)->range;
		WANT(p, r != NULL && LY_ARRAY_COUNT(r->parts) == 1, "its number has not one range");
	}
	WANT(p, (p->units == NULL) == (p->ja_units == NULL), "its units are not in both languages");
	WANT(p, !p->flag || p->type->basetype == LY_TYPE_BOOL, "a flag that is no boolean");
	WANT(p, p->text != NULL && p->text[0] != '\0' && p->ja != NULL && p->ja[0] != '\0', "is not explained in both languages");
	check_values_explained(p, p->type);
}

/* No word may be known at two depths of one line: there is one reading only. */
static void check_one_reading(const struct place *p)
{
	for (const struct place *outer = p->parent; outer != NULL && outer->kind != PLACE_ROOT;
		outer = outer->parent)
		for (size_t i = 0; i < p->nchildren; i++) {
			const struct place *c = p->children[i];
			WANT(c, place_child(outer, c->word, c->len) == NULL, "is also known further out");
		}
}

static void check_place(const struct place *p, unsigned depth)
{
	unsigned required = 0;

	WANT(p, depth < SCOPE_DEPTH - 1, "is too deep");
	for (size_t i = 0; i < p->nchildren; i++) {
		const struct place *c = p->children[i];
		required += c->required_bit != 0;
		WANT(c, c->text != NULL && c->ja != NULL && c->ja[0] != '\0',
			"is not explained in both languages");
		if (c->type != NULL)
			check_value_place(c);
		if (c->kind == PLACE_LIST)
			check_value_place(c->key);
		if (c->kind == PLACE_LEAFLIST)
			WANT(c, ((const struct lysc_node_leaflist *)c->node)->min <= 1,
				"more than one is required");
		WANT(c, c->kind == PLACE_LEAF || c->kind == PLACE_CONTAINER || c->max < UINT32_MAX,
			"has no upper bound");
		check_place(c, depth + 1);
	}
	WANT(p, required <= 32, "has more required children than bits");
	check_one_reading(p);
}

/* Every row of the table is used; a place finds one row only by its path. */
static unsigned count_fields(const struct place *p, const struct field *f)
{
	unsigned n = (p->field == f) + (p->key != NULL && p->key->field == f);

	for (size_t i = 0; i < p->nchildren; i++)
		n += count_fields(p->children[i], f);
	return n;
}

static void test_fields(void)
{
	size_t n;
	const struct field *table = fields_table(&n);

	for (size_t i = 0; i < n; i++) {
		if (count_fields(root, &table[i]) != 1)
			printf("row \"%s\":\n", table[i].path);
		CHECK_INT(count_fields(root, &table[i]), 1);
	}
}

static const struct lysc_type_enum *enum_of(const char *outer, const char *inner)
{
	const struct place *p = place_child(root, outer, strlen(outer));

	p = place_child(p, inner, strlen(inner));
	CHECK(p != NULL && p->type->basetype == LY_TYPE_ENUM);
	return (const struct lysc_type_enum *)p->type;
}

static bool has_enum(const struct lysc_type_enum *t, const char *word)
{
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(t->enums, i)
	{
		if (strcmp(t->enums[i].name, word) == 0)
			return true;
	}
	return false;
}

/* The words of model.h's enums and of the schema are the same. */
static void test_enums(void)
{
	const struct lysc_type_enum *t = enum_of("allow", "application");

	CHECK_INT(LY_ARRAY_COUNT(t->enums), APP_END - 1);
	for (int a = APP_NONE + 1; a < APP_END; a++)
		CHECK(has_enum(t, application_word((enum application)a)));
	t = enum_of("segment", "kind");
	CHECK_INT(LY_ARRAY_COUNT(t->enums), KIND_INTERNET + 1);
	for (int k = KIND_OTHER; k <= KIND_INTERNET; k++)
		CHECK(has_enum(t, segment_kind_word((enum segment_kind)k)));
	t = enum_of("allow", "sanitised-by");
	CHECK_INT(LY_ARRAY_COUNT(t->enums), SANITISED_FILE_RELAY);
	for (int s = SANITISED_NONE + 1; s <= SANITISED_FILE_RELAY; s++)
		CHECK(has_enum(t, sanitised_word((enum sanitised_by)s)));
	CHECK_STR(application_word(APP_NONE), "none");
	CHECK_STR(sanitised_word(SANITISED_NONE), "none");
	CHECK_STR(application_word((enum application)999), "none");
}

int main(void)
{
	const char *why = "";

	root = schema_open(&why);
	if (root == NULL) {
		printf("%s\n", why);
		return 1;
	}
	CHECK(schema_open(&why) == root);
	check_place(root, 0);
	CHECK(nvalues > 90);
	test_fields();
	test_enums();
	CHECK(place_child(root, "hosts", 5) == NULL);
	CHECK(place_child(root, "host", 3) == NULL);
	return test_end();
}
