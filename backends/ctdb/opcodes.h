/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of ctdbd's controls, messages, flags and states that witnessd uses (spec/ctdb.md, 3 and 4). */
#ifndef BACKENDS_CTDB_OPCODES_H
#define BACKENDS_CTDB_OPCODES_H

/* Controls. "Status": the answer is the status itself. */
enum ctdb_opcode {
	CTDB_PING = 3, /* status: number of clients */
	CTDB_GET_VNNMAP = 5,
	CTDB_GET_RECMODE = 15, /* status: 0 normal, 1 recovery */
	CTDB_REGISTER_SRVID = 23,
	CTDB_GET_PNN = 35,    /* status */
	CTDB_TCP_CLIENT = 44, /* own ctdbd only! */
	CTDB_TCP_REMOVE = 46,
	CTDB_GET_PUBLIC_IPS = 90, /* of that node's own file */
	CTDB_GET_NODEMAP = 91,
	CTDB_REGISTER_NOTIFY = 114, /* a message that ctdbd sends when the client has ended */
	CTDB_GET_RUNSTATE = 138,
	CTDB_TCP_CLIENT_DISCONNECTED = 159, /* 4.20; own ctdbd only! */
	CTDB_TCP_CLIENT_PASSED = 160,       /* 4.20; own ctdbd only! */
};

/* Messages. */
#define CTDB_SRVID_RECONFIGURE           0xF200000000000000ULL
#define CTDB_SRVID_RELEASE_IP            0xF300000000000000ULL /* this node's own only */
#define CTDB_SRVID_TAKE_IP               0xF301000000000000ULL /* this node's own only */
#define CTDB_SRVID_IPREALLOCATED         0xF302000000000000ULL /* 4.20 */
#define CTDB_SRVID_START_IPREALLOCATE    0xF303000000000000ULL /* 4.21 */
#define CTDB_SRVID_PUSH_NODE_FLAGS       0xF900000000000000ULL /* this node's own only */
#define CTDB_SRVID_RELOAD_NODES          0xFA00000000000000ULL
#define CTDB_SRVID_TAKEOVER_RUN          0xFB00000000000000ULL
#define CTDB_SRVID_DISABLE_TAKEOVER_RUNS 0xFB03000000000000ULL
#define CTDB_SRVID_DISABLE_IP_CHECK      0xFC00000000000000ULL
/* Our own: "WITN" and what it is for. The versions are in the messages. */
#define CTDB_SRVID_WITNESSD_NEWS  0x5749544E00000001ULL /* news.h: what happened on a node */
#define CTDB_SRVID_WITNESSD_PEERS 0x5749544E00000002ULL /* peers.h */

/* Flags of a node. */
#define CTDB_NODE_DISCONNECTED 0x01U
#define CTDB_NODE_UNHEALTHY    0x02U
#define CTDB_NODE_DISABLED     0x04U
#define CTDB_NODE_BANNED       0x08U
#define CTDB_NODE_DELETED      0x10U
#define CTDB_NODE_STOPPED      0x20U
#define CTDB_NODE_INACTIVE                                                                         \
	(CTDB_NODE_DISCONNECTED | CTDB_NODE_BANNED | CTDB_NODE_DELETED | CTDB_NODE_STOPPED)

#define CTDB_GENERATION_INVALID 1U

enum ctdb_runstate {
	CTDB_RUNSTATE_UNKNOWN,
	CTDB_RUNSTATE_INIT,
	CTDB_RUNSTATE_SETUP,
	CTDB_RUNSTATE_FIRST_RECOVERY,
	CTDB_RUNSTATE_STARTUP,
	CTDB_RUNSTATE_RUNNING,
	CTDB_RUNSTATE_SHUTDOWN,
};

#endif
