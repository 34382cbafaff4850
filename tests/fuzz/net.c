/*
 * net.c (fuzz): rtnetlink payloads and the text of /proc/net. The first byte chooses the reader.
 */
#include "net_sample.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct net_fact *f)
{
	char text[140];

	net_fact_text(f, "eth0", text, sizeof(text));
	/* What was accepted is of a known family and length. */
	if ((f->family != 4 && f->family != 6) || f->plen > (f->family == 4 ? 32 : 128))
		abort();
}

static void on_value(void *arg, const char *name, uint64_t v)
{
	(void)name;
	*(uint64_t *)arg += v;
}

static void on_dev(void *arg, const char *name, const uint64_t v[NET_SAMPLE_DEV_COLUMNS])
{
	(void)name;
	*(uint64_t *)arg += v[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_fact f;
	struct net_link l;
	uint64_t sum = 0;
	bool permanent;

	if (size == 0)
		return 0;
	const uint8_t *p = data + 1;
	const char *text = (const char *)p;
	size_t n = size - 1;
	switch (data[0]) {
	case 'l': net_parse_link(p, n, &l); break;
	case 'a': if (net_parse_addr(p, n, &f)) check_text(&f); break;
	case 'r': if (net_parse_route(p, n, &f)) check_text(&f); break;
	case 'n': if (net_parse_neigh_any(p, n, &f, &permanent)) check_text(&f); break;
	case 'u': net_parse_rule_foreign(p, n); break;
	case 'p': net_sample_parse_pairs(text, n, on_value, &sum); break;
	case 's': net_sample_parse_lines(text, n, on_value, &sum); break;
	case 'c': net_sample_parse_conntrack(text, n, on_value, &sum); break;
	case 'd': net_sample_parse_dev(text, n, on_dev, &sum); break;
	default: break;
	}
	return 0;
}
