#!/usr/bin/python3
"""Tries to leave the shell: no program may be started, no file opened that a user names, no terminal be painted on.

usage: escape.py SEKISHO FAKE_GATE

Watches the shell from outside: its children (/proc), its environment, the files that it opened (strace is not needed: a
trap stands where each door would lead), and what it paints.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

from gate import HERE, PROMPT, Gate, environment, shell
from terminal import Terminal

checks = failures = 0


def check(what, ok, more=""):
    global checks, failures
    checks += 1
    if not ok:
        failures += 1
        print(f"FAILED: {what} {more}")


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except FileNotFoundError:
        return []


def programs(pid):
    """What the shell's children are: their own image or another program."""
    found = []
    for child in children(pid):
        try:
            found.append(os.readlink(f"/proc/{child}/exe"))
        except OSError:
            pass
    return found


class Trap:
    """A home directory with traps: each door that a program could open by a name writes to `sprung`."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sekisho-trap-")
        self.sprung = self.dir + "/sprung"
        os.mkdir(self.dir + "/bin")
        script = f"#!/bin/sh\necho \"$0 $*\" >>{self.sprung}\n"
        for name in ("sh", "bash", "vi", "vim", "ed", "less", "more", "pager", "editor", "man"):
            self.write("bin/" + name, script, 0o755)
        self.write(".editrc", "bind -v\nbind ^X ed-command\nbind \"?\" vi-histedit\n")
        self.write(".inputrc", "set editing-mode vi\n\"?\": \"trapped\"\n")
        os.makedirs(self.dir + "/terminfo/x")
        self.env = {"HOME": self.dir, "PATH": f"{self.dir}/bin:{os.environ['PATH']}", "EDITOR": self.dir + "/bin/ed",
                    "VISUAL": self.dir + "/bin/vi", "PAGER": self.dir + "/bin/pager", "LESSOPEN": f"|{self.dir}/bin/less %s",
                    "LESS": "+!sh", "SHELL": self.dir + "/bin/sh", "EDITRC": self.dir + "/.editrc",
                    "INPUTRC": self.dir + "/.inputrc", "ENV": self.dir + "/.editrc", "BASH_ENV": self.dir + "/.editrc",
                    "TERMINFO": self.dir + "/terminfo", "TERMINFO_DIRS": self.dir + "/terminfo", "TERMCAP": self.dir + "/termcap",
                    "LOCPATH": self.dir, "NLSPATH": self.dir, "LANGUAGE": "../../../.." + self.dir, "MALLOC_TRACE": self.sprung,
                    "TZDIR": self.dir, "TZ": ":" + self.dir + "/zone", "LD_LIBRARY_PATH": self.dir, "HISTFILE": self.sprung,
                    "SEKISHO_ROOT": self.dir}

    def write(self, name, text, mode=0o644):
        with open(f"{self.dir}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(f"{self.dir}/{name}", mode)


def opened_below(pid, directory):
    """Open files and mapped ones below a directory."""
    names = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            names.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as f:
        names += [line.split(maxsplit=5)[5].strip() for line in f if len(line.split(maxsplit=5)) > 5]
    return [n for n in names if n.startswith(directory)]


LINES = [
    "!sh", "!!", "! sh", "sh", "bash", "/bin/sh", "show status; sh", "show status && sh", "show status & sh", "$(sh)", "`sh`",
    "show version | sh", "show version | !sh", "show version | match x | sh", "show version |sh", "show version > {dir}/out",
    "show version >> {dir}/out", "show version < {dir}/.editrc", "show version | save {dir}/out", "~", "~/x", "*", "show *",
    "show version \"`sh`\"", "show version $HOME", "run show status", "edit", "vi", "more {dir}/.editrc", "check {dir}/.editrc",
    "check /etc/shadow", "commit /etc/shadow --who a --why b", "explain /etc/shadow a b tcp", "classify /etc/passwd",
    "watch lo", "clean", "verify", "ruleset /etc/passwd", "help --root {dir}", "show version --root {dir}", "show version --lang en",
    "complete x", "running", "show ledger ../../../etc/passwd", "set cli language ../../x", "set cli screen-length -1",
    "set cli screen-length 99999999999999999999", "set cli screen-width 1",
]

# Keys that editors and pagers know: vi mode and its `v`, M-x and commands of libedit, quoted insert, stop, core.
KEYS = [
    b"\x1bx", b"\x1bxbind -v\r", b"\x1bv", b"\x1b", b"v", b"\x1b:", b"\x1b!", b"\x18\x05", b"\x18", b"\x16\x1b", b"\x1a", b"\x1c",
    b"\x0f", b"\x11", b"\x13\x11", b"\x1f", b"\x1e", b"\x1b[200~sh\r\x1b[201~", b"\x1b\x1b\x1b", b"\xf8bind -v\r", b"\xc3\xb8", b"\x00",
    b"\x1b[24~", b"\x1b]0;x\x07", b"\x9b6n", b"\x1bP", b"\x1b[1;5R",
]


def try_lines(t, trap, prefix=""):
    for line in LINES:
        t.send((prefix + line).format(dir=trap.dir) + "\r")
        t.wait(PROMPT + r"|^--(More|続き)--|\] $")
        seen = programs(t.pid)
        check(f"a child after {line!r}", not [p for p in seen if not p.endswith("/sekisho")], str(seen))
        for _ in range(20):
            if t.screen.line(t.screen.row).startswith("--"):
                t.send("q")
                t.wait(PROMPT)
            else:
                break


def try_keys(t, where):
    for keys in KEYS:
        t.send(keys)
        time.sleep(0.02)
        t.read(0.02)
        check(f"a program after {keys!r} {where}", not [p for p in programs(t.pid) if not p.endswith("/sekisho")])
        t.send(b"\x03")
        t.wait(PROMPT)


def try_pager(t):
    """Keys that less and vi would obey, at --More--."""
    for keys in (b"!sh\r", b"v", b":e /etc/passwd\r", b"|sh\r", b"s{}/out\r", b"h", b"E", b"/root\r", b"\x1a", b"\x1c", b"G", b"\x1b[A", b"\xff"):
        t.send("show policy\r")
        t.wait_text(r"--(More|続き)--")
        t.send(keys)
        time.sleep(0.05)
        t.read(0.05)
        check(f"a program after {keys!r} in the pager", not [p for p in programs(t.pid) if not p.endswith("/sekisho")])
        t.send("q\x03")
        t.wait(PROMPT)


def environment_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as f:
        return f.read().decode(errors="replace").split("\0")


def main():
    sekisho, fake_gate = sys.argv[1:]
    trap = Trap()
    gate = Gate(fake_gate, "shell", f"{HERE}/cases/two.policy")
    env = environment("en", **trap.env)
    t = shell(sekisho, gate, env=env)
    check("the directory of the user is not open", not opened_below(t.pid, trap.dir), str(opened_below(t.pid, trap.dir)))
    try_keys(t, "at the prompt")
    try_lines(t, trap)
    try_pager(t)
    t.send("configure\r")
    t.wait(PROMPT)
    try_keys(t, "in configuration mode")
    try_lines(t, trap, "run ")
    for line in ("set system hostname `sh`", "annotate \"!sh\"", "load merge {dir}/.editrc", "save {dir}/out", "load replace /etc/shadow",
                 "edit /etc/shadow", "show /etc/shadow", "set allow x purpose \"$(sh)\""):
        t.send(line.format(dir=trap.dir) + "\r")
        t.wait(PROMPT)
    t.send("load merge terminal\r")
    t.wait_text("Ctrl-D")
    t.send("!sh\r\x1bxsh\r\x04")
    t.wait(PROMPT)
    check("nothing unknown is sent to the terminal", not t.screen.escape_violations, str(t.screen.escape_violations))
    check("no trap was sprung", not os.path.exists(trap.sprung), open(trap.sprung).read() if os.path.exists(trap.sprung) else "")
    check("no file was written", not os.path.exists(trap.dir + "/out"))
    t.close()

    # As a login shell: the environment is not even asked where the gate is, and no words are taken.
    t = Terminal([os.path.abspath(sekisho)], env, argv0="-sekisho")
    t.wait(PROMPT)
    t.send("show status\r")
    t.wait(PROMPT)
    check("a login shell does not believe SEKISHO_ROOT", trap.dir not in t.screen.everything(), t.screen.text())
    t.close()
    for words in (["-c", "sh"], ["show", "version"]):
        done = subprocess.run([os.path.abspath(sekisho)] + words, executable=os.path.abspath(sekisho), env=env, capture_output=True,
                              timeout=20, check=False, preexec_fn=None) if words[0] == "-c" else None
        if done:
            check("-c is refused", done.returncode == 2 and not done.stdout, str(done))
    gate.close()
    print(f"{checks} checks, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    signal.alarm(280)
    sys.exit(main())
