/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/cluster_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/cluster/overlay.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_append.h"

#define DEFAULT_HANDOVER_S 60U /* until the configuration says otherwise */

static const char *const event_type_names[] = {
	[CLUSTER_ADDR_LOST] = "address lost",       [CLUSTER_ADDR_BACK] = "address back",
	[CLUSTER_ADDR_MOVED] = "address moved",     [CLUSTER_ADDR_ADDED] = "address added",
	[CLUSTER_ADDR_REMOVED] = "address removed", [CLUSTER_NODE_UP] = "node up",
	[CLUSTER_NODE_DOWN] = "node down",          [CLUSTER_NODE_DRAINING] = "node draining",
	[CLUSTER_SHARE_MOVED] = "share moved",      [CLUSTER_NAMES_CHANGED] = "net names changed",
	[CLUSTER_QUORUM_GAINED] = "quorum gained",  [CLUSTER_QUORUM_LOST] = "quorum lost",
	[CLUSTER_INTENT] = "move asked for",        [CLUSTER_FRESH] = "state is fresh",
	[CLUSTER_STALE] = "state is stale",
};

const char *cluster_event_type_name(enum cluster_event_type type)
{
	if ((size_t)type >= sizeof(event_type_names) / sizeof(event_type_names[0])) {
		return "invalid";
	}
	return event_type_names[type];
}

/* " label value", or nothing when there is no value. */
static char *add_word(char *line, const char *label, const char *value)
{
	if (line == NULL || value == NULL) {
		return line;
	}
	return text_append(line, " %s%s", label, log_escape(line, value));
}

static void log_event(const struct cluster_event *event, const char *reason)
{
	char ip[IPADDR_STRLEN];
	char *line = talloc_strdup(NULL, cluster_event_type_name(event->type));

	if (event->ip.family != 0) {
		line = add_word(line, "", ipaddr_format(&event->ip, ip));
	}
	line = add_word(line, "", event->name);
	if (event->intent != NULL) {
		line = add_word(line, "", event->intent->what);
	}
	line = add_word(line, "from ", event->from);
	line = add_word(line, "to ", event->to);
	line = add_word(line, "group ", event->group);
	line = add_word(line, "why: ", reason);
	if (event->type == CLUSTER_STALE || event->type == CLUSTER_QUORUM_LOST) {
		log_warn("cluster: %s", line != NULL ? line : "event");
	} else {
		log_notice("cluster: %s", line != NULL ? line : "event");
	}
	talloc_free(line);
}

static void tell(struct cluster *cluster, const struct cluster_event *event, const char *reason)
{
	log_event(event, reason);
	/* By index and from the cluster each time: a listener may add another one. */
	for (size_t i = 0; i < cluster->num_listeners; i++) {
		struct cluster_listener listener = cluster->listeners[i];

		if (listener.fn != NULL) {
			listener.fn(listener.private_data, event, cluster->current);
		}
	}
}

/* --- who had an address last --- */

/* The table for a new state, made of what it says and of what was known before. @return 0 or ENOMEM */
static int make_last(TALLOC_CTX *mem_ctx, const struct cluster *cluster,
		     const struct cluster_state *state, const char ***out)
{
	const char **last = talloc_array(mem_ctx, const char *, state->num_addrs);

	if (last == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < state->num_addrs; i++) {
		const struct cluster_addr *addr = &state->addrs[i];
		const char *node = addr->node;

		if (node == NULL) {
			node = cluster_last_node(cluster, &addr->ip);
		}
		last[i] = node == NULL ? NULL : talloc_strdup(last, node);
		if (node != NULL && last[i] == NULL) {
			talloc_free(last);
			return ENOMEM;
		}
	}
	*out = last;
	return 0;
}

const char *cluster_last_node(const struct cluster *cluster, const struct ipaddr *ip)
{
	const struct cluster_addr *addr =
		cluster->current != NULL ? cluster_state_addr(cluster->current, ip) : NULL;

	return addr != NULL ? cluster->last[addr - cluster->current->addrs] : NULL;
}

/* --- the sink --- */

/* A node that is to be left is a move of all that it has, whatever its manager calls it. */
static void tell_draining(struct cluster *cluster, const char *node)
{
	const struct backend_intent intent = {
		.kind = BACKEND_INTENT_NODE,
		.what = node,
		.from = node,
		.why = "the node is to be left",
	};
	const struct cluster_event event = {
		.type = CLUSTER_INTENT, .from = node, .intent = &intent};

	tell(cluster, &event, intent.why);
}

/* Take over a checked snapshot; next and all that is no longer needed stay children of tmp. */
static int adopt(struct cluster *cluster, TALLOC_CTX *tmp, const struct cluster_state *next)
{
	struct cluster_state *effective = NULL;
	struct cluster_events events = {.list = NULL};
	const char **last = NULL;
	bool heals = cluster->stale && cluster->current != NULL;
	int err;

	err = cluster_diff(tmp, cluster->current, next, &effective, &events);
	if (err == 0) {
		err = make_last(tmp, cluster, effective, &last);
	}
	if (err != 0) {
		return err;
	}
	/* The events borrow from the state before: it goes when they have been told. */
	talloc_steal(tmp, cluster->current);
	talloc_steal(tmp, cluster->last);
	cluster->current = talloc_steal(cluster, effective);
	cluster->last = talloc_steal(cluster, last);
	cluster->stale = false;
	if (heals) {
		tell(cluster, &(struct cluster_event){.type = CLUSTER_FRESH}, NULL);
	}
	for (size_t i = 0; i < events.num; i++) {
		tell(cluster, &events.list[i], NULL);
		if (events.list[i].type == CLUSTER_NODE_DRAINING) {
			tell_draining(cluster, events.list[i].name);
		}
	}
	return 0;
}

static bool is_dead(const void *private_data, const char *node)
{
	return heartbeat_is_dead(private_data, node);
}

/* The same, but for what the peers know better. */
static int adopt_overlaid(struct cluster *cluster, TALLOC_CTX *tmp,
			  const struct cluster_state *manager)
{
	struct cluster_state *state = NULL;
	int err = cluster_overlay(tmp, manager, cluster->current, is_dead, cluster->heartbeat,
				  &state);

	return err != 0 ? err : adopt(cluster, tmp, state);
}

const struct cluster_state *cluster_manager(void *private_data)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	return cluster->stale ? NULL : cluster->manager;
}

void cluster_reconsider(void *private_data)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);
	TALLOC_CTX *tmp;
	int err;

	if (cluster->stale || cluster->manager == NULL) {
		return;
	}
	tmp = talloc_new(NULL);
	err = tmp == NULL ? ENOMEM : adopt_overlaid(cluster, tmp, cluster->manager);
	if (err != 0) {
		log_err("cluster: what the heartbeats say waits for the next snapshot: %s",
			strerror(err));
	}
	talloc_free(tmp);
}

static int take_snapshot(struct cluster *cluster, TALLOC_CTX *tmp, struct cluster_state *next)
{
	int err;

	if (cluster->heartbeat == NULL) {
		return adopt(cluster, tmp, next);
	}
	heartbeat_manager(cluster->heartbeat, next);
	err = adopt_overlaid(cluster, tmp, next);
	if (err == 0) {
		talloc_free(cluster->manager);
		cluster->manager = talloc_steal(cluster, next);
	}
	return err;
}

/* @return 0, EINVAL (with a line in the log), or ENOMEM */
static int check_and_take(struct cluster *cluster, TALLOC_CTX *tmp, struct cluster_state *next)
{
	char *why = NULL;
	int err = cluster_state_check(tmp, next, &why);

	if (err == EINVAL) {
		log_err("cluster: dropped an invalid snapshot: %s",
			why != NULL ? log_escape(tmp, why) : strerror(err));
	}
	if (err == 0 && cluster->naming != NULL) {
		err = naming_apply(cluster->naming, next);
	}
	return err != 0 ? err : take_snapshot(cluster, tmp, next);
}

static int sink_snapshot(void *private_data, struct cluster_state **state)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);
	TALLOC_CTX *tmp = talloc_new(NULL);
	int err = ENOMEM;

	/* Each step has tmp for a parent: without it nothing is begun. */
	if (tmp != NULL) {
		err = check_and_take(cluster, tmp, talloc_move(tmp, state));
	}
	TALLOC_FREE(*state);
	talloc_free(tmp);
	if (err != 0 && err != EINVAL) {
		log_err("cluster: dropped a snapshot, until it is told again: %s", strerror(err));
	}
	return err;
}

static void sink_intent(void *private_data, const struct backend_intent *intent)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);
	struct cluster_event event = {
		.type = CLUSTER_INTENT, .from = intent->from, .to = intent->to, .intent = intent};

	if (cluster->current == NULL || cluster->stale) {
		log_debug("cluster: no fresh state, ignored an intent");
		return;
	}
	tell(cluster, &event, intent->why);
}

static void sink_lost(void *private_data, const char *reason)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	if (cluster->stale) {
		return;
	}
	cluster->stale = true;
	if (cluster->current != NULL) {
		tell(cluster, &(struct cluster_event){.type = CLUSTER_STALE}, reason);
	}
}

/* --- the sink: peers --- */

static void sink_peers_joined(void *private_data, const char *local)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	log_notice("cluster: joined the witnesses as node %s", log_printable(local));
	peers_joined(cluster->peers, local);
}

static void sink_peers_left(void *private_data)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	log_warn("cluster: cut off from the witnesses of other nodes");
	peers_left(cluster->peers);
}

static void sink_peer_up(void *private_data, const char *node)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	if (!peers_is_up(cluster->peers, node)) {
		log_notice("cluster: witness of node %s joined", log_printable(node));
		peers_up(cluster->peers, node);
	}
}

static void sink_peer_down(void *private_data, const char *node)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	if (peers_is_up(cluster->peers, node)) {
		log_notice("cluster: witness of node %s left", log_printable(node));
		peers_down(cluster->peers, node);
	}
}

static void sink_message(void *private_data, const char *from, const uint8_t *bytes, size_t len)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	peers_message(cluster->peers, from, bytes, len);
}

/* --- the object --- */

/* Children of one parent have no order among them, and each of these uses the next. */
static int cluster_destructor(struct cluster *cluster)
{
	TALLOC_FREE(cluster->heartbeat);
	TALLOC_FREE(cluster->backend);
	TALLOC_FREE(cluster->peers);
	return 0;
}

int cluster_create_with(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct peers_config *config, struct cluster **out)
{
	struct cluster *cluster = talloc_zero(mem_ctx, struct cluster);
	int err;

	if (cluster == NULL) {
		return ENOMEM;
	}
	err = peers_create(cluster, ev, config, &cluster->peers);
	if (err != 0) {
		talloc_free(cluster);
		return err;
	}
	talloc_set_destructor(cluster, cluster_destructor);
	cluster->ev = ev;
	cluster->sink = (struct backend_sink){
		.private_data = cluster,
		.snapshot = sink_snapshot,
		.intent = sink_intent,
		.peers_joined = sink_peers_joined,
		.peers_left = sink_peers_left,
		.peer_up = sink_peer_up,
		.peer_down = sink_peer_down,
		.message = sink_message,
		.lost = sink_lost,
	};
	*out = cluster;
	return 0;
}

int cluster_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster **out)
{
	struct peers_config config = {.handover_timeout_s = DEFAULT_HANDOVER_S};

	return cluster_create_with(mem_ctx, ev, &config, out);
}

struct peers *cluster_peers(const struct cluster *cluster)
{
	return cluster->peers;
}

const struct backend_sink *cluster_sink(struct cluster *cluster)
{
	return &cluster->sink;
}

const struct cluster_state *cluster_current(const struct cluster *cluster)
{
	return cluster->current;
}

bool cluster_stale(const struct cluster *cluster)
{
	return cluster->stale;
}

int cluster_listen(struct cluster *cluster,
		   void (*fn)(void *private_data, const struct cluster_event *event,
			      const struct cluster_state *state),
		   void *private_data)
{
	struct cluster_listener *listeners = talloc_realloc(
		cluster, cluster->listeners, struct cluster_listener, cluster->num_listeners + 1);

	if (listeners == NULL) {
		return ENOMEM;
	}
	listeners[cluster->num_listeners++] =
		(struct cluster_listener){.fn = fn, .private_data = private_data};
	cluster->listeners = listeners;
	return 0;
}

void cluster_unlisten(struct cluster *cluster,
		      void (*fn)(void *private_data, const struct cluster_event *event,
				 const struct cluster_state *state),
		      void *private_data)
{
	for (size_t i = 0; i < cluster->num_listeners; i++) {
		struct cluster_listener *listener = &cluster->listeners[i];

		if (listener->fn == fn && listener->private_data == private_data) {
			listener->fn = NULL;
		}
	}
}

struct backend *cluster_backend(const struct cluster *cluster)
{
	return cluster->backend;
}

const struct backend_ops *cluster_backend_ops(const struct cluster *cluster)
{
	return cluster->ops;
}
