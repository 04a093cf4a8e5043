/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AsyncNotify replies written by hand in JSON, for testing clients. */
#ifndef WITNESSD_SWN_ORDER_REPLY_H
#define WITNESSD_SWN_ORDER_REPLY_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/**
 * Encode {"result": NUMBER, "response": {"type": 1..4, "messages": [...]}}; both may be missing (0, none).
 * Messages of type 1 are {"state" or "type": NUMBER, "name": TEXT}, of the others {"flags": NUMBER, "ip": ADDRESS},
 * instead of which "ipv4" and "ipv6" may be there, both in one record; or arrays of these, which are joined. Numbers
 * are not checked, so that clients can be tested with bad ones. What Samba's "net witness force-response" takes is taken.
 * @param stub a child of mem_ctx
 * @return 0; EBADMSG with *why a sentence; ENOMEM
 */
int swn_order_reply(TALLOC_CTX *mem_ctx, const char *text, uint8_t **stub, size_t *len, char **why);

#endif
