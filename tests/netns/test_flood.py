"""test_flood.py: a flood of refused packets in one segment loses not one of another segment's drop records.

The flood comes from random sources as fast as this machine can send (the rate reached is said). In another segment a
quiet sender meets refusals at a known number; each must be accounted for, and by records, not as a loss.
Law 3 is checked for every reason afterwards: the kernel's counter = stored + log-loss.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import dates  # noqa: E402
import stage  # noqa: E402
from town import WIRES  # noqa: E402

SECONDS, QUIET_RATE = 10, 100
WANTED_RATE = 500000


def load(st, wire, **words):
    words = {"dev": "w-" + wire, "dmac": st.town.gateway_mac(wire), **words}
    program = os.path.join(st.build, "tests/netns/load")
    return st.town.space.popen(WIRES, [program, "raw"] + [w for k, v in words.items() for w in (f"--{k}", str(v))],
                               stdout=subprocess.PIPE, text=True)


def records(st, segment):
    """(packets accounted for by records, packets booked as lost) of one segment."""
    rows = [r for r in st.gate.rows("log", "summary", "--all") if r.get("from") == segment]
    return (sum(r["packets"] for r in rows if not r.get("loss")), sum(r["packets"] for r in rows if r.get("loss")))


def balance(st):
    """[reason: dropped != stored + loss] after the log has come to rest."""
    end = time.monotonic() + 15
    while True:
        status = st.gate.status()
        stored, loss = status["log"]["stored"], status["log"]["loss"]
        wrong = [f"{reason}: dropped {n}, stored {stored.get(reason, 0)}, loss {loss.get(reason, 0)}"
                 for reason, n in status["dropped"].items() if n != stored.get(reason, 0) + loss.get(reason, 0)]
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(0.5)


def flood(st, family):
    """The flood from internet, the quiet one from lgwan; both refused."""
    before, _ = records(st, "lgwan")
    loss_before = st.gate.status()["log"]["loss"].get("no-rule", 0)
    source, sink = ("192.0.2.0/24", "10.2.0.8") if family == 4 else ("2001:db8:3::/112", "2001:db8:2::8")
    quiet_src, quiet_dst = ("10.2.0.8", "10.2.20.10") if family == 4 else ("2001:db8:2::8", "2001:db8:2:20::10")
    flooders = [load(st, "eth3", smac="02:00:00:03:66:66", src=source, dst=sink, dport="1-60000", sport="1024-65000",
                     seconds=SECONDS, rate=WANTED_RATE, cpu=cpu) for cpu in range(min(2, os.cpu_count()))]
    time.sleep(1)
    # A port of its own for each, so that the log limiter (per source, reason and port) has nothing to hold back.
    quiet = load(st, "eth1", smac="02:00:00:02:00:08", src=quiet_src, dst=quiet_dst, dport="2000-65000", sport="1024",
                 seconds=SECONDS - 2, rate=QUIET_RATE)
    *floods, few = [json.loads(p.communicate()[0]) for p in (*flooders, quiet)]
    print(f"# v{family}: the flood reached {sum(f['packets'] / f['seconds'] for f in floods):.0f} packets a second (wanted "
          f"{WANTED_RATE}), {sum(f['packets'] for f in floods)} in all; the quiet segment sent {few['packets']}")
    end = time.monotonic() + 10
    while records(st, "lgwan")[0] - before < few["packets"] and time.monotonic() < end:
        time.sleep(0.5)
    after, _ = records(st, "lgwan")
    wrong = balance(st)
    st.tap.check(f"flood-v{family}: each drop of the quiet segment has its record", after - before >= few["packets"],
                 f"sent {few['packets']}, recorded {after - before}; no-rule losses booked: "
                 f"{st.gate.status()['log']['loss'].get('no-rule', 0) - loss_before}")
    st.tap.check(f"flood-v{family}: kernel counters = stored + log-loss for every reason", not wrong, "\n".join(wrong))
    pids = st.gate.pids()
    st.tap.check(f"flood-v{family}: the gate lives", "sekishod" in pids and "sekisho-logd" in pids, pids)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    with stage.Stage(options.build, text) as st:
        for family in (4, 6):
            flood(st, family)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
