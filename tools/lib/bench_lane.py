"""bench_lane.py: one gateway between a source and a sink, in three namespaces, for tools/bench.

A lane is plain forwarding, a ruleset that is not ours, or the gate. All lanes have the same addresses:
sources 10.1.0.0/16 behind a router on eth0, hosts of 10.2.0.0/16 on eth1, and the same for IPv6.
"""
import json
import os
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/netns/harness"))

import ns  # noqa: E402
from gate import Gate  # noqa: E402
from town import GATEWAY  # noqa: E402

ROUTER_MAC, SINK_MAC = "02:00:00:01:00:fe", "02:00:00:02:00:08"
ROUTER4, ROUTER6 = "10.1.0.254", "2001:db8:1::fe"
GW = {"eth0": ("10.1.0.1/24", "2001:db8:1::1/64"), "eth1": ("10.2.0.1/16", "2001:db8:2::1/48")}
SOURCE_NET4, SOURCE_NET6 = "10.1.16.0/20", "2001:db8:1:10::/64"
HOSTS = 100  # sources, and destinations


def source4(i):
    return f"10.1.16.{i + 1}"


def source6(i):
    return f"2001:db8:1:10::{i + 1:x}"


def sink4(i):
    return f"10.2.1.{i + 1}"


def sink6(i):
    return f"2001:db8:2::1:{i + 1:x}"


def sink_mac(i):
    return f"02:00:00:02:01:{i + 1:02x}"


class Lane:
    """Namespaces NAME-src, gw, dst. Attribute space is what Gate wants of a town."""

    def __init__(self, name, load):
        self.name, self.load = name, load
        self.space = ns.Space(f"sekisho-b-{name}-")
        self.gate, self.seats = None, []
        for node in ("src", GATEWAY, "dst"):
            self.space.add(node)
        self.space.sysctl("dst", net__ipv6__conf__default__disable_ipv6=1, net__ipv6__conf__all__disable_ipv6=1)
        self.space.sysctl("src", net__ipv6__conf__default__accept_dad=0)
        self.space.veth("src", "eth0", GATEWAY, "eth0", mac_a=ROUTER_MAC)
        self.space.veth("dst", "eth0", GATEWAY, "eth1", mac_a=SINK_MAC)
        self.space.ip("src", "link", "set", "dev", "eth0", "up")
        self.space.ip("dst", "link", "set", "dev", "eth0", "up")

    def close(self):
        for sock in self.seats:
            sock.close()
        if self.gate is not None:
            self.gate.stop()
        self.space.remove()

    # -- kinds of gateway ----------------------------------------------------------------------------------

    def make_plain(self):
        """Addresses, routes, permanent neighbours, forwarding; no packet filter."""
        batch = []
        for dev, (four, six) in GW.items():
            batch += [f"addr add {four} dev {dev}", f"addr add {six} dev {dev} nodad", f"link set dev {dev} up"]
        batch += [f"neigh replace {ROUTER4} lladdr {ROUTER_MAC} dev eth0 nud permanent",
                  f"neigh replace {ROUTER6} lladdr {ROUTER_MAC} dev eth0 nud permanent",
                  f"route add {SOURCE_NET4} via {ROUTER4}", f"route add {SOURCE_NET6} via {ROUTER6}"]
        for i in range(HOSTS):
            batch += [f"neigh replace {sink4(i)} lladdr {sink_mac(i)} dev eth1 nud permanent",
                      f"neigh replace {sink6(i)} lladdr {sink_mac(i)} dev eth1 nud permanent"]
        ns.run("ip", "-n", self.space.full(GATEWAY), "-batch", "-", stdin="\n".join(batch) + "\n")
        self.space.sysctl(GATEWAY, net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        return self

    def nft(self, text):
        """Loads a ruleset; seconds it took."""
        start = time.monotonic()
        ns.run("ip", "netns", "exec", self.space.full(GATEWAY), "nft", "-f", "-", stdin=text)
        return time.monotonic() - start

    def flush(self):
        ns.run("ip", "netns", "exec", self.space.full(GATEWAY), "nft", "flush", "ruleset")

    def make_gate(self, build, policy):
        self.gate = Gate(build, self)
        self.gate.start()
        self.commit(policy)
        return self

    def commit(self, policy):
        """Puts a policy in force; {"kernel_us", "total_us", ...} as the gate says, and "wall_us" as we see it."""
        path = os.path.join(self.gate.work, "bench.policy")
        with open(path, "w", encoding="utf-8") as f:
            f.write(policy)
        start = time.monotonic()
        done = self.gate.ask("commit", path, "--who", "bench", "--why", "bench", "--json")
        got = json.loads(done.stdout.strip().splitlines()[-1])
        got["wall_us"] = int((time.monotonic() - start) * 1e6)
        return got

    # -- traffic -------------------------------------------------------------------------------------------

    def gateway_mac(self):
        return self.space.ip(GATEWAY, "-o", "link", "show", "dev", "eth0").stdout.split("link/ether ")[1].split()[0]

    def send(self, family=4, source=0, sink=0, port=5000, wait=True, **words):
        """Raw frames from source host to sink host; the counts of load.c as a dictionary (or the process)."""
        src, dst = (source4, sink4) if family == 4 else (source6, sink6)
        words = {"src": src(source), "dst": dst(sink), "dport": port, "smac": ROUTER_MAC, "dmac": self.gateway_mac(),
                 "dev": "eth0", **words}
        command = [self.load, "raw"] + [w for k, v in words.items() for w in (f"--{k}", str(v))]
        process = self.space.popen("src", command, stdout=subprocess.PIPE, text=True)
        return process if not wait else finish(process)

    def seat(self, source, sink, port):
        """Gives the source and the sink real stacks with the addresses of these hosts, and a socket at the sink."""
        batch = {"src": [f"addr replace {source4(source)}/32 dev eth0", f"addr replace {source6(source)}/128 dev eth0 nodad",
                         "route replace 10.1.0.1 dev eth0", "route replace 10.2.0.0/16 via 10.1.0.1",
                         "route replace 2001:db8:1::1 dev eth0", "route replace 2001:db8:2::/48 via 2001:db8:1::1"],
                 "dst": [f"link set dev eth0 address {sink_mac(sink)}", f"addr replace {sink4(sink)}/16 dev eth0",
                         f"addr replace {sink6(sink)}/48 dev eth0 nodad", "route replace 10.1.0.0/16 via 10.2.0.1",
                         "route replace 2001:db8:1::/48 via 2001:db8:2::1"]}
        self.space.sysctl("dst", net__ipv6__conf__all__disable_ipv6=0, net__ipv6__conf__eth0__disable_ipv6=0)
        for node, lines in batch.items():
            ns.run("ip", "-n", self.space.full(node), "-batch", "-", stdin="\n".join(lines) + "\n")
        for address, inet in ((sink4(sink), socket.AF_INET), (sink6(sink), socket.AF_INET6)):
            sock = self.space.socket("dst", inet, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)  # never read: what is beyond is discarded there
            sock.bind((address, port))
            self.seats.append(sock)

    def unseat(self):
        """Back to a sink that discards each frame at its door, because it is for another MAC."""
        for sock in self.seats:
            sock.close()
        self.seats.clear()
        self.space.ip("dst", "link", "set", "dev", "eth0", "address", SINK_MAC)

    def establish(self, family, source, sink, port, flows=64):
        """Flows from ports 2000 on, one packet each way, so that connection tracking calls them established."""
        self.send(family, source, sink, port, count=flows, sport=f"2000-{1999 + flows}")
        dmac = self.space.ip(GATEWAY, "-o", "link", "show", "dev", "eth1").stdout.split("link/ether ")[1].split()[0]
        src, dst = (sink4, source4) if family == 4 else (sink6, source6)
        back = {"src": src(sink), "dst": dst(source), "sport": port, "dport": f"2000-{1999 + flows}", "count": flows,
                "smac": sink_mac(sink), "dmac": dmac, "dev": "eth0"}
        finish(self.space.popen("dst", [self.load, "raw"] + [w for k, v in back.items() for w in (f"--{k}", str(v))],
                                stdout=subprocess.PIPE, text=True))

    def talk(self, family, sink, port, count, flows=64):
        """Packets through `flows` connected UDP sockets of the seated source, from ports 2000 on."""
        where = (sink4 if family == 4 else sink6)(sink)
        process = self.space.popen("src", [self.load, "udp", "--dst", where, "--dport", str(port), "--count", str(count),
                                           "--flows", str(flows), "--sport", "2000"], stdout=subprocess.PIPE, text=True)
        return finish(process)

    def delivered(self):
        """Packets that came to the sink's port since it is there."""
        with ns.Inside(self.space.full("dst")), open("/proc/thread-self/net/dev", encoding="ascii") as f:
            for line in f:
                if line.strip().startswith("eth0:"):
                    return int(line.split(":")[1].split()[1])
        raise RuntimeError("no eth0 in the sink")

    def forget_flows(self):
        ns.run("ip", "netns", "exec", self.space.full(GATEWAY), "conntrack", "-F", check=False)


def finish(process):
    out, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError("load failed")
    return json.loads(out)


# -- policies ---------------------------------------------------------------------------------------------------

def policy_head(limits="0", log_limit="0"):
    """Everything but the rules."""
    lines = ["set system hostname bench timezone Asia/Tokyo language en",
             f"set system limit new-per-source {limits} open-per-source {limits} half-open {limits}",
             f"set system log-limit per-source {log_limit} per-segment {log_limit}",
             f"set segment a kind lgwan label a interface eth0 address {GW['eth0'][0]} address {GW['eth0'][1]}",
             "set segment a network 10.1.0.0/16 network 2001:db8:1::/48",
             f"set segment b kind lgwan label b interface eth1 address {GW['eth1'][0]} address {GW['eth1'][1]}",
             "set segment b network 10.2.0.0/16 network 2001:db8:2::/48",
             f"set router r segment a address {ROUTER4} address {ROUTER6} mac {ROUTER_MAC}",
             f"set route {SOURCE_NET4} via r", f"set route {SOURCE_NET6} via r"]
    for i in range(HOSTS):
        lines.append(f"set host s{i} segment a address {source4(i)} address {source6(i)} behind r")
        lines.append(f"set host d{i} segment b address {sink4(i)} address {sink6(i)} mac {sink_mac(i)}")
    return lines


def rule(i, ranges):
    """The i-th rule: (source host, sink host, first port, last port); disjoint for all i below 10 million."""
    source, sink, block = i % HOSTS, i // HOSTS % HOSTS, i // (HOSTS * HOSTS)
    port = 5000 + block * 10
    return source, sink, port, port + 7 if ranges else port


def policy(count, ranges=False, changed=0, **how):
    """A policy of `count` rules; `changed` moves the port of its last rule, for the cost of one change."""
    lines = policy_head(**how)
    for i in range(count):
        source, sink, lo, hi = rule(i, ranges)
        if changed and i == count - 1:
            lo, hi = lo + 8 + changed % 2, hi + 8 + changed % 2
        lines.append(f"set allow r{i} from s{source} to d{sink} service udp/{lo}" + (f"-{hi}" if hi > lo else ""))
    return "\n".join(lines) + "\n"


# -- rulesets that are not ours ---------------------------------------------------------------------------------

REFUSALS = f"""
	chain pre {{
		type filter hook prerouting priority -350; policy accept;
		ip frag-off & 0x3fff != 0 drop
		exthdr frag exists drop
		exthdr rt exists drop
		exthdr hbh exists drop
		ip saddr {{ 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3, 255.255.255.255 }} drop
		ip6 saddr {{ ::, ::1, fe80::/10, ff00::/8, ::ffff:0:0/96 }} ip6 nexthdr != icmpv6 drop
		tcp flags & (fin|syn) == fin|syn drop
		tcp flags & (syn|rst) == syn|rst drop
		tcp flags & (fin|syn|rst|ack|psh|urg) == 0 drop
		ip saddr {{ 10.1.0.1, 10.2.0.1 }} drop
		iifname . ip saddr != {{ "eth0" . 10.1.0.0/16, "eth1" . 10.2.0.0/16 }} drop
		iifname . ip6 saddr != {{ "eth0" . 2001:db8:1::/48, "eth1" . 2001:db8:2::/48, "eth0" . fe80::/10, "eth1" . fe80::/10 }} drop
		iifname "eth0" ether saddr != {ROUTER_MAC} drop
	}}
"""


def bare(count=1):
    """What a careful person's firewall does for established packets, with the same refusals before."""
    return linear(count)


def linear(count, ranges=False):
    """`count` rules one below the other, behind `ct state established accept`."""
    lines = ["table inet peer {", REFUSALS, "\tchain forward {",
             "\t\ttype filter hook forward priority 0; policy drop;", "\t\tct state invalid drop",
             "\t\tct state established,related accept"]
    for i in range(count):
        source, sink, lo, hi = rule(i, ranges)
        ports = f"{lo}-{hi}" if hi > lo else str(lo)
        lines.append(f"\t\tip saddr {source4(source)} ip daddr {sink4(sink)} udp dport {ports} accept")
        if count == 1:
            lines.append(f"\t\tip6 saddr {source6(source)} ip6 daddr {sink6(sink)} udp dport {ports} accept")
    return "\n".join(lines + ["\t\tdrop", "\t}", "}"]) + "\n"
