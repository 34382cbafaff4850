/* test_words.c: every code has words; services are read as they are written. */
#include "words.h"

#include <sekisho/buf.h>
#include <sekisho/finding.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>
#include <sekisho/msg.h>

#include <netinet/in.h>

#include "test.h"

static const char *service(struct buf *b, uint8_t proto, uint16_t port, bool has_port)
{
	buf_clear(b);
	words_service(b, proto, port, has_port);
	return buf_str(b);
}

/* text for a family, read and written again */
static const char *again(struct buf *b, const char *text, uint8_t family)
{
	struct question q = {0};

	return words_parse_service(text, family, &q) ? service(b, q.proto, q.dport, q.has_port) : NULL;
}

static void test_services(void)
{
	struct buf b = {0};
	struct question q;
	static const char *const bad[] = {"", "/", "tcp/", "tcp/65536", "tcp/x", "tcp/1/2", "tcp/-1", "256",
		"tcq/1", "icmp/", "icmp/256", "icmp/8/256", "icmp/packet-too-big", "icmp/no-such", "gre/1",
		"icmp/8/", "tcp/ 1", "TCP/1"};

	CHECK_STR(again(&b, "tcp/443", 4), "tcp/443");
	CHECK_STR(again(&b, "udp/0", 6), "udp/0");
	CHECK_STR(again(&b, "tcp", 4), "tcp");
	CHECK_STR(again(&b, "6/80", 4), "tcp/80");
	CHECK_STR(again(&b, "47", 4), "gre");
	CHECK_STR(again(&b, "200", 4), "200");
	CHECK_STR(again(&b, "icmp/echo-request", 4), "icmp/echo-request");
	/* The family decides which ICMP is meant. */
	CHECK_STR(again(&b, "icmp/echo-request", 6), "icmpv6/echo-request");
	CHECK(words_parse_service("icmp/echo-request", 6, &q) && q.proto == IPPROTO_ICMPV6 && q.dport == 128 << 8);
	CHECK_STR(again(&b, "icmp/3/4", 4), "icmp/destination-unreachable/4");
	CHECK_STR(again(&b, "icmp/200/7", 4), "icmp/200/7");
	CHECK_STR(again(&b, "icmpv6/packet-too-big", 6), "icmpv6/packet-too-big");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(again(&b, bad[i], 4) == NULL);
	buf_free(&b);
}

/* In Japanese nothing stays English. */
static void test_translated(void)
{
	struct buf b = {0};

	i18n_init("ja");
	for (unsigned code = 1; code < REASON_END; code++) {
		CHECK(strcmp(words_reason(code), reason_text(code)) != 0);
		const char *advice = words_reason_advice(code);
		CHECK(advice == NULL || (unsigned char)advice[0] >= 0x80 || strstr(advice, "。") != NULL);
	}
	CHECK_STR(words_health(MSG_OK), "正常");
	CHECK_STR(words_health(MSG_CAUTION), "注意");
	CHECK_STR(words_health(MSG_ABNORMAL), "異常");
	CHECK_STR(words_health(99), "異常");
	CHECK_STR(words_verdict(VERDICT_ALLOW), "許可");
	CHECK_STR(words_verdict(VERDICT_DROP), "遮断");
	words_differs(&b, DIFFERS_PORT | DIFFERS_MAC);
	CHECK_STR(buf_str(&b), "ポートが違います、MACアドレスが違います");
	for (unsigned f = 0; f < FINDING_END; f++) {
		CHECK(words_finding_advice(finding_code(f)) != NULL);
		CHECK(strcmp(words_finding_advice(finding_code(f)), finding_cure(f)) != 0);
	}
	CHECK(words_finding_advice("no-such-code") == NULL);
	i18n_init("en");
	buf_clear(&b);
	words_finding_text(&b, "the interface does not exist: eth3");
	CHECK_STR(buf_str(&b), "the interface does not exist: eth3");
	i18n_init("ja");
	buf_clear(&b);
	words_finding_text(&b, "the interface does not exist: eth3 — plug it in");
	CHECK_STR(buf_str(&b), "インターフェースがありません: eth3");
	buf_clear(&b);
	words_finding_text(&b, "何か");
	CHECK_STR(buf_str(&b), "何か");
	buf_clear(&b);
	words_fault(&b, "interface-missing", "cured: the interface does not exist: eth3");
	CHECK_STR(buf_str(&b), "解消: インターフェースがありません: eth3");
	buf_clear(&b);
	words_fault(&b, "restarted", "sekishod: killed by signal 9");
	CHECK_STR(buf_str(&b), "プログラムが終了したため、起動し直しました: sekishod: killed by signal 9");
	buf_clear(&b);
	words_fault(&b, "gate", "held -> open");
	CHECK_STR(buf_str(&b), "関所の開閉: 保留 -> 開");
	buf_clear(&b);
	words_fault(&b, "unheard-of", "something");
	CHECK_STR(buf_str(&b), "something");
	buf_free(&b);
}

/* Each bit of differs has its own word in JSON. */
static void test_differs(void)
{
	struct buf b = {0};
	struct json j = json_init(&b);

	words_differs_json(&j, NULL, 0x3ff);
	CHECK_STR(buf_str(&b), "[\"source\",\"destination\",\"protocol\",\"port\",\"direction\",\"mac\",\"expired\","
			       "\"not-started\",\"hours\",\"day\"]");
	buf_free(&b);
}

int main(void)
{
	test_services();
	test_translated();
	test_differs();
	return test_end();
}
