#!/usr/bin/env python3
"""mails.py: writes the mails of this folder (NAME.eml, and NAME.options where it needs some). All of them are our own.

usage: mails.py DIR      then: meson compile -C BUILD regenerate-golden-clean
Lines end in LF here and become CR LF in the test, but for mails whose options say `raw` or `lf`.
"""
import base64
import io
import os
import quopri
import struct
import sys
import zipfile

DIR = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
TOP = "From: {who}\nTo: {to}\nSubject: {subject}\nDate: Fri, 20 Nov 2026 10:00:00 +0900\nMessage-ID: <{name}@example.com>\n"
ASCII_WHO = "Taro Yamada <taro@example.com>"
ASCII_TO = "joho@town.example"


def word(text, charset="utf-8"):
    return "=?%s?B?%s?=" % (charset, base64.b64encode(text.encode(charset)).decode())


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.encodebytes(data).decode()


def qp(data):
    if isinstance(data, str):
        data = data.encode()
    return quopri.encodestring(data).decode()


def mail(name, rest, options="", who=ASCII_WHO, to=ASCII_TO, subject="test", top=None):
    """rest: what follows the usual fields (more fields, an empty line, the body), str or bytes."""
    head = TOP.format(who=who, to=to, subject=subject, name=name) if top is None else top
    if isinstance(rest, str):
        rest = rest.encode()
    if isinstance(head, str):
        head = head.encode()
    with open(os.path.join(DIR, name + ".eml"), "wb") as f:
        f.write(head + rest)
    path = os.path.join(DIR, name + ".options")
    if options:
        with open(path, "w") as f:
            f.write(options + "\n")
    elif os.path.exists(path):
        os.remove(path)


def multipart(kind, *parts, boundary="b1", preamble=""):
    text = 'MIME-Version: 1.0\nContent-Type: multipart/%s; boundary="%s"\n\n%s' % (kind, boundary, preamble)
    for part in parts:
        text += "--%s\n%s\n" % (boundary, part)
    return text + "--%s--\n" % boundary


def inner(kind, *parts, boundary="b2"):
    """A multipart within one: without MIME-Version."""
    return multipart(kind, *parts, boundary=boundary).split("\n", 1)[1]


def text(body, kind="plain", charset="utf-8", more=""):
    return "Content-Type: text/%s; charset=%s\nContent-Transfer-Encoding: base64\n%s\n%s" % (
        kind, charset, more, b64(body.encode(charset) if charset != "iso-2022-jp-ms" else body))


def attached(name, data, kind="application/octet-stream", more=""):
    return 'Content-Type: %s; name="%s"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="%s"\n%s\n%s' % (
        kind, name, name, more, b64(data))


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 10, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def locked(name):
    """A ZIP with one encrypted entry, as people send by PPAP: the flag is what counts."""
    raw = name.encode("cp932")
    data = bytes(range(40))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 1, 0, 0, 0x5b74, 0x12345678, len(data), 28, len(raw), 0) + raw
    central = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 1, 0, 0, 0x5b74, 0x12345678, len(data), 28, len(raw), 0, 0, 0, 0, 0, 0) + raw
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local) + len(data), 0)
    return local + data + central + end


DOCX = {
    "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "word/document.xml": '<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="http://schemas.openxmlformats.org/'
    'wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>会議の資料</w:t></w:r></w:p><w:p><w:r><w:t>議題は二つです。</w:t>'
    '</w:r></w:p></w:body></w:document>',
}
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
EXE = b"MZ" + bytes(58) + struct.pack("<L", 64) + b"PE\0\0" + bytes(200)
BUSINESS = """○○町 情報政策課
山田様

いつもお世話になっております。
株式会社サンプルの鈴木です。

来週の打合せについて、次のとおりご連絡します。

  日時：11月27日(金) 14:00～15:30
  場所：本庁舎3階 第2会議室

よろしくお願いいたします。
"""
# NEC's and IBM's characters, half-width kana: what ISO-2022-JP has in practice and its standard has not.
NEC = "①第一回　㈱サンプル　髙橋様\n".encode("iso2022_jp_ext", "ignore")


def japanese():
    mail("jp-iso-2022-jp", b"MIME-Version: 1.0\nContent-Type: text/plain; charset=ISO-2022-JP\n\n" +
         BUSINESS.replace("～", "から").encode("iso-2022-jp"), who=word("鈴木 一郎", "iso-2022-jp") + " <suzuki@example.co.jp>",
         to=word("情報政策課", "iso-2022-jp") + " <joho@town.example>", subject=word("打合せのご連絡", "iso-2022-jp"))
    mail("jp-nec-row-13", b"MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-2022-jp\n\n"
         b"\x1b$B-!Bh0l2s!!-j%5%s%W%k\x1b(B\n\x1b(I1234\x1b(B \x0e1234\x0f\n\x1b$B|b66MM\x1b(B\n")
    mail("jp-shift-jis", b"MIME-Version: 1.0\nContent-Type: text/plain; charset=Shift_JIS\nContent-Transfer-Encoding: 8bit\n\n" +
         ("①㈱髙橋 ～ ソ能表\n" + BUSINESS).encode("cp932"), subject=word("予算要求の件", "shift_jis"))
    mail("jp-euc-jp", b"MIME-Version: 1.0\nContent-Type: text/plain; charset=EUC-JP\nContent-Transfer-Encoding: 8bit\n\n" +
         BUSINESS.replace("～", "から").encode("euc-jp"), subject=word("打合せ", "euc-jp"))
    mail("jp-utf8", "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64\n\n" + b64(BUSINESS),
         subject=word("打合せのご連絡（11月27日）") + "\n " + word("と、とても長い件名の続きがここにあります。折り返しても文字が壊れないこと"))
    mail("jp-no-label", b"\n" + BUSINESS.encode("cp932"), subject=word("ラベルなし"))
    mail("jp-lying-label", b"MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\n" + BUSINESS.encode("cp932"))
    mail("jp-raw-header", "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\nok\n",
         top="From: 山田 <yamada@example.com>\nTo: joho@town.example\nSubject: 符号化していない件名\nMessage-ID: <r@example.com>\n".encode("cp932"))
    mail("jp-docomo", "\nok\n", who="keitai..taro.@docomo.ne.jp", to='"a..b"@ezweb.ne.jp, c.@ezweb.ne.jp')
    mail("jp-split-word", "\nok\n", subject="=?ISO-2022-JP?B?GyRCRnxLXA==?=\n =?ISO-2022-JP?B?OGwbKEI=?=")
    gaiji = "外字: \ue000 と \uf8ff\n"
    mail("gaiji-replaced", "MIME-Version: 1.0\n" + text(gaiji), subject=word("\ue001件名"))
    mail("gaiji-kept", "MIME-Version: 1.0\n" + text(gaiji), "gaiji", subject=word("\ue001件名"))
    mail("flowed", "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\n"
         "Content-Transfer-Encoding: 8bit\n\n長い段落が途中で \n折り返されて \nいます。\n\n> 引用も \n> 折り返されます。\n>> 深い引用\n\n-- \n署名\n")
    mail("utf-16", "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n" +
         b64(BUSINESS.encode("utf-16")))


NEWSLETTER = """<html><head><style>p{color:red}</style><title>x</title></head><body>
<div style="display:none">プレヘッダー&zwnj;&nbsp;&zwnj;&nbsp;</div>
<h1>秋のお知らせ</h1>
<p>いつもご利用ありがとうございます。下のリンクから<a href="https://evil.example/login">https://www.bank.example/</a>へどうぞ。</p>
<table><tr><th>品名</th><th>数量</th></tr><tr><td>りんご</td><td>3</td></tr><tr><td>みかん</td><td>12</td></tr></table>
<ul><li>一つ目</li><li>二つ目<ul><li>その中</li></ul></li></ul>
<blockquote>引用された文</blockquote>
<ruby>漢字<rt>かんじ</rt></ruby>、<img src="http://track.example/1.gif" width=1 height=1><img src="cid:a" alt="広報の写真">
<a href="javascript:alert(1)">押す</a> <span style="font-size:0">見えない文</span>
<p>配信停止は<a href="https://news.example/unsubscribe?u=1">こちら</a>。""" + "<p>本文が続きます。季節の便りと、町の催しについてお知らせします。</p>" * 12 + "</body></html>"


def html():
    mail("html-newsletter", multipart("alternative", text("このメールはHTML対応のソフトでご覧ください。\n"), text(NEWSLETTER, "html")),
         subject=word("秋のお知らせ"))
    mail("html-only", "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" + qp(NEWSLETTER))
    mail("html-and-plain", multipart("alternative", text(BUSINESS), text("<p>" + BUSINESS.replace("\n", "<br>") + "</p>", "html")))
    other = "本日の会議は中止になりました。資料は後日お送りしますので、確認のうえ返信をお願いします。" \
        "お支払いは下の口座へ今日中にお振り込みください。遅れると契約は取り消され、違約金がかかります。"
    mail("html-differs", multipart("alternative", text(BUSINESS * 2), text("<p>%s</p>" % other, "html")))
    mail("html-meta", b"MIME-Version: 1.0\nContent-Type: text/html\nContent-Transfer-Encoding: 8bit\n\n<html><head>"
         b"<meta http-equiv=content-type content='text/html; charset=euc-jp'></head><body>" + "表示の確認".encode("euc-jp") + b"</body></html>\n")
    mail("html-related", multipart("related", inner("alternative", text("写真を送ります。\n"), text('<p>写真を送ります。</p><img src="cid:p1">', "html")),
         'Content-Type: image/png; name="p.png"\nContent-ID: <p1>\nContent-Disposition: inline; filename="p.png"\n'
         'Content-Transfer-Encoding: base64\n\n' + b64(b"\x89PNG\r\n\x1a\n" + bytes(64)), boundary="b1"))
    mail("html-iso-2022-jp", b"MIME-Version: 1.0\nContent-Type: text/html; charset=iso-2022-jp\n\n<p>" +
         "実施要領：実験、不要。".encode("iso-2022-jp") + b"</p>\n")
    mail("html-shift-jis-lead", b"MIME-Version: 1.0\nContent-Type: text/html; charset=shift_jis\nContent-Transfer-Encoding: 8bit\n\n"
         b'<p title="\x82">quote \x81<b>bold</b> ' + "表示ソ".encode("cp932") + b"</p>\n")
    mail("html-base", "MIME-Version: 1.0\n" + text('<base href="https://evil.example/"><a href="login">login</a>', "html"))
    mail("html-apple", multipart("alternative", text("写真です。\nよろしく。\n"), inner("mixed", text("<p>写真です。</p>", "html"),
         attached("a.pdf", PDF, "application/pdf"), text("<p>よろしく。</p>", "html"))))


def attachments():
    body = text("添付をご確認ください。\n")
    mail("att-pdf", multipart("mixed", body, attached("report.pdf", PDF, "application/pdf")), "upstream",
         who=word("鈴木 一郎") + " <suzuki@example.co.jp>", subject=word("報告書"))
    mail("att-english", multipart("mixed", body, attached("report.pdf", PDF, "application/pdf")), "en copied")
    mail("att-name-2231", multipart("mixed", body, "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
         "Content-Disposition: attachment; filename*0*=utf-8''%E8%AB%8B; filename*1*=%E6%B1%82%E6%9B%B8; filename*2=.pdf\n\n" + b64(PDF)))
    mail("att-names-differ", multipart("mixed", body, 'Content-Type: application/octet-stream; name="virus.exe"\n'
         'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="report.pdf"\n\n' + b64(EXE)))
    mail("att-bidi-name", multipart("mixed", body, "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
         "Content-Disposition: attachment; filename*=utf-8''invoice%E2%80%AEfdp.exe\n\n" + b64(EXE)))
    mail("att-zip", multipart("mixed", body, attached("data.zip", zipped({"a.txt": "x" * 2000, "写真/b.exe": EXE, "../c.txt": "c"}), "application/zip")))
    mail("att-zip-locked", multipart("mixed", body, attached("data.zip", locked("見積書.xlsx"), "application/zip")))
    mail("att-zip-bomb", multipart("mixed", body, attached("data.zip", zipped({"zero.bin": bytes(8 << 20)}), "application/zip")))
    mail("att-name-crlf", multipart("mixed", body, "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
         "Content-Disposition: attachment; filename*=utf-8''a%0D%0ASubject:%20b.txt\n\n" + b64("x")))
    mail("att-rtf", multipart("mixed", body, "Content-Type: text/rtf\n\n{\\rtf1 x}\n", "Content-Type: text/enriched\n\n<bold>x</bold>\n"))
    mail("att-zip-broken", multipart("mixed", body, attached("data.zip", zipped({"a.txt": "x" * 200})[:-30], "application/zip")))
    mail("att-docx", multipart("mixed", body, attached("a.docx", zipped(DOCX))))
    mail("att-docx-text", multipart("mixed", body, attached("a.docx", zipped(DOCX)), attached("b.csv", "番号,氏名\r\n1,山田\r\n".encode("cp932"), "text/csv")),
         "text=docx,csv,txt")
    mail("att-macro", multipart("mixed", body, attached("a.docm", zipped({**DOCX, "word/vbaProject.bin": b"\xd0\xcf\x11\xe0" + bytes(600)}))))
    mail("att-text", multipart("mixed", body, attached("memo.txt", "メモの中身\n".encode(), "text/plain; charset=utf-8")))
    mail("att-text-taken", multipart("mixed", body, attached("memo.txt", "メモの中身\n".encode(), "text/plain; charset=utf-8")), "text=txt")
    mail("att-alone", 'MIME-Version: 1.0\nContent-Type: application/pdf; name="alone.pdf"\nContent-Transfer-Encoding: base64\n\n' + b64(PDF))
    mail("att-many", multipart("mixed", body, *[attached("file%03d.txt" % i, "%d" % i, "text/plain") for i in range(120)]))
    mail("att-uuencode", "\nファイルを送ります。\nbegin 644 a.bin\n#86)C\n`\nend\n以上です。begin 2 x は文です。\n")
    tnef = struct.pack("<LH", 0x223e9f78, 1)
    for level, name, data in ((1, 0x00089006, struct.pack("<L", 0x10000)), (1, 0x00069007, struct.pack("<LL", 932, 0)),
                              (2, 0x00069002, bytes(14)), (2, 0x00018010, "計画.doc\0".encode("cp932")), (2, 0x0006800f, b"content")):
        tnef += struct.pack("<BLL", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xffff)
    mail("att-tnef", multipart("mixed", body, attached("winmail.dat", tnef, "application/ms-tnef")))


def structure():
    payload = text("隠された本文\n")
    mail("two-types", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n%s\n--b1--\n" % payload)
    mail("two-encodings", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n"
         "Content-Transfer-Encoding: 7bit\n\naGVsbG8=\n")
    mail("two-boundaries", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1; boundary=b2\n\n--b1\n\none\n--b2\n\ntwo\n--b1--\n")
    mail("encoded-multipart", 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b1"\nContent-Transfer-Encoding: base64\n\n' +
         b64("--b1\n\nhidden\n--b1--\n"))
    mail("no-end", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1\n\nbefore\n--b1\n%s\n" % payload)
    mail("after-end", multipart("mixed", payload, preamble="This is a multi-part message.\n") + "after the end\n--b1\n\nmore\n")
    mail("empty", "", top="")
    mail("no-body", "")
    mail("no-header", "\nonly text\n", top="")
    mail("header-line", "this is no field\nContent-Type: text/html\n\n<b>x</b>\n")
    mail("unknown-encoding", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: x-zip\n\nabc\n")
    mail("base64-junk", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGVsbG8gd29y!!!!bGQ=\n")
    mail("qp-junk", "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=E3=81=82 =ZZ a=\nb =0D=0A=00 end=\n")
    mail("utf-7", "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-7\n\n+MEIwRDBG-\n")
    mail("encoded-message", multipart("mixed", payload, "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" +
         b64("Subject: x\n\nhidden\n")))
    mail("partial", 'MIME-Version: 1.0\nContent-Type: message/partial; id="a"; number=1; total=2\n\nSubject: x\n\nhalf\n')
    mail("external-body", multipart("mixed", payload, "Content-Type: message/external-body; access-type=URL; URL=\"http://evil.example/a\"\n\n"
         "Content-Type: text/plain\n\n"))
    deep = text("底\n")
    for i in range(25):
        deep = inner("mixed", deep, boundary="d%d" % i)
    mail("too-deep", "MIME-Version: 1.0\n" + deep)
    mail("too-many-parts", multipart("mixed", *["\nx"] * 1001))
    mail("too-many-fields", "".join("X-%d: y\n" % i for i in range(1001)) + "\nx\n")
    mail("long-field", "X-A: " + "a" * 70000 + "\n\nx\n")
    mail("bare-lf", b"\r\nline\nline\r\n", "raw", top=b"From: a@example.com\r\n")
    mail("bare-lf-file", "\nline\nline\n", "lf")
    mail("bare-cr", b"\r\nline\rline\r\n", "raw", top=b"From: a@example.com\r\n")
    mail("nul", "\nline\0line\n")
    mail("smuggling", b"\r\nline\n.\nMAIL FROM:<x@example.com>\r\n", "raw", top=b"From: a@example.com\r\n")
    mail("dots", "\n.\n..\n.hidden\n")
    mail("long-line", "\n" + "x" * 5000 + "\n")


def headers():
    mail("from-several", "\nx\n", who="a@example.com, b@example.com")
    mail("from-none", "\nx\n", top="To: joho@town.example\nSubject: x\n")
    mail("from-broken", "\nx\n", who="<>")
    mail("from-lookalike", "\nx\n", who='"mayor@town.example" <evil@example.net>')
    mail("from-twice", "From: evil@example.net\nSubject: second\n\nx\n")
    mail("from-injection", "\nx\n", who="=?utf-8?Q?a=0D=0ABcc:_b@example.com?= <a@example.com>", subject="=?utf-8?Q?x=0D=0A=0D=0Abody_=E2=80=AEdesrever?=")
    mail("punycode", "\nx\n", who="bank@xn--80ak6aa92e.example")
    mail("punycode-shown", "Content-Type: text/html; charset=utf-8\nReply-To: x@XN--wgv71a119e.xn--q9jyb4c\n"
         "Cc: y@xn--80ak6aa92e.example, z@xn--3e0b707e.example, w@sub.xn--wgv71a119e.xn--q9jyb4c\n\n"
         '<a href="https://xn--wgv71a119e.xn--q9jyb4c:8443/x">市役所</a> <a href="mailto:k@xn--wgv71a119e.example">k</a> '
         '<a href="http://xn--80ak6aa92e.example/">bank</a>\n', who="joho@xn--wgv71a119e.xn--q9jyb4c")
    mail("undisclosed", "\nx\n", to="undisclosed-recipients:;")
    mail("group", "\nx\n", to='Team: a@example.com, "B, C" <b@example.com>;, d@example.com')
    mail("many-recipients", "Cc: " + ",\n ".join("person%04d@department.town.example" % i for i in range(600)) + "\n\nx\n")
    mail("long-address", "\nx\n", who="a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".example")
    mail("references", "In-Reply-To: <a@b> <c@d>\nReferences: " + "\n ".join("<ref%d@example.com>" % i for i in range(40)) + "\n\nx\n")
    mail("bad-ids", "In-Reply-To: your mail of yesterday\nReferences: <a b@c> <=?utf-8?B?eA==?=> <good@id>\n\nx\n",
         top="From: a@example.com\nMessage-ID: no brackets\nSubject: x\n")
    mail("bad-date", "Received: from a by b; Thu, 19 Nov 2026 23:59:58 +0900\n\nx\n", top="From: a@example.com\nDate: yesterday\nSubject: x\n")
    mail("loop", "".join("Received: from a%d by b; Fri, 20 Nov 2026 10:00:00 +0900\n" % i for i in range(100)) + "\nx\n")
    mail("loop-own", "X-Sekisho-Trace: gate-01.town.example 3\n\nx\n", "trace")
    mail("second-pass", "Received: from a by b; Fri, 20 Nov 2026 10:00:00 +0900\nX-Sekisho-Hops: 7\nX-Sekisho-Trace: gate-01.town.example 1\n"
         "X-Sekisho-Receipt: FAKE\n\nx\n", "trace")
    mail("automatic", "Auto-Submitted: auto-replied\nList-Id: <l.example.com>\nBcc: secret@example.com\nX-Mailer: x\n\nx\n")
    mail("auth", "Authentication-Results: evil.example; spf=pass\nAuthentication-Results: mx.example; spf=pass (ok; fine) smtp.mailfrom=a;\n"
         " dkim=fail header.d=example.com; dmarc=fail\n\nx\n", "authserv=mx.example")
    mail("subject-marks", "\nx\n", subject="=?utf-8?B?%s?=" % base64.b64encode(("a" + "\u0301" * 30 + "b\u200bc").encode()).decode())
    mail("subject-long", "\nx\n", subject=word("あ" * 1000))
    mail("subject-narrow", "\nx\n", subject=word("\u760d\u760a"))
    mail("subject-word-in-word", "\nx\n", subject=word("=?utf-8?B?eA==?="))
    mail("subject-odd", "\nx\n", subject="two  blanks =?x y =?= end")


def inside():
    forward = "From: first@example.com\nTo: second@example.com\nSubject: %s\nDate: Thu, 19 Nov 2026 09:00:00 +0900\nMIME-Version: 1.0\n" % word("元の件名")
    nested = forward + text("いちばん中\n")
    for _ in range(4):
        nested = forward + multipart("mixed", text("転送します。\n"), "Content-Type: message/rfc822\n\n" + nested, boundary="n%d" % _).replace("MIME-Version: 1.0\n", "", 1)
    mail("forward", multipart("mixed", text("転送します。\n"), "Content-Type: message/rfc822\n\n" + forward +
         multipart("mixed", text("元の本文\n二行目\n"), attached("a.pdf", PDF, "application/pdf"), boundary="f").replace("MIME-Version: 1.0\n", "", 1)))
    mail("forward-deep", multipart("mixed", text("転送します。\n"), "Content-Type: message/rfc822\n\n" + nested, boundary="top"))
    mail("digest", multipart("digest", "\n" + "From: a@example.com\nSubject: one\n\nfirst\n", "\n" + "From: b@example.com\nSubject: two\n\nsecond\n"))
    mail("bounce", multipart("report; report-type=delivery-status",
         "Content-Type: text/plain; charset=us-ascii\n\nThis is the mail system at host mx.example.\n\n<nobody@example.com>: unknown user\n",
         "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; nobody@example.com\nAction: failed\nStatus: 5.1.1\n",
         "Content-Type: message/rfc822\n\nFrom: joho@town.example\nTo: nobody@example.com\nSubject: %s\nDate: Thu, 19 Nov 2026 09:00:00 +0900\n\n秘密の本文\n" %
         word("お問い合わせ")), who="MAILER-DAEMON@mx.example", subject="Undelivered Mail Returned to Sender")
    mail("bounce-headers", multipart("report; report-type=delivery-status", "\nfailed\n",
         "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n",
         "Content-Type: text/rfc822-headers\n\nFrom: joho@town.example\nTo: nobody@example.com\nSubject: %s\n" % word("お問い合わせ")))
    event = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Asia/Tokyo
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Asia/Tokyo:20261127T140000
DTEND;TZID=Asia/Tokyo:20261127T153000
SUMMARY:打合せ\\, 第2回
 (折り返し)
LOCATION:本庁舎3階
ORGANIZER;CN=鈴木:mailto:suzuki@example.co.jp
BEGIN:VALARM
SUMMARY:alarm
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART:20261201T010000Z
SUMMARY:電話会議
END:VEVENT
END:VCALENDAR
"""
    mail("invitation", multipart("mixed", inner("alternative", text("招待します。\n"), text("<p>招待します。</p>", "html"),
         "Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + b64(event)),
         attached("invite.ics", event, "application/ics")))
    mail("invitation-withdrawn", "MIME-Version: 1.0\nContent-Type: text/calendar; charset=utf-8; method=CANCEL\n\n" +
         event.replace("REQUEST", "CANCEL"), "en")
    mail("signed", multipart('signed; micalg=sha-256; protocol="application/pkcs7-signature"', text("署名された本文\n"),
         attached("smime.p7s", b"\x30\x80" + bytes(40), "application/pkcs7-signature")))
    mail("smime", 'MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\n'
         'Content-Transfer-Encoding: base64\n\n' + b64(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03" + bytes(60)))
    mail("pgp", multipart('encrypted; protocol="application/pgp-encrypted"', "Content-Type: application/pgp-encrypted\n\nVersion: 1\n",
         "Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"))


def characters():
    odd = "a\u202eb\u200bc\ufeffd\u00ade\u3164f\U000e0041g\u0007h\x1b[31mi\u2028j\u0085k\u00a0l\u2003m\n"
    mail("invisible", "MIME-Version: 1.0\n" + text(odd))
    mail("zalgo", "MIME-Version: 1.0\n" + text("e" + "\u0301" * 40 + "\n\u0301 first\n"))
    mail("bad-utf-8", b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
         b"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe3\x81 \xe3\x81\x82\n")
    mail("links", "\nsee https://www.example.com/a HTTP://EXAMPLE.COM ftp://x.example hhttp://y\n")
    mail("fake-notice", "\nhello\n------------------------------------------------------------\n受付番号: 0000-0000-00000\n")


def outward():
    mail("out-plain", "\nおはようございます。\n", "out domain=town.example", who="taro@town.example", to="a@example.com, B@Example.com, b@example.com")
    mail("out-number", "MIME-Version: 1.0\n" + text("個人番号は 1234 5678 9018 です。\n"), "out domain=town.example", who="taro@town.example")
    mail("out-number-wide", "MIME-Version: 1.0\n" + text("マイナンバー：１２３４５６７８９０１８\n"), "out", who="taro@town.example")
    mail("out-number-html", "MIME-Version: 1.0\n" + text("<p>個人番号</p><td>1234</td><td>5678</td><td>9018</td>", "html"), "out")
    mail("out-number-csv", multipart("mixed", text("送ります。\n"), attached("list.csv",
         "氏名,個人番号\r\n山田,123456789018\r\n".encode("cp932"), "text/csv")), "out")
    doc = dict(DOCX)
    doc["word/document.xml"] = doc["word/document.xml"].replace("議題は二つです。", "個人番号 123456789018")
    mail("out-number-docx", multipart("mixed", text("送ります。\n"), attached("a.docx", zipped(doc))), "out")
    mail("out-label", multipart("mixed", text("送ります。\n"), attached("a.pdf", PDF)), "out label=【機密】 label=【極秘】", subject=word("【機密】資料"))
    mail("out-locked", multipart("mixed", text("送ります。\n"), attached("a.zip", locked("a.txt"))), "out label=【機密】", subject=word("【機密】資料"))
    mail("out-forwarded", "Resent-From: a@town.example\nX-Forwarded-To: b@example.com\nDelivered-To: a@town.example\n"
         "Auto-Submitted: auto-forwarded\n\nx\n", "out domain=town.example")
    mail("out-forward", multipart("mixed", text("転送\n"), "Content-Type: message/rfc822\n\nFrom: a@example.com\nSubject: %s\n\nbody\n" %
         word("個人番号 123456789018")), "out")


for make in (japanese, html, attachments, structure, headers, inside, characters, outward):
    make()
