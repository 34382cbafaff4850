/*
 * smtp_address.c: paths of the envelope, domains and address literals (RFC 5321 4.1.2 and 4.1.3; RFC 1123 2.1).
 *
 * Input: what a stranger wrote behind MAIL FROM:, RCPT TO: or HELO. Limits: smtp_address.h. A name for each refusal, no
 * repair but the two that the header tells. The result is built from what was understood: a quoted local part loses its quotes
 * and backslashes and gets them back only where it needs them, domains are lower case, literals in normal form.
 */
#include <sekisho/smtp_address.h>

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "smtp_private.h"

#define LABEL_MAX 63u

/* What may stand in a local part without quotes (RFC 5321 atext). */
static bool is_atext(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Why a byte that the grammar does not have here is refused. */
static enum smtp_address_result wrong(const char *p, const char *end)
{
	unsigned char c = p < end ? (unsigned char)*p : ' ';

	return c >= 0x80 ? SMTP_ADDRESS_UTF8 : c < 0x20 || c == 0x7f ? SMTP_ADDRESS_BYTES : SMTP_ADDRESS_SYNTAX;
}

/* Labels of letters, digits, - (not at an end) and _. ret may be NULL. */
static bool parse_name(const char *p, size_t n, bool digits_may_end, char *ret)
{
	size_t label = 0;
	bool digits = true; /* of this label */

	if (n == 0 || n > SMTP_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i <= n; i++) {
		char c = i < n ? p[i] : '.';
		if (c == '.') {
			if (label == 0 || label > LABEL_MAX || p[i - 1] == '-')
				return false;
			if (i == n)
				break;
			label = 0;
			digits = true;
		} else if (is_alnum(c) || c == '_' || (c == '-' && label > 0)) {
			label++;
			digits = digits && is_digit(c);
		} else {
			return false;
		}
		if (ret != NULL)
			ret[i] = to_lower(c);
	}
	if (ret != NULL)
		ret[n] = '\0';
	return digits_may_end || !digits;
}

/* [192.0.2.1] or [IPv6:2001:db8::1], with its brackets. */
static bool parse_literal(const char *p, size_t n, char *ret)
{
	static const char tag[] = "IPv6:";
	char text[INET6_ADDRSTRLEN], normal[INET6_ADDRSTRLEN];
	unsigned char address[16];

	if (n < 3 || p[0] != '[' || p[n - 1] != ']')
		return false;
	p++, n -= 2;
	bool six = n > strlen(tag) && strncasecmp(p, tag, strlen(tag)) == 0;
	if (six)
		p += strlen(tag), n -= strlen(tag);
	if (n >= sizeof(text) || memchr(p, '\0', n) != NULL)
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	int family = six ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, address) != 1 || inet_ntop(family, address, normal, sizeof(normal)) == NULL)
		return false;
	char *out = ret;
	*out++ = '[';
	out = stpcpy(stpcpy(out, six ? tag : ""), normal);
	strcpy(out, "]");
	return true;
}

/* A dot at the end means the same name, and some clients write it. */
bool smtp_domain_parse(const char *p, size_t n, char *ret)
{
	if (n > 1 && p[n - 1] == '.')
		n--;
	return n > 0 && p[0] == '[' ? parse_literal(p, n, ret) : parse_name(p, n, true, ret);
}

/* "@a,@b:" before the mailbox; *p is set behind it. */
static enum smtp_address_result skip_route(const char **p, const char *end)
{
	for (;;) {
		const char *name = ++*p; /* behind '@' */
		while (*p < end && **p != ',' && **p != ':' && **p != '>')
			(*p)++;
		size_t n = (size_t)(*p - name);
		for (size_t i = 0; i < n; i++)
			if (!is_graph(name[i]))
				return wrong(name + i, end);
		if (*p == end || **p == '>' || !(parse_name(name, n, false, NULL) || (n > 0 && name[0] == '[')))
			return SMTP_ADDRESS_SYNTAX;
		if (*(*p)++ == ':')
			return SMTP_ADDRESS_OK;
		if (*p == end || **p != '@')
			return wrong(*p, end);
	}
}

/* The local part, without quotes and backslashes, into a->local. */
static enum smtp_address_result take_local(const char **p, const char *end, struct smtp_address *a)
{
	bool quoted = *p < end && **p == '"';
	size_t n = 0;
	const char *s = *p + (quoted ? 1 : 0);

	for (; s < end; s++) {
		char c = *s;
		if (quoted ? c == '"' : !is_atext(c) && c != '.')
			break;
		if (quoted && c == '\\' && ++s < end)
			c = *s;
		if (s == end || !(is_graph(c) || c == ' '))
			return wrong(s, end);
		if (n == SMTP_LOCAL_MAX)
			return SMTP_ADDRESS_LOCAL;
		a->local[n++] = c;
	}
	if (n == 0 || (quoted && s == end))
		return wrong(s, end);
	a->local[n] = '\0';
	*p = s + (quoted ? 1 : 0);
	return SMTP_ADDRESS_OK;
}

/* The domain behind '@', up to '>'. */
static enum smtp_address_result take_domain(const char **p, const char *end, struct smtp_address *a)
{
	const char *s = *p;

	while (s < end && *s != '>') {
		if (!is_graph(*s))
			return wrong(s, end);
		s++;
	}
	size_t n = (size_t)(s - *p);
	bool literal = n > 0 && **p == '[';
	if (s == end)
		return SMTP_ADDRESS_SYNTAX;
	if (literal ? !parse_literal(*p, n, a->domain) : !parse_name(*p, n, false, a->domain))
		return SMTP_ADDRESS_DOMAIN;
	a->flags |= literal ? SMTP_ADDRESS_LITERAL : 0;
	*p = s;
	return SMTP_ADDRESS_OK;
}

/* Does the local part pass without quotes: words joined by single dots? */
static bool is_dot_string(const char *local)
{
	for (const char *s = local; *s != '\0'; s++)
		if (!is_atext(*s) && (*s != '.' || s == local || s[1] == '.' || s[1] == '\0'))
			return false;
	return true;
}

/* text from local and domain. */
static enum smtp_address_result build(struct smtp_address *a)
{
	char text[2 * SMTP_LOCAL_MAX + SMTP_DOMAIN_MAX + 4], *out = text;
	bool plain = is_dot_string(a->local);

	if (!plain)
		*out++ = '"';
	for (const char *s = a->local; *s != '\0'; s++) {
		if (!plain && (*s == '"' || *s == '\\'))
			*out++ = '\\';
		*out++ = *s;
	}
	if (!plain)
		*out++ = '"';
	if (a->domain[0] != '\0')
		*out++ = '@';
	out = stpcpy(out, a->domain);
	if ((size_t)(out - text) + 2 > SMTP_PATH_MAX)
		return SMTP_ADDRESS_PATH;
	strcpy(a->text, text);
	a->flags |= plain ? 0 : SMTP_ADDRESS_QUOTED;
	a->flags |= strpbrk(a->local, "%!@") != NULL ? SMTP_ADDRESS_RELAY : 0;
	return SMTP_ADDRESS_OK;
}

/* The mailbox between < and >; *p ends at '>'. */
static enum smtp_address_result take_mailbox(const char **p, const char *end, struct smtp_address *a)
{
	enum smtp_address_result r = SMTP_ADDRESS_OK;

	if (*p < end && **p == '@') {
		a->flags |= SMTP_ADDRESS_ROUTED;
		r = skip_route(p, end);
	}
	if (r == SMTP_ADDRESS_OK)
		r = take_local(p, end, a);
	if (r != SMTP_ADDRESS_OK)
		return r;
	if (*p < end && **p == '@') {
		(*p)++;
		r = take_domain(p, end, a);
	} else if (*p < end && **p == '>' && strcasecmp(a->local, "postmaster") == 0 && a->flags == 0) {
		a->flags |= SMTP_ADDRESS_POSTMASTER;
	} else {
		return wrong(*p, end);
	}
	return r == SMTP_ADDRESS_OK ? build(a) : r;
}

enum smtp_address_result smtp_address_parse(const char *p, size_t n, struct smtp_address *ret, size_t *ret_taken)
{
	struct smtp_address a = {0};
	const char *s = p, *end = p + n;

	if (s == end || *s++ != '<')
		return wrong(p, end);
	if (s < end && *s == '>') {
		a.flags = SMTP_ADDRESS_NULL;
	} else {
		enum smtp_address_result r = take_mailbox(&s, end, &a);
		if (r != SMTP_ADDRESS_OK)
			return r;
	}
	if ((size_t)(s + 1 - p) > SMTP_PATH_MAX && !(a.flags & SMTP_ADDRESS_ROUTED))
		return SMTP_ADDRESS_PATH;
	*ret = a;
	*ret_taken = (size_t)(s + 1 - p);
	return SMTP_ADDRESS_OK;
}
