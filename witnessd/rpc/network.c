/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The networks that clients come from, and how often logons from there fail. */
#include <string.h>

#include "witnessd/rpc/server_private.h"
#include "witnessd/util/clock.h"

#define IPV6_PREFIX_BYTES 8
#define BURST_US          1000000U /* failures of so much time are for free: a second's worth */
#define DELAY_MAX_US      5000000U

static struct ipaddr prefix_of(const struct ipaddr *addr)
{
	struct ipaddr prefix = *addr;

	if (prefix.family == AF_INET6) {
		memset(prefix.bytes + IPV6_PREFIX_BYTES, 0,
		       sizeof(prefix.bytes) - IPV6_PREFIX_BYTES);
	}
	return prefix;
}

static struct rpc_network *network_find(struct rpc_server *server, const struct ipaddr *addr)
{
	struct ipaddr prefix = prefix_of(addr);
	struct rpc_network *network = NULL;

	HASH_FIND(hh, server->networks, &prefix, sizeof(prefix), network);
	return network;
}

static void network_forget(struct rpc_network *network)
{
	wheel_cancel(&network->forget);
	HASH_DEL(network->server->networks, network);
	talloc_free(network);
}

static void forget_expired(void *private_data)
{
	network_forget(talloc_get_type_abort(private_data, struct rpc_network));
}

struct rpc_network *rpc_network_get(struct rpc_server *server, const struct ipaddr *addr)
{
	struct rpc_network *network = network_find(server, addr);

	if (network == NULL) {
		network = talloc_zero(server, struct rpc_network);
		if (network == NULL) {
			return NULL;
		}
		network->server = server;
		network->prefix = prefix_of(addr);
		qb_list_init(&network->waiting);
		HASH_ADD(hh, server->networks, prefix, sizeof(network->prefix), network);
		if (network->hh.tbl == NULL) {
			talloc_free(network);
			return NULL;
		}
	}
	wheel_cancel(&network->forget);
	network->users++;
	return network;
}

/* Forgotten, once its failures are long enough ago. */
void rpc_network_put(struct rpc_network *network)
{
	uint64_t now = clock_us();

	network->users--;
	if (network->users > 0) {
		return;
	}
	if (network->failed_until_us > now) {
		wheel_arm(network->server->wheel, &network->forget,
			  (network->failed_until_us - now) / 1000 + 1, forget_expired, network);
	} else {
		network_forget(network);
	}
}

/* A leaky bucket: each failure costs the time that the allowed rate gives it. */
void rpc_network_failed(struct rpc_server *server, const struct ipaddr *addr)
{
	unsigned int rate = server->limits.auth_failures;
	uint64_t now = clock_us();
	struct rpc_network *network = rate > 0 ? rpc_network_get(server, addr) : NULL;

	if (network == NULL) {
		return;
	}
	if (network->failed_until_us < now) {
		network->failed_until_us = now;
	}
	network->failed_until_us += BURST_US / rate;
	if (network->failed_until_us > now + BURST_US + DELAY_MAX_US) {
		network->failed_until_us = now + BURST_US + DELAY_MAX_US;
	}
	rpc_network_put(network);
}

unsigned int rpc_network_delay_ms(struct rpc_server *server, const struct ipaddr *addr)
{
	const struct rpc_network *network = network_find(server, addr);
	uint64_t free_until = clock_us() + BURST_US;

	if (network == NULL || network->failed_until_us <= free_until) {
		return 0;
	}
	return (unsigned int)((network->failed_until_us - free_until + 999) / 1000);
}

void rpc_network_forget_all(struct rpc_server *server)
{
	struct rpc_network *network, *next;

	HASH_ITER (hh, server->networks, network, next) {
		network_forget(network);
	}
}
