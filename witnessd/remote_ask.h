/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Have the witness of another node answer a command of witnessctl, as if it had been asked there (remote_serve.h). */
#ifndef WITNESSD_REMOTE_ASK_H
#define WITNESSD_REMOTE_ASK_H

#include <jansson.h>
#include <tevent.h>

#include "witnessd/cluster/peers.h"

#define REMOTE_TIMEOUT_MS 8000U /* for all of the answer */

/**
 * @param node    of a witness; the name as peers.h has it
 * @param request as on the control socket; borrowed for the call
 * @return NULL when memory is short
 */
struct tevent_req *remote_ask_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   struct peers *peers, const char *node, const json_t *request,
				   uint32_t timeout_ms);
/**
 * @return 0 with *result a new reference; what control_result() gives for what that witness refuses; or what
 *         kept it from answering: EHOSTUNREACH, ETIMEDOUT, EOPNOTSUPP (its version is older), E2BIG (the request),
 *         EMSGSIZE (the answer), ENOENT (it was forgotten before it was fetched), EPROTO (it is none) ... - each with
 *         *why, a sentence that names the node, a child of mem_ctx
 */
int remote_ask_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, json_t **result, char **why);

#endif
