/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the witness service share. */
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
	SWN_END_FORCED,    /* an administrator's wish */
	SWN_END_UNCLAIMED, /* handed back after a restart, and its client has not come */
	SWN_END_REPLACED,  /* handed back once more, in a newer version */
	SWN_END_TAKEN,     /* its client has gone on at another witness */
	SWN_NUM_ENDS,
};

struct swn_service {
	struct tevent_context *ev;
	struct swn_config config;        /* net_names are children */
	struct cluster *cluster;         /* borrowed */
	struct peers *peers;             /* the cluster's */
	struct swn_drains *drains;       /* a child */
	uint8_t *replica;                /* room for one */
	struct qb_list_head unpublished; /* registrations that the others hear of in a moment */
	struct tevent_immediate *publish;
	bool replies_first; /* .publish has let those that wait go first */
	struct wheel *wheel;
	struct swn_registry *registry;
	struct swn_refusals *refusals;    /* for limits */
	struct qb_list_head list_waiters; /* GetInterfaceList calls */
	struct qb_list_head
		handover_waiters; /* AsyncNotify calls for what may yet be handed back */
	unsigned int num_handover_waiters;
	unsigned int num_list_waiters, num_notify_waiters;

	uint64_t registered, restored, claimed, taken_over, timeouts;
	uint64_t ended[SWN_NUM_ENDS];
	uint64_t notified[SWN_IP_CHANGE + 1]; /* by message type */
	swn_told_fn told;                     /* NULL: nobody listens */
	void *told_private;
	struct swn_latency latency; /* from event, or call if that came later, to reply */
};

/** swn_service_create() with a clock of the test's own; see wheel.h. */
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

/** Whether the caller is who made the registration, and as well protected. */
bool swn_reg_is_of(const struct swn_reg *reg, const struct rpc_call *call);

/** The only way in for a new registration: indexes, timers, limits' counts, log. @return as swn_registry_add() */
int swn_reg_begin(struct swn_service *service, struct swn_reg *reg);

/** Another way in, for what another witness has kept: a registration without a group. how is for the log. */
int swn_reg_restore(struct swn_service *service, struct swn_reg *reg, const char *how);

/** The only way out: waiting calls get NOT_FOUND, reg is freed. */
void swn_reg_end(struct swn_reg *reg, enum swn_end why);

/** No AsyncNotify call waits any more (or yet): the unused timer runs. */
void swn_reg_idle(struct swn_reg *reg);

/** Something of the registration was used now. */
void swn_reg_used(struct swn_reg *reg);

/** End the registration reregister_delay_s from now, so that Windows registers again. */
void swn_reg_expect_reregister(struct swn_reg *reg);

/** Put what the policy says into the queue. Nobody is woken by it. @return whether anything is new */
bool swn_reg_queue(struct swn_reg *reg, const struct policy_notices *notices, uint64_t event_us);

/** One log line of a registration: its key, its client, and what happened to it. */
void swn_reg_log(const struct swn_reg *reg, const char *what);

struct policy_reg swn_reg_view(const struct swn_reg *reg);

const char *swn_end_name(enum swn_end why);

/** The last connection of a group has gone: its registrations end. */
void swn_service_assoc_gone(void *iface_private, struct rpc_assoc *assoc);

/* --- replicate.c --- */

/** The other witnessd's hear how the registration is now, or that it is no more. */
void swn_reg_publish(struct swn_reg *reg);
/**
 * The same when the replies are out that wait to be made now: clients come first, and what changes several
 * times with one notification (queued, told, no call waits) is told once.
 */
void swn_reg_publish_soon(struct swn_reg *reg);
void swn_reg_unpublish(struct swn_reg *reg);

/** The client of a registration that was handed back is there. @return 0 or ENOMEM */
int swn_reg_claim(struct swn_reg *reg, const struct rpc_call *call);

/** A registration as a record has it. @param waits for its client. @return NULL: the record is of no use */
struct swn_reg *swn_reg_from(const struct peers_record *record, bool *waits);

/** Make it ours; its client has yet to claim it. @return false: it cannot be, and is freed */
bool swn_reg_adopt(struct swn_service *service, struct swn_reg *reg, const char *how);

/** Unless it is claimed in that time it ends. */
void swn_reg_expect_claim(struct swn_reg *reg, uint32_t seconds);

/** The cluster's state can be trusted (again): find out what clients have missed. */
void swn_find_missed_all(struct swn_service *service);

int swn_replicate_start(struct swn_service *service);
void swn_replicate_stop(struct swn_service *service);

/* --- takeover.c --- */

/** If the event is that an address has left this node: registrations that were made by it wait for their clients. */
void swn_reg_detach_all(struct swn_service *service, const struct cluster_event *event,
			const struct cluster_state *state);

/**
 * A registration that this witness does not have, but another one, which has vanished or lost the client's
 * connection: the caller's from now on.
 * @return NULL: there is none, it is not the caller's, or this node has its address
 */
struct swn_reg *swn_reg_take_over(struct swn_service *service, const struct rpc_call *call,
				  const struct swn_handle *handle);

/** Another witness has this record. If we have it as well, the one that took it over last has its client. */
void swn_reg_found_elsewhere(struct swn_service *service, const struct peers_record *record);

/* --- ops_notify.c --- */

/** No waiting call gets an answer any more. @return false: one gets an answer already, and all are as before */
bool swn_notify_abandon_all(struct swn_reg *reg);

/** Calls that wait for a registration to be handed back: there is this one now; NULL: wait no more. */
void swn_notify_look_again(struct swn_service *service, const struct swn_handle *handle);

/** Answer the oldest waiting call if there is something to tell. */
void swn_notify_wake(struct swn_reg *reg);

/** Answer the oldest waiting call with that. @return 0; EAGAIN (none waits that has no answer yet); ENOMEM */
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

/** Answer waiting GetInterfaceList calls if the list allows it now. */
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
