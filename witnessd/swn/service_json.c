/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What witnessctl shows of the service. */
#include "witnessd/swn/service_private.h"

#include <string.h>

#include <time.h>

#include "witnessd/swn/select.h"
#include "witnessd/util/text_json.h"

static json_t *ip_json(const struct ipaddr *ip)
{
	char text[IPADDR_STRLEN];

	return ip->family == 0 ? json_null() : json_string(ipaddr_format(ip, text));
}

static json_t *time_json(time_t when)
{
	char text[sizeof("2026-11-21T14:51:35Z")];
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		return json_null();
	}
	return json_string(text);
}

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
	set(object, key, json_integer((json_int_t)value));
}

static int version_number(uint32_t version)
{
	return version == SWN_VERSION_1 ? 1 : 2;
}

/* The names of Get-SmbWitnessClient, and two of our own. */
static const char *state_name(const struct swn_reg *reg, bool waiting, bool orphan)
{
	if (orphan) {
		return "witness gone";
	}
	if (reg->handed_back) {
		return "handed back";
	}
	return waiting ? "requested notification" : "registered";
}

json_t *swn_found_json(const struct swn_found *found)
{
	const struct swn_reg *reg = found->reg;
	json_t *json = json_object();
	char guid[GUID_STRLEN];

	set(json, "handle", json_string(guid_format(&reg->handle.uuid, guid)));
	set(json, "witness", text_json(found->witness));
	set(json, "node", text_json(found->node));
	set(json, "client", text_json(reg->client_name));
	set(json, "client_address", ip_json(&reg->client));
	set(json, "net_name", text_json(reg->net_name));
	set(json, "share", text_json(reg->share_name));
	set(json, "ip", ip_json(&reg->ip));
	set_number(json, "version", (uint64_t)version_number(reg->version));
	set_number(json, "flags",
		   reg->ip_notification ? SWN_REGISTER_IP_NOTIFICATION : SWN_REGISTER_NONE);
	set_number(json, "keep_alive", reg->keep_alive_s);
	set(json, "state", json_string(state_name(reg, found->waiting, found->orphan)));
	set(json, "principal", text_json(reg->principal));
	set_number(json, "notifications", reg->notifications);
	set_number(json, "queued", swn_queue_length(&reg->queue));
	set(json, "registered_since", time_json(reg->since));
	set(json, "last_used", time_json(reg->last_used));
	return json;
}

static const char *interface_state_name(uint16_t state)
{
	switch (state) {
	case SWN_INTERFACE_AVAILABLE:
		return "available";
	case SWN_INTERFACE_UNAVAILABLE:
		return "unavailable";
	default:
		return "unknown";
	}
}

json_t *swn_service_interfaces_json(const struct swn_service *service)
{
	json_t *json = json_array();
	struct swn_interface_list list;

	if (swn_interface_list(NULL, service, &list) != 0) {
		return json;
	}
	for (size_t i = 0; i < list.num; i++) {
		const struct swn_interface *iface = &list.entries[i];
		json_t *entry = json_object();

		set(entry, "group", text_json(iface->group_name));
		set(entry, "ip", ip_json(iface->ipv4.family != 0 ? &iface->ipv4 : &iface->ipv6));
		set(entry, "state", json_string(interface_state_name(iface->state)));
		set_number(entry, "version", (uint64_t)version_number(iface->version));
		set(entry, "witness", json_boolean(iface->witness));
		(void)json_array_append_new(json, entry);
	}
	talloc_free(list.entries);
	return json;
}

static json_t *limits_json(const struct swn_config *config)
{
	json_t *json = json_object();

	set_number(json, "registrations", config->max_registrations);
	set_number(json, "registrations_principal", config->max_registrations_principal);
	set_number(json, "registrations_connection", config->max_registrations_assoc);
	set_number(json, "unused_timeout", config->unused_timeout_s);
	set_number(json, "reregister_delay", config->reregister_delay_s);
	return json;
}

static json_t *refused_json(const struct swn_refusals *refusals)
{
	json_t *json = json_object();

	for (int i = 0; i < SWN_NUM_REGISTRATION_LIMITS; i++) {
		set_number(json, swn_limit_name((enum swn_limit)i) + strlen("max_"),
			   swn_refusals_total(refusals, (enum swn_limit)i));
	}
	return json;
}

json_t *swn_service_status_json(const struct swn_service *service)
{
	json_t *json = json_object(), *names = json_array(), *ended = json_object();
	json_t *notified = json_object();

	for (size_t i = 0; service->config.net_names[i] != NULL; i++) {
		(void)json_array_append_new(names, text_json(service->config.net_names[i]));
	}
	for (int i = 0; i < SWN_NUM_ENDS; i++) {
		set_number(ended, swn_end_name((enum swn_end)i), service->ended[i]);
	}
	for (uint32_t type = SWN_RESOURCE_CHANGE; type <= SWN_IP_CHANGE; type++) {
		set_number(notified, swn_message_type_name(type), service->notified[type]);
	}
	set_number(json, "version", (uint64_t)version_number(service->config.version));
	set(json, "net_names", names);
	set_number(json, "registrations", swn_registry_count(service->registry));
	set_number(json, "registered_total", service->registered);
	set_number(json, "restored_total", service->restored);
	set_number(json, "claimed_total", service->claimed);
	set_number(json, "taken_over_total", service->taken_over);
	set_number(json, "waiting_notify", service->num_notify_waiters);
	set_number(json, "waiting_interface_list", service->num_list_waiters);
	set_number(json, "timeouts", service->timeouts);
	set(json, "refused", refused_json(service->refusals));
	set(json, "ended", ended);
	set(json, "notified", notified);
	set(json, "latency", swn_latency_json(&service->latency));
	set(json, "limits", limits_json(&service->config));
	return json;
}

uint64_t swn_service_refused(const struct swn_service *service, enum swn_limit limit)
{
	return swn_refusals_total(service->refusals, limit);
}

uint64_t swn_service_unused(const struct swn_service *service)
{
	return service->ended[SWN_END_UNUSED];
}
