/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/fw.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 32 /* of chains; the kernel allows 16 jumps */

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
	if (chain->hh.tbl == NULL) {
		TALLOC_FREE(chain);
	}
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

static const struct fw_outcome *walk_chain(const struct fw_ruleset *rules, struct fw_chain *chain,
					   unsigned int depth);

/* What comes of a jump. A circle and too deep a nest, which the kernel would not have taken, lead nowhere. */
static struct fw_outcome walk_to(const struct fw_ruleset *rules, const struct fw_chain *from,
				 const char *target, unsigned int depth)
{
	struct fw_chain *chain;
	char *key;

	chain = find(rules, from->table, target, &key);
	talloc_free(key);
	if (chain == NULL || chain->walk == FW_WALKING || depth == DEPTH_MAX) {
		return (struct fw_outcome){.action = FW_NEXT};
	}
	return *walk_chain(rules, chain, depth + 1);
}

static struct fw_outcome act(const struct fw_ruleset *rules, const struct fw_chain *chain,
			     const struct fw_rule *rule, unsigned int depth)
{
	struct fw_outcome outcome = {.action = rule->action};

	switch (rule->action) {
	case FW_JUMP:
		return walk_to(rules, chain, rule->target, depth);
	case FW_GOTO:
		outcome = walk_to(rules, chain, rule->target, depth);
		outcome.action = outcome.action == FW_NEXT ? FW_RETURN : outcome.action;
		break;
	case FW_DROP:
		outcome.drop = rule->text;
		break;
	default:
		break;
	}
	return outcome;
}

/* A rule that may match: what it would do is noted, and the packet goes on. */
static void perhaps(struct fw_outcome *outcome, const struct fw_rule *rule)
{
	if (outcome->action == FW_ACCEPT || outcome->action == FW_RETURN) {
		outcome->perhaps_accepted = true;
	} else if (outcome->action == FW_DROP && rule->about_port &&
		   outcome->perhaps_drop == NULL) {
		outcome->perhaps_drop = outcome->drop;
	}
	outcome->action = FW_NEXT;
}

/*
 * Once for each chain: however the packet comes to it, the same comes of it.
 * @return with action FW_ACCEPT, FW_DROP, or FW_NEXT at its end
 */
static const struct fw_outcome *walk_chain(const struct fw_ruleset *rules, struct fw_chain *chain,
					   unsigned int depth)
{
	struct fw_outcome *sum = &chain->outcome;

	if (chain->walk == FW_WALKED) {
		return sum;
	}
	chain->walk = FW_WALKING;
	*sum = (struct fw_outcome){.action = FW_NEXT};
	for (size_t i = 0; i < chain->num_rules && sum->action == FW_NEXT; i++) {
		const struct fw_rule *rule = &chain->rules[i];
		struct fw_outcome one;

		if (rule->match == FW_NO) {
			continue;
		}
		one = act(rules, chain, rule, depth);
		if (rule->match == FW_MAYBE) {
			perhaps(&one, rule);
		}
		sum->perhaps_accepted |= one.perhaps_accepted;
		sum->perhaps_drop =
			sum->perhaps_drop != NULL ? sum->perhaps_drop : one.perhaps_drop;
		sum->action = one.action;
		sum->drop = one.drop;
	}
	if (sum->action == FW_RETURN) {
		sum->action = FW_NEXT;
	}
	chain->walk = FW_WALKED;
	return sum;
}

static enum fw_verdict judge_base(const struct fw_ruleset *rules, struct fw_chain *chain,
				  const char **why)
{
	struct fw_outcome outcome = *walk_chain(rules, chain, 1);

	if (outcome.action == FW_NEXT && chain->policy_drop) {
		outcome.action = FW_DROP;
		outcome.drop = talloc_asprintf(rules, "policy of the chain %s %s", chain->table,
					       chain->name);
	}
	if (outcome.action == FW_DROP) {
		*why = outcome.drop;
		return outcome.perhaps_accepted ? FW_PERHAPS : FW_CLOSED;
	}
	if (outcome.perhaps_drop != NULL) {
		*why = outcome.perhaps_drop;
		return FW_PERHAPS;
	}
	return FW_OPEN;
}

/* Every base chain must let the packet pass. */
enum fw_verdict fw_judge(struct fw_ruleset *rules, const char **why)
{
	enum fw_verdict worst = FW_OPEN;
	struct fw_chain *chain;

	for (chain = rules->chains; chain != NULL; chain = chain->hh.next) {
		chain->walk = FW_NOT_WALKED;
	}
	for (chain = rules->chains; chain != NULL; chain = chain->hh.next) {
		const char *reason = NULL;
		enum fw_verdict verdict = chain->base ? judge_base(rules, chain, &reason) : FW_OPEN;

		if (verdict > worst) {
			worst = verdict;
			*why = reason;
		}
	}
	return worst;
}
