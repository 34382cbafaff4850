"""mailtext_classes.txt -> C tables: mailtext_classes.py LIST OUT

class_of[class_pages[point >> 8]][point & 0xff] is the class of a character. kept_threes has a bit for each character of three
bytes that is kept: by the low bits of the first byte and those of the second the word, by those of the third the bit.
byte_kinds tells of a byte what it means for a run.
"""
import sys

points = ["KEEP"] * 0x110000
for line in open(sys.argv[1], encoding="ascii"):
    if line.startswith("#"):
        continue
    first, last, name = line.split()
    for point in range(int(first, 16), int(last, 16) + 1):
        assert points[point] == "KEEP"
        points[point] = name
for plane in range(0, 0x110000, 0x10000):
    points[plane + 0xFFFE] = points[plane + 0xFFFF] = "DROP"

pages, index = [], []
for at in range(0, len(points), 256):
    page = points[at:at + 256]
    if page not in pages:
        pages.append(page)
    index.append(pages.index(page))
with open(sys.argv[2], "w", encoding="ascii") as out:
    out.write("/* Made by mailtext_classes.py from mailtext_classes.txt. */\nstatic const uint8_t class_pages[] = {\n")
    for i in range(0, len(index), 32):
        out.write("\t%s\n" % " ".join("%d," % n for n in index[i:i + 32]))
    out.write("};\n\nstatic const uint8_t class_of[][256] = {\n")
    for page in pages:
        out.write("\t{\n")
        for i in range(0, 256, 8):
            out.write("\t\t%s\n" % " ".join("MAILTEXT_%s," % name for name in page[i:i + 8]))
        out.write("\t},\n")
    out.write("};\n")
    out.write("\nstatic const uint64_t kept_threes[] = {\n")
    for i in range(0, 0x10000, 64):
        bits = sum(1 << j for j in range(64) if i + j >= 0x800 and points[i + j] == "KEEP")
        out.write("\t0x%016x,%s" % (bits, "\n" if i // 64 % 4 == 3 else ""))
    out.write("};\n")
    out.write("\nenum { BYTE_PLAIN, BYTE_ONCE, BYTE_MARKUP, BYTE_OTHER };\nstatic const uint8_t byte_kinds[256] = {\n")
    kinds = ["PLAIN" if 0x20 <= i < 0x7F else "OTHER" for i in range(256)]
    for i in range(256):
        kinds[i] = "ONCE" if i in b" /" else "MARKUP" if i in b"<&" else kinds[i]
    for i in range(0, 256, 8):
        out.write("\t%s\n" % " ".join("BYTE_%s," % kind for kind in kinds[i:i + 8]))
    out.write("};\n")
