/*
 * model.h: the policy as people wrote it, in typed structs: what config/ hands to policy/.
 *
 * config/ has checked types, ranges, patterns and the form of each line. Names are not resolved yet: whether
 * "jumin-ap" exists is for policy/ to say, with the line. Everything lives in the model's arena.
 * `line` is where an object was first named; a leaf that can be wrong by itself has its own line.
 * Lists keep the order of the file: among allow rules that overlap the first wins.
 */
#ifndef SEKISHO_MODEL_H
#define SEKISHO_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/clock.h>

struct arena;
struct diag_list;

/* A word of the file with its place. text NULL = not given. */
struct word {
	const char *text;
	uint32_t line;
};

struct words {
	struct word *v;
	size_t n, cap;
};

/* An address, with or without "/LEN". */
struct prefix {
	struct addr addr; /* as written; family 0 = not given */
	uint8_t len;
	bool has_len;
	uint32_t line;
};

struct prefixes {
	struct prefix *v;
	size_t n, cap;
};

struct mac_at {
	struct mac mac;
	uint32_t line; /* 0 = not given */
};

struct date {
	int year, month, day; /* year 0 = not given */
	uint32_t line;
};

enum segment_kind {
	KIND_OTHER, /* a fourth segment without a law of its own: default deny still holds */
	KIND_MYNUMBER,
	KIND_LGWAN,
	KIND_INTERNET,
};

struct model_interface {
	struct word name;
	struct word parent; /* of a VLAN interface */
	uint16_t vlan;	    /* 1..4094, 0 = none */
	struct prefixes addresses; /* beside the segment's, for a segment with several interfaces */
};

struct model_segment {
	struct word name;
	enum segment_kind kind;
	uint32_t kind_line; /* 0 = not given */
	const char *label;
	struct words interfaces;
	struct prefixes addresses; /* of the gateway, on the segment's first interface */
	struct prefixes networks;
	uint32_t network_other; /* line of `network other`, 0 = not given */
	bool answer_ping;
	uint16_t mss; /* 0 = leave alone */
};

struct model_router {
	struct word name, segment;
	struct prefixes addresses;
	struct mac_at mac;
};

struct model_route {
	struct prefix prefix;
	struct word via;
};

struct model_host {
	struct word name, segment;
	struct prefixes addresses;
	struct mac_at mac;
	struct word behind;
	struct word external; /* the body that runs it, when it is not ours */
	const char *label, *section, *location;
};

struct model_group {
	struct word name;
	struct words members;
};

/* "tcp/443", "udp/5000-5100", "icmp/echo-request", or a named service with several of them. */
struct service_port {
	uint8_t proto; /* IPPROTO_TCP, _UDP, _ICMP (both ICMP and ICMPv6 by name where the name exists in both), _ICMPV6 */
	uint16_t lo, hi; /* ports; ICMP: type << 8 | code, code 0..255 as a range when not given */
};

struct model_service {
	struct word name;
	struct service_port *ports;
	size_t n, cap;
};

/* A use of a service in a rule: inline ports (n > 0) or the name of a model_service. */
struct service_use {
	struct word name; /* as written */
	bool is_inline;
	struct service_port port;
	/* icmp names that mean other types in ICMPv6 ("echo-request": 8 and 128) carry both */
	struct service_port port6;
};

enum application {
	APP_NONE,
	APP_TLS,
	APP_HTTP,
	APP_SSH,
	APP_SMTP,
	APP_DNS,
	APP_NTP,
	APP_SYSLOG,
	APP_SNMP,
	APP_LDAP,
	APP_KERBEROS,
	APP_SMB,
	APP_RDP,
	APP_VNC,
	APP_POSTGRESQL,
	APP_TDS,
	APP_FTP,
	APP_POP3,
	APP_IMAP,
	APP_END,
};

enum sanitised_by {
	SANITISED_NONE,
	SANITISED_MAIL_TO_TEXT,
	SANITISED_SCREEN_TRANSFER,
	SANITISED_FILE_RELAY,
};

/* Screen protocols that are not verified: they run inside TLS. */
enum screen_product {
	SCREEN_NONE,
	SCREEN_ICA,
	SCREEN_BLAST,
	SCREEN_PCOIP,
	SCREEN_END,
};

struct model_approval {
	struct word role;
	const char *name, *number;
	struct date date;
};

/* Bits of days: 1 << 0 = Monday .. 1 << 6 = Sunday. */
#define DAYS_ALL 0x7f

struct model_allow {
	struct word name, from, to;
	struct service_use *services;
	size_t nservices, services_cap;
	enum application application;
	uint32_t application_line;
	struct words options; /* of application-option: words of VERIFY_OPTIONS in inspect.h */
	struct words server_names, alpns, domain_names;
	uint32_t question_rate, question_rate_line; /* DNS questions a second of one client; 0 = no limit */
	enum screen_product screen_product;
	uint32_t screen_product_line;
	const char *purpose, *applicant;
	uint8_t asset_class; /* 0 = not given */
	struct model_approval *approvals;
	size_t napprovals, approvals_cap;
	struct date starts, expires; /* local calendar days; valid through `expires` */
	uint8_t days;		     /* DAYS_ALL when not given */
	uint16_t hours_from, hours_to; /* minutes of the day; to not included; equal = whole day; may wrap */
	uint32_t hours_line, days_line;
	struct date *closed;
	size_t nclosed, closed_cap;
	struct wall window_from, window_to; /* one-off; window_line 0 = not given */
	uint32_t window_line;
	uint8_t closes; /* enum closes */
	bool drain;   /* at-end drain; default cut */
	bool one_way;
	uint32_t one_way_line;
	bool fragments;
	enum sanitised_by sanitised_by;
	uint32_t sanitised_line;
	const char *sanitising_product, *sanitising_statement; /* of file-relay */
	bool local_breakout; /* permitted-as local-breakout */
	uint32_t permitted_line;
	bool external_isolated;
	uint32_t exception_line; /* 0 = no exception */
	const char *exception_reason, *exception_approved_by;
	struct date report_due;
};

enum mail_direction {
	MAIL_IN,  /* from the internet */
	MAIL_OUT, /* to the internet */
	MAIL_DIRECTIONS,
};

/* Attached files whose text the mail gate takes out: bits of attachment-text. */
#define MAIL_TEXTS(X) X(DOCX, 0, "docx") X(XLSX, 1, "xlsx") X(PPTX, 2, "pptx") X(TXT, 3, "txt") X(CSV, 4, "csv")
enum mail_text {
#define X(NAME, bit, word) MAIL_TEXT_##NAME = 1 << bit,
	MAIL_TEXTS(X)
#undef X
	MAIL_TEXT_ALL = 0x1f,
};

/* What an attachment demands before its mail may leave: bits, none = it may. */
enum mail_demand {
	MAIL_DEMAND_CC = 1,	/* a registered superior among the recipients */
	MAIL_DEMAND_HOLD = 2,	/* an approval by receipt number */
	MAIL_DEMAND_REFUSE = 4, /* nothing helps */
	MAIL_DEMAND_ALL = 7,
};

enum mail_mynumber {
	MAIL_MYNUMBER_REFUSE,
	MAIL_MYNUMBER_WARN,   /* passes; recorded, and the people in charge are told */
	MAIL_MYNUMBER_RECORD, /* passes and is recorded */
	MAIL_MYNUMBER_END,
};

/* Mails a minute; 0 = no limit. Beyond `slow` the client is asked to come again, beyond `stop` mail stops until resumed. */
struct model_flood {
	uint32_t slow, stop, sender_slow, sender_stop;
	uint32_t line, sender_line; /* 0 = defaults */
};

/* From which alert level on (cut.h) something is closed; 0 is what holds unless it says otherwise. */
enum closes { CLOSES_LOCKDOWN = 0, CLOSES_CAUTION = 1, CLOSES_NEVER = 2, CLOSES_END };

/* STARTTLS to one of the mail servers behind the gate. */
struct model_tls_to {
	struct word host;
	uint8_t level;	 /* enum tls_level */
	struct word name, ca;
	struct words pins; /* 64 small hexadecimal digits */
};

/* STARTTLS of one direction. */
struct model_tls {
	uint8_t offer; /* enum tls_offer: to the clients */
	uint32_t line; /* of that, 0 = not said */
	struct word certificate;
	struct model_tls_to *to;
	size_t nto, to_cap;
};

struct model_mail_in {
	struct prefixes listen;
	bool transparent;
	uint8_t closes; /* enum closes */
	struct words domains;
	struct words next_hops; /* the first is tried first */
	uint64_t max_size; /* bytes */
	bool original_copied;
	struct word original_to; /* of original_copied: the mail server that keeps the originals */
	struct word authserv;	 /* whose Authentication-Results are believed */
	uint8_t attachment_text; /* enum mail_text */
	bool private_use;	 /* characters of private use (外字) stay */
	struct model_tls tls;
	struct model_flood flood;
	uint32_t line; /* 0 = no mail gate */
};

struct model_mail_type {
	struct word name; /* "zip" */
	uint8_t demands;  /* enum mail_demand */
};

struct model_mail_out {
	struct prefixes listen;
	bool transparent;
	uint8_t closes; /* enum closes */
	struct words servers, next_hops;
	struct words sender_domains; /* none = those of mail_in */
	uint64_t max_size;
	enum mail_mynumber mynumber;
	bool auto_forward_refuse;
	struct words require_cc; /* roles */
	bool hold, refuse;
	const char *list; /* "pdf,docx": only these types leave; NULL */
	uint32_t list_line;
	struct model_mail_type *types;
	size_t ntypes, types_cap;
	uint8_t encrypted;	/* enum mail_demand */
	uint8_t approval_days;
	uint64_t max_file_size; /* bytes; 0 = no limit */
	uint32_t max_files;	/* 0 = no limit */
	uint32_t max_external_recipients;
	struct model_tls tls;
	struct model_flood flood;
	uint32_t line;
};

/* Who may let attachments leave by being among the recipients. */
struct model_superior {
	struct word name, address, role;
};

/* What a label in the subject demands of a mail to these domains. */
struct model_partner {
	struct word name;
	struct words domains; /* "other" = all domains that no other partner has */
	struct words labels;
};

struct model_approval_required {
	struct word kase; /* "mynumber", "external", "exception", ... */
	struct words roles;
};

/* A service of the network that the gate itself uses: time, collector, alarm mail. */
struct model_own {
	struct word host; /* name of a host */
	const char *what; /* "time", "collector", "alarm" */
	struct service_port port;
	bool names_mynumber; /* a collector that gets records naming mynumber hosts */
};

/* From when on something is an alarm (`system alarm threshold`); 0 = never. */
struct alarm_thresholds {
	uint32_t scan, scan_minutes; /* destinations and ports that refused one source, within so long */
	uint32_t flood;		     /* refused packets of one source, recorded ones, a minute */
	uint32_t beacon;	     /* regular repeats to where nothing may go */
	uint32_t unknown_mac;	     /* 0 or 1 */
	uint32_t disk_caution, disk_abnormal; /* per cent of the disk */
	uint32_t expiring_days;	     /* before the end of an approved flow */
};
#define ALARM_SCAN_MAX 128
#define ALARM_BEACON_MAX 16
#define ALARM_MINUTES_MAX 60

struct model_system {
	const char *hostname, *timezone, *language; /* defaults filled in: "sekisho", "Asia/Tokyo", "ja" */
	uint32_t timezone_line;
	bool alpha_prime; /* set system model alpha-prime */
	bool close_all_on_log_failure; /* default close-new */
	struct words alarm_mail_to;
	struct word alarm_via;
	const char *daily_report;
	struct alarm_thresholds thresholds;
	uint32_t log_per_source; /* events a second from one source, reason and port; 0 = no limit */
	uint32_t log_per_segment; /* events a second of one segment; 0 = no limit */
	uint32_t new_per_source; /* new connections a second from one source; 0 = no limit */
	uint32_t open_per_source; /* connections at once from one source; 0 = no limit */
	uint32_t half_open; /* TCP connections without an answer, per source; 0 = no limit */
	uint32_t session_idle, session_configure; /* minutes; 0 = no limit */
	bool refuse_silently; /* refused-connections silent; default reset */
	struct model_approval_required *approval_required;
	size_t napproval_required, approval_required_cap;
	struct model_own *own;
	size_t nown, own_cap;
};

/* An account has another role for a time (代理). */
struct model_deputy {
	struct word name, user, role; /* role: "viewer", "operator", "administrator" */
	struct date from, to;	      /* local calendar days, both included */
	const char *approved_by;
};

#define MODEL_LIST(type, name)                                                                                 \
	struct type *name;                                                                                      \
	size_t n##name, name##_cap

struct model {
	struct arena *arena;
	struct model_system system;
	MODEL_LIST(model_interface, interfaces);
	MODEL_LIST(model_segment, segments);
	MODEL_LIST(model_deputy, deputies);
	MODEL_LIST(model_router, routers);
	MODEL_LIST(model_route, routes);
	MODEL_LIST(model_host, hosts);
	MODEL_LIST(model_group, groups);
	MODEL_LIST(model_service, services);
	MODEL_LIST(model_allow, allows);
	struct model_mail_in mail_in;
	struct model_mail_out mail_out;
	const char *mail_language; /* NULL = the system's */
	MODEL_LIST(model_superior, superiors);
	MODEL_LIST(model_partner, partners);
};

/*
 * Reads a policy text of n bytes into a new model in `arena`. Every finding goes to `diags`; the model is
 * complete as far as the text was understood, also after errors, so that policy/ can find more.
 * The process's time zone becomes the policy's (windows are local times); an unknown one is policy/'s to report.
 * Returns false when libyang or its schema cannot be loaded (an error of the environment, said in diags).
 */
bool config_read(struct arena *arena, const char *text, size_t n, struct diag_list *diags, struct model **ret);

/* Stable words of the enums, for messages and JSON; "none" for 0. */
const char *application_word(enum application a);
const char *segment_kind_word(enum segment_kind k);
const char *sanitised_word(enum sanitised_by s);
const char *screen_product_word(enum screen_product s);

#endif
