/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/select.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "witnessd/swn/replica.h"
#include "witnessd/swn/service_private.h"
#include "witnessd/util/log.h"

#define PATTERN_MAX  256 /* characters: long patterns with many stars are expensive in fnmatch() */
#define PATTERN_STAR 8   /* stars, for the same reason */

/* --- reading --- */

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{"registration", offsetof(struct swn_select, registration)},
	{"net_name", offsetof(struct swn_select, net_name)},
	{"share_name", offsetof(struct swn_select, share_name)},
	{"ip_address", offsetof(struct swn_select, ip_address)},
	{"client_computer_name", offsetof(struct swn_select, client_computer_name)},
	{"node", offsetof(struct swn_select, node)},
	{"witness", offsetof(struct swn_select, witness)},
};

#define NUM_TEXTS (sizeof(texts) / sizeof(texts[0]))

static const char **text_of(struct swn_select *select, size_t i)
{
	return (const char **)((char *)select + texts[i].offset);
}

static bool is_pattern(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}

static bool is_sane(const char *text)
{
	size_t stars = 0;

	for (const char *p = text; *p != '\0'; p++) {
		stars += *p == '*';
	}
	return text[0] != '\0' && strlen(text) <= PATTERN_MAX && stars <= PATTERN_STAR;
}

/* An address may be written in many ways, and is compared in one. */
static const char *canonical(TALLOC_CTX *mem_ctx, const char *text)
{
	char buf[IPADDR_STRLEN];
	struct ipaddr ip;

	return talloc_strdup(mem_ctx,
			     ipaddr_parse(text, &ip) == 0 ? ipaddr_format(&ip, buf) : text);
}

static int read_text(TALLOC_CTX *mem_ctx, const json_t *json, size_t i, struct swn_select *out,
		     char **why)
{
	const json_t *value = json_object_get(json, texts[i].key);
	const char *text = json_string_value(value);

	if (value == NULL) {
		return 0;
	}
	if (text == NULL || strlen(text) != json_string_length(value) || !is_sane(text)) {
		*why = talloc_asprintf(mem_ctx,
				       "%s: expected a pattern of 1 to %d characters with at most "
				       "%d stars",
				       texts[i].key, PATTERN_MAX, PATTERN_STAR);
		return EINVAL;
	}
	*text_of(out, i) = canonical(mem_ctx, text);
	return *text_of(out, i) != NULL ? 0 : ENOMEM;
}

int swn_select_parse(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_select *out, char **why)
{
	struct swn_select select = {
		.all = json_is_true(json_object_get(json, "all")),
		.local = json_is_true(json_object_get(json, "local")),
	};
	int err = 0;

	for (size_t i = 0; i < NUM_TEXTS && err == 0; i++) {
		err = read_text(mem_ctx, json, i, &select, why);
	}
	if (err == 0) {
		*out = select;
	}
	return err;
}

bool swn_select_has_patterns(const struct swn_select *select)
{
	struct swn_select copy = *select;

	for (size_t i = 0; i < NUM_TEXTS; i++) {
		if (*text_of(&copy, i) != NULL) {
			return true;
		}
	}
	return false;
}

bool swn_select_is_empty(const struct swn_select *select)
{
	return !select->all && !swn_select_has_patterns(select);
}

/* --- checking --- */

static int check_node(TALLOC_CTX *mem_ctx, const struct cluster_state *state, const char *name,
		      char **why)
{
	if (name == NULL || is_pattern(name) ||
	    (state != NULL && cluster_state_node_typed(state, name) != NULL)) {
		return 0;
	}
	*why = talloc_asprintf(mem_ctx, "the cluster has no node %s", log_escape(mem_ctx, name));
	return ENODEV;
}

int swn_select_check(TALLOC_CTX *mem_ctx, const struct swn_select *select,
		     const struct swn_service *service, char **why)
{
	const struct cluster_state *state = cluster_current(service->cluster);
	struct ipaddr ip;
	int err = check_node(mem_ctx, state, select->node, why);

	if (err == 0) {
		err = check_node(mem_ctx, state, select->witness, why);
	}
	if (err == 0 && select->ip_address != NULL && !is_pattern(select->ip_address) &&
	    (ipaddr_parse(select->ip_address, &ip) != 0 || state == NULL ||
	     cluster_state_addr(state, &ip) == NULL)) {
		*why = talloc_asprintf(mem_ctx, "%s is not an address of the cluster",
				       log_escape(mem_ctx, select->ip_address));
		err = ENXIO;
	}
	return err;
}

/* --- matching --- */

static bool matches(const char *pattern, const char *text)
{
	return pattern == NULL || (text != NULL && fnmatch(pattern, text, FNM_CASEFOLD) == 0);
}

bool swn_select_matches(const struct swn_select *select, const struct swn_found *found)
{
	const struct swn_reg *reg = found->reg;
	char guid[GUID_STRLEN], ip[IPADDR_STRLEN];

	/* Text is made of the handle and the address only if there is a pattern for it. */
	return (!select->local || found->own) &&
	       (select->registration == NULL ||
		matches(select->registration, guid_format(&reg->handle.uuid, guid))) &&
	       matches(select->net_name, reg->net_name) &&
	       matches(select->share_name, reg->share_name) &&
	       (select->ip_address == NULL ||
		matches(select->ip_address, ipaddr_format(&reg->ip, ip))) &&
	       matches(select->client_computer_name, reg->client_name) &&
	       matches(select->node, found->node) && matches(select->witness, found->witness);
}

/* --- looking --- */

struct search {
	const struct swn_service *service;
	const struct cluster_state *state;
	const struct swn_select *select;
	void (*fn)(void *private_data, const struct swn_found *found);
	void *private_data;
};

static void consider(const struct search *search, struct swn_found *found)
{
	const struct cluster_addr *addr =
		search->state != NULL ? cluster_state_addr(search->state, &found->reg->ip) : NULL;

	found->node = addr != NULL ? addr->node : NULL;
	found->rest = !swn_select_matches(search->select, found);
	if (!found->rest || search->select->rest) {
		search->fn(search->private_data, found);
	}
}

static void consider_record(void *private_data, const struct peers_record *record)
{
	const struct search *search = private_data;
	struct swn_replica replica;
	struct swn_found found;

	if (record->own || swn_replica_pull(NULL, record->key, record->key_len, record->value,
					    record->value_len, &replica) != 0) {
		return;
	}
	replica.reg->service = (struct swn_service *)(uintptr_t)search->service;
	found = (struct swn_found){
		.reg = replica.reg,
		.witness = record->owner,
		.waiting = replica.waiting,
		.orphan = record->orphan,
	};
	consider(search, &found);
	talloc_free(replica.reg);
}

static void consider_own(const struct search *search, struct swn_reg *reg, const char *name)
{
	struct swn_found found = {
		.reg = reg, .witness = name, .own = true, .waiting = reg->num_waiters > 0};

	consider(search, &found);
}

/* Our name among the peers; before we have one there, that of the cluster's state. */
static const char *local_name(const struct swn_service *service)
{
	const char *name = peers_local(service->peers);
	const struct cluster_state *state = cluster_current(service->cluster);
	const struct cluster_node *node = state != NULL ? cluster_state_local(state) : NULL;

	return name != NULL ? name : node != NULL ? node->name : NULL;
}

void swn_select_foreach(const struct swn_service *service, const struct swn_select *select,
			void (*fn)(void *private_data, const struct swn_found *found),
			void *private_data)
{
	struct search search = {.service = service,
				.state = cluster_current(service->cluster),
				.select = select,
				.fn = fn,
				.private_data = private_data};
	const char *name = local_name(service);
	struct swn_reg *reg;

	for (reg = swn_registry_first(service->registry); reg != NULL;
	     reg = swn_registry_next(reg)) {
		consider_own(&search, reg, name);
	}
	if (!select->local || select->rest) {
		peers_foreach(service->peers, PEERS_REGISTRATION, NULL, consider_record, &search);
	}
}

/* --- looking piece by piece --- */

struct swn_walk {
	const struct swn_service *service;
	struct swn_select select;
	struct swn_handle *handles;
	size_t num, size, next;
	int err;
};

static void note(struct swn_walk *walk, const struct swn_handle *handle)
{
	if (walk->num == walk->size) {
		size_t size = walk->size == 0 ? 64 : walk->size * 2;
		struct swn_handle *more =
			talloc_realloc(walk, walk->handles, struct swn_handle, size);

		if (more == NULL) {
			walk->err = ENOMEM;
			return;
		}
		walk->handles = more;
		walk->size = size;
	}
	walk->handles[walk->num++] = *handle;
}

static void note_record(void *private_data, const struct peers_record *record)
{
	struct swn_walk *walk = private_data;
	struct swn_handle handle;

	if (!record->own && walk->err == 0 &&
	    swn_replica_handle(record->key, record->key_len, &handle) == 0 &&
	    swn_registry_find(walk->service->registry, &handle) == NULL) {
		note(walk, &handle);
	}
}

static int copy_select(struct swn_walk *walk, const struct swn_select *select)
{
	walk->select = *select;
	for (size_t i = 0; i < NUM_TEXTS; i++) {
		const char **text = text_of(&walk->select, i);

		if (*text != NULL) {
			*text = talloc_strdup(walk, *text);
			if (*text == NULL) {
				return ENOMEM;
			}
		}
	}
	return 0;
}

int swn_walk_create(TALLOC_CTX *mem_ctx, const struct swn_service *service,
		    const struct swn_select *select, struct swn_walk **out)
{
	struct swn_walk *walk = talloc_zero(mem_ctx, struct swn_walk);
	struct swn_reg *reg;

	if (walk == NULL) {
		return ENOMEM;
	}
	walk->service = service;
	walk->err = copy_select(walk, select);
	for (reg = swn_registry_first(service->registry); reg != NULL && walk->err == 0;
	     reg = swn_registry_next(reg)) {
		note(walk, &reg->handle);
	}
	if (walk->err == 0 && (!select->local || select->rest)) {
		peers_foreach(service->peers, PEERS_REGISTRATION, NULL, note_record, walk);
	}
	if (walk->err != 0) {
		talloc_free(walk);
		return ENOMEM;
	}
	*out = walk;
	return 0;
}

bool swn_walk_next(struct swn_walk *walk, size_t max,
		   void (*fn)(void *private_data, const struct swn_found *found),
		   void *private_data)
{
	const struct swn_service *service = walk->service;
	struct search search = {.service = service,
				.state = cluster_current(service->cluster),
				.select = &walk->select,
				.fn = fn,
				.private_data = private_data};
	const char *name = local_name(service);

	for (; max > 0 && walk->next < walk->num; max--) {
		const struct swn_handle *handle = &walk->handles[walk->next++];
		struct swn_reg *reg = swn_registry_find(service->registry, handle);
		uint8_t key[SWN_REPLICA_KEY];
		struct peers_record record;

		swn_replica_key(handle, key);
		if (reg != NULL) {
			consider_own(&search, reg, name);
		} else if (peers_find(service->peers, PEERS_REGISTRATION, key, sizeof(key),
				      &record) == 0) {
			consider_record(&search, &record);
		}
	}
	return walk->next < walk->num;
}
