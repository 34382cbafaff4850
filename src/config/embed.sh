#!/bin/sh
# Turns a file into a C string. usage: embed.sh INPUT OUTPUT.c NAME
set -eu
{
	echo "extern const char $3[];"
	echo "const char $3[] = {"
	od -An -v -tx1 "$1" | sed 's/ \(..\)/(char)0x\1,/g'
	echo '0};'
} >"$2"
