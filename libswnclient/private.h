/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of libswnclient: config.c, event.c, client.c, interfaces.c, blocking.c. */
#ifndef LIBSWNCLIENT_PRIVATE_H
#define LIBSWNCLIENT_PRIVATE_H

#include "libswnclient/swnclient.h"
#include "libswnclient/swnclient_tevent.h"
#include "witnessd/swn/client.h"

/**
 * The parameters of the core for a configuration, with the defaults filled in; auth is the caller's to set.
 * Strings are children of mem_ctx.
 * @return 0, EINVAL (net name or server are missing, or there is no client name) or ENOMEM
 */
int swn_config_params(TALLOC_CTX *mem_ctx, const struct swnc_config *config,
		      struct swn_client_params *out);

/** A public copy of an event; everything in it is a child. @return NULL when memory is short */
struct swnc_event *swn_event_public(TALLOC_CTX *mem_ctx, const struct swn_client_event *event);

/**
 * In the callback of a client: take its event over. @return NULL when memory was short for a copy of it
 */
struct swnc_event *swn_event_keep(TALLOC_CTX *mem_ctx, struct swnc_client *client);

/** The address in text, a child of mem_ctx; NULL for no address, which is no error. */
const char *swn_address_text(TALLOC_CTX *mem_ctx, const struct ipaddr *addr);

#endif
