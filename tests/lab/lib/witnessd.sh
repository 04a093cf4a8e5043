# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# witnessd from a build folder, on every node.

# More settings, as section.key=value, for labs that want witnessd otherwise than tests do.
LAB_WITNESSD_OPTIONS=${LAB_WITNESSD_OPTIONS:-}

# The command line, a NUL after each word.
witnessd_command() {
	local build option epm_port=135
	build=$(cat "$LAB_DIR/build")
	[ ! -e "$LAB_DIR/rpcd-witness" ] || epm_port=1135
	# CTDB only numbers its nodes; with another backend the key has no effect
	printf '%s\0' "$build/witnessd" \
		-o global.backend="$(cat "$LAB_DIR/manager")" \
		-o global.module_dir="$build" \
		-o global.log_target=/var/log/witnessd.log \
		-o global.log_level=debug \
		-o global.blackbox_dir=/var/log/blackbox \
		-o witness.net_names="$LAB_NETNAME fs.$LAB_DOMAIN" \
		-o ctdb.node_names="$(lab_nodes | paste -sd' ')" \
		-o rpc.epmapper_port="$epm_port" \
		-o auth.ntlm_user_file=/etc/ntlm.users
	for option in $LAB_WITNESSD_OPTIONS; do
		printf '%s\0' -o "$option"
	done
}

witnessd_start_service() {
	local command
	mapfile -t -d '' command < <(witnessd_command)
	box_start "$1" witnessd "${command[@]}"
}

witnessd_start() {
	witnessd_start_service "$1"
}

witnessd_ready() {
	wait_for 20 "witnessd on $1" box_exec "$1" "$(cat "$LAB_DIR/build")/witnessctl" ping && return
	tail -n 5 "$LAB_DIR/$1/var/log/witnessd.out" "$LAB_DIR/$1/var/log/witnessd.log" >&2
	return 1
}
