"""cases.py: runs a table of packets (TOML) against a gate and proves each result.

A case says what is sent, from whom to whom, and what is expected: "arrives", or the word of a reason. A drop is
proven by two things: nothing arrived, and the record of it is in the store with that reason. tests/netns/cases.md
explains the fields.
"""
import dataclasses
import ipaddress
import itertools
import os
import signal
import socket
import time
import tomllib

import frame
import ns
import talks
from gate import SLOW

ARRIVAL_SECONDS = 1.5 * SLOW  # how long an expected packet may take (neighbour discovery comes first)
RECORD_SECONDS = 4.0 * SLOW   # how long a record may take
SILENCE_SECONDS = 0.15        # how long we listen for one that must not come


@dataclasses.dataclass
class Result:
    case: dict
    family: int
    arrived: bool
    record: dict
    ok: bool
    why: str
    texts: dict = dataclasses.field(default_factory=dict)  # language -> how `sekisho log drops` prints an inspector's record

    @property
    def name(self):
        return f"{self.case['name']}-v{self.family}"


def load(path):
    with open(path, "rb") as f:
        return tomllib.load(f)["case"]


@dataclasses.dataclass
class Flow:
    """One packet's addresses, as the sender claims them, and where it is put on which wire."""
    src: str
    dst: str
    proto: int
    sport: int
    dport: int
    wire: str
    smac: str
    token: bytes

    def reversed(self, town):
        wire = town.policy.next_hop(self.dst)[0]
        return Flow(self.dst, self.src, self.proto, self.dport, self.sport, wire, town.mac_of(self.dst), self.token)


class Runner:
    """Runs cases on a town with a gate. Results keep the order of the table."""

    def __init__(self, town, gate, progress=lambda text: None):
        self.town, self.gate, self.progress = town, gate, progress
        self.serial = 0
        self.rows = []
        self.gateway_macs = {w: town.gateway_mac(w) for w in town.wires()}
        for wire in town.wires():
            town.wire_socket(wire)  # from now on nothing is missed

    def run(self, cases, fresh=False):
        """Sends everything, then looks the records up together: they are stored once a second. fresh: each packet meets
        a gateway that knows no connection."""
        sent, results, self.rows = [], [], []
        for case in cases:
            for family in case.get("families", [4, 6]):
                if fresh:
                    ns.forget_connections(self.town.space.full("gw"))
                sent.append((case, family, *self._send(case, family)))
        for case, family, arrived, flow, error in sent:
            result = error if error else self._judge(case, family, arrived, flow)
            results.append(result)
            self.progress(result)
        return results

    def _send(self, case, family):
        """(arrived, flow, None), or (False, None, Result) when it could not even be sent."""
        try:
            return (*KINDS[case.get("kind", "packet")](self, case, family), None)
        except (OSError, RuntimeError, KeyError, IndexError, ValueError) as error:
            return False, None, Result(case, family, False, None, False, f"{type(error).__name__}: {error}")

    def _judge(self, case, family, arrived, flow):
        expected = case["expect"]
        if expected == "arrives":
            return Result(case, family, arrived, None, arrived, "" if arrived else "it did not arrive; " +
                          self._latest(flow))
        if arrived:
            return Result(case, family, True, None, False, "it ARRIVED")
        if expected == "silence":  # refused below the packet filter: no record of its own
            return Result(case, family, False, None, True, "")
        judge = JUDGES.get(case.get("kind"), self.same)
        record = self._record(lambda row: judge(row, flow, expected, case))
        why = "" if record else f"no record with reason {expected} {case.get('why', '')}; " + self._latest(flow)
        result = Result(case, family, False, record, record is not None, why)
        if record and record.get("why"):
            self._read_aloud(result, record)
        return result

    def _read_aloud(self, result, record):
        """What people read of this record, in both languages; `says` must be in it."""
        for language in ("ja", "en"):
            text = self.gate.ask("log", "drops", "--all", "--limit", "400", lang=language).stdout
            result.texts[language] = printed(text, record)
            wanted = result.case.get("says", {}).get(language, "")
            if wanted not in result.texts[language]:
                result.ok, result.why = False, f"the log does not say “{wanted}” but “{result.texts[language]}”"

    def _record(self, match):
        """Like Gate.wait_drop, but asks again only when the rows that are known already do not hold it."""
        end = time.monotonic() + RECORD_SECONDS
        while True:
            found = next((row for row in reversed(self.rows) if match(row)), None)
            if found or time.monotonic() >= end:
                return found
            time.sleep(0.1)
            self.rows = self.gate.drops()

    @staticmethod
    def same(row, flow, reason, case):
        if row.get("reason") != reason or row.get("loss"):
            return False
        if same_address(row.get("src"), flow.src) and same_address(row.get("dst"), flow.dst):
            if "rule" in case and case["rule"] != row.get("nearest"):
                return False
            if any(key in case and case[key] != row.get(key) for key in ("why", "seen", "expected")):
                return False
            return set(case.get("differs", [])) <= set(row.get("differs") or [])
        return False

    def _latest(self, flow):
        seen = [f"{r.get('reason')} {r.get('why') or ''} {r.get('nearest') or ''} {r.get('differs') or ''}" for r in self.gate.drops()
                if same_address(r.get("src"), flow.src) and same_address(r.get("dst"), flow.dst)]
        return "records of these addresses: " + (", ".join(seen[-4:]) or "none")

    # -- making packets ------------------------------------------------------------------------------------

    def address(self, who, family, near=None):
        """Address of a host by name, of "gateway" (on the wire `near`), or a literal one."""
        if who == "gateway":
            own = [a.ip for i, a in self.town.policy.connected() if a.version == family and i == near]
            return str(own[0])
        if who in self.town.policy.host:
            return str(self.town.policy.machine(who, self.town.policy.host_addresses(who, family)[0]))
        return who

    def flow(self, case, family, **changes):
        case = {**case, **changes}
        self.serial += 1
        sender = self.address(case.get(f"from{family}", case.get("from")), family)
        wire = case.get("wire") or self.town.policy.next_hop(sender)[0]
        source = case.get(f"src{family}", sender)
        if source == "gateway":
            source = self.address("gateway", family, wire)
        smac = case.get("mac") or self.town.mac_of(sender)
        dst = self.address(case.get(f"to{family}", case.get("to")), family, wire)
        proto = frame.PROTOS[case.get("proto", "tcp")]
        if proto == frame.ICMP and family == 6:
            proto = frame.ICMPV6
        token = (f"t{self.serial:06d}" if "question" in case else f"<sekisho {self.serial:06d}>").encode()
        sport = case.get("sport", 30000 + self.serial % 20000)
        return Flow(source, dst, proto, sport, case.get("port", 0), wire, smac, token)

    def payload(self, flow, case):
        if "question" in case:
            return talks.dns_question(self.serial, flow.token, *case["question"].encode().split(b"."))
        if "said" in case:
            return case["said"].encode("latin-1").replace(b"{token}", flow.token)
        return flow.token + b"." * max(0, case.get("size", 0) - len(flow.token))

    def segment_bytes(self, flow, case):
        """The transport part of one packet."""
        payload = self.payload(flow, case)
        if flow.proto == frame.TCP:
            return frame.tcp(flow.src, flow.dst, flow.sport, flow.dport, case.get("flags", "S"), case.get("seq", 1000),
                             case.get("ack", 0), payload, case.get("offset"))
        if flow.proto == frame.UDP:
            return frame.udp(flow.src, flow.dst, flow.sport, flow.dport, payload, case.get("length"))
        if flow.proto in (frame.ICMP, frame.ICMPV6):
            kind = case.get(f"type{frame.family(flow.src)}", 8 if flow.proto == frame.ICMP else 128)
            return frame.icmp(flow.src, flow.dst, kind, case.get("code", 0), flow.sport.to_bytes(2, "big") + b"\0\1",
                              payload)
        return payload

    def packet(self, flow, case):
        how = {}
        if frame.family(flow.src) == 4:
            for key in ("ttl", "frag", "more", "length_ip", "version"):
                if key in case:
                    how[key.replace("_ip", "")] = case[key]
            if "options" in case:
                how["options"] = bytes.fromhex(case["options"])
        else:
            if "extensions" in case:
                how["extensions"] = [EXTENSIONS[e]() for e in case["extensions"]]
            if case.get("more") or case.get("frag"):
                how["extensions"] = [frame.fragment6(case.get("frag", 0), case.get("more", False), self.serial)]
        return frame.packet(flow.src, flow.dst, flow.proto, self.segment_bytes(flow, case), **how)

    def put(self, flow, packet, dmac=None):
        target = dmac or self.gateway_macs[flow.wire]
        self.town.send(flow.wire, frame.ether(target, flow.smac, frame.ethertype(flow.src), packet))

    def arrives(self, token, expected):
        """Did a frame with the token leave the gateway?"""
        found = []

        def stop(wire, data):
            if token in data:
                found.append((wire, data))
            return bool(found)
        self.town.overhear(ARRIVAL_SECONDS if expected else SILENCE_SECONDS, stop)
        return bool(found)

    def send(self, flow, case, expected):
        self.put(flow, self.packet(flow, case), case.get("dmac"))
        return self.arrives(flow.token, expected)


EXTENSIONS = {"hop-by-hop": frame.hop_by_hop, "routing": frame.routing, "destination": frame.destination_options}


def same_address(a, b):
    try:
        return ipaddress.ip_address(a) == ipaddress.ip_address(b)
    except ValueError:
        return False


def printed(text, record):
    """What `sekisho log drops` prints under one record, its lines joined; "" when the record is not there."""
    rows, ends = text.split("\n"), f"{record['src']}:{record['sport']}"
    for i, row in enumerate(rows):
        if row[:1].isdigit() and ends in row.replace("[", "").replace("]", ""):
            got = ""
            for line in itertools.takewhile(lambda r: r.startswith(" "), rows[i + 1:]):
                # Words are parted by a blank where the line ends; Japanese is not.
                got += (" " if got.isascii() or got[-1:].isascii() and line.strip()[:1].isascii() else "") + line.strip()
            return got.strip()
    return ""


# -- kinds of cases: function(runner, case, family) -> (arrived, flow whose addresses the record must bear) -------

def kind_packet(run, case, family):
    flow = run.flow(case, family)
    return run.send(flow, case, case["expect"] == "arrives"), flow


def kind_connect(run, case, family):
    """A real connection between the stacks of two hosts: both directions must work."""
    flow = run.flow(case, family)
    kind = socket.SOCK_STREAM if flow.proto == frame.TCP else socket.SOCK_DGRAM
    inet = socket.AF_INET if family == 4 else socket.AF_INET6
    server = run.town.space.socket(case["to"], inet, kind)
    client = run.town.space.socket(case["from"], inet, kind)
    with server, client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((flow.dst, flow.dport))
        client.bind((flow.src, 0))
        patience = 3.0 if case["expect"] == "arrives" else 0.7
        server.settimeout(patience)
        client.settimeout(patience)
        try:
            talk = talk_stream if flow.proto == frame.TCP else talk_datagram
            return talk(server, client, flow), flow
        except OSError:
            return False, flow


def talk_stream(server, client, flow):
    server.listen(1)
    client.connect((flow.dst, flow.dport))
    peer, _ = server.accept()
    with peer:
        client.sendall(flow.token)
        asked = peer.recv(1000)
        peer.sendall(b"re " + asked)
        return client.recv(1000) == b"re " + flow.token


def talk_datagram(server, client, flow):
    client.connect((flow.dst, flow.dport))
    client.send(flow.token)
    asked, where = server.recvfrom(1000)
    server.sendto(b"re " + asked, where)
    return client.recv(1000) == b"re " + flow.token


def opened(run, case, family):
    """Opens an allowed UDP flow of the case (from, to, port) by one packet; the flow, or an error."""
    flow = run.flow(case, family, proto="udp")
    if not run.send(flow, {}, True):
        raise RuntimeError("the allowed packet before it did not arrive; " + run._latest(flow))
    return flow


def kind_icmp_error(run, case, family):
    """An ICMP error (type, code) about an allowed flow, told by `teller` to the flow's source."""
    flow = opened(run, case, family)
    inner = run.packet(flow, {})
    teller = run.address(case["teller"], family)
    token = f"<told {run.serial:06d}>".encode()
    about = Flow(teller, flow.src, frame.ICMP if family == 4 else frame.ICMPV6, 0, 0,
                 run.town.policy.next_hop(teller)[0], run.town.mac_of(teller), token)
    rest = frame.ip(teller)[:4] if case.get("redirect") and family == 4 else b"\0" * 4
    body = inner + b"." * max(0, case.get("size", 0) - len(inner)) + token
    if case.get("redirect") and family == 6:
        body = frame.ip(teller) + frame.ip(flow.dst) + body
    message = frame.icmp(about.src, about.dst, case[f"type{family}"], case.get(f"code{family}", 0), rest, body)
    run.put(about, frame.packet(about.src, about.dst, about.proto, message, **({"hop": 255} if family == 6 else {})))
    return run.arrives(token, case["expect"] == "arrives"), about


def kind_reply(run, case, family):
    """The answer to an allowed UDP packet."""
    flow = opened(run, case, family)
    back = flow.reversed(run.town)
    back.token = f"<back {run.serial:06d}>".encode()
    return run.send(back, {}, case["expect"] == "arrives"), back


def handshake(run, case, family):
    """An allowed TCP connection by raw frames from both ends; the flow."""
    flow = run.flow(case, family, proto="tcp")
    back = flow.reversed(run.town)
    for one, how in ((flow, {"flags": "S", "seq": 1000}), (back, {"flags": "SA", "seq": 5000, "ack": 1001}),
                     (flow, {"flags": "A", "seq": 1001, "ack": 5001})):
        bare = dataclasses.replace(one, token=b"")
        before = len(run.town.overhear(0))
        run.put(bare, run.packet(bare, how))
        got = run.town.overhear(ARRIVAL_SECONDS, lambda w, d, f=one: is_flow(d, f))
        if not any(is_flow(d, one) for _, d in got):
            raise RuntimeError(f"the connection before it did not open ({how['flags']}, {before}); "
                               + run._latest(one))
    return flow


def is_flow(data, flow):
    got = frame.parse(data)
    return (got is not None and got.get("proto") == flow.proto and same_address(got.get("saddr"), flow.src)
            and same_address(got.get("daddr"), flow.dst) and got.get("dport") == flow.dport)


def kind_out_of_window(run, case, family):
    """Data far outside the window of a living connection."""
    flow = handshake(run, case, family)
    flow.token = f"<far {run.serial:06d}>".encode()
    return run.send(flow, {"flags": "A", "seq": 0x70000000, "ack": 0x60000000}, case["expect"] == "arrives"), flow


def kind_said(run, case, family):
    """In an open TCP connection the client says `said`; `before` the same place of the stream held something else."""
    flow = handshake(run, case, family)
    how = {"flags": "PA", "seq": 1001, "ack": 5001, **case}
    if "hello" in case:
        how["said"], flow.token = said_hello(flow.token, case)
    if "before" in case and not run.send(dataclasses.replace(flow, token=b"first"), {**how, "said": case["before"] + "{token}"}, True):
        raise RuntimeError("what came first did not arrive; " + run._latest(flow))
    return run.send(flow, how, case["expect"] == "arrives"), flow


def said_hello(token, case):
    """A ClientHello that asks for a host below the name `hello`; the host's label is the token."""
    label = "t" + token[9:-1].decode()
    hello = talks.client_hello({}, f"{label}.{case['hello']}")[0]
    return hello.decode("latin-1"), label.encode()


def kind_opens(run, case, family):
    """The three packets that open a TCP connection go through."""
    return True, handshake(run, case, family)


def kind_talk(run, case, family):
    """A conversation (talks.py) between the stacks of two hosts: must go through, or nothing of it may reach the server."""
    flow = run.flow(case, family)
    kind = socket.SOCK_STREAM if flow.proto == frame.TCP else socket.SOCK_DGRAM
    inet = socket.AF_INET if family == 4 else socket.AF_INET6
    server = run.town.space.socket(case["to"], inet, kind)
    client = run.town.space.socket(case["from"], inet, kind)
    with server, client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((flow.dst, flow.dport))
        client.bind((flow.src, 0))
        flow.sport = client.getsockname()[1]
        good, heard = talks.hold(run, case, flow, server, client)
    return good if case["expect"] == "arrives" else good or heard > 0, flow


def kind_without_inspector(run, case, family):
    """The same packet when sekisho-inspect has just been killed; afterwards it is awaited."""
    flow = run.flow(case, family)
    os.kill(run.gate.pids()["sekisho-inspect"][0], signal.SIGKILL)
    arrived = run.send(flow, case, case["expect"] == "arrives")
    end = time.monotonic() + 5 * SLOW
    while run.gate.status()["inspector"]["state"] != "well":
        if time.monotonic() > end:
            raise RuntimeError("the inspector does not come back")
        time.sleep(0.05)
    return arrived, flow


def kind_fragments(run, case, family):
    """A datagram in two fragments, the second without the first's ports."""
    flow = run.flow(case, family)
    whole = run.segment_bytes(flow, {**case, "size": 64})
    for offset, part, more in ((0, whole[:32], True), (32, whole[32:], False)):
        how = {"frag": offset, "more": more, "ident": run.serial} if family == 4 else \
            {"extensions": [frame.fragment6(offset, more, run.serial)]}
        run.put(flow, frame.packet(flow.src, flow.dst, flow.proto, part, **how))
    return run.arrives(flow.token[:20], case["expect"] == "arrives"), flow


def kind_stray_port(run, case, family):
    """A port of the gateway that the policy does not know, raised by hand."""
    space, wire = run.town.space, case["wire"]
    if wire not in run.gateway_macs:
        space.veth("gw", wire, "lan", "w-" + wire)
        space.ip("gw", "link", "set", "dev", wire, "up")
        space.ip("lan", "link", "set", "dev", "w-" + wire, "up")
        run.gateway_macs[wire] = run.town.gateway_mac(wire)
        time.sleep(0.5)
    return kind_packet(run, case, family)


def kind_refused_mark(run, case, family):
    """A flow whose connection carries the mark of a failed verification, as the inspector will set it."""
    flow = opened(run, case, family)
    mark = (run.gate.status()["generation"] & 0x3FF) << 2 | 3  # include/sekisho/ruleset.h
    ns.run("ip", "netns", "exec", run.town.space.full("gw"), "conntrack", "-U", "-f", f"ipv{family}", "-p", "udp",
           "-s", flow.src, "-d", flow.dst, "--dport", str(flow.dport), "-m", str(mark))
    flow.token = f"<bad {run.serial:06d}>".encode()
    return run.send(flow, {}, False), flow


def kind_from_gateway(run, case, family):
    """The gateway's own stack sends what no own flow allows."""
    to = run.address(case["to"], family)
    wire = run.town.policy.next_hop(to)[0]
    flow = Flow(run.address("gateway", family, wire), to, frame.UDP, 0, case["port"], wire, "", b"<own>")
    inet = socket.AF_INET if family == 4 else socket.AF_INET6
    with run.town.space.socket("gw", inet, socket.SOCK_DGRAM) as sock:
        sock.bind((flow.src, 0))
        try:
            sock.sendto(flow.token, (to, case["port"]))
        except PermissionError:
            pass  # that is how the output chain's refusal looks to the sender
    return run.arrives(flow.token, False), flow


def kind_burst(run, case, family):
    """`count` first packets of different connections: the last ones must be refused. With `after`, one more is sent
    so many seconds later: what sekishod counts by itself takes effect with its next look."""
    arrived = 0
    flows = [run.flow(case, family, sport=40000 + i) for i in range(case["count"])]
    packets = [run.packet(flow, case) for flow in flows]  # made first, so that they are sent in one burst
    for flow, packet in zip(flows, packets):
        run.put(flow, packet)
    if "after" in case:
        time.sleep(case["after"])
        flow = run.flow(case, family)
        return run.send(flow, case, False), flow
    end = time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < end:
        arrived += sum(is_flow(d, flow) for _, d in run.town.overhear(0.02))
    if arrived == 0:
        raise RuntimeError("none of the burst arrived; " + run._latest(flow))
    return arrived >= case["count"], flow


# How the record of a kind is recognised, where not by Runner.same().
JUDGES = {}

KINDS = {"packet": kind_packet, "connect": kind_connect, "icmp-error": kind_icmp_error, "reply": kind_reply,
         "out-of-window": kind_out_of_window, "from-gateway": kind_from_gateway, "burst": kind_burst,
         "said": kind_said, "opens": kind_opens, "talk": kind_talk, "without-inspector": kind_without_inspector,
         "fragments": kind_fragments, "stray-port": kind_stray_port, "refused-mark": kind_refused_mark}
