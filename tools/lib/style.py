"""style.py: what a machine can check of the house rules. Each check is one test: a name and the places that break it.

Run by tools/test; alone: python3 tools/lib/style.py (prints the findings, exit 1 when there are any).
"""
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEXT = (".c", ".h", ".py", ".sh", ".md", ".build", ".policy", ".yang", ".po", ".toml", ".txt", ".options")
# Zero-width and bidirectional controls, byte order mark, non-breaking and exotic blanks. U+3000 is Japanese text.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u00a0\u2000-\u200a\u180e]")
COLUMNS = 128  # the aim is 110; a trailing comment or a table may run over
TEST_COLUMNS = 150  # a row of a table of cases stands on one line
FUNCTION_MAX, FILE_MAX = 100, 1000


def files():
    """Tracked and new files that git does not ignore; of an unpacked archive all files."""
    words = ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        names = done.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.relpath(os.path.join(d, f), ROOT) for d, _, fs in os.walk(ROOT) for f in fs]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(ROOT, n))
                  and not n.startswith(("build", ".git/")) and "__pycache__" not in n)


def is_text(name):
    """By name; programs without an ending by their first line. Fuzz corpora are bytes, whatever they look like."""
    if "/corpus/" in name or "/golden/" in name or name == "LICENSE":
        return False
    if name.endswith(TEXT):
        return True
    if "." in os.path.basename(name):
        return False
    with open(os.path.join(ROOT, name), "rb") as f:
        return f.read(2) == b"#!"


def lines(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="strict", newline="") as f:
        return f.read().split("\n")


def source(names):
    return [n for n in names if n.endswith((".c", ".h"))]


def check_utf8(names):
    for name in filter(is_text, names):
        try:
            lines(name)
        except UnicodeDecodeError as error:
            yield f"{name}: {error}"


def check_trailing_blanks(names):
    for name in filter(is_text, names):
        for number, line in enumerate(lines(name), 1):
            if line != line.rstrip(" \t\r"):
                yield f"{name}:{number}: blank at the end of the line"


def check_last_newline(names):
    for name in filter(is_text, names):
        got = lines(name)
        if got[-1] != "":
            yield f"{name}: no newline at the end"
        elif len(got) > 1 and got[-2] == "":
            yield f"{name}: empty line at the end"


def check_tabs(names):
    for name in source(names):
        for number, line in enumerate(lines(name), 1):
            # A comment's continuation ( * ) has one blank; alignment after tabs may use blanks.
            if re.match(r"^ (?!\*)", line) or re.match(r"^\t* {8}", line):
                yield f"{name}:{number}: indent with tabs"


def check_columns(names):
    for name in source(names):
        for number, line in enumerate(lines(name), 1):
            width = len(line.rstrip("\\").rstrip().expandtabs(8))
            most = TEST_COLUMNS if name.startswith("tests/") else COLUMNS
            if width > most and not re.search(r'"[^"]{60,}|https?://', line):
                yield f"{name}:{number}: {width} columns"


def check_invisible(names):
    for name in filter(is_text, names):
        for number, line in enumerate(lines(name), 1):
            if INVISIBLE.search(line):
                yield f"{name}:{number}: invisible character U+{ord(INVISIBLE.search(line).group()):04X}"


# One Japanese word for a thing: (what nobody writes, unless within this, what is written). A town's ポリシー is its
# security policy, another document than ours.
WORDS = (("セグメント", "最大セグメント長", "区間"), ("ポリシー", "情報セキュリティポリシー", "設定ファイル"))


def check_words(names):
    for name in (n for n in names if is_text(n) and n != os.path.relpath(os.path.abspath(__file__), ROOT)):
        for number, line in enumerate(lines(name), 1):
            for word, within, instead in WORDS:
                if word in line.replace(within, ""):
                    yield f"{name}:{number}: {word}: the word is {instead}"


def check_rooms(names):
    """A room includes <sekisho/...>, system headers and its own directory; never another room's."""
    for name in source(names):
        room = re.match(r"src/([^/]+)/", name)
        if not room:
            continue
        for number, line in enumerate(lines(name), 1):
            got = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            # A header of the room itself, or one generated for it, has no path.
            if got and "/" in got.group(1):
                yield f"{name}:{number}: includes {got.group(1)}, which is another room's"


def check_headers(names):
    """Each header compiles alone."""
    cc = shutil.which("cc") or shutil.which("gcc")
    flags = subprocess.run(["pkg-config", "--cflags", "libmnl", "libnftnl", "libyang", "sqlite3"],
                           capture_output=True, text=True, check=False).stdout.split()
    for name in (n for n in names if n.endswith(".h") and n.startswith(("include/", "src/"))):
        words = [cc, "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Werror", "-Wno-unused-function", "-fsyntax-only",
                 "-I", os.path.join(ROOT, "include"), *flags, "-x", "c", "-"]
        got = subprocess.run(words, input=f'#include "{os.path.join(ROOT, name)}"\n', capture_output=True, text=True,
                             check=False)
        if got.returncode != 0:
            yield f"{name}: does not compile alone: {got.stderr.strip().splitlines()[0]}"


def check_manuals(names):
    """Each source file opens with a short manual that begins with its name; a test with any comment."""
    for name in source(names):
        head = " ".join(lines(name)[:2])
        if not head.startswith("/*") or (not name.startswith("tests/") and os.path.basename(name) not in head):
            yield f"{name}: does not open with '/* NAME: what it is for'"


def check_process_list(names):
    """The threat model names every process of the jail table, and every process it names is built."""
    table, page = "src/proc/jail_table.c", "rootfs/doc/threat-model.md"
    if table not in names or page not in names:
        yield f"{table} or {page} is missing"
        return
    code = set(re.findall(r'\.name = "([a-z-]+)"', "\n".join(lines(table)))) | {"sekisho-init", "sekisho"}
    section = "\n".join(lines(page)).split("## Processes")[1].split("\n## ")[0]
    said = set(re.findall(r"^\| `([a-z-]+)`", section, re.MULTILINE))
    for name in sorted(code ^ said):
        yield f"{page}: {name} is in only one of the jail table and the threat model"


def check_file_length(names):
    for name in source(names):
        if len(lines(name)) > FILE_MAX:
            yield f"{name}: {len(lines(name))} lines"


def functions(names):
    """[(lines, name, file, line)] by universal-ctags; None when that is not installed."""
    if shutil.which("ctags") is None:
        return None
    done = subprocess.run(["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "--output-format=json", "-f", "-",
                           "-L", "-"], input="\n".join(n for n in source(names) if n.endswith(".c")),
                          capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode != 0:
        return None
    got = [json.loads(line) for line in done.stdout.splitlines()]
    return [(d["end"] - d["line"] + 1, d["name"], d["path"], d["line"]) for d in got if "end" in d]


def check_function_length(names):
    """None over 100 lines, but a flat table or switch whose comment says so ("flat")."""
    found = functions(names)
    if found is None:
        return "universal-ctags is not installed"
    wrong = []
    for length, name, path, line in found:
        above = " ".join(lines(path)[max(0, line - 8):line])
        if length > FUNCTION_MAX and "flat" not in above.lower():
            wrong.append(f"{path}:{line}: {name} has {length} lines")
    return wrong


CHECKS = [("utf8", check_utf8), ("trailing-blanks", check_trailing_blanks), ("last-newline", check_last_newline),
          ("tabs", check_tabs), ("columns", check_columns), ("invisible-unicode", check_invisible),
          ("words", check_words), ("rooms", check_rooms), ("headers-alone", check_headers), ("manuals", check_manuals),
          ("process-list", check_process_list), ("file-length", check_file_length), ("function-length", check_function_length)]


def run():
    """Yields (name, "OK"|"FAIL"|"SKIP", [lines])."""
    names = files()
    for name, check in CHECKS:
        got = check(names)
        if isinstance(got, str):
            yield name, "SKIP", [got]
            continue
        got = list(got)
        yield name, "FAIL" if got else "OK", got


if __name__ == "__main__":
    failed = False
    for check_name, result, places in run():
        print(f"{result:4} {check_name}")
        for place in places[:20]:
            print(f"     {place}")
        failed = failed or result == "FAIL"
    sys.exit(1 if failed else 0)
