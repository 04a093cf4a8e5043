/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/client_ops.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/req.h"

static unsigned int step_timeout(const struct swn_client_params *params)
{
	return params->timeout_ms > 0 ? params->timeout_ms : RPC_CLIENT_TIMEOUT_MS;
}

static void op_fail(struct tevent_req *req, char **why, int err, const char *fmt, ...)
	PRINTF_ATTRIBUTE(4, 5);

/* End a request with a sentence, which becomes a child of the request. */
static void op_fail(struct tevent_req *req, char **why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*why = talloc_vasprintf(req, fmt, ap);
	va_end(ap);
	tevent_req_error(req, (uint64_t)err);
}

/* Pass the sentence on in a recv(). */
static void give_why(TALLOC_CTX *mem_ctx, int err, char *why, char **out)
{
	if (out != NULL) {
		*out = why != NULL ? talloc_steal(mem_ctx, why)
				   : talloc_strdup(mem_ctx, strerror(err));
	}
}

/* Whether a call of a method succeeded; else the request has been ended. */
static bool call_ok(struct tevent_req *req, char **why, const char *method, int err, uint32_t fault)
{
	if (err != 0) {
		op_fail(req, why, err, "%s: %s", method, strerror(err));
		return false;
	}
	if (fault != 0) {
		op_fail(req, why, fault == RPC_FAULT_ACCESS_DENIED ? EACCES : EREMOTEIO,
			"%s: fault 0x%08x", method, fault);
		return false;
	}
	return true;
}

/* The same for what the method returned, when the stub could be pulled (err 0). */
static bool werror_ok(struct tevent_req *req, char **why, const char *method, int err,
		      uint32_t werror)
{
	bool denied = werror == SWN_ERROR_ACCESS_DENIED || werror == SWN_ERROR_NOT_AUTHENTICATED;

	if (err != 0) {
		op_fail(req, why, err == EBADMSG ? EPROTO : err, "%s: the answer cannot be decoded",
			method);
		return false;
	}
	if (werror != SWN_SUCCESS) {
		op_fail(req, why, denied ? EACCES : EREMOTEIO, "%s: %s (%u)", method,
			swn_werror_name(werror), werror);
		return false;
	}
	return true;
}

/* ---- open: the endpoint mapper, then the witness service ---- */

struct swn_open_state {
	struct tevent_context *ev;
	const struct swn_client_params *params;
	struct ipaddr addr;
	struct rpc_client *rpc;
	char *why;
};

static void swn_open_mapped(struct tevent_req *subreq);
static void swn_open_bound(struct tevent_req *subreq);

static struct tevent_req *swn_open_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					const struct swn_client_params *params,
					const struct ipaddr *addr)
{
	static const struct rpc_syntax witness = RPC_SYNTAX_WITNESS;
	struct swn_open_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct swn_open_state);
	struct tevent_req *subreq;

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->params = params;
	state->addr = *addr;
	subreq =
		rpc_epm_map_send(state, ev, addr, params->epm_port, &witness, step_timeout(params));
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, swn_open_mapped, req);
	return req;
}

static void swn_open_mapped(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swn_open_state *state = tevent_req_data(req, struct swn_open_state);
	const struct swn_client_params *params = state->params;
	struct rpc_client_params rpc = {
		.addr = state->addr,
		.iface = RPC_SYNTAX_WITNESS,
		.auth_type = params->auth_type,
		.auth_level = params->auth_level,
		.cred = &params->cred,
		.target = params->target,
		.auth = params->auth,
		.timeout_ms = step_timeout(params),
	};
	int err = rpc_epm_map_recv(subreq, &rpc.port);

	TALLOC_FREE(subreq);
	if (err == EPROTONOSUPPORT) {
		op_fail(req, &state->why, err, "no witness service is registered there");
		return;
	}
	if (err != 0) {
		op_fail(req, &state->why, err, "endpoint mapper: %s", strerror(err));
		return;
	}
	subreq = rpc_client_connect_send(state, state->ev, &rpc);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, swn_open_bound, req);
}

static void swn_open_bound(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swn_open_state *state = tevent_req_data(req, struct swn_open_state);
	int err = rpc_client_connect_recv(subreq, state, &state->rpc, &state->why);

	TALLOC_FREE(subreq);
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	tevent_req_done(req);
}

static int swn_open_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_client **rpc,
			 char **why)
{
	struct swn_open_state *state = tevent_req_data(req, struct swn_open_state);
	int err = req_errno(req);

	if (err == 0) {
		*rpc = talloc_move(mem_ctx, &state->rpc);
	} else {
		give_why(mem_ctx, err, state->why, why);
	}
	tevent_req_received(req);
	return err;
}

/* ---- list ---- */

struct swn_list_state {
	struct tevent_context *ev;
	const struct swn_client_params *params;
	struct rpc_client *rpc;
	struct swn_interface_list *list;
	char *why;
};

static void swn_list_opened(struct tevent_req *subreq);
static void swn_list_answered(struct tevent_req *subreq);

struct tevent_req *swn_list_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 const struct swn_client_params *params, const struct ipaddr *addr)
{
	struct swn_list_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct swn_list_state);
	struct tevent_req *subreq;

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->params = params;
	subreq = swn_open_send(state, ev, params, addr);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, swn_list_opened, req);
	return req;
}

static void swn_list_opened(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swn_list_state *state = tevent_req_data(req, struct swn_list_state);
	int err = swn_open_recv(subreq, state, &state->rpc, &state->why);

	TALLOC_FREE(subreq);
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	subreq = rpc_client_call_send(state, state->ev, state->rpc, SWN_GET_INTERFACE_LIST, NULL, 0,
				      step_timeout(state->params));
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, swn_list_answered, req);
}

static void swn_list_answered(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swn_list_state *state = tevent_req_data(req, struct swn_list_state);
	static const char method[] = "GetInterfaceList";
	uint32_t fault = 0, werror = 0;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_call_recv(subreq, state, &fault, &stub, &len);

	TALLOC_FREE(subreq);
	TALLOC_FREE(state->rpc);
	if (!call_ok(req, &state->why, method, err, fault)) {
		return;
	}
	err = swn_pull_interface_list_reply(state, stub, len, &state->list, &werror);
	if (!werror_ok(req, &state->why, method, err, werror)) {
		return;
	}
	if (state->list == NULL) {
		state->list = talloc_zero(state, struct swn_interface_list);
		if (tevent_req_nomem(state->list, req)) {
			return;
		}
	}
	tevent_req_done(req);
}

int swn_list_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct swn_interface_list **list,
		  char **why)
{
	struct swn_list_state *state = tevent_req_data(req, struct swn_list_state);
	int err = req_errno(req);

	if (err == 0) {
		*list = talloc_move(mem_ctx, &state->list);
	} else {
		give_why(mem_ctx, err, state->why, why);
	}
	tevent_req_received(req);
	return err;
}

/* ---- join ---- */

struct swn_join_state {
	struct tevent_context *ev;
	const struct swn_client_params *params;
	struct ipaddr server;
	struct swn_joined joined;
	bool known; /* joined.handle was registered before */
	char *why;
};

static void swn_join_opened(struct tevent_req *subreq);
static void swn_join_register(struct tevent_req *req);
static void swn_join_answered(struct tevent_req *subreq);

static struct tevent_req *join_start(struct tevent_req *req, const struct ipaddr *addr)
{
	struct swn_join_state *state = tevent_req_data(req, struct swn_join_state);
	struct tevent_req *subreq = swn_open_send(state, state->ev, state->params, addr);

	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, state->ev);
	}
	tevent_req_set_callback(subreq, swn_join_opened, req);
	return req;
}

struct tevent_req *swn_join_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 const struct swn_client_params *params, const struct ipaddr *addr,
				 const struct ipaddr *server)
{
	struct swn_join_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct swn_join_state);

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->params = params;
	state->server = *server;
	state->joined.version = params->v1 ? SWN_VERSION_1 : SWN_VERSION_2;
	return join_start(req, addr);
}

struct tevent_req *swn_rejoin_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct swn_client_params *params,
				   const struct ipaddr *addr, const struct swn_handle *handle,
				   uint32_t version)
{
	struct swn_join_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct swn_join_state);

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->params = params;
	state->joined.handle = *handle;
	state->joined.version = version;
	state->known = true;
	return join_start(req, addr);
}

static void swn_join_opened(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swn_join_state *state = tevent_req_data(req, struct swn_join_state);
	int err = swn_open_recv(subreq, state, &state->joined.rpc, &state->why);

	TALLOC_FREE(subreq);
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	if (state->known) {
		tevent_req_done(req);
		return;
	}
	swn_join_register(req);
}

static void swn_join_register(struct tevent_req *req)
{
	struct swn_join_state *state = tevent_req_data(req, struct swn_join_state);
	const struct swn_client_params *params = state->params;
	bool v1 = state->joined.version == SWN_VERSION_1;
	char ip[IPADDR_STRLEN];
	struct swn_register args = {
		.version = state->joined.version,
		.net_name = params->net_name,
		.share_name = params->share_name,
		.ip_address = ipaddr_format(&state->server, ip),
		.client_computer_name = params->client_name,
		.flags = params->ip_notification ? SWN_REGISTER_IP_NOTIFICATION : SWN_REGISTER_NONE,
		.keep_alive_timeout = params->keep_alive_s,
	};
	struct tevent_req *subreq;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = v1 ? swn_push_register(state, &args, &stub, &len)
		     : swn_push_register_ex(state, &args, &stub, &len);

	if (err != 0) {
		op_fail(req, &state->why, err, "cannot encode the registration: %s", strerror(err));
		return;
	}
	subreq = rpc_client_call_send(state, state->ev, state->joined.rpc,
				      v1 ? SWN_REGISTER : SWN_REGISTER_EX, stub, len,
				      step_timeout(params));
	talloc_free(stub);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, swn_join_answered, req);
}

static void swn_join_answered(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swn_join_state *state = tevent_req_data(req, struct swn_join_state);
	const char *method = state->joined.version == SWN_VERSION_1 ? "Register" : "RegisterEx";
	uint32_t fault = 0, werror = 0;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_call_recv(subreq, state, &fault, &stub, &len);

	TALLOC_FREE(subreq);
	/* A server of version 1 does not know RegisterEx. */
	if (err == 0 && fault == RPC_FAULT_OP_RNG_ERROR && state->joined.version == SWN_VERSION_2) {
		state->joined.version = SWN_VERSION_1;
		swn_join_register(req);
		return;
	}
	if (!call_ok(req, &state->why, method, err, fault)) {
		return;
	}
	err = swn_pull_handle_reply(stub, len, &state->joined.handle, &werror);
	if (!werror_ok(req, &state->why, method, err, werror)) {
		return;
	}
	tevent_req_done(req);
}

int swn_join_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct swn_joined *joined,
		  char **why)
{
	struct swn_join_state *state = tevent_req_data(req, struct swn_join_state);
	int err = req_errno(req);

	if (err == 0) {
		*joined = state->joined;
		joined->rpc = talloc_move(mem_ctx, &state->joined.rpc);
	} else {
		give_why(mem_ctx, err, state->why, why);
	}
	tevent_req_received(req);
	return err;
}

/* ---- leave ---- */

struct swn_leave_state {
	struct tevent_context *ev;
	struct swn_joined joined;
	unsigned int timeout_ms;
	enum swn_opnum opnum;
	char *why;
};

static void swn_leave_call(struct tevent_req *req);
static void swn_leave_answered(struct tevent_req *subreq);

struct tevent_req *swn_leave_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				  const struct swn_joined *joined, unsigned int timeout_ms)
{
	struct swn_leave_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct swn_leave_state);

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->joined = *joined;
	state->timeout_ms = timeout_ms;
	state->opnum = joined->version == SWN_VERSION_1 ? SWN_UNREGISTER : SWN_UNREGISTER_EX;
	swn_leave_call(req);
	return tevent_req_is_in_progress(req) ? req : tevent_req_post(req, ev);
}

static void swn_leave_call(struct tevent_req *req)
{
	struct swn_leave_state *state = tevent_req_data(req, struct swn_leave_state);
	struct tevent_req *subreq;
	uint8_t *stub = NULL;
	size_t len = 0;

	if (tevent_req_error(
		    req, (uint64_t)swn_push_handle(state, &state->joined.handle, &stub, &len))) {
		return;
	}
	subreq = rpc_client_call_send(state, state->ev, state->joined.rpc, (uint16_t)state->opnum,
				      stub, len, state->timeout_ms);
	talloc_free(stub);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, swn_leave_answered, req);
}

static void swn_leave_answered(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swn_leave_state *state = tevent_req_data(req, struct swn_leave_state);
	struct swn_handle zero;
	uint32_t fault = 0, werror = 0;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_call_recv(subreq, state, &fault, &stub, &len);

	TALLOC_FREE(subreq);
	/* UnRegisterEx came with Windows Server 2025: the others want UnRegister. */
	if (err == 0 && fault == RPC_FAULT_OP_RNG_ERROR && state->opnum == SWN_UNREGISTER_EX) {
		state->opnum = SWN_UNREGISTER;
		swn_leave_call(req);
		return;
	}
	if (!call_ok(req, &state->why, "UnRegister", err, fault)) {
		return;
	}
	err = state->opnum == SWN_UNREGISTER ? swn_pull_werror_reply(stub, len, &werror)
					     : swn_pull_handle_reply(stub, len, &zero, &werror);
	if (werror_ok(req, &state->why, "UnRegister", err, werror)) {
		tevent_req_done(req);
	}
}

int swn_leave_recv(struct tevent_req *req)
{
	int err = req_errno(req);

	tevent_req_received(req);
	return err;
}
