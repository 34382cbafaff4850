"""test_survive.py: what happens to running flows when the policy changes or a permission ends.

- A flow in which only the server speaks goes on over commits that still grant it (TCP, UDP, both families).
- A commit that no longer grants it cuts it, in both directions, within 5 s.
- The end of a window cuts it likewise.
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


def opened(run, proto, family):
    case = {"from": "pc", "to": "sv", "port": 443 if proto == "tcp" else 5000}
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


def client_speaks(run, flow):
    run.serial += 1
    flow.token = f"<client {run.serial:06d}>".encode()
    return run.send(flow, {"flags": "A", "seq": 1001, "ack": 5001}, False)


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


def window_ends(st, run):
    """A one-off window that ends at the next full minute: open before, closed for both directions within 5 s after."""
    now = datetime.datetime.now(ZONE)
    end = (now + datetime.timedelta(seconds=20)).replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
    begin = end - datetime.timedelta(hours=1)
    text = st.text.replace("set allow inner from", f"set allow inner window {begin:%Y-%m-%dT%H:%M}/{end:%Y-%m-%dT%H:%M}\n"
                                                   "set allow inner from")
    st.gate.commit_text(text)
    flows = [(f"{proto}-v{family}", opened(run, proto, family)) for proto in ("tcp", "udp") for family in (4, 6)]
    for name, flow in flows:
        st.tap.check(f"{name}: inside its window the flow passes", server_speaks(run, flow, 1) == 1, "nothing arrived")
    time.sleep(max(0.0, (end - datetime.datetime.now(ZONE)).total_seconds()) + 5)
    for name, flow in flows:
        heard = server_speaks_silent(run, flow) or client_speaks(run, flow)
        st.tap.check(f"{name}: 5 s after its end the window is closed for the running flow", not heard, "it still passed")
    fresh = run.flow({"from": "pc", "to": "sv", "port": 443}, 4)
    st.tap.check("a new connection after the window is refused", not run.send(fresh, {}, False), "it arrived")


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
        over_commits(st, run)
        taken_away(st, run)
        failed_commit(st, run)
        missing_interface(st, run)
        window_ends(st, run)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
