"""compare_mime.py: what the MIME reader makes of public test mails, against the results that come with them.

usage: compare_mime.py GOLDEN_MIME DATA_DIR [--list]   (--list prints each difference in full)

Compared: stalwart (structure, decoded bodies, addresses, dates, subjects, message ids, and its tables of single fields) and
james-mime4j (structure, decoded bodies, fields). compare_mime.txt lists the cases in which we differ, each with its
reason; a difference that is not listed fails, and so does a listed one that is none any more.
"""
import glob
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
TRACE = re.compile(r"(entity|bytes|end|field|  text|  address|  member|  group|  date|  id) ?(.*)", re.DOTALL)


def unquote(text):
    """The bytes that mime_trace.c quoted."""
    out = re.sub(rb"\\(x[0-9a-f]{2}|[nr\\])",
                 lambda m: {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}.get(m[1]) or bytes([int(m[1][1:], 16)]), text)
    return out


class Leaf:
    def __init__(self, index, parent, opaque, media, charset):
        self.index, self.parent, self.opaque, self.media, self.charset = index, parent, opaque, media, charset
        self.data = b""


def read(program, mail):
    """The leaves of a mail in order, and the fields of its top message."""
    done = subprocess.run([program, "--show", "/dev/stdin", "--tolerant"], input=mail, capture_output=True, check=True)
    leaves, fields, parents, name = [], [], set(), None
    for line in done.stdout.split(b"\n"):
        word, _, rest = line.partition(b" ") if not line.startswith(b"  ") else (line[:2], b"", line[2:])
        if word == b"entity":
            got = re.match(rb"(\d+) in (\d+) (OPAQUE )?(\S*) (\S+) \S+", rest)
            label = re.search(rb" charset=(\S+)", rest)
            leaves.append(Leaf(int(got[1]), int(got[2]), bool(got[3]), got[4].decode(), label[1].decode() if label else ""))
            if int(got[1]) != int(got[2]):
                parents.add(int(got[2]))
        elif word == b"bytes":
            index, _, data = rest.partition(b" ")
            leaves[int(index)].data += unquote(data[1:-1])
        elif word == b"field":
            got = re.match(rb"(\d+)/\d+ ([^:]*): (.*) \S+$", rest)
            name = got[2].decode("latin-1").lower() if got and got[1] == b"0" else None
            if name:
                fields.append((name, unquote(got[3]), []))
        elif word == b"  " and name:
            fields[-1][2].append(rest.decode("utf-8"))
    text = [x for x in leaves if x.media == "text/plain"]
    return [x for x in leaves if x in text or x.opaque or x.index not in parents
            and not x.media.startswith(("multipart/", "message/rfc822"))], fields


def plain(data):
    """Line ends apart, and those at the end."""
    return data.replace(b"\r\n", b"\n").rstrip(b"\n")


def as_text(leaf):
    for charset in (leaf.charset or "utf-8", "utf-8", "cp932"):
        try:
            return leaf.data.decode("cp1252" if charset == "iso-8859-1" else charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return leaf.data.decode("utf-8", "replace")


def addresses(lines):
    """[(name, address)] of what the trace says of a field."""
    got = []
    for line in lines:
        found = re.match(r'(?:address|member|group) "(.*)" <(.*)> \S+$', line)
        if found and not line.startswith("group"):
            got.append((found[1], found[2]))
    return got


# -- stalwart ----------------------------------------------------------------------------------------------------------

def stalwart_leaves(message):
    def walk(index):
        body = message["parts"][index]["body"]
        kind, = body
        if kind == "Multipart":
            for part in body[kind]:
                yield from walk(part)
        elif kind == "Message":
            yield from stalwart_leaves(body[kind])
        else:
            yield body[kind] if isinstance(body[kind], str) else bytes(body[kind])
    yield from walk(0)


def stalwart_addresses(value):
    for kind, entries in value.items():
        for entry in entries:
            if kind == "Group":
                yield from ((x.get("name") or "", x.get("address") or "") for x in entry["addresses"])
            else:
                yield entry.get("name") or "", entry.get("address") or ""


def stalwart_date(d):
    zone = ("-" if d["tz_before_gmt"] else "+") + f"{d['tz_hour']:02}{d['tz_minute']:02}"
    return f"{d['day']:02} {d['month']:02} {d['year']} {d['hour']:02}:{d['minute']:02}:{d['second']:02} {zone}"


MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def our_date(lines):
    for line in lines:
        got = re.match(r"date \w+, (\d+) (\w+) (.*)", line)
        if got:
            return f"{got[1]} {MONTHS.index(got[2]) + 1:02} {got[3]}".replace(" -0000", " +0000")
    return None


def blanks(text):
    return " ".join(text.split())


def field_difference(kind, want, lines, raw):
    """'' or what differs, of one field."""
    if kind == "Address":
        ours, theirs = addresses(lines), list(stalwart_addresses(want))
        ours = [(blanks(n), a.lower()) for n, a in ours]
        theirs = [(blanks(n), a.lower()) for n, a in theirs]
    elif kind == "DateTime":
        ours, theirs = our_date(lines), stalwart_date(want).replace(" -0000", " +0000")
    elif kind == "Id":
        ours = [line[4:-1] for line in lines if line.startswith("id ")]
        theirs = want if isinstance(want, list) else [want]
    else:
        ours = blanks(lines[0][6:-1]) if lines and lines[0].startswith("text ") else raw.decode("utf-8", "replace")
        theirs = blanks(want)
    return "" if ours == theirs else f"{kind}: ours {ours!r}, theirs {theirs!r}"


NAMES = {"from": "Address", "to": "Address", "cc": "Address", "reply_to": "Address", "date": "DateTime", "subject": "Text",
         "message_id": "Id", "references": "Id", "in_reply_to": "Id"}


def compare_stalwart(program, path):
    with open(path, "rb") as f:
        leaves, fields = read(program, f.read())
    with open(path[:-4] + ".json", encoding="utf-8") as f:
        message = json.load(f)
    theirs = list(stalwart_leaves(message))
    ours = [x for x in leaves if x.media or x.opaque]
    if len(ours) != len(theirs):
        yield f"{len(ours)} leaves, theirs {len(theirs)}"
    for mine, their in zip(ours, theirs):
        if isinstance(their, bytes) and plain(mine.data) != plain(their):
            yield f"leaf {mine.index}: {mine.data[:60]!r}, theirs {their[:60]!r}"
        elif isinstance(their, str) and plain(as_text(mine).encode()) != plain(their.replace("\ufeff", "").encode()):
            yield f"leaf {mine.index}: {as_text(mine)[:60]!r}, theirs {their[:60]!r}"
    for header in message["parts"][0]["headers"]:
        name, value = header["name"], header["value"]
        if not isinstance(name, str) or name not in NAMES or isinstance(value, str):
            continue
        mine = [x for x in fields if x[0] == name.replace("_", "-")]
        kind = NAMES[name]
        want, = value.values()
        got = [field_difference(kind, want, lines, raw) for _, raw, lines in mine] or [f"no field {name}"]
        if "" not in got:
            yield got[0]


def compare_table(program, path):
    """The tables of single fields: yields (case, difference)."""
    stem = os.path.basename(path)[:-5]
    name, kind = {"address": ("To", "Address"), "date": ("Date", "DateTime"), "id": ("Message-ID", "Id"),
                  "unstructured": ("Subject", "Text")}[stem]
    with open(path, encoding="utf-8") as f:
        rows = json.load(f)
    for number, row in enumerate(rows):
        mail = f"{name}: {row['header']}".rstrip("\n") + "\n\ntext\n"
        _, fields = read(program, mail.encode())
        want = row["expected"] or ({} if kind == "Address" else [] if kind == "Id" else "")
        if kind == "DateTime" and not want:
            continue
        raw, lines = fields[0][1:] if fields else (b"", [])
        got = field_difference(kind, want, lines, raw)
        yield f"stalwart/{stem}/{number}", [got] if got else []


# -- james-mime4j ------------------------------------------------------------------------------------------------------

def james_leaves(node, folder):
    for child in node:
        if child.tag in ("text-body", "binary-body"):
            with open(os.path.join(folder, child.get("name")), "rb") as f:
                yield f.read()
        elif child.tag not in ("header", "preamble", "epilogue"):
            yield from james_leaves(child, folder)


def compare_james(program, path):
    with open(path, "rb") as f:
        leaves, fields = read(program, f.read())
    root = ET.parse(path[:-4] + "_decoded.xml").getroot()
    theirs = list(james_leaves(root, os.path.dirname(path)))
    ours = [x for x in leaves if x.media or x.opaque]
    if len(ours) != len(theirs):
        yield f"{len(ours)} leaves, theirs {len(theirs)}"
    for mine, their in zip(ours, theirs):
        if plain(mine.data) != plain(their):
            yield f"leaf {mine.index}: {mine.data[:60]!r}, theirs {their[:60]!r}"
    # Names of fields: their text has lost what is no ASCII.
    names = [x.text.strip("\r\n").split(":")[0].strip().lower() for x in root.find("header") or [] if x.text]
    if [x[0] for x in fields] != names:
        yield f"fields {[x[0] for x in fields]}, theirs {names}"


# ------------------------------------------------------------------------------------------------------------------------

def cases(program, data):
    for path in sorted(glob.glob(f"{data}/stalwart/resources/eml/*/*.eml")):
        name = "/".join(path.split("/")[-2:])[:-4]
        yield f"stalwart/{name}", list(compare_stalwart(program, path))
    for table in ("address", "date", "id", "unstructured"):
        yield from compare_table(program, f"{data}/stalwart/resources/{table}.json")
    for path in sorted(glob.glob(f"{data}/james-mime4j/core/src/test/resources/*/*.msg")):
        if os.path.exists(path[:-4] + "_decoded.xml"):
            yield f"james/{os.path.basename(path)[:-4]}", list(compare_james(program, path))


def explained():
    with open(os.path.join(HERE, "compare_mime.txt"), encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def main():
    program, data = sys.argv[1:3]
    if not os.path.isdir(f"{data}/stalwart"):
        print(f"SKIP: no test mails in {data}")
        return 77
    known, same, wrong = explained(), 0, []
    for name, differences in cases(program, data):
        if "--list" in sys.argv and differences:
            print(f"{name}: {known.get(name, 'NOT EXPLAINED')}", *differences, sep="\n\t")
        if differences and name not in known:
            wrong.append(f"{name}: {differences[0]}")
        elif not differences and name in known:
            wrong.append(f"{name}: listed, but does not differ")
        same += not differences
        known.pop(name, None) if differences else None
    wrong += [f"{name}: listed, but there is no such case" for name in known if not any(name in w for w in wrong)]
    print(*wrong, sep="\n")
    print(f"{same} cases alike, {len(explained())} explained differences, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
