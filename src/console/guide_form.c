/*
 * guide_form.c: the application form of one flow, question by question.
 *
 * What is not asked here (exceptions, a file relay's product, break-outs) the findings name when it is missing.
 */
#include "guide.h"

#include <sekisho/i18n.h>

#include <stdio.h>
#include <string.h>

struct form {
	struct guide *g;
	const struct guide_flow *flow;
	struct buf name, from, to, application, value, path;
};

/* "allow NAME WORD" */
static const char *path(struct form *f, const char *word)
{
	buf_clear(&f->path);
	buf_printf(&f->path, "allow %s%s%s", buf_str(&f->name), word[0] != '\0' ? " " : "", word);
	return buf_str(&f->path);
}

static bool check_name(void *arg, const char *answer, struct buf *ret, struct buf *wrong)
{
	struct form *f = arg;

	if (guide_find_allow(f->g, answer) != NULL)
		buf_printf(wrong, _("there is a flow \"%s\" already; take another name"), answer);
	else if (answer[strspn(answer,
		"abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0' || answer[0] == '-' || strlen(answer) > 63)
		buf_adds(wrong, _("a name has small letters, digits and -, such as renkei-web"));
	else
		buf_adds(ret, answer);
	return wrong->len == 0;
}

static bool ask_name(struct form *f)
{
	struct buf otherwise = {0};

	guide_free_name(f->g, f->flow->name, &otherwise);
	struct dialogue_question q = {.title = N_("name of the flow"), .otherwise = buf_str(&otherwise), .check = check_name, .arg = f,
		.about = N_("A short name by which records and commands call it.")};
	bool ok = dialogue_ask(f->g->d, &q, &f->name);
	buf_free(&otherwise);
	return ok;
}

static bool ask_ends(struct form *f)
{
	struct dialogue_question from = {.title = N_("from (who calls)"), .otherwise = f->flow->from,
		.about = N_("The machine that opens the connection: the name of a host, or its address."),
		.more = N_("Only the first packet counts: the answers come back by themselves. Names of the policy:")};
	struct dialogue_question to = {.title = N_("to (who is called)"), .otherwise = f->flow->to,
		.about = N_("The machine that is called: the name of a host, or its address."), .more = from.more};

	return guide_ask_end(f->g, &from, NULL, &f->from) && guide_ask_end(f->g, &to, buf_str(&f->from), &f->to) &&
	       guide_line(f->g, "set allow %s from %s to %s", buf_str(&f->name), buf_str(&f->from), buf_str(&f->to));
}

static bool ask_leaf(struct form *f, const char *word, struct dialogue_question q, bool many)
{
	return guide_ask_set(f->g, &(struct guide_leaf){.path = path(f, word), .q = q, .many = many}, &f->value);
}

static bool ask_service(struct form *f)
{
	struct guide_leaf application = {.path = path(f, "application"),
		.q = {.title = N_("application"), .otherwise = f->flow->application, .optional = true,
			.about = N_("What the gate verifies on each connection; - when it is none of those that can be verified."),
			.more = N_("Without it hosts and port alone decide. Those that can be verified:")}};

	if (!ask_leaf(f, "service",
		    (struct dialogue_question){.title = N_("service"), .otherwise = f->flow->service,
			    .about = N_("Protocol and port at the destination, such as tcp/443; several with blanks between them."),
			    .more = N_("The supplier of the software says which. Services that the policy names:")},
		    true))
		return false;
	application.path = path(f, "application");
	if (!guide_ask_set(f->g, &application, &f->application))
		return false;
	const char *word = buf_str(&f->application);
	if (strcmp(word, "tls") != 0 && strcmp(word, "http") != 0)
		return true;
	return ask_leaf(f, "server-name",
		(struct dialogue_question){.title = N_("name of the server"), .optional = true,
			.about = N_("The name that the client asks for (as in its URL); the gate lets only it pass. Empty: any."),
			.more = N_("Several with blanks between them; *.example.lg.jp stands for all names below.")},
		true);
}

/* -- what the law asks ------------------------------------------------------------------------------------------- */

static bool ask_law(struct form *f)
{
	struct guide_end_of a, b;
	bool isolated = false;

	if (!guide_find_end(f->g, buf_str(&f->from), &a) || !guide_find_end(f->g, buf_str(&f->to), &b) || a.segment == NULL ||
		b.segment == NULL)
		return true;
	enum segment_kind x = a.segment->kind, y = b.segment->kind;
	if ((x == KIND_LGWAN && y == KIND_INTERNET) || (x == KIND_INTERNET && y == KIND_LGWAN))
		return ask_leaf(f, "sanitised-by",
			(struct dialogue_question){.title = N_("sanitised by"), .otherwise = f->flow->sanitised_by,
				.about = N_("Between lgwan and internet only sanitised communication passes: say how it is sanitised.")},
			false);
	bool external = (a.host != NULL && a.host->external.text != NULL) || (b.host != NULL && b.host->external.text != NULL);
	if (x == y || (x != KIND_MYNUMBER && y != KIND_MYNUMBER) || !external)
		return true;
	dialogue_tell(f->g->d, "%s", _("A body outside that talks to mynumber is not itself connected to the internet."));
	if (!dialogue_yes(f->g->d, _("Has it stated so?"), &isolated))
		return false;
	return !isolated || guide_line(f->g, "set allow %s external-isolated true", buf_str(&f->name));
}

static const char *section_of(struct form *f)
{
	const struct model_host *h = guide_find_host(f->g, buf_str(&f->from));

	if (h == NULL || h->section == NULL)
		h = guide_find_host(f->g, buf_str(&f->to));
	return h == NULL ? NULL : h->section;
}

static bool ask_purpose(struct form *f)
{
	return ask_leaf(f, "purpose",
		       (struct dialogue_question){.title = N_("purpose"),
			.about = N_("What it is for, as on the application form.")}, false) &&
	       ask_leaf(f, "applicant",
		       (struct dialogue_question){.title = N_("applicant"), .otherwise = section_of(f),
			       .about = N_("The section that applied for it.")},
		       false) &&
	       ask_leaf(f, "asset-class",
		       (struct dialogue_question){.title = N_("asset class"), .optional = true,
			       .about = N_("Class of the information that it carries: 1 (most sensitive) to 4; empty when it has none.")},
		       false);
}

static bool ask_approvals(struct form *f)
{
	struct buf roles = {0};
	bool any;

	guide_roles(f->g, buf_str(&f->from), buf_str(&f->to), &roles, &any);
	bool ok = guide_ask_approvals(f->g, buf_str(&f->name), &roles, any);
	buf_free(&roles);
	return ok;
}

static bool ask_window(struct form *f)
{
	return ask_leaf(f, "window",
		       (struct dialogue_question){.title = N_("window"),
			       .about = N_("Once, from and to a time: 2026-11-20T22:00/2026-11-21T02:00. It closes by itself."),
			       .more = N_("Local time. What still runs at the end is cut.")},
		       false) &&
	       guide_line(f->g, "set allow %s at-end cut", buf_str(&f->name));
}

static bool ask_times(struct form *f)
{
	char today[16], end[16];

	if (f->flow->windowed)
		return ask_window(f);
	return ask_leaf(f, "starts",
		       (struct dialogue_question){.title = N_("first day"), .otherwise = guide_today(today),
			       .about = N_("From this day on it is open.")},
		       false) &&
	       ask_leaf(f, "expires",
		       (struct dialogue_question){.title = N_("last day"), .otherwise = guide_year_end(0, end),
			       .about = N_("Up to the end of this day; usually the end of the fiscal year.")},
		       false) &&
	       ask_leaf(f, "days",
		       (struct dialogue_question){.title = N_("days of the week"), .optional = true,
			       .about = N_("Such as mon-fri; empty: every day.")},
		       false) &&
	       ask_leaf(f, "hours",
		       (struct dialogue_question){.title = N_("hours"), .optional = true,
			       .about = N_("Such as 07:30-20:00; empty: all day.")},
		       false);
}

bool guide_form(struct guide *g, const struct guide_flow *flow)
{
	struct form f = {.g = g, .flow = flow};

	dialogue_tell(g->d, "%s", _("`?` explains a question, Enter takes what is in [ ], Ctrl-C ends without a change."));
	bool ok = ask_name(&f) && ask_ends(&f) && ask_service(&f) && ask_law(&f) && ask_purpose(&f) && ask_approvals(&f) &&
		  ask_times(&f);
	buf_free(&f.name);
	buf_free(&f.from);
	buf_free(&f.to);
	buf_free(&f.application);
	buf_free(&f.value);
	buf_free(&f.path);
	return ok;
}
