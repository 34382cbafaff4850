"""test_turned.py: mail that is taken transparently: mail servers that know nothing of the gate, in a town with a real kernel.

- mail to a server's own address is taken by the gate, in both directions, by IPv4 and IPv6; the ledger says who was meant; the
  server behind sees the gate's address, never a client's
- of two servers the one that was called has the mail, and no other when it is away
- whoever is no client of the direction, is not who he says, or asks for the listener's own port, is refused with its reason
- a listener that is dead or stopped, under a flood: not one packet of a client crosses; a lapsed lease closes
- a routing rule that somebody takes away comes back, and nothing crosses meanwhile
- a commit that takes `transparent` back cuts what runs
- Postfix on both sides, configured for each other, by IPv4 and by IPv6
"""
import os
import signal
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "harness"))

import cases  # noqa: E402
import frame  # noqa: E402
import ns  # noqa: E402
import post  # noqa: E402
import stage  # noqa: E402
from gate import SLOW  # noqa: E402
from stand import Client, Hop, message, send  # noqa: E402
from town import GATEWAY  # noqa: E402

INSIDE = {4: "10.2.0.25", 6: "2001:db8:2::25"}
OUTSIDE = {4: "192.0.2.25", 6: "2001:db8:3::25"}
SECOND = "10.2.0.26"
ELSEWHERE = {4: "192.0.2.77", 6: "2001:db8:3::77"}
OWN_IN, OWN_OUT = {4: "10.2.0.1", 6: "2001:db8:2::1"}, {4: "192.0.2.1", 6: "2001:db8:3::1"}
OURS, THEIRS = "b@town.example.lg.jp", "a@example.com"
FAMILIES = (4, 6)


def policy():
    with open(os.path.join(HERE, "turned.policy"), encoding="utf-8") as f:
        return f.read()


class Site:
    """The town's mail servers, and clients in its machines."""

    def __init__(self, st):
        self.st, self.space = st, st.town.space
        self.hops = {("in", f): self.hop("lgwan-mta", INSIDE[f]) for f in FAMILIES}
        self.hops.update({("out", f): self.hop("internet-mta", OUTSIDE[f]) for f in FAMILIES})

    def hop(self, machine, address):
        with ns.Inside(self.space.full(machine)):
            return Hop(address)

    def client(self, machine, address, **how):
        with ns.Inside(self.space.full(machine)):
            return Client(address, **how)

    def send(self, machine, address, sender, recipient, text):
        with ns.Inside(self.space.full(machine)):
            return send(address, sender, [recipient], text)

    def close(self):
        for hop in self.hops.values():
            hop.close()


def wait_for(condition, seconds):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def ledger(st, **fields):
    found = []

    def look():
        found[:] = [r for r in st.gate.rows("log", "mail", "--limit", "50") if all(r.get(k) == v for k, v in fields.items())]
        return bool(found)

    wait_for(look, 5)
    return found


def routing(st):
    """What the kernel has for turned mail: rules and routes of both families."""
    shown = []
    for family in ("-4", "-6"):
        shown += st.town.space.ip(GATEWAY, family, "rule", check=False).stdout.splitlines()
        shown += st.town.space.ip(GATEWAY, family, "route", "show", "table", "93", check=False).stdout.splitlines()
    return [line for line in shown if "0x25000001" in line or line.startswith("local default")]


def taken(site):
    st = site.st
    ways = (("in", "internet-mta", INSIDE, THEIRS, OURS, OWN_IN), ("out", "lgwan-mta", OUTSIDE, OURS, THEIRS, OWN_OUT))
    for way, machine, server, sender, to, own in ways:
        for family in FAMILIES:
            hop = site.hops[way, family]
            said = site.send(machine, server[family], sender, to, message(family, f"{way}{family}", "見積書\r\n", sender, to))
            name = f"{'from' if way == 'in' else 'to'} the internet, IPv{family}"
            st.tap.check(f"mail {name} is delivered", said.startswith(b"250 2.0.0") and len(hop.mails) == 1, said)
            st.tap.check(f"mail {name}: the server sees the gate", set(hop.peers) == {own[family]}, hop.peers)
            rows = ledger(st, meant=server[family], direction=way, verdict="passed")
            st.tap.check(f"mail {name}: the ledger says who was meant", len(rows) == 1, st.gate.rows("log", "mail", "--limit", "3"))
    with site.client("elsewhere", INSIDE[4]) as c:
        st.tap.check("the gate greets", c.greeting.startswith(b"220 gate-01"), c.greeting)
        said = c.mail(THEIRS, ["x@elsewhere.example"], message())
        st.tap.check("and is no relay", said.startswith(b"550 5.7.1"), said)
    st.tap.check("rules and routes are there", len(routing(st)) == 4, routing(st))
    got = st.gate.ask("prove", "--json", check=False)
    st.tap.check("sekisho prove finds nothing", got.returncode == 0 and '"findings":[]' in got.stdout.replace(" ", ""), got.stdout)
    status = st.gate.rows("mail", "status")
    st.tap.check("both directions listen", all(w["listening"] > 0 for w in status[0]["directions"]) if "directions" in status[0] else
                 "listening" in str(status), status)
    got = st.gate.ask("explain", os.path.join(HERE, "turned.policy"), ELSEWHERE[4], INSIDE[4], "tcp/25", "--json")
    st.tap.check("explain says that it is turned", '"verdict":"mail"' in got.stdout and '"turned":true' in got.stdout, got.stdout)


def who_was_called(site):
    """A mail goes to the server that its client called, and to no other when that one is away."""
    st, first = site.st, site.hops["in", 4]
    second = site.hop("lgwan-mta2", SECOND)
    before = len(first.mails)
    try:
        said = [site.send("internet-mta", address, THEIRS, OURS, message(20 + n)) for n, address in
                enumerate((SECOND, INSIDE[4], SECOND))]
        st.tap.check("each server gets what it was called for", all(s.startswith(b"250 2.0.0") for s in said) and
                     (len(second.mails), len(first.mails)) == (2, before + 1), (said, len(second.mails), len(first.mails) - before))
        with site.client("elsewhere", SECOND) as a, site.client("elsewhere", INSIDE[4]) as b:
            both = [c.mail(THEIRS, [OURS], message(30)) for c in (a, b, b, a)]
        st.tap.check("also when both are called at once", all(s.startswith(b"250") for s in both) and
                     (len(second.mails), len(first.mails)) == (4, before + 3), both)
    finally:
        second.close()
    said = site.send("internet-mta", SECOND, THEIRS, OURS, message(24))
    st.tap.check("of one that is away the client hears 451", said.startswith(b"451 4.4"), said)
    st.tap.check("and the other does not get its mail", len(first.mails) == before + 3)
    said = site.send("internet-mta", INSIDE[4], THEIRS, OURS, message(25))
    st.tap.check("whose own goes through", said.startswith(b"250 2.0.0") and len(first.mails) == before + 4, said)


REFUSED = (
    {"name": "a machine that is no server asks for port 25", "from": "pc", "to": "internet-mta", "port": 25, "expect": "no-rule"},
    {"name": "the listener's own port", "from": "elsewhere", "to4": OWN_OUT[4], "to6": OWN_OUT[6], "port": 10025, "expect": "to-gateway"},
    {"name": "the listener's own port from lgwan", "from": "lgwan-mta", "to4": OWN_IN[4], "to6": OWN_IN[6], "port": 10025,
     "expect": "to-gateway"},
    {"name": "the listener's port of a mail server", "from": "elsewhere", "to": "lgwan-mta", "port": 10025, "expect": "no-rule"},
    {"name": "another port of a mail server", "from": "elsewhere", "to": "lgwan-mta", "port": 587, "expect": "no-rule"},
    {"name": "port 25 of the gate", "from": "elsewhere", "to4": OWN_OUT[4], "to6": OWN_OUT[6], "port": 25, "expect": "to-gateway"},
    {"name": "port 25 of another machine", "from": "elsewhere", "to": "pc", "port": 25, "expect": "no-rule"},
    {"name": "a wrong MAC", "from": "internet-mta", "to": "lgwan-mta", "port": 25, "mac": "02:66:66:66:66:66", "expect": "mac"},
    {"name": "a forged source", "from": "elsewhere", "src4": "10.2.0.30", "src6": "2001:db8:2::30", "to": "lgwan-mta", "port": 25,
     "expect": "spoof"},
    {"name": "no SYN", "from": "elsewhere", "to": "lgwan-mta", "port": 25, "flags": "A", "expect": "not-syn"},
)


def refused(site):
    st = site.st
    before = {k: len(h.peers) for k, h in site.hops.items()}
    runner = cases.Runner(st.town, st.gate)
    for result in runner.run(REFUSED):
        st.tap.check(result.name, result.ok, f"expected {result.case['expect']}: {result.why}")
    st.tap.check("no server heard of it", before == {k: len(h.peers) for k, h in site.hops.items()})


# -- a dead listener ---------------------------------------------------------------------------------------------------


class Flood:
    """SYNs and data of many clients to a mail server, and whatever of theirs comes out on its side."""

    def __init__(self, town):
        self.town, self.sent, self.crossed, self.running = town, 0, [], True
        self.wire = town.wire_socket("eth3")
        self.macs = {f: town.mac_of(ELSEWHERE[f]) for f in FAMILIES}
        self.gate = town.gateway_mac("eth3")
        self.threads = [threading.Thread(target=self._send, daemon=True), threading.Thread(target=self._listen, daemon=True)]
        for t in self.threads:
            t.start()

    def _send(self):
        sport = 1024
        while self.running:
            for family in FAMILIES:
                sport = sport + 1 if sport < 65000 else 1024
                for flags, data in (("S", b""), ("A", b""), ("PA", b"EHLO x\r\n")):
                    tcp = frame.tcp(ELSEWHERE[family], INSIDE[family], sport, 25, flags, seq=1 if flags == "S" else 2, payload=data)
                    packet = frame.packet(ELSEWHERE[family], INSIDE[family], frame.TCP, tcp)
                    self.town.send("eth3", frame.ether(self.gate, self.macs[family], frame.ethertype(ELSEWHERE[family]), packet))
                    self.sent += 1
            if self.sent % 600 == 0:
                time.sleep(0.02)

    def _listen(self):
        sock = self.town.wire_socket("eth1")
        clients = {frame.ip(ELSEWHERE[f]) for f in FAMILIES}
        while self.running:
            try:
                data, where = sock.recvfrom(65536)
            except BlockingIOError:
                time.sleep(0.002)
                continue
            if where[2] != 4 and any(c in data[14:54] for c in clients):
                self.crossed.append(data)

    def stop(self):
        self.running = False
        for t in self.threads:
            t.join(5)


def pid(st, name):
    return st.gate.pids().get(name, [None])[0]


def dead_listener(site):
    st = site.st
    since = len(st.gate.drops("--reason", "no-mail-gate"))
    flood = Flood(st.town)
    time.sleep(1)
    for _ in range(4):
        old = pid(st, "sekisho-maild")
        os.kill(old, signal.SIGKILL)
        st.tap.check("sekisho-maild is back", wait_for(lambda o=old: pid(st, "sekisho-maild") not in (None, o), 10))
        time.sleep(0.5)
    stopped = pid(st, "sekisho-maild")
    os.kill(stopped, signal.SIGSTOP)
    time.sleep(3)
    os.kill(stopped, signal.SIGCONT)
    time.sleep(1)
    flood.stop()
    st.tap.check(f"of {flood.sent} packets none crossed", flood.sent > 1000 and not flood.crossed, [d.hex() for d in flood.crossed[:3]])
    st.tap.check("while it was dead they were refused with a reason",
                 wait_for(lambda: len(st.gate.drops("--reason", "no-mail-gate")) > since, 5))
    again = wait_for(lambda: site.send("internet-mta", INSIDE[4], THEIRS, OURS, message(7)).startswith(b"250 2.0.0"), 20)
    st.tap.check("and mail goes through again", again, st.gate.log_tail())


# -- what is taken away ------------------------------------------------------------------------------------------------


def rule_taken_away(site):
    st = site.st
    for words in (("-4", "rule", "del", "priority", "9300"), ("-6", "rule", "del", "priority", "9300"),
                  ("-4", "route", "flush", "table", "93")):
        before = len(site.hops["in", 4].peers)
        st.town.space.ip(GATEWAY, *words)
        st.tap.check("put back: ip " + " ".join(words), wait_for(lambda: len(routing(st)) == 4, 10), routing(st))
        st.tap.check("nobody reached the server meanwhile", len(site.hops["in", 4].peers) == before)
    st.town.space.ip(GATEWAY, "-4", "rule", "add", "fwmark", "0x25000001", "lookup", "main", "priority", "9000")
    st.tap.check("a stranger's rule for the mark is removed",
                 wait_for(lambda: "9000:" not in st.town.space.ip(GATEWAY, "-4", "rule").stdout, 10))


def lapsed(site):
    """Nobody renews the lease: what is turned ends with it, also on a connection that runs."""
    st = site.st
    stopped = [pid(st, "sekisho-init"), pid(st, "sekishod")]
    with site.client("elsewhere", INSIDE[4], timeout=5) as c:
        for p in stopped:
            os.kill(p, signal.SIGSTOP)
        try:
            time.sleep(32)
            try:
                said = c.say(b"NOOP\r\n")
            except OSError as error:
                said = str(error).encode()
            st.tap.check("a running connection stands still", not said.startswith(b"250"), said)
            with ns.Inside(site.space.full("elsewhere")):
                sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            sock.settimeout(2)
            st.tap.check("and nobody is taken", sock.connect_ex((INSIDE[6], 25)) != 0)
            sock.close()
        finally:
            for p in stopped:
                os.kill(p, signal.SIGCONT)
    again = wait_for(lambda: site.send("internet-mta", INSIDE[4], THEIRS, OURS, message(8)).startswith(b"250 2.0.0"), 30)
    st.tap.check("with the lease mail goes through again", again, st.gate.log_tail())
    st.tap.check("it was refused as closed", bool(st.gate.drops("--reason", "gate-closed")))


def taken_back(site):
    st = site.st
    with site.client("elsewhere", INSIDE[4], timeout=4) as c:
        st.tap.check("a connection runs", c.say(b"NOOP\r\n").startswith(b"250"))
        text = policy().replace("set mail inbound transparent", "set mail inbound listen 192.0.2.1")
        st.gate.commit_text(text)
        try:
            said = c.say(b"NOOP\r\n")
        except OSError as error:
            said = str(error).encode()
        st.tap.check("the commit cuts it", not said.startswith(b"250"), said)
    runner = cases.Runner(st.town, st.gate)
    for result in runner.run(({"name": "nothing is turned any more", "from": "elsewhere", "to": "lgwan-mta", "port": 25,
                               "expect": "no-rule"},)):
        st.tap.check(result.name, result.ok, result.why)
    said = site.send("internet-mta", OWN_OUT[4], THEIRS, OURS, message(9))
    st.tap.check("the gate's own address takes mail instead", said.startswith(b"250 2.0.0"), said)
    said = site.send("lgwan-mta", OUTSIDE[6], OURS, THEIRS, message(10, "x", "y\r\n", OURS, THEIRS))
    st.tap.check("the other direction is turned as before", said.startswith(b"250 2.0.0"), said)
    st.gate.commit_text(text.replace("set mail outbound transparent", "set mail outbound listen 10.2.0.1"))
    st.tap.check("without any, rules and routes are gone", wait_for(lambda: not routing(st), 5), routing(st))
    st.gate.commit_text(policy())
    st.tap.check("and back", wait_for(lambda: len(routing(st)) == 4, 5) and
                 site.send("internet-mta", INSIDE[4], THEIRS, OURS, message(11)).startswith(b"250 2.0.0"))


def postfix(st, family):
    """Each knows the other by its own address."""
    missing = post.missing()
    if missing:
        st.tap.skip(f"Postfix on both sides, IPv{family}", "not installed: " + ", ".join(missing))
        return
    mail = post.Post(st.town, st.gate, INSIDE[family], OUTSIDE[family], direct=True)
    try:
        mail.start()
        for result in mail.try_all(lambda r: None)[0]:
            st.tap.check(f"Postfix on both sides, IPv{family}: {result.en}", result.ok, result.proof)
    finally:
        mail.stop()


def main():
    options = stage.arguments(__doc__)
    with stage.Stage(options.build, policy(), hosts=True) as st:
        site = Site(st)
        try:
            taken(site)
            who_was_called(site)
            refused(site)
            dead_listener(site)
            rule_taken_away(site)
            taken_back(site)
            if not options.short:
                lapsed(site)
        finally:
            site.close()
        for family in FAMILIES if not options.short else ():
            postfix(st, family)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
