/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands that ask the daemon and print what it says. */
#include "witnessctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "witnessctl/options.h"
#include "witnessctl/table.h"
#include "witnessctl/terminal.h"
#include "witnessd/control/control.h"

/* Of what control_call() gave. */
static int exit_code(int err)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		return CTL_NO_DAEMON;
	case EACCES:
		return CTL_NO_PERMISSION;
	case ESRCH:
		return CTL_NO_MATCH;
	case ENODEV:
		return CTL_NO_NODE;
	case ENXIO:
		return CTL_NO_ADDRESS;
	case EBADMSG:
		return CTL_BAD_JSON;
	default:
		return CTL_FAILED;
	}
}

int ctl_ask(struct ctl *ctl, json_t *request, json_t **result)
{
	char *why = NULL;
	int ret = request != NULL ? control_call(ctl->mem_ctx, ctl->socket, request,
						 ctl->timeout_ms, result, &why)
				  : EINVAL;

	json_decref(request);
	if (ret != 0) {
		fprintf(stderr, "witnessctl: %s\n",
			why != NULL ? terminal_text(ctl->mem_ctx, why) : strerror(ret));
		return exit_code(ret);
	}
	return CTL_OK;
}

void ctl_print_json(const json_t *json)
{
	terminal_print_json(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

int ctl_ask_and_show(struct ctl *ctl, json_t *request,
		     void (*show)(const struct ctl *ctl, const json_t *result))
{
	json_t *result = NULL;
	int ret = ctl_ask(ctl, request, &result);

	if (ret == CTL_OK && ctl->json) {
		ctl_print_json(result);
	} else if (ret == CTL_OK && show != NULL) {
		show(ctl, result);
	}
	json_decref(result);
	return ret;
}

/* With an option more than the key, or none. */
static int send_as_typed(struct ctl *ctl, int argc, const char **argv,
			 const struct ctl_option *options, const char *key,
			 void (*show)(const struct ctl *ctl, const json_t *result))
{
	const char *words[1];
	json_t *request = NULL;
	int ret = ctl_options(argc, argv, options, false, words, key != NULL ? 1 : 0, &request);

	if (ret < 0 && key != NULL) {
		ret = ctl_word(argv[0], words[0], key, &request);
	}
	if (ret >= 0) {
		return ret;
	}
	(void)json_object_set_new(request, "command", json_string(argv[0]));
	return ctl_ask_and_show(ctl, request, show);
}

int ctl_plain(struct ctl *ctl, int argc, const char **argv, const char *key,
	      void (*show)(const struct ctl *ctl, const json_t *result))
{
	return send_as_typed(ctl, argc, argv, NULL, key, show);
}

int ctl_anywhere(struct ctl *ctl, int argc, const char **argv, const char *key,
		 void (*show)(const struct ctl *ctl, const json_t *result))
{
	static const struct ctl_option options[] = {{"--node", "node", CTL_TEXT},
						    {NULL, NULL, CTL_FLAG}};

	return send_as_typed(ctl, argc, argv, options, key, show);
}

static void show_ping(const struct ctl *ctl, const json_t *result)
{
	printf("witnessd %s serves, process %s\n",
	       table_cell(ctl->mem_ctx, json_object_get(result, "version")),
	       table_cell(ctl->mem_ctx, json_object_get(result, "pid")));
}

int cmd_ping(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, NULL, show_ping);
}

static void show_interfaces(const struct ctl *ctl, const json_t *result)
{
	static const struct table_column columns[] = {
		{"ADDRESS", "ip"},      {"GROUP", "group"},     {"STATE", "state"},
		{"WITNESS", "witness"}, {"VERSION", "version"}, {NULL, NULL},
	};

	if (json_array_size(result) == 0) {
		puts("No interfaces: the cluster has no addresses, or its state is not known yet.");
		return;
	}
	table_print(stdout, result, columns, table_terminal_width(stdout));
}

int cmd_interfaces(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, NULL, show_interfaces);
}

static void show_nodes(const struct ctl *ctl, const json_t *result)
{
	static const struct table_column columns[] = {
		{"NODE", "name"},       {"ONLINE", "online"},
		{"LEAVES", "draining"}, {"DRAINED", "drained"},
		{"WITNESS", "witness"}, {"ADDRESSES", "addresses"},
		{"CLIENTS", "clients"}, {"REGISTERED", "registrations"},
		{NULL, NULL},
	};

	table_print(stdout, result, columns, table_terminal_width(stdout));
}

int cmd_nodes(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, NULL, show_nodes);
}

/* What a backend's command says: an object a line, or whatever it is. */
static void show_reply(const struct ctl *ctl, const json_t *result)
{
	const char *key;
	json_t *value;

	if (json_is_string(result)) {
		fputs(json_string_value(result), stdout);
		putchar('\n');
	} else if (json_is_object(result)) {
		json_object_foreach((json_t *)(uintptr_t)result, key, value)
		{
			if (json_is_object(value) || json_is_object(json_array_get(value, 0))) {
				ctl_print_json(result);
				return;
			}
		}
		json_object_foreach((json_t *)(uintptr_t)result, key, value)
		{
			printf("%s: %s\n", key, table_cell(ctl->mem_ctx, value));
		}
	} else if (!json_is_null(result)) {
		ctl_print_json(result);
	}
}

int cmd_backend(struct ctl *ctl, int argc, const char **argv)
{
	json_t *words = json_array();

	for (int i = 1; i < argc; i++) {
		if (json_array_append_new(words, json_string(argv[i])) != 0) {
			fprintf(stderr, "witnessctl: argument %d is not UTF-8\n", i);
			json_decref(words);
			return CTL_USAGE;
		}
	}
	return ctl_ask_and_show(ctl, json_pack("{s:s, s:o}", "command", argv[0], "argv", words),
				show_reply);
}

int cmd_log_level(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, "level", NULL);
}

static void show_file(const struct ctl *ctl, const json_t *result)
{
	const char *node = json_string_value(json_object_get(result, "node"));

	printf("%s%s%s\n", node != NULL ? node : "", node != NULL ? ":" : "",
	       json_string_value(json_object_get(result, "file")));
}

static void show_memory(const struct ctl *ctl, const json_t *result)
{
	static const struct table_column columns[] = {
		{"PART", "part"},
		{"BLOCKS", "blocks"},
		{"BYTES", "bytes"},
		{NULL, NULL},
	};

	table_print(stdout, json_object_get(result, "parts"), columns,
		    table_terminal_width(stdout));
	printf("%s blocks, %s bytes in all\n",
	       table_cell(ctl->mem_ctx, json_object_get(result, "blocks")),
	       table_cell(ctl->mem_ctx, json_object_get(result, "bytes")));
}

int cmd_memory(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, NULL, show_memory);
}

int cmd_blackbox(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, NULL, show_file);
}
