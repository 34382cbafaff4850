"""test_life.py: any process may be killed or stopped at any time, and hands may meddle with the ruleset.

During all of it a denied flood runs: not one of its packets may arrive. After each blow the process is back within a
second (or killed and started again by init when it was stopped), an allowed packet passes, and a fault record says so.
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import ns  # noqa: E402
import stage  # noqa: E402
from town import GATEWAY, WIRES  # noqa: E402

DENIED = 6666


def denied_flood(st, family, stop):
    """Refused packets from pc to sv until the file `stop` exists."""
    src, dst = ("10.2.20.10", "10.2.0.8") if family == 4 else ("2001:db8:2:20::10", "2001:db8:2::8")
    words = ["--dev", "w-eth2", "--smac", "02:00:00:02:20:10", "--dmac", st.town.gateway_mac("eth2"), "--src", src, "--dst",
             dst, "--dport", str(DENIED), "--sport", "1024-65000", "--rate", "5000", "--seconds", "600", "--until", stop]
    return st.town.space.popen(WIRES, [os.path.join(st.build, "tests/netns/load"), "raw", *words],
                               stdout=subprocess.PIPE, text=True)


def count_leaks(st):
    """A counter on the wires for packets of the flood that left the gateway."""
    devices = ", ".join(f'"w-{w}"' for w in st.town.wires() if w != "eth2")
    ns.run("ip", "netns", "exec", st.town.space.full(WIRES), "nft", "-f", "-", stdin=f"""
table netdev leaks {{
	counter leaked {{ }}
	chain in {{
		type filter hook ingress devices = {{ {devices} }} priority 0;
		udp dport {DENIED} counter name leaked
	}}
}}""")


def leaks(st):
    text = ns.run("ip", "netns", "exec", st.town.space.full(WIRES), "nft", "-j", "list", "counters").stdout
    return next(c["counter"]["packets"] for c in json.loads(text)["nftables"] if "counter" in c)


def wait_for(condition, seconds):
    """Seconds until the condition held, or None."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if condition():
            return time.monotonic() - start
        time.sleep(0.02)
    return None


def answers(st):
    return bool(st.gate.ask("status", "--json", check=False).stdout.strip())


def passes(run):
    return run.send(run.flow({"from": "pc", "to": "sv", "port": 443}, 4), {}, True)


def faults(st):
    return [r for r in st.gate.rows("log", "faults", "--limit", "1000")]


def blow(st, run, name, number, patience):
    """One signal to one process; it must be back, well, and recorded."""
    pid = st.gate.pids()[name][0]
    known = len(faults(st))
    os.kill(pid, number)

    def back():
        pids = st.gate.pids().get(name, [])
        fresh = pids and (pids[0] != pid or (number == signal.SIGSTOP and running(pid)))
        return fresh and answers(st)
    took = wait_for(back, patience)
    label = f"{name} {signal.Signals(number).name}"
    st.tap.check(f"{label}: back within {patience} s", took is not None, st.gate.log_tail(6))
    st.tap.check(f"{label}: an approved packet passes afterwards", passes(run), st.gate.ask("status", check=False).stdout)
    noticed = wait_for(lambda: len(faults(st)) > known, 3)
    st.tap.check(f"{label}: a fault record says so", noticed is not None, "no new row in log faults")


def running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "Tt"
    except OSError:
        return False


def recorded_after_kill(st, run):
    """Drops while sekisho-logd is dead are recorded once it is back."""
    flow = run.flow({"from": "pc", "to": "sv", "port": 8081}, 4)
    pid = st.gate.pids()["sekisho-logd"][0]
    os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        run.put(flow, run.packet(flow, {}))
    wait_for(lambda: answers(st) and st.gate.pids().get("sekisho-logd", [pid])[0] != pid, 5)
    row = st.gate.wait_drop(lambda r: r.get("dport") == 8081 and r["reason"] == "no-rule", 5)
    st.tap.check("drops while sekisho-logd is dead are recorded afterwards", row is not None and row["count"] >= 20, row)


def meddling(st, run):
    """nft by hand: the table flushed, a rule of ours replaced, a foreign table before ours."""
    gateway = st.town.space.full(GATEWAY)
    ns.run("ip", "netns", "exec", gateway, "nft", "flush", "ruleset", check=False)
    healed = wait_for(lambda: st.gate.status().get("open") and passes(run), 15)
    st.tap.check("nft flush ruleset: refused by the kernel, or healed", healed is not None,
                 st.gate.ask("status", check=False).stdout)
    ns.run("ip", "netns", "exec", gateway, "nft", "-f", "-", stdin="""
table inet foreign {
	chain c {
		type filter hook forward priority -10; policy accept;
		accept
	}
}""")
    told = wait_for(lambda: any("foreign" in f["text"] or "foreign" in f["code"] for f in st.gate.status()["findings"]), 15)
    st.tap.check("a foreign table is a finding", told is not None, st.gate.ask("status", check=False).stdout)
    ns.run("ip", "netns", "exec", gateway, "nft", "delete", "table", "inet", "foreign", check=False)
    clean = wait_for(lambda: not any("foreign" in f["text"] for f in st.gate.status()["findings"]), 15)
    st.tap.check("and gone when it is taken away", clean is not None, st.gate.ask("status", check=False).stdout)


def end_of_init(st, run):
    """init itself is killed: its daemons end, and when the lease lapses nothing passes any more."""
    pid = st.gate.pids()["sekisho-init"][0]
    os.kill(pid, signal.SIGKILL)
    st.gate.process.wait()
    gone = wait_for(lambda: not st.gate.pids(), 5)
    st.tap.check("sekisho-init killed: its daemons end", gone is not None, st.gate.pids())
    lapsed = wait_for(lambda: not run.send(run.flow({"from": "pc", "to": "sv", "port": 443}, 4), {}, False), 40)
    st.tap.check("and the lease closes the gate", lapsed is not None, "approved packets still pass after 40 s")
    st.gate.start()
    opened = wait_for(lambda: st.gate.status().get("open") and passes(run), 15)
    st.tap.check("started again: the stored policy is in force", opened is not None,
                 st.gate.ask("status", check=False).stdout)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    with stage.Stage(options.build, text) as st:
        run = cases.Runner(st.town, st.gate)
        count_leaks(st)
        stop = os.path.join(st.gate.work, "stop")
        floods = [denied_flood(st, family, stop) for family in (4, 6)]
        st.tap.check("an approved packet passes before all", passes(run), st.gate.ask("status", check=False).stdout)
        for name in ("sekisho-logd", "sekishod"):
            blow(st, run, name, signal.SIGKILL, 1.5)
            blow(st, run, name, signal.SIGSTOP, 12)
        recorded_after_kill(st, run)
        meddling(st, run)
        end_of_init(st, run)
        with open(stop, "w", encoding="ascii"):
            pass
        sent = sum(json.loads(p.communicate()[0])["packets"] for p in floods)
        st.tap.check("of the denied flood not one packet arrived", leaks(st) == 0, f"{leaks(st)} of {sent} leaked")
        print(f"# {sent} denied packets sent meanwhile")
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
