/*
 * verifiers.h: the functions that the table of verifiers.c names, one line for each.
 */
#ifndef SEKISHO_INSPECT_VERIFIERS_H
#define SEKISHO_INSPECT_VERIFIERS_H

#include "verify.h"

verify_fn smb_stream;
verify_fn dns_stream, dns_datagram;
verify_fn ldap_stream, ldap_datagram;
verify_fn smtp_stream;
verify_fn http_stream;
verify_fn rdp_stream;
verify_fn vnc_stream;
verify_fn tls_stream;
verify_fn ssh_stream;

/* Letters, digits, hyphens, underscores; labels of 1 to 63, a final dot allowed: a name, or an IPv4 address in digits. */
bool verify_host_legal(const uint8_t *p, size_t n);
verify_fn kerberos_stream, kerberos_datagram;
verify_fn snmp_datagram;
verify_fn ntp_datagram;
verify_fn syslog_stream, syslog_datagram;
verify_fn postgresql_stream;
verify_fn ftp_stream;
verify_fn tds_stream;
verify_fn pop3_stream;
verify_fn imap_stream;

#endif
