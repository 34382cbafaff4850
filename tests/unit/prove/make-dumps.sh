#!/bin/bash
# Regenerates the dumps that test_prove reads: loads each variant of small.nft and turned.nft into a real kernel (root) and
# keeps what it answers. usage: make-dumps.sh [small | turned]
set -euo pipefail
cd "$(dirname "$0")"
# make RULESET VARIANTS DUMPS
make() {
	mkdir -p "$3"
	while IFS='|' read -r name _ edit; do
		case $name in '' | '#'*) continue ;; esac
		sed -e "$edit" "$1" >"/tmp/sekisho-$$.nft"
		[ -z "$edit" ] || ! cmp -s "$1" "/tmp/sekisho-$$.nft" || { echo "$name changes nothing" >&2; exit 1; }
		/usr/bin/python3 nftdump.py "/tmp/sekisho-$$.nft" "$3/$name.dump"
	done <"$2"
	rm -f "/tmp/sekisho-$$.nft"
}
[ "${1:-small}" != small ] || make small.nft variants dumps
[ "${1:-turned}" != turned ] || make turned.nft turned-variants turned-dumps
