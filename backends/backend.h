/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract between the core and a cluster-state backend.
 *
 * A backend is a loadable module, witnessd-backend-NAME.so, that exports one constant table named
 * witnessd_backend. It turns what its cluster manager reports into snapshots and intents. It never
 * decides who is notified and knows nothing of DCE/RPC. Everything runs on the daemon's event loop in
 * one thread; nothing may block it, except short local handshakes in connect().
 */
#ifndef BACKENDS_BACKEND_H
#define BACKENDS_BACKEND_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "witnessd/cluster/state.h"
#include "witnessd/config.h"
#include "witnessd/util/tcpconn.h"

#define BACKEND_ABI        4
#define BACKEND_SYMBOL     "witnessd_backend"
#define BACKEND_MODULE_FMT "witnessd-backend-%s.so"

/* A running backend: defined by the module, a child of the mem_ctx given to connect(). */
struct backend;

enum backend_intent_kind {
	BACKEND_INTENT_GROUP, /* .what is a group */
	BACKEND_INTENT_ADDR,  /* .what is an address in text */
	BACKEND_INTENT_NODE,  /* .what is a node: everything on it */
};

/* A move that was requested and has not happened yet. */
struct backend_intent {
	enum backend_intent_kind kind;
	const char *what;
	const char *from; /* node; NULL when unknown */
	const char *to;   /* node; NULL = anywhere else, or nowhere */
	const char *why;  /* for the log: "location constraint cli-prefer-vip1" */
	/* Not for backends: the address is held back until its clients know (swn/leave.h). They are told
	 * even without witness.planned_moves; those that no other address serves are told that it goes. */
	bool held;
};

/*
 * Where a backend reports to. It must call these from the event loop, never from within connect(), and
 * never after it has been freed. Arguments are borrowed for the call, except in snapshot(), which takes
 * over the state.
 */
struct backend_sink {
	void *private_data;
	/**
	 * A complete view; talloc_move()d to the core, which frees it in any case.
	 * @return 0; EINVAL: invalid, logged and dropped, as it would be each time; ENOMEM: dropped for lack of
	 *         memory, and the core knows no more than before: the backend must report again in a while, even
	 *         if nothing else changes
	 */
	int (*snapshot)(void *private_data, struct cluster_state **state);
	void (*intent)(void *private_data, const struct backend_intent *intent);
	/**
	 * This witnessd is a member of the peer group, under this node name: it gets messages from now on.
	 * Call peer_up() for existing members before that.
	 */
	void (*peers_joined)(void *private_data, const char *local);
	/** Not a member any more, nor are the others; follows each peers_joined(), but not when being freed. */
	void (*peers_left)(void *private_data);
	/** A witnessd of another node has joined or left the peer group. */
	void (*peer_up)(void *private_data, const char *node);
	void (*peer_down)(void *private_data, const char *node);
	/** A broadcast of a peer (or our own); only the order of each sender's is kept. */
	void (*message)(void *private_data, const char *from, const uint8_t *bytes, size_t len);
	/** The manager is lost. The core keeps the last snapshot, marked stale, until the next. */
	void (*lost)(void *private_data, const char *reason);
};

enum backend_tickles {
	BACKEND_TICKLES_UNKNOWN, /* before the first snapshot: the manager has not been asked yet */
	BACKEND_TICKLES_ITSELF,
	BACKEND_TICKLES_NOT, /* or not all that it should */
};

struct backend_ops {
	unsigned int abi; /* BACKEND_ABI */
	const char *name;
	/**
	 * Start asynchronously and report through the sink until freed: connecting to a manager that is down
	 * is retried with back-off, and each change of its reachability is logged once.
	 * sink and config are borrowed and outlive the backend.
	 * @return 0; EINVAL for an unusable configuration, with the reason logged; ENOMEM
	 */
	int (*connect)(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct config *config,
		       const struct backend_sink *sink, struct backend **out);
	/* All below may be NULL. */
	/** Send to all peers, possibly including ourselves, between peers_joined() and peers_left().
	 *  @return 0, EAGAIN (queue full), ENOTCONN, EMSGSIZE */
	int (*broadcast)(struct backend *backend, const uint8_t *bytes, size_t len);
	/**
	 * A client's connection to witnessd itself over a floating address of this node, which the manager should
	 * tickle after a takeover, has been opened or has ended. Called again for all open ones when the manager or
	 * the address is back; not for those of an address that has left, which the manager has to keep.
	 * @return 0, or an errno: it will not be tickled
	 */
	int (*watch_connection)(struct backend *backend, const struct tcpconn *conn, bool open);
	/** Whether the manager tickles SMB clients itself, or leaves that to witness-tickle. */
	enum backend_tickles (*tickles)(const struct backend *backend);
	/**
	 * Probe whether a node is alive, independently of its witnessd and of the manager's opinion. Called for
	 * nodes whose witnessd is silent, about once a second each.
	 * @param node of the last snapshot
	 * @return NULL when memory is short; recv: 0 (something on it answered); ETIMEDOUT or EHOSTUNREACH
	 *         (nothing did in time); another errno (unknown)
	 */
	struct tevent_req *(*probe_node_send)(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					      struct backend *backend, const char *node,
					      uint32_t timeout_ms);
	int (*probe_node_recv)(struct tevent_req *req);
	/**
	 * A command of `witnessctl NAME ...` (request: {"argv": [...]}).
	 * @return 0 with *reply a new reference; or an errno with *why a sentence, a child of mem_ctx
	 */
	int (*control)(struct backend *backend, TALLOC_CTX *mem_ctx, const json_t *request,
		       json_t **reply, char **why);
	/** What `witnessctl --json status` shows of the backend; a new reference. `witnessctl status` shows the
	 *  text "summary" in it, at most one line. */
	json_t *(*status)(struct backend *backend);
};

/* What a module exports as BACKEND_SYMBOL. */
extern const struct backend_ops witnessd_backend;

#endif
