/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/tower.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define MAX_FLOORS   16
#define TCP_FLOORS   5
#define UUID_LHS_LEN 19 /* protocol id, UUID, major version */

enum floor_protocol {
	FLOOR_TCP = 0x07,
	FLOOR_IP = 0x09,
	FLOOR_NCACN = 0x0b,
	FLOOR_UUID = 0x0d,
};

/* One floor, borrowed from the tower; lhs does not include the protocol id. */
struct floor {
	uint8_t protocol;
	const uint8_t *lhs;
	size_t lhs_len;
	const uint8_t *rhs;
	size_t rhs_len;
};

struct cursor {
	const uint8_t *p;
	size_t left;
};

static uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static bool take(struct cursor *c, size_t n, const uint8_t **out)
{
	if (n > c->left) {
		return false;
	}
	*out = c->p;
	c->p += n;
	c->left -= n;
	return true;
}

/* A u16 length and as many bytes. */
static bool take_counted(struct cursor *c, const uint8_t **out, size_t *len)
{
	const uint8_t *p = NULL;

	if (!take(c, 2, &p)) {
		return false;
	}
	*len = get_le16(p);
	return take(c, *len, out);
}

static bool take_floor(struct cursor *c, struct floor *out)
{
	if (!take_counted(c, &out->lhs, &out->lhs_len) || out->lhs_len < 1 ||
	    !take_counted(c, &out->rhs, &out->rhs_len)) {
		return false;
	}
	out->protocol = out->lhs[0];
	out->lhs++;
	out->lhs_len--;
	return true;
}

static int pull_syntax(const struct floor *floor, struct rpc_syntax *out)
{
	if (floor->protocol != FLOOR_UUID) {
		return EPROTONOSUPPORT;
	}
	if (floor->lhs_len != UUID_LHS_LEN - 1 || floor->rhs_len != 2) {
		return EBADMSG;
	}
	memcpy(out->uuid.b, floor->lhs, sizeof(out->uuid.b));
	out->major = get_le16(floor->lhs + sizeof(out->uuid.b));
	out->minor = get_le16(floor->rhs);
	return 0;
}

/* The address floor: a client that asks for a tower may leave it zero. */
static int pull_addr(const struct floor *floor, struct ipaddr *out)
{
	static const uint8_t any[4];

	if (floor->rhs_len != sizeof(any)) {
		return EBADMSG;
	}
	memset(out, 0, sizeof(*out));
	if (memcmp(floor->rhs, any, sizeof(any)) != 0) {
		out->family = AF_INET;
		memcpy(out->bytes, floor->rhs, sizeof(any));
	}
	return 0;
}

static int pull_tcp(const struct floor *floors, struct rpc_tower *out)
{
	int err = pull_syntax(&floors[0], &out->iface);

	if (err == 0) {
		err = pull_syntax(&floors[1], &out->transfer);
	}
	if (err != 0) {
		return err;
	}
	if (floors[2].protocol != FLOOR_NCACN || floors[3].protocol != FLOOR_TCP ||
	    floors[4].protocol != FLOOR_IP) {
		return EPROTONOSUPPORT;
	}
	if (floors[3].rhs_len != 2) {
		return EBADMSG;
	}
	out->port = (uint16_t)(floors[3].rhs[0] << 8 | floors[3].rhs[1]);
	return pull_addr(&floors[4], &out->addr);
}

int rpc_tower_pull(const uint8_t *buf, size_t len, struct rpc_tower *out)
{
	struct cursor c = {.p = buf, .left = len};
	struct floor floors[MAX_FLOORS];
	struct rpc_tower tower = {.port = 0};
	const uint8_t *p = NULL;
	uint16_t num;
	int err;

	if (!take(&c, 2, &p)) {
		return EBADMSG;
	}
	num = get_le16(p);
	if (num > MAX_FLOORS) {
		return EBADMSG;
	}
	for (uint16_t i = 0; i < num; i++) {
		if (!take_floor(&c, &floors[i])) {
			return EBADMSG;
		}
	}
	if (num < TCP_FLOORS) {
		return EPROTONOSUPPORT;
	}
	err = pull_tcp(floors, &tower);
	if (err == 0) {
		*out = tower;
	}
	return err;
}

static uint8_t *put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static uint8_t *push_syntax(uint8_t *p, const struct rpc_syntax *syntax)
{
	p = put_le16(p, UUID_LHS_LEN);
	*p++ = FLOOR_UUID;
	p = put_bytes(p, syntax->uuid.b, sizeof(syntax->uuid.b));
	p = put_le16(p, syntax->major);
	p = put_le16(p, 2);
	return put_le16(p, syntax->minor);
}

static uint8_t *push_floor(uint8_t *p, uint8_t protocol, const uint8_t *rhs, uint16_t rhs_len)
{
	p = put_le16(p, 1);
	*p++ = protocol;
	p = put_le16(p, rhs_len);
	return put_bytes(p, rhs, rhs_len);
}

void rpc_tower_push(const struct rpc_tower *tower, uint8_t out[RPC_TOWER_TCP_LEN])
{
	static const uint8_t ncacn_minor[2];
	const uint8_t port[2] = {(uint8_t)(tower->port >> 8), (uint8_t)tower->port};
	uint8_t addr[4] = {0};
	uint8_t *p;

	if (tower->addr.family == AF_INET) {
		memcpy(addr, tower->addr.bytes, sizeof(addr));
	}
	p = put_le16(out, TCP_FLOORS);
	p = push_syntax(p, &tower->iface);
	p = push_syntax(p, &tower->transfer);
	p = push_floor(p, FLOOR_NCACN, ncacn_minor, sizeof(ncacn_minor));
	p = push_floor(p, FLOOR_TCP, port, sizeof(port));
	(void)push_floor(p, FLOOR_IP, addr, sizeof(addr));
}
