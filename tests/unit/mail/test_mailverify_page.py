#!/usr/bin/python3
"""test_mailverify_page.py: the verifier's characters against the page that defines them, and against Unicode.

usage: test_mailverify_page.py POINTS PAGE

POINTS prints what the verifier does with each character; PAGE is rootfs/doc/mail-output.md. First both must be the same,
character by character. Then the page itself is looked at: no character that Unicode calls a control, a format character,
a separator, a surrogate or private use passes, but for the few that are listed here with their reason; and every mark that
Unicode names a combining one is counted (marks of living scripts such as Devanagari, which are part of its letters, are not).
Output: TAP.
"""
import re
import subprocess
import sys
import unicodedata

# Format characters that are seen: signs that stand before a number, and joiners of hieroglyphs that are drawn.
SEEN = set(range(0x600, 0x606)) | {0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD} | set(range(0x13430, 0x13440))
# The two blanks, tab, and what line ends consist of.
BLANKS = {0x20, 0x3000, 0x09}
# Not marked as such by unicodedata: Default_Ignorable_Code_Point of DerivedCoreProperties.txt, Unicode 15.
IGNORABLE = {0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0, *range(0x180B, 0x1810),
             *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFFF0, 0xFFF9),
             *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000), *range(0xFE00, 0xFE10)}


def kinds(program):
    table = [None] * 0x110000
    for line in subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines():
        first, last, kind = line.split()
        for p in range(int(first, 16), int(last, 16) + 1):
            table[p] = kind
    return table


def rows(text):
    """Ranges of the rows of all tables in text; a row may hold several."""
    for line in text.splitlines():
        if line.startswith("|"):
            for first, last in re.findall(r"U\+([0-9A-F]+) \| U\+([0-9A-F]+)", line):
                yield int(first, 16), int(last, 16)


def page_kinds(path):
    with open(path, encoding="utf-8") as f:
        section = f.read().split("\n## 6.")[1].split("\n## ")[0]
    never, rest = section.split("Allowed only where")
    private, rest = rest.split("Marks, which")
    marks, selectors = rest.split("\nSelectors")
    table = ["plain"] * 0x110000

    def fill(ranges, kind):
        for first, last in ranges:
            table[first:last + 1] = [kind] * (last + 1 - first)

    def spans(text):
        return [(int(a, 16), int(b, 16)) for a, b in re.findall(r"U\+([0-9A-F]+) to\s+U\+([0-9A-F]+)", text)]

    fill(spans(private), "private")
    fill(rows(marks), "mark")
    fill(spans(selectors.split(" stand only")[0]), "selector")
    fill(rows(never), "refused")
    fill([(plane * 0x10000 + 0xFFFE, plane * 0x10000 + 0xFFFF) for plane in range(17)], "refused")
    fill([(0x0D, 0x0D), (0x0A, 0x0A)], "refused")  # alone, as POINTS gives them
    return table


def differences(got, want):
    return [f"U+{p:04X}: {got[p]}, {want[p]} by the page" for p in range(0x110000) if got[p] != want[p]]


def holes(got):
    """What Unicode says is not seen, and yet passes without condition."""
    for p in range(0x110000):
        unseen = unicodedata.category(chr(p)) in ("Cc", "Cf", "Zs", "Zl", "Zp", "Cs", "Co") or p in IGNORABLE
        if unseen and got[p] in ("plain", "mark") and p not in SEEN | BLANKS:
            yield f"U+{p:04X} {unicodedata.name(chr(p), unicodedata.category(chr(p)))}: {got[p]}"


def free_marks(got):
    """Marks that can be piled on any letter and are not counted."""
    for p in range(0x110000):
        name = unicodedata.name(chr(p), "")
        if unicodedata.combining(chr(p)) and got[p] == "plain" and name.startswith(("COMBINING", "IDEOGRAPHIC")):
            yield f"U+{p:04X} {name}"


def main(points, page):
    got = kinds(points)
    tests = [("the page's characters, all of them", differences(got, page_kinds(page))),
             ("nothing that is not seen passes", list(holes(got))),
             ("marks are counted", list(free_marks(got)))]
    bad = 0
    for number, (name, found) in enumerate(tests, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {name}")
        for line in found[:20]:
            print(f"# {line}")
        bad += bool(found)
    print(f"1..{len(tests)}")
    return bad != 0


sys.exit(main(*sys.argv[1:]))
