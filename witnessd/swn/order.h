/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notifications that an administrator orders for a registration. An order is given on any node, sent to the
 * witness that has the registration (PEERS_ORDER), and carried out there.
 */
#ifndef WITNESSD_SWN_ORDER_H
#define WITNESSD_SWN_ORDER_H

#include "witnessd/cluster/peers.h"
#include "witnessd/swn/registry.h"
#include "witnessd/swn/service.h"

#define SWN_ORDER_REPLY_MAX 8192U /* bytes of a raw reply */
#define SWN_ORDER_HANDLES   100U  /* registrations of one command */

/* Part of the wire format. */
enum swn_order_type {
	SWN_ORDER_CHANGE = 1,      /* RESOURCE_CHANGE: the registered address is .online or not */
	SWN_ORDER_CLIENT_MOVE = 2, /* to .node, or to its address .ip only */
	SWN_ORDER_SHARE_MOVE = 3,  /* likewise */
	SWN_ORDER_IP_CHANGE = 4,   /* .ip is .online or not */
	SWN_ORDER_END = 5,         /* the registration ends */
	SWN_ORDER_REPLY = 6,       /* the waiting call gets .reply */
	SWN_NUM_ORDERS = 7,
};

struct swn_order {
	enum swn_order_type type;
	bool online;
	const char *node;     /* moves; else NULL */
	struct ipaddr ip;     /* family 0: none */
	const uint8_t *reply; /* the stub of the answer */
	size_t reply_len;
};

/* The result. Part of the wire format; the last ones are set by the witness that gave the order only. */
enum swn_order_result {
	SWN_ORDER_TOLD,        /* its client is being answered; an END is done */
	SWN_ORDER_QUEUED,      /* its client will be told as soon as it asks */
	SWN_ORDER_THERE,       /* the client is there already */
	SWN_ORDER_KNOWN,       /* the client believes that already */
	SWN_ORDER_NOWHERE,     /* what the client uses is not served there */
	SWN_ORDER_UNWANTED,    /* the client has not registered for notifications of that type */
	SWN_ORDER_SILENT,      /* no call is waiting that could be answered */
	SWN_ORDER_GONE,        /* there is no such registration (any more) */
	SWN_ORDER_FAILED,      /* no memory */
	SWN_ORDER_UNREACHABLE, /* the witness that has it does not answer */
	SWN_ORDER_REFUSED,     /* it cannot do that */
	SWN_ORDER_WAITS,       /* not carried out yet */
	SWN_ORDER_CANCELLED,   /* will not be carried out */
	SWN_NUM_ORDER_RESULTS,
};

const char *swn_order_result_name(enum swn_order_result result); /* "told", ... */

/**
 * The result that an order would have, as far as is known here. TOLD: it would be told.
 * @param reg its .service is set; it may be a copy of another witness's
 */
enum swn_order_result swn_order_check(const struct swn_order *order, const struct swn_reg *reg,
				      bool waiting);

/** Carry it out for a registration of this witness. */
enum swn_order_result swn_order_do(struct swn_service *service, const struct swn_order *order,
				   const struct swn_handle *handle);

/* --- on the wire: order_wire.c --- */

/** Encode an order with the handles that it is for. @return 0 or EMSGSIZE */
int swn_order_push(const struct swn_order *order, const struct swn_handle *handles, size_t num,
		   uint8_t buf[PEERS_COMMAND_MAX], size_t *len);

/** @return 0 with everything in *order and *handles a child of mem_ctx, or borrowed; EBADMSG; ENOMEM */
int swn_order_pull(TALLOC_CTX *mem_ctx, const uint8_t *bytes, size_t len, struct swn_order *order,
		   struct swn_handle **handles, size_t *num);

#endif
