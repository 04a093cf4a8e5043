/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a witness should know, from what its manager has said: the design's rules once more. */
#include "tests/sim/sim.h"

static bool counts_as_dead(const struct sim_witness *w, int node)
{
	const struct heartbeat *hb = w->fix->cluster->heartbeat;

	return hb != NULL && node >= 0 && heartbeat_is_dead(hb, sim_node_name(node));
}

/* An address, as the manager says; but nobody can have one of a node that the peers have found dead. */
static int said(const struct sim_witness *w, int ip)
{
	int at = w->said.at[ip];
	int holder = at == SIM_UNKNOWN && w->has ? w->known.at[ip] : at;

	return counts_as_dead(w, holder) ? SIM_DOWN : at;
}

static int should_know(const struct sim_witness *w, int ip)
{
	int at = said(w, ip), was = w->known.at[ip];

	if (!w->has || at >= 0 || was == SIM_ABSENT) {
		return at;
	}
	if (at == SIM_UNKNOWN) {
		return was;
	}
	/* Bad news of other nodes' addresses: only with quorum. */
	if (!w->said.quorate && was != w->num && !(at == SIM_DOWN && was == SIM_DOWN)) {
		return was;
	}
	return at;
}

/* The same of the share, and who served it last. */
static void know_share(const struct sim_witness *w, struct sim_view *next)
{
	const struct sim_view *was = &w->known;

	if (counts_as_dead(w, next->share)) {
		next->share = SIM_DOWN;
	}
	if (w->has && !next->quorate && next->share == SIM_DOWN && was->share != w->num) {
		next->share = was->share;
	}
	next->share_last = next->share == SIM_DOWN && w->has ? was->share_last : next->share;
}

/* Addresses that are not listed, and kept, are as they were. */
static void know_rest(const struct sim_witness *w, struct sim_view *next)
{
	next->bound = next->tied;
	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		if (w->said.at[ip] == SIM_ABSENT && next->at[ip] != SIM_ABSENT) {
			next->pinned[ip] = w->known.pinned[ip];
			next->names[ip] = w->known.names[ip];
			next->bound |= w->known.bound & 1U << ip;
		}
	}
	for (int i = 0; i < NET_NODES; i++) {
		next->online[i] = next->online[i] && !counts_as_dead(w, i);
	}
}

/* Whether a client's connections to its address have ended with this. */
static bool is_loss(const struct sim_client *c, int was, int is)
{
	if (was == is || was == SIM_DOWN || was == SIM_ABSENT) {
		return false;
	}
	/* Nobody knew: no news for who takes it to be down. */
	return was != SIM_UNKNOWN || (is < 0 && c->believes_up && c->losses == 0);
}

void sim_model_apply(struct sim_witness *w)
{
	struct sim_view next = w->said;

	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		next.at[ip] = should_know(w, ip);
	}
	know_share(w, &next);
	know_rest(w, &next);
	for (int i = 0; i < SIM_CLIENTS && w->has; i++) {
		struct sim_client *c = &w->sim->clients[i];

		if (c->at == w->num && is_loss(c, w->known.at[c->ip], next.at[c->ip])) {
			c->losses++;
		}
	}
	w->known = next;
	w->has = true;
	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		if (w->told.at[ip] != next.at[ip]) {
			sim_fail(w->sim, "n%d: by its events %s is at %d, and should be at %d",
				 w->num + 1, sim_ips[ip], w->told.at[ip], next.at[ip]);
		}
	}
}

static int where(const struct cluster_state *state, int ip)
{
	struct ipaddr key = fix_ip(sim_ips[ip]);
	const struct cluster_addr *addr = cluster_state_addr(state, &key);

	if (addr == NULL) {
		return SIM_ABSENT;
	}
	if (addr->state == CLUSTER_ADDR_UNAVAILABLE) {
		return SIM_DOWN;
	}
	return addr->state == CLUSTER_ADDR_UNKNOWN ? SIM_UNKNOWN : addr->node[1] - '1';
}

void sim_model_hear(void *private_data, const struct cluster_event *event,
		    const struct cluster_state *state)
{
	struct sim_witness *w = private_data;
	int ip = sim_ip_index(&event->ip);
	int *told = ip >= 0 ? &w->told.at[ip] : NULL;

	if (w->stale && event->type != CLUSTER_STALE) {
		sim_fail(w->sim, "n%d: \"%s\" while its manager is gone", w->num + 1,
			 cluster_event_type_name(event->type));
	}
	switch (event->type) {
	case CLUSTER_FRESH:
		for (int i = 0; i < SIM_ADDRS && !w->has; i++) {
			w->told.at[i] = where(state, i);
		}
		break;
	case CLUSTER_ADDR_LOST:
		*told = SIM_DOWN;
		break;
	case CLUSTER_ADDR_BACK:
	case CLUSTER_ADDR_MOVED:
		*told = event->to[1] - '1';
		break;
	case CLUSTER_ADDR_ADDED:
		*told = where(state, ip);
		break;
	case CLUSTER_ADDR_REMOVED:
		*told = SIM_ABSENT;
		break;
	default:
		break;
	}
}
