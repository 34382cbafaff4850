"""bench_inline.py: the inspector on the line: connections a second and bulk, beside a program that accepts everything.

Five lanes, each client - gateway - server in namespaces of its own:
  plain    forwarding without rules
  rule     the gate with a rule without application: what the packet filter alone costs
  accept   a queue program that is given the same packets of each connection and accepts them (xtables NFQUEUE, connmark)
  blind    the same program behind the gate's own tables for that rule: what the rules and the queues cost, and no inspector
  sekisho  the gate with a rule for tls: sekisho-inspect verifies the beginning, the rest is the kernel's
The conversations are played from a capture of our own by two programs, so that no cryptography is measured. CPU is the whole
machine's between two readings of /proc/stat: client, server, kernel and gate together. Rounds are interleaved; ratios count.
"""
import json
import os
import shutil
import statistics
import struct
import subprocess
import tempfile
import threading
import time

import bench_lane as lanes
import ns
from bench_lane import Lane
from town import GATEWAY

PORT, PARALLEL = 4433, 32
CAPTURE = os.path.join(lanes.ROOT, "tests/captures/own/tls-tls13.pcap")
NAME = "renkei.example.lg.jp"

# The same two segments and rule as tls_rule() in the words of nft_drive; 1 is TLS.
BLIND = f"""
new
segment a 1 eth0 {lanes.GW["eth0"][0]} {lanes.GW["eth0"][1]}
segment b 1 eth1 {lanes.GW["eth1"][0]} {lanes.GW["eth1"][1]}
network 0 {lanes.SOURCE_NET4} {lanes.ROUTER_MAC}
route 0 {lanes.SOURCE_NET4} {lanes.ROUTER4}
bound 1 {lanes.sink4(0)} {lanes.sink_mac(0)}
set new-per-source 0
set open-per-source 0
set half-open 0
rule web 0 1 2 0
verify 0 1 0 tls
box 0 tcp {lanes.source4(0)} {lanes.sink4(0)} {PORT} {PORT + 1}
open
commit 1
renew
inspectors on
"""


def say(drive, *lines):
    for line in lines:
        drive.stdin.write(line + "\n")
        drive.stdin.flush()
        got = drive.stdout.readline()
        if not got.startswith("ok"):
            raise RuntimeError(f"nft_drive: {line}: {got}")


def keep_alive(drive):
    while drive.poll() is None:
        time.sleep(1)
        try:
            say(drive, "renew", "inspectors on")
        except (OSError, ValueError):
            return


def flights(path):
    """What the client says first, what the server answers, what the client says then: bytes of the TCP stream of a capture."""
    with open(path, "rb") as f:
        data = f.read()
    at, turns = 24, []
    while at < len(data):
        n = struct.unpack("<I", data[at + 8:at + 12])[0]
        frame = data[at + 16:at + 16 + n]
        at += 16 + n
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        ip = frame[14:14 + struct.unpack(">H", frame[16:18])[0]]
        tcp = ip[(ip[0] & 15) * 4:]
        payload, to_server = tcp[(tcp[12] >> 4) * 4:], struct.unpack(">H", tcp[2:4])[0] == 443
        if payload and turns and turns[-1][0] == to_server:
            turns[-1][1] += payload
        elif payload:
            turns.append([to_server, payload])
    return [t[1] for t in turns[:3]]


def tls_rule(application):
    words = f" application tls server-name {NAME}" if application else ""
    text = "\n".join(lanes.policy_head()) + "\n"
    return (text + f"set allow web from s0 to d0 service tcp/{PORT}{words} purpose x applicant x approval ciso name x date 2026-04-01\n"
            "set allow web starts 2026-04-01 expires 2027-03-31\n")


def cpu_seconds():
    with open("/proc/stat", encoding="ascii") as f:
        words = f.readline().split()
    return sum(int(w) for i, w in enumerate(words[1:9]) if i not in (3, 4)) / os.sysconf("SC_CLK_TCK")


class Inline:
    def __init__(self, options, step):
        self.o, self.step = options, step
        self.play = os.path.join(options.build, "tests/bench/tls_play")
        self.texts = tempfile.mkdtemp(prefix="sekisho-bench-")
        for name, text in zip(("client1", "server1", "client2"), flights(CAPTURE)):
            with open(os.path.join(self.texts, name), "wb") as f:
                f.write(text)
        self.running = []
        self.results = {}

    def start(self, lane, node, *words):
        p = subprocess.Popen(["ip", "netns", "exec", lane.space.full(node), *words], stdout=subprocess.PIPE, text=True)
        if p.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{words[0]} did not start")
        self.running.append(p)
        return p

    def run_client(self, lane, seconds, parallel, amount):
        before = cpu_seconds()
        done = ns.run("ip", "netns", "exec", lane.space.full("src"), self.play, "client", lanes.sink4(0), str(PORT + (amount > 0)), self.texts,
                      str(seconds), str(parallel), str(amount))
        got = json.loads(done.stdout)
        got["cpu"] = cpu_seconds() - before
        return got

    def accept_lane(self, lane, packets):
        lane.make_plain()
        for rule in (["-A", "FORWARD", "-m", "connmark", "--mark", "1", "-j", "ACCEPT"],
                     ["-A", "FORWARD", "-p", "tcp", "-j", "NFQUEUE", "--queue-num", "7"],
                     ["-t", "mangle", "-A", "POSTROUTING", "-m", "mark", "--mark", "1", "-j", "CONNMARK", "--set-mark", "1"]):
            ns.run("ip", "netns", "exec", lane.space.full(GATEWAY), "iptables", *rule)
        self.start(lane, GATEWAY, os.path.join(self.o.build, "tests/bench/queue_all"), "7", str(packets))

    def blind_lane(self, lane, packets):
        """The gate's tables by hand, kept alive each second as sekishod does, and the accepting program on their queues."""
        lane.make_plain()
        drive = subprocess.Popen(["ip", "netns", "exec", lane.space.full(GATEWAY), os.path.join(self.o.build, "tests/netns/nft/nft_drive")],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.running.append(drive)
        say(drive, *BLIND.strip().splitlines())
        threading.Thread(target=keep_alive, args=(drive,), daemon=True).start()
        # Queues of the two segments; the marks of ruleset.h: forward, pass.
        self.start(lane, GATEWAY, os.path.join(self.o.build, "tests/bench/queue_all"), "200,201", str(packets), "0x5e000001", "0x5e000002")

    def lanes(self):
        """{name: lane}; those that queue are made last: as many packets of each connection as sekisho was seen to."""
        got = {name: Lane("i" + name, None) for name in ("plain", "rule", "sekisho", "accept", "blind")}
        try:
            got["plain"].make_plain()
            got["rule"].make_gate(self.o.build, self.both_ports(False))
            got["sekisho"].make_gate(self.o.build, self.both_ports(True))
            for name in ("plain", "rule", "sekisho"):
                self.seat(got[name])
            self.run_client(got["sekisho"], 1, 4, 0)
            before = got["sekisho"].gate.status()["inspector"]["packets"]
            made = self.run_client(got["sekisho"], 2, 4, 0)["connections"]
            time.sleep(1.5)
            self.packets = round((got["sekisho"].gate.status()["inspector"]["packets"] - before) / made)
            self.accept_lane(got["accept"], self.packets)
            self.blind_lane(got["blind"], self.packets)
            self.seat(got["accept"])
            self.seat(got["blind"])
        except BaseException:
            for lane in got.values():
                lane.close()
            raise
        return got

    @staticmethod
    def both_ports(application):
        return tls_rule(application).replace(f"tcp/{PORT}", f"tcp/{PORT}-{PORT + 1}")

    def seat(self, lane):
        lane.seat(0, 0, 9)
        for port, amount in ((PORT, 0), (PORT + 1, self.bulk_bytes())):
            self.start(lane, "dst", self.play, "server", lanes.sink4(0), str(port), self.texts, str(amount))

    def bulk_bytes(self):
        return (64 if self.o.quick else 512) << 20

    def measure(self, got):
        rates, bulks = {n: [] for n in got}, {n: [] for n in got}
        for i in range(self.o.rounds):
            for name, lane in got.items():
                r = self.run_client(lane, 2 if self.o.quick else 4, PARALLEL, 0)
                if r["failed"] > 0 or r["connections"] == 0:
                    raise RuntimeError(f"{name}: {r}")
                rates[name].append((r["connections"] / r["seconds"], r["cpu"] / r["connections"] * 1e6))
            for name, lane in got.items():
                r = self.run_client(lane, 2 if self.o.quick else 4, 1, self.bulk_bytes())
                bulks[name].append((r["bytes"] * 8 / r["seconds"] / 1e9, r["cpu"] / max(1, r["bytes"]) * 2 ** 30))
            self.step(f"inline: round {i + 1} of {self.o.rounds}")
        middle = statistics.median
        return {n: {"connections": middle(v[0] for v in rates[n]), "cpu_us": middle(v[1] for v in rates[n]),
                    "gbit": middle(v[0] for v in bulks[n]), "cpu_per_gib": middle(v[1] for v in bulks[n])} for n in got}

    def run(self):
        if shutil.which("iptables") is None:
            raise RuntimeError("iptables is not installed: the accepting lane needs it")
        self.step("inline: raising five lanes")
        got = None
        try:
            got = self.lanes()
            table = self.measure(got)
        finally:
            for p in self.running:
                p.kill()
            for lane in (got or {}).values():
                lane.close()
            shutil.rmtree(self.texts, ignore_errors=True)
        self.results = {"packets_queued": self.packets, "lanes": table}
        self.print(table)

    def print(self, table):
        print(f"\ninline, medians of {self.o.rounds} interleaved rounds; {self.packets} packets of each connection are queued")
        print(f"{'':10}{'connections/s':>15}{'CPU us each':>13}{'bulk Gbit/s':>13}{'CPU s a GiB':>13}")
        for name, r in table.items():
            print(f"{name:10}{r['connections']:15.0f}{r['cpu_us']:13.0f}{r['gbit']:13.2f}{r['cpu_per_gib']:13.2f}")
        ours = table["sekisho"]
        for other in ("accept", "blind"):
            print(f"sekisho/{other}: connections {ours['connections'] / table[other]['connections']:.2f}x, CPU a connection "
                  f"{ours['cpu_us'] / table[other]['cpu_us']:.2f}x")
        print(f"bulk sekisho/rule {ours['gbit'] / table['rule']['gbit']:.2f}x")
