"""checks.py: what several tests ask of a gate and its town (policy: reasons.policy)."""
import os
import time

import ns
from town import GATEWAY


def wait_for(condition, seconds, step=0.05):
    """Seconds until the condition held, or None."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if condition():
            return time.monotonic() - start
        time.sleep(step)
    return None


def in_gateway(st, *words, check=True, stdin=None):
    return ns.run("ip", "netns", "exec", st.town.space.full(GATEWAY), *words, check=check, stdin=stdin)


def findings(st):
    return [f["code"] for f in st.gate.status()["findings"]]


def fault_codes(st):
    return [row["code"] for row in st.gate.rows("log", "faults", "--limit", "1000")]


def passes(run, family=4, expected=True, port=443):
    """Does a packet of an approved flow from pc to sv arrive? expected: how long to wait for it."""
    return run.send(run.flow({"from": "pc", "to": "sv", "port": port}, family), {}, expected)


def crosses(run, family=4):
    """Does a packet from mynumber into the internet arrive? Never."""
    return run.send(run.flow({"from": "relay", "to": "out", "port": 443}, family), {}, False)


def balance(st, patience=15):
    """[reason: dropped != stored + loss] once the log has come to rest; law 3 holds when it is empty."""
    end = time.monotonic() + patience
    while True:
        status = st.gate.status()
        stored, loss = status["log"]["stored"], status["log"]["loss"]
        wrong = [f"{reason}: dropped {n}, stored {stored.get(reason, 0)}, loss {loss.get(reason, 0)}"
                 for reason, n in status["dropped"].items() if n != stored.get(reason, 0) + loss.get(reason, 0)]
        if not status["dropped"]:
            wrong = ["no counter is known"]  # a keeper that has just begun
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(0.5)


def descriptors(st, program):
    """How many descriptors the program has open."""
    return len(os.listdir(f"/proc/{st.gate.pids()[program][0]}/fd"))


def state(pid):
    """The letter of a process's state; "" when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""
