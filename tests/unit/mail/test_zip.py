"""test_zip.py: archives made here, and what zip_cat says of them, against Python's zipfile and Info-ZIP's unzip.

usage: test_zip.py ZIP_CAT CORPUS
"""
import io
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib

from office import archive

CAT, CORPUS = sys.argv.pop(1), sys.argv.pop(1)
ENCRYPTED, DIRECTORY, PARENT, ABSOLUTE, ODD, TWICE, ARCHIVE, PROGRAM = 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80
DRESSED, UNFIT, MACROS, OBJECT, BOMB, UNREAD = 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000


class Entry:
    def __init__(self, words):
        self.name, self.kind, self.whole = words[0], words[6], words[7] == "whole"
        self.size, self.packed, self.crc, self.method = int(words[1]), int(words[2]), int(words[3], 16), int(words[4])
        self.flags, self.seen = int(words[5], 16), int(words[8], 16)


class Listing:
    def __init__(self, out):
        rows = [line.split("\t") for line in out.split("\n") if line]
        self.entries = [Entry(r[1:]) for r in rows if r[0] == "entry"]
        last = next(r for r in rows if r[0] == "archive")
        self.kind, self.broken, self.flags, self.spent = last[1], last[2], int(last[7], 16), last[8] == "spent"
        self.time = next((float(r[1]) for r in rows if r[0] == "time"), None)
        self.names = [e.name for e in self.entries]


def look(data, *options):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        done = subprocess.run([CAT, *options, f.name], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace")[:2000])
    return Listing(done.stdout.decode())


def deflate(data):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


class Raw:
    """An archive byte by byte, so that any of them can be wrong."""

    def __init__(self):
        self.out, self.directory, self.count = b"", b"", 0

    def add(self, name, data, method=8, flags=0, **wrong):
        packed = wrong.get("packed", deflate(data) if method == 8 else data)
        crc, size, n = wrong.get("crc", zlib.crc32(data)), wrong.get("size", len(data)), wrong.get("npacked", len(packed))
        local = (0, 0, 0) if flags & 8 else (crc, n, size)
        raw = name if isinstance(name, bytes) else name.encode()
        at = len(self.out)
        extra = wrong.get("extra", b"")
        self.out += struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, method, 0, 0, *wrong.get("local", local), len(raw), len(extra)) + raw + extra
        self.out += packed
        if flags & 8:
            self.out += wrong.get("descriptor", b"PK\7\x08" + struct.pack("<3I", crc, n, size))
        other = wrong.get("listed", raw)
        if other is not None:
            self.directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, wrong.get("listed_flags", flags), method, 0, 0,
                                          wrong.get("listed_crc", crc), wrong.get("listed_packed", n), wrong.get("listed_size", size),
                                          len(other), 0, 0, wrong.get("disk", 0), 0, 0, wrong.get("place", at)) + other
            self.count += 1
        return self

    def end(self, gap=b"", comment=b"", behind=b"", count=None, place=None, size=None):
        at = len(self.out) + len(gap)
        count = self.count if count is None else count
        return (self.out + gap + self.directory + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count,
                len(self.directory) if size is None else size, at if place is None else place, len(comment)) + comment + behind)


class Good(unittest.TestCase):
    def compare(self, data):
        """Names, sizes, check sums and content as Python sees them."""
        got = look(data, "-w")
        self.assertEqual(got.broken, "well")
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            want = [(i.filename, i.file_size, i.compress_size, i.CRC, i.compress_type) for i in z.infolist()]
            self.assertEqual([(e.name, e.size, e.packed, e.crc, e.method) for e in got.entries], want)
            for e, i in zip(got.entries, z.infolist()):
                if not i.flag_bits & 1 and i.compress_type in (0, 8):
                    self.assertEqual((e.whole, e.seen), (True, zlib.crc32(z.read(i))), i.filename)
        self.assertEqual([e.flags for e in look(data).entries], [e.flags for e in got.entries])
        return got

    def test_random(self):
        rng = random.Random(4)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            for streamed in (False, True):
                for n in (0, 1, 3, 40):
                    entries = [(f"部/{i}-{rng.randrange(999)}.dat", rng.randbytes(rng.randrange(3000)) + b"PK\7\x08" * rng.randrange(9) +
                                b"x" * rng.randrange(4000)) for i in range(n)]
                    self.compare(archive(entries, method, streamed))

    def test_info_zip(self):
        """What zip(1) writes: to a file and to a pipe, with a password, from a pipe."""
        if shutil.which("zip") is None:
            self.skipTest("zip is not installed")
        with tempfile.TemporaryDirectory() as d:
            for name, data in (("a.txt", b"text " * 99), ("b.bin", os.urandom(500)), ("empty", b"")):
                with open(os.path.join(d, name), "wb") as f:
                    f.write(data)
            run = lambda cmd: subprocess.run(["sh", "-c", cmd], cwd=d, check=True, capture_output=True).stdout
            for cmd in ("zip -q o.zip a.txt b.bin empty && cat o.zip", "zip -q - a.txt b.bin empty | cat", "zip -q -0 - a.txt b.bin | cat",
                        "cat a.txt | zip -q p.zip - && cat p.zip", "zip -q -fz q.zip a.txt && cat q.zip", "zip -q -z r.zip a.txt <b.bin && cat r.zip"):
                self.compare(run(cmd))
            for cmd in ("zip -q -P x s.zip a.txt b.bin && cat s.zip", "zip -q -P x - a.txt b.bin | cat", "cat a.txt | zip -q -P x t.zip - && cat t.zip",
                        "zip -q -0 -P x - b.bin | cat"):
                got = self.compare(run(cmd))
                self.assertTrue(all(e.flags & (ENCRYPTED | UNREAD) == ENCRYPTED | UNREAD for e in got.entries))

    def test_unzip(self):
        if shutil.which("zipinfo") is None:
            self.skipTest("unzip is not installed")
        data = archive([(f"f{i}", bytes(i * 7)) for i in range(30)], streamed=True)
        with tempfile.NamedTemporaryFile(suffix=".zip") as f:
            f.write(data)
            f.flush()
            out = subprocess.run(["zipinfo", f.name], capture_output=True, text=True, check=False).stdout
        rows = [line.split() for line in out.split("\n") if len(line.split()) == 9 and line[:1] in "-?"]
        self.assertEqual([(r[-1], int(r[3])) for r in rows], [(e.name, e.size) for e in look(data).entries])

    def test_zip64(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            for i in range(3):
                with z.open(zipfile.ZipInfo(f"{i}.txt"), "w", force_zip64=True) as f:
                    f.write(b"line\n" * 500)
        self.compare(out.getvalue())

    def test_many(self):
        self.assertEqual(len(self.compare(archive([(f"{i}", b"") for i in range(1000)])).names), 1000)
        got = look(archive([(f"{i}", b"x") for i in range(1001)]))
        self.assertEqual((got.broken, len(got.names)), ("too-many", 1000))

    def test_corpus(self):
        path = os.path.join(CORPUS, "mail-gem/spec/fixtures/attachments/test.zip")
        if not os.path.exists(path):
            self.skipTest("corpus is not there")
        with open(path, "rb") as f:
            self.assertEqual(self.compare(f.read()).entries[0].kind, "pdf")


class Names(unittest.TestCase):
    def one(self, raw, flags=0, **wrong):
        return look(Raw().add(raw, b"x", flags=flags, **wrong).end()).entries[0]

    def test_charsets(self):
        for text in ("見積書①.xlsx", "ｶﾅ.txt", "髙﨑.doc", "表示～.txt"):
            self.assertEqual(self.one(text.encode("cp932")).name, text)
        for text in ("見積書①.xlsx", "が.txt"):  # macOS writes UTF-8 without saying so
            self.assertEqual(self.one(text.encode()).name, text)
            self.assertEqual(self.one(text.encode(), 0x800).name, text)
        bad = self.one(b"a\xff.txt", 0x800)
        self.assertEqual((bad.name, bad.flags & ODD), ("a\ufffd.txt", ODD))

    def test_unicode_path(self):
        raw = "写真.jpg".encode("cp932")
        field = lambda name, crc: struct.pack("<HHBI", 0x7075, 5 + len(name), 1, crc) + name
        self.assertEqual(self.one(raw, extra=field("写真\u2460.jpg".encode(), zlib.crc32(raw))).name, "写真①.jpg")
        self.assertEqual(self.one(raw, extra=field(b"other.jpg", 1)).name, "写真.jpg")
        got = self.one(b"a.txt", extra=field(b"../a.exe", zlib.crc32(b"a.txt")))
        self.assertEqual(got.flags & (ODD | PARENT | PROGRAM), ODD | PARENT | PROGRAM)

    def test_tricks(self):
        for name, flags in (("../x", PARENT), ("a/../../x", PARENT), ("..\\x", PARENT | ODD), ("/etc/passwd", ABSOLUTE), ("C:\\x", ABSOLUTE | ODD),
                            ("C:x", ABSOLUTE), ("\\\\host\\x", ABSOLUTE | ODD), ("a\0.txt", ODD), ("", ODD), ("a..b", 0), ("a/..b/c", 0),
                            ("..", PARENT), ("a\u202excod.exe", ODD | PROGRAM | DRESSED | UNFIT), ("a.pdf.exe", PROGRAM | DRESSED | UNFIT),
                            ("a\nb", ODD), ("x" * 300, ODD), ("a.pdf", UNFIT), ("a.txt", 0), ("a.js", PROGRAM)):
            got = self.one(name)
            self.assertEqual(got.flags & (PARENT | ABSOLUTE | ODD | PROGRAM | DRESSED | UNFIT), flags, name)
            self.assertNotIn("\u202e", got.name)
            self.assertNotIn("\n", got.name)
        self.assertEqual(self.one("a\u202ex.exe").name, "a[U+202E]x.exe")
        self.assertEqual(len(self.one("あ" * 85).name), 85)
        self.assertLessEqual(len(self.one("\x01" * 250).name.encode()), 512)

    def test_folder(self):
        got = look(Raw().add("d/", b"", 0).add("e/", b"MZ" + bytes(99)).add("f.exe/", b"", 8).end())
        self.assertEqual([e.flags for e in got.entries], [DIRECTORY, ODD | PROGRAM | UNFIT, DIRECTORY])
        self.assertEqual(got.entries[1].kind, "exe")

    def test_twice(self):
        got = look(Raw().add("a", b"1").add("b", b"2").add("a", b"3").end())
        self.assertEqual(([e.flags & TWICE for e in got.entries], got.broken), ([0, 0, TWICE], "well"))


class Kinds(unittest.TestCase):
    def test_content(self):
        inner = archive([("x", b"x")])
        got = look(archive([("請求書.pdf", b"%PDF-1.4\n%"), ("a.pdf", b"MZ" + bytes(99)), ("b.zip", inner), ("c.bin", inner), ("d", b""),
                            ("e.docx", archive([("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")]))]))
        self.assertEqual([e.kind for e in got.entries], ["pdf", "exe", "zip", "zip", "empty", "docx"])
        self.assertEqual([e.flags for e in got.entries], [0, PROGRAM | UNFIT, ARCHIVE, ARCHIVE, 0, 0])

    def test_archives(self):
        types = ("[Content_Types].xml", b"<Types/>")
        for entries, kind in (([types, ("word/document.xml", b"")], "docx"), ([types, ("xl/workbook.xml", b"")], "xlsx"),
                              ([types, ("ppt/presentation.xml", b"")], "pptx"), ([types, ("xl/workbook.bin", b"")], "xlsb"),
                              ([types, ("word/document.xml", b""), ("word/vbaProject.bin", b"")], "docm"),
                              ([types, ("xl/workbook.xml", b""), ("xl/macrosheets/sheet1.xml", b"")], "xlsm"),
                              ([("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"")], "opendocument"),
                              ([("META-INF/MANIFEST.MF", b""), ("a/B.class", b"")], "jar"), ([("META-INF/MANIFEST.MF", b"")], "zip"),
                              ([("word/document.xml", b"")], "zip"), ([("AndroidManifest.xml", b""), types, ("word/document.xml", b"")], "apk")):
            self.assertEqual(look(archive(entries)).kind, kind)


class Broken(unittest.TestCase):
    def broken(self, data, *words):
        got = look(data, "-w")
        self.assertIn(got.broken, words)
        return got

    def test_every_prefix(self):
        for streamed in (False, True):
            data = archive([("a", b"text" * 9), ("b", b"more")], streamed=streamed)
            for n in range(len(data)):
                self.broken(data[:n], "cut", "no-end")

    def test_every_byte(self):
        """A changed byte is noticed, or it is one that says nothing here (times, versions, attributes)."""
        for method in (0, 8):
            data = Raw().add("name", b"content content", method).add("b", b"x", method).end()
            silent = {4, 5} | set(range(10, 14))  # of a local header
            for at in range(len(data)):
                got = look(data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:], "-w")
                if got.broken == "well" and not got.spent:
                    start = max(data.rfind(m, 0, at + 4) for m in (b"PK\3\4", b"PK\1\2", b"PK\5\6"))
                    allowed = silent | {6, 7} if data[start:start + 4] == b"PK\3\4" else set(range(4, 10)) | set(range(12, 16)) | set(range(36, 42))
                    self.assertIn(at - start, allowed, (method, at))

    def test_directory(self):
        two = lambda **wrong: Raw().add("a.txt", b"text").add("b.txt", b"more", **wrong)
        for data in (two(listed=b"c.txt").end(), two(listed=None).end(), two(listed_size=9).end(), two(listed_packed=9).end(),
                     two(listed_crc=9).end(), two(place=0).end(), two(listed_flags=0x800).end(), two().end(count=1), two().end(count=3),
                     two().end(place=7), two().end(size=7), two(listed=b"b.txt\0").end()):
            self.broken(data, "disagrees")
        self.broken(two().end(behind=b"x"), "behind")
        self.broken(two().end(behind=two().end()), "behind")
        self.assertEqual(look(two().end(comment=b"comment")).broken, "well")
        self.broken(two().end(gap=b"gap!"), "no-header")
        self.broken(b"stub" + two().end(), "no-header")
        self.broken(two(disk=1).end(), "spanned")
        self.broken(two().out + b"PK\6\x08" + bytes(40), "directory-encrypted")
        again = Raw().add("a.txt", b"text")
        again.directory *= 2
        again.count = 2
        self.broken(again.end(), "disagrees")

    def test_order(self):
        """A directory in another order tells the same story."""
        a, b = Raw().add("a", b"1"), Raw()
        b.out = a.out
        b.add("b", b"2")
        b.directory += a.directory
        b.count = 2
        self.assertEqual(look(b.end()).broken, "well")

    def test_data(self):
        self.broken(Raw().add("a", b"text", crc=1).end(), "bad-data")
        self.broken(Raw().add("a", b"text", size=3).end(), "bad-data")
        self.broken(Raw().add("a", b"text", size=5).end(), "bad-data")
        self.broken(Raw().add("a", b"text", packed=deflate(b"text") + b"\0").end(), "bad-data")
        self.broken(Raw().add("a", b"text" * 99, packed=b"\xff" * 50).end(), "bad-data")
        self.broken(Raw().add("a", b"text", flags=8, descriptor=b"PK\7\x08" + bytes(12)).end(), "bad-data")
        self.assertEqual(look(Raw().add("a", b"text", flags=8, descriptor=struct.pack("<3I", zlib.crc32(b"text"), 6, 4)).end()).broken, "well")

    def test_hidden_entries(self):
        """An archive inside stored data: only what the directory lists is there, or the archive is broken."""
        inner = Raw().add("hidden.exe", b"MZ").end()
        got = look(Raw().add("a", inner, 0, 8).end())
        self.assertEqual((got.names, got.broken), (["a"], "well"))
        fake = b"data" + b"PK\7\x08" + struct.pack("<3I", zlib.crc32(b"data"), 4, 4) + Raw().add("x", b"1").out
        got = look(Raw().add("a", fake, 0, 8).end())
        self.assertNotEqual(got.broken, "well")

    def test_methods(self):
        got = look(Raw().add("a", b"??", 14, packed=b"??").add("b", b"??", 99, 1, packed=b"??").add("c", b"x").end())
        self.assertEqual([e.flags for e in got.entries], [UNREAD, UNREAD | ENCRYPTED, 0])


class Bombs(unittest.TestCase):
    """Nothing costs more than its bytes would at 100 MB/s, and a little for a small one."""

    def cost(self, data, *words):
        got = look(data, "-t", "-w")
        self.assertIn(got.broken, words)
        self.assertLess(got.time, len(data) / 100e6 + 0.08)
        return got

    def test_zeros(self):
        data = bytes(64 << 20)
        for flags in (0, 8):
            got = self.cost(Raw().add("a", data, flags=flags).add("b", b"x").end(), "well")
            self.assertEqual((got.flags & BOMB, got.names), (BOMB, ["a", "b"]))

    def test_many_bombs(self):
        bomb = deflate(bytes(16 << 20))
        for flags in (0, 8):
            raw = Raw()
            for i in range(200):
                raw.add(f"{i}", b"", flags=flags, packed=bomb, npacked=len(bomb), size=16 << 20, crc=zlib.crc32(bytes(16 << 20)))
            got = self.cost(raw.end(), "well")
            self.assertEqual((got.spent, len(got.names)), (True, 200))

    def test_just_below_the_ratio(self):
        rng = random.Random(1)
        data = b"".join(rng.randbytes(8) + bytes(1000) for _ in range(60000))
        got = self.cost(Raw().add("a", data, flags=8).end(), "well")
        self.assertTrue(got.spent)

    def test_lies(self):
        data = bytes(8 << 20)
        self.cost(Raw().add("a", data, size=100).end(), "bad-data")
        self.assertEqual(self.cost(Raw().add("a", b"x", size=1 << 31, crc=0).end(), "bad-data").flags & BOMB, BOMB)

    def test_marks(self):
        """A search that meets nothing but beginnings."""
        for filler in (b"P", b"PK", b"PK\7\x08", b"PK\7\x08PK\7"):
            data = (filler * (8 << 20))[:8 << 20]
            got = self.cost(Raw().add("a", data, 0, 8).end(), "well")
            self.assertEqual(got.entries[0].size, len(data))

    def test_small_entries(self):
        raw = Raw()
        for i in range(1000):
            raw.add(f"{i:04}", b"x" * i)
        self.cost(raw.end(), "well")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
