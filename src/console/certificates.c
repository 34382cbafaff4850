/*
 * certificates.c: `sekisho mail certificates`: the certificates of the mail gate, as sekisho-tls last told of them.
 *
 * Input: texts of certificates that root put there, checked by msg_recv(); escaped all the same.
 */
#include "console.h"
#include "control.h"
#include "logquery.h"
#include "text.h"

#include <sekisho/clock.h>
#include <sekisho/json.h>
#include <sekisho/tls.h>

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

/* As tools print them, and as `tls-to ... fingerprint` takes them. */
static void fingerprint(const uint8_t pin[TLS_PIN_BYTES], char ret[3 * TLS_PIN_BYTES])
{
	for (size_t i = 0; i < TLS_PIN_BYTES; i++)
		snprintf(ret + 3 * i, 4, i + 1 < TLS_PIN_BYTES ? "%02X:" : "%02X", pin[i]);
}

/* Whole days; less than 0: it is over. */
static int64_t days_left(const struct msg_tls_certificate *t)
{
	int64_t left = t->not_after - clock_wall().sec;

	return left >= 0 ? left / DAY_S : -1;
}

static void names_json(struct json *j, const char *list)
{
	json_array(j, "names");
	while (*list != '\0') {
		size_t n = strcspn(list, " ");
		json_strn(j, NULL, list, n);
		list += n + (list[n] == ' ');
	}
	json_array_end(j);
}

static void certificate_json(struct buf *out, const struct msg_tls_certificate *t)
{
	struct json j = json_init(out);
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX], pin[3 * TLS_PIN_BYTES];
	bool known = t->not_after != 0;

	fingerprint(t->pin, pin);
	json_object(&j, NULL);
	json_str(&j, "name", t->name);
	json_str(&j, "kind", t->keyed ? "own" : "authority");
	json_str(&j, "state", tls_file_word(t->state));
	json_bool(&j, "in_use", t->in_use != 0);
	json_str(&j, "subject", known ? t->subject : NULL);
	names_json(&j, t->names);
	json_str(&j, "not_before", known ? log_time(t->not_before, from) : NULL);
	json_str(&j, "not_after", known ? log_time(t->not_after, until) : NULL);
	if (known)
		json_int(&j, "days_left", days_left(t));
	else
		json_null(&j, "days_left");
	json_str(&j, "fingerprint", known ? pin : NULL);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void line(struct buf *out, const char *label, const char *text)
{
	buf_printf(out, "      %s: ", label);
	text_safe(out, text);
	buf_addc(out, '\n');
}

static void certificate_text(struct buf *out, const struct msg_tls_certificate *t)
{
	char until[32], pin[3 * TLS_PIN_BYTES];

	text_safe(out, t->name);
	buf_printf(out, "  %s  %s\n", t->keyed ? _("own certificate") : _("authority"), _(tls_file_text(t->state)));
	if (t->in_use && t->state != TLS_FILE_GOOD)
		buf_printf(out, "      %s\n", _("the one of before is used meanwhile"));
	if (t->not_after == 0)
		return;
	fingerprint(t->pin, pin);
	line(out, _("subject"), t->subject);
	if (t->names[0] != '\0')
		line(out, _("names"), t->names);
	int64_t left = days_left(t);
	buf_printf(out, "      %s: %s ", _("holds until"), log_time_long(t->not_after, until));
	if (left >= 0)
		buf_printf(out, _("(%d days)"), (int)left);
	else
		buf_adds(out, _("(it has EXPIRED)"));
	buf_addc(out, '\n');
	line(out, "SHA-256", pin);
}

int verb_mail_certificates(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_TLS};
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_TLS_STATUS, &m);

	(void)a;
	if (code != CONSOLE_OK)
		return code;
	control_zone(c);
	const struct msg_tls_status *s = &m.u.msg_tls_status;
	for (uint32_t i = 0; i < s->n; i++) {
		if (c->json)
			certificate_json(&c->out, &s->certificate[i]);
		else
			certificate_text(&c->out, &s->certificate[i]);
	}
	if (s->n == 0 && !c->json)
		buf_printf(&c->out, "%s\n", _("the policy names no certificate"));
	return CONSOLE_OK;
}
