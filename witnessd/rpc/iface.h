/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract between an RPC interface (endpoint mapper, mgmt, witness) and the runtime. The runtime
 * knows no particular interface; an interface knows no PDUs.
 */
#ifndef WITNESSD_RPC_IFACE_H
#define WITNESSD_RPC_IFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "witnessd/rpc/dcerpc.h"
#include "witnessd/util/ipaddr.h"

/* An association group (C706 9.3.3): the connections of one client that share context handles. */
struct rpc_assoc;

/* An endpoint: a set of interfaces behind one or more listening sockets (rpc/server.h). */
struct rpc_endpoint;

/** The group's number on the wire: never 0, unique while the group lives. */
uint32_t rpc_assoc_id(const struct rpc_assoc *assoc);

/**
 * Something outlives the calls of this group (a registration): its connections are not closed as idle
 * until every hold is released. Holds end with the group.
 */
void rpc_assoc_hold(struct rpc_assoc *assoc);
void rpc_assoc_release(struct rpc_assoc *assoc);

/* Who sent this request and how it was protected; another request of the connection may differ. */
struct rpc_identity {
	enum rpc_auth_type type;   /* RPC_AUTH_NONE when anonymous */
	enum rpc_auth_level level; /* RPC_LEVEL_NONE when anonymous */
	const char *
		principal; /* "user@REALM" or "DOMAIN\user" as GSSAPI shows it; NULL when anonymous */
};

/*
 * One running call. Owned by its connection and valid until the operation's tevent_req is done or
 * freed, the stub only until send() returns; everything in it is borrowed by the operation.
 */
struct rpc_call {
	struct rpc_endpoint *endpoint;
	void *iface_private; /* as given to rpc_endpoint_serve() */
	struct rpc_assoc *assoc;
	uint64_t conn_id; /* for log lines; unique in the life of the daemon */
	uint16_t opnum;
	struct rpc_identity identity;
	struct ipaddr local, remote;
	uint16_t local_port, remote_port;
	bool big_endian; /* byte order of the stub */
	const uint8_t *
		stub; /* reassembled, unprotected, without padding; may end in a verification trailer */
	size_t stub_len;
};

/* The answer of an operation: a fault when fault != 0, else the stub. */
struct rpc_reply {
	uint32_t fault;
	const uint8_t *stub; /* a child of the mem_ctx that recv() was given, or NULL */
	size_t stub_len;
};

/*
 * One operation. send() starts it; the runtime frees the request when the client cancels it or
 * disappears (its cleanup function must undo what was started), and calls recv() exactly once when it
 * is done. recv() is called only while the answer can still be queued to the client: what it takes out
 * of a queue counts as delivered.
 */
struct rpc_op {
	const char *name;
	/** @return NULL only when memory is short (the client gets a fault out of resources) */
	struct tevent_req *(*send)(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct rpc_call *call);
	/** @return 0 with *reply filled, or an errno: EBADMSG = bad stub data, ENOMEM = out of resources,
	 *  EACCES = access denied, others = unspecified fault */
	int (*recv)(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_reply *reply);
};

/* An interface: a constant table, indexed by opnum. A hole or the end of it is fault op_rng_error. */
struct rpc_iface {
	const char *name;
	struct rpc_syntax syntax;
	const struct rpc_op *ops;
	size_t num_ops;
	/* A request below this level gets fault access denied; RPC_LEVEL_NONE: no minimum. */
	enum rpc_auth_level min_level;
	bool mapped; /* whether the endpoint mapper lists it */
	/**
	 * The last connection of a group has closed: run down its context handles (C706 5.1.6). May be
	 * NULL. All calls of the group have been freed before. Called for each group, used or not.
	 */
	void (*assoc_gone)(void *iface_private, struct rpc_assoc *assoc);
};

#endif
