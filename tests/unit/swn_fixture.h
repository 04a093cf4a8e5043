/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witness service without a network: a cluster that is fed by snapshots, a clock that the test moves,
 * and calls made through iface.h as the runtime would.
 */
#ifndef TESTS_UNIT_SWN_FIXTURE_H
#define TESTS_UNIT_SWN_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/cluster_fixture.h"
#include "witnessd/swn/select.h"
#include "witnessd/swn/service_private.h"

struct swn_fix {
	struct tevent_context *ev;
	struct cluster *cluster;
	struct swn_service *service;
	struct swn_config config;
	uint64_t now_us;
	uint64_t generation;
	/* Who calls; a test changes it. */
	struct rpc_assoc *assoc;
	struct ipaddr remote, local;
	const char *principal;
	enum rpc_auth_level level;
};

/* A call under way, a child of the fixture. */
struct swn_fix_call {
	struct rpc_call call;
	struct tevent_req *req;
	bool done;
	int err;
	struct rpc_reply reply;
};

static inline uint64_t fix_clock(void *private_data)
{
	return ((struct swn_fix *)private_data)->now_us;
}

static inline bool fix_share_known(void *private_data, const char *share, bool *any)
{
	*any = *(bool *)private_data;
	return *any && strcasecmp(share, "data") == 0;
}

/* The runtime's association groups, as far as the service knows them. Weak: of a program with several files, all have them. */
struct rpc_assoc {
	unsigned int holds;
};

__attribute__((weak)) void rpc_assoc_hold(struct rpc_assoc *assoc)
{
	assoc->holds++;
}

__attribute__((weak)) void rpc_assoc_release(struct rpc_assoc *assoc)
{
	assert_true(assoc->holds > 0);
	assoc->holds--;
}

static inline struct rpc_assoc *fix_assoc(unsigned int n)
{
	static struct rpc_assoc assocs[256];

	return &assocs[n];
}

/* All but the loop and the cluster. */
static inline void fix_init(struct swn_fix *fix)
{
	static const char *const names[] = {"FS", "files.example.com", NULL};
	static bool shares = true;

	fix->now_us = 1000000000;
	fix->assoc = fix_assoc(1);
	fix->remote = fix_ip("192.0.2.1");
	fix->principal = "alice@EXAMPLE";
	fix->level = RPC_LEVEL_INTEGRITY;
	fix->config = (struct swn_config){
		.net_names = names,
		.version = SWN_VERSION_2,
		.unused_timeout_s = 30,
		.reregister_delay_s = 5,
		.max_registrations = 100,
		.max_registrations_principal = 50,
		.max_registrations_assoc = 20,
		.share_known = fix_share_known,
		.share_private = &shares,
	};
}

static inline struct swn_fix *fix_new(void)
{
	struct swn_fix *fix = talloc_zero(NULL, struct swn_fix);

	fix->ev = tevent_context_init(fix);
	fix_init(fix);
	assert_int_equal(cluster_create(fix, fix->ev, &fix->cluster), 0);
	return fix;
}

static inline void fix_start(struct swn_fix *fix)
{
	assert_int_equal(swn_service_create_clocked(fix, fix->ev, &fix->config, fix->cluster,
						    fix_clock, fix, &fix->service),
			 0);
}

/* Hand a snapshot over; it is freed. */
static inline void fix_snapshot(struct swn_fix *fix, struct cluster_state *state)
{
	const struct backend_sink *sink = cluster_sink(fix->cluster);

	state->generation = ++fix->generation;
	sink->snapshot(sink->private_data, &state);
}

/*
 * Three nodes, n1 local; 10.0.0.7 on a, 10.0.0.8 on b, fd00::9 on n3. NULL: unavailable; "": not there.
 */
static inline struct cluster_state *fix_places(const char *a, const char *b)
{
	struct cluster_state *state = fix_state(NULL);
	const char *const ips[] = {"10.0.0.7", "10.0.0.8"};
	const char *const nodes[] = {a, b};

	for (int i = 0; i < 2; i++) {
		if (nodes[i] == NULL) {
			fix_down(state, ips[i]);
		} else if (nodes[i][0] != '\0') {
			fix_up(state, ips[i], nodes[i]);
		}
	}
	fix_up(state, "fd00::9", "n3");
	return state;
}

static inline void fix_place(struct swn_fix *fix, const char *a, const char *b)
{
	fix_snapshot(fix, fix_places(a, b));
}

static inline void fix_pumped(struct tevent_context *ev, struct tevent_timer *te,
			      struct timeval now, void *private_data)
{
	*(bool *)private_data = true;
}

/* Run everything that waits to run. */
static inline void fix_pump(struct swn_fix *fix)
{
	bool done = false;

	assert_non_null(tevent_add_timer(fix->ev, fix, tevent_timeval_zero(), fix_pumped, &done));
	while (!done) {
		assert_int_equal(tevent_loop_once(fix->ev), 0);
	}
}

/* Let time pass, waking the service whenever it wants to be woken. */
static inline void fix_pass_ms(struct swn_fix *fix, uint64_t ms)
{
	uint64_t end_us = fix->now_us + ms * 1000;
	struct wheel *wheel = fix->service->wheel;

	while (wheel_next_us(wheel) <= end_us) {
		if (wheel_next_us(wheel) > fix->now_us) {
			fix->now_us = wheel_next_us(wheel);
		}
		wheel_run(wheel);
		fix_pump(fix);
	}
	fix->now_us = end_us;
}

static inline void fix_call_done(struct tevent_req *req)
{
	struct swn_fix_call *c = tevent_req_callback_data_void(req);

	c->err = swn_iface.ops[c->call.opnum].recv(req, c, &c->reply);
	c->done = true;
	talloc_free(req);
	c->req = NULL;
}

static inline struct swn_fix_call *fix_send(struct swn_fix *fix, uint16_t opnum,
					    const uint8_t *stub, size_t len)
{
	struct swn_fix_call *c = talloc_zero(fix, struct swn_fix_call);

	c->call = (struct rpc_call){
		.iface_private = fix->service,
		.assoc = fix->assoc,
		.conn_id = 1,
		.opnum = opnum,
		.identity = {.type = RPC_AUTH_KRB5,
			     .level = fix->level,
			     .principal = fix->principal},
		.remote = fix->remote,
		.local = fix->local,
		.stub = talloc_memdup(c, stub, len),
		.stub_len = len,
	};
	c->req = swn_iface.ops[opnum].send(c, fix->ev, &c->call);
	assert_non_null(c->req);
	tevent_req_set_callback(c->req, fix_call_done, c);
	return c;
}

/* Send and run what can run; the call may still wait afterwards. */
static inline struct swn_fix_call *fix_call(struct swn_fix *fix, uint16_t opnum,
					    const uint8_t *stub, size_t len)
{
	struct swn_fix_call *c = fix_send(fix, opnum, stub, len);

	fix_pump(fix);
	return c;
}

static inline uint32_t fix_handle_reply(struct swn_fix_call *c, struct swn_handle *handle)
{
	uint32_t werror = 0xffff;

	assert_true(c->done);
	assert_int_equal(c->err, 0);
	assert_int_equal(c->reply.fault, 0);
	assert_int_equal(swn_pull_handle_reply(c->reply.stub, c->reply.stub_len, handle, &werror),
			 0);
	return werror;
}

static inline uint32_t fix_register(struct swn_fix *fix, bool ex, const struct swn_register *args,
				    struct swn_handle *handle)
{
	uint8_t *stub;
	size_t len;

	assert_int_equal((ex ? swn_push_register_ex : swn_push_register)(fix, args, &stub, &len),
			 0);
	return fix_handle_reply(fix_call(fix, ex ? SWN_REGISTER_EX : SWN_REGISTER, stub, len),
				handle);
}

/* A good registration of version 2 for 10.0.0.7 without a share. */
static inline struct swn_register fix_args(void)
{
	return (struct swn_register){.version = SWN_VERSION_2,
				     .net_name = "fs",
				     .ip_address = "10.0.0.7",
				     .client_computer_name = "c1.example.com",
				     .keep_alive_timeout = 120};
}

static inline struct swn_handle fix_register_ok(struct swn_fix *fix, bool ex,
						const struct swn_register *args)
{
	struct swn_handle handle;

	assert_int_equal(fix_register(fix, ex, args, &handle), SWN_SUCCESS);
	return handle;
}

static inline struct swn_handle fix_registered(struct swn_fix *fix)
{
	struct swn_register args = fix_args();

	return fix_register_ok(fix, true, &args);
}

static inline struct swn_handle fix_registered_v1(struct swn_fix *fix)
{
	struct swn_register args = fix_args();

	args.version = SWN_VERSION_1;
	return fix_register_ok(fix, false, &args);
}

static inline struct swn_fix_call *fix_handle_call(struct swn_fix *fix, uint16_t opnum,
						   const struct swn_handle *handle)
{
	uint8_t *stub;
	size_t len;

	assert_int_equal(swn_push_handle(fix, handle, &stub, &len), 0);
	return fix_call(fix, opnum, stub, len);
}

static inline struct swn_fix_call *fix_async(struct swn_fix *fix, const struct swn_handle *handle)
{
	return fix_handle_call(fix, SWN_ASYNC_NOTIFY, handle);
}

static inline uint32_t fix_unregister(struct swn_fix *fix, const struct swn_handle *handle)
{
	struct swn_fix_call *c = fix_handle_call(fix, SWN_UNREGISTER, handle);
	uint32_t werror;

	assert_true(c->done);
	assert_int_equal(c->err, 0);
	assert_int_equal(swn_pull_werror_reply(c->reply.stub, c->reply.stub_len, &werror), 0);
	return werror;
}

/* What an AsyncNotify call was answered; NULL with an error. */
static inline struct swn_notify *fix_notify(struct swn_fix_call *c, uint32_t *werror)
{
	struct swn_notify *notify = NULL;

	assert_true(c->done);
	assert_int_equal(c->err, 0);
	assert_int_equal(
		swn_pull_notify_reply(c, c->reply.stub, c->reply.stub_len, &notify, werror), 0);
	return notify;
}

static inline void fix_assert_ended(struct swn_fix_call *c, uint32_t want)
{
	uint32_t werror;

	assert_null(fix_notify(c, &werror));
	assert_int_equal(werror, want);
}

/* "UA": unavailable, then available; of the registered address ip. */
static inline void fix_assert_changes(struct swn_fix_call *c, const char *ip, const char *want)
{
	uint32_t werror;
	struct swn_notify *n = fix_notify(c, &werror);

	assert_int_equal(werror, SWN_SUCCESS);
	assert_non_null(n);
	assert_int_equal(n->type, SWN_RESOURCE_CHANGE);
	assert_int_equal(n->num_changes, strlen(want));
	for (size_t i = 0; i < n->num_changes; i++) {
		assert_string_equal(n->changes[i].name, ip);
		assert_int_equal(n->changes[i].state, want[i] == 'A' ? SWN_RESOURCE_AVAILABLE
								     : SWN_RESOURCE_UNAVAILABLE);
	}
}

/* --- for cmocka: a service that a test starts itself, or one that is started and has a cluster --- */

static inline void fix_list_found(void *private_data, const struct swn_found *found)
{
	(void)json_array_append_new(private_data, swn_found_json(found));
}

/* What `witnessctl list` would show, looked through in small pieces. */
static inline json_t *fix_list(struct swn_fix *fix, const struct swn_select *select)
{
	json_t *list = json_array();
	struct swn_walk *walk = NULL;

	assert_int_equal(swn_walk_create(fix, fix->service, select, &walk), 0);
	while (swn_walk_next(walk, 3, fix_list_found, list)) {
	}
	talloc_free(walk);
	return list;
}

static inline int fix_setup(void **state)
{
	*state = fix_new();
	return 0;
}

static inline int fix_setup_started(void **state)
{
	struct swn_fix *fix = fix_new();

	fix_start(fix);
	fix_place(fix, "n1", "n2");
	*state = fix;
	return 0;
}

static inline int fix_teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* The cluster has been asked to move 10.0.0.7; to NULL: anywhere else. */
static inline void fix_intend_from(struct swn_fix *fix, const char *from, const char *to)
{
	struct backend_intent intent = {.kind = BACKEND_INTENT_ADDR,
					.what = "10.0.0.7",
					.from = from,
					.to = to,
					.why = "test"};
	const struct backend_sink *sink = cluster_sink(fix->cluster);

	sink->intent(sink->private_data, &intent);
}

static inline void fix_intend(struct swn_fix *fix, const char *to)
{
	fix_intend_from(fix, "n1", to);
}

#endif
