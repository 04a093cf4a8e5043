/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replication between the witnessds of a cluster. Each owns records {kind, key, version, value} and sends
 * them to all others, which keep copies. A record has one owner and a version, so the transport only has
 * to keep the order of each sender's messages. It may even lose some: messages are numbered, and a gap
 * makes the receiver ask for everything again.
 *
 *   put/delete -> own table, marked as not sent -> messages of up to PEERS_MESSAGE_MAX, as fast as the
 *   transport takes them. Only marks are queued, so nothing can overflow, and a record that changed
 *   several times is sent once.
 *
 * When a peer disappears its records stay for the hand-over time. When it comes back restarted, those of
 * kinds that can be restored are handed back to it, and the others are dropped.
 *
 * One thread, one event loop. Listeners and handlers are called from the event loop, never from within
 * a function of this header.
 */
#ifndef WITNESSD_CLUSTER_PEERS_H
#define WITNESSD_CLUSTER_PEERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "witnessd/cluster/suspicion.h"
#include "witnessd/util/wheel.h"

#define PEERS_MESSAGE_MAX 32768U /* bytes, header included */
#define PEERS_KEY_MAX     255U
#define PEERS_VALUE_MAX   24576U
#define PEERS_COMMAND_MAX 16384U /* bytes of a command or its reply */
#define PEERS_NODE_MAX    255U

struct peers;

/* The kind of a record. Part of the wire format: numbers are never reused, unknown ones are ignored. */
enum peers_kind {
	PEERS_REGISTRATION = 1, /* swn/replica.h; handed back when its owner restarts */
	PEERS_CONNECTION = 2,   /* a TCP connection of a cluster address; dies with its owner */
	PEERS_DRAIN = 3,        /* swn/drains.h: a node that an administrator has drained, or not */
	PEERS_NUM_KINDS = 4,
};

/* What a command asks for. Part of the wire format, as above. */
enum peers_verb {
	PEERS_LEAVE = 2,   /* swn/leave.h */
	PEERS_ORDER = 3,   /* swn/order.h */
	PEERS_EVENTS = 4,  /* journal_share.h */
	PEERS_CONTROL = 5, /* remote_serve.h */
	PEERS_NUM_VERBS = 6,
};

/* A record as passed to callers; everything is borrowed for the call. */
struct peers_record {
	enum peers_kind kind;
	const char *owner; /* node */
	bool own;
	bool orphan; /* its owner has disappeared */
	uint64_t version;
	const uint8_t *key;
	size_t key_len;
	const uint8_t *value;
	size_t value_len;
};

enum peers_event_type {
	PEERS_PUT,         /* a record of a peer: new, or with a new value */
	PEERS_DELETED,     /* a record of a peer: deleted, or its hand-over time is over */
	PEERS_HANDED_BACK, /* .record was ours before our restart; put it to own it again */
	PEERS_OWNER_GONE, /* .node has disappeared; its records are orphans for the hand-over time */
	PEERS_OWNER_BACK,    /* .node is a member; its records follow */
	PEERS_HANDOVER_DONE, /* nothing will be handed back to us any more */
};

struct peers_event {
	enum peers_event_type type;
	const struct peers_record *record; /* PUT, DELETED, HANDED_BACK */
	const char *node;                  /* OWNER_GONE, OWNER_BACK */
};

/** Called for records of one kind. May call anything in this header but must not free the peers. */
typedef void (*peers_listen_fn)(void *private_data, const struct peers_event *event);

/* How messages are sent: backend_ops.broadcast. */
struct peers_transport {
	/** To all members. @return 0; EAGAIN (queue full); ENOTCONN; EMSGSIZE; ... */
	int (*broadcast)(void *private_data, const uint8_t *bytes, size_t len);
	void *private_data;
};

struct peers_config {
	uint32_t
		handover_timeout_s; /* for records of an owner that disappeared, and for our own after a restart */
	uint32_t max_records; /* of one owner, ourselves included; 0 = 400,000 */
	uint64_t max_bytes;   /* of keys and values of one owner; 0 = 128 MiB */
	/* For tests; NULL: CLOCK_MONOTONIC and a timerfd. See wheel.h: call peers_run() after advancing it. */
	wheel_clock_fn clock;
	void *clock_private;
	uint64_t
		incarnation; /* for tests; 0: from CLOCK_REALTIME. Must grow with each start of a node */
};

/**
 * Start alone, without a transport. Everything works, but stays local until peers_joined().
 * @return 0, ENOMEM, or the errno of timerfd_create(2)
 */
int peers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct peers_config *config,
		 struct peers **out);

/** Set the transport, before peers_joined(). NULL: none, and nothing will ever be handed back. */
void peers_set_transport(struct peers *peers, const struct peers_transport *transport);
/** Change .handover_timeout_s. */
void peers_set_handover_timeout(struct peers *peers, uint32_t seconds);

/* --- events of the transport, which the cluster passes on from backend_sink --- */

/** This node is a member of the group now, under this name: send all our records. */
void peers_joined(struct peers *peers, const char *local);
/** This node is not a member any more: as far as we can tell all peers are gone. */
void peers_left(struct peers *peers);
/** Another node has become a member, or is none any more; our own name is ignored. */
void peers_up(struct peers *peers, const char *node);
void peers_down(struct peers *peers, const char *node);
/** A message was received, possibly our own, possibly garbage. */
void peers_message(struct peers *peers, const char *from, const uint8_t *bytes, size_t len);

/* --- records --- */

/**
 * Create a record that we own, or change its value. Equal values are not sent again. A record with the same
 * key that waits to be handed back to an owner that disappeared is dropped, here and at the peers: it has a
 * new owner.
 * @return 0; EMSGSIZE (PEERS_KEY_MAX, PEERS_VALUE_MAX, or an empty key); EINVAL (kind); ENOSPC (limits
 *         of the configuration); ENOMEM. Nothing has changed unless 0 is returned
 */
int peers_put(struct peers *peers, enum peers_kind kind, const void *key, size_t key_len,
	      const void *value, size_t value_len);

/** Delete a record that we own. @return 0 or ENOENT */
int peers_delete(struct peers *peers, enum peers_kind kind, const void *key, size_t key_len);

/**
 * All records of a kind: ours, the peers', and orphans. fn must not put or delete.
 * @param owner only those of this node; NULL: of all
 */
void peers_foreach(const struct peers *peers, enum peers_kind kind, const char *owner,
		   void (*fn)(void *private_data, const struct peers_record *record),
		   void *private_data);

/**
 * The record of a key, of any owner: ours is preferred to a live peer's, and that to an orphan.
 * @param record filled in; borrowed until control returns to the event loop
 * @return 0 or ENOENT
 */
int peers_find(const struct peers *peers, enum peers_kind kind, const void *key, size_t key_len,
	       struct peers_record *record);

/** Add a listener for one kind; owner and hand-over events go to all listeners. @return 0 or ENOMEM */
int peers_listen(struct peers *peers, enum peers_kind kind, peers_listen_fn fn, void *private_data);

/** Remove a listener. */
void peers_unlisten(struct peers *peers, peers_listen_fn fn, void *private_data);

/** Our own name in the group; NULL before peers_joined(). */
const char *peers_local(const struct peers *peers);
/** Whether a node is a member. */
bool peers_is_up(const struct peers *peers, const char *node);

/** Whether records may still be handed back to us. PEERS_HANDOVER_DONE is sent when that ends. */
bool peers_handover_pending(const struct peers *peers);

/** How long hand-over lasts, in seconds. */
uint32_t peers_handover_timeout(const struct peers *peers);

/* --- commands --- */

/* A received command that has not been answered yet. */
struct peers_call;

/**
 * Ask a node, also our own, to do something.
 * @return NULL when memory is short; recv's errors: EMSGSIZE; EHOSTUNREACH (not a member, or gone
 *         meanwhile); ENOBUFS (too many wait to be sent); ETIMEDOUT; EOPNOTSUPP (it does not know the
 *         verb); ECANCELED (it ended); or what its handler said
 */
struct tevent_req *peers_command_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				      struct peers *peers, const char *node, enum peers_verb verb,
				      const void *bytes, size_t len, uint32_t timeout_ms);
/** @param reply a child of mem_ctx; NULL when empty. reply and len may be NULL */
int peers_command_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, uint8_t **reply, size_t *len);

/** Carry out a command. Must call peers_call_reply() once, now or later. */
typedef void (*peers_command_fn)(void *private_data, struct peers_call *call, const char *from,
				 const uint8_t *bytes, size_t len);
/** fn NULL: remove the handler. */
void peers_set_command_handler(struct peers *peers, enum peers_verb verb, peers_command_fn fn,
			       void *private_data);
/** Answer a call and free it. err is 0 or an errno; a reply that is too long becomes EMSGSIZE. */
void peers_call_reply(struct peers_call *call, int err, const void *bytes, size_t len);

/* --- carrying the beats of heartbeat.h --- */

struct peers_beat {
	uint32_t interval_ms; /* until the next one */
	const struct suspicion_opinion *opinions;
	size_t num; /* as many of these are sent as fit into a message */
};

/**
 * Send a beat ahead of everything else; it replaces one that is still queued.
 * @return 0; ENOTCONN (we have not joined); ENOMEM
 */
int peers_beat(struct peers *peers, const struct peers_beat *beat);

/** A beat of a peer, borrowed for the call; NULL: another message, which also shows that it is alive. */
typedef void (*peers_beat_fn)(void *private_data, const char *node, const struct peers_beat *beat);
/** fn NULL: remove the handler. */
void peers_set_beat_handler(struct peers *peers, peers_beat_fn fn, void *private_data);

/* --- status --- */

/**
 * {"local", "joined", "incarnation", "own": {"records", "bytes", "unsent"}, "handover_pending",
 * "peers": [{"node", "up", "synced", "records", "bytes"}], "sent", "received", "retries", "resyncs",
 * "refused"}; a new reference, NULL when memory is short.
 */
json_t *peers_status_json(const struct peers *peers);

/** For tests, with a clock of their own: fire what is due. */
void peers_run(struct peers *peers);

#endif
