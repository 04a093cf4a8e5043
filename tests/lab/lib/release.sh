# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Another Debian's CTDB and Samba on the nodes: a folder with that release's packages, with a layer of
# each node's own above it, at /mnt of the box. Whoever calls one of its programs in a box gets that one.
# Everything else, witnessd too, is the machine's.

LAB_CACHE=${LAB_CACHE:-/var/cache/witnessd-lab}
RELEASE_PACKAGES=ctdb,samba,samba-common-bin,ethtool,iproute2,iptables,psmisc,procps,init-system-helpers
RELEASE_PROGRAMS="/usr/bin/ctdb /usr/sbin/ctdbd /usr/sbin/smbd /usr/bin/pdbedit /usr/bin/testparm"
RELEASE_FOLDERS="/dev /proc /sys /run /srv /var/log"

# release_fetch RELEASE: downloads it once, which takes two minutes
release_fetch() {
	local folder=$LAB_CACHE/$1
	[[ $1 =~ ^[a-z]+$ ]] || fail "the name of a Debian release, not '$1'"
	mkdir -p "$LAB_CACHE"
	(
		flock 9
		[ ! -d "$folder" ] || exit 0
		command -v debootstrap >/dev/null || fail "another release needs debootstrap (tests/deps/ctdb-new.txt)"
		rm -rf --one-file-system "$folder.new"
		debootstrap --variant=minbase --include="$RELEASE_PACKAGES" "$1" "$folder.new" >"$folder.log" 2>&1 ||
			fail "no Debian $1, see $folder.log"
		mv "$folder.new" "$folder"
	) 9>"$LAB_CACHE/lock"
}

release_prepare() {
	release_fetch "$1"
	echo "$LAB_CACHE/$1" >"$LAB_DIR/release"
}

# Nothing when the nodes run the machine's own packages.
release_up() {
	local folder
	[ -e "$LAB_DIR/release" ] || return 0
	folder=$(cat "$LAB_DIR/release")
	box_exec "$1" sh -ec "
		mkdir -p /var/tmp/release/upper /var/tmp/release/work
		mount -t overlay -o lowerdir=$folder,upperdir=/var/tmp/release/upper,workdir=/var/tmp/release/work overlay /mnt
		for folder in $RELEASE_FOLDERS; do mount --rbind \$folder /mnt\$folder; done
		for program in $RELEASE_PROGRAMS; do mount --bind '$LAB_LIB/in-release' \$program; done"
	cp "$LAB_DIR/common/"* "$(node_root "$1")/etc/"
}

# The folder, as this machine sees it, that is / to the node's CTDB and Samba.
node_root() {
	local root
	root=/proc/$(box_pid "$1")/root
	[ ! -e "$LAB_DIR/release" ] || root=$root/mnt
	echo "$root"
}
