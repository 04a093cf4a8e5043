/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the peers. */
#ifndef WITNESSD_CLUSTER_PEERS_PRIVATE_H
#define WITNESSD_CLUSTER_PEERS_PRIVATE_H

#include <qb/qblist.h>

#include "witnessd/cluster/peers.h"
#include "witnessd/cluster/peers_wire.h"
#include "witnessd/util/hash.h"

#define PEERS_MAX_NODES     128U  /* the limit of a CPG group */
#define PEERS_MAX_WAITING   256U  /* queued messages other than records */
#define PEERS_MAX_REQUESTS  1024U /* our commands without a reply yet */
#define PEERS_MAX_CALLS     256U  /* unanswered commands of one peer */
#define PEERS_BURST         16U   /* messages per round of the event loop */
#define PEERS_RETRY_MIN_MS  5U    /* after EAGAIN; doubles */
#define PEERS_RETRY_MAX_MS  50U
#define PEERS_SYNC_WAIT_MS  2000U /* silence after which an unsynced peer is asked */
#define PEERS_RETURN_MS     200U  /* between peers that may hand back the same records */
#define PEERS_HANDOVER_WAIT 5000U /* ms after the start in which we wait to be handed back */

/* A record, ours or a peer's. */
struct peers_entry {
	UT_hash_handle hh;
	struct qb_list_head link; /* own: unsent or sent; a peer's: returning, or nowhere */
	uint64_t version;
	uint32_t round; /* a peer's: the last sync that contained it */
	bool unsent;    /* own */
	bool deleted;   /* own: to be sent, then freed */
	bool returning; /* a peer's: of its previous run, to be handed back */
	size_t value_len;
	uint8_t *value; /* a child; NULL when empty */
	size_t id_len;
	uint8_t id[]; /* kind, then key */
};

/* A node that owns records: this one or a peer. */
struct peers_owner {
	UT_hash_handle hh;
	struct peers *peers;
	const char *node;
	struct peers_entry *entries;
	struct peers_entry *former; /* of its previous run, to be handed back: .returning */
	size_t num;                 /* including deleted ones */
	uint64_t bytes;

	bool up;
	bool gone;     /* disappeared; its records are orphans until its next sync */
	bool synced;   /* we have all its records */
	bool returned; /* it has nothing more to hand back to us */
	bool refused_version, refused_limit, refused_garbage; /* has been logged */
	uint64_t incarnation;                                 /* 0: not known */
	uint64_t sequence; /* of its last message; 0: none since it came up */
	uint32_t sync;     /* the current or last one: its number in this run of the peer */
	uint32_t round;    /* syncs begun, over all its runs */
	bool syncing;
	unsigned int num_calls;
	struct qb_list_head returning;
	bool return_due; /* it is our turn; RETURNED follows the last */
	struct wheel_timer expire_timer, sync_timer, return_timer;
};

/* A queued message other than records. */
struct peers_waiting {
	struct qb_list_head link;
	struct peers_msg msg;
	uint8_t *bytes; /* of msg; a child */
};

struct peers_listener {
	enum peers_kind kind;
	peers_listen_fn fn; /* NULL: free slot */
	void *private_data;
};

struct peers_handler {
	peers_command_fn fn;
	void *private_data;
};

/* A record that was handed back already. */
struct peers_seen {
	UT_hash_handle hh;
	uint64_t version;
	size_t id_len;
	uint8_t id[];
};

struct peers {
	struct tevent_context *ev;
	struct peers_config config;
	struct wheel *wheel;
	struct peers_transport transport;
	bool has_transport;
	const char *local; /* NULL: never joined */
	bool joined;
	uint64_t incarnation, version, sequence;

	/* Our own. own.node is NULL until we have a name. */
	struct peers_owner own;
	struct qb_list_head sent, unsent; /* entries of own */
	struct qb_list_head sync_end;     /* in unsent: marks where END is to be sent */
	size_t num_unsent;
	bool sync_wanted, sync_running;
	uint32_t sync;

	struct peers_owner *owners; /* the others, by node */

	struct peers_waiting *beat; /* to be sent first; NULL: none */
	struct qb_list_head waiting;
	size_t num_waiting;
	struct tevent_immediate *flush;
	bool flush_scheduled;
	struct wheel_timer retry_timer;
	unsigned int retry_ms;
	bool complained;

	struct peers_listener *listeners;
	size_t num_listeners;

	bool handover_pending, handover_open, handover_begun;
	struct wheel_timer handover_wait, handover_end;
	struct peers_seen *seen;

	peers_beat_fn beat_fn;
	void *beat_private;

	struct peers_handler handlers[PEERS_NUM_VERBS];
	struct qb_list_head requests; /* ours, waiting for replies */
	size_t num_requests;
	uint64_t last_id;
	struct qb_list_head calls; /* of others, waiting for our replies */

	uint64_t num_sent, num_received, num_retries, num_resyncs, num_refused;
};

/* --- peers_table.c: records, without messages --- */

/** Make it one of the owner's previous run. @return 0, or ENOMEM with the entry freed */
int peers_entry_make_former(struct peers_owner *owner, struct peers_entry *entry);
/** The entry of an id among those of the previous run, or NULL. */
struct peers_entry *peers_former_find(const struct peers_owner *owner, const uint8_t *id,
				      size_t id_len);
/** The id of a kind and a key. @return its length, or 0 when it does not fit */
size_t peers_id(uint8_t id[1 + PEERS_KEY_MAX], uint8_t kind, const void *key, size_t key_len);
/** The entry of an id, or NULL. */
struct peers_entry *peers_entry_find(const struct peers_owner *owner, const uint8_t *id,
				     size_t id_len);
/** How many records an owner may have. */
uint32_t peers_max_records(const struct peers *peers);
/** Add an entry, or change its value. @return 0 with *entry; ENOSPC or ENOMEM with nothing changed */
int peers_entry_set(struct peers *peers, struct peers_owner *owner, const uint8_t *id,
		    size_t id_len, const uint8_t *value, size_t value_len,
		    struct peers_entry **entry);
/** Remove an entry, or all of them, and free it. */
void peers_entry_free(struct peers_owner *owner, struct peers_entry *entry);
void peers_entries_free(struct peers_owner *owner);
/** The entry as listeners see it, and as it is sent; both borrow from it. */
struct peers_record peers_entry_record(const struct peers_owner *owner,
				       const struct peers_entry *entry);
struct peers_wire_entry peers_entry_wire(const struct peers_entry *entry);

/** The owner with this name, or NULL. */
struct peers_owner *peers_owner_find(const struct peers *peers, const char *node);
/** Likewise, created if needed. @return NULL when there are PEERS_MAX_NODES, or memory is short */
struct peers_owner *peers_owner_get(struct peers *peers, const char *node);
void peers_owner_free(struct peers_owner *owner);
/** Free it unless it is up or has records. */
void peers_owner_release(struct peers_owner *owner);

/* --- peers.c --- */

/** Pass an event to the listeners. */
void peers_tell(struct peers *peers, const struct peers_event *event);
void peers_tell_record(struct peers *peers, enum peers_event_type type,
		       const struct peers_owner *owner, const struct peers_entry *entry);
/** Drop a peer's record, and tell the listeners. */
void peers_entry_drop(struct peers *peers, struct peers_owner *owner, struct peers_entry *entry);

/* --- peers_send.c --- */

/** There is something to send. */
void peers_flush_soon(struct peers *peers);
/** Mark an entry of ours as not sent, and remove the mark. */
void peers_mark(struct peers *peers, struct peers_entry *entry);
void peers_unmark(struct peers *peers, struct peers_entry *entry);
/** Free deleted records whose deletion was not sent; a sync must follow. */
void peers_forget_deleted(struct peers *peers);
/** Send all records again. */
void peers_sync_soon(struct peers *peers);
/** Queue another message; msg's bytes are copied. @return 0, ENOBUFS or ENOMEM */
int peers_send(struct peers *peers, const struct peers_msg *msg);
/** The transport is gone: drop everything that is queued, but keep the marks. */
void peers_send_reset(struct peers *peers);

/* --- peers_receive.c --- */

/** Count what a peer sent and we refuse; log it unless *complained is set already. */
void peers_complain(struct peers_owner *owner, bool *complained, const char *what);
/** Whether this is our name in the group. */
bool peers_is_local(const struct peers *peers, const char *node);
/** We need a sync of this peer: ask for it if none comes. */
void peers_expect_sync(struct peers_owner *owner);

/* --- peers_beat.c --- */

/** Handle a received beat. */
void peers_take_beat(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
/** Some other message was received: it shows that the peer is alive. */
void peers_take_sign(struct peers *peers, struct peers_owner *from);

/* --- peers_handover.c --- */

/** A peer has disappeared: keep its records for the hand-over time. */
void peers_orphan(struct peers_owner *owner);
/** A peer was restarted: hand back its records, or drop them. */
void peers_restarted(struct peers_owner *owner);
/** This owner has the record now: drop orphans of it, and do not hand it back to anybody else. */
void peers_supersede(struct peers *peers, const struct peers_owner *by, const uint8_t *id,
		     size_t id_len);
/** Handle RETURN and RETURNED. */
void peers_take_return(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
void peers_take_returned(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
/** Check whether hand-over has ended. */
void peers_handover_check(struct peers *peers);
/** We have joined: from now on others may hand back records. */
void peers_handover_begin(struct peers *peers);
void peers_handover_free(struct peers *peers);
/** PEERS_HANDOVER_WAIT is over. */
void peers_on_handover_wait(void *private_data);

/* --- peers_command.c --- */

/** Handle COMMAND and REPLY. */
void peers_take_command(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
void peers_take_reply(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
/** A node has disappeared (NULL: all): end our commands to it, and drop its unanswered ones. */
void peers_commands_lost(struct peers *peers, const char *node);
void peers_commands_free(struct peers *peers);

#endif
