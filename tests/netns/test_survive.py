"""test_survive.py: what happens to running flows when the policy changes or a permission ends.

- A flow in which only the server speaks goes on over commits that still grant it (TCP, UDP, both families).
- A commit that no longer grants it cuts it, in both directions, within 5 s.
- The end of a window cuts it likewise, unless it may drain: then it runs on, also over commits.
- A commit that fails leaves the old policy in force.
"""
import datetime
import os
import sys
import time
import zoneinfo

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import stage  # noqa: E402

ZONE = zoneinfo.ZoneInfo("Asia/Tokyo")


# What a flow's rule is called: ports of TCP and UDP.
PORTS = {"inner": (443, 5000), "cut": (445, 5002), "drained": (444, 5001)}


def opened(run, proto, family, rule="inner"):
    case = {"from": "pc", "to": "sv", "port": PORTS[rule][proto == "udp"]}
    return (cases.handshake if proto == "tcp" else cases.opened)(run, case, family)


def server_speaks(run, flow, count):
    """The server alone sends `count` packets; how many arrive."""
    back = flow.reversed(run.town)
    arrived = 0
    for i in range(count):
        run.serial += 1
        back.token = f"<serve {run.serial:06d}>".encode()
        how = {"flags": "A", "seq": 5001 + i * len(back.token), "ack": 1001}
        arrived += run.send(back, how, True)
    return arrived


def client_speaks(run, flow, expected=False):
    run.serial += 1
    flow.token = f"<client {run.serial:06d}>".encode()
    return run.send(flow, {"flags": "A", "seq": 1001, "ack": 5001}, expected)


def over_commits(st, run):
    for proto in ("tcp", "udp"):
        for family in (4, 6):
            flow = opened(run, proto, family)
            arrived = 0
            for i in range(4):
                st.gate.commit_text(st.text + f"set allow new{i} from pc to mta service tcp/{8000 + i}\n")
                arrived += server_speaks(run, flow, 2)
            st.tap.check(f"{proto}-v{family}: a server that alone speaks is heard over 4 commits", arrived == 8,
                         f"{arrived} of 8 arrived")


def taken_away(st, run):
    """The commit that ends the permission."""
    without = "\n".join(line for line in st.text.splitlines() if not line.startswith("set allow inner"))
    for proto in ("tcp", "udp"):
        for family in (4, 6):
            st.gate.commit_text(st.text)
            flow = opened(run, proto, family)
            st.gate.commit_text(without + "\n")
            heard = server_speaks_silent(run, flow) or client_speaks(run, flow)
            st.tap.check(f"{proto}-v{family}: a commit that takes the permission away cuts the flow", not heard,
                         "a packet still passed")
    st.gate.commit_text(st.text)


def server_speaks_silent(run, flow):
    back = flow.reversed(run.town)
    run.serial += 1
    back.token = f"<late {run.serial:06d}>".encode()
    return run.send(back, {"flags": "A", "seq": 5001, "ack": 1001}, False)


class Window:
    """A one-off window that ends at a full minute while the other parts of the test run. Within 5 s after its end it is
    closed for both directions; flows of a rule that may drain run on, also over commits, until the rule is gone."""

    def __init__(self, st, run):
        self.st, self.run = st, run
        now = datetime.datetime.now(ZONE)
        self.end = (now + datetime.timedelta(seconds=30)).replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
        window = f"window {self.end - datetime.timedelta(hours=1):%Y-%m-%dT%H:%M}/{self.end:%Y-%m-%dT%H:%M}"
        self.rules = {rule: f"set allow {rule} from pc to sv service tcp/{tcp} service udp/{udp} {window} at-end {how}\n"
                      for rule, how in (("cut", "cut"), ("drained", "drain")) for tcp, udp in (PORTS[rule],)}
        st.text += "".join(self.rules.values())
        st.gate.commit_text(st.text)
        self.flows = {rule: [(f"{rule} {proto}-v{family}", opened(run, proto, family, rule)) for proto in ("tcp", "udp")
                             for family in (4, 6)] for rule in self.rules}
        self.all("inside its window the flow passes", self.flows["cut"] + self.flows["drained"], True)

    def all(self, what, flows, expected):
        for name, flow in flows:
            heard = server_speaks(self.run, flow, 1) == 1 if expected else server_speaks_silent(self.run, flow)
            heard_back = client_speaks(self.run, flow, expected)
            self.st.tap.check(f"{name}: {what}", (heard and heard_back) if expected else not (heard or heard_back),
                              f"server heard: {heard}, client heard: {heard_back}")

    def keep_alive(self):
        """A UDP flow in which nobody speaks for 30 s has ended for connection tracking."""
        for _, flow in self.flows["cut"] + self.flows["drained"]:
            client_speaks(self.run, flow, False)

    def wait_for_end(self):
        while (left := (self.end - datetime.datetime.now(ZONE)).total_seconds()) > 0:
            self.keep_alive()
            time.sleep(min(left, 10))
        time.sleep(5)

    def ends(self):
        st, run = self.st, self.run
        self.wait_for_end()
        self.all("5 s after the window's end the running flow is cut", self.flows["cut"], False)
        for rule in self.rules:
            fresh = run.flow({"from": "pc", "to": "sv", "port": PORTS[rule][0]}, 4)
            st.tap.check(f"{rule}: a new connection after the window is refused", not run.send(fresh, {}, False), "it arrived")
        self.all("a flow that may drain runs on", self.flows["drained"], True)
        st.gate.commit_text(st.text + "set allow other from pc to mta service tcp/8008\n")
        self.all("also over a commit", self.flows["drained"], True)
        st.gate.commit_text(st.text.replace(self.rules["drained"], ""))
        self.all("until its rule is taken away", self.flows["drained"], False)


def failed_commit(st, run):
    st.gate.commit_text(st.text)
    generation = st.gate.status()["generation"]
    for name, line in (("syntax", "set allow inner servise tcp/80"), ("guard", "set allow bad from relay to out service tcp/80"),
                       ("dangling", "set allow bad from nobody to sv service tcp/80")):
        done = st.gate.commit_text(st.text + line + "\n", check=False)
        passes = run.send(run.flow({"from": "pc", "to": "sv", "port": 443}, 4), {}, True)
        st.tap.check(f"a commit that must fail ({name}) leaves the old policy in force",
                     done.returncode == 1 and passes and st.gate.status()["generation"] == generation,
                     f"exit {done.returncode}, allowed packet passes: {passes}, generation {generation} -> "
                     f"{st.gate.status()['generation']}: {done.stdout}{done.stderr}")


def missing_interface(st, run):
    """An interface that is not there: accepted (it may be plugged in later), said, and nothing else suffers."""
    st.gate.commit_text(st.text + "set segment lgwan interface eth77\n")
    passes = run.send(run.flow({"from": "pc", "to": "sv", "port": 443}, 4), {}, True)
    findings = st.gate.status()["findings"]
    st.tap.check("an interface that does not exist is a finding with its name; the others work",
                 passes and any("eth77" in f["text"] for f in findings), findings)
    st.gate.commit_text(st.text)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    with stage.Stage(options.build, text) as st:
        run = cases.Runner(st.town, st.gate)
        window = Window(st, run)
        for part in (over_commits, taken_away, failed_commit, missing_interface):
            part(st, run)
            window.keep_alive()
        window.ends()
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
