/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registrations of this witness (MS-SWN 3.1.1), with indexes to find those that an event concerns, or
 * that a limit counts, without looking at all of them. No I/O, no policy.
 */
#ifndef WITNESSD_SWN_REGISTRY_H
#define WITNESSD_SWN_REGISTRY_H

#include <qb/qblist.h>
#include <time.h>

#include "witnessd/rpc/iface.h"
#include "witnessd/swn/queue.h"
#include "witnessd/swn/wire.h"
#include "witnessd/util/hash.h"
#include "witnessd/util/wheel.h"

struct swn_registry;
struct swn_bucket;

enum swn_index {
	SWN_BY_IP,        /* the registered address */
	SWN_BY_SHARE,     /* the share, ignoring case; only registrations that have one */
	SWN_BY_IP_CHANGE, /* all that want IP_CHANGE: one bucket, as all net names are one service */
	SWN_BY_ASSOC,     /* association group */
	SWN_BY_PRINCIPAL,
	SWN_NUM_INDEXES,
};

/* The place of a registration in one index. */
struct swn_index_entry {
	struct qb_list_head link;
	struct swn_bucket *bucket; /* NULL: not in this index */
};

/* A registration. Owned by the registry; others borrow it until it is removed. */
struct swn_reg {
	struct swn_handle handle; /* the key */

	/* Who made it: nobody else may use it. */
	struct rpc_assoc *assoc; /* NULL while .handed_back */
	const char *principal;
	enum rpc_auth_level level;
	uint64_t conn_id;
	struct ipaddr client;
	struct ipaddr local; /* our address that it came to */

	/* What it asked for, as received; strings are children. */
	uint32_t version;
	const char *net_name;
	const char *share_name; /* NULL: none */
	const char *client_name;
	struct ipaddr ip;
	bool ip_notification;
	uint32_t keep_alive_s;

	struct swn_queue queue;
	char *moved_to; /* the node of the last CLIENT_MOVE to what was planned; NULL: none since .ip came */
	uint64_t last_use_us; /* monotonic */
	time_t since, last_used;
	uint64_t notifications; /* sent */

	/* When it was restored from another witness's copy, see replicate.c. */
	bool handed_back;       /* its client has not claimed it yet */
	bool missed_unknown;    /* it is not yet known what the client has missed */
	bool reregister_later;  /* it was about to end so that its client registers again */
	const char *ip_node;    /* who had .ip before; NULL: unknown */
	const char *share_node; /* who served .share_name before; NULL: unknown, or each node */
	uint32_t
		takeovers; /* by witnesses of other nodes; of two copies the one with more takeovers is valid */

	/* Of the service (service_private.h). */
	struct swn_service *service;
	struct qb_list_head waiters; /* AsyncNotify calls, oldest first */
	unsigned int num_waiters;
	struct wheel_timer unused_timer, reregister_timer;
	struct qb_list_head unpublished;
	bool is_unpublished; /* and in that list */

	struct swn_index_entry entries[SWN_NUM_INDEXES];
	UT_hash_handle hh;
};

/** @return NULL when memory is short */
struct swn_registry *swn_registry_new(TALLOC_CTX *mem_ctx);

/**
 * Add a registration, filled in except for the registry's own fields; it becomes the registry's child.
 * @return 0; EEXIST (handle in use); ENOMEM with *reg still the caller's
 */
int swn_registry_add(struct swn_registry *registry, struct swn_reg *reg);

/** Remove a registration; it becomes a child of mem_ctx. */
void swn_registry_remove(struct swn_registry *registry, struct swn_reg *reg, TALLOC_CTX *mem_ctx);

/** Set the association group of one that has none. @return 0 or ENOMEM */
int swn_registry_set_assoc(struct swn_registry *registry, struct swn_reg *reg,
			   struct rpc_assoc *assoc);

/** Remove a registration from its association group. */
void swn_registry_clear_assoc(struct swn_registry *registry, struct swn_reg *reg);

/** The one with all 20 bytes of the handle; NULL when there is none. */
struct swn_reg *swn_registry_find(const struct swn_registry *registry,
				  const struct swn_handle *handle);

/** How many there are. */
unsigned int swn_registry_count(const struct swn_registry *registry);

/** All of them, oldest first: the first, and the one after reg; NULL at the end. */
struct swn_reg *swn_registry_first(const struct swn_registry *registry);
struct swn_reg *swn_registry_next(const struct swn_reg *reg);

/* Those with one key, oldest first. The one returned last must not be removed before the next call. */
struct swn_reg *swn_registry_first_by_ip(const struct swn_registry *registry,
					 const struct ipaddr *ip);
struct swn_reg *swn_registry_first_by_share(const struct swn_registry *registry, const char *share);
struct swn_reg *swn_registry_first_by_ip_change(const struct swn_registry *registry);
struct swn_reg *swn_registry_first_by_assoc(const struct swn_registry *registry,
					    const struct rpc_assoc *assoc);
struct swn_reg *swn_registry_next_in(const struct swn_reg *reg, enum swn_index index);

/** How many a group, or a principal, has. */
unsigned int swn_registry_count_assoc(const struct swn_registry *registry,
				      const struct rpc_assoc *assoc);
unsigned int swn_registry_count_principal(const struct swn_registry *registry,
					  const char *principal);

#endif
