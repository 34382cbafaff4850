/*
 * names.c: every name once; what may be named in a rule is one thing only.
 *
 * Input: the model, its words already checked for form. A name used for a host and a group and a segment at
 * once is an error, because "from NAME" would not say which.
 */
#include "compile.h"

#include <netinet/in.h>
#include <string.h>

/* The place of a name: "pcs" was already ... on line N. */
static void add_name(struct compiler *c, struct strmap *map, const struct word *w, size_t i)
{
	if (!strmap_add(map, w->text, (uint32_t)i))
		diag_error(c->diags, w->line, "duplicate-name", _("give one of the two another name"),
			_("the name \"%s\" is used twice"), w->text);
}

/* Words that a rule could mean, with the kind and line of the first use. */
static void check_ambiguous(struct compiler *c, struct strmap *seen, const struct word *w, uint32_t kind)
{
	static const char *const kinds[] = {N_("segment"), N_("host group"), N_("host")};
	uint32_t before;

	if (strmap_add(seen, w->text, kind))
		return;
	if (strmap_get(seen, w->text, &before) && before != kind)
		diag_error(c->diags, w->line, "ambiguous-name", _("give one of the two another name"),
			_("\"%s\" is the name of a %s already, so a rule could not say which is meant"),
			w->text, _(kinds[before]));
}

void stage_names(struct compiler *c)
{
	const struct model *m = c->m;
	struct strmap *seen = strmap_new();

	for (size_t i = 0; i < m->nsegments; i++) {
		add_name(c, c->segments, &m->segments[i].name, i);
		check_ambiguous(c, seen, &m->segments[i].name, 0);
	}
	for (size_t i = 0; i < m->ngroups; i++) {
		add_name(c, c->groups, &m->groups[i].name, i);
		check_ambiguous(c, seen, &m->groups[i].name, 1);
	}
	for (size_t i = 0; i < m->nhosts; i++) {
		add_name(c, c->hosts, &m->hosts[i].name, i);
		check_ambiguous(c, seen, &m->hosts[i].name, 2);
	}
	for (size_t i = 0; i < m->nrouters; i++)
		add_name(c, c->routers, &m->routers[i].name, i);
	for (size_t i = 0; i < m->nservices; i++)
		add_name(c, c->services, &m->services[i].name, i);
	strmap_free(seen);
}

/* "did you mean NAME?", or the general advice when no name is near. */
const char *name_hint(struct compiler *c, const struct strmap *map, const char *text, const char *otherwise)
{
	const char *near = strmap_nearest(map, text);

	return near == NULL ? otherwise : arena_printf(c->arena, _("did you mean \"%s\"?"), near);
}

uint32_t name_find(struct compiler *c, const struct strmap *map, enum name_kind kind, const struct word *w)
{
	uint32_t i;

	if (w->text == NULL)
		return NONE;
	if (strmap_get(map, w->text, &i))
		return i;
	switch (kind) {
	case NAME_SEGMENT:
		diag_error(c->diags, w->line, "unknown-segment",
			name_hint(c, map, w->text, _("name it with \"set segment NAME ...\"")),
			_("there is no segment \"%s\""), w->text);
		break;
	case NAME_ROUTER:
		diag_error(c->diags, w->line, "unknown-router",
			name_hint(c, map, w->text, _("name it with \"set router NAME ...\"")),
			_("there is no router \"%s\""), w->text);
		break;
	case NAME_HOST:
		diag_error(c->diags, w->line, "unknown-host",
			name_hint(c, map, w->text, _("name it with \"set host NAME ...\"")),
			_("there is no host \"%s\""), w->text);
		break;
	case NAME_SERVICE:
		diag_error(c->diags, w->line, "unknown-service",
			name_hint(c, map, w->text,
				_("name it with \"set service NAME ...\" or write it as tcp/443, udp/53, "
				  "icmp/echo-request")),
			_("there is no service \"%s\""), w->text);
		break;
	}
	return NONE;
}

const char *proto_word(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		return "ip";
	}
}
