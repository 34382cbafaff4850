/*
 * level.c: `sekisho level normal|caution|lockdown`: the alert level (平常, 警戒, 遮断).
 */
#include "console.h"
#include "control.h"
#include "text.h"

#include <sekisho/json.h>

#include "act.h"

const char *act_level_text(uint32_t level)
{
	static const char *const texts[LEVEL_END] = {N_("normal level"), N_("caution level"), N_("lockdown level")};

	return level < LEVEL_END ? _(texts[level]) : "?";
}

static void print_json(struct buf *out, const struct msg_acted *m)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "verb", "level");
	json_bool(&j, "ok", m->ok != 0);
	json_str(&j, "level", m->object);
	json_uint(&j, "closed", m->flows);
	json_uint(&j, "kernel_us", m->kernel_us);
	json_uint(&j, "total_us", m->total_us);
	json_str(&j, "error", m->error[0] != '\0' ? m->error : NULL);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static int level(struct console *c, const struct args *a, enum alert_level to)
{
	struct msg_request q = {.verb = MSG_VERB_LEVEL, .argument = to};
	struct msg got;
	int code = act_sign(a, &q);

	if (code == CONSOLE_OK)
		code = control_ask(c, &q, -1, MSG_ACTED, &got);
	if (code != CONSOLE_OK)
		return code;
	const struct msg_acted *m = &got.u.msg_acted;
	if (c->json) {
		print_json(&c->out, m);
		return m->ok ? CONSOLE_OK : CONSOLE_REFUSED;
	}
	if (!m->ok)
		return console_fail(CONSOLE_REFUSED, "%s", _(m->error));
	buf_printf(&c->out, _("alert level: %s; approved flows that it closes: %u (after %u.%03u ms)\n"), act_level_text(to), m->flows,
		m->kernel_us / 1000, m->kernel_us % 1000);
	if (to != LEVEL_NORMAL && m->flows == 0)
		buf_printf(&c->out, "%s\n", _("It closes nothing: no approved flow says `closed-at` for this level."));
	if (m->error[0] != '\0') {
		buf_adds(&c->out, _("WARNING: "));
		text_safe(&c->out, _(m->error));
		buf_addc(&c->out, '\n');
	}
	return CONSOLE_OK;
}

int verb_level_normal(struct console *c, const struct args *a)
{
	return level(c, a, LEVEL_NORMAL);
}

int verb_level_caution(struct console *c, const struct args *a)
{
	return level(c, a, LEVEL_CAUTION);
}

int verb_level_lockdown(struct console *c, const struct args *a)
{
	return level(c, a, LEVEL_LOCKDOWN);
}
