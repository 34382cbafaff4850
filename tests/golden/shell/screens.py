#!/usr/bin/python3
"""Drives the shell by the keys of cases/NAME.keys and compares its screens with cases/NAME.LANGUAGE.screens.

usage: screens.py SEKISHO FAKE_GATE [--regenerate] NAME...

A .keys file: "size ROWS COLUMNS" and "gate SCENARIO" and "policy FILE" stand first; "key TEXT" types (\\r, \\t, \\x03 and so on),
"wait" waits for a prompt, "wait REGEX" for the cursor to stand behind this, "screen TITLE" keeps the screen, "resize ROWS COLUMNS".
"""
import difflib
import os
import sys

from gate import HERE, PROMPT, Gate, environment, shell, steady


def keys_of(text):
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("utf-8", "surrogatepass")


class Case:
    def __init__(self, name):
        self.name = name
        with open(f"{HERE}/cases/{name}.keys", encoding="utf-8") as f:
            self.lines = [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]

    def setting(self, word, otherwise):
        for line in self.lines:
            if line.startswith(word + " "):
                return line[len(word) + 1:]
        return otherwise

    def run(self, sekisho, fake_gate, language):
        rows, columns = map(int, self.setting("size", "24 80").split())
        policy = f"{HERE}/../../../{self.setting('policy', 'tests/golden/shell/cases/two.policy')}"
        gate = Gate(fake_gate, self.setting("gate", "shell"), policy)
        try:
            t = shell(sekisho, gate, env=environment(language, term=self.setting("term", "xterm")), rows=rows, columns=columns)
            try:
                return "".join(self.steps(t))
            finally:
                t.close()
        finally:
            gate.close()

    def steps(self, t):
        for line in self.lines:
            word, _, rest = line.partition(" ")
            if word == "key":
                t.send(keys_of(rest))
            elif word == "wait":
                t.wait(rest or PROMPT)
            elif word == "resize":
                t.resize(*map(int, rest.split()))
            elif word == "screen":
                bar = "-" * t.screen.columns
                yield f"== {rest}\n{bar}\n{steady(t.screen.text())}\n{bar}\n"
        if t.screen.escape_violations:
            yield f"UNKNOWN: {t.screen.escape_violations}\n"


def main():
    sekisho, fake_gate, *names = sys.argv[1:]
    regenerate = "--regenerate" in names
    failed = False
    for name in [n for n in names if n != "--regenerate"]:
        for language in ("ja", "en"):
            path = f"{HERE}/cases/{name}.{language}.screens"
            got = Case(name).run(sekisho, fake_gate, language)
            if regenerate:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(got)
                continue
            with open(path, encoding="utf-8") as f:
                want = f.read()
            if got != want:
                failed = True
                sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), path, "now"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
