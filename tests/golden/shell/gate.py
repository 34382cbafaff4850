"""The fake gate and the shell before it, for the tests of this directory."""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from terminal import Terminal

HERE = os.path.dirname(os.path.abspath(__file__))
PROMPT = r"^(\[.*\] )?(\S+@\S+|sekisho)[>#] $"
MORE = r"^--(More|続き)--"


def die_with_parent():
    """No gate outlives its test, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Gate:
    """fake_gate in a directory of its own; `policy`: the file that is in force in the scenario "shell"."""

    def __init__(self, program, scenario="shell", policy=None):
        self.root = tempfile.mkdtemp(prefix="sekisho-shell-")
        if policy:
            shutil.copy(policy, self.root + "/policy")
        self.process = subprocess.Popen([program, self.root, scenario], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent)
        end = time.monotonic() + 10
        while not self.listens():
            if time.monotonic() > end:
                raise RuntimeError("the fake gate does not start")
            time.sleep(0.02)

    def listens(self):
        """By a path that is short enough for the kernel."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            try:
                s.connect(self.root + "/run/sekisho/control")
                return True
            except OSError:
                return False

    def asked(self):
        with open(self.root + "/asked", encoding="utf-8", errors="replace") as f:
            return f.read()

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)


def environment(language=None, term="xterm", **more):
    env = {"PATH": os.environ["PATH"], "TERM": term}
    if language:
        env["LANG"] = {"ja": "ja_JP.UTF-8", "en": "en_US.UTF-8"}[language]
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update(more)
    return env


def shell(program, gate, language="en", env=None, **keywords):
    """The shell at its first prompt."""
    argv = [os.path.abspath(program)] + (["--root", gate.root] if gate else [])
    t = Terminal(argv, env or environment(language), **keywords)
    t.wait(PROMPT)
    return t


def steady(text):
    """Without what differs from one machine or day to the next: the account that runs the test, a date that is offered."""
    text = re.sub(r"\[\d{4}-\d\d-\d\d\]", "[2026-11-20]", text)
    return re.sub(r"\b%s@" % re.escape(account()), "taro@", text).replace(f"[{account()}]", "[taro]")


def account():
    import pwd
    return pwd.getpwuid(os.getuid()).pw_name
