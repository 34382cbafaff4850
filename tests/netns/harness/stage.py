"""stage.py: what a test in network namespaces begins and ends with: root, a town with a gate, TAP, nothing left behind.

    with Stage(build, policy_text) as stage:      raises town and gate, commits, waits until it is settled
        stage.tap.check("name", condition, why)
    sys.exit(stage.tap.end())
"""
import argparse
import os
import re
import sys
import time

import ns
from gate import Gate
from policy import Policy
from town import GATEWAY, Town

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


def read(name):
    """A file of the source tree."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def arguments(description):
    """Options of every such test; ends with 77 (skipped) when this cannot run here."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="build directory")
    parser.add_argument("--seed", type=int, default=None, help="of random tests: repeats one")
    parser.add_argument("--short", action="store_true", help="a short run, for an emulated machine")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("network namespaces need root")
        sys.exit(77)
    if not os.path.exists("/run/netns") and ns.run("ip", "netns", "list", check=False).returncode != 0:
        print("ip netns does not work here")
        sys.exit(77)
    return options


class Tap:
    """Test Anything Protocol: a line per check, the plan at the end."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, name, good, why=""):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            self.failed += 1
            for line in str(why).splitlines()[:12]:
                print(f"# {line}", flush=True)
        return good

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}", flush=True)

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


class Stage:
    """A town (bare wires unless hosts=True) and a gate with a policy in force."""

    def __init__(self, build, text, hosts=False, commit=True, tap=None):
        self.build, self.text, self.hosts, self.commit_first = build, text, hosts, commit
        self.tap = tap or Tap()
        self.town = self.gate = None

    def __enter__(self):
        prefix = f"sekisho-t{os.getpid()}-"
        try:
            self.town = Town(Policy(self.text), prefix, hosts=self.hosts)
            self.town.raise_()
            self.gate = Gate(self.build, self.town)
            self.prepare()
            self.gate.start()
            if self.commit_first:
                self.gate.commit_text(self.text)
                self.settle()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and self.gate is not None:
            print("# the end of the gate's log:")
            for line in self.gate.log_tail(20).splitlines():
                print(f"#   {line}")
        self._close()

    def _close(self):
        if self.gate is not None:
            self.gate.stop()
            if self.gate.found:
                self.tap.check("no program of the gate has a defect to report", False, "\n".join(self.gate.found))
        if self.town is not None:
            self.town.close()

    def prepare(self):
        """What a test of another kind does before the gate is started."""

    def settle(self):
        settle(self.town)


def settle(town, seconds=5):
    """Waits until no IPv6 address of the town is tentative any more, and neighbours can be found."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(map(ns.tentative, town.space.names)):
            break
        time.sleep(0.1)
    time.sleep(1)


def raise_ports(town):
    """Cables up by hand: for what is sent before the gate itself raises its ports. VLANs are the gate's own to make."""
    for cable in town.cables:
        town.space.ip(GATEWAY, "link", "set", "dev", cable, "up")


def reason_words():
    """Every word of reason.h, in the order of their codes."""
    return re.findall(r'^\s*X\(\d+, \w+, "([a-z-]+)"', read("include/sekisho/reason.h"), re.MULTILINE)
