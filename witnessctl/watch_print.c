/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/watch.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "witnessd/util/log.h"

#define JSON_TIME_DIGITS 15 /* microseconds of a machine that has been up for years */

static const char *const event_names[] = {
	[SWN_CLIENT_REGISTERED] = "registered",
	[SWN_CLIENT_NOTIFIED] = "notification",
	[SWN_CLIENT_REREGISTERING] = "re-registering",
	[SWN_CLIENT_LOST] = "connection lost",
	[SWN_CLIENT_RESUMED] = "resumed",
	[SWN_CLIENT_FAILED] = "failed",
};

/* When it was printed, on both clocks. */
struct stamp {
	struct timespec mono, wall;
	struct tm tm; /* of wall, UTC */
};

static struct stamp stamp_now(void)
{
	struct stamp stamp;

	clock_gettime(CLOCK_MONOTONIC, &stamp.mono);
	clock_gettime(CLOCK_REALTIME, &stamp.wall);
	gmtime_r(&stamp.wall.tv_sec, &stamp.tm);
	return stamp;
}

static const char *state_name(uint32_t state)
{
	switch (state) {
	case SWN_RESOURCE_AVAILABLE:
		return "available";
	case SWN_RESOURCE_UNAVAILABLE:
		return "unavailable";
	default:
		return "unknown";
	}
}

/* Version 1 servers say neither. */
static const char *online_name(uint32_t flags)
{
	if ((flags & SWN_IPADDR_ONLINE) != 0) {
		return "online";
	}
	return (flags & SWN_IPADDR_OFFLINE) != 0 ? "offline" : "unknown";
}

/* ---- JSON ---- */

static void put_addr(json_t *object, const char *key, const struct ipaddr *addr)
{
	char text[IPADDR_STRLEN];

	if (addr->family != 0) {
		json_object_set_new(object, key, json_string(ipaddr_format(addr, text)));
	}
}

static void put_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL) {
		json_object_set_new(object, key, json_string(text));
	}
}

static void put_notify(json_t *object, const struct swn_notify *notify)
{
	json_t *changes = json_array(), *addrs = json_array();

	put_text(object, "type", swn_message_type_name(notify->type));
	for (size_t i = 0; i < notify->num_changes; i++) {
		json_array_append_new(changes,
				      json_pack("{s:s*, s:s}", "name", notify->changes[i].name,
						"state", state_name(notify->changes[i].state)));
	}
	for (size_t i = 0; i < notify->num_addrs; i++) {
		json_t *addr = json_pack("{s:s, s:i}", "state", online_name(notify->addrs[i].flags),
					 "flags", (int)notify->addrs[i].flags);

		put_addr(addr, "address", &notify->addrs[i].ip);
		json_array_append_new(addrs, addr);
	}
	if (notify->type == SWN_RESOURCE_CHANGE) {
		json_object_set(object, "changes", changes);
	} else {
		json_object_set(object, "addresses", addrs);
	}
	json_decref(changes);
	json_decref(addrs);
}

static void print_json(const struct swn_client_event *event, const struct stamp *stamp,
		       const char *net_name)
{
	json_t *object = json_object();
	char wall[64];
	size_t n = strftime(wall, sizeof(wall), "%Y-%m-%dT%H:%M:%S", &stamp->tm);

	snprintf(wall + n, sizeof(wall) - n, ".%06ldZ", stamp->wall.tv_nsec / 1000);
	put_text(object, "event", event_names[event->type]);
	json_object_set_new(
		object, "time",
		json_real((double)stamp->mono.tv_sec + (double)(stamp->mono.tv_nsec / 1000) / 1e6));
	put_text(object, "wall", wall);
	put_text(object, "net_name", net_name);
	put_addr(object, "server", &event->server);
	put_addr(object, "witness", &event->witness);
	put_text(object, "group", event->group);
	put_text(object, "step", event->step);
	put_text(object, "reason", event->why);
	if (event->type == SWN_CLIENT_REGISTERED) {
		json_object_set_new(object, "version",
				    json_integer(event->version == SWN_VERSION_1 ? 1 : 2));
	}
	if (event->type == SWN_CLIENT_FAILED) {
		json_object_set_new(object, "retry_ms", json_integer(event->retry_ms));
	}
	if (event->notify != NULL) {
		put_notify(object, event->notify);
	}
	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(JSON_TIME_DIGITS));
	putchar('\n');
	json_decref(object);
}

/* ---- text ---- */

static void print_notify(TALLOC_CTX *tmp, const struct swn_notify *notify)
{
	char ip[IPADDR_STRLEN];

	fputs(swn_message_type_name(notify->type), stdout);
	for (size_t i = 0; i < notify->num_changes; i++) {
		printf("%s %s %s", i > 0 ? "," : "", log_escape(tmp, notify->changes[i].name),
		       state_name(notify->changes[i].state));
	}
	for (size_t i = 0; i < notify->num_addrs; i++) {
		printf("%s %s %s", i > 0 ? "," : "", ipaddr_format(&notify->addrs[i].ip, ip),
		       online_name(notify->addrs[i].flags));
	}
}

static void print_text(const struct swn_client_event *event, const struct stamp *stamp,
		       const char *net_name)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char server[IPADDR_STRLEN], witness[IPADDR_STRLEN];

	ipaddr_format(&event->server, server);
	ipaddr_format(&event->witness, witness);
	printf("%lld.%06ld %02d:%02d:%02d.%06ld ", (long long)stamp->mono.tv_sec,
	       stamp->mono.tv_nsec / 1000, stamp->tm.tm_hour, stamp->tm.tm_min, stamp->tm.tm_sec,
	       stamp->wall.tv_nsec / 1000);
	switch (event->type) {
	case SWN_CLIENT_REGISTERED:
		printf("registered %s %s with %s (%s), version %d", net_name, server, witness,
		       log_escape(tmp, event->group), event->version == SWN_VERSION_1 ? 1 : 2);
		break;
	case SWN_CLIENT_NOTIFIED:
		print_notify(tmp, event->notify);
		break;
	case SWN_CLIENT_REREGISTERING:
		printf("re-registering: %s", event->why);
		break;
	case SWN_CLIENT_LOST:
		printf("connection lost: %s: %s", witness, event->why);
		break;
	case SWN_CLIENT_RESUMED:
		printf("resumed with %s", witness);
		break;
	case SWN_CLIENT_FAILED:
		printf("failed: %s at %s: %s", event->step, witness, event->why);
		if (event->retry_ms > 0) {
			printf("; again in %u ms", event->retry_ms);
		}
		break;
	}
	putchar('\n');
	talloc_free(tmp);
}

void watch_print(const struct swn_client_event *event, const char *net_name, bool json)
{
	struct stamp stamp = stamp_now();

	if (json) {
		print_json(event, &stamp, net_name);
	} else {
		print_text(event, &stamp, net_name);
	}
	fflush(stdout);
}
