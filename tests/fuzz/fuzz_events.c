/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a witness of another node asks and answers about events: taken as a question (first byte even) or as an
 * answer. Entries that can be read must be JSON, and the same when they are written and read again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/journal_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ask(const uint8_t *data, size_t size)
{
	uint8_t buf[JOURNAL_ASK_LEN];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	struct journal_ask ask;

	if (journal_ask_pull(data, size, &ask) != 0) {
		return;
	}
	journal_ask_push(&out, &ask);
	if (out.err != 0 || memcmp(buf, data, sizeof(buf)) != 0) {
		abort();
	}
}

static void check_entry(TALLOC_CTX *mem_ctx, const uint8_t *bytes, size_t len)
{
	struct journal_entry entry, again;
	uint8_t buf[JOURNAL_ENTRY_MAX];
	json_t *json, *json_again;

	if (journal_entry_unpack(mem_ctx, bytes, len, &entry) != 0) {
		return;
	}
	if (journal_entry_unpack(mem_ctx, buf, journal_entry_pack(&entry, buf), &again) != 0) {
		abort();
	}
	json = journal_entry_json(&entry);
	json_again = journal_entry_json(&again);
	if (json_string_value(json_object_get(json, "event")) == NULL ||
	    !json_equal(json, json_again)) {
		abort();
	}
	json_decref(json);
	json_decref(json_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct journal_answer answer;
	const uint8_t *entry;
	uint64_t number;
	size_t len;

	if (size > 0 && data[0] % 2 == 0) {
		check_ask(data + 1, size - 1);
	} else if (size > 0 && journal_answer_pull(data + 1, size - 1, &answer) == 0) {
		while (journal_answer_next(&answer.entries, &number, &entry, &len)) {
			check_entry(mem_ctx, entry, len);
		}
		if (answer.entries.err != 0) {
			abort();
		}
	}
	talloc_free(mem_ctx);
	return 0;
}
