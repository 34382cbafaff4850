/*
 * msg.c: messages between our own processes: encode and check side by side.
 *
 * Input and trust: a peer may have been taken over by what it parses. What arrives is checked against a table
 * that has, for each type, the fields that can be wrong: texts, enums, flags, counts, padding. Numbers
 * with any value are not listed. The same check runs before sending: what we send is what a peer accepts.
 *
 * Limits: the largest struct of msg.h; MSG_FDS_MAX descriptors. Failure: -EPROTO, descriptors closed.
 * Text is UTF-8 (RFC 3629) without control characters (it ends on terminals and in logs).
 */
#include <sekisho/msg.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sekisho/cut.h>
#include <sekisho/mail_reason.h>
#include <sekisho/reader.h>

/* -- What may be wrong in each message ------------------------------------------------------------------- */

enum field_kind {
	FIELD_TEXT,   /* NUL-terminated UTF-8 inside `size` bytes, zero behind */
	FIELD_RANGE,  /* uint32_t, lo..hi */
	FIELD_RANGE8, /* uint8_t, lo..hi */
	FIELD_ZERO,   /* padding */
	FIELD_GROUP,  /* `count` structs of `size` bytes, each checked by `fields` */
};

struct field {
	enum field_kind kind;
	size_t offset, size;
	uint32_t lo, hi; /* FIELD_GROUP: hi = count */
	const struct field *fields;
	size_t nfields;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MEMBER(type, m) offsetof(struct type, m), sizeof(((struct type *)NULL)->m)
#define TEXT(type, m) {FIELD_TEXT, MEMBER(type, m), 0, 0, NULL, 0}
#define RANGE(type, m, lo, hi) {FIELD_RANGE, MEMBER(type, m), (lo), (hi), NULL, 0}
#define RANGE8(type, m, lo, hi) {FIELD_RANGE8, MEMBER(type, m), (lo), (hi), NULL, 0}
#define FLAG(type, m) RANGE(type, m, 0, 1)
#define ZERO(type, m) {FIELD_ZERO, MEMBER(type, m), 0, 0, NULL, 0}
#define GROUP(type, m, item, count, list)                                                                      \
	{FIELD_GROUP, offsetof(struct type, m), sizeof(struct item), 0, (count), (list), COUNT(list)}

/* An array of texts; `list` has the text itself. */
#define TEXTS(type, m, list)                                                                                   \
	{FIELD_GROUP, offsetof(struct type, m), sizeof(((struct type *)NULL)->m[0]), 0,                         \
		sizeof(((struct type *)NULL)->m) / sizeof(((struct type *)NULL)->m[0]), (list), COUNT(list)}

/* A struct whose fields may hold anything. */
#define ANYTHING(type) {FIELD_ZERO, 0, 0, 0, 0, NULL, 0}

static const struct field msg_ready_fields[] = {ANYTHING(msg_ready)};
static const struct field msg_beat_fields[] = {ZERO(msg_beat, pad)};
static const struct field msg_spawn_fields[] = {
	RANGE(msg_spawn, what, MSG_CHILD_COMPILE, MSG_CHILD_PROVE),
	FLAG(msg_spawn, clock_untrusted),
	TEXT(msg_spawn, language),
};
static const struct field msg_exited_fields[] = {TEXT(msg_exited, name), ZERO(msg_exited, pad)};
static const struct field msg_broken_fields[] = {RANGE(msg_broken, peer, MSG_PEER_LOG, MSG_PEER_HOST)};
static const struct field msg_attach_fields[] = {ANYTHING(msg_attach)};
static const struct field msg_result_fields[] = {ANYTHING(msg_result)};
static const struct field msg_generation_fields[] = {
	TEXT(msg_generation, account),
	TEXT(msg_generation, who),
	TEXT(msg_generation, why),
	TEXT(msg_generation, approval),
};
static const struct field msg_counters_fields[] = {ANYTHING(msg_counters)};
static const struct field msg_fault_fields[] = {
	RANGE(msg_fault, severity, MSG_SEVERITY_INFO, MSG_SEVERITY_FAULT),
	ZERO(msg_fault, pad),
	TEXT(msg_fault, process),
	TEXT(msg_fault, code),
	TEXT(msg_fault, text),
};
static const struct field msg_link_fields[] = {TEXT(msg_link, name)};
static const struct field msg_links_fields[] = {
	RANGE(msg_links, n, 0, MSG_LINKS_MAX),
	ZERO(msg_links, pad),
	GROUP(msg_links, link, msg_link, MSG_LINKS_MAX, msg_link_fields),
};
static const struct field msg_client_fields[] = {
	RANGE(msg_client, rights, 0, MSG_RIGHTS),
	RANGE(msg_client, role, 0, MSG_ROLE_END - 1),
	TEXT(msg_client, account),
};
static const struct field msg_work_fields[] = {
	RANGE(msg_work, kind, MSG_WORK_LINE, MSG_WORK_REQUEST),
	RANGE(msg_work, role, 0, MSG_ROLE_END - 1),
	ZERO(msg_work, pad),
	TEXT(msg_work, account),
	TEXT(msg_work, who),
	TEXT(msg_work, text),
};
static const struct field msg_login_fields[] = {
	RANGE(msg_login, event, MSG_LOGIN_BEGIN, MSG_LOGIN_LOST),
	RANGE(msg_login, role, 0, MSG_ROLE_END - 1),
	ZERO(msg_login, pad),
	TEXT(msg_login, account),
	TEXT(msg_login, terminal),
};
static const struct field msg_log_status_fields[] = {
	FLAG(msg_log_status, writable),
	ZERO(msg_log_status, pad),
};
static const struct field msg_queues_fields[] = {ANYTHING(msg_queues)};
static const struct field msg_enforced_fields[] = {ZERO(msg_enforced, pad)};
/* What a verdict may say is checked by who takes it: only he knows, and only the first n matter. */
static const struct field msg_verdicts_fields[] = {
	RANGE(msg_verdicts, n, 1, MSG_VERDICTS_MAX),
	ZERO(msg_verdicts, pad),
};
static const struct field msg_pinhole_fields[] = {ZERO(msg_pinhole, pad)};
static const struct field msg_inspect_status_fields[] = {ZERO(msg_inspect_status, pad)};
static const struct field msg_inspector_fields[] = {
	RANGE(msg_inspector, state, MSG_INSPECTOR_AWAY, MSG_INSPECTOR_WELL),
	ZERO(msg_inspector, pad),
	GROUP(msg_inspector, status, msg_inspect_status, 1, msg_inspect_status_fields),
};
static const struct field msg_mail_address_fields[] = {
	RANGE8(msg_mail_address, direction, 0, MSG_MAIL_OUT),
	RANGE8(msg_mail_address, transparent, 0, 1),
	ZERO(msg_mail_address, pad),
	ZERO(msg_mail_address, pad2),
};
#define MAIL_ADDRESSES(type, m, n) GROUP(type, m, msg_mail_address, n, msg_mail_address_fields)
static const struct field msg_mail_listen_fields[] = {
	RANGE(msg_mail_listen, n, 0, MSG_MAIL_LISTENERS_MAX),
	ZERO(msg_mail_listen, pad),
	MAIL_ADDRESSES(msg_mail_listen, address, MSG_MAIL_LISTENERS_MAX),
};
static const struct field msg_mail_listener_fields[] = {
	RANGE(msg_mail_listener, index, 0, MSG_MAIL_LISTENERS_MAX - 1),
	RANGE(msg_mail_listener, n, 0, MSG_MAIL_LISTENERS_MAX),
	ZERO(msg_mail_listener, pad),
	MAIL_ADDRESSES(msg_mail_listener, address, 1),
};
static const struct field msg_mail_hops_fields[] = {
	RANGE(msg_mail_hops, n, 0, MSG_MAIL_HOPS_MAX),
	ZERO(msg_mail_hops, pad),
	MAIL_ADDRESSES(msg_mail_hops, hop, MSG_MAIL_HOPS_MAX),
};
static const struct field msg_mail_connect_fields[] = {
	ZERO(msg_mail_connect, pad),
	MAIL_ADDRESSES(msg_mail_connect, hop, 1),
};
static const struct field msg_mail_connected_fields[] = {ZERO(msg_mail_connected, pad)};
static const struct field msg_mail_command_fields[] = {
	RANGE(msg_mail_command, what, MSG_MAIL_RESUME, MSG_MAIL_STOP),
	RANGE(msg_mail_command, direction, MSG_MAIL_IN, MSG_MAIL_OUT),
	TEXT(msg_mail_command, who),
	TEXT(msg_mail_command, sender),
};
static const struct field msg_mail_way_fields[] = {
	FLAG(msg_mail_way, configured),
	RANGE(msg_mail_way, flood, MSG_MAIL_CALM, MSG_MAIL_STOPPED),
};
static const struct field msg_mail_status_fields[] = {
	GROUP(msg_mail_status, way, msg_mail_way, 2, msg_mail_way_fields),
};
static const struct field msg_mail_entry_fields[] = {
	RANGE(msg_mail_entry, direction, MSG_MAIL_IN, MSG_MAIL_OUT),
	RANGE(msg_mail_entry, verdict, MSG_MAIL_PASS, MSG_MAIL_DEFERRED),
	RANGE(msg_mail_entry, reason, 0, MAIL_REASON_END - 1),
	ZERO(msg_mail_entry, pad),
	TEXT(msg_mail_entry, receipt),
	TEXT(msg_mail_entry, client),
	TEXT(msg_mail_entry, helo),
	TEXT(msg_mail_entry, sender),
	TEXT(msg_mail_entry, recipients),
	TEXT(msg_mail_entry, detail),
	TEXT(msg_mail_entry, meant),
	TEXT(msg_mail_entry, tls),
};
static const struct field msg_mail_stored_fields[] = {FLAG(msg_mail_stored, ok), ZERO(msg_mail_stored, pad)};
static const struct field msg_mail_outcome_fields[] = {
	RANGE(msg_mail_outcome, result, MSG_MAIL_DELIVERED, MSG_MAIL_UNKNOWN),
	TEXT(msg_mail_outcome, server),
	TEXT(msg_mail_outcome, text),
	TEXT(msg_mail_outcome, tls),
};
static const struct field msg_mail_ask_fields[] = {
	RANGE(msg_mail_ask, direction, MSG_MAIL_IN, MSG_MAIL_OUT),
	ZERO(msg_mail_ask, pad),
	TEXT(msg_mail_ask, receipt),
};
static const struct field msg_mail_approval_fields[] = {
	FLAG(msg_mail_approval, approved),
	ZERO(msg_mail_approval, pad),
	TEXT(msg_mail_approval, who),
};
static const struct field msg_mail_query_fields[] = {
	RANGE(msg_mail_query, direction, 0, MSG_MAIL_OUT),
	RANGE(msg_mail_query, verdict, 0, MSG_MAIL_DEFERRED),
	FLAG(msg_mail_query, verify),
	TEXT(msg_mail_query, receipt),
	TEXT(msg_mail_query, sender),
	TEXT(msg_mail_query, recipient),
};
static const struct field msg_mail_row_fields[] = {
	RANGE(msg_mail_row, direction, MSG_MAIL_IN, MSG_MAIL_OUT),
	RANGE(msg_mail_row, verdict, MSG_MAIL_PASS, MSG_MAIL_DEFERRED),
	RANGE(msg_mail_row, reason, 0, MAIL_REASON_END - 1),
	ZERO(msg_mail_row, pad),
	TEXT(msg_mail_row, receipt),
	TEXT(msg_mail_row, client),
	TEXT(msg_mail_row, helo),
	TEXT(msg_mail_row, sender),
	TEXT(msg_mail_row, recipients),
	TEXT(msg_mail_row, detail),
	TEXT(msg_mail_row, meant),
	RANGE(msg_mail_row, result, 0, MSG_MAIL_UNKNOWN),
	TEXT(msg_mail_row, server),
	TEXT(msg_mail_row, text),
	TEXT(msg_mail_row, tls),
	TEXT(msg_mail_row, server_tls),
};
static const struct field msg_mail_approve_fields[] = {TEXT(msg_mail_approve, receipt), TEXT(msg_mail_approve, who)};
static const struct field msg_alarm_to_fields[] = {
	{FIELD_TEXT, 0, sizeof(((struct msg_alarm_settings *)NULL)->to[0]), 0, 0, NULL, 0}};
static const struct field msg_alarm_settings_fields[] = {
	FLAG(msg_alarm_settings, know_numbers),
	RANGE(msg_alarm_settings, nto, 0, LIMIT_ALARM_TO),
	RANGE(msg_alarm_settings, nhops, 0, MSG_ALARM_HOPS_MAX),
	FLAG(msg_alarm_settings, english),
	FLAG(msg_alarm_settings, clock_trusted),
	ZERO(msg_alarm_settings, pad),
	TEXT(msg_alarm_settings, hostname),
	TEXTS(msg_alarm_settings, to, msg_alarm_to_fields),
	MAIL_ADDRESSES(msg_alarm_settings, hop, MSG_ALARM_HOPS_MAX),
};
static const struct field msg_alarm_event_fields[] = {
	RANGE(msg_alarm_event, kind, MSG_ALARM_BEGAN, MSG_ALARM_TEST),
	RANGE(msg_alarm_event, health, MSG_OK, MSG_ABNORMAL),
	TEXT(msg_alarm_event, code),
	TEXT(msg_alarm_event, text),
};
static const struct field msg_alarm_finding_fields[] = {
	RANGE(msg_alarm_finding, health, MSG_OK, MSG_ABNORMAL),
	TEXT(msg_alarm_finding, code),
	TEXT(msg_alarm_finding, text),
};
static const struct field msg_alarm_health_fields[] = {
	RANGE(msg_alarm_health, health, MSG_OK, MSG_ABNORMAL),
	FLAG(msg_alarm_health, gate_open),
	RANGE(msg_alarm_health, nfindings, 0, MSG_FINDINGS_MAX),
	GROUP(msg_alarm_health, finding, msg_alarm_finding, MSG_FINDINGS_MAX, msg_alarm_finding_fields),
};
static const struct field msg_alarm_report_fields[] = {FLAG(msg_alarm_report, late), ZERO(msg_alarm_report, pad)};
static const struct field msg_alarm_status_fields[] = {
	FLAG(msg_alarm_status, know_numbers),
	RANGE(msg_alarm_status, state, MSG_ALARM_AWAY, MSG_ALARM_FAILING),
	TEXT(msg_alarm_status, error),
};
static const struct field msg_alarm_hops_fields[] = {
	RANGE(msg_alarm_hops, n, 0, MSG_ALARM_HOPS_MAX),
	ZERO(msg_alarm_hops, pad),
	MAIL_ADDRESSES(msg_alarm_hops, hop, MSG_ALARM_HOPS_MAX),
};
static const struct field msg_alarm_ask_fields[] = {
	RANGE(msg_alarm_ask, what, MSG_ALARM_ASK_NEWS, MSG_ALARM_ASK_DIGEST),
	FLAG(msg_alarm_ask, know_numbers),
};
static const struct field msg_alarm_news_fields[] = {
	RANGE(msg_alarm_news, kind, MSG_ALARM_NOTICE, MSG_ALARM_WARNED),
	ZERO(msg_alarm_news, pad),
	TEXT(msg_alarm_news, receipt),
	TEXT(msg_alarm_news, sender),
	TEXT(msg_alarm_news, code),
	TEXT(msg_alarm_news, text),
};
static const struct field msg_alarm_done_fields[] = {FLAG(msg_alarm_done, ok), FLAG(msg_alarm_done, more)};
static const struct field msg_alarm_drops_fields[] = {
	RANGE(msg_alarm_drops, reason, 0, REASON_END - 1),
	ZERO(msg_alarm_drops, pad),
	TEXT(msg_alarm_drops, from),
	TEXT(msg_alarm_drops, to),
};
static const struct field msg_host_client_fields[] = {
	RANGE(msg_host_client, role, MSG_ROLE_VIEWER, MSG_ROLE_END - 1),
	RANGE(msg_host_client, verb, 1, MSG_VERB_END - 1),
	ZERO(msg_host_client, pad),
};
static const struct field msg_host_ask_fields[] = {
	RANGE(msg_host_ask, what, MSG_HOST_LIST, MSG_HOST_WHAT_END - 1),
	RANGE(msg_host_ask, role, 0, MSG_ROLE_END - 1),
	TEXT(msg_host_ask, name),
	TEXT(msg_host_ask, label),
	TEXT(msg_host_ask, secret),
	TEXT(msg_host_ask, fresh),
	TEXT(msg_host_ask, language),
};
static const struct field msg_host_account_fields[] = {
	RANGE(msg_host_account, role, MSG_ROLE_VIEWER, MSG_ROLE_END - 1),
	FLAG(msg_host_account, enabled),
	FLAG(msg_host_account, must_change),
	TEXT(msg_host_account, name),
	TEXT(msg_host_account, label),
};
static const struct field msg_host_told_fields[] = {
	FLAG(msg_host_told, ok),
	ZERO(msg_host_told, pad),
	TEXT(msg_host_told, error),
	TEXT(msg_host_told, secret),
};
static const struct field msg_alarm_faults_fields[] = {
	RANGE(msg_alarm_faults, severity, MSG_SEVERITY_INFO, MSG_SEVERITY_FAULT),
	ZERO(msg_alarm_faults, pad),
	TEXT(msg_alarm_faults, process),
	TEXT(msg_alarm_faults, code),
};
static const struct field msg_alarm_commit_fields[] = {
	ZERO(msg_alarm_commit, pad),
	TEXT(msg_alarm_commit, who),
	TEXT(msg_alarm_commit, why),
};
static const struct field msg_alarm_digest_fields[] = {
	FLAG(msg_alarm_digest, ok),
	RANGE(msg_alarm_digest, ndrops, 0, MSG_ALARM_DROPS_MAX),
	RANGE(msg_alarm_digest, nfaults, 0, MSG_ALARM_FAULTS_MAX),
	RANGE(msg_alarm_digest, ncommits, 0, MSG_ALARM_COMMITS_MAX),
	GROUP(msg_alarm_digest, drop, msg_alarm_drops, MSG_ALARM_DROPS_MAX, msg_alarm_drops_fields),
	GROUP(msg_alarm_digest, fault, msg_alarm_faults, MSG_ALARM_FAULTS_MAX, msg_alarm_faults_fields),
	GROUP(msg_alarm_digest, commit, msg_alarm_commit, MSG_ALARM_COMMITS_MAX, msg_alarm_commit_fields),
};
static const struct field msg_request_object_fields[] = {
	{FIELD_TEXT, 0, sizeof(((struct msg_request *)NULL)->object[0]), 0, 0, NULL, 0}};
static const struct field msg_request_fields[] = {
	RANGE(msg_request, verb, 1, MSG_VERB_END - 1), /* one that nobody has is answered by who is asked */
	ZERO(msg_request, pad),
	TEXT(msg_request, who),
	TEXT(msg_request, why),
	TEXT(msg_request, approval),
	TEXT(msg_request, language),
	ZERO(msg_request, pad2),
	TEXTS(msg_request, object, msg_request_object_fields),
};
static const struct field msg_refused_fields[] = {
	RANGE(msg_refused, role, 0, MSG_ROLE_END - 1),
	TEXT(msg_refused, account),
};
static const struct field msg_session_of_fields[] = {
	RANGE(msg_session_of, role, 0, MSG_ROLE_END - 1),
	TEXT(msg_session_of, account),
	TEXT(msg_session_of, terminal),
};
static const struct field msg_session_fields[] = {
	GROUP(msg_session, me, msg_session_of, 1, msg_session_of_fields),
	TEXT(msg_session, last_terminal),
};
static const struct field msg_sessions_fields[] = {
	RANGE(msg_sessions, n, 0, MSG_SESSIONS_MAX),
	ZERO(msg_sessions, pad),
	GROUP(msg_sessions, session, msg_session_of, MSG_SESSIONS_MAX, msg_session_of_fields),
};
static const struct field msg_command_fields[] = {ZERO(msg_command, pad), TEXT(msg_command, text)};
static const struct field msg_past_fields[] = {
	ZERO(msg_past, pad),
	TEXT(msg_past, who),
	TEXT(msg_past, why),
	TEXT(msg_past, approval),
	TEXT(msg_past, account),
};
static const struct field msg_history_fields[] = {
	RANGE(msg_history, n, 0, MSG_HISTORY_MAX),
	FLAG(msg_history, more),
	GROUP(msg_history, past, msg_past, MSG_HISTORY_MAX, msg_past_fields),
};
static const struct field msg_candidate_of_fields[] = {TEXT(msg_candidate_of, account)};
static const struct field msg_candidate_fields[] = {
	FLAG(msg_candidate, there),
	ZERO(msg_candidate, pad),
	GROUP(msg_candidate, it, msg_candidate_of, 1, msg_candidate_of_fields),
	TEXT(msg_candidate, error),
};
static const struct field msg_candidates_fields[] = {
	RANGE(msg_candidates, n, 0, MSG_CANDIDATES_MAX),
	GROUP(msg_candidates, candidate, msg_candidate_of, MSG_CANDIDATES_MAX, msg_candidate_of_fields),
};
static const struct field msg_acted_fields[] = {
	FLAG(msg_acted, ok),
	FLAG(msg_acted, drill),
	TEXT(msg_acted, code),
	TEXT(msg_acted, object),
	TEXT(msg_acted, error),
};
static const struct field msg_cuts_fields[] = {RANGE(msg_cuts, n, 0, CUT_MAX), RANGE(msg_cuts, level, 0, LEVEL_END - 1)};
static const struct field msg_evidence_fields[] = {ZERO(msg_evidence, pad)};
static const struct field msg_evidence_done_fields[] = {FLAG(msg_evidence_done, ok), TEXT(msg_evidence_done, error)};
static const struct field msg_hold_fields[] = {ANYTHING(msg_hold)};
static const struct field msg_finding_fields[] = {
	RANGE(msg_finding, health, MSG_OK, MSG_ABNORMAL),
	TEXT(msg_finding, code),
	TEXT(msg_finding, text),
};
static const struct field msg_status_fields[] = {
	RANGE(msg_status, health, MSG_OK, MSG_ABNORMAL),
	FLAG(msg_status, gate_open),
	FLAG(msg_status, clock_trusted),
	RANGE(msg_status, nfindings, 0, MSG_FINDINGS_MAX),
	GROUP(msg_status, findings, msg_finding, MSG_FINDINGS_MAX, msg_finding_fields),
	GROUP(msg_status, log, msg_log_status, 1, msg_log_status_fields),
	TEXT(msg_status, hostname),
	TEXT(msg_status, timezone),
	GROUP(msg_status, inspector, msg_inspector, 1, msg_inspector_fields),
	GROUP(msg_status, alarm, msg_alarm_status, 1, msg_alarm_status_fields),
	RANGE(msg_status, level, 0, LEVEL_END - 1),
	RANGE(msg_status, ncuts, 0, CUT_MAX),
};
static const struct field msg_committed_fields[] = {
	FLAG(msg_committed, ok),
	ZERO(msg_committed, pad),
	TEXT(msg_committed, error),
};
static const struct field msg_opened_fields[] = {FLAG(msg_opened, ok), TEXT(msg_opened, error)};
static const struct field msg_query_fields[] = {
	RANGE(msg_query, verb, MSG_LOG_DROPS, MSG_LOG_RECORDS),
	TEXT(msg_query, from),
	TEXT(msg_query, to),
	TEXT(msg_query, src),
	TEXT(msg_query, dst),
	RANGE(msg_query, reason, 0, REASON_END - 1),
	FLAG(msg_query, follow),
	FLAG(msg_query, all),
	TEXT(msg_query, who),
	RANGE(msg_query, kind, 0, MSG_RECORD_KINDS - 1),
};
static const struct field msg_drop_row_fields[] = {
	TEXT(msg_drop_row, boot_id),
	TEXT(msg_drop_row, from),
	TEXT(msg_drop_row, to),
	TEXT(msg_drop_row, iface),
	TEXT(msg_drop_row, out_iface),
	RANGE8(msg_drop_row, has_mac, 0, 1),
	RANGE(msg_drop_row, reason, 0, REASON_END - 1),
	TEXT(msg_drop_row, rule),
	TEXT(msg_drop_row, host_src),
	TEXT(msg_drop_row, host_dst),
	RANGE(msg_drop_row, loss, MSG_LOSS_NONE, MSG_LOSS_FOUND),
	RANGE8(msg_drop_row, src_len, 0, 128),
	RANGE8(msg_drop_row, dst_len, 0, 128),
	RANGE8(msg_drop_row, open, 0, 1),
	ZERO(msg_drop_row, pad),
};
static const struct field msg_fault_row_fields[] = {
	RANGE(msg_fault_row, severity, MSG_SEVERITY_INFO, MSG_SEVERITY_FAULT),
	ZERO(msg_fault_row, pad),
	TEXT(msg_fault_row, process),
	TEXT(msg_fault_row, code),
	TEXT(msg_fault_row, text),
};
static const struct field msg_commit_row_fields[] = {
	TEXT(msg_commit_row, account),
	TEXT(msg_commit_row, who),
	TEXT(msg_commit_row, why),
	TEXT(msg_commit_row, approval),
};
static const struct field msg_command_row_fields[] = {
	GROUP(msg_command_row, it, msg_work, 1, msg_work_fields),
};
static const struct field msg_login_row_fields[] = {GROUP(msg_login_row, it, msg_login, 1, msg_login_fields)};
static const struct field msg_record_fields[] = {
	RANGE(msg_record, kind, MSG_RECORD_INCIDENT, MSG_RECORD_KINDS - 1),
	RANGE(msg_record, what, MSG_RECORD_NEW, MSG_RECORD_CLOSE),
	ZERO(msg_record, pad),
	TEXT(msg_record, who),
	TEXT(msg_record, title),
	TEXT(msg_record, cause),
	TEXT(msg_record, action),
	TEXT(msg_record, prevention),
	TEXT(msg_record, note),
};
static const struct field msg_record_row_fields[] = {
	RANGE(msg_record_row, role, 0, MSG_ROLE_END - 1),
	TEXT(msg_record_row, account),
	GROUP(msg_record_row, it, msg_record, 1, msg_record_fields),
};
static const struct field msg_summary_row_fields[] = {
	RANGE(msg_summary_row, reason, 0, REASON_END - 1),
	FLAG(msg_summary_row, loss),
	TEXT(msg_summary_row, from),
	TEXT(msg_summary_row, to),
};
static const struct field msg_mail_label_fields[] = {
	{FIELD_TEXT, 0, sizeof(((struct msg_mail_job *)NULL)->label[0]), 0, 0, NULL, 0}};
static const struct field msg_mail_job_fields[] = {
	RANGE(msg_mail_job, direction, MSG_MAIL_IN, MSG_MAIL_OUT),
	RANGE(msg_mail_job, seconds, 1, MSG_MAIL_SECONDS_MAX),
	RANGE(msg_mail_job, cpu_seconds, 1, MSG_MAIL_SECONDS_MAX),
	FLAG(msg_mail_job, english),
	RANGE(msg_mail_job, original, MSG_MAIL_ORIGINAL_NONE, MSG_MAIL_ORIGINAL_COPIED),
	FLAG(msg_mail_job, private_use),
	ZERO(msg_mail_job, pad),
	TEXT(msg_mail_job, hostname),
	TEXT(msg_mail_job, trace),
	TEXT(msg_mail_job, authserv),
	TEXT(msg_mail_job, sender),
	TEXTS(msg_mail_job, label, msg_mail_label_fields),
};
static const struct field msg_mail_result_fields[] = {ANYTHING(msg_mail_result)};
static const struct field msg_mail_verified_fields[] = {
	RANGE(msg_mail_verified, reason, MAILVERIFY_OK, MAILVERIFY_REASONS - 1),
	ZERO(msg_mail_verified, pad),
};
static const struct field msg_mail_busy_fields[] = {ANYTHING(msg_mail_busy)};
static const struct field msg_watched_fields[] = {FLAG(msg_watched, ok), TEXT(msg_watched, error)};
static const struct field msg_watch_query_fields[] = {
	RANGE(msg_watch_query, verb, MSG_WATCH_ADMISSIONS, MSG_WATCH_VERIFY),
	TEXT(msg_watch_query, from),
	TEXT(msg_watch_query, to),
	TEXT(msg_watch_query, rule),
	TEXT(msg_watch_query, src),
	TEXT(msg_watch_query, dst),
	ZERO(msg_watch_query, pad),
};
static const struct field msg_admission_row_fields[] = {
	TEXT(msg_admission_row, rule),
	TEXT(msg_admission_row, from),
	TEXT(msg_admission_row, to),
	TEXT(msg_admission_row, host_src),
	TEXT(msg_admission_row, host_dst),
	RANGE8(msg_admission_row, src_len, 0, 128),
	RANGE8(msg_admission_row, dst_len, 0, 128),
	ZERO(msg_admission_row, pad),
	ZERO(msg_admission_row, pad2),
};
static const struct field msg_rule_row_fields[] = {TEXT(msg_rule_row, rule)};
static const struct field msg_alarm_fields[] = {
	RANGE(msg_alarm, kind, 0, MSG_ALARM_UNKNOWN_MAC),
	ZERO(msg_alarm, pad),
	TEXT(msg_alarm, source),
	TEXT(msg_alarm, segment),
	TEXT(msg_alarm, to),
};
static const struct field msg_alarms_fields[] = {
	RANGE(msg_alarms, n, 0, MSG_ALARMS_MAX),
	ZERO(msg_alarms, pad),
	GROUP(msg_alarms, alarm, msg_alarm, MSG_ALARMS_MAX, msg_alarm_fields),
};
static const struct field msg_tls_job_fields[] = {
	RANGE(msg_tls_job, role, MSG_TLS_SERVER, MSG_TLS_CLIENT),
	RANGE(msg_tls_job, level, 0, TLS_LEVELS - 1),
	RANGE(msg_tls_job, seconds, 1, MSG_TLS_SECONDS_MAX),
	RANGE(msg_tls_job, npins, 0, TLS_PINS_MAX),
	TEXT(msg_tls_job, certificate),
	TEXT(msg_tls_job, name),
	TEXT(msg_tls_job, authority),
};
static const struct field msg_tls_done_fields[] = {
	RANGE(msg_tls_done, why, 0, TLS_WHYS_END - 1),
	RANGE(msg_tls_done, trust, 0, TLS_TRUSTS_END - 1),
	TEXT(msg_tls_done, version),
	TEXT(msg_tls_done, cipher),
	TEXT(msg_tls_done, peer),
};
static const struct field msg_tls_grant_fields[] = {ANYTHING(msg_tls_grant)};
static const struct field msg_tls_sign_fields[] = {RANGE(msg_tls_sign, n, 1, MSG_TLS_SIGN_MAX)};
static const struct field msg_tls_signed_fields[] = {
	RANGE(msg_tls_signed, n, 0, MSG_TLS_SIGNED_MAX),
	ZERO(msg_tls_signed, pad),
};
static const struct field msg_tls_name_fields[] = {
	TEXT(msg_tls_name, name),
	FLAG(msg_tls_name, keyed),
	ZERO(msg_tls_name, pad),
};
static const struct field msg_tls_want_fields[] = {
	RANGE(msg_tls_want, n, 0, TLS_NAMES_MAX),
	ZERO(msg_tls_want, pad),
	GROUP(msg_tls_want, name, msg_tls_name, TLS_NAMES_MAX, msg_tls_name_fields),
};
static const struct field msg_tls_file_fields[] = {
	RANGE(msg_tls_file, index, 0, TLS_NAMES_MAX - 1),
	RANGE(msg_tls_file, n, 0, TLS_NAMES_MAX),
	FLAG(msg_tls_file, keyed),
	RANGE(msg_tls_file, state, TLS_FILE_GOOD, TLS_FILE_UNREADABLE),
	TEXT(msg_tls_file, name),
};
static const struct field msg_tls_key_fields[] = {TEXT(msg_tls_key, name)};
static const struct field msg_tls_certificate_fields[] = {
	TEXT(msg_tls_certificate, name),
	FLAG(msg_tls_certificate, keyed),
	RANGE(msg_tls_certificate, state, 0, TLS_FILES_END - 1),
	FLAG(msg_tls_certificate, in_use),
	ZERO(msg_tls_certificate, pad),
	TEXT(msg_tls_certificate, subject),
	TEXT(msg_tls_certificate, names),
};
static const struct field msg_tls_status_fields[] = {
	RANGE(msg_tls_status, n, 0, TLS_NAMES_MAX),
	GROUP(msg_tls_status, certificate, msg_tls_certificate, TLS_NAMES_MAX, msg_tls_certificate_fields),
};
static const struct field msg_end_fields[] = {FLAG(msg_end, ok), FLAG(msg_end, more), TEXT(msg_end, error)};

struct message {
	enum msg_type type;
	size_t size;
	unsigned fds_min, fds_max;
	const struct field *fields;
	size_t nfields;
};

static const struct message messages[] = {
#define X(NAME, type, value, fds_min, fds_max)                                                                 \
	{MSG_##NAME, sizeof(struct type), fds_min, fds_max, type##_fields, COUNT(type##_fields)},
	MESSAGES(X)
#undef X
};

static const struct message *find_message(unsigned type)
{
	for (size_t i = 0; i < COUNT(messages); i++) {
		if ((unsigned)messages[i].type == type)
			return &messages[i];
	}
	return NULL;
}

/* -- Text ------------------------------------------------------------------------------------------------ */

/*
 * Length of the character at p (n > 0 bytes left), or 0 when it is malformed or a control character
 * (C0, DEL, C1). RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
static size_t character(const uint8_t *p, size_t n)
{
	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	bool out_of_range = (p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) ||
		(p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f);
	return out_of_range ? 0 : len;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

static bool text_is_good(const uint8_t *p, size_t size)
{
	size_t i = 0;

	while (i < size && p[i] != 0) {
		size_t len = character(p + i, size - i);
		if (len == 0)
			return false;
		i += len;
	}
	return i < size && all_zero(p + i, size - i);
}

void msg_text(char *dst, size_t size, const char *src)
{
	const uint8_t *p = (const uint8_t *)src;
	size_t left = strlen(src), used = 0;

	memset(dst, 0, size);
	while (left > 0) {
		size_t len = character(p, left);
		if (used + (len ? len : 1) >= size)
			break;
		if (len == 0)
			dst[used] = '?';
		else
			memcpy(dst + used, p, len);
		used += len ? len : 1;
		p += len ? len : 1;
		left -= len ? len : 1;
	}
}

/* -- Checking -------------------------------------------------------------------------------------------- */

static bool fields_are_good(const uint8_t *body, const struct field *fields, size_t n);

static bool field_is_good(const uint8_t *body, const struct field *f)
{
	const uint8_t *p = body + f->offset;
	uint32_t v;

	switch (f->kind) {
	case FIELD_TEXT:
		return text_is_good(p, f->size);
	case FIELD_ZERO:
		return all_zero(p, f->size);
	case FIELD_RANGE8:
		return *p >= f->lo && *p <= f->hi;
	case FIELD_RANGE:
		memcpy(&v, p, sizeof(v));
		return v >= f->lo && v <= f->hi;
	case FIELD_GROUP:
		for (uint32_t i = 0; i < f->hi; i++) {
			if (!fields_are_good(p + i * f->size, f->fields, f->nfields))
				return false;
		}
		return true;
	}
	return false;
}

static bool fields_are_good(const uint8_t *body, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!field_is_good(body, &fields[i]))
			return false;
	}
	return true;
}

/* The message, when the n bytes of its body are good; fills all of ret but the body. */
static const struct message *check(const struct msg_header *h, const void *body, size_t n, unsigned nfds, struct msg *ret)
{
	if (h->magic != MSG_MAGIC || h->version != MSG_VERSION)
		return NULL;
	const struct message *m = find_message(h->type);
	if (m == NULL || h->size != m->size || n != m->size || nfds < m->fds_min || nfds > m->fds_max ||
		!fields_are_good(body, m->fields, m->nfields))
		return NULL;
	ret->nfds = 0;
	ret->type = m->type;
	ret->tag = h->tag;
	for (unsigned i = 0; i < MSG_FDS_MAX; i++)
		ret->fds[i] = -1;
	return m;
}

bool msg_decode(const void *p, size_t n, unsigned nfds, struct msg *ret)
{
	struct reader r = reader_init(p, n);
	struct msg_header h;

	reader_copy(&r, &h, sizeof(h));
	size_t left = reader_left(&r);
	const uint8_t *body = reader_bytes(&r, left);
	const struct message *m = r.bad ? NULL : check(&h, body, left, nfds, ret);
	/* Not all of the union: the largest message is ten times the usual one. */
	if (m != NULL)
		memcpy(&ret->u, body, m->size);
	return m != NULL;
}

/* -- Sending and receiving ------------------------------------------------------------------------------- */

/*
 * Room for more descriptors than allowed: a sender of too many is recognised by count, not by luck. An even number: the
 * kernel fills what the alignment leaves.
 */
#define CONTROL_FDS (MSG_FDS_MAX + 2)
_Static_assert(CONTROL_FDS % 2 == 0, "descriptors would be lost in the padding");
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * CONTROL_FDS)];
};

static void attach_fds(struct msghdr *mh, union control *c, const int *fds, unsigned nfds)
{
	if (nfds == 0)
		return;
	memset(c, 0, sizeof(*c));
	mh->msg_control = c->bytes;
	mh->msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	struct cmsghdr *cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	memcpy(CMSG_DATA(cm), fds, sizeof(int) * nfds);
}

int msg_send(int fd, enum msg_type type, uint32_t tag, const void *body, const int *fds, unsigned nfds)
{
	const struct message *m = find_message(type);

	if (m == NULL || nfds < m->fds_min || nfds > m->fds_max ||
		!fields_are_good(body, m->fields, m->nfields))
		return -EINVAL;
	struct msg_header h = {MSG_MAGIC, MSG_VERSION, (uint16_t)type, (uint32_t)m->size, tag};
	struct iovec iov[2] = {{&h, sizeof(h)}, {(void *)(uintptr_t)body, m->size}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2};
	union control c;
	ssize_t n;

	attach_fds(&mh, &c, fds, nfds);
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Takes the descriptors out of a received header; *ret_bad when there is anything else or too much. */
static unsigned take_fds(struct msghdr *mh, int *fds, bool *ret_bad)
{
	unsigned n = 0;

	*ret_bad = (mh->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS) {
			*ret_bad = true;
			continue;
		}
		unsigned count = (unsigned)((cm->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (unsigned i = 0; i < count && n < CONTROL_FDS; i++, n++)
			memcpy(&fds[n], CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
	}
	return n;
}

void msg_close_fd(int fd)
{
	static const struct linger none;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

static void close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		msg_close_fd(fds[i]);
}

int msg_recv(int fd, struct msg *ret)
{
	struct msg_header h;
	union control c;
	/* Straight to its place: a buffer for the largest message would cost its pages each time. */
	struct iovec iov[2] = {{&h, sizeof(h)}, {&ret->u, sizeof(ret->u)}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = c.bytes, .msg_controllen = sizeof(c.bytes)};
	int fds[CONTROL_FDS];
	bool bad;
	ssize_t n;

	do
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	unsigned nfds = take_fds(&mh, fds, &bad);
	if (n == 0 && nfds == 0 && !bad)
		return 0;
	if (bad || (size_t)n < sizeof(h) || check(&h, &ret->u, (size_t)n - sizeof(h), nfds, ret) == NULL) {
		close_all(fds, nfds);
		return -EPROTO;
	}
	ret->nfds = nfds;
	memcpy(ret->fds, fds, sizeof(int) * nfds);
	return 1;
}

void msg_close_fds(struct msg *m)
{
	for (unsigned i = 0; i < MSG_FDS_MAX; i++) {
		if (m->fds[i] >= 0)
			msg_close_fd(m->fds[i]);
		m->fds[i] = -1;
	}
	m->nfds = 0;
}
