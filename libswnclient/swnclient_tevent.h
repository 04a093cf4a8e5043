/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libswnclient on a tevent loop. Link with tevent and talloc, too. See libswnclient(3). */
#ifndef SWNCLIENT_TEVENT_H
#define SWNCLIENT_TEVENT_H

#include <talloc.h>
#include <tevent.h>

#include <swnclient.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A registration, as struct swnc_session. */
struct swnc_client;

/**
 * Called from the event loop, never from within a call of the library; event is valid during it only. May
 * call swnc_client_stop_send(); must not free the client.
 */
typedef void (*swnc_event_fn)(void *private_data, const struct swnc_event *event);

/**
 * Start; the configuration is copied. The first step is taken from the event loop. Freeing the client closes
 * its connection, which ends the registration, too.
 * @return 0, EINVAL (an option is missing), ENOMEM, or of the system
 */
int swnc_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		       const struct swnc_config *config, swnc_event_fn fn, void *private_data,
		       struct swnc_client **out);

/** Stop: no more events; unregister, if registered. The client must outlive the request. */
struct tevent_req *swnc_client_stop_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					 struct swnc_client *client, unsigned int timeout_ms);
/** @return as swnc_close() */
int swnc_client_stop_recv(struct tevent_req *req);

/** Ask the server for the cluster's interfaces, once. Errors of the configuration are reported by the request, too. */
struct tevent_req *swnc_interfaces_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					const struct swnc_config *config);
/**
 * @param out a child of mem_ctx: talloc_free() it
 * @param why when not NULL and the answer is not 0: a sentence or NULL, a child of mem_ctx
 * @return as swnc_get_interfaces()
 */
int swnc_interfaces_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct swnc_interfaces **out,
			 char **why);

#ifdef __cplusplus
}
#endif

#endif
