/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peers as JSON, for witnessctl status. */
#include "witnessd/cluster/peers_private.h"

#include "witnessd/util/text_json.h"

static json_t *owner_json(const struct peers_owner *owner)
{
	return json_pack("{s:o, s:b, s:b, s:I, s:I}", "node", text_json(owner->node), "up",
			 owner->up, "synced", owner->synced, "records", (json_int_t)owner->num,
			 "bytes", (json_int_t)owner->bytes);
}

json_t *peers_status_json(const struct peers *peers)
{
	json_t *list = json_array();

	for (const struct peers_owner *owner = peers->owners; owner != NULL;
	     owner = owner->hh.next) {
		json_array_append_new(list, owner_json(owner));
	}
	return json_pack("{s:o, s:b, s:I, s:{s:I, s:I, s:I}, s:b, s:o, s:I, s:I, s:I, s:I, s:I}",
			 "local", text_json(peers->local), "joined", peers->joined, "incarnation",
			 (json_int_t)peers->incarnation, "own", "records",
			 (json_int_t)peers->own.num, "bytes", (json_int_t)peers->own.bytes,
			 "unsent", (json_int_t)peers->num_unsent, "handover_pending",
			 peers->handover_pending, "peers", list, "sent",
			 (json_int_t)peers->num_sent, "received", (json_int_t)peers->num_received,
			 "retries", (json_int_t)peers->num_retries, "resyncs",
			 (json_int_t)peers->num_resyncs, "refused", (json_int_t)peers->num_refused);
}
