/*
 * reason.h: why a packet was stopped. One table serves kernel, log, console and tests.
 *
 * The code travels as packet mark into the kernel's log event (NFULA_MARK), names the kernel's counter object,
 * and is what the store keeps; codes are therefore never reused or renumbered.
 * To add one: a row in REASONS below, its rule in src/nft/, its packet in tests/netns/reasons.
 */
#ifndef SEKISHO_REASON_H
#define SEKISHO_REASON_H

#include <stdint.h>

/*   code  NAME             word                what people read (English msgid; Japanese in po/ja.po)          */
#define REASONS(X)                                                                                             \
	X(1, GATE_CLOSED, "gate-closed", N_("the gate is closed"))                                              \
	X(2, NO_RULE, "no-rule", N_("no approved flow allows this"))                                            \
	X(3, FORBIDDEN_PAIR, "forbidden-pair", N_("these two segments never talk to each other"))               \
	X(4, STATE, "state", N_("does not belong to any known connection"))                                     \
	X(5, NOT_SYN, "not-syn", N_("a TCP connection must begin with SYN"))                                    \
	X(6, RELATED, "related", N_("an ICMP error that no passed flow explains"))                              \
	X(7, REDIRECT, "redirect", N_("ICMP redirects are never believed"))                                     \
	X(8, FRAGMENT, "fragment", N_("fragments are not allowed for this pair of hosts"))                      \
	X(9, MALFORMED, "malformed", N_("the packet breaks its protocol's rules"))                              \
	X(10, IP_OPTION, "ip-option", N_("IP options are not allowed"))                                         \
	X(11, EXT_HEADER, "ext-header", N_("this IPv6 extension header is not allowed"))                        \
	X(12, ADDR_UNSPECIFIED, "addr-unspecified", N_("source or destination is the unspecified address"))     \
	X(13, ADDR_LOOPBACK, "addr-loopback", N_("a loopback address on the wire"))                             \
	X(14, ADDR_MULTICAST, "addr-multicast", N_("the source is a multicast address"))                        \
	X(15, ADDR_BROADCAST, "addr-broadcast", N_("the source is a broadcast address"))                        \
	X(16, ADDR_LINK_LOCAL, "addr-link-local", N_("link-local addresses do not cross"))                      \
	X(17, ADDR_RESERVED, "addr-reserved", N_("source or destination is in a reserved range"))               \
	X(18, ADDR_OWN, "addr-own", N_("the source claims to be this gateway"))                                 \
	X(19, SPOOF, "spoof", N_("the source does not belong to the segment it came from"))                     \
	X(20, MAC, "mac", N_("the MAC address differs from the approved one"))                                  \
	X(21, LOCAL_NOISE, "local-noise", N_("broadcast or multicast that could never cross"))                  \
	X(22, NO_ROUTE, "no-route", N_("no segment holds the destination"))                                     \
	X(23, UNKNOWN_INTERFACE, "unknown-interface", N_("the interface belongs to no segment"))                \
	X(24, TO_GATEWAY, "to-gateway", N_("the gateway offers no such service"))                               \
	X(25, FROM_GATEWAY, "from-gateway", N_("the gateway itself may not send this"))                         \
	X(26, ONE_WAY, "one-way", N_("this flow is approved in one direction only"))                            \
	X(27, SOURCE_LIMIT, "source-limit", N_("too many connections from one source"))                         \
	X(28, HALF_OPEN, "half-open", N_("too many connections that never complete"))                           \
	X(29, NO_INSPECTOR, "no-inspector", N_("the application cannot be verified, as the inspector is not there")) \
	X(30, NO_MAIL_GATE, "no-mail-gate", N_("mail crosses only through the mail gate")) \
	X(31, APP_MISMATCH, "app-mismatch", N_("not the application that the approval names"))                  \
	X(32, LOG_FULL, "log-full", N_("records cannot be kept, so nothing new may pass"))                      \
	X(33, UNFITTING, "unfitting", N_("the packet does not fit its connection, which is being verified")) \
	X(34, CUT, "cut", N_("an emergency cut is in force"))

#ifndef N_
#define N_(s) s /* marks a msgid for xgettext */
#endif
enum reason {
	REASON_NONE = 0,
#define X(code, name, word, text) REASON_##name = code,
	REASONS(X)
#undef X
	REASON_END, /* one past the last code */
};

/* The stable word ("no-rule"), "unknown" for a code that is none. Never NULL. */
const char *reason_word(unsigned code);
/* The sentence, untranslated (a gettext msgid). Never NULL. */
const char *reason_text(unsigned code);
/* The code of a word, or REASON_NONE. */
enum reason reason_find(const char *word);

#endif
