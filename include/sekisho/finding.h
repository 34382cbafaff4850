/*
 * finding.h: what can be wrong with the gate, in one table: code, severity, sentence, how to cure it.
 *
 * sekishod collects findings, computes the health (正常 / 注意 / 異常) from them and tells them on request.
 * A finding either stands (as long as its cause does) or is an event (kept for a while after it happened).
 * To add one: a row here, the place that raises it, its case in tests/unit/gate/test_health.c.
 */
#ifndef SEKISHO_FINDING_H
#define SEKISHO_FINDING_H

#include <stdint.h>

#ifndef N_
#define N_(s) s /* marks a msgid for xgettext */
#endif

/* Severities are enum msg_health: CAUTION 1, ABNORMAL 2. S = stands, E = event. */
/* NAME, code, severity, kind, sentence, cure */
#define FINDINGS(X)                                                                                            \
	X(NO_POLICY, "no-policy", 1, S, N_("no policy is in force: everything is closed"),                      \
		N_("check and commit a policy"))                                                                \
	X(POLICY_BROKEN, "policy-broken", 2, S, N_("the stored policy cannot be put in force: closed"),         \
		N_("commit a valid policy"))                                                                    \
	X(STORE_BROKEN, "store-broken", 2, S, N_("the stored generations cannot be read or written"),           \
		N_("check the storage, then commit again"))                                                     \
	X(KERNEL_REFUSED, "kernel-refused", 2, S, N_("the kernel refused the ruleset"),                         \
		N_("look at the named rule; if it is right, report a defect"))                                  \
	X(PROOF, "proof", 2, S, N_("the proof found that the kernel does not hold the policy: closed"),         \
		N_("commit again; if it stays, report a defect with the proof's findings"))                     \
	X(PROOF_FAILED, "proof-failed", 2, S, N_("the proof could not be made: closed"),                        \
		N_("prove again (sekisho prove); if it stays, restart the gate"))                               \
	X(LEASE, "lease", 2, S, N_("the lease could not be renewed: the gate closes by itself"),                \
		N_("look at the fault records; restart the gate"))                                              \
	X(TAMPERED, "tampered", 2, E, N_("the ruleset was changed by somebody else and was restored"),          \
		N_("find out who has root on this machine and what they ran"))                                  \
	X(FOREIGN_HOOK, "foreign-hook", 2, S, N_("another table sees packets before ours"),                     \
		N_("remove the table or ask who made it"))                                                      \
	X(FOREIGN_TABLE, "foreign-table", 1, E, N_("somebody else changed packet rules on this machine"),       \
		N_("ask who did; ours were proved again"))                                                         \
	X(CLOCK, "clock", 1, S, N_("the clock is not trusted: rules with times are closed"),                    \
		N_("set the clock"))                                                                            \
	X(INTERFACE_MISSING, "interface-missing", 1, S, N_("the interface does not exist"),                     \
		N_("plug it in or correct its name in the policy; it is set up when it appears"))               \
	X(VLAN_UNSUPPORTED, "vlan-unsupported", 1, S, N_("this kernel cannot make VLAN interfaces"),            \
		N_("use a kernel with 8021q"))                                                                  \
	X(VLAN_PLAIN, "vlan-plain", 1, S, N_("the interface exists but is not that VLAN"),                      \
		N_("remove the interface of that name, or take `parent` and `vlan` out of the policy"))         \
	X(NET_REFUSED, "net-refused", 2, S, N_("the kernel refused a network setting"),                         \
		N_("compare the policy's addresses, routes and interfaces with the machine"))                   \
	X(NET_CHANGED, "net-changed", 1, E, N_("a network setting was changed by somebody else and put back"),  \
		N_("find out who changed it"))                                                                  \
	X(INTERFACE_UNKNOWN, "interface-unknown", 1, S, N_("an interface is up that belongs to no segment"),    \
		N_("add it to the policy or unplug it; nothing passes through it"))                             \
	X(SYSCTL, "sysctl", 1, S, N_("a kernel setting cannot be given its value"),                             \
		N_("use a kernel that has the setting"))                                                        \
	X(SYSCTL_CHANGED, "sysctl-changed", 1, E, N_("a kernel setting was changed by somebody else and put back"), \
		N_("find out who changed it"))                                                                  \
	X(LOG_FULL, "log-full", 2, S, N_("records cannot be stored: nothing new may pass"),                     \
		N_("check the storage"))                                                                        \
	X(LOG_SILENT, "log-silent", 2, S, N_("the recorder does not answer"),                                   \
		N_("it is started again by itself; look at the fault records"))                                 \
	X(LOG_LOSS, "log-loss", 1, E, N_("records of drops were lost and counted"),                             \
		N_("look at the summary: a flood, or too low a limit"))                                         \
	X(RESTARTED, "restarted", 1, E, N_("a process ended and was started again"),                            \
		N_("look at the fault records"))                                                                \
	X(CONNTRACK_FULL, "conntrack-full", 1, S, N_("the table of connections is nearly full"),                \
		N_("look for the source of the connections"))                                                   \
	X(INSPECTOR_AWAY, "inspector-away", 2, S, N_("the inspector does not run: what must be verified is refused"), \
		N_("it is started again by itself; look at the fault records"))                                 \
	X(INSPECTOR_BROKEN, "inspector-broken", 1, E, N_("the inspector failed and was started again"),         \
		N_("look at the fault records; if it repeats, report a defect"))                                \
	X(INSPECTOR_FULL, "inspector-full", 1, S, N_("the inspector's table of connections is nearly full"),    \
		N_("look for the source of the connections"))                                                   \
	X(QUEUE_FULL, "queue-full", 1, E, N_("packets were dropped before inspection: too many at once"),       \
		N_("look for the source of the packets"))                                                       \
	X(MAIL_AWAY, "mail-away", 2, S, N_("the mail gate does not run: no mail passes"),                       \
		N_("it is started again by itself; look at the fault records"))                                 \
	X(MAIL_DEAF, "mail-deaf", 2, S, N_("the mail gate cannot listen on its addresses"),                     \
		N_("compare the listen addresses of `mail` with those of the gateway"))                         \
	X(MAIL_HOP_DOWN, "mail-hop-down", 1, S, N_("no mail server takes mail: senders are asked to wait"),     \
		N_("look at the mail server, and at the way to it"))                                            \
	X(MAIL_SLOWED, "mail-slowed", 1, S, N_("more mail than usual: it is slowed down"),                      \
		N_("look at who sends it (sekisho log mail)"))                                                  \
	X(MAIL_STOPPED, "mail-stopped", 2, S, N_("a flood of mail was stopped"),                                \
		N_("look at who sends it (sekisho log mail), then: sekisho mail resume"))                       \
	X(CUT, "cut", 1, S, N_("an emergency cut is in force"),                                                 \
		N_("when its cause is gone: sekisho restore NUMBER"))                                           \
	X(LEVEL, "level", 1, S, N_("the alert level is raised"),                                                \
		N_("when its cause is gone: sekisho level normal"))                                             \
	X(CUTS_BROKEN, "cuts-broken", 2, S, N_("the stored list of emergency cuts cannot be read: everything is cut"), \
		N_("look at the records for what was cut, cut that again, then: sekisho restore NUMBER"))       \
	X(CUTS_UNSTORED, "cuts-unstored", 2, S, N_("emergency cuts could not be stored: they end with a restart"), \
		N_("check the storage; pull the cable of what must stay cut"))                                  \
	X(TLS_CERTIFICATE, "tls-certificate", 1, S, N_("a certificate that the policy names cannot be used"),   \
		N_("put its files in place (sekisho mail certificates says what is wrong)"))                     \
	X(TLS_EXPIRED, "tls-expired", 2, S, N_("a certificate of the mail gate does not hold now"),             \
		N_("put a new certificate in its place; look at the clock"))                                    \
	X(TLS_EXPIRES, "tls-expires", 1, S, N_("a certificate of the mail gate expires within 30 days"),        \
		N_("order a new one and put it in its place"))                                                  \
	X(TLS_NAME, "tls-name", 1, S, N_("a certificate of the mail gate does not name this host"),             \
		N_("compare its names with `system hostname`"))                                                 \
	X(ALARM_AWAY, "alarm-away", 1, S, N_("the sender of alarm mail does not run"),                          \
		N_("it is started again by itself; look at the fault records"))                                 \
	X(ALARM_UNDELIVERED, "alarm-undelivered", 1, S, N_("alarm mail could not be delivered for an hour"),    \
		N_("look at the mail server of `system alarm via`, and at the way to it; then: sekisho alarm test")) \
	X(SCAN, "scan", 1, S, N_("one source was refused at many destinations or ports"),                       \
		N_("find the machine: is somebody trying doors, or is it set up wrongly? (sekisho show log drops --src)")) \
	X(FLOOD, "flood", 1, S, N_("one source is refused very often"),                                         \
		N_("find the machine and what it sends (sekisho show log drops --src)"))                        \
	X(BEACON, "beacon", 1, S, N_("regular attempts to reach where nothing may go"),                         \
		N_("look for the program that calls there: malware reports like this, and so do forgotten settings")) \
	X(UNKNOWN_MAC, "unknown-mac", 1, S, N_("a machine that is not registered tried to communicate"),        \
		N_("find the machine by its MAC address and its switch port; register it or take it away"))     \
	X(DISK_CAUTION, "disk-caution", 1, S, N_("the disk of data is nearly full"),                            \
		N_("see what uses it: sekisho show hardware"))                                                  \
	X(DISK_FULL, "disk-full", 2, S, N_("the disk of data is full: soon nothing can be recorded"),           \
		N_("make room, or replace the disk"))                                                           \
	X(EXPIRING, "expiring", 1, S, N_("approved flows end soon"),                                            \
		N_("have them renewed, or let them end: sekisho show rules --expiring 30"))                     \
	X(KERNEL_LACKS, "kernel-lacks", 1, S, N_("this kernel lacks a protection"),                             \
		N_("use a newer kernel"))                                                                       \
	X(TOO_MANY, "too-many", 1, S, N_("there are more findings than can be shown"),                          \
		N_("cure those that are shown first"))

enum finding {
#define X(NAME, code, severity, kind, text, cure) FINDING_##NAME,
	FINDINGS(X)
#undef X
	FINDING_END,
};

/* The stable word; "unknown" for a value out of range. Never NULL. */
const char *finding_code(unsigned f);
/* The sentence and the cure, untranslated (msgids). Never NULL. */
const char *finding_text(unsigned f);
const char *finding_cure(unsigned f);
/* enum msg_health. */
uint32_t finding_severity(unsigned f);
/* True for what happened once and is kept for a while; false for what stands. */
int finding_is_event(unsigned f);

#endif
