/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the daemon share: daemon.c, daemon_rpc.c, daemon_names.c, daemon_control.c. */
#ifndef WITNESSD_DAEMON_PRIVATE_H
#define WITNESSD_DAEMON_PRIVATE_H

#include <qb/qblist.h>
#include <time.h>

#include "witnessd/background.h"
#include "witnessd/cluster/cluster.h"
#include "witnessd/cluster/conntrack.h"
#include "witnessd/control/control.h"
#include "witnessd/daemon.h"
#include "witnessd/journal.h"
#include "witnessd/remote_serve.h"
#include "witnessd/rpc/server.h"
#include "witnessd/swn/leave.h"
#include "witnessd/swn/orders.h"
#include "witnessd/swn/service.h"
#include "witnessd/util/shares.h"

/* Who we are for the clients. */
struct daemon_names {
	const char *host;           /* first label of the node's name */
	const char *netbios_name;   /* for NTLM */
	const char *netbios_domain; /* NULL: unknown */
	const char **net_names;     /* NULL-terminated, at least one */
	size_t num_net_names;
};

struct daemon {
	struct tevent_context *ev;
	const struct options *options;
	struct config *config;
	uint64_t started_ms;
	int end_signal; /* not 0: ends */
	bool failed;    /* ... and has to be started again */

	struct pidfile *pidfile;
	struct shares *shares;
	struct daemon_names names;
	struct rpc_auth *auth;
	struct rpc_server *rpc;
	struct rpc_endpoint *epm; /* NULL: not ours */
	struct rpc_endpoint *witness;
	const struct backend_ops *backend;
	struct cluster *cluster;
	struct swn_service *swn;
	struct swn_leaves *leaves;
	struct swn_orders *orders;
	struct journal *journal;
	struct journal_share *share;
	struct journal_hub *hub;
	struct conntrack *conntrack;  /* NULL: no tickles */
	struct daemon_watch *watch;   /* NULL: the manager does not want to know of connections */
	struct metrics_http *metrics; /* NULL: only witnessctl is told */
	struct control_server *control;
	struct remote_serve *remote;
};

/** Find the shares, and the names in configuration, smb.conf and kernel; never asks the DNS. @return 0 or ENOMEM */
int daemon_names_load(struct daemon *daemon);

/**
 * Root becomes global.user, and witness-opener keeps the rest. Without root's rights, or with global.user =
 * root, nothing changes. @return 0 or an errno with *why set, a child of mem_ctx; so below
 */
int daemon_rights_drop(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/** Everything is open: no capability is left after this, and system calls are filtered. */
int daemon_rights_confine(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/** How many descriptors may be open, as far as we may say. */
unsigned long daemon_files_wanted(const struct config *config);

/** Where modules and helper programs are. */
const char *daemon_module_dir(const struct config *config);

/** The tickle agent. @return a child of mem_ctx, or NULL */
char *daemon_agent_path(TALLOC_CTX *mem_ctx, const struct config *config);

/** Credentials and thread pool. @return 0 or an errno with *why set, a child of mem_ctx; so below */
int daemon_auth_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/** The two endpoints, listening on nothing yet. */
int daemon_rpc_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/** Serve on them; the witness service exists. */
int daemon_rpc_listen(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/** Tickles, if they are wanted, and the gate; the backend is loaded. */
int daemon_tickle_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/** Have the manager tickle the clients of witnessd itself, if it wants to; the backend is loaded. */
int daemon_watch_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/** Commands of witnessctl: see control.h for all of them. */
int daemon_cmd_leave(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		     json_t **result, char **why);
int daemon_cmd_tickle(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      json_t **result, char **why);

/** Those whose answers may be long: daemon_lists.c, daemon_orders.c. */
int daemon_cmd_connections(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			   struct control_stream *out, char **why);
int daemon_cmd_list(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		    struct control_stream *out, char **why);
int daemon_cmd_order(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		     struct control_stream *out, char **why);
int daemon_cmd_order_status(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			    struct control_stream *out, char **why);
int daemon_cmd_order_cancel(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			    struct control_stream *out, char **why);
/** The answer to orders and their status. */
int daemon_order_answer(const struct daemon *daemon, TALLOC_CTX *mem_ctx, uint64_t id,
			struct control_stream *out, char **why);
int daemon_cmd_events(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      struct control_stream *out, char **why);
/** The journal, what other nodes are told of it, and what they tell; the service exists. @return 0 or an errno */
int daemon_events_start(struct daemon *daemon);

/** `witnessctl undrain` and `witnessctl nodes`. */
int daemon_cmd_undrain(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		       json_t **result, char **why);
int daemon_cmd_nodes(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		     json_t **result, char **why);

/** Say why there are no tickles here. @return ENOTSUP */
int daemon_no_tickles(TALLOC_CTX *mem_ctx, char **why);

/** Commands for other nodes go there, and theirs are answered; the control socket exists. @return 0 or an errno */
int daemon_remote_start(struct daemon *daemon);

/** The control socket with its commands. */
int daemon_control_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);

/**
 * A listener of the cluster: closes the connections on an address that has left this node. Their packets
 * would go to nobody or to the new owner, and their registrations would seem to live.
 */
void daemon_address_left(void *private_data, const struct cluster_event *event,
			 const struct cluster_state *state);

/** What `witnessctl status` shows. @return a new reference; NULL when memory is short */
json_t *daemon_status_json(const struct daemon *daemon);

/** Serve the metrics over HTTP, where the configuration wants it. What fails is logged. @return 0 or ENOMEM */
int daemon_metrics_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);
int daemon_cmd_metrics(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		       json_t **result, char **why);

/** `witnessctl memory`: {"blocks", "bytes", "parts": [{"part", "blocks", "bytes"}]}; counts block by block. */
int daemon_cmd_memory(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      json_t **result, char **why);

/** `witnessctl blackbox`: {"file": PATH}, with "node" for who has named one. */
int daemon_cmd_blackbox(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			json_t **result, char **why);

#endif
