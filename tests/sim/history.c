/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories: steps from a seed, each with all the chance that it needs, so that any of them can be left out. */
#include "tests/sim/sim.h"

#include "tests/sim/chance.h"

#define STEPS_MIN   8U
#define FIRST       2U /* steps that are registrations, so that there is somebody to tell */
#define OP_REGISTER 0U

static struct sim_client *client_of(struct sim *sim, uint32_t r)
{
	return &sim->clients[sim_pick(r, 0, SIM_CLIENTS)];
}

/* --- the steps: clients --- */

static void do_register(struct sim *sim, uint32_t r)
{
	struct sim_client *c = client_of(sim, r);
	int witness = sim_pick(r, 4, NET_NODES), ip = sim_pick(r, 8, SIM_ADDRS);

	sim_say(sim, "c%d registers at n%d for %s", c->num + 1, witness + 1, sim_ips[ip]);
	sim_register(sim, c, witness, ip, r >> 10);
}

/* Elsewhere only when its witness is out of its reach, or has lost the registration's connection. */
static int where_to_ask(const struct sim *sim, const struct sim_client *c, uint32_t r)
{
	int other = sim_pick(r, 4, NET_NODES);
	const struct swn_reg *reg = sim_reg(sim, c);

	if (c->at < 0 || sim->witnesses[c->at].fix == NULL || !sim_together(sim, c->at, other) ||
	    (reg != NULL && reg->handed_back)) {
		return other;
	}
	return c->at;
}

static void do_ask(struct sim *sim, uint32_t r)
{
	struct sim_client *c = client_of(sim, r);
	int witness = where_to_ask(sim, c, r);

	sim_say(sim, "c%d asks n%d", c->num + 1, witness + 1);
	sim_ask(sim, c, witness);
}

static void do_cancel(struct sim *sim, uint32_t r)
{
	sim_say(sim, "c%d cancels", client_of(sim, r)->num + 1);
	sim_cancel(sim, client_of(sim, r));
}

static void do_unregister(struct sim *sim, uint32_t r)
{
	sim_say(sim, "c%d unregisters", client_of(sim, r)->num + 1);
	sim_unregister(sim, client_of(sim, r));
}

static void do_vanish(struct sim *sim, uint32_t r)
{
	sim_say(sim, "c%d vanishes", client_of(sim, r)->num + 1);
	sim_vanish(sim, client_of(sim, r));
}

static void do_steal(struct sim *sim, uint32_t r)
{
	struct sim_client *c = client_of(sim, r);
	int witness = sim_pick(r, 4, NET_NODES);

	sim_say(sim, "mallory uses the handle of c%d at n%d", c->num + 1, witness + 1);
	sim_steal(sim, c, witness, (r >> 8 & 1) != 0);
}

/* --- the world --- */

static void tell_all(struct sim *sim)
{
	for (int i = 0; i < NET_NODES; i++) {
		sim_snapshot(sim, i, 0);
	}
}

static void do_move(struct sim *sim, uint32_t r)
{
	int ip = sim_pick(r, 0, SIM_ADDRS), to = sim_pick(r, 4, NET_NODES + 1) - 1;

	if ((sim->shape.fixed >> ip & 1) != 0 && to >= 0) {
		to = ip % NET_NODES;
	}
	if (to >= 0 && !sim->alive[to]) {
		to = SIM_DOWN;
	}
	sim->at[ip] = to;
	sim_say(sim, "%s is now at %s%s", sim_ips[ip], to >= 0 ? sim_node_name(to) : "no node",
		(r >> 8 & 1) != 0 ? "; all are told" : "");
	if ((r >> 8 & 1) != 0) {
		tell_all(sim);
	}
}

static void do_configure(struct sim *sim, uint32_t r)
{
	int ip = sim_pick(r, 0, SIM_ADDRS);

	sim->at[ip] = sim->at[ip] == SIM_ABSENT ? SIM_DOWN : SIM_ABSENT;
	sim_say(sim, "%s is %s", sim_ips[ip],
		sim->at[ip] == SIM_ABSENT ? "no longer configured" : "configured again");
}

static void do_pin(struct sim *sim, uint32_t r)
{
	int ip = sim_pick(r, 0, SIM_ADDRS);

	sim->pinned[ip] = !sim->pinned[ip];
	sim_say(sim, "%s %s", sim_ips[ip],
		sim->pinned[ip] ? "stays where it is" : "may be moved again");
}

static void do_rename(struct sim *sim, uint32_t r)
{
	int ip = sim_pick(r, 0, SIM_ADDRS);

	sim->names[ip] = (unsigned int)sim_pick(r, 4, 1U << SIM_OWN_NAMES);
	sim_say(sim, "%s has names 0x%x now", sim_ips[ip], sim->names[ip]);
}

static void do_share(struct sim *sim, uint32_t r)
{
	sim->share = sim_pick(r, 0, NET_NODES + 1) - 1;
	sim_say(sim, "the share is now at %s",
		sim->share >= 0 ? sim_node_name(sim->share) : "no node");
}

static void do_snapshot(struct sim *sim, uint32_t r)
{
	int num = sim_pick(r, 0, NET_NODES);

	sim_say(sim, "the manager of n%d tells how it is", num + 1);
	sim_snapshot(sim, num, r >> 4);
}

static void do_tell_all(struct sim *sim, uint32_t r)
{
	sim_say(sim, "all managers tell how it is");
	tell_all(sim);
}

static void do_lose_manager(struct sim *sim, uint32_t r)
{
	sim_say(sim, "n%d loses its manager", sim_pick(r, 0, NET_NODES) + 1);
	sim_lose_manager(sim, sim_pick(r, 0, NET_NODES));
}

static void do_intent(struct sim *sim, uint32_t r)
{
	int ip = sim_pick(r, 0, SIM_ADDRS), to = sim_pick(r, 4, NET_NODES + 1) - 1;
	const char *what[] = {sim_group(sim, ip), sim_ips[ip], NULL};
	const char *from = sim->at[ip] >= 0 ? sim_node_name(sim->at[ip]) : NULL;
	struct backend_intent intent = {.kind = (enum backend_intent_kind)sim_pick(r, 8, 3),
					.from = from,
					.to = to >= 0 ? sim_node_name(to) : NULL,
					.why = "simulated",
					.held = sim_pick(r, 12, 8) == 0};
	int num = sim_pick(r, 16, NET_NODES);

	what[BACKEND_INTENT_NODE] = from != NULL ? from : "n1";
	intent.what = what[intent.kind];
	sim_say(sim, "n%d hears of a move of %s from %s to %s%s", num + 1, intent.what,
		from != NULL ? from : "anywhere", to >= 0 ? intent.to : "anywhere",
		intent.held ? ", held" : "");
	for (int i = 0; intent.held && i < SIM_CLIENTS; i++) {
		sim->clients[i].unsure |= sim->clients[i].at == num;
	}
	sim_intent(sim, num, &intent);
}

static void do_drain(struct sim *sim, uint32_t r)
{
	int num = sim_pick(r, 0, NET_NODES);

	sim->draining[num] = !sim->draining[num];
	sim_say(sim, "n%d %s", num + 1, sim->draining[num] ? "is to be left" : "may stay");
}

static void die(struct sim *sim, int num)
{
	sim->alive[num] = false;
	sim_kill_witness(sim, num);
	for (int i = 0; i < SIM_ADDRS; i++) {
		if (sim->at[i] == num) {
			sim->at[i] = SIM_DOWN;
		}
	}
	if (sim->share == num) {
		sim->share = SIM_DOWN;
	}
}

static void start(struct sim *sim, int num)
{
	sim->alive[num] = true;
	if (sim->witnesses[num].fix == NULL) {
		sim_start_witness(sim, num);
	}
}

static void do_node(struct sim *sim, uint32_t r)
{
	int num = sim_pick(r, 0, NET_NODES);

	sim_say(sim, "node n%d %s", num + 1, sim->alive[num] ? "dies" : "comes back");
	if (sim->alive[num]) {
		die(sim, num);
	} else {
		start(sim, num);
	}
}

static void do_witness(struct sim *sim, uint32_t r)
{
	int num = sim_pick(r, 0, NET_NODES);
	bool runs = sim->witnesses[num].fix != NULL;

	if (!sim->alive[num]) {
		return;
	}
	/* Often it is back before anybody notices more than that. */
	sim_say(sim, "the witness of n%d %s", num + 1,
		!runs               ? "starts"
		: (r >> 4 & 1) != 0 ? "is killed, starts, and is told how it is"
				    : "is killed");
	sim_kill_witness(sim, num);
	if (!runs || (r >> 4 & 1) != 0) {
		sim_start_witness(sim, num);
	}
	if (runs) {
		sim_snapshot(sim, num, 0);
	}
}

static void do_cut(struct sim *sim, uint32_t r)
{
	unsigned int part = sim->part != 0 ? 0 : (unsigned int)sim_pick(r, 0, 6) + 1;

	sim_say(sim, part == 0 ? "the network is whole again%s" : "the network is cut%s", "");
	sim_cut(sim, part);
	if ((r >> 4 & 1) != 0) {
		sim_say(sim, "    and all managers tell so");
		tell_all(sim);
	}
}

/* --- the network, and time --- */

static void do_deliver(struct sim *sim, uint32_t r)
{
	int num = 0, most = sim_pick(r, 0, 12) + 1;

	sim->net->seed = r;
	sim_turn(sim);
	while (num < most && net_deliver(sim->net)) {
		num++;
	}
	sim_say(sim, "%d messages arrive", num);
}

static void do_pass(struct sim *sim, uint32_t r)
{
	static const unsigned int spans[] = {10, 200, 1000, 5100, 7000, 16000, 31000};
	unsigned int ms = spans[sim_pick(r, 0, 7)];
	bool deliver = sim_pick(r, 4, 4) != 0;

	sim->net->seed = r;
	sim_say(sim, "%u ms pass%s", ms, deliver ? "" : ", and no message arrives");
	sim_pass(sim, ms, deliver);
}

static void do_refuse(struct sim *sim, uint32_t r)
{
	struct net_node *node = &sim->net->nodes[sim_pick(r, 0, NET_NODES)];

	node->refuse = node->refuse == 0 ? EAGAIN : 0;
	sim_say(sim, "n%u %s", node->num + 1, node->refuse != 0 ? "cannot send" : "can send again");
}

static void do_lose(struct sim *sim, uint32_t r)
{
	struct net_node *node = &sim->net->nodes[sim_pick(r, 0, NET_NODES)];

	node->losses = (unsigned int)sim_pick(r, 4, 3);
	sim_say(sim, "the next %u messages of n%u are lost", node->losses, node->num + 1);
}

static const struct {
	unsigned int weight;
	void (*fn)(struct sim *sim, uint32_t r);
} ops[] = {
	{18, do_register},
	{28, do_ask},
	{3, do_cancel},
	{2, do_unregister},
	{3, do_vanish},
	{4, do_steal},
	{12, do_move},
	{2, do_configure},
	{2, do_share},
	{9, do_snapshot},
	{4, do_tell_all},
	{8, do_intent},
	{2, do_lose_manager},
	{3, do_drain},
	{4, do_node},
	{6, do_witness},
	{5, do_cut},
	{9, do_deliver},
	{8, do_pass},
	{2, do_refuse},
	{2, do_lose},
	/* Not in plain histories. */
	{2, do_share},
	{2, do_pin},
	{2, do_rename},
	{6, sim_order},
	{3, sim_plan},
	{2, sim_undrain},
};

#define NUM_OPS   (sizeof(ops) / sizeof(ops[0]))
#define NUM_PLAIN (NUM_OPS - 6)

void sim_history_make(struct sim_history *history, uint64_t seed)
{
	struct chance chance = {.state = seed};
	size_t num_ops = sim_is_plain(seed) ? NUM_PLAIN : NUM_OPS;
	unsigned int sum = 0;

	for (size_t i = 0; i < num_ops; i++) {
		sum += ops[i].weight;
	}
	*history = (struct sim_history){.seed = seed, .beats = seed % 16 == 0};
	history->num = STEPS_MIN + chance_next(&chance) % (SIM_STEPS - STEPS_MIN);
	for (size_t i = 0; i < history->num; i++) {
		unsigned int at = chance_next(&chance) % sum, op = 0;

		while (at >= ops[op].weight) {
			at -= ops[op++].weight;
		}
		if (i < FIRST) {
			op = OP_REGISTER;
		}
		history->steps[i] = (struct sim_step){.op = op, .r = chance_next(&chance)};
	}
}

/* --- its end --- */

/* A last loss of a message shows only with the next one. */
static void say_something(struct sim *sim)
{
	for (int i = 0; i < NET_NODES; i++) {
		struct peers *peers = cluster_peers(sim->witnesses[i].fix->cluster);

		/* Of a kind that nobody listens to here. */
		if (peers_put(peers, PEERS_CONNECTION, "x", 1, NULL, 0) != 0) {
			sim_fail(sim, "no memory");
		}
		sim_turn(sim);
		(void)peers_delete(peers, PEERS_CONNECTION, "x", 1);
		sim_turn(sim);
	}
}

static void make_peace(struct sim *sim)
{
	sim_say(sim, "everything is well again");
	sim_cut(sim, 0);
	for (int i = 0; i < NET_NODES; i++) {
		sim->net->nodes[i].refuse = 0;
		sim->net->nodes[i].losses = 0;
		sim->draining[i] = false;
		start(sim, i);
	}
	for (int i = 0; i < SIM_ADDRS; i++) {
		if (sim->at[i] < 0) {
			sim->at[i] = i % NET_NODES;
		}
	}
	sim->share = 0;
	tell_all(sim);
	sim_turn(sim);
	say_something(sim);
	sim_pass(sim, 500, true);
	say_something(sim);
	sim_pass(sim, SIM_HANDOVER_S * 1000 + 5000, true);
}

/* Everybody asks until there is nothing more to hear. */
static void ask_all(struct sim *sim)
{
	for (int i = 0; i < SIM_CLIENTS; i++) {
		struct sim_client *c = &sim->clients[i];
		int rounds = 0;

		while (c->at >= 0 && c->call == NULL) {
			if (++rounds > 5) {
				sim_fail(sim, "c%d is told something again and again", i + 1);
			}
			sim_ask(sim, c, c->at);
		}
	}
}

static void end(struct sim *sim)
{
	make_peace(sim);
	sim_check(sim);
	ask_all(sim);
	sim_pass(sim, 1, true);
	sim_check(sim);
	sim_check_quiet(sim);
	sim_check_drains(sim);
	for (int i = 0; i < SIM_CLIENTS; i++) {
		sim_vanish(sim, &sim->clients[i]);
	}
	sim_pass(sim, 40000, true);
	sim_check_empty(sim);
	sim_check_jobs(sim);
}

void sim_history_run(const struct sim_history *history, bool loud, struct sim_stats *stats)
{
	struct sim *sim;

	chance_handles(history->seed);
	sim = sim_new(history->seed, history->beats);
	sim->loud = loud;
	tell_all(sim);
	sim_pass(sim, 10, true);
	for (size_t i = 0; i < history->num; i++) {
		ops[history->steps[i].op].fn(sim, history->steps[i].r);
		sim_turn(sim);
		sim_check(sim);
	}
	end(sim);
	stats->histories++;
	stats->steps += history->num;
	stats->told += sim->told;
	stats->moved += sim->moved;
	stats->taken += sim->taken;
	stats->ordered += sim->ordered;
	sim_free(sim);
}
