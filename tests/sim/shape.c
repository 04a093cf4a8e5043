/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Net names, kinds of addresses, and shares that go with addresses: who may be sent where, once more. */
#include "tests/sim/sim.h"

#include "tests/sim/chance.h"

const char *const sim_names[SIM_NUM_NAMES] = {"fs", "alpha", "Beta.example.com",
					      "files.example.com"};

/* A bit for each address, each with a chance of one in four. */
static unsigned int some(struct chance *chance)
{
	return chance_next(chance) & chance_next(chance) & ((1U << SIM_ADDRS) - 1);
}

bool sim_is_plain(uint64_t seed)
{
	return seed % 4 == 1;
}

void sim_shape_make(struct sim *sim, uint64_t seed)
{
	struct chance chance = {.state = ~seed};
	struct sim_shape *shape = &sim->shape;

	/* A quarter are the plain case: one service, addresses that move, a share of all of them. */
	if (sim_is_plain(seed)) {
		return;
	}
	*shape = (struct sim_shape){
		.fixed = some(&chance) & ~1U, /* the first one is everybody's */
		.fixed_offered = chance_next(&chance) % 2 == 0,
		.second = some(&chance),
		.tied = chance_next(&chance) % 2 == 0 ? some(&chance) : 0,
	};
	for (int i = 0; i < SIM_ADDRS && chance_next(&chance) % 2 == 0; i++) {
		sim->names[i] = chance_next(&chance) % (1U << SIM_OWN_NAMES);
	}
	for (int i = 0; i < NET_NODES; i++) {
		shape->skew_s[i] = (int)(chance_next(&chance) % 3) * 4;
	}
}

const char *sim_group(const struct sim *sim, int ip)
{
	return (sim->shape.second >> ip & 1) != 0 ? "fs2" : "fs";
}

bool sim_offered(const struct sim *sim, int ip)
{
	return (sim->shape.fixed >> ip & 1) == 0 || sim->shape.fixed_offered;
}

bool sim_name_taken(const struct sim_view *view, int name)
{
	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		if (view->at[ip] != SIM_ABSENT && (view->names[ip] >> name & 1) != 0) {
			return true;
		}
	}
	return false;
}

bool sim_serves(const struct sim_view *view, int ip, int name)
{
	return view->names[ip] != 0 ? (view->names[ip] >> name & 1) != 0
				    : !sim_name_taken(view, name);
}

bool sim_sees(const struct sim_witness *w, const struct sim_client *c, int ip)
{
	return sim_offered(w->sim, ip) && sim_serves(&w->known, ip, c->name);
}

bool sim_share_at(const struct sim_view *view, int ip)
{
	return view->tied == 0 || (view->tied >> ip & 1) != 0;
}

bool sim_bound(const struct sim_view *view, const struct sim_client *c)
{
	/* Who names no share may use one that is tied. */
	return ((c->has_share ? view->tied : view->bound) >> c->ip & 1) != 0;
}

bool sim_can_go(const struct sim_witness *w, const struct sim_client *c, int ip, bool with_share)
{
	return w->known.at[ip] >= 0 && ip != c->ip && sim_sees(w, c, ip) &&
	       (!with_share || sim_share_at(&w->known, ip));
}
