#!/usr/bin/python3
"""manpage: makes a manual page (man(7)) of one of our documents, in one language.

usage: manpage.py DOCUMENT NAME SECTION ja|en "ONE LINE" > NAME.SECTION

Understands what our documents use and nothing more: headings, paragraphs, lists, tables, code. Of a document with a part for each
language (a second-level heading that begins the other one) or with both side by side (paragraphs and columns), only the wanted
language is taken. The same document always gives the same page.
"""
import re
import sys

JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
# Columns of tables that are of one language; any other column is of both.
COLUMNS = {"意味": "ja", "meaning": "en"}


def plain(text):
    """A line of text for roff: marks of emphasis, code and links away, what roff would act on escaped."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"\1", text)
    text = re.sub(r"`([^`]*)`", r"\1", text)
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def blocks(lines):
    """("heading", level, text), ("code", lines), ("table", rows), ("item", text), ("text", text)"""
    paragraph, i = [], 0

    def flush():
        if paragraph:
            yield ("text", " ".join(paragraph))
            paragraph.clear()

    while i < len(lines):
        line = lines[i].rstrip("\n")
        if line.startswith("```"):
            yield from flush()
            end = next(j for j in range(i + 1, len(lines)) if lines[j].startswith("```"))
            yield ("code", [x.rstrip("\n") for x in lines[i + 1:end]])
            i = end
        elif line.startswith("#"):
            yield from flush()
            yield ("heading", len(line) - len(line.lstrip("#")), line.lstrip("# "))
        elif line.startswith("|"):
            yield from flush()
            rows = []
            while i < len(lines) and lines[i].startswith("|"):
                rows.append([c.strip() for c in re.split(r"(?<!\\)\|", lines[i].strip())[1:-1]])
                i += 1
            yield ("table", rows)
            continue
        elif re.match(r"[-*] |\d+\. ", line):
            yield from flush()
            paragraph.append("\0" + re.sub(r"^[-*] |^\d+\. ", "", line))
        elif line.strip() == "" or line.startswith("<!--"):
            yield from flush()
            while line.startswith("<!--") and "-->" not in lines[i]:
                i += 1
        else:
            paragraph.append(line.strip())
        i += 1
    yield from flush()


def wanted(text, language):
    """Text with Japanese letters is Japanese; what has none and would be a sentence is English; the rest is of both."""
    japanese = len(JAPANESE.findall(text))
    if language == "ja":
        return japanese > 0 or " " not in text
    return japanese * 4 < len(text)


def table(rows, language):
    head, keep = rows[0], []
    for index, name in enumerate(head):
        if COLUMNS.get(name, language) == language:
            keep.append(index)
    for row in rows[2:]:
        cells = [row[i] for i in keep if i < len(row) and row[i]]
        if len(cells) == 1:
            cells = ["", cells[0]]
        if cells:
            yield ".TP"
            yield ".B " + (plain(" ".join(cells[:-1])) or "\\&")
            yield plain(cells[-1])


def part_of(lines, language):
    """Where the document has a part for each language, that part."""
    starts = [i for i, line in enumerate(lines) if line.startswith("## ")]
    japanese = [i for i in starts if JAPANESE.search(lines[i]) and not re.search(r" / [A-Z]", lines[i])]
    english = [i for i in starts if not JAPANESE.search(lines[i])]
    if len(japanese) != 1 or len(english) != 1 or len(starts) != 2:
        return lines, False
    first, second = japanese[0], english[0]
    if language == "ja":
        return lines[first + 1:second if second > first else len(lines)], True
    return lines[second + 1:first if first > second else len(lines)], True


def page(lines, name, section, language, title):
    out = [f'.TH {name.upper()} {section} "" "sekisho" "sekisho"', ".ad l", *([".mso ja.tmac"] if language == "ja" else []),
           ".SH " + ("名前" if language == "ja" else "NAME"),
           f"{plain(name)} \\- {plain(title)}", ".SH " + ("説明" if language == "ja" else "DESCRIPTION")]
    lines, split = part_of(lines, language)
    for kind, *rest in blocks(lines):
        if kind == "heading" and rest[0] > 1:
            text = re.sub(r"^(.*?[\u3040-\u9fff].*?) / (.*)$", r"\1" if language == "ja" else r"\2", rest[1])
            out.append((".SH " if rest[0] == 2 or (split and rest[0] == 3) else ".SS ") + plain(text))
        elif kind == "code":
            out += [".PP", ".nf", *[plain(x) for x in rest[0]], ".fi"]
        elif kind == "table":
            out += table(rest[0], language)
        elif kind == "text" and (split or wanted(rest[0], language)):
            item = rest[0].startswith("\0")
            out += [".IP \\(bu 2" if item else ".PP", plain(rest[0].lstrip("\0"))]
    return "\n".join(out) + "\n"


def main(words):
    document, name, section, language, title = words
    with open(document, encoding="utf-8") as file:
        sys.stdout.write(page(file.readlines(), name, section, language, title))


if __name__ == "__main__":
    main(sys.argv[1:])
