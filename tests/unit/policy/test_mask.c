/* test_mask.c: texts that leave the gate name no host of a mynumber segment. */
#include "policy_test.h"

#include <sekisho/mask.h>

static const char policy[] =
	"set segment kojin kind mynumber label \"マイナンバー利用事務系\" interface eth0 address 10.1.0.1/24 address 2001:db8:1::1/64 "
	"network 10.1.0.0/16 network 2001:db8:1::/48\n"
	"set segment lgwan kind lgwan label \"LGWAN接続系\" interface eth1 address 10.2.0.1/24 address 2001:db8:2::1/64 "
	"network 10.2.0.0/16 network 2001:db8:2::/48\n"
	"set router l3sw segment kojin address 10.1.0.254 mac 02:00:00:01:00:fe\n"
	"set route 10.1.10.0/24 via l3sw\n"
	"set host jumin segment kojin address 10.1.0.4 address 2001:db8:1::5 mac 02:00:00:01:00:04\n"
	"set host jumin-ap segment kojin address 10.1.10.5 behind l3sw label \"住民記録AP\"\n"
	"set host renkei segment lgwan address 10.2.0.8 mac 02:00:00:02:00:08 label \"連携サーバ\"\n";

static struct compiled town;

static void becomes(const char *text, const char *wanted)
{
	char got[512];

	mask_text(&town.ir, false, text, got, sizeof(got));
	CHECK_STR(got, wanted);
}

#define FIRST "(マイナンバー利用事務系の端末1)"
#define SECOND "(マイナンバー利用事務系の端末2)"
#define NOBODY "(マイナンバー利用事務系のアドレス)"

static void test_addresses(void)
{
	becomes("10.1.10.5", SECOND);
	becomes("from 10.1.10.5:443 to 10.2.0.8", "from " SECOND ":443 to 10.2.0.8");
	becomes("10.1.10.5-10.1.10.9", SECOND "-" NOBODY);
	becomes("10.1.0.0/16.", NOBODY ".");
	becomes("host 10.1.0.4/32,", "host " FIRST ",");
	becomes("eth0:10.1.0.4", "eth0:" FIRST);
	becomes("110.1.10.5 and 10.2.1.10", "110.1.10.5 and 10.2.1.10");
	becomes("[2001:db8:1::5]:443", "[" FIRST "]:443");
	becomes("2001:DB8:1:0:0:0:0:5", FIRST);
	becomes("2001:db8:1::77: no answer", NOBODY ": no answer");
	becomes("2001:db8:2::5", "2001:db8:2::5");
	becomes("::ffff:10.1.10.5", SECOND);
	becomes("mac 02:00:00:01:00:04 and 02-00-00-01-00-FE", "mac " FIRST " and " NOBODY);
	becomes("02:00:00:02:00:08", "02:00:00:02:00:08");
	becomes("10.1 1.2.3 12:30:01 v1.0.4", "10.1 1.2.3 12:30:01 v1.0.4");
}

static void test_names(void)
{
	becomes("jumin-ap", SECOND);
	becomes("JUMIN-AP.town.example", SECOND ".town.example");
	becomes("jumin-ap@town.example", SECOND "@town.example");
	becomes("rule jumin-file and jumin", "rule jumin-file and " FIRST);
	becomes("jumin-ap2, xjumin, jumin_2", "jumin-ap2, xjumin, jumin_2");
	becomes("住民記録APの更新", SECOND "の更新");
	becomes("連携サーバ renkei 10.2.0.8", "連携サーバ renkei 10.2.0.8");
	becomes("", "");
}

static void test_languages(void)
{
	char got[128];

	mask_text(&town.ir, true, "jumin 10.1.99.9", got, sizeof(got));
	CHECK_STR(got, "(host 1 of マイナンバー利用事務系) (an address of マイナンバー利用事務系)");
}

/* What was cut somewhere before may end within a name. */
static void test_cut(void)
{
	char text[160], got[512];

	memset(text, '.', sizeof(text));
	memcpy(text + 110, " jumin-", 8);
	mask_text(&town.ir, false, text, got, sizeof(got));
	CHECK(strstr(got, "jumin") == NULL);
	/* Result: cut at a character, zero behind. */
	char small[24];
	memset(small, 'x', sizeof(small));
	mask_text(&town.ir, false, "jumin", small, sizeof(small));
	CHECK(strlen(small) < sizeof(small) && strncmp(small, FIRST, strlen(small)) == 0);
	CHECK_INT(strlen(small) % 3, 1); /* '(' and whole characters of three bytes */
	for (size_t i = strlen(small); i < sizeof(small); i++)
		CHECK_INT(small[i], 0);
}

int main(void)
{
	town = compile_text(policy, strlen(policy), TODAY);
	if (!town.ok)
		diag_print(&town.diags, "policy", stdout);
	CHECK(town.ok);
	if (!town.ok)
		return test_end();
	test_addresses();
	test_names();
	test_languages();
	test_cut();
	compiled_free(&town);
	return test_end();
}
