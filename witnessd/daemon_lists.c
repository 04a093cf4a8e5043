/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers that may be long, and are made while witnessctl fetches them. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/cluster/conn_list.h"
#include "witnessd/control/array.h"
#include "witnessd/swn/orders.h"
#include "witnessd/swn/select.h"
#include "witnessd/util/text_append.h"
#include "witnessd/util/text_json.h"

#define LINES_AT_ONCE 50U /* some 20 KB, in about a millisecond */

/* --- registrations --- */

static void append_found(void *private_data, const struct swn_found *found)
{
	char **text = private_data;

	*text = text_json_append(text_append(*text, ","), swn_found_json(found));
}

static bool fill_list(void *cursor, char **text)
{
	return swn_walk_next(talloc_get_type_abort(cursor, struct swn_walk), LINES_AT_ONCE,
			     append_found, text);
}

/* {"select": {...}}: what is empty selects all. */
int daemon_cmd_list(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		    struct control_stream *out, char **why)
{
	const struct daemon *daemon = private_data;
	struct swn_select select = {.all = false};
	struct swn_walk *walk = NULL;
	int err = swn_select_parse(mem_ctx, json_object_get(request, "select"), &select, why);

	if (err == 0) {
		err = swn_select_check(mem_ctx, &select, daemon->swn, why);
	}
	if (err == 0) {
		err = swn_walk_create(mem_ctx, daemon->swn, &select, &walk);
	}
	return err != 0 ? err : control_array(mem_ctx, fill_list, walk, "[", "]", out);
}

/* --- connections --- */

static bool fill_connections(void *cursor, char **text)
{
	return conn_list_next(talloc_get_type_abort(cursor, struct conn_list), LINES_AT_ONCE, text);
}

int daemon_cmd_connections(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			   struct control_stream *out, char **why)
{
	const struct daemon *daemon = private_data;
	struct conn_list *list = NULL;
	int err;

	if (daemon->conntrack == NULL) {
		return daemon_no_tickles(mem_ctx, why);
	}
	err = conn_list_create(mem_ctx, cluster_peers(daemon->cluster), &list);
	return err != 0 ? err : control_array(mem_ctx, fill_connections, list, "[", "]", out);
}

/* --- orders --- */

struct order_cursor {
	const struct swn_orders *orders;
	uint64_t id;
	size_t pos;
};

static bool fill_clients(void *cursor, char **text)
{
	struct order_cursor *at = talloc_get_type_abort(cursor, struct order_cursor);

	return swn_orders_clients(at->orders, at->id, &at->pos, text);
}

static bool fill_nothing(void *cursor, char **text)
{
	return false;
}

/* How far it is, and once it is done its clients. */
int daemon_order_answer(const struct daemon *daemon, TALLOC_CTX *mem_ctx, uint64_t id,
			struct control_stream *out, char **why)
{
	struct order_cursor *at = talloc_zero(mem_ctx, struct order_cursor);
	json_t *json = NULL;
	char *head;
	bool done;
	int err = at == NULL ? ENOMEM : swn_orders_status(daemon->orders, mem_ctx, id, &json, why);

	if (err != 0) {
		return err;
	}
	at->orders = daemon->orders;
	at->id = id;
	done = json_is_true(json_object_get(json, "done"));
	head = text_json_open(mem_ctx, json);
	if (head == NULL) {
		return ENOMEM;
	}
	return control_array(mem_ctx, done ? fill_clients : fill_nothing, at,
			     done ? talloc_asprintf(mem_ctx, "%s,\"clients\":[", head) : head,
			     done ? "]}" : "}", out);
}
