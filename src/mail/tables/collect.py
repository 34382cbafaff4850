#!/usr/bin/env python3
"""Writes the mappings (*.map beside this file) anew from tools that carry them; needed only to renew them.

Sources: ICU 72.1 by its uconv (converters ibm-943_P15A-2003, euc-jp-2007, windows-125x, ISO-8859-15), and
for JIS X 0213:2004 the codec euc_jis_2004 of CPython 3. Licences: LICENSE beside this file.
usage: collect.py DIRECTORY
"""
import subprocess
import sys
import unicodedata

HEAD = "# {what}\n# Made by collect.py from {source}; licence: LICENSE beside this file.\n"
JIS2004 = "CPython's codec euc_jis_2004"
ICU = "ICU 72.1, converter {}"


def icu(converter, codes):
    """What ICU makes of each byte string: text, or None where it has no mapping."""
    joined = b"\n".join(codes) + b"\n"
    made = subprocess.run(["uconv", "-f", converter, "-t", "UTF-8", "--from-callback", "substitute"],
                          input=joined, stdout=subprocess.PIPE, check=True).stdout.decode()
    lines = made.split("\n")[:-1]
    assert len(lines) == len(codes)
    return [None if "\ufffd" in text or "\x1a" in text else text for text in lines]


def write_rows(path, what, source, rows):
    """One line a row: its number, then 94 cells; '.' is a cell without a character, [...] holds several."""
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEAD.format(what=what, source=source))
        for number, cells in rows:
            if not any(cells):
                continue
            out.write(f"{number} ")
            for text in cells:
                text = text or "."
                bare = len(text) == 1 and not unicodedata.combining(text)
                out.write(text if bare else "[" + " ".join(f"{ord(c):X}" for c in text) + "]")
            out.write("\n")


def shift_jis(row, cell):
    lead, half = (row - 1) // 2, (row - 1) % 2 * 94 + cell - 1
    return bytes([lead + (0x81 if lead < 31 else 0xC1), half + (0x40 if half < 63 else 0x41)])


def cells(convert, make):
    return convert([make(cell) for cell in range(1, 95)])


def euc2004(codes):
    made = []
    for code in codes:
        try:
            made.append(code.decode("euc_jis_2004"))
        except UnicodeDecodeError:
            made.append(None)
    return made


def single(name):
    """Code points of the bytes 80 to FF. Controls are no text. Two cells as Windows has them today:
    1253 has nothing at AA (ICU: feminine ordinal), 1255 has HOLAM HASER at CA (ICU: nothing)."""
    texts = icu(name, [bytes([b]) for b in range(0x80, 0x100)])
    codes = [0 if t is None or 0x80 <= ord(t) < 0xA0 else ord(t) for t in texts]
    for where, cell, code in (("windows-1253", 0xAA, 0), ("windows-1255", 0xCA, 0x5BA)):
        if name == where:
            codes[cell - 0x80] = code
    return codes


def main(directory):
    windows = lambda row: cells(lambda codes: icu("ibm-943_P15A-2003", codes), lambda c: shift_jis(row, c))
    write_rows(f"{directory}/jis0208.map",
               "JIS X 0208 as Windows has it: NEC row 13, NEC's selection of IBM's characters in rows 89 to 92;\n"
               "# rows 115 to 120 are Shift_JIS alone (IBM's characters). Rows 95 to 114 are the user's: U+E000 on.",
               ICU.format("ibm-943_P15A-2003"),
               [(row, windows(row)) for row in [*range(1, 95), *range(115, 121)]])
    write_rows(f"{directory}/jis0212.map", "JIS X 0212:1990.", ICU.format("euc-jp-2007"),
               [(row, cells(lambda codes: icu("euc-jp-2007", codes), lambda c: bytes([0x8F, row + 0xA0, c + 0xA0])))
                for row in range(1, 95)])
    # Where JIS X 0208 itself has a character, that (in Windows' mapping) is the one: '=' in the file.
    jis = [*range(1, 9), *range(16, 85)]
    both = lambda row, texts: ["=" if row in jis and old else new for old, new in zip(windows(row), texts)]
    euc = lambda row, lead: cells(euc2004, lambda c: lead + bytes([row + 0xA0, c + 0xA0]))
    write_rows(f"{directory}/jis0213-1.map", "JIS X 0213:2004, plane 1; '=' is as in jis0208.map.", JIS2004,
               [(row, both(row, euc(row, b""))) for row in range(1, 95)])
    write_rows(f"{directory}/jis0213-2.map", "JIS X 0213:2004, plane 2.", JIS2004,
               [(row, euc(row, b"\x8f")) for row in [1, 3, 4, 5, 8, *range(12, 16), *range(78, 95)]])
    with open(f"{directory}/single.map", "w", encoding="ascii") as out:
        out.write(HEAD.format(what="Bytes 80 to FF of charsets of one byte; 0 where there is no character.",
                              source=ICU.format("of each name")))
        for name in [f"windows-125{n}" for n in range(9)] + ["ISO-8859-15"]:
            codes = single(name)
            out.write(f"{name} " + " ".join(f"{c:X}" for c in codes) + "\n")


main(sys.argv[1])
