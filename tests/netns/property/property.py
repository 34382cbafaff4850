#!/usr/bin/python3
"""Three answers to thousands of random packets under random policies must agree:

	the paper    judge.py, a tiny evaluator over the policy's text that shares nothing with the product
	explain      `sekisho explain --batch`
	the kernel   the packet is really sent through the running gate: does it come out on the other side?

usage: property.py BUILD [--worlds N] [--packets N] [--seed N]      (root; namespaces of its own)
A disagreement prints the seed, the policy's file and the packet; the policy is kept.
"""
import argparse
import datetime
import json
import os
import pathlib
import sys
import tempfile
import time
import zoneinfo

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import frame  # noqa: E402
import gate as gates  # noqa: E402
import judge  # noqa: E402
import policy as policies  # noqa: E402
import town as towns  # noqa: E402
import worlds  # noqa: E402

ZONE = "Asia/Tokyo"


def build_frame(packet, gateway_mac, token):
    src, dst = packet["src"], packet["dst"]
    if packet["proto"] == "tcp":
        body = frame.tcp(src, dst, packet["sport"], packet["port"], "S", seq=token)
        proto = frame.TCP
    elif packet["proto"] == "udp":
        body = frame.udp(src, dst, packet["sport"], packet["port"], token.to_bytes(4, "big") * 4)
        proto = frame.UDP
    else:
        rest = packet["sport"].to_bytes(2, "big") + b"\0\1"
        body = frame.icmp(src, dst, packet["port"] >> 8, 0, rest, token.to_bytes(4, "big") * 4)
        proto = frame.ICMP if frame.family(src) == 4 else frame.ICMPV6
    whole = frame.packet(src, dst, proto, body)
    return frame.ether(gateway_mac, packet["smac"], frame.ethertype(src), whole)


def send_all(town, packets, base):
    """Sends every packet once; returns the set of indexes that came out of the gateway on the right wire."""
    macs = {w: town.gateway_mac(w) for w in town.wires()}
    arrived, sent_tokens = set(), {}
    for wire in town.wires():
        town._drain(town.wire_socket(wire))
    for index, packet in enumerate(packets):
        token = base + index
        sent_tokens[token.to_bytes(4, "big")] = index
        town.send(packet["wire"], build_frame(packet, macs[packet["wire"]], token))
        if index % 20 == 19:
            collect(town, 0.01, sent_tokens, arrived)
    collect(town, 0.6, sent_tokens, arrived)
    return arrived


def collect(town, seconds, sent_tokens, arrived):
    for _, data in town.overhear(seconds):
        for at in (38, 42, 58, 62):  # TCP sequence, UDP and ICMP payload, of either family
            index = sent_tokens.get(data[at:at + 4])
            if index is not None:
                arrived.add(index)


def explain_all(gate, path, packets, now):
    def word(p):
        if p["proto"] == "icmp":
            return "icmp/echo-request"
        return f"{p['proto']}/{p['port']}"
    lines = "".join(f"{p['src']} {p['dst']} {word(p)} --src-mac {p['smac']}\n" for p in packets)
    done = gate.ask("explain", path, "--batch", "--at", now.strftime("%Y-%m-%dT%H:%M"), stdin=lines)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(packets, papers, answers, arrived):
    """[(packet, paper, explain, kernel)] where they differ."""
    bad = []
    for index, packet in enumerate(packets):
        kernel = "allow" if index in arrived else "drop"
        paper = papers[index]
        told = answers[index].get("verdict"), answers[index].get("reason")
        if kernel != ("allow" if paper == "allow" else "drop"):
            bad.append((packet, paper, told, kernel))
        # explain is not told the interface: what was sent on a wrong wire is no question for it
        elif paper != "spoof" and (told[0] == "allow") != (paper == "allow"):
            bad.append((packet, paper, told, kernel))
        elif paper not in ("spoof", "allow") and told[1] != paper:
            bad.append((packet, paper, told, kernel))
    return bad


def run_world(gate, town, seed, count, work):
    now = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE))
    world = worlds.World(seed, now, ZONE)
    path = os.path.join(work, f"world-{seed}.policy")
    pathlib.Path(path).write_text(world.text, encoding="utf-8")
    done = gate.commit(path, check=False)
    if done.returncode != 0:
        return None, f"refused: {done.stdout}{done.stderr}"
    policy = policies.Policy(world.text)
    town.policy = policy
    packets = [world.packet(policy, town) for _ in range(count)]
    papers = [judge.judge(policy, p, now) for p in packets]
    arrived = send_all(town, packets, 0x51000000 + seed % 4000 * 1000)
    bad = compare(packets, papers, explain_all(gate, path, packets, now), arrived)
    return bad, f"{len(packets)} packets, {len(arrived)} arrived"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--packets", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 77
    work = tempfile.mkdtemp(prefix="sekisho-prop-")
    first = worlds.World(args.seed, datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)), ZONE)
    town = towns.Town(policies.Policy(first.text), prefix=f"sekisho-p{os.getpid() % 1000}-", hosts=False)
    failures = refused = total = 0
    gate = None
    try:
        town.raise_()
        gate = gates.Gate(args.build, town)
        gate.start()
        for seed in range(args.seed, args.seed + args.worlds):
            started = time.monotonic()
            bad, text = run_world(gate, town, seed, args.packets, work)
            print(f"world {seed}: {text} ({time.monotonic() - started:.1f} s)", flush=True)
            if bad is None:
                refused += 1
                continue
            total += args.packets
            for packet, paper, told, kernel in bad[:5]:
                print(f"  differs: {packet}\n    paper {paper}, explain {told}, kernel {kernel}")
            failures += len(bad)
    finally:
        if gate is not None:
            gate.stop()
        town.close()
    print(f"{total} packets in {args.worlds - refused} policies ({refused} refused by the check): "
          f"{failures} disagreements; policies in {work}")
    if refused > args.worlds // 2 or total == 0:
        print("too few policies were accepted for this to mean anything")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
