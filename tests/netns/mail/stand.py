"""stand.py: the mail gate's processes in a network namespace of their own, mail servers to lie to them, and clients.

    with Stand(build, policy_text) as st:
        hop = Hop("10.2.0.8")                    a mail server; hop.mails: what it has taken
        with Client("192.0.2.1") as c: c.mail("a@example.com", ["b@town.example.lg.jp"], message)
"""
import ctypes
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PROGRAMS = ("sekisho-maild", "sekisho-connect", "sekisho-clean", "sekisho-verify", "sekisho-tls", "sekisho-sign")
ADDRESSES = ("10.2.0.1/24", "10.2.0.8/24", "10.2.0.9/24", "192.0.2.1/24", "192.0.2.25/24", "192.0.2.26/24", "192.0.2.77/24")


def own_network():
    """This process, and what it starts, leave the machine's network for one with nothing but a loopback interface."""
    if LIBC.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES:
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)


class Stand:
    """The processes under mail_stand. events: everything it said."""

    def __init__(self, build, policy):
        self.build, self.events, self.lock = os.path.abspath(build), [], threading.Condition()
        self.work = tempfile.mkdtemp(prefix="sekisho-mail-")
        os.chmod(self.work, 0o755)
        self.libexec, self.root = os.path.join(self.work, "libexec"), os.path.join(self.work, "root")
        os.mkdir(self.libexec)
        os.mkdir(self.root)
        for name in PROGRAMS:
            os.symlink(self._find(name), os.path.join(self.libexec, name))
        self.log = open(os.path.join(self.work, "log"), "w+b")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(self.build, "tests/netns/mail/mail_stand"), self.libexec, self.write_policy(policy), self.root],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        for name in PROGRAMS:
            self.wait(lambda e, n=name: e["event"] == "ready" and e["name"] == n, 20)
        self.wait(lambda e: e["event"] == "status" and e["listeners"] > 0, 10)
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        subprocess.run(["rm", "-rf", self.work], check=False)

    def _find(self, name):
        for where, _, names in os.walk(os.path.join(self.build, "src")):
            if name in names:
                return os.path.join(where, name)
        raise FileNotFoundError(f"{name} is not built in {self.build}")

    def write_policy(self, text):
        path = os.path.join(self.work, "policy")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def _read(self):
        for line in self.process.stdout:
            with self.lock:
                self.events.append(json.loads(line))
                self.lock.notify_all()

    def said(self):
        self.log.flush()
        with open(os.path.join(self.work, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait(self, match, timeout=5.0, since=0):
        """The first event from number `since` on for which match(event) holds; None when none comes in time."""
        end = time.monotonic() + timeout
        with self.lock:
            while True:
                for event in self.events[since:]:
                    if match(event):
                        return event
                left = end - time.monotonic()
                if left <= 0 or not self.lock.wait(left):
                    if time.monotonic() >= end:
                        return None

    def tell(self, line):
        """A command; returns when it was obeyed."""
        since = len(self.events)
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.wait(lambda e: e["event"] in ("done", "pids"), 5, since)

    def kill(self, name):
        """SIGKILL, and back again."""
        since = len(self.events)
        self.tell("kill " + name)
        return self.wait(lambda e: e["event"] == "ready" and e["name"] == name, 10, since)

    def entries(self, since=0):
        with self.lock:
            return [e for e in self.events[since:] if e["event"] == "entry"]

    def pid(self, name):
        return self.tell("pids")[name]


class Hop:
    """A mail server that says what it is told to: say[stage] is a reply (bytes) or a function(session) returning one; stages:
    greeting, ehlo, mail, rcpt, data, dot, rset. None: it closes the connection; "stall": it falls silent."""

    def __init__(self, address, say=None, extensions=(b"PIPELINING", b"SIZE 100000000", b"8BITMIME", b"DSN")):
        self.address, self.say, self.extensions = address, dict(say or {}), extensions
        self.mails, self.cut, self.lock, self.talking, self.peers = [], 0, threading.Lock(), [], []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sock = socket.create_server((address, 25), family=family, backlog=512)
        self.open = True
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Nobody listens any more, and whoever is connected is cut off."""
        self.open = False
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        with self.lock:
            for conn in self.talking:
                try:
                    conn.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _serve(self):
        while self.open:
            try:
                conn, peer = self.sock.accept()
            except OSError:
                return
            with self.lock:
                self.talking.append(conn)
                self.peers.append(peer[0])
            threading.Thread(target=self._talk, args=(conn,), daemon=True).start()

    def _reply(self, conn, stage, default):
        what = self.say.get(stage, default)
        if callable(what):
            what = what(default)
        if what == "stall":
            time.sleep(3600)
        if what is None:
            raise ConnectionError
        conn.sendall(what)
        return what

    def _talk(self, conn):
        try:
            with conn, conn.makefile("rb") as lines:
                self._session(conn, lines)
        except (OSError, ConnectionError, ValueError):
            pass

    def _session(self, conn, lines):
        sender, recipients = None, []
        self._reply(conn, "greeting", b"220 hop ESMTP\r\n")
        for line in lines:
            verb = line[:4].upper()
            if verb == b"EHLO":
                names = (b"hop",) + self.extensions
                self._reply(conn, "ehlo", b"".join(b"250%c%s\r\n" % (b"-"[0] if n != names[-1] else b" "[0], n) for n in names))
            elif verb == b"MAIL":
                if self._reply(conn, "mail", b"250 2.1.0 Ok\r\n").startswith(b"2"):
                    sender, recipients = line, []
            elif verb == b"RCPT":
                if self._reply(conn, "rcpt", b"250 2.1.5 Ok\r\n").startswith(b"2"):
                    recipients.append(line)
            elif verb == b"DATA":
                if not recipients:
                    conn.sendall(b"503 5.5.1 no recipients\r\n")
                elif self._reply(conn, "data", b"354 go\r\n").startswith(b"3"):
                    self._text(conn, lines, sender, recipients)
                sender, recipients = None, []
            elif verb == b"RSET":
                self._reply(conn, "rset", b"250 2.0.0 Ok\r\n")
                sender, recipients = None, []
            elif verb == b"QUIT":
                conn.sendall(b"221 2.0.0 Bye\r\n")
                return
            else:
                conn.sendall(b"500 5.5.2 what?\r\n")

    def _text(self, conn, lines, sender, recipients):
        text = []
        for line in lines:
            if line == b".\r\n":
                break
            text.append(line[1:] if line.startswith(b".") else line)
        else:
            with self.lock:
                self.cut += 1  # without its dot: not a mail
            raise ConnectionError
        usual = b"250 2.0.0 Ok: taken\r\n"
        reply = self.say.get("dot", usual)
        reply = reply(usual) if callable(reply) else reply
        if reply == "lost":  # it has the mail, and its answer never arrives
            with self.lock:
                self.mails.append((sender, recipients, b"".join(text)))
            raise ConnectionError
        if reply == "stall":
            time.sleep(3600)
        if reply is None:
            raise ConnectionError
        if reply.startswith(b"2"):
            with self.lock:
                self.mails.append((sender, recipients, b"".join(text)))
        conn.sendall(reply)


class Client:
    """A client that says exactly what it is told to. source: its own address."""

    def __init__(self, address, source=None, greet=True, timeout=30.0):
        self.sock = socket.create_connection((address, 25), timeout=timeout, source_address=(source, 0) if source else None)
        self.lines = self.sock.makefile("rb")
        self.greeting = self.reply() if greet else None
        if greet and self.greeting.startswith(b"220"):
            self.hello = self.say(b"EHLO client.example\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.lines.close()
        self.sock.close()

    def reply(self):
        """All lines of a reply; b"" when the connection ended."""
        got = b""
        while True:
            line = self.lines.readline(8192)
            got += line
            if not line or re.match(rb"\d\d\d[ \r\n]", line):
                return got

    def say(self, line):
        self.sock.sendall(line)
        return self.reply()

    def mail(self, sender, recipients, message):
        """The whole; the reply that ended it."""
        said = self.say(b"MAIL FROM:<%s>\r\n" % sender.encode())
        if not said.startswith(b"250"):
            return said
        for r in recipients:
            said = self.say(b"RCPT TO:<%s>\r\n" % r.encode())
            if not said.startswith(b"250"):
                return said
        said = self.say(b"DATA\r\n")
        return self.say(stuffed(message) + b".\r\n") if said.startswith(b"354") else said


def stuffed(message):
    return re.sub(rb"(?m)^\.", b"..", message)


def send(address, sender, recipients, message, source=None):
    """One mail on a connection of its own: the reply, or the error that ended it."""
    try:
        with Client(address, source) as c:
            if not c.greeting.startswith(b"220"):
                return c.greeting
            said = c.mail(sender, recipients, message)
            c.sock.sendall(b"QUIT\r\n")
            return said
    except OSError as error:
        return b"error " + str(error).encode()


def message(number=0, subject="test", body="hello\r\n", sender="a@example.com", to="b@town.example.lg.jp"):
    return (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Fri, 20 Nov 2026 10:00:00 +0900\r\n"
            f"Message-ID: <{number}@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n\r\n{body}").encode()


__all__ = ["Client", "Hop", "Stand", "message", "own_network", "send", "stuffed"]
