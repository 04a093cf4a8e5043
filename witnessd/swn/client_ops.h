/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps of a witness client, each one request: list, join, rejoin, leave. The parameters are borrowed
 * until it ends; why is a sentence that explains a failure, a child of the mem_ctx given.
 */
#ifndef WITNESSD_SWN_CLIENT_OPS_H
#define WITNESSD_SWN_CLIENT_OPS_H

#include "witnessd/swn/client.h"

/*
 * Errors of every recv(): those of rpc_client_connect_recv() and rpc_client_call_recv(); EACCES also when
 * the method refuses the caller; EREMOTEIO for other faults and error codes of a method.
 */

/** Ask addr for the interfaces: endpoint mapper, bind, GetInterfaceList, close. */
struct tevent_req *swn_list_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 const struct swn_client_params *params, const struct ipaddr *addr);
/** @param list a child of mem_ctx, may be empty */
int swn_list_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct swn_interface_list **list,
		  char **why);

/* A registration and the connection that keeps it alive. */
struct swn_joined {
	struct rpc_client *rpc;
	struct swn_handle handle;
	uint32_t version; /* SWN_VERSION_1 where the witness has no RegisterEx */
};

/** Register with the witness at addr for the SMB server's address: mapper, bind, RegisterEx or Register. */
struct tevent_req *swn_join_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 const struct swn_client_params *params, const struct ipaddr *addr,
				 const struct ipaddr *server);
/** @param joined its rpc is a child of mem_ctx */
int swn_join_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct swn_joined *joined,
		  char **why);

/**
 * After a lost connection, connect again to the witness at addr that gave out handle. Whether it still knows
 * the handle is shown by AsyncNotify. Ends with swn_join_recv().
 */
struct tevent_req *swn_rejoin_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct swn_client_params *params,
				   const struct ipaddr *addr, const struct swn_handle *handle,
				   uint32_t version);

/** Unregister: UnRegisterEx, or UnRegister where that is not known. joined is copied. */
struct tevent_req *swn_leave_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				  const struct swn_joined *joined, unsigned int timeout_ms);
int swn_leave_recv(struct tevent_req *req);

#endif
