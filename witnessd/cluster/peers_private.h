/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the peers share. */
#ifndef WITNESSD_CLUSTER_PEERS_PRIVATE_H
#define WITNESSD_CLUSTER_PEERS_PRIVATE_H

#include <qb/qblist.h>

#include "witnessd/cluster/peers.h"
#include "witnessd/cluster/peers_wire.h"
#include "witnessd/util/hash.h"

#define PEERS_MAX_NODES     128U  /* CPG has no more in a group */
#define PEERS_MAX_WAITING   256U  /* messages that are no records and wait to be sent */
#define PEERS_MAX_REQUESTS  1024U /* commands that wait for their replies */
#define PEERS_MAX_CALLS     256U  /* commands of one peer that have not been answered */
#define PEERS_BURST         16U   /* messages in one turn of the event loop */
#define PEERS_RETRY_MIN_MS  5U    /* after EAGAIN; doubles */
#define PEERS_RETRY_MAX_MS  50U
#define PEERS_SYNC_WAIT_MS  2000U /* silence after which an unsynced peer is asked */
#define PEERS_RETURN_MS     200U  /* between the turns of peers that hand the same records back */
#define PEERS_HANDOVER_WAIT 5000U /* ms after the start in which we wait to be handed back */

/* A record, of ours or of a peer. */
struct peers_entry {
	UT_hash_handle hh;
	struct qb_list_head link; /* own: unsent or sent; a peer's: returning, or nowhere */
	uint64_t version;
	uint32_t round; /* a peer's: of the last sync that it came with */
	bool unsent;    /* own */
	bool deleted;   /* own: to be told, then freed */
	bool returning; /* a peer's: of its former life, to be handed back */
	size_t value_len;
	uint8_t *value; /* a child; NULL when empty */
	size_t id_len;
	uint8_t id[]; /* kind, then key */
};

/* A node that has records: we, or a peer. */
struct peers_owner {
	UT_hash_handle hh;
	struct peers *peers;
	const char *node;
	struct peers_entry *entries;
	struct peers_entry *former; /* of a former life, to be handed back: .returning */
	size_t num;                 /* deleted ones, too */
	uint64_t bytes;

	bool up;
	bool gone;     /* vanished; what it has are orphans until its next sync */
	bool synced;   /* all that it has is here */
	bool returned; /* it has no more to hand back to us */
	bool refused_version, refused_limit, refused_garbage; /* has been logged */
	uint64_t incarnation;                                 /* 0: not heard of */
	uint64_t sequence; /* of its last message; 0: none since it is up */
	uint32_t sync;     /* under way, or the last one: its number in this life of the peer */
	uint32_t round;    /* syncs begun, of all its lives */
	bool syncing;
	unsigned int num_calls;
	struct qb_list_head returning;
	bool return_due; /* our turn has come; RETURNED follows the last */
	struct wheel_timer expire_timer, sync_timer, return_timer;
};

/* A message that is no record, on its way out. */
struct peers_waiting {
	struct qb_list_head link;
	struct peers_msg msg;
	uint8_t *bytes; /* of msg; a child */
};

struct peers_listener {
	enum peers_kind kind;
	peers_listen_fn fn; /* NULL: free place */
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
	const char *local; /* NULL: has never joined */
	bool joined;
	uint64_t incarnation, version, sequence;

	/* Ours. own.node is NULL before we have a name. */
	struct peers_owner own;
	struct qb_list_head sent, unsent; /* entries of own */
	struct qb_list_head sync_end;     /* in unsent: END goes out where it stands */
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

/** Now of the owner's former life. @return 0, or ENOMEM with the entry freed */
int peers_entry_make_former(struct peers_owner *owner, struct peers_entry *entry);
struct peers_entry *peers_former_find(const struct peers_owner *owner, const uint8_t *id,
				      size_t id_len);
/** A kind with a key, as the tables have it. @return length, or 0 when it does not fit */
size_t peers_id(uint8_t id[1 + PEERS_KEY_MAX], uint8_t kind, const void *key, size_t key_len);
struct peers_entry *peers_entry_find(const struct peers_owner *owner, const uint8_t *id,
				     size_t id_len);
/** Add, or give a new value. @return 0 with *entry; ENOSPC; ENOMEM: nothing has changed */
int peers_entry_set(struct peers *peers, struct peers_owner *owner, const uint8_t *id,
		    size_t id_len, const uint8_t *value, size_t value_len,
		    struct peers_entry **entry);
/** Take it out and free it. */
void peers_entry_free(struct peers_owner *owner, struct peers_entry *entry);
void peers_entries_free(struct peers_owner *owner);
struct peers_record peers_entry_record(const struct peers_owner *owner,
				       const struct peers_entry *entry);
struct peers_wire_entry peers_entry_wire(const struct peers_entry *entry);

struct peers_owner *peers_owner_find(const struct peers *peers, const char *node);
/** @return NULL when there are PEERS_MAX_NODES, or memory is short */
struct peers_owner *peers_owner_get(struct peers *peers, const char *node);
void peers_owner_free(struct peers_owner *owner);
/** Free it unless it is up or has records. */
void peers_owner_release(struct peers_owner *owner);

/* --- peers.c --- */

void peers_tell(struct peers *peers, const struct peers_event *event);
void peers_tell_record(struct peers *peers, enum peers_event_type type,
		       const struct peers_owner *owner, const struct peers_entry *entry);
/** A peer's record goes, and listeners hear of it. */
void peers_entry_drop(struct peers *peers, struct peers_owner *owner, struct peers_entry *entry);

/* --- peers_send.c --- */

/** There is something to send. */
void peers_flush_soon(struct peers *peers);
/** Own: the entry is news. */
void peers_mark(struct peers *peers, struct peers_entry *entry);
void peers_unmark(struct peers *peers, struct peers_entry *entry);
/** Free what was deleted and has not been told; a sync must follow. */
void peers_forget_deleted(struct peers *peers);
/** All records go out again. */
void peers_sync_soon(struct peers *peers);
/** Another message; msg's bytes are copied. @return 0, ENOBUFS or ENOMEM */
int peers_send(struct peers *peers, const struct peers_msg *msg);
/** The transport is gone: nothing waits any more but what is marked. */
void peers_send_reset(struct peers *peers);

/* --- peers_receive.c --- */

/** Whether this is our name in the group. */
bool peers_is_local(const struct peers *peers, const char *node);
/** A sync of this peer is overdue: ask for it if nothing comes. */
void peers_expect_sync(struct peers_owner *owner);

/* --- peers_beat.c --- */

void peers_take_beat(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
/** Some other message has come. */
void peers_take_sign(struct peers *peers, struct peers_owner *from);

/* --- peers_handover.c --- */

/** A peer has vanished: its records wait. */
void peers_orphan(struct peers_owner *owner);
/** A peer was started anew: what it had goes back to it, or goes. */
void peers_restarted(struct peers_owner *owner);
/** This owner has the record now: whoever has vanished with it, or is to get it back, does not. */
void peers_supersede(struct peers *peers, const struct peers_owner *by, const uint8_t *id,
		     size_t id_len);
void peers_take_return(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
void peers_take_returned(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
/** Look whether hand-over is over. */
void peers_handover_check(struct peers *peers);
/** We have joined: from now on others may hand back. */
void peers_handover_begin(struct peers *peers);
void peers_handover_free(struct peers *peers);
void peers_on_handover_wait(void *private_data);

/* --- peers_command.c --- */

void peers_take_command(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
void peers_take_reply(struct peers *peers, struct peers_owner *from, struct peers_msg *msg);
/** A node has vanished (NULL: all have): nobody answers from there, and nobody waits there. */
void peers_commands_lost(struct peers *peers, const char *node);
void peers_commands_free(struct peers *peers);

#endif
