#!/bin/sh
# town.sh PROGRAM EXPECTED [--update]: the ruleset of the unit tests' town, word for word; and nft takes it where it is.
set -eu
if [ "${3:-}" = --update ]; then
	"$1" print >"$2"
	exit 0
fi
"$1" print | diff -u "$2" -
if command -v nft >/dev/null && unshare -n true 2>/dev/null; then
	# Where the kernel has no queue of its own our netlink form uses another; the text has one word for both.
	if printf 'table inet t {\nchain c {\nqueue num 0\n}\n}\n' | unshare -n nft -c -f - 2>/dev/null; then
		"$1" print | unshare -n nft -c -f -
	else
		"$1" print | sed '/^\t*queue num [0-9]*$/d' | unshare -n nft -c -f -
	fi
fi
