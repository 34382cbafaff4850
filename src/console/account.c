/*
 * account.c: `account …`, `password`, `set-clock`, `restart-box`, `power-off`: what sekisho-hostd keeps.
 *
 * Input: names from the command line, passwords from the keyboard (never from the command line, where others could read them).
 * A password goes over a socket of our own to sekisho-hostd alone, and is wiped. Output: a table, or one JSON object a line.
 */
#include "console.h"

#include "control.h"
#include "logquery.h"
#include "text.h"
#include "timearg.h"

#include <sekisho/clock.h>
#include <sekisho/json.h>

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_SECONDS 30

static const char *const role_words[MSG_ROLE_END] = {[MSG_ROLE_VIEWER] = N_("viewer"),
	[MSG_ROLE_AUDITOR] = N_("auditor"),
	[MSG_ROLE_OPERATOR] = N_("operator"),
	[MSG_ROLE_ADMINISTRATOR] = N_("administrator"),
	[MSG_ROLE_MAINTENANCE] = N_("maintenance")};

static enum msg_role role_of_word(const char *word)
{
	for (unsigned i = MSG_ROLE_VIEWER; i < MSG_ROLE_END; i++)
		if (strcmp(role_words[i], word) == 0)
			return (enum msg_role)i;
	return MSG_ROLE_NONE;
}

/* A socket to sekisho-hostd, for what the verb gives the right to. */
static int open_host(struct console *c, enum msg_verb verb, int *ret_fd)
{
	struct msg_request q = {.verb = verb};
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_OPENED, &m);

	if (code != CONSOLE_OK)
		return code;
	if (!m.u.msg_opened.ok || m.nfds != 1) {
		msg_close_fds(&m);
		return console_fail(CONSOLE_ENV, "%s", _(m.u.msg_opened.error));
	}
	*ret_fd = m.fds[0];
	return CONSOLE_OK;
}

static void add_account(struct console *c, const struct msg_host_account *a)
{
	char changed[32];

	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_str(&j, "name", a->name);
		json_str(&j, "label", a->label);
		json_str(&j, "role", role_words[a->role]);
		json_bool(&j, "enabled", a->enabled);
		json_bool(&j, "must_change", a->must_change);
		json_uint(&j, "uid", a->uid);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
		return;
	}
	text_pad(&c->out, a->name, 16);
	text_pad(&c->out, _(role_words[a->role]), 16);
	text_pad(&c->out, !a->enabled ? _("disabled") : a->must_change ? _("temporary") : _("enabled"), 12);
	text_pad(&c->out, log_time_long(a->changed, changed), 21);
	text_safe(&c->out, a->label);
	buf_addc(&c->out, '\n');
}

/* Sends the question; accounts that come are printed; *ret is how it ended. */
static int ask(struct console *c, enum msg_verb verb, struct msg_host_ask *q, struct msg_host_told *ret)
{
	struct msg m = {0};
	int fd = -1, code = open_host(c, verb, &fd);

	if (code != CONSOLE_OK)
		return code;
	MSG_TEXT(q->language, i18n_language());
	if (msg_send(fd, MSG_HOST_ASK, 1, q, NULL, 0) != 0)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate has closed the connection"));
	while (code == CONSOLE_OK) {
		if (!control_receive(fd, ANSWER_SECONDS, &m)) {
			code = CONSOLE_ENV;
			break;
		}
		msg_close_fds(&m);
		if (m.type == MSG_HOST_TOLD)
			break;
		if (m.type == MSG_HOST_ACCOUNT)
			add_account(c, &m.u.msg_host_account);
	}
	msg_close_fd(fd);
	explicit_bzero(q->secret, sizeof(q->secret));
	explicit_bzero(q->fresh, sizeof(q->fresh));
	if (code != CONSOLE_OK)
		return code;
	*ret = m.u.msg_host_told;
	explicit_bzero(&m, sizeof(m));
	return ret->ok ? CONSOLE_OK : console_fail(CONSOLE_REFUSED, "%s", ret->error);
}

static int done(struct console *c, const struct msg_host_ask *q, struct msg_host_told *t)
{
	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_bool(&j, "ok", true);
		json_str(&j, "name", q->name);
		if (t->secret[0] != '\0')
			json_str(&j, "temporary_password", t->secret);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else if (t->secret[0] != '\0') {
		buf_printf(&c->out, _("temporary password of %s: %s\n"), q->name, t->secret);
		buf_adds(&c->out, _("It is shown once; at the first login it must be changed.\n"));
	} else {
		buf_adds(&c->out, _("done\n"));
	}
	explicit_bzero(t, sizeof(*t));
	return CONSOLE_OK;
}

static int change(struct console *c, struct msg_host_ask *q)
{
	struct msg_host_told t;
	int code = ask(c, MSG_VERB_HOST, q, &t);

	return code != CONSOLE_OK ? code : done(c, q, &t);
}

int verb_account_list(struct console *c, const struct args *a)
{
	struct msg_host_ask q = {.what = MSG_HOST_LIST};
	struct msg_host_told t;

	(void)a;
	control_zone(c);
	if (!c->json) {
		text_pad(&c->out, _("account"), 16);
		text_pad(&c->out, _("role"), 16);
		text_pad(&c->out, _("state"), 12);
		text_pad(&c->out, _("password changed"), 21);
		buf_printf(&c->out, "%s\n", _("name"));
	}
	return ask(c, MSG_VERB_ACCOUNTS, &q, &t);
}

static int take_role(const char *word, struct msg_host_ask *q)
{
	q->role = role_of_word(word);
	if (q->role != MSG_ROLE_NONE)
		return CONSOLE_OK;
	return console_fail(CONSOLE_USAGE, _("\"%s\" is no role: viewer, auditor, operator, administrator, maintenance"), word);
}

int verb_account_add(struct console *c, const struct args *a)
{
	struct msg_host_ask q = {.what = MSG_HOST_ADD};

	MSG_TEXT(q.name, a->words[0]);
	MSG_TEXT(q.label, args_option(a, "--person"));
	int code = take_role(args_option(a, "--role"), &q);
	return code != CONSOLE_OK ? code : change(c, &q);
}

int verb_account_role(struct console *c, const struct args *a)
{
	struct msg_host_ask q = {.what = MSG_HOST_ROLE};

	MSG_TEXT(q.name, a->words[0]);
	int code = take_role(a->words[1], &q);
	return code != CONSOLE_OK ? code : change(c, &q);
}

int verb_account_act(struct console *c, const struct args *a)
{
	struct msg_host_ask q = {.what = MSG_HOST_RESET};

	if (strcmp(a->command->word, "enable") == 0)
		q.what = MSG_HOST_ENABLE;
	else if (strcmp(a->command->word, "disable") == 0)
		q.what = MSG_HOST_DISABLE;
	MSG_TEXT(q.name, a->words[0]);
	return change(c, &q);
}

/* One line without its end, nothing of it shown. False at the end of input, or when it does not fit. */
static bool read_secret(struct console *c, const char *prompt, char *ret, size_t size)
{
	struct termios before, silent;
	bool terminal = tcgetattr(c->in_fd, &before) == 0, whole = false;
	size_t n = 0;
	char byte;

	buf_adds(&c->out, prompt);
	console_flush(c);
	if (terminal) {
		silent = before;
		silent.c_lflag = (silent.c_lflag | ICANON | ISIG) & ~(tcflag_t)ECHO;
		silent.c_iflag |= ICRNL;
		tcsetattr(c->in_fd, TCSAFLUSH, &silent);
	}
	while (!whole && read(c->in_fd, &byte, 1) == 1) {
		whole = byte == '\n';
		if (!whole && n < size)
			ret[n++] = byte;
	}
	if (terminal) {
		tcsetattr(c->in_fd, TCSAFLUSH, &before);
		buf_addc(&c->out, '\n');
	}
	whole = whole && n < size;
	ret[whole ? n : 0] = '\0';
	return whole;
}

int verb_password(struct console *c, const struct args *a)
{
	struct msg_host_ask q = {.what = MSG_HOST_PASSWORD};
	struct msg_host_told t;
	char again[sizeof(q.fresh)];
	int code = CONSOLE_OK;

	(void)a;
	if (!read_secret(c, _("Your password now: "), q.secret, sizeof(q.secret)) ||
		!read_secret(c, _("New password: "), q.fresh, sizeof(q.fresh)) ||
		!read_secret(c, _("Once more: "), again, sizeof(again)))
		code = console_fail(CONSOLE_USAGE, "%s", _("nothing was changed"));
	else if (strcmp(q.fresh, again) != 0)
		code = console_fail(CONSOLE_USAGE, "%s", _("The two differ. Please begin again."));
	explicit_bzero(again, sizeof(again));
	if (code == CONSOLE_OK)
		code = ask(c, MSG_VERB_PASSWORD, &q, &t);
	explicit_bzero(&q, sizeof(q));
	return code != CONSOLE_OK ? code : done(c, &q, &t);
}

int verb_set_clock(struct console *c, const struct args *a)
{
	struct msg_host_ask q = {.what = MSG_HOST_CLOCK};
	struct wall at;

	control_zone(c);
	if (!timearg_parse(a->words[0], clock_wall(), false, &at))
		return console_fail(CONSOLE_USAGE, _("\"%s\" is not a time (see: sekisho help times)"), a->words[0]);
	q.at = at.sec;
	return change(c, &q);
}

int verb_restart_box(struct console *c, const struct args *a)
{
	struct msg_host_ask q = {.what = strcmp(a->command->word, "power-off") == 0 ? MSG_HOST_OFF : MSG_HOST_RESTART};

	return change(c, &q);
}
