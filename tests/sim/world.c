/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The nodes and addresses as they are, their witnesses, and time. */
#include "tests/sim/sim.h"

#include "witnessd/cluster/peers_private.h"
#include "witnessd/swn/orders.h"
#include "witnessd/util/req.h"

#define BEAT_MS         1000
#define BEAT_TIMEOUT_MS 4000

const char *const sim_ips[SIM_ADDRS] = {"10.0.0.7", "10.0.0.8", "fd00::9", "10.0.0.10"};

int sim_ip_index(const struct ipaddr *ip)
{
	static struct ipaddr ours[SIM_ADDRS];

	for (int i = 0; i < SIM_ADDRS; i++) {
		if (ours[i].family == 0) {
			ours[i] = fix_ip(sim_ips[i]);
		}
		if (ipaddr_equal(&ours[i], ip)) {
			return i;
		}
	}
	return -1;
}

const char *sim_node_name(int num)
{
	static const char *const names[] = {"n1", "n2", "n3"};

	return names[num];
}

bool sim_together(const struct sim *sim, int a, int b)
{
	return sim->alive[a] && sim->alive[b] && (sim->part >> a & 1) == (sim->part >> b & 1);
}

/* --- probes --- */

struct probe_state {
	int err;
};

static struct tevent_req *probe_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				     struct backend *backend, const char *node, uint32_t timeout_ms)
{
	struct probe_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct probe_state);

	if (req == NULL) {
		return NULL;
	}
	if (sim_together(backend->sim, backend->num, node[1] - '1')) {
		tevent_req_done(req);
	} else {
		tevent_req_error(req, EHOSTUNREACH);
	}
	return tevent_req_post(req, ev);
}

static int probe_recv(struct tevent_req *req)
{
	return req_errno(req);
}

static const struct backend_ops probe_ops = {
	.abi = BACKEND_ABI,
	.name = "sim",
	.probe_node_send = probe_send,
	.probe_node_recv = probe_recv,
};

/* --- witnesses --- */

static void reconsider(void *private_data)
{
	struct sim_witness *w = private_data;

	cluster_reconsider(w->fix->cluster);
	if (w->has && !w->stale) {
		sim_model_apply(w);
	}
}

static const struct cluster_state *manager(void *private_data)
{
	return cluster_manager(((struct sim_witness *)private_data)->fix->cluster);
}

static int start_beats(struct sim_witness *w)
{
	struct heartbeat_config config = {
		.interval_ms = BEAT_MS,
		.timeout_ms = BEAT_TIMEOUT_MS,
		.ops = &probe_ops,
		.backend = &w->backend,
		.manager = manager,
		.changed = reconsider,
		.private_data = w,
		.clock = net_clock,
		.clock_private = w->sim->net,
	};

	return heartbeat_create(w->fix->cluster, w->sim->net->ev, cluster_peers(w->fix->cluster),
				&config, &w->fix->cluster->heartbeat);
}

void sim_start_witness(struct sim *sim, int num)
{
	struct sim_witness *w = &sim->witnesses[num];
	struct net_node *node = &sim->net->nodes[num];
	struct peers_config config = {
		.handover_timeout_s = SIM_HANDOVER_S,
		.clock = net_clock,
		.clock_private = sim->net,
		.incarnation = node->incarnation = node->incarnation + 1000000,
	};
	struct swn_fix *fix = talloc_zero(sim, struct swn_fix);

	fix_init(fix);
	fix->ev = sim->net->ev;
	fix->config.planned_moves = true;
	fix->config.fixed_addresses = sim->shape.fixed_offered;
	w->fix = fix;
	w->has = w->stale = false;
	w->life++;
	if (cluster_create_with(fix, fix->ev, &config, &fix->cluster) != 0 ||
	    swn_service_create_clocked(fix, fix->ev, &fix->config, fix->cluster, net_clock,
				       sim->net, &fix->service) != 0 ||
	    swn_orders_create(fix, fix->ev, fix->cluster, fix->service, &w->orders) != 0 ||
	    cluster_listen(fix->cluster, sim_model_hear, w) != 0 ||
	    (sim->beats && start_beats(w) != 0)) {
		sim_fail(sim, "n%d does not start", num + 1);
	}
	node->peers = cluster_peers(fix->cluster);
	net_attach(sim->net, (unsigned int)num);
}

void sim_kill_witness(struct sim *sim, int num)
{
	struct sim_witness *w = &sim->witnesses[num];

	if (w->fix == NULL) {
		return;
	}
	for (int i = 0; i < SIM_CLIENTS; i++) {
		struct sim_client *c = &sim->clients[i];

		if (c->at == num) {
			TALLOC_FREE(c->call);
			c->unsure = true;
		}
	}
	TALLOC_FREE(w->orders);
	TALLOC_FREE(w->fix->service);
	TALLOC_FREE(w->fix->cluster);
	TALLOC_FREE(w->fix);
	net_detach(sim->net, (unsigned int)num);
}

void sim_cut(struct sim *sim, unsigned int part)
{
	sim->part = part;
	for (unsigned int a = 0; a < NET_NODES; a++) {
		for (unsigned int b = a + 1; b < NET_NODES; b++) {
			net_link(sim->net, a, b, (part >> a & 1) == (part >> b & 1));
		}
	}
}

/* --- time --- */

void sim_turn(struct sim *sim)
{
	for (int i = 0; i < NET_NODES; i++) {
		struct swn_fix *fix = sim->witnesses[i].fix;

		if (fix == NULL) {
			continue;
		}
		for (int j = 0; j < NET_NODES; j++) {
			if (!sim_together(sim, i, j)) {
				sim->witnesses[i].apart_us[j] = sim->net->now_us;
			}
		}
		wheel_run(fix->service->wheel);
		if (fix->cluster->heartbeat != NULL) {
			heartbeat_run(fix->cluster->heartbeat);
		}
	}
	net_turn(sim->net);
	sim_learn_all(sim);
}

static uint64_t next_us(const struct sim *sim)
{
	uint64_t next = sim->beats ? sim->net->now_us + BEAT_MS * 1000 / 4 : UINT64_MAX;

	for (int i = 0; i < NET_NODES; i++) {
		const struct swn_fix *fix = sim->witnesses[i].fix;

		if (fix != NULL) {
			uint64_t service = wheel_next_us(fix->service->wheel);
			uint64_t peers = wheel_next_us(cluster_peers(fix->cluster)->wheel);

			next = service < next ? service : next;
			next = peers < next ? peers : next;
		}
	}
	return next > sim->net->now_us ? next : sim->net->now_us + 1;
}

static void settle(struct sim *sim)
{
	do {
		sim_turn(sim);
	} while (net_deliver(sim->net));
	sim_turn(sim);
}

void sim_pass(struct sim *sim, unsigned int ms, bool deliver)
{
	uint64_t end = sim->net->now_us + (uint64_t)ms * 1000;

	for (;;) {
		uint64_t next;

		if (deliver) {
			settle(sim);
		} else {
			sim_turn(sim);
		}
		next = next_us(sim);
		if (next > end) {
			break;
		}
		sim->net->now_us = next;
	}
	sim->net->now_us = end;
	sim_turn(sim);
}

/* --- the whole --- */

struct sim *sim_new(uint64_t seed, bool beats)
{
	struct sim *sim = talloc_zero(NULL, struct sim);

	sim->net = net_new((uint32_t)seed);
	sim->beats = beats;
	sim_shape_make(sim, seed);
	for (int i = 0; i < SIM_CLIENTS; i++) {
		struct sim_client *c = &sim->clients[i];

		c->num = i;
		c->at = -1;
		snprintf(c->principal, sizeof(c->principal), "c%d@EXAMPLE", i + 1);
	}
	for (int i = 0; i < SIM_ADDRS; i++) {
		sim->at[i] = i % NET_NODES;
	}
	for (int i = 0; i < NET_NODES; i++) {
		sim->alive[i] = true;
		sim->witnesses[i].sim = sim;
		sim->witnesses[i].num = i;
		sim->witnesses[i].backend = (struct backend){.sim = sim, .num = i};
		sim_start_witness(sim, i);
	}
	return sim;
}

void sim_free(struct sim *sim)
{
	for (int i = 0; i < NET_NODES; i++) {
		sim_kill_witness(sim, i);
	}
	talloc_free(sim->net);
	talloc_free(sim);
}
