/*
 * icmp.c: services as people write them: "tcp/443", "udp/5000-5100", "icmp/echo-request", "icmpv6/nd-…".
 *
 * Names of ICMP messages are those of RFC 792 and RFC 4443 in the spelling of nft(8). A service names what
 * opens a flow, so replies are not needed; errors of a passed flow cross by themselves (the related chain).
 */
#include "forms.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

const char form_no_icmp[] = N_("not an ICMP message that has a name here");

#define NONE (-1)

/* type and code, NONE = any code, or no such message in this family. */
static const struct icmp_name {
	const char *name;
	int type4, code4, type6, code6;
} names[] = {
	{"echo-request", 8, NONE, 128, NONE},
	{"echo-reply", 0, NONE, 129, NONE},
	{"destination-unreachable", 3, NONE, 1, NONE},
	{"time-exceeded", 11, NONE, 3, NONE},
	{"parameter-problem", 12, NONE, 4, NONE},
	{"packet-too-big", NONE, NONE, 2, NONE},
	{"fragmentation-needed", 3, 4, NONE, NONE},
	{"timestamp-request", 13, NONE, NONE, NONE},
	{"timestamp-reply", 14, NONE, NONE, NONE},
};

void form_icmp_names(struct buf *out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		buf_printf(out, "%s%s", i == 0 ? "" : " ", names[i].name);
}

static struct service_port message(uint8_t proto, int type, int code)
{
	uint16_t base = (uint16_t)(type << 8);

	if (type == NONE)
		return (struct service_port){0};
	if (code == NONE)
		return (struct service_port){proto, base, base | 0xff};
	return (struct service_port){proto, base | (uint16_t)code, base | (uint16_t)code};
}

/* "8" or "3/4". */
static bool numeric(const char *s, int *ret_type, int *ret_code)
{
	char *end;
	unsigned long type, code;

	if (*s < '0' || *s > '9')
		return false;
	type = strtoul(s, &end, 10);
	*ret_type = (int)type;
	*ret_code = NONE;
	if (type > 255)
		return false;
	if (*end == '\0')
		return true;
	if (*end != '/' || end[1] < '0' || end[1] > '9')
		return false;
	code = strtoul(end + 1, &end, 10);
	*ret_code = (int)code;
	return *end == '\0' && code <= 255;
}

static const char *icmp(const char *s, uint8_t proto, struct service_port *ret, struct service_port *ret_6)
{
	int type, code;

	if (numeric(s, &type, &code)) {
		if (type == (proto == IPPROTO_ICMP ? 5 : 137))
			return N_("redirects are never let through");
		*ret = message(proto, type, code);
		*ret_6 = (struct service_port){0};
		return NULL;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct icmp_name *n = &names[i];
		if (strcmp(n->name, s) != 0)
			continue;
		struct service_port p4 = message(IPPROTO_ICMP, n->type4, n->code4);
		struct service_port p6 = message(IPPROTO_ICMPV6, n->type6, n->code6);
		if (proto == IPPROTO_ICMP ? p4.proto == 0 : p6.proto == 0)
			return N_("this ICMP message does not exist in this family");
		*ret = proto == IPPROTO_ICMP ? p4 : p6;
		*ret_6 = proto == IPPROTO_ICMP ? p6 : (struct service_port){0};
		return NULL;
	}
	return form_no_icmp;
}

static const char *ports(const char *s, uint8_t proto, struct service_port *ret)
{
	char *end;
	unsigned long lo, hi;

	if (*s < '0' || *s > '9')
		return N_("not a protocol and port");
	lo = hi = strtoul(s, &end, 10);
	if (*end == '-') {
		s = end + 1;
		if (*s < '0' || *s > '9')
			return N_("not a protocol and port");
		hi = strtoul(s, &end, 10);
	}
	if (*end != '\0')
		return N_("not a protocol and port");
	if (lo < 1 || hi > 65535 || lo > 65535)
		return N_("ports go from 1 to 65535");
	if (hi < lo)
		return N_("the range of ports ends before it starts");
	*ret = (struct service_port){proto, (uint16_t)lo, (uint16_t)hi};
	return NULL;
}

const char *form_service(const char *text, struct service_port *ret, struct service_port *ret_6)
{
	static const struct {
		const char *word;
		uint8_t proto;
	} protos[] = {{"tcp/", IPPROTO_TCP}, {"udp/", IPPROTO_UDP}, {"icmp/", IPPROTO_ICMP},
		{"icmpv6/", IPPROTO_ICMPV6}};

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		size_t n = strlen(protos[i].word);
		if (strncmp(text, protos[i].word, n) != 0)
			continue;
		if (protos[i].proto == IPPROTO_ICMP || protos[i].proto == IPPROTO_ICMPV6)
			return icmp(text + n, protos[i].proto, ret, ret_6);
		*ret_6 = (struct service_port){0};
		return ports(text + n, protos[i].proto, ret);
	}
	return N_("not a protocol and port");
}
