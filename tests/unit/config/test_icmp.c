/* test_icmp.c: services: ports, ranges, ICMP messages by name and number in both families. */
#include "forms.h"

#include <sekisho/buf.h>

#include <netinet/in.h>

#include "test.h"

/* "proto lo-hi" of what a text means, then the second family's; "-" when refused. */
static const char *service(const char *text)
{
	static char out[64];
	struct service_port p = {0}, p6 = {0};

	if (form_service(text, &p, &p6) != NULL)
		return "-";
	int n = snprintf(out, sizeof(out), "%d %d-%d", p.proto, p.lo, p.hi);
	if (p6.proto != 0)
		snprintf(out + n, sizeof(out) - (size_t)n, " %d %d-%d", p6.proto, p6.lo, p6.hi);
	return out;
}

static void test_ports(void)
{
	CHECK_STR(service("tcp/443"), "6 443-443");
	CHECK_STR(service("udp/5000-5100"), "17 5000-5100");
	CHECK_STR(service("tcp/1-65535"), "6 1-65535");
	CHECK_STR(service("tcp/0"), "-");
	CHECK_STR(service("tcp/65536"), "-");
	CHECK_STR(service("tcp/18446744073709551616"), "-");
	CHECK_STR(service("tcp/9-5"), "-");
	CHECK_STR(service("tcp/5-"), "-");
	CHECK_STR(service("tcp/-5"), "-");
	CHECK_STR(service("tcp/ 5"), "-");
	CHECK_STR(service("tcp/5,6"), "-");
	CHECK_STR(service("tcp/"), "-");
	CHECK_STR(service("tcp"), "-");
	CHECK_STR(service("sctp/5"), "-");
	CHECK_STR(service(""), "-");
}

static void test_icmp(void)
{
	CHECK_STR(service("icmp/echo-request"), "1 2048-2303 58 32768-33023");
	CHECK_STR(service("icmpv6/echo-request"), "58 32768-33023");
	CHECK_STR(service("icmp/8"), "1 2048-2303");
	CHECK_STR(service("icmp/3/4"), "1 772-772");
	CHECK_STR(service("icmp/fragmentation-needed"), "1 772-772");
	CHECK_STR(service("icmpv6/packet-too-big"), "58 512-767");
	CHECK_STR(service("icmp/255/255"), "1 65535-65535");
	CHECK_STR(service("icmpv6/fragmentation-needed"), "-");
	CHECK_STR(service("icmp/packet-too-big"), "-");
	CHECK_STR(service("icmp/256"), "-");
	CHECK_STR(service("icmp/3/256"), "-");
	CHECK_STR(service("icmp/3/"), "-");
	CHECK_STR(service("icmp/3/4/5"), "-");
	CHECK_STR(service("icmp/ping"), "-");
	CHECK_STR(service("icmp/"), "-");
	/* A redirect is never let through, by whatever name. */
	CHECK_STR(service("icmp/5"), "-");
	CHECK_STR(service("icmp/5/1"), "-");
	CHECK_STR(service("icmpv6/137"), "-");
	CHECK_STR(service("icmp/redirect"), "-");
}

/* Every name that the hint shows is one. */
static void test_names(void)
{
	struct buf b = {0};
	char text[64], *rest, *name;

	form_icmp_names(&b);
	buf_str(&b);
	for (name = strtok_r((char *)b.data, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
		struct service_port p, p6;
		snprintf(text, sizeof(text), "icmp/%s", name);
		const char *wrong4 = form_service(text, &p, &p6);
		snprintf(text, sizeof(text), "icmpv6/%s", name);
		CHECK(wrong4 == NULL || form_service(text, &p, &p6) == NULL);
	}
	buf_free(&b);
}

int main(void)
{
	test_ports();
	test_icmp();
	test_names();
	return test_end();
}
