"""run_tests.py: runs the steps of tools/test and counts. See tools/test for its words.

A test program answers 0 (passed), 77 (skipped: its last line says why) or anything else (failed). One that speaks
TAP ("ok 1 - name", "not ok 2 - name", "ok 3 - name # SKIP why") is counted test by test.
"""
import json
import os
import re
import subprocess
import sys
import time

import style

ROOT = style.ROOT
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(ROOT, "build")))
NINJA = ["ninja"] if not os.environ.get("SEKISHO_JOBS") else ["ninja", "-j", os.environ["SEKISHO_JOBS"]]
TAP = re.compile(r"^(ok|not ok) \d+(?: - (.*?))?(?:\s+# SKIP\s*(.*))?$", re.IGNORECASE)


class Tally:
    """Counts, prints a line per test, and keeps what failed for the summary."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures, self.skips = [], []
        self.start = time.monotonic()

    def step(self, text):
        print(f"[{time.monotonic() - self.start:4.0f}s] {text}", flush=True)

    def one(self, name, result, why="", seconds=None):
        took = f" ({seconds:.1f} s)" if seconds is not None and seconds >= 0.5 else ""
        if result == "OK":
            self.passed += 1
            print(f"        passed   {name}{took}", flush=True)
        elif result == "SKIP":
            self.skipped += 1
            self.skips.append(f"{name}: {why}")
            print(f"        skipped  {name}: {why}", flush=True)
        else:
            self.failed += 1
            self.failures.append(f"{name}: {why}")
            print(f"        FAILED   {name}{took}: {why}", flush=True)


def step_style(tally):
    for name, result, places in style.run():
        why = "; ".join(places[:5]) + (f" … {len(places)} in all" if len(places) > 5 else "")
        tally.one(f"style/{name}", result, why)


def build(tally, directory, options):
    """Configures when needed and compiles, showing that it moves. True when it worked."""
    if not os.path.exists(os.path.join(directory, "build.ninja")):
        got = subprocess.run(["meson", "setup", directory, ROOT, *options], capture_output=True, text=True, check=False)
        if got.returncode != 0:
            print(got.stdout[-3000:] + got.stderr[-2000:], file=sys.stderr)
            return False
    last, tail = 0.0, []
    with subprocess.Popen([*NINJA, "-C", directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as p:
        for line in p.stdout:
            tail = (tail + [line])[-60:]
            if re.match(r"\[\d+/\d+\]", line) and time.monotonic() - last > 5:
                last = time.monotonic()
                tally.step("  " + line.strip()[:100])
    if p.returncode != 0:
        sys.stderr.write("".join(tail))
    return p.returncode == 0


def step_build(tally):
    start = time.monotonic()
    worked = build(tally, BUILD, ["-Dwerror=true"])
    tally.one("build/werror", "OK" if worked else "FAIL", "see above", time.monotonic() - start)
    return worked


def meson_suite(tally, directory, suite, label=None, timeout=1):
    """Runs one suite and counts each of its tests (or each line of TAP)."""
    words = ["meson", "test", "-C", directory, "--no-rebuild", "--suite", suite, "--timeout-multiplier", str(timeout)]
    log = os.path.join(directory, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.unlink(log)
    said = run_with_progress(tally, words)
    if not os.path.exists(log):
        if "No suitable tests" not in said:
            tally.one(f"{label or suite}", "FAIL", said.strip()[-300:])
        return
    with open(log, encoding="utf-8") as f:
        for line in f:
            count_test(tally, label or suite, json.loads(line))


def run_with_progress(tally, words):
    """Runs meson, shows its line of a test when nothing was shown for a while; returns all that it said."""
    said, last = [], time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=dict(os.environ, PYTHONUNBUFFERED="1")) as p:
        for line in p.stdout:
            said.append(line)
            if re.match(r"\s*\d+/\d+ ", line) and time.monotonic() - last > 5:
                last = time.monotonic()
                tally.step("  " + " ".join(line.split())[:100])
    return "".join(said)


def count_test(tally, label, got):
    name = f"{label}/{got['name'].split(' / ')[-1].split(':')[-1]}"
    out = got.get("stdout", "") or ""
    text = (out + "\n" + (got.get("stderr", "") or "")).strip()
    rows = [m for m in map(TAP.match, out.splitlines()) if m]
    for word, what, skip in (m.groups() for m in rows):
        result = "SKIP" if skip is not None else "OK" if word.lower() == "ok" else "FAIL"
        tally.one(f"{name}: {what}", result, skip or diagnosis(out, what))
    if rows and got["result"] in ("OK", "FAIL", "ERROR"):
        if got["result"] != "OK" and all(m.group(1).lower() == "ok" for m in rows):
            print("\n".join(text.splitlines()[-30:]), flush=True)
            tally.one(name, "FAIL", "it ended early: " + last_line(text), got["duration"])
        return
    if got["result"] in ("OK", "EXPECTEDFAIL"):
        tally.one(name, "OK", seconds=got["duration"])
    elif got["result"] == "SKIP":
        tally.one(name, "SKIP", last_line(text))
    else:
        print("\n".join(text.splitlines()[-30:]), flush=True)
        tally.one(name, "FAIL", f"{got['result'].lower()}: {last_line(text)}", got["duration"])


def last_line(text):
    rows = [row for row in text.splitlines() if row.strip()]
    return rows[-1].strip()[:300] if rows else "(it said nothing)"


def diagnosis(out, what):
    """The "# ..." lines that follow a failed line of TAP."""
    rows, got, found = out.splitlines(), [], False
    for row in rows:
        if TAP.match(row):
            found = (TAP.match(row).group(2) == what)
        elif found and row.startswith("#"):
            got.append(row[1:].strip())
    return " | ".join(got)[:500]


def step_sanitize(tally):
    """ASan and UBSan over everything that runs without a jail."""
    directory = BUILD + "-asan"
    start = time.monotonic()
    options = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1"]
    if not build(tally, directory, options):
        tally.one("sanitize/build", "FAIL", "see above")
        return
    tally.one("sanitize/build", "OK", seconds=time.monotonic() - start)
    os.environ["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1"
    os.environ["ASAN_OPTIONS"] = "detect_stack_use_after_return=1"
    for suite in ("unit", "golden", "fuzz"):
        meson_suite(tally, directory, suite, f"sanitize/{suite}", timeout=5)


def step_netns(tally):
    if os.geteuid() != 0:
        tally.one("netns", "SKIP", "network namespaces need root: run sudo tools/test")
        return
    meson_suite(tally, BUILD, "netns", timeout=2)


def step_vm(tally):
    """Two emulated machines side by side."""
    tally.step("  two emulated machines, Linux 6.12 and 6.1: some four minutes")
    meson_suite(tally, BUILD, "vm")


def step_image(tally):
    """Builds the image of the reference board and starts it. ALL: also with damaged disks, and the other kind of firmware."""
    if os.geteuid() != 0:
        tally.one("image", "SKIP", "an image needs root: run sudo tools/test")
        return
    out, start = os.path.join(BUILD, "image", "qemu-x86_64"), time.monotonic()
    tally.step("  the image of the reference board: packages, programs, disk")
    made = subprocess.run([os.path.join(ROOT, "tools/build-image"), "qemu-x86_64", "--no-deps", "--out", out], capture_output=True, text=True,
                          check=False)
    tally.one("image/build", "OK" if made.returncode == 0 else "FAIL", last_line(made.stderr), time.monotonic() - start)
    if made.returncode != 0:
        return
    tally.step("  starting it in an emulated machine")
    words = ["/usr/bin/python3", os.path.join(ROOT, "tests/image/test_image.py"), os.path.join(out, "sekisho-qemu-x86_64.img")]
    start = time.monotonic()
    got = subprocess.run(words + (["--all"] if ALL else []), capture_output=True, text=True, check=False)
    result = {0: "OK", 77: "SKIP"}.get(got.returncode, "FAIL")
    count_test(tally, "image", {"name": "start", "stdout": got.stdout, "stderr": "", "result": result, "duration": time.monotonic() - start})


ALL = False
STEPS = {"style": step_style, "build": step_build, "unit": lambda t: meson_suite(t, BUILD, "unit"),
         "golden": lambda t: meson_suite(t, BUILD, "golden"), "fuzz": lambda t: meson_suite(t, BUILD, "fuzz"),
         "captures": lambda t: meson_suite(t, BUILD, "captures", timeout=2), "netns": step_netns, "vm": step_vm, "image": step_image,
         "sanitize": step_sanitize}


def main(words):
    if "--list" in words or "-h" in words or "--help" in words:
        print("steps: " + " ".join(STEPS))
        return 0
    global ALL
    ALL = "--all" in words
    wanted = [w for w in words if w != "--all"] or list(STEPS)
    if any(w not in STEPS for w in wanted):
        print(f"tools/test: steps are: {' '.join(STEPS)}", file=sys.stderr)
        return 2
    tally = Tally()
    if "build" not in wanted and any(w in wanted for w in ("unit", "golden", "fuzz", "captures", "netns", "vm")):
        wanted.insert(0, "build")
    for step in wanted:
        tally.step(step)
        if STEPS[step](tally) is False:
            break
    print()
    for line in tally.skips:
        print(f"skipped: {line}")
    for line in tally.failures:
        print(f"FAILED: {line}")
    tally.step("done")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
