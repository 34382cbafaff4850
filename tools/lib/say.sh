# say.sh: how the shell tools talk to people. Sourced, not run.
#
# Every message is given in English and in Japanese; LANG (or LC_ALL, LC_MESSAGES) decides.

say_lang() {
	case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
	ja*) echo ja ;;
	*) echo en ;;
	esac
}
SAY_LANG=$(say_lang)
SAY_START=$(date +%s)

# say ENGLISH JAPANESE: a line with the seconds since the start, so that a long step is seen to move.
say() {
	local text=$1
	[ "$SAY_LANG" = ja ] && [ $# -ge 2 ] && text=$2
	printf '[%4ds] %s\n' $(($(date +%s) - SAY_START)) "$text"
}

say_error() {
	local text=$1
	[ "$SAY_LANG" = ja ] && [ $# -ge 2 ] && text=$2
	printf '%s: %s\n' "$(basename "$0")" "$text" >&2
}

# say_run LOGFILE COMMAND...: runs it quietly, and shows its last lines only when it fails.
say_run() {
	local log=$1 rc=0
	shift
	"$@" >"$log" 2>&1 || rc=$?
	[ $rc = 0 ] || { tail -40 "$log" >&2; }
	return $rc
}
