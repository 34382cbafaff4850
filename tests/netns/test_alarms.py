"""test_alarms.py: what people are warned of, with real packets: a scan, a beacon, a machine that nobody knows, a port that
nobody uses, an approval that ends soon. Each is a finding with its number, and its beginning is recorded.

When they end is a matter of minutes: the unit test of the alarms has that, with a clock of its own.
"""
import datetime
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import ns  # noqa: E402
import stage  # noqa: E402
from town import GATEWAY  # noqa: E402

SCAN, BEACON, PERIOD = 10, 3, 6


def finding(st, code, seconds=8):
    end = time.monotonic() + seconds
    while True:
        found = [f for f in st.gate.status()["findings"] if f["code"] == code]
        if found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def recorded(st, code, seconds=5):
    end = time.monotonic() + seconds
    while True:
        if any(r["code"] == code for r in st.gate.rows("log", "faults")):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.3)


def refused(run, source, target, port, **more):
    case = {"from": source, "to": target, "port": port, **more}
    return run.send(run.flow(case, 4), case, False)


def quiet(st):
    codes = {f["code"] for f in st.gate.status()["findings"]}
    st.tap.check("nothing is wrong at first", not codes & {"scan", "flood", "beacon", "unknown-mac"}, codes)


def scan(st, run):
    for port in range(SCAN - 1):
        refused(run, "pc", "sv", 1000 + port)
    time.sleep(3)
    st.tap.check("one refusal less than the threshold is no scan", not finding(st, "scan", 0))
    refused(run, "pc", "sv", 1999)
    found = finding(st, "scan")
    st.tap.check("scan: said with its source, segment and number", found and "10.2.20.10 (pc) [lgwan]" in found[0]["text"] and
                 str(SCAN) in found[0]["text"] and found[0]["advice"], found)
    st.tap.check("scan: its beginning is recorded", recorded(st, "scan"))
    text = st.gate.ask("status", lang="ja", check=False).stdout
    st.tap.check("scan: in Japanese", "多くの宛先やポート" in text, text)


def beacon(st, run):
    for i in range(BEACON):
        # TCP repeats its first packet: the same attempt.
        case = {"from": "relay", "to": "out", "port": 443, "sport": 41000 + i}
        for _ in range(2):
            run.send(run.flow(case, 4), case, False)
            time.sleep(1)
        if i + 1 < BEACON:
            time.sleep(PERIOD - 2.3)
    found = finding(st, "beacon")
    st.tap.check("beacon: from whom to which segment, and how often", found and "10.1.0.20 (relay) [mynumber] -> internet" in
                 found[0]["text"], found or st.gate.drops()[-8:])


def unknown(st, run):
    refused(run, "sv", "pc", 999)
    time.sleep(2)
    st.tap.check("a registered machine is none that nobody knows", not finding(st, "unknown-mac", 0))
    refused(run, "10.2.0.77", "pc", 999, wire="eth1", mac="02:66:66:66:66:66")
    found = finding(st, "unknown-mac")
    st.tap.check("unknown machine: its MAC, its address, its segment", found and "02:66:66:66:66:66 (10.2.0.77) [lgwan]" in
                 found[0]["text"], found or st.gate.drops()[-4:])


def unused_port(st):
    gw = st.town.space.full(GATEWAY)
    ns.run("ip", "-n", gw, "link", "add", "eth9", "type", "veth", "peer", "name", "eth9p")
    ns.run("ip", "-n", gw, "link", "set", "eth9", "up")
    ns.run("ip", "-n", gw, "link", "set", "eth9p", "up")
    found = finding(st, "interface-unknown")
    st.tap.check("a link on a port that no segment uses", any("eth9" in f["text"] for f in found), found)


def ends_soon(st):
    soon = datetime.date.today() + datetime.timedelta(days=10)
    begun = datetime.date.today() - datetime.timedelta(days=300)
    st.gate.commit_text(st.text + f"set allow brief from pc to mta service tcp/8001 starts {begun} expires {soon}\n")
    found = finding(st, "expiring", 20)
    st.tap.check("an approved flow that ends soon", found and "brief" in found[0]["text"], found)
    rows = st.gate.rows("show", "rules", "--expiring", "30")
    st.tap.check("show rules --expiring", any(r["rule"] == "brief" and r["ends_in_days"] <= 11 for r in rows), rows)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    text += f"set system alarm threshold scan {SCAN} beacon {BEACON}\n"
    with stage.Stage(options.build, text) as st:
        run = cases.Runner(st.town, st.gate)
        quiet(st)
        scan(st, run)
        beacon(st, run)
        unknown(st, run)
        unused_port(st)
        ends_soon(st)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
