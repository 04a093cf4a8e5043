/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/journal_wire.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/text_json.h"

static const char *const key_names[JOURNAL_NUM_KEYS] = {
	[JOURNAL_EVENT] = "event",   [JOURNAL_TYPE] = "type",   [JOURNAL_TOLD] = "told",
	[JOURNAL_CLIENT] = "client", [JOURNAL_SHARE] = "share", [JOURNAL_GROUP] = "group",
	[JOURNAL_NAME] = "name",     [JOURNAL_FROM] = "from",   [JOURNAL_TO] = "to",
	[JOURNAL_WHY] = "why",
};

/* --- entries --- */

/* How much of a text is kept: not half a character of UTF-8. */
static size_t kept(const char *text)
{
	size_t len = strnlen(text, JOURNAL_TEXT_MAX + 1);

	if (len <= JOURNAL_TEXT_MAX) {
		return len;
	}
	len = JOURNAL_TEXT_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
		len--;
	}
	return len;
}

size_t journal_entry_pack(const struct journal_entry *entry, uint8_t buf[JOURNAL_ENTRY_MAX])
{
	struct pack_out out = {.p = buf, .size = JOURNAL_ENTRY_MAX};

	pack_u64(&out, entry->time_us);
	pack_ip(&out, &entry->ip);
	pack_u8(&out, entry->has_handle);
	if (entry->has_handle) {
		pack_bytes(&out, entry->handle.b, sizeof(entry->handle.b));
	}
	for (uint8_t key = 1; key < JOURNAL_NUM_KEYS; key++) {
		const char *text = entry->texts[key];
		size_t len = text != NULL ? kept(text) : 0;

		if (text != NULL) {
			pack_u8(&out, key);
			pack_u16(&out, (uint16_t)len);
			pack_bytes(&out, text, len);
		}
	}
	return out.len; /* all of it always fits */
}

int journal_entry_unpack(TALLOC_CTX *mem_ctx, const uint8_t *bytes, size_t len,
			 struct journal_entry *entry)
{
	struct pack_in in = {.p = bytes, .left = len};
	struct journal_entry got = {.time_us = unpack_u64(&in)};
	uint8_t has_handle;

	got.ip = unpack_ip(&in);
	has_handle = unpack_u8(&in);
	if (has_handle == 1) {
		const uint8_t *guid = unpack_bytes(&in, sizeof(got.handle.b));

		if (guid != NULL) {
			memcpy(got.handle.b, guid, sizeof(got.handle.b));
		}
		got.has_handle = true;
	} else if (has_handle != 0) {
		return EBADMSG;
	}
	while (in.err == 0 && in.left > 0) {
		uint8_t key = unpack_u8(&in);
		char *text = unpack_text(&in, mem_ctx, JOURNAL_TEXT_MAX);

		if (key > 0 && key < JOURNAL_NUM_KEYS && got.texts[key] == NULL) {
			got.texts[key] = text;
		}
	}
	if (in.err == 0 && (got.texts[JOURNAL_EVENT] == NULL || len > JOURNAL_ENTRY_MAX)) {
		return EBADMSG;
	}
	if (in.err == 0) {
		*entry = got;
	}
	return in.err;
}

bool journal_entry_keep(TALLOC_CTX *mem_ctx, uint8_t **place, const uint8_t *bytes, size_t len)
{
	if (talloc_get_size(*place) < len) {
		uint8_t *more = talloc_realloc(mem_ctx, *place, uint8_t, len);

		if (more == NULL) {
			return false;
		}
		*place = more;
	}
	memcpy(*place, bytes, len);
	return true;
}

static void set_text(json_t *json, const char *key, const char *text)
{
	(void)json_object_set_new(json, key, text_json(text));
}

json_t *journal_entry_json(const struct journal_entry *entry)
{
	json_t *json = json_object();
	char ip[IPADDR_STRLEN], guid[GUID_STRLEN];

	if (json == NULL) {
		return NULL;
	}
	(void)json_object_set_new(json, "time", json_real((double)entry->time_us / 1e6));
	if (entry->has_handle) {
		set_text(json, "handle", guid_format(&entry->handle, guid));
	}
	if (entry->ip.family != 0) {
		set_text(json, "address", ipaddr_format(&entry->ip, ip));
	}
	for (int key = 1; key < JOURNAL_NUM_KEYS; key++) {
		if (entry->texts[key] != NULL) {
			set_text(json, key_names[key], entry->texts[key]);
		}
	}
	return json;
}

/* --- messages --- */

void journal_ask_push(struct pack_out *out, const struct journal_ask *ask)
{
	pack_u64(out, ask->life);
	pack_u64(out, ask->after);
	pack_u16(out, ask->newest);
	pack_u32(out, ask->wait_ms);
}

int journal_ask_pull(const uint8_t *bytes, size_t len, struct journal_ask *ask)
{
	struct pack_in in = {.p = bytes, .left = len};
	struct journal_ask got = {.life = unpack_u64(&in)};

	got.after = unpack_u64(&in);
	got.newest = unpack_u16(&in);
	got.wait_ms = unpack_u32(&in);
	/* What may come behind it is of a later witnessd. */
	if (in.err == 0) {
		*ask = got;
	}
	return in.err;
}

void journal_answer_push(struct pack_out *out, const struct journal_answer *answer)
{
	pack_u64(out, answer->life);
	pack_u64(out, answer->upto);
	pack_u64(out, answer->lost);
	pack_u8(out, answer->more);
}

bool journal_answer_push_entry(struct pack_out *out, uint64_t number, const uint8_t *bytes,
			       size_t len)
{
	struct pack_out before = *out;

	pack_u64(out, number);
	pack_u16(out, (uint16_t)len);
	pack_bytes(out, bytes, len);
	if (out->err != 0) {
		*out = before;
		return false;
	}
	return true;
}

bool journal_answer_next(struct pack_in *entries, uint64_t *number, const uint8_t **bytes,
			 size_t *len)
{
	if (entries->left == 0 || entries->err != 0) {
		return false;
	}
	*number = unpack_u64(entries);
	*len = unpack_u16(entries);
	*bytes = unpack_bytes(entries, *len);
	if (entries->err == 0 && *len > JOURNAL_ENTRY_MAX) {
		entries->err = EBADMSG;
	}
	return entries->err == 0;
}

int journal_answer_pull(const uint8_t *bytes, size_t len, struct journal_answer *answer)
{
	struct pack_in in = {.p = bytes, .left = len}, check;
	struct journal_answer got = {.life = unpack_u64(&in)};
	const uint8_t *entry;
	size_t entry_len;
	uint64_t number;

	got.upto = unpack_u64(&in);
	got.lost = unpack_u64(&in);
	got.more = unpack_u8(&in) != 0;
	got.entries = check = in;
	while (journal_answer_next(&check, &number, &entry, &entry_len)) {
	}
	if (check.err == 0) {
		*answer = got;
	}
	return check.err;
}
