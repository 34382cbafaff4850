/*
 * words.c: codes to words and back. One table per kind; a code without a row is shown as its number or word.
 *
 * ICMP types: IANA registries "ICMP Type Numbers" and "ICMPv6 Parameters", those that people name.
 */
#include "words.h"

#include <sekisho/buf.h>
#include <sekisho/finding.h>
#include <sekisho/i18n.h>
#include <sekisho/inspect.h>
#include <sekisho/json.h>
#include <sekisho/msg.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *words_reason(unsigned code)
{
	return _(reason_text(code));
}

const char *words_why(unsigned why)
{
	const char *text = inspect_why_text(why);

	return text[0] != '\0' ? _(text) : inspect_why_word(why);
}

const char *words_application(unsigned application)
{
	static const char *const names[APP_END] = {[APP_TLS] = "TLS", [APP_HTTP] = "HTTP", [APP_SSH] = "SSH",
		[APP_SMTP] = "SMTP", [APP_DNS] = "DNS", [APP_NTP] = "NTP", [APP_SYSLOG] = "syslog", [APP_SNMP] = "SNMP",
		[APP_LDAP] = "LDAP", [APP_KERBEROS] = "Kerberos", [APP_SMB] = "SMB", [APP_RDP] = "RDP", [APP_VNC] = "VNC",
		[APP_POSTGRESQL] = "PostgreSQL", [APP_TDS] = "SQL Server (TDS)", [APP_FTP] = "FTP", [APP_POP3] = "POP3",
		[APP_IMAP] = "IMAP"};

	return application < APP_END && names[application] != NULL ? names[application] : "?";
}

const char *words_reason_advice(unsigned code)
{
	static const char *const advice[REASON_END] = {
		[REASON_GATE_CLOSED] = N_("See `sekisho status` for why the gate is closed."),
		[REASON_NO_RULE] = N_("If this traffic is needed, apply for an approved flow; else find out why the machine "
				      "sends it."),
		[REASON_FORBIDDEN_PAIR] = N_("No application can permit this. Find out why the machine sends it."),
		[REASON_STATE] = N_("Often the rest of a connection that has ended. If it goes on, restart the application."),
		[REASON_NOT_SYN] = N_("Often the rest of a connection that has ended. If it goes on, restart the application."),
		[REASON_SPOOF] = N_("The machine has a wrong address, or is plugged into the wrong segment. Find it."),
		[REASON_MAC] = N_("Was the machine replaced? Then enter its new MAC address. If not, find out which machine "
				  "uses this address."),
		[REASON_NO_ROUTE] = N_("The destination belongs to no segment: check the address in the application's settings."),
		[REASON_ONE_WAY] = N_("The flow is approved as one-way: the other end must not answer or call back."),
		[REASON_SOURCE_LIMIT] = N_("One machine opens very many connections: find out what it does."),
		[REASON_HALF_OPEN] = N_("One machine opens very many connections: find out what it does."),
		[REASON_NO_INSPECTOR] = N_("Flows that must be verified stay closed while the inspector does not run. If it "
					   "goes on, see `sekisho status`."),
		[REASON_UNFITTING] = N_("Only this packet was dropped. If it goes on, find out which of the two machines "
					"sends it."),
		[REASON_NO_MAIL_GATE] = N_("The rule leads through the mail gate: let the mail server send to the gate's own address (mail inbound listen, mail outbound listen)."),
		[REASON_APP_MISMATCH] = N_("Something else than the approved application uses this port. Find out what."),
		[REASON_CUT] = N_("Somebody has cut this off: `sekisho cuts` says who and why."),
		[REASON_LOG_FULL] = N_("See `sekisho status`: the records need room."),
	};

	return code < REASON_END && advice[code] != NULL ? _(advice[code]) : NULL;
}

const char *words_role(uint32_t role)
{
	static const char *const words[MSG_ROLE_END] = {N_("no role"), N_("viewer"), N_("auditor"), N_("operator"),
		N_("administrator"), N_("maintenance")};

	return _(words[role < MSG_ROLE_END ? role : 0]);
}

const char *words_verdict(enum verdict v)
{
	switch (v) {
	case VERDICT_ALLOW:
		return _("allowed");
	case VERDICT_INSPECT:
		return _("allowed if the application passes its verification");
	case VERDICT_MAIL:
		return _("only through the mail gate");
	case VERDICT_DROP:
		break;
	}
	return _("blocked");
}

static const struct {
	const char *code, *word;
} healths[] = {
	[MSG_OK] = {"ok", N_("normal")},
	[MSG_CAUTION] = {"caution", N_("caution")},
	[MSG_ABNORMAL] = {"abnormal", N_("ABNORMAL")},
};

const char *words_health(uint32_t health)
{
	return _(healths[health < COUNT(healths) ? health : MSG_ABNORMAL].word);
}

const char *words_health_code(uint32_t health)
{
	return healths[health < COUNT(healths) ? health : MSG_ABNORMAL].code;
}

/* The rows of the gate's table of findings. */
static const struct {
	const char *code, *text, *cure;
} findings[] = {
#define X(NAME, code, severity, kind, text, cure) {code, text, cure},
	FINDINGS(X)
#undef X
};

const char *words_finding_advice(const char *code)
{
	for (size_t i = 0; i < COUNT(findings); i++)
		if (strcmp(findings[i].code, code) == 0)
			return _(findings[i].cure);
	return NULL;
}

/* Appends n bytes of text when they begin with a finding's sentence, the sentence translated. */
static bool put_finding(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < COUNT(findings); i++) {
		size_t len = strlen(findings[i].text);
		if (len > n || strncmp(text, findings[i].text, len) != 0)
			continue;
		buf_printf(b, "%s%.*s", _(findings[i].text), (int)(n - len), text + len);
		return true;
	}
	return false;
}

void words_finding_text(struct buf *b, const char *text)
{
	const char *cure = strstr(text, " — ");
	size_t n = cure != NULL ? (size_t)(cure - text) : strlen(text);

	if (!put_finding(b, text, n))
		buf_add(b, text, n);
}

/* Fault records that are no findings. */
static const struct {
	const char *code, *heading;
} fault_headings[] = {
	{"gate", N_("the gate opened or closed")},
	{"kernel-loss", N_("the kernel dropped packets outside of the policy")},
	{"one-shot", N_("a program ended without an answer")},
	{"stop", N_("the gate was stopped")},
	{"zone", N_("the time zone is unknown")},
	{"sweep", N_("running connections could not all be compared with the new policy")},
	{"check", N_("the kernel's ruleset could not be read")},
	{"faults-lost", N_("fault records were lost")},
	{"counter-reset", N_("a counter of the kernel went backwards")},
	{"counters-new", N_("the kernel's counters begin anew")},
	{"nflog-overflow", N_("events came faster than they could be read; the counters know how many")},
	{"nflog-strange", N_("the kernel sent events that could not be understood")},
	{"store", N_("the store of records")},
	{"store-set-aside", N_("a damaged store of records was set aside, and a new one begun")},
};

static const char *fault_heading(const char *code)
{
	for (size_t i = 0; i < COUNT(fault_headings); i++)
		if (strcmp(fault_headings[i].code, code) == 0)
			return _(fault_headings[i].heading);
	for (size_t i = 0; i < COUNT(findings); i++)
		if (strcmp(findings[i].code, code) == 0)
			return _(findings[i].text);
	return NULL;
}

/* "shut -> open" of the gate's own record, in words. */
static void put_states(struct buf *b, const char *text)
{
	static const char *const states[] = {N_("shut"), N_("open"), N_("held")};

	while (*text != '\0') {
		size_t n = strcspn(text, " "), i = 0;
		while (i < COUNT(states) && (strlen(states[i]) != n || strncmp(text, states[i], n) != 0))
			i++;
		if (i < COUNT(states))
			buf_adds(b, _(states[i]));
		else
			buf_add(b, text, n);
		text += n;
		for (; *text == ' '; text++)
			buf_addc(b, ' ');
	}
}

void words_fault(struct buf *b, const char *code, const char *text)
{
	static const char cured[] = N_("cured: ");
	const char *heading = fault_heading(code);

	if (strncmp(text, cured, strlen(cured)) == 0) {
		buf_adds(b, _(cured));
		text += strlen(cured);
	}
	if (put_finding(b, text, strlen(text)))
		return;
	if (heading != NULL)
		buf_printf(b, "%s: ", heading);
	if (strcmp(code, "gate") == 0)
		put_states(b, text);
	else
		buf_adds(b, _(text));
}

static const struct {
	uint32_t bit;
	const char *word, *sentence;
} differ_words[] = {
	{DIFFERS_SOURCE, "source", N_("the source differs")},
	{DIFFERS_DESTINATION, "destination", N_("the destination differs")},
	{DIFFERS_PROTOCOL, "protocol", N_("the protocol differs")},
	{DIFFERS_PORT, "port", N_("the port differs")},
	{DIFFERS_DIRECTION, "direction", N_("the direction is reversed")},
	{DIFFERS_MAC, "mac", N_("the MAC address differs")},
	{DIFFERS_EXPIRED, "expired", N_("the approval has expired")},
	{DIFFERS_NOT_STARTED, "not-started", N_("the approval has not started yet")},
	{DIFFERS_HOURS, "hours", N_("outside the approved hours")},
	{DIFFERS_DAY, "day", N_("not an approved day")},
};

void words_differs(struct buf *b, uint32_t differs)
{
	const char *comma = "";

	for (size_t i = 0; i < COUNT(differ_words); i++) {
		if ((differs & differ_words[i].bit) == 0)
			continue;
		buf_printf(b, "%s%s", comma, _(differ_words[i].sentence));
		comma = _(", ");
	}
}

void words_differs_json(struct json *j, const char *key, uint32_t differs)
{
	json_array(j, key);
	for (size_t i = 0; i < COUNT(differ_words); i++)
		if (differs & differ_words[i].bit)
			json_str(j, NULL, differ_words[i].word);
	json_array_end(j);
}

static const struct {
	const char *word;
	uint8_t proto;
} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"icmp", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6},
	{"sctp", IPPROTO_SCTP}, {"gre", IPPROTO_GRE}, {"esp", IPPROTO_ESP}, {"ah", IPPROTO_AH},
	{"igmp", IPPROTO_IGMP}};

static const struct {
	const char *word;
	int v4, v6; /* types; -1 = none */
} icmp_types[] = {
	{"echo-reply", 0, 129}, {"destination-unreachable", 3, 1}, {"redirect", 5, 137}, {"echo-request", 8, 128},
	{"time-exceeded", 11, 3}, {"parameter-problem", 12, 4}, {"timestamp-request", 13, -1},
	{"timestamp-reply", 14, -1}, {"packet-too-big", -1, 2}, {"router-solicitation", 10, 133},
	{"router-advertisement", 9, 134}, {"neighbour-solicitation", -1, 135}, {"neighbour-advertisement", -1, 136},
	{"mld-query", -1, 130}, {"mld-report", -1, 131}, {"mld-done", -1, 132}, {"mld2-report", -1, 143},
};

const char *words_protocol(uint8_t proto, char *buf)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (protocols[i].proto == proto)
			return protocols[i].word;
	snprintf(buf, 8, "%u", proto);
	return buf;
}

static bool is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

void words_service(struct buf *b, uint8_t proto, uint16_t port, bool has_port)
{
	char digits[8];

	buf_adds(b, words_protocol(proto, digits));
	if (has_port && has_ports(proto))
		buf_printf(b, "/%u", port);
	if (!has_port || !is_icmp(proto))
		return;
	for (size_t i = 0; i < COUNT(icmp_types); i++) {
		int type = proto == IPPROTO_ICMP ? icmp_types[i].v4 : icmp_types[i].v6;
		if (type != port >> 8)
			continue;
		buf_printf(b, "/%s", icmp_types[i].word);
		if ((port & 0xff) != 0)
			buf_printf(b, "/%d", port & 0xff);
		return;
	}
	buf_printf(b, "/%d/%d", port >> 8, port & 0xff);
}

/* Decimal up to max, of n digits at s; -1 when it is no such number. */
static long number(const char *s, size_t n, long max)
{
	long v = 0;

	if (n == 0 || n > 5)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v <= max ? v : -1;
}

/* "echo-request", "8", "8/0": type and code behind "icmp/". */
static bool parse_icmp(const char *text, struct question *q)
{
	size_t n = strcspn(text, "/");
	long type = number(text, n, 255), code = 0;

	for (size_t i = 0; i < COUNT(icmp_types); i++)
		if (strlen(icmp_types[i].word) == n && memcmp(icmp_types[i].word, text, n) == 0)
			type = q->proto == IPPROTO_ICMP ? icmp_types[i].v4 : icmp_types[i].v6;
	if (text[n] == '/')
		code = number(text + n + 1, strlen(text + n + 1), 255);
	q->dport = (uint16_t)((unsigned long)type << 8 | (unsigned long)code);
	q->has_port = true;
	return type >= 0 && code >= 0;
}

bool words_parse_service(const char *text, uint8_t family, struct question *q)
{
	size_t n = strcspn(text, "/");
	long proto = number(text, n, 255), port;

	for (size_t i = 0; i < COUNT(protocols); i++)
		if (strlen(protocols[i].word) == n && memcmp(protocols[i].word, text, n) == 0)
			proto = protocols[i].proto;
	if (proto < 0)
		return false;
	q->proto = (uint8_t)proto;
	if (family != 0 && is_icmp(q->proto))
		q->proto = family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	q->has_port = false;
	q->dport = 0;
	if (text[n] == '\0')
		return true;
	if (is_icmp(q->proto))
		return parse_icmp(text + n + 1, q);
	port = number(text + n + 1, strlen(text + n + 1), 65535);
	if (!has_ports(q->proto) || port < 0)
		return false;
	q->dport = (uint16_t)port;
	q->has_port = true;
	return true;
}
