#!/bin/sh
# Turns a .po file into a C array with the bytes of its .mo. usage: catalogue.sh INPUT.po OUTPUT.c NAME
set -eu
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
msgfmt --check-format --output-file="$tmp" "$1"
{
	echo '#include <stddef.h>'
	echo "extern const unsigned char $3[];"
	echo "extern const size_t $3_size;"
	echo "_Alignas(8) const unsigned char $3[] = {"
	od -An -v -tx1 "$tmp" | sed 's/ \(..\)/0x\1,/g'
	echo '};'
	echo "const size_t $3_size = sizeof($3);"
} >"$2"
