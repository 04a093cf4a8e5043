/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl list and show: registrations. */
#include <stdio.h>
#include <string.h>

#include "witnessctl/options.h"
#include "witnessctl/table.h"

static const struct table_column columns[] = {
	{"CLIENT", "client"},      {"NODE", "node"},       {"ADDRESS", "ip"}, {"NAME", "net_name"},
	{"SHARE", "share"},        {"WITNESS", "witness"}, {"V", "version"},  {"STATE", "state"},
	{"TOLD", "notifications"}, {"QUEUED", "queued"},   {NULL, NULL},
};

static void show_list(const struct ctl *ctl, const json_t *result)
{
	if (json_array_size(result) == 0) {
		puts("No clients are registered.");
		return;
	}
	table_print(stdout, result, columns, table_terminal_width(stdout));
}

static void show_selected(const struct ctl *ctl, const json_t *result)
{
	if (json_array_size(result) == 0) {
		puts("No registration matches.");
		return;
	}
	show_list(ctl, result);
}

/* Whether there may be some that are not meant. */
static bool is_narrow(const json_t *select)
{
	return json_object_size(select) > (json_object_get(select, "all") != NULL ? 1U : 0U);
}

int cmd_list(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {{"--local", "local", CTL_FLAG},
						{NULL, NULL, CTL_FLAG}};
	const char *words[1];
	json_t *request = NULL;
	int ret = ctl_options(argc, argv, own, true, words, 0, &request);
	json_t *select;

	if (ret >= 0) {
		return ret;
	}
	select = json_object_get(request, "select");
	(void)json_object_set_new(request, "command", json_string(argv[0]));
	if (json_object_get(request, "local") != NULL) {
		(void)json_object_set_new(select, "local", json_true());
	}
	return ctl_ask_and_show(ctl, request, is_narrow(select) ? show_selected : show_list);
}

static void show_one(const struct ctl *ctl, const json_t *client)
{
	static const struct table_column lines[] = {
		{"Handle", "handle"},
		{"Client", "client"},
		{"From", "client_address"},
		{"Principal", "principal"},
		{"Net name", "net_name"},
		{"Share", "share"},
		{"Address", "ip"},
		{"File server node", "node"},
		{"Witness node", "witness"},
		{"State", "state"},
		{"Version", "version"},
		{"Flags", "flags"},
		{"Keep-alive s", "keep_alive"},
		{"Notifications", "notifications"},
		{"Queued", "queued"},
		{"Registered since", "registered_since"},
		{"Last used", "last_used"},
		{NULL, NULL},
	};

	for (const struct table_column *line = lines; line->title != NULL; line++) {
		printf("%-16s  %s\n", line->title,
		       table_cell(ctl->mem_ctx, json_object_get(client, line->key)));
	}
}

int cmd_show(struct ctl *ctl, int argc, const char **argv)
{
	json_t *result = NULL, *request = NULL;
	const char *words[1];
	int ret = ctl_options(argc, argv, NULL, false, words, 1, &request);

	if (ret < 0) {
		(void)json_object_set_new(request, "command", json_string("list"));
		(void)json_object_set_new(request, "select", json_object());
		ret = ctl_handle(argv[0], words[0], request);
	}
	if (ret >= 0) {
		return ret;
	}
	ret = ctl_ask(ctl, request, &result);
	if (ret == CTL_OK && json_array_size(result) == 0) {
		fprintf(stderr, "witnessctl: no registration has the handle %s\n", words[0]);
		ret = CTL_NO_MATCH;
	} else if (ret == CTL_OK && ctl->json) {
		ctl_print_json(json_array_get(result, 0));
	} else if (ret == CTL_OK) {
		show_one(ctl, json_array_get(result, 0));
	}
	json_decref(result);
	return ret;
}
