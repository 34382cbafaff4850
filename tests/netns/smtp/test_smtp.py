"""test_smtp.py: the SMTP machines against real peers, in namespaces of their own (network, mounts, processes).

The server's machine (smtp_drive server) takes mail from swaks, smtp-source, Postfix and OpenSMTPD; the client's machine
(smtp_drive client) gives mail to smtp-sink, Postfix and OpenSMTPD. What arrives is compared byte by byte with what was sent.
Postfix is the installed one with a configuration and a spool of its own; OpenSMTPD, which cannot be installed beside it, is
unpacked from its package. What is not there is skipped by name.
"""
import glob
import mailbox
import os
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness")]

import stage  # noqa: E402

HOST = "127.0.0.1"
PORT = 2525  # of whoever is the server under test
MESSAGE = (b"From: <a@example.jp>\r\nTo: <b@example.lg.jp>\r\nSubject: dots\r\nMessage-ID: <1@example.jp>\r\n"
           b"Date: Fri, 20 Nov 2026 10:00:00 +0900\r\n\r\n")
OWN_DOTS = b".a\r\n..\r\n...\r\n.. \r\nend.\r\n"
DOTS = b".\r\n..\r\n...\r\n.a\r\n. \r\nend.\r\n\r\n.\r\n\r\n"
# Every form that some server takes for the end of a message.
FORMS = {"LF.LF": b"\n.\n", "LF.CRLF": b"\n.\r\n", "CRLF.LF": b"\r\n.\n", "CR.CR": b"\r.\r", "CRLF.CR": b"\r\n.\r",
         "CR.CRLF": b"\r.\r\n", "CR.LF": b"\r.\n", "LF.CR": b"\n.\r", "CRLF.NUL CRLF": b"\r\n.\0\r\n",
         "CRLF NUL.CRLF": b"\r\n\0.\r\n", "CRLF.CRCRLF": b"\r\n.\r\r\n", "CRLF. CRLF": b"\r\n. \r\n"}


def wait(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def listens(port):
    try:
        socket.create_connection((HOST, port), 1).close()
        return True
    except OSError:
        return False


class Programs:
    """Everything that was started; ends with the test."""

    def __init__(self, build):
        self.drive = os.path.join(build, "tests", "netns", "smtp", "smtp_drive")
        self.running = []

    def start(self, *words, port=PORT, **more):
        log = tempfile.NamedTemporaryFile()  # Postfix opens it again by its name
        self.running.append(subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **more))
        self.running[-1].log = log
        if not wait(lambda: listens(port)):
            raise RuntimeError(f"{words[0]} does not listen: {self.said(self.running[-1])}")
        return self.running[-1]

    @staticmethod
    def said(program):
        program.log.seek(0)
        return program.log.read().decode(errors="replace")

    def stop(self, program):
        program.terminate()
        program.wait(10)
        self.running.remove(program)
        return self.said(program)

    def send(self, *words):
        """The client's machine; (exit code, what it printed)."""
        done = subprocess.run([self.drive, "client", HOST, str(PORT), *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr


class Taker:
    """with Taker(programs) as t: the server's machine; t.mails() are what it took."""

    def __init__(self, programs, count_only=False):
        self.programs, self.count_only = programs, count_only

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        where = "-" if self.count_only else self.folder
        self.program = self.programs.start(self.programs.drive, "server", HOST, str(PORT), where)
        return self

    def __exit__(self, *_):
        self.said = self.programs.stop(self.program)
        shutil.rmtree(self.folder)

    def mails(self, count=1, seconds=15):
        """[(envelope lines, message)], once so many have come."""
        names = lambda: [n for n in os.listdir(self.folder) if not n.endswith(".part")]  # noqa: E731
        wait(lambda: len(names()) >= count, seconds)
        found = []
        for name in sorted(names(), key=int):
            with open(os.path.join(self.folder, name), "rb") as f:
                envelope, message = f.read().split(b"\n\n", 1)
            found.append((envelope.decode().split("\n"), message))
        return found


def talk(sock, *steps):
    """Sends each step and returns the last reply to each."""
    replies, file = [], sock.makefile("rb")
    for step in (b"", *steps):
        sock.sendall(step)
        while True:
            line = file.readline()
            if line[3:4] != b"-":
                break
        replies.append(line)
    return replies


def swaks(*words):
    done = subprocess.run(["swaks", "--server", f"{HOST}:{PORT}", "--from", "a@example.jp", "--helo", "mx.example.jp", *words],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_swaks(tap, programs):
    with Taker(programs) as taker:
        path = os.path.join(taker.folder + ".eml")
        with open(path, "wb") as f:
            f.write((MESSAGE + OWN_DOTS).replace(b"\r\n", b"\n"))
        code, said = swaks("--to", "b@example.lg.jp", "--data", f"@{path}")
        tap.check("swaks: a message with dots", code == 0, said)
        code, said = swaks("--to", "b@example.lg.jp,no-one@example.lg.jp", "--pipeline", "--data", f"@{path}")
        tap.check("swaks: pipelined, one recipient refused", "550 5.1.1" in said, said)
        code, said = swaks("--to", "b@example.lg.jp", "--xclient", "ADDR=192.0.2.7 NAME=mx.sender.example HELO=me.example",
                           "--data", f"@{path}")
        tap.check("swaks: XCLIENT", code == 0, said)
        code, said = swaks("--to", "no-one@example.lg.jp")
        tap.check("swaks: no recipient left", code != 0, said)
        mails = taker.mails(3)
        want = MESSAGE + OWN_DOTS
        same = [m.startswith(want) and not m[len(want):].strip() for _, m in mails]
        tap.check("swaks: three messages, byte by byte", same == [True, True, True], mails)
        tap.check("swaks: envelopes", mails[0][0] == ["helo mx.example.jp", "from a@example.jp", "to b@example.lg.jp"]
                  and "origin mx.sender.example 192.0.2.7 me.example" in mails[2][0], mails)
        os.unlink(path)


def test_smtp_source(tap, programs):
    for name, words in {"one mail a connection": ["-m", "300", "-s", "10", "-l", "4000"],
                        "connections that stay": ["-d", "-m", "2000", "-s", "10", "-l", "4000"],
                        "large ones": ["-d", "-m", "40", "-s", "4", "-l", "2000000"]}.items():
        with Taker(programs, count_only=True) as taker:
            done = subprocess.run(["smtp-source", *words, "-f", "a@example.jp", "-t", "b@example.lg.jp", f"{HOST}:{PORT}"],
                                  capture_output=True, text=True, timeout=60)
        want = words[words.index("-m") + 1] + " messages"
        tap.check(f"smtp-source: {name}", done.returncode == 0 and want in taker.said, done.stderr + taker.said)


def test_smuggling(tap, programs):
    with Taker(programs) as taker:
        for name, form in FORMS.items():
            with socket.create_connection((HOST, PORT), 10) as sock:
                evil = b"MAIL FROM:<evil@example.jp>\r\nRCPT TO:<victim@example.lg.jp>\r\nDATA\r\nevil\r\n.\r\n"
                replies = talk(sock, b"EHLO mx.example.jp\r\n", b"MAIL FROM:<a@example.jp>\r\n", b"RCPT TO:<b@example.lg.jp>\r\n",
                               b"DATA\r\n", MESSAGE + b"x" + form + evil, b"QUIT\r\n")
                tap.check(f"smuggling by {name}", replies[5].startswith(b"550 5.6.0 smuggling") and replies[6][:3] == b"221",
                          replies)
        time.sleep(0.2)
        tap.check("smuggling: nothing was taken", taker.mails(0, 0) == [], taker.mails(0, 0))


def test_early(tap, programs):
    """A message that does not wait for 354."""
    with Taker(programs) as taker:
        with socket.create_connection((HOST, PORT), 10) as sock:
            talk(sock, b"EHLO mx.example.jp\r\n")
            sock.sendall(b"MAIL FROM:<a@example.jp>\r\nRCPT TO:<b@example.lg.jp>\r\nDATA\r\nhello\r\n.\r\n")
            said = b"".join(iter(lambda: sock.recv(4096), b""))
            tap.check("a message before 354", said.endswith(b"closing\r\n") and b"503 5.5.1" in said and b"354" not in said, said)
        tap.check("nothing of it was taken", taker.mails(0, 0) == [])


def read_maildir(path):
    """What is in it; nothing while it is not there, or is being made."""
    try:
        return [bytes(m) for m in mailbox.Maildir(path, create=False)]
    except (mailbox.Error, FileNotFoundError, KeyError):
        return []


# Next hops: how to start each, and where what it delivers is found.

class Sink:
    """smtp-sink, which writes each message into a file."""
    name = "smtp-sink"

    def start(self, programs):
        self.folder = tempfile.mkdtemp()
        programs.start("smtp-sink", "-u", "root", "-R", self.folder, "-d", "mail.", f"{HOST}:{PORT}", "100")

    def delivered(self):
        found = []
        for path in glob.glob(os.path.join(self.folder, "mail.*")):
            with open(path, "rb") as f:
                found.append(f.read())
        return found


class Postfix:
    """The installed Postfix, with a configuration, a spool and a mailbox of its own; or as a client: relays to PORT."""
    name = "Postfix"

    def __init__(self, port=PORT, relay=None):
        self.port, self.relay = port, relay

    def start(self, programs):
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        for target in ("/var/spool/postfix", "/var/lib/postfix"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", target], check=True)
        etc = os.path.join(self.folder, "etc")
        shutil.copytree("/etc/postfix", etc, symlinks=True)
        subprocess.run(["mount", "--bind", etc, "/etc/postfix"], check=True)
        shutil.chown("/var/lib/postfix", "postfix")
        uid = subprocess.run(["id", "-u", "postfix"], capture_output=True, text=True, check=True).stdout.strip()
        box = os.path.join(self.folder, "box")
        os.mkdir(box)
        os.chown(box, int(uid), -1)
        settings = {"compatibility_level": "3.6", "myhostname": "hop.example.lg.jp", "mydestination": "", "inet_interfaces": HOST,
                    "inet_protocols": "ipv4", "mynetworks": "127.0.0.0/8", "smtpd_authorized_xforward_hosts": "127.0.0.0/8",
                    "disable_dns_lookups": "yes", "maillog_file": "/dev/stdout", "maillog_file_prefixes": "/dev",
                    "virtual_mailbox_base": box, "virtual_mailbox_maps": "static:mail/", "virtual_minimum_uid": "1",
                    "virtual_uid_maps": f"static:{uid}", "virtual_gid_maps": f"static:{uid}", "alias_maps": "",
                    "smtpd_recipient_restrictions": "permit_mynetworks,reject", "disable_vrfy_command": "yes",
                    "authorized_submit_users": "static:all", "smtpd_tls_security_level": "none",
                    "virtual_mailbox_domains": "" if self.relay else "example.lg.jp",
                    "relayhost": f"[{HOST}]:{self.relay}" if self.relay else "", "default_destination_recipient_limit": "50"}
        with open("/etc/postfix/main.cf", "w", encoding="ascii") as f:
            f.writelines(f"{key} = {value}\n" for key, value in settings.items())
        self._master()
        programs.start("postfix", "start-fg", port=self.port)

    def _master(self):
        """The services of the package, on another port, none in a chroot."""
        with open("/etc/postfix/master.cf", encoding="utf-8") as f:
            lines = [line for line in f if re.match(r"[a-z]", line)]
        with open("/etc/postfix/master.cf", "w", encoding="utf-8") as f:
            f.write("postlog unix-dgram n - n - 1 postlogd\n")
            for line in lines:
                words = line.split()
                if words[0] in ("smtp", "postlog") and words[1] != "unix":
                    words[0] = str(self.port)
                if words[0] != "postlog" and words[7] not in ("pipe",):
                    f.write(" ".join([*words[:4], "n", *words[5:]]) + "\n")

    def delivered(self):
        return read_maildir(os.path.join(self.folder, "box", "mail"))


class OpenSmtpd:
    """OpenSMTPD from its unpacked package: its programs and accounts lie over ours, in this namespace of mounts only."""
    name = "OpenSMTPD"

    def __init__(self, tree, port=PORT, relay=None):
        self.tree, self.port, self.relay = tree, port, relay

    def start(self, programs):
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={self.tree}/usr:/usr", "/usr"], check=True)
        with open("/etc/passwd", encoding="utf-8") as f:
            accounts = f.read()
        with open("/etc/group", encoding="utf-8") as f:
            groups = f.read()
        accounts += ("opensmtpd:x:961:961::/var/lib/opensmtpd:/usr/sbin/nologin\n"
                     "opensmtpq:x:962:962::/var/lib/opensmtpd:/usr/sbin/nologin\n"
                     f"box:x:963:963::{self.folder}/box:/usr/sbin/nologin\n")
        groups += "opensmtpd:x:961:\nopensmtpq:x:962:\nbox:x:963:\n"
        for name, text in {"passwd": accounts, "group": groups}.items():
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            subprocess.run(["mount", "--bind", path, f"/etc/{name}"], check=True)
        os.mkdir(os.path.join(self.folder, "box"))
        os.chown(os.path.join(self.folder, "box"), 963, 963)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=711", "tmpfs", "/var/spool"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=711", "tmpfs", "/var/lib/postfix"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
        self._empty()
        config = os.path.join(self.folder, "smtpd.conf")
        action = (f"relay host smtp://{HOST}:{self.relay}" if self.relay
                  else f'maildir "{self.folder}/box/mail" user box virtual {{ "@" = "box" }}')
        with open(config, "w", encoding="ascii") as f:
            f.write(f'listen on {HOST} port {self.port} hostname hop.example.lg.jp\naction "a" {action}\n'
                    'match from any for any action "a"\n')
        programs.start("/usr/sbin/smtpd", "-d", "-f", config, port=self.port)

    @staticmethod
    def _empty():
        """Its own user's home, where it changes its root to."""
        os.makedirs("/run/opensmtpd", exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/lib"], check=True)
        os.makedirs("/var/lib/opensmtpd/empty", exist_ok=True)
        os.makedirs("/var/spool/smtpd", exist_ok=True)
        os.chmod("/var/spool/smtpd", 0o711)

    def delivered(self):
        return read_maildir(os.path.join(self.folder, "box", "mail"))


def holds(mails, message):
    """Is the message in one of them, whatever header lines are before it and whatever line ends a mailbox has?"""
    bare = [m.replace(b"\r\n", b"\n") for m in mails]
    head, body = message.replace(b"\r\n", b"\n").split(b"\n\n", 1)
    return any(body.rstrip(b"\n") in m and head.split(b"\n")[2] in m for m in bare)


def test_hop(tap, programs, hop):
    """The client's machine gives mail to this next hop."""
    hop.start(programs)
    folder = tempfile.mkdtemp()

    def file(name, data):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
        return f"file={os.path.join(folder, name)}"

    dots = MESSAGE.replace(b"dots", b"dots-1") + DOTS
    large = MESSAGE.replace(b"dots", b"dots-2") + b"".join(b"%07d.\r\n..\r\n" % i for i in range(100000))
    before = len(hop.delivered())
    code, said = programs.send(file("dots", dots), "dsn", "origin=192.0.2.7")
    tap.check(f"to {hop.name}: a message with dots", code == 0 and wait(lambda: holds(hop.delivered(), dots)),
              said + str(hop.delivered())[:2000])
    code, said = programs.send(file("large", large))
    tap.check(f"to {hop.name}: 1.3 MB", code == 0 and wait(lambda: holds(hop.delivered(), large)), said)
    code, said = programs.send("slow", "count=2")
    tap.check(f"to {hop.name}: byte by byte, two in a connection", code == 0, said)
    code, said = programs.send("count=30", *[f"to=u{i}@example.lg.jp" for i in range(20)])
    tap.check(f"to {hop.name}: thirty in a connection, twenty recipients each", code == 0, said)
    wait(lambda: len(hop.delivered()) >= before + 4)
    time.sleep(1)
    before = len(hop.delivered())
    gone = MESSAGE.replace(b"dots", b"gone-1") + b"must not arrive\r\n" * 300
    for size in (3, 200, 4000):
        code, said = programs.send(file("gone", gone), f"abort={size}")
    time.sleep(2)
    found = [m for m in hop.delivered() if b"gone-1" in m]
    tap.check(f"to {hop.name}: what ends without its dot is discarded", not found, found[:1])
    shutil.rmtree(folder)


def test_client(tap, programs, name, peer):
    """This server relays mail to the server's machine."""
    with Taker(programs) as taker:
        peer.start(programs)
        message = MESSAGE + DOTS.replace(b". \r\n", b"") + "日本語の本文。\r\n".encode() * 50
        client = smtplib.SMTP(HOST, peer.port, "mx.example.jp")
        client.sendmail("a@example.jp", ["b@example.lg.jp"], message, mail_options=["BODY=8BITMIME"])
        client.sendmail("a..b@example.jp" if name == "Postfix" else "a@example.jp", [f"u{i}@example.lg.jp" for i in range(30)], message)
        client.quit()
        good = wait(lambda: sum(len([e for e in m[0] if e.startswith("to ")]) for m in taker.mails(0, 0)) >= 31, 30)
        mails = taker.mails(0, 0)
        tap.check(f"from {name}: 31 recipients", good, [m[0] for m in mails] or programs.said(taker.program))
        tap.check(f"from {name}: byte by byte", mails and all(m[1].endswith(message.split(b"\r\n\r\n", 1)[1]) for m in mails),
                  mails[:1])
        if name == "Postfix":  # the other one does not take it
            tap.check(f"from {name}: a sender with two dots", any('from "a..b"@example.jp' in m[0] for m in mails),
                      [m[0] for m in mails])


def fetch_opensmtpd(build):
    """Unpacks the package below the build directory; None when it cannot be had."""
    tree = os.path.join(build, "tests", "netns", "smtp", "opensmtpd")
    if not os.path.exists(os.path.join(tree, "usr", "sbin", "smtpd")) and shutil.which("apt-get"):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["timeout", "60", "apt-get", "-o", "APT::Sandbox::User=root", "download", "opensmtpd"], cwd=folder,
                           capture_output=True)
            for package in glob.glob(os.path.join(folder, "*.deb")):
                subprocess.run(["dpkg-deb", "-x", package, tree], check=True)
    program = os.path.join(tree, "usr", "sbin", "smtpd")
    if not os.path.exists(program):
        return None, "the package opensmtpd cannot be fetched"
    if "not found" in subprocess.run(["ldd", program], capture_output=True, text=True).stdout:
        return None, "libraries of opensmtpd are not installed"
    return tree, ""


# Each runs in namespaces of its own: name, programs it needs, what it does.
PARTS = {
    "swaks": ("swaks", lambda tap, p, tree: test_swaks(tap, p)),
    "smtp-source": ("smtp-source", lambda tap, p, tree: test_smtp_source(tap, p)),
    "smuggling": ("", lambda tap, p, tree: test_smuggling(tap, p)),
    "early": ("", lambda tap, p, tree: test_early(tap, p)),
    "to-sink": ("smtp-sink", lambda tap, p, tree: test_hop(tap, p, Sink())),
    "to-postfix": ("postfix", lambda tap, p, tree: test_hop(tap, p, Postfix())),
    "from-postfix": ("postfix", lambda tap, p, tree: test_client(tap, p, "Postfix", Postfix(2526, PORT))),
    "to-opensmtpd": ("opensmtpd", lambda tap, p, tree: test_hop(tap, p, OpenSmtpd(tree))),
    "from-opensmtpd": ("opensmtpd", lambda tap, p, tree: test_client(tap, p, "OpenSMTPD", OpenSmtpd(tree, 2526, PORT))),
}


def inside(part, build, tree):
    """One part, in its namespaces; prints TAP lines without numbers."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    tap, programs = stage.Tap(), Programs(build)
    try:
        PARTS[part][1](tap, programs, tree)
    except Exception as error:  # a part that breaks is a part that failed
        said = "".join(programs.said(p)[-1500:] for p in programs.running)
        tap.check(f"{part} runs", False, f"{type(error).__name__}: {error}\n{said}")
    for program in programs.running:
        program.terminate()
    return 1 if tap.failed else 0


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--inside":
        return inside(*sys.argv[2:5])
    options = stage.arguments(__doc__)
    count = failed = 0
    tree, why = fetch_opensmtpd(options.build)
    for part, (needs, _) in PARTS.items():
        missing = why if needs == "opensmtpd" else "" if not needs or shutil.which(needs) else f"{needs} is not installed"
        if missing:
            count += 1
            print(f"ok {count} - {part} # SKIP {missing}", flush=True)
            continue
        done = subprocess.run(["unshare", "-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc", sys.executable, __file__,
                               "--inside", part, options.build, tree or ""], stdout=subprocess.PIPE, text=True, timeout=120)
        seen = 0
        for line in done.stdout.splitlines():
            match = re.match(r"(ok|not ok) \d+ - (.*)", line)
            count, seen = (count + 1, seen + 1) if match else (count, seen)
            failed += line.startswith("not ok")
            print(f"{match[1]} {count} - {match[2]}" if match else line, flush=True)
        if not seen:
            count, failed = count + 1, failed + 1
            print(f"not ok {count} - {part}: it ended with {done.returncode} and no result", flush=True)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
