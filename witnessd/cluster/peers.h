/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replication between the witnessd's of a cluster. Each owns records {kind, key, version, value} and
 * tells all others of them; what the others own is a copy here. A record has one owner and a version, so
 * first-in first-out per sender is all that the transport has to promise, and it may even lose messages:
 * they are numbered, and a gap makes the receiver ask for everything again.
 *
 *   put/delete -> own table, marked as not sent -> messages of up to PEERS_MESSAGE_MAX, as fast as the
 *   transport takes them. Nothing but marks waits, so nothing can overflow; what changed often goes once.
 *
 * When a peer vanishes its records stay for the hand-over time. When it returns, started anew, those of
 * kinds that can be restored are handed back to it; the rest goes.
 *
 * One thread, one event loop. All calls of listeners and handlers come from the event loop, never from
 * inside a call of this header.
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

/* What a record is about. Part of the wire format: numbers are never used again. Unknown ones are ignored. */
enum peers_kind {
	PEERS_REGISTRATION = 1, /* swn/replica.h; handed back when its owner restarts */
	PEERS_CONNECTION = 2,   /* a TCP connection of a cluster address; dies with its owner */
	PEERS_DRAIN = 3,        /* swn/drains.h: a node that an administrator has drained, or not */
	PEERS_NUM_KINDS = 4,
};

/* What a command asks for; part of the wire format, as above. */
enum peers_verb {
	PEERS_LEAVE = 2,   /* swn/leave.h */
	PEERS_ORDER = 3,   /* swn/order.h */
	PEERS_EVENTS = 4,  /* journal_share.h */
	PEERS_CONTROL = 5, /* remote_serve.h */
	PEERS_NUM_VERBS = 6,
};

/* A record as it is shown to others; everything is borrowed for the call. */
struct peers_record {
	enum peers_kind kind;
	const char *owner; /* node */
	bool own;
	bool orphan; /* its owner has vanished */
	uint64_t version;
	const uint8_t *key;
	size_t key_len;
	const uint8_t *value;
	size_t value_len;
};

enum peers_event_type {
	PEERS_PUT,         /* a record of a peer: new, or with a new value */
	PEERS_DELETED,     /* a record of a peer has gone: deleted, or its hand-over time is over */
	PEERS_HANDED_BACK, /* .record was ours before we were started; put it again to own it again */
	PEERS_OWNER_GONE, /* .node has vanished; its records stay as orphans for the hand-over time */
	PEERS_OWNER_BACK,    /* .node is there; its records follow */
	PEERS_HANDOVER_DONE, /* all that will be handed back to us has been, or too late */
};

struct peers_event {
	enum peers_event_type type;
	const struct peers_record *record; /* PUT, DELETED, HANDED_BACK */
	const char *node;                  /* OWNER_GONE, OWNER_BACK */
};

/** Hears of one kind. It may call anything here but must not free the peers. */
typedef void (*peers_listen_fn)(void *private_data, const struct peers_event *event);

/* How messages leave: backend_ops.broadcast. */
struct peers_transport {
	/** To all members. @return 0; EAGAIN (queue full); ENOTCONN; EMSGSIZE; ... */
	int (*broadcast)(void *private_data, const uint8_t *bytes, size_t len);
	void *private_data;
};

struct peers_config {
	uint32_t
		handover_timeout_s; /* how long records of a vanished owner, and what we are handed back, wait */
	uint32_t max_records; /* of one owner, ourselves included; 0 = 400,000 */
	uint64_t max_bytes;   /* of keys and values of one owner; 0 = 128 MiB */
	/* For tests; NULL: CLOCK_MONOTONIC and a timerfd. See wheel.h: call peers_run() when it has moved. */
	wheel_clock_fn clock;
	void *clock_private;
	uint64_t
		incarnation; /* for tests; 0: from CLOCK_REALTIME. Must grow from start to start of a node */
};

/**
 * Start alone: no transport, nobody to tell. Everything works and stays local until peers_joined().
 * @return 0, ENOMEM, or what timerfd_create(2) gave
 */
int peers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct peers_config *config,
		 struct peers **out);

/** Before anything has joined: the transport, or NULL for none: nothing will ever be handed back. */
void peers_set_transport(struct peers *peers, const struct peers_transport *transport);
void peers_set_handover_timeout(struct peers *peers, uint32_t seconds);

/* --- what the transport says (the cluster passes on what comes through backend_sink) --- */

/** This node is a member of the group, under this name: what we own is told to all. */
void peers_joined(struct peers *peers, const char *local);
/** It is not any more: all peers have gone as far as we can tell. */
void peers_left(struct peers *peers);
/** Another member; the own name is ignored. */
void peers_up(struct peers *peers, const char *node);
void peers_down(struct peers *peers, const char *node);
/** A message, possibly our own, possibly garbage. */
void peers_message(struct peers *peers, const char *from, const uint8_t *bytes, size_t len);

/* --- records --- */

/**
 * Own a record, or give the one that we own a new value. Equal values are not told again. A record with
 * the same key that can be handed back, of an owner that has vanished, is no more, here and at the peers:
 * it has found a new owner.
 * @return 0; EMSGSIZE (PEERS_KEY_MAX, PEERS_VALUE_MAX, or an empty key); EINVAL (kind); ENOSPC (limits
 *         of the configuration); ENOMEM. Only after 0 has anything changed
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
 * The record of a key, whoever owns it: ours before a living peer's before an orphan.
 * @param record filled; borrowed until control goes back to the event loop
 * @return 0 or ENOENT
 */
int peers_find(const struct peers *peers, enum peers_kind kind, const void *key, size_t key_len,
	       struct peers_record *record);

/** Hear of one kind; owner and hand-over events come to listeners of every kind. @return 0 or ENOMEM */
int peers_listen(struct peers *peers, enum peers_kind kind, peers_listen_fn fn, void *private_data);

/** No event comes to this listener any more. */
void peers_unlisten(struct peers *peers, peers_listen_fn fn, void *private_data);

/** Our own name in the group; NULL before peers_joined(). */
const char *peers_local(const struct peers *peers);
bool peers_is_up(const struct peers *peers, const char *node);

/** Whether records may still be handed back to us. PEERS_HANDOVER_DONE is told when that ends. */
bool peers_handover_pending(const struct peers *peers);

/** How long hand-over lasts, in seconds. */
uint32_t peers_handover_timeout(const struct peers *peers);

/* --- commands --- */

/* A command that waits for its reply, at the node that it was sent to. */
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

/** Do what a command asks. Must lead to one peers_call_reply(), at once or later. */
typedef void (*peers_command_fn)(void *private_data, struct peers_call *call, const char *from,
				 const uint8_t *bytes, size_t len);
/** fn NULL: no handler any more. */
void peers_set_command_handler(struct peers *peers, enum peers_verb verb, peers_command_fn fn,
			       void *private_data);
/** Answer and forget the call. err is 0 or an errno; a reply that is too long becomes EMSGSIZE. */
void peers_call_reply(struct peers_call *call, int err, const void *bytes, size_t len);

/* --- beats: heartbeat.h sends and hears them, here they are carried --- */

struct peers_beat {
	uint32_t interval_ms; /* until the next one */
	const struct suspicion_opinion *opinions;
	size_t num; /* of these not more than fit into a message are sent */
};

/**
 * Send a beat ahead of everything else; one that still waits is replaced.
 * @return 0; ENOTCONN (we have not joined); ENOMEM
 */
int peers_beat(struct peers *peers, const struct peers_beat *beat);

/** A beat of a peer, borrowed for the call; NULL: another message, which shows as well that it lives. */
typedef void (*peers_beat_fn)(void *private_data, const char *node, const struct peers_beat *beat);
/** fn NULL: nobody listens any more. */
void peers_set_beat_handler(struct peers *peers, peers_beat_fn fn, void *private_data);

/* --- looking inside --- */

/**
 * {"local", "joined", "incarnation", "own": {"records", "bytes", "unsent"}, "handover_pending",
 * "peers": [{"node", "up", "synced", "records", "bytes"}], "sent", "received", "retries", "resyncs",
 * "refused"}; a new reference, NULL when memory is short.
 */
json_t *peers_status_json(const struct peers *peers);

/** For tests, with a clock of their own: fire what is due. */
void peers_run(struct peers *peers);

#endif
