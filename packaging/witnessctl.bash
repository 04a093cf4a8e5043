# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Completion of witnessctl(8) for bash. What there is to complete is asked of witnessctl: its commands and
# options of their --help, names and addresses of the daemon. Nothing here has to know them.

# Values of a key in the JSON that a command prints.
_witnessctl_values() {
	local key=$1
	shift
	witnessctl "${sock[@]}" --timeout 1 --json "$@" 2>/dev/null |
		sed -nE "s/^ *\"$key\": \"([^\"\\]+)\",?\$/\\1/p" | sort -u
}

# Words for what a usage line calls by a name in capitals, or what stands behind such an option.
_witnessctl_named() {
	case $1 in
	ADDRESS | --server | --to-ip | --ip-address | --address) _witnessctl_values ip interfaces ;;
	HANDLE | --registration) _witnessctl_values handle list ;;
	NODE | --node | --to-node | --witness) _witnessctl_values name status ;;
	NETNAME | --net-name) _witnessctl_values net_name list ;;
	--client-computer-name) _witnessctl_values client list ;;
	--share-name) _witnessctl_values share list ;;
	CHECK) witnessctl doctor --help 2>/dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p' ;;
	--state) printf '%s\n' available unavailable ;;
	LEVEL) printf '%s\n' err warning notice info debug trace ;;
	esac
}

_witnessctl_options() {
	witnessctl "$@" 2>/dev/null | grep -oE -- '--[a-z][a-z0-9-]*' | sort -u
}

# Whether an option of the text has a value: its name is followed by one in capitals.
_witnessctl_has_value() {
	grep -qE -- "$1 [A-Z\\[]" <<<"$2"
}

_witnessctl() {
	local line=${COMP_LINE:0:COMP_POINT} cur='' previous='' command='' usage words=() sock=() word i
	COMPREPLY=()
	# Not COMP_WORDS: colons of IPv6 addresses would divide them.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] || { cur=${words[-1]}; unset 'words[-1]'; }
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
	mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur" | sort -u)
	# Readline replaces only what stands behind the last colon.
	if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
	fi
}

complete -F _witnessctl witnessctl
