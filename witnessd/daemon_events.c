/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `witnessctl events`: what this witness and the others have to tell, while it is fetched. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/control/array.h"
#include "witnessd/journal_hub.h"
#include "witnessd/journal_share.h"
#include "witnessd/swn/select.h"
#include "witnessd/util/text_json.h"

struct event_cursor {
	const struct journal_hub *hub;
	uint64_t pos, upto;
	const char *pattern;
};

static bool fill_events(void *cursor, char **text)
{
	struct event_cursor *at = talloc_get_type_abort(cursor, struct event_cursor);

	return journal_hub_next(at->hub, &at->pos, at->upto, at->pattern, text);
}

/* {"after": NUMBER of the row, "node": PATTERN}: {"last", "lost", "nodes": [...], "events": [...]} */
int daemon_cmd_events(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      struct control_stream *out, char **why)
{
	const struct daemon *daemon = private_data;
	json_int_t after = json_integer_value(json_object_get(request, "after"));
	const char *pattern = json_string_value(json_object_get(request, "node"));
	json_t *select_json = pattern != NULL ? json_pack("{s:s}", "node", pattern) : NULL;
	struct swn_select select = {.node = NULL};
	struct event_cursor *at = talloc_zero(mem_ctx, struct event_cursor);
	char *head;
	int err = at == NULL ? ENOMEM : swn_select_parse(at, select_json, &select, why);

	json_decref(select_json);
	if (err == 0) {
		err = swn_select_check(mem_ctx, &select, daemon->swn, why);
	}
	if (err != 0) {
		return err;
	}
	journal_hub_look(daemon->hub);
	at->hub = daemon->hub;
	at->pattern = select.node;
	at->upto = journal_hub_last(daemon->hub);
	at->pos = after > 0 ? (uint64_t)after : 0;
	head = text_json_open(mem_ctx,
			      json_pack("{s:I, s:I, s:o}", "last", (json_int_t)at->upto, "lost",
					(json_int_t)journal_hub_lost(daemon->hub, at->pos), "nodes",
					journal_hub_nodes_json(daemon->hub, select.node)));
	if (head == NULL) {
		return ENOMEM;
	}
	return control_array(mem_ctx, fill_events, at,
			     talloc_asprintf(mem_ctx, "%s,\"events\":[", head), "]}", out);
}

int daemon_events_start(struct daemon *daemon)
{
	int err = journal_create(daemon, daemon->cluster, daemon->swn, &daemon->journal);

	if (err == 0) {
		err = journal_share_create(daemon, daemon->ev, cluster_peers(daemon->cluster),
					   daemon->journal, &daemon->share);
	}
	return err != 0 ? err
			: journal_hub_create(daemon, daemon->ev, daemon->cluster, daemon->journal,
					     &daemon->hub);
}
