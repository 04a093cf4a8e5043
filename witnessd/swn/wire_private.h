/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the wire_*.c files. */
#ifndef WITNESSD_SWN_WIRE_PRIVATE_H
#define WITNESSD_SWN_WIRE_PRIVATE_H

#include "witnessd/rpc/ndr.h"
#include "witnessd/swn/wire.h"

/** Hand the finished stub over, or free it. @return out->err */
int swn_wire_finish(struct ndr_out *out, uint8_t **stub, size_t *len);

/** An address from raw bytes in network order. */
struct ipaddr swn_wire_ipv4(const uint8_t bytes[4]);
struct ipaddr swn_wire_ipv6(const uint8_t bytes[16]);

#endif
