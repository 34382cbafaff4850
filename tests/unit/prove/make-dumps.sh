#!/bin/bash
# Regenerates the dumps that test_prove reads: loads each variant of small.nft into a real kernel (root) and keeps what
# it answers. usage: make-dumps.sh
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p dumps
while IFS='|' read -r name _ edit; do
	case $name in '' | '#'*) continue ;; esac
	sed -e "$edit" small.nft >"/tmp/sekisho-$$.nft"
	[ -z "$edit" ] || ! cmp -s small.nft "/tmp/sekisho-$$.nft" || { echo "$name changes nothing" >&2; exit 1; }
	/usr/bin/python3 nftdump.py "/tmp/sekisho-$$.nft" "dumps/$name.dump"
done <variants
rm -f "/tmp/sekisho-$$.nft"
