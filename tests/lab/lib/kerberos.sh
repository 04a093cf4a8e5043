# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An MIT KDC on the hub, and the krb5.conf and keytab of every box.

krb5_conf_write() {
	cat >"$LAB_DIR/common/krb5.conf" <<END
[libdefaults]
	default_realm = $LAB_REALM
	dns_lookup_kdc = false
	dns_lookup_realm = false
	dns_canonicalize_hostname = false
	rdns = false
	default_ccache_name = FILE:/run/krb5cc_%{uid}
[realms]
	$LAB_REALM = {
		kdc = $(box_address hub)
	}
[domain_realm]
	.$LAB_DOMAIN = $LAB_REALM
	$LAB_DOMAIN = $LAB_REALM
END
}

# One keytab with the keys of all services: any node may answer for the name of the file service.
kdc_start() {
	local kdc=$LAB_DIR/hub/etc/krb5kdc host names=()
	mkdir -p "$kdc"
	cat >"$kdc/kdc.conf" <<END
[realms]
	$LAB_REALM = {
		database_name = /etc/krb5kdc/principal
		key_stash_file = /etc/krb5kdc/stash
		acl_file = /etc/krb5kdc/acl
		# a standalone smbd refuses tickets with a PAC
		disable_pac = true
	}
[logging]
	kdc = FILE:/var/log/krb5kdc.log
END
	for host in fs $(lab_nodes); do
		names+=("cifs/$host.$LAB_DOMAIN" "host/$host.$LAB_DOMAIN")
	done
	{
		echo "add_principal -pw $LAB_PASSWORD $LAB_USER"
		printf 'add_principal -randkey %s\n' "${names[@]}"
		echo "ktadd -norandkey -k /etc/krb5kdc/keytab ${names[*]}"
	} >"$kdc/commands"
	box_exec hub sh -ec '
		export KRB5_KDC_PROFILE=/etc/krb5kdc/kdc.conf
		kdb5_util create -s -P master
		kadmin.local </etc/krb5kdc/commands' >"$LAB_DIR/kdc.log" 2>&1
	cp "$kdc/keytab" "$LAB_DIR/common/krb5.keytab" || { cat "$LAB_DIR/kdc.log" >&2; return 1; }
	box_start hub krb5kdc env KRB5_KDC_PROFILE=/etc/krb5kdc/kdc.conf krb5kdc -n
}
