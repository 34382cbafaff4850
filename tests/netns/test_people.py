"""test_people.py: people at a running gate, with real users and groups.

- every role by the command: what it may, and the sentence when it may not; who has no group is not let in
- a session of the shell on a terminal: login, lines and logout are records, under the account's name
- records: written by those who may, read by those who may, in the chain
- generations: going back, and a commit that nobody confirms: the old one returns, after kill -9 of sekishod too
- kill -9 of sekishod at any moment of a commit leaves exactly the old or exactly the new policy
"""
import json
import os
import pty
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "harness"))

import dates  # noqa: E402
import stage  # noqa: E402

CONTROL = 973
ROLES = {"viewer": 980, "auditor": 981, "operator": 982, "administrator": 983, "maintenance": 984}
UIDS = {"viewer": 21001, "auditor": 21002, "operator": 21003, "administrator": 21004, "maintenance": 21005, "nobody": 21006}
SIGNED = ("--who", "test", "--why", "exercise")


def accounts(st):
    path = os.path.join(st.gate.root, "etc")
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "passwd"), "w", encoding="utf-8") as f:
        f.write("root:x:0:0::/:/bin/sh\n" + "".join(f"{r}-san:x:{u}:100::/:/bin/sh\n" for r, u in UIDS.items()))


def who(role):
    groups = [CONTROL, ROLES[role]] if role in ROLES else []
    return {"user": UIDS[role], "group": 100, "extra_groups": groups}


def ask(st, role, *words):
    return subprocess.run([st.gate.command, "--lang", "en", "--root", st.gate.root, *words], capture_output=True, text=True,
                          check=False, cwd="/", **who(role))


def roles(st, policy):
    can = {
        "viewer": {"status", "history"},
        "auditor": {"status", "history", "prove"},
        "maintenance": {"status", "history", "prove"},
        "operator": {"status", "history", "prove", "record"},
        "administrator": {"status", "history", "prove", "record", "commit"},
        "nobody": set(),
    }
    words = {"status": ("status",), "history": ("history",), "prove": ("prove",),
             "record": ("record", "work", "new", "exercise", "--who", "test"), "commit": ("commit", policy, *SIGNED)}
    for role, allowed in can.items():
        for verb, line in words.items():
            done = ask(st, role, *line)
            if role == "nobody":
                good = done.returncode == 3
            elif verb in allowed:
                good = done.returncode == 0
            else:
                good = done.returncode == 1 and "it takes the role" in done.stderr and f"{role}-san" in done.stderr
            st.tap.check(f"{role}: {verb} {'is done' if verb in allowed else 'is refused'}", good, (done.returncode, done.stdout, done.stderr))
    time.sleep(2)
    refused = [r for r in st.gate.rows("log", "commands", "--limit", "200") if r["result"] == "refused"]
    st.tap.check("refusals are records", {"viewer-san", "auditor-san", "maintenance-san"} <= {r["account"] for r in refused}, refused)
    newest = st.gate.rows("history")[-1]
    st.tap.check("a generation knows its account", newest["account"] == "administrator-san" and newest["uid"] == UIDS["administrator"],
                 newest)


def session(st):
    """The shell on a terminal, as an operator."""
    master, slave = pty.openpty()
    shell = subprocess.Popen([st.gate.command, "--lang", "en", "--root", st.gate.root], stdin=slave, stdout=slave, stderr=slave,
                             start_new_session=True, cwd="/", env={"TERM": "vt100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                             **who("operator"))
    os.close(slave)
    time.sleep(2)
    here = st.gate.rows("sessions")
    st.tap.check("the session is listed", len(here) == 1 and here[0]["account"] == "operator-san" and here[0]["role"] == "operator", here)
    for line in (b"show version\r", b"exit\r"):
        os.write(master, line)
        time.sleep(1.5)
    end = time.monotonic() + 10
    while shell.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    if shell.poll() is None:
        shell.kill()
        shell.wait()
    os.close(master)
    time.sleep(2)
    st.tap.check("and gone", not st.gate.rows("sessions"), st.gate.rows("sessions"))
    events = [(r["account"], r["event"]) for r in st.gate.rows("log", "logins", "--who", "operator")]
    st.tap.check("login and logout are records", events[-2:] == [("operator-san", "begin"), ("operator-san", "end")], events)
    lines = [r["text"] for r in st.gate.rows("log", "commands", "--who", "operator") if r["kind"] == "line"]
    st.tap.check("its lines are records", "show version" in lines, lines)


def records(st):
    for words in (("incident", "new", "virus", "--who", "sato", "--cause", "mail", "--since", "1h"),):
        done = ask(st, "operator", "record", *words, "--json")
        number = json.loads(done.stdout)["number"]
    ask(st, "administrator", "record", "incident", "close", str(number), "--who", "suzuki", "--prevention", "training")
    wrong = ask(st, "operator", "record", "work", "add", str(number), "--who", "sato", "--note", "x")
    st.tap.check("a number is of its kind", wrong.returncode == 1 and "another kind" in wrong.stderr, wrong.stderr)
    shown = json.loads(ask(st, "auditor", "record", "incident", "show", str(number), "--json").stdout)
    st.tap.check("an auditor reads it, with who wrote it", shown["state"] == "closed" and
                 [e["account"] for e in shown["entries"]] == ["operator-san", "administrator-san"], shown)
    st.tap.check("its time line has what the gate did", any("generation" in x for x in shown["entries"][0]["note"]), shown)
    verified = json.loads(st.gate.ask("log", "verify", "--json").stdout)
    st.tap.check("the chain is whole", verified["ok"], verified)


def running(st):
    return st.gate.ask("running").stdout


def alive(st, timeout=20):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            status = st.gate.status()
            if status["open"]:
                return status
        except (json.JSONDecodeError, KeyError):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the gate is not back: {st.gate.log_tail()}")


def kill(st):
    for pid in st.gate.pids().get("sekishod", []):
        os.kill(pid, signal.SIGKILL)


def write(st, name, text):
    path = os.path.join(st.gate.work, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o644)
    return path


def generations(st, text):
    old, before = running(st), st.gate.status()["generation"]
    other = write(st, "other.policy", text + "# another one\n")
    done = json.loads(ask(st, "administrator", "commit", other, *SIGNED, "--confirm", "1", "--json").stdout)
    begun = time.monotonic()
    st.tap.check("a commit that waits is in force", done["ok"] and done["confirm_minutes"] == 1 and running(st) != old, done)
    second = ask(st, "administrator", "commit", other, *SIGNED)
    st.tap.check("another commit is told to wait", second.returncode == 1 and "waits to be confirmed" in second.stdout, second.stdout)
    kill(st)
    alive(st)
    st.tap.check("after kill -9 it still waits", running(st) != old and st.gate.rows("history")[-1]["unconfirmed"], st.gate.rows("history")[-1])
    while time.monotonic() - begun < 75 and running(st) != old:
        time.sleep(0.5)
    took = time.monotonic() - begun
    st.tap.check("nobody confirmed: the old one is back after the minute", running(st) == old and 59 <= took <= 75, took)
    print(f"# back after {took:.1f} s")
    newest = st.gate.rows("history")[-1]
    st.tap.check("as a generation of its own", newest["of"] == before and newest["generation"] == done["generation"] + 1, newest)
    ask(st, "administrator", "commit", other, *SIGNED, "--confirm", "1")
    confirmed = ask(st, "administrator", "confirm")
    st.tap.check("confirmed, it stays", confirmed.returncode == 0 and st.gate.rows("history")[-1]["unconfirmed"] is False, confirmed.stderr)
    stale = ask(st, "administrator", "commit", other, *SIGNED, "--base", str(before))
    st.tap.check("a commit from an older generation is refused", stale.returncode == 1 and "merge it first" in stale.stdout, stale.stdout)
    back = ask(st, "administrator", "rollback", str(before), *SIGNED)
    st.tap.check("rollback", back.returncode == 0 and running(st) == old, back.stdout + back.stderr)


def killed(st, text, rounds):
    """kill -9 at any moment of a commit."""
    seed = random.randrange(1 << 30)
    rnd = random.Random(seed)
    print(f"# seed {seed}")
    texts = [running(st), text + "# the other one\n"]
    paths = [write(st, f"kill{i}.policy", t) for i, t in enumerate(texts)]
    bad, news = [], 0
    for i in range(rounds):
        want = texts[1] if running(st) == texts[0] else texts[0]
        before = running(st)
        commit = subprocess.Popen([st.gate.command, "--root", st.gate.root, "commit", paths[texts.index(want)], *SIGNED],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rnd.uniform(0, 0.6))
        kill(st)
        commit.wait()
        status = alive(st)
        now = running(st)
        news += now == want
        if now not in (before, want) or status["generation"] != max(r["generation"] for r in st.gate.rows("history") if r["running"]):
            bad.append((i, status["generation"], now[:80]))
    st.tap.check(f"kill -9 in {rounds} commits: exactly the old or the new", not bad, bad)
    print(f"# {news} of {rounds} commits were through")


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    with stage.Stage(options.build, text, hosts=False) as st:
        accounts(st)
        kill(st) # its jail knows only what was there when it began
        alive(st)
        policy = write(st, "people.policy", text)
        roles(st, policy)
        session(st)
        records(st)
        generations(st, text)
        killed(st, text, 6 if options.short else 20)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
