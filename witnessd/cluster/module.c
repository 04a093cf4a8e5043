/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding, checking and connecting the module of a backend. */
#include "witnessd/cluster/cluster_private.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/util/log.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* The name becomes part of a path that code is loaded from: nothing may lead out of the folder. */
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

/* How the peers' messages leave. */
static int broadcast(void *private_data, const uint8_t *bytes, size_t len)
{
	struct cluster *cluster = talloc_get_type_abort(private_data, struct cluster);

	return cluster->ops->broadcast(cluster->backend, bytes, len);
}

static void attach_peers(struct cluster *cluster, const struct config *config)
{
	struct peers_transport transport = {.broadcast = broadcast, .private_data = cluster};

	peers_set_handover_timeout(cluster->peers, config_number(config, "peers.handover_timeout"));
	peers_set_transport(cluster->peers, cluster->ops->broadcast != NULL ? &transport : NULL);
}

static int connect_backend(struct cluster *cluster, const struct config *config,
			   const struct backend_ops *ops, TALLOC_CTX *mem_ctx, char **why)
{
	struct backend *backend = NULL;
	int err = ops->connect(cluster, cluster->ev, config, &cluster->sink, &backend);

	if (err != 0) {
		*why = talloc_asprintf(mem_ctx, "backend %s does not start: %s", ops->name,
				       strerror(err));
		return err;
	}
	cluster->ops = ops;
	cluster->backend = backend;
	attach_peers(cluster, config);
	log_notice("cluster: backend %s started", ops->name);
	return 0;
}

int cluster_load_backend(struct cluster *cluster, const struct config *config, const char *dir,
			 const char *name, TALLOC_CTX *mem_ctx, char **why)
{
	const struct backend_ops *ops = NULL;
	char *path;
	int err;

	if (cluster->ops != NULL) {
		*why = talloc_asprintf(mem_ctx, "backend %s is loaded already", cluster->ops->name);
		return EBUSY;
	}
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
	err = load_table(mem_ctx, path, &ops, why);
	talloc_free(path);
	return err != 0 ? err : connect_backend(cluster, config, ops, mem_ctx, why);
}
