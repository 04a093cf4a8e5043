/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The payload of controls, replies and messages (spec/ctdb.md, sections 2 to 4): octets to structs
 * and back, no I/O. Numbers are in host byte order, addresses and ports in network order.
 */
#ifndef BACKENDS_CTDB_PAYLOAD_H
#define BACKENDS_CTDB_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <talloc.h>

#include "witnessd/util/ipaddr.h"

#define CTDB_SOCKADDR_LEN   28U
#define CTDB_CONNECTION_LEN 56U

struct ctdb_node {
	uint32_t pnn;
	uint32_t flags;   /* CTDB_NODE_* */
	struct ipaddr ip; /* private address; no address for a deleted node */
};

struct ctdb_nodemap {
	struct ctdb_node *list; /* a child */
	size_t num;
};

struct ctdb_ip {
	uint32_t pnn; /* its host in the view of the queried node; CTDB_UNKNOWN_PNN: none */
	struct ipaddr ip;
};

struct ctdb_iplist {
	struct ctdb_ip *list; /* a child */
	size_t num;
};

/** Reply of GET_NODEMAP: a child of mem_ctx. @return 0, EBADMSG or ENOMEM */
int ctdb_nodemap_parse(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
		       struct ctdb_nodemap **out);

/** Reply of GET_PUBLIC_IPS: a child of mem_ctx. @return 0, EBADMSG or ENOMEM */
int ctdb_iplist_parse(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
		      struct ctdb_iplist **out);

/** Reply of GET_VNNMAP: only the generation is read. @return 0 or EBADMSG */
int ctdb_vnnmap_parse(const uint8_t *data, size_t len, uint32_t *generation);

/** One number: GET_RUNSTATE. @return 0 or EBADMSG */
int ctdb_u32_parse(const uint8_t *data, size_t len, uint32_t *out);

/** RELEASE_IP and TAKE_IP: an address in text with its NUL. @return 0 or EBADMSG */
int ctdb_ip_text_parse(const uint8_t *data, size_t len, struct ipaddr *out);

/** DISABLE_TAKEOVER_RUNS: for how many seconds; 0: enabled again. @return 0 or EBADMSG */
int ctdb_disable_parse(const uint8_t *data, size_t len, uint32_t *timeout_s);

/** Data of TCP_CLIENT: a connection of a client to an address of this node. */
void ctdb_connection_push(const struct sockaddr_storage *client,
			  const struct sockaddr_storage *server, uint8_t out[CTDB_CONNECTION_LEN]);

#endif
