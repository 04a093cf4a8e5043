/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command of witnessctl on its way to the witness of another node, and the answer (PEERS_CONTROL), in network order
 * (util/pack.h). Both are JSON, as on the control socket. Pure.
 *
 *   ask      1 u8, request
 *   more     2 u8, answer 16 bytes, offset u32
 *   part     answer 16 bytes, total u32, some of its bytes
 *
 * An answer that is longer than a message is fetched part by part. Each has a random number, so that no parts of two
 * get mixed up, whatever has been started anew meanwhile.
 */
#ifndef WITNESSD_REMOTE_WIRE_H
#define WITNESSD_REMOTE_WIRE_H

#include <talloc.h>

#include "witnessd/cluster/peers.h"
#include "witnessd/util/guid.h"
#include "witnessd/util/pack.h"

#define REMOTE_REQUEST_MAX (PEERS_COMMAND_MAX - 1U)
#define REMOTE_ANSWER_MAX  (1024U * 1024U) /* bytes; the status of 128 nodes has some 100 KiB */
#define REMOTE_PART_HEAD   20U
#define REMOTE_PART_MAX    (PEERS_COMMAND_MAX - REMOTE_PART_HEAD)
#define REMOTE_MORE_LEN    21U

/* Part of the wire format: numbers are never used again. */
enum remote_op {
	REMOTE_ASK = 1,
	REMOTE_MORE = 2,
};

struct remote_question {
	enum remote_op op;
	const uint8_t *request; /* ASK: text without an end, borrowed */
	size_t len;
	struct guid answer; /* MORE */
	uint32_t offset;
};

/** Encode and decode a question. */
void remote_question_push(struct pack_out *out, const struct remote_question *question);
/** @return 0 or EBADMSG */
int remote_question_pull(const uint8_t *bytes, size_t len, struct remote_question *question);

struct remote_part {
	struct guid answer;
	uint32_t total;
	const uint8_t *bytes; /* borrowed */
	size_t len;
};

/** Encode and decode a part of an answer. */
void remote_part_push(struct pack_out *out, const struct remote_part *part);
/** @return 0 or EBADMSG: also for a part of nothing, or one that is longer than the whole may be */
int remote_part_pull(const uint8_t *bytes, size_t len, struct remote_part *part);

/* An answer of which parts have come; all zero before the first. */
struct remote_whole {
	struct guid answer;
	uint32_t total, len;
	char *text; /* without an end */
};

/**
 * The next part goes behind those that are there.
 * @param mem_ctx parent of the text
 * @return 0; EBADMSG: it is of another answer, or too long; ENOMEM
 */
int remote_whole_add(TALLOC_CTX *mem_ctx, struct remote_whole *whole,
		     const struct remote_part *part);

/** Whether all of it is there. */
bool remote_whole_complete(const struct remote_whole *whole);

#endif
