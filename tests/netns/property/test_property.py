#!/usr/bin/python3
"""Three answers to thousands of random packets under random policies must agree:

	the paper    judge.py, a tiny evaluator over the policy's text that shares nothing with the product
	explain      `sekisho explain --batch`
	the kernel   the packet is really sent through the running gate: does it come out on the other side?

A disagreement prints the seed, the policy's file and the packet; the policy is kept. --seed N repeats one world.
"""
import datetime
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import zoneinfo

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import frame  # noqa: E402
import judge  # noqa: E402
import policy as policies  # noqa: E402
import stage  # noqa: E402
import worlds  # noqa: E402

ZONE = "Asia/Tokyo"
WORLDS, PACKETS = 20, 150
SHORT_WORLDS, SHORT_PACKETS = 2, 100


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


def check_world(st, seed, count, work):
    """Adds one line to the TAP report. Returns whether the policy was accepted."""
    bad, text = run_world(st.gate, st.town, seed, count, work)
    if bad is None:
        st.tap.skip(f"world {seed}", f"the check refused this random policy: {text.splitlines()[0][:100]}")
        return False
    why = "\n".join(f"{packet}: paper {paper}, explain {told}, kernel {kernel}" for packet, paper, told, kernel in bad)
    st.tap.check(f"world {seed}: {text}", not bad, f"{os.path.join(work, f'world-{seed}.policy')}\n{why}")
    return True


def main():
    options = stage.arguments(__doc__)
    first = options.seed if options.seed is not None else 1
    work = tempfile.mkdtemp(prefix="sekisho-property-")
    start = worlds.World(first, datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)), ZONE)
    with stage.Stage(options.build, start.text) as st:
        many, packets = (SHORT_WORLDS, SHORT_PACKETS) if options.short else (WORLDS, PACKETS)
        count = 1 if options.seed is not None else many
        accepted = sum(check_world(st, seed, packets, work) for seed in range(first, first + count))
        st.tap.check("most random policies are accepted", accepted * 2 > count)
    if st.tap.failed == 0:
        shutil.rmtree(work)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
