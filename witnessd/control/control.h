/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket: JSON requests and replies over libqb IPC.
 * Request: {"command": "list", ...}. Reply: {"ok": true, "result": ...} or
 * {"ok": false, "error": "a sentence"}, some with a "code" that tells one reason from another.
 */
#ifndef WITNESSD_CONTROL_CONTROL_H
#define WITNESSD_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>
#include <tevent.h>

#define CONTROL_MAX_REQUEST (64 * 1024)
#define CONTROL_MAX_REPLY   (64 * 1024 * 1024) /* some 100,000 registrations */

struct control_server;

struct control_limits {
	unsigned int clients;    /* a quarter of them for root and the daemon's user only */
	unsigned int timeout_ms; /* of silence, and for fetching an answer */
};
extern const struct control_limits control_limits_default;

/* Since the start. */
struct control_stats {
	uint64_t refused;  /* connections refused because there were too many */
	uint64_t timeouts; /* clients disconnected because they were silent */
	uint64_t unread;   /* clients disconnected because they did not read their answers */
	uint64_t
		out_of_files; /* times that no connection could be accepted for lack of descriptors */
};

/**
 * Answers a command. request is borrowed.
 * @return 0 with *result a new reference; or an errno with *why a sentence, a child of mem_ctx
 */
typedef int (*control_fn)(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			  json_t **result, char **why);

/**
 * Listen on the libqb IPC service of that name. Only root, the daemon's user, and members of group
 * (NULL: nobody else) may connect. Members are looked up here, once: later lookups could block. One
 * server per process: libqb's poll handlers have no context pointer.
 * @return 0; EADDRINUSE when another daemon has it; ENOENT when there is no such group; EBUSY when the
 *         process has a server; or an errno
 */
int control_server_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *name,
			  const char *group, struct control_server **out);

/** Set other limits than control_limits_default, for new connections. */
void control_server_limit(struct control_server *server, const struct control_limits *limits);
/** The counters, by value. */
struct control_stats control_server_stats(const struct control_server *server);

/**
 * An answer that is generated while it is fetched, for long lists: no single round of the event loop has to build
 * all of it.
 */
struct control_stream {
	/**
	 * The next piece of the text, which is JSON as a whole; a child of mem_ctx, NULL at the end. Some 50
	 * lines are a good piece.
	 * @return 0, ENOMEM, or ESTALE: the data has gone meanwhile
	 */
	int (*next)(void *private_data, TALLOC_CTX *mem_ctx, char **text);
	void *private_data; /* talloc'ed; freed with the answer, whether or not it was fetched */
};

/** Answers a command with a stream. @return as control_fn, with *out filled and its private_data a child of mem_ctx */
typedef int (*control_stream_fn)(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
				 struct control_stream *out, char **why);

/** Serve a command; command must stay valid. @return 0, EEXIST or ENOMEM */
int control_server_add(struct control_server *server, const char *command, control_fn fn,
		       void *private_data);
int control_server_add_stream(struct control_server *server, const char *command,
			      control_stream_fn fn, void *private_data);

/**
 * Serve a command here, or on the node that a request names as "node". Only these are answered for other nodes, so
 * who may ask for one here may do so there. @return as above
 */
int control_server_add_anywhere(struct control_server *server, const char *command, control_fn fn,
				void *private_data);

/* How the commands that name a node get there. */
struct control_elsewhere {
	/** Whether that is this node: then it is answered as if none had been named. */
	bool (*is_here)(void *private_data, const char *node);
	/** request with "node", borrowed for the call. @return NULL when memory is short */
	struct tevent_req *(*send)(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   void *private_data, const json_t *request);
	/** @return as control_fn */
	int (*recv)(struct tevent_req *req, TALLOC_CTX *mem_ctx, json_t **result, char **why);
	void *private_data;
};

/** Without it, requests that name a node are refused. */
void control_server_set_elsewhere(struct control_server *server,
				  const struct control_elsewhere *elsewhere);

/**
 * Answer a request of another node, whatever its bytes are: none but the commands that are served anywhere, and
 * never by asking a third one.
 * @return the reply as text, a child of mem_ctx; NULL when memory is short
 */
char *control_server_answer(const struct control_server *server, TALLOC_CTX *mem_ctx,
			    const char *request, size_t len);

/** What a reply says. @return 0, or as control_call() for what is refused; EPROTO without *why: it is no reply */
int control_result(TALLOC_CTX *mem_ctx, const char *text, size_t len, json_t **result, char **why);

/**
 * The client side, blocking, for witnessctl: send one request and wait for its reply.
 * @return 0 with *result a new reference; ENOENT or ECONNREFUSED (no daemon), EACCES, ETIMEDOUT,
 *         EREMOTEIO (the daemon said no); where it says so, ESRCH (no registration matches), ENODEV (no such
 *         node), ENXIO (nobody's address), EBADMSG (something in the request is not JSON) - each with *why a sentence, a child of mem_ctx
 */
int control_call(TALLOC_CTX *mem_ctx, const char *name, const json_t *request, int timeout_ms,
		 json_t **result, char **why);

#endif
