/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/epm_wire.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/ndr.h"

#define ANNOTATION_MAX 64 /* with its NUL */

bool epm_handle_is_null(const struct epm_handle *handle)
{
	return handle->attributes == 0 && guid_is_zero(&handle->uuid);
}

static struct epm_handle in_handle(struct ndr_in *in)
{
	struct epm_handle handle;

	handle.attributes = ndr_in_u32(in);
	handle.uuid = ndr_in_guid(in);
	return handle;
}

static void out_handle(struct ndr_out *out, const struct epm_handle *handle)
{
	ndr_out_u32(out, handle->attributes);
	ndr_out_guid(out, &handle->uuid);
}

static int finish(const struct ndr_out *out, uint8_t **stub, size_t *len)
{
	if (out->err != 0) {
		return out->err;
	}
	*stub = out->buf;
	*len = out->len;
	return 0;
}

int epm_pull_lookup(const uint8_t *stub, size_t len, bool big_endian, struct epm_lookup *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);
	struct epm_lookup args = {.inquiry = ndr_in_u32(&in)};
	uint32_t object_ref = ndr_in_u32(&in);
	uint32_t iface_ref;

	args.has_object = object_ref != 0;
	if (args.has_object) {
		args.object = ndr_in_guid(&in);
	}
	iface_ref = ndr_in_u32(&in);
	args.has_iface = iface_ref != 0;
	if (args.has_iface) {
		args.iface.uuid = ndr_in_guid(&in);
		args.iface.major = ndr_in_u16(&in);
		args.iface.minor = ndr_in_u16(&in);
	}
	args.vers_option = ndr_in_u32(&in);
	args.handle = in_handle(&in);
	args.max_ents = ndr_in_u32(&in);
	/* Full pointers of two types cannot be aliases of each other. */
	if ((args.has_object && object_ref == iface_ref) || args.max_ents > EPM_MAX_TOWERS) {
		ndr_in_fail(&in, EBADMSG);
	}
	if (in.err == 0) {
		*out = args;
	}
	return in.err;
}

/* A twr_t: conformance, length, bytes. A tower of another protocol is no error, there is just none. */
static bool in_tower(struct ndr_in *in, struct rpc_tower *out)
{
	uint32_t max_count = ndr_in_u32(in);
	uint32_t length = ndr_in_u32(in);
	const uint8_t *bytes;
	int err;

	if (max_count != length) {
		ndr_in_fail(in, EBADMSG);
	}
	bytes = ndr_in_raw(in, length);
	if (bytes == NULL) {
		return false;
	}
	err = rpc_tower_pull(bytes, length, out);
	if (err == EBADMSG) {
		ndr_in_fail(in, err);
	}
	return err == 0;
}

static void out_tower(struct ndr_out *out, const struct rpc_tower *tower)
{
	uint8_t bytes[RPC_TOWER_TCP_LEN];

	rpc_tower_push(tower, bytes);
	ndr_out_u32(out, sizeof(bytes));
	ndr_out_u32(out, sizeof(bytes));
	ndr_out_bytes(out, bytes, sizeof(bytes));
}

int epm_pull_map(const uint8_t *stub, size_t len, bool big_endian, struct epm_map *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);
	struct epm_map args = {.has_tower = false};
	uint32_t object_ref = ndr_in_u32(&in);
	uint32_t tower_ref;

	if (object_ref != 0) {
		(void)ndr_in_guid(&in); /* no endpoint here has objects of its own */
	}
	tower_ref = ndr_in_u32(&in);
	if (tower_ref != 0) {
		args.has_tower = in_tower(&in, &args.tower);
	}
	args.handle = in_handle(&in);
	args.max_towers = ndr_in_u32(&in);
	if ((object_ref != 0 && object_ref == tower_ref) || args.max_towers > EPM_MAX_TOWERS) {
		ndr_in_fail(&in, EBADMSG);
	}
	if (in.err == 0) {
		*out = args;
	}
	return in.err;
}

int epm_pull_handle(const uint8_t *stub, size_t len, bool big_endian, struct epm_handle *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);
	struct epm_handle handle = in_handle(&in);

	if (in.err == 0) {
		*out = handle;
	}
	return in.err;
}

int epm_push_map(TALLOC_CTX *mem_ctx, const struct epm_map *in, uint8_t **stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_ptr(&out, false);
	ndr_out_ptr(&out, in->has_tower);
	if (in->has_tower) {
		out_tower(&out, &in->tower);
	}
	out_handle(&out, &in->handle);
	ndr_out_u32(&out, in->max_towers);
	return finish(&out, stub, len);
}

/* [string] char annotation[64]: varying only, so no conformance. */
static void out_annotation(struct ndr_out *out, const char *text)
{
	size_t n = strnlen(text, ANNOTATION_MAX - 1);

	ndr_out_u32(out, 0);
	ndr_out_u32(out, (uint32_t)n + 1);
	ndr_out_bytes(out, text, n);
	ndr_out_u8(out, 0);
}

int epm_push_lookup_reply(TALLOC_CTX *mem_ctx, const struct epm_handle *handle,
			  const struct epm_entry *entries, uint32_t num, uint32_t max,
			  uint8_t **stub, size_t *len)
{
	static const struct guid no_object;
	struct ndr_out out = ndr_out_init(mem_ctx);

	out_handle(&out, handle);
	ndr_out_u32(&out, num);
	ndr_out_u32(&out, max);
	ndr_out_u32(&out, 0);
	ndr_out_u32(&out, num);
	for (uint32_t i = 0; i < num; i++) {
		ndr_out_guid(&out, &no_object);
		ndr_out_ptr(&out, true);
		out_annotation(&out, entries[i].annotation);
	}
	for (uint32_t i = 0; i < num; i++) {
		out_tower(&out, &entries[i].tower);
	}
	ndr_out_u32(&out, epm_handle_is_null(handle) ? EPM_STATUS_NOT_REGISTERED : EPM_STATUS_OK);
	return finish(&out, stub, len);
}

int epm_push_map_reply(TALLOC_CTX *mem_ctx, const struct rpc_tower *towers, uint32_t num,
		       uint32_t max, uint8_t **stub, size_t *len)
{
	static const struct epm_handle no_more;
	struct ndr_out out = ndr_out_init(mem_ctx);

	out_handle(&out, &no_more);
	ndr_out_u32(&out, num);
	ndr_out_u32(&out, max);
	ndr_out_u32(&out, 0);
	ndr_out_u32(&out, num);
	for (uint32_t i = 0; i < num; i++) {
		ndr_out_ptr(&out, true);
	}
	for (uint32_t i = 0; i < num; i++) {
		out_tower(&out, &towers[i]);
	}
	ndr_out_u32(&out, num > 0 ? EPM_STATUS_OK : EPM_STATUS_NOT_REGISTERED);
	return finish(&out, stub, len);
}

int epm_push_handle_reply(TALLOC_CTX *mem_ctx, const struct epm_handle *handle, uint32_t status,
			  uint8_t **stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	out_handle(&out, handle);
	ndr_out_u32(&out, status);
	return finish(&out, stub, len);
}

/* The referents of num tower pointers. @return whether one of them is of ncacn_ip_tcp */
static bool in_towers(struct ndr_in *in, uint32_t num, struct rpc_tower *first)
{
	bool found = false;

	for (uint32_t i = 0; i < num && in->err == 0; i++) {
		struct rpc_tower tower;

		if (in_tower(in, &tower) && !found) {
			*first = tower;
			found = true;
		}
	}
	return found;
}

int epm_pull_map_reply(const uint8_t *stub, size_t len, struct rpc_tower *out)
{
	struct ndr_in in = ndr_in_init(stub, len, false);
	struct rpc_tower tower = {.port = 0};
	uint32_t num, max_count, offset, actual, refs = 0;
	bool found;

	(void)in_handle(&in);
	num = ndr_in_u32(&in);
	max_count = ndr_in_u32(&in);
	offset = ndr_in_u32(&in);
	actual = ndr_in_u32(&in);
	if (offset != 0 || actual > max_count || actual > num || actual > EPM_MAX_TOWERS) {
		ndr_in_fail(&in, EBADMSG);
	}
	for (uint32_t i = 0; i < actual && in.err == 0; i++) {
		refs += ndr_in_u32(&in) != 0 ? 1 : 0; /* a NULL pointer has no referent */
	}
	found = in_towers(&in, refs, &tower);
	if (ndr_in_u32(&in) != EPM_STATUS_OK || !found) {
		return in.err != 0 ? in.err : EPROTONOSUPPORT;
	}
	if (in.err == 0) {
		*out = tower;
	}
	return in.err;
}
