"""words.py: what the tools say, in English or Japanese by LANG, and columns that count Japanese as two wide."""
import os
import unicodedata

JAPANESE = (os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "").startswith("ja")
LANGUAGE = "ja" if JAPANESE else "en"


def say(english, japanese):
    return japanese if JAPANESE else english


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text, columns):
    """Cut to fit, or filled up with blanks."""
    got, used = "", 0
    for c in text:
        wide = width(c)
        if used + wide > columns:
            break
        got, used = got + c, used + wide
    return got + " " * (columns - used)


# Words of a record's "differs", for people.
DIFFERS = {"source": ("source", "送信元"), "destination": ("destination", "宛先"), "protocol": ("protocol", "プロトコル"),
           "port": ("port", "ポート"), "direction": ("direction", "方向"), "mac": ("MAC", "MAC"),
           "expired": ("expired", "期限切れ"), "not-started": ("not started", "開始前"), "hours": ("hours", "時間外"),
           "day": ("day", "休止日")}


def differs(words):
    return "、".join(DIFFERS.get(w, (w, w))[1] for w in words) if JAPANESE else \
        ", ".join(DIFFERS.get(w, (w, w))[0] for w in words)
