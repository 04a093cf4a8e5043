/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/watch_exec.h"

#include <errno.h>
#include <jansson.h>
#include <qb/qblist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "witnessctl/table.h"
#include "witnessctl/terminal.h"
#include "witnessctl/watch.h"
#include "witnessd/util/run.h"
#include "witnessd/util/text_append.h"

#define VALUE_MAX (64 * 1024)

struct run {
	struct qb_list_head link;
	char **env;       /* NULL at the end */
	const char *what; /* for complaints */
};

struct watch_exec {
	struct tevent_context *ev;
	struct watch_exec_config config;
	char **argv;
	struct qb_list_head runs; /* that wait, oldest first */
	size_t num_runs;
	struct run *now; /* NULL: nothing runs */
};

static void start_next(struct watch_exec *exec);
static void run_done(struct tevent_req *subreq);

/* ---- the environment ---- */

static void put(char ***env, const char *name, const char *value)
{
	size_t num = talloc_array_length(*env); /* the NULL included */
	char **longer;

	/* The kernel takes 128 KiB for each, and no program at all when one is longer. */
	if (*env == NULL || value == NULL || strlen(value) > VALUE_MAX) {
		return;
	}
	longer = talloc_realloc(NULL, *env, char *, num + 1);
	if (longer != NULL) {
		longer[num - 1] = talloc_asprintf(longer, "WITNESS_%s=%s", name, value);
		longer[num] = NULL;
	}
	if (longer == NULL || longer[num - 1] == NULL) {
		talloc_free(longer != NULL ? longer : *env);
		longer = NULL;
	}
	*env = longer;
}

/* Our own environment, but for the password and for what would be mistaken for news. */
static char **inherited(void)
{
	size_t num = 0;
	char **env;

	for (char **p = environ; *p != NULL; p++) {
		num++;
	}
	env = talloc_zero_array(NULL, char *, num + 1);
	num = 0;
	for (char **p = environ; env != NULL && *p != NULL; p++) {
		if (strncmp(*p, "WITNESS_", 8) != 0 && strncmp(*p, "WITNESSCTL_", 11) != 0) {
			env[num] = talloc_strdup(env, *p);
			num += env[num] != NULL;
		}
	}
	return env == NULL ? NULL : talloc_realloc(NULL, env, char *, num + 1);
}

/* Whether the addresses are where to go, and not only news of them. */
static bool is_move(const struct swnc_event *event)
{
	return event->message == SWNC_CLIENT_MOVE || event->message == SWNC_SHARE_MOVE;
}

static void put_addresses(char ***env, const json_t *json, const struct swnc_event *event)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const json_t *list = json_object_get(json, "addresses"), *entry;
	char *all = talloc_strdup(tmp, ""), *destinations = talloc_strdup(tmp, "");
	const char *all_sep = "", *sep = "";
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *address = json_string_value(json_object_get(entry, "address"));
		const char *state = json_string_value(json_object_get(entry, "state"));

		if (address == NULL || state == NULL) {
			continue;
		}
		all = text_append(all, "%s%s=%s", all_sep, address, state);
		all_sep = " ";
		if (strcmp(state, "offline") != 0) {
			destinations = text_append(destinations, "%s%s", sep, address);
			sep = " ";
		}
	}
	if (event->type == SWNC_NOTIFIED && event->message != SWNC_RESOURCE_CHANGE) {
		put(env, "ADDRESSES", all);
	}
	if (event->type == SWNC_NOTIFIED && is_move(event)) {
		put(env, "DESTINATIONS", destinations);
	}
	talloc_free(tmp);
}

/*
 * What goes by the names of the JSON. Text of the peer has its control characters replaced, except in
 * WITNESS_JSON, where they are escaped.
 */
static char **make_env(const struct watch_exec *exec, const struct swnc_event *event,
		       const json_t *json, const json_t *change)
{
	static const struct {
		const char *name, *key;
	} texts[] = {
		{"EVENT", "event"}, {"TYPE", "type"},       {"NET_NAME", "net_name"},
		{"IP", "server"},   {"WITNESS", "witness"}, {"TIME", "wall"},
		{"GROUP", "group"}, {"REASON", "reason"},
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	const char *text =
		terminal_json(tmp, json, JSON_COMPACT | JSON_REAL_PRECISION(WATCH_TIME_DIGITS));
	char **env = inherited();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const json_t *value = json_object_get(json, texts[i].key);

		put(&env, texts[i].name, value != NULL ? table_cell(tmp, value) : NULL);
	}
	if (change != NULL) {
		put(&env, "NAME", table_cell(tmp, json_object_get(change, "name")));
		put(&env, "STATE", table_cell(tmp, json_object_get(change, "state")));
	}
	put(&env, "SHARE", exec->config.share);
	put_addresses(&env, json, event);
	put(&env, "JSON", text);
	talloc_free(tmp);
	return env;
}

/* ---- one after the other ---- */

static void complain(const struct watch_exec *exec, const struct run *run, const char *why)
{
	fprintf(stderr, "witnessctl: %s for %s: %s\n", exec->argv[0], run->what, why);
}

static void start_next(struct watch_exec *exec)
{
	struct tevent_req *subreq;

	while (exec->now == NULL && !qb_list_empty(&exec->runs)) {
		exec->now = qb_list_first_entry(&exec->runs, struct run, link);
		qb_list_del(&exec->now->link);
		exec->num_runs--;
		subreq = run_send(exec, exec->ev, exec->argv, exec->now->env,
				  exec->config.timeout_ms);
		if (subreq != NULL) {
			tevent_req_set_callback(subreq, run_done, exec);
			return;
		}
		complain(exec, exec->now, strerror(ENOMEM));
		TALLOC_FREE(exec->now);
	}
}

static void tell_end(const struct watch_exec *exec, const struct run *run, int err, int status)
{
	char why[64];

	if (err != 0) {
		complain(exec, run, err == ETIMEDOUT ? "ended: it took too long" : strerror(err));
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		complain(exec, run, "it cannot be executed, or says so (exit status 127)");
	} else if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
		snprintf(why, sizeof(why), "exit status %d", WEXITSTATUS(status));
		complain(exec, run, why);
	} else if (WIFSIGNALED(status)) {
		snprintf(why, sizeof(why), "ended by signal %d", WTERMSIG(status));
		complain(exec, run, why);
	}
}

static void run_done(struct tevent_req *subreq)
{
	struct watch_exec *exec = tevent_req_callback_data(subreq, struct watch_exec);
	int status = 0, err = run_recv(subreq, &status);

	talloc_free(subreq);
	tell_end(exec, exec->now, err, status);
	TALLOC_FREE(exec->now);
	start_next(exec);
	if (watch_exec_is_idle(exec)) {
		exec->config.idle(exec->config.private_data);
	}
}

bool watch_exec_is_idle(const struct watch_exec *exec)
{
	return exec->now == NULL && qb_list_empty(&exec->runs);
}

static void forget_oldest(struct watch_exec *exec)
{
	struct run *oldest = qb_list_first_entry(&exec->runs, struct run, link);

	complain(exec, oldest, "not run: too many wait");
	qb_list_del(&oldest->link);
	exec->num_runs--;
	talloc_free(oldest);
}

static void add(struct watch_exec *exec, const struct swnc_event *event, const json_t *json,
		const json_t *change)
{
	struct run *run = talloc_zero(exec, struct run);
	char **env = make_env(exec, event, json, change);

	if (run == NULL || env == NULL) {
		fputs("witnessctl: out of memory: a notification was not passed on\n", stderr);
		talloc_free(run);
		talloc_free(env);
		return;
	}
	run->env = talloc_steal(run, env);
	run->what = event->type == SWNC_NOTIFIED ? swnc_message_name(event->message)
						 : swnc_event_name(event->type);
	if (exec->num_runs == WATCH_EXEC_QUEUE) {
		forget_oldest(exec);
	}
	qb_list_add_tail(&run->link, &exec->runs);
	exec->num_runs++;
}

void watch_exec_event(struct watch_exec *exec, const struct swnc_event *event)
{
	const json_t *changes, *change;
	json_t *json;
	size_t i;

	if (event->type != SWNC_NOTIFIED && !exec->config.all) {
		return;
	}
	json = watch_json(event, exec->config.net_name);
	changes = json_object_get(json, "changes");
	if (json_array_size(changes) == 0) {
		add(exec, event, json, NULL);
	}
	json_array_foreach(changes, i, change)
	{
		add(exec, event, json, change);
	}
	json_decref(json);
	start_next(exec);
}

/* ---- the program ---- */

/* @return 0, ENOENT, EACCES or ENOMEM */
static int check_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		return ENOENT;
	}
	return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? 0 : EACCES;
}

/* As execvp(3) finds it, but once: what PATH and the folder are later does not matter. */
static int find_program(TALLOC_CTX *mem_ctx, const char *name, char **out)
{
	const char *path = getenv("PATH");
	int err = ENOENT;

	if (strchr(name, '/') != NULL) {
		*out = talloc_strdup(mem_ctx, name);
		return *out == NULL ? ENOMEM : check_path(name);
	}
	for (const char *p = path != NULL ? path : "/usr/bin:/bin"; *p != '\0';) {
		int len = (int)strcspn(p, ":");
		char *candidate = talloc_asprintf(mem_ctx, "%.*s/%s", len, p, name);
		int found;

		if (candidate == NULL) {
			return ENOMEM;
		}
		found = len > 0 ? check_path(candidate) : ENOENT;
		if (found == 0) {
			*out = candidate;
			return 0;
		}
		err = found == EACCES ? EACCES : err;
		talloc_free(candidate);
		p += len + (p[len] == ':');
	}
	return err;
}

static int copy_argv(struct watch_exec *exec, const char *const *argv)
{
	size_t num = 0;
	int err;

	while (argv[num] != NULL) {
		num++;
	}
	exec->argv = talloc_zero_array(exec, char *, num + 1);
	if (exec->argv == NULL || num == 0) {
		return num == 0 ? EINVAL : ENOMEM;
	}
	err = find_program(exec->argv, argv[0], &exec->argv[0]);
	for (size_t i = 1; err == 0 && i < num; i++) {
		exec->argv[i] = talloc_strdup(exec->argv, argv[i]);
		err = exec->argv[i] == NULL ? ENOMEM : 0;
	}
	return err;
}

int watch_exec_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct watch_exec_config *config, struct watch_exec **out)
{
	struct watch_exec *exec = talloc_zero(mem_ctx, struct watch_exec);
	int err;

	if (exec == NULL) {
		return ENOMEM;
	}
	exec->ev = ev;
	exec->config = *config;
	qb_list_init(&exec->runs);
	err = copy_argv(exec, config->argv);
	if (err != 0) {
		talloc_free(exec);
		return err;
	}
	*out = exec;
	return 0;
}
