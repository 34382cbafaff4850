/*
 * kinds_allow.c: the kinds that only an allow rule, a service or the gate's own flows have.
 */
#include "kinds.h"

#include "forms.h"

#include <sekisho/arena.h>
#include <sekisho/i18n.h>
#include <sekisho/model.h>

#include <netinet/in.h>
#include <string.h>

static const char *const applications[APP_END] = {"none", "tls", "http", "ssh", "smtp", "dns", "ntp",
	"syslog", "snmp", "ldap", "kerberos", "smb", "rdp", "vnc", "postgresql", "tds", "ftp", "pop3",
	"imap"};
static const char *const segments[] = {"other", "mynumber", "lgwan", "internet"};
static const char *const sanitisers[] = {"none", "mail-to-text", "screen-transfer", "file-relay"};

static const char *const screens[SCREEN_END] = {"none", "ica", "blast", "pcoip"};

/* The index of a word; the schema's enumeration has the same words (checked by the unit test). */
static unsigned find(const char *const *words, size_t n, const char *text)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return 0;
}

#define FIND(words, text) find(words, sizeof(words) / sizeof((words)[0]), text)

const char *application_word(enum application a)
{
	return (unsigned)a < APP_END ? applications[a] : "none";
}

const char *segment_kind_word(enum segment_kind k)
{
	return (unsigned)k < sizeof(segments) / sizeof(segments[0]) ? segments[k] : "none";
}

const char *sanitised_word(enum sanitised_by s)
{
	return (unsigned)s < sizeof(sanitisers) / sizeof(sanitisers[0]) ? sanitisers[s] : "none";
}

const char *screen_product_word(enum screen_product s)
{
	return (unsigned)s < SCREEN_END ? screens[s] : "none";
}

static void store_application(const struct filling *f)
{
	*FIELD_AT(f, enum application) = FIND(applications, f->text);
	field_mark_line(f);
}

static void store_segment(const struct filling *f)
{
	*FIELD_AT(f, enum segment_kind) = FIND(segments, f->text);
	field_mark_line(f);
}

static void store_sanitised(const struct filling *f)
{
	*FIELD_AT(f, enum sanitised_by) = FIND(sanitisers, f->text);
	field_mark_line(f);
}

static void store_screen(const struct filling *f)
{
	*FIELD_AT(f, enum screen_product) = FIND(screens, f->text);
	field_mark_line(f);
}

static const char *check_date(const char *text)
{
	struct date d;

	return form_date(text, &d);
}

static void store_date(const struct filling *f)
{
	form_date(f->text, FIELD_AT(f, struct date));
	FIELD_AT(f, struct date)->line = f->line;
}

static void store_dates(const struct filling *f)
{
	struct model_allow *a = f->base;
	struct date *d = arena_push(f->arena, (void **)&a->closed, &a->nclosed, &a->closed_cap, sizeof(*d));

	form_date(f->text, d);
	d->line = f->line;
}

static const char *check_days(const char *text)
{
	uint8_t days;

	return form_days(text, &days);
}

static void store_days(const struct filling *f)
{
	struct model_allow *a = f->base;

	form_days(f->text, &a->days);
	a->days_line = f->line;
}

static const char *check_hours(const char *text)
{
	uint16_t from, to;

	return form_hours(text, &from, &to);
}

static void store_hours(const struct filling *f)
{
	struct model_allow *a = f->base;

	form_hours(f->text, &a->hours_from, &a->hours_to);
	a->hours_line = f->line;
}

static const char *check_window(const char *text)
{
	struct wall from, to;

	return form_window(text, &from, &to);
}

static void store_window(const struct filling *f)
{
	struct model_allow *a = f->base;

	form_window(f->text, &a->window_from, &a->window_to);
	a->window_line = f->line;
}

static const char *check_port(const char *text)
{
	struct service_port p, p6;
	const char *wrong = form_service(text, &p, &p6);

	if (wrong != NULL)
		return wrong;
	return p.proto == IPPROTO_TCP || p.proto == IPPROTO_UDP ? NULL : N_("a TCP or UDP port is expected");
}

static void store_port(const struct filling *f)
{
	struct service_port p6;

	form_service(f->text, FIELD_AT(f, struct service_port), &p6);
}

static const char *check_service(const char *text)
{
	struct service_port p, p6;

	return form_service(text, &p, &p6);
}

static void store_ports(const struct filling *f)
{
	struct model_service *s = f->base;
	struct service_port p[2];

	if (form_service(f->text, &p[0], &p[1]) != NULL)
		return;
	for (int i = 0; i < 2 && p[i].proto != 0; i++)
		*(struct service_port *)arena_push(
			f->arena, (void **)&s->ports, &s->n, &s->cap, sizeof(p[i])) = p[i];
}

/* A name has no slash, a port always has one. */
static const char *check_use(const char *text)
{
	return strchr(text, '/') == NULL ? NULL : check_service(text);
}

static void store_use(const struct filling *f)
{
	struct model_allow *a = f->base;
	struct service_use *u =
		arena_push(f->arena, (void **)&a->services, &a->nservices, &a->services_cap, sizeof(*u));

	u->name = (struct word){f->text, f->line};
	u->is_inline = strchr(f->text, '/') != NULL;
	if (u->is_inline)
		form_service(f->text, &u->port, &u->port6);
}

static struct model_own *push_own(const struct filling *f, const char *what, uint16_t port, uint8_t proto)
{
	struct model_system *s = &((struct model *)f->base)->system;
	struct model_own *own = arena_push(f->arena, (void **)&s->own, &s->nown, &s->own_cap, sizeof(*own));

	*own = (struct model_own){.host = {f->text, f->line}, .what = what, .port = {proto, port, port}};
	return own;
}

static void store_own(const struct filling *f)
{
	push_own(f, f->field->word, 123, IPPROTO_UDP);
}

static void store_alarm_via(const struct filling *f)
{
	struct model *m = f->base;

	m->system.alarm_via = push_own(f, f->field->word, 25, IPPROTO_TCP)->host;
}

static void store_collector(const struct filling *f)
{
	struct model_own *own = f->base;

	own->host = (struct word){f->text, f->line};
	own->what = f->field->word;
}

/* Why a word that people ask for is no application that can be verified, and what to do instead. */
#define NO_QUIC N_("QUIC hides all but its first packet, so it cannot be verified; let the clients use TLS over TCP")
#define NO_TUNNEL N_("a tunnel hides what it carries, so it cannot be verified; end it before this gate")
#define NO_TNS N_("there is no verifier for TNS (Oracle); without 'application' the rule is bounded by its hosts and port")
#define NO_VERIFIER N_("there is no verifier for it; without 'application' the rule is bounded by its hosts and port")
#define NO_PORTS \
	N_("it agrees on further connections and ports that nobody could verify; there is no verifier for it")
#define NO_SCREEN N_("it cannot be verified; write 'application tls' with 'server-name' and 'screen-product'")
#define AS_TLS N_("it begins with TLS: write 'application tls', and 'server-name' with the name of the server")
#define AS_SSH N_("it runs inside SSH: write 'application ssh'")
#define AS_HTTP N_("it runs over HTTP: write 'application http', or 'application tls' when it is encrypted")
#define AS_ICMP N_("ICMP has no application: leave it out, the service says it")

static const struct {
	const char *word, *why;
} no_applications[] = {
	{"quic", NO_QUIC}, {"http3", NO_QUIC}, {"h3", NO_QUIC}, {"doq", NO_QUIC},
	{"ike", NO_TUNNEL}, {"ipsec", NO_TUNNEL}, {"esp", NO_TUNNEL}, {"l2tp", NO_TUNNEL}, {"pptp", NO_TUNNEL},
	{"openvpn", NO_TUNNEL}, {"wireguard", NO_TUNNEL}, {"gre", NO_TUNNEL}, {"vpn", NO_TUNNEL},
	{"tns", NO_TNS}, {"oracle", NO_TNS},
	{"mysql", NO_VERIFIER}, {"mongodb", NO_VERIFIER}, {"telnet", NO_VERIFIER}, {"tftp", NO_VERIFIER},
	{"radius", NO_VERIFIER}, {"lpd", NO_VERIFIER}, {"nfs", NO_VERIFIER}, {"dhcp", NO_VERIFIER},
	{"sip", NO_PORTS}, {"h323", NO_PORTS}, {"rtsp", NO_PORTS}, {"rtp", NO_PORTS}, {"rpc", NO_PORTS},
	{"dcerpc", NO_PORTS}, {"msrpc", NO_PORTS}, {"wmi", NO_PORTS},
	{"ica", NO_SCREEN}, {"blast", NO_SCREEN}, {"pcoip", NO_SCREEN}, {"citrix", NO_SCREEN},
	{"https", AS_TLS}, {"ssl", AS_TLS}, {"http2", AS_TLS}, {"h2", AS_TLS}, {"ldaps", AS_TLS}, {"smtps", AS_TLS},
	{"imaps", AS_TLS}, {"pop3s", AS_TLS}, {"ftps", AS_TLS}, {"dot", AS_TLS}, {"doh", AS_TLS},
	{"sftp", AS_SSH}, {"scp", AS_SSH}, {"rsync", AS_SSH},
	{"web", AS_HTTP}, {"ipp", AS_HTTP}, {"wsus", AS_HTTP}, {"websocket", AS_HTTP}, {"winrm", AS_HTTP},
	{"icmp", AS_ICMP}, {"ping", AS_ICMP},
	{"cifs", N_("write 'application smb'")},
	{"mssql", N_("write 'application tds'")}, {"sqlserver", N_("write 'application tds'")},
	{"postgres", N_("write 'application postgresql'")},
	{"mail", N_("write smtp (sending), or pop3 or imap (reading)")},
	{"trap", N_("write 'application snmp application-option traps'")},
	{"snmptrap", N_("write 'application snmp application-option traps'")},
};

static const char *check_application(const char *text)
{
	for (size_t i = 0; i < sizeof(no_applications) / sizeof(no_applications[0]); i++)
		if (strcmp(no_applications[i].word, text) == 0)
			return no_applications[i].why;
	return NULL;
}

#define NAME_REFUSAL N_("not a name: letters, digits, '.', '_' and '-', at most 63 of them")

static void store_closes(const struct filling *f)
{
	*FIELD_AT(f, uint8_t) = strcmp(f->text, "caution") == 0 ? CLOSES_CAUTION
				: strcmp(f->text, "never") == 0 ? CLOSES_NEVER
								: CLOSES_LOCKDOWN;
}

const struct kind kind_application = {N_("not one of the possible values"), check_application, store_application};
const struct kind kind_segment = {N_("not one of the possible values"), NULL, store_segment};
const struct kind kind_sanitised = {N_("not one of the possible values"), NULL, store_sanitised};
const struct kind kind_screen = {N_("not one of the possible values"), NULL, store_screen};
const struct kind kind_date = {N_("not a date"), check_date, store_date};
const struct kind kind_dates = {N_("not a date"), check_date, store_dates};
const struct kind kind_days = {N_("not days of the week"), check_days, store_days};
const struct kind kind_hours = {N_("not a span of hours"), check_hours, store_hours};
const struct kind kind_window = {N_("not a window of two times"), check_window, store_window};
const struct kind kind_port = {N_("not a protocol and port"), check_port, store_port};
const struct kind kind_ports = {N_("not a protocol and port"), check_service, store_ports};
const struct kind kind_use = {
	N_("neither a protocol and port nor the name of a service"), check_use, store_use};
const struct kind kind_own = {NAME_REFUSAL, NULL, store_own};
const struct kind kind_alarm_via = {NAME_REFUSAL, NULL, store_alarm_via};
const struct kind kind_collector = {NAME_REFUSAL, NULL, store_collector};
const struct kind kind_closes = {N_("not one of the possible values"), NULL, store_closes};
