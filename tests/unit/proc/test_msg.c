/*
 * test_msg.c: every message goes through a socket unchanged; everything that msg.h calls malformed is
 * refused, and a refused message leaves no descriptor behind.
 */
#include <sekisho/mail_reason.h>
#include <sekisho/cut.h>
#include <sekisho/msg.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static int pair[2];

static size_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* -- A good message of each type ------------------------------------------------------------------------- */

static const struct kind {
	enum msg_type type;
	size_t size;
	unsigned fds_min, fds_max;
	const char *name;
} kinds[] = {
#define X(NAME, type, value, fds_min, fds_max) {MSG_##NAME, sizeof(struct type), fds_min, fds_max, #NAME},
	MESSAGES(X)
#undef X
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void fill_fds(int fds[MSG_FDS_MAX])
{
	for (unsigned i = 0; i < MSG_FDS_MAX; i++)
		fds[i] = pair[0];
}

/* The second half of fill_good(). */
static void fill_more(struct msg *m, const struct kind *k)
{
	switch ((int)k->type) {
	case MSG_MAIL_JOB:
		m->u.msg_mail_job = (struct msg_mail_job){.direction = MSG_MAIL_OUT, .seconds = 1, .cpu_seconds = 1};
		MSG_TEXT(m->u.msg_mail_job.label[MSG_MAIL_LABELS - 1], "【機密】");
		break;
	case MSG_TLS_JOB:
		m->u.msg_tls_job = (struct msg_tls_job){.role = MSG_TLS_CLIENT, .level = TLS_VERIFY, .seconds = 30, .npins = 1};
		MSG_TEXT(m->u.msg_tls_job.name, "mx.example.jp");
		break;
	case MSG_TLS_DONE:
		m->u.msg_tls_done.trust = TLS_TRUST_FINGERPRINT;
		MSG_TEXT(m->u.msg_tls_done.peer, "CN=メール");
		break;
	case MSG_TLS_SIGN:
		m->u.msg_tls_sign.n = MSG_TLS_SIGN_MAX;
		break;
	case MSG_TLS_STATUS:
		m->u.msg_tls_status.n = TLS_NAMES_MAX;
		m->u.msg_tls_status.certificate[TLS_NAMES_MAX - 1].state = TLS_FILE_OTHER_KEY;
		break;
	case MSG_MAIL_VERIFIED:
		m->u.msg_mail_verified.reason = MAILVERIFY_REASONS - 1;
		break;
	case MSG_ALARM_SETTINGS:
		m->u.msg_alarm_settings.nto = LIMIT_ALARM_TO;
		m->u.msg_alarm_settings.utc_offset = 9 * 3600;
		MSG_TEXT(m->u.msg_alarm_settings.to[LIMIT_ALARM_TO - 1], "joho@town.example.lg.jp");
		break;
	case MSG_HOST_CLIENT:
		m->u.msg_host_client.role = MSG_ROLE_ADMINISTRATOR;
		m->u.msg_host_client.verb = MSG_VERB_HOST;
		break;
	case MSG_HOST_ASK:
		m->u.msg_host_ask.what = MSG_HOST_ADD;
		MSG_TEXT(m->u.msg_host_ask.name, "tanaka");
		break;
	case MSG_HOST_ACCOUNT:
		m->u.msg_host_account.role = MSG_ROLE_VIEWER;
		break;
	case MSG_ALARM_EVENT:
		m->u.msg_alarm_event.kind = MSG_ALARM_TEST;
		m->u.msg_alarm_event.health = MSG_ABNORMAL;
		break;
	case MSG_ALARM_HEALTH:
		m->u.msg_alarm_health.nfindings = MSG_FINDINGS_MAX;
		MSG_TEXT(m->u.msg_alarm_health.finding[MSG_FINDINGS_MAX - 1].text, "マイナンバー利用事務系の端末1");
		break;
	case MSG_ALARM_STATUS:
		m->u.msg_alarm_status.state = MSG_ALARM_FAILING;
		break;
	case MSG_ALARM_ASK:
		m->u.msg_alarm_ask.what = MSG_ALARM_ASK_DIGEST;
		break;
	case MSG_ALARM_NEWS:
		m->u.msg_alarm_news.kind = MSG_ALARM_WARNED;
		break;
	case MSG_ALARM_DIGEST:
		m->u.msg_alarm_digest.ndrops = MSG_ALARM_DROPS_MAX;
		m->u.msg_alarm_digest.drop[MSG_ALARM_DROPS_MAX - 1].reason = REASON_END - 1;
		break;
	default:
		break;
	}
}

/* Zero is good everywhere but in the enums that begin with one. */
static void fill_good(struct msg *m, const struct kind *k)
{
	memset(m, 0, sizeof(*m));
	m->type = k->type;
	m->tag = 4711;
	switch ((int)k->type) {
	case MSG_SPAWN:
		m->u.msg_spawn.what = MSG_CHILD_PROVE;
		MSG_TEXT(m->u.msg_spawn.language, "ja");
		break;
	case MSG_EXITED:
		MSG_TEXT(m->u.msg_exited.name, "sekisho-logd");
		m->u.msg_exited.status = 9;
		break;
	case MSG_WATCH_QUERY:
		m->u.msg_watch_query.verb = MSG_WATCH_RULES;
		break;
	case MSG_BROKEN:
		m->u.msg_broken.peer = MSG_PEER_HOST;
		break;
	case MSG_MAIL_ENTRY:
		m->u.msg_mail_entry.direction = MSG_MAIL_OUT;
		m->u.msg_mail_entry.verdict = MSG_MAIL_REFUSED;
		m->u.msg_mail_entry.reason = MAIL_REASON_MYNUMBER;
		MSG_TEXT(m->u.msg_mail_entry.recipients, "a@example.jp b@example.jp");
		break;
	case MSG_MAIL_ROW:
		m->u.msg_mail_row.direction = MSG_MAIL_IN;
		m->u.msg_mail_row.verdict = MSG_MAIL_PASS;
		m->u.msg_mail_row.result = MSG_MAIL_DELIVERED;
		break;
	case MSG_MAIL_OUTCOME:
		m->u.msg_mail_outcome.result = MSG_MAIL_DELIVERED;
		break;
	case MSG_MAIL_ASK:
		m->u.msg_mail_ask.direction = MSG_MAIL_OUT;
		break;
	case MSG_MAIL_COMMAND:
		m->u.msg_mail_command.what = MSG_MAIL_RESUME;
		m->u.msg_mail_command.direction = MSG_MAIL_IN;
		MSG_TEXT(m->u.msg_mail_command.who, "佐藤");
		break;
	case MSG_VERDICTS:
		m->u.msg_verdicts.n = MSG_VERDICTS_MAX;
		m->u.msg_verdicts.verdict[MSG_VERDICTS_MAX - 1].code = 4;
		break;
	case MSG_FAULT:
		m->u.msg_fault.severity = MSG_SEVERITY_FAULT;
		MSG_TEXT(m->u.msg_fault.text, "障害: 記録できません");
		break;
	case MSG_REQUEST:
		m->u.msg_request.verb = MSG_VERB_PROVE;
		MSG_TEXT(m->u.msg_request.who, "佐藤");
		break;
	case MSG_QUERY:
		m->u.msg_query.verb = MSG_LOG_VERIFY;
		m->u.msg_query.reason = REASON_END - 1;
		m->u.msg_query.port = MSG_ANY_PORT;
		break;
	case MSG_STATUS:
		m->u.msg_status.nfindings = MSG_FINDINGS_MAX;
		m->u.msg_status.findings[MSG_FINDINGS_MAX - 1].health = MSG_ABNORMAL;
		m->u.msg_status.log.writable = 1;
		break;
	case MSG_WORK:
		m->u.msg_work.kind = MSG_WORK_REQUEST;
		MSG_TEXT(m->u.msg_work.text, "commit");
		break;
	case MSG_COMMAND_ROW:
		m->u.msg_command_row.it.kind = MSG_WORK_LINE;
		MSG_TEXT(m->u.msg_command_row.it.text, "show log drops");
		break;
	case MSG_LOGIN:
		m->u.msg_login.event = MSG_LOGIN_LOST;
		break;
	case MSG_LOGIN_ROW:
		m->u.msg_login_row.it.event = MSG_LOGIN_BEGIN;
		break;
	case MSG_RECORD:
		m->u.msg_record.kind = MSG_RECORD_TRAINING;
		m->u.msg_record.what = MSG_RECORD_CLOSE;
		break;
	case MSG_RECORD_ROW:
		m->u.msg_record_row.it.kind = MSG_RECORD_INCIDENT;
		m->u.msg_record_row.it.what = MSG_RECORD_NEW;
		MSG_TEXT(m->u.msg_record_row.it.title, "LGWAN接続系でウイルスを検知");
		break;
	case MSG_HISTORY:
		m->u.msg_history.n = MSG_HISTORY_MAX;
		MSG_TEXT(m->u.msg_history.past[MSG_HISTORY_MAX - 1].who, "佐藤");
		break;
	default:
		fill_more(m, k);
	}
}

static size_t encode(const struct msg *m, const struct kind *k, uint8_t *buf)
{
	struct msg_header h = {MSG_MAGIC, MSG_VERSION, (uint16_t)m->type, (uint32_t)k->size, m->tag};

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), &m->u, k->size);
	return sizeof(h) + k->size;
}

static void test_round_trip(void)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		const struct kind *k = &kinds[i];
		for (unsigned nfds = k->fds_min; nfds <= k->fds_max; nfds++) {
			struct msg m, got;
			int fds[MSG_FDS_MAX];
			fill_fds(fds);
			fill_good(&m, k);
			CHECK_INT(msg_send(pair[0], m.type, m.tag, &m.u, fds, nfds), 0);
			CHECK_INT(msg_recv(pair[1], &got), 1);
			CHECK(got.type == k->type && got.tag == 4711 && got.nfds == nfds);
			CHECK(memcmp(&got.u, &m.u, k->size) == 0);
			for (unsigned f = 0; f < MSG_FDS_MAX; f++)
				CHECK((got.fds[f] >= 0) == (f < nfds));
			msg_close_fds(&got);
			CHECK(got.nfds == 0 && got.fds[0] == -1);
		}
	}
}

/* -- What is wrong in any message ------------------------------------------------------------------------ */

static void test_frames(void)
{
	uint8_t buf[sizeof(struct msg_header) + sizeof(((struct msg *)0)->u) + 8] = {0};
	struct msg m, got;

	for (size_t i = 0; i < N_KINDS; i++) {
		const struct kind *k = &kinds[i];
		fill_good(&m, k);
		size_t n = encode(&m, k, buf);
		CHECK(msg_decode(buf, n, k->fds_min, &got));
		CHECK(!msg_decode(buf, n - 1, k->fds_min, &got));
		CHECK(!msg_decode(buf, n + 1, k->fds_min, &got));
		CHECK(!msg_decode(buf, n, k->fds_max + 1, &got));
		CHECK(k->fds_min == 0 || !msg_decode(buf, n, k->fds_min - 1, &got));
		/* Each byte of the header but those of the tag (12..15) matters. */
		for (size_t at = 0; at < 12; at++) {
			buf[at] ^= 0x40;
			CHECK(!msg_decode(buf, n, k->fds_min, &got));
			buf[at] ^= 0x40;
		}
		for (size_t cut = 0; cut < sizeof(struct msg_header); cut++)
			CHECK(!msg_decode(buf, cut, k->fds_min, &got));
	}
}

/* -- What is wrong inside -------------------------------------------------------------------------------- */

static bool survives(const struct msg *m)
{
	uint8_t buf[sizeof(struct msg_header) + sizeof(m->u)];
	struct msg got;

	for (size_t i = 0; i < N_KINDS; i++) {
		if (kinds[i].type != m->type)
			continue;
		/* Sender and receiver must agree. */
		bool decoded = msg_decode(buf, encode(m, &kinds[i], buf), kinds[i].fds_min, &got);
		int fds[MSG_FDS_MAX];
		fill_fds(fds);
		int sent = msg_send(pair[0], m->type, m->tag, &m->u, fds, kinds[i].fds_min);
		CHECK(decoded == (sent == 0) && (sent == 0 || sent == -EINVAL));
		if (sent == 0 && msg_recv(pair[1], &got) == 1)
			msg_close_fds(&got);
		return decoded;
	}
	return false;
}

static struct msg good(enum msg_type type)
{
	struct msg m;

	for (size_t i = 0; i < N_KINDS; i++) {
		if (kinds[i].type == type)
			fill_good(&m, &kinds[i]);
	}
	return m;
}

#define REFUSED(type, change)                                                                                  \
	do {                                                                                                    \
		struct msg m = good(type);                                                                      \
		CHECK(survives(&m));                                                                            \
		change;                                                                                         \
		CHECK(!survives(&m));                                                                           \
	} while (0)

static void test_fields(void)
{
	REFUSED(MSG_SPAWN, m.u.msg_spawn.what = 0);
	REFUSED(MSG_SPAWN, m.u.msg_spawn.what = MSG_CHILD_PROVE + 1);
	REFUSED(MSG_SPAWN, m.u.msg_spawn.clock_untrusted = 2);
	REFUSED(MSG_SPAWN, memset(m.u.msg_spawn.language, 'a', 8));
	REFUSED(MSG_EXITED, m.u.msg_exited.name[31] = 'x'); /* behind the NUL */
	REFUSED(MSG_BROKEN, m.u.msg_broken.peer = 0);
	REFUSED(MSG_BROKEN, m.u.msg_broken.peer = MSG_PEER_HOST + 1);
	REFUSED(MSG_MAIL_LISTEN, m.u.msg_mail_listen.n = MSG_MAIL_LISTENERS_MAX + 1);
	REFUSED(MSG_MAIL_LISTEN, m.u.msg_mail_listen.address[MSG_MAIL_LISTENERS_MAX - 1].direction = MSG_MAIL_OUT + 1);
	REFUSED(MSG_MAIL_LISTENER, m.u.msg_mail_listener.index = MSG_MAIL_LISTENERS_MAX);
	REFUSED(MSG_MAIL_LISTENER, m.u.msg_mail_listener.address.transparent = 2);
	REFUSED(MSG_MAIL_HOPS, m.u.msg_mail_hops.hop[0].pad = 1);
	REFUSED(MSG_MAIL_CONNECT, m.u.msg_mail_connect.hop.pad2 = 1);
	REFUSED(MSG_MAIL_CONNECTED, m.u.msg_mail_connected.pad = 1);
	REFUSED(MSG_MAIL_COMMAND, m.u.msg_mail_command.what = 0);
	REFUSED(MSG_MAIL_ENTRY, m.u.msg_mail_entry.verdict = 0);
	REFUSED(MSG_MAIL_ENTRY, m.u.msg_mail_entry.reason = MAIL_REASON_END);
	REFUSED(MSG_MAIL_ENTRY, m.u.msg_mail_entry.recipients[0] = '\n');
	REFUSED(MSG_MAIL_STORED, m.u.msg_mail_stored.ok = 2);
	REFUSED(MSG_MAIL_OUTCOME, m.u.msg_mail_outcome.result = MSG_MAIL_UNKNOWN + 1);
	REFUSED(MSG_MAIL_ASK, m.u.msg_mail_ask.pad = 1);
	REFUSED(MSG_MAIL_APPROVAL, m.u.msg_mail_approval.approved = 2);
	REFUSED(MSG_MAIL_QUERY, m.u.msg_mail_query.verify = 2);
	REFUSED(MSG_MAIL_ROW, m.u.msg_mail_row.result = MSG_MAIL_UNKNOWN + 1);
	REFUSED(MSG_MAIL_APPROVE, m.u.msg_mail_approve.who[63] = 'x');
	REFUSED(MSG_MAIL_COMMAND, m.u.msg_mail_command.direction = MSG_MAIL_OUT + 1);
}

static void test_more_fields(void)
{
	REFUSED(MSG_ALARM_SETTINGS, m.u.msg_alarm_settings.nto = LIMIT_ALARM_TO + 1);
	REFUSED(MSG_ALARM_SETTINGS, m.u.msg_alarm_settings.nhops = MSG_ALARM_HOPS_MAX + 1);
	REFUSED(MSG_ALARM_SETTINGS, m.u.msg_alarm_settings.to[0][0] = '\n');
	REFUSED(MSG_ALARM_SETTINGS, m.u.msg_alarm_settings.hostname[0] = '\r');
	REFUSED(MSG_HOST_CLIENT, m.u.msg_host_client.role = MSG_ROLE_NONE);
	REFUSED(MSG_HOST_CLIENT, m.u.msg_host_client.verb = MSG_VERB_END);
	REFUSED(MSG_HOST_ASK, m.u.msg_host_ask.what = MSG_HOST_WHAT_END);
	REFUSED(MSG_HOST_ASK, m.u.msg_host_ask.role = MSG_ROLE_END);
	REFUSED(MSG_HOST_ASK, m.u.msg_host_ask.secret[3] = '\n');
	REFUSED(MSG_HOST_ACCOUNT, m.u.msg_host_account.enabled = 2);
	REFUSED(MSG_HOST_TOLD, m.u.msg_host_told.secret[0] = 0x1b);
	REFUSED(MSG_ALARM_EVENT, m.u.msg_alarm_event.kind = MSG_ALARM_NOTICE);
	REFUSED(MSG_ALARM_EVENT, m.u.msg_alarm_event.text[0] = '\r');
	REFUSED(MSG_ALARM_HEALTH, m.u.msg_alarm_health.nfindings = MSG_FINDINGS_MAX + 1);
	REFUSED(MSG_ALARM_HEALTH, m.u.msg_alarm_health.finding[0].health = MSG_ABNORMAL + 1);
	REFUSED(MSG_ALARM_REPORT, m.u.msg_alarm_report.late = 2);
	REFUSED(MSG_ALARM_STATUS, m.u.msg_alarm_status.state = MSG_ALARM_FAILING + 1);
	REFUSED(MSG_ALARM_STATUS, m.u.msg_alarm_status.error[0] = 0x1b);
	REFUSED(MSG_STATUS, m.u.msg_status.alarm.state = MSG_ALARM_FAILING + 1);
	REFUSED(MSG_ALARM_HOPS, m.u.msg_alarm_hops.n = MSG_ALARM_HOPS_MAX + 1);
	REFUSED(MSG_ALARM_ASK, m.u.msg_alarm_ask.what = 0);
	REFUSED(MSG_ALARM_NEWS, m.u.msg_alarm_news.kind = MSG_ALARM_TEST);
	REFUSED(MSG_ALARM_NEWS, m.u.msg_alarm_news.sender[0] = '\n');
	REFUSED(MSG_ALARM_DONE, m.u.msg_alarm_done.more = 2);
	REFUSED(MSG_ALARM_DIGEST, m.u.msg_alarm_digest.nfaults = MSG_ALARM_FAULTS_MAX + 1);
	REFUSED(MSG_ALARM_DIGEST, m.u.msg_alarm_digest.drop[0].reason = REASON_END);
	REFUSED(MSG_ALARM_DIGEST, m.u.msg_alarm_digest.commit[MSG_ALARM_COMMITS_MAX - 1].who[0] = '\n');
	REFUSED(MSG_MAIL_STATUS, m.u.msg_mail_status.way[1].flood = MSG_MAIL_STOPPED + 1);
	REFUSED(MSG_MAIL_ENTRY, m.u.msg_mail_entry.tls[0] = '\t');
	REFUSED(MSG_MAIL_OUTCOME, m.u.msg_mail_outcome.tls[95] = 'x');
	REFUSED(MSG_TLS_JOB, m.u.msg_tls_job.role = 0);
	REFUSED(MSG_TLS_JOB, m.u.msg_tls_job.level = TLS_LEVELS);
	REFUSED(MSG_TLS_JOB, m.u.msg_tls_job.seconds = 0);
	REFUSED(MSG_TLS_JOB, m.u.msg_tls_job.npins = TLS_PINS_MAX + 1);
	REFUSED(MSG_TLS_JOB, m.u.msg_tls_job.name[0] = 0x7f);
	REFUSED(MSG_TLS_DONE, m.u.msg_tls_done.why = TLS_WHYS_END);
	REFUSED(MSG_TLS_DONE, m.u.msg_tls_done.trust = TLS_TRUSTS_END);
	REFUSED(MSG_TLS_DONE, m.u.msg_tls_done.cipher[0] = '\n');
	REFUSED(MSG_TLS_DONE, m.u.msg_tls_done.peer[127] = 'x');
	REFUSED(MSG_TLS_SIGN, m.u.msg_tls_sign.n = 0);
	REFUSED(MSG_TLS_SIGN, m.u.msg_tls_sign.n = MSG_TLS_SIGN_MAX + 1);
	REFUSED(MSG_TLS_SIGNED, m.u.msg_tls_signed.n = MSG_TLS_SIGNED_MAX + 1);
	REFUSED(MSG_TLS_WANT, m.u.msg_tls_want.n = TLS_NAMES_MAX + 1);
	REFUSED(MSG_TLS_WANT, m.u.msg_tls_want.name[0].keyed = 2);
	REFUSED(MSG_TLS_FILE, m.u.msg_tls_file.index = TLS_NAMES_MAX);
	REFUSED(MSG_TLS_FILE, m.u.msg_tls_file.state = TLS_FILE_MALFORMED);
	REFUSED(MSG_TLS_KEY, m.u.msg_tls_key.name[0] = 1);
	REFUSED(MSG_TLS_STATUS, m.u.msg_tls_status.certificate[0].names[0] = 0x1b);
	REFUSED(MSG_VERDICTS, m.u.msg_verdicts.n = 0);
	REFUSED(MSG_VERDICTS, m.u.msg_verdicts.n = MSG_VERDICTS_MAX + 1);
	REFUSED(MSG_ENFORCED, m.u.msg_enforced.pad = 1);
	REFUSED(MSG_PINHOLE, m.u.msg_pinhole.pad[6] = 1);
	REFUSED(MSG_INSPECT_STATUS, m.u.msg_inspect_status.pad = 1);
	REFUSED(MSG_STATUS, m.u.msg_status.inspector.state = MSG_INSPECTOR_WELL + 1);
	REFUSED(MSG_STATUS, m.u.msg_status.inspector.status.pad = 1);
	REFUSED(MSG_DROP_ROW, m.u.msg_drop_row.pad[0] = 1);
	REFUSED(MSG_REQUEST, m.u.msg_request.pad2 = 1);
	REFUSED(MSG_REQUEST, memset(m.u.msg_request.object[1], 'x', sizeof(m.u.msg_request.object[1])));
	REFUSED(MSG_CUTS, m.u.msg_cuts.n = CUT_MAX + 1);
	REFUSED(MSG_CUTS, m.u.msg_cuts.level = LEVEL_END);
	REFUSED(MSG_ACTED, m.u.msg_acted.ok = 2);
	REFUSED(MSG_ACTED, m.u.msg_acted.drill = 2);
}

static void test_last_fields(void)
{
	REFUSED(MSG_ACTED, m.u.msg_acted.code[0] = '\n');
	REFUSED(MSG_ACTED, m.u.msg_acted.object[159] = 'x');
	REFUSED(MSG_EVIDENCE, m.u.msg_evidence.pad = 1);
	REFUSED(MSG_EVIDENCE_DONE, m.u.msg_evidence_done.ok = 2);
	REFUSED(MSG_EVIDENCE_DONE, m.u.msg_evidence_done.error[0] = 0x1b);
	REFUSED(MSG_STATUS, m.u.msg_status.level = LEVEL_END);
	REFUSED(MSG_STATUS, m.u.msg_status.ncuts = CUT_MAX + 1);
	REFUSED(MSG_FAULT, m.u.msg_fault.severity = 3);
	REFUSED(MSG_FAULT, m.u.msg_fault.text[0] = '\n');
	REFUSED(MSG_LINKS, m.u.msg_links.n = MSG_LINKS_MAX + 1);
	REFUSED(MSG_LINKS, memset(m.u.msg_links.link[MSG_LINKS_MAX - 1].name, 'e', LIMIT_IFNAME));
	REFUSED(MSG_LOG_STATUS, m.u.msg_log_status.writable = 2);
	REFUSED(MSG_REQUEST, m.u.msg_request.verb = 0);
	REFUSED(MSG_REQUEST, m.u.msg_request.verb = MSG_VERB_END);
	REFUSED(MSG_CLIENT, m.u.msg_client.rights = MSG_RIGHTS + 1);
	REFUSED(MSG_CLIENT, m.u.msg_client.role = MSG_ROLE_END);
	REFUSED(MSG_CLIENT, m.u.msg_client.account[0] = '\n');
	REFUSED(MSG_GENERATION, m.u.msg_generation.account[MSG_ACCOUNT - 1] = 'x');
	REFUSED(MSG_WORK, m.u.msg_work.kind = 0);
	REFUSED(MSG_WORK, m.u.msg_work.text[0] = 0x1b);
	REFUSED(MSG_COMMAND_ROW, m.u.msg_command_row.it.role = MSG_ROLE_END);
	REFUSED(MSG_COMMAND, m.u.msg_command.text[0] = '\n');
	REFUSED(MSG_COMMAND, m.u.msg_command.pad = 1);
	REFUSED(MSG_LOGIN, m.u.msg_login.event = MSG_LOGIN_LOST + 1);
	REFUSED(MSG_LOGIN_ROW, m.u.msg_login_row.it.event = 0);
	REFUSED(MSG_RECORD, m.u.msg_record.kind = MSG_RECORD_KINDS);
	REFUSED(MSG_RECORD, m.u.msg_record.what = 0);
	REFUSED(MSG_RECORD, m.u.msg_record.cause[0] = '\t');
	REFUSED(MSG_RECORD, m.u.msg_record.note[MSG_RECORD_NOTE - 1] = 'x');
	REFUSED(MSG_RECORD_ROW, m.u.msg_record_row.it.kind = 0);
	REFUSED(MSG_REFUSED, m.u.msg_refused.role = MSG_ROLE_END);
	REFUSED(MSG_SESSION, m.u.msg_session.me.terminal[0] = 0x07);
	REFUSED(MSG_SESSIONS, m.u.msg_sessions.n = MSG_SESSIONS_MAX + 1);
	REFUSED(MSG_HISTORY, m.u.msg_history.n = MSG_HISTORY_MAX + 1);
	REFUSED(MSG_HISTORY, m.u.msg_history.past[0].pad = 1);
	REFUSED(MSG_CANDIDATE, m.u.msg_candidate.there = 2);
	REFUSED(MSG_CANDIDATES, m.u.msg_candidates.n = MSG_CANDIDATES_MAX + 1);
	REFUSED(MSG_QUERY, m.u.msg_query.verb = MSG_LOG_RECORDS + 1);
	REFUSED(MSG_QUERY, m.u.msg_query.kind = MSG_RECORD_KINDS);
	REFUSED(MSG_STATUS, m.u.msg_status.health = 3);
	REFUSED(MSG_STATUS, m.u.msg_status.nfindings = MSG_FINDINGS_MAX + 1);
	REFUSED(MSG_STATUS, m.u.msg_status.findings[0].health = 3);
	REFUSED(MSG_STATUS, m.u.msg_status.findings[MSG_FINDINGS_MAX - 1].text[0] = 0x1b);
	REFUSED(MSG_STATUS, m.u.msg_status.log.pad = 7);
	REFUSED(MSG_QUERY, m.u.msg_query.verb = 0);
	REFUSED(MSG_QUERY, m.u.msg_query.reason = REASON_END);
	REFUSED(MSG_QUERY, m.u.msg_query.follow = 2);
	REFUSED(MSG_DROP_ROW, m.u.msg_drop_row.reason = REASON_END);
	REFUSED(MSG_DROP_ROW, m.u.msg_drop_row.has_mac = 2);
	REFUSED(MSG_SUMMARY_ROW, m.u.msg_summary_row.loss = 2);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.direction = 0);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.direction = MSG_MAIL_OUT + 1);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.seconds = 0);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.seconds = MSG_MAIL_SECONDS_MAX + 1);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.cpu_seconds = 0);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.english = 2);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.original = MSG_MAIL_ORIGINAL_COPIED + 1);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.private_use = 2);
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.sender[0] = '\r');
	REFUSED(MSG_MAIL_JOB, m.u.msg_mail_job.label[0][0] = '\n');
	REFUSED(MSG_MAIL_JOB, memset(m.u.msg_mail_job.label[MSG_MAIL_LABELS - 1], 'x', 64));
	REFUSED(MSG_MAIL_VERIFIED, m.u.msg_mail_verified.reason = MAILVERIFY_REASONS);
	REFUSED(MSG_MAIL_VERIFIED, m.u.msg_mail_verified.pad = 1);
	REFUSED(MSG_COMMITTED, m.u.msg_committed.ok = 2);
	REFUSED(MSG_END, memset(m.u.msg_end.error, 'x', sizeof(m.u.msg_end.error)));
}

/* RFC 3629: what is a character and what is not; control characters are never text. */
static void test_utf8(void)
{
	static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc1\x81", "\xe0\x80\xaf", "\xed\xa0\x80",
		"\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe3\x81",
		"a\xc3", "\x7f", "\t", "\xc2\x85", "\x01"};
	static const char *const fine[] = {"a", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbd",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "関所", ""};
	struct msg m = good(MSG_FAULT);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(m.u.msg_fault.code, 0, sizeof(m.u.msg_fault.code));
		memcpy(m.u.msg_fault.code, bad[i], strlen(bad[i]));
		CHECK(!survives(&m));
		MSG_TEXT(m.u.msg_fault.code, bad[i]);
		CHECK(survives(&m));
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		MSG_TEXT(m.u.msg_fault.code, fine[i]);
		CHECK_STR(m.u.msg_fault.code, fine[i]);
		CHECK(survives(&m));
	}
}

static void test_text(void)
{
	char b[8];

	msg_text(b, sizeof(b), "1234567890");
	CHECK_STR(b, "1234567");
	msg_text(b, sizeof(b), "関所関所"); /* three bytes each: a third one would be cut */
	CHECK_STR(b, "関所");
	msg_text(b, sizeof(b), "a\033[2J\n");
	CHECK_STR(b, "a?[2J?");
	msg_text(b, sizeof(b), "\xe3\x81");
	CHECK_STR(b, "??");
	msg_text(b, 1, "x");
	CHECK_STR(b, "");
}

/* -- On the socket --------------------------------------------------------------------------------------- */

static void send_raw(const void *p, size_t n, unsigned nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 16)];
	} c = {0};
	struct iovec iov = {(void *)(uintptr_t)p, n};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds > 0) {
		mh.msg_control = c.bytes;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		for (unsigned i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &pair[0], sizeof(int));
	}
	CHECK(sendmsg(pair[0], &mh, 0) == (ssize_t)n);
}

static void test_descriptors(void)
{
	static uint8_t buf[sizeof(struct msg_header) + sizeof(((struct msg *)0)->u) + 64];
	struct msg m = good(MSG_EXITED), got;
	size_t before = count_fds(), n = 0;

	for (size_t i = 0; i < N_KINDS; i++) {
		if (kinds[i].type == MSG_EXITED)
			n = encode(&m, &kinds[i], buf);
	}
	for (unsigned nfds = 1; nfds <= 16; nfds++) {
		send_raw(buf, n, nfds);
		CHECK_INT(msg_recv(pair[1], &got), -EPROTO);
	}
	send_raw(buf, sizeof(buf), 3); /* larger than any message */
	CHECK_INT(msg_recv(pair[1], &got), -EPROTO);
	send_raw("x", 1, 2);
	CHECK_INT(msg_recv(pair[1], &got), -EPROTO);
	CHECK_INT((long long)count_fds(), (long long)before);
	CHECK_INT(msg_recv(pair[1], &got), -EAGAIN);
	send_raw(buf, n, 0); /* the next good message is taken: the caller decides what a bad one means */
	CHECK_INT(msg_recv(pair[1], &got), 1);
	CHECK_INT(got.u.msg_exited.status, 9);
}

static void test_close_on_exec_and_full(void)
{
	struct msg_generation g = {.number = 3};
	struct msg got;
	int sent = 0, r;

	CHECK_INT(msg_send(pair[0], MSG_GENERATION, 0, &g, &pair[0], 1), 0);
	CHECK_INT(msg_recv(pair[1], &got), 1);
	CHECK_INT(fcntl(got.fds[0], F_GETFD), FD_CLOEXEC);
	msg_close_fds(&got);
	while ((r = msg_send(pair[0], MSG_BEAT, 0, &(struct msg_beat){.sequence = 1}, NULL, 0)) == 0)
		sent++;
	CHECK_INT(r, -EAGAIN);
	for (; sent > 0; sent--)
		CHECK_INT(msg_recv(pair[1], &got), 1);
}

static void test_end_of_file(void)
{
	struct msg got;

	close(pair[0]);
	CHECK_INT(msg_recv(pair[1], &got), 0);
	CHECK_INT(msg_send(pair[1], MSG_BEAT, 0, &(struct msg_beat){.sequence = 1}, NULL, 0), -EPIPE);
	close(pair[1]);
}

/*
 * Without argument: the tests. With a directory: writes a good message of each type there, as a fuzzing
 * corpus.
 */
static int write_corpus(const char *dir)
{
	static uint8_t buf[1 + sizeof(struct msg_header) + sizeof(((struct msg *)0)->u)];

	for (size_t i = 0; i < N_KINDS; i++) {
		struct msg m;
		char path[512];
		fill_good(&m, &kinds[i]);
		buf[0] = (uint8_t)kinds[i].fds_min;
		size_t n = 1 + encode(&m, &kinds[i], buf + 1);
		snprintf(path, sizeof(path), "%s/%s", dir, kinds[i].name);
		FILE *f = fopen(path, "wb");
		if (f == NULL || fwrite(buf, 1, n, f) != n || fclose(f) != 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write_corpus(argv[1]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return 1;
	test_round_trip();
	test_frames();
	test_fields();
	test_more_fields();
	test_last_fields();
	test_utf8();
	test_text();
	test_descriptors();
	test_close_on_exec_and_full();
	test_end_of_file();
	return test_end();
}
