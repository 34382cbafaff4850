/*
 * value.c: kinds of values (addresses, ports, names, marks): nft's words for them and the kernel's bytes.
 *
 * Output only. The numbers are those of nft's own datatypes (include/datatype.h there): a set's key type carries
 * them, and `nft list` reads them back. A concatenation is six bits a field.
 */
#include "objects.h"

#include <sekisho/addr.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const struct datatype_info datatypes[TYPE_END] = {
	[TYPE_NFPROTO] = {"nf_proto", 2, 1, false},
	[TYPE_L4PROTO] = {"inet_proto", 12, 1, false},
	[TYPE_IFNAME] = {"ifname", 41, 16, true},
	[TYPE_MARK] = {"mark", 19, 4, true},
	[TYPE_MARK_NET] = {"mark", 19, 4, false},
	[TYPE_U32] = {NULL, 4, 4, true},
	[TYPE_U16] = {NULL, 4, 2, false},
	[TYPE_U8] = {NULL, 4, 1, false},
	[TYPE_HEX8] = {NULL, 4, 1, false},
	[TYPE_HEX32] = {NULL, 4, 4, false},
	[TYPE_ADDR4] = {"ipv4_addr", 7, 4, false},
	[TYPE_ADDR6] = {"ipv6_addr", 8, 16, false},
	[TYPE_PORT] = {"inet_service", 13, 2, false},
	[TYPE_ETHER] = {"ether_addr", 9, 6, false},
	[TYPE_TCPFLAGS] = {"tcp_flag", 15, 1, false},
	[TYPE_ICMPTYPE] = {"icmp_type", 14, 1, false},
	[TYPE_ICMP6TYPE] = {"icmpv6_type", 29, 1, false},
	[TYPE_CTSTATE] = {NULL, 26, 4, true},
	[TYPE_CTDIR] = {NULL, 27, 1, false},
	[TYPE_PKTTYPE] = {NULL, 31, 1, false},
	[TYPE_ARPHRD] = {NULL, 21, 2, true},
	[TYPE_PRESENT] = {NULL, 39, 1, false},
	[TYPE_PRESENT32] = {NULL, 39, 4, true},
};

/* Words that nft prints for numbers; what is not here is a number in its syntax too. */
static const struct {
	enum datatype type;
	uint32_t number;
	const char *word;
} words[] = {
	{TYPE_NFPROTO, 2, "ipv4"},
	{TYPE_NFPROTO, 10, "ipv6"},
	{TYPE_L4PROTO, IPPROTO_ICMP, "icmp"},
	{TYPE_L4PROTO, IPPROTO_TCP, "tcp"},
	{TYPE_L4PROTO, IPPROTO_UDP, "udp"},
	{TYPE_L4PROTO, IPPROTO_ICMPV6, "ipv6-icmp"},
	{TYPE_CTDIR, 0, "original"},
	{TYPE_CTDIR, 1, "reply"},
	{TYPE_CTSTATE, 1, "invalid"},
	{TYPE_CTSTATE, 2, "established"},
	{TYPE_CTSTATE, 4, "related"},
	{TYPE_CTSTATE, 8, "new"},
	{TYPE_CTSTATE, 64, "untracked"},
	{TYPE_PKTTYPE, 0, "host"},
	{TYPE_ARPHRD, 1, "ether"},
	{TYPE_PRESENT, 0, "missing"},
	{TYPE_PRESENT, 1, "exists"},
	{TYPE_PRESENT32, 0, "missing"},
	{TYPE_PRESENT32, 1, "exists"},
};

const struct datatype_info *datatype(enum datatype t)
{
	return &datatypes[t];
}

static uint32_t number_of(enum datatype t, const uint8_t *bytes)
{
	uint32_t n = 0;
	uint16_t half;

	switch (datatypes[t].len) {
	case 1:
		return bytes[0];
	case 2:
		memcpy(&half, bytes, 2);
		return datatypes[t].host_order ? half : ntohs(half);
	default:
		memcpy(&n, bytes, 4);
		return datatypes[t].host_order ? n : ntohl(n);
	}
}

void value_from_number(enum datatype t, uint32_t number, uint8_t *bytes)
{
	uint16_t half = (uint16_t)number;

	switch (datatypes[t].len) {
	case 1:
		bytes[0] = (uint8_t)number;
		break;
	case 2:
		half = datatypes[t].host_order ? half : htons(half);
		memcpy(bytes, &half, 2);
		break;
	default:
		number = datatypes[t].host_order ? number : htonl(number);
		memcpy(bytes, &number, 4);
	}
}

static void number_text(enum datatype t, uint32_t number, struct buf *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].type == t && words[i].number == number) {
			buf_adds(out, words[i].word);
			return;
		}
	}
	if (t == TYPE_MARK || t == TYPE_MARK_NET || t == TYPE_HEX8 || t == TYPE_HEX32 || t == TYPE_TCPFLAGS)
		buf_printf(out, "0x%x", number);
	else
		buf_printf(out, "%u", number);
}

void value_text(enum datatype t, const uint8_t *bytes, struct buf *out)
{
	char text[ADDR_TEXT_MAX], name[LIMIT_IFNAME + 1] = "";
	struct addr a = {.family = t == TYPE_ADDR4 ? 4 : 6};
	struct mac mac;

	switch (t) {
	case TYPE_ADDR4:
	case TYPE_ADDR6:
		memcpy(a.b, bytes, datatypes[t].len);
		buf_adds(out, addr_format(&a, text));
		break;
	case TYPE_ETHER:
		memcpy(mac.b, bytes, 6);
		buf_adds(out, mac_format(&mac, text));
		break;
	case TYPE_IFNAME:
		memcpy(name, bytes, LIMIT_IFNAME);
		buf_printf(out, "\"%s\"", name);
		break;
	default:
		number_text(t, number_of(t, bytes), out);
	}
}
