/*
 * test_clean_memory.c: the cleaner's memory has a bound whatever the mail: 200 MB of each kind, and the bombs that stop other parsers.
 *
 * The mails are made piece by piece and never kept. What counts is the peak of resident memory of this process, in which
 * there is nothing but the cleaner.
 */
#include <sekisho/clean.h>

#include "test.h"

#define MB (1u << 20)
#define BIG (200u * MB)
#define PEAK_KB 4096
#if defined(__SANITIZE_ADDRESS__)
#define SHADOWED true
#else
#define SHADOWED false
#endif

static int drop(void *arg, const void *bytes, size_t n)
{
	(void)bytes;
	*(size_t *)arg += n;
	return 0;
}

/* VmHWM: that of this program alone; getrusage() counts the one that started it as well. */
static long peak(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kb;
}

#define HEAD "From: a@example.com\r\nSubject: big\r\nMIME-Version: 1.0\r\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define LINE64 "5pys5pel44Gu5Lya6K2w44Gu6LOH5paZ44KS6YCB5LuY44GX44G+44GZ44CC44GU56K66KqN\r\n"

static const struct bomb {
	const char *name, *head, *piece;
	size_t bytes;
	enum mail_reason reason;
	size_t out; /* at least */
} bombs[] = {
	{"attachment in base64", MIXED "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		LINE64, BIG, 0, 500},
	{"text in base64", HEAD "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", LINE64,
		BIG, 0, MB},
	{"text in ISO-2022-JP", HEAD "Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n",
		"\x1b$BK\\F|$N2q5D$N;qNA$rAwIU$7$^$9!#$43NG'$/$@$5$$!#\x1b(B\r\n", BIG, 0, MB},
	{"HTML in quoted-printable", HEAD "Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
		"<p style=3D\"color:red\">=E6=9C=AC=E6=97=A5</p><table><tr><td>a</td></tr></table>=\r\n", BIG, 0, MB},
	{"nested multiparts", HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
		"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", 4 * MB, MAIL_REASON_LIMIT_PARTS, 0},
	{"nested messages", HEAD "Content-Type: message/rfc822\r\n\r\n", "Content-Type: message/rfc822\r\n\r\n", 4 * MB, 0, 500},
	{"a million parts", MIXED, "--b\r\n\r\n", 8 * MB, MAIL_REASON_LIMIT_PARTS, 0},
	{"a million fields", HEAD, "X: y\r\n", 8 * MB, MAIL_REASON_LIMIT_HEADER, 0},
	{"one field of 50 MB", HEAD "X: ", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", 50 * MB,
		MAIL_REASON_LIMIT_FIELD, 0},
	{"parameters", HEAD "Content-Type: text/plain", ";\r\n a=b", MB, MAIL_REASON_LIMIT_FIELD, 0},
	{"recipients", HEAD "To: a@b.example", ",\r\n a@b.example", 11 * MB, MAIL_REASON_LIMIT_FIELD, 0},
	{"groups", HEAD "To: ", "a:", 300000, MAIL_REASON_LIMIT_FIELD, 0},
	{"comments", HEAD "From: ", "(", 2 * MB, MAIL_REASON_LIMIT_FIELD, 0},
	{"encoded words", HEAD "Subject: x", "\r\n =?utf-8?B?44GC?=", 8 * MB, MAIL_REASON_LIMIT_FIELD, 0},
	{"unclosed elements", HEAD "Content-Type: text/html\r\n\r\n", "<b><table><div><font><i>\r\n", 8 * MB, 0, 500},
	{"near boundaries", MIXED "--b\r\n\r\n", "--bb\r\n--\r\n", 11 * MB, 0, 500},
	{"marks", HEAD "Content-Type: text/plain; charset=utf-8\r\n\r\n", "\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 4 * MB, 0, 500},
	{"empty lines", HEAD "\r\n", "\r\n", 8 * MB, 0, 500},
	{"names of files", MIXED, "--b\r\nContent-Disposition: attachment; filename=\"aaaaaaaaaaaaaaaaaaaaaaaa\"\r\n\r\nx\r\n", 60000, 0, 9000},
};

static void run(const struct bomb *b, enum clean_direction direction)
{
	/* Inwards what is too deep is removed, outwards all must be searched. */
	bool deep = direction == CLEAN_OUT && strcmp(b->name, "nested messages") == 0;
	enum mail_reason want = deep ? MAIL_REASON_LIMIT_DEPTH : b->reason;
	size_t out = 0, length = strlen(b->piece);
	struct mailreport_view view;
	struct clean *c = clean_new(&(struct clean_options){.sink = drop, .arg = &out, .direction = direction});
	static char block[64u << 10];
	size_t fill = 0;

	while (fill + length <= sizeof(block)) {
		memcpy(block + fill, b->piece, length);
		fill += length;
	}
	clean_push(c, b->head, strlen(b->head));
	for (size_t n = 0; n < b->bytes; n += fill)
		clean_push(c, block, fill);
	int reason = clean_end(c, &view);
	if (reason != (int)want || (direction == CLEAN_IN && out < b->out))
		printf("%s: %s, %zu bytes out\n", b->name, mail_reason_word((unsigned)reason), out);
	CHECK_INT(reason, want);
	CHECK(direction == CLEAN_OUT ? out == 0 : out >= b->out);
	CHECK(out <= 2 * MB);
	CHECK_INT(view.head->direction, direction);
	clean_free(c);
	if (!SHADOWED && peak() > PEAK_KB)
		printf("after %s: %ld KB\n", b->name, peak());
	CHECK(SHADOWED || peak() <= PEAK_KB);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		run(&bombs[i], CLEAN_IN);
		if (bombs[i].bytes <= 50 * MB)
			run(&bombs[i], CLEAN_OUT);
	}
	CHECK(peak() > 0);
	printf("peak %ld KB\n", peak());
	return test_end();
}
