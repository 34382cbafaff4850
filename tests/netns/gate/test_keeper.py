"""test_keeper.py: sekishod on a real kernel: what it keeps, and what it does when something fails.

- network settings and kernel settings that somebody changes are put back, and are a finding and a record
- an interface that does not exist is a finding; when it appears it is set up
- kill -9 of sekishod and of one-shots: no allowed packet of a running flow is lost, nothing is left half done
- sekisho-init killed in the middle of a commit, at many moments: afterwards the old or the new policy, whole
- a stored policy that rotted: closed, said; a new commit opens again
- records that cannot be kept close what is new
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import ns  # noqa: E402
import stage  # noqa: E402
from town import GATEWAY  # noqa: E402


def wait_for(condition, seconds):
    """Seconds until the condition held, or None."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if condition():
            return time.monotonic() - start
        time.sleep(0.05)
    return None


def in_gateway(st, *words, check=True):
    return ns.run("ip", "netns", "exec", st.town.space.full(GATEWAY), *words, check=check)


def findings(st):
    return [f["code"] for f in st.gate.status()["findings"]]


def fault_codes(st):
    return [row["code"] for row in st.gate.rows("log", "faults", "--limit", "1000")]


def passes(run, port=443):
    return run.send(run.flow({"from": "pc", "to": "sv", "port": port}, 4), {}, True)


def put_back(st, run):
    """(what is done by hand, command that shows it, text that must be there again)"""
    changes = (
        ("ip addr del 10.2.0.1/24 dev eth1", "ip -4 addr show dev eth1", "10.2.0.1/24"),
        ("ip route del 10.1.10.0/24", "ip route", "10.1.10.0/24 via 10.1.0.254"),
        ("ip neigh replace 10.2.0.8 lladdr 02:66:66:66:66:66 dev eth1 nud permanent", "ip neigh show dev eth1",
         "10.2.0.8 lladdr 02:00:00:02:00:08 PERMANENT"),
        ("ip link set dev eth1 down", "ip link show dev eth1", ",UP"),
    )
    for by_hand, show, text in changes:
        in_gateway(st, *by_hand.split())
        took = wait_for(lambda s=show, t=text: t in in_gateway(st, *s.split()).stdout, 2)
        st.tap.check(f"put back: {by_hand}", took is not None, in_gateway(st, *show.split()).stdout)
    st.tap.check("a change by hand is a finding", "net-changed" in findings(st), findings(st))
    st.tap.check("and a fault record", wait_for(lambda: "net-changed" in fault_codes(st), 3) is not None)
    foreign = (("ip route add 10.77.0.0/16 via 10.2.0.66", "ip route", "10.77.0.0"),
               ("ip addr add 10.66.0.1/24 dev eth1", "ip addr", "10.66.0.1"))
    for by_hand, show, text in foreign:
        in_gateway(st, *by_hand.split())
        took = wait_for(lambda s=show, t=text: t not in in_gateway(st, *s.split()).stdout, 2)
        st.tap.check(f"taken away: {by_hand}", took is not None, in_gateway(st, *show.split()).stdout)
    in_gateway(st, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/eth1/accept_redirects")
    took = wait_for(lambda: in_gateway(st, "cat", "/proc/sys/net/ipv4/conf/eth1/accept_redirects").stdout == "0\n", 12)
    st.tap.check("a kernel setting is put back", took is not None)
    st.tap.check("and is a finding", "sysctl-changed" in findings(st), findings(st))
    st.tap.check("an approved packet passes afterwards", passes(run), st.gate.ask("status", check=False).stdout)


def missing_interface(st, run):
    extra = "set segment lgwan interface eth7\nset interface eth7 address 10.2.70.1/24\n"
    done = st.gate.commit_text(st.text + extra, check=False)
    st.tap.check("a policy with an interface that does not exist is taken", done.returncode == 0,
                 done.stdout + done.stderr)
    told = wait_for(lambda: "interface-missing" in findings(st), 3)
    st.tap.check("the missing interface is a finding", told is not None, findings(st))
    st.tap.check("and the rest works", passes(run))
    st.town.space.veth(GATEWAY, "eth7", "lan", "w-eth7")
    st.town.space.ip("lan", "link", "set", "dev", "w-eth7", "up")
    took = wait_for(lambda: "10.2.70.1/24" in in_gateway(st, "ip", "addr").stdout, 3)
    st.tap.check("when it appears it is set up", took is not None, in_gateway(st, "ip", "addr").stdout)
    cured = wait_for(lambda: "interface-missing" not in findings(st), 3)
    st.tap.check("and the finding is gone", cured is not None, findings(st))
    st.gate.commit_text(st.text)
    took = wait_for(lambda: ",UP" not in in_gateway(st, "ip", "link", "show", "dev", "eth7").stdout, 3)
    st.tap.check("a policy without it takes it down", took is not None)
    st.town.space.ip(GATEWAY, "link", "del", "dev", "eth7")


def running_flow(st, run):
    """A flow at 100 packets a second while sekishod is killed three times: none may be lost."""
    flow = run.flow({"from": "pc", "to": "sv", "port": 5000, "proto": "udp"}, 4)
    sent, count = [], 0
    stop = threading.Event()

    def killer():
        for _ in range(3):
            time.sleep(0.7)
            for pid in st.gate.pids().get("sekishod", []):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.7)
        stop.set()
    thread = threading.Thread(target=killer)
    thread.start()
    while not stop.is_set():
        count += 1
        flow.token = f"<flow {count:06d}>".encode()
        run.put(flow, run.packet(flow, {}))
        sent.append(flow.token)
        time.sleep(0.01)
    thread.join()
    missing = set(sent)

    def arrived(_, data):
        missing.difference_update({token for token in missing if token in data})
        return not missing
    run.town.overhear(2, arrived)
    st.tap.check(f"kill -9 of sekishod three times: none of {count} packets of an allowed flow is lost", not missing,
                 f"{len(missing)} lost")
    opened = wait_for(lambda: st.gate.status().get("open"), 5)
    st.tap.check("and the gate is open", opened is not None, st.gate.ask("status", check=False).stdout)


def one_shots(st, run):
    """sekisho-compile and sekisho-prove killed or stopped while they work for a commit."""
    for name in ("sekisho-compile", "sekisho-prove"):
        for number in (signal.SIGKILL, signal.SIGSTOP):
            stop, hit = threading.Event(), []

            def hunter(n=name, s=number, done=stop, hits=hit):
                while not done.is_set():
                    for pid in st.gate.pids().get(n, []):
                        try:
                            os.kill(pid, s)
                            hits.append(pid)
                        except ProcessLookupError:
                            pass
            thread = threading.Thread(target=hunter)
            thread.start()
            before = st.gate.status()["generation"]
            done = st.gate.commit_text(st.text + "set allow shot from pc to mta service tcp/9999\n", check=False)
            stop.set()
            thread.join()
            wait_for(lambda: st.gate.status().get("open"), 15)
            status = st.gate.status()
            whole = status["generation"] == before + 1 if done.returncode == 0 else status["generation"] == before
            st.tap.check(f"{name} {number.name} ({len(hit)} times): the old or the new policy, and open",
                         whole and status.get("open") and passes(run), f"exit {done.returncode} {done.stderr} {status}")
    st.gate.commit_text(st.text)


def power_cuts(st, run, rng):
    """sekisho-init and all of its processes killed in the middle of a commit."""
    new = st.text + "set allow cut from pc to mta service tcp/9998\n"
    path = os.path.join(st.gate.work, "cut.policy")
    old_found = new_found = 0
    for i in range(6):
        st.gate.commit_text(st.text)
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
        client = subprocess.Popen([st.gate.command, "--root", st.gate.root, "commit", path, "--who", "t", "--why", "t"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.0, 0.35))
        for pids in st.gate.pids().values():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        st.gate.process.wait()
        client.wait()
        st.gate.start()
        opened = wait_for(lambda: st.gate.status().get("open"), 15)
        text = st.gate.ask("running", check=False).stdout
        old_found += text == st.text
        new_found += text == new
        st.tap.check(f"cut {i + 1}: the old or the new policy is in force, whole",
                     opened is not None and text in (st.text, new) and passes(run),
                     st.gate.ask("status", check=False).stdout)
    print(f"# {old_found} old, {new_found} new")
    st.gate.commit_text(st.text)


def restart(st):
    st.gate.process.send_signal(signal.SIGTERM)
    st.gate.process.wait(10)
    st.gate.start()


def rotten_store(st, run):
    generation = st.gate.status()["generation"]
    path = os.path.join(st.gate.root, "var/lib/sekisho/gate", f"{generation}.policy")
    with open(path, "r+b") as f:
        f.seek(10)
        f.write(b"\xff")
    restart(st)
    told = wait_for(lambda: "policy-broken" in findings(st), 5)
    st.tap.check("a stored policy that rotted is a finding", told is not None, findings(st))
    st.tap.check("and nothing passes", not st.gate.status()["open"] and
                 not run.send(run.flow({"from": "pc", "to": "sv", "port": 443}, 4), {}, False))
    done = st.gate.commit_text(st.text, check=False)
    st.tap.check("a new commit opens again", done.returncode == 0 and passes(run), done.stdout + done.stderr)
    st.tap.check("under a new number", st.gate.status()["generation"] > generation)


def no_policy(st):
    status = st.gate.status()
    st.tap.check("without a policy: closed, and said", not status["open"] and "no-policy" in findings(st), status)
    forwarding = in_gateway(st, "cat", "/proc/sys/net/ipv4/ip_forward").stdout
    st.tap.check("without a policy the kernel forwards nothing", forwarding == "0\n", forwarding)


def order_of_opening(st):
    """After the first commit: links up, forwarding on, addresses there."""
    st.gate.commit_text(st.text)
    stage.raise_ports(st.town)
    st.settle()
    forwarding = in_gateway(st, "cat", "/proc/sys/net/ipv4/ip_forward").stdout
    st.tap.check("after a commit the kernel forwards", forwarding == "1\n", forwarding)
    links = in_gateway(st, "ip", "-br", "link").stdout
    ports = [line for line in links.splitlines() if line.startswith("eth")]
    st.tap.check("and the links are up", ports and all("UP" in line for line in ports), links)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    print(f"# seed {seed}")
    with stage.Stage(options.build, text, commit=False) as st:
        no_policy(st)
        order_of_opening(st)
        run = cases.Runner(st.town, st.gate)
        st.tap.check("an approved packet passes before all", passes(run), st.gate.ask("status", check=False).stdout)
        put_back(st, run)
        missing_interface(st, run)
        running_flow(st, run)
        one_shots(st, run)
        power_cuts(st, run, random.Random(seed))
        rotten_store(st, run)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
