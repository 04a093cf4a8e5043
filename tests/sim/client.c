/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients: what they ask, what they are told, and what they believe from then on. */
#include "tests/sim/sim.h"

static struct sim_witness *witness_of(struct sim *sim, const struct sim_client *c)
{
	return c->at >= 0 && sim->witnesses[c->at].fix != NULL ? &sim->witnesses[c->at] : NULL;
}

struct swn_reg *sim_reg(const struct sim *sim, const struct sim_client *c)
{
	const struct swn_fix *fix = c->at >= 0 ? sim->witnesses[c->at].fix : NULL;

	return fix != NULL ? swn_registry_find(fix->service->registry, &c->handle) : NULL;
}

/* What the next calls at a witness come from. */
static struct swn_fix *come_from(struct sim *sim, int witness, const struct sim_client *c)
{
	struct sim_witness *w = &sim->witnesses[witness];
	struct swn_fix *fix = w->fix;

	fix->assoc = c->assoc;
	fix->principal = c->principal;
	fix->local = (struct ipaddr){0};
	for (int i = 0; i < SIM_ADDRS && w->has; i++) {
		if (w->known.at[i] == witness) {
			fix->local = fix_ip(sim_ips[i]);
		}
	}
	return fix;
}

static void forget(struct sim_client *c)
{
	TALLOC_FREE(c->call);
	c->at = -1;
	c->unsure = c->misled = c->mistold = c->forced = false;
	c->losses = 0;
	c->told_us = 0;
}

/* --- what it is told --- */

static void learn_changes(struct sim *sim, struct sim_client *c, const struct swn_notify *n)
{
	unsigned int losses = 0;

	if (n->num_changes == 0 || n->num_changes > SWN_QUEUE_CHANGES) {
		sim_fail(sim, "c%d is told %zu changes at once", c->num + 1, n->num_changes);
	}
	for (size_t i = 0; i < n->num_changes; i++) {
		bool up = n->changes[i].state == SWN_RESOURCE_AVAILABLE;

		if (strcmp(n->changes[i].name, sim_ips[c->ip]) != 0) {
			sim_fail(sim, "c%d is told of %s, which is not its address", c->num + 1,
				 n->changes[i].name);
		}
		if (up == c->believes_up && !c->unsure && !c->misled) {
			sim_fail(sim, "c%d is told what it knows", c->num + 1);
		}
		losses += !up;
		c->believes_up = up;
	}
	if (!c->unsure && !c->misled && (losses > c->losses || (c->losses > 0 && losses == 0))) {
		sim_fail(sim, "c%d is told of %u losses of its address, and there were %u",
			 c->num + 1, losses, c->losses);
	}
	c->losses = 0;
}

static void learn_addrs(struct sim *sim, struct sim_client *c, const struct swn_notify *n)
{
	const struct sim_witness *w = witness_of(sim, c);

	if (n->type == SWN_IP_CHANGE && !c->wants_ip_change) {
		sim_fail(sim, "c%d did not ask for address changes", c->num + 1);
	}
	if (n->type == SWN_SHARE_MOVE && (!c->version_2 || !c->has_share)) {
		sim_fail(sim, "c%d has no share that could move", c->num + 1);
	}
	for (size_t i = 0; i < n->num_addrs; i++) {
		int ip = sim_ip_index(&n->addrs[i].ip);
		bool said_up = (n->addrs[i].flags & SWN_IPADDR_ONLINE) != 0;
		bool up = ip >= 0 && w->known.at[ip] >= 0;

		if (n->type != SWN_IP_CHANGE && (!up || !said_up || ip == c->ip)) {
			sim_fail(sim, "c%d is sent (type %u) to %s, which is %s", c->num + 1,
				 (unsigned int)n->type, sim_ips[ip < 0 ? 0 : ip],
				 up ? "where it is" : "not there");
		}
		if (n->type == SWN_IP_CHANGE && ip >= 0) {
			c->sees_up[ip] = said_up;
		}
		/* What another witness has queued may be news here. */
		if (n->type == SWN_IP_CHANGE && !c->unsure && !c->mistold &&
		    said_up != (up && sim_sees(w, c, ip))) {
			sim_fail(sim, "c%d is told that %s is %s, and that is wrong", c->num + 1,
				 sim_ips[ip < 0 ? 0 : ip], said_up ? "online" : "offline");
		}
	}
	sim->moved += n->type != SWN_IP_CHANGE;
}

/* Whether its registration has to end after that, for it to register anew. */
static bool ends(const struct swn_notify *n)
{
	for (size_t i = 0; i < n->num_changes; i++) {
		if (n->changes[i].state != SWN_RESOURCE_AVAILABLE) {
			return true;
		}
	}
	return n->type == SWN_CLIENT_MOVE || n->type == SWN_SHARE_MOVE;
}

static void learn(struct sim *sim, struct sim_client *c)
{
	uint32_t werror;
	struct swn_notify *n;

	n = fix_notify(c->call, &werror);
	if (werror == SWN_SUCCESS) {
		sim_say(sim, "    c%d is told %s", c->num + 1, swn_message_type_name(n->type));
		sim->told++;
		if (n->type == SWN_RESOURCE_CHANGE) {
			learn_changes(sim, c, n);
		} else {
			learn_addrs(sim, c, n);
		}
		if (ends(n)) {
			c->told_us = sim->net->now_us;
		}
		TALLOC_FREE(c->call);
	} else if (werror == SWN_ERROR_TIMEOUT && c->version_2) {
		TALLOC_FREE(c->call);
	} else if (werror == SIM_FORCED && c->forced) {
		sim_say(sim, "    c%d is given the reply", c->num + 1);
		TALLOC_FREE(c->call);
		c->forced = false;
	} else if (werror == SWN_ERROR_NOT_FOUND) {
		sim_say(sim, "    c%d has no registration any more", c->num + 1);
		forget(c);
	} else {
		sim_fail(sim, "c%d is answered 0x%x", c->num + 1, werror);
	}
}

void sim_learn_all(struct sim *sim)
{
	for (int i = 0; i < SIM_CLIENTS; i++) {
		struct sim_client *c = &sim->clients[i];
		const struct swn_reg *reg;

		if (c->call == NULL) {
			continue;
		}
		if (c->call->done) {
			learn(sim, c);
			continue;
		}
		reg = sim_reg(sim, c);
		if (reg != NULL && reg->handed_back) {
			TALLOC_FREE(c->call); /* its connection ended with the address */
			c->unsure = true;
		}
	}
}

/* --- what it does --- */

/* The answer that a registration has to get. */
static uint32_t expected(const struct sim_witness *w, const struct sim_client *c)
{
	bool of_all = c->name == SIM_NAME_FS || c->name == SIM_NAME_FILES;

	if (!of_all && !(w->has && sim_name_taken(&w->known, c->name))) {
		return SWN_ERROR_INVALID_PARAMETER;
	}
	return w->has && w->known.at[c->ip] != SIM_ABSENT && sim_offered(w->sim, c->ip) &&
			       sim_serves(&w->known, c->ip, c->name)
		       ? SWN_SUCCESS
		       : SWN_ERROR_INVALID_STATE;
}

/* What a new client believes. */
static void begin(struct sim_client *c, const struct sim_witness *w)
{
	c->at = w->num;
	c->believes_up = true;
	c->losses = w->known.at[c->ip] == SIM_DOWN;
	c->unsure = c->misled = c->mistold = c->forced = c->ended = false;
	for (int i = 0; i < SIM_ADDRS; i++) {
		c->sees_up[i] = w->known.at[i] >= 0 && sim_sees(w, c, i);
	}
}

/* An address and a name: mostly such as it will get. */
static void can_have(const struct sim_witness *w, struct sim_client *c, uint32_t r)
{
	for (int i = 0; i < SIM_ADDRS && (r & 3U << 20) != 0 && !sim_offered(w->sim, c->ip); i++) {
		c->ip = (c->ip + 1) % SIM_ADDRS;
	}
	c->name = SIM_NAME_FS;
	while ((r & 7U << 4) != 0 && c->name < SIM_NAME_FILES && expected(w, c) != SWN_SUCCESS) {
		c->name++;
	}
	if ((r & 7U << 4) == 0) {
		c->name = sim_pick(r, 7, SIM_NUM_NAMES);
	}
}

/* What it asks for. */
static struct swn_register wish(struct sim_client *c, uint32_t r)
{
	static const char *const asked[SIM_NUM_NAMES] = {"FS", "alpha.", "beta", "files"};
	struct swn_register args = fix_args();

	c->version_2 = (r & 3) != 0;
	c->has_share = c->version_2 && (r & 8) != 0;
	c->wants_ip_change = c->version_2 && (r & 4) != 0;
	args.net_name = asked[c->name];
	args.ip_address = sim_ips[c->ip];
	args.version = c->version_2 ? SWN_VERSION_2 : SWN_VERSION_1;
	args.share_name = c->has_share ? "DATA" : NULL;
	args.flags = c->wants_ip_change ? SWN_REGISTER_IP_NOTIFICATION : 0;
	args.client_computer_name = c->principal;
	args.keep_alive_timeout = 10;
	return args;
}

void sim_register(struct sim *sim, struct sim_client *c, int witness, int ip, uint32_t r)
{
	struct sim_witness *w = &sim->witnesses[witness];
	struct swn_register args;
	uint32_t werror;

	if (c->at >= 0 || w->fix == NULL) {
		return;
	}
	c->assoc = talloc_zero(sim, struct rpc_assoc);
	c->ip = ip;
	can_have(w, c, r);
	args = wish(c, r);
	werror = fix_register(come_from(sim, witness, c), c->version_2, &args, &c->handle);
	if (werror != expected(w, c)) {
		sim_fail(sim, "c%d registers at n%d for %s of %s: 0x%x", c->num + 1, witness + 1,
			 sim_ips[c->ip], args.net_name, werror);
	}
	if (werror == SWN_SUCCESS) {
		begin(c, w);
	}
}

static struct swn_fix_call *use_handle(struct swn_fix *fix, uint16_t opnum,
				       const struct swn_handle *handle)
{
	uint8_t *stub;
	size_t len;
	struct swn_fix_call *call;

	assert_int_equal(swn_push_handle(fix, handle, &stub, &len), 0);
	call = fix_send(fix, opnum, stub, len);
	talloc_free(stub);
	return call;
}

void sim_ask(struct sim *sim, struct sim_client *c, int witness)
{
	bool elsewhere = witness != c->at;
	const struct swn_reg *reg;

	if (c->at < 0 || sim->witnesses[witness].fix == NULL || (c->call != NULL && !elsewhere)) {
		return;
	}
	reg = sim_reg(sim, c);
	if (elsewhere || reg == NULL || reg->handed_back) {
		sim_cancel(sim, c);
		if (c->at < 0) {
			return;
		}
		c->assoc = talloc_zero(sim, struct rpc_assoc);
		c->unsure = true;
		c->told_us = 0;
		sim->taken += elsewhere;
	}
	c->at = witness;
	c->call = use_handle(come_from(sim, witness, c), SWN_ASYNC_NOTIFY, &c->handle);
	sim_turn(sim);
}

void sim_cancel(struct sim *sim, struct sim_client *c)
{
	if (c->call != NULL && c->call->done) {
		learn(sim, c);
	}
	TALLOC_FREE(c->call);
}

void sim_unregister(struct sim *sim, struct sim_client *c)
{
	struct sim_witness *w = witness_of(sim, c);
	const struct swn_reg *reg = sim_reg(sim, c);
	bool known = reg != NULL;
	uint32_t werror;

	if (w == NULL) {
		return;
	}
	sim_cancel(sim, c);
	if (c->at < 0) {
		return;
	}
	werror = fix_unregister(come_from(sim, c->at, c), &c->handle);
	if (werror != (known ? SWN_SUCCESS : SWN_ERROR_INVALID_PARAMETER)) {
		sim_fail(sim, "c%d unregisters: 0x%x", c->num + 1, werror);
	}
	forget(c);
}

void sim_vanish(struct sim *sim, struct sim_client *c)
{
	struct sim_witness *w = witness_of(sim, c);

	sim_cancel(sim, c);
	if (w != NULL) {
		swn_service_assoc_gone(w->fix->service, c->assoc);
	}
	if (c->assoc != NULL && w != NULL && c->assoc->holds != 0) {
		sim_fail(sim, "c%d: its connection is gone and held", c->num + 1);
	}
	forget(c);
}

void sim_steal(struct sim *sim, struct sim_client *c, int witness, bool unregister)
{
	struct sim_client thief = {.num = c->num, .principal = "mallory@EXAMPLE"};
	struct swn_fix *fix = sim->witnesses[witness].fix;
	struct swn_fix_call *call;
	uint32_t werror;
	bool known;

	if (c->at < 0 || fix == NULL) {
		return;
	}
	known = sim_reg(sim, c) != NULL;
	/* The same connection, too: the principal has to decide. */
	thief.assoc = c->assoc != NULL ? c->assoc : talloc_zero(sim, struct rpc_assoc);
	fix = come_from(sim, witness, &thief);
	if (unregister) {
		werror = fix_unregister(fix, &c->handle);
		if (werror == SWN_SUCCESS) {
			sim_fail(sim, "mallory unregisters c%d", c->num + 1);
		}
	} else {
		call = use_handle(fix, SWN_ASYNC_NOTIFY, &c->handle);
		sim_turn(sim);
		if (call->done) {
			(void)fix_notify(call, &werror);
			if (werror != SWN_ERROR_NOT_FOUND) {
				sim_fail(sim, "mallory is answered 0x%x with the handle of c%d",
					 werror, c->num + 1);
			}
		} else if (!peers_handover_pending(cluster_peers(fix->cluster))) {
			sim_fail(sim, "mallory waits on the registration of c%d", c->num + 1);
		}
		talloc_free(call);
	}
	if (c->at >= 0 && known && !c->ended && sim_reg(sim, c) == NULL) {
		sim_fail(sim, "c%d has lost its registration to mallory", c->num + 1);
	}
}
