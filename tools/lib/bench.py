"""bench.py: the parts of `tools/bench policy`. Each part builds its lanes, interleaves its rounds and returns figures.

CPU per packet is that of the sender's process and of ksoftirqd, divided by the packets that were delivered: on veth the
whole way of a packet (send, forward, deliver) runs in these two. Under --icount it is elapsed time, where one
nanosecond is one instruction.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import bench_lane as lanes  # noqa: E402
import bench_records  # noqa: E402
import ns  # noqa: E402
from bench_lane import Lane, finish  # noqa: E402

START = time.monotonic()
WAYS = ("sockets", "frames", "first")


def step(text):
    print(f"[{time.monotonic() - START:4.0f}s] {text}", flush=True)


def microseconds(got, delivered, icount):
    """What one packet cost, in microseconds (or thousands of instructions)."""
    spent = got["seconds"] * 1e6 if icount else got["cpu_us"] + got["ksoftirqd_us"]
    return spent / max(1, delivered)


class Bench:
    def __init__(self, options):
        self.o = options
        self.load = os.path.join(options.build, "tests/netns/load")
        self.results = {"kernel": os.uname().release, "icount": options.icount, "rounds": options.rounds}

    def sizes(self):
        if self.o.sizes:
            return [int(n) for n in self.o.sizes.split(",")]
        return [10, 1000] if self.o.quick or self.o.icount else [10, 1000, 10000, 100000]

    # -- packets -------------------------------------------------------------------------------------------

    def one(self, lane, family, way, count, target):
        """One round: what a packet cost, sent in the given way."""
        source, sink, port, _ = lanes.rule(target, False)
        words = {"family": family, "source": source, "sink": sink, "port": port, "count": count}
        if way != "first":
            lane.establish(family, source, sink, port)
        if way == "sockets":
            before = lane.delivered()
            got = lane.talk(family, sink, port, count)
        else:
            if way == "first":
                lane.forget_flows()
                words["sport"] = f"1024-{min(65000, 1024 + count)}"
            else:
                words["sport"] = "2000-2063"
            before = lane.delivered()
            got = lane.send(**words)
        arrived = lane.delivered() - before
        if arrived < count * 0.98:
            raise RuntimeError(f"{lane.name}: only {arrived} of {count} packets arrived")
        return microseconds(got, min(arrived, count), self.o.icount)

    def rounds(self, contestants, family, way, count):
        """{name: cost} over interleaved rounds; contestants: {name: (lane, rule to hit, share of the packets)}.

        The median; of counted instructions the least, since whatever else runs in the machine can only add to them.
        """
        seen = {name: [] for name in contestants}
        for _ in range(self.o.rounds):
            for name, (lane, target, share) in contestants.items():
                seen[name].append(self.one(lane, family, way, max(2000, int(count * share)), target))
        middle = min if self.o.icount else statistics.median
        return {name: middle(values) for name, values in seen.items()}

    def packets(self):
        """ours against plain forwarding, a bare established ruleset, and the linear list, by number of rules."""
        table = []
        plain = Lane("plain", self.load).make_plain()
        bare = Lane("bare", self.load).make_plain()
        one = Lane("one", self.load)
        try:
            bare.nft(lanes.bare(1))
            one.make_gate(self.o.build, lanes.policy(1))
            for size in self.sizes():
                table += self.packets_of_size(size, plain, bare, one)
        finally:
            for lane in (plain, bare, one):
                lane.close()
        self.results["packets"] = table
        self.print_packets(table)

    def packets_of_size(self, size, plain, bare, one):
        step(f"packets: {size} rules")
        ours, line = Lane("ours", self.load), Lane("linear", self.load).make_plain()
        rows = []
        try:
            ours.make_gate(self.o.build, lanes.policy(size))
            line.nft(lanes.linear(size))
            last = size - 1
            unit = 20000 if self.o.icount else 50000 if self.o.quick else 300000
            crawl = max(0.01, min(1.0, 300.0 / size))  # the linear list would take minutes
            for way in WAYS:
                field = {"plain": (plain, last, 1), "bare": (bare, 0, 1), "one": (one, 0, 1), "ours": (ours, last, 1),
                         "linear": (line, last, crawl if way == "first" else 1)}
                if way == "sockets":
                    for lane, target, _ in field.values():
                        lane.seat(*lanes.rule(target, False)[:3])
                count = min(unit, 60000) if way == "first" else unit
                for family in (4, 6):
                    six = field if family == 4 else {k: v for k, v in field.items() if k != "linear"}
                    rows.append({"rules": size, "family": family, "way": way, "us": self.rounds(six, family, way, count)})
                if way == "sockets":
                    for lane, _, _ in field.values():
                        lane.unseat()
        finally:
            ours.close()
            line.close()
        return rows

    def print_packets(self, table):
        unit = "thousand instructions" if self.o.icount else "microseconds of CPU"
        middle = "the least" if self.o.icount else "medians"
        print(f"\n{unit} per packet (source to sink), {middle} of {self.o.rounds} interleaved rounds")
        print("sockets: established flows between programs; frames: the same, only the forwarding of raw frames; "
              "first: a new flow each")
        print("plain: forwarding without rules; bare: established accepted, the same refusals; one: this gate with one rule; "
              "linear: a list of rules")
        names = ("plain", "bare", "one", "ours", "linear")
        print(f"{'rules':>7}     {'packets':8}" + "".join(f"{n:>9}" for n in names)
              + "   ours/plain  ours/bare  ours/one  linear/ours")
        for row in table:
            us = row["us"]
            cells = "".join(f"{us[n]:9.2f}" if n in us else " " * 9 for n in names)
            ratios = [us["ours"] / us[n] for n in ("plain", "bare", "one")]
            tail = f"{us['linear'] / us['ours']:11.2f}x" if "linear" in us else ""
            print(f"{row['rules']:7} v{row['family']}  {row['way']:8}{cells}   {ratios[0]:9.2f}x {ratios[1]:9.2f}x {ratios[2]:8.2f}x "
                  f"{tail}")

    # -- commit --------------------------------------------------------------------------------------------

    def commit(self):
        """The same rules by `sekisho commit` and by `nft -f` of `sekisho ruleset`."""
        table = []
        sizes = [1000, 10000] if self.o.quick else [10000, 100000]
        for size in sizes:
            for ranges in (False, True):
                table.append(self.commit_of_size(size, ranges))
        self.results["commit"] = table
        print(f"\ncommit, medians of {max(3, self.o.rounds // 2)} interleaved rounds, seconds")
        print("  rules  kind     ours kernel  ours whole   nft -f   nft/ours kernel  nft/ours whole")
        for row in table:
            print(f"{row['rules']:7}  {row['kind']:8} {row['kernel']:10.3f} {row['whole']:11.3f} {row['nft']:8.3f}"
                  f" {row['nft'] / row['kernel']:14.2f}x {row['nft'] / row['whole']:14.2f}x")

    def commit_of_size(self, size, ranges):
        kind = "ranges" if ranges else "exact"
        step(f"commit: {size} rules, {kind}")
        ours, peer = Lane("ours", self.load), Lane("nft", self.load).make_plain()
        kernel, whole, nft = [], [], []
        try:
            ours.make_gate(self.o.build, lanes.policy(2))
            path = os.path.join(ours.gate.work, "bench.policy")
            with open(path, "w", encoding="utf-8") as f:
                f.write(lanes.policy(size, ranges))
            ruleset = ours.gate.ask("ruleset", path).stdout
            for i in range(max(3, self.o.rounds // 2)):
                ours.commit(lanes.policy(2, changed=i))
                got = ours.commit(lanes.policy(size, ranges))
                kernel.append(got["kernel_us"] / 1e6)
                whole.append(got["wall_us"] / 1e6)
                peer.flush()
                nft.append(peer.nft(ruleset))
        finally:
            ours.close()
            peer.close()
        return {"rules": size, "kind": kind, "kernel": statistics.median(kernel), "whole": statistics.median(whole),
                "nft": statistics.median(nft)}

    # -- one changed rule ----------------------------------------------------------------------------------

    def change(self):
        table = []
        for size in ([1000] if self.o.quick else [1000, 100000]):
            step(f"one changed rule among {size}")
            lane = Lane("ours", self.load)
            try:
                lane.make_gate(self.o.build, lanes.policy(size))
                got = [lane.commit(lanes.policy(size, changed=i + 1)) for i in range(max(3, self.o.rounds))]
            finally:
                lane.close()
            table.append({"rules": size, "kernel_ms": statistics.median(g["kernel_us"] for g in got) / 1000,
                          "whole_ms": statistics.median(g["wall_us"] for g in got) / 1000})
        self.results["change"] = table
        print("\none changed rule")
        for row in table:
            print(f"  among {row['rules']:6}: {row['kernel_ms']:8.1f} ms in the kernel, {row['whole_ms']:8.0f} ms whole commit")

    # -- lost and leaked -----------------------------------------------------------------------------------

    def loss(self):
        """100 commits under load: allowed packets that did not arrive, denied ones that did."""
        commits = 20 if self.o.quick else 100
        step(f"lost and leaked packets over {commits} commits under load")
        lane = Lane("ours", self.load)
        try:
            lane.make_gate(self.o.build, lanes.policy(1000))
            result = self.loss_rounds(lane, commits)
        finally:
            lane.close()
        self.results["loss"] = result
        print(f"\n{commits} commits under load: {result['lost']} of {result['allowed']} allowed packets lost, "
              f"{result['leaked']} of {result['denied']} denied packets leaked")

    def loss_rounds(self, lane, commits):
        ns.run("ip", "netns", "exec", lane.space.full("dst"), "nft", "-f", "-", stdin="""
table netdev count {
	counter allowed { }
	counter denied { }
	chain in {
		type filter hook ingress device "eth0" priority 0;
		udp dport 5000 counter name allowed drop
		udp dport 6000 counter name denied drop
	}
}""")
        rate = 30000
        seconds = 3600  # ended below, when the commits are done
        words = [{"port": 5000, "sport": "2000-2063"}, {"port": 6000, "sport": "2000-2063"},
                 {"port": 5000, "sport": "2000-2063", "family": 6}, {"port": 6000, "sport": "1024-65000", "family": 6}]
        stop = os.path.join(lane.gate.work, "stop")
        running = [lane.send(wait=False, seconds=seconds, rate=rate, until=stop, **w) for w in words]
        for i in range(commits):
            lane.commit(lanes.policy(1000, changed=i + 1))
        with open(stop, "w", encoding="ascii"):
            pass
        sent = [finish(p)["packets"] for p in running]
        time.sleep(0.3)
        counted = json.loads(ns.run("ip", "netns", "exec", lane.space.full("dst"), "nft", "-j", "list", "counters").stdout)
        got = {c["counter"]["name"]: c["counter"]["packets"] for c in counted["nftables"] if "counter" in c}
        allowed, denied = sent[0] + sent[2], sent[1] + sent[3]
        return {"commits": commits, "allowed": allowed, "lost": allowed - got["allowed"], "denied": denied,
                "leaked": got["denied"]}

    # -- records -------------------------------------------------------------------------------------------

    def records(self):
        bench_records.run(self, step)

    def icount(self):
        """Runs the packets part again inside an emulated machine."""
        vm = os.path.join(os.path.dirname(HERE), "vm")
        inner = ["/usr/bin/python3", os.path.join(HERE, "bench.py"), "--build", self.o.build, "--icount", "--inside",
                 "--rounds", "5", "packets"]
        step("starting the emulated machine (some minutes)")
        return subprocess.run([vm, "--icount", "--memory", "2000", "--timeout", "3000", "--", *inner], check=False).returncode


PARTS = ("packets", "commit", "change", "loss", "records")


def main():
    parser = argparse.ArgumentParser(prog="tools/bench policy")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--build", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", help=argparse.SUPPRESS)
    parser.add_argument("--json")
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"parts are: {' '.join(PARTS)}")
    bench = Bench(options)
    if options.icount and not options.inside:
        return bench.icount()
    for part in options.parts or PARTS:
        getattr(bench, part)()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(bench.results, f, indent=1)
            f.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
