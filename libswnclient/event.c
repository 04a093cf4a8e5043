/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Converting events to their public form. */
#include "libswnclient/private.h"

static const enum swnc_event_type types[] = {
	[SWN_CLIENT_REGISTERED] = SWNC_REGISTERED,
	[SWN_CLIENT_NOTIFIED] = SWNC_NOTIFIED,
	[SWN_CLIENT_REREGISTERING] = SWNC_REREGISTERING,
	[SWN_CLIENT_LOST] = SWNC_LOST,
	[SWN_CLIENT_RESUMED] = SWNC_RESUMED,
	[SWN_CLIENT_FAILED] = SWNC_FAILED,
};

const char *swnc_event_name(enum swnc_event_type type)
{
	switch (type) {
	case SWNC_REGISTERED:
		return "registered";
	case SWNC_NOTIFIED:
		return "notification";
	case SWNC_REREGISTERING:
		return "re-registering";
	case SWNC_LOST:
		return "connection lost";
	case SWNC_RESUMED:
		return "resumed";
	case SWNC_FAILED:
		return "failed";
	}
	return "unknown";
}

const char *swnc_message_name(uint32_t message)
{
	return swn_message_type_name(message);
}

const char *swnc_state_name(enum swnc_state state)
{
	switch (state) {
	case SWNC_AVAILABLE:
		return "available";
	case SWNC_UNAVAILABLE:
		return "unavailable";
	case SWNC_UNKNOWN:
		break;
	}
	return "unknown";
}

static enum swnc_state resource_state(uint32_t state)
{
	switch (state) {
	case SWN_RESOURCE_AVAILABLE:
		return SWNC_AVAILABLE;
	case SWN_RESOURCE_UNAVAILABLE:
		return SWNC_UNAVAILABLE;
	default:
		return SWNC_UNKNOWN;
	}
}

/* Version 1 servers set neither. */
static enum swnc_state address_state(uint32_t flags)
{
	if ((flags & SWN_IPADDR_ONLINE) != 0) {
		return SWNC_AVAILABLE;
	}
	return (flags & SWN_IPADDR_OFFLINE) != 0 ? SWNC_UNAVAILABLE : SWNC_UNKNOWN;
}

const char *swn_address_text(TALLOC_CTX *mem_ctx, const struct ipaddr *addr)
{
	char text[IPADDR_STRLEN];

	return addr->family == 0 ? NULL : talloc_strdup(mem_ctx, ipaddr_format(addr, text));
}

/* A copy of a text that may be missing. @return whether there was memory */
static bool copy_text(TALLOC_CTX *mem_ctx, const char *text, const char **out)
{
	*out = text == NULL ? NULL : talloc_strdup(mem_ctx, text);
	return text == NULL || *out != NULL;
}

static bool copy_changes(struct swnc_event *copy, const struct swn_notify *notify)
{
	struct swnc_change *changes =
		talloc_zero_array(copy, struct swnc_change, notify->num_changes);

	for (size_t i = 0; changes != NULL && i < notify->num_changes; i++) {
		changes[i].state = resource_state(notify->changes[i].state);
		if (!copy_text(changes, notify->changes[i].name, &changes[i].name)) {
			return false;
		}
	}
	copy->changes = changes;
	copy->num_changes = notify->num_changes;
	return changes != NULL;
}

static bool copy_addresses(struct swnc_event *copy, const struct swn_notify *notify)
{
	struct swnc_address *addrs =
		talloc_zero_array(copy, struct swnc_address, notify->num_addrs);

	for (size_t i = 0; addrs != NULL && i < notify->num_addrs; i++) {
		addrs[i].flags = notify->addrs[i].flags;
		addrs[i].state = address_state(notify->addrs[i].flags);
		addrs[i].address = swn_address_text(addrs, &notify->addrs[i].ip);
		if (addrs[i].address == NULL && notify->addrs[i].ip.family != 0) {
			return false;
		}
	}
	copy->addresses = addrs;
	copy->num_addresses = notify->num_addrs;
	return addrs != NULL;
}

static bool copy_all(struct swnc_event *copy, const struct swn_client_event *event)
{
	copy->server = swn_address_text(copy, &event->server);
	copy->witness = swn_address_text(copy, &event->witness);
	if ((copy->server == NULL && event->server.family != 0) ||
	    (copy->witness == NULL && event->witness.family != 0) ||
	    !copy_text(copy, event->group, &copy->group) ||
	    !copy_text(copy, event->step, &copy->step) ||
	    !copy_text(copy, event->why, &copy->why)) {
		return false;
	}
	if (event->notify == NULL) {
		return true;
	}
	copy->message = event->notify->type;
	return copy_changes(copy, event->notify) && copy_addresses(copy, event->notify);
}

struct swnc_event *swn_event_public(TALLOC_CTX *mem_ctx, const struct swn_client_event *event)
{
	struct swnc_event *copy = talloc_zero(mem_ctx, struct swnc_event);

	if (copy == NULL) {
		return NULL;
	}
	copy->type = types[event->type];
	copy->err = event->err;
	copy->retry_ms = event->retry_ms;
	if (event->type == SWN_CLIENT_REGISTERED) {
		copy->version = event->version == SWN_VERSION_1 ? 1 : 2;
	}
	if (!copy_all(copy, event)) {
		talloc_free(copy);
		return NULL;
	}
	return copy;
}
