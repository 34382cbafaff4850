/*
 * fields.c: the table that ties the schema's words to struct model.
 *
 * To add a word: a leaf in sekisho.yang, a member in model.h, a row here. A leaf without a row stops the program
 * at its first start (and the unit test), so that no word is ever accepted and forgotten.
 */
#include "fields.h"

#include "kinds.h"
#include "schema.h"

#include <sekisho/model.h>

#include <string.h>

#define AT(type, member) offsetof(struct type, member)
/* path, kind, object, member */
#define VALUE(path, kind, object, member) {path, &kind_##kind, AT(object, member), 0, 0, NULL, NULL}
#define LINED(path, kind, object, member, line)                                                                 \
	{path, &kind_##kind, AT(object, member), 0, AT(object, line), NULL, NULL}
#define NAMED(path, kind, object, member, word) {path, &kind_##kind, AT(object, member), 0, 0, word, NULL}
/* A kind that knows its object itself. */
#define WHOLE(path, kind) {path, &kind_##kind, 0, 0, 0, NULL, NULL}
/* path, object, its list (pointer, count, capacity), type of an entry, its first contents */
#define LIST(path, object, list, entry) LIST_OF(path, object, list, entry, NULL)
#define LIST_OF(path, object, list, entry, fresh)                                                               \
	{path, NULL, AT(object, list), sizeof(struct entry), 0, NULL, fresh}
/* A container of which the model has only the line. */
#define PRESENT(path, object, line) {path, NULL, 0, 0, AT(object, line), NULL, NULL}

/* The thresholds of one direction of mail. */
#define FLOOD(path, member)                                                                                     \
	LINED(path " slow", u32, model, member.slow, member.line),                                              \
		LINED(path " stop", u32, model, member.stop, member.line),                                      \
		LINED(path " sender-slow", u32, model, member.sender_slow, member.sender_line),                 \
		LINED(path " sender-stop", u32, model, member.sender_stop, member.sender_line)

/* STARTTLS of one direction. */
#define MAIL_TLS(path, member)                                                                                  \
	LINED(path " tls", mail_tls, model, member.offer, member.line),                                         \
		VALUE(path " certificate", word, model, member.certificate),                                    \
		LIST(path " tls-to", model, member.to, model_tls_to),                                           \
		VALUE(path " tls-to host", word, model_tls_to, host),                                           \
		VALUE(path " tls-to level", mail_tls_level, model_tls_to, level),                               \
		VALUE(path " tls-to name", domain, model_tls_to, name),                                         \
		VALUE(path " tls-to ca", word, model_tls_to, ca),                                               \
		VALUE(path " tls-to fingerprint", fingerprints, model_tls_to, pins)

static const struct model_allow fresh_allow = {.days = DAYS_ALL};

static const struct field table[] = {
	VALUE("system hostname", hostname, model, system.hostname),
	LINED("system timezone", zone, model, system.timezone, system.timezone_line),
	VALUE("system language", text, model, system.language),
	NAMED("system model", is, model, system.alpha_prime, "alpha-prime"),
	NAMED("system on-log-failure", is, model, system.close_all_on_log_failure, "close-all"),
	NAMED("system refused-connections", is, model, system.refuse_silently, "silent"),
	VALUE("system log-limit per-source", u32, model, system.log_per_source),
	VALUE("system log-limit per-segment", u32, model, system.log_per_segment),
	VALUE("system limit new-per-source", u32, model, system.new_per_source),
	VALUE("system limit open-per-source", u32, model, system.open_per_source),
	VALUE("system limit half-open", u32, model, system.half_open),
	VALUE("system session idle-minutes", u32, model, system.session_idle),
	VALUE("system session configure-minutes", u32, model, system.session_configure),
	NAMED("system time server", own, model, system.own, "time"),
	LIST("system collector", model, system.own, model_own),
	NAMED("system collector host", collector, model_own, host, "collector"),
	VALUE("system collector port", port, model_own, port),
	VALUE("system collector mynumber-records", bool, model_own, names_mynumber),
	VALUE("system alarm mail-to", mails, model, system.alarm_mail_to),
	NAMED("system alarm via", alarm_via, model, system.alarm_via, "alarm"),
	VALUE("system alarm daily-report", time, model, system.daily_report),
	VALUE("system alarm threshold scan", u32, model, system.thresholds.scan),
	VALUE("system alarm threshold scan-minutes", u32, model, system.thresholds.scan_minutes),
	VALUE("system alarm threshold flood", u32, model, system.thresholds.flood),
	VALUE("system alarm threshold beacon", u32, model, system.thresholds.beacon),
	VALUE("system alarm threshold unknown-mac", u32, model, system.thresholds.unknown_mac),
	VALUE("system alarm threshold disk-caution", u32, model, system.thresholds.disk_caution),
	VALUE("system alarm threshold disk-abnormal", u32, model, system.thresholds.disk_abnormal),
	VALUE("system alarm threshold expiring-days", u32, model, system.thresholds.expiring_days),
	LIST("system approval-required", model, system.approval_required, model_approval_required),
	VALUE("system approval-required case", word, model_approval_required, kase),
	VALUE("system approval-required role", words, model_approval_required, roles),

	LIST("deputy", model, deputies, model_deputy),
	VALUE("deputy name", word, model_deputy, name),
	VALUE("deputy user", word, model_deputy, user),
	VALUE("deputy role", word, model_deputy, role),
	VALUE("deputy from", date, model_deputy, from),
	VALUE("deputy to", date, model_deputy, to),
	VALUE("deputy approved-by", text, model_deputy, approved_by),

	LIST("interface", model, interfaces, model_interface),
	VALUE("interface name", interface, model_interface, name),
	VALUE("interface parent", interface, model_interface, parent),
	VALUE("interface vlan", u16, model_interface, vlan),
	VALUE("interface address", local, model_interface, addresses),

	LIST("segment", model, segments, model_segment),
	VALUE("segment name", word, model_segment, name),
	LINED("segment kind", segment, model_segment, kind, kind_line),
	VALUE("segment label", text, model_segment, label),
	VALUE("segment interface", interfaces, model_segment, interfaces),
	VALUE("segment address", local, model_segment, addresses),
	WHOLE("segment network", network),
	VALUE("segment answer-ping", bool, model_segment, answer_ping),
	VALUE("segment mss", u16, model_segment, mss),

	LIST("router", model, routers, model_router),
	VALUE("router name", word, model_router, name),
	VALUE("router segment", word, model_router, segment),
	VALUE("router address", single, model_router, addresses),
	VALUE("router mac", mac, model_router, mac),

	LIST("route", model, routes, model_route),
	VALUE("route prefix", route, model_route, prefix),
	VALUE("route via", word, model_route, via),

	LIST("host", model, hosts, model_host),
	VALUE("host name", word, model_host, name),
	VALUE("host segment", word, model_host, segment),
	VALUE("host address", hostaddr, model_host, addresses),
	VALUE("host mac", mac, model_host, mac),
	VALUE("host behind", word, model_host, behind),
	VALUE("host external", word, model_host, external),
	VALUE("host label", text, model_host, label),
	VALUE("host section", text, model_host, section),
	VALUE("host location", text, model_host, location),

	LIST("host-group", model, groups, model_group),
	VALUE("host-group name", word, model_group, name),
	VALUE("host-group member", words, model_group, members),

	LIST("service", model, services, model_service),
	VALUE("service name", word, model_service, name),
	WHOLE("service port", ports),

	LIST_OF("allow", model, allows, model_allow, &fresh_allow),
	VALUE("allow name", word, model_allow, name),
	VALUE("allow from", word, model_allow, from),
	VALUE("allow to", word, model_allow, to),
	WHOLE("allow service", use),
	LINED("allow application", application, model_allow, application, application_line),
	VALUE("allow application-option", choices, model_allow, options),
	VALUE("allow server-name", domains, model_allow, server_names),
	VALUE("allow alpn", alpns, model_allow, alpns),
	VALUE("allow domain-name", domains, model_allow, domain_names),
	LINED("allow question-rate", u32, model_allow, question_rate, question_rate_line),
	LINED("allow screen-product", screen, model_allow, screen_product, screen_product_line),
	VALUE("allow purpose", text, model_allow, purpose),
	VALUE("allow applicant", text, model_allow, applicant),
	VALUE("allow asset-class", u8, model_allow, asset_class),
	LIST("allow approval", model_allow, approvals, model_approval),
	VALUE("allow approval role", word, model_approval, role),
	VALUE("allow approval name", text, model_approval, name),
	VALUE("allow approval date", date, model_approval, date),
	VALUE("allow approval number", text, model_approval, number),
	VALUE("allow starts", date, model_allow, starts),
	VALUE("allow expires", date, model_allow, expires),
	WHOLE("allow days", days),
	WHOLE("allow hours", hours),
	WHOLE("allow closed-dates", dates),
	WHOLE("allow window", window),
	VALUE("allow closed-at", closes, model_allow, closes),
	NAMED("allow at-end", is, model_allow, drain, "drain"),
	LINED("allow one-way", bool, model_allow, one_way, one_way_line),
	VALUE("allow fragments", bool, model_allow, fragments),
	LINED("allow sanitised-by", sanitised, model_allow, sanitised_by, sanitised_line),
	VALUE("allow sanitising-product", text, model_allow, sanitising_product),
	VALUE("allow sanitising-statement", text, model_allow, sanitising_statement),
	{"allow permitted-as", &kind_is, AT(model_allow, local_breakout), 0, AT(model_allow, permitted_line),
		"local-breakout", NULL},
	VALUE("allow external-isolated", bool, model_allow, external_isolated),
	PRESENT("allow exception", model_allow, exception_line),
	VALUE("allow exception reason", text, model_allow, exception_reason),
	VALUE("allow exception approved-by", text, model_allow, exception_approved_by),
	VALUE("allow exception report-due", date, model_allow, report_due),

	VALUE("mail language", text, model, mail_language),
	PRESENT("mail inbound", model, mail_in.line),
	VALUE("mail inbound listen", single, model, mail_in.listen),
	VALUE("mail inbound closed-at", closes, model, mail_in.closes),
	VALUE("mail inbound transparent", bool, model, mail_in.transparent),
	VALUE("mail inbound domain", domains, model, mail_in.domains),
	VALUE("mail inbound next-hop", words, model, mail_in.next_hops),
	VALUE("mail inbound max-size", size, model, mail_in.max_size),
	NAMED("mail inbound original", is, model, mail_in.original_copied, "copied"),
	VALUE("mail inbound original-to", word, model, mail_in.original_to),
	VALUE("mail inbound authserv", domain, model, mail_in.authserv),
	VALUE("mail inbound attachment-text", mail_texts, model, mail_in.attachment_text),
	NAMED("mail inbound private-use", is, model, mail_in.private_use, "keep"),
	MAIL_TLS("mail inbound", mail_in.tls),
	FLOOD("mail inbound flood", mail_in.flood),
	PRESENT("mail outbound", model, mail_out.line),
	VALUE("mail outbound listen", single, model, mail_out.listen),
	VALUE("mail outbound closed-at", closes, model, mail_out.closes),
	VALUE("mail outbound transparent", bool, model, mail_out.transparent),
	VALUE("mail outbound server", words, model, mail_out.servers),
	VALUE("mail outbound next-hop", words, model, mail_out.next_hops),
	VALUE("mail outbound sender-domain", domains, model, mail_out.sender_domains),
	VALUE("mail outbound max-size", size, model, mail_out.max_size),
	VALUE("mail outbound mynumber", mail_mynumber, model, mail_out.mynumber),
	NAMED("mail outbound automatic-forward", is, model, mail_out.auto_forward_refuse, "refuse"),
	WHOLE("mail outbound attachments allow", nothing),
	VALUE("mail outbound attachments require-cc", words, model, mail_out.require_cc),
	VALUE("mail outbound attachments hold", bool, model, mail_out.hold),
	VALUE("mail outbound attachments refuse", bool, model, mail_out.refuse),
	LINED("mail outbound attachments list", mail_types, model, mail_out.list, mail_out.list_line),
	LIST("mail outbound attachments type", model, mail_out.types, model_mail_type),
	VALUE("mail outbound attachments type name", mail_type, model_mail_type, name),
	VALUE("mail outbound attachments type action", mail_demand, model_mail_type, demands),
	VALUE("mail outbound attachments encrypted", mail_demand, model, mail_out.encrypted),
	VALUE("mail outbound attachments approval-days", u8, model, mail_out.approval_days),
	VALUE("mail outbound attachments max-file-size", size, model, mail_out.max_file_size),
	VALUE("mail outbound attachments max-files", u32, model, mail_out.max_files),
	VALUE("mail outbound max-external-recipients", u32, model, mail_out.max_external_recipients),
	MAIL_TLS("mail outbound", mail_out.tls),
	FLOOD("mail outbound flood", mail_out.flood),
	LIST("mail superior", model, superiors, model_superior),
	VALUE("mail superior name", word, model_superior, name),
	VALUE("mail superior address", mail, model_superior, address),
	VALUE("mail superior role", word, model_superior, role),
	LIST("mail partner", model, partners, model_partner),
	VALUE("mail partner name", word, model_partner, name),
	VALUE("mail partner domain", domains, model_partner, domains),
	VALUE("mail partner label", labels, model_partner, labels),
	WHOLE("mail partner demands", nothing),
};

const struct field *fields_table(size_t *ret_n)
{
	*ret_n = sizeof(table) / sizeof(table[0]);
	return table;
}

/* Does `path` up to n bytes spell the place's words from the top? */
static bool spells(const struct place *p, const char *path, size_t n)
{
	if (p->kind == PLACE_ROOT)
		return n == 0;
	if (n < p->len || memcmp(path + n - p->len, p->word, p->len) != 0)
		return false;
	n -= p->len;
	return spells(p->parent, path, n > 0 && path[n - 1] == ' ' ? n - 1 : n);
}

const struct field *fields_find(const struct place *place)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (spells(place, table[i].path, strlen(table[i].path)))
			return &table[i];
	return NULL;
}
