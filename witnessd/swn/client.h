/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A witness client (MS-SWN 3.2), behaving as Windows does: ask the SMB server's node for the list of
 * interfaces, register with a witness on another node, keep an AsyncNotify call open, and start over
 * when the witness says so or is lost. It never gives up on its own; it reports each step to its owner.
 */
#ifndef WITNESSD_SWN_CLIENT_H
#define WITNESSD_SWN_CLIENT_H

#include "witnessd/rpc/client.h"
#include "witnessd/swn/wire.h"

struct swn_client;

/* Strings are copied; auth is borrowed and must outlive the client. */
struct swn_client_params {
	const char *net_name;    /* the name of the SMB server in the share's UNC path */
	const char *share_name;  /* NULL: SHARE_MOVE not wanted */
	const char *client_name; /* of this computer */
	struct ipaddr server;    /* address of the current SMB connection */
	uint16_t epm_port;       /* 0 = 135 */
	bool v1;                 /* register as Windows 8 does */
	bool ip_notification;    /* IP_CHANGE wanted; not with v1 */
	bool resume;             /* after a loss, ask the same witness with the old handle first */
	uint32_t keep_alive_s;   /* the server answers ERROR_TIMEOUT after that; not with v1 */
	struct rpc_auth *auth;
	struct rpc_cred cred;
	const char *target;      /* Kerberos: host based service, "cifs@NETNAME" */
	uint8_t auth_type;       /* enum rpc_auth_type */
	uint8_t auth_level;      /* RPC_LEVEL_INTEGRITY or RPC_LEVEL_PRIVACY */
	unsigned int timeout_ms; /* of each step but AsyncNotify; 0 = RPC_CLIENT_TIMEOUT_MS */
};

/** Replace the strings by copies, children of mem_ctx. @return 0, or ENOMEM with only some of them copied */
int swn_client_params_own(TALLOC_CTX *mem_ctx, struct swn_client_params *params);

enum swn_client_event_type {
	SWN_CLIENT_REGISTERED,    /* with witness; AsyncNotify is sent now */
	SWN_CLIENT_NOTIFIED,      /* see notify */
	SWN_CLIENT_REREGISTERING, /* the witness has ended the registration */
	SWN_CLIENT_LOST,    /* the connection to the witness is lost; the next interface is tried */
	SWN_CLIENT_RESUMED, /* connected again; AsyncNotify is sent with the old handle */
	SWN_CLIENT_FAILED, /* a step failed; it is retried in retry_ms, or with the next interface */
};

/* Valid during the callback only. */
struct swn_client_event {
	enum swn_client_event_type type;
	struct ipaddr server;            /* the address that is (to be) registered */
	struct ipaddr witness;           /* registered with; family 0 when not known */
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
 * Start; the first step is taken from the event loop. Freeing the client closes its connection, which also
 * ends the registration.
 * @return 0, EINVAL (NetName is an address, or a string is missing), ENOMEM, or what timerfd_create(2) gave
 */
int swn_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct swn_client_params *params, swn_client_fn fn, void *private_data,
		      struct swn_client **out);

/** Stop: no more events; unregister if registered, which may take up to timeout_ms. */
struct tevent_req *swn_client_stop_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					struct swn_client *client, unsigned int timeout_ms);
/** @return 0 (also when nothing was registered); EREMOTEIO (refused); or as rpc_client_call_recv() */
int swn_client_stop_recv(struct tevent_req *req);

#endif
