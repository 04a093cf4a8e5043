/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl events and metrics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "witnessctl/options.h"
#include "witnessctl/order.h"
#include "witnessctl/table.h"
#include "witnessctl/terminal.h"
#include "witnessd/util/clock.h"

#define POLL_MS      200 /* of --follow */
#define CATCH_UP_MS  50  /* while other nodes are asked what they have */
#define CATCH_UP_MAX 3000

#define TOO_FAST     "%lld events and notifications came too fast to be shown"

/* What has been shown, and what has been said of the nodes. */
struct events {
	struct ctl *ctl;
	const char *pattern; /* of nodes; NULL: all */
	json_int_t after;
	json_t *nodes; /* by name, as the daemon said it last */
};

static void print_time(const json_t *event)
{
	double seconds = json_real_value(json_object_get(event, "time"));
	char text[sizeof("2026-11-21T14:51:35")] = "-";
	time_t when = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&when, &tm) != NULL) {
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	printf("%s.%03dZ", text, (int)((seconds - (double)when) * 1000));
}

static void print_event(struct ctl *ctl, const json_t *event)
{
	static const char *const keys[] = {"client", "told", "address", "group", "share",
					   "name",   "from", "to",      "why",   NULL};
	TALLOC_CTX *tmp;

	if (ctl->json) {
		terminal_print_json(event, JSON_COMPACT | JSON_SORT_KEYS);
		return;
	}
	tmp = talloc_new(ctl->mem_ctx);
	print_time(event);
	printf(" %s %s", table_cell(tmp, json_object_get(event, "node")),
	       table_cell(tmp, json_object_get(event, "event")));
	for (size_t i = 0; keys[i] != NULL; i++) {
		const json_t *value = json_object_get(event, keys[i]);

		if (value != NULL) {
			printf(" %s=%s", keys[i], table_cell(tmp, value));
		}
	}
	putchar('\n');
	talloc_free(tmp);
}

/* By time, and of one node as it has numbered them. */
static int compare(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const char *node_x = json_string_value(json_object_get(x, "node"));
	const char *node_y = json_string_value(json_object_get(y, "node"));
	double when_x = json_real_value(json_object_get(x, "time"));
	double when_y = json_real_value(json_object_get(y, "time"));
	json_int_t number_x = json_integer_value(json_object_get(x, "number"));
	json_int_t number_y = json_integer_value(json_object_get(y, "number"));

	if (when_x != when_y) {
		return when_x < when_y ? -1 : 1;
	}
	if (node_x != NULL && node_y != NULL && strcmp(node_x, node_y) != 0) {
		return strcmp(node_x, node_y);
	}
	return (number_x > number_y) - (number_x < number_y);
}

static int print_sorted(struct ctl *ctl, const json_t *list)
{
	size_t num = json_array_size(list);
	json_t **sorted = talloc_array(ctl->mem_ctx, json_t *, num > 0 ? num : 1);

	if (sorted == NULL) {
		return CTL_FAILED;
	}
	for (size_t i = 0; i < num; i++) {
		sorted[i] = json_array_get(list, i);
	}
	qsort(sorted, num, sizeof(sorted[0]), compare);
	for (size_t i = 0; i < num; i++) {
		print_event(ctl, sorted[i]);
	}
	talloc_free(sorted);
	return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

/* --- nodes --- */

static const char *complaint(const char *state)
{
	static const struct {
		const char *state, *text;
	} rows[] = {
		{"older", "its witnessd is older, and cannot tell its events"},
		{"silent", "its witnessd does not answer: its events are missing"},
		{"gone", "no witnessd is there that could tell its events"},
		{"asked", "not all of its events have come yet"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].state, state) == 0) {
			return rows[i].text;
		}
	}
	return NULL;
}

static void say(struct ctl *ctl, const json_t *node, const char *text)
{
	TALLOC_CTX *tmp = talloc_new(ctl->mem_ctx);

	fprintf(stderr, "witnessctl: node %s: %s\n", table_cell(tmp, json_object_get(node, "node")),
		text);
	talloc_free(tmp);
}

/* Say what has changed with a node, and what of it cannot be shown. */
static void say_node(const struct events *events, const json_t *before, const json_t *node)
{
	const char *was = before != NULL ? json_string_value(json_object_get(before, "state")) : "";
	const char *state = json_string_value(json_object_get(node, "state"));
	json_int_t lost = before != NULL
				  ? json_integer_value(json_object_get(node, "lost")) -
					    json_integer_value(json_object_get(before, "lost"))
				  : 0;
	char text[96];

	if (strcmp(state, was) != 0 && complaint(state) != NULL) {
		say(events->ctl, node, complaint(state));
	} else if (strcmp(state, was) != 0 && complaint(was) != NULL) {
		say(events->ctl, node, "its events come again");
	}
	if (lost > 0) {
		snprintf(text, sizeof(text), TOO_FAST, (long long)lost);
		say(events->ctl, node, text);
	}
}

static void say_nodes(struct events *events, const json_t *list)
{
	json_t *node;
	size_t i;

	json_array_foreach(list, i, node)
	{
		const char *name = json_string_value(json_object_get(node, "node"));
		const char *state = json_string_value(json_object_get(node, "state"));
		const json_t *before = name != NULL ? json_object_get(events->nodes, name) : NULL;

		/* That one is being asked is worth a word only where the answer is not waited for. */
		if (name != NULL && state != NULL &&
		    (before == NULL || strcmp(state, "asked") != 0)) {
			say_node(events, before, node);
			(void)json_object_set(events->nodes, name, node);
		}
	}
}

/* Whether some node has not said yet what it has. */
static bool is_catching_up(const json_t *list)
{
	const json_t *node;
	size_t i;

	json_array_foreach(list, i, node)
	{
		const char *state = json_string_value(json_object_get(node, "state"));

		if (state != NULL && strcmp(state, "asked") == 0) {
			return true;
		}
	}
	return false;
}

/* --- asking --- */

/* What is behind events->after, which moves on. @return as ctl_ask() */
static int ask(struct events *events, json_t **result)
{
	json_t *request = json_pack("{s:s, s:I}", "command", "events", "after", events->after);
	json_int_t last, lost;
	int ret;

	if (events->pattern != NULL) {
		(void)json_object_set_new(request, "node", json_string(events->pattern));
	}
	ret = ctl_ask(events->ctl, request, result);
	if (ret != CTL_OK) {
		return ret;
	}
	last = json_integer_value(json_object_get(*result, "last"));
	lost = json_integer_value(json_object_get(*result, "lost"));
	if (lost > 0 && events->after > 0) {
		fprintf(stderr, "witnessctl: " TOO_FAST "\n", (long long)lost);
	}
	events->after = last; /* 0 again when the daemon was started anew */
	return CTL_OK;
}

/* What has been until now, of all nodes. */
static int print_past(struct events *events)
{
	uint64_t deadline_ms = clock_ms() + CATCH_UP_MAX;
	json_t *all = json_array(), *result = NULL;
	int ret = ask(events, &result);

	while (ret == CTL_OK) {
		(void)json_array_extend(all, json_object_get(result, "events"));
		if (!is_catching_up(json_object_get(result, "nodes")) ||
		    clock_ms() >= deadline_ms) {
			break;
		}
		json_decref(result);
		result = NULL;
		(void)order_pause(events->ctl, CATCH_UP_MS);
		ret = ask(events, &result);
	}
	if (ret == CTL_OK) {
		ret = print_sorted(events->ctl, all);
		say_nodes(events, json_object_get(result, "nodes"));
	}
	json_decref(result);
	json_decref(all);
	return ret;
}

static int print_new(struct events *events)
{
	json_t *result = NULL;
	int ret = ask(events, &result);

	if (ret == CTL_OK) {
		ret = print_sorted(events->ctl, json_object_get(result, "events"));
		say_nodes(events, json_object_get(result, "nodes"));
	}
	json_decref(result);
	return ret;
}

int cmd_events(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {{"--follow", "follow", CTL_FLAG},
						{"--node", "node", CTL_TEXT},
						{NULL, NULL, CTL_FLAG}};
	struct events events = {.ctl = ctl};
	const char *words[1];
	json_t *options = NULL;
	int ret = ctl_options(argc, argv, own, false, words, 0, &options);
	bool follow;

	if (ret >= 0) {
		return ret;
	}
	follow = json_object_get(options, "follow") != NULL;
	events.pattern = json_string_value(json_object_get(options, "node"));
	events.nodes = json_object();
	ret = print_past(&events);
	while (ret == CTL_OK && follow) {
		(void)order_pause(ctl, POLL_MS);
		ret = print_new(&events);
	}
	json_decref(events.nodes);
	json_decref(options);
	return ret;
}

static void show_metrics(const struct ctl *ctl, const json_t *result)
{
	if (json_is_string(result)) {
		fputs(json_string_value(result), stdout);
	}
}

int cmd_metrics(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, NULL, show_metrics);
}
