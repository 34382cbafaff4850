/*
 * guide_allow.c: `guide allow`: from the catalogue of typical flows into the form.
 */
#include "guide.h"

#include "catalogue_flows.h"
#include "text.h"

#include <sekisho/i18n.h>

#include <stdlib.h>

static void list_flows(struct guide *g)
{
	struct buf b = {0};

	buf_adds(&b, _("Typical flows; ports are examples (例), never official: ask the supplier.\n"));
	for (size_t i = 0; i < catalogue_flows_count(); i++) {
		const struct catalogue_flow *f = &catalogue_flows[i];
		buf_printf(&b, "%3zu  ", i + 1);
		text_pad(&b, _(f->title), 44);
		buf_printf(&b, " %s%s\n", f->service[0] != '\0' ? _("e.g. ") : "", f->service[0] != '\0'
			? f->service : _("ask the supplier"));
	}
	g->d->tell(g->d->arg, buf_str(&b));
	buf_free(&b);
}

static bool check_number(void *arg, const char *answer, struct buf *ret, struct buf *wrong)
{
	char *end;
	unsigned long n = strtoul(answer, &end, 10);

	(void)arg;
	if (*end == '\0' && n >= 1 && n <= catalogue_flows_count())
		buf_adds(ret, answer);
	else
		buf_printf(wrong, _("a number from 1 to %zu, or nothing for a flow that is not in the list"), catalogue_flows_count());
	return wrong->len == 0;
}

static bool choose(struct guide *g, const char *number, struct buf *ret)
{
	struct dialogue_question q = {.title = N_("number of the flow"), .optional = true, .check = check_number,
		.about = N_("The number of a flow like yours; empty: begin from nothing.")};
	struct buf wrong = {0};

	if (number == NULL) {
		list_flows(g);
		return dialogue_ask(g->d, &q, ret);
	}
	bool ok = check_number(NULL, number, ret, &wrong);
	if (!ok)
		dialogue_tell(g->d, "%s", buf_str(&wrong));
	buf_free(&wrong);
	return ok;
}

bool guide_allow(struct guide *g, const char *number)
{
	struct guide_flow flow = {.name = "flow"};
	struct buf chosen = {0};
	bool ok = choose(g, number, &chosen);

	if (ok && chosen.len > 0) {
		const struct catalogue_flow *f = &catalogue_flows[strtoul(buf_str(&chosen), NULL, 10) - 1];
		flow = (struct guide_flow){.name = f->word, .service = f->service, .application = f->application,
			.sanitised_by = f->sanitised_by, .windowed = f->windowed};
		dialogue_tell(g->d, "%s: %s", _(f->title), _(f->ends));
		if (f->service[0] != '\0')
			dialogue_tell(g->d, _("Port (example, never official): %s. Ask the supplier for yours."), f->service);
		if (f->note != NULL)
			dialogue_tell(g->d, "%s", _(f->note));
	}
	buf_free(&chosen);
	return ok && guide_form(g, &flow);
}
