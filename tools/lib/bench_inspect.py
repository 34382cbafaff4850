"""bench_inspect.py: `tools/bench inspect`: what it costs to verify flows, beside tools that classify them.

offline   captures from files: `sekisho classify --stats` against the bare loop of libpcap, ndpiReader, tshark and Suricata
          (those that are there). Two mixes are made from a directory of captures: A, all of it some times over; B, its
          small files very often, which is many short flows. Rounds are interleaved, CPU time is user + system.
inline    see bench_inline.py
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

START = time.monotonic()
TSHARK_FRAMES = 50000  # it takes minutes for all


def step(text):
    print(f"[{time.monotonic() - START:4.0f}s] {text}", flush=True)


def measured(command):
    """(CPU seconds, peak RSS in MiB, output) of a command with all its children."""
    with tempfile.TemporaryFile() as out:
        p = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def find_captures(where):
    got = []
    for folder, _, names in os.walk(where):
        got += [os.path.join(folder, n) for n in names if n.endswith((".pcap", ".pcapng")) and "/tcpdump/" not in folder + "/"]
    return sorted(got)


class Offline:
    def __init__(self, options):
        self.o = options
        self.mix_program = os.path.join(options.build, "tests/bench/mix")
        self.work = tempfile.mkdtemp(prefix="sekisho-bench-")
        self.results = {}

    def make_mix(self, name, files, copies, seconds):
        path = os.path.join(self.work, name + ".pcap")
        got = subprocess.run([self.mix_program, path, str(copies), str(seconds)], input="\n".join(files) + "\n", text=True,
                             capture_output=True, check=True)
        return path, json.loads(got.stdout)

    def contestants(self, path):
        loop = os.path.join(self.o.build, "tests/bench/pcap_loop")
        ours = os.path.join(self.o.build, "src/console/sekisho")
        field = {"libpcap loop": ([loop, path], 1.0), "sekisho": ([ours, "classify", "--stats", "--json", path], 1.0),
                 "sekisho --as tls": ([ours, "classify", "--stats", "--json", "--as", "tls", path], 1.0)}
        if shutil.which("ndpiReader"):
            field["ndpiReader"] = (["ndpiReader", "-q", "-i", path], 1.0)
        if shutil.which("suricata"):
            field["suricata"] = (["suricata", "-c", "/etc/suricata/suricata.yaml", "-S", "/dev/null", "-k", "none", "--runmode",
                                  "single", "-l", self.work, "-r", path], 1.0)
        return field

    def compare(self, name, path, made):
        rows = {}
        field = self.contestants(path)
        rounds = {who: [] for who in field}
        for _ in range(self.o.rounds):
            for who, (command, _) in field.items():
                if who in ("ndpiReader", "suricata") and len(rounds[who]) >= 3:
                    continue
                rounds[who].append(measured(command))
        for who, got in rounds.items():
            rows[who] = {"cpu": statistics.median(g[0] for g in got), "rss": max(g[1] for g in got)}
        totals = json.loads(rounds["sekisho"][0][2])
        if shutil.which("tshark"):
            cpu, rss, _ = measured(["tshark", "-n", "-r", path, "-c", str(TSHARK_FRAMES), "-T", "fields", "-e", "frame.protocols"])
            rows["tshark"] = {"cpu": cpu * made["frames"] / TSHARK_FRAMES, "rss": rss, "scaled": True}
        self.results[name] = {"made": made, "totals": totals, "rows": rows}
        self.print(name, made, totals, rows)

    def print(self, name, made, totals, rows):
        base, flows = rows["libpcap loop"]["cpu"], totals["flows"]
        print(f"\nmix {name}: {made['bytes'] / 1e6:.0f} MB, {made['frames']} frames, {flows} flows "
              f"(medians of {self.o.rounds} interleaved rounds)")
        print(f"{'':18}{'CPU s':>8}{'Mframe/s':>10}{'Gbit/s':>8}{'RSS MiB':>9}{'x loop':>8}{'x sekisho':>11}")
        for who, r in rows.items():
            print(f"{who:18}{r['cpu']:8.2f}{made['frames'] / r['cpu'] / 1e6:10.2f}{made['bytes'] * 8 / r['cpu'] / 1e9:8.2f}"
                  f"{r['rss']:9.0f}{r['cpu'] / base:8.2f}{r['cpu'] / rows['sekisho']['cpu']:11.2f}"
                  + ("  (from a part)" if r.get("scaled") else ""))
        limit = 64 + flows * 150 / 2**20
        print(f"memory of sekisho: {rows['sekisho']['rss']:.0f} MiB; 64 MiB + 150 bytes a flow would be {limit:.0f}")
        print(f"decided within two packets with data each way: {totals['decided_within_two']} of {totals['passed']} verified flows")

    def run(self):
        files = find_captures(self.o.captures)
        if not files:
            print(f"no captures below {self.o.captures}: name a directory with --captures", file=sys.stderr)
            return 3
        small = [f for f in files if os.path.getsize(f) < 6000]
        try:
            for name, chosen, copies, seconds in (("A", files, 1 if self.o.quick else 8, 600),
                                                  ("B", small, 30 if self.o.quick else 360, 120)):
                step(f"making mix {name}")
                path, made = self.make_mix(name, chosen, copies, seconds)
                step(f"measuring mix {name}")
                self.compare(name, path, made)
                os.unlink(path)
        finally:
            shutil.rmtree(self.work, ignore_errors=True)
        return 0


PARTS = ("offline", "inline")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(prog="tools/bench inspect")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--build", required=True)
    parser.add_argument("--captures", default=os.path.join(here, "../../../shared/data/pcaps"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"parts are: {' '.join(PARTS)}")
    results, code = {"kernel": os.uname().release, "rounds": options.rounds}, 0
    for part in options.parts or PARTS:
        if part == "offline":
            bench = Offline(options)
            code = max(code, bench.run())
        else:
            import bench_inline
            bench = bench_inline.Inline(options, step)
            bench.run()
        results[part] = bench.results
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
            f.write("\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
