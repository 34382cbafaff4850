#!/usr/bin/python3
"""How long a key takes at the console: echo, `?`, Tab, on a policy of many approved flows, with both processors busy.

usage: bench_shell.py --build DIR [--rules N] [--rounds N] [--idle] [--json FILE]

The shell runs on a pty before the fake gate of its tests, in configuration mode, so that names and words come from the whole
candidate. Timed from the key's write to the last byte of its answer. Printed: median and 95 % in milliseconds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/golden/shell"))

from gate import PROMPT, Gate, shell  # noqa: E402


def policy(rules):
    """Two segments, and approved flows between their hosts."""
    yield "set system hostname gate-01 timezone Asia/Tokyo language ja"
    yield "set segment a kind other label \"A\" interface eth0 address 10.1.0.1/16 network 10.1.0.0/16"
    yield "set segment b kind other label \"B\" interface eth1 address 10.2.0.1/16 network 10.2.0.0/16"
    for i in range(250):
        yield f"set host a{i} segment a address 10.1.1.{i + 1}"
        yield f"set host b{i} segment b address 10.2.1.{i + 1}"
    for i in range(rules):
        yield f"set allow r{i} from a{i % 250} to b{i // 250 % 250} service tcp/{1000 + i} application unverified"
        yield f"set allow r{i} purpose \"flow {i}\" applicant \"section {i % 20}\" starts 2026-04-01 expires 2027-03-31"


def timed(t, keys, pattern):
    """Milliseconds from the key to what it paints."""
    begun = time.monotonic()
    t.send(keys)
    end = begun + 20
    while time.monotonic() < end:
        line = "".join(t.screen.cells[t.screen.row][:t.screen.column])
        if t.answered and line.endswith(pattern):
            return (time.monotonic() - begun) * 1000
        t.read(0.2)
    raise TimeoutError(f"{keys!r}: {t.screen.text()}")


def measure(t, rounds):
    """Milliseconds of each kind of key."""
    found = {"echo": [], "help": [], "complete": [], "names": []}
    for _ in range(rounds):
        found["echo"].append(timed(t, "s", "# s"))
        found["echo"].append(timed(t, "e", "# se"))
        timed(t, "\x03", "# ")
        timed(t, "set allow r77 ", "r77 ")
        found["help"].append(timed(t, "?", "r77 "))
        found["complete"].append(timed(t, "purp\t", "purpose "))
        timed(t, "\x03", "# ")
        timed(t, "set allow r9999", "r9999")
        found["names"].append(timed(t, "\t", "r9999 "))
        timed(t, "\x03", "# ")
    return found


def busy():
    """One busy program for each processor."""
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]


def program(build, name):
    for where, _, names in os.walk(build):
        if name in names:
            return os.path.join(where, name)
    sys.exit(f"{name} is not built in {build}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--rules", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    sekisho = program(options.build + "/src", "sekisho")
    with tempfile.NamedTemporaryFile("w", suffix=".policy", encoding="utf-8") as f:
        f.write("\n".join(policy(options.rules)) + "\n")
        f.flush()
        gate = Gate(program(options.build + "/tests/golden", "fake_gate"), "shell", f.name)
    t = shell(sekisho, gate, seconds=60, rows=60)
    t.send("configure\r")
    t.wait(PROMPT)
    load = [] if options.idle else busy()
    try:
        found = measure(t, options.rounds)
    finally:
        for p in load:
            p.kill()
            p.wait()
        t.close()
        gate.close()
    rows = {k: {"median_ms": round(statistics.median(v), 2), "p95_ms": round(sorted(v)[int(len(v) * 0.95)], 2)} for k, v in found.items()}
    for kind, row in rows.items():
        print(f"{kind:10} median {row['median_ms']:8.2f} ms   95 % {row['p95_ms']:8.2f} ms")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({"rules": options.rules, "busy": not options.idle, "keys": rows}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
