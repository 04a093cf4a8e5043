/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witnessctl force-unregister: end a registration, wherever in the cluster it is. The control socket
 * answers at once, so a command that another node has to carry out is asked about again: the same request
 * begins it, and then tells how far it is.
 */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/swn/replica.h"
#include "witnessd/util/text_json.h"

#define TIMEOUT_MS 5000U
#define KEEP_S     10 /* after the end, for who asks again */
#define MAX_ENDS   64U

/* One that another node was asked to end. */
struct daemon_end {
	struct qb_list_head link;
	struct daemon *daemon;
	struct swn_handle handle;
	const char *node;
	bool done;
	int err;
	struct tevent_timer *forget;
};

static int end_destructor(struct daemon_end *end)
{
	qb_list_del(&end->link);
	end->daemon->num_ends--;
	return 0;
}

static struct daemon_end *find_end(struct daemon *daemon, const struct swn_handle *handle)
{
	struct daemon_end *end;

	qb_list_for_each_entry (end, &daemon->ends, link) {
		if (memcmp(&end->handle, handle, sizeof(*handle)) == 0) {
			return end;
		}
	}
	return NULL;
}

static void on_forget(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		      void *private_data)
{
	talloc_free(talloc_get_type_abort(private_data, struct daemon_end));
}

static void end_answered(struct tevent_req *subreq)
{
	struct daemon_end *end = tevent_req_callback_data(subreq, struct daemon_end);

	end->err = peers_command_recv(subreq, NULL, NULL, NULL);
	end->done = true;
	talloc_free(subreq);
}

/* Ask its node. @return 0 or ENOMEM, EBUSY */
static int start_end(struct daemon *daemon, const struct swn_handle *handle, const char *node,
		     struct daemon_end **out)
{
	uint8_t key[SWN_REPLICA_KEY];
	struct daemon_end *end;
	struct tevent_req *subreq;

	if (daemon->num_ends >= MAX_ENDS) {
		return EBUSY;
	}
	end = talloc_zero(daemon, struct daemon_end);
	if (end == NULL) {
		return ENOMEM;
	}
	end->daemon = daemon;
	end->handle = *handle;
	qb_list_add_tail(&end->link, &daemon->ends);
	daemon->num_ends++;
	talloc_set_destructor(end, end_destructor);
	swn_replica_key(handle, key);
	end->node = talloc_strdup(end, node);
	end->forget = tevent_add_timer(daemon->ev, end,
				       tevent_timeval_current_ofs(TIMEOUT_MS / 1000 + KEEP_S, 0),
				       on_forget, end);
	subreq = peers_command_send(end, daemon->ev, cluster_peers(daemon->cluster), node,
				    PEERS_END_REGISTRATION, key, sizeof(key), TIMEOUT_MS);
	if (end->node == NULL || end->forget == NULL || subreq == NULL) {
		talloc_free(end);
		return ENOMEM;
	}
	tevent_req_set_callback(subreq, end_answered, end);
	*out = end;
	return 0;
}

static const char *end_error(int err)
{
	switch (err) {
	case ENOENT:
		return "has no such registration any more";
	case EHOSTUNREACH:
		return "is not reachable";
	case ETIMEDOUT:
		return "does not answer";
	case EOPNOTSUPP:
		return "runs a witnessd that cannot do that";
	default:
		return strerror(err);
	}
}

/* How far it is. @return 0, or what the other node said */
static int report(struct daemon_end *end, TALLOC_CTX *mem_ctx, json_t **result, char **why)
{
	int err = end->done ? end->err : 0;

	if (err != 0) {
		*why = talloc_asprintf(mem_ctx, "the witness of node %s %s", end->node,
				       end_error(err));
	} else {
		*result = json_pack("{s:b, s:o}", "done", end->done, "node", text_json(end->node));
		err = *result != NULL ? 0 : ENOMEM;
	}
	if (end->done) {
		talloc_free(end);
	}
	return err;
}

static int end_elsewhere(struct daemon *daemon, TALLOC_CTX *mem_ctx,
			 const struct swn_handle *handle, json_t **result, char **why)
{
	struct daemon_end *end = find_end(daemon, handle);
	struct peers_record record;
	uint8_t key[SWN_REPLICA_KEY];
	int err;

	if (end != NULL) {
		return report(end, mem_ctx, result, why);
	}
	swn_replica_key(handle, key);
	if (peers_find(cluster_peers(daemon->cluster), PEERS_REGISTRATION, key, sizeof(key),
		       &record) != 0) {
		*why = talloc_strdup(mem_ctx, "no witness of the cluster has this registration");
		return ENOENT;
	}
	if (record.orphan) {
		*why = talloc_asprintf(
			mem_ctx, "the witness of node %s is gone, and the registration with it",
			record.owner);
		return EHOSTUNREACH;
	}
	err = start_end(daemon, handle, record.owner, &end);
	return err != 0 ? err : report(end, mem_ctx, result, why);
}

void daemon_ends_free(struct daemon *daemon)
{
	struct daemon_end *end, *next;

	qb_list_for_each_entry_safe (end, next, &daemon->ends, link) {
		talloc_free(end);
	}
}

int daemon_end_command(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		       json_t **result, char **why)
{
	struct daemon *daemon = private_data;
	const char *text = json_string_value(json_object_get(request, "handle"));
	struct swn_handle handle = {.attributes = 0};

	if (text == NULL || guid_parse(text, &handle.uuid) != 0) {
		*why = talloc_strdup(mem_ctx,
				     "expected a handle as `witnessctl --json list` shows it");
		return EINVAL;
	}
	if (swn_service_end(daemon->swn, &handle) != 0) {
		return end_elsewhere(daemon, mem_ctx, &handle, result, why);
	}
	*result = json_pack("{s:b, s:o}", "done", 1, "node",
			    text_json(peers_local(cluster_peers(daemon->cluster))));
	return *result != NULL ? 0 : ENOMEM;
}
