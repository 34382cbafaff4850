"""Verified flows: to the queue and back, each word of the inspector, its death, commits while flows are under way.

The inspector here says what a packet's payload tells it (nft_queue.c); the gate's own calls do the rest.
"""
import itertools
import re
import struct
import subprocess
import sys
import threading
import time

import stand
from policies import DNS, FILES, HEAD, MOVED, POLICY
from stand import frame

WHY, SEEN = 20, 3  # what nft_queue says of a refusal: server-name, ssh
serial = 0


def token(word="-FORW-"):
    global serial
    serial += 1
    return f"t-{serial:07d}{word}end".encode()


def udp(src, dst, sport, dport, payload):
    return frame.packet(src, dst, frame.UDP, frame.udp(src, dst, sport, dport, payload))


def tcp(src, dst, sport, dport, flags="S", payload=b"", seq=1, ack=0):
    return frame.packet(src, dst, frame.TCP, frame.tcp(src, dst, sport, dport, flags, seq, ack, payload))


class Queue:
    """The program that stands for the inspector."""

    def __init__(self, s, program):
        self.proc = s.space.popen("gw", [program, "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        answer = self.proc.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"nft_queue: {answer}")

    def do(self, line):
        self.proc.stdin.write(line + "\n")
        return self.proc.stdout.readline().strip()

    def count(self):
        return {k: int(v, 0) for k, v in re.findall(r"(\w+)=(\w+)", self.do("count"))}

    def kill(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdin.close()
        self.proc.stdout.close()


class Records:
    """What the kernel tells the log of a segment's refusals: the packet marks (linux/netfilter/nfnetlink_log.h)."""

    def __init__(self, s, group):
        self.sock = s.space.socket("gw", 16, 3, 12)
        self.sock.bind((0, 0))
        for attrs in (struct.pack("=HHBxxx", 5, 1, 1), struct.pack("=HH", 10, 2) + struct.pack(">IBx", 128, 2) + b"\0\0",
                      struct.pack("=HH", 8, 4) + struct.pack(">I", 1)):
            body = struct.pack(">BBH", 0, 0, group) + attrs
            self.sock.send(struct.pack("=IHHII", 16 + len(body), 4 << 8 | 1, 5, 1, 0) + body)
            error, = struct.unpack_from("=i", self.sock.recv(4096), 16)
            if error:
                raise OSError(-error, "NFLOG")
        self.sock.setblocking(False)

    def marks(self, seconds=0.3):
        end, marks = time.monotonic() + seconds, []
        while time.monotonic() < end:
            try:
                data = self.sock.recv(1 << 16)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            while data:
                length, kind = struct.unpack_from("=IH", data)
                pos = 20
                while kind == 4 << 8 and pos + 4 <= length:
                    n, attr = struct.unpack_from("=HH", data, pos)
                    if attr & 0x3fff == 2:
                        marks.append(struct.unpack_from(">I", data, pos + 4)[0])
                    pos += (n + 3) // 4 * 4
                data = data[(length + 3) // 4 * 4:]
        return marks


def connections(s, *words):
    text = stand.ns.run("ip", "netns", "exec", s.space.full("gw"), "conntrack", "-L", "-o", "extended", *words,
                        check=False).stdout
    return [line for line in text.splitlines() if "mark=" in line]


def marks_of(s, sport):
    return [int(re.search(r"mark=(\d+)", line).group(1)) for line in connections(s) if f"sport={sport} " in line]


def forget(s):
    stand.ns.run("ip", "netns", "exec", s.space.full("gw"), "conntrack", "-F", check=False)


# -- each word ---------------------------------------------------------------------------------------------------------


def without_inspector(s, q, program):
    """No element, no queue: refused and counted; nobody listens: nothing passes either."""
    s.policy(POLICY)
    s.do("commit 5")
    t = token()
    s.stopped("no inspector", 0, udp("10.1.0.20", "10.2.0.8", 2000, 53, t), "no-inspector", t)
    s.do("inspectors on")
    q.do("hold")
    s.send(0, udp("10.1.0.20", "10.2.0.8", 2001, 53, t))
    s.check(not s.arrives(1, t, 0.1), "held")
    q.do("go")
    s.check(s.arrives(1, t, 1.0), "and let go")
    time.sleep(4.3)
    s.stopped("its presence lapses", 0, udp("10.1.0.20", "10.2.0.8", 2002, 53, t), "no-inspector", t)
    s.do("inspectors on")
    s.passes("and comes back", 0, 1, udp("10.1.0.20", "10.2.0.8", 2003, 53, t), t)
    s.do("inspectors off")
    s.stopped("and is taken away", 0, udp("10.1.0.20", "10.2.0.8", 2003, 53, t), "no-inspector", t)


def each_word(s, q, program):
    s.policy(POLICY)
    s.do("commit 6")
    s.do("inspectors on")
    records = Records(s, 100)
    for client, server in (("10.1.0.20", "10.2.0.8"), ("2001:db8:1::20", "2001:db8:2::8")):
        before = q.count()
        t = token("-FORW-")
        s.passes("forward", 0, 1, udp(client, server, 2100, 53, t), t)
        t = token("-FORW-")
        s.passes("forward back", 1, 0, udp(server, client, 53, 2100, t), t)
        after = q.count()
        s.check((after["q0"] - before["q0"], after["q1"] - before["q1"]) == (1, 1), f"a queue by ingress: {after}")
        s.check(after["mark"] == (1 << 12 | 6 << 4 | 4), f"the class mark names policy and generation: {after['mark']:#x}")
        t = token("-DROP-")
        s.stopped("this packet alone", 0, udp(client, server, 2100, 53, t), "unfitting", t)
        t = token("-PASS-")
        s.passes("and the flow goes on", 0, 1, udp(client, server, 2100, 53, t), t)
        before = q.count()
        for _ in range(3):
            t = token("-REFU-")
            s.passes("passed: not asked again", 0, 1, udp(client, server, 2100, 53, t), t)
            s.passes("passed, back", 1, 0, udp(server, client, 53, 2100, t), t)
        s.check(q.count() == before, "no packet of a passed flow is queued")
        t = token("-REFU-")
        s.stopped("refused", 0, udp(client, server, 2101, 53, t), "app-mismatch", t)
        s.stopped("refused at its first packet: nothing is remembered", 0, udp(client, server, 2102, 53, token("-REFU-")),
                  "app-mismatch")
        t = token("-FORW-")
        s.passes("begins", 0, 1, udp(client, server, 2103, 53, t), t)
        t = token("-REFU-")
        s.stopped("refused later", 1, udp(server, client, 53, 2103, t), "app-mismatch", t)
        before = q.count()
        t = token("-PASS-")
        s.stopped("refused for good", 0, udp(client, server, 2103, 53, t), "app-mismatch", t)
        s.check(q.count() == before, "and not asked again")
    q.do("default 9")
    for client, server in (("10.1.0.20", "10.2.0.8"), ("2001:db8:1::20", "2001:db8:2::8")):
        t = token("-NONE-")
        s.stopped("a word that is none", 0, udp(client, server, 2104, 53, t), "no-inspector", t)
    q.do("default 1")
    marks = records.marks()
    said = [m for m in marks if m == 0xbb000000 | SEEN << 16 | WHY << 8 | 31]
    s.check(len(said) >= 4, f"refusals say why: {[hex(m) for m in marks]}")
    s.check(0xbb000000 | SEEN << 16 | WHY << 8 | 33 in marks, "so do packets that do not fit")
    s.check(0xbb00001f in marks, "a later packet says nothing more")
    s.check(0xbb00001d in marks, "nor does the lack of an inspector")


def looked_up_each_time(s, q, program):
    """A rule that ends soon, and one of one direction: verified once, looked up for ever."""
    s.policy(POLICY.replace("rule names 0 1 2 0", "rule names 0 1 2 0 6"))
    s.do("commit 7")
    s.do("inspectors on")
    t = token("-PASS-")
    s.passes("timed", 0, 1, udp("10.1.0.20", "10.2.0.8", 2200, 53, t), t)
    before = q.count()
    t = token("-REFU-")
    s.passes("verified", 0, 1, udp("10.1.0.20", "10.2.0.8", 2200, 53, t), t)
    s.passes("verified, back", 1, 0, udp("10.2.0.8", "10.1.0.20", 53, 2200, t), t)
    s.check(q.count() == before, "and not asked again")
    mark = marks_of(s, 2200)
    s.check(mark and mark[0] == 0x80000000 | 0x10000000 | 1 << 12 | 7 << 2, f"by its own bit: {[hex(m) for m in mark]}")
    t = token("-PASS-")
    s.passes("one way", 0, 1, udp("10.1.0.20", "10.2.0.8", 2201, 514, t), t)
    before = q.count()
    s.passes("one way, verified", 0, 1, udp("10.1.0.20", "10.2.0.8", 2201, 514, t), t)
    s.check(q.count() == before, "verified once")
    s.stopped("one way back", 1, udp("10.2.0.8", "10.1.0.20", 514, 2201, t), "one-way", t)
    time.sleep(6.0)
    s.do("inspectors on")
    t = token("-PASS-")
    s.stopped("after its end", 0, udp("10.1.0.20", "10.2.0.8", 2200, 53, t), "no-rule", t)
    s.stopped("after its end, back", 1, udp("10.2.0.8", "10.1.0.20", 53, 2200, t), "no-rule", t)


def marks_from_elsewhere(s, q, program):
    """A packet mark that looks like a verdict opens nothing where no inspector spoke."""
    rules = "table inet other {\nchain c {\ntype filter hook prerouting priority -300;\n" \
            "udp sport 2300 meta mark set 0x5e000002\nmeta l4proto icmp meta mark set 0x5e000002\n}\n}\n"
    s.policy(POLICY)
    s.do("commit 8")
    s.do("inspectors on")
    path = f"/tmp/sekisho-nft-other-{s.proc.pid}.nft"
    with open(path, "w", encoding="utf-8") as f:
        f.write(rules)
    stand.nft(s, "-f", path)
    t = token("-FORW-")
    first = udp("10.1.0.20", "10.2.0.8", 2300, 53, t)
    s.passes("queued all the same", 0, 1, first, t)
    before = q.count()
    t = token("-FORW-")
    s.passes("and again", 0, 1, udp("10.1.0.20", "10.2.0.8", 2300, 53, t), t)
    s.check(q.count()["q0"] == before["q0"] + 1, "it is not passed")
    error = frame.packet("10.2.0.8", "10.1.0.20", frame.ICMP, frame.icmp("10.2.0.8", "10.1.0.20", 3, 3, b"\0" * 4, first))
    s.passes("an error about a flow under inspection", 1, 0, error, b"\x03\x03")
    s.check(all(m & 3 == 1 for m in marks_of(s, 2300)), "does not pass the flow")
    stand.nft(s, "delete", "table", "inet", "other")
    s.do("watch")


# -- death -------------------------------------------------------------------------------------------------------------


def death(s, q, program):
    """What is held is refused with a record; passed flows go on; the next life judges again."""
    s.policy(POLICY)
    s.do("commit 9")
    s.do("inspectors on")
    records = Records(s, 100)
    t = token("-PASS-")
    s.passes("passed before", 0, 1, udp("10.1.0.20", "10.2.0.8", 2400, 53, t), t)
    q.do("hold")
    held = [token("-PASS-") for _ in range(5)]
    s.drain()
    for i, t in enumerate(held):
        s.send(0, udp("10.1.0.20", "10.2.0.8", 2410 + i, 53, t))
    before = s.counters().get("no-inspector", 0)
    s.do("inspectors off")
    q.do("abandon")
    time.sleep(0.05)
    s.check(s.counters()["no-inspector"] == before + 5, f"all that was held is counted: {s.counters()}")
    s.check(records.marks().count(0xbb00001d) == 5, "and recorded")
    s.check(not any(s.arrives(1, t, 0.02) for t in held), "nothing of it crossed")
    q.kill()
    t = token("-PASS-")
    s.passes("passed flows go on", 0, 1, udp("10.1.0.20", "10.2.0.8", 2400, 53, t), t)
    s.stopped("others do not", 0, udp("10.1.0.20", "10.2.0.8", 2401, 53, t), "no-inspector", t)
    s.do("inspectors on")
    s.send(0, udp("10.1.0.20", "10.2.0.8", 2402, 53, t))
    s.check(not s.arrives(1, t, 0.1), "nobody listens: nothing passes, whatever the element says")
    fresh = Queue(s, program)
    t = token("-PASS-")
    s.passes("the next life", 0, 1, udp("10.1.0.20", "10.2.0.8", 2403, 53, t), t)
    return fresh


# -- commits -----------------------------------------------------------------------------------------------------------


def over_a_commit(s, q, program):
    """Passed flows live on under their policy's new number, undecided ones go on being asked, refused ones stay so."""
    s.policy(POLICY)
    s.do("commit 20")
    s.do("inspectors on")
    forget(s)
    for port, word in ((2500, "-PASS-"), (2501, "-FORW-"), (2502, "-FORW-")):
        t = token(word)
        s.passes(f"before {word}", 0, 1, udp("10.1.0.20", "10.2.0.8", port, 53, t), t)
    s.stopped("refused before", 1, udp("10.2.0.8", "10.1.0.20", 53, 2502, token("-REFU-")), "app-mismatch")
    t = token("-PASS-")
    s.passes("one way before", 0, 1, udp("10.1.0.20", "10.2.0.8", 2503, 514, t), t)
    s.policy(MOVED)
    s.do("commit 21")
    s.do("inspectors on")
    before = q.count()
    t = token("-REFU-")
    s.passes("passed lives on, by the server's word alone", 1, 0, udp("10.2.0.8", "10.1.0.20", 53, 2500, t), t)
    s.passes("one way lives on", 0, 1, udp("10.1.0.20", "10.2.0.8", 2503, 514, t), t)
    s.check(q.count() == before, "unasked")
    s.check(marks_of(s, 2500) == [2 << 12 | 21 << 2 | 2], f"renewed: {[hex(m) for m in marks_of(s, 2500)]}")
    t = token("-FORW-")
    s.passes("undecided goes on", 1, 0, udp("10.2.0.8", "10.1.0.20", 53, 2501, t), t)
    s.check(q.count()["q1"] == before["q1"] + 1, "asked")
    t = token("-PASS-")
    s.stopped("refused stays refused", 0, udp("10.1.0.20", "10.2.0.8", 2502, 53, t), "app-mismatch", t)
    swept = s.do("sweep")
    s.check("deleted=0" in swept, f"the sweep finds all of it right: {swept}")
    # once more, now by the sweep alone, back to the old numbers
    s.policy(POLICY)
    s.do("commit 22")
    s.do("inspectors on")
    swept = s.do("sweep")
    s.check("deleted=0" in swept and marks_of(s, 2500) == [1 << 12 | 22 << 2 | 2], f"the sweep renews: {swept}")
    s.check(marks_of(s, 2501) == [1 << 12 | 22 << 2 | 1], f"undecided: {[hex(m) for m in marks_of(s, 2501)]}")
    s.check(marks_of(s, 2503) == [0x80000000 | 0x20000000 | 2 << 12 | 22 << 2], f"{[hex(m) for m in marks_of(s, 2503)]}")
    # another policy for the same flow: not what was verified
    s.policy(POLICY.replace(f"verify 1 {DNS} 0 dns", f"verify 1 {DNS} 1024 dns-updates"))
    s.do("commit 23")
    s.do("inspectors on")
    t = token("-PASS-")
    s.stopped("verified as something else", 1, udp("10.2.0.8", "10.1.0.20", 53, 2500, t), "app-mismatch", t)
    s.stopped("undecided as something else", 0, udp("10.1.0.20", "10.2.0.8", 2501, 53, t), "app-mismatch", t)
    swept = s.do("sweep")
    s.check(marks_of(s, 2500) == [] and marks_of(s, 2501) == [], f"the sweep ends them: {swept}")
    s.do("inspectors on")
    t = token("-PASS-")
    s.passes("a new flow is verified", 0, 1, udp("10.1.0.20", "10.2.0.8", 2500, 53, t), t)
    # the rule goes
    s.policy(HEAD)
    s.do("commit 24")
    s.stopped("no rule any more", 1, udp("10.2.0.8", "10.1.0.20", 53, 2500, t), "no-rule", t)
    s.do("sweep")
    s.check(marks_of(s, 2500) == [], "nor a flow")


class Load(threading.Thread):
    """Passed (P), undecided (U), plain (A) and refused (D) packets in turn."""

    def __init__(self, s):
        super().__init__()
        self.s, self.sent, self.stop = s, 0, False

    def run(self):
        def one(port, dport, payload):
            return frame.ether("02:00:00:01:00:01", "02:00:00:01:00:14", frame.ETH_IP,
                               udp("10.1.0.20", "10.2.0.8", port, dport, payload))

        frames = [one(2600, 53, b"PASSED--REFU-"), one(2601, 53, b"UNDECI--FORW-"), one(2602, 5000, b"PLAINx-"),
                  one(2603, 53, b"REFUSE--PASS-"), one(2604, 54, b"NORULE--PASS-")]
        while not self.stop:
            for _ in range(16):
                for f in frames:
                    self.s.wire[0].send(f)
                self.sent += 1
            time.sleep(0.004)


def nothing_lost_nothing_leaked(s, q, program):
    s.policy(POLICY)
    s.do("commit 30")
    s.do("inspectors on")
    for port, word in ((2600, "-PASS-"), (2601, "-FORW-"), (2603, "-FORW-")):
        t = token(word)
        s.passes("before the load", 0, 1, udp("10.1.0.20", "10.2.0.8", port, 53, t), t)
    s.stopped("refused", 1, udp("10.2.0.8", "10.1.0.20", 53, 2603, token("-REFU-")), "app-mismatch")
    s.wire[1].setsockopt(stand.socket.SOL_SOCKET, 33, 256 << 20)
    s.drain()
    load = Load(s)
    load.start()
    commits = 0
    while commits < 40 or load.sent < 2000:
        s.policy(MOVED if commits % 2 == 0 else POLICY)
        s.do(f"commit {31 + commits % 30}")
        s.do("inspectors on")
        if commits % 3 != 1:
            s.do("sweep")
        elif commits % 2 == 0:
            time.sleep(0.01)
        # a mark lives over one commit; the sweep follows each in the gate
        s.do("sweep")
        commits += 1
    load.stop = True
    load.join()
    time.sleep(0.5)
    got = dict.fromkeys((b"PASSED-", b"UNDECI-", b"PLAINx-", b"REFUSE-", b"NORULE-"), 0)
    while True:
        try:
            data = s.wire[1].recv(2000)
        except BlockingIOError:
            break
        for word in got:
            got[word] += word in data
    for word in (b"PASSED-", b"UNDECI-", b"PLAINx-"):
        s.check(got[word] == load.sent, f"{commits} commits lost {load.sent - got[word]} of {load.sent} {word.decode()}")
    for word in (b"REFUSE-", b"NORULE-"):
        s.check(got[word] == 0, f"{commits} commits leaked {got[word]} of {load.sent} {word.decode()}")
    print(f"{commits} commits under 5 x {load.sent} packets: {got}")


# -- TCP ---------------------------------------------------------------------------------------------------------------


class Hosts:
    """Real ends: their own addresses, stacks and answers. No port twice: what was refused stays so for a while."""

    port = itertools.count(20000)

    def __init__(self, s):
        self.s = s
        for host, address, gw in (("h0", "10.1.0.20/24", "10.1.0.1"), ("h1", "10.2.0.8/24", "10.2.0.1")):
            s.space.ip(host, "addr", "add", address, "dev", "p0")
            s.space.ip(host, "route", "add", "default", "via", gw)
        s.neighbour(0, "10.1.0.20", "02:00:00:01:00:99")
        s.neighbour(1, "10.2.0.8", "02:00:00:02:00:99")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for host, address in (("h0", "10.1.0.20/24"), ("h1", "10.2.0.8/24")):
            self.s.space.ip(host, "addr", "del", address, "dev", "p0")
        self.s.neighbour(0, "10.1.0.20")
        self.s.neighbour(1, "10.2.0.8")

    def connect(self, dport=443):
        self.s.do("inspectors on")
        listener = self.s.space.socket("h1", stand.socket.AF_INET, stand.socket.SOCK_STREAM)
        listener.setsockopt(stand.socket.SOL_SOCKET, stand.socket.SO_REUSEADDR, 1)
        listener.bind(("10.2.0.8", dport))
        listener.listen(1)
        listener.settimeout(3)
        client = self.s.space.socket("h0", stand.socket.AF_INET, stand.socket.SOCK_STREAM)
        client.settimeout(3)
        client.bind(("10.1.0.20", next(self.port)))
        client.connect(("10.2.0.8", dport))
        server, _ = listener.accept()
        server.settimeout(3)
        listener.close()
        return client, server


def was_reset(sock):
    try:
        return sock.recv(10) == b"never"
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def real_connections(s, q, program):
    s.policy(POLICY)
    s.do("commit 70")
    s.do("inspectors on")
    with Hosts(s) as hosts:
        client, server = hosts.connect()
        client.sendall(b"hello-FORW-")
        s.check(server.recv(100) == b"hello-FORW-", "forwarded")
        server.sendall(b"hello-PASS-")
        s.check(client.recv(100) == b"hello-PASS-", "passed")
        before = q.count()
        data = b"x" * (4 << 20)
        thread = threading.Thread(target=lambda: client.sendall(data))
        thread.start()
        got = 0
        while got < len(data):
            got += len(server.recv(1 << 16))
        thread.join()
        after = q.count()
        s.check(after["q0"] - before["q0"] <= 2, f"bulk is not queued: {before} {after}")
        client.close()
        server.close()
        # an undecided flow in bulk: whole GSO packets through the queue
        client, server = hosts.connect()
        data = b"y" * (1 << 20)
        thread = threading.Thread(target=lambda: client.sendall(data))
        thread.start()
        got = 0
        while got < len(data):
            got += len(server.recv(1 << 16))
        thread.join()
        s.check(q.count()["largest"] > 1500, f"GSO packets come whole: {q.count()}")
        client.close()
        server.close()
        # refused from the client's side
        client, server = hosts.connect()
        before = s.counters().get("app-mismatch", 0)
        client.sendall(b"SSH-2.0-REFU-")
        s.check(was_reset(client), "the client is reset")
        s.check(s.counters()["app-mismatch"] > before, "and counted")
        server.sendall(b"anything-PASS-")
        s.check(was_reset(server), "so is the server when it speaks")
        s.check(s.counters().get("from-gateway", 0) == 0, "resets are no flow of the gateway's own")
        client.close()
        server.close()
        # and from the server's
        client, server = hosts.connect()
        server.sendall(b"220 smtp-REFU-")
        s.check(was_reset(server), "the server is reset")
        client.sendall(b"EHLO-PASS-")
        s.check(was_reset(client), "so is the client when it speaks")
        client.close()
        server.close()


def refused_at_once(s, q, program):
    """A connection that is refused with its first packet is reset too, in both families."""
    s.policy(POLICY + "box 3 tcp 2001:db8:1::20 2001:db8:2::8 443 443\n")
    s.do("commit 74")
    s.do("inspectors on")
    before = s.counters().get("from-gateway", 0)
    for client, server in (("10.1.0.20", "10.2.0.8"), ("2001:db8:1::20", "2001:db8:2::8")):
        t = token("-REFU-")
        s.drain()
        s.send(0, tcp(client, server, 4100, 443, "S", t))
        reset = struct.pack(">HH", 443, 4100)
        s.check(s.arrives(0, reset, 1.0), f"{client} is reset")
        t = token("-REFU-")
        s.stopped("and refused", 0, tcp(client, server, 4101, 443, "S", t), "app-mismatch", t)
    s.check(s.counters().get("from-gateway", 0) == before, "by the gateway, which may")


def half_open(s, q, program):
    """Connections that complete give their places among the half-open ones back, also while they are inspected."""
    s.policy(POLICY + "set half-open 3\n")
    s.do("commit 73")
    s.do("inspectors on")
    with Hosts(s) as hosts:
        before = s.counters().get("half-open", 0)
        for i in range(30):
            client, server = hosts.connect()
            client.sendall(b"hello-PASS-")
            s.check(server.recv(100) == b"hello-PASS-", f"connection {i}")
            client.close()
            server.close()
        s.check(s.counters().get("half-open", 0) == before, "none of them is counted as half-open")
        for i in range(30):
            s.send(0, tcp("10.1.0.20", "10.2.0.8", 4000 + i, 443, "S"), smac="02:00:00:01:00:99")
        s.check(s.counters().get("half-open", 0) > before, "those that never complete are")


def silent(s, q, program):
    """The same without resets: the connection hangs, nothing is told."""
    s.policy(POLICY + "set refuse-silently 1\n")
    s.do("commit 71")
    s.do("inspectors on")
    with Hosts(s) as hosts:
        client, server = hosts.connect()
        client.sendall(b"SSH-2.0-REFU-")
        client.settimeout(0.7)
        s.check(not was_reset(client), "nobody is told")
        client.close()
        server.close()


def resets_only_for_refused(s, q, program):
    """The gateway sends no reset that it was not made to send: its own stack's are refused."""
    s.policy(POLICY)
    s.do("commit 72")
    before = s.counters().get("from-gateway", 0)
    raw = s.space.socket("gw", stand.socket.AF_INET, stand.socket.SOCK_RAW, 6)
    try:
        raw.sendto(frame.tcp("10.2.0.1", "10.2.0.8", 1, 2, "R"), ("10.2.0.8", 0))
    except PermissionError:
        pass
    raw.close()
    s.check(s.counters().get("from-gateway", 0) == before + 1, "a reset of nobody's is refused")


# -- pinholes ----------------------------------------------------------------------------------------------------------


def pinholes(s, q, program):
    s.policy(FILES)
    s.do("commit 80")
    s.do("inspectors on")
    forget(s)
    for client, server in (("10.1.0.20", "10.2.0.8"), ("2001:db8:1::20", "2001:db8:2::8")):
        t = token()
        s.stopped("no pinhole", 0, tcp(client, server, 3000, 40000, "S", t), "no-rule", t)
        s.do(f"pinhole {client} {server} 40000")
        s.stopped("another port", 0, tcp(client, server, 3000, 40001, "S", t), "no-rule", t)
        s.stopped("another way round", 1, tcp(server, client, 3000, 40000, "S", t), "no-rule", t)
        s.stopped("no SYN", 0, tcp(client, server, 3000, 40000, "A", t), "not-syn", t)
        before = q.count()
        s.passes("through", 0, 1, tcp(client, server, 3001, 40000, "S", t), t)
        s.passes("the same SYN again", 0, 1, tcp(client, server, 3001, 40000, "S", t), t)
        s.passes("its answer", 1, 0, tcp(server, client, 40000, 3001, "SA", t, seq=9, ack=2 + len(t)), t)
        s.check(q.count() == before, "unasked")
        s.stopped("once and only once", 0, tcp(client, server, 3002, 40000, "S", t), "no-rule", t)
    # the kernel holds even a wrong pinhole to what the rules join
    s.do("pinhole 10.2.0.8 10.1.0.20 40009")
    s.do("pinhole 10.1.0.21 10.2.0.8 40009")
    t = token()
    s.stopped("towards the client, without active data", 1, tcp("10.2.0.8", "10.1.0.20", 2020, 40009, "S", t), "no-rule", t)
    s.stopped("for another host", 0, tcp("10.1.0.21", "10.2.0.8", 3000, 40009, "S", t), "no-rule", t)
    s.do("pinhole 2001:db8:2::8 2001:db8:1::20 40005")
    s.passes("active data", 1, 0, tcp("2001:db8:2::8", "2001:db8:1::20", 2020, 40005, "S", t), t)
    s.check(s.do("pinhole 10.1.0.20 10.2.0.8 1023", fail=True).startswith("error"), "a port below 1024")
    s.check(marks_of(s, 3001)[0] & 0x30000003 == 0x30000002, f"marked as data: {[hex(m) for m in marks_of(s, 3001)]}")
    s.do("pinhole 10.1.0.20 10.2.0.8 40006")
    # over commits: while the rule lasts, under its new number, before the sweep and after
    s.policy(MOVED)
    s.do("commit 81")
    for moment in ("before the sweep", "after it"):
        t = token()
        s.passes(f"data lives on {moment}", 1, 0, tcp("10.2.0.8", "10.1.0.20", 40000, 3001, "A", t, seq=10, ack=2 + len(t)), t)
        s.do("sweep")
    t = token()
    s.passes("announced before, come after", 0, 1, tcp("10.1.0.20", "10.2.0.8", 3006, 40006, "S", t), t)
    s.policy(POLICY)
    s.do("commit 82")
    t = token()
    s.stopped("and ends with it", 1, tcp("10.2.0.8", "10.1.0.20", 40000, 3001, "A", t, seq=10, ack=2 + len(t)), "no-rule", t)
    swept = s.do("sweep")
    s.check(marks_of(s, 3001) == [], f"also in conntrack: {swept}")
    # a permission that ends soon: cut by the kernel
    s.policy(FILES.replace("rule files 0 1 2 0", "rule files 0 1 2 0 6"))
    s.do("commit 83")
    s.do("pinhole 10.1.0.20 10.2.0.8 40010")
    t = token()
    s.passes("timed data", 0, 1, tcp("10.1.0.20", "10.2.0.8", 3010, 40010, "S", t), t)
    s.passes("timed data, back", 1, 0, tcp("10.2.0.8", "10.1.0.20", 40010, 3010, "SA", t, seq=9, ack=2 + len(t)), t)
    time.sleep(6.2)
    s.stopped("after its end", 1, tcp("10.2.0.8", "10.1.0.20", 40010, 3010, "A", t, seq=10, ack=2 + len(t)), "no-rule", t)
    # nobody came
    s.policy(FILES)
    s.do("commit 84")
    s.do("pinhole 10.1.0.20 10.2.0.8 40020")
    time.sleep(10.5)
    s.stopped("a pinhole closes by itself", 0, tcp("10.1.0.20", "10.2.0.8", 3020, 40020, "S", t), "no-rule", t)


def main():
    stand.need_root()
    s = stand.Stand(sys.argv[1])
    parts = [without_inspector, each_word, looked_up_each_time, marks_from_elsewhere, death, over_a_commit,
             nothing_lost_nothing_leaked, real_connections, refused_at_once, half_open, silent, resets_only_for_refused, pinholes]
    if len(sys.argv) > 3:
        parts = [p for p in parts if p.__name__ in sys.argv[3:]]
    try:
        s.do("open")
        s.do("shut")
        for wire, hosts in enumerate((("10.1.0.20", "10.1.0.21", "2001:db8:1::20"), ("10.2.0.8", "10.2.0.9", "2001:db8:2::8"))):
            for address in hosts:
                s.neighbour(wire, address)
        q = Queue(s, sys.argv[2])
        for part in parts:
            print(f"-- {part.__name__}", flush=True)
            q = part(s, q, sys.argv[2]) or q
        q.kill()
        return s.end()
    finally:
        s.close()


sys.exit(main())
