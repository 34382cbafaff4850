/* test_digest.c: what sekisho-logd tells sekisho-alarm: news once and masked, a day in numbers, nothing without a policy. */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/config.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>
#include <sekisho/judge.h>

#include "recorder.h"
#include "temp.h"

static const char policy[] =
	"set segment kojin kind mynumber label \"マイナンバー利用事務系\" interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"
	"set segment lgwan kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
	"set host jumin-ap segment kojin address 10.1.0.5 mac 02:00:00:01:00:05 label \"住民記録AP\"\n";

static struct recorder *r;
static int alarm_end, mail_end;
static uint32_t tags;

static void give(enum msg_type type, uint32_t tag, const void *body, size_t n, int fd)
{
	struct msg m = {.type = type, .tag = tag, .nfds = fd >= 0};

	for (unsigned i = 0; i < MSG_FDS_MAX; i++)
		m.fds[i] = i == 0 ? fd : -1;
	memcpy(&m.u, body, n);
	recorder_give(r, &m);
}
#define GIVE(type, body) give((type), 0, &(body), sizeof(body), -1)

static void give_policy(void)
{
	struct msg_generation g = {.number = 1, .at = clock_wall().sec, .who = "jumin-ap", .why = "住民記録AP 10.1.0.5"};
	struct arena *a = arena_new();
	struct diag_list diags;
	struct model *m = NULL;
	struct buf ir = {0};

	diag_init(&diags, a);
	CHECK(config_read(a, policy, strlen(policy), &diags, &m) && policy_compile(m, clock_wall(), &diags, &ir));
	int fd = memfd_create("ir", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK_INT(write(fd, ir.data, ir.len), ir.len);
	CHECK_INT(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), 0);
	give(MSG_GENERATION, 0, &g, sizeof(g), fd);
	buf_free(&ir);
	arena_free(a);
}

static struct msg_alarm_news news[64];
static unsigned nnews;

/* The answer that ends it: DONE or DIGEST; other tags are others'. */
static struct msg ask(const struct msg_alarm_ask *q)
{
	struct msg m = {0};
	struct pollfd p = {.fd = alarm_end, .events = POLLIN};
	uint32_t tag = ++tags;

	nnews = 0;
	give(MSG_ALARM_ASK, tag, q, sizeof(*q), -1);
	while (poll(&p, 1, 10000) == 1 && msg_recv(alarm_end, &m) == 1) {
		if (m.tag != tag)
			continue;
		if (m.type != MSG_ALARM_NEWS)
			return m;
		if (nnews < 64)
			news[nnews++] = m.u.msg_alarm_news;
	}
	CHECK(false);
	return m;
}

static struct msg_alarm_done ask_news(uint64_t ledger, uint64_t faults, bool know)
{
	struct msg_alarm_ask q = {.what = MSG_ALARM_ASK_NEWS, .know_numbers = know, .ledger = ledger, .faults = faults};

	return ask(&q).u.msg_alarm_done;
}

static void mail(uint64_t id, uint32_t verdict, uint32_t notes, const char *receipt)
{
	struct msg_mail_entry e = {.id = id, .at = clock_wall().sec, .direction = MSG_MAIL_OUT, .verdict = verdict, .notes = notes,
		.nrecipients = 1};

	MSG_TEXT(e.sender, "taro@jumin-ap.town.example");
	MSG_TEXT(e.recipients, "a@example.com");
	MSG_TEXT(e.receipt, receipt);
	GIVE(MSG_MAIL_ENTRY, e);
}

static void fault(uint32_t severity, const char *code, const char *text)
{
	struct msg_fault f = {.severity = severity, .at = clock_wall().sec};

	MSG_TEXT(f.process, "sekishod");
	MSG_TEXT(f.code, code);
	MSG_TEXT(f.text, text);
	GIVE(MSG_FAULT, f);
}

static void test_news(void)
{
	struct msg_alarm_done d = ask_news(0, 0, false);

	CHECK(d.ok == 0 && nnews == 0); /* no policy yet: nothing can be masked */
	give_policy();
	sleep(2);
	d = ask_news(0, 0, false);
	CHECK(d.ok == 1 && nnews == 0 && d.faults > 0);
	uint64_t faults = d.faults, ledger = d.ledger;
	fault(MSG_SEVERITY_INFO, "gate", "shut -> open");
	fault(MSG_SEVERITY_FAULT, "gate", "10.1.0.5 (住民記録AP) broke");
	fault(MSG_SEVERITY_NOTICE, "mail-resumed", "by JUMIN-AP");
	mail(1, MSG_MAIL_PASS, 0, "AAAA-1");
	mail(2, MSG_MAIL_PASS, JUDGE_NOTE_MYNUMBER | JUDGE_NOTE_MYNUMBER_TELL, "AAAA-2");
	mail(3, MSG_MAIL_HELD, 0, "AAAA-3");
	mail(4, MSG_MAIL_HELD, 0, "AAAA-3"); /* sent again */
	mail(5, MSG_MAIL_REFUSED, JUDGE_NOTE_MYNUMBER, "AAAA-5");
	sleep(2);
	d = ask_news(ledger, faults, true);
	CHECK(d.ok == 1 && d.more == 0 && nnews == 4 && d.ledger == ledger + 5 && d.faults >= faults + 3);
	CHECK(news[0].kind == MSG_ALARM_FAULT && strcmp(news[0].code, "gate") == 0 && strstr(news[0].text, "マイナンバー利用事務系の端末1") != NULL);
	CHECK(news[1].kind == MSG_ALARM_NOTICE && news[2].kind == MSG_ALARM_WARNED && news[3].kind == MSG_ALARM_HELD);
	CHECK_STR(news[2].receipt, "AAAA-2");
	CHECK_STR(news[3].receipt, "AAAA-3");
	for (unsigned i = 0; i < nnews; i++)
		CHECK(strcasestr(news[i].text, "jumin") == NULL && strstr(news[i].text, "10.1.0.5") == NULL &&
			strstr(news[i].text, "住民記録AP") == NULL && strstr(news[i].sender, "jumin") == NULL);
	struct msg_alarm_done again = ask_news(d.ledger, d.faults, true);
	CHECK(again.ok == 1 && nnews == 0 && again.ledger == d.ledger);
	mail(6, MSG_MAIL_HELD, 0, "AAAA-3");
	mail(7, MSG_MAIL_PASS, JUDGE_NOTE_MYNUMBER_TELL, "AAAA-2");
	again = ask_news(d.ledger, d.faults, true);
	CHECK(nnews == 0 && again.ledger == d.ledger + 2); /* told before */
	/* Numbers of a store that is gone: what is there now is told from here on. */
	again = ask_news(1000000, 1000000, true);
	CHECK(again.ok == 1 && nnews == 0 && again.faults < 1000);
	/* Many at once: in pieces, none twice, none left out. */
	for (unsigned i = 0; i < 60; i++)
		fault(MSG_SEVERITY_FAULT, "many", "x");
	sleep(2);
	unsigned all = 0;
	d.more = 1;
	for (unsigned i = 0; i < 10 && d.more; i++) {
		d = ask_news(again.ledger, d.faults, true);
		all += nnews;
	}
	CHECK_INT(all, 60);
}

static void test_digest(void)
{
	struct msg_alarm_ask q = {.what = MSG_ALARM_ASK_DIGEST, .since = clock_wall().sec - 3600, .until = clock_wall().sec + 60};
	struct msg_alarm_digest d = ask(&q).u.msg_alarm_digest;

	CHECK_INT(d.ok, 1);
	CHECK(d.mail[1].passed == 3 && d.mail[1].warned == 2 && d.mail[1].refused == 1 && d.mail[1].held == 1 && d.mail[0].passed == 0);
	CHECK(d.commits == 1 && d.ncommits == 1 && d.commit[0].generation == 1);
	CHECK(strstr(d.commit[0].who, "jumin") == NULL && strstr(d.commit[0].why, "10.1.0.5") == NULL &&
		strstr(d.commit[0].why, "端末1") != NULL);
	uint64_t many = 0;
	for (uint32_t i = 0; i < d.nfaults; i++)
		many += strcmp(d.fault[i].code, "many") == 0 ? d.fault[i].count : 0;
	CHECK_INT(many, 60);
	/* Another time, in which nothing happened. */
	q.since -= 86400;
	q.until = q.since + 3600;
	d = ask(&q).u.msg_alarm_digest;
	CHECK(d.ok == 1 && d.commits == 0 && d.nfaults == 0 && d.mail[1].passed == 0);
}

int main(void)
{
	const struct writer_options o = {.store = {.dir = temp_begin(), .space = 32 << 20}, .boot_id = "b", .window_s = 60};
	int alarms[2], mails[2], kernel[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, alarms) != 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, mails) != 0 ||
		socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, kernel) != 0)
		abort();
	struct intake *in = intake_new(&kernel[1], 1);
	const struct recorder_sockets sockets = {.mail = mails[1], .alarm = alarms[1]};
	alarm_end = alarms[0];
	mail_end = mails[0];
	CHECK_INT(recorder_start(&r, &o, in, NULL, &sockets), 0);
	test_news();
	test_digest();
	recorder_stop(r);
	intake_free(in);
	temp_end();
	return test_end();
}
