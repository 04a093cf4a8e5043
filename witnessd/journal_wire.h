/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An entry of the journal, as it is kept and as it goes to other nodes, and the messages that carry it (PEERS_EVENTS),
 * in network order (util/pack.h). Pure.
 *
 *   ask      life u64, after u64, newest u16, wait u32 (ms)
 *   answer   life u64, upto u64, lost u64, more u8, { number u64, length u16, entry } ...
 *   entry    time u64 (us since 1970), address (pack_ip), handle u8 (0 or 1) and 16 bytes, { key u8, text } ...
 *
 * Keys that are not known are skipped: new ones need no new version.
 */
#ifndef WITNESSD_JOURNAL_WIRE_H
#define WITNESSD_JOURNAL_WIRE_H

#include <jansson.h>
#include <stdbool.h>

#include "witnessd/util/guid.h"
#include "witnessd/util/pack.h"

#define JOURNAL_TEXT_MAX  400U /* bytes; longer texts lose their ends */
#define JOURNAL_ENTRY_MAX 4608U

/* Part of the wire format: numbers are never used again. */
enum journal_key {
	JOURNAL_EVENT = 1,
	JOURNAL_TYPE = 2, /* of a notification, which only these have */
	JOURNAL_TOLD = 3,
	JOURNAL_CLIENT = 4,
	JOURNAL_SHARE = 5,
	JOURNAL_GROUP = 6,
	JOURNAL_NAME = 7,
	JOURNAL_FROM = 8,
	JOURNAL_TO = 9,
	JOURNAL_WHY = 10,
	JOURNAL_NUM_KEYS = 11,
};

struct journal_entry {
	uint64_t time_us;
	struct ipaddr ip; /* family 0: none */
	bool has_handle;
	struct guid handle;
	const char *texts[JOURNAL_NUM_KEYS]; /* by key; NULL: none */
};

/** @return how many bytes */
size_t journal_entry_pack(const struct journal_entry *entry, uint8_t buf[JOURNAL_ENTRY_MAX]);
/** @return 0 with texts that are children of mem_ctx; EBADMSG; ENOMEM */
int journal_entry_unpack(TALLOC_CTX *mem_ctx, const uint8_t *bytes, size_t len,
			 struct journal_entry *entry);
/**
 * Keep bytes where others were, in the same memory if it is large enough.
 * @param place a child of mem_ctx, or NULL
 * @return whether there was memory
 */
bool journal_entry_keep(TALLOC_CTX *mem_ctx, uint8_t **place, const uint8_t *bytes, size_t len);
/** {"event", "time", ...}; a new reference, NULL when memory is short */
json_t *journal_entry_json(const struct journal_entry *entry);

struct journal_ask {
	uint64_t life;    /* of the journal that .after is of; 0: the first time */
	uint64_t after;   /* entries behind that number */
	uint16_t newest;  /* the first time: not more than the newest of them */
	uint32_t wait_ms; /* for news, if there is none */
};

#define JOURNAL_ASK_LEN 22U

/** Encode and decode a question. */
void journal_ask_push(struct pack_out *out, const struct journal_ask *ask);
/** @return 0 or EBADMSG */
int journal_ask_pull(const uint8_t *bytes, size_t len, struct journal_ask *ask);

struct journal_answer {
	uint64_t life;
	uint64_t upto; /* the last number that was looked at: ask for what is behind it next time */
	uint64_t lost; /* entries up to there that are no more */
	bool more;     /* there are some behind it */
	struct pack_in entries; /* pulled: for journal_answer_next() */
};

#define JOURNAL_ANSWER_HEAD 25U

/** Encode the head of an answer. */
void journal_answer_push(struct pack_out *out, const struct journal_answer *answer);
/** An entry behind it. @return false: it does not fit, and out is as it was */
bool journal_answer_push_entry(struct pack_out *out, uint64_t number, const uint8_t *bytes,
			       size_t len);
/** All entries are measured here, so that an answer counts as a whole or not at all. @return 0 or EBADMSG */
int journal_answer_pull(const uint8_t *bytes, size_t len, struct journal_answer *answer);
/** The next entry, borrowed. @return false at the end */
bool journal_answer_next(struct pack_in *entries, uint64_t *number, const uint8_t **bytes,
			 size_t *len);

#endif
