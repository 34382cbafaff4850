"""quickstart.py: the second half of tools/quickstart: raises the town, sends the packets, shows what proves what.

Started as root by tools/quickstart with a build directory that is ready. What runs is written to STATE, so that
--stop ends exactly that: processes by pid, namespaces by name.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import cases  # noqa: E402
import dates  # noqa: E402
import ns  # noqa: E402
import post  # noqa: E402
from gate import Gate  # noqa: E402
from policy import Policy  # noqa: E402
from stage import raise_ports, settle  # noqa: E402
from town import GATEWAY, WIRES, Town  # noqa: E402
from words import LANGUAGE, differs, pad, say  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PREFIX = "sekisho-"
STATE = "/run/sekisho-quickstart.json"
POLICIES = ("rootfs/etc/sekisho/examples/town.policy", "tests/netns/town-extra.policy")
START = time.monotonic()


def step(english, japanese):
    print(f"[{time.monotonic() - START:4.0f}s] {say(english, japanese)}", flush=True)


def policy_text():
    parts = []
    for name in POLICIES:
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            parts.append(dates.shift(f.read()))
    return "\n".join(parts)


# -- the state of a town that runs on --------------------------------------------------------------------------

def write_state(town, gate):
    with open(STATE, "w", encoding="utf-8") as f:
        json.dump({"pid": gate.process.pid, "namespaces": town.space.names, "work": gate.work}, f)


def left_over():
    """Namespaces of a town that was not taken down: only names that this town would have."""
    policy = Policy(policy_text())
    names = [PREFIX + n for n in (GATEWAY, WIRES, *policy.router, *policy.host)]
    there = set(ns.existing(PREFIX))
    return [n for n in names if n in there]


def stop():
    """Ends what STATE names, and what else is left of a town. 0 when something was stopped, 1 when nothing runs."""
    state = {"pid": None, "work": ""}
    if os.path.exists(STATE):
        with open(STATE, encoding="utf-8") as f:
            state = json.load(f)
        os.unlink(STATE)
    names = left_over()
    if not names and state["pid"] is None:
        step("no town is running", "動いている町はありません")
        return 1
    if state["pid"] is not None:
        end_process(state["pid"])
    ns.remove_namespaces(names)
    if os.path.basename(state["work"]).startswith("sekisho-"):
        shutil.rmtree(state["work"], ignore_errors=True)
    step("stopped; nothing is left", "止めました。何も残っていません")
    return 0


def end_process(pid):
    """The process is `ip netns exec` that became sekisho-init; another program under this pid is left alone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            if b"sekisho-init" not in f.read():
                return
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        pass


# -- the table -------------------------------------------------------------------------------------------------

def what_happened(result):
    if result.arrived:
        return say("arrived", "届いた")
    return say("blocked", "遮断") if result.record or result.ok else say("not arrived", "届かない")


def proof(result):
    """The drop record in a few words, or why the result is not what was expected."""
    if not result.ok:
        return result.why
    row = result.record
    if row is None:
        return say("both directions", "往復とも") if result.case.get("kind") in ("connect", "talk") else \
            say("seen behind the gate", "関所の先で確認")
    number = f"#{row['sequence']} " if row.get("sequence") else ""
    if row.get("why"):
        return number + row["reason"] + inspection(result.texts[LANGUAGE])
    text = f"{number}{row['reason']}"
    if row.get("nearest"):
        text += f" ({row['nearest']}: {differs(row['differs'])})" if row.get("differs") else f" ({row['nearest']})"
    return text


def inspection(text):
    """What the inspector said of it, as the log prints it: the sentences between "[reason]" and "[why]"."""
    found = re.search(r"\[[a-z-]+\](?:。|; )(.*?) \[[a-z0-9-]+\]", text)
    return say(": ", "。") + found.group(1) if found else ""


def print_head():
    print()
    print("     " + pad(say("tried", "試したこと"), 56) + pad(say("happened", "結果"), 12)
          + say("proof (drop record)", "証拠 (遮断記録)"))
    print("     " + "-" * 112)


def print_row(result):
    mark = "ok  " if result.ok else "NG  "
    text = f"{result.case[LANGUAGE]} [v{result.family}]"
    print(mark + " " + pad(text, 56) + pad(what_happened(result), 12) + proof(result), flush=True)


def print_summary(gate, results, mails):
    tried, wrong = len(results) + len(mails), [r for r in results + mails if not r.ok]
    print()
    step(f"{tried} tried, {tried - len(wrong)} as expected, {len(wrong)} not",
         f"{tried} 件を試し、{tried - len(wrong)} 件が期待どおり、{len(wrong)} 件が期待と違いました")
    print()
    print(gate.ask("status", check=False, lang=LANGUAGE).stdout.rstrip())
    print()
    print(gate.ask("log", "verify", check=False, lang=LANGUAGE).stdout.rstrip())
    print()


# -- the run ---------------------------------------------------------------------------------------------------

def raise_town():
    text = policy_text()
    town = Town(Policy(text), PREFIX)
    leftover = left_over()
    if leftover:
        raise SystemExit(say(f"a town is there already ({' '.join(leftover[:3])} …): tools/quickstart --stop takes it down",
                             f"町がすでにあります ({' '.join(leftover[:3])} …)。tools/quickstart --stop で片付きます"))
    step("raising the town in network namespaces", "町を名前空間の中に建てています")
    try:
        town.raise_()
    except BaseException:
        town.close()
        raise
    step(f"  {len(town.hosts)} hosts, {len(town.routers)} routers, {len(town.wires())} wires",
         f"  端末 {len(town.hosts)}、ルータ {len(town.routers)}、配線 {len(town.wires())}")
    for name in town.plain_vlans:
        step(f"  this kernel has no 8021q: {name} is a plain port of that name instead of a VLAN",
             f"  このカーネルには 8021q がありません。{name} は VLAN ではなく同じ名前の普通のポートです")
    return town, text


def run(options):
    table = cases.load(os.path.join(ROOT, "tests/netns/town.toml"))
    town, text = raise_town()
    gate = None
    kept = False
    try:
        gate = Gate(options.build, town, tempfile.mkdtemp(prefix="sekisho-", dir="/tmp"))
        gate.own_work = True
        step("starting the gate (sekisho-init), closed", "関所を起動しています (sekisho-init)。まだ閉じています")
        gate.start()
        write_state(town, gate)
        results = send_all(town, gate, text, table)
        mails = send_mails(town, gate)
        print_summary(gate, results, mails)
        good = all(r.ok for r in results + mails)
        if options.keep:
            kept = True
            print_kept()
        elif sys.stdin.isatty() and sys.stdout.isatty() and not options.check:
            shell(gate)
        return 0 if good else 1
    finally:
        if not kept:
            try:
                step("taking the town down", "町を片付けています")
            except OSError:
                pass  # nobody reads any more: all the more reason to leave nothing behind
            if gate is not None:
                gate.stop()
            town.close()
            if os.path.exists(STATE):
                os.unlink(STATE)


def send_all(town, gate, text, table):
    raise_ports(town)  # the gate raises them when the policy comes; the closed gate is tried before
    runner = cases.Runner(town, gate, print_row)
    print_head()
    results = runner.run([c for c in table if c.get("phase") == "closed"])
    committed = gate.commit_text(text, lang=LANGUAGE)
    print("     " + say("-- the policy is committed --", "-- 設定ファイルを反映 --") + " " + committed.stdout.strip().split("\n")[-1])
    settle(town)
    runner.gateway_macs = {w: town.gateway_mac(w) for w in town.wires()}
    return results + runner.run([c for c in table if c.get("phase") != "closed"])


# -- mail --------------------------------------------------------------------------------------------------------

def print_mail(result):
    mark = "ok  " if result.ok else "NG  "
    print(mark + " " + pad(say(result.en, result.ja), 56) + say(result.proof, result.japanese), flush=True)


def send_mails(town, gate):
    """Postfix on both sides of the mail gate. Results, empty when it is not installed."""
    lacking = post.missing()
    if lacking:
        step(f"mail is not tried: not installed: {' '.join(lacking)}", f"メールは試しません。入っていないもの: {' '.join(lacking)}")
        return []
    print("     " + say("-- mail, with Postfix on both sides --", "-- メール（両側に Postfix） --"))
    servers = post.Post(town, gate)
    try:
        servers.start()
        results, text = servers.try_all(print_mail)
    finally:
        servers.stop()
    if text:
        print()
        print("     " + say("what arrived in the mailbox of the LGWAN side:", "LGWAN側の受信箱に届いたもの:"))
        for line in text.splitlines()[:40]:
            print("     | " + line)
        print()
        print("     " + say("its row in the mail ledger (sekisho log mail):", "メール台帳 (sekisho log mail):"))
        for line in gate.ask("log", "mail", "--limit", "5", check=False, lang=LANGUAGE).stdout.splitlines():
            print("     | " + line)
    return results


# -- in the town -----------------------------------------------------------------------------------------------

def helptext():
    return say("""You are at the gate of the town. Three things to try; `?` lists what can be typed, exit takes the town down.

 1. See what was blocked, and why:
      show log drops reason no-rule limit 5
 2. Make a permission of it, from one that is like it:
      configure
      copy allow jumin-file to trial
      set allow trial service tcp/80
      compare
 3. Put it in force for a minute, and let it go back by itself:
      commit confirmed 1 who me why "trying" approval R8-999
""", """町の関所の前にいます。試してみる三つのこと。`?` で入力できる語が分かり、exit で町は片付きます。

 1. 何がなぜ遮断されたかを見る:
      show log drops reason no-rule limit 5
 2. 似た許可から、許可の案を作る:
      configure
      copy allow jumin-file to trial
      set allow trial service tcp/80
      compare
 3. 1分だけ有効にして、ひとりでに元へ戻るのを見る:
      commit confirmed 1 who 自分 why "試し" approval R8-999
""")


def shell(gate):
    print(helptext(), flush=True)
    subprocess.run([gate.command, "--root", gate.root], check=False)


def print_kept():
    print(say(f"The town runs on. Machines: ip netns list ({PREFIX}*). End it with: tools/quickstart --stop",
              f"町は動いたままです。機器: ip netns list ({PREFIX}*)。終えるには: tools/quickstart --stop"))


def main():
    parser = argparse.ArgumentParser(prog="tools/quickstart")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--stop", action="store_true")
    options = parser.parse_args()
    if options.stop:
        return stop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
