"""test_attachment.py: documents made here, and what attachment_cat says of them; whole, in bytes, and cut at every place.

usage: test_attachment.py ATTACHMENT_CAT
"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

from office import HEAD, S, W, archive, docx, paragraph, pptx, table, xlsx

CAT = sys.argv.pop(1)


class Report:
    def __init__(self, out):
        head, _, tail = out.rpartition("\nflags")
        self.flags = tail.split("\n")[0].split("\t")[1:]
        last = tail.split("\n")[1].split("\t")
        self.kind, self.size, self.nitems, self.ntext = last[1], int(last[2]), int(last[3]), int(last[4])
        self.broken, self.charset, self.sha256 = last[5:8]
        lines = head.split("\n")
        self.items = [line.split("\t")[1:] for line in lines if line.startswith("item\t")]
        self.text = "\n".join(line for line in lines if not line.startswith("item\t"))


def look(data, name="x", *options):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        done = subprocess.run([CAT, "-n", name, *options, f.name], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace"))
    report = Report(done.stdout.decode())
    assert report.size == len(data) and report.sha256 == hashlib.sha256(data).hexdigest()
    return report


def number(value, ref=None, kind=None):
    return f"<c{f' r={chr(34)}{ref}{chr(34)}' if ref else ''}{f' t={chr(34)}{kind}{chr(34)}' if kind else ''}><v>{value}</v></c>"


class Word(unittest.TestCase):
    def test_text(self):
        r = look(docx(paragraph("拝啓　①&amp;㈱ &lt;b&gt;") + paragraph("") + paragraph("二行目")), "手紙.docx")
        self.assertEqual((r.kind, r.flags, r.broken), ("docx", [], "well"))
        self.assertEqual(r.text, "拝啓　①&㈱ <b>\n\n二行目\n")

    def test_streamed_is_the_same(self):
        body = paragraph("本文です。") * 50
        self.assertEqual(look(docx(body)).text, look(docx(body, streamed=True)).text)
        self.assertEqual(look(docx(body)).text, look(docx(body, method=zipfile.ZIP_STORED)).text)
        self.assertEqual(look(docx(body)).text, look(docx(body, method=zipfile.ZIP_STORED, streamed=True)).text)

    def test_table_tabs_breaks(self):
        r = look(docx(table([["氏名", "年齢"], ["山田", "45"], ["", "7"]]) + "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t>"
                      "<w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>"))
        self.assertEqual(r.text, "氏名\t年齢\n山田\t45\n\t7\na\tb\nc-d\n")

    def test_left_out(self):
        r = look(docx("<w:p><w:r><w:ruby><w:rt><w:r><w:t>かんじ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢字</w:t></w:r></w:rubyBase>"
                      "</w:ruby><w:instrText>PAGE</w:instrText><w:t>本</w:t></w:r><w:del><w:r><w:delText>消</w:delText><w:t>消</w:t></w:r></w:del>"
                      "<mc:AlternateContent><mc:Choice><w:t>新</w:t></mc:Choice><mc:Fallback><w:t>旧</w:t></mc:Fallback></mc:AlternateContent>"
                      "</w:p>"))
        self.assertEqual(r.text, "漢字本新\n")

    def test_other_parts(self):
        part = lambda t: f"{HEAD}<w:x {W}>{paragraph(t)}</w:x>"
        r = look(docx(paragraph("本文"), [("word/header1.xml", part("頭")), ("word/footnotes.xml", part("注")),
                                         ("word/styles.xml", part("書式")), ("word/_rels/header1.xml.rels", part("関係"))]))
        self.assertEqual(r.text, "本文\n\n[header1]\n頭\n\n[footnotes]\n注\n")

    def test_characters_are_filtered(self):
        r = look(docx(paragraph("a&#x202E;b&#8203;c&#x1F600;&#0;")))
        self.assertIn("unread", r.flags)  # &#0; is no character
        self.assertEqual(look(docx(paragraph("a&#x202E;b&#8203;c&#x1F600;"))).text, "abc\U0001f600\n")

    def test_utf16(self):
        xml = f"<w:document {W}><w:body>{paragraph('日本語')}</w:body></w:document>"
        for codec in ("utf-16", "utf-16-be"):
            data = ("\ufeff" if codec != "utf-16" else "").encode(codec) + xml.encode(codec)
            r = look(archive([("[Content_Types].xml", "<Types/>"), ("word/document.xml", data)]))
            self.assertEqual((r.text, r.flags), ("日本語\n", []))

    def test_refused(self):
        laughs = '<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><w:document><w:body><w:p><w:t>&b;</w:t></w:p></w:body></w:document>'
        for xml in (laughs, '<!DOCTYPE x SYSTEM "file:///etc/passwd"><w:t>x</w:t>', '<?xml version="1.0" encoding="UTF-7"?><w:t>x</w:t>',
                    "<w:t>&b;x</w:t>", "<w:t>\0b</w:t>", "<w:t>&#x110000;</w:t>", "<w:t>&#xZ;</w:t>", "<w:t>&averyverylongname;</w:t>"):
            r = look(archive([("[Content_Types].xml", "<Types/>"), ("word/document.xml", xml)]))
            self.assertEqual((r.text, r.flags), ("", ["unread"]), xml)

    def test_markup(self):
        for xml, text in (("<w:t><![CDATA[<a>]]&]]]></w:t>", "<a>]]&]\n"), ("<w:t>a<!-- <w:t>b-->c</w:t>", "ac\n"),
                          ("<t a='>' b=\"/>\">x</t>", "x\n"), ("<w:t a='&quot;'/>n<w:t>y</w:t>", "y\n"), ("<w:t\n>z</w:t\n>", "z\n"),
                          ("<?pi ?><w:t>p<?x y?>q</w:t>", "pq\n")):
            r = look(archive([("[Content_Types].xml", "<Types/>"), ("word/document.xml", xml)]))
            self.assertEqual((r.text, r.flags), (text, []), xml)

    def test_cut_text(self):
        r = look(docx(paragraph("あいう") * 100), "x.docx", "-m", "98")
        self.assertEqual((r.ntext, "truncated" in r.flags), (96, True))
        self.assertEqual(look(docx(paragraph("あいう") * 10), "x.docx", "-m", "100").flags, [])

    def test_macros(self):
        r = look(docx(paragraph("x"), [("word/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))]), "x.docx")
        self.assertEqual((r.kind, sorted(r.flags)), ("docm", ["macros", "unfit"]))
        r = look(docx(paragraph("x"), [("word/embeddings/oleObject1.bin", b"x")]), "x.docx")
        self.assertEqual(r.flags, ["object"])

    def test_damage(self):
        data = bytearray(docx(paragraph("本文" * 300)))
        at = data.index(b"word/document.xml") + 60
        data[at] ^= 0xff
        r = look(bytes(data))
        self.assertIn("broken", r.flags)
        self.assertIn("unread", r.flags)

    def test_every_prefix(self):
        data = docx(paragraph("本文です"))
        for n in range(0, len(data), 7):
            r = look(data[:n])
            self.assertTrue("本文です\n".startswith(r.text.rstrip("\n")), r.text)
            if n > 8:
                self.assertIn("broken", r.flags)


class Excel(unittest.TestCase):
    ROWS = ("<row r='1'>" + number(0, "A1", "s") + number(1, "B1", "s") + number(12.5, "D1") + "</row><row r='2'>" +
            "<c r='A2' t='inlineStr'><is><t>その</t><r><t>場</t></r></is></c><c r='B2' t='b'><v>1</v></c>"
            "<c r='C2' t='str'><f>A1&amp;\"x\"</f><v>式の値</v></c><c r='D2' t='e'><v>#N/A</v></c><c r='E2' s='3'/></row>")
    STRINGS = ["<t>品名</t><rPh sb='0' eb='2'><t>ヒンメイ</t></rPh>", "<r><t>数</t></r><r><rPr/><t xml:space='preserve'> 量\n(個)</t></r>"]
    TEXT = "[workbook]\n集計\t明細\n\n[sheet1]\n品名\t数 量 (個)\t\t12.5\nその場\tTRUE\t式の値\t#N/A\n\n[sheet2]\n品名\n"

    def test_text(self):
        sheets = [self.ROWS, "<row>" + number(0, None, "s") + "</row>"]
        for first in (False, True):
            for streamed in (False, True):
                r = look(xlsx(sheets, self.STRINGS, ["集計", "明細"], first, streamed=streamed), "表.xlsx")
                self.assertEqual((r.kind, r.flags, r.text), ("xlsx", [], self.TEXT))

    def test_numbers(self):
        row = "<row>" + "".join(number(v) for v in ("123456789018", "1.23456789018E11", "1.5E-7", "1E3", "4.5e1", "1.23E+20", "-2")) + "</row>"
        self.assertEqual(look(xlsx([row])).text.split("\n")[4], "123456789018\t123456789018\t1.5E-7\t1000\t45\t1.23E+20\t-2")

    def test_columns(self):
        row = f"<row>{number(1, 'C1')}{number(2, 'E1')}{number(3, 'ZZZ1')}{number(4, 'A1')}</row>"
        self.assertEqual(look(xlsx([row])).text.split("\n")[4], "\t\t1\t\t2" + "\t" * 16 + "3\t4")

    def test_hostile(self):
        for row in (number(7, "A1", "s"), number(-1, "A1", "s"), number("x", "A1", "s"), "<t>a</t><row></row><t>b</t>",
                    "<c t='inlineStr'><is><t>a</t></is><v>3</v><is><t>b</t></is></c>", "</row></c></v></t>" * 9, "<v>" * 300 + "5"):
            look(xlsx([f"<row>{row}</row>"], ["<t>s</t>"]))

    def test_limits(self):
        r = look(xlsx(["".join(f"<row>{number(i, None, 's')}</row>" for i in range(40000))], [f"<t>{i}</t>" for i in range(40000)]))
        self.assertIn("truncated", r.flags)
        self.assertIn("\n32767\n", r.text)
        r = look(xlsx(["".join(f"<row><c t='inlineStr'><is><t>{i:0100}</t></is></c></row>" for i in range(9000))]), "x", "-m", "2000000")
        self.assertIn("truncated", r.flags)
        self.assertLess(r.ntext, 600000)
        r = look(xlsx([f"<row><c t='inlineStr'><is><t>{'長' * 30000}</t></is></c></row>"]))
        self.assertLess(len(r.text), 12000)


class Open(unittest.TestCase):
    """OpenDocument."""

    def look(self, body, kind="text"):
        mime = f"application/vnd.oasis.opendocument.{kind}"
        xml = f"{HEAD}<office:document-content><office:body>{body}</office:body></office:document-content>"
        r = look(archive([("mimetype", mime), ("content.xml", xml), ("styles.xml", "<p>x</p>"), ("META-INF/manifest.xml", "<x/>")]), "a.odt")
        self.assertEqual((r.kind, r.flags), ("opendocument", []))
        return r.text

    def test_text(self):
        self.assertEqual(self.look("<text:h>題</text:h><text:p>一<text:tab/>二<text:s text:c='2'/>三<text:line-break/>四"
                                   "<text:ruby><text:ruby-base>漢</text:ruby-base><text:ruby-text>かん</text:ruby-text></text:ruby></text:p>"
                                   "<text:tracked-changes><text:p>消</text:p></text:tracked-changes><text:p/><text:p>末</text:p>"),
                         "題\n一\t二 三\n四漢\n\n末\n")

    def test_sheet(self):
        cell = lambda t, more="": f"<table:table-cell {more}><text:p>{t}</text:p></table:table-cell>"
        empty = lambda n: f"<table:table-cell table:number-columns-repeated='{n}'/>"
        self.assertEqual(self.look("<table:table><table:table-row>" + cell("番号") + empty(2) + cell("名") + empty(16000) + "</table:table-row>"
                                   "<table:table-row table:number-rows-repeated='65000'>" + empty(16384) + "</table:table-row>"
                                   "<table:table-row>" + cell("1") + "</table:table-row></table:table>", "spreadsheet"), "番号\t\t\t名\n1\n")


class PowerPoint(unittest.TestCase):
    def test_text(self):
        slide = lambda *ps: "".join(f"<a:p><a:r><a:t>{p}</a:t></a:r></a:p>" for p in ps)
        r = look(pptx([slide("題", "副題"), slide("二枚目")], [slide("話すこと")]), "発表.pptx")
        self.assertEqual((r.kind, r.flags), ("pptx", []))
        self.assertEqual(r.text, "[slide1]\n題\n副題\n\n[slide2]\n二枚目\n\n[notesSlide1]\n話すこと\n")


class Plain(unittest.TestCase):
    TEXT = "氏名,年齢\r\n髙橋①,45\r\n"

    def test_charsets(self):
        for codec, label, charset in (("utf-8", "utf-8", "UTF-8"), ("cp932", "", "Shift_JIS"), ("cp932", "utf-8", "Shift_JIS"),
                                      ("utf-16", "", "UTF-16"), ("utf-8-sig", "", "UTF-8")):
            r = look(self.TEXT.encode(codec), "名簿.CSV", *(["-c", label] if label else []))
            self.assertEqual((r.text, r.charset, r.kind), ("氏名,年齢\n髙橋①,45\n", charset, "text"), codec)
        self.assertEqual(look("漢字".encode("iso-2022-jp"), "a.txt").text, "漢字")

    def test_any(self):
        for name in ("名簿.dat", "名簿", "a.html"):
            self.assertEqual(look(self.TEXT.encode("cp932"), name).text, "")
            self.assertEqual(look(self.TEXT.encode("cp932"), name, "-a").text, "氏名,年齢\n髙橋①,45\n")
        r = look(b"text at first" + bytes(400), "a.dat", "-a")
        self.assertEqual((r.text, r.flags), ("", []))

    def test_not_text(self):
        self.assertEqual(look(b"MZ" + bytes(100), "a.txt").text, "")
        self.assertIn("program", look(b"MZ" + bytes(100), "a.txt").flags)
        self.assertEqual(look(b"text", "a.dat").text, "")

    def test_limits(self):
        r = look("あ".encode() * 400000, "a.txt", "-m", "3000000")
        self.assertEqual((r.ntext <= 1 << 20, "truncated" in r.flags), (True, True))
        r = look("あいう\n".encode() * 10, "a.txt", "-m", "50")
        self.assertEqual((r.ntext, "truncated" in r.flags), (50, True))


class Kinds(unittest.TestCase):
    def test_flags(self):
        for data, name, kind, flags in (
                (b"%PDF-1.7\n1 0 obj", "a.pdf", "pdf", []), (b"%PDF-1.7\ntrailer << /Encrypt 9 0 R >>", "a.pdf", "pdf", ["encrypted"]),
                (b"MZ" + bytes(99), "請求書.pdf", "exe", ["program", "unfit"]), (b"MZ" + bytes(99), "a.pdf.exe", "exe", ["program", "dressed"]),
                (b"", "a.docx", "empty", []), (b"7z\xbc\xaf\x27\x1c" + bytes(20), "a.7z", "7z", ["archive", "unread"]), (b"P", "x", "text", []),
                (b"WScript.Echo 1", "a.vbs", "text", ["program"]), (b"PK\3\4", "a.zip", "zip", ["archive", "broken"]),
                (b"x\x9f\x3e\x22", "winmail.dat", "tnef", ["archive", "broken"])):
            r = look(data, name)
            self.assertEqual((r.kind, sorted(r.flags)), (kind, sorted(flags)), name)

    def test_compound(self):
        def record(name, kind=2, clsid=bytes(16)):
            n = name.encode("utf-16-le") + b"\0\0"
            return n.ljust(64, b"\0") + len(n).to_bytes(2, "little") + bytes([kind, 1]) + bytes(12) + clsid + bytes(32)

        def file(*records):
            return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + os.urandom(0) + bytes(1024) + record("Root Entry", 5) + b"".join(records)

        for records, kind, flags in (
                ([record("WordDocument")], "doc", []), ([record("Workbook")], "xls", []), ([record("PowerPoint Document")], "ppt", []),
                ([record("EncryptionInfo"), record("EncryptedPackage")], "office-encrypted", ["encrypted"]),
                ([record("WordDocument"), record("Macros", 1), record("VBA", 1)], "doc", ["macros"]),
                ([record("__properties_version1.0")], "outlook", ["archive", "unread"]), ([record("DocumentText")], "ichitaro", []),
                ([record("\001Ole10Native"), record("WordDocument")], "doc", ["object"]), ([record("Other")], "compound", [])):
            r = look(file(*records), "x")
            self.assertEqual((r.kind, sorted(r.flags)), (kind, sorted(flags)))
        self.assertEqual(look(file(record("EncryptedPackage")), "x.xlsx").flags, ["encrypted"])
        installer = bytes.fromhex("84100c0000000000c000000000000046")
        r = look(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + record("Root Entry", 5, installer), "a.doc")
        self.assertEqual((r.kind, sorted(r.flags)), ("msi", ["program", "unfit"]))

    def test_partly_encrypted(self):
        closed = bytearray(archive([("a.txt", b"x"), ("b.txt", b"y")], zipfile.ZIP_STORED))
        for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            closed[closed.index(mark) + at] |= 1
        self.assertEqual(sorted(look(bytes(closed), "a.zip").flags), ["archive", "encrypted", "partly", "unread"])
        for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            closed[closed.rindex(mark) + at] |= 1
        self.assertEqual(sorted(look(bytes(closed), "a.zip").flags), ["archive", "encrypted", "unread"])

    def test_disc(self):
        data = bytearray(40000)
        data[32769:32774] = b"CD001"
        r = look(bytes(data), "a.iso")
        self.assertEqual((r.kind, sorted(r.flags)), ("iso", ["archive", "program", "unread"]))

    def test_encrypt_over_pieces(self):
        for pad in range(4080, 4100):
            self.assertIn("encrypted", look(b"%PDF-1.4\n" + b" " * pad + b"/Encrypt 1 0 R", "a.pdf").flags)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
