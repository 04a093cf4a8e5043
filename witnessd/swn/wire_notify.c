/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reply of WitnessrAsyncNotify: RESP_ASYNC_NOTIFY (2.2.2.5). Its MessageBuffer is opaque to NDR:
 * records packed without alignment, each beginning with its own length.
 */
#include "witnessd/swn/wire_private.h"

#include <errno.h>
#include <string.h>

#define CHANGE_MIN   10 /* Length, ChangeType, and a name of one NUL */
#define LIST_HEADER  12 /* Length, Reserved, IPAddrInstances */
#define IPADDR_SIZE  24
#define IPADDR_FLAGS (SWN_IPADDR_V4 | SWN_IPADDR_V6 | SWN_IPADDR_ONLINE | SWN_IPADDR_OFFLINE)

static void put_packed_u32(struct ndr_out *out, uint32_t v)
{
	const uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
			      (uint8_t)(v >> 24)};

	ndr_out_bytes(out, b, sizeof(b));
}

static uint32_t packed_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_changes(struct ndr_out *out, const struct swn_notify *notify)
{
	for (size_t i = 0; i < notify->num_changes; i++) {
		size_t units = ndr_utf16_units(notify->changes[i].name);

		if (units >= UINT32_MAX / 4) {
			out->err = out->err != 0 ? out->err : EILSEQ;
			return;
		}
		put_packed_u32(out, (uint32_t)(8 + 2 * (units + 1)));
		put_packed_u32(out, notify->changes[i].state);
		ndr_out_utf16z(out, notify->changes[i].name);
	}
}

/* A record has room for one address of each family. */
static void put_address(struct ndr_out *out, const struct swn_ipaddr *addr, uint32_t family,
			size_t size)
{
	if (addr->ip.family == family) {
		ndr_out_bytes(out, addr->ip.bytes, size);
	} else if (addr->also.family == family) {
		ndr_out_bytes(out, addr->also.bytes, size);
	} else {
		ndr_out_zero(out, size);
	}
}

static void put_addrs(struct ndr_out *out, const struct swn_notify *notify)
{
	put_packed_u32(out, (uint32_t)(LIST_HEADER + IPADDR_SIZE * notify->num_addrs));
	put_packed_u32(out, 0);
	put_packed_u32(out, (uint32_t)notify->num_addrs);
	for (size_t i = 0; i < notify->num_addrs; i++) {
		const struct swn_ipaddr *addr = &notify->addrs[i];

		put_packed_u32(out, addr->flags);
		put_address(out, addr, AF_INET, 4);
		put_address(out, addr, AF_INET6, 16);
	}
}

/* The records of a message. @return how many there are */
static uint32_t put_records(struct ndr_out *out, const struct swn_notify *notify)
{
	switch (notify->type) {
	case SWN_RESOURCE_CHANGE:
		put_changes(out, notify);
		return (uint32_t)notify->num_changes;
	case SWN_CLIENT_MOVE:
	case SWN_SHARE_MOVE:
	case SWN_IP_CHANGE:
		put_addrs(out, notify);
		return 1;
	default:
		return 0;
	}
}

int swn_push_notify_reply(TALLOC_CTX *mem_ctx, const struct swn_notify *notify, uint32_t werror,
			  uint8_t **stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_ptr(&out, notify != NULL);
	if (notify != NULL) {
		struct ndr_out records = ndr_out_init(mem_ctx);
		uint32_t num = put_records(&records, notify);

		ndr_out_u32(&out, notify->type);
		ndr_out_u32(&out, (uint32_t)records.len);
		ndr_out_u32(&out, num);
		ndr_out_ptr(&out, records.len > 0);
		if (records.len > 0) {
			ndr_out_u32(&out, (uint32_t)records.len);
			ndr_out_bytes(&out, records.buf, records.len);
		}
		out.err = out.err != 0 ? out.err : records.err;
		talloc_free(records.buf);
	}
	ndr_out_u32(&out, werror);
	return swn_wire_finish(&out, stub, len);
}

/* The next record of at least min bytes, moving *p behind it. @return NULL when it does not fit */
static const uint8_t *next_record(const uint8_t **p, size_t *left, size_t min, size_t *len)
{
	const uint8_t *record = *p;
	uint32_t n;

	if (*left < min) {
		return NULL;
	}
	n = packed_u32(record);
	if (n < min || n > *left) {
		return NULL;
	}
	*p += n;
	*left -= n;
	*len = n;
	return record;
}

static int get_change(TALLOC_CTX *mem_ctx, const uint8_t *record, size_t len,
		      struct swn_resource_change *change)
{
	const uint8_t *name = record + 8;
	size_t units = 0, have = (len - 8) / 2;
	int err = 0;

	while (units < have && (name[2 * units] != 0 || name[2 * units + 1] != 0)) {
		units++;
	}
	if (len % 2 != 0 || units == have) {
		return EBADMSG;
	}
	change->state = packed_u32(record + 4);
	change->name = ndr_utf16le_to_utf8(mem_ctx, name, units, &err);
	return change->name != NULL ? 0 : err;
}

static int get_changes(struct swn_notify *notify, const uint8_t *p, size_t left, uint32_t num)
{
	if (num > left / CHANGE_MIN) {
		return EBADMSG;
	}
	notify->changes = talloc_array(notify, struct swn_resource_change, num);
	if (notify->changes == NULL) {
		return ENOMEM;
	}
	for (uint32_t i = 0; i < num; i++) {
		size_t len = 0;
		const uint8_t *record = next_record(&p, &left, CHANGE_MIN, &len);
		int err = record == NULL
				  ? EBADMSG
				  : get_change(notify->changes, record, len, &notify->changes[i]);

		if (err != 0) {
			return err;
		}
	}
	notify->num_changes = num;
	return 0;
}

static struct swn_ipaddr get_ipaddr(const uint8_t *p)
{
	struct swn_ipaddr addr = {.flags = packed_u32(p) & IPADDR_FLAGS};

	if ((addr.flags & SWN_IPADDR_V4) != 0) {
		addr.ip = swn_wire_ipv4(p + 4);
	} else if ((addr.flags & SWN_IPADDR_V6) != 0) {
		addr.ip = swn_wire_ipv6(p + 8);
	}
	return addr;
}

static int get_lists(struct swn_notify *notify, const uint8_t *p, size_t left, uint32_t num)
{
	if (num > left / LIST_HEADER) {
		return EBADMSG;
	}
	notify->addrs = talloc_array(notify, struct swn_ipaddr, left / IPADDR_SIZE);
	if (notify->addrs == NULL) {
		return ENOMEM;
	}
	for (uint32_t i = 0; i < num; i++) {
		size_t len = 0;
		const uint8_t *list = next_record(&p, &left, LIST_HEADER, &len);

		if (list == NULL || (len - LIST_HEADER) % IPADDR_SIZE != 0 ||
		    (len - LIST_HEADER) / IPADDR_SIZE != packed_u32(list + 8)) {
			return EBADMSG;
		}
		for (size_t off = LIST_HEADER; off < len; off += IPADDR_SIZE) {
			notify->addrs[notify->num_addrs++] = get_ipaddr(list + off);
		}
	}
	return 0;
}

static int get_records(struct swn_notify *notify, const uint8_t *p, size_t len, uint32_t num)
{
	if (p == NULL) {
		return len == 0 && num == 0 ? 0 : EBADMSG; /* a NULL MessageBuffer */
	}
	if (num == 0) {
		return 0;
	}
	switch (notify->type) {
	case SWN_RESOURCE_CHANGE:
		return get_changes(notify, p, len, num);
	case SWN_CLIENT_MOVE:
	case SWN_SHARE_MOVE:
	case SWN_IP_CHANGE:
		return get_lists(notify, p, len, num);
	default:
		return 0; /* reported by its type; what it holds is unknown */
	}
}

static void get_notify(struct ndr_in *in, struct swn_notify *notify)
{
	const uint8_t *records = NULL;
	uint32_t length, num;
	int err;

	notify->type = ndr_in_u32(in);
	length = ndr_in_u32(in);
	num = ndr_in_u32(in);
	if (ndr_in_u32(in) != 0) {
		if (ndr_in_u32(in) != length) {
			ndr_in_fail(in, EBADMSG);
		}
		records = ndr_in_raw(in, length);
	}
	if (in->err != 0) {
		return;
	}
	err = get_records(notify, records, length, num);
	if (err != 0) {
		ndr_in_fail(in, err);
	}
}

int swn_pull_notify_reply(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len,
			  struct swn_notify **notify, uint32_t *werror)
{
	struct ndr_in in = ndr_in_init(stub, len, false);
	struct swn_notify *got = NULL;
	uint32_t code;

	if (ndr_in_u32(&in) != 0) {
		got = talloc_zero(mem_ctx, struct swn_notify);
		if (got == NULL) {
			return ENOMEM;
		}
		get_notify(&in, got);
	}
	code = ndr_in_u32(&in);
	if (in.err != 0) {
		talloc_free(got);
		return in.err;
	}
	*notify = got;
	*werror = code;
	return 0;
}
