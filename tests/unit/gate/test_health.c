/* Findings, and the health that follows. */
#include "health.h"
#include "test.h"

#include <sekisho/i18n.h>

static unsigned cured;
static enum finding last_cured;

static void on_cured(void *arg, enum finding f, const char *detail)
{
	(void)arg;
	(void)detail;
	cured++;
	last_cured = f;
}

/* Every row of the table: its code is its own, its severity shows as the health. */
static void test_table(void)
{
	for (unsigned f = 0; f < FINDING_END; f++) {
		struct health h = {0};
		struct msg_finding list[MSG_FINDINGS_MAX];

		for (unsigned k = 0; k < f; k++)
			CHECK(strcmp(finding_code(f), finding_code(k)) != 0);
		CHECK(strlen(finding_code(f)) < sizeof(list[0].code));
		CHECK(finding_severity(f) == MSG_CAUTION || finding_severity(f) == MSG_ABNORMAL);
		CHECK_INT(health_add(&h, SOURCE_EVENT, (enum finding)f, "x"), HEALTH_NEW);
		CHECK_INT(health_now(&h), finding_severity(f));
		CHECK_INT(health_list(&h, list), 1);
		CHECK_STR(list[0].code, finding_code(f));
		CHECK(strstr(list[0].text, finding_text(f)) == list[0].text);
		CHECK(strstr(list[0].text, ": x") != NULL);
	}
	CHECK_STR(finding_code(FINDING_END), "unknown");
	CHECK_INT(finding_severity(FINDING_END), MSG_ABNORMAL);
}

static void test_stands_until_cured(void)
{
	struct health h = {0};

	CHECK_INT(health_now(&h), MSG_OK);
	health_begin(&h, SOURCE_NET);
	CHECK_INT(health_add(&h, SOURCE_NET, FINDING_INTERFACE_MISSING, "eth1"), HEALTH_NEW);
	CHECK_INT(health_add(&h, SOURCE_NET, FINDING_INTERFACE_MISSING, "eth2"), HEALTH_NEW);
	health_end(&h, SOURCE_NET, on_cured, NULL);
	CHECK_INT(cured, 0);
	CHECK_INT(health_now(&h), MSG_CAUTION);
	health_begin(&h, SOURCE_NET);
	CHECK_INT(health_add(&h, SOURCE_NET, FINDING_INTERFACE_MISSING, "eth2"), HEALTH_KNOWN);
	health_end(&h, SOURCE_NET, on_cured, NULL);
	CHECK_INT(cured, 1);
	CHECK_INT(last_cured, FINDING_INTERFACE_MISSING);
	/* Another source's look says nothing about this one. */
	health_begin(&h, SOURCE_LOG);
	health_end(&h, SOURCE_LOG, on_cured, NULL);
	CHECK_INT(h.n, 1);
	health_begin(&h, SOURCE_NET);
	health_end(&h, SOURCE_NET, on_cured, NULL);
	CHECK_INT(health_now(&h), MSG_OK);
	CHECK_INT(cured, 2);
}

static void test_events_fade(void)
{
	struct health h = {0};
	struct mono m = {1000000000};
	struct msg_finding list[MSG_FINDINGS_MAX];

	clock_set_test(NULL, &m);
	CHECK_INT(health_add(&h, SOURCE_EVENT, FINDING_TAMPERED, "nft"), HEALTH_NEW);
	CHECK_INT(health_add(&h, SOURCE_EVENT, FINDING_TAMPERED, "nft"), HEALTH_KNOWN);
	m.ns += (int64_t)(HEALTH_REPEAT_MS + 1) * 1000000;
	clock_set_test(NULL, &m);
	CHECK_INT(health_add(&h, SOURCE_EVENT, FINDING_TAMPERED, "nft"), HEALTH_NEW);
	CHECK_INT(health_list(&h, list), 1);
	CHECK(strstr(list[0].text, "(3)") != NULL);
	/* A look at the source does not cure an event; time does. */
	health_begin(&h, SOURCE_EVENT);
	health_end(&h, SOURCE_EVENT, NULL, NULL);
	CHECK_INT(h.n, 1);
	m.ns += (int64_t)(HEALTH_EVENT_MS + 1) * 1000000;
	clock_set_test(NULL, &m);
	health_tick(&h);
	CHECK_INT(h.n, 0);
	clock_set_test(NULL, NULL);
}

/* Too many: the worst are shown, the rest is said to exist; what stands displaces events. */
static void test_bounds(void)
{
	struct health h = {0};
	struct msg_finding list[MSG_FINDINGS_MAX];
	char detail[32];

	for (unsigned i = 0; i < HEALTH_MAX; i++) {
		snprintf(detail, sizeof(detail), "event %u", i);
		health_add(&h, SOURCE_EVENT, FINDING_NET_CHANGED, detail);
	}
	CHECK_INT(h.n, HEALTH_MAX);
	CHECK_INT(health_add(&h, SOURCE_PROOF, FINDING_PROOF, "one"), HEALTH_NEW);
	CHECK_INT(h.n, HEALTH_MAX);
	CHECK_INT(health_now(&h), MSG_ABNORMAL);
	CHECK_INT(health_list(&h, list), MSG_FINDINGS_MAX);
	CHECK_STR(list[0].code, "proof");
	CHECK_STR(list[MSG_FINDINGS_MAX - 1].code, "too-many");
	CHECK_INT(health_add(&h, SOURCE_EVENT, FINDING_NET_CHANGED, "one more"), HEALTH_NEW);
	CHECK_INT(health_add(&h, SOURCE_EVENT, FINDING_NET_CHANGED, "two more"), HEALTH_KNOWN);
	CHECK_INT(h.n, HEALTH_MAX);
}

/* Details come from the kernel and the policy: cut, and without control characters. */
static void test_detail(void)
{
	struct health h = {0};
	struct msg_finding list[MSG_FINDINGS_MAX];
	char longer[600];

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	longer[3] = '\033';
	health_add(&h, SOURCE_NET, FINDING_INTERFACE_MISSING, longer);
	CHECK_INT(health_add(&h, SOURCE_NET, FINDING_INTERFACE_MISSING, longer), HEALTH_KNOWN);
	CHECK_INT(health_list(&h, list), 1);
	CHECK(strchr(list[0].text, '\033') == NULL);
	CHECK(strlen(list[0].text) < sizeof(list[0].text));
	struct msg m;
	CHECK(!msg_decode("", 0, 0, &m));
}

int main(void)
{
	i18n_init("en");
	test_table();
	test_stands_until_cured();
	test_events_fade();
	test_bounds();
	test_detail();
	return test_end();
}
