/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The handle with which ept_lookup continues contains its state (the position, and the association group that
 * it belongs to) instead of referring to state of the server: an anonymous client cannot make the mapper
 * store anything, and there is nothing to run down. Forging one gains nothing, because the whole map is
 * public.
 */
#include "witnessd/rpc/epm.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/epm_wire.h"
#include "witnessd/rpc/op.h"
#include "witnessd/rpc/pdu.h"
#include "witnessd/rpc/server.h"

static const uint8_t handle_mark[8] = {'e', 'p', 't', 'l', 'o', 'o', 'k', 'u'};
static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;

static void put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static struct epm_handle handle_make(const struct rpc_call *call, uint32_t position)
{
	struct epm_handle handle = {.attributes = 0};

	put_le32(handle.uuid.b, rpc_assoc_id(call->assoc));
	put_le32(handle.uuid.b + 4, position);
	memcpy(handle.uuid.b + 8, handle_mark, sizeof(handle_mark));
	return handle;
}

/* The position in a handle; NULL handles start at 0. @return false for a foreign or forged one */
static bool handle_open(const struct rpc_call *call, const struct epm_handle *handle,
			uint32_t *position)
{
	struct epm_handle same;

	if (epm_handle_is_null(handle)) {
		*position = 0;
		return true;
	}
	*position = get_le32(handle->uuid.b + 4);
	same = handle_make(call, *position);
	return *position > 0 && handle->attributes == 0 && guid_equal(&same.uuid, &handle->uuid);
}

/* The elements of the map, as the caller of one call sees them. */
struct map_view {
	TALLOC_CTX *mem_ctx;
	struct ipaddr local;
	struct epm_entry *entries;
	uint32_t num;
};

static int view_add(const struct rpc_iface *iface, const struct rpc_endpoint *endpoint,
		    void *private_data)
{
	struct map_view *view = private_data;
	uint16_t port = rpc_endpoint_port(endpoint);

	if (!iface->mapped || port == 0) {
		return 0;
	}
	view->entries =
		talloc_realloc(view->mem_ctx, view->entries, struct epm_entry, view->num + 1);
	if (view->entries == NULL) {
		return ENOMEM;
	}
	view->entries[view->num++] = (struct epm_entry){
		.tower = {.iface = iface->syntax,
			  .transfer = ndr20,
			  .port = port,
			  .addr = view->local},
		.annotation = iface->name,
	};
	return 0;
}

/* The address that the client reached us at is the one at which it reaches the interface. */
static int view_make(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct map_view *view)
{
	*view = (struct map_view){.mem_ctx = mem_ctx, .local = call->local};
	return rpc_server_foreach_iface(call->iface_private, view_add, view);
}

static bool version_matches(const struct rpc_syntax *asked, const struct rpc_syntax *served,
			    uint32_t option)
{
	bool same_major = asked->major == served->major;

	switch (option) {
	case 0:
	case EPM_VERS_ALL:
		return true;
	case EPM_VERS_COMPATIBLE:
		return same_major && asked->minor <= served->minor;
	case EPM_VERS_EXACT:
		return same_major && asked->minor == served->minor;
	case EPM_VERS_MAJOR_ONLY:
		return same_major;
	case EPM_VERS_UP_TO:
		return served->major < asked->major ||
		       (same_major && served->minor <= asked->minor);
	default:
		return false;
	}
}

static bool lookup_matches(const struct epm_lookup *args, const struct epm_entry *entry)
{
	bool iface = args->has_iface && guid_equal(&args->iface.uuid, &entry->tower.iface.uuid) &&
		     version_matches(&args->iface, &entry->tower.iface, args->vers_option);
	bool object = args->has_object && guid_is_zero(&args->object);

	switch (args->inquiry) {
	case EPM_INQUIRE_ALL:
		return true;
	case EPM_INQUIRE_BY_INTERFACE:
		return iface;
	case EPM_INQUIRE_BY_OBJECT:
		return object;
	case EPM_INQUIRE_BY_BOTH:
		return iface && object;
	default:
		return false;
	}
}

/*
 * Keep matching entries from position on, in place, max at most. @return the next position after a full
 * answer; 0 otherwise, which ends the lookup
 */
static uint32_t lookup_select(const struct epm_lookup *args, uint32_t position,
			      struct map_view *view)
{
	uint32_t kept = 0, next = 0;

	for (uint32_t i = position; i < view->num && kept < args->max_ents; i++) {
		if (lookup_matches(args, &view->entries[i])) {
			view->entries[kept++] = view->entries[i];
			next = i + 1;
		}
	}
	view->num = kept;
	return kept == args->max_ents ? next : 0;
}

static int ept_lookup(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	struct epm_handle handle = {.attributes = 0};
	struct epm_lookup args;
	struct map_view view;
	uint32_t position = 0, next;
	uint8_t *stub = NULL;
	int err = epm_pull_lookup(call->stub, call->stub_len, call->big_endian, &args);

	if (err != 0) {
		return err;
	}
	if (!handle_open(call, &args.handle, &position)) {
		reply->fault = RPC_FAULT_CONTEXT_MISMATCH;
		return 0;
	}
	err = view_make(mem_ctx, call, &view);
	if (err != 0) {
		return err;
	}
	next = lookup_select(&args, position, &view);
	if (next > 0) {
		handle = handle_make(call, next);
	}
	err = epm_push_lookup_reply(mem_ctx, &handle, view.entries, view.num, args.max_ents, &stub,
				    &reply->stub_len);
	reply->stub = stub;
	return err;
}

static bool map_matches(const struct epm_map *args, const struct rpc_tower *served)
{
	return args->has_tower && guid_equal(&args->tower.iface.uuid, &served->iface.uuid) &&
	       version_matches(&args->tower.iface, &served->iface, EPM_VERS_COMPATIBLE) &&
	       rpc_syntax_equal(&args->tower.transfer, &served->transfer);
}

static int ept_map(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	struct rpc_tower *towers;
	struct map_view view;
	struct epm_map args;
	uint32_t position, num = 0;
	uint8_t *stub = NULL;
	int err = epm_pull_map(call->stub, call->stub_len, call->big_endian, &args);

	if (err != 0) {
		return err;
	}
	/* One answer contains everything, so ept_map never returns a handle. */
	if (!handle_open(call, &args.handle, &position) || position != 0) {
		reply->fault = RPC_FAULT_CONTEXT_MISMATCH;
		return 0;
	}
	err = view_make(mem_ctx, call, &view);
	if (err != 0) {
		return err;
	}
	towers = talloc_array(mem_ctx, struct rpc_tower, view.num);
	if (towers == NULL) {
		return ENOMEM;
	}
	for (uint32_t i = 0; i < view.num && num < args.max_towers; i++) {
		if (map_matches(&args, &view.entries[i].tower)) {
			towers[num++] = view.entries[i].tower;
		}
	}
	err = epm_push_map_reply(mem_ctx, towers, num, args.max_towers, &stub, &reply->stub_len);
	reply->stub = stub;
	return err;
}

static int ept_lookup_handle_free(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
				  struct rpc_reply *reply)
{
	static const struct epm_handle freed;
	struct epm_handle handle;
	uint32_t position;
	uint8_t *stub = NULL;
	int err = epm_pull_handle(call->stub, call->stub_len, call->big_endian, &handle);

	if (err != 0) {
		return err;
	}
	if (!handle_open(call, &handle, &position)) {
		reply->fault = RPC_FAULT_CONTEXT_MISMATCH;
		return 0;
	}
	err = epm_push_handle_reply(mem_ctx, &freed, EPM_STATUS_OK, &stub, &reply->stub_len);
	reply->stub = stub;
	return err;
}

/* The object UUID of the mapper itself: it has none. The reply has a handle's layout less one word. */
static int ept_inq_object(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	uint8_t *stub = talloc_zero_array(mem_ctx, uint8_t, 20);

	if (stub == NULL) {
		return ENOMEM;
	}
	put_le32(stub + 16, EPM_STATUS_CANT_PERFORM);
	reply->stub = stub;
	reply->stub_len = 20;
	return 0;
}

RPC_OP_NOW(ept_lookup)
RPC_OP_NOW(ept_map)
RPC_OP_NOW(ept_lookup_handle_free)
RPC_OP_NOW(ept_inq_object)

/* The holes (ept_insert, ept_delete, ept_mgmt_delete) are faults op_rng_error. */
static const struct rpc_op epm_ops[EPM_NUM_OPS] = {
	[EPM_LOOKUP] = {"ept_lookup", ept_lookup_send, rpc_op_now_recv},
	[EPM_MAP] = {"ept_map", ept_map_send, rpc_op_now_recv},
	[EPM_LOOKUP_HANDLE_FREE] = {"ept_lookup_handle_free", ept_lookup_handle_free_send,
				    rpc_op_now_recv},
	[EPM_INQ_OBJECT] = {"ept_inq_object", ept_inq_object_send, rpc_op_now_recv},
};

const struct rpc_iface rpc_epm_iface = {
	.name = "epmapper",
	.syntax = RPC_SYNTAX_EPM,
	.ops = epm_ops,
	.num_ops = EPM_NUM_OPS,
	.min_level = RPC_LEVEL_NONE,
	.mapped = true,
};
