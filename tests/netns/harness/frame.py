"""frame.py: builds and takes apart Ethernet frames, byte by byte, so that a test can send what no stack would send.

Addresses and MACs are text; everything returns bytes. Nothing here touches a socket.
"""
import ipaddress
import struct

ETH_IP, ETH_IP6, ETH_ARP = 0x0800, 0x86DD, 0x0806
TCP, UDP, ICMP, ICMPV6, SCTP = 6, 17, 1, 58, 132
PROTOS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmpv6": ICMPV6, "sctp": SCTP, "ospf": 89}
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return ipaddress.ip_address(text).packed


def family(text):
    return ipaddress.ip_address(text).version


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src, dst, proto, length):
    if family(src) == 4:
        return ip(src) + ip(dst) + struct.pack("!BBH", 0, proto, length)
    return ip(src) + ip(dst) + struct.pack("!IHBB", length, 0, 0, proto)


def ether(dst, src, ethertype, payload, vlan=None):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    return mac(dst) + mac(src) + tag + struct.pack("!H", ethertype) + payload


def ipv4(src, dst, proto, payload, ttl=64, ident=0, frag=0, more=False, dont=False, options=b"", length=None,
         version=4, check=None):
    """frag is the offset in bytes; length and check override what would be right."""
    options += b"\0" * (-len(options) % 4)
    ihl = 5 + len(options) // 4
    total = ihl * 4 + len(payload) if length is None else length
    flags = frag // 8 | (0x2000 if more else 0) | (0x4000 if dont else 0)
    head = struct.pack("!BBHHHBBH", version << 4 | ihl, 0, total, ident, flags, ttl, proto, 0) + ip(src) + ip(dst)
    head += options
    total_sum = checksum(head) if check is None else check
    return head[:10] + struct.pack("!H", total_sum) + head[12:] + payload


def ipv6(src, dst, proto, payload, hop=64, extensions=(), length=None):
    """extensions: [(type, body without its next-header byte)], each padded to 8 bytes by the caller."""
    chain, following = b"", proto
    for kind, body in reversed(extensions):
        chain = bytes([following]) + body + chain
        following = kind
    size = len(chain) + len(payload) if length is None else length
    return struct.pack("!IHBB", 6 << 28, size, following, hop) + ip(src) + ip(dst) + chain + payload


def hop_by_hop():
    return (0, bytes([0, 1, 4, 0, 0, 0, 0]))  # one PadN option


def routing(kind=0):
    return (43, bytes([0, kind, 0]) + b"\0" * 4)


def destination_options():
    return (60, bytes([0, 1, 4, 0, 0, 0, 0]))


def fragment6(offset, more, ident):
    return (44, bytes([0]) + struct.pack("!HI", offset // 8 << 3 | (1 if more else 0), ident))


def tcp_flags(text):
    return sum(FLAGS[c] for c in text)


def tcp(src, dst, sport, dport, flags="S", seq=1, ack=0, payload=b"", offset=None):
    size = 5 if offset is None else offset
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, size << 4, tcp_flags(flags), 8192, 0, 0)
    total = checksum(pseudo(src, dst, TCP, len(head) + len(payload)) + head + payload)
    return head[:16] + struct.pack("!H", total) + head[18:] + payload


def udp(src, dst, sport, dport, payload=b"", length=None):
    size = 8 + len(payload) if length is None else length
    head = struct.pack("!HHHH", sport, dport, size, 0)
    total = checksum(pseudo(src, dst, UDP, 8 + len(payload)) + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", total) + payload


def icmp(src, dst, kind, code, rest=b"\0" * 4, payload=b""):
    """ICMP or ICMPv6 by the family of the addresses."""
    head = bytes([kind, code, 0, 0]) + rest
    cover = b"" if family(src) == 4 else pseudo(src, dst, ICMPV6, len(head) + len(payload))
    total = checksum(cover + head + payload)
    return head[:2] + struct.pack("!H", total) + head[4:] + payload


def arp(op, sender_mac, sender_ip, target_mac, target_ip):
    return (struct.pack("!HHBBH", 1, ETH_IP, 6, 4, op) + mac(sender_mac) + ip(sender_ip) + mac(target_mac)
            + ip(target_ip))


def neighbour_advertisement(src, dst, target, target_mac):
    """Solicited, overriding; ready as an IPv6 packet."""
    option = bytes([2, 1]) + mac(target_mac)
    return ipv6(src, dst, ICMPV6, icmp(src, dst, 136, 0, struct.pack("!I", 0x60000000), ip(target) + option), hop=255)


def packet(src, dst, proto, payload, **how):
    """An IP packet of the addresses' family."""
    return (ipv4 if family(src) == 4 else ipv6)(src, dst, proto, payload, **how)


def ethertype(src):
    return ETH_IP if family(src) == 4 else ETH_IP6


def parse(frame):
    """{dst,src,type,family,saddr,daddr,proto,sport,dport,payload} as far as the frame is understood, else None."""
    if len(frame) < 14:
        return None
    kind, at = struct.unpack("!H", frame[12:14])[0], 14
    vlan = None
    if kind == 0x8100 and len(frame) >= 18:
        vlan, kind = struct.unpack("!HH", frame[14:18])
        at = 18
    got = {"dst": frame[0:6].hex(":"), "src": frame[6:12].hex(":"), "type": kind, "vlan": vlan}
    body = frame[at:]
    if kind == ETH_IP and len(body) >= 20:
        ihl = (body[0] & 15) * 4
        got.update(family=4, proto=body[9], saddr=str(ipaddress.ip_address(body[12:16])),
                   daddr=str(ipaddress.ip_address(body[16:20])))
        body = body[ihl:struct.unpack("!H", body[2:4])[0]]
    elif kind == ETH_IP6 and len(body) >= 40:
        got.update(family=6, proto=body[6], saddr=str(ipaddress.ip_address(body[8:24])),
                   daddr=str(ipaddress.ip_address(body[24:40])))
        body = body[40:40 + struct.unpack("!H", body[4:6])[0]]
    elif kind == ETH_ARP and len(body) >= 28:
        got.update(op=struct.unpack("!H", body[6:8])[0], sender_mac=body[8:14].hex(":"),
                   sender=str(ipaddress.ip_address(body[14:18])), target=str(ipaddress.ip_address(body[24:28])))
        return got
    else:
        return got
    if got["proto"] in (TCP, UDP) and len(body) >= 8:
        got["sport"], got["dport"] = struct.unpack("!HH", body[:4])
    elif got["proto"] in (ICMP, ICMPV6) and len(body) >= 8:
        got["icmp"] = (body[0], body[1])
        if got["proto"] == ICMPV6 and body[0] == 135 and len(body) >= 24:
            got["target"] = str(ipaddress.ip_address(body[8:24]))
    got["payload"] = body
    return got
