"""test_reasons.py: every reason of reason.h is met by a real packet, IPv4 and IPv6, and proven by its drop record.

Also: a reason without a packet in reasons.toml fails, so that a new one cannot be forgotten.
"""
import itertools
import os
import signal
import sys
import time
import tomllib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import stage  # noqa: E402

TABLE = "tests/netns/reasons/reasons.toml"


def check_complete(tap, table):
    """Each reason has a case per family, or a line that says why not."""
    seen = {(c["expect"], f) for c in table["case"] for f in c.get("families", [4, 6])}
    none = {(n["reason"], n["family"]) for n in table["none"]}
    words = stage.reason_words()
    missing = [f"{w} v{f}" for w in words for f in (4, 6) if (w, f) not in seen | none]
    tap.check("every reason has its packet", words and not missing, ", ".join(missing))


def kind_log_full(run, case, family):
    """Records cannot be stored, as if the disk were full: nothing new passes; the drop is accounted for afterwards.

    A full disk alone would not do: the store has its space reserved. So the recorder comes up with its directory shut.
    """
    before = run.gate.status()["dropped"].get("log-full", 0)
    store = os.path.join(run.gate.root, "var/lib/sekisho/log")
    mode = os.stat(store).st_mode
    os.chmod(store, 0)
    os.kill(run.gate.pids()["sekisho-logd"][0], signal.SIGKILL)
    try:
        deadline = time.monotonic() + 20
        while run.gate.status()["log"]["writable"]:
            if time.monotonic() > deadline:
                raise RuntimeError("the gate does not notice that records cannot be stored")
            provoke(run, case, family)
            time.sleep(0.1)
        time.sleep(1.2)
        flow = run.flow(case, family)
        arrived = run.send(flow, case, False)
        time.sleep(1.2)
        counted = run.gate.status()["dropped"].get("log-full", 0)
        if counted <= before and not arrived:
            raise RuntimeError(f"the kernel counted no log-full drop ({before}, {counted})")
    finally:
        os.chmod(store, mode)
    deadline = time.monotonic() + 20
    while not run.gate.status()["log"]["writable"] and time.monotonic() < deadline:
        time.sleep(0.2)
    return arrived, flow


def provoke(run, case, family):
    """Refused packets, so that the store has something to write."""
    flow = run.flow(case, family, port=81)
    run.put(flow, run.packet(flow, case))


def run_table(stage_, table):
    """Cases in the order of the file, grouped by the lines that they add to the policy."""
    runner = cases.Runner(stage_.town, stage_.gate)
    table = [c for c in table["case"] if c.get("phase") != "closed"]
    for added, group in itertools.groupby(table, lambda case: case.get("policy", "")):
        stage_.gate.commit_text(stage_.text + added + "\n")
        if not runner.serial:
            stage_.settle()
            runner.gateway_macs = {w: stage_.town.gateway_mac(w) for w in stage_.town.wires()}
        report(stage_.tap, runner.run(list(group), fresh=True))


def report(tap, results):
    for result in results:
        tap.check(result.name, result.ok, f"expected {result.case['expect']}: {result.why}")


def main():
    options = stage.arguments(__doc__)
    table = tomllib.loads(stage.read(TABLE))
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    cases.KINDS["log-full"] = kind_log_full
    tap = stage.Tap()
    check_complete(tap, table)
    with stage.Stage(options.build, text, commit=False, tap=tap) as st:
        stage.raise_ports(st.town)
        time.sleep(1)
        report(tap, cases.Runner(st.town, st.gate).run([c for c in table["case"] if c.get("phase") == "closed"]))
        run_table(st, table)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
