"""Every cell of every table against other programs (ICU's uconv, glibc's iconv, nkf) and reference pairs.

usage: test_charset_tools.py CHARSET_CAT CORPORA. What is not installed or not there is skipped, and said so.
Where programs differ from us the difference is written here, with its reason, and must be exactly that.
"""
import os
import shutil
import subprocess
import sys

CAT, CORPORA = sys.argv[1:3]
failures = skipped = done = 0

# One character, two mappings: Windows' and the one of JIS's own tables (glibc, nkf).
WINDOWS = str.maketrans("〜‖−¢£¬—", "～∥－￠￡￢―")


def ours(label, data):
    run = subprocess.run([CAT, label], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    return run.stdout.decode("utf-8")  # and so the output is proven to be UTF-8


def tool(command, data):
    run = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return run.stdout.decode("utf-8", "replace")


def has(program):
    global skipped
    if shutil.which(program):
        return True
    skipped += 1
    print(f"skipped: {program} is not installed")
    return False


def by_line(text, count):
    lines = text.split("\n")
    assert lines.pop() == "" and len(lines) == count, f"{len(lines)} lines of {count}"
    # No character: U+FFFD, SUB (ICU for some), nothing (iconv -c), private use (each program its own way).
    return [None if t == "" or any(c in "\ufffd\x1a" or "\ue000" <= c < "\uf900" for c in t) else t for t in lines]


def compare(name, label, codes, command, fold=WINDOWS, differ=None, only_theirs=(), only_ours=False,
            reread=False):
    """Cell for cell. differ: {code: what to expect instead of their text}; only_theirs: codes that we refuse and
    they need not; only_ours: we may know more; reread: they read the second byte of a wrong character anew."""
    global failures, done
    data = b"".join(code + b"\n" for code in codes)
    bad = 0
    for code, mine, their in zip(codes, by_line(ours(label, data), len(codes)), by_line(tool(command, data), len(codes))):
        their = (differ or {}).get(code, their.translate(fold) if their else their)
        if mine == their or (mine is None and code in only_theirs) or (only_ours and their is None):
            continue
        if reread and mine is None and their == code[1:].decode("cp932", "replace"):
            continue
        bad += 1
        if bad <= 8:
            print(f"{name}: {code.hex(' ')}: {ascii(mine)}, expected {ascii(their)}")
    known = sum(text is not None for text in by_line(ours(label, data), len(codes)))
    print(f"{name}: {len(codes)} cells, {known} characters, {bad} differ")
    failures += bad != 0
    done += 1


def pairs(leads, trails):
    return [bytes([a, b]) for a in leads for b in trails]


SJIS = pairs([*range(0x81, 0xA0), *range(0xE0, 0xF0), *range(0xFA, 0xFD)], [*range(0x40, 0x7F), *range(0x80, 0xFD)])
GRID = pairs(range(0xA1, 0xFF), range(0xA1, 0xFF))
HIGH = [bytes([b]) for b in range(0x80, 0x100)]


def seven(designation, cells=GRID):
    return [designation + bytes(b & 0x7F for b in cell) + b"\x1b(B" for cell in cells]


def icu():
    def uconv(converter):
        return ["uconv", "-f", converter, "-t", "UTF-8", "--from-callback", "substitute"]

    compare("ICU, Shift_JIS", "shift_jis", SJIS, uconv("ibm-943_P15A-2003"))
    compare("ICU, EUC-JP", "euc-jp", GRID, uconv("euc-jp-2007"), only_ours=True)
    compare("ICU, EUC-JP, JIS X 0212", "euc-jp", [b"\x8f" + c for c in GRID], uconv("euc-jp-2007"))
    # Where ICU has a control (C1) we have no character.
    controls = [code for code in HIGH if code < b"\xa0"]
    for n in range(9):
        name = f"windows-125{n}"
        differ = {b"\xca": "\u05ba"} if n == 5 else {b"\xaa": None} if n == 3 else {}
        compare(f"ICU, {name}", name, HIGH, uconv(name), fold={}, differ=differ, only_theirs=controls)
    compare("ICU, ISO-8859-15", "iso-8859-15", HIGH, uconv("ISO-8859-15"), fold={}, only_theirs=controls)


def glibc():
    def iconv(name):
        return ["iconv", "-c", "-f", name, "-t", "UTF-8"]

    # glibc drops a wrong lead byte alone; what it makes of the second byte then is no cell.
    compare("glibc, Shift_JIS", "shift_jis", SJIS, iconv("CP932"), reread=True)
    standard = [c for c in GRID if c < b"\xad" or b"\xb0" <= c < b"\xf5"]
    compare("glibc, JIS X 0208", "euc-jp", standard, iconv("EUC-JP"), only_ours=True)
    compare("glibc, JIS X 0212", "iso-2022-jp", seven(b"\x1b$(D"), iconv("ISO-2022-JP-2"), only_ours=True)
    for name, final in (("plane 1", b"\x1b$(Q"), ("plane 2", b"\x1b$(P")):
        # White parentheses: Unicode has two pairs, the standard's own table of 2004 says U+2985 and U+2986.
        white = {b"\x1b$(Q\x22\x56\x1b(B": "\u2985", b"\x1b$(Q\x22\x57\x1b(B": "\u2986"}
        compare(f"glibc, JIS X 0213, {name}", "iso-2022-jp", seven(final), iconv("ISO-2022-JP-3"), differ=white,
                only_ours=True)


def nkf():
    command = ["nkf", "-w", "-m0", "-x", "--ic=CP50221"]
    # nkf also reads what Macintosh computers had in cells that Windows and the standard leave empty.
    mac = seven(b"\x1b$B", [c for c in GRID if c[0] - 0xA0 in (9, 10, 11, 12, 14, 15, 85) or c == b"\xad\xfe"])
    compare("nkf, ISO-2022-JP", "iso-2022-jp", seven(b"\x1b$B"), command, only_theirs=mac, only_ours=True)
    kana = [b"\x1b(I" + bytes([b]) + b"\x1b(B" for b in range(0x21, 0x60)]
    compare("nkf, ESC ( I", "iso-2022-jp", kana, command)
    compare("nkf, SO and SI", "iso-2022-jp", [b"\x0e" + bytes([b]) + b"\x0f" for b in range(0x21, 0x60)],
            ["nkf", "-w", "-m0", "-x", "-J"])


def reference(label, folder, source, expected, fold=False, more=False):
    """A whole file and the text that its collection says it has; more: we may know cells that it does not."""
    global failures, skipped, done
    paths = [os.path.join(CORPORA, folder, f) for f in (source, expected)]
    if not all(os.path.exists(p) for p in paths):
        skipped += 1
        print(f"skipped: {paths[0]} is not there")
        return
    data, want = (open(p, "rb").read() for p in paths)
    got, want = ours(label, data), want.decode("utf-8", "surrogatepass")
    if fold:
        want = want.translate(WINDOWS)
    if more:
        got = "\n".join(w if w == "\ufffd" else g for g, w in zip(got.split("\n"), want.split("\n")))
    same = got == want
    if not same:
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        print(f"{source}: differs at {at}: {ascii(got[at:at + 20])}, expected {ascii(want[at:at + 20])}")
    print(f"{folder}: {source}: {'same' if same else 'DIFFERENT'}")
    failures += not same
    done += 1


def references():
    folder = "encoding_rs/tests/test_data"
    for label, stem in (("euc-jp", "jis0208_in"), ("euc-jp", "jis0212_in"), ("shift_jis", "shift_jis_in"),
                        ("iso-2022-jp", "iso_2022_jp_in"), ("shift_jis", "shift_jis_out_ref")):
        expected = stem + "_ref.txt" if stem.endswith("_in") else stem.replace("_ref", "") + ".txt"
        # IBM's characters behind JIS X 0212 (row 83) are not in the WHATWG's table.
        reference(label, folder, stem + ".txt", expected, more=stem == "jis0212_in")
    for label, stem in (("euc-jp", "euc_jp"), ("shift_jis", "shift_jis"), ("iso-2022-jp", "iso2022_jp")):
        reference(label, "cpython/cjkencodings", f"{stem}.txt", f"{stem}-utf8.txt", fold=True)
    for name in ("jisx0208", "jisx0212", "jisx0201"):
        reference("euc-jp", "perl-encode/t", f"{name}.enc", f"{name}.utf", fold=True)


if has("uconv"):
    icu()
if has("iconv"):
    glibc()
if has("nkf"):
    nkf()
references()
print(f"{done} comparisons, {skipped} skipped, {failures} failed")
sys.exit(1 if failures else 0 if done else 77)
