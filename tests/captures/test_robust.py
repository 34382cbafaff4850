#!/usr/bin/python3
"""test_robust.py: captures that are malformed on purpose, and mutated copies of all others: no crash, no report of a sanitizer,
bounded memory and time; a file that cannot be read is one error and the next is read. TAP.
"""
import argparse
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import corpus

SECONDS = 2.0
MIB = 64
SANITIZERS = (b"AddressSanitizer", b"runtime error", b"LeakSanitizer")


def run(sekisho, paths, *words):
    """(exit, stderr, seconds of CPU, peak RSS in MiB)"""
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen([sekisho, "classify", "--json", "--lang", "en", *words, *paths], stdout=subprocess.DEVNULL, stderr=err)
        _, status, usage = os.wait4(p.pid, 0)
        err.seek(0)
        return os.waitstatus_to_exitcode(status), err.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def mutate(data, rng):
    """A copy of a classic capture with some bytes of some frames changed, frames cut, repeated or swapped."""
    if len(data) < 24 or data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4"):
        at = rng.randrange(len(data)) if data else 0
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
    order = "<" if data[0] == 0xd4 else ">"
    frames, at = [], 24
    while at + 16 <= len(data) and len(frames) < 400:
        n = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        frames.append((bytearray(data[at:at + 16]), bytearray(data[at + 16:at + 16 + n])))
        at += 16 + n
    out = bytearray(data[:24])
    for head, frame in frames:
        kind = rng.random()
        if kind < 0.15 and frame:
            for _ in range(rng.randrange(1, 4)):
                frame[rng.randrange(min(len(frame), 80))] = rng.randrange(256)
        elif kind < 0.2:
            frame = frame[:rng.randrange(len(frame) + 1)]
            head[8:12] = struct.pack(order + "I", len(frame))
        elif kind < 0.22:
            out += head + frame
        elif kind < 0.24:
            continue
        out += head + frame
    return bytes(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(corpus.ROOT, "build"))
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    corpus.skip_unless_there()
    sekisho = os.path.join(options.build, "src/console/sekisho")
    slow = 20 if b"asan" in subprocess.run(["ldd", sekisho], capture_output=True, check=False).stdout else 1
    rng = random.Random(options.seed)
    failed = count = 0

    def check(name, good, why=""):
        nonlocal failed, count
        count += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {count} - {name}" + ("" if good else f"\n# {why}"), flush=True)

    print(f"# seed {options.seed}")
    malformed, others = corpus.files(malformed=True), corpus.files()
    worst_cpu = worst_rss = 0
    bad = []
    for path in malformed:
        code, err, cpu, rss = run(sekisho, [path])
        worst_cpu, worst_rss = max(worst_cpu, cpu), max(worst_rss, rss)
        if code not in (0, 3) or b"killed" in err or any(s in err for s in SANITIZERS) or cpu > SECONDS * slow or rss > MIB * slow:
            bad.append((path, code, cpu, rss, err[-300:]))
    check(f"{len(malformed)} malformed captures one by one: at most {worst_cpu:.2f} s and {worst_rss:.0f} MiB", not bad, bad[:3])
    code, err, _, _ = run(sekisho, malformed)
    errors = [line for line in err.splitlines() if line.startswith(b"sekisho: ")]
    check(f"all of them in one run: {len(errors)} cannot be read, each is named", code in (0, 3) and b"killed" not in err
          and all(b"tcpdump/" in line for line in errors), err[-300:])
    work = tempfile.mkdtemp(prefix="sekisho-robust-")
    try:
        for _ in range(options.copies):
            paths = []
            for i, path in enumerate(rng.sample(others + malformed, 600)):
                with open(path, "rb") as f:
                    data = f.read(2 << 20)
                paths.append(os.path.join(work, f"{i:04}.pcap"))
                with open(paths[-1], "wb") as f:
                    f.write(mutate(data, rng))
            application = rng.choice(sorted(corpus.WORDS.values()))
            for words in ((), ("--as", application)):
                code, err, cpu, rss = run(sekisho, paths, *words)
                good = code in (0, 3) and b"killed" not in err and not any(s in err for s in SANITIZERS)
                check(f"600 mutated captures {' '.join(words)}: {cpu:.1f} s, {rss:.0f} MiB", good, err[-600:])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
