/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/static/edit.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "witnessd/util/log.h"

struct edit {
	TALLOC_CTX *mem_ctx;
	struct cluster_state *map;
	char **why;
};

/* Name what was requested and does not exist. @return err */
static int unknown(struct edit *edit, int err, const char *what, const char *name)
{
	*edit->why = talloc_asprintf(edit->mem_ctx, "the map has no %s %s", what,
				     log_escape(edit->mem_ctx, name));
	return err;
}

static int refuse(struct edit *edit, const char *sentence)
{
	*edit->why = talloc_strdup(edit->mem_ctx, sentence);
	return EINVAL;
}

static struct cluster_node *find_node(struct edit *edit, const char *name)
{
	for (size_t i = 0; i < edit->map->num_nodes; i++) {
		if (strcmp(edit->map->nodes[i].name, name) == 0) {
			return &edit->map->nodes[i];
		}
	}
	return NULL;
}

static struct cluster_addr *find_addr(struct edit *edit, const char *text)
{
	struct ipaddr ip;

	if (ipaddr_parse(text, &ip) != 0) {
		return NULL;
	}
	for (size_t i = 0; i < edit->map->num_addrs; i++) {
		if (ipaddr_equal(&edit->map->addrs[i].ip, &ip)) {
			return &edit->map->addrs[i];
		}
	}
	return NULL;
}

/* --- the commands --- */

static int edit_node(struct edit *edit, const char *const *args, size_t num)
{
	static const struct {
		const char *word;
		size_t field;
		bool value;
	} verbs[] = {
		{"online", offsetof(struct cluster_node, online), true},
		{"offline", offsetof(struct cluster_node, online), false},
		{"drain", offsetof(struct cluster_node, draining), true},
		{"undrain", offsetof(struct cluster_node, draining), false},
	};
	struct cluster_node *node = find_node(edit, args[0]);

	if (node == NULL) {
		return unknown(edit, ENODEV, "node", args[0]);
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].word, args[1]) == 0) {
			*(bool *)((char *)node + verbs[i].field) = verbs[i].value;
			return 0;
		}
	}
	return refuse(edit, "expected node NAME online, offline, drain or undrain");
}

static int edit_address(struct edit *edit, const char *const *args, size_t num)
{
	struct cluster_addr *addr = find_addr(edit, args[0]);
	const struct cluster_node *node;

	if (addr == NULL) {
		return unknown(edit, ENXIO, "address", args[0]);
	}
	if (num == 2 && strcmp(args[1], "down") == 0) {
		addr->state = CLUSTER_ADDR_UNAVAILABLE;
		return 0;
	}
	if (num == 2 && strcmp(args[1], "up") == 0) {
		addr->state = CLUSTER_ADDR_AVAILABLE;
		return addr->node != NULL
			       ? 0
			       : refuse(edit,
					"the address has no node to be up on: move it to one");
	}
	if (num != 3 || strcmp(args[1], "move") != 0) {
		return refuse(edit, "expected address IP down, up or move NODE");
	}
	node = find_node(edit, args[2]);
	if (node == NULL) {
		return unknown(edit, ENODEV, "node", args[2]);
	}
	if (addr->kind == CLUSTER_ADDR_FIXED) {
		return refuse(edit, "the address is fixed to its node");
	}
	addr->node = node->name;
	addr->state = CLUSTER_ADDR_AVAILABLE;
	return 0;
}

static int edit_quorum(struct edit *edit, const char *const *args, size_t num)
{
	bool yes = strcmp(args[0], "yes") == 0;

	if (!yes && strcmp(args[0], "no") != 0) {
		return refuse(edit, "expected quorum yes or no");
	}
	edit->map->quorate = yes;
	return 0;
}

static bool in_group(const char *group, const char *wanted)
{
	return group != NULL && strcmp(group, wanted) == 0;
}

static int edit_move(struct edit *edit, const char *const *args, size_t num)
{
	const struct cluster_node *node = find_node(edit, args[1]);
	size_t moved = 0;

	if (node == NULL) {
		return unknown(edit, ENODEV, "node", args[1]);
	}
	for (size_t i = 0; i < edit->map->num_addrs; i++) {
		struct cluster_addr *addr = &edit->map->addrs[i];

		if (in_group(addr->group, args[0]) && addr->kind != CLUSTER_ADDR_FIXED) {
			addr->node = node->name;
			addr->state = CLUSTER_ADDR_AVAILABLE;
			moved++;
		}
	}
	for (size_t i = 0; i < edit->map->num_shares; i++) {
		struct cluster_share *share = &edit->map->shares[i];

		if (in_group(share->group, args[0])) {
			share->node = node->name;
			moved++;
		}
	}
	return moved > 0 ? 0 : unknown(edit, ENOENT, "floating address or share in group", args[0]);
}

static const struct {
	const char *word;
	size_t min_args, max_args;
	int (*fn)(struct edit *edit, const char *const *args, size_t num);
} commands[] = {
	{"node", 2, 2, edit_node},
	{"address", 2, 3, edit_address},
	{"quorum", 1, 1, edit_quorum},
	{"move", 2, 2, edit_move},
};

int static_edit(TALLOC_CTX *mem_ctx, struct cluster_state *map, const char *const *argv,
		size_t argc, char **why)
{
	struct edit edit = {.mem_ctx = mem_ctx, .map = map, .why = why};

	for (size_t i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].word, argv[0]) == 0 && argc - 1 >= commands[i].min_args &&
		    argc - 1 <= commands[i].max_args) {
			return commands[i].fn(&edit, argv + 1, argc - 1);
		}
	}
	return refuse(&edit, STATIC_USAGE);
}

/* --- intents --- */

/* Where a group is now: with its first address that is up somewhere, else with a share. */
static bool locate_group(const struct cluster_state *map, const char *group, const char **node)
{
	bool found = false;

	*node = NULL;
	for (size_t i = 0; i < map->num_addrs && *node == NULL; i++) {
		if (in_group(map->addrs[i].group, group)) {
			found = true;
			*node = map->addrs[i].node;
		}
	}
	for (size_t i = 0; i < map->num_shares && *node == NULL; i++) {
		if (in_group(map->shares[i].group, group)) {
			found = true;
			*node = map->shares[i].node;
		}
	}
	return found;
}

int static_intent(TALLOC_CTX *mem_ctx, const struct cluster_state *map, const char *const *argv,
		  size_t argc, struct backend_intent *out, char **why)
{
	struct backend_intent intent = {.why = "witnessctl static intent"};
	const struct cluster_addr *addr;
	struct ipaddr ip;
	bool is_addr;

	if (argc < 2 || argc > 3) {
		*why = talloc_strdup(mem_ctx, STATIC_USAGE);
		return EINVAL;
	}
	intent.what = argv[1];
	intent.to = argc == 3 ? argv[2] : NULL;
	if (intent.to != NULL && cluster_state_node(map, intent.to) == NULL) {
		*why = talloc_asprintf(mem_ctx, "the map has no node %s",
				       log_escape(mem_ctx, intent.to));
		return ENODEV;
	}
	is_addr = ipaddr_parse(argv[1], &ip) == 0;
	addr = is_addr ? cluster_state_addr(map, &ip) : NULL;
	if (addr != NULL) {
		intent.kind = BACKEND_INTENT_ADDR;
		intent.from = addr->node;
	} else if (locate_group(map, argv[1], &intent.from)) {
		intent.kind = BACKEND_INTENT_GROUP;
	} else {
		*why = talloc_asprintf(mem_ctx, "the map has no group or address %s",
				       log_escape(mem_ctx, argv[1]));
		return is_addr ? ENXIO : ENOENT;
	}
	*out = intent;
	return 0;
}
