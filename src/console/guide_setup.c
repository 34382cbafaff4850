/*
 * guide_setup.c: `guide setup`: name, zone, language, the segments with their interfaces and addresses, the approvers.
 *
 * What the policy has is offered as the answer; a kind of segment that is not there is made after a yes.
 */
#include "guide.h"

#include <sekisho/i18n.h>

#include <stdio.h>
#include <string.h>

static bool ask_leaf(struct guide *g, const char *path, struct dialogue_question q, bool many)
{
	struct guide_leaf leaf = {.path = path, .q = q, .many = many};
	struct buf value = {0};
	bool ok = guide_ask_set(g, &leaf, &value);

	buf_free(&value);
	return ok;
}

static bool ask_system(struct guide *g)
{
	const struct model_system *s = &g->file.model->system;

	return ask_leaf(g, "system hostname",
		       (struct dialogue_question){.title = N_("name of the gate"), .otherwise = s->hostname,
			       .about = N_("The name that prompts, records and alarm mails show.")},
		       false) &&
	       ask_leaf(g, "system timezone",
		       (struct dialogue_question){.title = N_("time zone"), .otherwise = s->timezone,
			       .about = N_("In which hours and days of the policy are written.")},
		       false) &&
	       ask_leaf(g, "system language",
		       (struct dialogue_question){.title = N_("language"), .otherwise = s->language,
			       .about = N_("Language of alarm mails and records: ja or en.")},
		       false);
}

/* -- segments ----------------------------------------------------------------------------------------------------- */

static const struct {
	enum segment_kind kind;
	const char *word, *label, *about, *roles;
} kinds[] = {
	{KIND_MYNUMBER, "mynumber", "マイナンバー利用事務系", N_("The segment of the individual numbers (mynumber)."), "ciso"},
	{KIND_LGWAN, "lgwan", "LGWAN接続系", N_("The segment that is connected to LGWAN (lgwan)."), ""},
	{KIND_INTERNET, "internet", "インターネット接続系", N_("The segment that is connected to the internet (internet)."), ""},
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct model_segment *segment_of(const struct guide *g, enum segment_kind kind)
{
	for (size_t i = 0; i < g->file.model->nsegments; i++)
		if (g->file.model->segments[i].kind == kind)
			return &g->file.model->segments[i];
	return NULL;
}

static const char *path_of(struct buf *path, size_t k, const char *word)
{
	buf_clear(path);
	buf_printf(path, "segment %s %s", kinds[k].word, word);
	return buf_str(path);
}

static bool ask_segment(struct guide *g, size_t k)
{
	struct buf path = {0};
	bool ok = guide_line(g, "set segment %s kind %s label \"%s\"", kinds[k].word, kinds[k].word, kinds[k].label);

	ok = ok &&
	     ask_leaf(g, path_of(&path, k, "interface"),
		     (struct dialogue_question){.title = N_("interface"),
			     .about = N_("The port that its cable is plugged into, such as eth0 (`show interfaces` lists them).")},
		     true) &&
	     ask_leaf(g, path_of(&path, k, "address"),
		     (struct dialogue_question){.title = N_("address of the gate"),
			     .about = N_("With its length, such as 10.1.0.1/24; IPv6 with a blank between them.")},
		     true) &&
	     ask_leaf(g, path_of(&path, k, "network"),
		     (struct dialogue_question){.title = N_("networks"), .otherwise = kinds[k].kind == KIND_INTERNET
			? "other" : NULL,
			     .about = N_("All addresses of the segment, such as 10.1.0.0/16; `other`: every other address.")},
		     true);
	buf_free(&path);
	return ok;
}

static bool ask_segments(struct guide *g)
{
	bool ok = true, yes = false;

	for (size_t k = 0; ok && k < NKINDS; k++) {
		const struct model_segment *s = segment_of(g, kinds[k].kind);
		struct guide_end_of taken;
		if (s == NULL && guide_find_end(g, kinds[k].word, &taken)) /* the name stands for something else */
			s = taken.segment;
		dialogue_tell(g->d, "%s", _(kinds[k].about));
		if (s != NULL) {
			dialogue_tell(g->d, _("It is there: %s. To change it: set segment %s ..."), s->name.text, s->name.text);
			continue;
		}
		ok = dialogue_yes(g->d, _("Set it up?"), &yes);
		if (ok && yes)
			ok = ask_segment(g, k);
	}
	return ok;
}

static bool ask_roles(struct guide *g)
{
	if (g->file.model->system.napproval_required > 0) {
		dialogue_tell(g->d, "%s", _("The policy says already whose approval is needed: show system approval-required"));
		return true;
	}
	return ask_leaf(g, "system approval-required mynumber role",
		(struct dialogue_question){.title = N_("approval of mynumber"), .otherwise = kinds[0].roles, .optional = true,
			.about = N_("Whose approval a flow from or to mynumber needs: roles, with blanks between them."),
			.more = N_("A role is a word of your own, such as ciso or joho-kacho. Other cases: set system approval-required ?")},
		true);
}

bool guide_setup(struct guide *g)
{
	dialogue_tell(g->d, "%s", _("`?` explains a question, Enter takes what is in [ ], Ctrl-C ends without a change."));
	return ask_system(g) && ask_segments(g) && ask_roles(g);
}
