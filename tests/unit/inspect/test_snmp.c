/* test_snmp.c: what is SNMP and what is not. Bytes of net-snmp 5.9, and some by hand. */
#include "script.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* sysUpTime.0, version 1 */
#define GET_1 "3029 020100 0406 7075626c6963 a01c 02043ceb959b 020100 020100 300e 300c 0608 2b06010201010300 0500"
#define TOLD_1 "302b 020100 0406 7075626c6963 a21e 02043ceb959b 020100 020100 3010 300e 0608 2b06010201010300 430200c6"
#define NEXT_2 "3028 020101 0406 7075626c6963 a11b 020479c8f72a 020100 020100 300d 300b 0607 2b060102010103 0500"
#define TOLD_2 "302b 020101 0406 7075626c6963 a21e 020479c8f72a 020100 020100 3010 300e 0608 2b06010201010300 430200c8"
#define BULK_2 "3027 020101 0406 7075626c6963 a51a 020415927f0a 020100 02010a 300c 300a 0606 2b0601020101 0500"
/* Two bindings and lengths that are longer than they must be, as net-snmp answers bulk. */
#define TOLD_BULK                                                                                                      \
	"3082003f 020101 0406 7075626c6963 a2820030 020415927f0a 020100 020100 30820020 "                                  \
	"3010 0608 2b06010201010400 0404 726f6f74 300c 0608 2b06010201010500 8200"
#define SET_2 "302a 020101 0406 7075626c6963 a31d 02047165a3c9 020100 020100 300f 300d 0608 2b06010201010500 040178"
#define NO_ACCESS "302a 020101 0406 7075626c6963 a21d 02047165a3c9 020106 020101 300f 300d 0608 2b06010201010500 040178"
/* Who are you, and the report that says it. */
#define WHO_3                                                                                                          \
	"303e 020103 3011 02042bea5407 020300ffe3 040104 020103 0410 300e 0400 020100 020100 0400 0400 0400 "              \
	"3014 0400 0400 a00e 020461e44185 020100 020100 3000"
#define REPORT_3                                                                                                       \
	"3071 020103 3011 02042bea5407 020300ffe3 040100 020103 0421 301f 0411 80001f8880c847717ba74b006b00000000 "        \
	"020101 020102 0400 0400 0400 3036 0411 80001f8880c847717ba74b006b00000000 0400 "                                 \
	"a81f 020461e44185 020100 020100 3011 300f 060a 2b060106030f01010400 410101"
#define SEALED_3                                                                                                       \
	"308188 020103 3011 02042bea5406 020300ffe3 040107 020103 0439 3037 0411 80001f8880c847717ba74b006b00000000 "      \
	"020101 020102 0404 7361746f 040c 3763204a03384d9dca8290a0 0408 8b23cd413000ed94 0435 "                           \
	"964f8ead9433c70e7337a49215ac8c7cd98a1e6940676d83af06189991d955f90e05b73d1124e68cb0fddfb076f71e3640d336ee51"
#define SEALED_ANSWER                                                                                                  \
	"30818a 020103 3011 02042bea5406 020300ffe3 040103 020103 0439 3037 0411 80001f8880c847717ba74b006b00000000 "      \
	"020101 020102 0404 7361746f 040c c0d5f47e4bb6f9e208e1cb70 0408 735874997f96d5e5 0437 "                           \
	"c0887f17d13167ca85eae16c6857ed7b82d7ce5bbf439ca7a70ba0b12138b3d6cd2611ece726047f3bf4d16c8c970b4c9d8341d818dc45"
#define TRAP_1                                                                                                         \
	"303b 020100 0406 7075626c6963 a42e 0607 2b06010401bf08 40040a010005 020106 020111 43031643eb "                    \
	"3012 3010 0608 2b06010201010500 0404 686f7374"
#define TRAP_2 "3028 020101 0406 7075626c6963 a71b 020479c8f72a 020100 020100 300d 300b 0607 2b060102010103 4300"
#define TRAP_2B "3029 020101 0406 7075626c6963 a71c 020479c8f72a 020100 020100 300e 300c 0607 2b060102010103 430100"
#define INFORM_2 "3029 020101 0406 7075626c6963 a61c 020479c8f72b 020100 020100 300e 300c 0607 2b060102010103 430100"
#define INFORMED "3029 020101 0406 7075626c6963 a21c 020479c8f72b 020100 020100 300e 300c 0607 2b060102010103 430100"

static const struct verify_policy ask = {.application = APP_SNMP};
static const struct verify_policy traps = {.application = APP_SNMP, .options = VERIFY_TRAPS};

static struct outcome run(const struct verify_policy *policy, const struct line *lines, size_t n)
{
	return script_datagrams(APP_SNMP, policy, lines, n, 1);
}

static void test_questions(void)
{
	static const struct line talk[] = {{'c', HEX(GET_1)}, {'s', HEX(TOLD_1)}, {'c', HEX(NEXT_2)},
		{'s', HEX(TOLD_2)},
		{'c', HEX(BULK_2)}, {'c', HEX(BULK_2)}, {'s', HEX(TOLD_BULK)}, {'s', HEX(TOLD_BULK)},
			{'c', HEX(SET_2)},
		{'s', HEX(NO_ACCESS)}};
	struct outcome o = run(&ask, talk, 1);

	CHECK_INT(o.status, VERIFY_MORE);
	CHECK_INT(o.level, LEVEL_PREFIX);
	for (size_t n = 2; n <= COUNT(talk); n++) {
		o = run(&ask, talk, n);
		CHECK_INT(o.status, VERIFY_DECIDED);
		CHECK_INT(o.line, n - 1);
	}
	CHECK_INT(o.level, LEVEL_RELATES);
}

static void test_version_3(void)
{
	static const struct line talk[] = {
		{'c', HEX(WHO_3)}, {'s', HEX(REPORT_3)}, {'c', HEX(SEALED_3)}, {'s', HEX(SEALED_ANSWER)}};
	struct outcome o = run(&ask, talk, COUNT(talk));

	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.line, 3);
	CHECK_INT(run(&ask, talk, 2).level, LEVEL_RELATES);
}

static void test_unasked(void)
{
	static const struct line alone[] = {{'s', HEX(TOLD_1)}};
	static const struct line other[] = {{'c', HEX(NEXT_2)}, {'s', HEX(TOLD_1)}, {'s', HEX(TOLD_2)}};
	/* The same number in another version. */
	static const struct line version[] = {{'c', HEX(NEXT_2)},
		{'s', HEX("302b 020100 0406 7075626c6963 a21e 020479c8f72a 020100 020100 3010 300e 0608 2b06010201010300 430200c8")}};
	static const struct line often[] = {{'c', HEX(GET_1)}, {'s', HEX(TOLD_1)}, {'s', HEX(TOLD_1)},
		{'s', HEX(TOLD_1)},
		{'s', HEX(TOLD_1)}, {'s', HEX(TOLD_1)}};

	CHECK_INT(run(&ask, alone, 1).status, VERIFY_DROP);
	CHECK_INT(run(&ask, alone, 1).why, WHY_ANSWER_OTHER);
	CHECK_INT(run(&ask, other, 2).status, VERIFY_DROP);
	CHECK_INT(run(&ask, other, 3).status, VERIFY_DECIDED);
	CHECK_INT(run(&ask, version, 2).status, VERIFY_DROP);
	CHECK_INT(run(&ask, often, 5).status, VERIFY_DECIDED);
	CHECK_INT(run(&ask, often, 6).status, VERIFY_DROP);
}

/* Fourteen questions are remembered, the fifteenth takes the first one's place. */
static void test_memory(void)
{
	static char asked[16][128];
	struct line lines[17];

	for (unsigned i = 0; i < 16; i++) {
		snprintf(asked[i], sizeof(asked[i]),
			"3028 020101 0406 7075626c6963 a11b 020479c8f7%02x 020100 020100 300d 300b 0607 2b060102010103 0500", 0x2au + i);
		lines[i] = (struct line){'c', asked[i], 0};
	}
	lines[14] = (struct line){'s', HEX(TOLD_2)};
	CHECK_INT(run(&ask, lines, 15).status, VERIFY_DECIDED);
	lines[14] = (struct line){'c', asked[14], 0};
	lines[15] = (struct line){'s', HEX(TOLD_2)};
	CHECK_INT(run(&ask, lines, 16).status, VERIFY_DROP);
}

static void test_traps(void)
{
	static const struct line v1[] = {{'c', HEX(TRAP_1)}}, v2[] = {{'c', HEX(TRAP_2B)}}, broken[] = {
		{'c', HEX(TRAP_2)}};
	static const struct line inform[] = {{'c', HEX(INFORM_2)}, {'s', HEX(INFORMED)}};
	static const struct line answered[] = {{'c', HEX(TRAP_2B)},
		{'s', HEX("3029 020101 0406 7075626c6963 a21c 020479c8f72a 020100 020100 300e 300c 0607 2b060102010103 430100")}};
	/* A sealed message that wants no report. */
	static const struct line sealed[] = {
		{'c', HEX("308188 020103 3011 02042bea5406 020300ffe3 040103 020103 0439 3037 0411 "
			  "80001f8880c847717ba74b006b00000000 020101 020102 0404 7361746f 040c 3763204a03384d9dca8290a0 0408 "
			  "8b23cd413000ed94 0435 964f8ead9433c70e7337a49215ac8c7cd98a1e6940676d83af06189991d955f90e05b73d1124e68"
			  "cb0fddfb076f71e3640d336ee51")}};
	static const struct edit edits[] = {
		{0, 25, "05", WHY_LENGTH}, {0, 32, "07", WHY_FIELD}, {0, 24, "41", WHY_FIELD},
		{0, 36, "44", WHY_FIELD}};

	CHECK_INT(run(&ask, v1, 1).why, WHY_COMMAND);
	CHECK_INT(run(&ask, v2, 1).why, WHY_COMMAND);
	CHECK_INT(run(&ask, inform, 1).why, WHY_COMMAND);
	CHECK_INT(run(&ask, sealed, 1).why, WHY_COMMAND);
	CHECK_INT(run(&traps, v1, 1).status, VERIFY_DECIDED);
	CHECK_INT(run(&traps, v2, 1).status, VERIFY_DECIDED);
	CHECK_INT(run(&traps, sealed, 1).status, VERIFY_DECIDED);
	CHECK_INT(run(&traps, broken, 1).why, WHY_LENGTH);
	CHECK_INT(run(&traps, inform, 1).status, VERIFY_MORE);
	CHECK_INT(run(&traps, inform, 2).status, VERIFY_DECIDED);
	/* Nobody answers a trap. */
	CHECK_INT(run(&traps, answered, 2).status, VERIFY_DROP);
	CHECK_INT(script_edits(APP_SNMP, &traps, v1, 1, edits, COUNT(edits), true), 0);
}

static void test_refusals(void)
{
	static const struct line talk[] = {{'c', HEX(GET_1)}, {'s', HEX(TOLD_1)}};
	static const struct edit edits[] = {
		{0, 0, "31", WHY_PROTOCOL}, {0, 1, "28", WHY_TRAILING}, {0, 1, "2a", WHY_LENGTH},
		{0, 4, "02", WHY_VERSION},
		{0, 4, "04", WHY_VERSION}, {0, 4, "03", WHY_FIELD}, {0, 5, "02", WHY_FIELD},
		{0, 6, "07", WHY_FIELD},
		{0, 13, "a2", WHY_COMMAND}, {0, 13, "a5", WHY_FIELD}, {0, 13, "a4", WHY_COMMAND},
		{0, 13, "a7", WHY_FIELD},
		{0, 13, "a8", WHY_FIELD}, {0, 13, "30", WHY_FIELD}, {0, 14, "1b", WHY_LENGTH},
		{0, 14, "1d", WHY_LENGTH},
		{0, 16, "00", WHY_LENGTH}, {0, 23, "01", WHY_FIELD}, {0, 26, "01", WHY_FIELD},
		{0, 28, "0d", WHY_LENGTH},
		{0, 30, "0b", WHY_LENGTH}, {0, 31, "05", WHY_FIELD}, {0, 33, "80", WHY_FIELD},
		{0, 40, "80", WHY_FIELD}, {0, 40, "81", WHY_LENGTH},
		{0, 41, "48", WHY_FIELD},	{0, 42, "01", WHY_LENGTH},  {0, 43, "00", WHY_TRAILING},
		{1, 13, "a0", WHY_COMMAND},	{1, 13, "a8", WHY_FIELD},   {1, 20, "9c", WHY_ANSWER_OTHER},
		{1, 23, "13", WHY_FIELD}, {1, 41, "40", WHY_LENGTH}, {1, 41, "83", WHY_FIELD},
		{1, 45, "00", WHY_TRAILING},
	};

	CHECK_INT(script_edits(APP_SNMP, &ask, talk, 2, edits, COUNT(edits), true), 0);
}

static void test_version_3_refusals(void)
{
	static const struct line who[] = {{'c', HEX(WHO_3)}, {'s', HEX(REPORT_3)}};
	static const struct line sealed[] = {{'c', HEX(SEALED_3)}};
	static const struct edit who_edits[] = {
		{0, 6, "12", WHY_LENGTH}, {0, 9, "80", WHY_FIELD}, {0, 15, "0001e3", WHY_FIELD},
		{0, 20, "0c", WHY_FIELD},
		{0, 20, "06", WHY_FIELD}, {0, 20, "00", WHY_NONE}, {0, 20, "05", WHY_LENGTH},
		{0, 23, "02", WHY_FIELD},
		{0, 25, "11", WHY_LENGTH}, {0, 27, "0f", WHY_LENGTH}, {0, 42, "31", WHY_FIELD},
		{1, 9, "2c", WHY_ANSWER_OTHER},
	};
	static const struct edit sealed_edits[] = {
		{0, 21, "05", WHY_LENGTH}, {0, 30, "04", WHY_LENGTH}, {0, 26, "38", WHY_LENGTH},
		{0, 61, "0b", WHY_LENGTH},
		{0, 75, "07", WHY_LENGTH}, {0, 84, "30", WHY_FIELD}, {0, 85, "34", WHY_LENGTH},
	};

	CHECK_INT(script_edits(APP_SNMP, &ask, who, 2, who_edits, COUNT(who_edits), true), 0);
	CHECK_INT(script_edits(APP_SNMP, &ask, sealed, 1, sealed_edits, COUNT(sealed_edits), true), 0);
}

static void test_mimics(void)
{
	static const struct line ldap[] = {{'c', HEX("300c020101600702010304008000")}};
	static const struct line dns[] = {{'c', HEX("123401000001000000000000")}};
	static const struct line empty[] = {{'c', HEX("30")}};
	static const struct line mimic[] = {
		{'c', HEX("3026 020101 0406 7075626c6963 a019 deadbeefdeadbeefdeadbeefdeadbeefdeadbeef")}};

	CHECK_INT(run(&ask, ldap, 1).why, WHY_FIELD);
	CHECK_INT(run(&ask, dns, 1).why, WHY_PROTOCOL);
	CHECK_INT(run(&ask, empty, 1).why, WHY_LENGTH);
	CHECK_INT(run(&ask, mimic, 1).status, VERIFY_REFUSE);
}

int main(void)
{
	test_questions();
	test_version_3();
	test_unasked();
	test_memory();
	test_traps();
	test_refusals();
	test_version_3_refusals();
	test_mimics();
	return test_end();
}
