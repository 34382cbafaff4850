"""A list of words -> C tables that words.h looks up.

words.py LIST OUT NAME TYPE: LIST has a line for each word: the word, and what C has in braces for it. OUT has
`const TYPE NAME_rows[]` and `const struct words NAME`. The hash is that of words.h.
"""
import sys

ALL = (1 << 64) - 1


def number(data):
    return int.from_bytes(data, "little")


def pair(s):
    return number(s[:8]), number(s[-8:]) if len(s) >= 8 else 0


def word_hash(s, bits):
    first, last = pair(s)
    return ((first * 0x9E3779B97F4A7C15 + (last + len(s)) * 0xC2B2AE3D27D4EB4F) & ALL) >> (64 - bits)


def place(words):
    """Twice as many places as words, or more: a word that is in no list mostly meets an empty one."""
    bits = 1
    while 1 << bits < 2 * len(words) + 1:
        bits += 1
    slots = [0] * (1 << bits)
    for number_of, word in enumerate(words):
        i = word_hash(word.encode("ascii"), bits)
        while slots[i]:
            i = (i + 1) % len(slots)
        slots[i] = number_of + 1
    return bits, slots


def columns(items, width):
    return "".join("\t" + " ".join(items[i:i + width]) + "\n" for i in range(0, len(items), width))


def write(out, name, kind, rows):
    """rows: (word, initializer of the row)."""
    words = [word for word, _ in rows]
    assert len(set(words)) == len(words) and all(words)
    text, at = "", []
    for word in words:
        at.append("{0x%x, 0x%x, %d, %d}," % (*pair(word.encode("ascii")), len(text), len(word)))
        text += word
    assert len(text) < 65536
    bits, slots = place(words)
    out.write("static const %s %s_rows[] = {\n%s};\n\n" % (kind, name, columns(["{%s}," % row for _, row in rows], 4)))
    out.write("static const char %s_text[] =\n" % name)
    for i in range(0, len(text), 100):
        out.write('\t"%s"\n' % text[i:i + 100])
    out.write("\t;\n\nstatic const struct word %s_words[] = {\n%s};\n\n" % (name, columns(at, 4)))
    out.write("static const uint16_t %s_slots[] = {\n%s};\n\n" % (name, columns(["%d," % s for s in slots], 16)))
    out.write("static const struct words %s = {%s_text, %s_words, %s_slots, %d};\n" % (name, name, name, name, bits))


def main():
    source, target, name, kind = sys.argv[1:5]
    with open(source, encoding="ascii") as f:
        rows = [line.strip().split(None, 1) for line in f if line.strip() and not line.startswith("#")]
    with open(target, "w", encoding="ascii") as out:
        out.write("/* Made by words.py from a list. */\n")
        write(out, name, kind, rows)


if __name__ == "__main__":
    main()
