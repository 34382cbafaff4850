#!/usr/bin/python3
"""test_mailverify_parsers.py: whatever the verifier accepts, other programs' parsers see one part of plain text in it.

usage: test_mailverify_parsers.py SEKISHO CORPUS PARTS_MIMETOOLS [PARTS_GMIME]

Mails: those of CORPUS that `sekisho verify` accepts, and many that are made here at random from the grammar of
rootfs/doc/mail-output.md, with everything in names, subjects and identifiers that it allows and that a parser could take for
something else: boundaries, types, comments, begin lines. The parsers are Python's email (two policies), MIME-tools, and GMime
where it is installed. Each must see exactly one entity, text/plain, UTF-8, and the text that is really in it. TAP.
"""
import base64
import email
import email.policy
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

FIXED = ("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n")
# What a subject may hold as plain tokens.
LURES = ["boundary=x", "--x", "--x--", "Content-Type:", "text/html;", "multipart/mixed", "\"", "(", "((", ")", "<", ">", ";", ",",
         "begin", "644", "x.exe", "=", "?=", "=_", "=3D", "\\", "\\\"", "@", "a@b", "From", ">From", "MIME-Version:", "%0d%0a",
         "&#13;", "*0*=", "utf-7''", "[", "]", "{", "}", "~{", "$B", "+AGE-", "x" * 60, ".", "..", "quoted-printable", "7bit"]
ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"
TEXTS = ["関所の掟\n", "--x\nContent-Type: text/html\n\n<b>\n", "begin 644 x.exe\n#86)C\n`\nend\n", "From a\n>From b\n", ".\n..\n.\nQUIT\n",
         "=ybegin line=128 size=1 name=x\n", "あ" * 3000 + "\n", "\n\na\n", "\tx\n", "hxxp://a\n", "-- \nsig\n",
         "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nb\n--x--\n", "a" * 100000 + "\n", "😀é𠮷①㈱\n"]


def atom(r):
    while True:
        s = "".join(r.choice(ATEXT) for _ in range(r.randint(1, 12)))
        if "=?" not in s:
            return s


def words(r):
    text = "".join(r.choice(["関", "所", "é", "😀", "a", " ", "\"", "<", ">", ",", ";", "=?", "@"]) for _ in range(r.randint(1, 30)))
    out, part = [], ""
    for c in text:
        if len((part + c).encode()) > 45:
            out.append(part)
            part = ""
        part += c
    out.append(part)
    return ["=?UTF-8?B?" + base64.b64encode(p.encode().ljust(3, b"x")).decode() + "?=" for p in out]


def address(r):
    local = r.choice([atom(r), atom(r) + "." + atom(r), "\"" + atom(r) + "..\""])
    return f"<{local}@{r.choice(['example.jp', 'a', 'xn--eckwd4c7c.jp', '_x.example', 'a-b.c'])}>"


def mailbox(r):
    name = r.choice([[], [atom(r) for _ in range(r.randint(1, 4))], words(r)])
    return name + [address(r)]


def mailboxes(r, most):
    out = []
    for i in range(r.randint(1, most)):
        if i > 0:
            out[-1] += ","
        out += mailbox(r)
    return out


def identifier(r):
    return "<" + "".join(r.choice(ATEXT.replace("?", "") + ".@:[]") for _ in range(r.randint(1, 40))) + ">"


def field(r, name, tokens):
    line, out = name + ":", ""
    first = True
    for t in tokens:
        if not first and (len(line) + 1 + len(t) > 76 or r.random() < 0.3):
            out += line + "\r\n"
            line = ""
        line += " " + t
        first = False
    return out + line + "\r\n"


def make(r):
    """A mail of the language, with a random choice of its fields; what is too long a line the verifier refuses."""
    fields = []
    if r.random() < 0.7:
        fields.append(("Date", ["Fri,", "20", "Nov", "2026", "16:03:22", "+0900"]))
    fields.append(("From", mailbox(r)))
    for name, most in (("Reply-To", 3), ("To", 8), ("Cc", 8)):
        if r.random() < 0.5:
            fields.append((name, mailboxes(r, most)))
    if r.random() < 0.9:
        fields.append(("Subject", r.choice([[r.choice(LURES) for _ in range(r.randint(1, 8))], words(r)])))
    for name, most in (("Message-ID", 1), ("In-Reply-To", 4), ("References", 20)):
        if r.random() < 0.5:
            fields.append((name, [identifier(r) for _ in range(r.randint(1, most))]))
    if r.random() < 0.5:
        fields += [("Auto-Submitted", ["auto-generated"]), ("X-Sekisho-Receipt", ["20261120-7K4M"]), ("X-Sekisho-Hops", ["3"])]
    body = base64.b64encode(r.choice(TEXTS).replace("\n", "\r\n").encode()).decode()
    lines = "".join(body[i:i + 76] + "\r\n" for i in range(0, len(body), 76))
    return ("".join(field(r, n, t) for n, t in fields) + FIXED + lines).encode()


def text_of(mail):
    return base64.b64decode(mail.split(b"\r\n\r\n", 1)[1])


def by_python(mail, policy):
    top = email.message_from_bytes(mail, policy=policy)
    all_ = list(top.walk())
    leaf = next((p for p in all_ if not p.is_multipart()), None)
    leaves = sum(not p.is_multipart() for p in all_)
    if leaf is None:
        return f"0 {len(all_)} - - -"
    hash_ = hashlib.sha256(leaf.get_payload(decode=True) or b"").hexdigest()
    return f"{leaves} {len(all_)} {leaf.get_content_type()} {leaf.get_param('charset')} {hash_}"


def by_program(command, paths):
    out = []
    for i in range(0, len(paths), 200):
        out += subprocess.run(command + paths[i:i + 200], check=True, capture_output=True, text=True).stdout.splitlines()
    return out


def accepted(sekisho, mail):
    return subprocess.run([sekisho, "verify", "--gaiji"], input=mail, capture_output=True, check=False).returncode == 0


def collect(sekisho, corpus):
    mails = []
    for name in sorted(os.listdir(corpus)):
        with open(os.path.join(corpus, name), "rb") as f:
            mails.append(f.read())
    r = random.Random(20261120)
    made = [make(r) for _ in range(600)]
    kept = [m for m in mails + made if accepted(sekisho, m)]
    return kept, len(made)


def report(number, name, mails, lines):
    bad = 0
    for mail, line in zip(mails, lines):
        leaves, entities, kind, charset, hash_ = line.split()
        want = hashlib.sha256(text_of(mail)).hexdigest()
        if (leaves, entities, kind.lower(), charset.lower(), hash_) != ("1", "1", "text/plain", "utf-8", want):
            bad += 1
            if bad <= 3:
                print(f"# {name}: {line}\n# " + mail[:1500].decode("latin-1").replace("\r\n", "\n# "))
    good = bad == 0 and len(lines) == len(mails)
    print(f"{'ok' if good else 'not ok'} {number} - {name}: one part of plain text in {len(mails) - bad} of {len(mails)}")
    return good


def main(sekisho, corpus, mimetools, gmime=None):
    mails, made = collect(sekisho, corpus)
    results = []
    with tempfile.TemporaryDirectory() as where:
        paths = []
        for i, mail in enumerate(mails):
            paths.append(os.path.join(where, str(i)))
            with open(paths[-1], "wb") as f:
                f.write(mail)
        good = len(mails) > made * 0.6
        print(f"{'ok' if good else 'not ok'} 1 - {len(mails)} mails, of which at most {made} were made here")
        results.append(good)
        results.append(report(2, "Python, compat32", mails, [by_python(m, email.policy.compat32) for m in mails]))
        results.append(report(3, "Python, default", mails, [by_python(m, email.policy.default) for m in mails]))
        has_mimetools = shutil.which("perl") and subprocess.run(["perl", "-MMIME::Parser", "-e1"], check=False,
                                                                capture_output=True).returncode == 0
        for number, name, command in ((4, "MIME-tools", ["perl", mimetools] if has_mimetools else None),
                                      (5, "GMime", [gmime] if gmime else None)):
            if command is None:
                print(f"ok {number} - {name} # SKIP not installed")
            else:
                results.append(report(number, name, mails, by_program(command, paths)))
    print("1..5")
    return not all(results)


sys.exit(main(*sys.argv[1:]))
