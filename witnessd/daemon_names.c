/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Under which names clients know this file service. */
#include "witnessd/daemon_private.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#define NETBIOS_LEN 15

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static int add_name(struct daemon *daemon, const char *name)
{
	struct daemon_names *names = &daemon->names;

	for (size_t i = 0; i < names->num_net_names; i++) {
		if (strcasecmp(names->net_names[i], name) == 0) {
			return 0;
		}
	}
	names->net_names =
		talloc_realloc(daemon, names->net_names, const char *, names->num_net_names + 2);
	if (names->net_names == NULL) {
		return ENOMEM;
	}
	names->net_names[names->num_net_names] = talloc_strdup(names->net_names, name);
	if (names->net_names[names->num_net_names] == NULL) {
		return ENOMEM;
	}
	names->net_names[++names->num_net_names] = NULL;
	return 0;
}

static int add_list(struct daemon *daemon, const char *const *list)
{
	int ret = 0;

	for (size_t i = 0; list[i] != NULL && ret == 0; i++) {
		ret = add_name(daemon, list[i]);
	}
	return ret;
}

/*
 * What Samba answers to: the names of smb.conf, then the kernel's, with its first label where it has a
 * domain. The DNS is not asked: it may be what fails.
 */
static int add_known_names(struct daemon *daemon, const struct smbconf *smb, const char *nodename)
{
	int ret = smb->netbios_name != NULL ? add_name(daemon, smb->netbios_name) : 0;

	if (ret == 0) {
		ret = add_list(daemon, smb->netbios_aliases);
	}
	if (ret == 0) {
		ret = add_list(daemon, smb->dns_hostnames);
	}
	if (ret == 0) {
		ret = add_name(daemon, nodename);
	}
	return ret != 0 ? ret : add_name(daemon, daemon->names.host);
}

static const char *netbios_from(TALLOC_CTX *mem_ctx, const char *host)
{
	char *name = talloc_strndup(mem_ctx, host, NETBIOS_LEN);

	for (char *p = name; p != NULL && *p != '\0'; p++) {
		*p = (char)toupper((unsigned char)*p);
	}
	return name;
}

/* Names in the NTLM challenge: configuration, smb.conf, host name. */
static int load_netbios(struct daemon *daemon, const struct smbconf *smb)
{
	struct daemon_names *names = &daemon->names;
	const char *name = or_null(config_string(daemon->config, "auth.netbios_name"));
	const char *domain = or_null(config_string(daemon->config, "auth.netbios_domain"));

	if (name == NULL) {
		name = smb->netbios_name != NULL ? smb->netbios_name : names->host;
	}
	if (domain == NULL) {
		domain = smb->workgroup;
	}
	/* smb.conf may be read again: these are our own. */
	names->netbios_name = netbios_from(daemon, name);
	names->netbios_domain = talloc_strdup(daemon, domain);
	return names->netbios_name == NULL || (domain != NULL && names->netbios_domain == NULL)
		       ? ENOMEM
		       : 0;
}

int daemon_names_load(struct daemon *daemon)
{
	struct daemon_names *names = &daemon->names;
	const struct smbconf *smb;
	struct utsname uts;
	int ret = shares_create(daemon, config_list(daemon->config, "witness.shares", NULL),
				config_string(daemon->config, "witness.smb_conf"), &daemon->shares);

	if (ret != 0) {
		return ret;
	}
	uname(&uts);
	names->host = talloc_strndup(daemon, uts.nodename, strcspn(uts.nodename, "."));
	if (names->host == NULL) {
		return ENOMEM;
	}
	smb = shares_smbconf(daemon->shares);
	ret = add_list(daemon, config_list(daemon->config, "witness.net_names", NULL));
	if (ret == 0 && names->num_net_names == 0) {
		ret = add_known_names(daemon, smb, uts.nodename);
	}
	return ret != 0 ? ret : load_netbios(daemon, smb);
}
