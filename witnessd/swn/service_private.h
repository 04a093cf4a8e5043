/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the witness service. */
#ifndef WITNESSD_SWN_SERVICE_PRIVATE_H
#define WITNESSD_SWN_SERVICE_PRIVATE_H

#include "witnessd/cluster/policy.h"
#include "witnessd/rpc/op.h"
#include "witnessd/swn/drains.h"
#include "witnessd/swn/latency.h"
#include "witnessd/swn/refusals.h"
#include "witnessd/swn/registry.h"
#include "witnessd/swn/service.h"

/* AsyncNotify calls that may wait on one registration. Clients have one; a second is served after it. */
#define SWN_MAX_WAITERS 4

/* Why a registration ended. */
enum swn_end {
	SWN_END_UNREGISTERED,
	SWN_END_UNUSED,     /* no AsyncNotify call for unused_timeout_s */
	SWN_END_REREGISTER, /* reregister_delay_s after a notification */
	SWN_END_DISCONNECTED,
	SWN_END_SHUTDOWN,
	SWN_END_FORCED,    /* an administrator's order */
	SWN_END_UNCLAIMED, /* restored after a restart, and its client has not come */
	SWN_END_REPLACED,  /* restored again, in a newer version */
	SWN_END_TAKEN,     /* its client has gone on at another witness */
	SWN_NUM_ENDS,
};

struct swn_service {
	struct tevent_context *ev;
	struct swn_config config;        /* net_names are children */
	struct cluster *cluster;         /* borrowed */
	struct peers *peers;             /* the cluster's */
	struct swn_drains *drains;       /* a child */
	uint8_t *replica;                /* buffer for encoding one */
	struct qb_list_head unpublished; /* registrations to be published in a moment */
	struct tevent_immediate *publish;
	bool replies_first; /* .publish has let waiting replies go first */
	struct wheel *wheel;
	struct swn_registry *registry;
	struct swn_refusals *refusals;    /* for limits */
	struct qb_list_head list_waiters; /* GetInterfaceList calls */
	struct qb_list_head
		handover_waiters; /* AsyncNotify calls for registrations that may yet be restored */
	unsigned int num_handover_waiters;
	unsigned int num_list_waiters, num_notify_waiters;

	uint64_t registered, restored, claimed, taken_over, timeouts;
	uint64_t ended[SWN_NUM_ENDS];
	uint64_t notified[SWN_IP_CHANGE + 1]; /* by message type */
	swn_told_fn told;                     /* NULL: nobody listens */
	void *told_private;
	struct swn_latency latency; /* from event, or call if that came later, to reply */
};

/** For tests: swn_service_create() with another clock; see wheel.h. */
int swn_service_create_clocked(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			       const struct swn_config *config, struct cluster *cluster,
			       wheel_clock_fn clock, void *clock_private, struct swn_service **out);

/* --- service.c --- */

/**
 * The registration of a handle, if this caller may use it: same association group, same principal, at
 * least the protection of the creator. Anything else looks like an unknown handle: NULL.
 */
struct swn_reg *swn_service_find(struct swn_service *service, const struct rpc_call *call,
				 const struct swn_handle *handle);

/** Whether the caller made the registration, and is protected at least as well as then. */
bool swn_reg_is_of(const struct swn_reg *reg, const struct rpc_call *call);

/** Add a new registration, with indexes, timers, counts for limits, log. @return as swn_registry_add() */
int swn_reg_begin(struct swn_service *service, struct swn_reg *reg);

/** Add one that another witness has kept a copy of, without a group. how is for the log. */
int swn_reg_restore(struct swn_service *service, struct swn_reg *reg, const char *how);

/** End a registration: waiting calls get NOT_FOUND, reg is freed. Nothing else removes registrations. */
void swn_reg_end(struct swn_reg *reg, enum swn_end why);

/** No AsyncNotify call is waiting any more (or yet): start the unused timer. */
void swn_reg_idle(struct swn_reg *reg);

/** Note that the registration has been used now. */
void swn_reg_used(struct swn_reg *reg);

/** End the registration reregister_delay_s from now, so that Windows registers again. */
void swn_reg_expect_reregister(struct swn_reg *reg);

/** Queue what the policy says. Does not wake waiting calls. @return whether anything is new */
bool swn_reg_queue(struct swn_reg *reg, const struct policy_notices *notices, uint64_t event_us);

/** One log line of a registration: its key, its client, and what happened to it. */
void swn_reg_log(const struct swn_reg *reg, const char *what);

/** A registration as the policy sees it; borrowed from reg. */
struct policy_reg swn_reg_view(const struct swn_reg *reg);

/** The reason in words, for logs and counters. */
const char *swn_end_name(enum swn_end why);

/** The last connection of a group has gone: its registrations end. */
void swn_service_assoc_gone(void *iface_private, struct rpc_assoc *assoc);

/* --- replicate.c --- */

/** Send the registration's current state to the other witnessds. */
void swn_reg_publish(struct swn_reg *reg);
/**
 * The same once the pending replies have been sent: clients come first, and several changes by one
 * notification (queued, told, no call waiting) are sent as one.
 */
void swn_reg_publish_soon(struct swn_reg *reg);
/** The registration has ended: tell the other witnessds. */
void swn_reg_unpublish(struct swn_reg *reg);

/** The client of a restored registration has come back. @return 0 or ENOMEM */
int swn_reg_claim(struct swn_reg *reg, const struct rpc_call *call);

/** Decode a registration from a record. @param waits whether it waits for its client. @return NULL: unusable */
struct swn_reg *swn_reg_from(const struct peers_record *record, bool *waits);

/** Take it over; its client has yet to claim it. @return false: impossible, and it is freed */
bool swn_reg_adopt(struct swn_service *service, struct swn_reg *reg, const char *how);

/** End the registration unless it is claimed within that time. */
void swn_reg_expect_claim(struct swn_reg *reg, uint32_t seconds);

/** The cluster's state is reliable (again): find out what clients have missed. */
void swn_find_missed_all(struct swn_service *service);

/** Start and stop exchanging registrations with the other witnessds. @return 0 or ENOMEM */
int swn_replicate_start(struct swn_service *service);
void swn_replicate_stop(struct swn_service *service);

/* --- takeover.c --- */

/** When the event is that an address has left this node, let registrations made over it wait for their clients. */
void swn_reg_detach_all(struct swn_service *service, const struct cluster_event *event,
			const struct cluster_state *state);

/**
 * Take over a registration of another witness which has failed or lost the connection of this client.
 * @return NULL: there is none, it is not the caller's, or this node has its address
 */
struct swn_reg *swn_reg_take_over(struct swn_service *service, const struct rpc_call *call,
				  const struct swn_handle *handle);

/** Another witness has published this record. If we have it, too, the one that took it over last keeps it. */
void swn_reg_found_elsewhere(struct swn_service *service, const struct peers_record *record);

/* --- ops_notify.c --- */

/** Stop answering waiting calls. @return false: one is being answered already, and nothing has changed */
bool swn_notify_abandon_all(struct swn_reg *reg);

/** For calls that wait for a registration to be restored: this one has been; NULL: stop waiting. */
void swn_notify_look_again(struct swn_service *service, const struct swn_handle *handle);

/** Answer the oldest waiting call if there is something to tell. */
void swn_notify_wake(struct swn_reg *reg);

/** Answer the oldest waiting call with this stub. @return 0; EAGAIN (no call without an answer waits); ENOMEM */
int swn_notify_force(struct swn_reg *reg, const uint8_t *stub, size_t len);

/** End all waiting calls with a code; reg must not be used by them any more. */
void swn_notify_end_all(struct swn_reg *reg, uint32_t werror);

/* WitnessrAsyncNotify, 3.1.4.4 */
struct tevent_req *swn_async_notify_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					 const struct rpc_call *call);
int swn_async_notify_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_reply *reply);

/* --- ops_interfaces.c --- */

/** Whether an address is in the InterfaceList. */
bool swn_interface_offered(const struct swn_service *service, const struct cluster_addr *addr);

/** The InterfaceList as it is now; a child of mem_ctx. @return 0 or ENOMEM */
int swn_interface_list(TALLOC_CTX *mem_ctx, const struct swn_service *service,
		       struct swn_interface_list *list);

/** Answer waiting GetInterfaceList calls if the list can be given now. */
void swn_interfaces_wake(struct swn_service *service);

/** The service ends: no waiting call may touch it any more. */
void swn_interfaces_end_all(struct swn_service *service);

/* WitnessrGetInterfaceList, 3.1.4.1 */
struct tevent_req *swn_get_interface_list_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					       const struct rpc_call *call);
int swn_get_interface_list_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct rpc_reply *reply);

/* --- ops_register.c --- */

/* The calls that are answered at once, as rpc_op_fn: 3.1.4.2, 3.1.4.3, 3.1.4.5, 3.1.4.6 */
int swn_register(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply);
int swn_unregister(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply);
int swn_register_ex(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply);
int swn_unregister_ex(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply);

#endif
