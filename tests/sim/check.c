/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules; README lists them. */
#include "tests/sim/sim.h"

#include "witnessd/cluster/peers_private.h"
#include "witnessd/swn/replica.h"

/* A node that could be reached all that time is not found dead. */
#define VERDICT_US UINT64_C(10000000)
#define WHEEL_US   UINT64_C(200000) /* what a timer may come late */

static void check_reg(const struct sim_witness *w, const struct swn_reg *reg)
{
	const struct swn_queue *queue = &reg->queue;
	const struct swn_queue_slot *slots[] = {&queue->client_move, &queue->share_move,
						&queue->ip_change};
	uint8_t key[SWN_REPLICA_KEY];
	struct peers_record record;

	if (queue->num_changes > SWN_QUEUE_CHANGES || reg->num_waiters > SWN_MAX_WAITERS) {
		sim_fail(w->sim, "n%d: a registration has %zu changes and %u calls", w->num + 1,
			 queue->num_changes, reg->num_waiters);
	}
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		if (slots[i]->num > SIM_ADDRS) {
			sim_fail(w->sim, "n%d: %zu addresses are queued", w->num + 1,
				 slots[i]->num);
		}
	}
	if (reg->num_waiters > 0 && swn_queue_next(queue) != 0) {
		sim_fail(w->sim, "n%d: a call waits though there is something to tell", w->num + 1);
	}
	swn_replica_key(&reg->handle, key);
	if (peers_find(w->fix->service->peers, PEERS_REGISTRATION, key, sizeof(key), &record) !=
		    0 ||
	    !record.own) {
		sim_fail(w->sim, "n%d: the peers are not told of a registration", w->num + 1);
	}
}

static void count_record(void *private_data, const struct peers_record *record)
{
	(*(unsigned int *)private_data)++;
}

static unsigned int num_records(const struct sim_witness *w, const char *owner)
{
	unsigned int num = 0;

	peers_foreach(w->fix->service->peers, PEERS_REGISTRATION, owner, count_record, &num);
	return num;
}

static void check_beats(const struct sim_witness *w)
{
	const struct heartbeat *hb = w->fix->cluster->heartbeat;

	for (int i = 0; hb != NULL && i < NET_NODES; i++) {
		if (heartbeat_is_dead(hb, w->sim->net->nodes[i].name) &&
		    w->sim->net->now_us - w->apart_us[i] > VERDICT_US) {
			sim_fail(w->sim, "n%d takes n%d for dead, which answers", w->num + 1,
				 i + 1);
		}
	}
}

static void check_witness(const struct sim_witness *w)
{
	const struct swn_service *service = w->fix->service;
	unsigned int num = 0;

	for (const struct swn_reg *reg = swn_registry_first(service->registry); reg != NULL;
	     reg = swn_registry_next(reg)) {
		check_reg(w, reg);
		num++;
	}
	if (num_records(w, w->sim->net->nodes[w->num].name) != num) {
		sim_fail(w->sim, "n%d tells its peers of more registrations than it has",
			 w->num + 1);
	}
	check_beats(w);
}

/* Whether what a client believes, and what is queued for it, ends in the truth. */
static void check_belief(const struct sim *sim, const struct sim_client *c,
			 const struct swn_reg *reg)
{
	const struct swn_queue *queue = &reg->queue;
	int at = sim->witnesses[c->at].known.at[c->ip];
	bool will_believe = queue->num_changes > 0
				    ? queue->changes[queue->num_changes - 1].available
				    : c->believes_up;

	if (at == SIM_UNKNOWN) {
		return;
	}
	if (will_believe && at < 0) {
		sim_fail(sim, "c%d believes in %s, which is down, and nothing is queued for it",
			 c->num + 1, sim_ips[c->ip]);
	}
	if (c->unsure) {
		return;
	}
	if (!will_believe && at >= 0) {
		sim_fail(sim, "c%d does not hear that %s is back", c->num + 1, sim_ips[c->ip]);
	}
	if (c->losses > 0 && queue->num_changes == 0) {
		sim_fail(sim, "c%d does not hear that %s was gone", c->num + 1, sim_ips[c->ip]);
	}
}

/* The same of all addresses, for who asked for their changes. */
static void check_sight(const struct sim *sim, const struct sim_client *c,
			const struct swn_reg *reg)
{
	const struct swn_queue_slot *slot = &reg->queue.ip_change;
	bool will_see[SIM_ADDRS];

	memcpy(will_see, c->sees_up, sizeof(will_see));
	for (size_t i = 0; i < slot->num; i++) {
		will_see[sim_ip_index(&slot->addrs[i].ip)] = slot->addrs[i].online;
	}
	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		const struct sim_witness *w = &sim->witnesses[c->at];
		int at = w->known.at[ip];
		bool up = at >= 0 && sim_sees(w, c, ip);

		if (at != SIM_UNKNOWN && will_see[ip] != up) {
			sim_fail(sim, "c%d does not hear that %s is %s", c->num + 1, sim_ips[ip],
				 up ? "online" : "offline");
		}
	}
}

/* Five seconds after news that should make its client register anew it is no more. */
static void check_end(const struct sim *sim, const struct sim_client *c, const struct swn_reg *reg)
{
	const struct swn_fix *fix = sim->witnesses[c->at].fix;
	uint64_t ends_us = c->told_us + fix->config.reregister_delay_s * UINT64_C(1000000);

	if (c->told_us != 0 && !reg->handed_back && sim->net->now_us > ends_us + WHEEL_US) {
		sim_fail(sim, "c%d could go on with its registration", c->num + 1);
	}
}

static void check_client(const struct sim *sim, const struct sim_client *c)
{
	const struct sim_witness *w = c->at >= 0 ? &sim->witnesses[c->at] : NULL;
	const struct swn_reg *reg = sim_reg(sim, c);

	if (w == NULL || w->fix == NULL) {
		return;
	}
	if (c->call != NULL && (reg == NULL || reg->num_waiters == 0) &&
	    w->fix->service->num_handover_waiters == 0) {
		sim_fail(sim, "c%d waits for nothing at n%d", c->num + 1, c->at + 1);
	}
	if (reg != NULL) {
		check_end(sim, c, reg);
	}
	if (reg != NULL && !reg->missed_unknown) {
		if (!c->misled) {
			check_belief(sim, c, reg);
		}
		if (c->wants_ip_change && !c->unsure && !c->mistold) {
			check_sight(sim, c, reg);
		}
	}
}

void sim_check(struct sim *sim)
{
	for (int i = 0; i < NET_NODES; i++) {
		if (sim->witnesses[i].fix != NULL) {
			check_witness(&sim->witnesses[i]);
		}
	}
	for (int i = 0; i < SIM_CLIENTS; i++) {
		check_client(sim, &sim->clients[i]);
	}
}

/* --- quiet --- */

/* An entry of GetInterfaceList: the address, who has it, and that the others are witnesses for it. */
static void check_interface(const struct sim_witness *w, const struct swn_interface *iface)
{
	const struct sim *sim = w->sim;
	int ip = sim_ip_index(iface->ipv4.family != 0 ? &iface->ipv4 : &iface->ipv6);

	if (ip < 0 || iface->state != SWN_INTERFACE_AVAILABLE ||
	    strcmp(iface->group_name, sim->net->nodes[sim->at[ip]].name) != 0 ||
	    iface->witness != (sim->at[ip] != w->num)) {
		sim_fail(sim, "n%d lists %s wrongly", w->num + 1, sim_ips[ip < 0 ? 0 : ip]);
	}
}

static void check_interfaces(const struct sim_witness *w)
{
	struct swn_interface_list list;
	size_t num = 0;

	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		num += sim_offered(w->sim, ip);
	}
	if (swn_interface_list(w->fix, w->fix->service, &list) != 0 || list.num != num) {
		sim_fail(w->sim, "n%d lists %zu addresses", w->num + 1, list.num);
	}
	for (size_t i = 0; i < list.num; i++) {
		check_interface(w, &list.entries[i]);
	}
	talloc_free(list.entries);
}

/* A registration that one witness has is that one's, and nobody else's, for all of them. */
static void check_copies(const struct sim *sim, const struct sim_witness *of,
			 const struct swn_reg *reg)
{
	uint8_t key[SWN_REPLICA_KEY];
	struct peers_record record;

	swn_replica_key(&reg->handle, key);
	for (int i = 0; i < NET_NODES; i++) {
		const struct sim_witness *w = &sim->witnesses[i];

		if (peers_find(w->fix->service->peers, PEERS_REGISTRATION, key, sizeof(key),
			       &record) != 0) {
			sim_fail(sim, "n%d does not know a registration of n%d", i + 1,
				 of->num + 1);
		}
		if (record.orphan || strcmp(record.owner, sim->net->nodes[of->num].name) != 0) {
			sim_fail(sim, "n%d has a registration of n%d as %s's%s", i + 1, of->num + 1,
				 record.owner, record.orphan ? ", which has gone" : "");
		}
	}
}

static void check_agreement(const struct sim *sim)
{
	unsigned int num = 0;

	for (int i = 0; i < NET_NODES; i++) {
		const struct swn_registry *registry = sim->witnesses[i].fix->service->registry;

		for (const struct swn_reg *reg = swn_registry_first(registry); reg != NULL;
		     reg = swn_registry_next(reg)) {
			check_copies(sim, &sim->witnesses[i], reg);
			num++;
		}
	}
	for (int i = 0; i < NET_NODES; i++) {
		if (num_records(&sim->witnesses[i], NULL) != num) {
			sim_fail(sim, "n%d lists %u registrations, and there are %u", i + 1,
				 num_records(&sim->witnesses[i], NULL), num);
		}
	}
}

void sim_check_quiet(struct sim *sim)
{
	for (int i = 0; i < NET_NODES; i++) {
		for (int ip = 0; ip < SIM_ADDRS; ip++) {
			if (sim->witnesses[i].known.at[ip] != sim->at[ip]) {
				sim_fail(sim, "n%d does not know where %s is", i + 1, sim_ips[ip]);
			}
		}
		check_interfaces(&sim->witnesses[i]);
	}
	check_agreement(sim);
}

/* Words on drained nodes stay. */
static unsigned int num_own(const struct sim_witness *w)
{
	unsigned int num = 0;

	for (const struct peers_entry *entry = w->fix->service->peers->own.entries; entry != NULL;
	     entry = entry->hh.next) {
		num += entry->id[0] != PEERS_DRAIN;
	}
	return num;
}

void sim_check_empty(struct sim *sim)
{
	for (int i = 0; i < NET_NODES; i++) {
		const struct sim_witness *w = &sim->witnesses[i];
		const struct swn_service *service = w->fix->service;

		if (swn_registry_count(service->registry) != 0 ||
		    service->num_notify_waiters != 0 || service->num_handover_waiters != 0) {
			sim_fail(sim, "n%d: %u registrations and %u calls are left over", i + 1,
				 swn_registry_count(service->registry),
				 service->num_notify_waiters + service->num_handover_waiters);
		}
		if (num_records(w, NULL) != 0 || num_own(w) != 0 ||
		    service->peers->num_unsent != 0 || service->peers->num_waiting != 0) {
			sim_fail(sim, "n%d: records are left over", i + 1);
		}
	}
}
