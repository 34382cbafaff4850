#!/bin/sh
# Brings ja.po up to date with the msgids of the sources, or checks that it is.
#
# usage: update.sh [--check] SOURCE_ROOT
#   New msgids get an empty translation, to be filled by hand; what no source uses any more is dropped.
#   --check changes nothing; exit 1, with the places, when a msgid lacks its Japanese, is fuzzy, or is not used.
set -eu
check=false
if [ "$1" = --check ]; then
	check=true
	shift
fi
cd "$1"
po=src/console/po/ja.po
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
find src include -name '*.[ch]' | LC_ALL=C sort >"$tmp/files"
# What the schema says of an entry that does not fit is a message as well.
sed -n 's/^[[:space:]]*error-message \(".*"\);$/N_(\1)/p' src/config/sekisho.yang >"$tmp/schema.c"
echo "$tmp/schema.c" >>"$tmp/files"
xgettext --files-from="$tmp/files" --from-code=UTF-8 --keyword=_ --keyword=N_ --add-comments=TRANSLATORS \
	--package-name=sekisho --no-wrap --sort-by-file --no-location --output="$tmp/sekisho.pot"
if $check; then
	msgfmt --check --output-file=/dev/null "$po"
	if ! LC_ALL=C msgcmp "$po" "$tmp/sekisho.pot" >"$tmp/said" 2>&1 || grep -q 'not used' "$tmp/said"; then
		cat "$tmp/said"
		exit 1
	fi
	echo "$(grep -c '^msgid' "$tmp/sekisho.pot") messages, all in Japanese"
	exit 0
fi
msgmerge --quiet --no-fuzzy-matching --no-wrap --no-location "$po" "$tmp/sekisho.pot" |
	msgattrib --no-obsolete --no-wrap --no-location - | grep -v '^"POT-Creation-Date:' >"$tmp/ja.po"
cp "$tmp/ja.po" "$po"
msgfmt --statistics --output-file=/dev/null "$po"
