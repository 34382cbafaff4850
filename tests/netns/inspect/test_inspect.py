"""test_inspect.py: flows that are verified inline, with real servers and clients.

- TLS with the right name passes, also with a ClientHello in pieces; its bulk is not queued; a wrong name, SSH on a port
  for TLS and a server that does not speak TLS are refused, with a reset, and recorded with what was seen
- SSH, HTTP, DNS and FTP (with its data connections) pass under rules that name them
- the inspector killed, stopped, kept from working, in a crash loop, and sekishod killed, each under load: passed flows go
  on, what is undecided is refused, nothing opens, it is back within a second, nothing is held for ever
- a commit while flows are passed and undecided: both live on, whatever number their policy has now; one whose rule
  demands something else now is ended
- a flood in one segment delays no verdict of another; what a full queue lost is recorded; every drop has its record
"""
import ctypes
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))

import ns  # noqa: E402
import stage  # noqa: E402
from checks import balance, fault_codes, findings, in_gateway, wait_for  # noqa: E402

SERVER = {4: "10.2.0.8", 6: "fd00:2::8"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
INSPECTOR = "sekisho-inspect"
LIBC = ctypes.CDLL(None, use_errno=True)


# -- clients -----------------------------------------------------------------------------------------------------

def connect(st, port, family=4, timeout=4.0):
    sock = st.town.space.socket("pc", FAMILY[family], socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.connect((SERVER[family], port))
    return sock


def context():
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


def tls(st, name="good.example", port=443, family=4, timeout=4.0):
    sock = connect(st, port, family, timeout)
    try:
        return context().wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def echo(conn, text=b"hello"):
    """Does the server still answer on this connection?"""
    conn.sendall(b"ECHO " + text + b"\n")
    got = b""
    while not got.endswith(b"\n"):
        more = conn.recv(4096)
        if not more:
            return False
        got += more
    return got == b"ECHO " + text + b"\n"


def outcome(fn, *args, **named):
    """What became of an attempt: True, "reset", "timeout", or another error's text."""
    try:
        with fn(*args, **named) as conn:
            return echo(conn)
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    except (TimeoutError, socket.timeout):
        return "timeout"
    except (OSError, ssl.SSLError) as error:
        return str(error)


def inside(st, name, *words, **how):
    return subprocess.run(["ip", "netns", "exec", st.town.space.full(name), *words], capture_output=True, text=True,
                          check=False, **how)


# -- the gate ----------------------------------------------------------------------------------------------------

def queued(st):
    """Packets that went to each segment's queue since it was bound."""
    text = in_gateway(st, "cat", "/proc/net/netfilter/nfnetlink_queue").stdout
    return {int(line.split()[0]) - 200: int(line.split()[7]) for line in text.splitlines()}


def inspector(st):
    return st.gate.status()["inspector"]


def well(st):
    return inspector(st)["state"] == "well"


def pid(st, name=INSPECTOR):
    return st.gate.pids()[name][0]


def refused(st, port, since, **want):
    """The record of a refusal of this port since that time."""
    return st.gate.wait_drop(lambda r: (r["dport"] == port or r["sport"] == port) and r["last"] >= since and
                             all(r[k] == v for k, v in want.items()))


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 9 * 3600))


# -- what passes and what does not -------------------------------------------------------------------------------

def verified(st):
    tap = st.tap
    for family in (4, 6):
        tap.check(f"tls-v{family}: the right server name passes", (got := outcome(tls, st, family=family)) is True, got)
        since = now()
        got = outcome(tls, st, name="bad.example", family=family)
        tap.check(f"tls-v{family}: another server name is refused by a reset", got == "reset", got)
        row = refused(st, 443, since, reason="app-mismatch", why="server-name")
        tap.check(f"tls-v{family}: with its record", row is not None and row["nearest"] == "web" and
                  row["expected"] == "tls", st.gate.drops()[-3:])
    since = now()
    got = outcome(tls, st, port=8444, timeout=3)
    tap.check("a server that does not speak TLS is refused", got is not True, got)
    tap.check("with its record", refused(st, 8444, since, reason="app-mismatch", why="answer", expected="tls") is not None,
              st.gate.drops()[-3:])


def split_hello(st):
    """The ClientHello in pieces of a few bytes: legal, and passes."""
    for size in (1, 7, 100):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        conn = context().wrap_bio(incoming, outgoing, server_hostname="good.example")
        try:
            conn.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = outgoing.read()
        with connect(st, 443) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # More pieces than the limit of packets would be refused; the first ones are what is tried.
            cuts = [0, *range(size, min(len(hello), 3 * size + 1), size), len(hello)]
            for a, b in zip(cuts, cuts[1:]):
                sock.sendall(hello[a:b])
                time.sleep(0.02)
            try:
                while True:
                    try:
                        conn.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        sock.sendall(outgoing.read())
                        data = sock.recv(65536)
                        incoming.write(data) if data else incoming.write_eof()
                got = True
            except OSError as error:
                got = error
        st.tap.check(f"a ClientHello that begins with pieces of {size} bytes passes", got is True, got)


def bulk(st):
    with tls(st) as conn:
        echo(conn)
        before = queued(st)
        conn.sendall(b"BULK 20000000\n")
        left = 20000000
        while left > 0:
            data = conn.recv(1 << 16)
            if not data:
                break
            left -= len(data)
        after = queued(st)
    grown = sum(after.values()) - sum(before.values())
    st.tap.check("20 MB after the verdict arrive", left == 0, left)
    st.tap.check("and none of it is queued", grown <= 2, f"{grown} packets were queued")


def impostor(st):
    since = now()
    done = inside(st, "pc", "ssh", "-p", "8443", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                  "-o", "ConnectTimeout=4", "-o", "BatchMode=yes", "10.2.0.8", "true")
    st.tap.check("ssh on a port for TLS is refused", done.returncode == 255 and "Permission denied" not in done.stderr,
                 done.stderr)
    row = refused(st, 8443, since, reason="app-mismatch", seen="ssh", expected="tls")
    st.tap.check("its record says that it was SSH", row is not None, st.gate.drops()[-3:])
    text = st.gate.ask("log", "drops", "--limit", "20", lang="ja").stdout.replace("\n      ", "")
    st.tap.check("and so does the log in Japanese", "TLSの規則にSSHが流れました" in text, text)


def others(st):
    done = inside(st, "pc", "ssh", "-i", os.path.join(st.gate.work, "client"), "-o", "StrictHostKeyChecking=no",
                  "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=4", "-o", "BatchMode=yes", "root@10.2.0.8",
                  "echo", "shell-works")
    st.tap.check("ssh passes under a rule for SSH", "shell-works" in done.stdout or "Permission denied" in done.stderr,
                 done.stdout + done.stderr)
    done = inside(st, "pc", "curl", "-sS", "--max-time", "4", "http://10.2.0.8/page")
    st.tap.check("http passes under a rule for HTTP", "a page that works" in done.stdout, done.stdout + done.stderr)
    st.tap.check("a question and its answer pass under a rule for DNS", question(st, b"\x12\x34") is not None)
    sock = st.town.space.socket("pc", socket.AF_INET, socket.SOCK_DGRAM)
    since = now()
    with sock:
        sock.sendto(b"no question at all", (SERVER[4], 53))
    st.tap.check("and a datagram that is no DNS does not", refused(st, 53, since) is not None, st.gate.drops()[-3:])


def question(st, ident, host="pc", wait=2.0):
    """Seconds until the answer to a DNS question, None without one."""
    sock = st.town.space.socket(host, socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(wait)
        begun = time.monotonic()
        sock.sendto(ident + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04good\x07example\x00\x00\x01\x00\x01", (SERVER[4], 53))
        try:
            return time.monotonic() - begun if sock.recv(512)[:2] == ident else None
        except (TimeoutError, socket.timeout, ConnectionRefusedError):
            return None


def ftp(st):
    script = ("import ftplib,sys\nf=ftplib.FTP()\nf.connect('10.2.0.8',21,timeout=5)\nf.login('anonymous','x@y')\n"
              "f.set_pasv(True)\nprint(f.nlst())\nf.quit()\n")
    done = inside(st, "pc", "/usr/bin/python3", "-c", script, timeout=20)
    st.tap.check("ftp lists a directory over a data connection", "there" in done.stdout, done.stdout + done.stderr)
    st.tap.check("for which a pinhole was opened", inspector(st)["pinholes"] >= 1, inspector(st))


# -- the end of an inspector -------------------------------------------------------------------------------------

class Stream(threading.Thread):
    """A passed TLS connection on which the server speaks 20 times a second. gap: the longest silence."""

    def __init__(self, st):
        super().__init__(daemon=True)
        self.conn = tls(st, timeout=10)
        self.conn.sendall(b"DRIP\n")
        self.gap, self.error, self.running, self.count = 0.0, None, True, 0
        self.start()

    def run(self):
        last = time.monotonic()
        try:
            while self.running:
                if not self.conn.recv(4096):
                    raise OSError("end of file")
                self.gap, last = max(self.gap, time.monotonic() - last), time.monotonic()
                self.count += 1
        except (OSError, ssl.SSLError, ValueError) as error:
            if self.running:
                self.error = error

    def stop(self):
        self.running = False
        self.join(3)
        self.conn.close()

    def good(self):
        return self.error is None and self.is_alive() and self.gap < 1.0

    def __str__(self):
        return f"error {self.error}, longest gap {self.gap:.2f} s, {self.count} lines"


def trouble(st, name, strike, limit=1.0):
    """Under load `strike` does something to the inspector; what must hold then."""
    tap, stream = st.tap, Stream(st)
    undecided = connect(st, 443)
    wait_for(lambda: inspector(st)["undecided"] >= 1, 2)
    begun = time.monotonic()
    strike()
    leak = outcome(tls, st, name="bad.example", timeout=1)
    back = wait_for(lambda: outcome(tls, st, timeout=0.5) is True, 8, step=0.02)
    took = time.monotonic() - begun
    tap.check(f"{name}: nothing opens meanwhile", leak is not True, leak)
    tap.check(f"{name}: verified flows begin again within {limit:.0f} s", back is not None and took - 1 <= limit + 0.5,
              f"{took:.2f} s")
    try:
        undecided.settimeout(2)
        with context().wrap_socket(undecided, server_hostname="good.example") as conn:
            got = echo(conn)
    except (OSError, ssl.SSLError) as error:
        got = error
    tap.check(f"{name}: what was undecided is refused", got is not True, got)
    tap.check(f"{name}: what was passed goes on", stream.good(), stream)
    stream.stop()
    undecided.close()
    tap.check(f"{name}: no packet is held", wait_for(lambda: inspector(st)["waiting"] == 0, 3) is not None, inspector(st))


def killed(st):
    trouble(st, "kill -9", lambda: os.kill(pid(st), signal.SIGKILL))
    st.tap.check("kill -9 is a fault record", "restarted" in fault_codes(st), fault_codes(st))


def stopped(st):
    """init continues it at once; nothing is lost."""
    before = pid(st)
    stream = Stream(st)
    os.kill(before, signal.SIGSTOP)
    took = wait_for(lambda: outcome(tls, st, timeout=1) is True, 4)
    st.tap.check("SIGSTOP: verified flows begin within 1 s", took is not None and took <= 1.0, took)
    st.tap.check("SIGSTOP: it is the same process", pid(st) == before)
    st.tap.check("SIGSTOP: what was passed goes on", stream.good(), stream)
    stream.stop()


class Killer(threading.Thread):
    """Kills whatever inspector there is, for some seconds."""

    def __init__(self, st, seconds):
        super().__init__(daemon=True)
        self.st, self.end, self.seen = st, time.monotonic() + seconds, set()
        self.start()

    def run(self):
        while time.monotonic() < self.end:
            for one in self.st.gate.pids().get(INSPECTOR, []):
                try:
                    os.kill(one, signal.SIGKILL)
                    self.seen.add(one)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)


class Hold(threading.Thread):
    """Keeps an inspector from running, as a debugger does: nobody but us is told. It ends with the inspector."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target, self.held, self.life = target, threading.Event(), 0.0
        self.start()
        self.held.wait(2)

    def run(self):
        begun = time.monotonic()
        for request in (0x4206, 0x4207):  # PTRACE_SEIZE, PTRACE_INTERRUPT
            if LIBC.ptrace(request, self.target, None, None) != 0:
                return
        self.held.set()
        # The tracer's word comes first: only when we have taken it does init hear of the end.
        while True:
            try:
                status = os.waitpid(self.target, 0x40000000)[1]  # __WALL
            except ChildProcessError:
                break
            if not os.WIFSTOPPED(status):
                break
        self.life = time.monotonic() - begun


def hung(st):
    before, stream = pid(st), Stream(st)
    hold = Hold(before)
    # Questions wait for a verdict that does not come.
    answered = [question(st, bytes([1, i]), wait=0.3) for i in range(4)]
    hold.join(6)
    st.tap.check("hung: it is killed within 3 s", 1.5 < hold.life < 3.2, f"{hold.life:.2f} s")
    took = wait_for(lambda: before not in st.gate.pids().get(INSPECTOR, [before]), 2)
    st.tap.check("hung: and replaced within 1 s", took is not None and took <= 1.0, took)
    took = wait_for(lambda: outcome(tls, st, timeout=1) is True, 5)
    st.tap.check("hung: verified flows begin again", took is not None and took <= 2.0, took)
    st.tap.check("hung: what was passed goes on", stream.good(), stream)
    st.tap.check("hung: it is a finding", wait_for(lambda: "inspector-broken" in findings(st), 3) is not None, findings(st))
    st.tap.check("hung: nothing passed without a verdict", not any(answered), answered)
    stream.stop()


def crash_loop(st):
    stream = Stream(st)
    hold = Killer(st, 5)
    leaks = []
    while hold.is_alive():
        leaks.append(outcome(tls, st, name="bad.example", timeout=0.3))
    lives = len(hold.seen)
    took = wait_for(lambda: outcome(tls, st, timeout=1) is True, 5)
    st.tap.check("crash loop: it died more than twice", lives > 2, lives)
    st.tap.check("crash loop: nothing opens", True not in leaks, leaks)
    st.tap.check("crash loop: what was passed goes on", stream.good(), stream)
    st.tap.check("crash loop: back within 1 s of its end", took is not None and took <= 1.5, took)
    stream.stop()


def keeper_killed(st):
    stream = Stream(st)
    os.kill(pid(st, "sekishod"), signal.SIGKILL)
    leak = outcome(tls, st, name="bad.example", timeout=0.5)
    took = wait_for(lambda: outcome(tls, st, timeout=1) is True, 10)
    st.tap.check("sekishod killed: nothing opens", leak is not True, leak)
    st.tap.check("sekishod killed: verified flows begin again", took is not None and took <= 5, took)
    st.tap.check("sekishod killed: what was passed goes on", stream.good(), stream)
    stream.stop()


# -- commits -----------------------------------------------------------------------------------------------------

def commits(st):
    stream, undecided = Stream(st), connect(st, 443)
    # Verified policies are numbered by their text: these come before and between.
    extra = ("set allow n1 from pc to sv service udp/123 application ntp purpose x applicant y asset-class 3\n"
             "set allow n2 from pc to sv service tcp/389 application ldap purpose x applicant y asset-class 3\n")
    for text in (st.text + extra, st.text, st.text + extra):
        st.gate.commit_text(text)
    time.sleep(0.5)
    try:
        with context().wrap_socket(undecided, server_hostname="good.example") as conn:
            got = echo(conn)
    except (OSError, ssl.SSLError) as error:
        got = error
    st.tap.check("commit: what was undecided is decided under its own policy", got is True, got)
    st.tap.check("commit: what was passed goes on", stream.good(), stream)
    other = st.text.replace("server-name good.example", "server-name other.example")
    st.gate.commit_text(other)
    ended = wait_for(lambda: not stream.is_alive() or time.monotonic() - begun_gap(stream) > 2, 6)
    st.tap.check("commit: a flow whose rule demands another name is ended", ended is not None, stream)
    got = outcome(tls, st, timeout=2)
    st.tap.check("commit: and cannot begin again", got is not True, got)
    got = outcome(tls, st, name="other.example")
    st.tap.check("commit: the new name passes", got is True, got)
    stream.stop()
    st.gate.commit_text(st.text)


def begun_gap(stream):
    """When the stream last grew, as far as this is asked often."""
    if getattr(stream, "mark", None) is None or stream.mark[0] != stream.count:
        stream.mark = (stream.count, time.monotonic())
    return stream.mark[1]


# -- floods ------------------------------------------------------------------------------------------------------

def flooder(st, build, *words):
    """Packets from ever new sources and ports of segment c, none of them DNS."""
    load = os.path.join(build, "tests", "netns", "load")
    return st.town.space.popen("noise", [load, "raw", "--dev", "eth0", "--smac", st.town.hosts["noise"]["mac"], "--dmac",
                                         st.town.gateway_mac("eth2"), "--src", "10.3.0.0/16", "--dst", SERVER[4],
                                         "--dport", "53", "--sport", "1024-65535", *words], stdout=subprocess.DEVNULL)


def flood(st, build):
    before, slowest, lost, tries = queued(st), 0.0, 0, 0
    sender = flooder(st, build, "--seconds", "4", "--rate", "20000")
    time.sleep(0.5)
    while sender.poll() is None:
        begun = time.monotonic()
        got = outcome(tls, st, timeout=3)
        slowest, tries, lost = max(slowest, time.monotonic() - begun), tries + 1, lost + (got is not True)
        time.sleep(0.05)
    flooded = queued(st)[2] - before[2]
    st.tap.check("flood: it went through the inspector's queue", flooded > 10000, flooded)
    st.tap.check("flood: every verified flow of another segment begins", lost == 0 and tries > 5, f"{lost} of {tries}")
    st.tap.check("flood: within a second", slowest < 1.0, f"{slowest:.2f} s")
    st.tap.check("flood: the inspector is well", wait_for(lambda: well(st), 5) is not None, inspector(st))


def overflow(st, build):
    """Nobody reads, and many come: what the kernel drops is recorded."""
    hold = Hold(pid(st))
    flooder(st, build, "--count", "20000").wait(20)
    hold.join(6)
    wait_for(lambda: well(st), 5)
    st.tap.check("overflow: what a full queue dropped is counted", inspector(st)["overflows"] > 0, inspector(st))
    found = wait_for(lambda: any(r["code"] == "kernel-loss" and "queue" in r["text"]
                                 for r in st.gate.rows("log", "faults", "--limit", "1000")), 15)
    st.tap.check("overflow: and recorded", found is not None)
    st.tap.check("overflow: what was held is refused and counted", inspector(st)["abandoned"] > 1000, inspector(st))
    took = wait_for(lambda: outcome(tls, st, timeout=1) is True, 5)
    st.tap.check("overflow: verified flows begin again", took is not None)


# -- setting up --------------------------------------------------------------------------------------------------

class Servers:
    """The programs on the server's side."""

    def __init__(self, st):
        work, self.children = st.gate.work, []
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{work}/key", "-out", f"{work}/cert", "-subj", "/CN=good.example", "-days", "2"],
                       check=True, capture_output=True)
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{work}/{name}"], check=True)
        os.makedirs(f"{work}/pub/there", exist_ok=True)
        os.makedirs("/run/sshd", exist_ok=True)
        self._start(st, "/usr/bin/python3", os.path.join(HERE, "servers.py"), work)
        for port in ("22", "8443"):
            self._start(st, "/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", port, "-h", f"{work}/host", "-o",
                        f"AuthorizedKeysFile={work}/client.pub", "-o", "StrictModes=no", "-o", f"PidFile={work}/sshd{port}")
        self.ftp = os.path.exists("/usr/sbin/vsftpd")
        if self.ftp:
            with open(f"{work}/vsftpd.conf", "w", encoding="ascii") as f:
                f.write(f"listen=YES\nanonymous_enable=YES\nanon_root={work}/pub\nsecure_chroot_dir={work}/pub/there\n"
                        "pasv_enable=YES\nrun_as_launching_user=YES\nseccomp_sandbox=NO\n")
            self._start(st, "/usr/sbin/vsftpd", f"{work}/vsftpd.conf")
        wait_for(lambda: inside(st, "sv", "sh", "-c", "ss -Hltn 'sport = :443'").stdout != "", 5)
        time.sleep(0.5)

    def _start(self, st, *words):
        self.children.append(st.town.space.popen("sv", words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL))

    def stop(self):
        for child in self.children:
            child.kill()
            child.wait()


class Inline(stage.Stage):
    """Deaths of the inspector and of sekishod are this test's own doing."""


def main():
    options = stage.arguments(__doc__.splitlines()[0])
    missing = [name for name in ("openssl", "ssh", "ssh-keygen", "/usr/sbin/sshd", "curl") if shutil.which(name) is None]
    if missing:
        print("not installed: " + " ".join(missing))
        sys.exit(77)
    with open(os.path.join(HERE, "inspect.policy"), encoding="utf-8") as f:
        text = f.read()
    with Inline(options.build, text, hosts=True) as st:
        servers = Servers(st)
        st.tap.check("the inspector is well", wait_for(lambda: well(st), 5) is not None, inspector(st))
        seats = [os.sched_getaffinity(st.gate.pids()[name][0]) for name in ("sekishod", "sekisho-inspect")]
        st.tap.check("it sits with sekishod on one processor", seats[0] == seats[1] and len(seats[0]) == 1, seats)
        try:
            verified(st)
            split_hello(st)
            bulk(st)
            impostor(st)
            others(st)
            if servers.ftp:
                ftp(st)
            else:
                st.tap.skip("ftp", "vsftpd is not installed")
            killed(st)
            stopped(st)
            hung(st)
            crash_loop(st)
            commits(st)
            flood(st, options.build)
            overflow(st, options.build)
            st.tap.check("every drop has its record", not (wrong := balance(st)), "\n".join(wrong))
            keeper_killed(st)
        finally:
            servers.stop()
        sys.exit(st.tap.end())


if __name__ == "__main__":
    main()
