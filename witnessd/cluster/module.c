/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding, checking and connecting the module of a backend. */
#include "witnessd/cluster/cluster_private.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/util/log.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* The name becomes part of the path of code to load: it must not leave the folder. */
static bool name_valid(const char *name)
{
	return name[0] != '\0' && name[strspn(name, NAME_CHARS)] == '\0';
}

static int check_table(TALLOC_CTX *mem_ctx, const struct backend_ops *ops, const char *path,
		       char **why)
{
	if (ops == NULL) {
		*why = talloc_asprintf(mem_ctx, "%s is no witnessd backend: it has no %s", path,
				       BACKEND_SYMBOL);
		return EPROTO;
	}
	if (ops->abi != BACKEND_ABI) {
		*why = talloc_asprintf(mem_ctx,
				       "%s was built for backend ABI %u, this witnessd has %u",
				       path, ops->abi, BACKEND_ABI);
		return EPROTO;
	}
	if (ops->name == NULL || ops->connect == NULL) {
		*why = talloc_asprintf(mem_ctx, "%s has no name or no connect()", path);
		return EPROTO;
	}
	return 0;
}

static int load_table(TALLOC_CTX *mem_ctx, const char *path, const struct backend_ops **out,
		      char **why)
{
	const struct backend_ops *ops;
	void *module;
	int err;

	err = access(path, F_OK) == 0 ? 0 : errno;
	if (err != 0) {
		*why = talloc_asprintf(mem_ctx, "cannot find %s: %s", path, strerror(err));
		return err;
	}
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (module == NULL) {
		*why = talloc_asprintf(mem_ctx, "cannot load %s: %s", path, dlerror());
		return ELIBACC;
	}
	ops = dlsym(module, BACKEND_SYMBOL);
	err = check_table(mem_ctx, ops, path, why);
	if (err != 0) {
		dlclose(module);
		return err;
	}
	*out = ops;
	return 0;
}

/* The transport for the messages of the peers. */
static int broadcast(void *private_data, const uint8_t *bytes, size_t len)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	return cluster->ops->broadcast(cluster->backend, bytes, len);
}

static bool wants_heartbeat(const struct cluster *cluster, const struct config *config)
{
	const char *mode = config_string(config, "peers.heartbeat");
	bool can_probe = cluster->ops->probe_node_send != NULL;

	if (cluster->ops->broadcast == NULL || strcmp(mode, "no") == 0) {
		return false;
	}
	if (strcmp(mode, "yes") == 0 && !can_probe) {
		log_notice("peers.heartbeat: backend %s cannot ask whether a node lives, so "
			   "silence of its witness has no consequences",
			   cluster->ops->name);
	}
	return can_probe || strcmp(mode, "yes") == 0;
}

static int attach_heartbeat(struct cluster *cluster, const struct config *config)
{
	struct heartbeat_config heartbeat = {
		.interval_ms = config_number(config, "peers.heartbeat_interval"),
		.timeout_ms = config_number(config, "peers.heartbeat_timeout"),
		.ops = cluster->ops->probe_node_send != NULL ? cluster->ops : NULL,
		.backend = cluster->backend,
		.manager = cluster_manager,
		.changed = cluster_reconsider,
		.private_data = cluster,
	};

	return wants_heartbeat(cluster, config)
		       ? heartbeat_create(cluster, cluster->ev, cluster->peers, &heartbeat,
					  &cluster->heartbeat)
		       : 0;
}

static int attach_peers(struct cluster *cluster, const struct config *config)
{
	struct peers_transport transport = {.broadcast = broadcast, .private_data = cluster};

	peers_set_handover_timeout(cluster->peers, config_number(config, "peers.handover_timeout"));
	peers_set_transport(cluster->peers, cluster->ops->broadcast != NULL ? &transport : NULL);
	return attach_heartbeat(cluster, config);
}

/* @return 0, or EINVAL with the reason */
static int check_heartbeat(const struct config *config, TALLOC_CTX *mem_ctx, char **why)
{
	uint32_t interval_ms = config_number(config, "peers.heartbeat_interval");
	uint32_t timeout_ms = config_number(config, "peers.heartbeat_timeout");

	if (timeout_ms / 4 >= interval_ms) {
		return 0;
	}
	*why = talloc_asprintf(mem_ctx,
			       "peers.heartbeat_timeout: expected at least four times "
			       "peers.heartbeat_interval (%u), not %u",
			       interval_ms, timeout_ms);
	return EINVAL;
}

static int connect_backend(struct cluster *cluster, const struct config *config,
			   const struct backend_ops *ops, TALLOC_CTX *mem_ctx, char **why)
{
	struct backend *backend = NULL;
	int err = check_heartbeat(config, mem_ctx, why);

	if (err != 0) {
		return err;
	}
	err = naming_create(cluster, config, &cluster->naming);
	if (err == 0) {
		err = ops->connect(cluster, cluster->ev, config, &cluster->sink, &backend);
	}
	if (err != 0) {
		TALLOC_FREE(cluster->naming);
		*why = talloc_asprintf(mem_ctx, "backend %s does not start: %s", ops->name,
				       strerror(err));
		return err;
	}
	cluster->ops = ops;
	cluster->backend = backend;
	err = attach_peers(cluster, config);
	if (err == 0) {
		log_notice("cluster: backend %s started", ops->name);
	}
	return err;
}

int cluster_find_backend(const char *dir, const char *name, TALLOC_CTX *mem_ctx,
			 const struct backend_ops **ops, char **why)
{
	char *path;
	int err;

	if (!name_valid(name)) {
		*why = talloc_asprintf(mem_ctx,
				       "\"%s\" is not the name of a backend: expected letters, "
				       "digits, - and _",
				       log_escape(mem_ctx, name));
		return EINVAL;
	}
	path = talloc_asprintf(mem_ctx, "%s/" BACKEND_MODULE_FMT, dir, name);
	if (path == NULL) {
		return ENOMEM;
	}
	err = load_table(mem_ctx, path, ops, why);
	talloc_free(path);
	return err;
}

int cluster_connect_backend(struct cluster *cluster, const struct config *config,
			    const struct backend_ops *ops, TALLOC_CTX *mem_ctx, char **why)
{
	if (cluster->ops != NULL) {
		*why = talloc_asprintf(mem_ctx, "backend %s is loaded already", cluster->ops->name);
		return EBUSY;
	}
	return connect_backend(cluster, config, ops, mem_ctx, why);
}
