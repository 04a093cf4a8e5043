/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl drain and undrain. */
#include <stdio.h>
#include <string.h>

#include "witnessctl/options.h"
#include "witnessctl/order.h"
#include "witnessctl/table.h"
#include "witnessd/util/clock.h"

#define WAIT_DEFAULT_S 120
#define POLL_MS        200
#define POLL_MAX_MS    5000
#define LOOK_SHARE     5    /* pauses are so many times as long as looks */
#define AGAIN_MS       2000 /* between orders for those who came meanwhile */

struct drain {
	struct ctl *ctl;
	const char *node; /* as it was typed, then as the cluster writes it */
	json_t *request;  /* of the order, copied for each */
	json_t *result;   /* of the first order, where everything is gathered */
	json_t *seen;     /* handles that had an order: their objects of .result */
	bool begun;       /* the node is marked as drained */
	json_t *left;     /* clients who are there */
	uint64_t ordered_ms, look_took_ms;
};

static const char *result_of(const json_t *client)
{
	return json_string_value(json_object_get(client, "result"));
}

/* Of all clients that an order was for. */
static void count_results(struct drain *drain)
{
	json_t *client, *clients = json_object_get(drain->result, "clients");
	size_t i;

	(void)json_object_set_new(drain->result, "results", json_object());
	json_array_foreach(clients, i, client)
	{
		(void)json_object_set_new(
			json_object_get(drain->result, "results"), result_of(client),
			json_integer(order_count(drain->result, result_of(client)) + 1));
	}
	(void)json_object_set_new(drain->result, "total",
				  json_integer((json_int_t)json_array_size(clients)));
}

/*
 * Note whom an order was for; those of later ones are added to the first. Of a client that had several the last
 * result counts, but who was told has not "gone" because it is there no more.
 */
static void gather(struct drain *drain, json_t *job)
{
	json_t *client, *clients = json_object_get(drain->result, "clients");
	size_t i;

	json_array_foreach(json_object_get(job, "clients"), i, client)
	{
		const char *handle = json_string_value(json_object_get(client, "handle"));
		json_t *before = json_object_get(drain->seen, handle);

		if (before == NULL) {
			(void)json_object_set(drain->seen, handle, client);
		} else if (strcmp(result_of(client), "gone") != 0) {
			(void)json_object_set(before, "result", json_object_get(client, "result"));
			(void)json_object_set(before, "to", json_object_get(client, "to"));
		}
		if (before == NULL && job != drain->result) {
			(void)json_array_append(clients, client);
		}
	}
	count_results(drain);
}

static int order(struct drain *drain)
{
	json_t *job = NULL;
	int ret = order_run(drain->ctl, json_deep_copy(drain->request), &job);

	drain->ordered_ms = clock_ms();
	drain->begun = drain->begun || job != NULL;
	if (ret == CTL_OK && drain->result == NULL) {
		drain->result = json_incref(job);
		drain->node = json_string_value(json_object_get(job, "node"));
	}
	if (ret == CTL_OK) {
		gather(drain, job);
	}
	json_decref(job);
	return ret;
}

static int look(struct drain *drain)
{
	uint64_t began_ms = clock_ms();
	int ret;

	json_decref(drain->left);
	drain->left = NULL;
	ret = ctl_ask(drain->ctl,
		      json_pack("{s:s, s:{s:s}}", "command", "list", "select", "node", drain->node),
		      &drain->left);
	drain->look_took_ms = clock_ms() - began_ms;
	return ret;
}

/* A list of thousands keeps the daemon busy for a while: most of the time it should have its peace. */
static void pause_between_looks(const struct drain *drain)
{
	uint64_t ms = drain->look_took_ms * LOOK_SHARE;

	(void)order_pause(drain->ctl, ms < POLL_MS       ? POLL_MS
				      : ms > POLL_MAX_MS ? POLL_MAX_MS
							 : (int)ms);
}

/* Its witness has vanished: nobody can tell it, and it goes by itself after the hand-over time. */
static bool is_orphan(const json_t *client)
{
	return strcmp(json_string_value(json_object_get(client, "state")), "witness gone") == 0;
}

/* Of those who are left: whether some had no order yet, and whether some are on their way. */
static void judge(const struct drain *drain, bool *newcomers, bool *movers)
{
	const json_t *client;
	size_t i;

	*newcomers = *movers = false;
	json_array_foreach(drain->left, i, client)
	{
		const char *handle = json_string_value(json_object_get(client, "handle"));
		const char *name = result_of(json_object_get(drain->seen, handle));

		if (is_orphan(client)) {
			*movers = true;
			continue;
		}
		*newcomers = *newcomers || name == NULL;
		*movers = *movers || (name != NULL && strcmp(name, "not served there") != 0);
	}
}

static int wait_until_empty(struct drain *drain, uint64_t wait_ms)
{
	uint64_t deadline_ms = clock_ms() + wait_ms;
	bool newcomers, movers, shown = false;
	int ret = look(drain);

	while (ret == CTL_OK && json_array_size(drain->left) > 0 && clock_ms() < deadline_ms &&
	       drain->ctl->caught == 0) {
		judge(drain, &newcomers, &movers);
		if (!newcomers && !movers) {
			break;
		}
		if (newcomers && clock_ms() - drain->ordered_ms >= AGAIN_MS) {
			ret = order(drain);
		}
		if (order_progress(drain->ctl)) {
			shown = true;
			fprintf(stderr, "\r%zu clients are still on %s    ",
				json_array_size(drain->left), drain->node);
		}
		pause_between_looks(drain);
		ret = ret == CTL_OK ? look(drain) : ret;
	}
	if (shown) {
		fputc('\n', stderr);
	}
	return ret;
}

/* Who is still there, each with what came of its order; who has come since the last one has had none. */
static void show_left(const struct drain *drain)
{
	static const struct table_column columns[] = {{"CLIENT", "client"},   {"ADDRESS", "ip"},
						      {"NAME", "net_name"},   {"SHARE", "share"},
						      {"WITNESS", "witness"}, {"STATE", "state"},
						      {"RESULT", "result"},   {NULL, NULL}};
	json_t *rows = json_array(), *client;
	size_t i;

	json_array_foreach(drain->left, i, client)
	{
		const char *handle = json_string_value(json_object_get(client, "handle"));
		json_t *row = json_copy(client);

		(void)json_object_set(
			row, "result",
			json_object_get(json_object_get(drain->seen, handle), "result"));
		(void)json_array_append_new(rows, row);
	}
	printf("%zu clients are still on %s:\n", json_array_size(drain->left), drain->node);
	table_print(stdout, rows, columns, table_terminal_width(stdout));
	json_decref(rows);
}

static int show(const struct drain *drain)
{
	size_t left = json_array_size(drain->left);

	(void)json_object_set(drain->result, "left", drain->left);
	if (drain->ctl->json) {
		ctl_print_json(drain->result);
		return left == 0 ? CTL_OK : CTL_FAILED;
	}
	if (left == 0) {
		printf("%s has no clients any more; %lld were sent to other nodes\n", drain->node,
		       (long long)(order_count(drain->result, "told") +
				   order_count(drain->result, "queued")));
	} else {
		show_left(drain);
	}
	if (json_object_size(drain->seen) > 0) {
		order_summary(drain->result);
	}
	return left == 0 ? CTL_OK : CTL_FAILED;
}

/* When it has not come to its end: what of it stays, and how to undo that. */
static void say_what_stays(const struct drain *drain, bool failed)
{
	if (drain->ctl->caught == 0 && !(failed && drain->begun)) {
		return;
	}
	fputs("witnessctl: ", stderr);
	if (drain->ctl->caught != 0) {
		fprintf(stderr, "interrupted: %lld clients were not told to leave; ",
			(long long)order_count(drain->result, "cancelled"));
	}
	fprintf(stderr, "%s stays drained until \"witnessctl undrain %s\"\n", drain->node,
		drain->node);
}

static int run(struct drain *drain, bool dry_run, uint64_t wait_ms)
{
	int ret = order(drain);

	if (dry_run) {
		return ret == CTL_OK ? order_show(drain->ctl, drain->result) : ret;
	}
	if (ret == CTL_OK) {
		ret = wait_until_empty(drain, wait_ms);
	}
	say_what_stays(drain, ret != CTL_OK);
	return ret == CTL_OK ? show(drain) : ret;
}

int cmd_drain(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {{"--rate", "rate", CTL_RATE},
						{"--dry-run", "dry_run", CTL_FLAG},
						{"--wait", "wait", CTL_NUMBER},
						{NULL, NULL, CTL_FLAG}};
	struct drain drain = {.ctl = ctl, .seen = json_object()};
	const char *words[1];
	const json_t *wait;
	int ret = ctl_options(argc, argv, own, false, words, 1, &drain.request);

	if (ret < 0) {
		ret = ctl_word(argv[0], words[0], "node", &drain.request);
	}
	if (ret < 0) {
		drain.node = words[0];
		wait = json_object_get(drain.request, "wait");
		(void)json_object_set_new(drain.request, "do", json_string(argv[0]));
		ret = run(&drain, json_object_get(drain.request, "dry_run") != NULL,
			  UINT64_C(1000) * (wait != NULL ? (uint64_t)json_integer_value(wait)
							 : WAIT_DEFAULT_S));
	}
	json_decref(drain.request);
	json_decref(drain.result);
	json_decref(drain.seen);
	json_decref(drain.left);
	order_die(ctl);
	return ret;
}

int cmd_undrain(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_plain(ctl, argc, argv, "node", NULL);
}
