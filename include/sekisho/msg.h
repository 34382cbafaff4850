/*
 * msg.h: what our own processes say to each other.
 *
 * SOCK_SEQPACKET socketpairs (and the control socket); one message a datagram: a header, then a struct of fixed
 * size for its type; up to MSG_FDS_MAX descriptors beside it. A message of a wrong size, version or type, with
 * an unterminated string, an unknown enum value or unexpected descriptors is malformed, and a malformed message
 * ends the peer: nothing is repaired. Strings are UTF-8 without control characters, NUL-terminated inside their
 * arrays and zero behind: begin with a zeroed struct and fill texts with MSG_TEXT; msg_send() refuses else.
 *
 * The structs are in msg_daemon.h, msg_mail.h, msg_control.h and msg_log.h, by who speaks.
 *
 * To add a message: its struct, its row in MESSAGES, in src/proc/msg.c the table of its fields that may be wrong, and
 * the fuzzing corpus anew (also after a change of a struct): BUILD/tests/unit/proc/test_msg tests/fuzz/corpus/msg
 */
#ifndef SEKISHO_MSG_H
#define SEKISHO_MSG_H

#include <sekisho/msg_control.h>
#include <sekisho/msg_daemon.h>
#include <sekisho/msg_log.h>
#include <sekisho/msg_mail.h>

struct msg_header {
	uint32_t magic; /* MSG_MAGIC */
	uint16_t version;
	uint16_t type; /* enum msg_type */
	uint32_t size; /* of the struct behind */
	uint32_t tag;  /* chosen by the asker, repeated in the answer */
};
#define MSG_MAGIC 0x474d4b53u /* "SKMG" */

/* name, struct, value on the wire, descriptors allowed (min, max) */
#define MESSAGES(X)                                                                                            \
	X(READY, msg_ready, 1, 0, 0)                                                                            \
	X(BEAT, msg_beat, 2, 0, 0)                                                                              \
	X(SPAWN, msg_spawn, 3, 2, 3)                                                                            \
	X(EXITED, msg_exited, 4, 0, 0)                                                                          \
	X(RESULT, msg_result, 5, 1, 2)                                                                          \
	X(BROKEN, msg_broken, 6, 0, 0)                                                                          \
	X(ATTACH, msg_attach, 7, 1, 1)                                                                          \
	X(GENERATION, msg_generation, 10, 1, 1)                                                                 \
	X(COUNTERS, msg_counters, 11, 0, 0)                                                                     \
	X(FAULT, msg_fault, 12, 0, 0)                                                                           \
	X(CLIENT, msg_client, 13, 1, 1)                                                                         \
	X(LINKS, msg_links, 15, 0, 0)                                                                           \
	X(LOG_STATUS, msg_log_status, 14, 0, 0)                                                                 \
	X(REQUEST, msg_request, 20, 0, 1)                                                                       \
	X(STATUS, msg_status, 21, 0, 0)                                                                         \
	X(COMMITTED, msg_committed, 22, 0, 1)                                                                   \
	X(OPENED, msg_opened, 23, 0, 1)                                                                         \
	X(QUERY, msg_query, 30, 0, 0)                                                                           \
	X(DROP_ROW, msg_drop_row, 31, 0, 0)                                                                     \
	X(FAULT_ROW, msg_fault_row, 32, 0, 0)                                                                   \
	X(COMMIT_ROW, msg_commit_row, 33, 0, 0)                                                                 \
	X(SUMMARY_ROW, msg_summary_row, 34, 0, 0)                                                               \
	X(END, msg_end, 35, 0, 0)                                                                               \
	X(QUEUES, msg_queues, 40, LIMIT_SEGMENTS, LIMIT_SEGMENTS)                                               \
	X(ENFORCED, msg_enforced, 41, 0, 0)                                                                     \
	X(VERDICTS, msg_verdicts, 42, 0, 0)                                                                     \
	X(PINHOLE, msg_pinhole, 43, 0, 0)                                                                       \
	X(INSPECT_STATUS, msg_inspect_status, 44, 0, 0)                                                         \
	X(MAIL_JOB, msg_mail_job, 50, MSG_MAIL_FDS_VERIFY, MSG_MAIL_FDS_CLEAN)                                  \
	X(MAIL_RESULT, msg_mail_result, 51, 1, 1)                                                               \
	X(MAIL_VERIFIED, msg_mail_verified, 52, 0, 0)                                                           \
	X(MAIL_BUSY, msg_mail_busy, 53, 0, 0)                                                               \
	X(MAIL_LISTEN, msg_mail_listen, 60, 0, 0)                                                               \
	X(MAIL_LISTENER, msg_mail_listener, 61, 0, 1)                                                           \
	X(MAIL_HOPS, msg_mail_hops, 62, 0, 0)                                                                   \
	X(MAIL_CONNECT, msg_mail_connect, 63, 0, 0)                                                             \
	X(MAIL_CONNECTED, msg_mail_connected, 64, 0, 1)                                                         \
	X(MAIL_COMMAND, msg_mail_command, 65, 0, 0)                                                             \
	X(MAIL_STATUS, msg_mail_status, 66, 0, 0)                                                               \
	X(MAIL_ENTRY, msg_mail_entry, 70, 0, 1)                                                                 \
	X(MAIL_STORED, msg_mail_stored, 71, 0, 0)                                                               \
	X(MAIL_OUTCOME, msg_mail_outcome, 72, 0, 0)                                                             \
	X(MAIL_ASK, msg_mail_ask, 73, 0, 0)                                                                     \
	X(MAIL_APPROVAL, msg_mail_approval, 74, 0, 0)                                                           \
	X(MAIL_QUERY, msg_mail_query, 75, 0, 0)                                                                 \
	X(MAIL_ROW, msg_mail_row, 76, 0, 1)                                                                     \
	X(MAIL_APPROVE, msg_mail_approve, 77, 0, 0)                                                             \
	X(SESSION, msg_session, 80, 0, 0)                                                                       \
	X(SESSIONS, msg_sessions, 81, 0, 0)                                                                     \
	X(COMMAND, msg_command, 82, 0, 0)                                                                       \
	X(REFUSED, msg_refused, 83, 0, 0)                                                                       \
	X(WORK, msg_work, 84, 0, 0)                                                                             \
	X(LOGIN, msg_login, 85, 0, 0)                                                                           \
	X(RECORD, msg_record, 86, 0, 0)                                                                         \
	X(COMMAND_ROW, msg_command_row, 90, 0, 0)                                                               \
	X(LOGIN_ROW, msg_login_row, 91, 0, 0)                                                                   \
	X(RECORD_ROW, msg_record_row, 92, 0, 0)                                                                 \
	X(HISTORY, msg_history, 100, 0, 0)                                                                      \
	X(CANDIDATE, msg_candidate, 101, 0, 1)                                                                  \
	X(CANDIDATES, msg_candidates, 102, 0, 0)                                                               \
	X(CUTS, msg_cuts, 110, 1, 1)                                                                           \
	X(ACTED, msg_acted, 111, 0, 1)                                                                         \
	X(EVIDENCE, msg_evidence, 112, 2, 2)                                                                   \
	X(EVIDENCE_DONE, msg_evidence_done, 113, 0, 0)                                                         \
	X(HOLD, msg_hold, 114, 0, 0)                                                                           \
	X(WATCHED, msg_watched, 120, 0, 2)                                                                     \
	X(WATCH_QUERY, msg_watch_query, 121, 0, 0)                                                             \
	X(ADMISSION_ROW, msg_admission_row, 122, 0, 0)                                                         \
	X(RULE_ROW, msg_rule_row, 123, 0, 0)                                                                   \
	X(ALARMS, msg_alarms, 124, 0, 0)                                                                       \
	X(ALARM_SETTINGS, msg_alarm_settings, 130, 0, 0)                                                       \
	X(ALARM_EVENT, msg_alarm_event, 131, 0, 0)                                                             \
	X(ALARM_HEALTH, msg_alarm_health, 132, 0, 0)                                                           \
	X(ALARM_REPORT, msg_alarm_report, 133, 0, 0)                                                           \
	X(ALARM_STATUS, msg_alarm_status, 134, 0, 0)                                                           \
	X(ALARM_HOPS, msg_alarm_hops, 135, 0, 0)                                                               \
	X(ALARM_ASK, msg_alarm_ask, 136, 0, 0)                                                                 \
	X(ALARM_NEWS, msg_alarm_news, 137, 0, 0)                                                               \
	X(ALARM_DONE, msg_alarm_done, 138, 0, 0)                                                               \
	X(ALARM_DIGEST, msg_alarm_digest, 139, 0, 0)                                                           \
	X(TLS_JOB, msg_tls_job, 140, MSG_TLS_FDS, MSG_TLS_FDS)                                                  \
	X(TLS_DONE, msg_tls_done, 141, 0, 0)                                                                    \
	X(TLS_GRANT, msg_tls_grant, 142, 1, 1)                                                                  \
	X(TLS_SIGN, msg_tls_sign, 143, 0, 0)                                                                    \
	X(TLS_SIGNED, msg_tls_signed, 144, 0, 0)                                                                \
	X(TLS_WANT, msg_tls_want, 145, 0, 0)                                                                    \
	X(TLS_FILE, msg_tls_file, 146, 0, 1)                                                                    \
	X(TLS_KEY, msg_tls_key, 147, 0, 0)                                                                      \
	X(TLS_STATUS, msg_tls_status, 148, 0, 0)                                                           \
	X(HOST_CLIENT, msg_host_client, 150, 1, 1)                                                             \
	X(HOST_ASK, msg_host_ask, 151, 0, 0)                                                                   \
	X(HOST_ACCOUNT, msg_host_account, 152, 0, 0)                                                           \
	X(HOST_TOLD, msg_host_told, 153, 0, 0)

enum msg_type {
#define X(NAME, type, value, fds_min, fds_max) MSG_##NAME = value,
	MESSAGES(X)
#undef X
};

/* A received message: the struct that `type` names is in the union. */
struct msg {
	enum msg_type type;
	uint32_t tag;
	int fds[MSG_FDS_MAX]; /* -1 where none; the receiver owns them */
	unsigned nfds;
	union {
#define X(NAME, type, value, fds_min, fds_max) struct type type;
		MESSAGES(X)
#undef X
	} u;
};

/*
 * Encodes body (the struct of `type`) into one datagram and sends it with nfds descriptors (which stay the
 * caller's). Returns 0, or -errno (-EAGAIN on a full non-blocking socket: nothing was sent).
 */
int msg_send(int fd, enum msg_type type, uint32_t tag, const void *body, const int *fds, unsigned nfds);

/*
 * Receives and checks one message. Returns 1 and fills *ret; 0 at end of file; -EAGAIN when nothing is there;
 * -EPROTO for a malformed message (its descriptors are closed already): the caller drops the peer; other -errno.
 * Then *ret means nothing.
 */
int msg_recv(int fd, struct msg *ret);

/* Checks bytes as msg_recv() does; for tests and the fuzzer. nfds: descriptors that came along. */
bool msg_decode(const void *p, size_t n, unsigned nfds, struct msg *ret);

/*
 * Closes a descriptor that came from somebody else. A socket that its maker told to linger would hold up a plain
 * close() for as long as he liked.
 */
void msg_close_fd(int fd);

/* Closes the descriptors that *m still owns and forgets them. */
void msg_close_fds(struct msg *m);

/* Copies text into a message's array: cut at a character, NUL-terminated, control characters replaced. */
void msg_text(char *dst, size_t size, const char *src);
#define MSG_TEXT(dst, src) msg_text((dst), sizeof(dst), (src))

#endif
