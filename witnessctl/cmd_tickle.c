/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands around addresses that move: leave, tickle, connections. */
#include "witnessctl/ctl.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "witnessctl/options.h"
#include "witnessctl/table.h"
#include "witnessd/util/clock.h"

#define LEAVE_DEFAULT_MS 3000
#define LEAVE_POLL_MS    10
#define LEAVE_EXTRA_MS   1000 /* beyond what the daemon waits itself */

static void show_leave(const struct ctl *ctl, const json_t *result)
{
	if (ctl->json) {
		ctl_print_json(result);
		return;
	}
	printf("%s clients told, %s not in time, %s witnesses silent\n",
	       table_cell(ctl->mem_ctx, json_object_get(result, "told")),
	       table_cell(ctl->mem_ctx, json_object_get(result, "untold")),
	       table_cell(ctl->mem_ctx, json_object_get(result, "silent")));
}

/* Ask until it is done. @return an exit code */
static int wait_for_leave(struct ctl *ctl, const char *address, int wait_ms, json_t **result)
{
	const struct timespec pause = {.tv_nsec = LEAVE_POLL_MS * 1000000L};
	uint64_t deadline = clock_ms() + (uint64_t)wait_ms + LEAVE_EXTRA_MS;
	int ret = ctl_ask(ctl,
			  json_pack("{s:s, s:s, s:i}", "command", "leave", "address", address,
				    "wait_ms", wait_ms),
			  result);

	while (ret == CTL_OK && !json_is_true(json_object_get(*result, "done"))) {
		if (clock_ms() >= deadline) {
			fprintf(stderr, "witnessctl: the daemon does not come to an end\n");
			return CTL_FAILED;
		}
		nanosleep(&pause, NULL);
		json_decref(*result);
		*result = NULL;
		ret = ctl_ask(ctl, json_pack("{s:s, s:s}", "command", "leave", "address", address),
			      result);
	}
	return ret;
}

int cmd_leave(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {{"--wait", "wait", CTL_PATIENCE},
						{NULL, NULL, CTL_FLAG}};
	json_t *request = NULL, *result = NULL;
	const char *words[1];
	const json_t *wait;
	int ret = ctl_options(argc, argv, own, false, words, 1, &request);

	if (ret < 0) {
		ret = ctl_word(argv[0], words[0], "address", &request);
	}
	if (ret >= 0) {
		return ret;
	}
	wait = json_object_get(request, "wait");
	ret = wait_for_leave(ctl, words[0],
			     wait != NULL ? (int)(json_real_value(wait) * 1000) : LEAVE_DEFAULT_MS,
			     &result);
	if (ret == CTL_OK) {
		show_leave(ctl, result);
	}
	json_decref(request);
	json_decref(result);
	return ret;
}

static void show_tickle(const struct ctl *ctl, const json_t *result)
{
	printf("%s connections to tickle\n",
	       table_cell(ctl->mem_ctx, json_object_get(result, "connections")));
}

int cmd_tickle(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_plain(ctl, argc, argv, "address", show_tickle);
}

static void show_connections(const struct ctl *ctl, const json_t *result)
{
	static const struct table_column columns[] = {
		{"NODE", "node"}, {"ADDRESS", "local"}, {"CLIENT", "remote"}, {NULL, NULL}};

	if (json_array_size(result) == 0) {
		puts("No connections of the cluster's addresses are tracked.");
		return;
	}
	table_print(stdout, result, columns, table_terminal_width(stdout));
}

int cmd_connections(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_plain(ctl, argc, argv, NULL, show_connections);
}
