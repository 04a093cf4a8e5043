/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/naming.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "witnessd/util/log.h"

/* One NAME:RESOURCE. */
struct entry {
	const char *name;
	const char *resource;
	struct ipaddr ip; /* when the resource is an address; family 0: it is not */
	bool missing;     /* has been logged */
};

struct entries {
	const char *key; /* of the configuration */
	struct entry *list;
	size_t num;
};

struct naming {
	struct entries net_names, shares;
};

static int load(struct naming *naming, const struct config *config, const char *key,
		struct entries *entries)
{
	const char *const *words = config_list(config, key, &entries->num);

	entries->key = key;
	entries->list = talloc_zero_array(naming, struct entry, entries->num);
	if (entries->list == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < entries->num; i++) {
		struct entry *entry = &entries->list[i];
		size_t len = config_map_split(words[i], &entry->resource);

		entry->name = talloc_strndup(entries->list, words[i], len);
		if (entry->name == NULL) {
			return ENOMEM;
		}
		if (ipaddr_parse(entry->resource, &entry->ip) != 0) {
			entry->ip = (struct ipaddr){0};
		}
	}
	return 0;
}

int naming_create(TALLOC_CTX *mem_ctx, const struct config *config, struct naming **out)
{
	struct naming *naming = talloc_zero(mem_ctx, struct naming);
	int err;

	if (naming == NULL) {
		return ENOMEM;
	}
	err = load(naming, config, "witness.net_name_resources", &naming->net_names);
	if (err == 0) {
		err = load(naming, config, "witness.share_resources", &naming->shares);
	}
	if (err != 0) {
		talloc_free(naming);
		return err;
	}
	*out = naming;
	return 0;
}

static bool means(const struct entry *entry, const struct cluster_addr *addr)
{
	if (entry->ip.family != 0) {
		return ipaddr_equal(&entry->ip, &addr->ip);
	}
	return strcmp(entry->resource, addr->group) == 0 ||
	       (addr->resource != NULL && strcmp(entry->resource, addr->resource) == 0);
}

/* Log that an entry does not match anything any more. */
static void note(const struct entries *entries, struct entry *entry, bool there)
{
	if (there || entry->missing) {
		entry->missing = !there;
		return;
	}
	entry->missing = true;
	log_warn(
		"%s: %s:%s: expected an address, or a resource or group of the cluster that has or "
		"moves with one",
		entries->key, entry->name, entry->resource);
}

/* --- net names --- */

static bool listed(const char *const *names, size_t num, const char *name)
{
	for (size_t i = 0; i < num; i++) {
		if (strcasecmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static int name_addr(const struct entries *entries, struct cluster_state *state, size_t index)
{
	const char **names = talloc_array(NULL, const char *, entries->num + 1);
	size_t num = 0;
	int err = 0;

	if (names == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < entries->num; i++) {
		const struct entry *entry = &entries->list[i];

		if (means(entry, &state->addrs[index]) && !listed(names, num, entry->name)) {
			names[num++] = entry->name;
		}
	}
	names[num] = NULL;
	if (num > 0) {
		err = cluster_state_name_addr(state, index, names);
	}
	talloc_free(names);
	return err;
}

static bool means_any(const struct entry *entry, const struct cluster_state *state)
{
	for (size_t i = 0; i < state->num_addrs; i++) {
		if (means(entry, &state->addrs[i])) {
			return true;
		}
	}
	return false;
}

static int apply_net_names(const struct entries *entries, struct cluster_state *state)
{
	int err = 0;

	for (size_t i = 0; entries->num > 0 && i < state->num_addrs && err == 0; i++) {
		err = name_addr(entries, state, i);
	}
	for (size_t i = 0; i < entries->num; i++) {
		note(entries, &entries->list[i], means_any(&entries->list[i], state));
	}
	return err;
}

/* --- shares --- */

/* The addresses of all entries with this share; the node that has one of them serves it. */
static int place_share(const struct entries *entries, const char *name, struct cluster_state *state)
{
	struct cluster_share share = {.name = name};
	struct ipaddr *addrs = talloc_array(NULL, struct ipaddr, state->num_addrs + 1);
	int err = 0;

	if (addrs == NULL) {
		return ENOMEM;
	}
	for (size_t a = 0; a < state->num_addrs; a++) {
		const struct cluster_addr *addr = &state->addrs[a];
		bool is_its = false;

		for (size_t i = 0; i < entries->num && !is_its; i++) {
			is_its = strcasecmp(entries->list[i].name, name) == 0 &&
				 means(&entries->list[i], addr);
		}
		if (!is_its) {
			continue;
		}
		addrs[share.num_addrs++] = addr->ip;
		share.group = share.group != NULL ? share.group : addr->group;
		if (share.node == NULL && addr->state == CLUSTER_ADDR_AVAILABLE) {
			share.node = addr->node;
		}
	}
	share.addrs = addrs;
	if (share.num_addrs > 0) {
		err = cluster_state_add_share(state, &share);
	}
	talloc_free(addrs);
	return err;
}

static int apply_shares(const struct entries *entries, struct cluster_state *state)
{
	int err = 0;

	for (size_t i = 0; i < entries->num && err == 0; i++) {
		struct entry *entry = &entries->list[i];

		if (cluster_state_share(state, entry->name) == NULL) {
			err = place_share(entries, entry->name, state);
		}
		note(entries, entry, cluster_state_share(state, entry->name) != NULL);
	}
	return err;
}

int naming_apply(struct naming *naming, struct cluster_state *state)
{
	int err = apply_net_names(&naming->net_names, state);

	return err != 0 ? err : apply_shares(&naming->shares, state);
}
