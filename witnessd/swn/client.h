/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A witness client (MS-SWN 3.2), behaving as Windows does: ask the SMB server's node for the list of
 * interfaces, register with a witness on another node, hold AsyncNotify open for ever, and start over
 * when the witness says so or is gone. It never gives up by itself; it tells its owner of each step.
 */
#ifndef WITNESSD_SWN_CLIENT_H
#define WITNESSD_SWN_CLIENT_H

#include "witnessd/rpc/client.h"
#include "witnessd/swn/wire.h"

struct swn_client;

/* Strings are copied; auth is borrowed and must outlive the client. */
struct swn_client_params {
	const char *net_name;    /* the name of the SMB server that the share is used by */
	const char *share_name;  /* NULL: no SHARE_MOVE wanted */
	const char *client_name; /* of this computer */
	struct ipaddr server;    /* that SMB is spoken with now */
	uint16_t epm_port;       /* 0 = 135 */
	bool v1;                 /* register as Windows 8 does */
	bool ip_notification;    /* IP_CHANGE wanted; not with v1 */
	bool resume;             /* after a loss, ask the same witness with the old handle first */
	uint32_t keep_alive_s;   /* the server answers ERROR_TIMEOUT after it; not with v1 */
	struct rpc_auth *auth;
	struct rpc_cred cred;
	const char *target;      /* Kerberos: host based service, "cifs@NETNAME" */
	uint8_t auth_type;       /* enum rpc_auth_type */
	uint8_t auth_level;      /* RPC_LEVEL_INTEGRITY or RPC_LEVEL_PRIVACY */
	unsigned int timeout_ms; /* of each step but AsyncNotify; 0 = RPC_CLIENT_TIMEOUT_MS */
};

/** Replace the strings by copies, children of mem_ctx. @return 0 or ENOMEM, after which some are copies */
int swn_client_params_own(TALLOC_CTX *mem_ctx, struct swn_client_params *params);

enum swn_client_event_type {
	SWN_CLIENT_REGISTERED,    /* with witness; AsyncNotify goes out now */
	SWN_CLIENT_NOTIFIED,      /* notify says what */
	SWN_CLIENT_REREGISTERING, /* the witness has ended the registration */
	SWN_CLIENT_LOST,          /* the connection to the witness; the next interface is tried */
	SWN_CLIENT_RESUMED,       /* connected again; AsyncNotify goes out with the old handle */
	SWN_CLIENT_FAILED, /* a step; it is tried again in retry_ms, or with the next interface */
};

/* Valid during the callback only. */
struct swn_client_event {
	enum swn_client_event_type type;
	struct ipaddr server;            /* the address that is (to be) registered */
	struct ipaddr witness;           /* with whom; family 0 when that is not known */
	const char *group;               /* REGISTERED: the witness's group name; from the peer */
	uint32_t version;                /* REGISTERED: SWN_VERSION_1 or SWN_VERSION_2 */
	const struct swn_notify *notify; /* NOTIFIED; names are from the peer */
	int err;               /* LOST, FAILED: as rpc/client.h has them, EREMOTEIO (the method
					    failed), ESRCH (no witness on another node) */
	const char *step;      /* FAILED: "interfaces", "register" or "resume" */
	const char *why;       /* REREGISTERING, LOST, FAILED: a sentence */
	unsigned int retry_ms; /* FAILED: 0 = at once, with the next interface */
};

/** Called from the event loop. May call swn_client_stop_send(); must not free the client. */
typedef void (*swn_client_fn)(void *private_data, const struct swn_client_event *event);

/**
 * Start watching; the first step is taken from the event loop. Freeing the client closes its connection,
 * which ends the registration, too.
 * @return 0, EINVAL (NetName is an address, or a string is missing), or ENOMEM
 */
int swn_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct swn_client_params *params, swn_client_fn fn, void *private_data,
		      struct swn_client **out);

/** Stop: no event comes any more; unregister if registered, with patience for timeout_ms. */
struct tevent_req *swn_client_stop_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					struct swn_client *client, unsigned int timeout_ms);
/** @return 0 (also when nothing was registered); EREMOTEIO (refused); or as rpc_client_call_recv() */
int swn_client_stop_recv(struct tevent_req *req);

#endif
