/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reply of WitnessrGetInterfaceList: WITNESS_INTERFACE_LIST (2.2.2.6) of WITNESS_INTERFACE_INFO (2.2.2.4). */
#include "witnessd/swn/wire_private.h"

#include <errno.h>

#define INTERFACE_SIZE 552
#define GROUP_BYTES    (2 * (size_t)SWN_GROUP_NAME_UNITS)

static uint16_t unit_at(const uint8_t *units, size_t i)
{
	return (uint16_t)(units[2 * i] | units[2 * i + 1] << 8);
}

/* The inline name: cut to 259 units (never through a surrogate pair), the rest of the field zero. */
static void put_group_name(struct ndr_out *out, const char *name)
{
	struct ndr_out text = ndr_out_init(out->mem_ctx);
	size_t units;

	ndr_out_utf16z(&text, name != NULL ? name : "");
	if (text.err != 0) {
		out->err = out->err != 0 ? out->err : text.err;
		talloc_free(text.buf);
		return;
	}
	units = text.len / 2 - 1;
	if (units > SWN_GROUP_NAME_UNITS - 1) {
		units = SWN_GROUP_NAME_UNITS - 1;
		if ((unit_at(text.buf, units - 1) & 0xfc00) == 0xd800) {
			units--;
		}
	}
	ndr_out_bytes(out, text.buf, 2 * units);
	ndr_out_zero(out, GROUP_BYTES - 2 * units);
	talloc_free(text.buf);
}

static void put_interface(struct ndr_out *out, const struct swn_interface *iface)
{
	uint32_t flags = (iface->ipv4.family == AF_INET ? SWN_INTERFACE_IPV4 : 0) |
			 (iface->ipv6.family == AF_INET6 ? SWN_INTERFACE_IPV6 : 0) |
			 (iface->witness ? SWN_INTERFACE_WITNESS : 0);

	put_group_name(out, iface->group_name);
	ndr_out_u32(out, iface->version);
	ndr_out_u16(out, iface->state);
	ndr_out_align(out, 4);
	ndr_out_bytes(out, iface->ipv4.bytes, 4);
	ndr_out_bytes(out, iface->ipv6.bytes, 16);
	ndr_out_u32(out, flags);
}

int swn_push_interface_list_reply(TALLOC_CTX *mem_ctx, const struct swn_interface_list *list,
				  uint32_t werror, uint8_t **stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_ptr(&out, list != NULL);
	if (list != NULL) {
		ndr_out_u32(&out, (uint32_t)list->num);
		ndr_out_ptr(&out, list->num > 0);
		if (list->num > 0) {
			ndr_out_u32(&out, (uint32_t)list->num);
		}
		for (size_t i = 0; i < list->num; i++) {
			put_interface(&out, &list->entries[i]);
		}
	}
	ndr_out_u32(&out, werror);
	return swn_wire_finish(&out, stub, len);
}

static const char *get_group_name(TALLOC_CTX *mem_ctx, struct ndr_in *in)
{
	const uint8_t *units = ndr_in_raw(in, GROUP_BYTES);
	const char *name;
	size_t n = 0;
	int err = 0;

	if (units == NULL) {
		return NULL;
	}
	while (n < SWN_GROUP_NAME_UNITS && unit_at(units, n) != 0) {
		n++;
	}
	name = ndr_utf16le_to_utf8(mem_ctx, units, n, &err);
	if (name == NULL) {
		ndr_in_fail(in, err);
	}
	return name;
}

static void get_interface(TALLOC_CTX *mem_ctx, struct ndr_in *in, struct swn_interface *iface)
{
	uint8_t ipv4[4], ipv6[16];
	uint32_t flags;

	*iface = (struct swn_interface){.group_name = get_group_name(mem_ctx, in)};
	iface->version = ndr_in_u32(in);
	iface->state = ndr_in_u16(in);
	ndr_in_align(in, 4);
	ndr_in_bytes(in, ipv4, sizeof(ipv4));
	ndr_in_bytes(in, ipv6, sizeof(ipv6));
	flags = ndr_in_u32(in);
	if ((flags & SWN_INTERFACE_IPV4) != 0) {
		iface->ipv4 = swn_wire_ipv4(ipv4);
	}
	if ((flags & SWN_INTERFACE_IPV6) != 0) {
		iface->ipv6 = swn_wire_ipv6(ipv6);
	}
	iface->witness = (flags & SWN_INTERFACE_WITNESS) != 0;
}

/* The list behind its pointer. The count is checked against the bytes there before it allocates. */
static void get_list(struct ndr_in *in, struct swn_interface_list *list)
{
	uint32_t num = ndr_in_u32(in);
	bool present = ndr_in_u32(in) != 0;
	uint32_t max_count = present ? ndr_in_u32(in) : 0;

	if (num != max_count || num > (in->len - in->off) / INTERFACE_SIZE) {
		ndr_in_fail(in, EBADMSG);
	}
	if (in->err != 0 || num == 0) {
		return;
	}
	list->entries = talloc_array(list, struct swn_interface, num);
	if (list->entries == NULL) {
		ndr_in_fail(in, ENOMEM);
		return;
	}
	list->num = num;
	for (uint32_t i = 0; i < num && in->err == 0; i++) {
		get_interface(list->entries, in, &list->entries[i]);
	}
}

int swn_pull_interface_list_reply(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len,
				  struct swn_interface_list **list, uint32_t *werror)
{
	struct ndr_in in = ndr_in_init(stub, len, false);
	struct swn_interface_list *got = NULL;
	uint32_t code;

	if (ndr_in_u32(&in) != 0) {
		got = talloc_zero(mem_ctx, struct swn_interface_list);
		if (got == NULL) {
			return ENOMEM;
		}
		get_list(&in, got);
	}
	code = ndr_in_u32(&in);
	if (in.err != 0) {
		talloc_free(got);
		return in.err;
	}
	*list = got;
	*werror = code;
	return 0;
}
