"""test_tnef.py: winmail.dat made here, and the public ones, and what tnef_cat says of them.

usage: test_tnef.py TNEF_CAT CORPUS
"""
import glob
import os
import struct
import subprocess
import sys
import tempfile
import unittest

CAT, CORPUS = sys.argv.pop(1), sys.argv.pop(1)
BROKEN, TOO_MANY, RTF, HTML, TEXT, BEHIND = 1, 2, 4, 8, 16, 32
TITLE, DATA, RENDERING, PROPERTIES, ATTACHMENT, CODEPAGE = 0x18010, 0x6800f, 0x69002, 0x69003, 0x69005, 0x69007


def run(path):
    done = subprocess.run([CAT, path], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace"))
    rows = [line.split("\t") for line in done.stdout.decode().split("\n")[:-1]]
    items = [(r[1], int(r[2]), r[3], r[4]) for r in rows[:-1]]
    return items, int(rows[-1][2], 16), rows[-1][4]


def look(data):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        return run(f.name)


def attribute(number, data, level=2):
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xffff)


def tnef(*attributes, codepage=932):
    first = attribute(CODEPAGE, struct.pack("<II", codepage, 0), 1) if codepage else b""
    return struct.pack("<IH", 0x223e9f78, 1) + first + b"".join(attributes)


def value(data):
    return struct.pack("<I", len(data)) + data + bytes(-len(data) % 4)


def prop(kind, number, data, name=b""):
    body = data if isinstance(data, bytes) else struct.pack("<I", len(data)) + b"".join(value(d) for d in data)
    return struct.pack("<HH", kind, number) + name + body


def props(*all_of):
    return struct.pack("<I", len(all_of)) + b"".join(all_of)


def file(title, data, *properties):
    parts = [attribute(RENDERING, struct.pack("<H", 1) + bytes(12)), attribute(TITLE, title + b"\0"), attribute(DATA, data)]
    return b"".join(parts + ([attribute(ATTACHMENT, props(*properties))] if properties else []))


class Made(unittest.TestCase):
    def test_names(self):
        long = "議事録（案）①.pdf"
        got = look(tnef(file("GIJIRO~1.PDF".encode(), b"%PDF-1.4 x", prop(0x1f, 0x3707, [long.encode("utf-16-le") + b"\0\0"])),
                        file("表.xls".encode("cp932"), b"x" * 700), file(b"", b"")))
        self.assertEqual(got[0], [(long, 10, "pdf", "file"), ("表.xls", 700, "text", "file"), ("", 0, "empty", "file")])
        self.assertEqual(got[1:], (0, "Shift_JIS"))

    def test_codepages(self):
        for codepage, codec, charset in ((932, "cp932", "Shift_JIS"), (65001, "utf-8", "UTF-8"), (51932, "euc-jp", "EUC-JP"),
                                         (0, "cp932", "unknown"), (0, "utf-8", "unknown"), (99, "cp932", "unknown")):
            got = look(tnef(file("報告.txt".encode(codec), b"x"), codepage=codepage))
            self.assertEqual((got[0][0][0], got[2]), ("報告.txt", charset))

    def test_best_name(self):
        display, long = prop(0x1e, 0x3001, [b"display\0"]), prop(0x1e, 0x3707, [b"long.txt\0"])
        self.assertEqual(look(tnef(file(b"t", b"x", display)))[0][0][0], "display")
        for order in ((display, long), (long, display)):
            self.assertEqual(look(tnef(file(b"t", b"x", *order)))[0][0][0], "long.txt")

    def test_properties_of_all_types(self):
        named = bytes(16) + struct.pack("<II", 0, 7)
        texted = bytes(16) + struct.pack("<II", 1, 6) + "abc".encode("utf-16-le") + bytes(2)
        before = [prop(2, 1, bytes(4)), prop(5, 2, bytes(8)), prop(0x48, 3, bytes(16)), prop(0x102, 4, [b"12345"]), prop(3, 0x8001, bytes(4), named),
                  prop(0x1e, 0x8002, [b"x\0"], texted), prop(0x1003, 5, struct.pack("<I", 3) + bytes(12)), prop(0x101f, 6, [b"ab", b"", b"cdef"]),
                  prop(0x1014, 7, struct.pack("<I", 2) + bytes(16))]
        got = look(tnef(file(b"t", b"x", *before, prop(0x1e, 0x3707, [b"found.txt\0"]))))
        self.assertEqual((got[0][0][0], got[1]), ("found.txt", 0))

    def test_object(self):
        inner = bytes(16) + tnef(file(b"in", b"x"))
        got = look(tnef(attribute(RENDERING, struct.pack("<H", 2) + bytes(12)),
                        attribute(ATTACHMENT, props(prop(0x0d, 0x3701, [inner]), prop(0x1e, 0x3001, [b"mail\0"])))))
        self.assertEqual(got[0], [("mail", len(inner) - 16, "tnef", "embedded")])

    def test_bodies(self):
        got = look(tnef(attribute(PROPERTIES, props(prop(0x102, 0x1009, [b"LZFu"]), prop(0x102, 0x1013, [b"<p>"])), 1)))
        self.assertEqual(got[1], RTF | HTML)

    def test_hostile(self):
        good = file(b"a.txt", b"x")
        for bad in (attribute(ATTACHMENT, b"\xff\xff\xff\xff"), attribute(ATTACHMENT, props(prop(0x77, 1, bytes(4)))),
                    attribute(ATTACHMENT, struct.pack("<I", 9) + prop(3, 1, bytes(4))),
                    attribute(ATTACHMENT, props(prop(0x1e, 1, struct.pack("<II", 1, 0xfffffff0)))),
                    attribute(ATTACHMENT, props(prop(0x1e, 1, struct.pack("<I", 1 << 30)))),
                    attribute(ATTACHMENT, props(prop(3, 0x8000, bytes(4), bytes(16) + struct.pack("<I", 9)))),
                    attribute(ATTACHMENT, b"xx"), attribute(PROPERTIES, b"x", 1)):
            got = look(tnef(good, bad, good))
            self.assertEqual(([i[0] for i in got[0] if i[0]], got[1]), (["a.txt", "a.txt"], BROKEN))
        self.assertEqual(look(tnef(good, b"\7garbage behind"))[1], BEHIND)
        self.assertEqual(look(tnef(good, b"\1\2\3"))[1], BEHIND)
        self.assertEqual(look(b"no TNEF at all"), ([], BROKEN, "unknown"))
        self.assertEqual(look(tnef(struct.pack("<BII", 2, DATA, 0xffffffff)))[1], BROKEN)
        got = look(tnef(*[file(b"f", b"")] * 1100))
        self.assertEqual((len(got[0]), got[1]), (1000, TOO_MANY))
        self.assertEqual(look(tnef(file("a\u202egpj.exe".encode(), b"MZ" + bytes(60)), codepage=65001))[0][0][:3], ("a[U+202E]gpj.exe", 62, "exe"))

    def test_every_prefix(self):
        data = tnef(file(b"a.txt", b"content", prop(0x1e, 0x3707, [b"long.txt\0"])))
        for n in range(len(data)):
            items, flags, _ = look(data[:n])
            self.assertLessEqual(len(items), 1)
            self.assertTrue(flags & (BROKEN | BEHIND) or data[n:] == b"" or data[n:n + 1] in (b"\1", b"\2"), n)


class Public(unittest.TestCase):
    """MimeKit's files with the lists that come with them; content's sizes are those of the files it unpacked."""

    # What these lists do not have: we name what is inside an embedded mail no further, and have the long names.
    OTHER = {"christmas", "MAPI_OBJECT", "winmail", "long-filename", "missing-filenames"}

    def test_lists(self):
        folder = os.path.join(CORPUS, "mimekit/UnitTests/TestData/tnef")
        files = sorted(glob.glob(os.path.join(folder, "*.tnef")))
        if not files:
            self.skipTest("corpus is not there")
        for path in files:
            stem = path[:-len(".tnef")]
            items, flags, _ = run(path)
            self.assertEqual(flags & (BROKEN | TOO_MANY), 0, path)
            with open(stem + ".list", encoding="utf-8") as f:
                want = [line for line in f.read().split("\n") if line and line not in ("body.rtf", "body.html")]
            if os.path.basename(stem) not in self.OTHER:
                self.assertEqual(sorted(i[0] for i in items), sorted(want), path)
            for name, size, _, _ in items:
                unpacked = os.path.join(stem, name)
                if not name or not os.path.exists(unpacked):
                    continue
                with open(unpacked, "rb") as f:
                    data = f.read()
                # Line ends of text were changed when it was unpacked.
                text = b"\0" not in data
                self.assertTrue(size == len(data) or text and len(data) < size <= len(data) + data.count(b"\n"), unpacked)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
