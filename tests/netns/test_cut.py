"""test_cut.py: 緊急遮断 on a running gate.

- a large copy runs, and a mail is under way: after `sekisho cut` no byte of them crosses; how long it took is printed
- host, segment, pair and all; IPv4 and IPv6; what is not cut goes on; drops name the number of the cut
- it survives a commit, kill -9 of sekishod, and a start from nothing: cut before anything is opened
- it is proved: a cut that is taken out of the kernel by hand is found
- it is restored in two steps, and only so
"""
import hashlib
import json
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "harness"))
sys.path.insert(0, os.path.join(HERE, "mail"))

import dates  # noqa: E402
import ns  # noqa: E402
import stage  # noqa: E402
from stand import Client, Hop, message  # noqa: E402
from town import GATEWAY  # noqa: E402

PORT = 443
BOUND = 3.0  # seconds; what is promised is one
SERVER = {4: "10.2.0.8", 6: "2001:db8:2::8"}
SIGNED = ("--who", "test", "--why", "exercise of the test")


class Sink:
    """A server that reads everything. total(): bytes so far; last: when the last ones came."""

    def __init__(self, town, host, address, family):
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.socket = town.space.socket(host, kind, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, PORT))
        self.socket.listen(50)
        self.total, self.last, self.open = 0, 0.0, True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(conn,), daemon=True).start()

    def _read(self, conn):
        with conn:
            while True:
                try:
                    got = conn.recv(1 << 20)
                except OSError:
                    return
                if not got:
                    return
                self.total += len(got)
                self.last = time.monotonic()

    def close(self):
        self.open = False
        self.socket.close()


class Copy:
    """A large copy that runs until it is stopped."""

    def __init__(self, town, host, sink_address, family):
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.socket = town.space.socket(host, kind, socket.SOCK_STREAM)
        self.socket.settimeout(5)
        self.socket.connect((sink_address, PORT))
        self.running = True
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self):
        block = b"x" * 65536
        while self.running:
            try:
                self.socket.sendall(block)
            except socket.timeout:
                continue
            except OSError:
                return
            time.sleep(0.001)

    def stop(self):
        self.running = False
        self.socket.close()
        self.thread.join(6)


def connects(town, host, address, family, seconds=1.5):
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    with town.space.socket(host, kind, socket.SOCK_STREAM) as sock:
        sock.settimeout(seconds)
        try:
            sock.connect((address, PORT))
            return True
        except OSError:
            return False


def flows(sink, seconds):
    before = sink.total
    time.sleep(seconds)
    return sink.total - before


def runs(sink, seconds=10):
    """Waits until bytes come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if flows(sink, 0.3) > 0:
            return True
    return False


def cut(st, *words):
    """(answer, seconds of the whole command)"""
    begun = time.monotonic()
    done = st.gate.ask("cut", *words, *SIGNED, "--json", check=False)
    answer = json.loads(done.stdout) if done.stdout.strip() else {"ok": False, "error": done.stderr}
    return answer, begun


def restore(st, number):
    first = json.loads(st.gate.ask("restore", str(number), "--json").stdout)
    return json.loads(st.gate.ask("restore", str(number), "--confirm", first["code"], *SIGNED, "--json").stdout)


def proved(st):
    done = st.gate.ask("prove", "--json", check=False)
    said = json.loads(done.stdout) if done.stdout.strip() else {}
    return said.get("ok") and said.get("findings") == [], done.stdout[:400]


CASES = (("host", ("host", "relay"), "relay"), ("host by address", ("host", "{address}"), "relay"),
         ("segment", ("segment", "mynumber"), "relay"), ("pair", ("pair", "mynumber", "lgwan"), "relay"),
         ("pair of hosts", ("pair", "relay", "sv"), "relay"), ("all", ("all",), "relay"))
RELAY = {4: "10.1.0.20", 6: "2001:db8:1::20"}


def one_case(st, sinks, family, name, words):
    label = f"v{family} {name}"
    copy = Copy(st.town, "relay", SERVER[family], family)
    other = Copy(st.town, "pc", SERVER[family], family)
    try:
        running = runs(sinks[family])
        other.stop()
        flows(sinks[family], 0.2)
        answer, begun = cut(st, *(w.format(address=RELAY[family]) for w in words))
        time.sleep(BOUND)
        took = max(0.0, sinks[family].last - begun)
        silent = flows(sinks[family], 0.5)
        st.tap.check(f"{label}: the copy stops", running and answer["ok"] and silent == 0 and took <= BOUND,
                     f"ran: {running}, {answer}, last byte after {took:.3f} s, then {silent} bytes")
        print(f"# {label}: last byte {took * 1000:.0f} ms after the command began; kernel {answer.get('kernel_us', 0) / 1000:.1f} ms, "
              f"in all {answer.get('total_us', 0) / 1000:.1f} ms, {answer.get('connections')} connections ended")
        st.tap.check(f"{label}: nothing new begins", not connects(st.town, "relay", SERVER[family], family, 1), "connected")
        elsewhere = connects(st.town, "pc", SERVER[family], family, 3)
        st.tap.check(f"{label}: what is not cut {'is cut too' if name == 'all' else 'passes'}",
                     elsewhere == (name != "all"), f"pc connects: {elsewhere}")
        row = st.gate.wait_drop(lambda r: r["reason"] == "cut" and r["cut"] == answer["number"], 5)
        st.tap.check(f"{label}: drops are recorded with its number", row is not None, st.gate.drops(limit=3))
        good, why = proved(st)
        st.tap.check(f"{label}: it is proved", good, why)
        restored = restore(st, answer["number"])
        st.tap.check(f"{label}: restored, it passes again", restored["ok"] and connects(st.town, "relay", SERVER[family], family, 3),
                     restored)
        st.tap.check(f"{label}: the connection of before does not go on", flows(sinks[family], 1.0) == 0, "bytes came")
    finally:
        copy.stop()
        other.stop()


def both_steps(st):
    answer, _ = cut(st, "host", "10.9.9.9")
    number = str(answer["number"])
    first = json.loads(st.gate.ask("restore", number, "--json").stdout)
    wrong = st.gate.ask("restore", number, "--confirm", "000000", *SIGNED, check=False)
    listed = st.gate.rows("cuts")
    st.tap.check("a wrong code restores nothing", wrong.returncode == 1 and len(listed) == 1, (wrong.stderr, listed))
    unsigned = st.gate.ask("restore", number, "--confirm", first["code"], check=False)
    st.tap.check("nor does one that nobody signs", unsigned.returncode == 2 and len(st.gate.rows("cuts")) == 1, unsigned.stderr)
    again, _ = cut(st, "host", "10.9.9.9")
    st.tap.check("the same cut again is the same cut", again["ok"] and again["number"] == answer["number"], again)
    status = st.gate.status()
    st.tap.check("the status says so", status["health"] == "caution" and status["cuts"] == 1 and
                 any(f["code"] == "cut" and "10.9.9.9" in f["text"] for f in status["findings"]), status["findings"])
    st.gate.ask("restore", number, "--confirm", first["code"], *SIGNED)
    time.sleep(2)
    told = [r for r in st.gate.rows("log", "faults", "--limit", "200") if "10.9.9.9" in r["text"]]
    st.tap.check("cut and restoration are records", any("cut " in r["text"] for r in told) and
                 any("restored" in r["text"] for r in told), told)
    for words in (("segment", "nowhere"), ("host", "nobody"), ("pair", "lgwan", "10.0.0.1"), ("host", "10.2.0.0/33")):
        bad, _ = cut(st, *words)
        st.tap.check(f"cut {' '.join(words)}: refused with a sentence", not bad["ok"] and bad["error"], bad)


def lives_on(st, sinks):
    """Over a commit that moves the host, kill -9, and a start from nothing."""
    answer, _ = cut(st, "host", "relay")
    moved = st.text.replace("address 10.1.0.20", "address 10.1.0.21")
    st.gate.commit_text(moved)
    listed = st.gate.rows("cuts")[0]
    st.tap.check("a cut follows the name's address", "10.1.0.21" in listed["ends"][0]["addresses"], listed)
    good, why = proved(st)
    st.tap.check("and is proved there", good, why)
    st.gate.commit_text("\n".join(x for x in st.text.splitlines() if not re.search(r"\brelay\b|allow web", x)) + "\n")
    listed = st.gate.rows("cuts")[0]
    st.tap.check("a name that is gone keeps its addresses", listed["ends"][0]["gone"] and listed["ends"][0]["addresses"], listed)
    st.gate.commit_text(st.text)
    for name in ("sekishod", "sekisho-init"):
        os.kill(st.gate.pids()[name][0], signal.SIGKILL)
        if name == "sekisho-init":
            st.gate.process.wait()
            ns.run("ip", "netns", "exec", st.town.space.full(GATEWAY), "nft", "flush", "ruleset", check=False)
            st.gate.start()
        crossed = passed = False
        end = time.monotonic() + 12
        while time.monotonic() < end and not passed:
            crossed = crossed or connects(st.town, "relay", SERVER[4], 4, 0.2) or connects(st.town, "relay", SERVER[6], 6, 0.2)
            passed = connects(st.town, "pc", SERVER[4], 4, 0.2)
        crossed = crossed or connects(st.town, "relay", SERVER[4], 4, 0.5)
        listed = st.gate.rows("cuts")
        st.tap.check(f"after kill -9 of {name}: others pass, the cut holds throughout", passed and not crossed and len(listed) == 1,
                     f"others pass: {passed}, crossed: {crossed}, {listed}, {st.gate.log_tail(5)}")
    restore(st, answer["number"])
    st.tap.check("then it is restored", connects(st.town, "relay", SERVER[4], 4, 3), st.gate.ask("status", check=False).stdout)


def taken_out(st):
    """Somebody empties the kernel's set by hand, where the kernel lets him."""
    answer, _ = cut(st, "host", "relay")
    done = ns.run("ip", "netns", "exec", st.town.space.full(GATEWAY), "nft", "flush", "set", "inet", "sekisho", "cutting",
                  check=False)
    if done.returncode != 0:
        st.tap.skip("a cut taken out of the kernel is found", "this kernel lets nobody touch our table")
    else:
        end = time.monotonic() + 10
        while time.monotonic() < end and connects(st.town, "relay", SERVER[4], 4, 0.3):
            pass
        st.tap.check("a cut taken out of the kernel is put back", not connects(st.town, "relay", SERVER[4], 4, 0.5),
                     st.gate.ask("status", check=False).stdout)
    restore(st, answer["number"])


def levels(st, sinks):
    """平常, 警戒, 遮断: what each closes, running copies too; over a commit and kill -9."""
    text = st.text + "set allow inner closed-at caution\nset allow web closed-at never\n"
    st.gate.commit_text(text)
    closed = Copy(st.town, "pc", SERVER[4], 4)
    running = runs(sinks[4])
    begun = time.monotonic()
    done = json.loads(st.gate.ask("level", "caution", *SIGNED, "--json").stdout)
    time.sleep(BOUND)
    took = max(0.0, sinks[4].last - begun)
    st.tap.check("level caution: a running copy of what it closes stops", running and flows(sinks[4], 0.5) == 0 and
                 took <= BOUND and done["closed"] == 1, (done, took))
    print(f"# level caution: last byte {took * 1000:.0f} ms after the command began")
    closed.stop()
    for level, passing in (("caution", ("relay",)), ("lockdown", ("relay",)), ("normal", ("relay", "pc"))):
        st.gate.ask("level", level, *SIGNED)
        got = tuple(h for h in ("relay", "pc") if connects(st.town, h, SERVER[4], 4, 2) and connects(st.town, h, SERVER[6], 6, 2))
        st.tap.check(f"level {level}: what passes is {' and '.join(passing)}", got == passing, got)
        good, why = proved(st)
        st.tap.check(f"level {level}: it is proved", good, why)
        st.tap.check(f"level {level}: the status says so", st.gate.status()["level"] == level, st.gate.status())
    st.gate.ask("level", "lockdown", *SIGNED)
    with ns.Inside(st.town.space.full("out")):
        client = Client("192.0.2.1", timeout=10)
    st.tap.check("level lockdown: mail is deferred", client.greeting.startswith(b"421"), client.greeting)
    client.close()
    os.kill(st.gate.pids()["sekishod"][0], signal.SIGKILL)
    end = time.monotonic() + 10
    while time.monotonic() < end and not connects(st.town, "relay", SERVER[4], 4, 0.3):
        pass
    st.tap.check("after kill -9 the level holds", connects(st.town, "relay", SERVER[4], 4, 2) and
                 not connects(st.town, "pc", SERVER[4], 4, 1) and st.gate.status()["level"] == "lockdown", st.gate.status())
    ledger = {r["name"]: r["state"] for r in st.gate.rows("show", "ledger")}
    st.tap.check("the ledger of the running gate says what is closed", ledger["inner"] == "closed-by-level" and
                 ledger["web"] == "open", ledger)
    st.gate.ask("level", "normal", *SIGNED)
    st.gate.commit_text(st.text)


def freeze(st):
    """証拠保全: what is kept, that it is whole, that it cannot be written again."""
    connects(st.town, "pc", SERVER[4], 4, 0.5)
    for _ in range(5):
        with st.town.space.socket("pc", socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"not allowed", (SERVER[4], 9999))
    st.gate.wait_drop(lambda r: r.get("dport") == 9999, 5)
    done = json.loads(st.gate.ask("freeze", "now", *SIGNED, "--json").stdout)
    st.tap.check("freeze: it is made", done["ok"] and done["records"] > 0 and len(done["manifest_sha256"]) == 64, done)
    print(f"# freeze: {done['records']} records, {done['total_us'] / 1000:.0f} ms")
    number = str(done["number"])
    with tempfile.TemporaryDirectory() as folder:
        got = st.gate.ask("freeze", "export", number, folder, check=False)
        files = {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}
    st.tap.check("freeze: every file is as its manifest says", got.returncode == 0 and
                 hashlib.sha256(files["manifest.json"]).hexdigest() == done["manifest_sha256"], got.stdout + got.stderr)
    manifest = json.loads(files["manifest.json"])
    st.tap.check("freeze: nothing is missing", [f["file"] for f in manifest["files"] if "missing" in f] == [], manifest["files"])
    rows = [json.loads(line) for line in files["records.json"].splitlines()]
    st.tap.check("freeze: the records are in it, with their chain", any(r["table"] == "drops" and r["dport"] == 9999 for r in rows) and
                 all("hash" in r for r in rows if r["table"] != "drops"), rows[:2])
    st.tap.check("freeze: the dropped packets are in it", b"not allowed" in files["packets.pcap"] and
                 files["packets.pcap"][:4] == b"\x4d\x3c\xb2\xa1", files["packets.pcap"][:60])
    st.tap.check("freeze: ruleset, policy and connections too", b"chain forward" in files["ruleset.nft"] and
                 files["policy.txt"].decode() == st.text and len(files["ruleset.dump"]) > 1000, list(files))
    mode = os.stat(os.path.join(st.gate.root, "var/lib/sekisho/evidence", number + ".manifest.json")).st_mode & 0o777
    again = json.loads(st.gate.ask("freeze", "now", *SIGNED, "--json").stdout)
    st.tap.check("freeze: its files are for reading, and the next one has another number", mode == 0o400 and
                 again["number"] == done["number"] + 1, (oct(mode), again))
    wrong = st.gate.ask("freeze", "show", "999", check=False)
    st.tap.check("freeze: one that is not there", wrong.returncode == 1 and wrong.stderr, wrong)
    st.gate.ask("freeze", "release", number, *SIGNED)
    held = {f["number"]: f["held"] for f in json.loads(st.gate.ask("freeze", "list", "--json").stdout)}
    st.tap.check("freeze: released", held == {done["number"]: False, again["number"]: True} and
                 st.gate.status()["freezes_held"] == 1, held)


def drill(st):
    """訓練: nothing is cut, every line says so."""
    said = st.gate.ask("drill", "begin", "cut", "host", "relay", *SIGNED).stdout
    st.tap.check("drill: every line says that it is one", said and all(x.startswith("DRILL") for x in said.splitlines()), said)
    st.tap.check("drill: nothing is cut", connects(st.town, "relay", SERVER[4], 4, 2) and st.gate.rows("cuts") == [], said)
    st.gate.ask("drill", "join", "suzuki")
    code = json.loads(st.gate.ask("drill", "restore", "1", *SIGNED, "--json").stdout)["code"]
    st.gate.ask("drill", "restore", "1", "--confirm", code, *SIGNED)
    report = json.loads(st.gate.ask("drill", "end", "--who", "test", "--json").stdout)
    st.tap.check("drill: the report has the steps and who took part", report["participants"] == ["test", "suzuki"] and
                 [e["what"] for e in report["events"]] == ["begun", "cut", "joined", "restore-asked", "restored", "ended"], report)
    text = st.gate.ask("drill", "report", lang="ja").stdout
    st.tap.check("drill: 訓練 in every line of it", text and all("訓練" in x for x in text.splitlines()), text)


class SlowHop(Hop):
    """Reads the text slowly while it is told to."""

    slow = True

    def _slowly(self, lines):
        for line in lines:
            if self.slow:
                time.sleep(0.002)
            yield line

    def _text(self, conn, lines, sender, recipients):
        super()._text(conn, self._slowly(lines), sender, recipients)


def mail_under_way(st, words, stage_name, hop):
    """A mail is coming in (or is being delivered) when the cut comes."""
    taken, lost = len(hop.mails), hop.cut
    with ns.Inside(st.town.space.full("out")):
        client = Client("192.0.2.1", timeout=20)
    said, done = [b""], threading.Event()

    def talk():
        try:
            client.say(b"MAIL FROM:<a@example.com>\r\n")
            client.say(b"RCPT TO:<b@town.example.lg.jp>\r\n")
            client.say(b"DATA\r\n")
            lines = b"0123456789012345678901234567890123456789012345678901234567890\r\n"
            client.sock.sendall(message(1, body=""))
            for _ in range(90 if stage_name == "coming in" else 3):
                client.sock.sendall(lines * (1000000 // len(lines)))
                time.sleep(0.05 if stage_name == "coming in" else 0)
            client.sock.sendall(b".\r\n")
            said[0] = client.reply()
        except OSError:
            try:
                said[0] = client.reply()
            except (OSError, ValueError):
                pass
        done.set()

    threading.Thread(target=talk, daemon=True).start()
    time.sleep(2.0)
    answer, begun = cut(st, *words)
    hop.slow = False
    if not done.wait(3):  # it is still writing into a connection that is cut: the answer waits for it to look
        client.sock.settimeout(2)
        said[0] = client.reply()
    took = time.monotonic() - begun
    time.sleep(1.5)
    label = f"mail {stage_name}, {' '.join(words)}"
    st.tap.check(f"{label}: it is not delivered", answer["ok"] and len(hop.mails) == taken, (answer, len(hop.mails)))
    st.tap.check(f"{label}: its sender is told 421", said[0].startswith(b"421"), said)
    if stage_name != "coming in" and words != ("host", "mta"):  # who is cut himself never hears the end
        st.tap.check(f"{label}: half of it is no mail for the next server", hop.cut == lost + 1, (hop.cut, lost))
    print(f"# {label}: the sender knew {took * 1000:.0f} ms after the command began")
    client.close()
    restore(st, answer["number"])
    hop.slow = True


def mail(st):
    with ns.Inside(st.town.space.full("mta")):
        hop = SlowHop("10.2.0.25")
    for words in (("pair", "internet", "lgwan"), ("segment", "internet"), ("host", "mta")):
        mail_under_way(st, words, "coming in", hop)
        mail_under_way(st, words, "being delivered", hop)
    end = time.monotonic() + 20
    said = b""
    hop.slow = False
    while time.monotonic() < end and not said.startswith(b"250"):
        with ns.Inside(st.town.space.full("out")):
            client = Client("192.0.2.1", timeout=10)
        said = client.mail("a@example.com", ["b@town.example.lg.jp"], message(2)) if client.greeting.startswith(b"220") else b""
        client.close()
        time.sleep(0.5)
    st.tap.check("after the restoration mail passes", said.startswith(b"250"), said)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy")).replace("max-size 20M", "max-size 150M")
    with stage.Stage(options.build, text, hosts=True) as st:
        sinks = {family: Sink(st.town, "sv", SERVER[family], family) for family in (4, 6)}
        for family in (4, 6):
            for name, words, _ in CASES:
                one_case(st, sinks, family, name, words)
        both_steps(st)
        lives_on(st, sinks)
        taken_out(st)
        levels(st, sinks)
        drill(st)
        freeze(st)
        mail(st)
        for sink in sinks.values():
            sink.close()
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
