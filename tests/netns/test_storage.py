"""test_storage.py: disks that are full, read-only or rotten, under a running gate.

- the disk of the generations is full: a commit fails with the reason, the old policy stays; with room it works again
- everything is read-only: the gate starts, keeps its policy, and lets nothing new pass that it cannot record
- the store of the records rots or is held by somebody: it is set aside, and recording goes on; on a full disk what was
  set aside gives way
- the recorder is killed again and again under a flood: kernel counter = stored + log-loss for every reason
"""
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import dates  # noqa: E402
import stage  # noqa: E402
from checks import balance, fault_codes, findings, passes, wait_for  # noqa: E402
from town import WIRES  # noqa: E402

STATE = "var/lib/sekisho"
STORE = STATE + "/log/records.db"


class Disks(stage.Stage):
    """A stage whose state lies on disks of its own: STATE, and in it a small one for the generations."""

    def prepare(self):
        self.mounted = []
        self.mount(STATE, "64m")
        self.mount(STATE + "/gate", "1m")

    def mount(self, below, size):
        path = os.path.join(self.gate.root, below)
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", path], check=True)
        self.mounted.append(path)

    def remount(self, how, paths):
        """Here and in the gate's own mount namespace (ip netns makes one), where a mount has flags of its own."""
        pids = [] if self.gate.process.poll() is not None else self.gate.pids().get("sekisho-init", [])
        for inside in [[]] + [["nsenter", "-t", str(pid), "-m"] for pid in pids]:
            for path in paths:
                subprocess.run([*inside, "mount", "-o", f"remount,{how}", path], check=True)

    def _close(self):
        if self.gate is not None and self.gate.process is not None:
            self.gate.process.terminate()
            self.gate.process.wait()
        for path in reversed(getattr(self, "mounted", [])):
            subprocess.run(["umount", "-l", path], check=False)
        super()._close()


def restart(st):
    st.gate.process.terminate()
    st.gate.process.wait(10)
    st.gate.start()


def full_generations(st, run):
    filler = os.path.join(st.gate.root, STATE, "gate", "filler")
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], stderr=subprocess.DEVNULL, check=False)
    generation = st.gate.status()["generation"]
    done = st.gate.commit_text(st.text + "set allow more from pc to sv service udp/7001\n", check=False)
    said = done.stdout + done.stderr
    st.tap.check("the disk of generations is full: a commit fails and says so", done.returncode == 1 and
                 "No space left" in said, said)
    st.tap.check("the old policy stays in force", st.gate.status()["generation"] == generation and passes(run) and
                 not passes_udp(run, 7001), st.gate.status())
    st.tap.check("and it is a finding", "store-broken" in findings(st), findings(st))
    restart(st)
    opened = wait_for(lambda: st.gate.status().get("open") and passes(run), 10)
    st.tap.check("started again with the disk full: the stored policy is in force", opened is not None, st.gate.status())
    os.unlink(filler)
    done = st.gate.commit_text(st.text + "set allow more from pc to sv service udp/7001\n", check=False)
    st.tap.check("with room it works", done.returncode == 0 and passes_udp(run, 7001) and
                 "store-broken" not in findings(st), done.stdout + done.stderr)


def passes_udp(run, port):
    return run.send(run.flow({"from": "pc", "to": "sv", "proto": "udp", "port": port}, 4), {}, True)


def read_only(st, run):
    st.remount("ro", st.mounted[1:])
    try:
        generation = st.gate.status()["generation"]
        done = st.gate.commit_text(st.text, check=False)
        st.tap.check("a read-only disk: a commit fails, the old policy stays", done.returncode == 1 and
                     st.gate.status()["generation"] == generation, done.stdout + done.stderr)
        st.gate.process.terminate()
        st.gate.process.wait(10)
        st.remount("ro", st.mounted[:1])
        st.gate.start()
        told = wait_for(lambda: "log-full" in findings(st) and st.gate.status()["generation"] == generation, 15)
        st.tap.check("started again on a read-only disk: the stored policy, and records are said to be impossible",
                     told is not None, st.gate.status())
        closed = wait_for(lambda: not passes(run, expected=False), 10)
        st.tap.check("and nothing new passes that could not be recorded", closed is not None, st.gate.status())
    finally:
        st.remount("rw", st.mounted)
    opened = wait_for(lambda: st.gate.status()["log"]["writable"] and passes(run), 25)
    st.tap.check("when it can be written again, all is as before", opened is not None, st.gate.status())
    wrong = balance(st)
    st.tap.check("and law 3 holds", not wrong, "\n".join(wrong))


def drop_is_recorded(st, run, port):
    flow = run.flow({"from": "pc", "to": "sv", "port": port}, 4)
    run.put(flow, run.packet(flow, {}))
    return st.gate.wait_drop(lambda r: r.get("dport") == port and r["reason"] == "no-rule", 10) is not None


def kill_recorder(st):
    """SIGKILL; back within 1.5 s."""
    pid = st.gate.pids()["sekisho-logd"][0]
    os.kill(pid, signal.SIGKILL)
    return wait_for(lambda: st.gate.pids().get("sekisho-logd", [pid])[0] != pid, 1.5)


def rot(st, names, offset=0, size=1 << 20):
    """Garbage over these files of the store, from there on."""
    for name in names:
        with open(os.path.join(st.gate.root, STATE, "log", name), "r+b") as f:
            f.seek(offset)
            f.write(os.urandom(min(size, os.fstat(f.fileno()).st_size - offset)))


def set_asides(st):
    names = os.listdir(os.path.join(st.gate.root, STATE, "log"))
    return sorted(n for n in names if "set-aside" in n and not n.endswith(("-wal", "-shm")))


def rotten_store(st, run):
    """All of it; and the database under a log that has its newest pages. The recorder is started again on it."""
    for port, names, offset in ((8101, ("records.db", "records.db-wal"), 0), (8102, ("records.db",), 4096)):
        label = "all of it" if offset == 0 else "under its log"
        st.tap.check(f"a drop before the store rots ({label})", drop_is_recorded(st, run, port))
        rot(st, names, offset)
        back = kill_recorder(st)
        st.tap.check(f"the store rots ({label}): the recorder is back", back is not None, st.gate.log_tail(5))
        st.tap.check(f"the next drop is recorded ({label})", drop_is_recorded(st, run, port + 100), st.gate.log_tail(5))
        wrong = balance(st)
        st.tap.check(f"and law 3 holds ({label})", not wrong, "\n".join(wrong))
    st.tap.check("a store that cannot be used is set aside, and that is told", len(set_asides(st)) >= 1 and
                 wait_for(lambda: "store-set-aside" in fault_codes(st), 5) is not None, [fault_codes(st), set_asides(st)])


def asides_in_the_way(st, run):
    """Stores that were set aside, and others, fill the disk: the oldest makes room for the one that is needed."""
    before = set_asides(st)
    filler = os.path.join(st.gate.root, STATE, "filler")
    rot(st, ("records.db", "records.db-wal"))
    os.unlink(os.path.join(st.gate.root, STATE, "log", "ballast"))
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], stderr=subprocess.DEVNULL, check=False)
    kill_recorder(st)
    wait_for(lambda: not st.gate.status()["log"]["writable"], 2)
    writable = wait_for(lambda: st.gate.status()["log"]["writable"], 15)
    st.tap.check("what was set aside gives way on a full disk", writable is not None and before[0] not in set_asides(st) and
                 drop_is_recorded(st, run, 8401), [before, set_asides(st), st.gate.log_tail(3)])
    os.unlink(filler)


def held_store(st, run):
    """Somebody else holds the store's lock when the recorder comes up."""
    path = os.path.join(st.gate.root, STORE)
    pid = st.gate.pids()["sekisho-logd"][0]
    os.kill(pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    other, locked = None, False
    end = time.monotonic() + 3
    while not locked and time.monotonic() < end:
        try:
            other = sqlite3.connect(path, timeout=0, isolation_level=None)
            other.execute("PRAGMA locking_mode=EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            locked = True
        except sqlite3.Error:
            other.close()
            other = None
            recorder = st.gate.pids().get("sekisho-logd", [])
            if recorder:
                os.kill(recorder[0], signal.SIGKILL)
    st.tap.check("the store is held by somebody else", locked)
    wait_for(lambda: not st.gate.status()["log"]["writable"], 3)
    writable = wait_for(lambda: st.gate.status()["log"]["writable"], 15)
    st.tap.check("within seconds drops are recorded all the same", writable is not None and drop_is_recorded(st, run, 8301),
                 [st.gate.log_tail(5), findings(st)])
    if other is not None:
        other.close()
    opened = wait_for(lambda: st.gate.status().get("open") and passes(run), 15)
    st.tap.check("and the gate is open", opened is not None, st.gate.status())
    wrong = balance(st)
    st.tap.check("and law 3 holds after all of it", not wrong, "\n".join(wrong))


def kills_under_flood(st, rng):
    """Law 3 is exact after a flood in which recorder and keeper were killed at any moment."""
    stop = os.path.join(st.gate.work, "stop")
    words = ["--dev", "w-eth2", "--smac", "02:00:00:02:20:10", "--dmac", st.town.gateway_mac("eth2"), "--src",
             "10.2.20.10", "--dst", "10.2.0.8", "--dport", "20000-50000", "--sport", "1024-65000", "--rate", "20000",
             "--seconds", "60", "--until", stop]
    flood = st.town.space.popen(WIRES, [os.path.join(st.build, "tests/netns/load"), "raw", *words],
                                stdout=subprocess.DEVNULL)
    for name in ("sekisho-logd", "sekishod", "sekisho-logd", "sekisho-logd", "sekishod"):
        time.sleep(rng.uniform(0.2, 1.2))
        for pid in st.gate.pids().get(name, []):
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    with open(stop, "w", encoding="ascii"):
        pass
    flood.wait()
    wait_for(lambda: st.gate.status().get("open"), 10)
    wrong = balance(st, 20)
    status = st.gate.status()
    st.tap.check("killed under a flood: kernel counters = stored + log-loss for every reason", not wrong and
                 status["dropped"].get("no-rule", 0) > 10000, "\n".join(wrong) or status["dropped"])
    print(f"# no-rule: {status['dropped'].get('no-rule')} dropped, {status['log']['stored'].get('no-rule')} stored, "
          f"{status['log']['loss'].get('no-rule', 0)} lost")


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    print(f"# seed {seed}")
    with Disks(options.build, text) as st:
        run = cases.Runner(st.town, st.gate)
        full_generations(st, run)
        read_only(st, run)
        rotten_store(st, run)
        asides_in_the_way(st, run)
        held_store(st, run)
        kills_under_flood(st, random.Random(seed))
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
