/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract between the core and a cluster-state backend.
 *
 * A backend is a loadable module, witnessd-backend-NAME.so, that exports one constant table named
 * witnessd_backend. It turns whatever its cluster manager says into snapshots and intents. It never
 * decides who is notified and never touches DCE/RPC. Everything runs on the daemon's event loop in
 * one thread; nothing may block it, except short local handshakes inside connect().
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

/* A move that has been asked for and has not happened yet. */
struct backend_intent {
	enum backend_intent_kind kind;
	const char *what;
	const char *from; /* node; NULL when unknown */
	const char *to;   /* node; NULL = anywhere else, or nowhere */
	const char *why;  /* for the log: "location constraint cli-prefer-vip1" */
	/* Not for backends: the address is held back until its clients know (swn/leave.h). They are told
	 * whatever witness.planned_moves says, and those whom no other address serves that it goes. */
	bool held;
};

/*
 * Where a backend reports to. All calls come from the event loop, never from inside connect() and
 * never after the backend has been freed. Pointers handed over are borrowed for the call, but for
 * snapshot(), which takes the state over.
 */
struct backend_sink {
	void *private_data;
	/**
	 * A complete view; talloc_move()d to the core, which frees it in any case.
	 * @return 0; EINVAL: it is no valid one, was logged and dropped, and would be each time; ENOMEM: it was
	 *         dropped for want of memory, and the core knows no more than before: not to be taken for told,
	 *         but to be composed and told again in a while, even if nothing else changes
	 */
	int (*snapshot)(void *private_data, struct cluster_state **state);
	void (*intent)(void *private_data, const struct backend_intent *intent);
	/**
	 * This witnessd is a member of the peer group, under this node name: messages of now and later come
	 * through. Those who were there before are told by peer_up() before that.
	 */
	void (*peers_joined)(void *private_data, const char *local);
	/** Not any more, and so are all the others; follows on each peers_joined() but not at the end. */
	void (*peers_left)(void *private_data);
	/** A witnessd of another node has joined or left the peer group. */
	void (*peer_up)(void *private_data, const char *node);
	void (*peer_down)(void *private_data, const char *node);
	/** A broadcast of a peer (or one's own), first-in first-out per sender and no more. */
	void (*message)(void *private_data, const char *from, const uint8_t *bytes, size_t len);
	/** The manager is gone. The core keeps the last snapshot and marks it stale until the next. */
	void (*lost)(void *private_data, const char *reason);
};

enum backend_tickles {
	BACKEND_TICKLES_UNKNOWN, /* until the manager has been asked: before the first snapshot */
	BACKEND_TICKLES_ITSELF,
	BACKEND_TICKLES_NOT, /* or not all that it should */
};

struct backend_ops {
	unsigned int abi; /* BACKEND_ABI */
	const char *name;
	/**
	 * Start asynchronously and report through the sink for ever: a manager that is not there, or
	 * goes away, is tried again with back-off, each change of its reachability is logged once.
	 * sink and config are borrowed and outlive the backend.
	 * @return 0; EINVAL with the reason logged for a configuration that cannot work; ENOMEM
	 */
	int (*connect)(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct config *config,
		       const struct backend_sink *sink, struct backend **out);
	/* From here on each may be NULL. */
	/** To all peers, and possibly to the sender, between peers_joined() and peers_left().
	 *  @return 0, EAGAIN (queue full), ENOTCONN, EMSGSIZE */
	int (*broadcast)(struct backend *backend, const uint8_t *bytes, size_t len);
	/**
	 * A client's connection to witnessd itself, to a floating address of this node, that the manager should
	 * tickle after a takeover; or its end. Told again for all that are open when the manager or the
	 * address is back; never for connections of an address that has left: those the manager needs.
	 * @return 0, or an errno: that one will not be tickled
	 */
	int (*watch_connection)(struct backend *backend, const struct tcpconn *conn, bool open);
	/** Whether the manager leaves it to witness-tickle to tickle the clients of SMB. */
	enum backend_tickles (*tickles)(const struct backend *backend);
	/**
	 * Ask a node itself whether it lives: by ways that lead neither through its witnessd nor through what
	 * the manager believes of it. Asked of nodes whose witnessd is silent, about once a second each.
	 * @param node of the last snapshot
	 * @return NULL when memory is short; recv: 0 (something on it answered); ETIMEDOUT or EHOSTUNREACH
	 *         (nothing did, though there was time for it); another errno (it cannot be told)
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
	/** What `witnessctl --json status` shows of the backend; a new reference. A text "summary" in it, of a
	 *  line or less, is what `witnessctl status` shows. */
	json_t *(*status)(struct backend *backend);
};

/* What a module exports as BACKEND_SYMBOL. */
extern const struct backend_ops witnessd_backend;

#endif
