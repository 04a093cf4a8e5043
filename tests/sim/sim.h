/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A cluster of witnessd's in one process, without a backend, without sockets and with a clock that only
 * moves when it is told to: the cluster's core, policy, registrations, peers and heartbeats of each node are
 * the daemon's own. Around them a world whose truth is known, managers that tell of it late, partly or not
 * at all, and clients that keep what they were told. README has the rules that are checked.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#define NET_NODES 3

#include "tests/unit/peers_net.h"
#include "tests/unit/swn_fixture.h"
#include "witnessd/cluster/cluster_private.h"

#define SIM_ADDRS      3
#define SIM_CLIENTS    4
#define SIM_STEPS      56 /* at most, in a history */
#define SIM_HANDOVER_S 6
#define SIM_HANGS_S    60 /* seconds, for a history of less than a millisecond */

/* Where an address is: a node's number, or one of these. */
enum { SIM_DOWN = -1, SIM_ABSENT = -2, SIM_UNKNOWN = -3 };

/* What a manager says, or what a witness should know: written down apart from diff.c, to judge it. */
struct sim_view {
	int at[SIM_ADDRS];
	int share; /* the node that serves it, or SIM_DOWN */
	bool quorate;
	bool online[NET_NODES], draining[NET_NODES];
};

struct sim;

/* What probes are asked of: backend.h leaves it to who defines one. */
struct backend {
	struct sim *sim;
	int num;
};

struct sim_witness {
	struct sim *sim;
	int num;
	struct swn_fix *fix; /* NULL: does not run */
	struct backend backend;
	uint64_t generation;
	bool has, stale;                   /* a snapshot; and its manager is gone */
	struct sim_view said, known, told; /* by the manager, to the core; by the core's events */
	uint64_t apart_us[NET_NODES];      /* when that node could not be reached last */
};

struct sim_client {
	int num;
	char principal[32];
	int at; /* the witness that it talks to; -1: it is not registered */
	struct rpc_assoc *assoc;
	struct swn_handle handle;
	int ip;
	bool wants_ip_change;
	struct swn_fix_call *call; /* NULL: does not ask */
	bool believes_up;
	bool sees_up[SIM_ADDRS]; /* with wants_ip_change */
	unsigned int losses;     /* that it has not been told of */
	bool unsure; /* its registration came from a copy, or its address is about to be taken away */
};

struct sim {
	struct net *net;
	bool beats; /* with heartbeats */
	bool loud;
	/* The truth. */
	bool alive[NET_NODES], draining[NET_NODES];
	unsigned int part; /* a bit a node: which side of the cut it is on */
	int at[SIM_ADDRS], share;

	struct sim_witness witnesses[NET_NODES];
	struct sim_client clients[SIM_CLIENTS];
	uint64_t told, moved,
		taken; /* so that nobody believes in histories in which nothing happens */
};

struct sim_step {
	unsigned int op;
	uint32_t r; /* whatever the step has to decide */
};

struct sim_history {
	uint64_t seed;
	bool beats;
	size_t num;
	struct sim_step steps[SIM_STEPS];
};

struct sim_stats {
	uint64_t histories, steps, told, moved, taken;
};

/** Ends the process with this message: what was broken where. */
void sim_fail(const struct sim *sim, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/** A line of the trace, when it is wanted. */
void sim_say(const struct sim *sim, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Set by who wants to know how it ended: text of failures. */
extern char *sim_verdict;
#define SIM_VERDICT_MAX 512

/** A number below n, from some bits of r. */
static inline int sim_pick(uint32_t r, unsigned int from, unsigned int n)
{
	return (int)((r >> from) % n);
}

extern const char *const sim_ips[SIM_ADDRS];
int sim_ip_index(const struct ipaddr *ip); /* -1: none of ours */

/* --- world.c: nodes, addresses, managers, time --- */

struct sim *sim_new(uint64_t seed, bool beats);
void sim_free(struct sim *sim);
/** Whether two nodes are up and on the same side of the cut. */
bool sim_together(const struct sim *sim, int a, int b);
void sim_kill_witness(struct sim *sim, int num);
void sim_start_witness(struct sim *sim, int num);
/** Its manager tells it how the world is; r: how it puts it. */
void sim_snapshot(struct sim *sim, int num, uint32_t r);
void sim_lose_manager(struct sim *sim, int num);
void sim_intent(struct sim *sim, int num, const struct backend_intent *intent);
/** Nodes of the mask on the other side. */
void sim_cut(struct sim *sim, unsigned int part);
/** Let everybody do what is due, and deliver replies. */
void sim_turn(struct sim *sim);
/** Let time pass; messages go through meanwhile, or not. */
void sim_pass(struct sim *sim, unsigned int ms, bool deliver);

/* --- model.c: what a witness should know --- */

/** The core has been given a snapshot, or has thought over the last one. */
void sim_model_apply(struct sim_witness *w);
/** Listener of the cluster: the events must tell the same story. */
void sim_model_hear(void *private_data, const struct cluster_event *event,
		    const struct cluster_state *state);

/* --- client.c --- */

void sim_register(struct sim *sim, struct sim_client *c, int witness, int ip, uint32_t r);
void sim_ask(struct sim *sim, struct sim_client *c, int witness);
void sim_cancel(struct sim *sim, struct sim_client *c);
void sim_unregister(struct sim *sim, struct sim_client *c);
/** Its connection ends. */
void sim_vanish(struct sim *sim, struct sim_client *c);
/** Another one uses its handle. */
void sim_steal(struct sim *sim, struct sim_client *c, int witness, bool unregister);
/** Believe what has been answered. */
void sim_learn_all(struct sim *sim);
struct swn_reg *sim_reg(const struct sim *sim, const struct sim_client *c);

/* --- check.c --- */

/** What must be true after every step. */
void sim_check(struct sim *sim);
/** What must be true once everything is well and has been for a while. */
void sim_check_quiet(struct sim *sim);
/** What must be true when everybody has left. */
void sim_check_empty(struct sim *sim);

/* --- history.c --- */

void sim_history_make(struct sim_history *history, uint64_t seed);
/** Run it to its end, which is quiet and empty; failures end the process. */
void sim_history_run(const struct sim_history *history, bool loud, struct sim_stats *stats);

/* --- shrink.c --- */

/** Run it in a process of its own. @return whether it went well; else why, of SIM_VERDICT_MAX bytes */
bool sim_try(const struct sim_history *history, bool loud, char *why);
/** Leave out whatever is not needed for it to fail. */
void sim_shrink(struct sim_history *history);

/* --- keepalive.c --- */

/** A day of nothing but keep-alive answers. @return whether anything has grown, or failed: then it says so */
bool sim_keepalive(unsigned int clients, unsigned int hours);

#endif
