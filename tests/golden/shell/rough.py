#!/usr/bin/python3
"""Treats the shell badly: storms of Ctrl-C, garbage, lost lines, a gate that says nothing, terminals that do not answer.

usage: rough.py SEKISHO FAKE_GATE

Whatever is done, the prompt comes back or the shell ends; nothing is committed that was not asked; what was edited is kept.
"""
import os
import random
import signal
import sys
import time

from gate import HERE, PROMPT, Gate, environment, shell
from terminal import Terminal, Timeout

POLICY = f"{HERE}/cases/two.policy"
checks = failures = 0


def check(what, ok, more=""):
    global checks, failures
    checks += 1
    if not ok:
        failures += 1
        print(f"FAILED: {what} {more}")


def alive(t, what):
    """The prompt answers."""
    t.send("\x03")
    t.wait(PROMPT)
    t.send("show version\r")
    t.wait_text(r"sekisho \d")
    t.wait(PROMPT)
    check(f"the shell is there after {what}", True)
    check(f"the terminal was not painted on after {what}", not t.screen.escape_violations, str(t.screen.escape_violations))


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def storms(t):
    t.send(b"\x03" * 300)
    alive(t, "300 Ctrl-C at the prompt")
    for line in ("show log drops follow\r", "show policy | no-more\r", "show policy\r", "show log verify\r"):
        t.send(line)
        for _ in range(30):
            t.send(b"\x03")
            t.read(0.005)
        alive(t, f"Ctrl-C in {line.strip()}")
    for _ in range(40):
        t.send("show status\r\x03")
    alive(t, "commands and Ctrl-C mixed")


def garbage(t, kilobytes=1024):
    """A paste of bytes of every kind, in lines of every length."""
    generator = random.Random(5)
    begun = time.monotonic()
    sent = 0
    # Not Ctrl-D, which is meant to end the shell when the line is empty; nor the word that does so.
    while sent < kilobytes * 1024:
        n = generator.choice((3, 40, 400, 4000))
        piece = bytes(b for b in generator.randbytes(n) if b != 4) + b"\r"
        t.send(piece)
        sent += len(piece)
        t.screen.history = t.screen.history[-50:]
        t.raw = b""
    # A sequence of the line editor may be cut where pasted Ctrl-C threw output away; what follows is whole again.
    t.send("\x03")
    t.wait(PROMPT)
    t.screen.escape_violations.clear()
    alive(t, f"{kilobytes} kB of garbage")
    check("the garbage took no more than a minute", time.monotonic() - begun < 60, f"{time.monotonic() - begun:.0f} s")


def long_line(t):
    t.send("x" * 1000000)
    t.send("\r")
    t.wait(PROMPT)
    check("a line of 1 MB is refused as a whole", "too long" in t.screen.text(), t.screen.text())
    alive(t, "a line of 1 MB")
    if "ASAN_OPTIONS" not in os.environ:  # the sanitizers' shadow is large
        check("memory stays small", memory_kb(t.pid) < 60000, f"{memory_kb(t.pid)} kB")


def lost_line(sekisho, fake_gate):
    """The line is lost while a commit is under way, and while something is being edited."""
    gate = Gate(fake_gate, "shell", POLICY)
    t = shell(sekisho, gate)
    t.send("configure\r")
    t.wait(PROMPT)
    t.send("set system hostname gate-99\r")
    t.wait(PROMPT)
    os.kill(t.pid, signal.SIGHUP)
    t.wait_end()
    check("a lost line ends the shell", True)
    check("what was edited is kept", "candidate of generation 12" in gate.asked(), gate.asked())
    check("the session ended", "session ends" in gate.asked())
    t = shell(sekisho, gate)
    t.send("configure\r")
    t.wait(PROMPT)
    t.send("compare\r")
    t.wait(PROMPT)
    check("it goes on where it was", "gate-99" in t.screen.text(), t.screen.text())
    t.send("commit who a why b approval c\r")
    t.wait_text("what will change")
    os.kill(t.pid, signal.SIGHUP)
    t.wait_end()
    asked = gate.asked()
    check("a commit was asked whole or not at all", asked.count("commit base=12") <= 1)
    gate.close()


def end_of_line(sekisho, fake_gate):
    """The other end of the pty is closed."""
    gate = Gate(fake_gate, "shell", POLICY)
    t = shell(sekisho, gate)
    pid = t.pid
    os.close(t.fd)
    t.closed = True
    end = time.monotonic() + 10
    gone = 0
    while gone == 0 and time.monotonic() < end:
        gone = os.waitpid(pid, os.WNOHANG)[0]
        time.sleep(0.05)
    check("the shell ends with its line", gone == pid)
    if gone == 0:
        os.kill(pid, signal.SIGKILL)
    gate.close()


def silent_gate(sekisho, fake_gate):
    """A gate that takes a request and never answers."""
    gate = Gate(fake_gate, "silent", POLICY)
    begun = time.monotonic()
    t = shell(sekisho, gate)
    check("a gate that is silent does not hold the prompt back", time.monotonic() - begun < 8, f"{time.monotonic() - begun:.1f} s")
    t.send("show status\r")
    time.sleep(0.5)
    begun = time.monotonic()
    t.send("\x03")
    t.wait(PROMPT)
    check("Ctrl-C comes back at once", time.monotonic() - begun < 1.5, f"{time.monotonic() - begun:.1f} s")
    t.close()
    gate.close()


def underneath(sekisho, fake_gate):
    """Two people: the second is told, and takes his changes over."""
    gate = Gate(fake_gate, "shell", POLICY)
    a, b = shell(sekisho, gate), shell(sekisho, gate)
    for t in (a, b):
        t.send("configure\r")
        t.wait(PROMPT)
    a.send("set system hostname gate-a\r")
    a.wait(PROMPT)
    b.send("set host insatsu label \"second\"\r")
    b.wait(PROMPT)
    a.send("commit who a why a approval 1\r")
    a.wait(PROMPT)
    check("the first commits", "generation 13" in a.screen.text(), a.screen.text())
    b.send("commit who b why b approval 2\r")
    b.wait(PROMPT)
    check("the second is told", "changed underneath" in b.screen.text() and "gate-a" in b.screen.text(), b.screen.text())
    b.send("update\r")
    b.wait(PROMPT)
    b.send("compare\r")
    b.wait(PROMPT)
    b.send("commit who b why b approval 2\r")
    b.wait(PROMPT)
    check("the second commits on top", "generation 14" in b.screen.text(), b.screen.text())
    b.send("show system\r")
    b.wait(PROMPT)
    check("what the first did is there", "gate-a" in b.screen.text(), b.screen.text())
    for t in (a, b):
        t.close()
    gate.close()


def limits(sekisho, fake_gate):
    """The time of configuration mode, and that of a session where nothing is done."""
    gate = Gate(fake_gate, "brief", POLICY)
    t = shell(sekisho, gate)
    t.send("configure\r")
    t.wait(r"> $")
    check("configuration mode is over", "time of configuration mode is over" in t.screen.text(), t.screen.text())
    t.wait_end()
    check("who does nothing is logged out", "logged out" in t.screen.text(), t.screen.text())
    check("the gate is told", "session ends" in gate.asked(), gate.asked())
    gate.close()


def terminals(sekisho, fake_gate):
    """Which language a terminal gets."""
    gate = Gate(fake_gate, "ok", POLICY)
    for what, keywords, expected in (
        ("one that shows Japanese", {}, "手順"),
        ("one that does not answer", {"mute": True}, "can be typed"),
        ("a dumb one", {"env": environment(None, term="dumb")}, "can be typed"),
        ("an unknown one", {"env": environment(None, term="../../evil")}, "can be typed"),
        ("one of a serial line, without a size", {"size": (0, 0)}, "手順"),
    ):
        t = shell(sekisho, gate, **{"env": environment(None), **keywords})
        check(what, expected in t.screen.text(), t.screen.text())
        t.close()
    # Its answer comes when nobody waits for it any more, or between other keys.
    t = shell(sekisho, gate, env=environment(None), mute=True)
    t.send("show ver\033[1;3Rsion\r")
    t.wait(PROMPT)
    check("a late answer is no key", "sekisho 0" in t.screen.text(), t.screen.text())
    t.close()
    gate.close()


def pages_of_a_slow_line(sekisho, fake_gate):
    """Output that nobody reads stays where it is made: the shell does not hold it."""
    gate = Gate(fake_gate, "ok", POLICY)
    t = shell(sekisho, gate)
    t.send("show log drops follow\r")
    time.sleep(3)
    check("what waits is bounded", memory_kb(t.pid) < 40000, f"{memory_kb(t.pid)} kB")
    alive(t, "a flood that nobody read")
    t.close()
    gate.close()


def main():
    sekisho, fake_gate = sys.argv[1:]
    gate = Gate(fake_gate, "ok", POLICY)
    t = shell(sekisho, gate)
    storms(t)
    garbage(t, 1024 if os.environ.get("ROUGH_LONG") else 256)
    long_line(t)
    t.resize(5, 20)
    alive(t, "a terminal that became small")
    t.close()
    gate.close()
    for part in (lost_line, end_of_line, silent_gate, underneath, limits, terminals, pages_of_a_slow_line):
        try:
            part(sekisho, fake_gate)
        except Timeout as e:
            check(part.__name__, False, str(e))
    print(f"{checks} checks, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    signal.alarm(280)
    sys.exit(main())
