"""Writes entities.txt, the list of HTML's named characters, from the copy that Python carries (html.entities.html5)."""
import sys
from html.entities import html5

names = {}
for name, text in html5.items():
    bare = name.rstrip(';')
    old = names.get(bare, (text, False))[1]
    names[bare] = (text, old or not name.endswith(';'))
out = sys.stdout
out.write('''# Named characters of HTML: name, "!" if it also counts without its semicolon, code points.
# From the HTML Standard's list (html.spec.whatwg.org/entities.json, Copyright WHATWG, BSD-3-Clause where it is part of
# source code), taken from the copy in Python 3.11 (html.entities.html5, PSF licence). Written by entities_list.py.
''')
for name in sorted(names):
    text, old = names[name]
    out.write('%s%s %s\n' % (name, ' !' if old else '', ' '.join('%X' % ord(c) for c in text)))
