"""Each reason that a rule of ours can give, and each exemption, by a real packet; both families."""
import sys

import stand
from stand import frame

POLICY = """
segment k 1 eth0 10.1.0.1/24 2001:db8:1::1/64
segment l 2 eth1 10.2.0.1/24 2001:db8:2::1/64
segment n 3 eth2 192.0.2.1/24 2001:db8:3::1/64
network 0 10.1.10.0/24 02:00:00:01:00:fe
network 0 2001:db8:1:10::/64 02:00:00:01:00:fe
route 0 10.1.10.0/24 10.1.0.254
bound 1 10.2.0.8 02:00:00:02:00:08
bound 1 2001:db8:2::8 02:00:00:02:00:08
set answer-ping 1 1
rule web 0 1 1 0
box 0 tcp 10.1.0.20 10.2.0.8 443 443
box 0 tcp 2001:db8:1::20 2001:db8:2::8 443 443
box 0 udp 10.1.0.20 10.2.0.8 5000 5009
box 0 udp 2001:db8:1::20 2001:db8:2::8 5000 5009
box 0 icmp 10.1.0.20 10.2.0.8 2048 2303
box 0 icmpv6 2001:db8:1::20 2001:db8:2::8 32768 33023
rule far 0 1 1 0
box 1 udp 10.1.10.5 10.2.0.8 5000 5000
rule big 1 0 1 4
box 2 udp 10.2.0.9 10.1.0.7 6000 6000
box 2 udp 2001:db8:2::9 2001:db8:1::7 6000 6000
rule syslog 1 0 1 1
box 3 udp 10.2.0.9 10.1.0.7 514 514
box 3 udp 2001:db8:2::9 2001:db8:1::7 514 514
rule shell 1 2 2 0
box 4 tcp 10.2.0.9 192.0.2.10 22 22
box 4 tcp 2001:db8:2::9 2001:db8:3::a 22 22
rule mail 2 1 3 0
box 5 tcp 192.0.2.25 10.2.0.8 25 25
box 5 tcp 2001:db8:3::19 2001:db8:2::8 25 25
own 1 time out udp 10.2.0.9 123
"""

# the same hosts in both families: (k20, l8, l9, k7, n10, n25, k10.5)
HOSTS = {4: dict(k20="10.1.0.20", l8="10.2.0.8", l9="10.2.0.9", k7="10.1.0.7", n10="192.0.2.10", n25="192.0.2.25",
                 gw0="10.1.0.1", gw1="10.2.0.1"),
         6: dict(k20="2001:db8:1::20", l8="2001:db8:2::8", l9="2001:db8:2::9", k7="2001:db8:1::7",
                 n10="2001:db8:3::a", n25="2001:db8:3::19", gw0="2001:db8:1::1", gw1="2001:db8:2::1")}
WIRE = {"k": 0, "l": 1, "n": 2}
serial = 0


def token():
    global serial
    serial += 1
    return f"token-{serial:06d}-end".encode()


def udp(src, dst, sport, dport, payload, **how):
    return frame.packet(src, dst, frame.UDP, frame.udp(src, dst, sport, dport, payload), **how)


def tcp(src, dst, sport, dport, flags="S", payload=b"", **how):
    return frame.packet(src, dst, frame.TCP, frame.tcp(src, dst, sport, dport, flags, payload=payload), **how)


def icmp_proto(src):
    return frame.ICMP if frame.family(src) == 4 else frame.ICMPV6


def icmp(src, dst, kind, code, payload=b"", rest=b"\0\x01\0\x01", **how):
    return frame.packet(src, dst, icmp_proto(src), frame.icmp(src, dst, kind, code, rest, payload), **how)


def granted(s, h):
    t = token()
    s.passes("tcp syn", 0, 1, tcp(h["k20"], h["l8"], 40001, 443, payload=t), t)
    t = token()
    s.passes("udp", 0, 1, udp(h["k20"], h["l8"], 40002, 5003, t), t)
    t = token()
    s.passes("udp answer", 1, 0, udp(h["l8"], h["k20"], 5003, 40002, t), t)
    t = token()
    s.passes("udp again", 0, 1, udp(h["k20"], h["l8"], 40002, 5003, t), t)
    t = token()
    echo = 8 if frame.family(h["k20"]) == 4 else 128
    s.passes("echo", 0, 1, icmp(h["k20"], h["l8"], echo, 0, t), t)
    t = token()
    s.passes("echo answer", 1, 0, icmp(h["l8"], h["k20"], 0 if echo == 8 else 129, 0, t), t)


def errors(s, h):
    """ICMP errors about the flow k20:40010 -> l8:5004."""
    v4 = frame.family(h["k20"]) == 4
    unreachable, redirect = (3, 5) if v4 else (1, 137)
    t = token()
    first = udp(h["k20"], h["l8"], 40010, 5004, t)
    s.passes("flow for errors", 0, 1, first, t)
    s.passes("error from the end", 1, 0, icmp(h["l8"], h["k20"], unreachable, 3, first, rest=b"\0" * 4), t)
    s.stopped("error from a third host", 1, icmp(h["l9"], h["k20"], unreachable, 1, first, rest=b"\0" * 4), "related", t)
    s.stopped("error too long", 1,
              icmp(h["l8"], h["k20"], unreachable, 3, first + b"x" * (600 if v4 else 1250), rest=b"\0" * 4), "related", t)
    target = frame.ip(h["l9"]) if v4 else b"\0" * 4 + frame.ip(h["l9"]) + frame.ip(h["l8"])
    s.stopped("redirect", 1, icmp(h["l8"], h["k20"], redirect, 1, first, rest=target), "redirect", t,
              smac="02:00:00:02:00:08")
    other = udp(h["k20"], h["l8"], 40011, 5005, t)
    s.stopped("error about no flow", 1, icmp(h["l8"], h["k20"], unreachable, 3, other, rest=b"\0" * 4), "related", t)


def refused(s, h):
    v4 = frame.family(h["k20"]) == 4
    t = token()
    s.stopped("no rule", 0, tcp(h["k20"], h["l8"], 40020, 80, payload=t), "no-rule", t)
    s.stopped("no rule, backwards", 1, tcp(h["l8"], h["k20"], 40020, 443, payload=t), "no-rule", t)
    s.stopped("no rule, other protocol", 0, frame.packet(h["k20"], h["l8"], 89, t), "no-rule", t)
    s.stopped("forbidden pair", 0, tcp(h["k20"], h["n10"], 40020, 443, payload=t), "forbidden-pair", t)
    s.stopped("forbidden pair inward", 2, tcp(h["n10"], h["k20"], 40020, 443, payload=t), "forbidden-pair", t)
    s.stopped("late end", 0, tcp(h["k20"], h["l8"], 40021, 443, "FA", t), "state", t)
    s.stopped("answer without question", 1, icmp(h["l8"], h["k20"], 0 if v4 else 129, 0, t, rest=b"\7\7\0\1"),
              "state", t)
    s.stopped("not syn", 0, tcp(h["k20"], h["l8"], 40022, 443, "A", t), "not-syn", t)
    for flags in ("", "SF", "SR", "FR", "F", "FPU"):
        s.stopped(f"flags {flags}", 0, tcp(h["k20"], h["l8"], 40023, 443, flags, t), "malformed", t)
    short = frame.packet(h["k20"], h["l8"], frame.TCP, frame.tcp(h["k20"], h["l8"], 40024, 443, "S", offset=4) + t)
    s.stopped("tcp header length", 0, short, "malformed", t)
    s.stopped("port zero", 0, udp(h["k20"], h["l8"], 40025, 0, t), "malformed", t)
    s.stopped("source port zero", 0, tcp(h["k20"], h["l8"], 0, 443, payload=t), "malformed", t)
    length = frame.packet(h["k20"], h["l8"], frame.UDP, frame.udp(h["k20"], h["l8"], 40026, 5000, t, length=4))
    s.stopped("udp length", 0, length, "malformed", t)
    s.stopped("one way back", 0, answer_to_syslog(s, h, t), "one-way", t)
    s.stopped("no inspector", 1, tcp(h["l9"], h["n10"], 40027, 22, payload=t), "no-inspector", t)
    s.stopped("no mail gate", 2, tcp(h["n25"], h["l8"], 40028, 25, payload=t), "no-mail-gate", t)
    s.stopped("to the gateway", 1, tcp(h["l9"], h["gw1"], 40029, 22, payload=t), "to-gateway", t)
    s.stopped("to the gateway's other side", 1, tcp(h["l9"], h["gw0"], 40029, 22, payload=t), "to-gateway", t)
    s.stopped("no route", 1, udp(h["l9"], "198.51.100.1" if v4 else "2001:db8:9::1", 1, 53, t), "no-route", t)


def answer_to_syslog(s, h, t):
    s.passes("one way there", 1, 0, udp(h["l9"], h["k7"], 40030, 514, t), t)
    return udp(h["k7"], h["l9"], 514, 40030, t)


def addresses(s, h):
    v4 = frame.family(h["k20"]) == 4
    t = token()
    mac = "02:00:00:01:00:20"
    sources = [("0.0.0.0", "addr-unspecified"), ("127.0.0.1", "addr-loopback"), ("224.0.0.9", "addr-multicast"),
               ("255.255.255.255", "addr-broadcast"), ("10.1.0.255", "addr-broadcast"), ("169.254.1.1", "addr-link-local"),
               ("240.0.0.1", "addr-reserved"), ("0.1.2.3", "addr-reserved"), ("10.1.0.1", "addr-own"),
               ("192.0.2.1", "addr-own"), ("10.2.0.8", "spoof"), ("198.51.100.7", "spoof")] if v4 else \
              [("fe80::9", "addr-link-local"), ("100::9", "addr-reserved"), ("5000::1", "addr-reserved"),
               ("fec0::1", "addr-reserved"), ("2001:db8:1::1", "addr-own"), ("2001:db8:2::8", "spoof"),
               ("fd00::1", "spoof")]
    for src, reason in sources:
        s.stopped(f"source {src}", 0, udp(src, h["l8"], 1000, 5000, t), reason, t, smac=mac)
    destinations = [("127.0.0.5", "addr-loopback"), ("169.254.3.3", "addr-link-local"), ("240.1.1.1", "addr-reserved"),
                    ("224.0.0.251", "local-noise"), ("10.1.0.255", "local-noise"), ("255.255.255.255", "local-noise")] \
        if v4 else [("fe80::77", "addr-link-local"), ("4000::1", "addr-reserved"), ("ff02::fb", "local-noise")]
    for dst, reason in destinations:
        s.stopped(f"destination {dst}", 0, udp(h["k20"], dst, 1000, 5000, t), reason, t)
    s.stopped("broadcast frame", 0, udp(h["k20"], h["l8"], 1000, 5001, t), "local-noise", t, dmac="ff:ff:ff:ff:ff:ff")
    s.stopped("wrong mac", 1, udp(h["l8"], h["k20"], 1000, 5000, t), "mac", t, smac="02:66:66:66:66:66")
    behind = "10.1.10.5" if v4 else "2001:db8:1:10::5"
    s.stopped("wrong mac behind a router", 0, udp(behind, h["l8"], 1000, 5000, t), "mac", t, smac="02:66:66:66:66:66")
    if v4:
        s.passes("behind a router", 0, 1, udp(behind, h["l8"], 1000, 5000, t), t, smac="02:00:00:01:00:fe")


def headers(s):
    h4, h6, t = HOSTS[4], HOSTS[6], token()
    for name, options in (("record route", "0707040a010014"), ("source route", "8307040a020008"),
                          ("strict source route", "8907040a020008"), ("timestamp", "440805000a010014"), ("nop", "01")):
        s.stopped(name, 0, udp(h4["k20"], h4["l8"], 1, 5000, t, options=bytes.fromhex(options)), "ip-option", t)
    igmp = frame.ipv4("10.1.0.20", "224.0.0.22", 2, bytes.fromhex("2200f9fd00000000"), options=bytes.fromhex("94040000"))
    s.stopped("igmp report", 0, igmp, "local-noise", dmac="01:00:5e:00:00:16")
    for name, ext in (("routing", frame.routing()), ("hop by hop", frame.hop_by_hop()),
                      ("destination options", frame.destination_options())):
        s.stopped(name, 0, udp(h6["k20"], h6["l8"], 1, 5000, t, extensions=[ext]), "ext-header", t)
    s.stopped("esp", 0, frame.ipv6(h6["k20"], h6["l8"], 50, t), "ext-header", t)
    s.stopped("ah", 0, frame.ipv6(h6["k20"], h6["l8"], 51, bytes([59, 4]) + bytes(22) + t), "ext-header", t)


def fragments(s, h):
    v4 = frame.family(h["k20"]) == 4
    t = token()

    def pieces(src, dst, ident, dport=6000):
        whole = frame.udp(src, dst, 1111, dport, b"a" * 600 + t)
        cut = 400
        if v4:
            return [frame.ipv4(src, dst, 17, whole[:cut], ident=ident, more=True),
                    frame.ipv4(src, dst, 17, whole[cut:], ident=ident, frag=cut)]
        return [frame.ipv6(src, dst, 17, whole[:cut], extensions=[frame.fragment6(0, True, ident)]),
                frame.ipv6(src, dst, 17, whole[cut:], extensions=[frame.fragment6(cut, False, ident)])]

    for i, piece in enumerate(pieces(h["k20"], h["l8"], 77, 5000)):
        s.stopped(f"fragment {i}", 0, piece, "fragment", t)
    first, last = pieces(h["l9"], h["k7"], 78)
    s.drain()
    s.send(1, first)
    s.send(1, last)
    s.check(s.arrives(0, t, 1.0), "fragments of an opted-in pair pass")
    if v4:
        bad = [("not a multiple of eight", frame.ipv4(h["l9"], h["k7"], 17, b"x" * 100 + t[:3], more=True)),
               ("beyond the end", frame.ipv4(h["l9"], h["k7"], 17, b"x" * 64, frag=65528)),
               ("tiny first", frame.ipv4(h["l9"], h["k7"], 6, b"x" * 16, more=True)),
               ("over the flags", frame.ipv4(h["l9"], h["k7"], 6, b"x" * 64, frag=8))]
        for name, packet in bad:
            s.stopped(name, 1, packet, "malformed")
    else:
        hidden = frame.ipv6(h["l9"], h["k7"], 60, b"x" * 64, extensions=[frame.fragment6(0, True, 79)])
        s.stopped("header behind a fragment", 1, hidden, "ext-header")


def neighbours(s):
    """Discovery is answered, from link-local and global sources and for duplicate address detection; never forwarded."""
    def solicit(src, target, hop=255, wire=1):
        group = "ff02::1:ff" + target.split(":")[-1].rjust(6, "0")[-6:-4] + ":" + target.split(":")[-1].rjust(4, "0")
        group = "ff02::1:ff00:" + target.split(":")[-1]
        return frame.ipv6(src, group, 58, frame.icmp(src, group, 135, 0, b"\0" * 4, frame.ip(target) +
                                                     (b"" if src == "::" else bytes([1, 1]) + b"\2\0\0\2\0\x09")), hop=hop)

    dmac = "33:33:ff:00:00:01"
    for src in ("fe80::9", "2001:db8:2::9"):
        s.drain()
        s.send(1, solicit(src, "2001:db8:2::1"), smac="02:00:00:02:00:09", dmac=dmac)
        advert = frame.ip("2001:db8:2::1") + bytes([2, 1]) + bytes.fromhex("020000020001")
        s.check(s.arrives(1, advert, 1.0), f"solicitation from {src} is answered")
    before = s.counters()
    s.send(1, solicit("::", "2001:db8:2::77"), smac="02:00:00:02:00:09", dmac="33:33:ff:00:00:77")
    s.check(sum(v for k, v in s.counters().items() if k != "epoch") == sum(v for k, v in before.items() if k != "epoch"),
            "duplicate address detection is not refused")
    s.stopped("hop limit 64", 1, solicit("fe80::9", "2001:db8:2::1", hop=64), "malformed", smac="02:00:00:02:00:09", dmac=dmac)
    advert = frame.ipv6("fe80::9", "ff02::1", 58, frame.icmp("fe80::9", "ff02::1", 134, 0, bytes([64, 0, 7, 8]), b"\0" * 8),
                        hop=255)
    s.stopped("router advertisement", 1, advert, "local-noise", smac="02:00:00:02:00:09", dmac="33:33:00:00:00:01")
    report = frame.ipv6("fe80::9", "ff02::16", 58, frame.icmp("fe80::9", "ff02::16", 143, 0, b"\0\0\0\0"), hop=1,
                        extensions=[(0, bytes([0, 5, 2, 0, 0, 1, 0]))])
    s.stopped("listener report", 1, report, "local-noise", smac="02:00:00:02:00:09", dmac="33:33:00:00:00:16")


def gateway(s):
    t = token()
    s.drain()
    s.send(1, icmp("10.2.0.9", "10.2.0.1", 8, 0, t))
    s.check(s.arrives(1, t, 1.0), "echo is answered where the segment allows it")
    s.drain()
    s.send(1, icmp("2001:db8:2::9", "2001:db8:2::1", 128, 0, t))
    s.check(s.arrives(1, t, 1.0), "echo is answered, IPv6")
    s.stopped("echo elsewhere", 0, icmp("10.1.0.20", "10.1.0.1", 8, 0, t), "to-gateway")
    own = s.space.socket("gw", stand.socket.AF_INET, stand.socket.SOCK_DGRAM)
    own.sendto(t, ("10.2.0.9", 123))
    s.check(s.arrives(1, t, 1.0), "the gateway's own flow goes out")
    port = own.getsockname()[1]
    own.settimeout(1)
    s.send(1, udp("10.2.0.9", "10.2.0.1", 123, port, b"answer"))
    try:
        got = own.recv(100)
    except TimeoutError:
        got = b""
    s.check(got == b"answer", "and its answer comes in")
    before = s.counters().get("from-gateway", 0)
    try:
        own.sendto(t, ("10.2.0.9", 124))
    except PermissionError:
        pass
    s.check(s.counters().get("from-gateway", 0) == before + 1, "another one does not go out")
    own.close()


def main():
    stand.need_root()
    s = stand.Stand(sys.argv[1])
    try:
        s.do("open")
        s.do("shut")
        for wire, addresses_of in enumerate((("10.1.0.20", "10.1.0.7", "10.1.0.254", "2001:db8:1::20", "2001:db8:1::7"),
                                             ("10.2.0.8", "10.2.0.9", "2001:db8:2::8", "2001:db8:2::9"),
                                             ("192.0.2.10", "192.0.2.25", "2001:db8:3::a", "2001:db8:3::19"))):
            for address in addresses_of:
                s.neighbour(wire, address)
        s.space.ip("gw", "route", "add", "10.1.10.0/24", "via", "10.1.0.254")
        h = HOSTS[4]
        s.stopped("shut", 0, tcp(h["k20"], h["l8"], 1, 443), "gate-closed")
        s.policy(POLICY)
        s.do("commit 5")
        for fam in (4, 6):
            granted(s, HOSTS[fam])
            errors(s, HOSTS[fam])
            refused(s, HOSTS[fam])
            addresses(s, HOSTS[fam])
            fragments(s, HOSTS[fam])
        headers(s)
        neighbours(s)
        gateway(s)
        return s.end()
    finally:
        s.close()


sys.exit(main())
