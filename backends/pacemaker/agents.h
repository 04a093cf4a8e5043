/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resource agents whose resource is an address of the node that runs it, and the parameter with the address. */
#ifndef BACKENDS_PACEMAKER_AGENTS_H
#define BACKENDS_PACEMAKER_AGENTS_H

#include <stdbool.h>

#include "witnessd/util/ipaddr.h"

struct address_agent {
	const char *type;  /* the agent's name, of any OCF provider */
	const char *param; /* the parameter that holds the address */
};

/**
 * The agent of a primitive. Agents that only use an address (IPsrcaddr, SendArp, portblock, the
 * health probes of azure-lb and gcp-ilb) do not count.
 * @return NULL when it is not an agent for addresses
 */
const struct address_agent *address_agent_find(const char *class, const char *type);

/** Parse a parameter's value; a prefix length (/24) is cut off. @return 0 or EINVAL */
int address_parse(const char *value, struct ipaddr *out);

/**
 * The address of an instance of a clone with unique_clone_address: the instance's number is added to
 * the last octet.
 * @return false when that leaves the octet's range
 */
bool address_add(struct ipaddr *ip, unsigned int instance);

#endif
