/*
 * change_print.c: a change as lines for people and as JSON.
 *
 * "approved flows added: 1: pittari (…)", several below their heading; then what will no longer pass and what will.
 */
#include <sekisho/change.h>

#include <sekisho/buf.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>

#include <stdbool.h>
#include <string.h>

/* Fields of one object that are shown; the lines of set show all. */
#define FIELDS_SHOWN 20
/* Flows of one list that are shown. */
#define FLOWS_SHOWN 20

static const struct {
	const char *object;
	const char *heading[4]; /* by enum difference_kind */
} objects[] = {
	{"allow", {N_("approved flows added (#)"), N_("approved flows removed (#)"),
			  N_("approved flows changed (#)"),
			  N_("approved flows that stand elsewhere in the order (#)")}},
	{"host", {N_("hosts added (#)"), N_("hosts removed (#)"), N_("hosts changed (#)"),
			 N_("hosts moved (#)")}},
	{"host-group", {N_("host groups added (#)"), N_("host groups removed (#)"),
			       N_("host groups changed (#)"), N_("host groups moved (#)")}},
	{"segment", {N_("segments added (#)"), N_("segments removed (#)"), N_("segments changed (#)"),
			    N_("segments moved (#)")}},
	{"interface", {N_("interfaces added (#)"), N_("interfaces removed (#)"), N_("interfaces changed (#)"),
			      N_("interfaces moved (#)")}},
	{"router", {N_("routers added (#)"), N_("routers removed (#)"), N_("routers changed (#)"),
			   N_("routers moved (#)")}},
	{"route", {N_("routes added (#)"), N_("routes removed (#)"), N_("routes changed (#)"),
			  N_("routes moved (#)")}},
	{"service", {N_("services added (#)"), N_("services removed (#)"), N_("services changed (#)"),
			    N_("services moved (#)")}},
	{"deputy", {N_("deputies added (#)"), N_("deputies removed (#)"), N_("deputies changed (#)"),
			   N_("deputies moved (#)")}},
	{"mail", {NULL, NULL, N_("settings of the mail gate changed"), NULL}},
	{"system", {NULL, NULL, N_("settings of the gate itself changed"), NULL}},
};

static const char *const kind_words[] = {"added", "removed", "changed", "moved"};

static void put_effect(struct buf *out, unsigned effect)
{
	static const struct {
		unsigned bit;
		const char *text;
	} effects[] = {{CHANGE_WIDENED, N_("wider: more may pass")}, {CHANGE_NARROWED, N_("narrower: less may pass")},
		{CHANGE_LONGER, N_("longer: at more times")}, {CHANGE_SHORTER, N_("shorter: at fewer times")},
		{CHANGE_VERIFIED, N_("verified otherwise")}};
	const char *mark = " [";

	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
		if ((effect & effects[i].bit) != 0) {
			buf_printf(out, "%s%s", mark, _(effects[i].text));
			mark = "; ";
		}
	if (effect != 0)
		buf_addc(out, ']');
}

static void put_name(struct buf *out, const struct change_item *item)
{
	buf_adds(out, item->name);
	if (item->text != NULL)
		buf_printf(out, " (%s)", item->text);
	if (item->beside != NULL)
		buf_printf(out, _(", now beside %s"), item->beside);
	put_effect(out, item->effect);
	buf_addc(out, '\n');
}

/* "expires 有効期限: 2027-03-31 -> 2028-03-31" */
static void put_field(struct buf *out, const struct change_field *f, unsigned indent)
{
	buf_printf(out, "%*s%s", (int)indent, "", f->field);
	if (f->label != NULL && f->label[0] != '\0')
		buf_printf(out, " (%s)", f->label);
	buf_adds(out, ": ");
	if (f->was != NULL && f->now != NULL)
		buf_printf(out, _("%s -> %s"), f->was, f->now);
	else if (f->now != NULL)
		buf_printf(out, _("%s is added"), f->now);
	else
		buf_printf(out, _("%s is removed"), f->was == NULL ? "" : f->was);
	buf_addc(out, '\n');
}

static void put_fields(struct buf *out, const struct change_item *item, unsigned indent)
{
	for (size_t i = 0; i < item->nfields && i < FIELDS_SHOWN; i++)
		put_field(out, &item->fields[i], indent);
	if (item->nfields > FIELDS_SHOWN) {
		buf_printf(out, "%*s", (int)indent, "");
		buf_printf(out, _("and %zu more"), item->nfields - FIELDS_SHOWN);
		buf_addc(out, '\n');
	}
}

static size_t count(const struct change *c, const char *object, enum difference_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nitems; i++)
		n += c->items[i].kind == kind && strcmp(c->items[i].object, object) == 0;
	return n;
}

/* The number stands where the heading has '#'. */
static void put_heading(struct buf *out, const char *heading, size_t n)
{
	size_t at = strcspn(heading, "#");

	buf_add(out, heading, at);
	if (heading[at] == '#')
		buf_printf(out, "%zu%s", n, heading + at + 1);
}

static void put_items(const struct change *c, struct buf *out, size_t row, enum difference_kind kind)
{
	const char *object = objects[row].object, *heading = objects[row].heading[kind];
	size_t n = count(c, object, kind);

	if (n == 0 || heading == NULL)
		return;
	put_heading(out, _(heading), n);
	buf_adds(out, n == 1 && objects[row].heading[0] != NULL ? ": " : "\n");
	for (size_t i = 0; i < c->nitems; i++) {
		const struct change_item *item = &c->items[i];
		if (item->kind != kind || strcmp(item->object, object) != 0)
			continue;
		if (n > 1)
			buf_adds(out, "  ");
		if (item->name != NULL)
			put_name(out, item);
		put_fields(out, item, n > 1 ? 4 : 2);
	}
}

static bool has_row(const char *object)
{
	for (size_t row = 0; row < sizeof(objects) / sizeof(objects[0]); row++)
		if (strcmp(objects[row].object, object) == 0)
			return true;
	return false;
}

/* Objects that the table has no words for: nothing is left unsaid. */
static void put_others(const struct change *c, struct buf *out)
{
	for (size_t i = 0; i < c->nitems; i++) {
		const struct change_item *item = &c->items[i];
		if (has_row(item->object))
			continue;
		buf_printf(out, "%s %s: ", item->object, item->name == NULL ? "" : item->name);
		buf_printf(out, "%s\n", item->kind == DIFFERENCE_ADDED	   ? _("is added")
					  : item->kind == DIFFERENCE_REMOVED ? _("is removed")
									     : _("changes"));
		put_fields(out, item, 2);
	}
}

static void put_flows(struct buf *out, const char *heading, const struct change_flow *v, size_t n)
{
	if (n == 0)
		return;
	buf_printf(out, "%s\n", heading);
	for (size_t i = 0; i < n && i < FLOWS_SHOWN; i++) {
		buf_printf(out, "  %s: %s", v[i].rule, v[i].text);
		if (v[i].n > 1)
			buf_printf(out, _(" and %u more"), v[i].n - 1);
		if (v[i].why == CHANGE_OTHERWISE)
			buf_printf(out, " (%s)", _("connections have to be made anew: they are verified otherwise"));
		buf_addc(out, '\n');
	}
	if (n > FLOWS_SHOWN) {
		buf_adds(out, "  ");
		buf_printf(out, _("and %zu more"), n - FLOWS_SHOWN);
		buf_addc(out, '\n');
	}
}

void change_text(const struct change *c, struct buf *out)
{
	if (c->nitems == 0)
		buf_printf(out, "%s\n", _("nothing changes"));
	for (size_t row = 0; row < sizeof(objects) / sizeof(objects[0]); row++)
		for (int kind = DIFFERENCE_ADDED; kind <= DIFFERENCE_MOVED; kind++)
			put_items(c, out, row, (enum difference_kind)kind);
	put_others(c, out);
	put_flows(out, _("What passes now and will be cut:"), c->cuts, c->ncuts);
	put_flows(out, _("What will pass that does not pass now:"), c->opens, c->nopens);
	if (c->nitems > 0 && !c->compared)
		buf_printf(out, "%s\n", _("Flows were not compared: one of the two policies is refused."));
	else if (c->compared && c->ncuts + c->nopens == 0 && c->nitems > 0 && !c->cut_short)
		buf_printf(out, "%s\n", _("At this moment the same flows pass as before."));
	if (c->cut_short)
		buf_printf(out, "%s\n", _("The policies differ so much that flows were not compared to the end."));
}

/* -- for programs ------------------------------------------------------------------------------------------------ */

static void json_item(struct json *j, const struct change_item *item)
{
	json_object(j, NULL);
	json_str(j, "kind", kind_words[item->kind]);
	json_str(j, "object", item->object);
	json_str(j, "name", item->name);
	json_str(j, "text", item->text);
	json_str(j, "beside", item->beside);
	json_bool(j, "widened", (item->effect & CHANGE_WIDENED) != 0);
	json_bool(j, "narrowed", (item->effect & CHANGE_NARROWED) != 0);
	json_bool(j, "longer", (item->effect & CHANGE_LONGER) != 0);
	json_bool(j, "shorter", (item->effect & CHANGE_SHORTER) != 0);
	json_bool(j, "verified_otherwise", (item->effect & CHANGE_VERIFIED) != 0);
	json_array(j, "fields");
	for (size_t i = 0; i < item->nfields; i++) {
		const struct change_field *f = &item->fields[i];
		json_object(j, NULL);
		json_str(j, "kind", kind_words[f->kind]);
		json_str(j, "field", f->field);
		json_str(j, "label", f->label);
		json_str(j, "was", f->was);
		json_str(j, "now", f->now);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void json_flows(struct json *j, const char *key, const struct change_flow *v, size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "rule", v[i].rule);
		json_str(j, "example", v[i].text);
		json_uint(j, "boxes", v[i].n);
		json_bool(j, "verified_otherwise", v[i].why == CHANGE_OTHERWISE);
		json_object_end(j);
	}
	json_array_end(j);
}

void change_json(const struct change *c, struct json *j)
{
	json_array(j, "items");
	for (size_t i = 0; i < c->nitems; i++)
		json_item(j, &c->items[i]);
	json_array_end(j);
	json_flows(j, "cuts", c->cuts, c->ncuts);
	json_flows(j, "opens", c->opens, c->nopens);
	json_bool(j, "flows_compared", c->compared);
	json_bool(j, "flows_cut_short", c->cut_short);
}
