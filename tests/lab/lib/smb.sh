# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# smbd on every node: the same netbios name, users and share everywhere. With Pacemaker it is that of
# an administrator without CTDB: whether the share's data are shared is not the witness's business.

# The user exists everywhere under the same name; NTLM's user file is for witnessd.
user_add() {
	local common=$LAB_DIR/common
	{
		grep -v '^witnessd:' /etc/passwd
		echo "$LAB_USER:x:7001:7001::/nonexistent:/usr/sbin/nologin"
		echo "witnessd:x:7002:7002::/:/usr/sbin/nologin"
	} >"$common/passwd"
	{
		grep -v '^witnessd:' /etc/group
		echo "$LAB_USER:x:7001:"
		echo "witnessd:x:7002:"
	} >"$common/group"
	echo "$LAB_WORKGROUP:$LAB_USER:$LAB_PASSWORD" >"$common/ntlm.users"
	chmod 600 "$common/ntlm.users"
}

# Further ports for smbd, when something wants connections that nobody tracks.
LAB_SMB_PORTS=${LAB_SMB_PORTS:-}

# smb_conf_write ETC DATA [LINE]: into which /etc, the folder of the share, one more line for [global].
# Helpers on demand keep samba-dcerpcd off port 135; Samba's own witness is there only without them.
smb_conf_write() {
	cat >"$1/samba/smb.conf" <<END
[global]
	workgroup = $LAB_WORKGROUP
	netbios name = $LAB_NETNAME
	realm = $LAB_REALM
	server role = standalone server
	kerberos method = dedicated keytab
	dedicated keytab file = /etc/krb5.keytab
	disable netbios = yes
	smb ports = 445 $LAB_SMB_PORTS
	load printers = no
	printing = bsd
	printcap name = /dev/null
	rpc start on demand helpers = $([ -e "$LAB_DIR/rpcd-witness" ] && echo no || echo yes)
	${3:-}
[data]
	path = $2
	read only = no
	# what Windows wants before it looks for a witness (Samba 4.20 and later)
	smb3 share cap:CLUSTER = yes
	smb3 share cap:CONTINUOUS AVAILABILITY = yes
END
}

smbd_start_service() {
	box_start "$1" smbd smbd --foreground --no-process-group --debug-stdout
}

smb_user_add() {
	printf '%s\n%s\n' "$LAB_PASSWORD" "$LAB_PASSWORD" |
		box_exec "$1" pdbedit -t -a -u "$LAB_USER" >"$LAB_DIR/$1/pdbedit.log" 2>&1
}

smb_start() {
	smb_conf_write "$LAB_DIR/$1/etc" /var/tmp/data
	box_exec "$1" sh -ec "mkdir -p /var/tmp/data /run/samba; chown $LAB_USER: /var/tmp/data"
	smb_user_add "$1"
	smbd_start_service "$1"
}

smb_ready() {
	wait_for 30 "smbd on $1" box_exec client smbclient -U "$LAB_WORKGROUP/$LAB_USER%$LAB_PASSWORD" \
		"//$(box_address "$1")/data" -c 'ls'
}
