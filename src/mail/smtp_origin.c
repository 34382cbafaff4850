/*
 * smtp_origin.c: XCLIENT and XFORWARD of Postfix: a peer says for whom it speaks.
 *
 * Input: attributes of a peer that the caller trusts, NAME=value in xtext. What is kept has passed the same checks as if the
 * client itself had said it; a name or HELO that is none is kept as not known, because the peer only repeats what it heard.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "smtp_server_private.h"

#define UNKNOWN "[UNAVAILABLE]"

static bool is_unknown(const char *v)
{
	return strcasecmp(v, UNKNOWN) == 0 || strcasecmp(v, "[TEMPUNAVAIL]") == 0;
}

static void take_name(const char *v, char *ret)
{
	if (!smtp_domain_parse(v, strlen(v), ret))
		ret[0] = '\0';
}

static bool take_address(const char *v, char ret[48])
{
	unsigned char address[16];
	bool six = strncasecmp(v, "IPV6:", 5) == 0;
	int family = six ? AF_INET6 : AF_INET;

	return inet_pton(family, six ? v + 5 : v, address) == 1 && inet_ntop(family, address, ret, 48) != NULL;
}

static bool take_port(const char *v, uint16_t *ret)
{
	uint64_t n;

	if (!smtp_number(v, strlen(v), &n) || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

static bool take_ident(const char *v, char ret[64])
{
	if (strlen(v) >= 64)
		return false;
	strcpy(ret, v);
	return true;
}

/* One attribute whose value is decoded. */
static bool take(const char *word, size_t n, const char *v, bool forward, struct smtp_origin *o)
{
	bool unknown = is_unknown(v);

	if (smtp_word(word, n, "NAME"))
		take_name(unknown ? "" : v, o->name);
	else if (smtp_word(word, n, "HELO"))
		take_name(unknown ? "" : v, o->helo);
	else if (smtp_word(word, n, "ADDR"))
		return unknown ? (o->address[0] = '\0', true) : take_address(v, o->address);
	else if (smtp_word(word, n, "PORT"))
		return unknown ? (o->port = 0, true) : take_port(v, &o->port);
	else if (smtp_word(word, n, "PROTO"))
		o->proto = strcasecmp(v, "ESMTP") == 0 ? 2 : strcasecmp(v, "SMTP") == 0 ? 1 : 0;
	else if (forward && smtp_word(word, n, "IDENT"))
		return unknown ? (o->ident[0] = '\0', true) : take_ident(v, o->ident);
	else if (forward && smtp_word(word, n, "SOURCE"))
		o->local = strcasecmp(v, "LOCAL") == 0;
	else
		return false;
	return true;
}

bool origin_parse(const char *p, size_t n, bool forward, struct smtp_origin *o)
{
	size_t count = 0;

	while (n > 0) {
		if (*p == ' ') {
			p++, n--;
			continue;
		}
		char value[SMTP_DOMAIN_MAX + 1];
		const char *blank = memchr(p, ' ', n);
		size_t len = blank != NULL ? (size_t)(blank - p) : n;
		const char *equals = memchr(p, '=', len);
		size_t word = equals != NULL ? (size_t)(equals - p) : len;
		if (equals == NULL || !smtp_xtext_decode(equals + 1, len - word - 1, value, sizeof(value)) ||
			!take(p, word, value, forward, o))
			return false;
		count++;
		p += len;
		n -= len;
	}
	return count > 0;
}

/* NAME=value with its blank, or "not known". */
static char *put(char *out, const char *word, const char *value)
{
	*out++ = ' ';
	out = stpcpy(stpcpy(out, word), "=");
	return value[0] != '\0' ? smtp_xtext_encode(value, out) : stpcpy(out, UNKNOWN);
}

size_t origin_write(const struct smtp_origin *o, unsigned attributes, char *out)
{
	static const char *const protos[] = {"", "SMTP", "ESMTP"};
	char port[8] = "", address[64] = "";
	char *end = stpcpy(out, "XFORWARD");

	if (o->port != 0)
		snprintf(port, sizeof(port), "%u", o->port);
	if (o->address[0] != '\0')
		snprintf(address, sizeof(address), "%s%.47s", strchr(o->address, ':') != NULL ? "IPV6:" : "", o->address);
	const struct {
		unsigned bit;
		const char *word, *value;
	} all[] = {
		{ORIGIN_NAME, "NAME", o->name},	 {ORIGIN_ADDR, "ADDR", address},
		{ORIGIN_PORT, "PORT", port},	 {ORIGIN_PROTO, "PROTO", protos[o->proto <= 2 ? o->proto : 0]},
		{ORIGIN_HELO, "HELO", o->helo}, {ORIGIN_IDENT, "IDENT", o->ident},
		{ORIGIN_SOURCE, "SOURCE", o->local ? "LOCAL" : "REMOTE"},
	};
	char *begin = end;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (attributes & all[i].bit)
			end = put(end, all[i].word, all[i].value);
	if (end == begin)
		return 0;
	end = stpcpy(end, "\r\n");
	return (size_t)(end - out);
}

unsigned origin_attributes(const char *p, size_t n)
{
	static const char *const words[] = {"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"};
	unsigned bits = 0;

	while (n > 0) {
		const char *blank = memchr(p, ' ', n);
		size_t len = blank != NULL ? (size_t)(blank - p) : n;
		for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			bits |= smtp_word(p, len, words[i]) ? 1u << i : 0;
		p += len + (blank != NULL ? 1 : 0);
		n -= len + (blank != NULL ? 1 : 0);
	}
	return bits;
}
