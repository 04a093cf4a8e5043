/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/fw.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 32     /* of chains; the kernel allows 16 jumps */
#define STEPS_MAX 200000 /* of all walks together */

static int ruleset_destructor(struct fw_ruleset *rules)
{
	HASH_CLEAR(hh, rules->chains); /* which are its children */
	return 0;
}

struct fw_ruleset *fw_new(TALLOC_CTX *mem_ctx)
{
	struct fw_ruleset *rules = talloc_zero(mem_ctx, struct fw_ruleset);

	if (rules != NULL) {
		talloc_set_destructor(rules, ruleset_destructor);
	}
	return rules;
}

/* @param key set to what the chain is found by; NULL when memory is short */
static struct fw_chain *find(const struct fw_ruleset *rules, const char *table, const char *name,
			     char **key)
{
	struct fw_chain *chain = NULL;

	*key = talloc_asprintf(rules, "%s\n%s", table, name);
	if (*key != NULL) {
		HASH_FIND_STR(rules->chains, *key, chain);
	}
	return chain;
}

struct fw_chain *fw_chain(struct fw_ruleset *rules, const char *table, const char *name)
{
	struct fw_chain *chain;
	char *key;

	chain = find(rules, table, name, &key);
	if (chain != NULL || key == NULL) {
		talloc_free(key);
		return chain;
	}
	chain = talloc_zero(rules, struct fw_chain);
	if (chain == NULL) {
		return NULL;
	}
	chain->key = talloc_steal(chain, key);
	chain->table = talloc_strdup(chain, table);
	chain->name = talloc_strdup(chain, name);
	if (chain->table == NULL || chain->name == NULL) {
		talloc_free(chain);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, rules->chains, chain->key, strlen(chain->key), chain);
	return chain;
}

int fw_add(struct fw_ruleset *rules, struct fw_chain *chain, const struct fw_rule *rule)
{
	size_t have = talloc_array_length(chain->rules);
	struct fw_rule *longer = chain->rules;

	if (have == chain->num_rules) {
		longer = talloc_realloc(rules, chain->rules, struct fw_rule,
					have < 8 ? 16 : 2 * have);
		if (longer == NULL) {
			return ENOMEM;
		}
		chain->rules = longer;
	}
	longer[chain->num_rules] = *rule;
	longer[chain->num_rules].text = talloc_strdup(rules, rule->text);
	longer[chain->num_rules].target =
		rule->target != NULL ? talloc_strdup(rules, rule->target) : NULL;
	if (longer[chain->num_rules].text == NULL ||
	    (rule->target != NULL && longer[chain->num_rules].target == NULL)) {
		return ENOMEM;
	}
	chain->num_rules++;
	return 0;
}

/* ---- the way of the packet ---- */

struct walk {
	const struct fw_ruleset *rules;
	const struct fw_chain *path[DEPTH_MAX]; /* the chains that the packet is in */
	unsigned int depth;
	unsigned int *steps;      /* that may yet be done */
	bool perhaps_accepted;    /* by a rule that may match */
	const char *perhaps_drop; /* a rule about the port that may match */
	const char *drop;
};

static enum fw_action walk_chain(struct walk *walk, const struct fw_chain *chain);

/* A circle, which the kernel would not have taken, is not walked. */
static bool is_on_path(const struct walk *walk, const struct fw_chain *chain)
{
	for (unsigned int i = 0; i < walk->depth; i++) {
		if (walk->path[i] == chain) {
			return true;
		}
	}
	return false;
}

static enum fw_action walk_to(struct walk *walk, const struct fw_chain *from, const char *target)
{
	enum fw_action action = FW_NEXT;
	const struct fw_chain *chain;
	char *key;

	chain = find(walk->rules, from->table, target, &key);
	talloc_free(key);
	if (chain != NULL && walk->depth < DEPTH_MAX && !is_on_path(walk, chain)) {
		walk->path[walk->depth++] = chain;
		action = walk_chain(walk, chain);
		walk->depth--;
	}
	return action;
}

static enum fw_action act(struct walk *walk, const struct fw_chain *chain,
			  const struct fw_rule *rule)
{
	switch (rule->action) {
	case FW_JUMP:
		return walk_to(walk, chain, rule->target);
	case FW_GOTO: {
		enum fw_action action = walk_to(walk, chain, rule->target);

		return action == FW_NEXT ? FW_RETURN : action;
	}
	case FW_DROP:
		walk->drop = rule->text;
		return FW_DROP;
	default:
		return rule->action;
	}
}

/* A rule that may match: what it would do is noted. */
static void act_perhaps(struct walk *walk, const struct fw_chain *chain, const struct fw_rule *rule)
{
	const char *drop = walk->drop;
	enum fw_action action = act(walk, chain, rule);

	if (action == FW_ACCEPT || action == FW_RETURN) {
		walk->perhaps_accepted = true;
	} else if (action == FW_DROP && rule->about_port && walk->perhaps_drop == NULL) {
		walk->perhaps_drop = walk->drop;
	}
	walk->drop = drop;
}

/* @return FW_ACCEPT, FW_DROP, or FW_NEXT at its end */
static enum fw_action walk_chain(struct walk *walk, const struct fw_chain *chain)
{
	for (size_t i = 0; i<chain->num_rules && * walk->steps> 0; i++) {
		const struct fw_rule *rule = &chain->rules[i];
		enum fw_action action = FW_NEXT;

		(*walk->steps)--;
		if (rule->match == FW_YES) {
			action = act(walk, chain, rule);
		} else if (rule->match == FW_MAYBE) {
			act_perhaps(walk, chain, rule);
		}
		if (action == FW_RETURN) {
			return FW_NEXT;
		}
		if (action != FW_NEXT) {
			return action;
		}
	}
	return FW_NEXT;
}

static enum fw_verdict judge_base(const struct fw_ruleset *rules, const struct fw_chain *chain,
				  unsigned int *steps, const char **why)
{
	struct walk walk = {.rules = rules, .path = {chain}, .depth = 1, .steps = steps};
	enum fw_action action = walk_chain(&walk, chain);

	if (*steps == 0) {
		*why = "more rules than can be followed";
		return FW_PERHAPS;
	}
	if (action == FW_NEXT && chain->policy_drop) {
		action = FW_DROP;
		walk.drop = talloc_asprintf(rules, "policy of the chain %s %s", chain->table,
					    chain->name);
	}
	if (action == FW_DROP) {
		*why = walk.drop;
		return walk.perhaps_accepted ? FW_PERHAPS : FW_CLOSED;
	}
	if (walk.perhaps_drop != NULL) {
		*why = walk.perhaps_drop;
		return FW_PERHAPS;
	}
	return FW_OPEN;
}

/* Every base chain must let the packet pass. */
enum fw_verdict fw_judge(const struct fw_ruleset *rules, const char **why)
{
	enum fw_verdict worst = FW_OPEN;
	unsigned int steps = STEPS_MAX;

	for (const struct fw_chain *chain = rules->chains; chain != NULL; chain = chain->hh.next) {
		const char *reason = NULL;
		enum fw_verdict verdict =
			chain->base ? judge_base(rules, chain, &steps, &reason) : FW_OPEN;

		if (verdict > worst) {
			worst = verdict;
			*why = reason;
		}
	}
	return worst;
}
