/*
 * test_mailverify.c: the language of rootfs/doc/mail-output.md, rule by rule: what belongs to it, what does not and under which
 * name and at which byte it is refused; every way to cut the input; every change of one byte.
 */
#include <sekisho/mailverify.h>

#include <stdbool.h>
#include <stdint.h>

#include "test.h"

#define FIXED                                                                                                  \
	"MIME-Version: 1.0\r\n"                                                                                \
	"Content-Type: text/plain; charset=UTF-8\r\n"                                                          \
	"Content-Transfer-Encoding: base64\r\n"                                                                \
	"\r\n"
#define FROM "From: <a@example.jp>\r\n"
#define BODY "aGVsbG8NCg==\r\n" /* hello CR LF */
#define LINE76 "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\r\n"

static const struct mailverify_options plain_options = {.size_max = 1 << 22};

/* Given in pieces of `piece` bytes, as a reader would: what is not proven is given again. */
static enum mailverify_reason verify_by(
	const struct mailverify_options *o, const char *s, size_t n, size_t piece, uint64_t *ret_offset)
{
	struct mailverify v;
	size_t have = 0, at = 0;

	mailverify_begin(&v, o);
	while (v.reason == MAILVERIFY_OK && at + have < n) {
		have = have + piece < n - at ? have + piece : n - at;
		size_t proven = mailverify_push(&v, s + at, have);
		at += proven;
		have -= proven;
	}
	mailverify_end(&v, have);
	*ret_offset = v.offset;
	return v.reason;
}

static uint64_t offset;

static enum mailverify_reason verify(const char *s, size_t n)
{
	uint64_t other;
	enum mailverify_reason reason = verify_by(&plain_options, s, n, n, &offset);

	CHECK_INT(verify_by(&plain_options, s, n, 1, &other), reason);
	CHECK_INT((long long)other, (long long)offset);
	return reason;
}

static void expect(const char *what, const char *mail, enum mailverify_reason want, long long place)
{
	enum mailverify_reason got = verify(mail, strlen(mail));

	test_checks++;
	if (got != want || (place >= 0 && (long long)offset != place)) {
		test_failures++;
		printf("%s: %s at %llu, expected %s at %lld\n", what, mailverify_word(got), (unsigned long long)offset,
			mailverify_word(want), place);
	}
}

/* -- Fields ------------------------------------------------------------------------------------------------- */

static char *mail_of(const char *header, const char *body)
{
	static char buf[1 << 18];

	snprintf(buf, sizeof(buf), "%s%s%s", header, FIXED, body);
	return buf;
}

static void test_whole(void)
{
	expect("all fields",
		"Date: Fri, 20 Nov 2026 16:03:22 +0900\r\n"
		"From: =?UTF-8?B?6Zai5omA?= <seki@example.lg.jp>\r\n"
		"Reply-To: <r@example.jp>\r\n"
		"To: one two <a@example.jp>, <b@xn--eckwd4c7c.jp>,\r\n"
		" =?UTF-8?B?44GC?= =?UTF-8?B?44GE?=\r\n"
		" <c@example.jp>\r\n"
		"Cc: <\"a..b.\"@example.jp>\r\n"
		"Subject: =?UTF-8?B?6YCa55+l?=\r\n"
		"Message-ID: <20261120.1@[192.0.2.1]>\r\n"
		"In-Reply-To: <1@a>\r\n <2@a>\r\n"
		"References: <1@a> <2@a>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"Precedence: bulk\r\n"
		"X-Sekisho-Receipt: 20261120-7K4M\r\n"
		"X-Sekisho-Hops: 3\r\n"
		"X-Sekisho-Trace: gate.example.lg.jp 1\r\n" FIXED BODY,
		MAILVERIFY_OK, -1);
	expect("the least", FROM FIXED BODY, MAILVERIFY_OK, -1);
	expect("two lines", FROM FIXED LINE76 "DQo=\r\n", MAILVERIFY_OK, -1);
	expect("nothing", "", MAILVERIFY_TRUNCATED, 0);
	expect("no body", FROM FIXED, MAILVERIFY_TRUNCATED, -1);
	expect("no end of the line", FROM FIXED "aGVsbG8NCg==", MAILVERIFY_TRUNCATED, -1);
	expect("cut in the header", FROM "MIME-Version: 1.0\r\n", MAILVERIFY_TRUNCATED, -1);
}

static const struct rule {
	const char *what, *header;
	enum mailverify_reason reason;
} rules[] = {
#define OK_(what, header) {what, header, MAILVERIFY_OK}
#define VALUE(what, header) {what, header, MAILVERIFY_FIELD_VALUE}
	/* order and names */
	{"no From", "Subject: x\r\n", MAILVERIFY_FIELD_ORDER},
	{"twice", FROM FROM, MAILVERIFY_FIELD_ORDER},
	{"Date behind From", FROM "Date: Fri, 20 Nov 2026 16:03:22 +0900\r\n", MAILVERIFY_FIELD_ORDER},
	{"small letters", "from: <a@example.jp>\r\n", MAILVERIFY_FIELD_NAME},
	{"foreign field", FROM "Bcc: <a@example.jp>\r\n", MAILVERIFY_FIELD_NAME},
	{"Received", "Received: x\r\n" FROM, MAILVERIFY_FIELD_NAME},
	{"second type", FROM "Content-Type: text/html\r\n", MAILVERIFY_FIELD_NAME},
	{"blank before the colon", "From : <a@example.jp>\r\n", MAILVERIFY_FIELD_NAME},
	{"no blank behind it", "From:<a@example.jp>\r\n", MAILVERIFY_FIELD_NAME},
	{"folded at once", "From:\r\n <a@example.jp>\r\n", MAILVERIFY_FIELD_NAME},
	{"no field", "hello\r\n", MAILVERIFY_FIELD_NAME},
	{"continued from nothing", " x\r\n" FROM, MAILVERIFY_FIELD_NAME},
	{"an empty line", FROM "\r\n", MAILVERIFY_FIELD_NAME},
	{"empty first", "\r\n" FROM, MAILVERIFY_FIELD_NAME},
	/* lines and tokens */
	VALUE("two blanks", "From: a  <a@example.jp>\r\n"),
	VALUE("blank at the end", "From: <a@example.jp> \r\n"),
	VALUE("nothing", "From: \r\n"),
	VALUE("a line of blank", "From: <a@example.jp>\r\n \r\n"),
	VALUE("a tab", "From: a\t<a@example.jp>\r\n"),
	VALUE("two blanks before", "From: a\r\n  <a@example.jp>\r\n"),
	VALUE("8 bit", "From: \xe9 <a@example.jp>\r\n"),
	VALUE("NUL as 7F", FROM "Subject: \x7f\r\n"),
	{"bare LF", "From: <a@example.jp>\n", MAILVERIFY_LINE_END},
	VALUE("bare CR", "From: <a@example.jp>\r x\r\n"),
	/* addresses */
	OK_("quoted", "From: <\"a.\"@example.jp>\r\n"),
	OK_("dots", "From: <a.b.c@a-b.example.jp>\r\n"),
	OK_("signs", "From: <!#$%&'*+-/=^_`{|}~?@a>\r\n"),
	VALUE("no address", "From: a\r\n"),
	VALUE("two", "From: <a@example.jp>, <b@example.jp>\r\n"),
	VALUE("a comma more", "From: <a@example.jp>,\r\n"),
	VALUE("no comma", FROM "To: <a@example.jp> <b@example.jp>\r\n"),
	VALUE("text behind", "From: <a@example.jp> a\r\n"),
	VALUE("comma apart", FROM "To: <a@example.jp> , <b@example.jp>\r\n"),
	VALUE("no local", "From: <@example.jp>\r\n"),
	VALUE("no domain", "From: <a@>\r\n"),
	VALUE("dot first", "From: <.a@example.jp>\r\n"),
	VALUE("dot last", "From: <a.@example.jp>\r\n"),
	VALUE("two dots", "From: <a..b@example.jp>\r\n"),
	VALUE("empty quotes", "From: <\"\"@example.jp>\r\n"),
	VALUE("half quotes", "From: <\"a@example.jp>\r\n"),
	VALUE("a quote inside", "From: <\"a\"b\"@example.jp>\r\n"),
	VALUE("two at", "From: <a@b@example.jp>\r\n"),
	VALUE("route", "From: <@a:b@example.jp>\r\n"),
	VALUE("dash first", "From: <a@-example.jp>\r\n"),
	VALUE("dash last", "From: <a@example-.jp>\r\n"),
	VALUE("empty label", "From: <a@example..jp>\r\n"),
	VALUE("dot at the end", "From: <a@example.jp.>\r\n"),
	VALUE("literal", "From: <a@[192.0.2.1]>\r\n"),
	VALUE("open", "From: <a@example.jp\r\n"),
	VALUE("a comma in a name", "From: a,b <a@example.jp>\r\n"),
	VALUE("a quoted name", "From: \"a\" <a@example.jp>\r\n"),
	VALUE("a dot in a name", "From: A. <a@example.jp>\r\n"),
	VALUE("a word in the address", "From: <=?UTF-8?B?YWE?=@example.jp>\r\n"),
	/* words */
	OK_("two words", FROM "Subject: =?UTF-8?B?44GC?=\r\n =?UTF-8?B?44GE?=\r\n"),
	VALUE("word and text", FROM "Subject: =?UTF-8?B?44GC?= x\r\n"),
	VALUE("text and word", FROM "Subject: x =?UTF-8?B?44GC?=\r\n"),
	VALUE("name: word and text", "From: =?UTF-8?B?44GC?= x <a@example.jp>\r\n"),
	{"charset", FROM "Subject: =?utf-8?B?44GC?=\r\n", MAILVERIFY_WORD},
	{"quoted printable", FROM "Subject: =?UTF-8?Q?abcd?=\r\n", MAILVERIFY_WORD},
	{"small b", FROM "Subject: =?UTF-8?b?44GC?=\r\n", MAILVERIFY_WORD},
	{"open word", FROM "Subject: =?UTF-8?B?44GC\r\n", MAILVERIFY_WORD},
	{"empty word", FROM "Subject: =?UTF-8?B?" "?=\r\n", MAILVERIFY_WORD},
	{"in a word", FROM "Subject: a=?UTF-8?B?44GC?=\r\n", MAILVERIFY_WORD},
	{"only its beginning", FROM "Subject: =?\r\n", MAILVERIFY_WORD},
	{"bits left", FROM "Subject: =?UTF-8?B?QR==?=\r\n", MAILVERIFY_WORD},
	{"half a character", FROM "Subject: =?UTF-8?B?44E=?= =?UTF-8?B?gg==?=\r\n", MAILVERIFY_UTF8},
	{"not UTF-8", FROM "Subject: =?UTF-8?B?//8=?=\r\n", MAILVERIFY_UTF8},
	{"a tab in it", FROM "Subject: =?UTF-8?B?YQli?=\r\n", MAILVERIFY_CHARACTER},
	{"a line end in it", FROM "Subject: =?UTF-8?B?DQphYQ==?=\r\n", MAILVERIFY_CHARACTER},
	{"a mark first", FROM "Subject: =?UTF-8?B?zIA=?=\r\n", MAILVERIFY_CHARACTER},
	OK_("a mark in the second word", FROM "Subject: =?UTF-8?B?YQ==?= =?UTF-8?B?zIA=?=\r\n"),
	OK_("an address in a subject", FROM "Subject: =?UTF-8?B?aHR0cDovL2Ev?=\r\n"), /* http://a/ */
	OK_("a name that begins anew", FROM "To: =?UTF-8?B?YQ==?= <a@a>, a <b@a>\r\n"),
	/* dates */
	VALUE("no weekday", "Date: 20 Nov 2026 16:03:22 +0900\r\n" FROM),
	VALUE("weekday", "Date: fri, 20 Nov 2026 16:03:22 +0900\r\n" FROM),
	VALUE("day 0", "Date: Fri, 00 Nov 2026 16:03:22 +0900\r\n" FROM),
	VALUE("day 32", "Date: Fri, 32 Nov 2026 16:03:22 +0900\r\n" FROM),
	VALUE("one digit", "Date: Fri, 2 Nov 2026 16:03:22 +0900\r\n" FROM),
	VALUE("month", "Date: Fri, 20 Non 2026 16:03:22 +0900\r\n" FROM),
	VALUE("month between two", "Date: Fri, 20 anF 2026 16:03:22 +0900\r\n" FROM),
	VALUE("year 1899", "Date: Fri, 20 Nov 1899 16:03:22 +0900\r\n" FROM),
	VALUE("hour", "Date: Fri, 20 Nov 2026 24:03:22 +0900\r\n" FROM),
	VALUE("minute", "Date: Fri, 20 Nov 2026 16:60:22 +0900\r\n" FROM),
	VALUE("second", "Date: Fri, 20 Nov 2026 16:03:61 +0900\r\n" FROM),
	OK_("leap second", "Date: Fri, 20 Nov 2026 16:03:60 -1459\r\n" FROM),
	VALUE("zone", "Date: Fri, 20 Nov 2026 16:03:22 +1500\r\n" FROM),
	VALUE("zone's minutes", "Date: Fri, 20 Nov 2026 16:03:22 +0960\r\n" FROM),
	VALUE("zone's name", "Date: Fri, 20 Nov 2026 16:03:22 GMT\r\n" FROM),
	VALUE("no zone", "Date: Fri, 20 Nov 2026 16:03:22\r\n" FROM),
	VALUE("a comment", "Date: Fri, 20 Nov 2026 16:03:22 +0900 (JST)\r\n" FROM),
	OK_("folded", "Date: Fri,\r\n 20\r\n Nov 2026 16:03:22 +0900\r\n" FROM),
	/* names of mails */
	VALUE("no brackets", FROM "Message-ID: a@b\r\n"),
	VALUE("empty", FROM "Message-ID: <>\r\n"),
	VALUE("two Message-IDs", FROM "Message-ID: <a> <b>\r\n"),
	VALUE("a quote in one", FROM "Message-ID: <\"a\"@b>\r\n"),
	VALUE("a word in one", FROM "Message-ID: <=?UTF-8?B?YWE?=>\r\n"),
	VALUE("eleven", FROM "In-Reply-To: <a> <a> <a> <a> <a> <a> <a> <a> <a> <a> <a>\r\n"),
	/* the small ones */
	VALUE("auto-replied", FROM "Auto-Submitted: auto-replied\r\n"),
	VALUE("two tokens", FROM "Precedence: bulk bulk\r\n"),
	VALUE("list", FROM "Precedence: list\r\n"),
	VALUE("small letters in a receipt", FROM "X-Sekisho-Receipt: 20261120-7k4m\r\n"),
	VALUE("dash first in a receipt", FROM "X-Sekisho-Receipt: -7K4M\r\n"),
	VALUE("dash last in a receipt", FROM "X-Sekisho-Receipt: 7K4M-\r\n"),
	OK_("0 hops", FROM "X-Sekisho-Hops: 0\r\n"),
	OK_("999 hops", FROM "X-Sekisho-Hops: 999\r\n"),
	VALUE("1000 hops", FROM "X-Sekisho-Hops: 1000\r\n"),
	VALUE("zero before", FROM "X-Sekisho-Hops: 01\r\n"),
	VALUE("0 traces", FROM "X-Sekisho-Trace: gate 0\r\n"),
	VALUE("10 traces", FROM "X-Sekisho-Trace: gate 10\r\n"),
	VALUE("no number", FROM "X-Sekisho-Trace: gate\r\n"),
	VALUE("gate's name", FROM "X-Sekisho-Trace: g_te 1\r\n"),
};

static void test_rules(void)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		expect(rules[i].what, mail_of(rules[i].header, BODY), rules[i].reason, -1);
	expect("place", mail_of("From: a  <a@example.jp>\r\n", BODY), MAILVERIFY_FIELD_VALUE, 8);
	expect("place of a field", mail_of(FROM "Bcc: x\r\n", BODY), MAILVERIFY_FIELD_NAME, 22);
}

/* A header with `n` times c between two texts. */
static char *repeated(const char *before, char c, size_t n, const char *behind)
{
	static char buf[1 << 17];
	size_t len = (size_t)sprintf(buf, "%s", before);

	memset(buf + len, c, n);
	strcpy(buf + len + n, behind);
	return buf;
}

static void test_lengths(void)
{
	static const struct {
		const char *before, *behind;
		size_t most;
		enum mailverify_reason beyond;
	} cases[] = {
		{FROM "Subject: ", "\r\n", 67, MAILVERIFY_LINE_LENGTH},
		{FROM "Subject: x\r\n ", "\r\n", 75, MAILVERIFY_LINE_LENGTH},
		{"From: <", "@example.jp>\r\n", 64, MAILVERIFY_FIELD_VALUE},
		{"From: <a@", ".jp>\r\n", 63, MAILVERIFY_FIELD_VALUE},
		{FROM "Message-ID: <", ">\r\n", 250, MAILVERIFY_FIELD_VALUE},
		{FROM "Subject: <", "\r\n", 310, MAILVERIFY_LINE_LENGTH},
		{FROM "X-Sekisho-Trace: ", "\r\n 1\r\n", 59, MAILVERIFY_LINE_LENGTH},
		{FROM "X-Sekisho-Hops: ", "\r\n", 3, MAILVERIFY_FIELD_VALUE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char c = i == 7 ? '1' : 'a';
		const char *before = cases[i].before, *behind = cases[i].behind;
		expect("as long as may be", mail_of(repeated(before, c, cases[i].most, behind), BODY), MAILVERIFY_OK, -1);
		expect("longer", mail_of(repeated(before, c, cases[i].most + 1, behind), BODY), cases[i].beyond, -1);
	}
	expect("a receipt", mail_of(repeated(FROM "X-Sekisho-Receipt: ", 'A', 39, "\r\n"), BODY), MAILVERIFY_OK, -1);
	expect("a long receipt", mail_of(repeated(FROM "X-Sekisho-Receipt: ", 'A', 40, "\r\n"), BODY),
		MAILVERIFY_FIELD_VALUE, -1);
	expect("two tokens in a long line",
		mail_of(repeated("From: a <", 'a', 64, "@example.jp>\r\n"), BODY), MAILVERIFY_LINE_LENGTH, -1);
	/* A whole domain: 3 x 64 + 61 = 253. */
	char *at = repeated("From: <a@", 'a', 253, ">\r\n") + 9;
	at[63] = at[127] = at[191] = '.';
	expect("a long domain", mail_of(at - 9, BODY), MAILVERIFY_OK, -1);
	at = repeated("From: <a@", 'a', 254, ">\r\n") + 9;
	at[63] = at[127] = at[191] = '.';
	expect("too long a domain", mail_of(at - 9, BODY), MAILVERIFY_FIELD_VALUE, -1);
}

/* The header as a whole, with many addressees. */
static void test_header_length(void)
{
	static char header[1 << 17];
	static const char last[] = " <a@a>\r\n";
	static const char many[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	size_t fixed_len = sizeof(FIXED) - 1, n = (size_t)sprintf(header, FROM "To:");

	while (n + fixed_len + 8 + sizeof(last) - 1 < 65536 - 45)
		n += (size_t)sprintf(header + n, " <a@a>,\r\n");
	/* The last address fills up what is left. */
	size_t left = 65536 - fixed_len - n - sizeof(last) + 1;
	sprintf(header + n, " <%.*s@a>\r\n", (int)left + 1, many);
	expect("a full header", mail_of(header, BODY), MAILVERIFY_OK, -1);
	sprintf(header + n, " <%.*s@a>\r\n", (int)left + 2, many);
	expect("a byte more", mail_of(header, BODY), MAILVERIFY_HEADER_LENGTH, -1);
}

static void test_fixed(void)
{
	expect("another type", FROM "MIME-Version: 1.0\r\nContent-Type: text/html; charset=UTF-8\r\n", MAILVERIFY_FIELD_VALUE, -1);
	expect("another version", FROM "MIME-Version: 2.0\r\n", MAILVERIFY_FIELD_NAME, 22);
	expect("a field behind", FROM "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
		"Content-Transfer-Encoding: base64\r\nSubject: x\r\n", MAILVERIFY_FIELD_ORDER, -1);
	expect("one left out", FROM "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n", MAILVERIFY_FIELD_VALUE, -1);
	expect("not whole before", "From: a\r\n" FIXED BODY, MAILVERIFY_FIELD_VALUE, 9);
}

/* -- The body ------------------------------------------------------------------------------------------------- */

static void test_base64(void)
{
	static const struct {
		const char *what, *body;
		enum mailverify_reason reason;
	} cases[] = {
		{"two ends", BODY BODY, MAILVERIFY_BASE64},
		{"a short line in the middle", "aGVsbG8N\r\nCg==\r\n", MAILVERIFY_BASE64},
		{"a long line",
			"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\r\n", MAILVERIFY_BASE64},
		{"an empty line", BODY "\r\n", MAILVERIFY_BASE64},
		{"an empty line first", "\r\n" BODY, MAILVERIFY_BASE64},
		{"a dot", BODY ".\r\n", MAILVERIFY_BASE64},
		{"three characters", "aGV\r\n", MAILVERIFY_BASE64},
		{"bits left of two", "aGVsbG8NCh==\r\n", MAILVERIFY_BASE64},
		{"bits left of one", "aGVsbG8NCgp=\r\n", MAILVERIFY_BASE64},
		{"three signs", "aGVsbG8NC===\r\n", MAILVERIFY_BASE64},
		{"a sign inside", "aGVsbG=NCg==\r\n", MAILVERIFY_BASE64},
		{"a sign of one at the third place", "aGVsbG8NC=g=\r\n", MAILVERIFY_BASE64},
		{"only signs", "====\r\n", MAILVERIFY_BASE64},
		{"url alphabet", "aGVsbG8-DQo=\r\n", MAILVERIFY_BASE64},
		{"a blank", "aGVsbG8NCg= \r\n", MAILVERIFY_BASE64},
		{"8 bit", "aGVsbG8N\xc3\xa9==\r\n", MAILVERIFY_BASE64},
		{"bare LF", "aGVsbG8NCg==\n", MAILVERIFY_LINE_END},
		{"CR CR LF", "aGVsbG8NCg==\r\r\n", MAILVERIFY_BASE64},
		{"no line end", "aGVsbG8=\r\n", MAILVERIFY_TEXT_END},
		{"bare LF in the text", "aGVsbG8K\r\n", MAILVERIFY_CHARACTER},
		{"bare CR in the text", "aGVsDWxv\r\n", MAILVERIFY_CHARACTER},
		{"CR at the end", "aGVsbG8N\r\n", MAILVERIFY_TEXT_END},
		{"CR LF alone", "DQo=\r\n", MAILVERIFY_TEXT_END},
		{"an empty line at the end", "YQ0KDQo=\r\n", MAILVERIFY_TEXT_END},
		{"an empty line at first", "DQphDQo=\r\n", MAILVERIFY_OK},
		{"a tab", "CWENCg==\r\n", MAILVERIFY_OK},
		{"half a character at the end", "YQ0K4w==\r\n", MAILVERIFY_UTF8},
		{"text behind a whole line with a sign",
			"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\r\nDQo=\r\n", MAILVERIFY_BASE64},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].what, mail_of(FROM, cases[i].body), cases[i].reason, -1);
}

/* A mail with this text, in Base64 made here. */
static const char *mail_with(const uint8_t *text, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static char buf[1 << 22];
	size_t at = (size_t)sprintf(buf, FROM FIXED);

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)text[i] << 16;
		v |= i + 1 < n ? (uint32_t)text[i + 1] << 8 : 0;
		v |= i + 2 < n ? text[i + 2] : 0;
		buf[at++] = digits[v >> 18];
		buf[at++] = digits[v >> 12 & 63];
		buf[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		buf[at++] = i + 2 < n ? digits[v & 63] : '=';
		if (i % 57 == 54 || i + 3 >= n) {
			buf[at++] = '\r';
			buf[at++] = '\n';
		}
	}
	buf[at] = 0;
	return buf;
}

static enum mailverify_reason verify_text(const char *before, const char *what, const char *behind)
{
	uint8_t text[512];
	size_t n = (size_t)snprintf((char *)text, sizeof(text), "%s%s%s\r\n", before, what, behind);
	const char *mail = mail_with(text, n);

	return verify(mail, strlen(mail));
}

static void test_text(void)
{
	static const struct {
		const char *text;
		enum mailverify_reason reason;
	} cases[] = {
		{"関所の掟　①㈱髙ｶﾅ～−", MAILVERIFY_OK},
		{"é ü Ж ع 한 😀 𠮷", MAILVERIFY_OK},
		{"か\u3099", MAILVERIFY_OK},
		{"\u3099", MAILVERIFY_CHARACTER},
		{"x\r\n\u3099", MAILVERIFY_CHARACTER},
		{"\t\u3099", MAILVERIFY_OK},
		{"a\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300", MAILVERIFY_OK},
		{"a\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300", MAILVERIFY_CHARACTER},
		{"葛\U000e0100", MAILVERIFY_OK},
		{"葛\ufe00\u0300\u0300\u0300\u0300\u0300\u0300\u0300", MAILVERIFY_OK},
		{"葛\ufe00\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300", MAILVERIFY_CHARACTER},
		{"葛\u0300\ufe00", MAILVERIFY_CHARACTER},
		{"葛\ufe00\ufe00", MAILVERIFY_CHARACTER},
		{"a\ufe0f", MAILVERIFY_CHARACTER},
		{"あ\ufe00", MAILVERIFY_CHARACTER},
		{"（\ufe00", MAILVERIFY_CHARACTER},
		{"①\ufe00", MAILVERIFY_CHARACTER},
		{"ー\ufe00", MAILVERIFY_CHARACTER},
		{"①\u0300 ｶ\u3099 （x）　\u3099", MAILVERIFY_OK},
		{"\u3400\ufe00 \u9fff\ufe00 \uf900\ufe00 \U00020000\ufe00", MAILVERIFY_OK},
		{"\ufe00", MAILVERIFY_CHARACTER},
		{"\u202e", MAILVERIFY_CHARACTER},
		{"a\u00a0b", MAILVERIFY_CHARACTER},
		{"\ue000", MAILVERIFY_CHARACTER},
		{"http:/ /a http:// hxxp://a xhttp:/", MAILVERIFY_LINK},
		{"hTTps://", MAILVERIFY_LINK},
		{"xftp://", MAILVERIFY_LINK},
		{"あHTTP://", MAILVERIFY_LINK},
		{"hxxp://a fxp://b file://c ://", MAILVERIFY_OK},
		{"http:/", MAILVERIFY_OK},
		{"http:あ//", MAILVERIFY_OK},
		{"httpあ://", MAILVERIFY_OK},
		{"htt\r\np://", MAILVERIFY_OK},
		{"\xc0\xaf", MAILVERIFY_UTF8},
		{"\xe0\x80\xaf", MAILVERIFY_UTF8},
		{"\xed\xa0\x80", MAILVERIFY_UTF8},
		{"\xf4\x90\x80\x80", MAILVERIFY_UTF8},
		{"\xf0\x8f\xbf\xbf", MAILVERIFY_UTF8},
		{"\xe3\x81", MAILVERIFY_UTF8},
		{"\xe3\x41\x41", MAILVERIFY_UTF8},
		{"\xe5\xae\x41", MAILVERIFY_UTF8},
		{"\x80", MAILVERIFY_UTF8},
		{"\xff", MAILVERIFY_UTF8},
	};
	/* At each place of a line: characters that two lines of Base64 share. */
	static const char filler[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum mailverify_reason got = verify_text("", cases[i].text, "");
		if (got != cases[i].reason)
			printf("text %zu: %s\n", i, mailverify_word(got));
		CHECK_INT(got, cases[i].reason);
	}
	for (size_t shift = 0; shift < sizeof(filler) - 1; shift++) {
		const char *before = filler + sizeof(filler) - 1 - shift;
		CHECK_INT(verify_text(before, "関所😀é", "x"), MAILVERIFY_OK);
		CHECK_INT(verify_text(before, "http://", "x"), MAILVERIFY_LINK);
		CHECK_INT(verify_text(before, "\xf0\x9f\x98", "x"), MAILVERIFY_UTF8);
		CHECK_INT(verify_text(before, "\u202e", "x"), MAILVERIFY_CHARACTER);
		CHECK_INT(verify_text(before, "", ""), shift == 0 ? MAILVERIFY_TEXT_END : MAILVERIFY_OK);
	}
}

static void test_options(void)
{
	static uint8_t text[MAILVERIFY_TEXT_MAX + 8];
	struct mailverify_options small = {.size_max = sizeof(FROM FIXED BODY) - 1};
	struct mailverify_options private_use = {.size_max = 1 << 22, .private_use = true};
	const char *mail = FROM FIXED BODY;
	uint64_t at;

	CHECK_INT(verify_by(&small, mail, strlen(mail), 7, &at), MAILVERIFY_OK);
	small.size_max--;
	CHECK_INT(verify_by(&small, mail, strlen(mail), 7, &at), MAILVERIFY_SIZE);
	mail = mail_with((const uint8_t *)"\xee\x80\x80\xf4\x8f\xbf\xbd\r\n", 9);
	CHECK_INT(verify_by(&private_use, mail, strlen(mail), 7, &at), MAILVERIFY_OK);
	CHECK_INT(verify(mail, strlen(mail)), MAILVERIFY_CHARACTER);
	mail = mail_with((const uint8_t *)"\xf4\x8f\xbf\xbe\r\n", 6); /* U+10FFFE */
	CHECK_INT(verify_by(&private_use, mail, strlen(mail), 7, &at), MAILVERIFY_CHARACTER);
	memset(text, 'a', sizeof(text));
	memcpy(text + MAILVERIFY_TEXT_MAX - 2, "\r\n", 2);
	mail = mail_with(text, MAILVERIFY_TEXT_MAX);
	CHECK_INT(verify_by(&plain_options, mail, strlen(mail), 4096, &at), MAILVERIFY_OK);
	memcpy(text + MAILVERIFY_TEXT_MAX - 2, "aaa\r\n", 5);
	mail = mail_with(text, MAILVERIFY_TEXT_MAX + 3);
	CHECK_INT(verify_by(&plain_options, mail, strlen(mail), 4096, &at), MAILVERIFY_SIZE);
}

/* -- Each byte ------------------------------------------------------------------------------------------------ */

static const char sample[] =
	"Date: Fri, 20 Nov 2026 16:03:22 +0900\r\n"
	"From: =?UTF-8?B?6Zai5omA?= <seki@example.lg.jp>\r\n"
	"To: <a@example.jp>,\r\n"
	" <b@example.jp>\r\n"
	"Subject: =?UTF-8?B?6YCa55+l?=\r\n"
	"Message-ID: <20261120.1@example.jp>\r\n"
	"X-Sekisho-Receipt: 20261120-7K4M\r\n"
	"X-Sekisho-Hops: 3\r\n" FIXED
	"6Zai5omA44GuIOaOnyB0ZXN0IOmWouaJgOOBriDmjp8gdGVzdCDplqLmiYDjga4g5o6fIHRlc3Qg\r\n"
	"6Zai5omA44Gu5o6fDQo=\r\n";

/* Nothing but printable ASCII and CR LF, at whatever place: a byte that can stand nowhere is refused everywhere. */
static void test_every_byte(void)
{
	static char buf[sizeof(sample)];
	size_t n = sizeof(sample) - 1, accepted = 0;

	CHECK_INT(verify(sample, n), MAILVERIFY_OK);
	for (size_t i = 0; i < n; i++) {
		for (unsigned c = 0; c < 256; c++) {
			memcpy(buf, sample, n);
			buf[i] = (char)c;
			bool same = buf[i] == sample[i], strange = c < 0x20 || c > 0x7e;
			uint64_t at;
			bool good = verify_by(&plain_options, buf, n, n, &at) == MAILVERIFY_OK;
			CHECK(!same || good);
			CHECK(same || !strange || !good);
			CHECK(good || at <= i || sample[i] == '\r' || sample[i] == '\n' || buf[i] == '\n' || at <= n);
			accepted += good;
		}
	}
	/* Other letters in names, addresses, text: the same language. Most changes leave it. */
	CHECK(accepted > n && accepted < n * 48);
}

/* A byte more or less: at a place where no letter can be more or less. */
static void test_cut_and_add(void)
{
	static char buf[sizeof(sample) + 1];
	size_t n = sizeof(sample) - 1;
	const char *body = strstr(sample, "\r\n\r\n") + 4;

	for (size_t i = 0; i < n; i++) { /* cut off: never a whole mail, but where the last line begins with a whole text */
		uint64_t at;
		CHECK(verify_by(&plain_options, sample, i, i, &at) != MAILVERIFY_OK);
	}
	for (size_t i = (size_t)(body - sample); i <= n; i++) { /* in the body: every line is full or the last */
		uint64_t at;
		memcpy(buf, sample, i);
		buf[i] = 'A';
		memcpy(buf + i + 1, sample + i, n - i);
		CHECK(verify_by(&plain_options, buf, n + 1, n + 1, &at) != MAILVERIFY_OK);
		if (i < n) {
			memmove(buf + i, sample + i + 1, n - i - 1);
			CHECK(verify_by(&plain_options, buf, n - 1, n - 1, &at) != MAILVERIFY_OK);
		}
	}
}

static void test_words_of_reasons(void)
{
	CHECK_STR(mailverify_word(MAILVERIFY_OK), "ok");
	CHECK_STR(mailverify_word(MAILVERIFY_TRUNCATED), "truncated");
	CHECK_STR(mailverify_word(MAILVERIFY_REASONS), "unknown");
}

int main(void)
{
	test_whole();
	test_rules();
	test_lengths();
	test_header_length();
	test_fixed();
	test_base64();
	test_text();
	test_options();
	test_every_byte();
	test_cut_and_add();
	test_words_of_reasons();
	return test_end();
}
