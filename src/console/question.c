/*
 * question.c: reads questions about packets.
 *
 * Input: the user's words, or lines of a file that may hold anything; every word is bounded by its line and
 * comes back in an error message only escaped (the caller prints through text_safe() or JSON).
 */
#include "question.h"

#include "timearg.h"
#include "words.h"

#include <sekisho/i18n.h>
#include <sekisho/strmap.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void asker_init(struct asker *k, const struct ir *ir, struct wall now)
{
	*k = (struct asker){.ir = ir, .hosts = strmap_new(), .now = now};
	for (uint32_t i = 0; i < ir->nhosts; i++)
		strmap_add(k->hosts, ir_text(ir, ir->hosts[i].name), i);
}

void asker_free(struct asker *k)
{
	strmap_free(k->hosts);
}

__attribute__((format(printf, 2, 3))) static bool wrong(char error[QUESTION_ERROR_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, QUESTION_ERROR_MAX, fmt, ap);
	va_end(ap);
	return false;
}

/* An end of the question: an address as written, or a host. */
struct end {
	struct addr addr; /* family 0: not chosen yet */
	uint32_t host;
};

static bool read_end(const struct asker *k, const char *word, struct end *ret, char *error)
{
	*ret = (struct end){.host = IR_NONE};
	if (addr_parse(word, &ret->addr))
		return true;
	if (strmap_get(k->hosts, word, &ret->host))
		return true;
	const char *near = strmap_nearest(k->hosts, word);
	if (near != NULL)
		return wrong(error,
			_("\"%.64s\" is no address and no host of the policy; did you mean \"%.64s\"?"), word,
			near);
	return wrong(error, _("\"%.64s\" is no address and no host of the policy"), word);
}

static const struct ir_hostaddr *host_address(const struct ir *ir, uint32_t host, uint8_t family)
{
	struct ir_run run = ir->hosts[host].addrs;

	for (uint32_t i = run.first; i < run.first + run.n; i++)
		if (ir->hostaddrs[i].family == family)
			return &ir->hostaddrs[i];
	return NULL;
}

static bool is_own(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; i < ir->nlocals; i++)
		if (ir->locals[i].family == a->family && memcmp(ir->locals[i].addr, a->b, addr_len(a->family)) == 0)
			return true;
	return false;
}

/* Which address a named host has in this question; false when it has none of the family. */
static bool settle_end(const struct ir *ir, struct end *e, uint8_t family)
{
	if (e->host == IR_NONE)
		return e->addr.family == family;
	const struct ir_hostaddr *h = host_address(ir, e->host, family);
	if (h == NULL)
		return false;
	struct addr_range r = ir_addr_range(family, &h->range);
	e->addr = r.lo;
	if (!range_is_single(&r))
		addr_next(&e->addr);
	while (is_own(ir, &e->addr) && addr_cmp(&e->addr, &r.hi) < 0)
		addr_next(&e->addr);
	return true;
}

/* Chooses one family for both ends: what is written as an address decides, then IPv4 before IPv6. */
static bool settle(const struct ir *ir, struct end *src, struct end *dst)
{
	static const uint8_t families[] = {4, 6};

	for (size_t i = 0; i < 2; i++) {
		struct end s = *src, d = *dst;
		if (!settle_end(ir, &s, families[i]) || !settle_end(ir, &d, families[i]))
			continue;
		*src = s;
		*dst = d;
		return true;
	}
	return false;
}

bool question_read(const struct asker *k, const char *const words[3], const char *mac, const char *at,
	struct asked *ret, char error[QUESTION_ERROR_MAX])
{
	struct end src, dst;

	*ret = (struct asked){.at = k->now};
	if (!read_end(k, words[0], &src, error) || !read_end(k, words[1], &dst, error))
		return false;
	if (!settle(k->ir, &src, &dst))
		return wrong(error, _("source and destination have no address family in common"));
	ret->q.src = src.addr;
	ret->q.dst = dst.addr;
	ret->src_host = src.host;
	ret->dst_host = dst.host;
	if (!words_parse_service(words[2], src.addr.family, &ret->q))
		return wrong(error, _("\"%.64s\" is no protocol and port, such as tcp/443 or icmp/echo-request"), words[2]);
	if (mac != NULL && !mac_parse(mac, &ret->q.mac))
		return wrong(error, _("\"%.64s\" is no MAC address, such as 02:00:00:00:00:01"), mac);
	ret->q.has_mac = mac != NULL;
	if (at != NULL && !timearg_parse(at, k->now, false, &ret->at))
		return wrong(error, _("\"%.64s\" is not a time (see: sekisho help times)"), at);
	return true;
}

/* Splits at blanks; returns the number of words, max + 1 when there are more than max. */
static size_t split(char *line, const char **words, size_t max)
{
	size_t n = 0;
	char *save = NULL;

	for (char *w = strtok_r(line, " \t\r", &save); w != NULL; w = strtok_r(NULL, " \t\r", &save)) {
		if (n == max)
			return max + 1;
		words[n++] = w;
	}
	return n;
}

bool question_read_line(const struct asker *k, char *line, struct asked *ret, char error[QUESTION_ERROR_MAX])
{
	const char *words[7], *three[3], *mac = NULL, *at = NULL;
	size_t n = split(line, words, 7), nthree = 0;

	for (size_t i = 0; i < n && n <= 7; i++) {
		const char **option = strcmp(words[i], "--at") == 0	   ? &at
				      : strcmp(words[i], "--src-mac") == 0 ? &mac
									   : NULL;
		if (option != NULL && i + 1 < n && *option == NULL)
			*option = words[++i];
		else if (option != NULL || nthree == 3)
			n = 8;
		else
			three[nthree++] = words[i];
	}
	if (n > 7 || nthree != 3)
		return wrong(error, "%s", _("a question is: SRC DST PROTO[/PORT] [--at TIME] [--src-mac MAC]"));
	return question_read(k, three, mac, at, ret, error);
}
