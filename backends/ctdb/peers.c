/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/peers.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/peer_packet.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/log.h"

#define HELLO_MS 10000 /* between two announcements of ours: a passing failure is over then */

struct peer {
	bool up;
	bool linked; /* this node's ctdbd reaches the node, as far as is known */
	uint64_t instance;
	struct ipaddr ip; /* of the node */
};

struct ctdb_peers {
	struct ctdb_peers_config config;
	bool connected, joined;
	uint32_t pnn;
	uint64_t instance;
	struct mono_alarm *join_over, *hello;
	struct peer peers[CTDB_PEERS_MAX]; /* by number */
	size_t num_nodes;                  /* 0: not known yet */
	uint8_t *buf;                      /* CTDB_PEER_MAX octets */
	uint64_t busy, refused;
};

/* --- out --- */

static struct ctdb_peer_packet packet_of(const struct ctdb_peers *peers, enum ctdb_peer_kind kind)
{
	return (struct ctdb_peer_packet){
		.kind = kind, .pnn = peers->pnn, .instance = peers->instance};
}

static void say_hello(struct ctdb_peers *peers, uint32_t destnode, uint16_t flags)
{
	struct ctdb_peer_packet packet = packet_of(peers, CTDB_PEER_HELLO);
	uint8_t bytes[CTDB_PEER_HEADER];
	int err;

	packet.flags = flags;
	ctdb_peer_push(&packet, bytes);
	err = ctdb_client_message(peers->config.client, destnode, CTDB_SRVID_WITNESSD_PEERS, bytes,
				  sizeof(bytes));
	if (err != 0) {
		log_debug("ctdb: no HELLO to the peers this time: %s", strerror(err));
	}
}

int ctdb_peers_broadcast(struct ctdb_peers *peers, const uint8_t *bytes, size_t len)
{
	struct ctdb_peer_packet packet = packet_of(peers, CTDB_PEER_DATA);
	int err;

	if (!peers->joined) {
		return ENOTCONN;
	}
	if (len > CTDB_PEER_MAX - CTDB_PEER_HEADER) {
		return EMSGSIZE;
	}
	if (ctdb_client_stats(peers->config.client)->queued > CTDB_PEERS_QUEUE_MAX) {
		peers->busy++;
		return EAGAIN;
	}
	ctdb_peer_push(&packet, peers->buf);
	memcpy(peers->buf + CTDB_PEER_HEADER, bytes, len);
	err = ctdb_client_message(peers->config.client, CTDB_BROADCAST_CONNECTED,
				  CTDB_SRVID_WITNESSD_PEERS, peers->buf, CTDB_PEER_HEADER + len);
	peers->busy += err == EAGAIN;
	return err;
}

/*
 * When our connection ends ctdbd sends our BYE to everybody. The answer does not matter: if ctdbd does not
 * support this, the others notice later.
 */
static void leave_a_will(struct ctdb_peers *peers)
{
	struct ctdb_peer_packet packet = packet_of(peers, CTDB_PEER_BYE);
	uint64_t srvid = CTDB_SRVID_WITNESSD_PEERS;
	uint32_t len = CTDB_PEER_HEADER;
	uint8_t data[sizeof(srvid) + sizeof(len) + CTDB_PEER_HEADER];
	struct ctdb_control control = {.opcode = CTDB_REGISTER_NOTIFY,
				       .destnode = CTDB_CURRENT_NODE,
				       .data = data,
				       .len = sizeof(data)};

	memcpy(data, &srvid, sizeof(srvid));
	memcpy(data + sizeof(srvid), &len, sizeof(len));
	ctdb_peer_push(&packet, data + sizeof(srvid) + sizeof(len));
	(void)ctdb_client_tell(peers->config.client, &control);
}

/* --- who is there --- */

static void peer_down(struct ctdb_peers *peers, uint32_t pnn)
{
	char buf[CTDB_NAME_LEN];

	if (peers->peers[pnn].up) {
		peers->peers[pnn].up = false;
		peers->config.sink->peer_down(peers->config.sink->private_data,
					      ctdb_names_get(peers->config.names, pnn, buf));
	}
}

static void join(struct ctdb_peers *peers)
{
	char buf[CTDB_NAME_LEN];

	mono_alarm_clear(peers->join_over);
	peers->joined = true;
	peers->config.sink->peers_joined(peers->config.sink->private_data,
					 ctdb_names_get(peers->config.names, peers->pnn, buf));
}

/* Whether everybody who may answer has done so. */
static void join_if_complete(struct ctdb_peers *peers)
{
	if (!peers->connected || peers->joined || peers->num_nodes == 0) {
		return;
	}
	for (uint32_t pnn = 0; pnn < peers->num_nodes; pnn++) {
		if (pnn != peers->pnn && peers->peers[pnn].linked && !peers->peers[pnn].up) {
			return;
		}
	}
	join(peers);
}

static void on_join_over(void *private_data)
{
	join(talloc_get_type_abort(private_data, struct ctdb_peers));
}

/* Something of this instance of a peer was heard. */
static void peer_up(struct ctdb_peers *peers, uint32_t pnn, uint64_t instance)
{
	struct peer *peer = &peers->peers[pnn];
	char buf[CTDB_NAME_LEN];

	if (peer->up && peer->instance != instance) {
		peer_down(peers, pnn); /* its end was not heard of */
	}
	peer->instance = instance;
	if (!peer->up) {
		peer->up = true;
		peers->config.sink->peer_up(peers->config.sink->private_data,
					    ctdb_names_get(peers->config.names, pnn, buf));
	}
}

void ctdb_peers_nodes(struct ctdb_peers *peers, const struct ctdb_nodemap *map)
{
	size_t num = map->num < CTDB_PEERS_MAX ? map->num : CTDB_PEERS_MAX;

	if (!peers->connected) {
		return;
	}
	peers->num_nodes = num;
	for (uint32_t pnn = 0; pnn < CTDB_PEERS_MAX; pnn++) {
		uint32_t gone = CTDB_NODE_DISCONNECTED | CTDB_NODE_DELETED;
		bool linked = pnn < num && (map->list[pnn].flags & gone) == 0;
		bool was_linked = peers->peers[pnn].linked;

		peers->peers[pnn].linked = linked;
		peers->peers[pnn].ip = pnn < num ? map->list[pnn].ip : (struct ipaddr){0};
		if (!linked) {
			peer_down(peers, pnn);
		} else if (!was_linked && pnn != peers->pnn && !peers->peers[pnn].up) {
			say_hello(peers, pnn, CTDB_PEER_ANSWER);
		}
	}
	join_if_complete(peers);
}

int ctdb_peers_find(const struct ctdb_peers *peers, const char *node, uint32_t *pnn,
		    struct ipaddr *ip)
{
	char buf[CTDB_NAME_LEN];

	for (uint32_t i = 0; i < peers->num_nodes; i++) {
		if (strcmp(ctdb_names_get(peers->config.names, i, buf), node) == 0) {
			*pnn = i;
			*ip = peers->peers[i].ip;
			return 0;
		}
	}
	return ENOENT;
}

/* --- in --- */

static void refuse(struct ctdb_peers *peers, int err)
{
	if (peers->refused++ == 0) {
		log_warn("ctdb: a message to the peers is refused: %s",
			 err == ENOTSUP ? "of a kind or version that is not known"
					: "it makes no sense");
	}
}

static void take(struct ctdb_peers *peers, const struct ctdb_peer_packet *packet)
{
	char buf[CTDB_NAME_LEN];

	if (packet->kind == CTDB_PEER_BYE) {
		if (peers->peers[packet->pnn].instance == packet->instance) {
			peer_down(peers, packet->pnn);
		}
		return;
	}
	peer_up(peers, packet->pnn, packet->instance);
	if (packet->kind == CTDB_PEER_DATA) {
		peers->config.sink->message(peers->config.sink->private_data,
					    ctdb_names_get(peers->config.names, packet->pnn, buf),
					    packet->data, packet->len);
	} else if ((packet->flags & CTDB_PEER_ANSWER) != 0) {
		say_hello(peers, packet->pnn, 0);
	}
	join_if_complete(peers);
}

static void on_message(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	struct ctdb_peers *peers = talloc_get_type_abort(private_data, struct ctdb_peers);
	struct ctdb_peer_packet packet;
	size_t num = peers->num_nodes != 0 ? peers->num_nodes : CTDB_PEERS_MAX;
	int err = ctdb_peer_parse(data, len, &packet);

	if (err == 0 && packet.pnn >= num) {
		err = EBADMSG;
	}
	if (err != 0) {
		refuse(peers, err);
	} else if (packet.pnn != peers->pnn) {
		take(peers, &packet);
	}
}

/* --- the connection --- */

static void on_hello(void *private_data)
{
	struct ctdb_peers *peers = talloc_get_type_abort(private_data, struct ctdb_peers);

	say_hello(peers, CTDB_BROADCAST_CONNECTED, 0);
	mono_alarm_set(peers->hello, HELLO_MS);
}

static uint64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static void on_connected(void *private_data)
{
	struct ctdb_peers *peers = talloc_get_type_abort(private_data, struct ctdb_peers);

	peers->connected = true;
	peers->pnn = ctdb_client_pnn(peers->config.client);
	peers->instance = realtime_ns();
	leave_a_will(peers);
	say_hello(peers, CTDB_BROADCAST_CONNECTED, CTDB_PEER_ANSWER);
	mono_alarm_set(peers->join_over, peers->config.join_wait_ms);
	mono_alarm_set(peers->hello, HELLO_MS);
}

static void on_disconnected(void *private_data, const char *reason)
{
	struct ctdb_peers *peers = talloc_get_type_abort(private_data, struct ctdb_peers);
	bool joined = peers->joined;

	mono_alarm_clear(peers->join_over);
	mono_alarm_clear(peers->hello);
	peers->connected = peers->joined = false;
	peers->num_nodes = 0;
	for (uint32_t pnn = 0; pnn < CTDB_PEERS_MAX && !joined; pnn++) {
		peer_down(peers, pnn);
	}
	memset(peers->peers, 0, sizeof(peers->peers));
	if (joined) {
		peers->config.sink->peers_left(peers->config.sink->private_data);
	}
}

int ctdb_peers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct ctdb_peers_config *config, struct ctdb_peers **out)
{
	struct ctdb_peers *peers = talloc_zero(mem_ctx, struct ctdb_peers);
	int err;

	if (peers == NULL) {
		return ENOMEM;
	}
	peers->config = *config;
	peers->buf = talloc_array(peers, uint8_t, CTDB_PEER_MAX);
	err = peers->buf == NULL
		      ? ENOMEM
		      : mono_alarm_create(peers, ev, on_join_over, peers, &peers->join_over);
	if (err == 0) {
		err = mono_alarm_create(peers, ev, on_hello, peers, &peers->hello);
	}
	if (err == 0) {
		err = ctdb_client_listen(config->client, CTDB_SRVID_WITNESSD_PEERS, on_message,
					 peers);
	}
	if (err == 0) {
		err = ctdb_client_watch(config->client, on_connected, on_disconnected, peers);
	}
	if (err != 0) {
		talloc_free(peers);
		return err;
	}
	*out = peers;
	return 0;
}

json_t *ctdb_peers_status(const struct ctdb_peers *peers)
{
	unsigned int up = 0;

	for (size_t i = 0; i < CTDB_PEERS_MAX; i++) {
		up += peers->peers[i].up;
	}
	return json_pack("{s:b, s:i, s:I, s:I}", "joined", peers->joined, "up", (int)up, "busy",
			 (json_int_t)peers->busy, "refused", (json_int_t)peers->refused);
}
