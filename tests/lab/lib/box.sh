# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A box plays one machine: namespaces for network, mounts, host name, IPC and processes, held by
# an init of its own (lib/init). Nobody but that init refers to them, so its death removes all.
# The box "hub" has the bridge that the others are plugged into.

# Private copies of the machine's folders, with owners and modes but without files ...
BOX_FOLDERS="/var/lib/pacemaker /var/lib/corosync /var/lib/ctdb /var/lib/samba /var/cache/samba /var/log /var/tmp /var/spool"
# ... and of one with files.
BOX_COPIES="/etc"

box_pid() {
	cat "$LAB_DIR/$1/init.pid"
}

# The command line tells the box's init from a stranger that has got its number since.
is_process_of_box() {
	[ -n "$1" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -F "/lib/init $LAB_DIR/$2 " >/dev/null
}

box_alive() {
	[ -e "$LAB_DIR/$1/init.pid" ] && is_process_of_box "$(box_pid "$1")" "$1"
}

# What else runs on this machine must not look like a slow cluster: boxes go before builds.
BOX_NICE="nice -n -10"

# In place of this shell, for one who kills it: the command ends with it. Variables of the caller
# that would point a tool in the box at something outside are dropped.
box_become() {
	local box=$1
	shift
	# shellcheck disable=SC2086 # a command and its arguments
	exec $BOX_NICE env -u KRB5CCNAME -u KRB5_CONFIG -u KRB5_KTNAME -u CIB_file -u CIB_shadow HOME=/root \
		nsenter --target "$(box_pid "$box")" --mount --uts --ipc --net --pid --wdns="$PWD" -- \
		setpriv --pdeathsig TERM -- "$@"
}

box_exec() {
	(box_become "$@")
}

# box_start BOX SERVICE COMMAND...: in the background, as a child of the box's init, with a log
box_start() {
	local box=$1 service=$2
	shift 2
	# shellcheck disable=SC2016 # expanded inside
	box_exec "$box" sh -c '
		service=$1; shift
		setsid "$@" >>"/var/log/$service.out" 2>&1 </dev/null &
		echo $! >"/run/lab/$service.pid"' - "$service" "$@"
}

box_services() {
	# shellcheck disable=SC2016 # expanded inside
	box_exec "$1" sh -c 'cd /run/lab; for f in *.pid; do
		[ ! -e "$f" ] || ! kill -0 "$(cat "$f")" 2>/dev/null || echo "${f%.pid}"; done'
}

box_runs() {
	box_services "$1" | grep -x "$2" >/dev/null # not -q: with pipefail an early end would be a failure
}

box_runs_not() {
	! box_runs "$@"
}

# box_stop BOX SERVICE SIGNAL: ends it and waits until it is gone
box_stop() {
	box_runs "$1" "$2" || return 0
	box_exec "$1" sh -c "kill -s $3 \"\$(cat /run/lab/$2.pid)\""
	wait_for 60 "the end of $2 on $1" box_runs_not "$1" "$2"
}

# The box's own files stay in the lab's folder between two boots, as on a disk.
box_disk() {
	local root=$1 folder
	rm -rf "$root/run"
	mkdir -p "$root/run/lab" "$root/run/lock"
	[ ! -e "$root/etc" ] || return 0
	for folder in $BOX_FOLDERS; do
		mkdir -p "$root$folder"
		# Somebody may be building below it: what comes, goes or changes meanwhile is nothing that a box needs.
		{ find "$folder" -mindepth 1 -path "$LAB_TOP" -prune -o -type d -printf '%P\0' 2>/dev/null || :; } |
			{ tar --create --directory="$folder" --null --no-recursion --ignore-failed-read \
				--files-from=- 2>/dev/null || :; } |
			tar --extract --same-owner --directory="$root$folder"
		chmod --reference="$folder" "$root$folder"
		chown --reference="$folder" "$root$folder"
	done
	for folder in $BOX_COPIES; do
		cp -a "$folder" "$root$folder"
	done
}

box_up() {
	local box=$1 root=$LAB_DIR/$1 unshare keeps=$LAB_TOP
	[ ! -e "$LAB_DIR/build" ] || keeps+=$'\n'$(cat "$LAB_DIR/build")
	mkdir -p "$root"
	box_disk "$root"
	cp "$LAB_DIR/common/"* "$root/etc/"
	: >"$root/ready"
	# shellcheck disable=SC2086 # a list of words
	BOX_KEEPS=$keeps setsid $BOX_NICE unshare --net --mount --uts --ipc --pid --fork --kill-child --mount-proc \
		"$LAB_LIB/init" "$root" "$box" $BOX_FOLDERS $BOX_COPIES /run \
		>"$root/init.log" 2>&1 </dev/null &
	unshare=$!
	echo "$unshare" >"$root/unshare.pid"
	wait_for 20 "the init of $box" test -s "$root/ready" || { cat "$root/init.log" >&2; return 1; }
	pgrep -P "$unshare" >"$root/init.pid"
	box_plug "$box"
}

# Plugs a box into the hub's bridge. The hub's own address is on the bridge itself.
box_plug() {
	local box=$1 port=eth0
	if [ "$box" = hub ]; then
		box_exec hub ip link add eth0 type bridge forward_delay 0 mcast_snooping 0
	else
		nsenter --target "$(box_pid hub)" --net ip link add "to-$box" type veth \
			peer name eth0 netns "$(box_pid "$box")"
		box_exec hub ip link set "to-$box" master eth0 up
	fi
	box_exec "$box" sh -ec "
		ip address add $(box_address "$box")/24 dev $port
		ip -6 address add $LAB_NET6$(box_octet "$box")/64 dev $port nodad
		ip link set $port up"
}

# Power off: SIGKILL to the init of a PID namespace ends every process in it, and unshare's end
# (--kill-child) kills an init whose boot was interrupted.
box_down() {
	local file pid
	for file in "$LAB_DIR/$1/init.pid" "$LAB_DIR/$1/unshare.pid"; do
		[ -e "$file" ] || continue
		pid=$(cat "$file")
		if is_process_of_box "$pid" "$1"; then
			kill -s KILL "$pid" 2>/dev/null || true
			wait_for 20 "the end of $1" box_gone "$pid"
		fi
		rm -f "$file"
	done
}

box_gone() {
	! kill -0 "$1" 2>/dev/null
}
