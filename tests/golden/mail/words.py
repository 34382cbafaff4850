"""Is text lost? The public cases of soundasleep/html2text: each word of the expected text must be in ours, as often.

words.py GOLDEN_HTML. The cases are in $SEKISHO_DATA/mail, else in ../shared/data/mail beside the checkout; without them the
test is skipped.
"""
import collections
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DATA = os.environ.get("SEKISHO_DATA") or os.path.join(ROOT, "..", "shared", "data")
CASES = os.path.join(DATA, "mail", "soundasleep-html2text", "tests")

# Not text: pictures' titles, which we do not show; link targets (ours are defanged, theirs are sometimes relative).
ADDRESS = re.compile(r"\(?\b(?:https?|hxxps?|mailto|localhost)\b[^\s)]*\)?")
OTHER = {
    "images": {"three", "one", "link", "two", "four"},
    "windows-1252-example": None,  # bytes that are no UTF-8: charset.h comes before html.h
}


def words(text):
    return collections.Counter(re.findall(r"[^\W\d_]{3,}|\d+", ADDRESS.sub(" ", text).lower()))


def main():
    html = os.path.join(CASES, "html")
    if not os.path.isdir(html):
        print("skipped: no %s" % html)
        return 77
    failed = 0
    names = sorted(n[:-5] for n in os.listdir(html) if OTHER.get(n[:-5], set()) is not None)
    for name in names:
        ours = subprocess.run([sys.argv[1], "--show", os.path.join(html, name + ".html"), "--english"], check=True,
                              capture_output=True).stdout.decode("utf-8").rpartition("--\nhidden")[0]
        with open(os.path.join(CASES, "txt", name + ".txt"), encoding="utf-8", errors="replace") as f:
            lost = words(f.read()) - words(ours)
        lost = {w: n for w, n in lost.items() if w not in OTHER.get(name, set())}
        if lost:
            failed += 1
            print("%s: lost %s" % (name, lost))
    print("%d cases, %d failed" % (len(names), failed))
    return failed != 0


sys.exit(main())
