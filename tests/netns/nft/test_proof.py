"""The evaluator over what the kernel holds of verified flows: right rulesets are found right, broken ones broken.

Each way to break one is done to a ruleset before it is programmed (breaker.h); the kernel's own dump is judged.
"""
import sys

import stand
from policies import FILES, HEAD, MOVED, POLICY, TLS

# name, what is found, ways to break the ruleset of MOVED over FILES (generation 11 over 10)
WAYS = [
    # what is not queued stops behind, as nobody spoke for it
    ("queue-accepts", "missing", ["accept queue_0 queue num"]),
    ("unqueued", "missing", ["accept to_inspector iifname vmap"]),
    ("queue-of-another", "queue", ["number 200 201 queue_0 queue"]),
    ("no-queue", "missing", ["drop to_inspector iifname vmap"]),
    ("asks-nobody", "queues", ["drop to_inspector @inspectors"]),
    ("class-plain", "crosses", ["class 4 1 flow_0_1_udp4"]),
    ("plain-inspected", "queues", ["class 1 4 flow_0_1_udp4"]),
    ("oneway-both", "queues", ["drop inspect_oneway ct direction reply"]),
    ("refused-unstopped", "crosses", ["drop judge ct mark & 0x3 == 0x3"]),
    ("refused-passes", "crosses", ["accept judge ct mark & 0x3 == 0x3"]),
    ("verified-once-for-all", "crosses", ["number 0x80000fff 0x80000000 inspect ct mark & 0x80000fff",
                                          "number 0x8000002c 0x80000000 inspect ct mark & 0x80000000"]),
    ("old-marks-pass", "crosses", ["accept outdated ct mark set"]),
    ("renewed-unasked", "crosses", ["drop inspect @renewable"]),
    ("renewed-oneway", "crosses", ["drop inspect_oneway @renewable"]),
    ("renewed-otherwise", "renews", ["pair renewable 0x1000 0x6000"]),
    ("renewed-from-nothing", "renews", ["pair renewable 0x0 0x2000"]),
    ("undecided-unjudged", "verdict", ["drop inspected goto verdict"]),
    ("any-word", "verdict", ["accept verdict goto stop_no-inspector"]),
    ("refusal-passes", "verdict", ["accept verdict 0x5e000003"]),
    ("drop-passes", "verdict", ["accept verdict 0x5e000004"]),
    ("loose-mark", "verdict", ["number 0xff0000ff 0x0f0000ff verdict 0x5e000001", "number 0x5e000001 0x0e000001 verdict 0x5e000001"]),
    ("forward-passes-flow", "verdict", ["number 0xff0000ff 0xff0000fc verdict 0x5e000002",
                                        "number 0x5e000002 0x5e000000 verdict 0x5e000002"]),
    ("timed-passed", "verdict", ["without 1 verdict ct mark & 0x30000000 == 0x0"]),
    ("refused-meanwhile", "verdict", ["drop inspected ct mark & 0x3 == 0x3"]),
    ("mark-brought-along", "crosses", ["without 1 related_flow ct mark & 0x20000fff"]),
    ("pinhole-stays", "pinhole", ["drop pinhole delete @pinholes4"]),
    ("pinhole-for-all", "pinhole", ["accept pinhole map @hosts4"]),
    ("pinhole-wider", "pinhole", ["wide hosts4"]),
    ("pinhole-later", "pinhole", ["without 1 missed @pinholes4", "without 1 missed @pinholes4"]),
    ("pinhole-unmarked", "pinhole", ["without 0 data_marked 0x3000002e"]),
    ("data-for-all", "crosses", ["accept missed ct mark & 0x30000000"]),
    ("data-wider", "crosses", ["wide data4"]),
    ("reset-of-any", "reset", ["without 3 output tcp flags & 0x4"]),
    ("tcp-of-refused", "reset", ["without 2 output tcp flags & 0x4"]),
]


def proves(s, name, expected, what="prove"):
    answer = s.do(what)
    if expected is None:
        s.check(" findings=0 " in " " + answer, f"{name}: {answer[:400]}")
    else:
        s.check(f"[{expected}:" in answer, f"{name}: expected {expected}: {answer[:400]}")


def right(s):
    """Every policy over every other, with and without what its rulesets may leave out."""
    generation = 0
    for policy in (POLICY, FILES, MOVED, POLICY, HEAD, MOVED, MOVED, FILES.replace("rule files 0 1 2 0", "rule files 0 1 2 0 3600"),
                   FILES + "set half-open 100\n", FILES + "set refuse-silently 1\n"):
        generation += 1
        s.policy(policy)
        s.do(f"commit {generation}")
        proves(s, f"generation {generation}", None)
        s.do("inspectors on")
        proves(s, f"generation {generation}, inspected", None)
        s.do("pinhole 10.1.0.20 10.2.0.8 40000")
        s.do("pinhole 10.1.0.77 10.2.0.77 40000")
        proves(s, f"generation {generation}, with pinholes, a wrong one too", None)


def broken(s):
    for name, expected, ways in WAYS:
        s.policy(FILES)
        s.do("commit 10")
        for way in ways:
            s.do(f"break {way}")
        s.policy(MOVED)
        if not s.do("commit 11", fail=True).startswith("ok"):
            s.check(False, f"{name}: nothing was broken")
            continue
        proves(s, name, expected)
        s.policy(MOVED)
        s.do("commit 12")
    s.policy(FILES)
    s.do("commit 13")
    s.do("break drop inspect ct mark & 0xffc != 0x34")
    s.do("commit 14")
    proves(s, "renewed whatever its generation", "crosses")
    s.policy(MOVED)
    s.do("commit 15")
    proves(s, "a queue that lets pass when nobody listens", "queue", "prove bypass")
    # the same number, other words
    s.policy(FILES.replace(f"verify 3 {TLS} 0 tls", f"verify 3 {TLS} 0 tls-named"))
    s.do("commit 16")
    s.do("break pair renewable 0x6000 0x5000")
    s.policy(FILES)
    s.do("commit 17")
    proves(s, "what was verified with other words", "renews")


def main():
    stand.need_root()
    s = stand.Stand(sys.argv[1])
    try:
        s.do("open")
        s.do("shut")
        right(s)
        broken(s)
        return s.end()
    finally:
        s.close()


sys.exit(main())
