#!/bin/bash
# manpages.sh BUILD: the manual pages in both languages: groff understands every line, and each command has its place.
#
# Exit: 0 good, 1 not, 77 without groff.
set -euo pipefail
command -v groff >/dev/null || { echo "groff is not installed"; exit 77; }
bad=0
for page in "$1"/src/console/man/*.[158] "$1"/src/console/man/ja/*.[158]; do
	# A word or a row of code that is wider than the page says nothing against it.
	if groff -ww -man -K utf8 -T utf8 "$page" 2>&1 >/dev/null | grep -v "can't break line\|cannot break line"; then
		echo "$page: groff warns (above)"
		bad=1
	fi
done
words=$("$1/src/console/sekisho" --lang en help --reference | sed -n '/^## Commands/,$s/^### \([a-z -]*\)$/\1/p')
for page in "$1/src/console/man/sekisho.1" "$1/src/console/man/ja/sekisho.1"; do
	while read -r word; do
		# roff writes a hyphen as \-
		grep -qxF ".SH ${word//-/\\-}" "$page" || { echo "$page: nothing of $word"; bad=1; }
	done <<<"$words"
done
exit $bad
