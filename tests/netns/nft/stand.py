"""stand.py: a gateway between three wires, driven by nft_drive, and raw sockets on the far ends.

    k 10.1.0.0/24  2001:db8:1::/64  eth0 -- gw -- eth1  10.2.0.0/24 2001:db8:2::/64 l
                                              \\- eth2  192.0.2.0/24 2001:db8:3::/64 n

Every address is inside namespaces made here.
"""
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

import frame  # noqa: E402
import ns  # noqa: E402

WIRES = [("eth0", "10.1.0.1/24", "2001:db8:1::1/64"), ("eth1", "10.2.0.1/24", "2001:db8:2::1/64"),
         ("eth2", "192.0.2.1/24", "2001:db8:3::1/64")]
SYSCTLS = {
    "net__ipv4__ip_forward": 1, "net__ipv6__conf__all__forwarding": 1, "net__ipv4__conf__all__rp_filter": 0,
    "net__netfilter__nf_conntrack_tcp_loose": 0, "net__netfilter__nf_conntrack_tcp_be_liberal": 0,
    "net__ipv4__icmp_ratelimit": 0, "net__ipv6__icmp__ratelimit": 0,
}


def host_mac(address):
    """The MAC that the gateway has for this host; the far end answers to any."""
    last = address.split(":")[-1] if ":" in address else address.split(".")[-1]
    wire = {"10.1": 1, "10.2": 2, "192.0": 3}.get(".".join(address.split(".")[:2])) if "." in address else \
        int(address.split(":")[2])
    return f"02:00:00:0{wire}:00:{int(last or '0', 16 if ':' in address else 10) & 255:02x}"


class Stand:
    def __init__(self, drive, prefix="sekisho-nft-"):
        self.space = ns.Space(f"{prefix}{os.getpid()}-")
        self.checks = self.failures = 0
        self.build()
        self.proc = self.space.popen("gw", [drive], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def build(self):
        space = self.space
        space.add("gw")
        for i, (name, four, six) in enumerate(WIRES):
            space.add(f"h{i}")
            space.veth("gw", name, f"h{i}", "p0", mac_a=f"02:00:00:0{i + 1}:00:01", mac_b=f"02:00:00:0{i + 1}:00:99")
            space.ip("gw", "addr", "add", four, "dev", name)
            space.ip("gw", "addr", "add", six, "dev", name, "nodad")
            space.ip("gw", "link", "set", "dev", name, "up")
            space.ip(f"h{i}", "link", "set", "dev", "p0", "up")
        space.sysctl("gw", **SYSCTLS)
        self.wire = [space.packet_socket(f"h{i}", "p0") for i in range(3)]

    def neighbour(self, wire, address, mac=None):
        self.space.ip("gw", "neigh", "replace", address, "lladdr", mac or host_mac(address), "dev", f"eth{wire}")

    def close(self):
        self.proc.stdin.close()
        self.proc.wait(timeout=20)
        self.space.remove()

    # -- the driver ----------------------------------------------------------------------------------------------

    def do(self, line, fail=False):
        """One command; returns its answer without "ok"."""
        self.proc.stdin.write(line + "\n")
        answer = self.proc.stdout.readline().strip()
        if not fail and not answer.startswith("ok"):
            raise RuntimeError(f"{line}: {answer}")
        return answer if fail else answer[2:].strip()

    def policy(self, lines):
        for line in ["new", *filter(str.strip, lines.splitlines())]:
            self.do(line.strip())

    def counters(self):
        return {k: int(v) for k, v in re.findall(r"(\S+)=(\d+)", self.do("counters"))}

    # -- packets -------------------------------------------------------------------------------------------------

    def drain(self):
        for sock in self.wire:
            while True:
                try:
                    sock.recv(65535)
                except BlockingIOError:
                    break

    def send(self, wire, packet, smac=None, dmac=None):
        src = frame.parse(frame.ether("02:00:00:00:00:00", "02:00:00:00:00:00",
                                      frame.ETH_IP if packet[0] >> 4 == 4 else frame.ETH_IP6, packet))
        smac = smac or host_mac(src["saddr"]) if src and "saddr" in src else smac
        kind = frame.ETH_IP if packet[0] >> 4 == 4 else frame.ETH_IP6
        self.wire[wire].send(frame.ether(dmac or f"02:00:00:0{wire + 1}:00:01", smac, kind, packet))

    def arrives(self, wire, token, seconds=0.4):
        """Has a frame with the token come out of the gateway on that wire?"""
        end = time.monotonic() + seconds
        own = bytes.fromhex("0200000" + str(wire + 1) + "0001")
        while time.monotonic() < end:
            try:
                got = self.wire[wire].recv(65535)
            except BlockingIOError:
                time.sleep(0.002)
                continue
            if got[6:12] == own and token in got:
                return True
        return False

    # -- verdicts ------------------------------------------------------------------------------------------------

    def check(self, ok, what):
        self.checks += 1
        if not ok:
            self.failures += 1
            print(f"FAILED: {what}", flush=True)

    def passes(self, name, wire_in, wire_out, packet, token, **how):
        self.drain()
        self.send(wire_in, packet, **how)
        ok = self.arrives(wire_out, token, 1.0)
        self.check(ok, f"{name}: should pass; counters {self.counters() if not ok else ''}")

    def stopped(self, name, wire_in, packet, reason, token=None, **how):
        """Nothing with the token comes out anywhere, and the reason's counter grows."""
        before = self.counters()
        self.drain()
        self.send(wire_in, packet, **how)
        end = time.monotonic() + 1.0
        grown = {}
        while time.monotonic() < end:
            after = self.counters()
            grown = {k: v - before.get(k, 0) for k, v in after.items() if k != "epoch" and v != before.get(k, 0)}
            if grown:
                break
            time.sleep(0.005)
        grown = {k: v for k, v in grown.items() if not k.startswith("limited_")}
        self.check(reason in grown, f"{name}: expected {reason}, got {grown}")
        if token is not None:
            self.check(not any(self.arrives(w, token, 0.02) for w in range(3) if w != wire_in), f"{name}: it crossed")

    def end(self):
        print(f"{self.checks} checks, {self.failures} failed")
        return 1 if self.failures else 0


def need_root():
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)


def nft(stand, *words, check=True):
    return ns.run("ip", "netns", "exec", stand.space.full("gw"), "nft", *words, check=check)


def udp_socket(stand, host, address, port):
    six = ":" in address
    sock = stand.space.socket(host, socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock
