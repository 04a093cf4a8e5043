/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One NTLM user in a file of the test's own, and no KDC to ask. */
#ifndef WITNESSD_TESTS_NTLM_RIG_H
#define WITNESSD_TESTS_NTLM_RIG_H

#include "tests/unit/auth_rig.h"

#define NTLM_DOMAIN   "WITTEST"
#define NTLM_USER     "mary"
#define NTLM_PASSWORD "Sesam,0ffne"

struct ntlm_rig {
	char dir[64];
	char users[128];
	struct rpc_auth_config config; /* for a server that knows the user */
};

static inline struct rpc_cred ntlm_cred(void)
{
	return (struct rpc_cred){.user = NTLM_USER,
				 .domain = NTLM_DOMAIN,
				 .password = NTLM_PASSWORD,
				 .no_krb5 = true};
}

/* The config points into the rig, which has to stay where it is. */
static inline void ntlm_start(struct ntlm_rig *ntlm)
{
	char krb5[128];

	strcpy(ntlm->dir, "/tmp/test_ntlm.XXXXXX");
	assert_non_null(mkdtemp(ntlm->dir));
	snprintf(ntlm->users, sizeof(ntlm->users), "%s/users", ntlm->dir);
	rig_write_file(ntlm->users, NTLM_DOMAIN ":" NTLM_USER ":" NTLM_PASSWORD "\n");
	/* MIT asks a KDC even for what only NTLM is allowed for: let there be none to ask. */
	snprintf(krb5, sizeof(krb5), "%s/krb5.conf", ntlm->dir);
	rig_write_file(krb5, "[libdefaults]\n\tdefault_realm = NOWHERE.TEST\n"
			     "\tdns_lookup_kdc = false\n\tdns_lookup_realm = false\n");
	setenv("KRB5_CONFIG", krb5, 1);
	ntlm->config = (struct rpc_auth_config){.ntlm = true,
						.ntlm_user_file = ntlm->users,
						.netbios_name = "WITNODE",
						.netbios_domain = NTLM_DOMAIN,
						.threads = 2};
}

static inline void ntlm_stop(struct ntlm_rig *ntlm)
{
	rig_remove_tree(ntlm->dir);
}

#endif
