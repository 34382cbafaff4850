/*
 * test_compose.c DIR [--regenerate]: the mails, byte for byte, in both languages: header as it is sent, then the body decoded.
 * Whatever texts a mail quotes, no line of its header or body is anybody else's.
 */
#include "compose.h"
#include "field.h"
#include "test.h"

#include <sekisho/i18n.h>
#include <sekisho/reason.h>

#define T0 1795136400 /* 2026-11-20 01:00:00 UTC */

static struct msg_alarm_settings settings;
static struct msg_alarm_health health;

static void begin(void)
{
	settings = (struct msg_alarm_settings){.life = 7, .nto = 2, .nhops = 1, .utc_offset = 9 * 3600};
	MSG_TEXT(settings.hostname, "gate-01");
	MSG_TEXT(settings.to[0], "joho@town.example.lg.jp");
	MSG_TEXT(settings.to[1], "kacho@town.example.lg.jp");
	health = (struct msg_alarm_health){.health = MSG_CAUTION, .gate_open = 1, .generation = 12, .committed_at = T0 - 3600,
		.nfindings = 1};
	health.finding[0].health = MSG_CAUTION;
	MSG_TEXT(health.finding[0].code, "interface-missing");
	MSG_TEXT(health.finding[0].text, "eth3");
}

static struct letter letter(void)
{
	return (struct letter){.settings = &settings, .health = &health, .now = T0, .id = "gate-01.7.9.0.0"};
}

static struct notice notice(enum msg_notice_kind kind, enum msg_health h, const char *code, const char *text)
{
	struct notice n = {.kind = kind, .health = h, .count = 1, .number = 1, .first = T0 - 30, .last = T0 - 30};

	MSG_TEXT(n.code, code);
	MSG_TEXT(n.text, text);
	return n;
}

static void decode(const char *p, size_t n, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		const char *d = p[i] != '\0' ? strchr(digits, p[i]) : NULL;
		if (d == NULL)
			continue;
		bits = bits << 6 | (uint32_t)(d - digits);
		if (++have % 4 != 1)
			buf_addc(out, (char)(bits >> (6 - 2 * ((have + 3) % 4)) & 255));
	}
}

/* What any mail server takes: ASCII, lines of at most 78, CRLF; then header, and the body decoded. */
static struct buf look(struct buf *mail)
{
	struct buf shown = {0};
	const char *text = buf_str(mail), *body = strstr(text, "\r\n\r\n");
	size_t column = 0;

	CHECK(body != NULL);
	for (size_t i = 0; i < mail->len; i++) {
		CHECK(text[i] == '\r' || text[i] == '\n' || (text[i] >= 0x20 && text[i] <= 0x7e));
		CHECK((text[i] == '\r') == (text[i + 1] == '\n'));
		column = text[i] == '\n' ? 0 : column + (text[i] != '\r');
		CHECK(column <= 78);
	}
	buf_add(&shown, text, (size_t)(body + 4 - text));
	decode(body + 4, strlen(body + 4), &shown);
	buf_free(mail);
	return shown;
}

static void put(struct queue *q, struct notice n)
{
	queue_put(q, &n);
}

static void notices(struct buf *out)
{
	struct queue q = {0};
	struct letter l = letter();

	put(&q, notice(MSG_ALARM_BEGAN, MSG_ABNORMAL, "inspector-away", ""));
	put(&q, notice(MSG_ALARM_CURED, MSG_OK, "clock", ""));
	struct notice n = notice(MSG_ALARM_HAPPENED, MSG_CAUTION, "restarted", "sekisho-logd");
	n.count = 3;
	n.last = T0 - 5;
	put(&q, n);
	put(&q, notice(MSG_ALARM_FAULT, MSG_ABNORMAL, "gate", "open -> held"));
	put(&q, notice(MSG_ALARM_NOTICE, MSG_CAUTION, "mail-resumed", "mail outbound was resumed by (マイナンバー利用事務系の端末1)"));
	n = notice(MSG_ALARM_HELD, MSG_CAUTION, "", "taro@town.example.lg.jp");
	MSG_TEXT(n.receipt, "2026-ABCD-EF01");
	put(&q, n);
	n = notice(MSG_ALARM_WARNED, MSG_CAUTION, "", "");
	MSG_TEXT(n.receipt, "2026-ABCD-EF02");
	put(&q, n);
	put(&q, notice(MSG_ALARM_TEST, MSG_OK, "", ""));
	queue_lost(&q, SOURCE_EVENTS, 1, 17);
	compose_notices(out, &l, &q);
}

static void daily(struct buf *out, bool all)
{
	struct msg_alarm_report r = {.day = 20261120, .since = T0 - 86400, .until = T0, .late = all, .missed = all ? 2 : 0};
	struct msg_alarm_digest d = {.ok = 1, .ndrops = 2, .drops = 1300, .losses = 4, .nfaults = 2, .ncommits = 1, .commits = 1,
		.mail = {{.passed = 120, .refused = 3, .deferred = 1}, {.passed = 40, .held = 2, .warned = 1}}, .logins = 5,
		.logins_refused = 1, .commands = 40};
	struct letter l = letter();

	d.drop[0] = (struct msg_alarm_drops){.packets = 1200, .reason = REASON_NO_RULE, .from = "LGWAN接続系",
		.to = "インターネット接続系"};
	d.drop[1] = (struct msg_alarm_drops){.packets = 40, .reason = REASON_MAC, .from = "マイナンバー利用事務系"};
	d.fault[0] = (struct msg_alarm_faults){.count = 2, .last = T0 - 60, .process = "sekishod", .code = "restarted"};
	d.fault[1] = (struct msg_alarm_faults){.count = 1, .last = T0 - 600, .process = "sekishod", .code = "gate"};
	d.commit[0] = (struct msg_alarm_commit){.at = T0 - 3600, .generation = 12, .who = "山田", .why = "期限の延長 http://x.example/"};
	l.id = "gate-01.report.20261120";
	if (!all)
		health = (struct msg_alarm_health){.gate_open = 0};
	compose_report(out, &l, &r, all ? &d : NULL);
}

static void golden(const char *dir, const char *name, struct buf *mail, bool regenerate)
{
	char path[512], *have = calloc(1, 65536);
	struct buf got = look(mail);

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, i18n_language());
	FILE *f = fopen(path, regenerate ? "w" : "r");
	if (f != NULL && regenerate)
		fwrite(got.data, 1, got.len, f);
	else if (f != NULL && fread(have, 1, 65535, f) > 0)
		CHECK_STR(buf_str(&got), have);
	CHECK(f != NULL);
	if (f != NULL)
		fclose(f);
	buf_free(&got);
	free(have);
}

/* What others may write into texts: line ends are kept out by the messages; the rest must stay text. */
static void test_foreign(void)
{
	static const char evil[] = "x\xe2\x80\xae" "evil =?UTF-8?B?QkNDOg==?= http://bad.example/ <script> .\xe2\x80\xa8" "Bcc: a@b";
	struct queue q = {0};
	struct letter l = letter();
	struct buf mail = {0};
	unsigned lines = 0;

	put(&q, notice(MSG_ALARM_FAULT, MSG_ABNORMAL, "gate", evil));
	MSG_TEXT(settings.hostname, "gate =?UTF-8?Q?x?=");
	compose_notices(&mail, &l, &q);
	struct buf got = look(&mail);
	const char *text = buf_str(&got);
	for (const char *p = text; (p = strstr(p, "\r\n")) != NULL && strncmp(p, "\r\n\r\n", 4) != 0; p += 2)
		lines += p[2] != ' ';
	CHECK_INT(lines, 9); /* fields after Date: From, To, Subject, Message-ID, and five more */
	CHECK(strstr(text, "\nBcc") == NULL && strstr(text, "\xe2\x80\xae") == NULL && strstr(text, "http://") == NULL);
	CHECK(strstr(text, "hxxp:") != NULL && strstr(text, "[U+202E]") != NULL);
	buf_free(&got);
}

/* Encoded words: whole characters, 75 columns at most, joined again they are the text. */
static void test_words(void)
{
	static const char text[] = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよ𠮟";
	struct buf out = {0}, joined = {0};

	field_text(&out, "Subject", text);
	const char *p = buf_str(&out);
	while ((p = strstr(p, "=?UTF-8?B?")) != NULL) {
		const char *end = strstr(p, "?=");
		CHECK(end != NULL && end + 2 - p <= 75);
		size_t before = joined.len;
		decode(p + 10, (size_t)(end - p - 10), &joined);
		CHECK((joined.data[before] & 0xc0) != 0x80);
		p = end;
	}
	CHECK_STR(buf_str(&joined), text);
	buf_free(&out);
	buf_free(&joined);
}

static void test_dates(void)
{
	struct buf out = {0};
	char time[FIELD_TIME];

	field_date(&out, T0, 9 * 3600);
	field_date(&out, T0, -(3 * 3600 + 1800));
	CHECK_STR(buf_str(&out), "Date: Fri, 20 Nov 2026 10:00:00 +0900\r\nDate: Thu, 19 Nov 2026 21:30:00 -0330\r\n");
	CHECK_STR(field_time(T0, 9 * 3600, time), "11-20 10:00:00");
	CHECK_STR(field_minute(T0, 9 * 3600, time), "2026-11-20 10:00");
	buf_free(&out);
}

int main(int argc, char **argv)
{
	static const char *const languages[] = {"ja", "en"};
	bool regenerate = argc > 2 && strcmp(argv[2], "--regenerate") == 0;

	for (unsigned i = 0; i < 2; i++) {
		struct buf mail = {0};
		i18n_init(languages[i]);
		begin();
		notices(&mail);
		golden(argv[1], "notices", &mail, regenerate);
		daily(&mail, true);
		golden(argv[1], "report", &mail, regenerate);
		daily(&mail, false);
		golden(argv[1], "report-closed", &mail, regenerate);
		begin();
		test_foreign();
	}
	test_words();
	test_dates();
	return test_end();
}
