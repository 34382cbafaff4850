#!/bin/sh
# Compares rootfs/doc/commands.md with what the table of commands says today (or writes it).
#
# usage: manual.sh SEKISHO COMMANDS_MD [--regenerate]
set -eu
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
{
	echo '# sekisho の命令 (日本語 / English below)'
	echo
	echo 'このページは命令の表から作られています (`sekisho help --reference`)。手で書き換えないでください。'
	echo 'This page is printed from the table of commands (`sekisho help --reference`); a test compares them.'
	echo
	"$1" --lang ja help --reference
	echo
	"$1" --lang en help --reference
} >"$tmp"
if [ "${3:-}" = --regenerate ]; then
	cp "$tmp" "$2"
else
	diff -u "$2" "$tmp"
fi
