/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/order.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "witnessctl/table.h"

#define FIRST_PAUSE_MS 5
#define LAST_PAUSE_MS  200

/* What ends an order. Who has started us without it, by nohup(1) or "&" in a script, means that. */
static void guarded(sigset_t *set)
{
	static const int ends[] = {SIGINT, SIGTERM};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct sigaction action;

		if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
			sigaddset(set, ends[i]);
		}
	}
}

/*
 * From now on SIGINT and SIGTERM are noticed by order_pause(), so that what was begun can be ended, and reported.
 */
static void guard(void)
{
	sigset_t set;

	guarded(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

bool order_pause(struct ctl *ctl, int ms)
{
	const struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	sigset_t set;
	int signum;

	guarded(&set);
	signum =
		sigtimedwait(&set, NULL, &limit); /* one that is not guarded ends us here as ever */
	if (signum > 0) {
		ctl->caught = signum;
	}
	return signum > 0;
}

void order_die(const struct ctl *ctl)
{
	sigset_t set;

	if (ctl->caught == 0) {
		return;
	}
	(void)fflush(stdout);
	guarded(&set);
	(void)raise(ctl->caught);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool order_progress(const struct ctl *ctl)
{
	return !ctl->json && isatty(STDERR_FILENO) == 1;
}

json_int_t order_count(const json_t *result, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(result, "results"), name));
}

static void progress(const struct ctl *ctl, const json_t *job, bool last)
{
	json_int_t total = json_integer_value(json_object_get(job, "total"));

	if (!order_progress(ctl)) {
		return;
	}
	if (total == 0 && !last) {
		fputs("\rlooking for clients ...", stderr);
		return;
	}
	fprintf(stderr, "\r%lld of %lld clients      %s",
		(long long)(total - order_count(job, "waits")), (long long)total, last ? "\n" : "");
}

/* How far it is, or with order-cancel: an end to it. The job is replaced by the answer. @return as ctl_ask() */
static int ask_again(struct ctl *ctl, const char *command, json_int_t id, json_t **job)
{
	json_t *next = NULL;
	int ret = ctl_ask(ctl, json_pack("{s:s, s:I}", "command", command, "job", id), &next);

	if (ret == CTL_OK) {
		json_decref(*job);
		*job = next;
	}
	return ret;
}

int order_run(struct ctl *ctl, json_t *request, json_t **result)
{
	json_t *job = NULL;
	json_int_t id;
	int pause_ms = FIRST_PAUSE_MS, ret;
	bool shown = false;

	(void)json_object_set_new(request, "command", json_string("order"));
	guard();
	ret = ctl_ask(ctl, request, &job);
	id = json_integer_value(json_object_get(job, "job"));
	while (ret == CTL_OK && !json_is_true(json_object_get(job, "done"))) {
		const char *command = order_pause(ctl, pause_ms) ? "order-cancel" : "order-status";

		pause_ms = pause_ms * 2 < LAST_PAUSE_MS ? pause_ms * 2 : LAST_PAUSE_MS;
		ret = ask_again(ctl, command, id, &job);
		if (ret == CTL_OK && pause_ms == LAST_PAUSE_MS) {
			shown = true;
			progress(ctl, job, false);
		}
	}
	if (shown && ret == CTL_OK) {
		progress(ctl, job, true);
	}
	*result = job;
	return ret;
}

/* Results that are what was wanted. */
static bool is_good(const char *name)
{
	return strcmp(name, "told") == 0 || strcmp(name, "queued") == 0 ||
	       strcmp(name, "already there") == 0 || strcmp(name, "already known") == 0;
}

/* What is worth a line for each client: a plan, or what did not simply work. */
static json_t *rows_of(const json_t *result)
{
	bool dry_run = json_is_true(json_object_get(result, "dry_run"));
	json_t *rows = json_array(), *client;
	size_t i;

	json_array_foreach(json_object_get(result, "clients"), i, client)
	{
		const char *name = json_string_value(json_object_get(client, "result"));

		if (dry_run || (strcmp(name, "told") != 0 && strcmp(name, "cancelled") != 0)) {
			(void)json_array_append(rows, client);
		}
	}
	return rows;
}

/* On standard error, so that it is seen whatever becomes of the rest. */
static void say_interrupted(const struct ctl *ctl, const json_t *result)
{
	if (ctl->caught != 0) {
		fprintf(stderr,
			"witnessctl: interrupted: %lld of %lld clients are not told any more\n",
			(long long)order_count(result, "cancelled"),
			(long long)json_integer_value(json_object_get(result, "total")));
	}
}

void order_summary(const json_t *result)
{
	bool dry_run = json_is_true(json_object_get(result, "dry_run"));
	const char *name, *separator = dry_run ? "Would be: " : "";
	const json_t *value;

	json_object_foreach(json_object_get(result, "results"), name, value)
	{
		printf("%s%lld %s", separator, (long long)json_integer_value(value), name);
		separator = ", ";
	}
	putchar('\n');
}

int order_show(const struct ctl *ctl, const json_t *result)
{
	static const struct table_column columns[] = {
		{"CLIENT", "client"},   {"ADDRESS", "ip"}, {"NODE", "node"},
		{"WITNESS", "witness"}, {"TO", "to"},      {"RESULT", "result"},
		{NULL, NULL},
	};
	const char *name;
	const json_t *value;
	json_t *rows;
	int ret = CTL_OK;

	json_object_foreach(json_object_get(result, "results"), name, value)
	{
		ret = is_good(name) ? ret : CTL_FAILED;
	}
	say_interrupted(ctl, result);
	if (ctl->json) {
		ctl_print_json(result);
		return ret;
	}
	rows = rows_of(result);
	if (json_array_size(rows) > 0) {
		table_print(stdout, rows, columns, table_terminal_width(stdout));
	}
	json_decref(rows);
	if (json_array_size(json_object_get(result, "clients")) == 0) {
		puts("There is nothing to do.");
		return ret;
	}
	order_summary(result);
	return ret;
}
