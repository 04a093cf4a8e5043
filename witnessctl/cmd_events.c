/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl events and metrics. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "witnessctl/options.h"
#include "witnessctl/order.h"
#include "witnessctl/table.h"

#define POLL_MS 200

static void print_event(struct ctl *ctl, const json_t *event)
{
	static const char *const keys[] = {"client", "told", "address", "group", "share",
					   "name",   "from", "to",      "why",   NULL};
	time_t when = (time_t)json_real_value(json_object_get(event, "time"));
	char text[sizeof("2026-11-21T14:51:35Z")] = "-";
	struct tm tm;

	if (ctl->json) {
		json_dumpf(event, stdout, JSON_COMPACT | JSON_SORT_KEYS);
		putchar('\n');
		return;
	}
	if (gmtime_r(&when, &tm) != NULL) {
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
	printf("%s %s", text, table_cell(ctl->mem_ctx, json_object_get(event, "event")));
	for (size_t i = 0; keys[i] != NULL; i++) {
		const json_t *value = json_object_get(event, keys[i]);

		if (value != NULL) {
			printf(" %s=%s", keys[i], table_cell(ctl->mem_ctx, value));
		}
	}
	putchar('\n');
}

/* Print what is behind *after, and move it on. */
static int print_new(struct ctl *ctl, json_int_t *after)
{
	json_t *result = NULL;
	const json_t *event;
	json_int_t lost, last;
	size_t i;
	int ret = ctl_ask(ctl, json_pack("{s:s, s:I}", "command", "events", "after", *after),
			  &result);

	if (ret != CTL_OK) {
		return ret;
	}
	last = json_integer_value(json_object_get(result, "last"));
	lost = json_integer_value(json_object_get(result, "lost"));
	if (last < *after) {
		last = 0; /* the daemon was started anew */
	} else if (lost > 0 && *after > 0) {
		fprintf(stderr, "witnessctl: %lld events came too fast to be shown\n",
			(long long)lost);
	}
	json_array_foreach(json_object_get(result, "events"), i, event)
	{
		print_event(ctl, event);
	}
	*after = last;
	json_decref(result);
	return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

int cmd_events(struct ctl *ctl, int argc, const char **argv)
{
	static const struct ctl_option own[] = {{"--follow", "follow", CTL_FLAG},
						{NULL, NULL, CTL_FLAG}};
	const char *words[1];
	json_t *options = NULL;
	json_int_t after = 0;
	int ret = ctl_options(argc, argv, own, false, words, 0, &options);
	bool follow;

	if (ret >= 0) {
		return ret;
	}
	follow = json_object_get(options, "follow") != NULL;
	json_decref(options);
	ret = print_new(ctl, &after);
	while (ret == CTL_OK && follow) {
		order_pause(POLL_MS);
		ret = print_new(ctl, &after);
	}
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
	if (argc != 1) {
		return ctl_usage(argv[0]);
	}
	return ctl_ask_and_show(ctl, json_pack("{s:s}", "command", argv[0]), show_metrics);
}
