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

/* The kernel's name, and its first label where it has a domain. */
static int add_host_names(struct daemon *daemon, const char *nodename)
{
	int ret = add_name(daemon, nodename);

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

int daemon_names_load(struct daemon *daemon)
{
	const char *const *configured = config_list(daemon->config, "witness.net_names", NULL);
	struct daemon_names *names = &daemon->names;
	struct utsname uts;
	int ret = 0;

	uname(&uts);
	names->host = talloc_strndup(daemon, uts.nodename, strcspn(uts.nodename, "."));
	if (names->host == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; configured[i] != NULL && ret == 0; i++) {
		ret = add_name(daemon, configured[i]);
	}
	if (ret == 0 && names->num_net_names == 0) {
		ret = add_host_names(daemon, uts.nodename);
	}
	names->netbios_name = or_null(config_string(daemon->config, "auth.netbios_name"));
	if (names->netbios_name == NULL) {
		names->netbios_name = netbios_from(daemon, names->host);
	}
	names->netbios_domain = or_null(config_string(daemon->config, "auth.netbios_domain"));
	return ret != 0 ? ret : names->netbios_name != NULL ? 0 : ENOMEM;
}
