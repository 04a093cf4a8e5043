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

#define SIM_ADDRS      4
#define SIM_CLIENTS    4
#define SIM_STEPS      46
#define SIM_HANDOVER_S 6
#define SIM_HANGS_S    60 /* seconds, for a history of less than a millisecond */

/* Where an address is: a node's number, or one of these. */
enum { SIM_DOWN = -1, SIM_ABSENT = -2, SIM_UNKNOWN = -3 };

/*
 * Names of the service: clients know it by one of them. An address has a bit for each of its own, of the
 * first ones; the last one is never an address's own.
 */
enum { SIM_NAME_FS, SIM_NAME_ALPHA, SIM_NAME_BETA, SIM_NAME_FILES, SIM_NUM_NAMES };
#define SIM_OWN_NAMES ((unsigned int)SIM_NAME_FILES)

/* What a manager says, or what a witness should know: written down apart from diff.c, to judge it. */
struct sim_view {
	int at[SIM_ADDRS];
	bool pinned[SIM_ADDRS];
	unsigned int names[SIM_ADDRS]; /* 0: none of its own */
	int share;                     /* the node that serves "data", or SIM_DOWN */
	int share_last;                /* who served it last; SIM_DOWN: nobody yet */
	unsigned int tied;             /* addresses that alone serve it; 0: all of its node */
	unsigned int bound;            /* the same, with those that are kept without quorum */
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
	struct swn_orders *orders;
	unsigned int life; /* counts its starts */
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
	int ip, name;
	bool version_2, has_share; /* the share is "data" */
	bool wants_ip_change;
	struct swn_fix_call *call; /* NULL: does not ask */
	bool believes_up;
	bool sees_up[SIM_ADDRS]; /* with wants_ip_change */
	unsigned int losses;     /* that it has not been told of */
	uint64_t told_us;        /* when last something that ends its registration; 0: never */
	bool unsure; /* its registration came from a copy, or its address is about to be taken away */
	/* By order: told what need not be true, of its address or of others; given a reply; ended. */
	bool misled, mistold, forced, ended;
};

/* An order that was given. */
struct sim_job {
	int witness;
	unsigned int life; /* of the witness */
	uint64_t id;
};

#define SIM_JOBS   16
#define SIM_FORCED 4711 /* an answer that only an administrator gives */

/* What does not change in a history, but differs between them. */
struct sim_shape {
	unsigned int fixed;  /* addresses that belong to their node */
	bool fixed_offered;  /* witness.fixed_addresses */
	unsigned int second; /* addresses of the group "fs2", not "fs" */
	unsigned int tied;   /* addresses that the share goes with */
	int skew_s[NET_NODES];
};

struct sim {
	struct net *net;
	bool beats; /* with heartbeats */
	bool loud;
	/* The truth. */
	bool alive[NET_NODES], draining[NET_NODES];
	unsigned int part; /* a bit a node: which side of the cut it is on */
	int at[SIM_ADDRS], share;
	bool pinned[SIM_ADDRS];
	unsigned int names[SIM_ADDRS];
	struct sim_shape shape;

	struct sim_witness witnesses[NET_NODES];
	struct sim_client clients[SIM_CLIENTS];
	struct sim_job jobs[SIM_JOBS];
	unsigned int num_jobs, words; /* of drained nodes */
	/* So that nobody believes in histories in which nothing happens. */
	uint64_t told, moved, taken, ordered;
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
	uint64_t histories, steps, told, moved, taken, ordered;
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

const char *sim_node_name(int num);

/* --- world.c: nodes, addresses, time --- */

struct sim *sim_new(uint64_t seed, bool beats);
void sim_free(struct sim *sim);
/** Whether two nodes are up and on the same side of the cut. */
bool sim_together(const struct sim *sim, int a, int b);
void sim_kill_witness(struct sim *sim, int num);
void sim_start_witness(struct sim *sim, int num);
/** Nodes of the mask on the other side. */
void sim_cut(struct sim *sim, unsigned int part);
/** Let everybody do what is due, and deliver replies. */
void sim_turn(struct sim *sim);
/** Let time pass; messages go through meanwhile, or not. */
void sim_pass(struct sim *sim, unsigned int ms, bool deliver);

/* --- manager.c: what a witness is told of them --- */

/** Its manager tells it how the world is; r: how it puts it. */
void sim_snapshot(struct sim *sim, int num, uint32_t r);
void sim_lose_manager(struct sim *sim, int num);
void sim_intent(struct sim *sim, int num, const struct backend_intent *intent);

/* --- shape.c: names, kinds and ties, and what follows from them, as a witness knows them --- */

/** Whether a history has one service without shapes, and no administrators: more of the rest happens in it. */
bool sim_is_plain(uint64_t seed);
void sim_shape_make(struct sim *sim, uint64_t seed);
extern const char *const sim_names[SIM_NUM_NAMES];
const char *sim_group(const struct sim *sim, int ip);
/** Whether an address is in lists, and may be registered for. */
bool sim_offered(const struct sim *sim, int ip);
/** Whether some address has the name for itself. */
bool sim_name_taken(const struct sim_view *view, int name);
/** Whether an address serves clients who know the service by that name. */
bool sim_serves(const struct sim_view *view, int ip, int name);
/** Whether a client who asks for it is told when the address changes. */
bool sim_sees(const struct sim_witness *w, const struct sim_client *c, int ip);
/** Whether "data" is served there. */
bool sim_share_at(const struct sim_view *view, int ip);
/** Whether a client's share, or whatever it uses, is served by its address only. */
bool sim_bound(const struct sim_view *view, const struct sim_client *c);
/** Whether it may be sent to an address; with_share: where "data" is. */
bool sim_can_go(const struct sim_witness *w, const struct sim_client *c, int ip, bool with_share);

/* --- planned.c: who is sent where, by plan --- */

/* What was queued for the clients of a witness. */
struct sim_before {
	const void *client_move[SIM_CLIENTS], *share_move[SIM_CLIENTS];
	int moved_to[SIM_CLIENTS]; /* a node, or -1 */
	/* A node, or -1: who served the share when a client was told last that may have missed a move. */
	int share_missed[SIM_CLIENTS];
};

struct sim_before sim_before(const struct sim_witness *w);
/** The witness has heard of it: those concerned know, and nobody else. */
void sim_check_intent(const struct sim_witness *w, const struct sim_before *before,
		      const struct backend_intent *intent);
/** It has a snapshot: the same of its nodes that are to be left, and of the share. */
void sim_check_snapshot(const struct sim_witness *w, const struct sim_before *before,
			const struct sim_view *was);

/* --- orders.c: administrators --- */

void sim_order(struct sim *sim, uint32_t r);
void sim_plan(struct sim *sim, uint32_t r);
void sim_undrain(struct sim *sim, uint32_t r);
/** All witnesses agree on which nodes are drained, and one more word on it reaches all. */
void sim_check_drains(struct sim *sim);
/** All that was ordered is done. */
void sim_check_jobs(struct sim *sim);

/* --- model.c: what a witness should know --- */

/** The core has been given a snapshot, or has thought over the last one. */
void sim_model_apply(struct sim_witness *w);
/** Listener of the cluster: the events must tell the same story. */
void sim_model_hear(void *private_data, const struct cluster_event *event,
		    const struct cluster_state *state);

/* --- client.c --- */

/** r: what it wants, and whether it takes a name and an address that it can have. */
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
