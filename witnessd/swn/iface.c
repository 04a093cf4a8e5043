/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The witness interface as the RPC runtime sees it. */
#include "witnessd/swn/service_private.h"

RPC_OP_NOW(swn_register)
RPC_OP_NOW(swn_unregister)
RPC_OP_NOW(swn_register_ex)
RPC_OP_NOW(swn_unregister_ex)

static const struct rpc_op swn_ops[SWN_NUM_OPS] = {
	[SWN_GET_INTERFACE_LIST] = {"GetInterfaceList", swn_get_interface_list_send,
				    swn_get_interface_list_recv},
	[SWN_REGISTER] = {"Register", swn_register_send, rpc_op_now_recv},
	[SWN_UNREGISTER] = {"UnRegister", swn_unregister_send, rpc_op_now_recv},
	[SWN_ASYNC_NOTIFY] = {"AsyncNotify", swn_async_notify_send, swn_async_notify_recv},
	[SWN_REGISTER_EX] = {"RegisterEx", swn_register_ex_send, rpc_op_now_recv},
	[SWN_UNREGISTER_EX] = {"UnRegisterEx", swn_unregister_ex_send, rpc_op_now_recv},
};

const struct rpc_iface swn_iface = {
	.name = "witness",
	.syntax = RPC_SYNTAX_WITNESS,
	.ops = swn_ops,
	.num_ops = SWN_NUM_OPS,
	/* MS-SWN requires integrity; PACKET protects the same on TCP, and Samba accepts it, too. */
	.min_level = RPC_LEVEL_PACKET,
	.mapped = true,
	.assoc_gone = swn_service_assoc_gone,
};
