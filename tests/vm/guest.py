"""guest.py: what runs inside the emulated machine: the kernel's abilities, then tests of tests/netns, as one TAP report.

Linux 6.12 has the gate's modules loaded from rootfs/etc/modules-load.d/sekisho.conf, and then no other may be loaded: the
list is complete. On 6.1 nothing is loaded before: the kernel finds each module itself when the gate first asks for it.
What could not be begun within --seconds is skipped, and says so: an emulated machine may be very slow.
"""
import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MODULES = os.path.join(ROOT, "rootfs/etc/modules-load.d/sekisho.conf")
OF_THE_TESTS = ["veth", "bridge"]
LACKS = {"6.12": ["xt-nfqueue"], "6.1": ["xt-nfqueue", "owner-persist"]}  # xt-nfqueue: not loaded, `queue` serves
ONLY = {"net": "6.12"}  # slow, and the same on both
TAP = re.compile(r"^(ok|not ok) \d+(?: - (.*?))?(\s+# SKIP.*)?$")


class Report:
    def __init__(self):
        self.count = self.failed = 0

    def line(self, good, name, rest=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}{rest}", flush=True)


def load_modules(kernel, report):
    subprocess.run(["modprobe", "-a", *OF_THE_TESTS], check=True)
    if kernel == "6.1":
        return
    with open(MODULES, encoding="ascii") as f:
        names = [line.strip() for line in f if line.strip() and not line.startswith("#")]
    done = subprocess.run(["modprobe", "-a", *names], check=False, capture_output=True, text=True)
    report.line(done.returncode == 0, "modules: each of the list can be loaded", "")
    if done.stderr:
        print("# " + done.stderr.strip().replace("\n", "\n# "))
    with open("/proc/sys/kernel/modules_disabled", "w", encoding="ascii") as f:
        f.write("1")


def capabilities(build, kernel, report):
    """What the gate finds out about this kernel is what we know of it."""
    words = ["unshare", "-n", os.path.join(build, "tests/netns/nft/nft_drive")]
    done = subprocess.run(words, input="open\n", capture_output=True, text=True, check=False)
    lacks = re.findall(r" no-(\S+)", done.stdout)
    report.line(done.stdout.startswith("ok") and lacks == LACKS[kernel],
                f"capabilities: the gate finds what Linux {kernel} can do")
    print(f"# {done.stdout.strip()} {done.stderr.strip()}")


def run_tap(name, words, report):
    """One test program that speaks TAP, or says by its exit status alone how it went."""
    start, seen = time.monotonic(), 0
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}) as p:
        for line in p.stdout:
            got = TAP.match(line.rstrip("\n"))
            if got:
                seen += 1
                report.line(got.group(1) == "ok", f"{name}: {got.group(2)}", got.group(3) or "")
            elif not re.match(r"\d+\.\.\d+$", line):
                print("# " + line.rstrip("\n").lstrip("# "), flush=True)
    if p.returncode != 0 or seen == 0:
        report.line(p.returncode == 0, f"{name}: the program ended with {p.returncode}")
    print(f"# {name}: {time.monotonic() - start:.0f} s", flush=True)


def kernel_is_well(report):
    text = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
    bad = [line for line in text.splitlines() if re.search(r"WARNING:|BUG:|Oops|Call Trace|refcount", line)]
    report.line(not bad, "the kernel itself complained of nothing")
    for line in bad[:10]:
        print("# " + line)


def parts(build):
    netns, python = os.path.join(ROOT, "tests/netns"), sys.executable
    drive = os.path.join(build, "tests/netns/nft/nft_drive")
    town = {name: [python, f"{netns}/{path}.py", "--build", build, "--short"]
            for name, path in {"town": "test_town", "reasons": "reasons/test_reasons", "swap": "test_swap",
                               "property": "property/test_property"}.items()}
    queue = os.path.join(build, "tests/netns/nft/nft_queue")
    inspect = [python, f"{netns}/nft/test_inspect.py", drive, queue, "each_word", "death", "over_a_commit",
               "real_connections", "pinholes"]
    return {"packets": [python, f"{netns}/nft/test_packets.py", drive], "inspect": inspect, **town,
            "turned": [python, f"{netns}/mail/test_turned.py", "--build", build, "--short"],
            "proof": [python, f"{netns}/nft/test_proof.py", drive],
            "net": [os.path.join(build, "tests/netns/net/test_net_live")]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=int, default=330)
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    start = time.monotonic()
    kernel, report, table = os.environ["SEKISHO_VM"], Report(), parts(options.build)
    load_modules(kernel, report)
    capabilities(options.build, kernel, report)
    for name in options.parts or (n for n in table if ONLY.get(n, kernel) == kernel):
        if time.monotonic() - start < options.seconds:
            run_tap(name, table[name], report)
        else:
            report.line(True, name, f" # SKIP not begun within {options.seconds} s")
    kernel_is_well(report)
    print(f"1..{report.count}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
