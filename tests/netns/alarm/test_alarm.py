"""test_alarm.py: alarm mail from a real gate to a real Postfix.

- a finding is mailed, once; `sekisho alarm test` says that the mail server took it
- the mail server is down: what happens meanwhile waits, is tried again, and arrives when it is back
- sekisho-alarm is killed while notices wait: nothing is lost, nothing that was mailed comes again
- no address, name or label of a mynumber host is in any mail, though the gate's own records name one
- a mail that waits for approval, and one that was let through with a warning of individual numbers, are told once each
- the daily report comes at its time, once
"""
import json
import os
import re
import shutil
import signal
import sys
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))

import ns  # noqa: E402
import post  # noqa: E402
import quickstart  # noqa: E402
import stage  # noqa: E402

PLANTED = ("10.1.10.5", "jumin-ap", "住民記録AP", "02:00:00:01:00:20", "mn-relay", "更新中継サーバ", "2001:db8:1::20")
SECRET = "123456789018"


def texts(server):
    """(subject, body) of everything that the gate itself has mailed."""
    found = []
    for mail in server.mails():
        parsed = message_from_bytes(mail, policy=policy.default)
        if parsed["Auto-Submitted"] == "auto-generated" and "sekisho@" in parsed["From"]:
            found.append((str(parsed["Subject"]), parsed.get_content()))
    return found


def wait(match, timeout=60.0):
    """The first (subject, body) for which match(subject, body) holds, or None."""
    def look(server):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for subject, body in texts(server):
                if match(subject, body):
                    return subject, body
            time.sleep(0.3)
        return None
    return look


def alarm(st):
    return st.gate.status()["alarm"]


def wait_alarm(st, match, timeout=30.0):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if match(alarm(st)):
            return True
        time.sleep(0.3)
    return False


def hurry(st):
    """What waits goes with a test mail, which waits for nothing but the last mail: ten seconds at most."""
    time.sleep(12)
    return st.gate.ask("alarm", "test", check=False, lang="ja")


def kill(st, name):
    os.kill(st.gate.pids()[name][0], signal.SIGKILL)


def first_mail(st, servers):
    done = st.gate.ask("alarm", "test", check=False, lang="ja")
    st.tap.check("sekisho alarm test: the mail server took it", done.returncode == 0 and "受け取りました" in done.stdout,
                 done.stdout + done.stderr + servers.inside.said()[-400:])
    mail = wait(lambda s, b: "試験です" in b)(servers.inside)
    st.tap.check("the test mail arrived, with the state of the gate", mail and "[関所 gate-01]" in mail[0] and
                 re.search("正常|注意|異常", mail[0]) and "関所は設定どおりに開いています" in mail[1], mail)
    st.tap.check("status says what was sent", alarm(st)["sent"] >= 1 and alarm(st)["last_sent"] and alarm(st)["state"] != "failing",
                 alarm(st))


def held_mail(servers):
    """A mail with a ZIP, the same bytes each time it is sent."""
    zipped = shutil.make_archive(os.path.join(servers.inside.folder, "x"), "zip", servers.inside.folder, "main.cf")
    mail = EmailMessage()
    mail["From"], mail["To"] = "joho@" + post.DOMAIN, "takahashi@example.com"
    mail["Date"], mail["Message-ID"], mail["Subject"] = "Fri, 20 Nov 2026 10:00:00 +0900", "<held@town>", "x"
    mail.set_content("x\n")
    with open(zipped, "rb") as f:
        mail.add_attachment(f.read(), maintype="application", subtype="zip", filename="x.zip")
    return mail.as_bytes()


def mail_notices(st, servers):
    """`mynumber warn` and `hold`: sent twice, told once."""
    for _ in range(2):
        code, said = servers.swaks("lgwan-mta", post.GATE_OUT, "joho@" + post.DOMAIN, "takahashi@example.com", "--header",
                                   "Content-Type: text/plain; charset=UTF-8", "--header", "MIME-Version: 1.0", "--header",
                                   "Date: Fri, 20 Nov 2026 10:00:00 +0900", "--header", "Message-Id: <same@town>",
                                   "--body", post.NUMBERS)
        st.tap.check("a mail with individual numbers is let through (mynumber warn)", code == 0, said[-400:])
    row = servers.row(direction="out", verdict="passed")
    st.tap.check("its row says that the people in charge are told", row and "mynumber-notice" in row["notes"], row)
    letter = os.path.join(servers.inside.folder, "held.eml")
    with open(letter, "wb") as f:
        f.write(held_mail(servers))
    for _ in range(2):
        code, said = servers.swaks("lgwan-mta", post.GATE_OUT, "joho@" + post.DOMAIN, "takahashi@example.com", "--data", "@" + letter)
        st.tap.check("a mail with an attachment is held", code != 0 and "450" in said, said[-400:])
    held = servers.row(direction="out", verdict="held")
    hurry(st)
    warned = wait(lambda s, b: row and row["receipt"] in b)(servers.inside)
    waits = wait(lambda s, b: held and held["receipt"] in b)(servers.inside)
    st.tap.check("the warning is mailed: receipt number and sender", warned and "個人番号" in warned[1] and
                 "joho@" + post.DOMAIN in warned[1], (warned, alarm(st)))
    st.tap.check("the held mail is mailed, with what to do", waits and f"sekisho mail approve {held['receipt']}" in waits[1], (waits, held))
    bodies = "".join(b for _, b in texts(servers.inside))
    st.tap.check("each once", row and held and bodies.count(f"受付番号 {row['receipt']}") == 1 and
                 bodies.count(f"受付番号 {held['receipt']}") == 1, bodies)
    digits = re.sub(r"[^0-9]", "", bodies)
    st.tap.check("never the individual numbers", SECRET not in digits and "987654321093" not in digits, bodies)


def deaf(servers, on):
    """lgwan-mta refuses connections to its mail server, or does not any more."""
    words = ("add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }; "
             "add rule inet deaf in tcp dport 25 reject with tcp reset") if on else "delete table inet deaf"
    ns.run("ip", "netns", "exec", servers.space.full("lgwan-mta"), "nft", words)


def server_down(st, servers):
    """Two tries fail; what happened meanwhile arrives in the end. sekisho-alarm is killed in between."""
    before = texts(servers.inside)
    deaf(servers, True)
    kill(st, "sekisho-clean")
    time.sleep(2)
    said = hurry(st)
    st.tap.check("sekisho alarm test says that it was not taken", said.returncode == 1 and "受け取りませんでした" in said.stderr, said)
    st.tap.check("two tries fail: status says why, and what waits", wait_alarm(st, lambda a: a["failures"] >= 2 and a["waiting"] > 0 and
                                                                               a["error"], 60), alarm(st))
    shown = st.gate.ask("status", lang="ja").stdout
    st.tap.check("so does the page for people", "受け取られません" in shown, shown)
    kill(st, "sekisho-alarm")
    kill(st, "sekisho-verify")
    st.tap.check("a new sekisho-alarm has all of it again", wait_alarm(st, lambda a: a["waiting"] >= 3, 30), alarm(st))
    st.tap.check("nothing arrived meanwhile", len(texts(servers.inside)) == len(before), texts(servers.inside)[len(before):])
    deaf(servers, False)
    hurry(st)
    cleaned, verified, restarted = [wait(lambda s, b, n=n: f"sekisho-{n}" in b)(servers.inside) for n in ("clean", "verify", "alarm")]
    st.tap.check("when it is back all of it arrives", cleaned and verified and restarted, (alarm(st), servers.inside.said()[-600:]))
    st.tap.check("nothing waits any more", wait_alarm(st, lambda a: a["waiting"] == 0 and a["failures"] == 0, 60), alarm(st))
    again = [b for _, b in texts(servers.inside) if "個人番号を含むとみられる" in b]
    st.tap.check("what was mailed before does not come again", len(again) == 1, again)


def masked(st, servers):
    """The gate's own records name a mynumber host; the mail does not."""
    done = st.gate.ask("commit", st.gate.work + "/candidate.policy", "--who", "jumin-ap", "--why",
                       "住民記録AP (10.1.10.5, 2001:db8:1::20) を止める。mn-relay 02:00:00:01:00:20", check=False)
    st.tap.check("a commit whose reason names mynumber hosts", done.returncode == 0, done.stdout + done.stderr)
    refused = st.gate.ask("mail", "resume", "out", "--who", "住民記録AP 10.1.10.5", check=False)
    st.tap.check("and an operator's act that is told at once", refused.returncode == 0, refused.stderr)
    hurry(st)
    told = wait(lambda s, b: "mail-resumed" in b)(servers.inside)
    st.tap.check("it is mailed with the host's number in the policy", told and "マイナンバー利用事務系の端末1" in told[1], (told, alarm(st)))
    rows = json.dumps(st.gate.rows("log", "faults"), ensure_ascii=False)
    st.tap.check("the records do have the name", "住民記録AP" in rows, rows[-400:])


def report(st, servers, text):
    """At the next minute, in the policy's zone."""
    due = time.time() + 9 * 3600 + 65
    minute = time.strftime("%H:%M", time.gmtime(due))
    st.gate.commit_text(text.replace("daily-report 08:30", f"daily-report {minute}"))
    mail = wait(lambda s, b: "日報" in s, 240)(servers.inside)
    st.tap.check("the daily report arrives", mail and "の日報" in mail[1] and "遮断したパケット" in mail[1], (mail, alarm(st)))
    body = mail[1] if mail else ""
    st.tap.check("it counts mails and changes", "個人番号の警告つき: " in body and "設定の変更: " in body and "第2世代" in body, body)
    kill(st, "sekisho-alarm")
    time.sleep(1)
    kill(st, "sekishod")
    time.sleep(12)
    st.tap.check("one a day, whoever is started again", len([s for s, _ in texts(servers.inside) if "日報" in s]) == 1,
                 [s for s, _ in texts(servers.inside)])


def nobody_named(st, servers):
    everything = "\n".join(s + b for s, b in texts(servers.inside))
    raw = b"\n".join(m for m in servers.inside.mails()).decode("utf-8", "replace")
    for word in PLANTED:
        st.tap.check(f"no mail of the gate has {word}", word not in everything and word not in raw,
                     [line for line in everything.splitlines() if word in line])


def main():
    options = stage.arguments(__doc__)
    lacking = post.missing()
    if lacking:
        print("1..0 # SKIP needs", " ".join(lacking))
        return 77
    text = quickstart.policy_text().replace("mynumber refuse", "mynumber warn")
    text += "set mail outbound attachments type zip action hold\n"
    with stage.Stage(options.build, text, hosts=True) as st:
        servers = post.Post(st.town, st.gate)
        try:
            servers.start()
            first_mail(st, servers)
            mail_notices(st, servers)
            masked(st, servers)
            server_down(st, servers)
            report(st, servers, text)
            nobody_named(st, servers)
        finally:
            servers.stop()
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
