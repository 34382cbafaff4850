/* test_pseudonym.c: text without addresses and names: what is replaced, what stays, and what two bundles have in common. */
#include "pseudonym.h"
#include "test.h"

#include <sekisho/buf.h>

static char shown[2000];

static const char *say(struct pseudonym *p, const char *text, bool policy)
{
	struct buf b = {0};

	pseudonym_text(p, text, policy, &b);
	snprintf(shown, sizeof(shown), "%s", buf_str(&b));
	buf_free(&b);
	return shown;
}

static void test_addresses(void)
{
	struct pseudonym *p = pseudonym_new("a key of ours");
	char first[64], second[64];

	snprintf(first, sizeof(first), "%s", say(p, "10.1.10.5", false));
	CHECK(strcmp(first, "10.1.10.5") != 0);
	CHECK_STR(say(p, "10.1.10.5", false), first);
	/* The same network stays the same network, and another one another. */
	snprintf(second, sizeof(second), "%s", say(p, "10.1.10.6", false));
	CHECK(strcmp(first, second) != 0);
	CHECK(strncmp(first, second, (size_t)(strrchr(first, '.') - first)) == 0);
	CHECK(strncmp(say(p, "10.1.11.5", false), first, (size_t)(strrchr(first, '.') - first + 1)) != 0);
	CHECK(strstr(say(p, "from 10.1.10.0/24, to 2001:db8::5.", false), "db8") == NULL);
	CHECK(strstr(shown, "/24, to ") != NULL);
	/* MAC: the maker stays. */
	CHECK(strncmp(say(p, "02:00:00:01:00:fe", false), "02:00:00:", 9) == 0);
	CHECK(strstr(shown, "01:00:fe") == NULL);
	/* Everybody's addresses stay, and so do versions, times and interfaces. */
	CHECK_STR(say(p, "0.0.0.0/0 127.0.0.1 ::", false), "0.0.0.0/0 127.0.0.1 ::");
	CHECK_STR(say(p, "eth2.20 6.18 2026-11-20T10:00:00+0900 tcp/443", false), "eth2.20 6.18 2026-11-20T10:00:00+0900 tcp/443");
	pseudonym_free(p);
}

static void test_names(void)
{
	struct pseudonym *p = pseudonym_new("a key of ours"), *other = pseudonym_new("another key");
	const char *real, *name;
	char first[200];

	pseudonym_name(p, "jumin-ap");
	pseudonym_name(other, "jumin-ap");
	snprintf(first, sizeof(first), "%s", say(p, "{\"src_host\":\"jumin-ap\",\"open\":true}", false));
	CHECK(strstr(first, "jumin") == NULL);
	CHECK(strncmp(first, "{\"src_host\":\"n-", 15) == 0);
	CHECK(strstr(first, "\"open\":true}") != NULL);
	CHECK(strcmp(say(other, "{\"src_host\":\"jumin-ap\",\"open\":true}", false), first) != 0);
	CHECK(strstr(say(p, "joho@town.example.lg.jp www.town.example.lg.jp 住民課", false), "town") == NULL);
	CHECK(strstr(shown, "住民") == NULL);
	/* What is no name stays, also in a sentence of ours. */
	CHECK_STR(say(p, "{\"text\":\"the clock is not trusted: rules with times are closed\"}", false),
		"{\"text\":\"the clock is not trusted: rules with times are closed\"}");
	CHECK(pseudonym_pair(p, 0, &real, &name));
	CHECK_STR(real, "jumin-ap");
	CHECK(strncmp(name, "n-", 2) == 0);
	pseudonym_free(p);
	pseudonym_free(other);
}

static void test_policy(void)
{
	struct pseudonym *p = pseudonym_new("a key of ours");
	const char *got;

	pseudonym_name(p, "pittari");
	got = say(p, "set allow pittari purpose \"Data of citizens\" applicant shimin approval ciso name tanaka date 2026-04-01 # by Sato\n"
		"set host x label Server section kikaku location 2F\nset allow pittari service tcp/443 application tls\n", true);
	CHECK(strstr(got, "pittari") == NULL && strstr(got, "citizens") == NULL && strstr(got, "shimin") == NULL);
	CHECK(strstr(got, "tanaka") == NULL && strstr(got, "Sato") == NULL && strstr(got, "kikaku") == NULL && strstr(got, "2F") == NULL);
	CHECK(strstr(got, " date 2026-04-01 \nset host x label n-") != NULL);
	CHECK(strstr(got, " service tcp/443 application tls\n") != NULL);
	pseudonym_free(p);
}

/* Text of any form ends, and nothing is read behind its end. */
static void test_bad(void)
{
	static const char *const texts[] = {"", "\"", "\"\"", "\"abc", "::::", "....", "\xff\xfe", "a\"b\"c", "#", "\"\n\"", "1.2.3.4.5.6", ":"};
	struct pseudonym *p = pseudonym_new("k");
	char longer[5000];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		say(p, texts[i], false);
		say(p, texts[i], true);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK(strlen(say(p, longer, false)) > 1000);
	pseudonym_free(p);
}

int main(void)
{
	test_addresses();
	test_names();
	test_policy();
	test_bad();
	return test_end();
}
