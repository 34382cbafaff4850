#!/bin/bash
# Runs the command lines of cases/NAME.cmds in both languages and compares what they print, and their exit
# codes, with cases/NAME.ja.out and cases/NAME.en.out.
#
# usage: run.sh SEKISHO FAKE_GATE [--regenerate] NAME...
# In a .cmds file: "# text" is a comment, "gate SCENARIO" starts a fake gate for the lines behind, "no gate" ends
# it, every other line is run by sh in a directory with policies/ and examples/, with `sekisho` in the path.
set -eu
sekisho=$(readlink -f "$1")
fake_gate=$(readlink -f "$2")
shift 2
here=$(dirname "$(readlink -f "$0")")
regenerate=false
if [ "${1:-}" = --regenerate ]; then
	regenerate=true
	shift
fi
tmp=$(mktemp -d)
gate=
cleanup() {
	[ -z "$gate" ] || kill "$gate" 2>/dev/null || true
	rm -rf "$tmp"
}
trap cleanup EXIT

stop_gate() {
	[ -z "$gate" ] || { kill "$gate"; wait "$gate" 2>/dev/null || true; }
	gate=
	rm -rf "$tmp/work/root"
	mkdir -p "$tmp/work/root"
}

start_gate() {
	stop_gate
	"$fake_gate" "$tmp/work/root" "$1" &
	gate=$!
	for _ in $(seq 100); do
		[ -S "$tmp/work/root/run/sekisho/control" ] && return
		sleep 0.05
	done
	echo "the fake gate does not start" >&2
	exit 1
}

run_case() {
	while IFS= read -r line; do
		case "$line" in
		'' | '#'*) echo "$line" ;;
		'gate '*)
			start_gate "${line#gate }" >&2
			echo "$line"
			;;
		'no gate')
			stop_gate
			echo "$line"
			;;
		*)
			echo "\$ $line"
			code=0
			env -i PATH="$tmp/bin:$PATH" LC_ALL=C.UTF-8 LANGUAGE="$2" TZ=Asia/Tokyo SEKISHO_ROOT=root \
				${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} sh -c "$line" </dev/null 2>&1 || code=$?
			echo "=> $code"
			;;
		esac
	done <"$here/cases/$1.cmds"
}

mkdir -p "$tmp/bin" "$tmp/work"
ln -s "$sekisho" "$tmp/bin/sekisho"
ln -s "$here/policies" "$tmp/work/policies"
ln -s "$here/../../captures/own" "$tmp/work/captures"
ln -s "$here/../../../rootfs/etc/sekisho/examples" "$tmp/work/examples"
cd "$tmp/work"
failed=0
for name in "$@"; do
	for language in ja en; do
		stop_gate
		want=$here/cases/$name.$language.out
		run_case "$name" "$language" >"$tmp/got"
		if $regenerate; then
			cp "$tmp/got" "$want"
		elif ! diff -u "$want" "$tmp/got"; then
			failed=1
		fi
	done
done
exit $failed
