/*
 * smtp_envelope.c: the arguments of MAIL and RCPT (RFC 5321 4.1.1.2, 4.1.1.3; RFC 1870 SIZE, RFC 6152 BODY, RFC 3461 DSN).
 *
 * Input: the rest of a stranger's line. A parameter counts only when its extension was offered; each may come once. What
 * is kept is checked byte by byte: an address is built anew, xtext has only its own alphabet, so nothing here can break
 * the line that the next hop gets. Blanks behind the colon, which many devices send, are taken.
 */
#include <string.h>

#include "smtp_server_private.h"

/* Into which piece a parameter goes. */
enum parameter { PARAMETER_SIZE, PARAMETER_BODY, PARAMETER_RET, PARAMETER_ENVID, PARAMETER_NOTIFY, PARAMETER_ORCPT };

static const struct {
	const char *word;
	unsigned extension;
	bool rcpt;
} parameters[] = {
	[PARAMETER_SIZE] = {"SIZE", SMTP_SIZE, false},	   [PARAMETER_BODY] = {"BODY", SMTP_8BITMIME, false},
	[PARAMETER_RET] = {"RET", SMTP_DSN, false},	   [PARAMETER_ENVID] = {"ENVID", SMTP_DSN, false},
	[PARAMETER_NOTIFY] = {"NOTIFY", SMTP_DSN, true}, [PARAMETER_ORCPT] = {"ORCPT", SMTP_DSN, true},
};
#define NPARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

static bool take_notify(const char *p, size_t n, uint8_t *ret)
{
	static const struct {
		const char *word;
		uint8_t bit;
	} words[] = {{"NEVER", SMTP_NOTIFY_NEVER}, {"SUCCESS", SMTP_NOTIFY_SUCCESS}, {"FAILURE", SMTP_NOTIFY_FAILURE},
		{"DELAY", SMTP_NOTIFY_DELAY}};
	const char *end = p + n;

	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t len = (size_t)((comma != NULL ? comma : end) - p), i = 0;
		while (i < 4 && !smtp_word(p, len, words[i].word))
			i++;
		if (i == 4)
			return false;
		*ret |= words[i].bit;
		if (comma == NULL)
			break;
		p = comma + 1;
	}
	return !(*ret & SMTP_NOTIFY_NEVER) || *ret == SMTP_NOTIFY_NEVER;
}

/* rfc822;xtext */
static bool take_orcpt(const char *p, size_t n, char *ret)
{
	const char *semicolon = memchr(p, ';', n);
	size_t type = semicolon != NULL ? (size_t)(semicolon - p) : 0;

	if (type == 0 || n > SMTP_ORCPT_MAX || !smtp_xtext_valid(semicolon + 1, n - type - 1))
		return false;
	for (size_t i = 0; i < type; i++)
		if (!is_alnum(p[i]) && p[i] != '-')
			return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

static bool take_envid(const char *p, size_t n, char *ret)
{
	if (n > SMTP_ENVID_MAX || !smtp_xtext_valid(p, n))
		return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

/* One of two words: 1, 2, or 0. */
static uint8_t one_of(const char *p, size_t n, const char *first, const char *second)
{
	return smtp_word(p, n, first) ? 1 : smtp_word(p, n, second) ? 2 : 0;
}

static bool take_value(struct smtp_server *s, enum parameter which, const char *p, size_t n)
{
	switch (which) {
	case PARAMETER_SIZE:
		return smtp_number(p, n, &s->mail.size);
	case PARAMETER_BODY:
		return (s->mail.body = one_of(p, n, "7BIT", "8BITMIME")) != SMTP_BODY_NONE;
	case PARAMETER_RET:
		return (s->mail.ret = one_of(p, n, "FULL", "HDRS")) != SMTP_RET_NONE;
	case PARAMETER_ENVID:
		return take_envid(p, n, s->mail.envid);
	case PARAMETER_NOTIFY:
		return take_notify(p, n, &s->rcpt.notify);
	case PARAMETER_ORCPT:
		return take_orcpt(p, n, s->rcpt.orcpt);
	}
	return false;
}

/* One KEYWORD=VALUE. */
static enum smtp_answer take_parameter(struct smtp_server *s, bool rcpt, const char *p, size_t n, unsigned *seen)
{
	const char *equals = memchr(p, '=', n);
	size_t word = equals != NULL ? (size_t)(equals - p) : n, i = 0;

	while (i < NPARAMETERS && (parameters[i].rcpt != rcpt || !smtp_word(p, word, parameters[i].word)))
		i++;
	if (i == NPARAMETERS || !s->esmtp || !(s->options.offer & parameters[i].extension))
		return SMTP_SAY_PARAMETER;
	if (equals == NULL || *seen & 1u << i || !take_value(s, (enum parameter)i, equals + 1, n - word - 1))
		return SMTP_SAY_PARAMETER_VALUE;
	*seen |= 1u << i;
	return SMTP_SAY_OK;
}

static enum smtp_answer take_parameters(struct smtp_server *s, bool rcpt, const char *p, size_t n)
{
	enum smtp_answer wrong = SMTP_SAY_OK;
	unsigned seen = 0;

	if (n > 0 && *p != ' ')
		return rcpt ? SMTP_SAY_TO_SYNTAX : SMTP_SAY_FROM_SYNTAX;
	while (n > 0 && wrong == SMTP_SAY_OK) {
		if (*p == ' ') {
			p++, n--;
			continue;
		}
		const char *blank = memchr(p, ' ', n);
		size_t len = blank != NULL ? (size_t)(blank - p) : n;
		wrong = take_parameter(s, rcpt, p, len, &seen);
		p += len;
		n -= len;
	}
	return wrong;
}

/* "FROM:" or "TO:", then the path. */
static enum smtp_answer take_path(const char **p, size_t *n, const char *word, struct smtp_address *ret)
{
	static const uint8_t from[] = {
		[SMTP_ADDRESS_SYNTAX] = SMTP_SAY_FROM_SYNTAX, [SMTP_ADDRESS_BYTES] = SMTP_SAY_FROM_SYNTAX,
		[SMTP_ADDRESS_UTF8] = SMTP_SAY_FROM_UTF8, [SMTP_ADDRESS_LOCAL] = SMTP_SAY_FROM_LONG,
		[SMTP_ADDRESS_DOMAIN] = SMTP_SAY_FROM_DOMAIN, [SMTP_ADDRESS_PATH] = SMTP_SAY_FROM_LONG,
	};
	static const uint8_t to[] = {
		[SMTP_ADDRESS_SYNTAX] = SMTP_SAY_TO_SYNTAX, [SMTP_ADDRESS_BYTES] = SMTP_SAY_TO_SYNTAX,
		[SMTP_ADDRESS_UTF8] = SMTP_SAY_TO_UTF8, [SMTP_ADDRESS_LOCAL] = SMTP_SAY_TO_LONG,
		[SMTP_ADDRESS_DOMAIN] = SMTP_SAY_TO_DOMAIN, [SMTP_ADDRESS_PATH] = SMTP_SAY_TO_LONG,
	};
	size_t nword = strlen(word), taken = 0;

	if (*n < nword || !smtp_word(*p, nword, word))
		return SMTP_SAY_SYNTAX;
	*p += nword;
	*n -= nword;
	while (*n > 0 && **p == ' ')
		(*p)++, (*n)--;
	enum smtp_address_result r = smtp_address_parse(*p, *n, ret, &taken);
	if (r != SMTP_ADDRESS_OK)
		return (enum smtp_answer)(*word == 'F' ? from : to)[r];
	*p += taken;
	*n -= taken;
	return SMTP_SAY_OK;
}

enum smtp_answer server_parse_mail(struct smtp_server *s, const char *p, size_t n)
{
	struct smtp_mail *m = &s->mail;

	*m = (struct smtp_mail){0};
	enum smtp_answer wrong = take_path(&p, &n, "FROM:", &m->from);
	if (wrong == SMTP_SAY_OK && m->from.flags & SMTP_ADDRESS_ROUTED)
		wrong = SMTP_SAY_FROM_ROUTE;
	if (wrong == SMTP_SAY_OK && m->from.flags & SMTP_ADDRESS_POSTMASTER)
		wrong = SMTP_SAY_FROM_DOMAIN;
	return wrong != SMTP_SAY_OK ? wrong : take_parameters(s, false, p, n);
}

/* Ways to other hosts are refused in recipients: the next hop might follow them (RFC 5321 3.6.1). */
enum smtp_answer server_parse_rcpt(struct smtp_server *s, const char *p, size_t n)
{
	struct smtp_rcpt *r = &s->rcpt;

	*r = (struct smtp_rcpt){0};
	enum smtp_answer wrong = take_path(&p, &n, "TO:", &r->to);
	if (wrong == SMTP_SAY_OK && r->to.flags & SMTP_ADDRESS_NULL)
		wrong = SMTP_SAY_TO_NULL;
	if (wrong == SMTP_SAY_OK && r->to.flags & (SMTP_ADDRESS_ROUTED | SMTP_ADDRESS_RELAY))
		wrong = SMTP_SAY_TO_ROUTE;
	return wrong != SMTP_SAY_OK ? wrong : take_parameters(s, true, p, n);
}
