#!/usr/bin/python3
"""test_matrix.py: every labelled flow of the public captures under every rule: its own must take it, no other may.

`sekisho classify --as APPLICATION` judges each flow as if a rule named the application, with all of its options, on the flow's
own port. Prints the matrix: a row a label, a column a rule, cells are flows passed. TAP.

Recall counts the flows that a gate could verify. Left out and counted apart, in this order:
  unseen     the beginning is not in the capture (midstream, or of UDP the answer comes first): a gate sees every beginning
  one side   not decided, and no payload of one side is there: nobody answered, or half of the line was captured
  transport  the application over another transport than the one that is verified (RDP over UDP, NetBIOS datagrams)
  policy     what the gate refuses by policy: TLS below 1.2, SSH 1, SMB 1, and what only an option allows
What is left and does not pass must be in refused.csv, where it says what a person read in the packets.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

import corpus

# Share of the flows that could be verified; lower than 1 where the captures hold attacks and broken packets. Raise when it rises.
RECALL = {"dns": 0.95, "ftp": 0.86, "http": 0.52, "imap": 1.0, "kerberos": 0.97, "ldap": 0.24, "ntp": 0.65, "pop3": 0.6,
          "postgresql": 0.72, "rdp": 0.62, "smb": 0.9, "smtp": 0.63, "snmp": 0.71, "ssh": 0.86, "syslog": 1.0, "tds": 0.0, "tls": 0.93,
          "vnc": 0.66}
# (label, rule): why a flow of the label may pass under the rule.
AMBIGUOUS = {}
APPLICATIONS = sorted(corpus.WORDS.values())
OPTIONS = {"dns": ",updates", "ftp": ",active-data", "http": ",connect,upgrade", "rdp": ",standard-security",
           "smb": ",smb1-negotiate", "snmp": ",traps"}
POLICY = {("tls", "version"), ("ssh", "version"), ("smb", "smb1"), ("http", "connect"), ("http", "upgrade"), ("ftp", "data-channel")}
APART = ("unseen", "one side", "transport", "policy")


def apart(r):
    """Why a flow could not be verified at all, None when it could."""
    seen, first = r["decided_after"], r["proto"] == "udp" and r["decided_after"] == [1, 0]
    if r["why"] == "midstream" or (r["why"] == "order" and first):
        return "unseen"
    if r["verdict"] == "undecided" and 0 in seen:
        return "one side"
    if r["why"] == "no-policy":
        return "transport"
    return "policy" if (r["application"], r["why"]) in POLICY else None


def judge(sekisho, application, paths):
    """{(path, key): [row, ...]} of all flows."""
    got = collections.defaultdict(list)
    command = [sekisho, "classify", "--as", application + OPTIONS.get(application, ""), "--ignore-checksums", "--json", "--lang", "en", *paths]
    done = subprocess.run(command, capture_output=True, check=False)
    for line in done.stdout.splitlines():
        r = json.loads(line)
        got[(r["file"], corpus.key(r["proto"], r["src"], r["sport"], r["dst"], r["dport"]))].append(r)
    return got, done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(corpus.ROOT, "build"))
    parser.add_argument("--show", nargs=2, metavar=("LABEL", "RULE"), help="print the flows of this cell that passed; of the "
                        "diagonal those that did not")
    options = parser.parse_args()
    corpus.skip_unless_there()
    sekisho = os.path.join(options.build, "src/console/sekisho")
    paths, labels = corpus.files(), corpus.labels()
    passed, whole, unlabelled, left_out = (collections.Counter() for _ in range(4))
    unread, kinds = [], collections.Counter()
    failed, count = 0, 0

    def check(name, good, why=""):
        nonlocal failed, count
        count += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {count} - {name}" + ("" if good or not why else f"\n# {why}"), flush=True)

    for application in APPLICATIONS:
        flows, done = judge(sekisho, application, paths)
        check(f"{application}: every capture was read to its end", done.returncode in (0, 3) and b"killed" not in done.stderr,
              done.stderr[-300:].decode("utf-8", "replace"))
        for flow, rows in flows.items():
            took = any(r["verdict"] == "pass" for r in rows)
            label = labels.get(flow)
            if label is None:
                unlabelled[application] += took
                continue
            passed[(label, application)] += took
            own = corpus.WORDS.get(label) == application
            reasons = [apart(r) for r in rows]
            verifiable = took or None in reasons
            whole[label] += own and verifiable
            if own and not verifiable:
                left_out[(label, reasons[0])] += 1
            elif own and not took:
                row = rows[reasons.index(None)]
                known = corpus.refused(flow[0], application, row["why"])
                kinds[(label, known["kind"] if known else "not read")] += 1
                if known is None:
                    unread.append(f"{flow[0]} {row['src']}:{row['sport']} {application} {row['why']}")
            if options.show == [label, application] and took != own and (verifiable or not own):
                print("#", flow[0], [(r["src"], r["sport"], r["dst"], r["dport"], r["verdict"], r["why"], r["seen"]) for r in rows][:3])
    print_matrix(passed, whole, unlabelled, labels)
    print_kinds("left out", left_out, APART)
    print_kinds("refused", kinds, sorted({k for _, k in kinds}))
    check("refused.csv says of every refused flow what a person read", not unread, "\n# ".join(unread[:20]))
    for word, application in sorted(corpus.WORDS.items()):
        n = whole[word]
        recall = passed[(word, application)] / n if n else 1.0
        check(f"{application}: {passed[(word, application)]} of {n} flows pass under their own rule",
              recall >= RECALL[application], f"{recall:.3f} is below {RECALL[application]}")
    for (label, application), n in sorted(passed.items()):
        if n > 0 and corpus.WORDS.get(label) != application and (label, application) not in AMBIGUOUS:
            check(f"no {label} flow passes under a rule for {application}", False, f"{n} did")
    check("no flow of a label passes under another rule, but for the documented ones", True)
    print(f"1..{count}")
    return 1 if failed else 0


def print_kinds(title, counts, kinds):
    print("# " + f"{title:10}" + "".join(f"{k:>12}" for k in kinds))
    for word in sorted({w for w, _ in counts}):
        print("# " + f"{word:10}" + "".join(f"{counts[(word, k)] or '.':>12}" for k in kinds), flush=True)


def print_matrix(passed, whole, unlabelled, labels):
    rows = sorted({*labels.values()} - {""}, key=lambda w: (w not in corpus.WORDS, w))
    print("# " + f"{'label':10}{'flows':>6}{'could':>6} " + "".join(f"{a[:5]:>6}" for a in APPLICATIONS))
    total = collections.Counter(labels.values())
    for label in rows:
        cells = "".join(f"{passed[(label, a)] or '.':>6}" for a in APPLICATIONS)
        print("# " + f"{label:10}{total[label]:6}{whole[label] or '':>6} " + cells)
    print("# " + f"{'(no label)':22} " + "".join(f"{unlabelled[a] or '.':>6}" for a in APPLICATIONS), flush=True)


sys.exit(main())
