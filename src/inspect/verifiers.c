/*
 * verifiers.c: the table of verifiers, and what several of them share.
 */
#include <strings.h>

#include "verifiers.h"

static const struct verifier table[] = {
	[APP_NONE] = {APP_NONE, NULL, NULL, {0}},
	[APP_TLS] = {APP_TLS, tls_stream, NULL, {443, 8443, 636, 993}},
	[APP_HTTP] = {APP_HTTP, http_stream, NULL, {80, 8080, 3128}},
	[APP_SSH] = {APP_SSH, ssh_stream, NULL, {22}},
	[APP_SMTP] = {APP_SMTP, smtp_stream, NULL, {25, 587}},
	[APP_DNS] = {APP_DNS, dns_stream, dns_datagram, {53}},
	[APP_NTP] = {APP_NTP, NULL, ntp_datagram, {123}},
	[APP_SYSLOG] = {APP_SYSLOG, syslog_stream, syslog_datagram, {514, 601}},
	[APP_SNMP] = {APP_SNMP, NULL, snmp_datagram, {161, 162}},
	[APP_LDAP] = {APP_LDAP, ldap_stream, ldap_datagram, {389, 3268}},
	[APP_KERBEROS] = {APP_KERBEROS, kerberos_stream, kerberos_datagram, {88}},
	[APP_SMB] = {APP_SMB, smb_stream, NULL, {445}},
	[APP_RDP] = {APP_RDP, rdp_stream, NULL, {3389}},
	[APP_VNC] = {APP_VNC, vnc_stream, NULL, {5900, 5901}},
	[APP_POSTGRESQL] = {APP_POSTGRESQL, postgresql_stream, NULL, {5432}},
	[APP_TDS] = {APP_TDS, tds_stream, NULL, {1433}},
	[APP_FTP] = {APP_FTP, ftp_stream, NULL, {21}},
	[APP_POP3] = {APP_POP3, pop3_stream, NULL, {110}},
	[APP_IMAP] = {APP_IMAP, imap_stream, NULL, {143}},
};
#define NTABLE (sizeof(table) / sizeof(table[0]))

const struct verifier *verifier_table(size_t *ret_n)
{
	*ret_n = NTABLE;
	return table;
}

const struct verifier *verifier_of(enum application a)
{
	return a != APP_NONE && (size_t)a < NTABLE && table[a].application == a ? &table[a] : NULL;
}

static bool name_matches(const char *pattern, const char *name, size_t n)
{
	size_t k = strlen(pattern);

	if (k > 2 && pattern[0] == '*' && pattern[1] == '.') {
		pattern++;
		k--;
		return n > k && strncasecmp(name + (n - k), pattern, k) == 0;
	}
	return n == k && strncasecmp(name, pattern, k) == 0;
}

bool verify_name_allowed(const struct verify_list *list, const char *name, size_t n)
{
	if (n > 0 && name[n - 1] == '.')
		n--;
	for (uint32_t i = 0; i < list->n; i++)
		if (name_matches(list->v[i], name, n))
			return true;
	return list->n == 0;
}

bool verify_host_legal(const uint8_t *p, size_t n)
{
	size_t label = 0;

	if (n > 0 && p[n - 1] == '.')
		n--;
	for (size_t i = 0; i < n; i++) {
		bool letter = (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z';
		if (p[i] == '.' ? label == 0 : !letter && !(p[i] >= '0' && p[i] <= '9') && p[i] != '-' && p[i] != '_')
			return false;
		label = p[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return n > 0 && n <= 253 && label > 0;
}
