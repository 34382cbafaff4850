#!/usr/bin/env python3
"""Turns the mappings (*.map) into the tables that charset_tables.h declares. usage: generate.py OUTPUT.c"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def lines(name):
    with open(f"{HERE}/{name}.map", encoding="utf-8") as f:
        return [line.rstrip("\n") for line in f if not line.startswith("#")]


def rows(name):
    """{(row, cell): text} with both counted from 1."""
    made = {}
    for line in lines(name):
        number, rest = line.split(" ", 1)
        cells = re.findall(r"\[[0-9A-F ]+\]|.", rest)
        if len(cells) != 94:
            sys.exit(f"{name}.map: row {number} has {len(cells)} cells")
        for cell, text in enumerate(cells, 1):
            if len(text) > 1:
                text = "".join(chr(int(code, 16)) for code in text[1:-1].split())
            if text != ".":
                made[int(number), cell] = text
    return made


def packed(text):
    """UTF-8 of at most three bytes with its length in the highest byte: one load, one store."""
    raw = text.encode()
    assert len(raw) <= 3
    return int.from_bytes(raw, "little") | len(raw) << 24


def array(out, kind, name, values):
    out.write(f"const {kind} = {{\n")
    for i in range(0, len(values), 12):
        out.write("\t" + ", ".join(f"0x{v:x}" for v in values[i:i + 12]) + ",\n")
    out.write("};\n")


def main(path):
    windows = rows("jis0208")
    sequences = []

    def short(table):
        """Sixteen bits a cell; what is no single such code stands in charset_sequences, by 0xe000 + index."""
        values = []
        for row in range(1, 95):
            for cell in range(1, 95):
                text = table.get((row, cell))
                text = windows[row, cell] if text == "=" else text
                if text is None:
                    values.append(0)
                elif len(text) == 1 and ord(text) < 0x10000:
                    assert not 0xE000 <= ord(text) < 0xF000
                    values.append(ord(text))
                else:
                    values.append(0xE000 + len(sequences))
                    sequences.append(text)
        return values

    with open(path, "w", encoding="ascii") as out:
        out.write("/* Made by generate.py; not to be edited. */\n#include \"charset_tables.h\"\n\n")
        stored = [*range(1, 95), *range(115, 121)]
        array(out, "uint32_t charset_jis0208[JIS0208_CELLS]", "jis0208",
              [packed(windows[r, c]) if (r, c) in windows else 0 for r in stored for c in range(1, 95)])
        for name in ("jis0212", "jis0213-1", "jis0213-2"):
            array(out, f"uint16_t charset_{name.replace('-', '_')}[JIS_CELLS]", name, short(rows(name)))
        out.write("const struct charset_sequence charset_sequences[] = {\n")
        for text in sequences:
            assert len(text) <= 2
            out.write("\t{{" + ", ".join(f"0x{ord(c):x}" for c in text.ljust(2, "\0")) + "}},\n")
        out.write("};\n")
        out.write("const uint16_t charset_single[][128] = {\n")
        for line in lines("single"):
            name, *codes = line.split()
            assert len(codes) == 128
            out.write(f"\t/* {name} */ {{" + ", ".join("0x" + code for code in codes) + "},\n")
        out.write("};\n")


main(sys.argv[1])
