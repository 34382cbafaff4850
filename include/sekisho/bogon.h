/*
 * bogon.h: addresses that no packet may carry, with the reason that the kernel and `explain` give.
 *
 * MOD_CPP_FW 1.4e FFW_RUL_EXT.1.6/1.7; RFC 6890 and RFC 4291 for the ranges. Documentation ranges are not
 * here: they are what an example town uses.
 *
 * The order in which a packet is judged, in the kernel and in matcher_decide(); the first that holds names
 * the reason:
 *   1. fragments, options, extension headers (a question has none of these)
 *   2. local-noise: the source is unspecified or link-local and the destination multicast or broadcast
 *      (DHCP, ND, MLD, mDNS: hosts do this all day); what the gate itself must hear is let in before
 *   3. the source: addr-own, addr-broadcast (first or last address of a connected IPv4 network), the rows
 *      below
 *   4. spoof, mac: the source belongs to no way through the interface; its frame has another MAC address
 *   5. the destination: local-noise (multicast, 255.255.255.255, first or last address of a connected IPv4
 *      network), the rows below
 *   6. malformed: a TCP or UDP port 0, an ICMP type that nobody has assigned; redirect; related: an ICMP
 *      error of no flow; state: an ICMP answer to no question
 *   7. to-gateway for an address of the gateway; no-route
 *   8. the segment pair: forbidden-pair, or the policy: no-rule
 */
#ifndef SEKISHO_BOGON_H
#define SEKISHO_BOGON_H

#define BOGON_SRC 1
#define BOGON_DST 2
#define BOGON_BOTH 3

/* family, first, last, where, reason */
#define BOGONS(X) \
	X(4, "0.0.0.0", "0.0.0.0", BOGON_BOTH, ADDR_UNSPECIFIED) \
	X(4, "0.0.0.1", "0.255.255.255", BOGON_BOTH, ADDR_RESERVED) \
	X(4, "127.0.0.0", "127.255.255.255", BOGON_BOTH, ADDR_LOOPBACK) \
	X(4, "169.254.0.0", "169.254.255.255", BOGON_BOTH, ADDR_LINK_LOCAL) \
	X(4, "224.0.0.0", "239.255.255.255", BOGON_SRC, ADDR_MULTICAST) \
	X(4, "240.0.0.0", "255.255.255.254", BOGON_BOTH, ADDR_RESERVED) \
	X(4, "255.255.255.255", "255.255.255.255", BOGON_SRC, ADDR_BROADCAST) \
	X(6, "::", "::", BOGON_BOTH, ADDR_UNSPECIFIED) \
	X(6, "::1", "::1", BOGON_BOTH, ADDR_LOOPBACK) \
	X(6, "::2", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", BOGON_BOTH, ADDR_RESERVED) \
	X(6, "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", BOGON_BOTH, ADDR_RESERVED) \
	X(6, "fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", BOGON_BOTH, ADDR_RESERVED) \
	X(6, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", BOGON_BOTH, ADDR_LINK_LOCAL) \
	X(6, "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", BOGON_BOTH, ADDR_RESERVED) \
	X(6, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", BOGON_SRC, ADDR_MULTICAST)

#endif
