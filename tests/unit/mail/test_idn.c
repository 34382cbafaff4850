/* test_idn.c: Punycode by the samples of RFC 3492 7.1 and by what is wrong; which names people see beside the ASCII form. */
#include <sekisho/idn.h>

#include <string.h>

#include "test.h"

static const struct {
	const char *ascii;
	size_t n;
	uint32_t points[IDN_LABEL_MAX];
} samples[] = {
	{"egbpdaj6bu4bxfgehfvwxn", 17, {0x644,0x64a,0x647,0x645,0x627,0x628,0x62a,0x643,0x644,0x645,0x648,0x634,0x639,0x631,0x628,0x64a,0x61f}},
	{"ihqwcrb4cv8a8dqg056pqjye", 9, {0x4ed6,0x4eec,0x4e3a,0x4ec0,0x4e48,0x4e0d,0x8bf4,0x4e2d,0x6587}},
	{"proprostnemluvesky-uyb24dma41a", 22, {0x70,0x72,0x6f,0x10d,0x70,0x72,0x6f,0x73,0x74,0x11b,0x6e,0x65,0x6d,0x6c,0x75,0x76,0xed,0x10d,0x65,0x73,0x6b,0x79}},
	{"4dbcagdahymbxekheh6e0a7fei0b", 22, {0x5dc,0x5de,0x5d4,0x5d4,0x5dd,0x5e4,0x5e9,0x5d5,0x5d8,0x5dc,0x5d0,0x5de,0x5d3,0x5d1,0x5e8,0x5d9,0x5dd,0x5e2,0x5d1,0x5e8,0x5d9,0x5ea}},
	{"i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd", 30, {0x92f,0x939,0x932,0x94b,0x917,0x939,0x93f,0x928,0x94d,0x926,0x940,0x915,0x94d,0x92f,0x94b,0x902,0x928,0x939,0x940,0x902,0x92c,0x94b,0x932,0x938,0x915,0x924,0x947,0x939,0x948,0x902}},
	{"n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa", 18, {0x306a,0x305c,0x307f,0x3093,0x306a,0x65e5,0x672c,0x8a9e,0x3092,0x8a71,0x3057,0x3066,0x304f,0x308c,0x306a,0x3044,0x306e,0x304b}},
	{"b1abfaaepdrnnbgefbadotcwatmq2g4l", 28, {0x43f,0x43e,0x447,0x435,0x43c,0x443,0x436,0x435,0x43e,0x43d,0x438,0x43d,0x435,0x433,0x43e,0x432,0x43e,0x440,0x44f,0x442,0x43f,0x43e,0x440,0x443,0x441,0x441,0x43a,0x438}},
	{"3b-ww4c5e180e575a65lsy2b", 8, {0x33,0x5e74,0x62,0x7d44,0x91d1,0x516b,0x5148,0x751f}},
	{"d9juau41awczczp", 7, {0x305d,0x306e,0x30b9,0x30d4,0x30fc,0x30c9,0x3067}},
	{"2-u9tlzr9756bt3uc0v", 8, {0x3072,0x3068,0x3064,0x5c4b,0x6839,0x306e,0x4e0b,0x32}},
	{"majikoi5-783gue6qz075azm5e", 13, {0x6d,0x61,0x6a,0x69,0x3067,0x6b,0x6f,0x69,0x3059,0x308b,0x35,0x79d2,0x524d}},
};

static void test_samples(void)
{
	uint32_t out[IDN_LABEL_MAX];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		CHECK_INT(idn_decode(samples[i].ascii, strlen(samples[i].ascii), out), samples[i].n);
		CHECK(memcmp(out, samples[i].points, samples[i].n * sizeof(*out)) == 0);
	}
	/* Letters in either case. */
	CHECK_INT(idn_decode("WGV71A119E", 10, out), 3);
	CHECK(out[0] == 0x65e5 && out[1] == 0x672c && out[2] == 0x8a9e);
}

static void test_wrong(void)
{
	static const char *const wrong[] = {"", "-", "a_b-x", "99999999", "zzzzzzzzzzzzzzzzzzzz", "wgv71a119",
		"wgv71a119!", "-wgv71a119e", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	uint32_t out[IDN_LABEL_MAX];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (idn_decode(wrong[i], strlen(wrong[i]), out) != 0)
			printf("decoded: %s\n", wrong[i]), test_failures++;
	/* Every short label: whatever decodes is a character, and no two labels are the same one. */
	static uint8_t seen[0x110000];
	unsigned decoded = 0;
	for (unsigned v = 0; v < 36 * 36 * 36 * 36; v++) {
		char s[4];
		for (unsigned k = 0, w = v; k < 4; k++, w /= 36)
			s[k] = (char)(w % 36 < 26 ? 'a' + w % 36 : '0' + w % 36 - 26);
		if (idn_decode(s, 4, out) != 1)
			continue;
		decoded++;
		test_failures += out[0] > 0x10ffff || (out[0] >= 0xd800 && out[0] <= 0xdfff) || seen[out[0]]++ != 0;
	}
	CHECK(decoded > 50000);
}

static const struct {
	const char *domain, *shown; /* "": only the ASCII form is */
} names[] = {
	{"xn--wgv71a119e.jp", "日本語.jp"},
	{"XN--WGV71A119E.JP", "日本語.jp"},
	{"www.xn--lhr645fjve.xn--q9jyb4c", "www.総務省.みんな"},
	{"xn--3b-w52dz04i.jp", "3年b組.jp"},
	{"xn--3e0bk47br7k.example", "한국어.example"},
	{"xn--eckwd4c7c.example", "ドメイン.example"},
	{"example.jp", ""}, /* nothing to show */
	{"", ""},
	{"xn--.jp", ""},
	{"xn--abc.jp", ""},
	{"xn--80ak6aa92e.com", ""}, /* Cyrillic that looks like apple */
	{"xn--pple-zld.com", ""}, /* Greek and Latin */
	{"xn--mnchen-3ya.de", ""}, /* accents */
	{"xn--wgv71a119e0q6d.jp", ""}, /* two writings */
	{"xn--80a9311cb2abz6g.jp", ""}, /* with a Cyrillic letter */
	{"xn--a-xj6ep17h.kr", ""},
	{"xn--applecom-2g5g.jp", ""}, /* a stroke among letters */
	{"xn--ab-8j4a.jp", ""},
	{"xn--wek.jp", ""},
	{"xn--4gqa.jp", ""},
	{"xn--1ug926yc2a.jp", ""}, /* invisible */
	{"xn--zvg875yc2a.jp", ""},
	{"xn--u8juiz92m.jp", ""}, /* a mark */
	{"xn--wgv113y.jp", ""}, /* private */
	{"xn--wgvz425ada.jp", ""}, /* wide letters */
	{"xn--zj7ccd.jp", ""}, /* half-width */
	{"xn--vek160nc2a.jp", ""},
	{"xn--r6j653nc2a.jp", ""}, /* a dot in the label */
	{"xn--wgv71a2644a.jp", ""},
	{"xn--wgvp883a.jp", ""}, /* a second form */
	{"xn--e28h.jp", ""},
	{"xn--wgv71a.xn--80ak6aa92e", ""}, /* one label that must not be */
	{"xn--wgv71a%2e.jp", ""},
};

static void test_names(void)
{
	char out[IDN_SHOWN_MAX + 1];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		strcpy(out, "");
		size_t n = idn_shown(names[i].domain, strlen(names[i].domain), out);
		CHECK_STR(out, names[i].shown);
		CHECK_INT(n, strlen(names[i].shown));
	}
}

/* The longest there is, and one more. */
static void test_long(void)
{
	char domain[IDN_DOMAIN_MAX + 2], out[IDN_SHOWN_MAX + 1];
	size_t n = 0;

	n += (size_t)sprintf(domain, "xn--wgv71a119e");
	while (n + 2 <= IDN_DOMAIN_MAX)
		n += (size_t)sprintf(domain + n, ".a");
	CHECK(idn_shown(domain, n, out) > 0);
	CHECK_INT(idn_shown(domain, IDN_DOMAIN_MAX + 1, out), 0);
	memset(domain, 'a', sizeof(domain));
	memcpy(domain, "xn--wgv71a119e.", 15);
	CHECK_INT(idn_shown(domain, 100, out), 0); /* a label of more than 63 */
}

int main(void)
{
	test_samples();
	test_wrong();
	test_names();
	test_long();
	return test_end();
}
