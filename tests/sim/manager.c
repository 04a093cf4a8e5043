/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each node's manager tells its witness of the nodes and addresses: late, partly, or not at all. */
#include "tests/sim/sim.h"

/* How a manager sees it from this node. */
static struct sim_view look(const struct sim *sim, int num)
{
	struct sim_view view = {.share = SIM_DOWN};
	unsigned int members = 0;

	for (int i = 0; i < NET_NODES; i++) {
		view.online[i] = sim_together(sim, num, i);
		view.draining[i] = sim->draining[i];
		members += view.online[i];
	}
	view.quorate = members * 2 > NET_NODES;
	for (int i = 0; i < SIM_ADDRS; i++) {
		int at = sim->at[i];

		view.at[i] = at >= 0 && !view.online[at] ? SIM_DOWN : at;
		view.pinned[i] = sim->pinned[i];
		view.names[i] = sim->names[i];
	}
	if (sim->share >= 0 && view.online[sim->share]) {
		view.share = sim->share;
	}
	return view;
}

/* Its names, ended by NULL; NULL: none. */
static const char *const *names_of(unsigned int mask, const char *names[SIM_OWN_NAMES + 1])
{
	size_t num = 0;

	for (unsigned int i = 0; i < SIM_OWN_NAMES; i++) {
		if ((mask >> i & 1) != 0) {
			names[num++] = sim_names[i];
		}
	}
	names[num] = NULL;
	return num > 0 ? names : NULL;
}

static void add_addr(const struct sim_witness *w, struct cluster_state *state, int ip)
{
	int at = w->said.at[ip];
	const char *names[SIM_OWN_NAMES + 1];
	struct cluster_addr addr = {
		.ip = fix_ip(sim_ips[ip]),
		.node = at >= 0 ? sim_node_name(at) : NULL,
		.group = sim_group(w->sim, ip),
		.net_names = names_of(w->said.names[ip], names),
		.state = at >= 0          ? CLUSTER_ADDR_AVAILABLE
			 : at == SIM_DOWN ? CLUSTER_ADDR_UNAVAILABLE
					  : CLUSTER_ADDR_UNKNOWN,
		.kind = (w->sim->shape.fixed >> ip & 1) != 0 ? CLUSTER_ADDR_FIXED
							     : CLUSTER_ADDR_FLOATING,
		.pinned = w->said.pinned[ip],
	};

	if (at != SIM_ABSENT && cluster_state_add_addr(state, &addr) != 0) {
		sim_fail(w->sim, "no memory");
	}
}

static void add_share(struct sim_witness *w, struct cluster_state *state)
{
	struct ipaddr tied[SIM_ADDRS];
	struct cluster_share share = {.name = "data", .group = "fs", .addrs = tied};

	w->said.tied = 0;
	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		if ((w->sim->shape.tied >> ip & 1) != 0 && w->said.at[ip] != SIM_ABSENT) {
			w->said.tied |= 1U << ip;
			tied[share.num_addrs++] = fix_ip(sim_ips[ip]);
		}
	}
	share.node = w->said.share >= 0 ? sim_node_name(w->said.share) : NULL;
	if (cluster_state_add_share(state, &share) != 0) {
		sim_fail(w->sim, "no memory");
	}
}

static struct cluster_state *make_state(struct sim_witness *w)
{
	static const char *const flags[2][2][2] = {{{"", "l"}, {"", "l"}},
						   {{"o", "ol"}, {"od", "old"}}};
	struct cluster_state *state = cluster_state_new(NULL);
	const struct sim_view *said = &w->said;

	for (int i = 0; i < NET_NODES; i++) {
		fix_node(state, sim_node_name(i),
			 flags[said->online[i]][said->draining[i]][i == w->num]);
	}
	for (int i = 0; i < SIM_ADDRS; i++) {
		add_addr(w, state, i);
	}
	add_share(w, state);
	state->quorate = said->quorate;
	return state;
}

void sim_snapshot(struct sim *sim, int num, uint32_t r)
{
	struct sim_witness *w = &sim->witnesses[num];
	const struct backend_sink *sink;
	struct cluster_state *state;
	struct sim_before before;
	struct sim_view was = w->known;
	bool had = w->has;

	if (w->fix == NULL) {
		return;
	}
	sink = cluster_sink(w->fix->cluster);
	w->said = look(sim, num);
	/* Now and then one address cannot be told, or what other nodes have is not listed at all. */
	for (int i = 0; i < SIM_ADDRS; i++) {
		if (sim_pick(r, 4U * (unsigned int)i, 16) == 1) {
			w->said.at[i] = SIM_UNKNOWN;
		} else if (!w->said.quorate && w->said.at[i] == SIM_DOWN && (r & 1U << 20) != 0) {
			w->said.at[i] = SIM_ABSENT;
		}
	}
	state = make_state(w);
	state->generation = ++w->generation;
	w->stale = false;
	before = sim_before(w);
	(void)sink->snapshot(sink->private_data, &state);
	sim_model_apply(w);
	if (had) {
		sim_check_snapshot(w, &before, &was);
	}
}

void sim_lose_manager(struct sim *sim, int num)
{
	struct sim_witness *w = &sim->witnesses[num];

	if (w->fix != NULL) {
		const struct backend_sink *sink = cluster_sink(w->fix->cluster);

		w->stale = true;
		sink->lost(sink->private_data, "simulated");
	}
}

void sim_intent(struct sim *sim, int num, const struct backend_intent *intent)
{
	struct sim_witness *w = &sim->witnesses[num];
	const struct backend_sink *sink;
	struct sim_before before;

	if (w->fix == NULL) {
		return;
	}
	sink = cluster_sink(w->fix->cluster);
	before = sim_before(w);
	sink->intent(sink->private_data, intent);
	sim_check_intent(w, &before, intent);
}
