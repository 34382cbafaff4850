"""bench_console.py: `tools/bench console`: how long a person waits for the first page of an answer.

drops     the newest page of records of one address among millions: `sekisho show log drops` from the command to its end (gate,
          recorder, store), beside sqlite3 with the same question on the same file, and grep over the same as lines of text.
          The address is in one row of a million; then the same without a filter, and with an address that is nowhere.

The store is filled by the recorder's own code (tests/bench/drops_fill). It lies in memory (tmpfs), for all three alike.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests/netns/harness")]

import ns  # noqa: E402
from gate import Gate  # noqa: E402
from policy import Policy  # noqa: E402
from town import Town  # noqa: E402

START = time.monotonic()
PAGE = 20
LOG_UID = 971  # of sekisho-logd: include/sekisho/jail.h
RARE, NOWHERE = "10.77.7.7", "10.78.8.8"
POLICY = """set system hostname bench timezone Asia/Tokyo language en
set segment mynumber kind mynumber interface eth0 address 10.1.0.1/24 network 10.1.0.0/16
set segment lgwan kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16
"""


# SQLite without us, as a script would ask it (its own command is not everywhere).
ASK = "import sqlite3, sys\nfor row in sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).execute(sys.argv[2]): print(row)"


def step(text):
    print(f"[{time.monotonic() - START:4.0f}s] {text}", flush=True)


def timed(words):
    begin = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (time.monotonic() - begin) * 1000, done.stdout.count("\n"), done.stderr[-300:]


def blob(address):
    return "x'" + "".join(f"{int(b):02x}" for b in address.split(".")) + "'"


class Drops:
    def __init__(self, options):
        self.o = options
        self.town = Town(Policy(POLICY), "sekisho-b-", hosts=False)
        self.gate = None

    def __enter__(self):
        self.town.raise_()
        self.gate = Gate(self.o.build, self.town)
        self.log = os.path.join(self.gate.root, "var/lib/sekisho/log")
        os.makedirs(self.log)
        # The recorder reserves most of its file system: what the others read lies on another one.
        self.peers = os.path.join(self.gate.work, "peers")
        os.makedirs(self.peers)
        for where in (self.log, self.peers):
            ns.run("mount", "-t", "tmpfs", "-o", f"size={self.o.rows * 720 + (256 << 20)}", "tmpfs", where)
        return self

    def __exit__(self, *_):
        self.gate.own_work = False
        self.gate.stop()
        for where in (self.log, self.peers):
            ns.run("umount", where, check=False)
        shutil.rmtree(self.gate.work, ignore_errors=True)
        self.town.close()

    def fill(self):
        step(f"filling the store with {self.o.rows} records")
        self.text = os.path.join(self.peers, "drops.txt")
        ns.run(os.path.join(self.o.build, "tests/bench/drops_fill"), self.log, str(self.o.rows), self.text)
        self.copy = os.path.join(self.peers, "copy.db")
        shutil.copy(os.path.join(self.log, "records.db"), self.copy)
        uid = LOG_UID
        for name in os.listdir(self.log):
            os.chown(os.path.join(self.log, name), uid, uid)
        self.gate.start(timeout=120)
        step("the gate runs")

    def lanes(self, address):
        where = f"WHERE src={blob(address)}" if address else ""
        sql = f"SELECT * FROM drops {where} ORDER BY seq DESC LIMIT {PAGE}"
        plain = f"SELECT * FROM drops {where.replace('src=', '+src=')} ORDER BY seq DESC LIMIT {PAGE}"
        source = ["--src", address] if address else []
        pattern = f" {address} " if address else "no-rule"
        return {"sekisho": [self.gate.command, "--root", self.gate.root, "log", "drops", "--limit", str(PAGE), "--json", *source],
                "sqlite3": [sys.executable, "-c", ASK, self.copy, sql],
                "sqlite3, no index": [sys.executable, "-c", ASK, self.copy, plain],
                "grep": ["sh", "-c", f"grep -F '{pattern}' {self.text} | tail -n {PAGE}"]}

    def run(self):
        table = []
        for name, address in (("newest page", None), ("one address", RARE), ("an address that is nowhere", NOWHERE)):
            lanes = self.lanes(address)
            seen = {lane: [] for lane in lanes}
            for _ in range(self.o.rounds):
                for lane, words in lanes.items():
                    spent, rows, said = timed(words)
                    seen[lane].append(spent)
                    want = 0 if address == NOWHERE else PAGE if address is None else min(PAGE, self.o.rows // 1000000)
                    if rows != want:
                        raise RuntimeError(f"{name}: {lane} gave {rows} rows and not {want}; {said}")
            table.append({"question": name, "ms": {lane: round(statistics.median(v), 1) for lane, v in seen.items()}})
        return table


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--rows", type=int, default=10000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    with Drops(options) as drops:
        drops.fill()
        table = drops.run()
    print(f"\nmilliseconds to the end of the first page of {PAGE}, {options.rows} records, medians of {options.rounds} rounds")
    for row in table:
        print(f"  {row['question']:28}" + "  ".join(f"{lane}: {ms}" for lane, ms in row["ms"].items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({"rows": options.rows, "drops": table}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
