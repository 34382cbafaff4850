"""test_hostile.py: whoever speaks to the gate and lies: it goes on, and no new permission arises.

- clients of the control socket: noise, wrong sizes, too many descriptors, strange ones, connections without end, nobody
  who reads
- a compiler that is not ours: broken compiled policies, sealed or not, and no answer at all
- a prover that objects to everything, or says nothing
- bytes for sekisho-logd that do not come from the kernel
- words for a terminal in the names of interfaces, in a policy, and in who committed it
- symbolic links where the gate keeps its files
"""
import array
import contextlib
import errno
import os
import random
import shutil
import socket
import stat
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import frame  # noqa: E402
import ns  # noqa: E402
import stage  # noqa: E402
from checks import balance, crosses, descriptors, fault_codes, findings, in_gateway, passes, wait_for  # noqa: E402
from town import GATEWAY  # noqa: E402

MAGIC, VERSION, REQUEST = 0x474D4B53, 1, 20  # include/sekisho/msg.h
STATUS, COMMIT, LOG, RUNNING, PROVE = 1, 2, 3, 4, 5
CLIENTS_MAX = 16
ESCAPES = ("\x1b", "\x9b", "\x07", "\u202e")


# -- the control socket ------------------------------------------------------------------------------------------


def connect(st):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(os.path.join(st.gate.root, "run/sekisho/control"))
    sock.settimeout(5)
    return sock


def request(verb, who=b"t", why=b"t", **head):
    body = struct.pack("=II64s256s64s8sIIII128s", verb, head.pop("pad", 0), who, why, b"", head.pop("language", b"en"),
                       head.pop("argument", 0), 0, 0, head.pop("pad2", 0), b"")
    head = {"magic": MAGIC, "version": VERSION, "type": REQUEST, "size": len(body), **head}
    return struct.pack("=IHHII", head["magic"], head["version"], head["type"], head["size"], 7) + body


def rights(fds):
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []


def ended(sock):
    """Has the gate closed the connection (an answer before it is read away)?"""
    try:
        while sock.recv(100000):
            pass
        return True
    except ConnectionResetError:
        return True
    except OSError:
        return False


def refused(st, message, fds=()):
    with connect(st) as sock:
        try:
            sock.sendmsg([message], rights(fds))
        except OSError as error:
            return error.errno in (errno.EPIPE, errno.EMSGSIZE)
        return ended(sock)


def answers_soon(st, seconds=1.0):
    """A well-behaved client is served, and soon."""
    start = time.monotonic()
    good = st.gate.ask("status", "--json", check=False).stdout.strip()
    return bool(good) and time.monotonic() - start < seconds


def malformed(st, rng):
    noise = [rng.randbytes(n) for n in (1, 15, 16, 17, 560, 4096, 65000)]
    good = request(STATUS)
    wrong = {"magic": request(STATUS, magic=1), "version": request(STATUS, version=2), "type": request(STATUS, type=99),
             "a type of others": request(STATUS, type=2), "size": request(STATUS, size=543),
             "a byte less": good[:-1], "a byte more": good + b"\0", "verb": request(99),
             "a text without end": request(STATUS, who=b"x" * 64), "a text with ESC": request(STATUS, who=b"\x1b[2J"),
             "a text that is no UTF-8": request(STATUS, why=b"\xff\xfe"), "bytes behind a text": request(STATUS, who=b"a\0b"),
             "padding": request(STATUS, pad=1), "a commit without a file": request(COMMIT)}
    bad = [name for name, message in wrong.items() if not refused(st, message)]
    bad += [f"{len(n)} bytes of noise" for n in noise if not refused(st, n)]
    st.tap.check("malformed messages end their sender", not bad, bad)
    with connect(st) as sock:
        sock.send(good)
        answer = sock.recv(100000)
        sock.send(request(COMMIT))
        st.tap.check("also one that behaved before", len(answer) > 1000 and ended(sock))


def many_descriptors(st):
    """Descriptors in every number, with every message: none stays open in the gate."""
    before = descriptors(st, "sekishod")
    with contextlib.ExitStack() as stack:
        pipes = [fd for _ in range(125) for fd in os.pipe()]
        stack.callback(lambda: [os.close(fd) for fd in pipes])
        bad = [n for n in (1, 2, 3, 4, 5, 64, 250) if not refused(st, request(STATUS), pipes[:n])]
        bad += [f"commit with {n}" for n in (2, 3, 250) if not refused(st, request(COMMIT), pipes[:n])]
        for _ in range(100):
            with connect(st) as sock:
                with contextlib.suppress(OSError):
                    sock.sendmsg([b"x"], rights(pipes[:250]))
    left = wait_for(lambda: descriptors(st, "sekishod") <= before, 3)
    st.tap.check("descriptors that nobody asked for end their sender", not bad, bad)
    st.tap.check("and none of them stays open", left is not None, f"{before} -> {descriptors(st, 'sekishod')}")


def strange_files(st):
    """Things that are no policy file, committed as one."""
    work = st.gate.work
    big = os.memfd_create("big")
    os.truncate(big, 1 << 40)
    fifo = os.path.join(work, "fifo")
    os.mkfifo(fifo)
    opened = {
        "a directory": os.open("/", os.O_RDONLY | os.O_DIRECTORY), "a device": os.open("/dev/zero", os.O_RDONLY),
        "a pipe": os.pipe()[0], "a FIFO": os.open(fifo, os.O_RDWR), "a file of a terabyte": big,
        "a path": os.open("/etc/passwd", os.O_PATH), "a file to be written": os.open(os.path.join(work, "w"),
                                                                                      os.O_WRONLY | os.O_CREAT),
        "the kernel's log": os.open("/proc/kmsg", os.O_RDONLY),
        "memory of a process": os.open("/proc/self/mem", os.O_RDONLY), "a socket": socket.socket().detach()}
    before, generation = descriptors(st, "sekishod"), st.gate.status()["generation"]
    bad = []
    for name, fd in opened.items():
        with connect(st) as sock:
            start = time.monotonic()
            sock.sendmsg([request(COMMIT)], rights([fd]))
            answer = sock.recv(100000)
            refused_ = len(answer) > 20 and struct.unpack_from("=I", answer, 16) == (0,)
            if not refused_ or time.monotonic() - start > 2:
                bad.append(f"{name}: {answer[:60]} after {time.monotonic() - start:.1f} s")
        os.close(fd)
    st.tap.check("strange files are no policies", not bad, "\n".join(bad))
    st.tap.check("and the policy stays", st.gate.status()["generation"] == generation)
    left = wait_for(lambda: descriptors(st, "sekishod") <= before, 3)
    st.tap.check("and no descriptor stays open", left is not None, f"{before} -> {descriptors(st, 'sekishod')}")


def lingering(st):
    """A socket with data that nobody takes, told to wait for that when it is closed: the gate does not wait."""
    for verb, name in ((STATUS, "status"), (COMMIT, "commit")):
        server, client = (st.town.space.socket("lan", socket.AF_INET, socket.SOCK_STREAM) for _ in range(2))
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        client.connect(server.getsockname())
        taken = server.accept()[0]
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                client.send(b"x" * 65536)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
        with connect(st) as sock:
            sock.sendmsg([request(verb)], rights([client.fileno()]))
            os.close(client.detach())  # the gate's is the last
            st.tap.check(f"a socket that lingers holds nobody up ({name})", answers_soon(st))
        taken.close()
        server.close()


def many_clients(st):
    """More connections than places, idle; clients who ask and never read; others are served all the same."""
    idle = []
    for _ in range(CLIENTS_MAX * 3):
        idle.append(connect(st))
    st.tap.check("idle connections do not shut others out", answers_soon(st), st.gate.ask("status", check=False).stderr)
    for sock in idle:
        sock.close()
    deaf = [connect(st) for _ in range(CLIENTS_MAX // 2)]
    asked = 0
    for sock in deaf:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            for _ in range(5000):
                sock.send(request(STATUS))
                asked += 1
    st.tap.check("clients that never read are not waited for", answers_soon(st), f"{asked} asked")
    granted = []
    for _ in range(CLIENTS_MAX * 2):
        with connect(st) as sock:
            sock.send(request(LOG))
            _, fds, _, _ = socket.recv_fds(sock, 100000, 4)
            granted += fds
    rows = wait_for(lambda: st.gate.ask("log", "commits", "--json", check=False).stdout.strip(), 3)  # stored once a second
    st.tap.check("nor do connections to the recorder shut others out", rows is not None, f"{len(granted)} granted")
    for fd in granted:
        os.close(fd)
    for sock in deaf:
        sock.close()


def strangers(st):
    """A user who is not of the control group does not even connect."""
    code = f"""
import os, socket
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    s.connect({os.path.join(st.gate.root, 'run/sekisho/control')!r})
except PermissionError:
    print("refused")
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout
    st.tap.check("another user does not reach the control socket", said == "refused\n", said)


def gone_client(st):
    """Who commits and goes away: the commit is done or not done, but whole."""
    generation = st.gate.status()["generation"]
    path = os.path.join(st.gate.work, "candidate.policy")
    with open(path, "rb") as f, connect(st) as sock:
        sock.sendmsg([request(COMMIT)], rights([f.fileno()]))
    done = wait_for(lambda: st.gate.status()["generation"] == generation + 1, 5)
    st.tap.check("a client that goes away leaves its commit whole", done is not None and st.gate.status()["open"],
                 st.gate.status())


# -- a compiler and a prover that lie ------------------------------------------------------------------------------


def replace(st, program, by):
    link = os.path.join(st.gate.libexec, program)
    os.unlink(link)
    os.symlink(by, link)


@contextlib.contextmanager
def lying(st, program):
    real = os.readlink(os.path.join(st.gate.libexec, program))
    replace(st, program, os.path.join(st.build, "tests/netns/hostile/liar"))
    try:
        yield
    finally:
        tell(st, "honest")
        replace(st, program, real)


def tell(st, lie):
    path = os.path.join(st.gate.root, "lie")
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(lie)
    os.rename(path + ".new", path)


# The lie, and what the refusal must say of it.
COMPILER_LIES = {
    "unsealed": "not sealed", "writable": "not sealed", "pipe": "not sealed", "socket": "not sealed",
    "directory": "not sealed", "device": "not sealed", "file": "not sealed", "huge": "size", "gigabyte": "magic",
    "empty": "size", "short": "size", "no-ir": "", "nothing": "without an answer", "crash": "without an answer",
    "noise 9": "without an answer", "noise 69000": "without an answer", "other": "without an answer",
    "talk": "1 errors", "forbidden": "mynumber-internet", "wide": "box-beyond-rule", "overlap": "rule range",
    "no-way": "unreachable"}


def lying_compiler(st, run):
    text = st.text + ("set allow range from pc to sv service udp/7000-7100\n"
                      "set allow inside from pc to sv service udp/7050-7150\n")
    generation = st.gate.status()["generation"]
    before = descriptors(st, "sekishod")
    with lying(st, "sekisho-compile"):
        for lie, word in COMPILER_LIES.items():
            tell(st, lie)
            done = st.gate.commit_text(text, check=False)
            said = done.stdout + done.stderr
            st.tap.check(f"a compiler that lies ({lie}) is refused, and the old policy stays",
                         done.returncode == 1 and word in said and st.gate.status()["generation"] == generation
                         and st.gate.status()["open"] and passes(run), f"exit {done.returncode}: {said[:300]}")
            st.tap.check(f"and its words reach no terminal ({lie})", not any(e in said for e in ESCAPES),
                         repr(said[:300])) if lie == "talk" else None
        flips(st, run, text)
    st.tap.check("no descriptor stays open", wait_for(lambda: descriptors(st, "sekishod") <= before, 3) is not None,
                 f"{before} -> {descriptors(st, 'sekishod')}")
    done = st.gate.commit_text(st.text, check=False)
    st.tap.check("the real compiler afterwards", done.returncode == 0 and passes(run) and passes(run, 6),
                 done.stdout + done.stderr)


def flips(st, run, text, count=60):
    """Bits flipped anywhere in the compiled policy, with the right checksum."""
    taken = refused_ = 0
    pid = st.gate.pids()["sekishod"]
    for number in range(count):
        tell(st, f"flip {number}")
        done = st.gate.commit_text(text, check=False)
        taken += done.returncode == 0
        refused_ += done.returncode == 1
    st.tap.check(f"of {count} compiled policies with flipped bits each is taken or refused", taken + refused_ == count
                 and refused_ > 0, f"{taken} taken, {refused_} refused")
    st.tap.check("sekishod is the same process", st.gate.pids()["sekishod"] == pid, st.gate.log_tail(6))
    st.tap.check("and mynumber does not reach the internet", not crosses(run) and not crosses(run, 6))
    print(f"# {taken} taken, {refused_} refused")


def lying_prover(st, run):
    generation = st.gate.status()["generation"]
    with lying(st, "sekisho-prove"):
        for lie in ("noise 9", "other", "nothing", "objects", "talk"):
            tell(st, lie)
            done = st.gate.commit_text(st.text + "set allow more from pc to sv service udp/7001\n", check=False)
            st.tap.check(f"a prover that lies ({lie}): the commit is refused", done.returncode == 1 and
                         st.gate.status()["generation"] == generation, f"exit {done.returncode}: {done.stdout[:200]}")
            asked = st.gate.ask("prove", check=False)
            said = asked.stdout + asked.stderr
            st.tap.check(f"and nothing is proved ({lie})", asked.returncode in (1, 3) and "no finding" not in said and
                         not any(e in said for e in ESCAPES), f"exit {asked.returncode}: {said[:200]!r}")
        closed = wait_for(lambda: not st.gate.status()["open"], 15)
        st.tap.check("while nobody proves the ruleset, the gate closes", closed is not None and
                     not passes(run, expected=False), st.gate.status())
        said = st.gate.ask("status", check=False).stdout + st.gate.ask("log", "faults").stdout
        st.tap.check("and what a prover says is no word for a terminal", not any(e in said for e in ESCAPES),
                     repr(said[-300:]))
    opened = wait_for(lambda: st.gate.status()["open"], 15)
    st.tap.check("an honest one opens it", opened is not None and passes(run), st.gate.status())
    asked = st.gate.ask("prove", check=False)
    st.tap.check("and finds nothing", asked.returncode == 0 and "no finding" in asked.stdout, asked.stdout + asked.stderr)


# -- the recorder ----------------------------------------------------------------------------------------------------


def netlink_ports(st):
    """Ports of all sockets for netfilter in the gateway's namespace."""
    rows = in_gateway(st, "cat", "/proc/net/netlink").stdout.splitlines()[1:]
    return [int(r.split()[2]) for r in rows if r.split()[1] == "12" and r.split()[2] != "0"]


def forged_event(src, dst):
    """A drop event as the kernel would send it (linux/netfilter/nfnetlink_log.h)."""
    def attr(kind, data):
        return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)
    packet = frame.packet(src, dst, frame.UDP, frame.udp(src, dst, 1, 2, b"forged"))
    body = struct.pack("!BBH", 2, 0, 100) + attr(1, struct.pack("!HBx", 0x0800, 1)) + \
        attr(2, struct.pack("!I", 0x00BB0002)) + attr(9, packet)
    return struct.pack("=IHHII", len(body) + 16, 4 << 8, 0, 0, 0) + body


def forged_events(st, run, rng):
    """Root in the namespace sends to logd's sockets: none of it is a record, and real drops are recorded on."""
    with st.town.space.socket(GATEWAY, socket.AF_NETLINK, socket.SOCK_RAW, 12) as sock:
        sent = 0
        for port in netlink_ports(st):
            for i in range(200):
                data = forged_event("10.2.20.10", "10.66.66.66") if i % 2 else rng.randbytes(rng.randrange(1, 400))
                with contextlib.suppress(OSError):
                    sent += sock.sendto(data, (port, 0)) > 0
    flow = run.flow({"from": "pc", "to": "sv", "port": 8082}, 4)
    run.put(flow, run.packet(flow, {}))
    row = st.gate.wait_drop(lambda r: r.get("dport") == 8082 and r["reason"] == "no-rule")
    forged = [r for r in st.gate.drops() if r.get("dst") == "10.66.66.66"]
    st.tap.check("events that are not the kernel's are no records", sent > 0 and row is not None and not forged,
                 f"{sent} sent, {forged[:1]}")
    wrong = balance(st)
    st.tap.check("and law 3 holds", not wrong, "\n".join(wrong))


# -- words for a terminal --------------------------------------------------------------------------------------------


def injected(st, run):
    """ESC, CSI in both forms, and bytes that are no UTF-8, as names of interfaces and of a program."""
    names = ["e\x1b[2Jx", "c\x9b31m", "b\x07l"]
    raw = [n.encode("latin-1" if "\x9b" in n else "utf-8") for n in names] + ["u\x9b0m".encode("utf-8"), b"\xff\xfe"]
    made = []
    for i, name in enumerate(raw):
        words = [b"ip", b"-n", st.town.space.full(GATEWAY).encode(), b"link", b"add", b"name", name, b"type", b"veth",
                 b"peer", b"name", f"inj{i}".encode(), b"netns", st.town.space.full("lan").encode()]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            made.append(name)
            subprocess.run([b"ip", b"-n", st.town.space.full(GATEWAY).encode(), b"link", b"set", b"dev", name, b"up"],
                           check=True)
            st.town.space.ip("lan", "link", "set", "dev", f"inj{i}", "up")
    known = wait_for(lambda: findings(st).count("interface-unknown") >= len(made), 5)
    st.tap.check("interfaces with words for a terminal are found", known is not None and len(made) >= 3,
                 f"{made}, {findings(st)}")
    for i in range(len(raw)):
        with contextlib.suppress(OSError), st.town.space.packet_socket("lan", f"inj{i}") as sock:
            packet = frame.packet("10.9.9.9", "10.2.0.8", frame.UDP, frame.udp("10.9.9.9", "10.2.0.8", 1, 9999, b"x"))
            sock.send(frame.ether("ff:ff:ff:ff:ff:ff", "02:00:00:09:09:09", frame.ETH_IP, packet))
    row = st.gate.wait_drop(lambda r: r.get("reason") in ("unknown-interface", "local-noise") and r.get("src") == "10.9.9.9")
    st.tap.check("and their drops recorded", row is not None)
    nft = os.path.join(st.gate.work, "n\x1b[31mft")
    shutil.copy(shutil.which("nft"), nft)
    in_gateway(st, nft, "add", "table", "ip", "guest")
    in_gateway(st, nft, "delete", "table", "ip", "guest")
    wait_for(lambda: "foreign-table" in findings(st), 3)
    path = os.path.join(st.gate.work, "candidate.policy")
    with open(path, "w", encoding="utf-8") as f:
        f.write(st.text + "set host pc label \"\x1b[2J\u202etxt\" location \"\x9b2J\"\n")
    refused_ = st.gate.commit(path, check=False)
    st.gate.commit_text(st.text)
    st.gate.ask("commit", path, "--who", "a\x1b[2J", "--why", "b\x9b2J", check=False)
    said = refused_.stdout + refused_.stderr
    for words in (["status"], ["status", "--json"], ["log", "drops", "--all"], ["log", "drops", "--all", "--json"],
                  ["log", "faults"], ["log", "faults", "--json"], ["log", "commits"], ["log", "commits", "--json"],
                  ["log", "summary", "--all"], ["check", path], ["check", path, "--json"]):
        for lang in ("en", "ja"):
            done = st.gate.ask(*words, check=False, lang=lang)
            said += done.stdout + done.stderr
    st.tap.check("no word for a terminal reaches one", not any(e in said for e in ESCAPES[:3]) and len(said) > 1000,
                 [repr(said[max(0, said.find(e) - 60):said.find(e) + 20]) for e in ESCAPES[:3] if e in said])
    log = st.gate.log_tail(1000)
    st.tap.check("nor the log of the processes", not any(e in log for e in ESCAPES[:3]),
                 [repr(line) for line in log.splitlines() if any(e in line for e in ESCAPES[:3])][:3])
    st.gate.commit_text(st.text)
    for name in made:
        subprocess.run([b"ip", b"-n", st.town.space.full(GATEWAY).encode(), b"link", b"del", b"dev", name], check=False)


# -- symbolic links ----------------------------------------------------------------------------------------------------


def links(st, run):
    """Links in the place of our files: nothing behind them is read, written or given away."""
    secret = os.path.join(st.gate.work, "secret")
    kept = os.path.join(st.gate.work, "kept")
    os.mkdir(kept, 0o700)
    with open(secret, "w", encoding="ascii") as f:
        f.write("secret")
    os.chmod(secret, 0o600)
    gate = os.path.join(st.gate.root, "var/lib/sekisho/gate")
    log = os.path.join(st.gate.root, "var/lib/sekisho/log")
    generation = st.gate.status()["generation"]
    for name in (f"{generation + 1}.policy.new", f"{generation + 1}.meta.new", "running.new"):
        os.symlink(secret, os.path.join(gate, name))
    done = st.gate.commit_text(st.text, check=False)
    st.tap.check("links under the names of the next generation: nothing behind them is touched",
                 open(secret, encoding="ascii").read() == "secret" and st.gate.status()["open"],
                 f"exit {done.returncode}: {done.stdout}")
    end_gate(st)
    os.rename(log, log + ".real")
    os.symlink(kept, log)
    try:
        st.gate.start(timeout=3)
        started = True
    except RuntimeError:
        started = False
    st.tap.check("a link in the place of the records: the gate does not start", not started)
    st.tap.check("what it points to is nobody's", os.stat(kept).st_uid == 0 and stat.S_IMODE(os.stat(kept).st_mode) == 0o700
                 and not os.listdir(kept), os.listdir(kept))
    st.tap.check("and nothing passes", not passes(run, expected=False))
    end_gate(st)
    os.unlink(log)
    os.rename(log + ".real", log)
    os.rename(os.path.join(gate, "running"), os.path.join(gate, "running.real"))
    os.symlink(secret, os.path.join(gate, "running"))
    st.gate.start()
    st.tap.check("a link in the place of the running generation's number: closed, and said",
                 not st.gate.status()["open"] and "store-broken" in findings(st), st.gate.status())
    done = st.gate.commit_text(st.text, check=False)
    st.tap.check("a commit replaces it", done.returncode == 0 and passes(run) and
                 open(secret, encoding="ascii").read() == "secret", done.stdout + done.stderr)


def end_gate(st):
    if st.gate.process.poll() is None:
        st.gate.process.terminate()
        st.gate.process.wait(10)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    print(f"# seed {seed}")
    rng = random.Random(seed)
    with stage.Stage(options.build, text) as st:
        run = cases.Runner(st.town, st.gate)
        pid = st.gate.pids()["sekishod"]
        malformed(st, rng)
        many_descriptors(st)
        strange_files(st)
        lingering(st)
        many_clients(st)
        strangers(st)
        gone_client(st)
        st.tap.check("through all of it sekishod is the same process", st.gate.pids()["sekishod"] == pid and answers_soon(st)
                     and passes(run), st.gate.log_tail(6))
        lying_compiler(st, run)
        lying_prover(st, run)
        forged_events(st, run, rng)
        injected(st, run)
        links(st, run)
        print(f"# faults told: {sorted(set(fault_codes(st)))}")
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
