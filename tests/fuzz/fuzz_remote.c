/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands of witnessctl between nodes: taken as a question (first byte even), or as the parts of an answer, each with
 * a length of two bytes before it. What was put together is as long as it said, and never too long.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/remote_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_question(const uint8_t *data, size_t size)
{
	uint8_t buf[PEERS_COMMAND_MAX];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	struct remote_question question;

	if (size > sizeof(buf) || remote_question_pull(data, size, &question) != 0) {
		return;
	}
	remote_question_push(&out, &question);
	if (out.err != 0 || out.len > size || memcmp(buf, data, out.len) != 0) {
		abort();
	}
}

static void check_part(const uint8_t *bytes, size_t len, const struct remote_part *part)
{
	uint8_t buf[PEERS_COMMAND_MAX];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};

	if (len > sizeof(buf)) {
		return;
	}
	remote_part_push(&out, part);
	if (out.err != 0 || out.len != len || memcmp(buf, bytes, len) != 0) {
		abort();
	}
}

static void check_answer(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct pack_in in = {.p = data, .left = size};
	struct remote_whole whole = {0};
	struct remote_part part;

	while (in.left > 0 && !remote_whole_complete(&whole)) {
		size_t len = unpack_u16(&in);
		const uint8_t *bytes = unpack_bytes(&in, len);

		if (bytes == NULL || remote_part_pull(bytes, len, &part) != 0) {
			break;
		}
		check_part(bytes, len, &part);
		if (remote_whole_add(mem_ctx, &whole, &part) != 0) {
			break;
		}
	}
	if (whole.len > whole.total || whole.total > REMOTE_ANSWER_MAX ||
	    talloc_get_size(whole.text) != whole.total) {
		abort();
	}
	talloc_free(mem_ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] % 2 == 0) {
		check_question(data + 1, size - 1);
	} else if (size > 0) {
		check_answer(data + 1, size - 1);
	}
	return 0;
}
