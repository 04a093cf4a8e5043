/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the client. */
#ifndef BACKENDS_CTDB_CLIENT_PRIVATE_H
#define BACKENDS_CTDB_CLIENT_PRIVATE_H

#include <qb/qblist.h>
#include <sys/un.h>

#include "backends/ctdb/client.h"
#include "witnessd/util/backoff.h"
#include "witnessd/util/hash.h"

enum client_state {
	CLIENT_DOWN,
	CLIENT_GREETING, /* connected; waiting for our number and the SRVIDs */
	CLIENT_UP,
};

struct client_listener {
	struct qb_list_head link;
	uint64_t srvid;
	ctdb_message_fn fn;
	void *private_data;
};

struct client_watcher {
	struct qb_list_head link;
	void (*connected)(void *private_data);
	void (*disconnected)(void *private_data, const char *reason);
	void *private_data;
};

struct ctdb_client {
	struct tevent_context *ev;
	struct ctdb_client_config config;
	struct sockaddr_un addr;
	struct qb_list_head listeners, watchers;
	struct ctdb_client_stats stats;

	enum client_state state;
	int fd; /* -1: none */
	struct tevent_fd *fde;
	struct mono_alarm *retry;  /* while DOWN */
	struct mono_alarm *broken; /* the connection is to be closed from the event loop */
	const char *broken_why;
	struct backoff backoff;
	bool complained; /* logged that ctdbd cannot be reached */
	bool ended;      /* the other end closed the last connection */
	uint32_t pnn;
	unsigned int greetings; /* answers still missing before it is UP */

	uint8_t *in; /* what has been read and is not a whole packet yet */
	size_t in_size, in_len;
	uint64_t last_read_ms;     /* clock_ms() */
	struct qb_list_head queue; /* struct outgoing, client_io.c */

	struct client_call *calls; /* by reqid */
	uint32_t last_reqid;
};

/* A control without a reply yet: the state of ctdb_control_send(). */
struct client_call {
	UT_hash_handle hh;
	struct ctdb_client *client; /* NULL: no longer in the table */
	struct tevent_req *req;
	uint32_t reqid;
	bool local; /* this node's ctdbd answers it */
	int32_t status;
	uint8_t *data;
	size_t len;
};

/* client.c */
/** End the connection, tell all watchers, and retry later. Not from within a function of client.h. */
void ctdb_client_lost(struct ctdb_client *client, const char *reason);
/** The same from the event loop, so callable from anywhere. reason is a constant. */
void ctdb_client_break(struct ctdb_client *client, const char *reason);

/* client_io.c */
/** Start reading. @return 0 or ENOMEM */
int ctdb_client_io_start(struct ctdb_client *client);
/** Discard everything read or queued, and close. */
void ctdb_client_io_stop(struct ctdb_client *client);
/** Queue a packet. @return as ctdb_client_message() */
int ctdb_client_push(struct ctdb_client *client, const struct ctdb_packet *packet);

/* client_call.c */
/** As ctdb_control_send(), also during the greeting. */
struct tevent_req *ctdb_client_call_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					 struct ctdb_client *client,
					 const struct ctdb_control *control);
/** A reply has come. */
void ctdb_client_replied(struct ctdb_client *client, const struct ctdb_packet *packet);
/** Nothing will be answered any more. */
void ctdb_client_fail_calls(struct ctdb_client *client);
/** The same without completing them: they time out. */
void ctdb_client_forget_calls(struct ctdb_client *client);

#endif
