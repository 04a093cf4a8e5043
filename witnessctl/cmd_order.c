/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands that have registrations told something. */
#include <stdio.h>
#include <string.h>

#include "witnessctl/options.h"
#include "witnessctl/order.h"

#define ORDER_OPTIONS                                                                              \
	{"--rate", "rate", CTL_RATE},                                                              \
	{                                                                                          \
		"--dry-run", "dry_run", CTL_FLAG                                                   \
	}

/* request is taken over. */
static int run_and_show(struct ctl *ctl, const char *what, json_t *request)
{
	json_t *result = NULL;
	int ret;

	(void)json_object_set_new(request, "do", json_string(what));
	ret = order_run(ctl, request, &result);
	if (ret == CTL_OK) {
		ret = order_show(ctl, result);
	}
	json_decref(result);
	order_die(ctl);
	return ret;
}

/* So that nobody moves everybody by leaving something out. request is dropped if it says nothing. */
static int must_select(const char *command, json_t *request)
{
	if (json_object_size(json_object_get(request, "select")) > 0) {
		return -1;
	}
	fprintf(stderr, "witnessctl %s: say which registrations are meant, or --all\n", command);
	json_decref(request);
	return CTL_USAGE;
}

/* A destination, exactly one. request is dropped otherwise. */
static int must_go_somewhere(const char *command, json_t *request)
{
	bool node = json_object_get(request, "to_node") != NULL;
	bool ip = json_object_get(request, "to_ip") != NULL;

	if (node != ip) {
		return -1;
	}
	fprintf(stderr, "witnessctl %s: expected either --to-node or --to-ip\n", command);
	json_decref(request);
	return CTL_USAGE;
}

static const struct ctl_option move_options[] = {{"--to-node", "to_node", CTL_TEXT},
						 {"--to-ip", "to_ip", CTL_TEXT},
						 ORDER_OPTIONS,
						 {NULL, NULL, CTL_FLAG}};

static int move(struct ctl *ctl, const char *command, const char *what, int argc, const char **argv)
{
	const char *words[1];
	json_t *request = NULL;
	int ret = ctl_options(argc, argv, move_options, true, words, 0, &request);

	if (ret < 0) {
		ret = must_go_somewhere(command, request);
	}
	if (ret < 0) {
		ret = must_select(command, request);
	}
	return ret < 0 ? run_and_show(ctl, what, request) : ret;
}

int cmd_move(struct ctl *ctl, int argc, const char **argv)
{
	return move(ctl, argv[0], argv[0], argc, argv);
}

int cmd_rebalance(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {ORDER_OPTIONS, {NULL, NULL, CTL_FLAG}};
	const char *words[1];
	json_t *request = NULL;
	int ret = ctl_options(argc, argv, own, true, words, 0, &request);

	return ret < 0 ? run_and_show(ctl, argv[0], request) : ret;
}

int cmd_unregister(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {ORDER_OPTIONS, {NULL, NULL, CTL_FLAG}};
	const char *words[1];
	json_t *request = NULL;
	int ret;

	ret = ctl_options(argc, argv, own, true, words, 1, &request);
	if (ret < 0 && words[0] != NULL) {
		ret = ctl_handle(argv[0], words[0], request);
	}
	if (ret < 0) {
		ret = must_select(argv[0], request);
	}
	return ret < 0 ? run_and_show(ctl, "unregister", request) : ret;
}

int cmd_force_response(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {ORDER_OPTIONS, {NULL, NULL, CTL_FLAG}};
	const char *words[1];
	json_t *request = NULL;
	int ret = ctl_options(argc, argv, own, true, words, 1, &request);

	if (ret >= 0) {
		return ret;
	}
	if (words[0] == NULL) {
		json_decref(request);
		return ctl_usage(argv[0]);
	}
	ret = must_select(argv[0], request);
	if (ret < 0 && json_object_set_new(request, "response", json_string(words[0])) != 0) {
		fprintf(stderr, "witnessctl %s: the reply is not UTF-8\n", argv[0]);
		json_decref(request);
		return CTL_BAD_JSON;
	}
	return ret < 0 ? run_and_show(ctl, "reply", request) : ret;
}

/* notify change|ip-change */
static int notify_state(struct ctl *ctl, const char *what, int argc, const char **argv)
{
	static const struct ctl_option own[] = {{"--state", "state", CTL_TEXT},
						{"--address", "address", CTL_TEXT},
						ORDER_OPTIONS,
						{NULL, NULL, CTL_FLAG}};
	const char *words[1];
	json_t *request = NULL;
	int ret = ctl_options(argc, argv, own, true, words, 0, &request);
	bool wants_address = strcmp(what, "ip-change") == 0;

	if (ret >= 0) {
		return ret;
	}
	if (json_object_get(request, "state") == NULL ||
	    wants_address != (json_object_get(request, "address") != NULL)) {
		fprintf(stderr,
			"witnessctl notify %s: expected --state available or unavailable%s\n", what,
			wants_address ? ", and --address" : ", and no --address");
		json_decref(request);
		return CTL_USAGE;
	}
	ret = must_select("notify", request);
	return ret < 0 ? run_and_show(ctl, what, request) : ret;
}

int cmd_notify(struct ctl *ctl, int argc, const char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc > 1) {
		argv[1] = argv[0];
	}
	if (strcmp(what, "change") == 0 || strcmp(what, "ip-change") == 0) {
		return notify_state(ctl, what, argc - 1, argv + 1);
	}
	if (strcmp(what, "move") == 0) {
		return move(ctl, "notify", "client-move", argc - 1, argv + 1);
	}
	if (strcmp(what, "share-move") == 0) {
		return move(ctl, "notify", "share-move", argc - 1, argv + 1);
	}
	return ctl_usage(argv[0]);
}
