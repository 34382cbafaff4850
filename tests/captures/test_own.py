#!/usr/bin/python3
"""test_own.py: our own captures of real servers: each passes under a rule for its application, and under no other.

A conversation that goes over to TLS (STARTTLS) is still its own protocol's; only what begins with TLS is tls. TAP.
"""
import argparse
import csv
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
APPLICATIONS = ("dns", "ftp", "http", "imap", "kerberos", "ldap", "ntp", "pop3", "postgresql", "rdp", "smb", "smtp", "snmp", "ssh", "syslog",
                "tds", "tls", "vnc")

OPTIONS = {"ftp": "active-data"}


def judge(sekisho, paths, *words):
    done = subprocess.run([sekisho, "classify", "--json", "--lang", "en", *words, *paths], capture_output=True, check=False, text=True)
    if done.returncode != 0:
        print(f"# exit {done.returncode}: {done.stderr[-300:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    options = parser.parse_args()
    sekisho = os.path.join(options.build, "src/console/sekisho")
    with open(os.path.join(HERE, "own/index.csv"), encoding="ascii") as f:
        index = {os.path.join(HERE, "own", r["file"]): r for r in csv.DictReader(f)}
    count = failed = 0

    def check(name, good, why=""):
        nonlocal count, failed
        count += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {count} - {name}" + ("" if good else f"\n# {why}"), flush=True)

    for application in APPLICATIONS:
        rows = judge(sekisho, list(index), "--as", application + ("," + OPTIONS[application] if application in OPTIONS else ""))
        own, wrong = [], []
        for r in rows:
            i = index[r["file"]]
            main_flow = i["proto"] == r["proto"] and int(i["port"]) == r["dport"]
            if i["application"] == application and main_flow:
                own.append(r)
            elif r["verdict"] == "pass":
                wrong.append((os.path.basename(r["file"]), r["dport"]))
        refused = [(os.path.basename(r["file"]), r["verdict"], r["why"]) for r in own if r["verdict"] != "pass"]
        if any(i["application"] == application for i in index.values()):
            check(f"{application}: its own {len(own)} flows pass", own and not refused, refused)
        check(f"{application}: no other flow passes", not wrong, wrong[:5])
    rows = judge(sekisho, list(index))
    named = [(os.path.basename(r["file"]), r["application"]) for r in rows
             if r["dport"] == int(index[r["file"]]["port"]) and r["application"] != index[r["file"]]["application"]]
    check("each is identified as what it is", not named, named[:8])
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
