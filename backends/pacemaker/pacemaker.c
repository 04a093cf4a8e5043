/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The backend for Pacemaker on Corosync: joins the CIB (what runs where, what was asked for) and the
 * membership (who is alive) into snapshots and intents.
 *
 *   CIB changed -+-> query -> placement -.
 *                '-> a stop is done ------+- publish: join, settle, skip if equal -> sink
 *   membership changed ------------------'
 */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "backends/backend.h"
#include "backends/pacemaker/cib.h"
#include "backends/pacemaker/cpg.h"
#include "backends/pacemaker/diff.h"
#include "backends/pacemaker/glib_bridge.h"
#include "backends/pacemaker/intents.h"
#include "backends/pacemaker/managed.h"
#include "backends/pacemaker/membership.h"
#include "backends/pacemaker/pcmk.h"
#include "backends/pacemaker/placement.h"
#include "backends/pacemaker/served.h"
#include "backends/pacemaker/settle.h"
#include "backends/pacemaker/smb_watch.h"
#include "witnessd/util/log.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"

#define RETRY_MS 1000 /* what could not be told for want of memory */

struct backend {
	struct tevent_context *ev;
	const struct config *config;
	const struct backend_sink *sink;
	char *host; /* this node's name when Corosync does not tell its number */
	struct glib_bridge *bridge;
	struct cib_link *cib;
	struct cib_link_handlers handlers;
	struct membership *membership;
	struct cpg_link *cpg;
	struct smb_watch *smb;
	struct settle *settle;
	struct mono_alarm *settled;
	struct mono_alarm *reread;       /* the CIB, which there was no memory for */
	struct placement *placement;     /* of the last usable CIB */
	struct cluster_state *published; /* what the core has */
	struct intents *intents;         /* of the last usable CIB */
	uint32_t local_id;               /* used for the placement */
	bool stale;                      /* the core was told that the manager is lost */
	bool fresh; /* the next state is to be published though it may be the same */
	bool no_dc; /* has been logged */
	uint64_t generation, unchanged;
	int64_t last_build_us; /* -1 = none yet */
};

static void publish(struct backend *backend);

/*
 * Corosync overrides the CIB, with quorum only, because without it this node may be the one that is cut off.
 * Nodes that Corosync does not list are dead, whatever the CIB still says; that stays so in the placement
 * until a newer CIB. Nodes that it does list are alive: a CIB that says otherwise comes from the other side
 * of a partition that has just been healed.
 */
static void apply_membership(struct backend *backend)
{
	struct placement *placement = backend->placement;

	if (!membership_known(backend->membership) || !membership_quorate(backend->membership)) {
		return;
	}
	for (size_t i = 0; i < placement->state->num_nodes; i++) {
		const struct cluster_node *node = &placement->state->nodes[i];
		bool lost = placement->nodes[i] == PLACEMENT_NODE_LOST;

		if (node->id == 0) {
			continue; /* Pacemaker Remote: Corosync does not know it */
		}
		if (!membership_has(backend->membership, node->id) && !lost) {
			log_debug("node %s is not in the membership", log_printable(node->name));
			placement_drop_node(placement, i);
		} else if (membership_has(backend->membership, node->id) && lost) {
			log_debug("node %s is in the membership", log_printable(node->name));
			placement->nodes[i] = PLACEMENT_NODE_ABSENT;
		}
	}
}

static void settle_passed(void *private_data)
{
	publish(talloc_get_type_abort(private_data, struct backend));
}

static void read_again(void *private_data)
{
	const struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	cib_link_refresh(backend->cib);
}

/* The state that the placement and the membership amount to now. @return NULL when memory is short */
static struct cluster_state *compose(struct backend *backend)
{
	struct cluster_state *next;
	uint64_t now_ms = clock_ms(), deadline_ms;

	apply_membership(backend);
	next = cluster_state_copy(backend, backend->placement->state);
	if (next == NULL) {
		return NULL;
	}
	if (membership_known(backend->membership) && !membership_quorate(backend->membership)) {
		next->quorate = false;
	}
	mono_alarm_clear(backend->settled);
	if (settle_apply(backend->settle, backend->published, backend->placement, next, now_ms,
			 &deadline_ms)) {
		mono_alarm_set(backend->settled, deadline_ms > now_ms ? deadline_ms - now_ms : 0);
	}
	return next;
}

/* Takes the state over. @return 0, or ENOMEM: the core knows no more than before */
static int hand_over(struct backend *backend, struct cluster_state *next)
{
	struct cluster_state *copy = cluster_state_copy(backend, next);
	int err = ENOMEM;

	if (copy != NULL) {
		next->generation = backend->generation + 1;
		err = backend->sink->snapshot(backend->sink->private_data, &next);
	}
	talloc_free(next);
	if (err == ENOMEM) {
		talloc_free(copy);
		return err;
	}
	backend->generation++;
	talloc_free(backend->published);
	backend->published = copy;
	backend->fresh = false;
	return 0;
}

static void publish(struct backend *backend)
{
	struct cluster_state *next;

	if (backend->placement == NULL || backend->stale) {
		return;
	}
	next = compose(backend);
	if (next != NULL && !backend->fresh && backend->published != NULL &&
	    cluster_state_equal(backend->published, next)) {
		backend->unchanged++;
		talloc_free(next);
		return;
	}
	if (next == NULL || hand_over(backend, next) != 0) {
		log_err("out of memory: a change of the cluster is seen later");
		mono_alarm_set(backend->settled, RETRY_MS);
	}
}

/* Report requests that the last CIB did not have. */
static void publish_intents(struct backend *backend, const xmlNode *cib,
			    const struct relations *relations)
{
	struct intents *intents;

	if (intents_read(backend, cib, relations, backend->placement, time(NULL), &intents) != 0) {
		log_err("out of memory: planned moves are seen later");
		mono_alarm_set(backend->reread, RETRY_MS);
		return;
	}
	for (size_t i = 0; i < intents->num; i++) {
		if (!intents_has(backend->intents, &intents->list[i])) {
			backend->sink->intent(backend->sink->private_data, &intents->list[i]);
		}
	}
	talloc_free(backend->intents);
	backend->intents = intents;
}

static int take_document(struct backend *backend, const xmlNode *cib, struct relations **relations)
{
	const char *named = config_string(backend->config, "global.node");
	const struct served_config served = {
		.smb = smb_watch_conf(backend->smb),
		.share_rscs = config_list(backend->config, "witness.share_resources", NULL),
		.names_set = config_is_set(backend->config, "witness.net_name_resources"),
	};
	struct placement_local local = {.name = backend->host};
	struct placement *placement;
	int err;

	if (*named != '\0') {
		local.name = named;
	} else {
		local.id = membership_local_id(backend->membership);
	}
	backend->local_id = local.id;
	err = placement_build(backend, cib, &local, &placement);
	if (err != 0) {
		return err;
	}
	err = relations_load(placement, cib, relations);
	if (err == 0) {
		err = served_apply(cib, *relations, &served, placement);
	}
	if (err != 0) {
		talloc_free(placement);
		return err;
	}
	managed_apply(cib, *relations, placement);
	talloc_free(backend->placement);
	backend->placement = placement;
	return 0;
}

static void document_received(void *private_data, const xmlNode *cib)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);
	uint64_t began_us = clock_us();
	struct relations *relations = NULL;
	int err = take_document(backend, cib, &relations);

	if (err == ESTALE) {
		if (!backend->no_dc) {
			log_notice("the cluster has no DC now: keeping what was known");
		}
		backend->no_dc = true;
		return;
	}
	if (err != 0) {
		log_err("the CIB cannot be used: %s", strerror(err));
		if (err == ENOMEM) {
			mono_alarm_set(backend->reread, RETRY_MS);
		}
		return;
	}
	backend->last_build_us = (int64_t)(clock_us() - began_us);
	backend->no_dc = false;
	if (backend->stale) {
		backend->stale = false;
		backend->fresh = true;
	}
	publish(backend);
	publish_intents(backend, cib, relations);
	talloc_free(relations); /* borrows from the document */
	cpg_link_names_changed(backend->cpg);
}

struct stops {
	struct backend *backend;
	bool lost;
};

static void stop_seen(void *private_data, const char *rsc, const char *node)
{
	struct stops *stops = private_data;

	if (placement_stopped(stops->backend->placement, rsc, node)) {
		stops->lost = true;
	}
}

/* The fastest way from a stop to the clients; the document that follows has the rest. */
static void change_notified(void *private_data, const xmlNode *notify)
{
	struct stops stops = {.backend = talloc_get_type_abort(private_data, struct backend)};

	if (stops.backend->placement == NULL) {
		return;
	}
	diff_each_stop(notify, stop_seen, &stops);
	if (stops.lost) {
		publish(stops.backend);
	}
}

static void manager_lost(void *private_data, const char *reason)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	mono_alarm_clear(backend->settled);
	mono_alarm_clear(backend->reread); /* it is read when the manager is back */
	if (!backend->stale) {
		backend->stale = true;
		backend->sink->lost(backend->sink->private_data, reason);
	}
}

static void smb_conf_changed(void *private_data)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	cib_link_refresh(backend->cib);
}

static void membership_changed(void *private_data)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	if (membership_local_id(backend->membership) != backend->local_id) {
		cib_link_refresh(backend->cib); /* who is local may be another node */
	}
	publish(backend);
}

/* Peers have the names that the snapshots have. */
static const char *name_of_node(void *private_data, uint32_t node_id)
{
	const struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	if (backend->placement == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < backend->placement->state->num_nodes; i++) {
		const struct cluster_node *node = &backend->placement->state->nodes[i];

		if (node->id == node_id) {
			return node->name;
		}
	}
	return NULL;
}

/* The connections are closed before what they stand on. */
static int backend_destructor(struct backend *backend)
{
	TALLOC_FREE(backend->cpg);
	TALLOC_FREE(backend->membership);
	TALLOC_FREE(backend->cib);
	TALLOC_FREE(backend->bridge);
	return 0;
}

static int backend_start(struct backend *backend)
{
	uint32_t retry_max_s = config_number(backend->config, "pacemaker.reconnect_max");
	int err =
		mono_alarm_create(backend, backend->ev, settle_passed, backend, &backend->settled);

	if (err == 0) {
		err = mono_alarm_create(backend, backend->ev, read_again, backend,
					&backend->reread);
	}
	if (err == 0) {
		err = settle_create(backend, config_number(backend->config, "pacemaker.settle_ms"),
				    &backend->settle);
	}
	if (err == 0) {
		err = smb_watch_create(backend, backend->ev,
				       config_string(backend->config, "witness.smb_conf"),
				       smb_conf_changed, backend, &backend->smb);
	}
	if (err == 0) {
		err = glib_bridge_create(backend, backend->ev, &backend->bridge);
	}
	if (err == 0) {
		err = membership_create(backend, backend->ev, retry_max_s, membership_changed,
					backend, &backend->membership);
	}
	if (err == 0) {
		err = cpg_link_create(backend, backend->ev, retry_max_s, backend->sink,
				      name_of_node, backend, &backend->cpg);
	}
	if (err == 0) {
		err = cib_link_create(backend, backend->ev, backend->bridge, retry_max_s,
				      &backend->handlers, &backend->cib);
	}
	return err;
}

static int pacemaker_connect(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     const struct config *config, const struct backend_sink *sink,
			     struct backend **out)
{
	struct backend *backend;
	struct utsname host;
	int err;

	pcmk_init();
	backend = talloc_zero(mem_ctx, struct backend);
	if (backend == NULL) {
		return ENOMEM;
	}
	backend->ev = ev;
	backend->config = config;
	backend->sink = sink;
	backend->handlers = (struct cib_link_handlers){
		.private_data = backend,
		.document = document_received,
		.notified = change_notified,
		.lost = manager_lost,
	};
	backend->last_build_us = -1;
	if (uname(&host) == 0) {
		backend->host = talloc_strdup(backend, host.nodename);
	}
	talloc_set_destructor(backend, backend_destructor);
	err = backend_start(backend);
	if (err != 0) {
		talloc_free(backend);
		return err;
	}
	*out = backend;
	return 0;
}

static int pacemaker_broadcast(struct backend *backend, const uint8_t *bytes, size_t len)
{
	return cpg_link_broadcast(backend->cpg, bytes, len);
}

static json_t *pacemaker_status(struct backend *backend)
{
	const struct cib_link_stats *stats = cib_link_stats(backend->cib);

	return json_pack(
		"{s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "connected",
		stats->connected, "corosync_connected", membership_known(backend->membership), "dc",
		backend->placement != NULL && !backend->no_dc, "reconnects",
		(json_int_t)(stats->connects > 0 ? stats->connects - 1 : 0), "corosync_connects",
		(json_int_t)membership_connects(backend->membership), "notifications",
		(json_int_t)stats->notifications, "queries", (json_int_t)stats->queries,
		"snapshots", (json_int_t)backend->generation, "unchanged",
		(json_int_t)backend->unchanged, "last_answer", (json_int_t)stats->last_answer,
		"last_query_us", (json_int_t)stats->last_query_us, "last_build_us",
		(json_int_t)backend->last_build_us, "cpg", cpg_link_status(backend->cpg));
}

/* Pacemaker knows nothing of connections; IPaddr2 announces the address and no more. */
static enum backend_tickles pacemaker_tickles(const struct backend *backend)
{
	return BACKEND_TICKLES_NOT;
}

extern const struct backend_ops witnessd_backend;
const struct backend_ops witnessd_backend = {
	.abi = BACKEND_ABI,
	.name = "pacemaker",
	.connect = pacemaker_connect,
	.broadcast = pacemaker_broadcast,
	.tickles = pacemaker_tickles,
	.status = pacemaker_status,
};
