# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Corosync and Pacemaker: the same binaries and the same kind of configuration as in production.

# Every node starts from this CIB, so nothing has to be configured after the election.
pacemaker_prepare() {
	mkdir -p "$LAB_DIR/corosync"
	corosync_conf >"$LAB_DIR/corosync/corosync.conf"
	pacemaker_cib >"$LAB_DIR/cib.xml"
}

corosync_conf() {
	local node i=0
	cat <<END
totem {
	version: 2
	cluster_name: $LAB_NAME
	transport: knet
	crypto_cipher: none
	crypto_hash: none
	token: 1000
}
logging {
	to_stderr: yes
	to_syslog: no
	timestamp: hires
}
quorum {
	provider: corosync_votequorum
}
nodelist {
END
	for node in $(lab_nodes); do
		i=$((i + 1))
		printf '\tnode {\n\t\tname: %s\n\t\tnodeid: %d\n\t\tring0_addr: %s\n\t}\n' \
			"$node" $i "$(box_address "$node")"
	done
	echo "}"
}

cib_option() {
	echo "        <nvpair id=\"option-$1\" name=\"$1\" value=\"$2\"/>"
}

# cib_address ID ADDRESS PREFIX
cib_address() {
	cat <<END
        <instance_attributes id="$1-attributes">
          <nvpair id="$1-ip" name="ip" value="$2"/>
          <nvpair id="$1-netmask" name="cidr_netmask" value="$3"/>
          <nvpair id="$1-nic" name="nic" value="eth0"/>
        </instance_attributes>
        <operations>
          <op id="$1-start" name="start" interval="0" timeout="20s"/>
          <op id="$1-stop" name="stop" interval="0" timeout="20s"/>
          <op id="$1-monitor" name="monitor" interval="5s" timeout="20s"/>
        </operations>
      </primitive>
END
}

cib_primitive() {
	echo "      <primitive id=\"$1\" class=\"ocf\" provider=\"heartbeat\" type=\"IPaddr2\">"
	cib_address "$@"
}

# One address a node: alone, but on the last node a group of an IPv4 and an IPv6 address.
cib_resources() {
	local count=$1 i
	for i in $(seq 1 "$count"); do
		if [ "$i" -lt "$count" ]; then
			cib_primitive "vip$i" "$(vip4 "$i")" 24
			continue
		fi
		echo "      <group id=\"group$i\">"
		cib_primitive "vip$i" "$(vip4 "$i")" 24
		cib_primitive "vip$i-6" "$(vip6 "$i")" 64
		echo "      </group>"
	done
}

# A weak wish keeps the addresses spread, and any --move or --ban overrules it.
cib_constraints() {
	local count=$1 i rsc
	for i in $(seq 1 "$count"); do
		rsc=vip$i
		[ "$i" -lt "$count" ] || rsc=group$i
		echo "      <rsc_location id=\"spread-$rsc\" rsc=\"$rsc\" node=\"n$i\" score=\"10\"/>"
	done
}

pacemaker_cib() {
	local count
	count=$(lab_nodes | wc -l)
	cat <<END
<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.7" admin_epoch="0" epoch="1" num_updates="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
$(cib_option stonith-enabled false)
$(cib_option no-quorum-policy stop)
$(cib_option dc-deadtime 2s)
$(cib_option cluster-recheck-interval 60s)
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources>
$(cib_resources "$count")
    </resources>
    <constraints>
$(cib_constraints "$count")
    </constraints>
  </configuration>
  <status/>
</cib>
END
}

corosync_start_service() {
	box_start "$1" corosync corosync -f
	wait_for 30 "corosync on $1" box_exec "$1" corosync-quorumtool -s
}

pacemaker_start_service() {
	box_start "$1" pacemaker pacemakerd -f
}

# OCF agents of provider samba, from this tree, over the machine's own. Their programs are not where
# make install would put them: witnessctl=, agent= and binary= tell.
pacemaker_agents() {
	local agents=/run/lab/agents machine=/usr/lib/ocf/resource.d
	mkdir -p "$LAB_DIR/$1$agents/samba"
	cp "$LAB_TOP/ocf/"* "$LAB_DIR/$1$agents/samba/"
	box_exec "$1" mount -t overlay -o "lowerdir=$agents:$machine" overlay "$machine"
}

pacemaker_start() {
	local root=$LAB_DIR/$1
	smb_start "$1"
	pacemaker_agents "$1"
	cp "$LAB_DIR/corosync/corosync.conf" "$root/etc/corosync/"
	if [ ! -e "$root/var/lib/pacemaker/cib/cib.xml" ]; then
		install -o hacluster -g haclient -m 600 "$LAB_DIR/cib.xml" "$root/var/lib/pacemaker/cib/cib.xml"
	fi
	corosync_start_service "$1"
	pacemaker_start_service "$1"
}

# All nodes that are powered on are members, and every resource of the lab's own is started.
pacemaker_settled() {
	local node asked view
	asked=$(node_asked)
	view=$(box_exec "$asked" crm_mon -1 --output-as=xml) || return 1
	for node in $(lab_nodes); do
		! box_alive "$node" || grep -q "<node name=\"$node\" .*online=\"true\" .*pending=\"false\"" <<<"$view" || return 1
	done
	[ "$(grep -c '<resource .*role="Started" active="true".*pending' <<<"$view")" = 0 ] || return 1
	[ "$(grep -c '<resource .*role="Started" active="true"' <<<"$view")" -gt "$(lab_nodes | wc -l)" ]
}

pacemaker_ready() {
	wait_for 55 "the cluster's resources" pacemaker_settled || return 1
	box_exec "$(node_asked)" crm_resource --wait --timeout=30s
}

pacemaker_status() {
	box_exec "$(node_asked)" crm_mon -1 --inactive --group-by-node
}
