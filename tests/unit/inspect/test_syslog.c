/* test_syslog.c: what rsyslog, logger and network devices send, over UDP and TCP, and what is no log. */
#include "script.h"
#include "test.h"

static const struct verify_policy any = {.application = APP_SYSLOG};

#define COUNT(lines) (sizeof(lines) / sizeof((lines)[0]))

static struct outcome says(const char *text, size_t n)
{
	const struct line l[] = {{'c', text, n}};
	return script_datagrams(APP_SYSLOG, &any, l, 1, 1);
}

static const char *const messages[] = {
	"<13>Nov 20 13:29:13 vm app: hello \344\270\226\347\225\214",
	"<13>1 2026-11-20T13:29:13.493044+00:00 vm app - - -  hello \344\270\226\347\225\214\n",
	"<13>2026-11-20T13:29:13.493044+00:00 vm app: hello",
	"<35>1 2026-11-20T13:29:13.495215+00:00 vm root 77 - -  second#011tab\n",
	"<13>1 2026-11-20T13:29:13.499441+00:00 vm root - - [timeQuality tzKnown=\"1\" isSynced=\"0\"]"
	"[zoo@123 tiger=\"a\\\"b\"] x",
	"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed",
		/* RFC 5424 section 6.5 */
	"<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 "
	"[exampleSDID@32473 iut=\"3\" eventSource=\"A\"][e2@1 class=\"high\"]",
	"<0>1 - - - - - -",
	"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8", /* RFC 3164 section 5.4 */
	"<191>Oct  1 22:14:15 m x",
	"<189>29: *Mar  1 18:48:50.483: %SYS-5-CONFIG_I: Configured from console",
	"<189>*Mar  1 18:48:50.483: %SYS-5-CONFIG_I: Configured from console",
	"<166>%PIX-6-302013: Built outbound TCP connection",
	"<30>snmpd[6956]: Connection from UDP: [127.0.0.1]:21311",
	"<189>date=2026-11-20 time=16:29:06 devname=\"FG\"",
	"<189>[IKE] respond ISAKMP phase to 192.0.2.1",
	"<13>app: tab\there",
};

static void over_udp(void)
{
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct outcome o = says(messages[i], strlen(messages[i]));
		if (o.status != VERIFY_DECIDED)
			printf("%s: %s\n", messages[i], inspect_why_word(o.why));
		CHECK(o.status == VERIFY_DECIDED);
		CHECK_INT(o.level, LEVEL_PREFIX);
	}
	CHECK_INT(says("<13>a: b\0", 9).status, VERIFY_DECIDED);
	CHECK_INT(says("<13>a: b\n\0", 10).status, VERIFY_DECIDED);
	CHECK_INT(says("<13>a: b\r\n", 10).status, VERIFY_DECIDED);
}

static void no_log(void)
{
	static const char *const others[] = {"", "hello", "<>a: b", "<192>a: b", "<013>a: b", "<1000>a: b",
		"<1 3>a: b", "<13",
		"13>a: b", "<x>a: b", " <13>a: b", "\026\003\001", "SSH-2.0-x"};
	for (size_t i = 0; i < COUNT(others); i++) {
		struct outcome o = says(others[i], strlen(others[i]));
		if (i == 0 || i == 7) { /* nothing that contradicts yet, and no message either */
			CHECK_INT(o.status, VERIFY_DROP);
			continue;
		}
		CHECK_INT(o.status, VERIFY_REFUSE);
		CHECK_INT(o.why, WHY_PROTOCOL);
	}
	static const struct {
		const char *text;
		enum inspect_why why;
	} t[] = {
		{"<13>hello world", WHY_FIELD},
		{"<13>", WHY_FIELD},
		{"<13>1 2026-11-20T13:29:13 vm app - - -", WHY_FIELD}, /* no zone */
		{"<13>1 2026-11-20 13:29:13Z vm app - - -", WHY_FIELD},
		{"<13>1 - vm app - -", WHY_FIELD},
		{"<13>1 - vm app - - x", WHY_FIELD},
		{"<13>1 - vm app - - [a b=\"c\"", WHY_FIELD},
		{"<13>1 - vm app - - [a b=c]", WHY_FIELD},
		{"<13>1 - vm app - - [a b=\"c\"]x", WHY_FIELD},
		{"<13>Nov 41 13:29:13 vm app: x", WHY_FIELD},
		{"<13>Nox 20 13:29:13 vm app: x", WHY_FIELD},
		{"<13>Nov 20 13:29:13 a\033[2Jb", WHY_ENCODING},
		{"<13>Nov 20 13:29:13 a\nb", WHY_ENCODING},
		{"<13>Nov 20 13:29:13 \300\200", WHY_ENCODING},
		{"<13>Nov 20 13:29:13 \355\240\200", WHY_ENCODING}, /* half of a surrogate pair */
		{"<13>Nov 20 13:29:13 \223\372\226\173", WHY_ENCODING}, /* Shift_JIS */
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct outcome o = says(t[i].text, strlen(t[i].text));
		if (o.status != VERIFY_DROP || o.why != t[i].why)
			printf("%s: %s\n", t[i].text, inspect_why_word(o.why));
		CHECK(o.status == VERIFY_DROP && o.why == t[i].why);
	}
	static char big[9000];
	memset(big, 'a', sizeof(big));
	memcpy(big, "<13>a: ", 7);
	CHECK_INT(says(big, 8192).status, VERIFY_DECIDED);
	CHECK_INT(says(big, 9000).why, WHY_LENGTH);
}

static void one_way(void)
{
	static const struct line l[] = {{'c', TEXT("<13>a: b")}, {'s', TEXT("<13>a: b")}, {'c', TEXT("<13>a: b")}};

	CHECK_INT(script_datagrams(APP_SYSLOG, &any, l, 2, 1).status, VERIFY_DROP);
	CHECK_INT(script_datagrams(APP_SYSLOG, &any, l, 2, 1).why, WHY_ONE_WAY_ANSWER);
	CHECK_INT(script_datagrams(APP_SYSLOG, &any, l, 3, 1).status, VERIFY_DECIDED);
	static const struct line tcp[] = {{'c', TEXT("<13>a: b\n")}, {'s', TEXT("x")}};
	CHECK(script_refuses(APP_SYSLOG, &any, tcp, 2, WHY_ONE_WAY_ANSWER));
	static const struct line first[] = {{'s', TEXT("220 x")}};
	CHECK(script_refuses(APP_SYSLOG, &any, first, 1, WHY_ONE_WAY_ANSWER));
}

#define REFUSED(why, ...)                                                                                              \
	do {                                                                                                           \
		static const struct line lines_[] = {__VA_ARGS__};                                                     \
		CHECK(script_refuses(APP_SYSLOG, &any, lines_, COUNT(lines_), (why)));                                 \
	} while (0)

static void over_tcp(void)
{
	static const struct line lf[] = {{'c',
		TEXT("<13>Nov 20 13:29:13 vm app: hello \344\270\226\347\225\214\n")},
		{'c', TEXT("<35>Nov 20 13:29:13 vm root[77]: second#011tab\n<13>1 - - - - - -\r\n")}};
	static const struct line counted[] = {
		{'c',
			TEXT("66 <13>1 2026-11-20T13:29:13.493044+00:00 vm app - - -  hello \344\270\226\347\225\214\n")},
		{'c', TEXT("16 <0>1 - - - - - -9 <1>a: b\nc")}};
	for (int i = 0; i < 2; i++) {
		struct outcome o = script_run(APP_SYSLOG, &any, i ? counted : lf, 2);
		CHECK_INT(o.status, VERIFY_DECIDED);
		CHECK_INT(o.level, LEVEL_PREFIX);
		script_no_prefix_refused(APP_SYSLOG, &any, i ? counted : lf, 2);
	}
	REFUSED(WHY_PROTOCOL, {'c', TEXT("SSH-2.0-x\r\n")});
	REFUSED(WHY_PROTOCOL, {'c', TEXT("<13>a: b\n")}, {'c', TEXT("GET ")});
	REFUSED(WHY_PROTOCOL, {'c', TEXT("066 ")});
	REFUSED(WHY_PROTOCOL, {'c', TEXT("6<")});
	REFUSED(WHY_LENGTH, {'c', TEXT("8193 ")});
	REFUSED(WHY_LENGTH, {'c', TEXT("5 <13>a")});	    /* a form cut short */
	REFUSED(WHY_PROTOCOL, {'c', TEXT("6 <13>a:x")});   /* the length is held to */
	REFUSED(WHY_ENCODING, {'c', TEXT("<13>a: b\rc\n")});
	REFUSED(WHY_ENCODING, {'c', TEXT("<13>a: \0\n")});
	REFUSED(WHY_FIELD, {'c', TEXT("<13>hello ")});
	static char big[9000];
	memset(big, 'a', sizeof(big));
	memcpy(big, "<13>a: ", 7);
	const struct line l[] = {{'c', big, 8100}, {'c', big + 8100, 200}};
	CHECK(script_refuses(APP_SYSLOG, &any, l, 2, WHY_LENGTH));
}

int main(void)
{
	over_udp();
	no_log();
	one_way();
	over_tcp();
	return test_end();
}
