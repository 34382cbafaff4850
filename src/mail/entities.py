"""entities.txt -> a C table, sorted by name: entities.py entities.txt OUT"""
import sys

rows, names, at = [], [], 0
for line in open(sys.argv[1], encoding='ascii'):
    if line.startswith('#'):
        continue
    words = line.split()
    old = words[1] == '!'
    points = [int(w, 16) for w in words[2 if old else 1:]] + [0]
    rows.append((words[0], '\t{%d, %d, %d, 0x%x, 0x%x},' % (at, len(words[0]), old, points[0], points[1])))
    names.append(words[0])
    at += len(words[0])
assert names == sorted(names) and at < 65536
with open(sys.argv[2], 'w', encoding='ascii') as out:
    out.write('/* Made by entities.py from entities.txt. */\nstatic const char entity_names[] =\n')
    for i in range(0, len(names), 8):
        out.write('\t"%s"\n' % ''.join(names[i:i + 8]))
    out.write('\t;\n\nstatic const struct entity entities[] = {\n')
    out.writelines(row + '\n' for _, row in rows)
    out.write('};\n')
