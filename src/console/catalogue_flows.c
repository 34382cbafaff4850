/*
 * catalogue_flows.c: the flows that most towns have, as beginnings of an application.
 *
 * Ports are what such systems typically use, each an example (例): no public specification says them for a town's own
 * system, the supplier does. A row only fills in what a question offers; nothing of it is in force without an answer, and
 * the compiler's laws hold for it as for any flow. To add one: a row, and its Japanese in po/ja.po.
 */
#include "catalogue_flows.h"

#include <sekisho/i18n.h>

const struct catalogue_flow catalogue_flows[] = {
	{"mail-in", N_("Internet mail to us, made plain text"),
		N_("mail server of the internet -> mail server of lgwan"), "tcp/25", "smtp",
		"mail-to-text", false, N_("The mail gate takes it; `mail inbound` of the policy must stand as well.")},
	{"mail-out", N_("mail to the internet"),
		N_("mail server of lgwan -> mail server of the internet"), "tcp/25", "smtp",
		"mail-to-text", false, N_("The mail gate takes it; `mail outbound` of the policy must stand as well.")},
	{"screen", N_("screen transfer (VDI, remote desktop)"),
		N_("PC of lgwan -> screen server of internet"), "tcp/3389", "rdp",
		"screen-transfer", false, N_("Clipboard and drives are closed at the screen server, not here.")},
	{"file-relay", N_("device that sanitises files"),
		N_("PC of lgwan -> file relay"), "tcp/443", "tls", "file-relay", false,
		N_("Its product and statement are added to the flow: sanitising-product, sanitising-statement.")},
	{"asp", N_("LGWAN-ASP service"),
		N_("PC of lgwan -> server of the LGWAN-ASP"), "tcp/443", "tls", "", false, NULL},
	{"lgwan-mail", N_("LGWAN mail"),
		N_("mail server of lgwan -> mail server of LGWAN"), "tcp/25", "smtp", "", false, NULL},
	{"dns", N_("name resolution"),
		N_("server of lgwan -> name server of LGWAN"), "udp/53 tcp/53", "dns", "", false, NULL},
	{"ntp", N_("time of day (NTP)"),
		N_("server -> time server"), "udp/123", "ntp", "", false,
		N_("Machines of mynumber ask a relay of the town's own.")},
	{"eltax", N_("eLTAX and national tax data"),
		N_("tax system of mynumber -> relay of lgwan"), "tcp/443", "tls", "", false,
		N_("The mynumber side fetches.")},
	{"pittari", N_("applications from Pittari Service"),
		N_("application system of mynumber -> relay server of lgwan"), "tcp/443", "tls", "", false,
		N_("Opened from mynumber where the supplier can.")},
	{"konbini", N_("certificates at convenience stores"),
		N_("certificate centre -> issuing server"), "tcp/443", "tls", "", false,
		N_("Give it the hours of the service.")},
	{"juki", N_("resident network (Juki-net) CS"),
		N_("residents' system -> CS"), "", "", "", false,
		N_("Ports are not public: ask the supplier. One pair of hosts only.")},
	{"chukan", N_("intermediate server"),
		N_("address server of mynumber -> line to the intermediate server"), "tcp/443", "tls", "", false,
		N_("Ports are not public: ask the supplier.")},
	{"ad", N_("domain controller across segments"),
		N_("server -> domain controller"), "tcp/88 udp/88", "kerberos", "", false,
		N_("Better a domain for each segment: this joins what the segments part. Each protocol is a flow of its own.")},
	{"wsus", N_("updates and virus patterns"),
		N_("server -> relay server of updates"), "tcp/8530", "http", "", false,
		N_("From server to server, never from each PC.")},
	{"log", N_("collection of logs"),
		N_("server of mynumber -> log server of lgwan"), "udp/514", "syslog", "", false,
		N_("Can be made one-way: set allow NAME one-way.")},
	{"print", N_("printing, scanning"),
		N_("PC -> printer"), "tcp/9100 tcp/515 tcp/631", "", "", false, NULL},
	{"crl", N_("revocation lists of LGPKI and GPKI"),
		N_("server -> directory of the authority"), "tcp/389", "ldap", "", false, NULL},
	{"maintenance", N_("remote maintenance, once"),
		N_("the supplier's line -> host"), "tcp/22", "ssh", "", true, NULL},
	{"csv", N_("files between business systems (RPA, CSV)"),
		N_("host -> file server"), "tcp/445", "smb", "", false,
		N_("One pair of hosts; SMB 1 never passes.")},
	{"gcas", N_("government cloud"),
		N_("business system of mynumber -> government cloud"), "tcp/443", "tls", "", false,
		N_("By the closed line; ranges of addresses as the cloud states them.")},
	{"cloud", N_("cloud service (local break-out)"),
		N_("PC of lgwan -> cloud"), "tcp/443", "tls", "", false,
		N_("Only under the model alpha-prime; add: permitted-as local-breakout, and the names of the servers.")},
};

size_t catalogue_flows_count(void)
{
	return sizeof(catalogue_flows) / sizeof(catalogue_flows[0]);
}
