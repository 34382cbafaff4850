# bash completion for sekisho: the command itself knows what may follow (sekisho complete).
_sekisho()
{
	local word
	COMPREPLY=()
	while IFS= read -r word; do
		if [ "$word" = '<file>' ]; then
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
		else
			COMPREPLY+=("$word")
		fi
	done < <(sekisho complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _sekisho sekisho
