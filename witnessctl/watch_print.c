/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/watch.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "witnessctl/terminal.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

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

/* Version 1 servers say neither. */
static const char *online_name(enum swnc_state state)
{
	switch (state) {
	case SWNC_AVAILABLE:
		return "online";
	case SWNC_UNAVAILABLE:
		return "offline";
	case SWNC_UNKNOWN:
		break;
	}
	return "unknown";
}

/* ---- JSON ---- */

static void put_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL) {
		json_object_set_new(object, key, text_json(text));
	}
}

static void put_notify(json_t *object, const struct swnc_event *event)
{
	json_t *changes = json_array(), *addrs = json_array();

	put_text(object, "type", swnc_message_name(event->message));
	for (size_t i = 0; i < event->num_changes; i++) {
		json_t *change = json_object();

		put_text(change, "name", event->changes[i].name);
		put_text(change, "state", swnc_state_name(event->changes[i].state));
		json_array_append_new(changes, change);
	}
	for (size_t i = 0; i < event->num_addresses; i++) {
		json_t *addr = json_pack("{s:s*, s:s, s:I}", "address", event->addresses[i].address,
					 "state", online_name(event->addresses[i].state), "flags",
					 (json_int_t)event->addresses[i].flags);

		json_array_append_new(addrs, addr);
	}
	if (event->message == SWNC_RESOURCE_CHANGE) {
		json_object_set(object, "changes", changes);
	} else {
		json_object_set(object, "addresses", addrs);
	}
	json_decref(changes);
	json_decref(addrs);
}

json_t *watch_json(const struct swnc_event *event, const char *net_name)
{
	struct stamp now = stamp_now();
	const struct stamp *stamp = &now;
	json_t *object = json_object();
	char wall[64];
	size_t n = strftime(wall, sizeof(wall), "%Y-%m-%dT%H:%M:%S", &stamp->tm);

	snprintf(wall + n, sizeof(wall) - n, ".%06ldZ", stamp->wall.tv_nsec / 1000);
	put_text(object, "event", swnc_event_name(event->type));
	json_object_set_new(
		object, "time",
		json_real((double)stamp->mono.tv_sec + (double)(stamp->mono.tv_nsec / 1000) / 1e6));
	put_text(object, "wall", wall);
	put_text(object, "net_name", net_name);
	put_text(object, "server", event->server);
	put_text(object, "witness", event->witness);
	put_text(object, "group", event->group);
	put_text(object, "step", event->step);
	put_text(object, "reason", event->why);
	if (event->type == SWNC_REGISTERED) {
		json_object_set_new(object, "version", json_integer(event->version));
	}
	if (event->type == SWNC_FAILED) {
		json_object_set_new(object, "retry_ms", json_integer(event->retry_ms));
	}
	if (event->type == SWNC_NOTIFIED) {
		put_notify(object, event);
	}
	return object;
}

/* ---- text ---- */

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void print_notify(TALLOC_CTX *tmp, const struct swnc_event *event)
{
	fputs(swnc_message_name(event->message), stdout);
	for (size_t i = 0; i < event->num_changes; i++) {
		printf("%s %s %s", i > 0 ? "," : "", log_escape(tmp, event->changes[i].name),
		       swnc_state_name(event->changes[i].state));
	}
	for (size_t i = 0; i < event->num_addresses; i++) {
		printf("%s %s %s", i > 0 ? "," : "", or_dash(event->addresses[i].address),
		       online_name(event->addresses[i].state));
	}
}

static void print_text(const struct swnc_event *event, const char *net_name)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct stamp stamp = stamp_now();
	const char *witness = or_dash(event->witness);
	const char *why = terminal_text(tmp, or_dash(event->why));

	printf("%lld.%06ld %02d:%02d:%02d.%06ld ", (long long)stamp.mono.tv_sec,
	       stamp.mono.tv_nsec / 1000, stamp.tm.tm_hour, stamp.tm.tm_min, stamp.tm.tm_sec,
	       stamp.wall.tv_nsec / 1000);
	switch (event->type) {
	case SWNC_REGISTERED:
		printf("registered %s %s with %s (%s), version %u", net_name, event->server,
		       witness, log_escape(tmp, event->group), event->version);
		break;
	case SWNC_NOTIFIED:
		print_notify(tmp, event);
		break;
	case SWNC_REREGISTERING:
		printf("re-registering: %s", why);
		break;
	case SWNC_LOST:
		printf("connection lost: %s: %s", witness, why);
		break;
	case SWNC_RESUMED:
		printf("resumed with %s", witness);
		break;
	case SWNC_FAILED:
		printf("failed: %s at %s: %s", event->step, witness, why);
		if (event->retry_ms > 0) {
			printf("; again in %u ms", event->retry_ms);
		}
		break;
	}
	putchar('\n');
	talloc_free(tmp);
}

void watch_print(const struct swnc_event *event, const char *net_name, bool json)
{
	if (json) {
		json_t *object = watch_json(event, net_name);

		terminal_print_json(object, JSON_COMPACT | JSON_REAL_PRECISION(WATCH_TIME_DIGITS));
		json_decref(object);
	} else {
		print_text(event, net_name);
	}
	fflush(stdout);
}
