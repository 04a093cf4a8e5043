/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is told what (design, table of that name): a pure function of an event, the snapshot after it and
 * one registration. No I/O, no clock, no memory of what was told before; what a client believes already
 * is dropped by its queue. It can be driven by a simulator.
 */
#ifndef WITNESSD_CLUSTER_POLICY_H
#define WITNESSD_CLUSTER_POLICY_H

#include "witnessd/cluster/cluster.h"

/* What the policy sees of a registration; strings are borrowed. */
struct policy_reg {
	struct ipaddr ip;     /* the address its client uses */
	const char *net_name; /* as the client wrote it; NULL: one that no address has as its own */
	const char *share;    /* NULL: none */
	bool version_2;       /* registered with RegisterEx */
	bool ip_notification; /* asked for IP_CHANGE */
	uint32_t spread;      /* any number that varies between registrations */
	bool fixed_addresses; /* whether CLUSTER_ADDR_FIXED addresses count as the service's */
	const char *moved_to; /* destination of the last CLIENT_MOVE while still valid, or NULL */
	/* Whether clients are to be kept away from a node if possible (drained); NULL: from none. */
	bool (*avoid)(const void *avoid_private, const char *node);
	const void *avoid_private;
};

/* How to find the registrations that an event may concern. */
enum policy_index {
	POLICY_BY_IP,        /* those registered for .ip */
	POLICY_BY_SHARE,     /* those registered with .share */
	POLICY_BY_IP_CHANGE, /* those that asked for IP_CHANGE */
};

struct policy_target {
	enum policy_index index;
	struct ipaddr ip;
	const char *share; /* borrowed from the event or the state */
};

struct policy_targets {
	struct policy_target *list;
	size_t num;
};

enum policy_notice_type {
	POLICY_CHANGE, /* the registered address became .available or not */
	POLICY_CLIENT_MOVE,
	POLICY_SHARE_MOVE,
	POLICY_IP_CHANGE,
};

struct policy_addr {
	struct ipaddr ip;
	bool online;
};

struct policy_notice {
	enum policy_notice_type type;
	bool available;            /* POLICY_CHANGE */
	struct policy_addr *addrs; /* the others; at least one */
	size_t num_addrs;
	const char *
		node; /* POLICY_CLIENT_MOVE: the node that has them; borrowed from the event or the state */
};

#define POLICY_NOTICES_MAX 2
struct policy_notices {
	struct policy_notice list[POLICY_NOTICES_MAX]; /* in the order in which they are sent */
	size_t num;
};

/**
 * Where to look for registrations that an event may concern; policy_decide() decides for each.
 * @param targets a child of mem_ctx
 * @return 0 or ENOMEM
 */
int policy_find_targets(TALLOC_CTX *mem_ctx, const struct cluster_event *event,
			const struct cluster_state *state, struct policy_targets *targets);

/**
 * What a registration, found through target, is told about an event.
 * @param state   the snapshot after the event
 * @param notices possibly none; their addresses are children of mem_ctx
 * @return 0 or ENOMEM
 */
int policy_decide(TALLOC_CTX *mem_ctx, const struct cluster_event *event,
		  const struct cluster_state *state, const struct policy_target *target,
		  const struct policy_reg *reg, struct policy_notices *notices);

/** What a new registration is told at once: its address may have gone down since the client got its list. */
void policy_registered(const struct cluster_state *state, const struct policy_reg *reg,
		       struct policy_notices *notices);

/**
 * What a registration is told about a move of its share that its client may have missed.
 * @param from who served the share when the client was last told; NULL: unknown, and no notices
 * @return 0 or ENOMEM
 */
int policy_share_missed(TALLOC_CTX *mem_ctx, const struct cluster_state *state,
			const struct policy_reg *reg, const char *from,
			struct policy_notices *notices);

/**
 * What a registration is told when an administrator moves its client, or its share, elsewhere.
 * @param type POLICY_CLIENT_MOVE or POLICY_SHARE_MOVE
 * @param node borrowed by the notice
 * @param ip   only to this address of it; NULL: to all that it has for this client
 * @param notices none: what the client uses is not served there, or the node is not online
 * @return 0 or ENOMEM
 */
int policy_send_to(TALLOC_CTX *mem_ctx, const struct cluster_state *state,
		   const struct policy_reg *reg, enum policy_notice_type type, const char *node,
		   const struct ipaddr *ip, struct policy_notices *notices);

/* Rules beyond the table:
 *  - Destinations and IP_CHANGE contain only addresses that serve the client's net name.
 *  - Where shares are tied to the client's address (cluster_share.addrs), no other address serves them
 *    before the move: its client is not sent away, but told when the address goes down. A client that has
 *    registered with another kind of share is sent.
 *  - When any other node will do, one to be avoided is used only if no other can take the client. A move
 *    to a named node is the cluster manager's decision and is followed.
 *  - Clients of a share that is to move to a named node are sent there before it moves, unless it is tied
 *    to addresses.
 */

/** Whether the move that an intent asks for moves this address. */
bool policy_moves(const struct backend_intent *intent, const struct cluster_addr *addr);

#endif
