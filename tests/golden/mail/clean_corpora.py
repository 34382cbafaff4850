"""Mails that others wrote: nothing breaks, the verifier accepts what comes out, other parsers see one text, no text is lost.

clean_corpora.py GOLDEN_CLEAN. The mails are in $SEKISHO_DATA/mail, else in ../shared/data/mail beside the checkout; without them the
test is skipped. Expected results come with the collections of stalwart (JSON) and James mime4j (decoded parts). Python's
`email` always looks at the output, Perl's MIME-tools where it is installed.
"""
import collections
import email
import email.policy
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DATA = os.path.join(os.environ.get("SEKISHO_DATA") or os.path.join(ROOT, "..", "shared", "data"), "mail")
CLEAN = sys.argv[1]
MINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clean")

# Mails whose text we leave out on purpose, or that say something else than the expected result; each with its reason.
KNOWN = {}
for line in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "clean_corpora.txt"), encoding="utf-8"):
    if line.strip() and not line.startswith("#"):
        KNOWN.update([line.strip().split("  ", 1)])

ADDRESS = re.compile(r"\(?\b(?:https?|hxxps?|ftp|fxp|mailto|file|cid)\b[^\s)]*\)?|\S+@\S+")
TAG = re.compile(r"<(style|script|head|title)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.S | re.I)
PERL = r"""
use MIME::Parser; my $bad = 0;
for my $f (@ARGV) { my $p = MIME::Parser->new; $p->output_to_core(1); my $e = $p->parse_open($f);
  if ($e->parts != 0 || $e->effective_type ne 'text/plain') { print "$f\n"; $bad++ } }
exit($bad != 0);
"""


def words(text):
    return collections.Counter(re.findall(r"[^\W\d_]{3,}|\d{2,}", ADDRESS.sub(" ", text).lower()))


def clean(path, *options):
    out = subprocess.run([CLEAN, "--raw", path, "lf", *options], capture_output=True, check=True).stdout
    return out


def text_of(raw):
    """What a person would read, with the header's texts: Python's opinion of our output."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert not mail.is_multipart() and mail.get_content_type() == "text/plain"
    return mail.get_content() + " ".join(str(v) for v in mail.values())


def html_text(text):
    import html
    return html.unescape(TAG.sub(" ", text))


def bodies(message):
    """The texts that stalwart calls the mail's text, and those of mails within it."""
    for i in message["text_body"]:
        body = message["parts"][i]["body"]
        if isinstance(body, dict) and "Text" in body:
            yield body["Text"]
        elif isinstance(body, dict) and "Html" in body:
            yield html_text(body["Html"])


def check_lost(name, expected, path):
    raw = clean(path)
    lost = words(expected) - words(text_of(raw) if raw else "")
    if (not lost) != (name in KNOWN):
        return 0
    if not lost:
        print("%s: nothing is lost any more: %s" % (name, KNOWN[name]))
        return 1
    print("%s: lost %s" % (name, dict(lost.most_common(8))))
    return 1


def stalwart():
    failed = n = 0
    for path in sorted(glob.glob(os.path.join(DATA, "stalwart", "resources", "eml", "*", "*.eml"))):
        with open(path[:-4] + ".json", encoding="utf-8") as f:
            message = json.load(f)
        name = os.path.relpath(path, DATA)
        failed += check_lost(name, " ".join(bodies(message)), path)
        n += 1
    return n, failed


def james():
    failed = n = 0
    for path in sorted(glob.glob(os.path.join(DATA, "james-mime4j", "**", "*_decoded_1.txt"), recursive=True)):
        mail = path.replace("_decoded_1.txt", ".msg")
        if not os.path.exists(mail):
            continue
        with open(path, "rb") as f:
            expected = f.read()
        try:
            expected = expected.decode("utf-8")
        except UnicodeDecodeError:
            expected = expected.decode("latin-1")
        name = os.path.relpath(mail, DATA)
        failed += check_lost(name, html_text(expected), mail)
        n += 1
    return n, failed


def others():
    """Every golden mail's output as other parsers see it."""
    failed = n = 0
    with tempfile.TemporaryDirectory() as tmp:
        for path in sorted(glob.glob(os.path.join(MINE, "*.eml"))):
            raw = clean(path)
            if not raw:
                continue
            out = os.path.join(tmp, os.path.basename(path))
            with open(out, "wb") as f:
                f.write(raw)
            text_of(raw)
            n += 1
        if shutil.which("perl") and subprocess.run(["perl", "-MMIME::Parser", "-e1"], capture_output=True).returncode == 0:
            failed += subprocess.run(["perl", "-e", PERL, *sorted(glob.glob(os.path.join(tmp, "*")))]).returncode != 0
        else:
            print("MIME-tools is not installed: it was not asked")
    return n, failed


def main():
    if not os.path.isdir(DATA):
        print("skipped: no %s" % DATA)
        return 77
    failed = subprocess.run([CLEAN, "--all", DATA]).returncode != 0
    for check in (stalwart, james, others):
        n, bad = check()
        print("%s: %d mails, %d failed" % (check.__name__, n, bad))
        failed |= bad > 0
    return int(failed)


sys.exit(main())
