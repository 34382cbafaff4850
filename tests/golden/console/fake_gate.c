/*
 * fake_gate.c: stands in for sekishod and sekisho-logd behind the control socket, with answers that never change,
 * so that every verb can be tested to the letter, and with the misbehaviour that a real one never shows.
 *
 * usage: fake_gate ROOT SCENARIO
 * Writes what it was asked to ROOT/asked, a line per request or query.
 */
#include <sekisho/inspect.h>
#include <sekisho/ir.h>
#include <sekisho/match.h>
#include <sekisho/mail_reason.h>
#include <sekisho/msg.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 2026-11-20T10:00:00+0900 */
#define T0 INT64_C(1795136400)

static const char *scenario;
static FILE *asked;

static bool is(const char *word)
{
	return strcmp(scenario, word) == 0;
}

static int memfd_of(const char *text)
{
	int fd = memfd_create("answer", MFD_CLOEXEC);
	size_t n = strlen(text);

	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		exit(1);
	return fd;
}

static void answer(int fd, enum msg_type type, const void *body, int with)
{
	msg_send(fd, type, 1, body, &with, with >= 0 ? 1 : 0);
	if (with >= 0)
		close(with);
}

static void finding(struct msg_status *s, uint32_t health, const char *code, const char *text)
{
	struct msg_finding *f = &s->findings[s->nfindings++];

	f->health = health;
	MSG_TEXT(f->code, code);
	MSG_TEXT(f->text, text);
}

static unsigned tested; /* alarm mails that were asked for */

static void alarm_test(int fd)
{
	struct msg_opened o = {.ok = !is("abnormal")};

	if (!o.ok)
		MSG_TEXT(o.error, "no alarm mail");
	tested += o.ok;
	answer(fd, MSG_OPENED, &o, -1);
}

static void status(int fd)
{
	struct msg_status s = {.health = MSG_OK, .generation = 12, .gate_open = 1, .clock_trusted = 1,
		.committed_at = T0 - 3600, .started_at = T0 - 7200, .nrules = 27, .nboxes_open = 120,
		.nboxes_timed_closed = 3, .conntrack_count = 41, .conntrack_max = 65536};

	MSG_TEXT(s.hostname, "gate-01");
	s.dropped[REASON_NO_RULE] = 1200;
	s.dropped[REASON_MAC] = 3;
	s.log = (struct msg_log_status){.rows = 345, .oldest = T0 - 86400, .newest = T0, .bytes_used = 1500000,
		.bytes_free = 7400000000, .writable = 1};
	s.log.stored[REASON_NO_RULE] = 1200;
	s.log.stored[REASON_MAC] = 3;
	s.inspector = (struct msg_inspector){.state = MSG_INSPECTOR_WELL, .starts = 1, .waiting = 2, .verdicts = 900,
		.status = {.flows_max = 131072, .flows_now = 12, .undecided_now = 3, .packets = 902, .passed = 200,
			.refused = 7}};
	s.inspector.status.why[WHY_PROTOCOL] = 5;
	s.inspector.status.why[WHY_SERVER_NAME] = 2;
	s.alarm = (struct msg_alarm_status){.state = MSG_ALARM_IDLE, .sent = 3 + tested, .last_sent = T0 - 1800, .reported = 20261120};
	if (is("caution")) {
		s.health = MSG_CAUTION;
		s.alarm.state = MSG_ALARM_FAILING;
		s.alarm.waiting = 5;
		s.alarm.sent = 3;
		s.alarm.failures = 4 + tested;
		s.alarm.failing_s = 300;
		MSG_TEXT(s.alarm.error, "MAIL: 451 4.3.0 try again");
		finding(&s, MSG_CAUTION, "interface-missing", "the interface does not exist: eth3");
		finding(&s, MSG_CAUTION, "clock", "the clock is not trusted: rules with times are closed — set the clock");
		finding(&s, MSG_CAUTION, "interface-unknown", "an interface is up that belongs to no segment: eth7");
		finding(&s, MSG_CAUTION, "interface-unknown", "an interface is up that belongs to no segment: eth8");
		s.clock_trusted = 0;
	} else if (is("abnormal")) {
		s = (struct msg_status){.health = MSG_ABNORMAL, .conntrack_max = 65536, .started_at = T0};
		finding(&s, MSG_CAUTION, "no-policy", "no policy is in force: everything is closed");
		finding(&s, MSG_ABNORMAL, "log-full", "records cannot be stored: nothing new may pass");
		finding(&s, MSG_ABNORMAL, "brand-new", "something that this console does not know \033[2J");
		s.log.loss[REASON_NO_RULE] = 7;
	}
	if (is("unconfirmed")) {
		s.confirm_by = T0 + 300;
		s.confirm_else = 11;
	}
	answer(fd, MSG_STATUS, &s, -1);
}

static void commit(int fd, const struct msg_request *q)
{
	struct msg_committed c = {.ok = 1, .generation = 13, .kernel_us = 4321, .total_us = 187654, .warnings = 1};
	const char *diagnostics = "[{\"severity\":\"warning\",\"line\":7,\"code\":\"shadowed\",\"what\":"
				  "\"the rule \\\"b\\\" is "
				  "never reached\",\"hint\":\"remove it\"}]";

	fprintf(asked, "commit who=%s why=%s approval=%s language=%s\n", q->who, q->why, q->approval, q->language);
	if (is("refuse")) {
		c = (struct msg_committed){.generation = 12, .errors = 2};
		diagnostics = "[{\"severity\":\"error\",\"line\":3,\"code\":\"unknown-host\",\"what\":"
			      "\"there is no host "
			      "\\\"\\u001b[31mx\\\"\",\"hint\":null},{\"severity\":\"error\",\"line\":0,"
			      "\"code\":\"x\",\"what\":\"w\"}]";
	} else if (is("kernel")) {
		c = (struct msg_committed){.generation = 0};
		MSG_TEXT(c.error, "kernel-refused: rule pittari: Invalid argument");
		diagnostics = "[]";
	} else if (is("disproved")) {
		c = (struct msg_committed){.generation = 12, .errors = 1};
		MSG_TEXT(c.error, "the proof found 1 differences between kernel and policy");
		diagnostics = "[{\"code\":\"crosses\",\"text\":\"lgwan to mynumber: tcp 10.2.0.8 crosses\"}]";
	} else if (is("garbage")) {
		diagnostics = "[{\"severity\":";
	}
	answer(fd, MSG_COMMITTED, &c, memfd_of(diagnostics));
}

static void prove(int fd, const struct msg_request *q)
{
	struct msg_committed c = {.ok = 1, .generation = 12, .total_us = 23456};
	const char *findings = "[]";

	fprintf(asked, "prove language=%s\n", q->language);
	if (is("disproved")) {
		c = (struct msg_committed){.generation = 12, .total_us = 34567, .errors = 5};
		MSG_TEXT(c.error, "the proof found 5 differences between kernel and policy");
		findings = "[{\"code\":\"crosses\",\"text\":\"lgwan to mynumber: tcp 10.2.0.8 crosses\"},"
			   "{\"code\":\"unknown\",\"text\":\"an expression \\\"\\u001b[2J\\\" of chain forward\"}]";
	} else if (is("abnormal")) {
		c = (struct msg_committed){.ok = 0};
		MSG_TEXT(c.error, "no policy is in force");
	} else if (is("garbage")) {
		findings = "[{\"code\":\"crosses\"}]";
	}
	answer(fd, MSG_COMMITTED, &c, is("abnormal") ? -1 : memfd_of(findings));
}

static struct msg_drop_row drop(uint64_t sequence, uint32_t reason)
{
	struct msg_drop_row d = {.sequence = sequence,
		.count = 1,
		.first_ns = (T0 + (int64_t)sequence) * 1000000000,
		.last_ns = (T0 + (int64_t)sequence + 5) * 1000000000,
		.has_mac = 1,
		.family = 4,
		.proto = IPPROTO_TCP,
		.tcp_flags = 0x02,
		.src = {10, 2, 20, 10},
		.dst = {10, 1, 10, 5},
		.src_len = 32,
		.dst_len = 32,
		.sport = 51000,
		.dport = 445,
		.length = 60,
		.reason = reason,
		.generation = 12,
		.src_mac = {2, 0, 0, 2, 0x20, 0x10},
		.dst_mac = {2, 0, 0, 0, 0, 1}};

	MSG_TEXT(d.boot_id, "0a1b2c3d-0000-0000-0000-000000000001");
	MSG_TEXT(d.from, "lgwan");
	MSG_TEXT(d.to, "mynumber");
	MSG_TEXT(d.iface, "eth1");
	d.hash[0] = 0xab;
	d.hash[31] = (uint8_t)sequence;
	return d;
}

/* Newest first, as logd answers. */
static void drops(int fd)
{
	struct msg_drop_row d = drop(104, REASON_NO_RULE);

	MSG_TEXT(d.rule, "jumin-file");
	MSG_TEXT(d.host_src, "kacho-pc");
	MSG_TEXT(d.host_dst, "jumin-ap");
	d.differs = DIFFERS_PORT | DIFFERS_SOURCE;
	answer(fd, MSG_DROP_ROW, &d, -1);

	d = drop(103, REASON_SPOOF);
	d.family = 6;
	d.proto = IPPROTO_UDP;
	memcpy(d.src, "\x20\x01\x0d\xb8\0\x01\0\x10\0\0\0\0\0\0\0\x05", 16);
	memcpy(d.dst, "\x20\x01\x0d\xb8\0\x02\xf0\0\0\0\0\0\0\0\0\x53", 16);
	d.src_len = 64;
	d.dst_len = 128;
	d.dport = 53;
	d.count = 123456;
	d.open = 1;
	MSG_TEXT(d.to, "");
	answer(fd, MSG_DROP_ROW, &d, -1);

	d = drop(102, REASON_REDIRECT);
	d.proto = IPPROTO_ICMP;
	d.dport = 5 << 8 | 1;
	d.has_mac = 0;
	MSG_TEXT(d.from, "\xe6\xbc\xa2\033[2J");
	answer(fd, MSG_DROP_ROW, &d, -1);

	/* What the inspector said: something else came; and what is not known. */
	d = drop(100, REASON_APP_MISMATCH);
	MSG_TEXT(d.rule, "jumin-web");
	d.why = WHY_PROTOCOL;
	d.seen = APP_SSH;
	d.expected = APP_TLS;
	answer(fd, MSG_DROP_ROW, &d, -1);
	d = drop(99, REASON_UNFITTING);
	d.why = 255;
	d.seen = 255;
	answer(fd, MSG_DROP_ROW, &d, -1);

	d = drop(98, REASON_NO_RULE);
	d.loss = MSG_LOSS_LOST;
	d.count = 42;
	answer(fd, MSG_DROP_ROW, &d, -1);
}

static void summary(int fd)
{
	struct msg_summary_row r = {
		.packets = 1200, .rows = 300, .first = T0 - 600, .last = T0, .reason = REASON_NO_RULE};

	MSG_TEXT(r.from, "lgwan");
	MSG_TEXT(r.to, "mynumber");
	answer(fd, MSG_SUMMARY_ROW, &r, -1);
	r = (struct msg_summary_row){.packets = 3, .rows = 1, .first = T0, .last = T0, .reason = REASON_MAC};
	MSG_TEXT(r.from, "マイナンバー利用");
	answer(fd, MSG_SUMMARY_ROW, &r, -1);
	r = (struct msg_summary_row){
		.packets = 42, .rows = 1, .first = T0, .last = T0, .reason = REASON_NO_RULE, .loss = 1};
	MSG_TEXT(r.from, "internet");
	answer(fd, MSG_SUMMARY_ROW, &r, -1);
}

static void faults(int fd)
{
	struct msg_fault_row r = {.sequence = 5, .at = T0, .severity = MSG_SEVERITY_FAULT};

	MSG_TEXT(r.process, "sekisho-logd");
	MSG_TEXT(r.code, "restarted");
	MSG_TEXT(r.text, "sekisho-logd: killed by signal 9, back after 12 ms, start 2");
	answer(fd, MSG_FAULT_ROW, &r, -1);
	r.severity = MSG_SEVERITY_INFO;
	r.sequence--;
	MSG_TEXT(r.text, "cured: the interface does not exist: eth3");
	MSG_TEXT(r.code, "interface-missing");
	answer(fd, MSG_FAULT_ROW, &r, -1);
}

static void commits(int fd)
{
	struct msg_commit_row r = {.sequence = 2, .at = T0 - 3600, .generation = 12};

	MSG_TEXT(r.who, "情報政策課 山田");
	MSG_TEXT(r.why, "ぴったりサービスの期限延長");
	MSG_TEXT(r.approval, "R8-014");
	answer(fd, MSG_COMMIT_ROW, &r, -1);
}

/* -- Mail ------------------------------------------------------------------------------------------------ */

static void mail_rows(int fd, const struct msg_mail_query *q)
{
	static const char report[] = "{\"receipt\":\"8K2M-0000-00001\","
				     "\"removed\":[{\"name\":\"見積\\u001b[2J.zip\",\"sniffed\":\"ZIP\","
				     "\"why\":\"attachment\",\"size\":1234}]}";
	struct msg_mail_row r = {.sequence = 12, .id = 9, .at = T0, .direction = MSG_MAIL_OUT, .verdict = MSG_MAIL_HELD,
		.reason = MAIL_REASON_HELD, .nrecipients = 1, .size = 2048, .sha256 = {0xaa}};

	MSG_TEXT(r.receipt, "8K2M-0000-00001");
	MSG_TEXT(r.client, "10.2.0.25");
	MSG_TEXT(r.sender, "joho@town.example.lg.jp");
	MSG_TEXT(r.recipients, "a@example.com");
	MSG_TEXT(r.detail, "見積.zip");
	answer(fd, MSG_MAIL_ROW, &r, q->receipt[0] != '\0' ? memfd_of(report) : -1);
	if (q->receipt[0] != '\0')
		return;
	r = (struct msg_mail_row){.sequence = 11, .id = 8, .at = T0 - 60, .direction = MSG_MAIL_IN, .verdict = MSG_MAIL_PASS,
		.notes = 1, .nrecipients = 2, .size = 70000, .size_out = 3000, .sha256 = {1}, .sha256_out = {2},
		.result = MSG_MAIL_DELIVERED, .result_at = T0 - 59, .code = 250};
	MSG_TEXT(r.receipt, "0000-0000-00002");
	MSG_TEXT(r.client, "192.0.2.25");
	MSG_TEXT(r.helo, "mx.example.com");
	MSG_TEXT(r.recipients, "b@town.example.lg.jp c@town.example.lg.jp");
	MSG_TEXT(r.server, "10.2.0.25");
	MSG_TEXT(r.text, "2.0.0 Ok: queued as 1234");
	answer(fd, MSG_MAIL_ROW, &r, -1);
}

static void mail_query(int fd, const struct msg_mail_query *q)
{
	struct msg_end end = {.ok = 1, .checked = 12};

	fprintf(asked, "mail limit=%u direction=%u verdict=%u verify=%u since=%lld until=%lld receipt=%s sender=%s recipient=%s\n",
		q->limit, q->direction, q->verdict, q->verify, (long long)q->since, (long long)q->until, q->receipt, q->sender,
		q->recipient);
	if (!q->verify && !is("empty"))
		mail_rows(fd, q);
	if (is("broken")) {
		end.ok = 0;
		MSG_TEXT(end.error, "row 7: is missing or was changed, or the row before it");
	}
	answer(fd, MSG_END, &end, -1);
}

static void approve(int fd, const struct msg_mail_approve *a)
{
	struct msg_end end = {.ok = strcmp(a->receipt, "8K2M-0000-00001") == 0};

	fprintf(asked, "approve %s by %s\n", a->receipt, a->who);
	if (!end.ok)
		MSG_TEXT(end.error, "no mail with this receipt number waits for approval");
	answer(fd, MSG_END, &end, -1);
}

static void mail_status(int fd)
{
	struct msg_mail_status s = {.generation = 12, .sessions = 3, .sessions_max = 1024, .listeners = 1, .memory_now = 4096};

	s.way[0] = (struct msg_mail_way){.configured = 1, .listening = 1, .sessions = 3, .flood = MSG_MAIL_SLOWED, .hops = 2,
		.hops_well = 1, .last = T0, .connections = 99, .delivered = 90, .refused = 5, .held = 0, .deferred = 4,
		.bytes_in = 1000000, .bytes_out = 300000};
	if (is("abnormal"))
		s.way[1] = (struct msg_mail_way){.configured = 1, .flood = MSG_MAIL_STOPPED, .hops = 1};
	if (is("empty"))
		s = (struct msg_mail_status){0};
	answer(fd, MSG_MAIL_STATUS, &s, -1);
}

static void resume(int fd, const struct msg_request *q)
{
	struct msg_opened o = {.ok = !is("empty")};

	fprintf(asked, "resume %u %s by %s\n", q->argument, q->why, q->who);
	if (!o.ok)
		MSG_TEXT(o.error, "the mail gate does not run");
	answer(fd, MSG_OPENED, &o, -1);
}

/* -- What is asked --------------------------------------------------------------------------------------- */

static void works(int fd)
{
	struct msg_command_row w = {.sequence = 212, .it = {.at = T0 + 60, .kind = MSG_WORK_LINE, .uid = 1001, .result = 1,
		.role = MSG_ROLE_OPERATOR, .session = 7}};

	MSG_TEXT(w.it.account, "sato");
	MSG_TEXT(w.it.text, "show log drops | match 10.1.0.5");
	answer(fd, MSG_COMMAND_ROW, &w, -1);
	w = (struct msg_command_row){.sequence = 211, .it = {.at = T0, .kind = MSG_WORK_REQUEST, .uid = 1002,
		.result = MSG_WORK_REFUSED, .role = MSG_ROLE_VIEWER}};
	MSG_TEXT(w.it.account, "suzuki");
	MSG_TEXT(w.it.who, "鈴木");
	MSG_TEXT(w.it.text, "commit: 通信を追加 [R8-014]");
	answer(fd, MSG_COMMAND_ROW, &w, -1);
}

static void logins(int fd)
{
	struct msg_login_row l = {.sequence = 215, .it = {.at = T0 + 900, .event = MSG_LOGIN_IDLE, .uid = 1001,
		.role = MSG_ROLE_OPERATOR, .session = 7, .seconds = 900}};

	MSG_TEXT(l.it.account, "sato");
	MSG_TEXT(l.it.terminal, "/dev/ttyS0");
	answer(fd, MSG_LOGIN_ROW, &l, -1);
	l.sequence = 214;
	l.it.at = T0;
	l.it.event = MSG_LOGIN_BEGIN;
	l.it.seconds = 0;
	answer(fd, MSG_LOGIN_ROW, &l, -1);
	l = (struct msg_login_row){.sequence = 213, .it = {.at = T0 - 60, .event = MSG_LOGIN_REFUSED, .uid = 1009}};
	MSG_TEXT(l.it.account, "#1009");
	answer(fd, MSG_LOGIN_ROW, &l, -1);
}

/* What the question names. */
static uint32_t number_asked;

static void answer_record(int fd, const struct msg_record_row *r)
{
	if (number_asked == 0 || number_asked == r->it.number)
		answer(fd, MSG_RECORD_ROW, r, -1);
}

static void records(int fd)
{
	struct msg_record_row r = {.sequence = 218, .at = T0 + 86400, .uid = 1002, .role = MSG_ROLE_ADMINISTRATOR,
		.it = {.kind = MSG_RECORD_INCIDENT, .what = MSG_RECORD_CLOSE, .number = 3}};

	MSG_TEXT(r.account, "suzuki");
	MSG_TEXT(r.it.who, "鈴木");
	MSG_TEXT(r.it.prevention, "添付ファイルの無害化を全課に広げ、年2回の研修を行う。手順書の該当箇所を改め、改めた版を各課の端末に配る。");
	answer_record(fd, &r);
	r = (struct msg_record_row){.sequence = 216, .at = T0 + 600, .uid = 1001, .role = MSG_ROLE_OPERATOR,
		.it = {.kind = MSG_RECORD_INCIDENT, .what = MSG_RECORD_NEW, .number = 3, .occurred = T0}};
	MSG_TEXT(r.account, "sato");
	MSG_TEXT(r.it.who, "佐藤");
	MSG_TEXT(r.it.title, "LGWAN接続系の端末でウイルスを検知");
	MSG_TEXT(r.it.cause, "メールの添付ファイル");
	MSG_TEXT(r.it.action, "端末を遮断し、証拠を保全した");
	MSG_TEXT(r.it.note, "11-20 10:00:03 blocked: lgwan -> internet: no-rule, 12 / 11-20 10:02:00 request: sato: cut host pc-12");
	answer_record(fd, &r);
	r = (struct msg_record_row){.sequence = 215, .at = T0, .uid = 1001, .role = MSG_ROLE_OPERATOR,
		.it = {.kind = MSG_RECORD_INCIDENT, .what = MSG_RECORD_NEW, .number = 2}};
	MSG_TEXT(r.it.title, "USBメモリの紛失");
	answer_record(fd, &r);
}

static void write_record(int fd, const struct msg_record *r)
{
	struct msg_end end = {.ok = r->number != 99, .checked = r->what == MSG_RECORD_NEW ? 4 : r->number, .last_sequence = 220};

	fprintf(asked, "record kind=%u what=%u number=%u occurred=%lld who=%s title=%s cause=%s action=%s prevention=%s note=%s\n",
		r->kind, r->what, r->number, (long long)r->occurred, r->who, r->title, r->cause, r->action, r->prevention, r->note);
	if (!end.ok)
		MSG_TEXT(end.error, "there is no record of this number");
	answer(fd, MSG_END, &end, -1);
}

/* -- Generations and sessions ------------------------------------------------------------------------------ */

static void history(int fd, const struct msg_request *q)
{
	struct msg_history h = {.n = 2, .running = 12, .unconfirmed = is("abnormal") ? 12 : 0, .confirm_by = is("abnormal") ? T0 + 300 : 0};

	if (is("empty") || q->argument != 0)
		h.n = 0;
	h.past[0] = (struct msg_past){.number = 12, .of = 10, .at = T0, .size = 5120, .uid = 1002};
	h.past[1] = (struct msg_past){.number = 11, .at = T0 - 86400, .size = 6000, .uid = 0};
	MSG_TEXT(h.past[0].who, "鈴木");
	MSG_TEXT(h.past[0].account, "suzuki");
	MSG_TEXT(h.past[0].why, "誤りがあったため元に戻す");
	MSG_TEXT(h.past[1].who, "sato");
	MSG_TEXT(h.past[1].account, "root");
	MSG_TEXT(h.past[1].approval, "R8-014");
	MSG_TEXT(h.past[1].why, "ぴったりサービスの通信を追加");
	answer(fd, MSG_HISTORY, &h, -1);
}

static void sessions(int fd)
{
	struct msg_sessions s = {.n = is("empty") ? 0 : 1};

	s.session[0] = (struct msg_session_of){.id = 7, .uid = 1001, .role = MSG_ROLE_ADMINISTRATOR, .pid = 4711, .since = T0,
		.last = T0 + 60, .configure_until = T0 + 3600};
	MSG_TEXT(s.session[0].account, "sato");
	MSG_TEXT(s.session[0].terminal, "/dev/ttyS0");
	answer(fd, MSG_SESSIONS, &s, -1);
}

static void again(int fd, const struct msg_request *q)
{
	struct msg_committed m = {.ok = !is("refuse"), .generation = 12};

	fprintf(asked, "%s %u by %s: %s [%s]\n", q->verb == MSG_VERB_CONFIRM ? "confirm" : "rollback", q->argument, q->who, q->why,
		q->approval);
	if (!m.ok)
		MSG_TEXT(m.error, "nothing waits to be confirmed");
	answer(fd, MSG_COMMITTED, &m, -1);
}

static void query(int fd)
{
	struct msg m;
	struct msg_end end = {.ok = 1, .last_sequence = 104, .checked = 104, .head = {0xfe, 0xed}};

	if (msg_recv(fd, &m) <= 0)
		return;
	if (m.type == MSG_MAIL_QUERY)
		mail_query(fd, &m.u.msg_mail_query);
	if (m.type == MSG_MAIL_APPROVE)
		approve(fd, &m.u.msg_mail_approve);
	if (m.type == MSG_RECORD)
		write_record(fd, &m.u.msg_record);
	if (m.type != MSG_QUERY)
		return;
	const struct msg_query *q = &m.u.msg_query;
	fprintf(asked, "query verb=%u limit=%u since=%lld until=%lld from=%s to=%s src=%s dst=%s port=%u reason=%u follow=%u "
		       "all=%u\n", q->verb, q->limit, (long long)q->since, (long long)q->until, q->from, q->to, q->src, q->dst,
		q->port, q->reason, q->follow, q->all);
	static void (*const verbs[])(int) = {[MSG_LOG_DROPS] = drops, [MSG_LOG_SUMMARY] = summary,
		[MSG_LOG_FAULTS] = faults, [MSG_LOG_COMMITS] = commits,
		[MSG_LOG_COMMANDS] = works, [MSG_LOG_LOGINS] = logins, [MSG_LOG_RECORDS] = records};
	number_asked = q->number;
	if (q->who[0] != '\0' || q->kind != 0 || q->number != 0)
		fprintf(asked, "about who=%s kind=%u number=%u\n", q->who, q->kind, q->number);
	if (!is("empty") && !is("broken") && q->verb != MSG_LOG_VERIFY)
		verbs[q->verb](fd);
	if (is("broken")) {
		end.ok = 0;
		MSG_TEXT(end.error, "row 57: hash");
	}
	end.more = q->limit == 4;
	while (q->follow && msg_send(fd, MSG_DROP_ROW, 1,
				    &(struct msg_drop_row){.reason = REASON_MAC, .family = 4}, NULL, 0) == 0)
		usleep(10000);
	if (!q->follow)
		answer(fd, MSG_END, &end, -1);
}

static void log_client(int fd)
{
	struct msg_opened o = {.ok = 1};
	int pair[2];

	if (is("no-log")) {
		o.ok = 0;
		MSG_TEXT(o.error, "the recorder does not answer");
		answer(fd, MSG_OPENED, &o, -1);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		exit(1);
	answer(fd, MSG_OPENED, &o, pair[1]);
	query(pair[0]);
	close(pair[0]);
}

/* -- The scenario "shell": a gate that remembers: what is in force, one candidate, a session ------------ */

static struct {
	char *running, *candidate;
	uint32_t generation, base; /* base: of the candidate */
	bool kept;
} memory = {.generation = 12};

/* All of a descriptor. */
static char *text_of(int fd)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) < 0 || (text = calloc(1, (size_t)st.st_size + 1)) == NULL || pread(fd, text, (size_t)st.st_size, 0) != st.st_size)
		exit(1);
	return text;
}

/* The policy in force at the beginning: ROOT/policy. */
static void remember(void)
{
	int fd = open("policy", O_RDONLY | O_CLOEXEC);

	memory.running = fd >= 0 ? text_of(fd) : strdup("");
	if (fd >= 0)
		close(fd);
}

static void session_of(int fd, const struct msg_request *q)
{
	struct msg_session s = {.me = {.id = 1, .role = MSG_ROLE_ADMINISTRATOR}, .last_login = T0 - 86400, .refused = 2, .sessions = 1};

	fprintf(asked, "session verb=%u argument=%u\n", q->verb, q->argument);
	MSG_TEXT(s.last_terminal, "/dev/ttyS0");
	if (is("brief")) {
		s.idle_seconds = 1;
		s.me.configure_until = q->verb == MSG_VERB_CONFIGURE && q->argument != 0; /* long ago */
	}
	answer(fd, MSG_SESSION, &s, -1);
}

/* One that stays: in a process of its own. */
static void session(int fd, const struct msg_request *q)
{
	struct msg m;

	if (fork() != 0)
		return;
	session_of(fd, q);
	while (msg_recv(fd, &m) > 0) {
		if (m.type == MSG_REQUEST) {
			session_of(fd, &m.u.msg_request);
		} else if (m.type == MSG_COMMAND) {
			fprintf(asked, "command %u %s\n", m.u.msg_command.result, m.u.msg_command.text);
			answer(fd, MSG_OPENED, &(struct msg_opened){.ok = 1}, -1);
		}
		msg_close_fds(&m);
	}
	fprintf(asked, "session ends\n");
	exit(0);
}

static void candidate(int fd, const struct msg_request *q, int text)
{
	struct msg_candidate c = {.running = memory.generation};

	if (q->verb == MSG_VERB_CANDIDATE_PUT && text >= 0) {
		free(memory.candidate);
		memory.candidate = text_of(text);
		memory.base = q->base;
		memory.kept = true;
		fprintf(asked, "candidate of generation %u, %zu bytes\n", q->base, strlen(memory.candidate));
	}
	c.there = memory.kept;
	c.it.base = memory.kept ? memory.base : 0;
	answer(fd, MSG_CANDIDATE, &c, memory.kept && q->verb == MSG_VERB_CANDIDATE_GET ? memfd_of(memory.candidate) : -1);
}

static void discard(int fd)
{
	memory.kept = false;
	answer(fd, MSG_OPENED, &(struct msg_opened){.ok = 1}, -1);
}

/* It is in force at once, unless another one came between. */
static void commit_to_memory(int fd, const struct msg_request *q, int text)
{
	struct msg_committed c = {.ok = 1, .kernel_us = 4321, .total_us = 187654};

	fprintf(asked, "commit base=%u minutes=%u who=%s why=%s approval=%s\n", q->base, q->argument, q->who, q->why, q->approval);
	if (q->base != 0 && q->base != memory.generation) {
		c = (struct msg_committed){.generation = memory.generation};
		MSG_TEXT(c.error, "another generation is in force");
	} else if (text >= 0) {
		free(memory.running);
		memory.running = text_of(text);
		c.generation = ++memory.generation;
	} else {
		c.generation = memory.generation;
	}
	answer(fd, MSG_COMMITTED, &c, memfd_of("[]"));
}

/* A request to the gate that remembers; false: answered as in every scenario. */
static bool remembered(int fd, const struct msg_request *q, int text)
{
	struct msg_status s = {.health = MSG_OK, .generation = memory.generation, .gate_open = 1, .clock_trusted = 1};

	MSG_TEXT(s.hostname, "gate-01");
	MSG_TEXT(s.timezone, "Asia/Tokyo");
	if (q->verb == MSG_VERB_SESSION)
		session(fd, q);
	else if (q->verb == MSG_VERB_STATUS)
		answer(fd, MSG_STATUS, &s, -1);
	else if (q->verb == MSG_VERB_RUNNING || q->verb == MSG_VERB_GENERATION)
		answer(fd, MSG_OPENED, &(struct msg_opened){.ok = 1}, memfd_of(memory.running));
	else if (q->verb == MSG_VERB_CANDIDATE_GET || q->verb == MSG_VERB_CANDIDATE_PUT)
		candidate(fd, q, text);
	else if (q->verb == MSG_VERB_CANDIDATE_DISCARD)
		discard(fd);
	else if (q->verb == MSG_VERB_COMMIT || q->verb == MSG_VERB_CONFIRM || q->verb == MSG_VERB_ROLLBACK)
		commit_to_memory(fd, q, text);
	else
		return false;
	return true;
}

static void running(int fd)
{
	struct msg_opened o = {.ok = 1};

	if (is("abnormal")) {
		o.ok = 0;
		answer(fd, MSG_OPENED, &o, -1);
		return;
	}
	if (is("drops")) { /* the segments of drop() */
		answer(fd, MSG_OPENED, &o,
			memfd_of("set segment lgwan kind lgwan interface eth1 address 10.2.0.1/16 network 10.2.0.0/16\n"
				 "set segment mynumber kind mynumber interface eth0 address 10.1.0.1/16 network 10.1.0.0/16\n"
				 "set host jumin-ap segment mynumber address 10.1.10.5\n"));
		return;
	}
	answer(fd, MSG_OPENED, &o, memfd_of("set system hostname gate-01\n# 注釈 \033[2J\nset segment a kind other\n"));
}

static void request(int fd)
{
	struct msg m;

	if (msg_recv(fd, &m) <= 0 || m.type != MSG_REQUEST)
		return;
	const struct msg_request *q = &m.u.msg_request;
	if (is("malformed"))
		send(fd, "no message of ours", 18, MSG_NOSIGNAL);
	else if (is("hang-up"))
		(void)0;
	else if (is("wrong-type"))
		answer(fd, MSG_READY, &(struct msg_ready){.pid = 1}, -1);
	else if (is("silent"))
		pause();
	else if ((is("shell") || is("brief")) && remembered(fd, q, m.nfds > 0 ? m.fds[0] : -1))
		(void)0;
	else if (q->verb == MSG_VERB_STATUS)
		status(fd);
	else if (is("no-role"))
		answer(fd, MSG_REFUSED, &(struct msg_refused){.verb = q->verb, .uid = 1001, .role = MSG_ROLE_VIEWER,
			.allowed = 1u << MSG_ROLE_OPERATOR | 1u << MSG_ROLE_ADMINISTRATOR, .account = "sato"}, -1);
	else if (q->verb == MSG_VERB_COMMIT)
		commit(fd, q);
	else if (q->verb == MSG_VERB_LOG || q->verb == MSG_VERB_APPROVE || q->verb == MSG_VERB_RECORD)
		log_client(fd);
	else if (q->verb == MSG_VERB_HISTORY)
		history(fd, q);
	else if (q->verb == MSG_VERB_SESSIONS)
		sessions(fd);
	else if (q->verb == MSG_VERB_CONFIRM || q->verb == MSG_VERB_ROLLBACK)
		again(fd, q);
	else if (q->verb == MSG_VERB_RUNNING || q->verb == MSG_VERB_GENERATION)
		running(fd);
	else if (q->verb == MSG_VERB_PROVE)
		prove(fd, q);
	else if (q->verb == MSG_VERB_MAIL)
		mail_status(fd);
	else if (q->verb == MSG_VERB_RESUME)
		resume(fd, q);
	else if (q->verb == MSG_VERB_ALARM_TEST)
		alarm_test(fd);
	msg_close_fds(&m);
}

int main(int argc, char **argv)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (argc != 3 || chdir(argv[1]) != 0)
		return 2;
	scenario = argv[2];
	mkdir("run", 0755);
	mkdir("run/sekisho", 0755);
	asked = fopen("asked", "we"); /* each line is there before its answer is */
	if (asked != NULL)
		setvbuf(asked, NULL, _IOLBF, 0);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "run/sekisho/control");
	remember();
	signal(SIGCHLD, SIG_IGN);
	if (asked == NULL || fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 8) < 0)
		return 1;
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			return 1;
		request(client);
		close(client);
	}
}
