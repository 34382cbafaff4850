"""gate.py: runs sekisho-init in the gateway's namespace, and asks the `sekisho` command about it.

The programs come from a build directory; what runs is found by pid, and stopped by pid.
"""
import json
import os
import re
import signal
import subprocess
import tempfile
import time

import ns
from town import GATEWAY

DEFECT = re.compile(r"Sanitizer|runtime error:|killed by signal (4|6|7|8|11|31)\b")
# An emulated machine (tools/vm) is slow, and its kernel may have its modules still to load.
SLOW = 4 if os.environ.get("SEKISHO_VM") else 1
PROGRAMS = ("sekisho-init", "sekishod", "sekisho-logd", "sekisho-compile", "sekisho-prove",
            "sekisho-inspect", "sekisho-maild", "sekisho-connect", "sekisho-clean", "sekisho-verify", "sekisho-tls",
            "sekisho-sign", "sekisho-alarm", "sekisho-hostd")


class Gate:
    """One running gate. Attributes: root (its --root), pid of sekisho-init, started (wall seconds)."""

    def __init__(self, build, town=None, work=None):
        self.build, self.town = os.path.abspath(build), town
        self.own_work = work is None
        self.work = work or tempfile.mkdtemp(prefix="sekisho-")
        os.chmod(self.work, 0o755)
        self.root = os.path.join(self.work, "root")
        self.libexec = os.path.join(self.work, "libexec")
        os.makedirs(self.root, exist_ok=True)
        os.makedirs(self.libexec, exist_ok=True)
        self.command = self._link_programs()
        self.process, self.started, self.found = None, time.time(), []

    def _find(self, name):
        for where, _, names in os.walk(os.path.join(self.build, "src")):
            if name in names:
                return os.path.join(where, name)
        raise FileNotFoundError(f"{name} is not built in {self.build}")

    def _link_programs(self):
        for name in PROGRAMS:
            link = os.path.join(self.libexec, name)
            if not os.path.lexists(link):
                os.symlink(self._find(name), link)
        return self._find("sekisho")

    # -- life ----------------------------------------------------------------------------------------------

    def start(self, timeout=60):
        """Starts sekisho-init and waits until the gate answers."""
        with open(os.path.join(self.work, "init.log"), "ab") as log:
            self.process = self.town.space.popen(
                GATEWAY, [os.path.join(self.libexec, "sekisho-init"), f"--root={self.root}",
                          f"--libexec={self.libexec}", "--foreground"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + timeout * SLOW
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"sekisho-init ended with {self.process.returncode}: {self.log_tail()}")
            if self.ask("status", "--json", check=False).stdout.strip():
                return
            time.sleep(0.05 * SLOW)
        raise RuntimeError(f"the gate does not answer: {self.log_tail()}")

    def log_tail(self, count=12):
        try:
            with open(os.path.join(self.work, "init.log"), encoding="utf-8", errors="replace") as f:
                return "\n".join(f.read().splitlines()[-count:])
        except FileNotFoundError:
            return ""

    def complaints(self):
        """Signs of a defect in any of the gate's programs: what the sanitizers of a build with them said (in a jail they may
        die of their own report: signal 31), and deaths that no test asks for."""
        return [line for line in self.log_tail(1000000).splitlines() if DEFECT.search(line)]

    def stop(self):
        """Ends init and whatever it left, and removes the work directory when it is ours."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        self.found = self.complaints()
        if self.own_work:
            subprocess.run(["rm", "-rf", self.work], check=False)

    def pids(self):
        """{program name: [pid]} of everything that runs in the gateway's namespace."""
        found = {}
        for pid in ns.run("ip", "netns", "pids", self.town.space.full(GATEWAY), check=False).stdout.split():
            try:
                exe = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            except OSError:
                continue
            found.setdefault(exe, []).append(int(pid))
        return found

    # -- questions -----------------------------------------------------------------------------------------

    def ask(self, *words, check=True, stdin=None, lang="en", inside=False):
        """inside: in the gateway's own namespace, for what the command itself reads of the machine."""
        where = ["ip", "netns", "exec", self.town.space.full(GATEWAY)] if inside else []
        done = subprocess.run([*where, self.command, "--lang", lang, "--root", self.root, *words], input=stdin,
                              capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"sekisho {' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def rows(self, *words, inside=False):
        return [json.loads(line) for line in self.ask(*words, "--json", inside=inside).stdout.splitlines() if line.strip()]

    def status(self):
        return json.loads(self.ask("status", "--json", check=False).stdout)

    def commit(self, policy_file, check=True, lang="en"):
        return self.ask("commit", policy_file, "--who", "test", "--why", "test", "--approval", "R8-000", check=check, lang=lang)

    def commit_text(self, text, check=True, lang="en"):
        path = os.path.join(self.work, "candidate.policy")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return self.commit(path, check=check, lang=lang)

    def drops(self, *words, limit=100000):
        return self.rows("log", "drops", "--all", "--limit", str(limit), *words)

    def wait_drop(self, match, timeout=4.0):
        """The newest record for which match(row) is true, or None when none comes within the time."""
        end = time.monotonic() + timeout
        while True:
            for row in reversed(self.drops()): # the newest comes last
                if match(row):
                    return row
            if time.monotonic() >= end:
                return None
            time.sleep(0.1)
