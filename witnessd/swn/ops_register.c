/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WitnessrRegister (MS-SWN 3.1.4.2), UnRegister (3.1.4.3), RegisterEx (3.1.4.5) and UnRegisterEx
 * (3.1.4.6). The order of the checks is the specification's: smbtorture looks at it.
 */
#include "witnessd/swn/service_private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "witnessd/util/log.h"
#include "witnessd/util/netname.h"

/* Maximum length of a client, share or service name, in bytes without NUL. */
#define SWN_NAME_MAX 1024

static bool too_long(const char *text)
{
	return text != NULL && strlen(text) > SWN_NAME_MAX;
}

/* A name of the whole service, or of some addresses. */
static bool net_name_known(const struct swn_service *service, const char *net_name)
{
	const struct cluster_state *state = cluster_current(service->cluster);

	return netname_matches(service->config.net_names, net_name) ||
	       (state != NULL && cluster_state_has_net_name(state, net_name));
}

/*
 * 3.1.4.5: without its share the registration is useless to the client. The cluster may know shares that the
 * smb.conf of this node lacks now.
 */
static uint32_t check_share(const struct swn_service *service, const char *share)
{
	const struct swn_config *config = &service->config;
	const struct cluster_state *state = cluster_current(service->cluster);
	bool any = false, known;

	if (share == NULL) {
		return SWN_SUCCESS;
	}
	known = config->share_known != NULL &&
		config->share_known(config->share_private, share, &any);
	if (state != NULL && cluster_state_share(state, share) != NULL) {
		known = any = true;
	}
	return any && known ? SWN_SUCCESS : SWN_ERROR_INVALID_STATE;
}

/*
 * The address may belong to any node, also to none at the moment, but must be one of the list, and of
 * those that serve the net name.
 */
static uint32_t check_address(const struct swn_service *service, const struct rpc_call *call,
			      const struct swn_register *args, struct ipaddr *ip)
{
	const struct cluster_state *state = cluster_current(service->cluster);
	const struct cluster_addr *addr;
	char text[IPADDR_STRLEN];

	if (state == NULL || ipaddr_parse(args->ip_address, ip) != 0) {
		return SWN_ERROR_INVALID_STATE;
	}
	addr = cluster_state_addr(state, ip);
	if (addr == NULL || !swn_interface_offered(service, addr)) {
		return SWN_ERROR_INVALID_STATE;
	}
	if (!cluster_state_serves(state, addr, args->net_name)) {
		log_debug("connection %llu: refused a registration: %s serves other net names",
			  (unsigned long long)call->conn_id, ipaddr_format(ip, text));
		return SWN_ERROR_INVALID_STATE;
	}
	return SWN_SUCCESS;
}

/* @return SWN_NUM_LIMITS when none is reached */
static enum swn_limit reached_limit(const struct swn_service *service, const struct rpc_call *call,
				    const char *principal)
{
	const struct swn_config *config = &service->config;

	if (swn_registry_count(service->registry) >= config->max_registrations) {
		return SWN_LIMIT_REGISTRATIONS;
	}
	if (swn_registry_count_principal(service->registry, principal) >=
	    config->max_registrations_principal) {
		return SWN_LIMIT_PRINCIPAL;
	}
	if (swn_registry_count_assoc(service->registry, call->assoc) >=
	    config->max_registrations_assoc) {
		return SWN_LIMIT_CONNECTION;
	}
	return SWN_NUM_LIMITS;
}

static uint32_t check_limits(const struct swn_service *service, const struct rpc_call *call,
			     const char *principal)
{
	enum swn_limit limit = reached_limit(service, call, principal);

	if (limit == SWN_NUM_LIMITS) {
		return SWN_SUCCESS;
	}
	swn_refuse(service->refusals, limit, principal, &call->remote,
		   wheel_now_us(service->wheel));
	return SWN_ERROR_NO_SYSTEM_RESOURCES;
}

static uint32_t check(const struct swn_service *service, const struct rpc_call *call,
		      const struct swn_register *args, const char *principal, struct ipaddr *ip)
{
	uint32_t version = call->opnum == SWN_REGISTER_EX ? SWN_VERSION_2 : SWN_VERSION_1;
	uint32_t werror;

	if (args->version != version) {
		return SWN_ERROR_REVISION_MISMATCH;
	}
	if (args->net_name == NULL || args->ip_address == NULL ||
	    args->client_computer_name == NULL || too_long(args->net_name) ||
	    too_long(args->client_computer_name) || !net_name_known(service, args->net_name)) {
		return SWN_ERROR_INVALID_PARAMETER;
	}
	if (too_long(args->share_name)) {
		return SWN_ERROR_INVALID_STATE;
	}
	werror = check_share(service, args->share_name);
	if (werror == SWN_SUCCESS) {
		werror = check_address(service, call, args, ip);
	}
	return werror != SWN_SUCCESS ? werror : check_limits(service, call, principal);
}

/* A registration as the arguments say, not yet begun. @return NULL when memory or randomness is short */
static struct swn_reg *make_reg(const struct rpc_call *call, const struct swn_register *args,
				const char *principal, const struct ipaddr *ip)
{
	struct swn_reg *reg = talloc_zero(NULL, struct swn_reg);

	if (reg == NULL) {
		return NULL;
	}
	reg->assoc = call->assoc;
	reg->level = call->identity.level;
	reg->conn_id = call->conn_id;
	reg->client = call->remote;
	reg->local = call->local;
	reg->version = args->version;
	reg->ip = *ip;
	/* The other flags are undefined (3.1.4.5). */
	reg->ip_notification = (args->flags & SWN_REGISTER_IP_NOTIFICATION) != 0;
	reg->keep_alive_s = args->keep_alive_timeout;
	reg->principal = talloc_strdup(reg, principal);
	reg->net_name = talloc_strdup(reg, args->net_name);
	reg->client_name = talloc_strdup(reg, args->client_computer_name);
	if (args->share_name != NULL) {
		reg->share_name = talloc_strdup(reg, args->share_name);
	}
	if (reg->principal == NULL || reg->net_name == NULL || reg->client_name == NULL ||
	    (args->share_name != NULL && reg->share_name == NULL) ||
	    guid_random(&reg->handle.uuid) != 0) {
		talloc_free(reg);
		return NULL;
	}
	return reg;
}

/* @return a WERROR, with *handle filled when it is SWN_SUCCESS */
static uint32_t begin(struct swn_service *service, const struct rpc_call *call,
		      const struct swn_register *args, struct swn_handle *handle)
{
	const char *principal = call->identity.principal != NULL ? call->identity.principal : "";
	struct policy_notices notices;
	struct policy_reg view;
	struct swn_reg *reg;
	struct ipaddr ip;
	uint32_t werror = check(service, call, args, principal, &ip);

	if (werror != SWN_SUCCESS) {
		return werror;
	}
	reg = make_reg(call, args, principal, &ip);
	if (reg == NULL) {
		return SWN_ERROR_NO_SYSTEM_RESOURCES;
	}
	if (swn_reg_begin(service, reg) != 0) {
		talloc_free(reg);
		return SWN_ERROR_NO_SYSTEM_RESOURCES;
	}
	view = swn_reg_view(reg);
	policy_registered(cluster_current(service->cluster), &view, &notices);
	(void)swn_reg_queue(reg, &notices, wheel_now_us(service->wheel));
	*handle = reg->handle;
	return SWN_SUCCESS;
}

typedef int (*pull_fn)(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian,
		       struct swn_register *out);

static int answer_register(TALLOC_CTX *mem_ctx, const struct rpc_call *call, pull_fn pull,
			   struct rpc_reply *reply)
{
	struct swn_service *service =
		talloc_get_type_abort(call->iface_private, struct swn_service);
	struct swn_register args;
	struct swn_handle handle = {0};
	uint32_t werror;
	uint8_t *stub;
	int err = pull(mem_ctx, call->stub, call->stub_len, call->big_endian, &args);

	if (err != 0) {
		return err;
	}
	werror = begin(service, call, &args, &handle);
	err = swn_push_handle_reply(mem_ctx, &handle, werror, &stub, &reply->stub_len);
	if (err == 0) {
		reply->stub = stub;
	}
	return err;
}

/* 3.1.4.5, 3.1.4.6: a server of version 1 does not have these calls. */
static bool not_in_version(const struct rpc_call *call, struct rpc_reply *reply)
{
	const struct swn_service *service =
		talloc_get_type_abort(call->iface_private, struct swn_service);

	if (service->config.version != SWN_VERSION_1) {
		return false;
	}
	reply->fault = RPC_FAULT_OP_RNG_ERROR;
	return true;
}

int swn_register(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	return answer_register(mem_ctx, call, swn_pull_register, reply);
}

int swn_register_ex(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	if (not_in_version(call, reply)) {
		return 0;
	}
	return answer_register(mem_ctx, call, swn_pull_register_ex, reply);
}

/* End the registration of the handle in the stub. @return 0 or EBADMSG; *known whether there was one */
static int unregister(const struct rpc_call *call, struct swn_handle *handle, bool *known)
{
	struct swn_service *service =
		talloc_get_type_abort(call->iface_private, struct swn_service);
	struct swn_reg *reg;
	int err = swn_pull_handle(call->stub, call->stub_len, call->big_endian, handle);

	if (err != 0) {
		return err;
	}
	reg = swn_service_find(service, call, handle);
	*known = reg != NULL;
	if (reg != NULL) {
		swn_reg_end(reg, SWN_END_UNREGISTERED);
	}
	return 0;
}

int swn_unregister(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	const struct swn_service *service =
		talloc_get_type_abort(call->iface_private, struct swn_service);
	struct swn_handle handle;
	uint32_t werror = SWN_SUCCESS;
	bool known = false;
	uint8_t *stub;
	int err = unregister(call, &handle, &known);

	if (err != 0) {
		return err;
	}
	if (!known) {
		/* smbtorture expects the one, a test of Samba the other: it is configurable. */
		werror = service->config.unregister_not_found ? SWN_ERROR_NOT_FOUND
							      : SWN_ERROR_INVALID_PARAMETER;
	}
	err = swn_push_werror_reply(mem_ctx, werror, &stub, &reply->stub_len);
	if (err == 0) {
		reply->stub = stub;
	}
	return err;
}

int swn_unregister_ex(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	struct swn_handle handle;
	bool known = false;
	uint8_t *stub;
	int err;

	if (not_in_version(call, reply)) {
		return 0;
	}
	err = unregister(call, &handle, &known);
	if (err != 0) {
		return err;
	}
	/* The zero handle makes the client's RPC runtime forget it; an unknown one goes back as it came. */
	err = swn_push_handle_reply(mem_ctx, known ? NULL : &handle,
				    known ? SWN_SUCCESS : SWN_ERROR_INVALID_PARAMETER, &stub,
				    &reply->stub_len);
	if (err == 0) {
		reply->stub = stub;
	}
	return err;
}
