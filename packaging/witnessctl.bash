# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Completion of witnessctl(8) for bash. What there is to complete is asked of witnessctl: its commands and
# options of their --help, names and addresses of the daemon. Nothing here has to know them.
#
# Names are chosen by whoever may register. They are compared and quoted here, and never given to anything that
# expands words, as compgen -W does.

# Values of a key in the JSON that a command prints.
_witnessctl_values() {
	local key=$1
	shift
	witnessctl "${sock[@]}" --timeout 1 --json "$@" 2>/dev/null |
		sed -nE "s/^ *\"$key\": \"([^\"\\]+)\",?\$/\\1/p"
}

# As patterns that match nothing else.
_witnessctl_patterns() {
	_witnessctl_values "$@" | sed 's/[*?[]/\\&/g'
}

# Words for what a usage line calls by a name in capitals, or what stands behind such an option.
_witnessctl_named() {
	case $1 in
	ADDRESS | --server | --to-ip | --ip-address | --address) _witnessctl_values ip interfaces ;;
	HANDLE | --registration) _witnessctl_values handle list ;;
	NODE | --to-node) _witnessctl_values name status ;;
	NETNAME) _witnessctl_values net_name list ;;
	--node | --witness) _witnessctl_patterns name status ;;
	--net-name) _witnessctl_patterns net_name list ;;
	--client-computer-name) _witnessctl_patterns client list ;;
	--share-name) _witnessctl_patterns share list ;;
	CHECK) witnessctl doctor --help 2>/dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p' ;;
	--state) printf '%s\n' available unavailable ;;
	LEVEL) printf '%s\n' err warning notice info debug trace ;;
	esac
}

_witnessctl_options() {
	witnessctl "$@" 2>/dev/null | grep -oE -- '--[a-z][a-z0-9-]*'
}

# Whether an option of the text has a value: its name is followed by one in capitals.
_witnessctl_has_value() {
	grep -qE -- "$1 [A-Z\\[]" <<<"$2"
}

# Divide what has been typed into words, and take their quotes and backslashes away. The one being typed is in
# cur; head is how much of it readline leaves as it is, because it goes on behind the last colon or the like; quote
# is the one that is still open. Not COMP_WORDS: colons of IPv6 addresses would divide them.
_witnessctl_split() {
	local line=$1 c i
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		case $quote$c in
		\\ | \"\\)
			((++i))
			[[ -z $quote || ${line:i:1} == [\$\`\"\\] ]] || cur+=$c
			cur+=${line:i:1}
			;;
		\' | \") quote=$c head=$cur ;;
		\'\' | \"\") quote='' ;;
		[\$\`] | \"[\$\`]) cur+=$'\n' ;; # what the shell makes of it is not known: no line begins so
		[[:space:]])
			[[ -z $cur ]] || words+=("$cur")
			cur='' head=''
			;;
		*)
			cur+=$c
			[[ -n $quote || $COMP_WORDBREAKS != *"$c"* ]] || head=$cur
			;;
		esac
	done
}

# Those lines that begin with what has been typed, quoted for the shell.
_witnessctl_offer() {
	local line
	while IFS= read -r line; do
		[[ $line == "$cur"* && $line != "$head" ]] || continue
		line=${line#"$head"}
		case $quote in
		\') [[ $line != *\'* ]] || continue ;;
		\") [[ $line != *[\$\`\"\\!]* ]] || continue ;;
		*) printf -v line %q "$line" ;;
		esac
		COMPREPLY+=("$line")
	done < <(sort -u <<<"$1")
}

_witnessctl() {
	local cur='' head='' quote='' previous command='' usage words=() sock=() word i
	COMPREPLY=()
	_witnessctl_split "${COMP_LINE:0:COMP_POINT}"
	previous=${words[-1]}
	for ((i = 1; i < ${#words[@]}; i++)); do
		case ${words[i]} in
		--socket) sock=(--socket "${words[++i]}") ;;
		--timeout) ((i++)) ;;
		-*) ;;
		*)
			command=${words[i]}
			break
			;;
		esac
	done
	if [[ -z $command ]]; then
		usage=$(witnessctl --help 2>/dev/null)
		if [[ $previous == --socket || $previous == --timeout ]]; then
			return
		elif [[ $cur == -* ]]; then
			word=$(_witnessctl_options --help)$'\n--help\n--version'
		else
			word=$(sed -nE 's/^  ([a-z][a-z-]*).*/\1/p' <<<"$usage")
		fi
	else
		usage=$(witnessctl "$command" --help 2>/dev/null)
		if [[ $previous == -* ]] && _witnessctl_has_value "$previous" "$usage"; then
			case $previous in
			*-file | --config | --exec)
				compopt -o filenames 2>/dev/null
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return
				;;
			esac
			word=$(_witnessctl_named "$previous")
		elif [[ $cur == -* ]]; then
			word=$(_witnessctl_options "$command" --help)$'\n--help\n--json'
		else
			# The names of the first line that do not stand behind an option.
			word=$(head -n 1 <<<"$usage" | sed -E 's/--[a-z-]+ [A-Z]+//g' | grep -oE '\b[A-Z]{4,}\b' |
				while read -r word; do _witnessctl_named "$word"; done)
			# Words that stand there as they are have to come first: one|another
			if ((${#words[@]} == i + 1)); then
				word+=$'\n'$(sed -nE '1s/^usage: witnessctl [a-z-]+ ([a-z|-]*[a-z])( .*)?$/\1/p' <<<"$usage" | tr '|' '\n')
			fi
		fi
	fi
	_witnessctl_offer "$word"
}

complete -F _witnessctl witnessctl
