/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The messages between witnessds, in network byte order (util/pack.h). Pure: no sockets, no state.
 *
 *   header   magic u32 "WITP", version u8, type u8, reserved u16 (0), incarnation u64, sequence u64
 *   BEGIN    sync u32                 all records of the sender follow ...
 *   RECORDS  entries                  changes, or a part of all records
 *   END      sync u32                 ... and those not received since BEGIN no longer exist
 *   RETURN   node, entries            records that the node owned before it was restarted
 *   RETURNED node                     the sender has no more to return to it
 *   REQUEST  node                     asks it to send everything again
 *   COMMAND  node, id u64, verb u8, bytes
 *   REPLY    node, id u64, status u8, bytes
 *   BEAT     interval u32 (ms), opinions
 *
 *   entry    op u8 (1 put, 2 delete), kind u8, key length u8, key, version u64,
 *            and for put: value length u16, value
 *   opinion  say u8 (suspicion.h), node
 *   node     text: length u16 and that many bytes, without NUL
 *
 * A receiver refuses other versions, and skips unknown types and kinds, so that new ones need no new
 * version.
 */
#ifndef WITNESSD_CLUSTER_PEERS_WIRE_H
#define WITNESSD_CLUSTER_PEERS_WIRE_H

#include "witnessd/cluster/peers.h"
#include "witnessd/util/pack.h"

#define PEERS_WIRE_MAGIC   0x57495450U
#define PEERS_WIRE_VERSION 1U
#define PEERS_WIRE_HEADER  24U

enum peers_msg_type {
	PEERS_MSG_BEGIN = 1,
	PEERS_MSG_RECORDS = 2,
	PEERS_MSG_END = 3,
	PEERS_MSG_RETURN = 4,
	PEERS_MSG_RETURNED = 5,
	PEERS_MSG_REQUEST = 6,
	PEERS_MSG_COMMAND = 7,
	PEERS_MSG_REPLY = 8,
	PEERS_MSG_BEAT = 9,
};

struct peers_msg {
	uint8_t type; /* enum peers_msg_type, or an unknown one */
	uint64_t incarnation, sequence;
	uint32_t sync;                 /* BEGIN, END */
	char node[PEERS_NODE_MAX + 1]; /* RETURN, RETURNED, REQUEST, COMMAND, REPLY */
	uint64_t id;                   /* COMMAND, REPLY */
	uint8_t verb;                  /* COMMAND */
	int err;                       /* REPLY: an errno */
	uint32_t interval_ms;          /* BEAT */
	const uint8_t *bytes;          /* COMMAND, REPLY; BEAT: its opinions; borrowed */
	size_t len;
	struct pack_in entries; /* RECORDS, RETURN: for peers_wire_entry() */
};

struct peers_wire_entry {
	bool put;
	uint8_t kind;
	const uint8_t *key; /* borrowed from the message, like value */
	size_t key_len;
	uint64_t version;
	const uint8_t *value;
	size_t value_len;
};

/**
 * Take a message apart. All entries are checked here, so that a message counts as a whole or not at all.
 * @return 0; EBADMSG; EPROTONOSUPPORT (another version) with only that known
 */
int peers_wire_pull(const uint8_t *bytes, size_t len, struct peers_msg *msg);

/** The next entry. @return false at the end */
bool peers_wire_entry(struct pack_in *entries, struct peers_wire_entry *entry);

/* An opinion about a node in a beat. */
struct peers_wire_opinion {
	uint8_t say; /* enum suspicion_say, or an unknown one */
	char node[PEERS_NODE_MAX + 1];
};

/** The next opinion of a beat, from msg.bytes. @return false at the end, or with .err set */
bool peers_wire_opinion(struct pack_in *in, struct peers_wire_opinion *opinion);
void peers_wire_push_opinion(struct pack_out *out, uint8_t say, const char *node);

/** Encode a message, or its part before the entries; out->err becomes EMSGSIZE when it is full. */
void peers_wire_push(struct pack_out *out, const struct peers_msg *msg);

/** Append an entry. @return 0, or EMSGSIZE with out unchanged: it goes into the next message */
int peers_wire_push_entry(struct pack_out *out, const struct peers_wire_entry *entry);

#endif
