/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/conntrack.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/child.h"
#include "witnessd/util/hash.h"
#include "witnessd/util/log.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/opener.h"
#include "witnessd/util/tcpconn.h"
#include "witnessd/util/text_json.h"
#include "witnessd/util/track_limits.h"

#define MAX_LOST 400000
/* Another tickling of an address within that time would be dropped by the rate limit of the receivers. */
#define AGAIN_S 5
/*
 * Sockets of an address that moved to another node are ended that long after it has arrived there: until then
 * the others learn from them whom to tickle.
 */
#define LEFT_BEHIND_S 10

/*
 * A connection of a node that has disappeared, kept until its address is up again somewhere, which may be
 * long after the peers have dropped it: fencing takes time.
 */
struct lost_conn {
	UT_hash_handle hh;
	struct tcpconn conn;
};

/* What was done for an address. */
struct handled {
	UT_hash_handle hh;
	struct ipaddr ip;
	uint64_t tickled_ms;
};

struct conntrack {
	struct tevent_context *ev;
	struct cluster *cluster; /* borrowed, as peers */
	struct peers *peers;
	struct child *child;
	char *agent;
	json_t *ports;
	char *watch; /* the last request sent to the agent */
	struct tevent_immediate *watching;
	struct lost_conn *lost;
	struct handled *handled;
	bool can_send, full, ended_logged;
	uint64_t own, tickled, packets;
};

/* --- talking to the agent --- */

static void ask(struct conntrack *ct, json_t *request)
{
	char *line = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;

	if (line != NULL) {
		child_send(ct->child, line);
	} else {
		log_err("tickle: out of memory, a request to the agent is lost");
	}
	free(line);
	json_decref(request);
}

/* Watch all floating addresses, wherever they are: sockets that were left behind count, too. */
static void watch(struct conntrack *ct, bool again)
{
	const struct cluster_state *state = cluster_current(ct->cluster);
	json_t *addrs = json_array(), *request;
	char ip[IPADDR_STRLEN], *line;

	for (size_t i = 0;
	     state != NULL && i < state->num_addrs && json_array_size(addrs) < TRACK_MAX_ADDRS;
	     i++) {
		if (state->addrs[i].kind == CLUSTER_ADDR_FLOATING) {
			json_array_append_new(addrs,
					      json_string(ipaddr_format(&state->addrs[i].ip, ip)));
		}
	}
	request = json_pack("{s:o, s:O}", "watch", addrs, "ports", ct->ports);
	line = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
	if (line != NULL && (again || ct->watch == NULL || strcmp(line, ct->watch) != 0)) {
		child_send(ct->child, line);
		talloc_free(ct->watch);
		ct->watch = talloc_strdup(ct, line);
	}
	free(line);
	json_decref(request);
}

static void watch_later(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	watch(talloc_get_type_abort(private_data, struct conntrack), false);
}

/* --- what the agent says --- */

static void own_conn(struct conntrack *ct, const char *text, bool is_new)
{
	uint8_t key[TCPCONN_PACKED_MAX];
	struct tcpconn conn;
	size_t len;
	int err;

	if (text == NULL || tcpconn_parse(text, &conn) != 0) {
		log_warn("tickle: the agent told of no connection: %s", log_printable(text));
		return;
	}
	len = tcpconn_pack(&conn, key);
	if (!is_new) {
		ct->own -= peers_delete(ct->peers, PEERS_CONNECTION, key, len) == 0;
		return;
	}
	err = peers_put(ct->peers, PEERS_CONNECTION, key, len, NULL, 0);
	if (err != 0 && !ct->full) {
		log_warn("tickle: not all connections can be told to the other nodes: %s",
			 strerror(err));
	}
	ct->full = err != 0;
	ct->own += err == 0;
}

static void said_conns(struct conntrack *ct, const json_t *line, const char *key)
{
	const json_t *list = json_object_get(line, key);

	for (size_t i = 0; i < json_array_size(list); i++) {
		own_conn(ct, json_string_value(json_array_get(list, i)), strcmp(key, "new") == 0);
	}
}

static void said_tickled(struct conntrack *ct, const json_t *line, const char *key)
{
	const char *error = json_string_value(json_object_get(line, "error"));
	json_int_t conns = json_integer_value(json_object_get(line, "connections"));
	json_int_t sent = json_integer_value(json_object_get(line, "sent"));
	TALLOC_CTX *tmp = talloc_new(NULL);

	ct->tickled += (uint64_t)(conns > 0 ? conns : 0);
	ct->packets += (uint64_t)(sent > 0 ? sent : 0);
	log_notice("tickle: %s: %lld connections tickled with %lld packets, %lld ms after it was "
		   "asked for%s%s",
		   log_escape(tmp, json_string_value(json_object_get(line, key))), conns, sent,
		   json_integer_value(json_object_get(line, "waited_ms")),
		   error != NULL ? "; trouble: " : "", error != NULL ? log_escape(tmp, error) : "");
	talloc_free(tmp);
}

static void said_reset(struct conntrack *ct, const json_t *line, const char *key)
{
	json_int_t conns = json_integer_value(json_object_get(line, "connections"));
	TALLOC_CTX *tmp = talloc_new(NULL);

	if (conns > 0) {
		log_notice("tickle: %s has left: %lld sockets of it ended",
			   log_escape(tmp, json_string_value(json_object_get(line, key))), conns);
	}
	talloc_free(tmp);
}

static void said_problem(struct conntrack *ct, const json_t *line, const char *key)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	log_warn("tickle: %s: %s", log_escape(tmp, json_string_value(json_object_get(line, key))),
		 log_escape(tmp, json_string_value(json_object_get(line, "error"))));
	talloc_free(tmp);
}

static void said_ready(struct conntrack *ct, const json_t *line, const char *key)
{
	ct->can_send = json_is_true(json_object_get(line, "can_send"));
	if (ct->can_send) {
		log_info("tickle: the agent runs");
	} else {
		log_warn("tickle: the agent lacks CAP_NET_RAW: connections are only tracked");
	}
}

static const struct {
	const char *key;
	void (*fn)(struct conntrack *ct, const json_t *line, const char *key);
} sayings[] = {
	{"new", said_conns},   {"gone", said_conns},      {"tickled", said_tickled},
	{"reset", said_reset}, {"problem", said_problem}, {"ready", said_ready},
};

static void agent_line(void *private_data, char *text)
{
	struct conntrack *ct = talloc_get_type_abort(private_data, struct conntrack);
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
		if (json_object_get(line, sayings[i].key) != NULL) {
			sayings[i].fn(ct, line, sayings[i].key);
		}
	}
	json_decref(line);
}

/* The keys of a kind: nothing may be deleted while walking over the peers. */
struct keys {
	TALLOC_CTX *mem_ctx;
	uint8_t (*list)[TCPCONN_PACKED_MAX];
	size_t *lens;
	size_t num;
};

static void collect_key(void *private_data, const struct peers_record *record)
{
	struct keys *keys = private_data;

	if (!record->own || record->key_len > TCPCONN_PACKED_MAX) {
		return;
	}
	if (keys->num == talloc_array_length(keys->lens)) {
		size_t room = keys->num == 0 ? 64 : keys->num * 2;

		keys->lens = talloc_realloc(keys->mem_ctx, keys->lens, size_t, room);
		keys->list = talloc_realloc_size(keys->mem_ctx, keys->list,
						 room * sizeof(keys->list[0]));
	}
	if (keys->lens == NULL || keys->list == NULL) {
		keys->num = 0;
		return;
	}
	memcpy(keys->list[keys->num], record->key, record->key_len);
	keys->lens[keys->num++] = record->key_len;
}

/* A new agent lists everything again; what it does not list is gone. */
static void forget_own(struct conntrack *ct)
{
	struct keys keys = {.mem_ctx = talloc_new(ct)};

	peers_foreach(ct->peers, PEERS_CONNECTION, NULL, collect_key, &keys);
	for (size_t i = 0; i < keys.num; i++) {
		peers_delete(ct->peers, PEERS_CONNECTION, keys.list[i], keys.lens[i]);
	}
	talloc_free(keys.mem_ctx);
	ct->own = 0;
}

static void agent_started(void *private_data)
{
	struct conntrack *ct = talloc_get_type_abort(private_data, struct conntrack);

	ct->ended_logged = false;
	forget_own(ct);
	watch(ct, true);
}

static void agent_ended(void *private_data, const char *why)
{
	struct conntrack *ct = talloc_get_type_abort(private_data, struct conntrack);

	ct->can_send = false;
	if (!ct->ended_logged) {
		log_warn("tickle: no agent (%s): %s; it is tried again", ct->agent, why);
	}
	ct->ended_logged = true;
}

/* --- connections of nodes that have vanished --- */

static void keep_lost(void *private_data, const struct peers_record *record)
{
	struct conntrack *ct = private_data;
	struct lost_conn *lost;
	struct tcpconn conn;

	if (record->own || HASH_COUNT(ct->lost) >= MAX_LOST ||
	    tcpconn_unpack(record->key, record->key_len, &conn) != 0) {
		return;
	}
	HASH_FIND(hh, ct->lost, &conn, sizeof(conn), lost);
	if (lost != NULL) {
		return;
	}
	lost = talloc_zero(ct, struct lost_conn);
	if (lost == NULL) {
		log_err("tickle: out of memory, a connection is forgotten");
		return;
	}
	lost->conn = conn;
	HASH_ADD(hh, ct->lost, conn, sizeof(lost->conn), lost);
	if (lost->hh.tbl == NULL) {
		log_err("tickle: out of memory, a connection is forgotten");
		talloc_free(lost);
	}
}

/* The address is up somewhere: its host has taken care of its clients. */
static void forget_lost(struct conntrack *ct, const struct ipaddr *ip)
{
	struct lost_conn *lost, *next;

	HASH_ITER (hh, ct->lost, lost, next) {
		if (ipaddr_equal(&lost->conn.local, ip)) {
			HASH_DELETE(hh, ct->lost, lost);
			talloc_free(lost);
		}
	}
}

static void on_peers(void *private_data, const struct peers_event *event)
{
	struct conntrack *ct = talloc_get_type_abort(private_data, struct conntrack);

	if (event->type == PEERS_OWNER_GONE) {
		peers_foreach(ct->peers, PEERS_CONNECTION, event->node, keep_lost, ct);
	}
}

/* --- taking an address over --- */

/* Connections passed to the agent, one line at a time. */
struct handing {
	struct conntrack *ct;
	const struct ipaddr *ip;
	json_t *texts;
	size_t num;
};

static void hand_flush(struct handing *h)
{
	ask(h->ct, json_pack("{s:o}", "connections", h->texts));
	h->texts = json_array();
}

static void hand_over(struct handing *h, const struct tcpconn *conn)
{
	char text[TCPCONN_STRLEN];

	h->num++;
	json_array_append_new(h->texts, json_string(tcpconn_format(conn, text)));
	if (json_array_size(h->texts) >= TRACK_CONNS_A_LINE) {
		hand_flush(h);
	}
}

static void hand_record(void *private_data, const struct peers_record *record)
{
	struct handing *h = private_data;
	struct lost_conn *lost;
	struct tcpconn conn;

	if (record->own || tcpconn_unpack(record->key, record->key_len, &conn) != 0 ||
	    !ipaddr_equal(&conn.local, h->ip)) {
		return;
	}
	HASH_FIND(hh, h->ct->lost, &conn, sizeof(conn), lost);
	if (lost == NULL && !record->orphan) { /* else it comes with the lost ones, or did so */
		hand_over(h, &conn);
	}
}

static struct handled *handled_of(struct conntrack *ct, const struct ipaddr *ip)
{
	struct handled *handled;

	HASH_FIND(hh, ct->handled, ip, sizeof(*ip), handled);
	if (handled != NULL) {
		return handled;
	}
	handled = talloc_zero(ct, struct handled);
	if (handled == NULL) {
		return NULL;
	}
	handled->ip = *ip;
	HASH_ADD(hh, ct->handled, ip, sizeof(handled->ip), handled);
	if (handled->hh.tbl == NULL) {
		TALLOC_FREE(handled);
	}
	return handled;
}

int conntrack_tickle(struct conntrack *ct, const struct ipaddr *ip, size_t *num)
{
	struct handing h = {.ct = ct, .ip = ip};
	struct handled *handled = handled_of(ct, ip);
	struct lost_conn *lost, *next;
	char text[IPADDR_STRLEN];

	*num = 0;
	if (handled == NULL || !child_runs(ct->child)) {
		return handled == NULL ? ENOMEM : ENOTCONN;
	}
	if (handled->tickled_ms != 0 &&
	    clock_ms() - handled->tickled_ms < AGAIN_S * UINT64_C(1000)) {
		return 0;
	}
	h.texts = json_array();
	peers_foreach(ct->peers, PEERS_CONNECTION, NULL, hand_record, &h);
	HASH_ITER (hh, ct->lost, lost, next) {
		if (ipaddr_equal(&lost->conn.local, ip)) {
			hand_over(&h, &lost->conn);
		}
	}
	hand_flush(&h);
	json_decref(h.texts);
	*num = h.num;
	if (h.num > 0) {
		handled->tickled_ms = clock_ms();
		ask(ct, json_pack("{s:s}", "tickle", ipaddr_format(ip, text)));
		log_notice("tickle: this node has %s now: %zu connections to tickle", text, h.num);
	}
	forget_lost(ct, ip);
	return 0;
}

/* --- an address that has left --- */

struct left_behind {
	struct conntrack *ct;
	struct ipaddr ip;
};

static void end_left_behind(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			    void *private_data)
{
	struct left_behind *left = talloc_get_type_abort(private_data, struct left_behind);
	char text[IPADDR_STRLEN];

	/* The agent looks whether the address is here again. */
	ask(left->ct, json_pack("{s:s}", "reset", ipaddr_format(&left->ip, text)));
	talloc_free(left);
}

static void has_left(struct conntrack *ct, const struct ipaddr *ip)
{
	struct left_behind *left = talloc_zero(ct, struct left_behind);

	if (left == NULL) {
		return;
	}
	left->ct = ct;
	left->ip = *ip;
	if (mono_timer_add(ct->ev, left, LEFT_BEHIND_S * UINT64_C(1000), end_left_behind, left) ==
	    NULL) {
		talloc_free(left);
	}
}

/* --- events --- */

static void on_event(void *private_data, const struct cluster_event *event,
		     const struct cluster_state *state)
{
	struct conntrack *ct = talloc_get_type_abort(private_data, struct conntrack);
	size_t num;

	if (state == NULL) {
		return;
	}
	if (event->type == CLUSTER_ADDR_BACK || event->type == CLUSTER_ADDR_MOVED) {
		if (cluster_state_is_local(state, event->to)) {
			conntrack_tickle(ct, &event->ip, &num);
		} else {
			forget_lost(ct, &event->ip);
			has_left(ct, &event->ip);
		}
	}
	/* One check for all events of a round. */
	tevent_schedule_immediate(ct->watching, ct->ev, watch_later, ct);
}

/* --- the object --- */

static int conntrack_destructor(struct conntrack *ct)
{
	peers_unlisten(ct->peers, on_peers, ct);
	HASH_CLEAR(hh, ct->lost);
	HASH_CLEAR(hh, ct->handled);
	json_decref(ct->ports);
	return 0;
}

int conntrack_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		     const struct conntrack_config *config, struct conntrack **out)
{
	struct conntrack *ct = talloc_zero(mem_ctx, struct conntrack);
	const char *argv[] = {config->agent, "track", NULL};
	struct child_config child = {
		.argv = argv,
		.private_data = ct,
		.spawn = opener_there() ? opener_run : NULL,
		.started = agent_started,
		.line = agent_line,
		.ended = agent_ended,
	};
	int err;

	if (ct == NULL) {
		return ENOMEM;
	}
	ct->ev = ev;
	ct->cluster = cluster;
	ct->peers = cluster_peers(cluster);
	ct->ports = json_array();
	talloc_set_destructor(ct, conntrack_destructor);
	for (size_t i = 0; i < config->num_ports; i++) {
		json_array_append_new(ct->ports, json_integer(config->ports[i]));
	}
	ct->agent = talloc_strdup(ct, config->agent);
	ct->watching = tevent_create_immediate(ct);
	err = ct->agent == NULL || ct->watching == NULL ? ENOMEM
							: child_create(ct, ev, &child, &ct->child);
	if (err == 0) {
		err = peers_listen(ct->peers, PEERS_CONNECTION, on_peers, ct);
	}
	if (err == 0) {
		err = cluster_listen(cluster, on_event, ct);
	}
	if (err != 0) {
		talloc_free(ct);
		return err;
	}
	*out = ct;
	return 0;
}

json_t *conntrack_status_json(const struct conntrack *ct)
{
	return json_pack("{s:{s:o, s:i, s:i, s:b}, s:O, s:I, s:I, s:I, s:I}", "agent", "path",
			 text_json(ct->agent), "pid", (int)child_pid(ct->child), "starts",
			 (int)child_starts(ct->child), "can_send", ct->can_send, "ports", ct->ports,
			 "own", (json_int_t)ct->own, "lost", (json_int_t)HASH_COUNT(ct->lost),
			 "tickled", (json_int_t)ct->tickled, "packets", (json_int_t)ct->packets);
}
