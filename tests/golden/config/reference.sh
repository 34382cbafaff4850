#!/bin/sh
# Compares rootfs/doc/policy-reference.md with what the schema says today (or writes it).
#
# usage: reference.sh POLICY-REFERENCE-PROGRAM POLICY_REFERENCE_MD [--regenerate]
set -eu
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
"$1" >"$tmp"
if [ "${3:-}" = --regenerate ]; then
	cp "$tmp" "$2"
else
	diff -u "$2" "$tmp"
fi
