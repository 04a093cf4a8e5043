# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# CTDB as an administrator has it: the cluster lock in a folder that all nodes share, every node may
# host every public address, and smbd is started and stopped by CTDB's own event script.

# What CTDB takes over 20 s for at its start is mostly a wait that no recovery follows the first one.
CTDB_QUIET_S=2

ctdb_prepare() {
	local common=$LAB_DIR/ctdb node
	mkdir -p "$common" "$LAB_DIR/shared/data"
	chmod 777 "$LAB_DIR/shared/data"
	for node in $(lab_nodes); do
		box_address "$node"
	done >"$common/nodes"
	ctdb_public_addresses >"$common/public_addresses"
	echo "RerecoveryTimeout=$CTDB_QUIET_S" >"$common/ctdb.tunables"
	cat >"$common/ctdb.conf" <<END
[logging]
	log level = NOTICE
[cluster]
	cluster lock = /srv/ctdb.lock
[legacy]
	# a lab shares its machine with others
	realtime scheduling = false
END
}

ctdb_public_addresses() {
	local i count
	count=$(lab_nodes | wc -l)
	for i in $(seq "$count"); do
		echo "$(vip4 "$i")/24 eth0"
	done
	echo "$(vip6 "$count")/64 eth0"
}

# ctdb_service NODE NAME COMMAND...: what an event script finds that calls service(8)
ctdb_service() {
	local script
	script=$(node_root "$1")/etc/init.d/$2
	cp "$LAB_LIB/service" "$script"
	shift 2
	printf '%q ' "$@" >"$script.command"
}

# This tree's event scripts are there, beside the machine's own, but none of them is enabled.
ctdb_scripts() {
	local scripts=/run/lab/scripts machine=/usr/share/ctdb/events/legacy root=
	[ ! -e "$LAB_DIR/release" ] || root=/mnt
	mkdir -p "$LAB_DIR/$1$scripts"
	cp "$LAB_TOP/agents/ctdb/"*.script "$LAB_DIR/$1$scripts/"
	box_exec "$1" mount -t overlay -o "lowerdir=$scripts:$root$machine" overlay "$root$machine"
	ln -sf "$machine/50.samba.script" "$(node_root "$1")/etc/ctdb/events/legacy/"
}

# From wherever it is called, a program of the machine's own runs in the box's folders.
CTDB_IN_BOX="nsenter --target 1 --mount --root --wd=/ --"

ctdb_configure() {
	local etc build
	etc=$(node_root "$1")/etc
	smb_conf_write "$LAB_DIR/$1/etc" /srv/data "clustering = yes" # which witnessd reads, too
	[ ! -e "$LAB_DIR/release" ] || cp "$LAB_DIR/$1/etc/samba/smb.conf" "$etc/samba/"
	cp "$LAB_DIR/ctdb/"* "$etc/ctdb/"
	ctdb_scripts "$1"
	if [ -e "$LAB_DIR/rpcd-witness" ]; then
		ctdb_service "$1" samba-dcerpcd /usr/libexec/samba/samba-dcerpcd --foreground \
			--no-process-group --debug-stdout --libexec-rpcds
		ln -sf /usr/share/ctdb/events/legacy/47.samba-dcerpcd.script "$etc/ctdb/events/legacy/"
	fi
	ctdb_service "$1" smbd smbd --foreground --no-process-group --debug-stdout
	[ -e "$LAB_DIR/build" ] || return 0
	build=$(cat "$LAB_DIR/build")
	mapfile -t -d '' command < <(witnessd_command)
	# shellcheck disable=SC2086 # a list of words
	ctdb_service "$1" witnessd $CTDB_IN_BOX "${command[@]}"
	printf '#!/bin/sh\nexec %s %q "$@"\n' "$CTDB_IN_BOX" "$build/witnessctl" >"$LAB_DIR/$1/run/lab/witnessctl"
	chmod 755 "$LAB_DIR/$1/run/lab/witnessctl"
	echo "CTDB_WITNESSCTL=/run/lab/witnessctl" >>"$etc/ctdb/script.options"
}

ctdb_start_service() {
	box_exec "$1" mkdir -p /run/ctdb /run/samba
	box_start "$1" ctdb ctdbd --interactive
}

ctdb_gone() {
	box_runs_not "$1" ctdb && ! box_exec "$1" pgrep -x ctdb-eventd
}

# ctdb_stop_service NODE [SIGNAL]: as an administrator does it, or by a signal, which ctdbd dies of.
# Its event daemon notices that, and holds a socket until then which the next ctdbd wants.
ctdb_stop_service() {
	if [ -n "$2" ]; then
		box_stop "$1" ctdb "$2"
	else
		box_exec "$1" ctdb shutdown
	fi
	wait_for 30 "the end of ctdb on $1" ctdb_gone "$1"
}

ctdb_start() {
	release_up "$1"
	ctdb_configure "$1"
	ctdb_start_service "$1"
}

# All nodes where ctdbd runs are healthy members, and every address is somewhere.
ctdb_settled() {
	local asked numbers
	asked=$(node_asked)
	numbers=$(lab_nodes | while read -r node; do
		! box_alive "$node" || ! box_runs "$node" ctdb || echo $((${node#n} - 1))
	done | paste -sd,)
	box_exec "$asked" ctdb nodestatus "$numbers" || return 1
	box_exec "$asked" ctdb -X ip all | awk -F '|' '
		NR > 1 && $3 < 0 { exit 1 }
		END { if (NR < 2) exit 1 }'
}

# The users are in a database of the cluster, too.
ctdb_ready() {
	wait_for 55 "the cluster's nodes and addresses" ctdb_settled || return 1
	smb_user_add "$(node_asked)"
}

ctdb_status() {
	local asked
	asked=$(node_asked)
	box_exec "$asked" ctdb status
	box_exec "$asked" ctdb ip all
}
