"""test_mail_tls.py: STARTTLS on both sides of the mail gate, with peers that lie, stall and die.

- STARTTLS as client of the gate: offered, used, demanded; certificates of RSA and ECDSA; TLS 1.2 and 1.3, nothing older
- text in clear behind STARTTLS is refused by name, and nothing of it is obeyed
- the gate as client: opportunistic, require, verify by authority and by fingerprint; wrong name, other authority, expired,
  another fingerprint, no STARTTLS: what the policy says, and the ledger says which
- bytes that are no handshake, half handshakes, slow ones: the connection ends, everybody else is served
- each process killed at any moment: a mail for every 250, whole
- certificates that are replaced, missing, of another key
"""
import argparse
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "harness"))

import stage  # noqa: E402
from certificates import Authority  # noqa: E402
from stand import Client, Hop, Stand, message, own_network, send, stuffed  # noqa: E402
from test_mail_gate import INTERNET, IN, LGWAN, OURS, OUT, PASS, THEIRS, policy, text_of  # noqa: E402


class TlsClient(Client):
    """A client that says STARTTLS. context: what it trusts in and speaks."""

    def __init__(self, address, context=None, source=None, name="gate-01", timeout=30.0):
        super().__init__(address, source, timeout=timeout)
        self.context, self.name = context or any_context(), name
        self.starttls = self.say(b"STARTTLS\r\n")

    def secure(self):
        self.lines.close()
        self.sock = self.context.wrap_socket(self.sock, server_hostname=self.name)
        self.lines = self.sock.makefile("rb")
        self.hello = self.say(b"EHLO client.example\r\n")
        return self


def any_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def strict_context(authority):
    return ssl.create_default_context(cafile=authority.path("ca.crt"))


class TlsHop(Hop):
    """A mail server with STARTTLS. spoil: "garbage", "close" or "stall" instead of a handshake, or None."""

    def __init__(self, address, crt, key, say=None, spoil=None, versions=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(crt, key)
        if versions:
            self.context.minimum_version, self.context.maximum_version = versions
        self.spoil, self.secured, self.plain, self.versions = spoil, 0, 0, []
        super().__init__(address, say, (b"PIPELINING", b"SIZE 100000000", b"8BITMIME", b"STARTTLS"))

    def _session(self, conn, lines):
        self._reply(conn, "greeting", b"220 hop ESMTP\r\n")
        for line in lines:
            verb = line[:8].upper()
            if verb.startswith(b"EHLO"):
                conn.sendall(b"".join(b"250-%s\r\n" % n for n in (b"hop",) + self.extensions) + b"250 HELP\r\n")
            elif verb == b"STARTTLS":
                return self._secured(conn, lines)
            elif verb.startswith(b"MAIL"):
                self.plain += 1
                return self._rest(conn, lines, line)
            elif verb.startswith(b"QUIT"):
                conn.sendall(b"221 2.0.0 Bye\r\n")
                return None
        return None

    def _rest(self, conn, lines, first):
        sender, recipients = first, []
        conn.sendall(b"250 2.1.0 Ok\r\n")
        for line in lines:
            verb = line[:4].upper()
            if verb == b"MAIL":
                sender, recipients = line, []
                conn.sendall(b"250 2.1.0 Ok\r\n")
            elif verb == b"RCPT":
                recipients.append(line)
                conn.sendall(b"250 2.1.5 Ok\r\n")
            elif verb == b"DATA":
                conn.sendall(b"354 go\r\n")
                self._text(conn, lines, sender, recipients)
            elif verb == b"QUIT":
                conn.sendall(b"221 2.0.0 Bye\r\n")
                return
            else:
                conn.sendall(b"250 2.0.0 Ok\r\n")

    def _secured(self, conn, lines):
        conn.sendall(self.say.get("starttls", b"220 2.0.0 go\r\n"))
        if not self.say.get("starttls", b"220").startswith(b"220"):
            return self._session_again(conn, lines)
        if self.spoil == "garbage":
            time.sleep(0.3)  # not with the reply: that would be seen before there is a handshake
            conn.sendall(b"220 this is no handshake, it is SMTP all the way down\r\n" * 4)
        if self.spoil == "stall":
            time.sleep(3600)
        if self.spoil:
            return None
        with self.context.wrap_socket(conn, server_side=True) as tls, tls.makefile("rb") as inner:
            self.secured += 1
            self.versions.append(tls.version())
            return self._session_again(tls, inner)

    def _session_again(self, conn, lines):
        for line in lines:
            if line[:4].upper() == b"EHLO":
                conn.sendall(b"".join(b"250-%s\r\n" % n for n in (b"hop",) + self.extensions[:3]) + b"250 HELP\r\n")
            elif line[:4].upper() == b"MAIL":
                return self._rest(conn, lines, line)
            elif line[:4].upper() == b"QUIT":
                conn.sendall(b"221 2.0.0 Bye\r\n")
                return None
        return None


# -- The stand with certificates -----------------------------------------------------------------------------

class Town:
    """A stand whose policy has words about TLS; its certificates."""

    def __init__(self, build):
        self.stand = Stand(build, policy())
        self.directory = os.path.join(self.stand.root, "var/lib/sekisho/tls")
        self.authority = None

    def __enter__(self):
        self.stand.__enter__()
        self.authority = Authority(self.directory)
        for name, kind in (("gate", "ec"), ("gate-rsa", "rsa")):
            self.authority.make(name, "gate-01", kind)
        return self

    def __exit__(self, *unused):
        self.stand.__exit__()

    def commit(self, states=None, **words):
        """Another policy; until the states of its certificates are those."""
        since = len(self.stand.events)
        self.stand.tell("policy " + self.stand.write_policy(policy(**words)))
        if states:
            got = self.stand.wait(lambda e: e["event"] == "tls" and all(e.get(n) == s for n, s in states.items()), 10, since)
            time.sleep(0.2)
            return got
        time.sleep(0.3)
        return True


def rows(st, since):
    entry = st.wait(lambda e: e["event"] == "entry" and e["verdict"] == PASS, 5, since)
    return entry, entry and st.wait(lambda e: e["event"] == "outcome" and e["id"] == entry["id"], 5, since)


# -- The gate as server ----------------------------------------------------------------------------------------

def as_server(tap, town, hop):
    st = town.stand
    tap.check("off: STARTTLS is not offered", b"STARTTLS" not in Client(IN).hello)
    tap.check("off: nor taken", Client(IN).say(b"STARTTLS\r\n").startswith(b"502"))
    for name in ("gate", "gate-rsa"):
        tap.check(f"{name}: certificate and key are good", town.commit({name: "good"}, inbound=f"tls offer certificate {name}"))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = strict_context(town.authority)
            context.minimum_version = context.maximum_version = version
            since, before = len(st.events), len(hop.mails)
            with TlsClient(IN, context) as c:
                tap.check(f"{name}: offered", b"STARTTLS" in c.hello and c.starttls.startswith(b"220"), c.hello + c.starttls)
                c.secure()
                tap.check("not offered again inside", b"250" in c.hello and b"STARTTLS" not in c.hello, c.hello)
                said = c.mail(THEIRS, [OURS], message(1, "TLS", "inside\r\n"))
                word = c.sock.version()
            entry, _ = rows(st, since)
            tap.check(f"{name}: a mail by {word}", said.startswith(b"250") and len(hop.mails) == before + 1, said + st.said()[-500:].encode())
            tap.check("the ledger says so", entry and entry["tls"].startswith(word.replace("v", "")) and "GCM" in entry["tls"], entry)
    old = any_context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    tap.check("TLS 1.1 is refused", broken(lambda: TlsClient(IN, old).secure()))
    since = len(st.events)
    said = send(IN, THEIRS, [OURS], message(2))
    entry, _ = rows(st, since)
    tap.check("offered: mail in clear is taken, and the ledger says nothing of TLS", said.startswith(b"250") and entry["tls"] == "", (said, entry))


def broken(attempt):
    try:
        attempt().close()
    except (ssl.SSLError, OSError):
        return True
    return False


def demanded(tap, town, hop):
    st = town.stand
    town.commit({"gate": "good"}, inbound="tls require certificate gate")
    before = len(hop.mails)
    with Client(IN) as c:
        said = c.say(b"MAIL FROM:<a@example.com>\r\n")
        tap.check("demanded: no MAIL before", said.startswith(b"530 5.7.0"), said)
    with TlsClient(IN) as c:
        c.say(b"NOOP\r\n") if not c.starttls.startswith(b"220") else c.secure()
        tap.check("demanded: a mail inside", c.mail(THEIRS, [OURS], message(3)).startswith(b"250"))
    os.rename(town.authority.path("gate.key"), town.authority.path("away"))
    since = len(st.events)
    st.kill("sekisho-sign")  # the key in its memory goes with it
    st.kill("sekisho-tls")
    st.wait(lambda e: e["event"] == "tls" and e.get("gate") == "no-key", 10, since)
    time.sleep(0.3)
    with TlsClient(IN) as c:
        tap.check("demanded, and no key: 454, no mail", c.starttls.startswith(b"454 4.7.0"), c.starttls)
        tap.check("nor in clear", c.say(b"MAIL FROM:<a@example.com>\r\n").startswith(b"530"))
    town.commit({"gate": "no-key"}, inbound="tls offer certificate gate")
    with Client(IN) as c:
        tap.check("offered, and no key: not offered", b"STARTTLS" not in c.hello)
    tap.check("offered, and no key: mail in clear", send(IN, THEIRS, [OURS], message(4)).startswith(b"250"))
    os.rename(town.authority.path("away"), town.authority.path("gate.key"))
    since = len(st.events)
    st.tell("certificates now")
    st.wait(lambda e: e["event"] == "tls" and e.get("gate") == "good", 10, since)
    tap.check("the mails that were taken arrived", len(hop.mails) == before + 2)


def last_words(client):
    try:
        return client.reply()
    except ConnectionResetError:
        return b""


def injected(tap, town, hop):
    """CVE-2011-0411 and its kin: what comes behind STARTTLS in clear must never be heard inside, nor outside."""
    st = town.stand
    town.commit({"gate": "good"}, inbound="tls offer certificate gate")
    before, since = len(hop.mails), len(st.events)
    evil = b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n" % OURS.encode()
    for name, text in (("a command", b"NOOP\r\n"), ("a mail", evil), ("half a command", b"EHL"), ("a byte", b"\0"), ("RSET", b"RSET\r\n")):
        with Client(IN) as c:
            said = c.say(b"STARTTLS\r\n" + text)
            tap.check(f"behind STARTTLS: {name}: closed by name", said.startswith(b"554 5.5.1 Text in clear behind STARTTLS"), said)
            tap.check("and nothing more is said", c.reply() == b"")
    tap.check("the ledger names it", st.wait(lambda e: e["event"] == "entry" and e["reason"] == "tls-injected", 5, since))
    with Client(IN) as c:  # after our 220: it belongs to the handshake, which it breaks
        c.say(b"STARTTLS\r\n")
        c.sock.sendall(evil)
        tap.check("in clear where a handshake is due: closed", not last_words(c).startswith((b"2", b"3")))
    with TlsClient(IN) as c:
        c.secure()
        tap.check("STARTTLS inside STARTTLS", c.say(b"STARTTLS\r\n").startswith(b"503"))
        tap.check("it is still a session", c.mail(THEIRS, [OURS], message(5)).startswith(b"250"))
    with Client(IN) as c:
        c.say(b"MAIL FROM:<a@example.com>\r\n")
        tap.check("STARTTLS in a transaction", c.say(b"STARTTLS\r\n").startswith(b"503"))
    with TlsClient(IN) as c:
        c.lines.close()
        c.sock = c.context.wrap_socket(c.sock)
        c.lines = c.sock.makefile("rb")
        tap.check("inside everything is forgotten: EHLO again first", c.say(b"MAIL FROM:<a@example.com>\r\n").startswith(b"503"))
    tap.check("nothing of it arrived", len(hop.mails) == before + 1)


# -- Handshakes that are none ----------------------------------------------------------------------------------

def hello_bytes():
    """What a client would send first."""
    inside, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = any_context().wrap_bio(inside, out, server_hostname="gate-01")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def garbage(tap, town, hop, rounds):
    st, rng, real = town.stand, random.Random(1), hello_bytes()
    town.commit({"gate": "good"}, inbound="tls offer certificate gate")

    def attempt(data, end):
        with Client(IN, timeout=10) as c:
            if not c.say(b"STARTTLS\r\n").startswith(b"220"):
                return False
            try:
                c.sock.sendall(data)
                if end:
                    c.sock.shutdown(socket.SHUT_WR)
                    while c.sock.recv(4096):
                        pass
            except OSError:
                pass
        return True

    good = True
    for _ in range(rounds):
        data = bytearray(real)
        kind = rng.randrange(5)
        if kind == 0:
            data = bytearray(rng.randbytes(rng.randrange(1, 600)))
        elif kind == 1:
            data = data[:rng.randrange(len(data))]
        elif kind == 2:
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 3:
            data = bytearray(b"\x16\x03\x01" + rng.randbytes(2)) + data[5:]
        else:
            data += rng.randbytes(300)
        good = attempt(bytes(data), rng.randrange(4) > 0) and good
    tap.check(f"{rounds} handshakes that are none", good)
    with TlsClient(IN) as c:
        tap.check("a real one is served", c.secure().mail(THEIRS, [OURS], message(6)).startswith(b"250"))
    time.sleep(1.5)
    tap.check("no child died of it", "connections ended ill" not in st.said(), st.said()[-800:])


def slow(tap, town, hop, count):
    st = town.stand
    town.commit({"gate": "good"}, inbound="tls offer certificate gate")
    clients = []
    for n in range(count):
        c = Client(IN, source="192.0.2.77" if n % 2 else None, timeout=10)
        if c.greeting.startswith(b"220"):
            clients.append((c, c.say(b"STARTTLS\r\n")))
    started = time.monotonic()
    begun = [c for c, said in clients if said.startswith(b"220")]
    for c in begun:
        c.sock.sendall(b"\x16\x03\x01")  # and not a byte more
    said = send(IN, THEIRS, [OURS], message(7), source="192.0.2.26")
    tap.check(f"{len(begun)} handshakes that do not go on: mail in clear passes", said.startswith(b"250"), said)
    with TlsClient(IN, source="192.0.2.25") as c:
        served = c.starttls.startswith(b"454") or c.secure().mail(THEIRS, [OURS], message(8)).startswith(b"250")
        tap.check("a new handshake is served, or told to come again", served, c.starttls)
    begun[0].sock.settimeout(40)
    try:
        while begun[0].sock.recv(4096):
            pass
    except ConnectionResetError:
        pass
    took = time.monotonic() - started
    tap.check(f"they are ended ({took:.0f} s)", 25 < took < 38)
    for c, _ in clients:
        c.close()
    time.sleep(1)
    with TlsClient(IN) as c:
        tap.check("all is well again", c.secure().mail(THEIRS, [OURS], message(9)).startswith(b"250"))
    tap.check("nothing is left", st.wait(lambda e: e["event"] == "tls" and e["living"] <= 2, 12, len(st.events)))


# -- The gate as client ----------------------------------------------------------------------------------------

def out(number=0):
    return send(OUT, OURS, [THEIRS], message(number, sender=OURS, to=THEIRS), source=LGWAN)


def waits_for_tls(said):
    return said.startswith(b"451") and b"4.7.5 next-hop-tls" in said


def as_client(tap, town):
    st, ca = town.stand, town.authority
    good = ca.make("mx", "mx.example.jp")
    other_name = ca.make("mx-other", "other.example.jp")
    expired = ca.make("mx-expired", "mx.example.jp", days=-1)
    os.makedirs(town.directory + "/foreign", exist_ok=True)
    foreign = Authority(town.directory + "/foreign").make("mx", "mx.example.jp", "rsa")
    pin = ca.fingerprint("mx")
    verify = "tls-to internet-mta level verify name mx.example.jp ca ca"

    def attempt(name, words, certificate, passes, **more):
        states = {"ca": "good"} if " ca ca" in words else None
        town.commit(states, outbound=words)
        hop = TlsHop(INTERNET, *certificate, **{k: v for k, v in more.items() if k != "trust"})
        since = len(st.events)
        try:
            said = out()
            if passes:
                entry, done = rows(st, since)
                tap.check(f"{name}: delivered", said.startswith(b"250") and len(hop.mails) == 1 and hop.secured == 1 and hop.plain == 0,
                          said + st.said()[-400:].encode())
                tap.check("the ledger says how", done and more.get("trust", "") in done["tls"] and "TLS1" in done["tls"], (entry, done))
            else:
                tap.check(f"{name}: not delivered", waits_for_tls(said) and not hop.mails and hop.plain == 0,
                          said + st.said()[-400:].encode())
        finally:
            hop.close()

    attempt("require, any certificate", "tls-to internet-mta level require", foreign, True, trust="unverified")
    attempt("require, TLS 1.2", "tls-to internet-mta level require", foreign, True, trust="TLS1.2",
            versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    attempt("opportunistic", "tls-to internet-mta level opportunistic", expired, True, trust="unverified")
    attempt("verify, by name and authority", verify, good, True, trust="verified mx.example.jp")
    attempt("verify, by fingerprint", f"tls-to internet-mta level verify fingerprint {pin}", good, True, trust="fingerprint")
    attempt("verify, self-made and pinned", f"tls-to internet-mta level verify fingerprint {Authority(town.directory + '/foreign', 'own').fingerprint('own')}",
            (town.directory + "/foreign/own.crt", town.directory + "/foreign/own.key"), True, trust="fingerprint")
    attempt("verify, another name", verify, other_name, False)
    attempt("verify, expired", verify, expired, False)
    attempt("verify, another authority", verify, foreign, False)
    attempt("verify, another fingerprint", f"tls-to internet-mta level verify fingerprint {pin}", foreign, False)
    attempt("require, not offered", "tls-to internet-mta level require", good, False, say={"starttls": b"454 4.7.0 no\r\n"})
    attempt("require, no handshake", "tls-to internet-mta level require", good, False, spoil="garbage")
    attempt("require, it goes away", "tls-to internet-mta level require", good, False, spoil="close")
    for word in ("wrong-name", "expired", "untrusted", "wrong-fingerprint"):
        tap.check(f"the log says why: {word}", word_in_log(st, word))


def word_in_log(st, word):
    texts = {"wrong-name": "of another name", "expired": "has expired", "untrusted": "not of the authority", "wrong-fingerprint": "another fingerprint"}
    return texts[word] in st.said()


def falls_back(tap, town):
    """Opportunistic: in clear on the next connection, and said so; with require never."""
    st, ca = town.stand, town.authority
    town.commit(outbound="tls-to internet-mta level opportunistic")
    hop = TlsHop(INTERNET, ca.path("mx.crt"), ca.path("mx.key"), spoil="garbage")
    since = len(st.events)
    said = out()
    _, done = rows(st, since)
    tap.check("opportunistic, a spoilt handshake: in clear on another connection", said.startswith(b"250") and hop.plain == 1, said)
    tap.check("the ledger says: in clear", done and done["tls"] == "", done)
    tap.check("the log says why", "STARTTLS:" in st.said())
    hop.close()
    town.commit(outbound="tls-to internet-mta level opportunistic")
    plain = Hop(INTERNET)
    tap.check("opportunistic, not offered: in clear", out().startswith(b"250"))
    plain.close()
    town.commit(outbound="tls-to internet-mta level require")
    plain = Hop(INTERNET)
    tap.check("require, not offered: not delivered", waits_for_tls(out()) and not plain.mails)
    plain.close()


def injecting_hop(tap, town):
    """A mail server's answers in clear behind its yes to STARTTLS must not count as said inside."""
    ca = town.authority
    town.commit(outbound="tls-to internet-mta level opportunistic")
    hop = TlsHop(INTERNET, ca.path("mx.crt"), ca.path("mx.key"),
                 {"starttls": b"220 go\r\n250-hop\r\n250 PIPELINING\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n250 2.0.0 taken\r\n"})
    said = out()
    tap.check("replies in clear behind its 220: not believed", said[:1] == b"4" and not hop.mails, said)
    hop.close()


# -- Killing ---------------------------------------------------------------------------------------------------

def killed(tap, town, mails):
    """Both sides by TLS; processes die; a mail for each 250."""
    st, ca = town.stand, town.authority
    town.commit({"gate": "good", "ca": "good"}, inbound="tls require certificate gate\nset mail inbound tls-to lgwan-mta level verify name mx.example.jp ca ca")
    hop = TlsHop(LGWAN, ca.path("mx.crt"), ca.path("mx.key"))
    taken, tries, stop = set(), [0], time.monotonic() + 90

    def one(number):
        tries[0] += 1
        try:
            with TlsClient(IN, timeout=20) as c:
                if c.starttls.startswith(b"220"):
                    said = c.secure().mail(THEIRS, [OURS], message(number, f"m{number}", f"body {number}\r\n"))
                    return said.startswith(b"250")
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
        return False

    def worker(numbers):
        for number in numbers:
            while time.monotonic() < stop and not one(number):
                pass
            taken.add(number)

    threads = [threading.Thread(target=worker, args=(range(w, mails, 6),)) for w in range(6)]
    for t in threads:
        t.start()
    kills = 0
    while any(t.is_alive() for t in threads):
        time.sleep(random.uniform(0.2, 0.6))
        name = random.choice(["sekisho-tls", "sekisho-sign", "sekisho-tls", "child", "sekisho-maild"])
        if name == "child":
            kill_children(st)
        else:
            st.kill(name)
        kills += 1
    for t in threads:
        t.join()
    got = {text_of(text)[1] for _, _, text in hop.mails}
    missing = [n for n in range(mails) if f"m{n}" not in got]
    tap.check(f"{mails} mails, {tries[0]} tries, {kills} kills: none is lost", not missing and time.monotonic() < stop, missing[:10])
    tap.check("none went in clear", hop.plain == 0)
    hop.close()


def kill_children(st):
    parent = st.pid("sekisho-tls")
    got = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout.split()
    for pid in got[:3]:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def outlives(tap, town, hop):
    """A connection goes on when the process that made its child dies."""
    st = town.stand
    town.commit({"gate": "good"}, inbound="tls offer certificate gate")
    with TlsClient(IN) as c:
        c.secure()
        c.say(b"MAIL FROM:<a@example.com>\r\n")
        st.kill("sekisho-tls")
        c.say(b"RCPT TO:<%s>\r\n" % OURS.encode())
        c.say(b"DATA\r\n")
        said = c.say(stuffed(message(10)) + b".\r\n")
        tap.check("sekisho-tls is killed: a connection that stands goes on", said.startswith(b"250"), said)


def replaced(tap, town):
    st, ca = town.stand, town.authority
    town.commit({"gate": "good"}, inbound="tls offer certificate gate")
    old = TlsClient(IN).secure().sock.getpeercert(True)
    ca.make("next", "gate-01")

    def now(state, **files):
        for end, source in files.items():
            os.replace(source, ca.path("gate." + end))
        since = len(st.events)
        st.tell("certificates now")
        return st.wait(lambda e: e["event"] == "tls" and e.get("gate") == state, 8, since)

    tap.check("a certificate without its key yet: said", now("other-key", crt=ca.path("next.crt")))
    tap.check("the one of before is in use", TlsClient(IN).secure().sock.getpeercert(True) == old)
    tap.check("its key comes: good", now("good", key=ca.path("next.key")))
    time.sleep(0.3)
    tap.check("the new one is in use", TlsClient(IN).secure().sock.getpeercert(True) != old)
    with open(ca.path("junk"), "wb") as f:
        f.write(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with open(ca.path("gate.crt"), "rb") as f:
        crt = f.read()
    tap.check("a certificate that is none: said", now("malformed", crt=ca.path("junk")))
    tap.check("the one of before is in use", not broken(lambda: TlsClient(IN).secure()))
    with open(ca.path("whole"), "wb") as f:
        f.write(crt)
    tap.check("and put back: good", now("good", crt=ca.path("whole")))


def memory(tap, town, hop, count):
    st = town.stand
    town.commit({"gate": "good"}, inbound="tls offer certificate gate")
    clients = [TlsClient(IN, source="192.0.2.77" if n % 2 else None).secure() for n in range(count)]
    pids = subprocess.run(["pgrep", "-P", str(st.pid("sekisho-tls"))], capture_output=True, text=True, check=False).stdout.split()
    own = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            own += sum(int(line.split()[1]) for line in f if line.startswith("Private_"))
    tap.check(f"{len(pids)} connections: {own // max(len(pids), 1)} KiB each", len(pids) == count and own < count * 1024, own)
    said = [c.mail(THEIRS, [OURS], message(n)) for n, c in enumerate(clients)]
    tap.check("each serves a mail", all(s.startswith(b"250") for s in said), said[-1])
    big = message(99, "big", "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 60000)
    said = clients[0].mail(THEIRS, [OURS], big)
    tap.check("a large mail by TLS", said.startswith(b"250") and len(hop.mails[-1][2]) > 1000000, (said, len(hop.mails[-1][2])))
    for c in clients:
        c.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--mails", type=int, default=150, help="of the test with kills")
    parser.add_argument("--only", help="one part, by its name")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("network namespaces need root")
        sys.exit(77)
    own_network()
    tap = stage.Tap()
    with Town(options.build) as town:
        hop = Hop(LGWAN)
        parts = {"server": lambda: as_server(tap, town, hop), "demanded": lambda: demanded(tap, town, hop),
                 "injected": lambda: injected(tap, town, hop), "garbage": lambda: garbage(tap, town, hop, 150),
                 "outlives": lambda: outlives(tap, town, hop), "memory": lambda: memory(tap, town, hop, 40),
                 "slow": lambda: slow(tap, town, hop, 150), "client": lambda: as_client(tap, town),
                 "back": lambda: falls_back(tap, town), "hop": lambda: injecting_hop(tap, town),
                 "replaced": lambda: replaced(tap, town)}
        for name, part in parts.items():
            if options.only in (None, name) or (name == "client" and options.only in ("back", "hop", "killed")):
                part()
        hop.close()
        if options.only in (None, "killed"):
            killed(tap, town, options.mails)
        died = [e for e in town.stand.events if e["event"] == "died" and e["status"] not in (0, 9)]
        tap.check("nothing died of itself", not died, str(died) + town.stand.said()[-1500:])
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
