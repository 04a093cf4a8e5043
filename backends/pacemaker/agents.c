/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/agents.h"

#include <errno.h>
#include <string.h>

static const struct address_agent agents[] = {
	{"IPaddr2", "ip"},
	{"IPaddr", "ip"},
	{"IPv6addr", "ipv6addr"},
	{"VIPArip", "ip"},
	{"aws-vpc-move-ip", "ip"},
	{"awsvip", "secondary_private_ip"},
	{"awseip", "elastic_ip"},
	{"gcp-vpc-move-route", "ip"},
	{"gcp-vpc-move-ip", "ip"},
	{"gcp-vpc-move-vip", "alias_ip"},
	{"aliyun-vpc-move-ip", "address"},
	{"openstack-virtual-ip", "ip"},
	{"ocivip", "secondary_private_ip"},
	{"powervs-move-ip", "ip"},
};

const struct address_agent *address_agent_find(const char *class, const char *type)
{
	if (class == NULL || type == NULL || strcmp(class, "ocf") != 0) {
		return NULL;
	}
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		if (strcmp(type, agents[i].type) == 0) {
			return &agents[i];
		}
	}
	return NULL;
}

int address_parse(const char *value, struct ipaddr *out)
{
	char text[IPADDR_STRLEN];
	size_t len = strcspn(value, "/");

	if (len >= sizeof(text)) {
		return EINVAL;
	}
	memcpy(text, value, len);
	text[len] = '\0';
	return ipaddr_parse(text, out);
}

bool address_add(struct ipaddr *ip, unsigned int instance)
{
	uint8_t *last = ip->family == AF_INET ? &ip->bytes[3] : &ip->bytes[15];

	if (instance > (unsigned int)(UINT8_MAX - *last)) {
		return false;
	}
	*last = (uint8_t)(*last + instance);
	return true;
}
