/*
 * print.c: a ruleset as text in nft's own syntax, and as JSON of our own form.
 *
 * Output only. The text is what `sekisho ruleset` shows, and `nft -f` of it programs the same objects as the
 * netlink form (tests compare both listings).
 */
#include "objects.h"

#include <sekisho/json.h>

#include <linux/netfilter.h>

static const char *hook_word(uint8_t hook)
{
	static const char *const words[] = {"prerouting", "input", "forward", "output", "postrouting"};

	return words[hook];
}

static void set_type_text(const struct set *s, struct buf *out)
{
	for (unsigned i = 0; i < s->nfields; i++)
		buf_printf(out, "%s%s", i > 0 ? " . " : "", datatype(s->types[i])->name);
	if ((s->flags & SET_VERDICTS) != 0)
		buf_adds(out, " : verdict");
	else if ((s->flags & SET_MARKS) != 0)
		buf_adds(out, " : mark");
}

static void set_flags_text(const struct set *s, struct buf *out)
{
	static const struct {
		unsigned flag;
		const char *word;
	} words[] = {{SET_INTERVAL, "interval"}, {SET_DYNAMIC, "dynamic"}, {SET_TIMEOUT, "timeout"}};
	const char *comma = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((s->flags & words[i].flag) == 0)
			continue;
		buf_printf(out, "%s%s", comma, words[i].word);
		comma = ", ";
	}
}

static bool is_map(const struct set *s)
{
	return (s->flags & (SET_VERDICTS | SET_MARKS)) != 0;
}

static void set_text(const struct ruleset *rs, const struct set *s, struct buf *out)
{
	char name[SET_NAME_MAX];

	buf_printf(out, "\t%s %s {\n\t\ttype ", is_map(s) ? "map" : "set", set_name(s, name));
	set_type_text(s, out);
	buf_addc(out, '\n');
	if ((s->flags & (SET_INTERVAL | SET_DYNAMIC | SET_TIMEOUT)) != 0) {
		buf_adds(out, "\t\tflags ");
		set_flags_text(s, out);
		buf_addc(out, '\n');
	}
	if (s->timeout > 0)
		buf_printf(out, "\t\ttimeout %us\n", s->timeout);
	if (s->size > 0)
		buf_printf(out, "\t\tsize %u\n", s->size);
	for (uint32_t i = 0; i < s->n; i++) {
		buf_adds(out, i == 0 ? "\t\telements = {\n\t\t\t" : ",\n\t\t\t");
		elem_text(rs, s, i, out);
	}
	buf_adds(out, s->n > 0 ? " }\n\t}\n\n" : "\t}\n\n");
}

static void chain_text(const struct chain *c, struct buf *out)
{
	buf_printf(out, "\tchain %s {\n", c->name);
	if (c->base)
		buf_printf(out, "\t\ttype filter hook %s priority %d; policy %s;\n", hook_word(c->hook), c->priority,
			c->policy_drop ? "drop" : "accept");
	for (size_t i = 0; i < c->nrules; i++) {
		buf_adds(out, "\t\t");
		rule_text(&c->rules[i], out);
		buf_addc(out, '\n');
	}
	buf_adds(out, "\t}\n\n");
}

void ruleset_text(const struct ruleset *rs, struct buf *out)
{
	buf_adds(out, "table inet " RULESET_TABLE " {\n");
	for (size_t i = 0; i < rs->ncounters; i++)
		buf_printf(out, "\tcounter %s { }\n", rs->counters[i]);
	buf_addc(out, '\n');
	for (size_t i = 0; i < rs->nsets; i++)
		set_text(rs, rs->sets[i], out);
	for (size_t i = 0; i < rs->nchains; i++)
		chain_text(rs->chains[i], out);
	buf_adds(out, "}\n");
}

/* -- JSON ---------------------------------------------------------------------------------------------------------- */

static void json_text(struct json *j, const char *key, struct buf *text)
{
	json_strn(j, key, (const char *)text->data, text->len);
	buf_clear(text);
}

static void set_json(const struct ruleset *rs, const struct set *s, struct json *j, struct buf *text)
{
	char name[SET_NAME_MAX];

	json_object(j, NULL);
	json_str(j, "name", set_name(s, name));
	json_str(j, "kind", is_map(s) ? "map" : "set");
	set_type_text(s, text);
	json_text(j, "type", text);
	set_flags_text(s, text);
	json_text(j, "flags", text);
	json_uint(j, "timeout", s->timeout);
	json_uint(j, "size", s->size);
	json_array(j, "elements");
	for (uint32_t i = 0; i < s->n; i++) {
		elem_text(rs, s, i, text);
		json_text(j, NULL, text);
	}
	json_array_end(j);
	json_object_end(j);
}

static void chain_json(const struct chain *c, struct json *j, struct buf *text)
{
	json_object(j, NULL);
	json_str(j, "name", c->name);
	if (c->base) {
		json_str(j, "hook", hook_word(c->hook));
		json_int(j, "priority", c->priority);
		json_str(j, "policy", c->policy_drop ? "drop" : "accept");
	}
	json_array(j, "rules");
	for (size_t i = 0; i < c->nrules; i++) {
		rule_text(&c->rules[i], text);
		json_text(j, NULL, text);
	}
	json_array_end(j);
	json_object_end(j);
}

void ruleset_json(const struct ruleset *rs, struct buf *out)
{
	struct json j = json_init(out);
	struct buf text = {0};

	json_object(&j, NULL);
	json_str(&j, "table", RULESET_TABLE);
	json_str(&j, "family", "inet");
	json_uint(&j, "generation", rs->opt.generation);
	json_array(&j, "counters");
	for (size_t i = 0; i < rs->ncounters; i++)
		json_str(&j, NULL, rs->counters[i]);
	json_array_end(&j);
	json_array(&j, "sets");
	for (size_t i = 0; i < rs->nsets; i++)
		set_json(rs, rs->sets[i], &j, &text);
	json_array_end(&j);
	json_array(&j, "chains");
	for (size_t i = 0; i < rs->nchains; i++)
		chain_json(rs->chains[i], &j, &text);
	json_array_end(&j);
	json_object_end(&j);
	buf_free(&text);
}
