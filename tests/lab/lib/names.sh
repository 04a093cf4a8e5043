# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2034 # used by the other parts
# Names and addresses of every lab. Labs never see each other, so all of them use the same ones.

LAB_REALM=LAB.TEST
LAB_DOMAIN=lab.test
LAB_USER=alice
LAB_PASSWORD=Secret-01
LAB_NETNAME=FS
LAB_WORKGROUP=LAB
LAB_NET4=10.77.0
LAB_NET6=fd77::77:

lab_nodes() {
	cat "$LAB_DIR/nodes"
}

# The last octet: nodes .11 to .19, hub (bridge, KDC) .98, client .99, floating addresses from .101.
box_octet() {
	case $1 in
	hub) echo 98 ;;
	client) echo 99 ;;
	n[1-9]) echo "1${1#n}" ;;
	*) return 1 ;;
	esac
}

box_address() {
	echo "$LAB_NET4.$(box_octet "$1")"
}

# Floating addresses: vip1, vip2, ... one a node; the last has an IPv6 address beside it.
vip4() {
	echo "$LAB_NET4.10$1"
}

vip6() {
	echo "${LAB_NET6}10$1"
}

hosts_write() {
	local box i=0
	{
		echo "127.0.0.1 localhost"
		echo "::1 localhost ip6-localhost"
		for box in hub client $(lab_nodes); do
			echo "$(box_address "$box") $box.$LAB_DOMAIN $box"
			echo "$LAB_NET6$(box_octet "$box") $box.$LAB_DOMAIN $box"
		done
		for box in $(lab_nodes); do
			i=$((i + 1))
			echo "$(vip4 $i) fs.$LAB_DOMAIN fs"
			echo "$(vip4 $i) vip$i.$LAB_DOMAIN vip$i"
		done
		echo "$(vip6 $i) fs.$LAB_DOMAIN fs"
		echo "$(vip6 $i) vip$i-6.$LAB_DOMAIN vip$i-6"
	} >"$LAB_DIR/common/hosts"
}
