/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The static backend: the cluster is described by a file. Every witnessd that reads the same file plays the
 * node named by its global.node, so one machine can play a whole cluster on loopback. With static.peer_dir
 * they are peers. `witnessctl static ...` edits the file, and all who watch it see the change.
 */
#include "backends/backend.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "backends/static/edit.h"
#include "backends/static/map.h"
#include "backends/static/mapfile.h"
#include "backends/static/peer_socket.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

struct backend {
	const struct backend_sink *sink;
	const char *path;
	const char *local;
	struct mapfile_watch *watch;
	struct peer_socket *peers;
	struct cluster_state *map; /* the last good one; NULL: none yet */
	char *text;                /* what map was made of */
	char *problem;             /* why the file cannot be used now; NULL: it can */
	uint64_t generation;
};

/* --- reading --- */

/* The file cannot be used: log each reason once. */
static void set_problem(struct backend *backend, const char *problem)
{
	if (backend->problem != NULL && strcmp(backend->problem, problem) == 0) {
		return;
	}
	talloc_free(backend->problem);
	backend->problem = talloc_strdup(backend, problem);
	log_err("static: %s; %s", problem,
		backend->map != NULL ? "the last good map is kept" : "waiting for a good map");
}

/* Read and parse the file. @return 0, or an errno with *why naming the file */
static int read_map(struct backend *backend, TALLOC_CTX *mem_ctx, char **text,
		    struct cluster_state **map, char **why)
{
	size_t len = 0;
	int err = mapfile_read(mem_ctx, backend->path, text, &len);

	*why = NULL;
	if (err != 0) {
		*why = talloc_asprintf(mem_ctx, "cannot read %s: %s", backend->path,
				       err == EINVAL ? "not a regular file" : strerror(err));
		return err;
	}
	err = static_map_parse(mem_ctx, *text, len, backend->path, map, why);
	if (*why == NULL) {
		*why = talloc_asprintf(mem_ctx, "%s: %s", backend->path, strerror(err));
	}
	return err;
}

/* A valid map was read: pass it to the core and keep it. @return 0, or ENOMEM: the core does not have it */
static int adopt(struct backend *backend, char *text, struct cluster_state *map)
{
	struct cluster_state *snapshot =
		static_map_snapshot(backend, map, backend->local, backend->generation + 1);
	bool has_local;

	if (snapshot == NULL) {
		return ENOMEM;
	}
	has_local = cluster_state_local(snapshot) != NULL;
	if (backend->sink->snapshot(backend->sink->private_data, &snapshot) == ENOMEM) {
		return ENOMEM;
	}
	if (backend->map == NULL || backend->problem != NULL) {
		log_notice("static: using %s as node %s", backend->path, backend->local);
	}
	if (!has_local &&
	    (backend->map == NULL || cluster_state_node(backend->map, backend->local) != NULL)) {
		log_warn("static: %s has no [node %s], which is this one", backend->path,
			 backend->local);
	}
	backend->generation++;
	TALLOC_FREE(backend->problem);
	talloc_free(backend->map);
	talloc_free(backend->text);
	backend->map = talloc_steal(backend, map);
	backend->text = talloc_steal(backend, text);
	return 0;
}

static bool map_changed(void *private_data)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);
	TALLOC_CTX *tmp = talloc_new(backend);
	struct cluster_state *map = NULL;
	char *text = NULL, *why = NULL;
	int err = read_map(backend, tmp, &text, &map, &why);

	if (err == 0 && backend->text != NULL && backend->problem == NULL &&
	    strcmp(text, backend->text) == 0) {
		/* Touched, or our own edit. */
		talloc_free(tmp);
		return true;
	}
	if (err == 0) {
		err = adopt(backend, text, map);
	}
	if (err != 0) {
		set_problem(backend, why != NULL ? why : strerror(err));
	}
	talloc_free(tmp);
	return err != ENOMEM;
}

static void map_missing(void *private_data)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);
	char *problem = talloc_asprintf(NULL, "there is no %s", backend->path);

	set_problem(backend, problem != NULL ? problem : "there is no map");
	backend->sink->lost(backend->sink->private_data, backend->problem);
	talloc_free(problem);
}

/* --- commands --- */

static int change_map(struct backend *backend, TALLOC_CTX *tmp, const char *const *argv,
		      size_t argc, char **why)
{
	struct cluster_state *map = NULL;
	char *before = NULL, *after;
	int err = read_map(backend, tmp, &before, &map, why);

	if (err == 0) {
		err = static_edit(tmp, map, argv, argc, why);
	}
	if (err != 0) {
		return err;
	}
	after = static_map_format(tmp, map);
	if (after == NULL) {
		return ENOMEM;
	}
	if (strcmp(before, after) != 0) {
		err = mapfile_write(backend->path, after, strlen(after));
	}
	if (err != 0) {
		*why = talloc_asprintf(tmp, "cannot write %s: %s", backend->path, strerror(err));
		return err;
	}
	return adopt(backend, after, map);
}

static int command_edit(struct backend *backend, TALLOC_CTX *tmp, const char *const *argv,
			size_t argc, json_t **reply, char **why)
{
	int fd = -1, err = mapfile_lock(backend->path, &fd);

	if (err != 0) {
		*why = talloc_asprintf(tmp, "cannot lock the folder of %s: %s", backend->path,
				       err == EWOULDBLOCK ? "another change is under way, try again"
							  : strerror(err));
		return err;
	}
	err = change_map(backend, tmp, argv, argc, why);
	close(fd);
	if (err == 0) {
		*reply = json_pack("{s:I}", "generation", (json_int_t)backend->generation);
	}
	return err;
}

/* The map in force as one string, which is what a person wants to see. */
static int command_show(struct backend *backend, TALLOC_CTX *tmp, const char *const *argv,
			size_t argc, json_t **reply, char **why)
{
	char *text;

	if (argc != 1) {
		*why = talloc_strdup(tmp, STATIC_USAGE);
		return EINVAL;
	}
	if (backend->map == NULL) {
		*why = talloc_strdup(tmp, backend->problem != NULL ? backend->problem
								   : "the map was not read yet");
		return ENOENT;
	}
	text = static_map_format(tmp, backend->map);
	if (text != NULL && backend->problem != NULL) {
		text = talloc_asprintf(tmp, "# NOT what the file says now: %s\n%s",
				       backend->problem, text);
	}
	if (text == NULL) {
		return ENOMEM;
	}
	*reply = json_string(text);
	if (*reply == NULL) {
		*why = talloc_strdup(tmp, "the map has a name that is not UTF-8");
		return EILSEQ;
	}
	return 0;
}

static int command_intent(struct backend *backend, TALLOC_CTX *tmp, const char *const *argv,
			  size_t argc, json_t **reply, char **why)
{
	struct backend_intent intent;
	int err;

	if (backend->map == NULL) {
		*why = talloc_strdup(tmp, "there is no map yet");
		return ENOENT;
	}
	err = static_intent(tmp, backend->map, argv, argc, &intent, why);
	if (err == 0) {
		backend->sink->intent(backend->sink->private_data, &intent);
		*reply = json_pack("{s:o, s:o}", "from", text_json(intent.from), "to",
				   text_json(intent.to));
	}
	return err;
}

static const struct {
	const char *word;
	int (*fn)(struct backend *backend, TALLOC_CTX *tmp, const char *const *argv, size_t argc,
		  json_t **reply, char **why);
} commands[] = {
	{"show", command_show},
	{"intent", command_intent},
};

/* The words of a request; NULL when there are none or they are not words. */
static const char **request_words(TALLOC_CTX *mem_ctx, const json_t *request, size_t *argc)
{
	const json_t *argv = json_object_get(request, "argv");
	size_t num = json_array_size(argv);
	const char **words = talloc_array(mem_ctx, const char *, num);

	for (size_t i = 0; words != NULL && i < num; i++) {
		words[i] = json_string_value(json_array_get(argv, i));
		if (words[i] == NULL) {
			return NULL;
		}
	}
	*argc = num;
	return num > 0 ? words : NULL;
}

static int run_command(struct backend *backend, TALLOC_CTX *tmp, const json_t *request,
		       json_t **reply, char **why)
{
	size_t argc = 0;
	const char **argv = request_words(tmp, request, &argc);

	if (argv == NULL) {
		*why = talloc_strdup(tmp, STATIC_USAGE);
		return EINVAL;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].word, argv[0]) == 0) {
			return commands[i].fn(backend, tmp, argv, argc, reply, why);
		}
	}
	return command_edit(backend, tmp, argv, argc, reply, why);
}

static int static_control(struct backend *backend, TALLOC_CTX *mem_ctx, const json_t *request,
			  json_t **reply, char **why)
{
	TALLOC_CTX *tmp = talloc_new(mem_ctx);
	char *reason = NULL;
	json_t *result = NULL;
	int err = run_command(backend, tmp, request, &result, &reason);

	if (err == 0 && result == NULL) {
		err = ENOMEM;
	}
	if (err == 0) {
		*reply = result;
	} else {
		*why = talloc_strdup(mem_ctx, reason != NULL ? reason : strerror(err));
	}
	talloc_free(tmp);
	return err;
}

static json_t *static_status(struct backend *backend)
{
	return json_pack("{s:o, s:o, s:o}", "map", text_json(backend->path), "node",
			 text_json(backend->local), "problem", text_json(backend->problem));
}

static int static_broadcast(struct backend *backend, const uint8_t *bytes, size_t len)
{
	return peer_socket_broadcast(backend->peers, bytes, len);
}

/* --- start --- */

static const char *local_name(TALLOC_CTX *mem_ctx, const struct config *config)
{
	const char *name = config_string(config, "global.node");
	struct utsname uts;

	if (name[0] == '\0' && uname(&uts) == 0) {
		name = uts.nodename;
	}
	return talloc_strdup(mem_ctx, name);
}

static int static_connect(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			  const struct config *config, const struct backend_sink *sink,
			  struct backend **out)
{
	const char *path = config_string(config, "static.map");
	struct backend *backend;
	int err;

	if (path[0] != '/') {
		log_err("static: static.map must be the absolute path of a file, is \"%s\"", path);
		return EINVAL;
	}
	backend = talloc_zero(mem_ctx, struct backend);
	if (backend == NULL) {
		return ENOMEM;
	}
	backend->sink = sink;
	backend->path = talloc_strdup(backend, path);
	backend->local = local_name(backend, config);
	if (backend->path == NULL || backend->local == NULL) {
		talloc_free(backend);
		return ENOMEM;
	}
	err = peer_socket_create(backend, ev, config_string(config, "static.peer_dir"),
				 backend->local, sink, &backend->peers);
	if (err != 0) {
		log_err("static: no socket for node %s in %s (static.peer_dir): %s", backend->local,
			config_string(config, "static.peer_dir"), strerror(err));
		talloc_free(backend);
		return err;
	}
	err = mapfile_watch_create(backend, ev, path, map_changed, map_missing, backend,
				   &backend->watch);
	if (err != 0) {
		log_err("static: cannot watch files: %s", strerror(err));
		talloc_free(backend);
		return err;
	}
	*out = backend;
	return 0;
}

const struct backend_ops witnessd_backend = {
	.abi = BACKEND_ABI,
	.name = "static",
	.connect = static_connect,
	.broadcast = static_broadcast,
	.control = static_control,
	.status = static_status,
};
