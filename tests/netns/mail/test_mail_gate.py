"""test_mail_gate.py: the mail gate between clients and mail servers that lie, stall and die.

- mail goes through as one text part, its ledger row is there before it is, and the client's 250 is the mail server's
- what is not for us is refused: other domains, routes, clients and senders that are not listed; what a flood brings waits
- every way to smuggle a second mail is refused, and nothing of it arrives
- a mail server that is down, refuses, stalls, answers garbage, dies at any byte: the client keeps its mail
- the ledger fails or is silent: nothing leaves
- a cleaner that was taken over can make nothing leave that the verifier has not agreed to
- each process killed at any moment: a mail arrives for every 250, whole, and is at most doubled where an answer was lost
- a thousand slow clients: memory stays bounded, a fast client is served
- a stop in order finishes what runs
"""
import argparse
import collections
import email
import email.policy
import hashlib
import os
import random
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "harness"))

import stage  # noqa: E402
from stand import Client, Hop, Stand, message, own_network, send  # noqa: E402

IN, OUT = "192.0.2.1", "10.2.0.1"
LGWAN, INTERNET, ARCHIVE = "10.2.0.8", "192.0.2.25", "192.0.2.26"
OURS, THEIRS = "b@town.example.lg.jp", "a@example.com"
PASS, REFUSED, HELD, DEFERRED = 1, 2, 3, 4


def policy(**changes):
    """mail.policy with lines changed: inbound="…" and outbound="…" are appended words.

    One sender sends hundreds a minute here: nothing is a flood unless the words say so."""
    with open(os.path.join(HERE, "mail.policy"), encoding="utf-8") as f:
        text = f.read()
    for way in ("inbound", "outbound"):
        words = changes.get(way, "")
        if "flood" not in words:
            text += f"set mail {way} flood slow 0 stop 0 sender-slow 0 sender-stop 0\n"
        if words:
            text += f"set mail {way} {words}\n"
    return text


def text_of(mail):
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    return parsed.get_content_type(), parsed["subject"], parsed.get_content()


def way_through(tap, st, hop):
    since = len(st.events)
    said = send(IN, THEIRS, [OURS], message(1, "見積書", "こんにちは\r\n"))
    tap.check("a mail is delivered", said.startswith(b"250 2.0.0") and len(hop.mails) == 1, said + st.said()[-600:].encode())
    entry = st.wait(lambda e: e["event"] == "entry" and e["verdict"] == PASS, 5, since)
    done = st.wait(lambda e: e["event"] == "outcome" and e["result"] == 1, 5, since)
    tap.check("its row came first, its outcome follows", entry and done and entry["id"] == done["id"] and
              entry["sender"] == THEIRS and entry["recipients"] == OURS and entry["receipt"].encode() in said, (entry, done))
    tap.check("its row has the hash of what came", entry["sha256"] == hashlib.sha256(message(1, "見積書", "こんにちは\r\n")).hexdigest(), entry)
    sender, recipients, text = hop.mails[-1]
    tap.check("its envelope is as it was", THEIRS.encode() in sender and OURS.encode() in recipients[0], (sender, recipients))
    kind, _, body = text_of(text)
    tap.check("it is one text part", kind == "text/plain" and b"base64" in text, (kind, body))
    again = len(hop.mails)
    send(IN, THEIRS, [OURS], message(1, "x", "same\r\n"))
    send(IN, THEIRS, [OURS], message(1, "x", "same\r\n"))
    tap.check("the same mail gives the same bytes", hop.mails[again][2] == hop.mails[again + 1][2])


def many_on_one(tap, hop):
    before = len(hop.mails)
    with Client(IN) as c:
        said = [c.mail(THEIRS, [OURS, "c@town.example.lg.jp"], message(n, f"m{n}", f"body {n}\r\n")) for n in range(50)]
    tap.check("fifty mails on one connection", all(s.startswith(b"250") for s in said) and len(hop.mails) == before + 50, said[-1])
    with Client(IN) as c:  # all at once
        c.sock.sendall(b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (THEIRS.encode(), OURS.encode()))
        said = [c.reply(), c.reply(), c.reply()]
        said.append(c.say(message(60) + b".\r\n"))
    tap.check("pipelined", [s[:3] for s in said] == [b"250", b"250", b"354", b"250"], said)


def not_ours(tap, st, hop):
    before = len(hop.mails)
    for rcpt in ("x@elsewhere.example", "x%elsewhere.example@town.example.lg.jp", "@evil.example:b@town.example.lg.jp",
                 '"x@elsewhere.example"@town.example.lg.jp', "x!y@town.example.lg.jp", "b@sub.town.example.lg.jp"):
        said = send(IN, THEIRS, [rcpt], message())
        tap.check(f"refused: {rcpt}", said[:2] == b"55" or said[:3] == b"501", said)
    said = send(OUT, OURS, ["x@example.com"], message(), source="10.2.0.9")
    tap.check("a server that is not listed", said.startswith(b"554"), said)
    said = send(OUT, "x@elsewhere.example", ["x@example.com"], message(), source=LGWAN)
    tap.check("a sender domain that is not listed", said.startswith(b"550"), said)
    tap.check("nothing of it arrived", len(hop.mails) == before)
    tap.check("refusals are recorded", st.wait(lambda e: e["event"] == "entry" and e["reason"] == "relay"), st.entries()[-3:])


SMUGGLING = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r.\n", b"\n.\r", b"\r\n.\0\r\n", b"\r\n\0.\r\n",
             b"\r\n.\r\r\n")


def smuggling(tap, st, hop):
    before = len(hop.mails)
    inner = b"MAIL FROM:<boss@town.example.lg.jp>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: smuggled\r\n\r\nx" % OURS.encode()
    for form in SMUGGLING:
        with Client(IN) as c:
            c.say(b"MAIL FROM:<%s>\r\n" % THEIRS.encode())
            c.say(b"RCPT TO:<%s>\r\n" % OURS.encode())
            c.say(b"DATA\r\n")
            said = c.say(b"Subject: outer\r\n\r\nhello" + form + inner + b"\r\n.\r\n")
            tap.check(f"smuggling by {form!r}", said.startswith(b"550 5.6.0"), said)
    tap.check("nothing was smuggled", len(hop.mails) == before, hop.mails[before:])
    tap.check("it is recorded", st.wait(lambda e: e["event"] == "entry" and e["reason"] == "smuggling"))


def hop_troubles(tap, st):
    def attempt(name, say, expected, **more):
        hop = Hop(LGWAN, say)
        try:
            said = send(IN, THEIRS, [OURS], message())
            tap.check(name, said[:1] == expected and not hop.mails, said)
        finally:
            hop.close()
        time.sleep(more.get("rest", 0.1))

    said = send(IN, THEIRS, [OURS], message())
    tap.check("no mail server: 4xx before the mail", said.startswith(b"451"), said)
    time.sleep(5.5)  # it is left alone for a while
    for stage_, late in (("mail", False), ("rcpt", False), ("data", False), ("dot", True)):
        attempt(f"it says 550 to {stage_}", {stage_: b"550 5.1.1 no\r\n"}, b"5")
        attempt(f"it says 452 to {stage_}", {stage_: b"452 4.2.2 full\r\n"}, b"4")
        attempt(f"it dies at {stage_}", {stage_: None}, b"4", rest=0.1)
        attempt(f"it answers garbage to {stage_}", {stage_: b"hello\xff\r\n" if not late else b"9999\r\n"}, b"4")
    attempt("it greets with 554", {"greeting": b"554 go away\r\n"}, b"4", rest=5.5)
    attempt("it greets with garbage", {"greeting": b"SSH-2.0-x\r\n"}, b"4", rest=5.5)
    hop = Hop(LGWAN)
    said = send(IN, THEIRS, [OURS], message())
    tap.check("and then all is well", said.startswith(b"250") and len(hop.mails) == 1, said)
    return hop


def ledger_troubles(tap, st, hop):
    for mode in ("fail", "silent"):
        st.tell("ledger " + mode)
        before = len(hop.mails)
        said = send(IN, THEIRS, [OURS], message())
        tap.check(f"the ledger is {mode}: 451, nothing leaves", said.startswith(b"451") and len(hop.mails) == before, said)
    st.tell("ledger ok")
    said = send(IN, THEIRS, [OURS], message())
    tap.check("it works again", said.startswith(b"250"), said)


def outbound(tap, st):
    hop = Hop(INTERNET)
    text = message(7, "plan", "個人のこと\r\n.dot\r\n", OURS, "x@example.com")
    said = send(OUT, OURS, ["x@example.com"], text, source=LGWAN)
    got = hop.mails[-1][2] if hop.mails else b""
    tap.check("outbound mail leaves as it is, with our Received", said.startswith(b"250") and got.endswith(text) and
              got.startswith(b"Received: from client.example ([10.2.0.8])"), said + got)
    number = message(8, "x", "マイナンバー 1234 5678 9018\r\n個人番号 123456789018\r\n", OURS, "x@example.com")
    said = send(OUT, OURS, ["x@example.com"], number, source=LGWAN)
    tap.check("an individual number is refused, in Japanese too", said.startswith(b"550-5.7.6 mynumber: ") and
              "\r\n550 5.7.6 個人番号".encode() in said and len(hop.mails) == 1, said)
    tap.check("and its row does not hold it", all("123456789018" not in str(e) for e in st.entries()))
    hop.close()


def approval(tap, st):
    hop = Hop(INTERNET)
    st.tell("policy " + st.write_policy(policy(outbound="attachments hold")))
    time.sleep(0.3)
    text = (b"From: b@town.example.lg.jp\r\nTo: x@example.com\r\nSubject: a\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nhi\r\n--q\r\n"
            b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--q--\r\n")
    said = [send(OUT, OURS, ["x@example.com"], text, source=LGWAN)]
    st.tell("approve yes")
    said.append(send(OUT, OURS, ["x@example.com"], text, source=LGWAN))
    st.tell("approve no")
    tap.check("an attachment is held, and leaves when it is approved", said[0].startswith(b"450") and said[1].startswith(b"250") and
              len(hop.mails) == 1, said)
    st.tell("policy " + st.write_policy(policy()))
    hop.close()


def copied(tap, st, hop):
    st.tell("policy " + st.write_policy(policy().replace("original upstream", "original copied original-to archive")))
    time.sleep(0.3)
    before = len(hop.mails)
    said = send(IN, THEIRS, [OURS], message(20, "with copy"))
    tap.check("no archive: 451 and nothing is delivered", said.startswith(b"451") and len(hop.mails) == before, said)
    archive = Hop(ARCHIVE)
    time.sleep(5.5)
    said = send(IN, THEIRS, [OURS], message(21, "with copy"))
    entry = st.entries()[-1]
    original = archive.mails[-1][2] if archive.mails else b""
    tap.check("the original is kept first, marked with the receipt", said.startswith(b"250") and len(hop.mails) == before + 1 and
              b"Subject: [" + entry["receipt"].encode() + b"] with copy" in original and original.endswith(b"\r\n\r\nhello\r\n"), said + original)
    archive.close()
    st.tell("policy " + st.write_policy(policy()))
    time.sleep(0.3)


# -- faults ------------------------------------------------------------------------------------------------------

class Load:
    """Clients that send numbered mails again and again until each has its 250."""

    def __init__(self, clients, mails):
        self.left, self.lock = list(range(mails)), threading.Lock()
        self.taken, self.tries = collections.Counter(), 0
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _next(self):
        with self.lock:
            return self.left.pop() if self.left else None

    def _run(self):
        while (number := self._next()) is not None:
            said = send(IN, THEIRS, [OURS], message(number, f"load-{number}-", "x" * random.Random(number).randrange(900) + "\r\n"))
            with self.lock:
                self.tries += 1
                if said.startswith(b"250"):
                    self.taken[number] += 1
                else:
                    self.left.insert(0, number)
            if not said.startswith(b"250"):
                time.sleep(0.02)

    def run(self, meanwhile):
        for t in self.threads:
            t.start()
        while any(t.is_alive() for t in self.threads):
            meanwhile()
        for t in self.threads:
            t.join()


def counted(hop):
    got = collections.Counter()
    for _, _, text in hop.mails:
        _, subject, _ = text_of(text)
        if subject and subject.startswith("load-"):
            got[int(subject.split("-")[1])] += 1
    return got


def faults(tap, st, hop, mails):
    """Every stage of the mail server fails now and then, and the processes are killed."""
    random.seed(20261120)
    lost = [0]

    def sometimes(bad):
        def say(default):
            if random.random() < 0.06:
                if bad == "lost":
                    lost[0] += 1
                return bad
            return default
        return say

    hop.mails.clear()
    hop.say.update(greeting=sometimes(b"421 4.3.2 busy\r\n"), mail=sometimes(None), rcpt=sometimes(b"451 4.3.0 later\r\n"),
                   data=sometimes(None), dot=sometimes("lost"), rset=sometimes(None))
    load, kills = Load(8, mails), collections.Counter()

    def meanwhile():
        time.sleep(random.uniform(0.2, 0.6))
        name = random.choice(["sekisho-clean", "sekisho-verify", "sekisho-connect", "sekisho-maild"])
        st.kill(name)
        kills[name] += 1

    load.run(meanwhile)
    hop.say.clear()
    got = counted(hop)
    missing = [n for n in load.taken if got[n] == 0]
    tap.check(f"{mails} mails, {load.tries} tries, {sum(kills.values())} kills: none is lost", not missing, missing[:10])
    extra = sum(got.values()) - mails
    doubt = lost[0] + kills["sekisho-maild"] * 8
    tap.check(f"at most those are doubled whose answer was lost ({extra} of {doubt})", extra <= doubt)
    tap.check("the mails that arrived twice are the same", same_twice(hop))


def same_twice(hop):
    seen = {}
    return all(seen.setdefault(text_of(text)[1], text) == text for _, _, text in hop.mails)


def slow_clients(tap, st, hop, count):
    clients, before = [], len(hop.mails)
    for _ in range(count):
        try:
            c = Client(IN, source="192.0.2.77" if len(clients) % 2 else None, timeout=10)
        except OSError:
            break
        clients.append(c)
    open_ = [c for c in clients if c.greeting and c.greeting.startswith(b"220")]
    for c in open_:
        c.sock.sendall(b"MAIL FROM:<%s>\r\n" % THEIRS.encode())
    started = time.monotonic()
    said = send(IN, THEIRS, [OURS], message(90), source="192.0.2.26")
    took = time.monotonic() - started
    with open(f"/proc/{st.pid('sekisho-maild')}/status", encoding="ascii") as f:
        rss = int(next(line for line in f if line.startswith("VmRSS")).split()[1])
    tap.check(f"{len(open_)} slow clients: a fast one is served ({took:.1f} s, {rss} KiB)", said.startswith(b"250") and
              len(hop.mails) == before + 1 and rss < 64 * 1024, said)
    for c in clients:
        c.close()
    time.sleep(0.5)


def flood(tap, st, hop):
    st.tell("policy " + st.write_policy(policy(inbound="flood slow 20 stop 40")))
    time.sleep(0.3)
    said = [send(IN, f"s{n}@example.com", [OURS], message(n)) for n in range(60)]
    codes = collections.Counter(s[:3] for s in said)
    tap.check("a flood is slowed, then stopped", codes[b"250"] <= 21 and codes[b"451"] > 0 and codes[b"421"] > 0, codes)
    st.kill("sekisho-maild")
    time.sleep(0.3)
    st.tell("resume in")
    said = send(IN, "one@example.com", [OURS], message())
    tap.check("resumed by hand", said.startswith(b"250"), said)
    st.tell("policy " + st.write_policy(policy()))


def taken_over(tap, st, hop):
    """What a hostile cleaner may try: other output than it says, more, less, none; whatever it tries, nothing leaves."""
    send(IN, THEIRS, [OURS], message(1, "x", "the mail that the cleaner writes when it is honest\r\n"))
    clean, before = hop.mails[-1][2], len(hop.mails)
    path = os.path.join(st.work, "lie")

    def attempt(name, output, claim):
        with open(path, "wb") as f:
            f.write(output)
        st.tell(f"lie {path} {claim}")
        since = len(st.events)
        said = send(IN, THEIRS, [OURS], message(2))
        row = st.wait(lambda e: e["event"] == "entry", 5, since)
        tap.check(f"taken over: {name}", said[:1] in b"45" and len(hop.mails) == before and row["reason"] in ("worker-failed", "not-verified"),
                  (said, row, len(hop.mails) - before))

    half = clean[:clean.index(b"\r\n\r\n") + 40]
    evil = clean.replace(b"Subject:", b"X-Evil:", 1)
    attempt("it writes nothing, and says so", b"", 0)
    attempt("it writes nothing, and says that it did", b"", 1000)
    attempt("it writes a mail, and says that it wrote nothing", clean, 0)
    attempt("it writes a mail, and says that it wrote more", clean, len(clean) + 1)
    attempt("it writes half a mail", half, len(half))
    attempt("it writes half a mail, and says that it wrote nothing", half, 0)
    attempt("it writes what the mail server would like to run", evil, len(evil))
    attempt("it writes that, and says that it wrote nothing", evil, 0)
    attempt("it writes a second mail behind the first", clean + clean, 2 * len(clean))
    attempt("it writes a second mail, and names the first", clean + clean, len(clean))
    attempt("it writes a mail, in the name of another", clean, f"{len(clean)}:1")
    attempt("it writes a mail, with another's hash", clean, f"{len(clean)}:2")
    with open(path, "wb") as f:
        f.write(clean)
    st.tell(f"lie {path} {len(clean)}")
    said = send(IN, THEIRS, [OURS], message(3))
    tap.check("what the verifier agrees to does leave", said.startswith(b"250") and hop.mails[-1][2] == clean, said)
    since = len(st.events)
    st.tell("honest yes")
    st.wait(lambda e: e["event"] == "ready" and e["name"] == "sekisho-clean", 10, since)
    said = send(IN, THEIRS, [OURS], message(4))
    tap.check("and with the real one all is well", said.startswith(b"250"), said)


def drain(tap, st, hop):
    before = len(hop.mails)
    with Client(IN) as busy, Client(IN) as idle:
        busy.say(b"MAIL FROM:<%s>\r\n" % THEIRS.encode())
        busy.say(b"RCPT TO:<%s>\r\n" % OURS.encode())
        busy.say(b"DATA\r\n")
        busy.sock.sendall(message(99))
        os.kill(st.pid("sekisho-maild"), signal.SIGTERM)
        told = idle.reply()
        said = busy.say(b".\r\n")
    tap.check("a stop in order: the mail that runs is finished, others hear 421", said.startswith(b"250") and told.startswith(b"421") and
              len(hop.mails) == before + 1, (said, told))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--mails", type=int, default=600, help="of the test with faults")
    parser.add_argument("--only", help="one part, by its name")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("network namespaces need root")
        sys.exit(77)
    own_network()
    tap = stage.Tap()
    with Stand(options.build, policy()) as st:
        hop = Hop(LGWAN)
        parts = {"way": lambda: way_through(tap, st, hop), "many": lambda: many_on_one(tap, hop),
                 "not_ours": lambda: not_ours(tap, st, hop), "smuggling": lambda: smuggling(tap, st, hop),
                 "ledger": lambda: ledger_troubles(tap, st, hop), "outbound": lambda: outbound(tap, st),
                 "approval": lambda: approval(tap, st), "copied": lambda: copied(tap, st, hop),
                 "taken_over": lambda: taken_over(tap, st, hop),
                 "slow": lambda: slow_clients(tap, st, hop, 1000), "faults": lambda: faults(tap, st, hop, options.mails),
                 "drain": lambda: drain(tap, st, hop), "flood": lambda: flood(tap, st, hop)}
        for name, part in parts.items():
            if options.only in (None, name):
                part()
        hop.close()
        if options.only in (None, "hop"):
            hop_troubles(tap, st).close()
        died = [e for e in st.events if e["event"] == "died" and e["status"] not in (0, 9)]
        tap.check("nothing died of itself", not died, str(died) + st.said()[-1500:])
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
