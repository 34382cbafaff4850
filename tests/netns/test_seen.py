"""test_seen.py: what people see of a running gate: connections, what passed, rules, the machine, ways.

Real connections between real stacks; what is said of them is compared with what was sent. A flood of allowed connections
costs no record of a refusal.
"""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import ns  # noqa: E402
import stage  # noqa: E402

CONNECTIONS = 5


def wait(question, good, seconds=8):
    """Asks until the answer is good; the last answer."""
    end = time.monotonic() + seconds
    while True:
        got = question()
        if good(got) or time.monotonic() > end:
            return got
        time.sleep(0.2)


def connect(run, case):
    return cases.kind_connect(run, {**case, "expect": "arrives"}, 4)[0]


def forget(st):
    """Ends every connection in the kernel's table, so that its end is told now and not after minutes."""
    ns.forget_connections(st.town.space.full("gw"))


def flows(st, run):
    good = all(connect(run, {"from": "pc", "to": "sv", "port": 443}) for _ in range(CONNECTIONS))
    st.tap.check("connections are made", good)
    got = st.gate.rows("show", "flows", "--dst", "sv")
    st.tap.check("show flows: each with its rule, hosts, segments and bytes",
                 len(got) == CONNECTIONS and all(f["rule"] == "inner" and f["src_host"] == "pc" and f["dst_host"] == "sv" and
                                                 f["service"] == "tcp/443" and f["bytes_out"] > 0 and f["bytes_back"] > 0 and
                                                 f["since"] and f["to"] for f in got), got)
    st.tap.check("show flows: filters", st.gate.rows("show", "flows", "--rule", "nobody") == [] and
                 st.gate.rows("show", "flows", "--port", "80") == [] and
                 len(st.gate.rows("show", "flows", "--rule", "inner", "--limit", "2")) == 2)
    text = st.gate.ask("show", "flows", lang="ja").stdout
    st.tap.check("show flows: 80 columns", "inner" in text and all(len(line) <= 80 for line in text.splitlines()), text)
    return got


def admissions(st, seen):
    forget(st)
    rows = wait(lambda: st.gate.rows("show", "log", "admissions", "--dst", "sv"),
                lambda r: sum(x["connections"] for x in r) >= CONNECTIONS)
    st.tap.check("what passed is recorded: connections, and bytes as the kernel counted them",
                 sum(r["connections"] for r in rows) == CONNECTIONS and
                 sum(r["bytes_out"] for r in rows) >= sum(f["bytes_out"] for f in seen) > 0 and
                 all(r["rule"] == "inner" and r["src_host"] == "pc" and r["service"] == "tcp/443" for r in rows), rows)
    rules = {r["rule"]: r for r in wait(lambda: st.gate.rows("show", "rules"),
                                        lambda r: any(x["rule"] == "inner" and x["connections"] for x in r))}
    st.tap.check("show rules: used and unused", rules["inner"]["connections"] == CONNECTIONS and rules["inner"]["last"] and
                 any(r["connections"] == 0 and r["last"] is None for r in rules.values()), rules)
    pairs = st.gate.rows("show", "traffic")
    st.tap.check("show traffic: the pair, its course, its source", any(p["connections"] == CONNECTIONS and sum(p["slots"]) > 0 and
                 p["top"][0]["src_host"] == "pc" for p in pairs), pairs)


def killed(st):
    """What was counted is there again when the recorder was killed, and the chain holds."""
    before = sum(r["connections"] for r in st.gate.rows("show", "log", "admissions"))
    time.sleep(3)
    pid = st.gate.pids()["sekisho-logd"][0]
    os.kill(pid, signal.SIGKILL)
    wait(lambda: st.gate.pids().get("sekisho-logd", [pid])[0], lambda p: p != pid)
    rows = wait(lambda: [json.loads(x) for x in st.gate.ask("show", "log", "admissions", "--json", check=False).stdout.splitlines()],
                lambda r: sum(x["connections"] for x in r) >= before)
    st.tap.check("a killed recorder loses nothing that it had saved", sum(r["connections"] for r in rows) == before, rows)
    done = st.gate.ask("show", "log", "admissions", "--verify", check=False)
    st.tap.check("the chain of what passed holds", done.returncode == 0, done.stdout + done.stderr)


def machine(st):
    ports = {p["interface"]: p for p in st.gate.rows("show", "interfaces", inside=True)}
    st.tap.check("show interfaces: link, segment, addresses", all(p["link"] is True and p["segment"] and p["addresses"]
                 for n, p in ports.items() if n in st.town.policy.links()), ports)
    near = st.gate.rows("show", "neighbours", inside=True)
    st.tap.check("show neighbours: bound ones are known as such", any(n["bound"] and n["host"] for n in near), near)
    routes = st.gate.rows("show", "routes", inside=True)
    st.tap.check("show routes: all of the policy", routes and all(r["of_policy"] for r in routes), routes)
    clock = json.loads(st.gate.ask("show", "clock", "--json").stdout)
    st.tap.check("show clock", clock["trusted"] is True and clock["timezone"] == "Asia/Tokyo", clock)
    kinds = {h["kind"] for h in st.gate.rows("show", "hardware")}
    st.tap.check("show hardware: also what is not there is said", {"memory", "disk", "temperature", "wear", "uptime"} <= kinds, kinds)


def path(st, *words):
    done = st.gate.ask("check", "path", *words, "--json", check=False, inside=True)
    return done.returncode, json.loads(done.stdout)


def paths(st, run):
    connect(run, {"from": "pc", "to": "sv", "port": 443})
    code, got = path(st, "pc", "sv", "tcp/443")
    st.tap.check("check path: it works", code == 0 and got["rule"] == "inner" and got["answered"], got)
    run.send(run.flow({"from": "pc", "to": "sv", "port": 81}, 4), {}, False)
    st.gate.wait_drop(lambda r: r["dport"] == 81)
    code, got = path(st, "pc", "sv", "tcp/81")
    steps = {s["step"]: s["state"] for s in got["steps"]}
    st.tap.check("check path: not allowed, and the last refusal", code == 1 and steps["rule"] == "wrong" and
                 steps["drop"] == "wrong" and got["next"], got)
    code, got = path(st, "pc", "sv")
    st.tap.check("check path without a service: what may pass", any("inner" in s["text"] for s in got["steps"]), got)
    st.town.space.ip("lan", "link", "set", "dev", "w-" + run.flow({"from": "sv", "to": "pc"}, 4).wire, "down")
    wait(lambda: path(st, "pc", "sv", "tcp/443"), lambda r: r[0] == 1)
    code, got = path(st, "pc", "sv", "tcp/443")
    steps = {s["step"]: s["state"] for s in got["steps"]}
    st.tap.check("check path: no link on the way", code == 1 and steps["destination-link"] == "wrong", got)
    st.town.space.ip("lan", "link", "set", "dev", "w-" + run.flow({"from": "sv", "to": "pc"}, 4).wire, "up")


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    with stage.Stage(options.build, text, hosts=True) as st:
        run = cases.Runner(st.town, st.gate)
        seen = flows(st, run)
        admissions(st, seen)
        killed(st)
        machine(st)
        paths(st, run)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
