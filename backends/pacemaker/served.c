/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/served.h"

#include <errno.h>
#include <string.h>

#include "backends/pacemaker/presence.h"
#include "backends/pacemaker/resources.h"
#include "backends/pacemaker/xml.h"
#include "witnessd/config.h"

#define NET_NAMES_META "witness-net-names"
#define NAME_SEPS      " \t,"

struct build {
	const xmlNode *cib;
	const struct relations *relations;
	const struct served_config *config;
	struct placement *placement;
	struct presence *presence;
	size_t *sets;  /* of the resources */
	size_t *rscs;  /* of state->addrs: the resource that owns it */
	size_t *names; /* resources that name addresses */
	size_t num_names;
	TALLOC_CTX *tmp;
};

/* --- net names --- */

/* A resource that names addresses; RELATIONS_NONE: none of them is it. */
static size_t naming_parent(const struct build *build, size_t rsc)
{
	for (; rsc != RELATIONS_NONE; rsc = relations_parent(build->relations, rsc)) {
		for (size_t i = 0; i < build->num_names; i++) {
			if (build->names[i] == rsc) {
				return rsc;
			}
		}
	}
	return RELATIONS_NONE;
}

static size_t naming_neighbour(const struct build *build, size_t rsc)
{
	for (size_t i = 0; i < build->num_names; i++) {
		if (build->sets[build->names[i]] == build->sets[rsc] &&
		    !relations_cloned(build->relations, rsc)) {
			return build->names[i];
		}
	}
	return RELATIONS_NONE;
}

/* @return the names, which end with NULL, or NULL when memory is short */
static const char **split_names(TALLOC_CTX *mem_ctx, const char *text)
{
	const char **names = talloc_array(mem_ctx, const char *, strlen(text) / 2 + 2);
	size_t num = 0;

	for (text += strspn(text, NAME_SEPS); names != NULL && *text != '\0';
	     text += strspn(text, NAME_SEPS)) {
		size_t len = strcspn(text, NAME_SEPS);

		names[num] = talloc_strndup(names, text, len);
		if (names[num] == NULL) {
			return NULL;
		}
		num++;
		text += len;
	}
	if (names != NULL) {
		names[num] = NULL;
	}
	return names;
}

static const char *net_names_meta(const struct build *build, size_t rsc)
{
	return resource_meta(build->cib, relations_element(build->relations, rsc), NET_NAMES_META);
}

static int name_addr(struct build *build, size_t addr)
{
	size_t rsc = build->rscs[addr], named;
	const char **names;

	if (rsc == RELATIONS_NONE) {
		return 0;
	}
	named = naming_parent(build, rsc);
	if (named == RELATIONS_NONE) {
		named = naming_neighbour(build, rsc);
	}
	if (named == RELATIONS_NONE) {
		return 0;
	}
	names = split_names(build->tmp, net_names_meta(build, named));
	return names == NULL ? ENOMEM
			     : cluster_state_name_addr(build->placement->state, addr, names);
}

static int add_net_names(struct build *build)
{
	size_t num = relations_num(build->relations);
	int err = 0;

	build->names = talloc_array(build->tmp, size_t, num + 1);
	if (build->names == NULL) {
		return ENOMEM;
	}
	for (size_t rsc = 0; rsc < num; rsc++) {
		if (net_names_meta(build, rsc) != NULL) {
			build->names[build->num_names++] = rsc;
		}
	}
	for (size_t a = 0;
	     build->num_names > 0 && a < build->placement->state->num_addrs && err == 0; a++) {
		err = name_addr(build, a);
	}
	return err;
}

/* --- Samba itself --- */

/* "smbd", "smb@fs1.service", ... of systemd, an init script or an agent of that name. */
static bool is_samba(const struct build *build, size_t rsc)
{
	static const char *const names[] = {"smb", "smbd", "samba"};
	const xmlNode *element = relations_element(build->relations, rsc);
	const char *type = xml_attr(element, "type");

	for (size_t i = 0; type != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == strcspn(type, "@.") &&
		    strncmp(names[i], type, strlen(names[i])) == 0) {
			return !relations_cloned(build->relations, rsc);
		}
	}
	return false;
}

/* Whether a Samba that is not cloned is always where an address is. */
static bool has_own_samba(const struct build *build, size_t rsc)
{
	for (size_t i = 0; i < relations_num(build->relations); i++) {
		if (build->sets[i] == build->sets[rsc] && is_samba(build, i)) {
			return true;
		}
	}
	return false;
}

static void tie_to_samba(const struct build *build)
{
	struct cluster_state *state = build->placement->state;

	for (size_t a = 0; a < state->num_addrs && !build->config->names_set; a++) {
		size_t rsc = build->rscs[a];

		if (rsc != RELATIONS_NONE && state->num_named == 0 &&
		    !relations_cloned(build->relations, rsc)) {
			state->addrs[a].tied = has_own_samba(build, rsc);
		}
	}
}

/* --- shares --- */

/* The only node that a resource is on; NULL: none, or on its way between two. */
static const char *node_of(const struct build *build, size_t rsc)
{
	const struct cluster_state *state = build->placement->state;

	for (size_t n = 0; n < state->num_nodes; n++) {
		const char *node = state->nodes[n].name;

		if (presence_on(build->presence, rsc, node)) {
			return presence_elsewhere(build->presence, rsc, node) ? NULL : node;
		}
	}
	return NULL;
}

/* The addresses that are always where a resource is. @return how many */
static size_t addrs_beside(const struct build *build, size_t rsc, struct ipaddr *out)
{
	const struct cluster_state *state = build->placement->state;
	size_t num = 0;

	for (size_t a = 0; a < state->num_addrs; a++) {
		if (build->rscs[a] != RELATIONS_NONE &&
		    build->sets[build->rscs[a]] == build->sets[rsc] &&
		    !relations_cloned(build->relations, build->rscs[a])) {
			out[num++] = state->addrs[a].ip;
		}
	}
	return num;
}

static const char *id_of(const struct build *build, size_t rsc)
{
	return xml_attr(relations_element(build->relations, rsc), "id");
}

/* A share moves with a resource, unless something was said of the share before. */
static int add_share(struct build *build, const char *name, size_t rsc)
{
	struct placement *placement = build->placement;
	size_t num = placement->state->num_shares;
	struct cluster_share share = {.name = name};
	struct placement_share *shares;
	struct ipaddr *addrs;
	int err;

	if (name[0] == '\0' || rsc == RELATIONS_NONE || id_of(build, rsc) == NULL ||
	    relations_cloned(build->relations, rsc) ||
	    cluster_state_share(placement->state, name) != NULL) {
		return 0;
	}
	addrs = talloc_array(build->tmp, struct ipaddr, placement->state->num_addrs + 1);
	shares = talloc_realloc(placement, placement->shares, struct placement_share, num + 1);
	if (addrs == NULL || shares == NULL) {
		return ENOMEM;
	}
	placement->shares = shares;
	shares[num].rsc = talloc_strdup(shares, id_of(build, rsc));
	shares[num].node = node_of(build, rsc);
	share.group = id_of(build, relations_top(build->relations, rsc));
	if (share.group == NULL) { /* what it is in has no id: it moves by itself */
		share.group = shares[num].rsc;
	}
	share.num_addrs = addrs_beside(build, rsc, addrs);
	share.addrs = addrs;
	err = shares[num].rsc == NULL ? ENOMEM : cluster_state_add_share(placement->state, &share);
	talloc_free(addrs);
	return err;
}

static int add_configured(struct build *build)
{
	const char *const *words = build->config->share_rscs;
	int err = 0;

	for (; words != NULL && *words != NULL && err == 0; words++) {
		const char *rsc;
		char *name = talloc_strndup(build->tmp, *words, config_map_split(*words, &rsc));

		err = name == NULL ? ENOMEM
				   : add_share(build, name, relations_find(build->relations, rsc));
	}
	return err;
}

static bool is_agent(const struct build *build, size_t rsc, const char *type)
{
	const xmlNode *element = relations_element(build->relations, rsc);

	return xml_is(element, "primitive") && resource_is_ocf(build->cib, element, type);
}

static int add_share_agents(struct build *build)
{
	int err = 0;

	for (size_t rsc = 0; rsc < relations_num(build->relations) && err == 0; rsc++) {
		const char *name = NULL;

		if (is_agent(build, rsc, "smb-share")) {
			name = resource_param(build->cib, relations_element(build->relations, rsc),
					      "share");
		}
		err = name == NULL ? 0 : add_share(build, name, rsc);
	}
	return err;
}

/* --- by paths --- */

struct mount {
	size_t rsc;
	char *directory;
	size_t len;
};

/* Copy a path with single slashes between its parts and none at its end. */
static char *clean_path(TALLOC_CTX *mem_ctx, const char *path)
{
	char *copy = talloc_strdup(mem_ctx, path), *out = copy;

	if (copy == NULL) {
		return NULL;
	}
	for (; *path != '\0'; path++) {
		if (path[0] != '/' || (path[1] != '/' && path[1] != '\0')) {
			*out++ = *path;
		}
	}
	*out = '\0';
	return copy;
}

static int find_mounts(struct build *build, struct mount **out, size_t *num)
{
	size_t num_rscs = relations_num(build->relations);
	struct mount *mounts = talloc_array(build->tmp, struct mount, num_rscs + 1);

	*num = 0;
	if (mounts == NULL) {
		return ENOMEM;
	}
	for (size_t rsc = 0; rsc < num_rscs; rsc++) {
		struct mount *mount = &mounts[*num];
		const char *directory;

		if (!is_agent(build, rsc, "Filesystem")) {
			continue;
		}
		directory = resource_param(build->cib, relations_element(build->relations, rsc),
					   "directory");
		if (directory == NULL || directory[0] != '/') {
			continue;
		}
		mount->rsc = rsc;
		mount->directory = clean_path(mounts, directory);
		if (mount->directory == NULL) {
			return ENOMEM;
		}
		mount->len = strlen(mount->directory);
		(*num)++;
	}
	*out = mounts;
	return 0;
}

/* The file system that a path is on; RELATIONS_NONE: none of the cluster's. */
static size_t mount_of(const struct mount *mounts, size_t num, const char *path)
{
	const struct mount *best = NULL;

	for (size_t i = 0; i < num; i++) {
		const struct mount *mount = &mounts[i];

		if (strncmp(path, mount->directory, mount->len) == 0 &&
		    (path[mount->len] == '/' || path[mount->len] == '\0') &&
		    (best == NULL || mount->len > best->len)) {
			best = mount;
		}
	}
	return best == NULL ? RELATIONS_NONE : best->rsc;
}

static int add_by_path(struct build *build)
{
	const struct smbconf *smb = build->config->smb;
	struct mount *mounts;
	size_t num;
	int err = find_mounts(build, &mounts, &num);

	for (size_t i = 0; smb != NULL && num > 0 && i < smb->num_shares && err == 0; i++) {
		char *path;

		if (smb->paths[i] == NULL) {
			continue;
		}
		path = clean_path(build->tmp, smb->paths[i]);
		err = path == NULL ? ENOMEM
				   : add_share(build, smb->shares[i], mount_of(mounts, num, path));
		talloc_free(path);
	}
	return err;
}

/* --- the whole --- */

static int build_all(struct build *build)
{
	const struct cluster_state *state = build->placement->state;
	int err = relations_sets(build->tmp, build->relations, &build->sets);

	if (err == 0) {
		err = presence_load(build->tmp, build->cib, build->relations, state,
				    &build->presence);
	}
	build->rscs = talloc_array(build->tmp, size_t, state->num_addrs + 1);
	if (err != 0 || build->rscs == NULL) {
		return ENOMEM;
	}
	for (size_t a = 0; a < state->num_addrs; a++) {
		build->rscs[a] = relations_find(build->relations, build->placement->rscs[a]);
		if (build->rscs[a] == RELATIONS_NONE) { /* a part of a bundle */
			build->rscs[a] = relations_find(build->relations, state->addrs[a].group);
		}
	}
	err = add_net_names(build);
	tie_to_samba(build);
	err = err != 0 ? err : add_configured(build);
	err = err != 0 ? err : add_share_agents(build);
	err = err != 0 ? err : add_by_path(build);
	return err;
}

int served_apply(const xmlNode *cib, const struct relations *relations,
		 const struct served_config *config, struct placement *placement)
{
	struct build build = {
		.cib = cib,
		.relations = relations,
		.config = config,
		.placement = placement,
		.tmp = talloc_new(NULL),
	};
	int err = build.tmp == NULL ? ENOMEM : build_all(&build);

	talloc_free(build.tmp);
	served_update(placement);
	return err;
}

bool served_stopped(struct placement *placement, const char *rsc, const char *node)
{
	bool lost = false;

	for (size_t i = 0; placement->shares != NULL && i < placement->state->num_shares; i++) {
		struct placement_share *share = &placement->shares[i];

		if (share->node != NULL && strcmp(share->rsc, rsc) == 0 &&
		    strcmp(share->node, node) == 0) {
			share->node = NULL;
			lost = true;
		}
	}
	return lost;
}

void served_node_lost(struct placement *placement, const char *node)
{
	for (size_t i = 0; placement->shares != NULL && i < placement->state->num_shares; i++) {
		struct placement_share *share = &placement->shares[i];

		if (share->node != NULL && strcmp(share->node, node) == 0) {
			share->node = NULL;
		}
	}
}

/* Whether clients can reach a share where its data are. */
static bool is_reachable(const struct cluster_state *state, const struct cluster_share *share,
			 const char *node)
{
	for (size_t i = 0; i < share->num_addrs; i++) {
		const struct cluster_addr *addr = cluster_state_addr(state, &share->addrs[i]);

		if (addr->state == CLUSTER_ADDR_AVAILABLE && strcmp(addr->node, node) == 0) {
			return true;
		}
	}
	return share->num_addrs == 0;
}

void served_update(struct placement *placement)
{
	for (size_t i = 0; placement->shares != NULL && i < placement->state->num_shares; i++) {
		struct cluster_share *share = &placement->state->shares[i];
		const char *node = placement->shares[i].node;

		share->node =
			node != NULL && is_reachable(placement->state, share, node) ? node : NULL;
	}
}
