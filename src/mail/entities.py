"""entities.txt -> a C table that words.h looks up: entities.py entities.txt OUT"""
import sys

import words

rows = []
for line in open(sys.argv[1], encoding='ascii'):
    if line.startswith('#'):
        continue
    row = line.split()
    old = row[1] == '!'
    points = [int(w, 16) for w in row[2 if old else 1:]] + [0]
    rows.append((row[0], '%d, %d, 0x%x, 0x%x' % (len(row[0]), old, points[0], points[1])))
with open(sys.argv[2], 'w', encoding='ascii') as out:
    out.write('/* Made by entities.py from entities.txt. */\n')
    words.write(out, 'entities', 'struct entity', rows)
