"""test_mynumber_rates.py: how often texts without individual numbers are taken for texts with them, and the other way round.

usage: test_mynumber_rates.py MYNUMBER_CAT CORPUS [--print]
Generates Japanese business mail with the numbers that such mail has (fixed seed), and takes the texts of the public mails. The
rates are those of the table in <sekisho/mynumber.h>; the test fails when one is worse than it says there.
"""
import email
import email.policy
import glob
import os
import random
import subprocess
import sys

WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
COUNT = 2000
RNG = random.Random(20261120)


def digits(n):
    return "".join(RNG.choice("0123456789") for _ in range(n))


def mynumber():
    first = digits(11)
    r = sum(int(d) * w for d, w in zip(first, WEIGHTS)) % 11
    return first + str(0 if r <= 1 else 11 - r)


def grouped(s, mark="-"):
    return mark.join((s[:4], s[4:8], s[8:]))


def date():
    return f"{RNG.randrange(2015, 2030)}{RNG.randrange(1, 13):02}{RNG.randrange(1, 29):02}"


def phone():
    return RNG.choice((f"0{digits(2)}-{digits(3)}-{digits(4)}", f"0120-{digits(2)}-{digits(4)}", f"090{digits(8)}", f"+81-3-{digits(4)}-{digits(4)}"))


FILLER = ("お世話になっております。総務課の山田です。", "標記の件につきまして、下記のとおりご連絡いたします。", "ご確認のほどよろしくお願いいたします。",
          "なお、ご不明な点がございましたら担当までお問い合わせください。", "会議は三階の第一会議室で行います。", "添付の資料をご参照ください。")


def letter(*lines):
    """Lines in a letter: some sentences before and after, a signature with telephone numbers."""
    words = [RNG.choice(FILLER) for _ in range(RNG.randrange(2, 6))]
    end = [RNG.choice(FILLER), f"〒{digits(3)}-{digits(4)} ○○町役場 総務課", f"TEL {phone()} FAX {phone()}"]
    return "\n".join(words + list(lines) + end)


def card_news():
    return RNG.choice(("マイナンバーカードの申請を受け付けています。", "マイナンバー制度に関する説明会を開きます。", "個人番号の取扱いに関する研修のお知らせ。"))


WITHOUT = {  # name: (generator, highest rate of texts that are taken for texts with numbers)
    "invoice": (lambda: letter(f"請求書番号 {digits(12)}", f"注文番号：{digits(12)}", f"普通預金 口座番号 {digits(7)}", f"T{digits(13)}",
                               f"合計 {RNG.randrange(1000, 9999999):,}円 ({date()})"), 0),
    "parcel": (lambda: letter(f"お問い合わせ伝票番号：{grouped(digits(12))}", f"追跡番号 {digits(12)}", f"お届け {date()}"), 0),
    "parcels": (lambda: letter(*[f"{i + 1}\t{grouped(digits(12))}\t{date()}" for i in range(30)]), 0),
    "one": (lambda: letter(f"番号は {digits(12)} です。"), 0),
    "several": (lambda: letter(*[digits(12) for _ in range(RNG.randrange(4, 10))]), 0.01),
    "card-news": (lambda: letter(card_news(), f"お申込み {phone()}", f"締切 {date()}", f"法人番号 {digits(13)}"), 0),
    "card-news-label": (lambda: letter(card_news(), f"受付番号：{digits(12)}"), 0),
    "card-news-number": (lambda: letter(card_news(), f"参照 {digits(12)}"), 0.12),
    "log": (lambda: letter("マイナンバー連携サーバの記録", *[f"{date()}{RNG.randrange(24):02}{RNG.randrange(60):02} OK {digits(8)}" for _ in range(20)]), 0),
    "log-seconds": (lambda: letter("マイナンバー連携サーバの記録", *[f"{date()}{RNG.randrange(24):02}{RNG.randrange(60):02}{RNG.randrange(60):02} OK"
                                                          for _ in range(20)]), 0),
    "log-short": (lambda: letter("マイナンバー連携サーバの記録", *[f"{date()[2:]}{RNG.randrange(24):02}{RNG.randrange(60):02}{RNG.randrange(60):02} OK"
                                                        for _ in range(20)]), 0),
    "corporate": (lambda: letter(card_news(), f"会社法人等番号 {grouped(digits(12))}", f"登録番号 T{digits(13)}"), 0),
    "licence": (lambda: letter("マイナンバーカードまたは運転免許証", f"免許証番号 {digits(12)}"), 0),
    "bank-card": (lambda: letter(card_news(), f"カード番号 {digits(4)}-{digits(4)}-{digits(4)}-{digits(4)}", f"+{digits(12)}"), 0),
    "months": (lambda: letter("\t".join(digits(1) for _ in range(12)), " ".join(digits(1) for _ in range(12))), 0),
    "years": (lambda: letter(card_news(), "2019 2020 2021", "1998-1999-2000", f"{date()}-{digits(4)}"), 0),
}
WITH = {  # name: (generator, lowest rate)
    "label": (lambda: letter(f"個人番号：{mynumber()}"), 0.998),
    "label-grouped": (lambda: letter(f"マイナンバー {grouped(mynumber(), RNG.choice('- ・　'))}"), 0.998),
    "wide": (lambda: letter("マイナンバーは" + mynumber().translate({i + 48: 0xff10 + i for i in range(10)})), 0.998),
    "sheet": (lambda: "氏名\t個人番号\t生年月日\n" + "\n".join(f"山田{i}\t{mynumber()}\t{date()}" for i in range(5)), 0.998),
    "boxes": (lambda: letter("通知カードの写し", "\t".join(mynumber())), 0.998),
    "broken": (lambda: letter("個人番号（本人）", grouped(mynumber(), "\n")), 0.998),
    "kanji": (lambda: letter("個人番号は" + mynumber().translate(str.maketrans("0123456789", "〇一二三四五六七八九"))), 0.998),
    "after": (lambda: letter(mynumber(), "以上が個人番号です。"), 0.995),
    "list": (lambda: "\n".join(mynumber() for _ in range(10)), 0.995),
    "list-of-four": (lambda: "\n".join(mynumber() for _ in range(4)), 0.98),
    "one-of-many": (lambda: letter("個人番号 " + mynumber(), *[f"{i} {digits(12)}" for i in range(30)]), 0.998),
}


def scores(cat, texts):
    data = b"".join(t.encode("utf-8", "replace").replace(b"\0", b"") + b"\0" for t in texts)
    done = subprocess.run([cat], input=data, capture_output=True, check=True)
    rows = [[int(w) for w in line.split()] for line in done.stdout.decode().split("\n") if line]
    if len(rows) != len(texts):
        raise AssertionError(f"{len(rows)} answers to {len(texts)} texts")
    return rows


def public_texts(corpus):
    """The text of every part of every mail that Python can read."""
    for path in glob.glob(os.path.join(corpus, "**", "*"), recursive=True):
        if not os.path.isfile(path) or os.path.getsize(path) > 1 << 20 or not path.endswith((".eml", ".msg", ".mime", ".txt", ".html")):
            continue
        with open(path, "rb") as f:
            mail = email.message_from_binary_file(f, policy=email.policy.compat32)
        try:
            parts = list(mail.walk())
        except (RecursionError, AttributeError):
            continue
        for part in parts:
            data = part.get_payload(decode=True) if part.get_content_maintype() == "text" else None
            if data:
                try:
                    yield data.decode(part.get_content_charset("utf-8"), "replace")
                except LookupError:
                    yield data.decode("latin-1")


def main():
    cat, corpus = sys.argv[1], sys.argv[2]
    wrong, table = [], []
    for title, kinds, sign in (("without", WITHOUT, 1), ("with", WITH, -1)):
        for name, (generate, limit) in kinds.items():
            rows = scores(cat, [generate() for _ in range(COUNT)])
            rate = sum(r[0] >= 100 for r in rows) / COUNT
            right = sum(r[1] > 0 or r[4] > 0 for r in rows) / COUNT
            table.append(f"{title:8} {name:18} {100 * rate:6.2f} %  (some number passes the check digit in {100 * right:.1f} %)")
            if (rate - limit) * sign > 0:
                wrong.append(f"{name}: {rate}, but {limit} is what mynumber.h says")
    texts = list(public_texts(corpus))
    if texts:
        rows = scores(cat, texts)
        taken = [i for i, r in enumerate(rows) if r[0] >= 100]
        table.append(f"public   {len(texts)} texts, {sum(len(t) for t in texts)} characters: {len(taken)} taken, "
                     f"{sum(r[3] for r in rows)} strings of 12 digits, {sum(r[1] for r in rows)} pass")
        wrong += [f"a public text is taken for one with numbers: {texts[i][:200]!r} {rows[i]}" for i in taken]
    else:
        print("the corpus is not there: its texts are not measured")
    print("\n".join(table))
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
