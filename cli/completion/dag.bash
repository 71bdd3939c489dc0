# Completion of dag for bash.  Try it: . <(dag completion bash)
# What may stand where is asked of dag itself, so this file need not change with it.
_dag_complete()
{
	local line=${COMP_LINE:0:COMP_POINT} words=() word i cut value quoted
	local IFS=$'\n'

	# The words as they were typed: bash breaks them at = and : as well.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${line#"${line%%[![:space:]]*}"}
		if ((i == 0)) || [[ $word != "$line" || -z $line ]]; then
			words+=("")
		fi
		line=$word
		((i == COMP_CWORD)) || word=${COMP_WORDS[i]}
		line=${line#"$word"}
		words[${#words[@]} - 1]+=$word
	done
	# What is quoted is meant without its quotes.
	for ((i = 1; i < ${#words[@]}; i++)); do
		word=${words[i]//[\"\']/}
		words[i]=${word//\\/}
	done
	word=${words[${#words[@]} - 1]}
	# Of the last word, what lies before a break stays as it is.
	cut=${word%"${word##*[=:]}"}
	[[ $COMP_WORDBREAKS == *[=:]* ]] || cut=

	COMPREPLY=()
	while IFS= read -r value; do
		case $value in
		:nospace) compopt -o nospace 2>/dev/null ;;
		:yaml | :file | :dir)
			compopt -o filenames 2>/dev/null
			word=${word#"$cut"}
			while IFS= read -r i; do
				COMPREPLY+=("$i")
			done < <(
				compgen -d -- "$word"
				case $value in
				:yaml) compgen -f -X '!*.yaml' -- "$word"; compgen -f -X '!*.yml' -- "$word" ;;
				:file) compgen -f -- "$word" ;;
				esac | while IFS= read -r i; do
					[[ -d $i ]] || printf '%s\n' "$i"
				done
			)
			;;
		*)
			value=${value%%$'\t'*}
			printf -v quoted %q "${value#"$cut"}"
			COMPREPLY+=("$quoted")
			;;
		esac
	done < <("${1/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
	compopt -o nosort 2>/dev/null
	return 0
}

complete -F _dag_complete dag
