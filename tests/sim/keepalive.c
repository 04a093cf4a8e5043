/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A day of keep-alives: clients are answered each time that theirs is over, and ask again. Each hour some
 * hear of an address by order, and a node is drained for a while: that leaves nothing behind either.
 */
#include "tests/sim/sim.h"

#include <malloc.h>

#include "tests/sim/chance.h"
#include "witnessd/swn/orders.h"

#define KEEP_ALIVE_S 120U
#define GROWTH_MAX   (64U * 1024U) /* bytes of heap in a day, for what the allocator rounds */

struct member {
	int witness;
	struct rpc_assoc assoc;
	struct swn_handle handle;
	struct swn_fix_call *call;
};

static void ask(struct sim *sim, struct member *m)
{
	struct swn_fix *fix = sim->witnesses[m->witness].fix;
	uint8_t *stub;
	size_t len;

	fix->assoc = &m->assoc;
	fix->principal = "c1@EXAMPLE";
	assert_int_equal(swn_push_handle(fix, &m->handle, &stub, &len), 0);
	m->call = fix_send(fix, SWN_ASYNC_NOTIFY, stub, len);
	talloc_free(stub);
}

static void begin(struct sim *sim, struct member *m, unsigned int num)
{
	struct swn_register args = fix_args();
	struct swn_fix *fix;

	m->witness = (int)(num % NET_NODES);
	fix = sim->witnesses[m->witness].fix;
	fix->assoc = &m->assoc;
	fix->principal = "c1@EXAMPLE";
	args.ip_address = sim_ips[num % SIM_ADDRS];
	args.keep_alive_timeout = KEEP_ALIVE_S;
	args.flags = num % 3 == 0 ? SWN_REGISTER_IP_NOTIFICATION : 0;
	m->handle = fix_register_ok(fix, true, &args);
	ask(sim, m);
}

/* Some are told something, at the hour. */
static void order(struct sim *sim)
{
	struct sim_witness *w = &sim->witnesses[0];
	const struct swn_select all = {.all = true};
	const struct swn_orders_request request = {
		.order = {.type = SWN_ORDER_IP_CHANGE, .ip = fix_ip(sim_ips[0]), .online = true},
		.select = &all};
	const char *marked;
	char *why = NULL;
	uint64_t id;

	assert_int_equal(swn_orders_begin(w->orders, sim, &request, &id, &why), 0);
	for (int drained = 1; drained >= 0; drained--) {
		chance_day(sim->net->now_us);
		assert_int_equal(swn_orders_mark(w->orders, sim, "n2", drained, &marked, &why), 0);
	}
}

/* @return the answers of that time */
static uint64_t pass_hour(struct sim *sim, struct member *members, unsigned int num)
{
	uint64_t answers = 0;

	order(sim);
	for (unsigned int s = 0; s < 3600; s += KEEP_ALIVE_S / 8) {
		sim_pass(sim, KEEP_ALIVE_S / 8 * 1000, true);
		for (unsigned int i = 0; i < num; i++) {
			uint32_t werror = SWN_SUCCESS;

			if (!members[i].call->done) {
				continue;
			}
			(void)fix_notify(members[i].call, &werror);
			if (werror != SWN_ERROR_TIMEOUT && werror != SWN_SUCCESS) {
				return 0;
			}
			TALLOC_FREE(members[i].call);
			ask(sim, &members[i]);
			answers++;
		}
	}
	return answers;
}

static struct sim *begin_day(struct member *members, unsigned int num)
{
	struct sim *sim;

	chance_handles(1);
	sim = sim_new(1, true);
	for (int i = 0; i < NET_NODES; i++) {
		struct swn_service *service = sim->witnesses[i].fix->service;

		service->config.max_registrations = num;
		service->config.max_registrations_principal = num;
		sim_snapshot(sim, i, 0);
	}
	sim_pass(sim, 10, true);
	for (unsigned int i = 0; i < num; i++) {
		begin(sim, &members[i], i);
	}
	return sim;
}

bool sim_keepalive(unsigned int clients, unsigned int hours)
{
	struct member *members = talloc_zero_array(NULL, struct member, clients);
	struct sim *sim = begin_day(members, clients);
	uint64_t answers, sum = 0;
	size_t heap = 0, blocks = 0, now = 0, now_blocks = 0;

	for (unsigned int h = 0; h <= hours; h++) {
		/* Everything has been used once after the first. */
		if (h == 1) {
			heap = mallinfo2().uordblks;
			blocks = talloc_total_blocks(sim);
		}
		answers = pass_hour(sim, members, clients);
		sum += answers;
		if (answers < (uint64_t)clients * 3600 / KEEP_ALIVE_S * 8 / 10) {
			printf("# hour %u: only %llu answers, or a wrong one\n", h,
			       (unsigned long long)answers);
			return false;
		}
	}
	now = mallinfo2().uordblks;
	now_blocks = talloc_total_blocks(sim);
	printf("# %u clients, %llu answers; heap %zu KiB, and %zu KiB %u hours later; %zu and %zu "
	       "objects\n",
	       clients, (unsigned long long)sum, heap / 1024, now / 1024, hours, blocks,
	       now_blocks);
	sim_free(sim);
	talloc_free(members);
	return now <= heap + GROWTH_MAX && now_blocks <= blocks;
}
