/*
 * ledger_csv.c: the ledger as a table for spreadsheets: a row for each approved flow, a column for each field of the form.
 *
 * Texts are the policy's own and so anybody's who applied: sheet_put() sees to it that none is a formula.
 */
#include "ledger.h"

#include "sheet.h"

#include <sekisho/i18n.h>
#include <sekisho/model.h>

#include <stdio.h>

static const char *const titles[] = {
	N_("name"),
	N_("kind"),
	N_("source"),
	N_("destination"),
	N_("service"),
	N_("verification"),
	N_("purpose"),
	N_("applicant"),
	N_("asset class"),
	N_("ground"),
	N_("approvals"),
	N_("first day"),
	N_("last day"),
	N_("days of the week"),
	N_("hours"),
	N_("closed dates"),
	N_("once only"),
	N_("exception"),
	N_("exception permitted by"),
	N_("report due"),
	N_("notes"),
	N_("state"),
};

void ledger_csv_titles(struct buf *out)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		sheet_put(out, _(titles[i]), i == 0);
	sheet_end_row(out);
}

static void put(struct buf *out, const char *text)
{
	sheet_put(out, text == NULL ? "" : text, false);
}

static void add_date(struct buf *b, const struct date *d)
{
	if (d->year != 0)
		buf_printf(b, "%s%04d-%02d-%02d", b->len == 0 ? "" : " ", d->year, d->month, d->day);
}

static void put_date(struct buf *out, const struct date *d)
{
	struct buf b = {0};

	add_date(&b, d);
	put(out, buf_str(&b));
	buf_free(&b);
}

static void put_times(struct buf *out, const struct model_allow *a)
{
	struct buf days = {0}, hours = {0}, closed = {0}, window = {0};
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];

	if (a->days != DAYS_ALL)
		ledger_days(&days, a->days);
	if (a->hours_from != a->hours_to)
		ledger_hours(&hours, a);
	for (size_t i = 0; i < a->nclosed; i++)
		add_date(&closed, &a->closed[i]);
	if (a->window_line != 0)
		buf_printf(&window, "%s/%s", clock_format(a->window_from, from), clock_format(a->window_to, to));
	put_date(out, &a->starts);
	put_date(out, &a->expires);
	put(out, buf_str(&days));
	put(out, buf_str(&hours));
	put(out, buf_str(&closed));
	put(out, buf_str(&window));
	buf_free(&days);
	buf_free(&hours);
	buf_free(&closed);
	buf_free(&window);
}

void ledger_csv(struct buf *out, const struct ledger_flow *w)
{
	const struct model_allow *a = w->a;
	char class[8] = "";

	if (a->asset_class != 0)
		snprintf(class, sizeof(class), "%u", a->asset_class);
	sheet_put(out, a->name.text, true);
	put(out, ledger_kind(w));
	put(out, ledger_end(w, &a->from, w->r->from_segment));
	put(out, ledger_end(w, &a->to, w->r->to_segment));
	put(out, ir_text(&w->f->ir, w->r->service));
	put(out, ledger_verified(w));
	put(out, a->purpose);
	put(out, a->applicant);
	put(out, class);
	put(out, ledger_ground(w));
	put(out, ledger_approvals(w));
	put_times(out, a);
	put(out, a->exception_line != 0 ? a->exception_reason : NULL);
	put(out, a->exception_line != 0 ? a->exception_approved_by : NULL);
	put_date(out, &a->report_due);
	put(out, ledger_notes(w));
	put(out, ledger_state(w));
	sheet_end_row(out);
}
