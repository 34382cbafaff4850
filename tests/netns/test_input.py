"""test_input.py: policies that cannot be right, given to a running gate: an error with its place, the old policy stays.

`sekisho check` and `sekisho commit` must say the same. At the end one that can be right and is large: 100 000 rules, and
one rule more; meanwhile approved packets pass and the gate answers.
"""
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import stage  # noqa: E402
from checks import balance, crosses, passes  # noqa: E402
from town import WIRES  # noqa: E402

RULES = 100000
ONE_RULE_KERNEL_US = 10000


def bad_policies(good, rng):
    """name, bytes of the policy, line of the error (None: not of one line), a word of the message"""
    line = good.count(b"\n") + 1

    def after(text):
        return good + (text if isinstance(text, bytes) else text.encode()) + b"\n"
    return (
        ("a broken line", after("set allow x frm pc to sv"), line, "frm"),
        ("an unknown object", after("set nothing x"), line, "nothing"),
        ("no set at all", after("allow everything"), line, "set"),
        ("a port out of range", after("set allow x from pc to sv service tcp/65536"), line, "65536"),
        ("an address that is none", after("set host x segment lgwan address 10.2.0.300"), line, "10.2.0.300"),
        ("a value given twice", after("set host pc mac 02:00:00:02:20:11"), line, "mac"),
        ("a reference to nothing", after("set allow x from ghost to sv service tcp/80"), line, "ghost"),
        ("a forbidden pair", after("set allow x from relay to out service tcp/80"), line, "mynumber"),
        ("a host outside its segment", after("set host x segment lgwan address 203.0.113.9"), line, "203.0.113.9"),
        ("a quote without end", after('set host x label "never'), line, ""),
        ("a line of 10 MB", after(b"set allow x from " + b"a" * (10 << 20)), line, ""),
        ("10 MB without a line", b"x" * (10 << 20), 1, ""),
        ("invalid UTF-8", after(b"set host pc label \"\xff\xfe\xc0\x80\""), line, ""),
        ("an overlong NUL", after(b"set host pc label \"\xc0\x80\""), line, ""),
        ("a NUL", after(b"set host pc label \"a\0b\""), line, ""),
        ("nothing but NULs", b"\0" * 100000, 1, ""),
        ("noise", rng.randbytes(200000), None, ""),
        ("a program", open("/bin/true", "rb").read(), 1, ""),
        ("a thousand errors", good + b"".join(b"set allow e%d from nobody to none service x/y\n" % i for i in range(1000)),
         line, "x/y"),
    )


def refused(st, run, name, data, line, word):
    path = os.path.join(st.gate.work, "bad.policy")
    with open(path, "wb") as f:
        f.write(data)
    place = f"{path}:{line}: " if line is not None else f"{path}:"
    before = st.gate.status()["generation"]
    said = {}
    for verb, done in (("check", st.gate.ask("check", path, check=False)), ("commit", st.gate.commit(path, check=False))):
        said[verb] = done.stdout + done.stderr
        st.tap.check(f"{name}: {verb} refuses with the place", done.returncode == 1 and place in said[verb] and
                     word in said[verb] and len(said[verb]) < 200000, f"exit {done.returncode}: {said[verb][:300]}")
    st.tap.check(f"{name}: the old policy stays", st.gate.status()["generation"] == before and st.gate.status()["open"] and
                 passes(run), st.gate.status())


def too_large(st):
    path = os.path.join(st.gate.work, "large.policy")
    with open(path, "wb") as f:
        f.truncate((128 << 20) + 1)
    for verb, done in (("check", st.gate.ask("check", path, check=False)), ("commit", st.gate.commit(path, check=False))):
        st.tap.check(f"a policy beyond the limit: {verb} refuses", done.returncode in (1, 3) and
                     "too large" in (done.stdout + done.stderr), f"exit {done.returncode}: {done.stdout}{done.stderr}")
    os.unlink(path)


def sender(st, stop):
    words = ["--dev", "w-eth2", "--smac", "02:00:00:02:20:10", "--dmac", st.town.gateway_mac("eth2"), "--src", "10.2.20.10",
             "--dst", "10.2.0.8", "--dport", "5000", "--sport", "2000-2031", "--rate", "2000", "--seconds", "120", "--until", stop]
    return st.town.space.popen(WIRES, [os.path.join(st.build, "tests/netns/load"), "raw", *words],
                               stdout=subprocess.PIPE, text=True)


class Arrivals(threading.Thread):
    """Counts what arrives for sv:5000 while it runs."""

    def __init__(self, st):
        super().__init__(daemon=True)
        self.sock = st.town.space.packet_socket(WIRES, "w-eth1", buffer=256 << 20)
        self.sock.setblocking(True)
        self.sock.settimeout(0.2)
        self.count, self.running = 0, True

    def run(self):
        while self.running:
            try:
                data, where = self.sock.recvfrom(200)
            except TimeoutError:
                continue
            self.count += where[2] != 4 and data[12:14] == b"\x08\0" and data[36:38] == (5000).to_bytes(2, "big")


def many_rules(st):
    text = st.text + "".join(f"set allow r{i} from pc to sv service {'tcp' if i % 2 else 'udp'}/{10000 + i // 2}\n"
                             for i in range(RULES))
    path = os.path.join(st.gate.work, "many.policy")
    stop = os.path.join(st.gate.work, "stop")
    arrivals = Arrivals(st)
    arrivals.start()
    flood = sender(st, stop)
    for what, more, kernel_us in (("100 000 rules", "", None),
                                  ("one rule more", "set allow last from pc to sv service tcp/9\n", ONE_RULE_KERNEL_US)):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text + more)
        start = time.monotonic()
        done = st.gate.ask("commit", path, "--who", "t", "--why", "t", "--json", check=False)
        got = json.loads(done.stdout) if done.stdout else {}
        print(f"# {what}: {time.monotonic() - start:.2f} s, kernel {got.get('kernel_us', 0) / 1000:.1f} ms")
        st.tap.check(f"{what} are taken", done.returncode == 0 and st.gate.status()["rules"] >= RULES,
                     f"exit {done.returncode}: {done.stdout[:200]}{done.stderr}")
        if kernel_us is not None:
            st.tap.check(f"{what}: a small change for the kernel", 0 < got.get("kernel_us", 0) <= kernel_us, got)
    st.gate.commit_text(st.text)
    with open(stop, "w", encoding="ascii"):
        pass
    sent = json.loads(flood.communicate()[0])["packets"]
    time.sleep(0.5)
    arrivals.running = False
    arrivals.join()
    for wire in st.town.wires():  # the flood fills the buffers of who listens
        st.town._drain(st.town.wire_socket(wire))
    st.tap.check("meanwhile no approved packet was lost", arrivals.count == sent > 0, f"{sent} sent, {arrivals.count} arrived")


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    print(f"# seed {seed}")
    with stage.Stage(options.build, text) as st:
        run = cases.Runner(st.town, st.gate)
        pid = st.gate.pids()["sekishod"]
        for bad in bad_policies(text.encode(), random.Random(seed)):
            refused(st, run, *bad)
        too_large(st)
        many_rules(st)
        st.tap.check("sekishod is the same process, and all is as before", st.gate.pids()["sekishod"] == pid and passes(run)
                     and not crosses(run), st.gate.log_tail(6))
        wrong = balance(st)
        st.tap.check("law 3 holds", not wrong, "\n".join(wrong))
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
