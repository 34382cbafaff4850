"""post.py: mail in a town: a Postfix on either side of the gate, mails that are sent, and what became of them.

    post = Post(town, gate); post.start(); results = post.try_all(show); post.stop()

Each Postfix runs in its machine's network namespace and in a namespace of mounts of its own, with its own configuration and
queue: nothing of this machine's mail system is read or touched.
"""
import mailbox
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from email import message_from_bytes, policy

import ns

HERE = os.path.dirname(os.path.abspath(__file__))
DOMAIN = "town.example.lg.jp"
INSIDE, OUTSIDE = "10.2.0.25", "192.0.2.25"
GATE_IN, GATE_OUT = "192.0.2.1", "10.2.0.1"
NEEDS = ("postfix", "swaks")
NUMBERS = "個人番号: 1234 5678 9018 と 9876 5432 1093\n"
HTML = """<html><body style="font-family:sans-serif"><div style="display:none">隠し文字 hidden preheader</div>
<h1>お見積りの件</h1><p>いつもお世話になっております。㈱山田商事の髙橋です。</p>
<table border="1"><tr><th>品目</th><th>金額</th></tr><tr><td>ノートPC ①</td><td>98,000円</td></tr></table>
<p>詳しくは <a href="http://198.51.100.7/login">https://www.city.example.jp/</a> をご覧ください。</p>
<script>alert(1)</script></body></html>"""


def missing():
    """Programs that this needs and that are not there."""
    return [name for name in NEEDS if shutil.which(name) is None]


class Server:
    """A Postfix on one machine of the town. mails(): what it has delivered to its one mailbox."""

    def __init__(self, space, host, address, settings):
        self.space, self.host, self.address, self.settings = space, host, address, settings
        self.folder = tempfile.mkdtemp(prefix="sekisho-post-")
        os.chmod(self.folder, 0o755)
        self.process = None

    def start(self):
        lines = "\n".join(f"{key} = {value}" for key, value in self.settings.items())
        with open(os.path.join(self.folder, "main.cf"), "w", encoding="ascii") as f:
            f.write(lines + "\n")
        log = open(os.path.join(self.folder, "log"), "wb")  # pylint: disable=consider-using-with
        self.process = self.space.popen(self.host, ["unshare", "--mount", sys.executable, os.path.abspath(__file__), self.folder,
                                                    self.address], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True)

    def mails(self):
        path = os.path.join(self.folder, "box", "mail")
        return [bytes(m) for m in mailbox.Maildir(path, create=False)] if os.path.isdir(path) else []

    def said(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGTERM)
                self.process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def common(address):
    return {"compatibility_level": "3.6", "mydestination": "", "inet_interfaces": address, "alias_maps": "",
            "inet_protocols": "ipv6" if ":" in address else "ipv4",
            "disable_dns_lookups": "yes", "maillog_file": "/dev/stdout", "maillog_file_prefixes": "/dev",
            "virtual_minimum_uid": "1", "smtpd_tls_security_level": "none", "local_transport": "error:none",
            "smtpd_recipient_restrictions": "permit_mynetworks,reject", "virtual_mailbox_maps": "static:mail/",
            "smtpd_peername_lookup": "no", "minimal_backoff_time": "2s", "queue_run_delay": "2s"}


class Result:
    """One thing that was tried: what for people, whether it came out as it should, what shows it."""

    def __init__(self, ja, en, ok, proof, japanese=""):
        self.ja, self.en, self.ok, self.proof, self.japanese = ja, en, bool(ok), proof, japanese or proof


class Post:
    """Both mail servers of the town; each sends to the gate, or direct=True: to the other, and knows nothing of the gate."""

    def __init__(self, town, gate, inside_at=INSIDE, outside_at=OUTSIDE, direct=False):
        self.space, self.gate, self.inside_at, self.outside_at = town.space, gate, inside_at, outside_at
        self.gate_in, self.gate_out = (inside_at, outside_at) if direct else (GATE_IN, GATE_OUT)
        self.family = socket.AF_INET6 if ":" in inside_at else socket.AF_INET
        inside, outside = common(inside_at), common(outside_at)
        own = ("[2001:db8:2::]/48", "[2001:db8:3::]/48") if ":" in inside_at else ("10.2.0.0/16", "192.0.2.0/24")
        inside.update(myhostname="mail." + DOMAIN, mynetworks=own[0], virtual_mailbox_domains=DOMAIN, relayhost=f"[{self.gate_out}]")
        outside.update(myhostname="mx.example.com", mynetworks=own[1], virtual_mailbox_domains="example.com",
                       transport_maps=f"inline:{{{DOMAIN}=smtp:[{self.gate_in}]}}", relay_domains=DOMAIN)
        self.inside = Server(self.space, "lgwan-mta", inside_at, inside)
        self.outside = Server(self.space, "internet-mta", outside_at, outside)

    def start(self, timeout=30):
        """Both answer, and the gate takes mail."""
        for server in (self.inside, self.outside):
            server.start()
        end = time.monotonic() + timeout
        waiting = [("lgwan-mta", self.inside_at), ("internet-mta", self.outside_at), ("internet-mta", self.gate_in),
                   ("lgwan-mta", self.gate_out)]
        while waiting and time.monotonic() < end:
            waiting = [(host, address) for host, address in waiting if not self._greets(host, address)]
            time.sleep(0.2)
        if waiting:
            raise RuntimeError(f"no mail server answers: {waiting}\n{self.inside.said()[-800:]}{self.outside.said()[-800:]}")

    def _greets(self, host, address):
        try:
            with self.space.socket(host, self.family, socket.SOCK_STREAM) as sock:
                sock.settimeout(2)
                sock.connect((address, 25))
                return sock.recv(100).startswith(b"220")
        except OSError:
            return False

    def stop(self):
        self.inside.stop()
        self.outside.stop()

    # -- mails -------------------------------------------------------------------------------------------------

    def swaks(self, host, server, sender, to, *words):
        """(exit code, everything it said)"""
        done = ns.run("ip", "netns", "exec", self.space.full(host), "swaks", "--server", server, "--from", sender, "--to", to, "--timeout", "20", *words, check=False)
        return done.returncode, done.stdout + done.stderr

    def wait_mail(self, server, match, timeout=20):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for mail in server.mails():
                if match(mail):
                    return mail
            time.sleep(0.2)
        return None

    def row(self, timeout=5, **fields):
        """The newest row of the mail ledger with these fields."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for row in self.gate.rows("log", "mail", "--limit", "20"):
                if all(row.get(k) == v for k, v in fields.items()):
                    return row
            time.sleep(0.2)
        return None

    # -- what is tried -----------------------------------------------------------------------------------------

    def try_all(self, show):
        """Runs each; show(result) at once. Returns the results and the text of the mail that arrived."""
        results, text = [], ""
        for attempt in (self.newsletter, self.smuggle, self.relay, self.answer, self.leak):
            result, more = attempt()
            text = text or more
            results.append(result)
            show(result)
        return results, text

    def newsletter(self):
        page, zipped = os.path.join(self.outside.folder, "page.html"), os.path.join(self.outside.folder, "見積書.zip")
        with open(page, "w", encoding="utf-8") as f:
            f.write(HTML)
        shutil.make_archive(zipped[:-4], "zip", self.outside.folder, "page.html")
        code, said = self.swaks("internet-mta", self.outside_at, "takahashi@example.com", "joho@" + DOMAIN, "--header",
                                "Subject: =?UTF-8?B?44GK6KaL56mN44KK44Gu5Lu2?=", "--attach-type", "text/html; charset=UTF-8",
                                "--attach-body", "@" + page, "--attach-type", "application/zip", "--attach-name", "mitsumori.zip",
                                "--attach", "@" + zipped)
        mail = self.wait_mail(self.inside, lambda m: b"sekisho" in m.lower() or b"receipt" in m.lower()) if code == 0 else None
        row = self.row(direction="in", verdict="passed")
        if mail is None or row is None:
            return Result("インターネットからのHTMLメール(添付あり)", "an HTML mail with an attachment from the internet", False,
                          said[-600:] + self.outside.said()[-600:]), ""
        parsed = message_from_bytes(mail, policy=policy.default)
        body = parsed.get_content()
        good = parsed.get_content_type() == "text/plain" and "髙橋" in body and "①" in body and "hidden" not in body and \
            "mitsumori.zip" in body and "alert" not in body and row["receipt"] in body
        return Result("インターネットからのHTMLメール(添付あり)", "an HTML mail with an attachment from the internet", good,
                      f"text only, receipt {row['receipt']}", f"本文だけが届いた。受付番号 {row['receipt']}"), body

    def smuggle(self):
        """A second mail hidden behind a bare line feed."""
        with self.space.socket("internet-mta", self.family, socket.SOCK_STREAM) as sock:
            sock.settimeout(15)
            sock.connect((self.gate_in, 25))
            lines = sock.makefile("rb")
            lines.readline()
            for command in (b"HELO x\r\n", b"MAIL FROM:<a@example.com>\r\n", b"RCPT TO:<joho@" + DOMAIN.encode() + b">\r\n", b"DATA\r\n"):
                sock.sendall(command)
                lines.readline()
            sock.sendall(b"Subject: outer\r\n\r\nhello\n.\r\nMAIL FROM:<boss@" + DOMAIN.encode() + b">\r\nDATA\r\nsmuggled\r\n.\r\n")
            said = lines.readline().decode("ascii", "replace").strip()
        row = self.row(reason="smuggling")
        return Result("2通目を隠したメール (SMTP smuggling)", "a second mail hidden in the first (SMTP smuggling)",
                      said.startswith("550 5.6.0") and row is not None, said[:60]), ""

    def relay(self):
        code, said = self.swaks("internet-mta", self.gate_in, "a@example.com", "someone@elsewhere.example")
        found = re.search(r"<\*\* (550 [^\n]*)", said)
        return Result("他組織あての中継", "mail for somebody else's domain (relay)", code != 0 and found, found.group(1)[:60] if found else said[-300:]), ""

    def answer(self):
        code, said = self.swaks("lgwan-mta", self.inside_at, "joho@" + DOMAIN, "takahashi@example.com", "--header", "Subject: Re: ok", "--body", "ok")
        mail = self.wait_mail(self.outside, lambda m: b"Subject: Re: ok" in m) if code == 0 else None
        row = self.row(direction="out", verdict="passed")
        return Result("庁内からの返信", "an answer from inside", mail is not None and row is not None,
                      f"receipt {row['receipt']}" if row else said[-300:], f"受付番号 {row['receipt']}" if row else ""), ""

    def leak(self):
        code, said = self.swaks("lgwan-mta", self.gate_out, "joho@" + DOMAIN, "takahashi@example.com", "--header",
                                "Content-Type: text/plain; charset=UTF-8", "--header", "MIME-Version: 1.0", "--body", NUMBERS)
        found = re.search(r"<\*\* (550 [^\n]*)", said)
        row = self.row(reason="mynumber")
        return Result("個人番号を含むメールの送信", "sending individual numbers out", code != 0 and found is not None and row is not None,
                      found.group(1)[:60] if found else said[-300:]), ""


def serve(folder, address):
    """Inside the namespaces: this machine's Postfix, with other files in the place of its own."""
    for target in ("/var/spool/postfix", "/var/lib/postfix"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", target], check=True)
    etc = os.path.join(folder, "etc")
    shutil.copytree("/etc/postfix", etc, symlinks=True)
    subprocess.run(["mount", "--bind", etc, "/etc/postfix"], check=True)
    shutil.chown("/var/lib/postfix", "postfix")
    uid = subprocess.run(["id", "-u", "postfix"], capture_output=True, text=True, check=True).stdout.strip()
    box = os.path.join(folder, "box")
    os.mkdir(box)
    os.chown(box, int(uid), -1)
    with open(os.path.join(folder, "main.cf"), encoding="ascii") as f:
        settings = f.read()
    with open("/etc/postfix/main.cf", "w", encoding="ascii") as f:
        f.write(settings + f"virtual_mailbox_base = {box}\nvirtual_uid_maps = static:{uid}\nvirtual_gid_maps = static:{uid}\n"
                           f"smtp_bind_address{'6' if ':' in address else ''} = {address}\n")
    master = os.path.join("/usr/share/postfix", "master.cf.dist")
    source = "/etc/postfix/master.cf" if os.path.exists("/etc/postfix/master.cf") else master
    with open(source, encoding="utf-8") as f:
        lines = [line.split() for line in f if re.match(r"[a-z]", line)]
    with open("/etc/postfix/master.cf", "w", encoding="utf-8") as f:
        f.write("postlog unix-dgram n - n - 1 postlogd\n")
        for words in lines:  # none in a chroot: there is nothing in it
            if words[0] != "postlog" and words[7] != "pipe":
                f.write(" ".join([*words[:4], "n", *words[5:]]) + "\n")
    os.execvp("postfix", ["postfix", "start-fg"])


if __name__ == "__main__":
    serve(*sys.argv[1:3])
