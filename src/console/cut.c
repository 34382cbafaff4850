/*
 * cut.c: `sekisho cut …`, `cuts`, `restore`: the emergency cut (緊急遮断).
 *
 * Input: what the gate answers: fixed messages, and the list of cuts (cuts_check()). Restoring takes two steps: the gate
 * names what would pass again and gives a code; the code given back restores. On a terminal the second step is asked for.
 */
#include "console.h"
#include "control.h"
#include "logquery.h"
#include "text.h"

#include <sekisho/clock.h>
#include <sekisho/cut.h>
#include <sekisho/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act.h"

/* -- cut ------------------------------------------------------------------------------------------------- */

static void acted_json(struct console *c, const char *verb, const struct msg_acted *m, struct buf *flows)
{
	struct json j = json_init(&c->out);

	json_object(&j, NULL);
	json_str(&j, "verb", verb);
	json_bool(&j, "ok", m->ok != 0);
	json_uint(&j, "number", m->number);
	json_str(&j, "object", m->object);
	json_uint(&j, "kernel_us", m->kernel_us);
	json_uint(&j, "total_us", m->total_us);
	json_uint(&j, "connections", m->flows);
	json_str(&j, "code", m->code[0] != '\0' ? m->code : NULL);
	json_str(&j, "error", m->error[0] != '\0' ? m->error : NULL);
	if (flows != NULL) {
		json_array(&j, "would_pass");
		for (const char *p = buf_str(flows); *p != '\0';) {
			size_t n = strcspn(p, "\n");
			json_strn(&j, NULL, p, n);
			p += n + (p[n] == '\n');
		}
		json_array_end(&j);
	}
	json_object_end(&j);
	buf_addc(&c->out, '\n');
}

int act_fill(char *dst, size_t size, const char *option, const char *text)
{
	msg_text(dst, size, text != NULL ? text : "");
	if (text == NULL || strlen(text) < size)
		return CONSOLE_OK;
	return console_fail(CONSOLE_USAGE, _("%s is too long (at most %zu bytes)"), option, size - 1);
}

int act_sign(const struct args *a, struct msg_request *q)
{
	int code = act_fill(q->who, sizeof(q->who), "--who", args_option(a, "--who"));

	if (code == CONSOLE_OK)
		code = act_fill(q->why, sizeof(q->why), "--why", args_option(a, "--why"));
	if (code == CONSOLE_OK && (q->who[0] == '\0' || q->why[0] == '\0'))
		return console_fail(CONSOLE_USAGE, "%s", _("--who and --why must not be empty"));
	return code;
}

static void say_object(struct buf *out, const char *object)
{
	text_safe(out, object);
	buf_addc(out, '\n');
}

static int print_cut(struct console *c, const struct msg_acted *m)
{
	if (c->json) {
		acted_json(c, "cut", m, NULL);
		return m->ok ? CONSOLE_OK : CONSOLE_REFUSED;
	}
	if (!m->ok)
		return console_fail(CONSOLE_REFUSED, "%s", _(m->error));
	buf_printf(&c->out, _("CUT, number %u: "), m->number);
	say_object(&c->out, m->object);
	buf_printf(&c->out, _("stopped after %u.%03u ms; %u connections ended. It holds over restarts and commits.\n"),
		m->kernel_us / 1000, m->kernel_us % 1000, m->flows);
	buf_printf(&c->out, _("To restore: sekisho restore %u\n"), m->number);
	if (m->error[0] != '\0') {
		buf_adds(&c->out, _("WARNING: "));
		say_object(&c->out, _(m->error));
	}
	return CONSOLE_OK;
}

static int cut(struct console *c, const struct args *a, enum cut_kind kind)
{
	struct msg_request q = {.verb = MSG_VERB_CUT, .argument = kind};
	struct msg m;
	int code = act_sign(a, &q);

	for (unsigned i = 0; i < a->nwords && i < 2 && code == CONSOLE_OK; i++)
		code = act_fill(q.object[i], sizeof(q.object[i]), a->command->args[i].name, a->words[i]);
	if (code == CONSOLE_OK)
		code = control_ask(c, &q, -1, MSG_ACTED, &m);
	return code != CONSOLE_OK ? code : print_cut(c, &m.u.msg_acted);
}

int verb_cut_host(struct console *c, const struct args *a)
{
	return cut(c, a, CUT_HOST);
}

int verb_cut_segment(struct console *c, const struct args *a)
{
	return cut(c, a, CUT_SEGMENT);
}

int verb_cut_pair(struct console *c, const struct args *a)
{
	return cut(c, a, CUT_PAIR);
}

int verb_cut_all(struct console *c, const struct args *a)
{
	return cut(c, a, CUT_ALL);
}

/* -- cuts ------------------------------------------------------------------------------------------------ */

int act_cuts(struct console *c, struct cuts *ret)
{
	struct msg_request q = {.verb = MSG_VERB_CUTS};
	struct buf bytes = {0};
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_CUTS, &m);

	if (code != CONSOLE_OK)
		return code;
	bool good = m.nfds == 1 && control_read_fd(m.fds[0], sizeof(*ret), &bytes) && cuts_check(bytes.data, bytes.len) == NULL;
	if (good)
		memcpy(ret, bytes.data, sizeof(*ret));
	buf_free(&bytes);
	msg_close_fds(&m);
	return good ? CONSOLE_OK
		    : console_fail(CONSOLE_ENV, "%s",
			      _("the gate answers in a form that this command does not know"));
}

static void addresses_json(struct json *j, const struct cut_end *e)
{
	char text[ADDR_TEXT_MAX];

	json_object(j, NULL);
	json_str(j, "name", e->name);
	json_bool(j, "segment", e->segment != 0);
	json_bool(j, "gone", e->gone != 0);
	json_array(j, "addresses");
	for (uint32_t i = 0; i < e->nranges; i++) {
		struct addr_range r = {.lo.family = e->range[i].family, .hi.family = e->range[i].family};
		memcpy(r.lo.b, e->range[i].lo, sizeof(r.lo.b));
		memcpy(r.hi.b, e->range[i].hi, sizeof(r.hi.b));
		json_str(j, NULL, range_format(&r, text));
	}
	json_array_end(j);
	json_array(j, "interfaces");
	for (uint32_t i = 0; i < e->ninterfaces; i++)
		json_str(j, NULL, e->interface[i]);
	json_array_end(j);
	json_object_end(j);
}

static void cut_json(struct buf *out, const struct cut *cut)
{
	struct json j = json_init(out);
	char at[CLOCK_TEXT_MAX], text[CUT_TEXT_MAX];

	json_object(&j, NULL);
	json_uint(&j, "number", cut->number);
	json_str(&j, "kind", cut_kind_word(cut->kind));
	json_str(&j, "object", cut_text(cut, text));
	json_str(&j, "at", log_time(cut->at, at));
	json_str(&j, "who", cut->who);
	json_str(&j, "why", cut->why);
	json_uint(&j, "uid", cut->uid);
	json_array(&j, "ends");
	for (unsigned i = 0; i < 2 && (cut->end[i].nranges != 0 || cut->end[i].segment != 0); i++)
		addresses_json(&j, &cut->end[i]);
	json_array_end(&j);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void cut_card(struct buf *out, const struct cut *cut)
{
	char at[32], text[CUT_TEXT_MAX];

	buf_printf(out, "%u  ", cut->number);
	text_safe(out, cut_text(cut, text));
	buf_printf(out, "\n      %s  ", log_time_long(cut->at, at));
	text_safe(out, cut->who);
	buf_adds(out, ": ");
	text_safe(out, cut->why);
	buf_addc(out, '\n');
	if (cut->end[0].gone != 0 || cut->end[1].gone != 0)
		buf_printf(out, "      %s\n", _("the policy in force knows the name no more: its last addresses stay cut"));
}

int verb_cuts(struct console *c, const struct args *a)
{
	struct cuts *list = calloc(1, sizeof(*list));
	int code = list != NULL ? act_cuts(c, list) : console_fail(CONSOLE_ENV, "%s", _("out of memory"));

	(void)a;
	if (code == CONSOLE_OK) {
		control_zone(c);
		for (uint32_t i = 0; i < list->n; i++)
			if (c->json)
				cut_json(&c->out, &list->cut[i]);
			else
				cut_card(&c->out, &list->cut[i]);
		if (list->n == 0 && !c->json)
			buf_printf(&c->out, "%s\n", _("nothing is cut"));
	}
	free(list);
	return code;
}

/* -- restore --------------------------------------------------------------------------------------------- */

#define FLOWS_MAX (64u << 10)

static void print_would_pass(struct console *c, const struct msg_acted *m, struct buf *flows)
{
	buf_printf(&c->out, _("Emergency cut %u: "), m->number);
	say_object(&c->out, m->object);
	buf_printf(&c->out, "%s\n", flows->len > 0 ? _("These approved flows would pass again:")
						    : _("No approved flow is stopped by it at the moment."));
	for (const char *p = buf_str(flows); *p != '\0';) {
		size_t n = strcspn(p, "\n");
		char line[512];
		snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1), p);
		buf_adds(&c->out, "      ");
		say_object(&c->out, line);
		p += n + (p[n] == '\n');
	}
}

/* The second step, typed in. */
static bool type_code(struct console *c, const struct msg_acted *m)
{
	char line[64];

	buf_printf(&c->out, _("Type %s to restore, anything else to leave it cut: "), m->code);
	console_flush(c);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return strcmp(line, m->code) == 0;
}

static int print_restored(struct console *c, const struct msg_acted *m)
{
	if (c->json)
		acted_json(c, "restore", m, NULL);
	if (!m->ok)
		return c->json ? CONSOLE_REFUSED : console_fail(CONSOLE_REFUSED, "%s", _(m->error));
	if (c->json)
		return CONSOLE_OK;
	buf_printf(&c->out, _("RESTORED, number %u: "), m->number);
	say_object(&c->out, m->object);
	if (m->error[0] != '\0') {
		buf_adds(&c->out, _("WARNING: "));
		say_object(&c->out, _(m->error));
	}
	return CONSOLE_OK;
}

static int confirm(struct console *c, struct msg_request *q, const char *code)
{
	struct msg m;
	int r = act_fill(q->approval, sizeof(q->approval), "--confirm", code);

	if (r == CONSOLE_OK)
		r = control_ask(c, q, -1, MSG_ACTED, &m);
	return r != CONSOLE_OK ? r : print_restored(c, &m.u.msg_acted);
}

static int first_step(struct console *c, const struct args *a, struct msg_request *q)
{
	struct buf flows = {0};
	struct msg m;
	int r = control_ask(c, q, -1, MSG_ACTED, &m);

	if (r != CONSOLE_OK)
		return r;
	struct msg_acted acted = m.u.msg_acted;
	bool readable = m.nfds == 0 || control_read_fd(m.fds[0], FLOWS_MAX, &flows);
	msg_close_fds(&m);
	if (!acted.ok)
		r = print_restored(c, &acted);
	else if (!readable)
		r = console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	else if (c->json)
		acted_json(c, "restore", &acted, &flows);
	else
		print_would_pass(c, &acted, &flows);
	buf_free(&flows);
	if (r != CONSOLE_OK || c->json || !acted.ok)
		return r;
	if (!isatty(c->in_fd) || args_option(a, "--who") == NULL || args_option(a, "--why") == NULL) {
		buf_printf(&c->out, _("To restore: sekisho restore %u --confirm %s --who NAME --why TEXT\n"), acted.number,
			acted.code);
		return CONSOLE_OK;
	}
	if (type_code(c, &acted))
		return confirm(c, q, acted.code);
	buf_printf(&c->out, "%s\n", _("It stays cut."));
	return CONSOLE_REFUSED;
}

int act_number(const char *word, uint32_t *ret)
{
	char *end = NULL;
	unsigned long number = strtoul(word, &end, 10);

	if (word[0] < '0' || word[0] > '9' || *end != '\0' || number == 0 || number > CUT_NUMBER_MAX)
		return console_fail(CONSOLE_USAGE, "%s", _("a number is missing here (the list says which there are)"));
	*ret = (uint32_t)number;
	return CONSOLE_OK;
}

int verb_restore(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_RESTORE};
	const char *code = args_option(a, "--confirm");
	int r = act_number(a->words[0], &q.argument);

	if (r != CONSOLE_OK)
		return r;
	if (code == NULL && args_option(a, "--who") == NULL && args_option(a, "--why") == NULL)
		return first_step(c, a, &q);
	if ((r = act_sign(a, &q)) != CONSOLE_OK)
		return r;
	return code == NULL ? first_step(c, a, &q) : confirm(c, &q, code);
}
