/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of witnessctl(8) for the witness of another node, and theirs for this one. */
#include "witnessd/daemon_private.h"

#include <errno.h>

#include "witnessd/remote_ask.h"
#include "witnessd/util/log.h"
#include "witnessd/util/req.h"

/* --- from here --- */

struct forward_state {
	struct tevent_req *subreq; /* that is done; NULL: nobody was asked */
	char *why;                 /* then */
};

static void forward_answered(struct tevent_req *subreq);

static const struct cluster_node *find(const struct daemon *daemon, const char *name)
{
	const struct cluster_state *state = cluster_current(daemon->cluster);

	return state != NULL ? cluster_state_node_typed(state, name) : NULL;
}

/* The node that is meant. @return NULL with *err and *why */
static const struct cluster_node *meant(const struct daemon *daemon, TALLOC_CTX *mem_ctx,
					const json_t *request, int *err, char **why)
{
	const char *name = json_string_value(json_object_get(request, "node"));
	const struct cluster_node *node;

	if (name == NULL) {
		*err = EINVAL;
		*why = talloc_strdup(mem_ctx, "node: expected a name");
		return NULL;
	}
	node = find(daemon, name);
	if (node == NULL) {
		*err = ENODEV;
		*why = talloc_asprintf(mem_ctx, "the cluster has no node %s",
				       log_escape(mem_ctx, name));
	}
	return node;
}

static struct tevent_req *forward_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				       void *private_data, const json_t *request)
{
	const struct daemon *daemon = private_data;
	struct forward_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct forward_state);
	struct tevent_req *subreq;
	const struct cluster_node *node;
	json_t *named;
	int err = 0;

	if (req == NULL) {
		return NULL;
	}
	node = meant(daemon, state, request, &err, &state->why);
	if (node == NULL) {
		tevent_req_error(req, (uint64_t)err);
		return tevent_req_post(req, ev);
	}
	named = json_copy((json_t *)(uintptr_t)request);
	(void)json_object_set_new(named, "node", json_string(node->name)); /* as it writes it */
	subreq = remote_ask_send(state, ev, cluster_peers(daemon->cluster), node->name, named,
				 REMOTE_TIMEOUT_MS);
	json_decref(named);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, forward_answered, req);
	return req;
}

static void forward_answered(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct forward_state *state = tevent_req_data(req, struct forward_state);

	state->subreq = subreq;
	tevent_req_done(req);
}

static int forward_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, json_t **result, char **why)
{
	struct forward_state *state = tevent_req_data(req, struct forward_state);
	int err = req_errno(req);

	if (err == 0) {
		err = remote_ask_recv(state->subreq, mem_ctx, result, why);
		TALLOC_FREE(state->subreq);
	} else {
		*why = talloc_move(mem_ctx, &state->why);
	}
	tevent_req_received(req);
	return err;
}

static bool is_here(void *private_data, const char *node)
{
	const struct daemon *daemon = private_data;
	const struct cluster_node *found = find(daemon, node);

	return found != NULL && found->local;
}

/* --- for others --- */

static char *answer(void *private_data, TALLOC_CTX *mem_ctx, const char *from, const char *request,
		    size_t len)
{
	const struct daemon *daemon = private_data;
	char *excerpt = talloc_strndup(mem_ctx, request, len < 100 ? len : 100);

	log_info("Node %s has sent a command of its administrator: %s", from,
		 excerpt != NULL ? log_escape(mem_ctx, excerpt) : "");
	return control_server_answer(daemon->control, mem_ctx, request, len);
}

int daemon_remote_start(struct daemon *daemon)
{
	const struct control_elsewhere elsewhere = {
		.is_here = is_here,
		.send = forward_send,
		.recv = forward_recv,
		.private_data = daemon,
	};

	control_server_set_elsewhere(daemon->control, &elsewhere);
	return remote_serve_create(daemon, daemon->ev, cluster_peers(daemon->cluster), answer,
				   daemon, &daemon->remote);
}
