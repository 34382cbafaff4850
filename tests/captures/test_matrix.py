#!/usr/bin/python3
"""test_matrix.py: every labelled flow of the public captures under every rule: its own must take it, no other may.

`sekisho classify --as APPLICATION` judges each flow as if a rule named the application on the flow's own port. Prints the matrix:
a row a label, a column a rule, cells are flows passed. Recall counts flows whose beginning is in the capture (a gate sees every
beginning). TAP.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

import corpus

# Share of the flows with a beginning that their own rule must pass; lower than 1 where the captures hold attacks, single
# packets, old versions (SMB1, TLS 1.0, SSH 1) or answers without questions. Raise when it rises.
RECALL = {}
# (label, rule): why a flow of the label may pass under the rule.
AMBIGUOUS = {}
APPLICATIONS = sorted(corpus.WORDS.values())
BEGINNING_NOT_SEEN = ("midstream",)


def judge(sekisho, application, paths):
    """{(path, key): [row, ...]} of all flows."""
    got = collections.defaultdict(list)
    command = [sekisho, "classify", "--as", application, "--ignore-checksums", "--json", "--lang", "en", *paths]
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
    passed, whole, unlabelled = collections.Counter(), collections.Counter(), collections.Counter()
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
            begun = any(r["why"] not in BEGINNING_NOT_SEEN for r in rows)
            whole[label] += own and (begun or took)
            if options.show == [label, application] and took != own and (begun or not own):
                print("#", flow[0], [(r["src"], r["sport"], r["dst"], r["dport"], r["verdict"], r["why"], r["seen"]) for r in rows][:3])
    print_matrix(passed, whole, unlabelled, labels)
    for word, application in sorted(corpus.WORDS.items()):
        n = whole[word]
        recall = passed[(word, application)] / n if n else 1.0
        check(f"{application}: {passed[(word, application)]} of {n} flows pass under their own rule",
              recall >= RECALL.get(application, 0.9), f"{recall:.3f} is below {RECALL.get(application, 0.9)}")
    for (label, application), n in sorted(passed.items()):
        if n > 0 and corpus.WORDS.get(label) != application and (label, application) not in AMBIGUOUS:
            check(f"no {label} flow passes under a rule for {application}", False, f"{n} did")
    check("no flow of a label passes under another rule, but for the documented ones", True)
    print(f"1..{count}")
    return 1 if failed else 0


def print_matrix(passed, whole, unlabelled, labels):
    rows = sorted({*labels.values()} - {""}, key=lambda w: (w not in corpus.WORDS, w))
    print("# " + f"{'label':10}{'flows':>6}{'begun':>6} " + "".join(f"{a[:5]:>6}" for a in APPLICATIONS))
    total = collections.Counter(labels.values())
    for label in rows:
        cells = "".join(f"{passed[(label, a)] or '.':>6}" for a in APPLICATIONS)
        print("# " + f"{label:10}{total[label]:6}{whole[label] or '':>6} " + cells)
    print("# " + f"{'(no label)':22} " + "".join(f"{unlabelled[a] or '.':>6}" for a in APPLICATIONS), flush=True)


sys.exit(main())
