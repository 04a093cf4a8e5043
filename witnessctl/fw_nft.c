/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nft -j list ruleset (libnftables-json(5)). */
#include "witnessctl/fw.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>

struct reader {
	struct fw_ruleset *rules;
	const struct fw_packet *packet;
	const json_t *objects;      /* all of them */
	const char *family, *table; /* of the rule at hand */
	bool foreign; /* the match at hand is about another protocol: != does not make it true */
};

static enum fw_match either(enum fw_match a, enum fw_match b)
{
	return a > b ? a : b;
}

/* The only key of {"match": {...}}, and what is there. */
static const char *only_key(const json_t *object, const json_t **value)
{
	void *iter = json_object_iter((json_t *)(uintptr_t)object);

	*value = iter != NULL ? json_object_iter_value(iter) : NULL;
	return iter != NULL ? json_object_iter_key(iter) : "";
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* ---- values ---- */

/* What a value is compared with: a number, or a word with the number that may stand for it. */
struct expected {
	const char *word; /* NULL: none */
	json_int_t number;
};

static enum fw_match has_value(const struct reader *reader, const json_t *value,
			       const struct expected *expected, unsigned int depth);

static enum fw_match any_of(const struct reader *reader, const json_t *list,
			    const struct expected *expected, unsigned int depth)
{
	enum fw_match match = FW_NO;
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element)
	{
		match = either(match, has_value(reader, element, expected, depth));
	}
	return match;
}

/* A set of the same table by its name. */
static enum fw_match in_named_set(const struct reader *reader, const char *name,
				  const struct expected *expected, unsigned int depth)
{
	const json_t *object;
	size_t i;

	json_array_foreach(reader->objects, i, object)
	{
		const json_t *set = json_object_get(object, "set");

		if (set != NULL && strcmp(text_at(set, "name"), name) == 0 &&
		    strcmp(text_at(set, "table"), reader->table) == 0 &&
		    strcmp(text_at(set, "family"), reader->family) == 0) {
			return any_of(reader, json_object_get(set, "elem"), expected, depth);
		}
	}
	return FW_MAYBE;
}

static enum fw_match has_object(const struct reader *reader, const json_t *value,
				const struct expected *expected, unsigned int depth)
{
	const json_t *inner, *range = json_object_get(value, "range");

	if (json_array_size(range) == 2 && json_is_integer(json_array_get(range, 0))) {
		return fw_match_if(
			json_integer_value(json_array_get(range, 0)) <= expected->number &&
			json_integer_value(json_array_get(range, 1)) >= expected->number);
	}
	inner = json_object_get(value, "set");
	if (inner != NULL) {
		return has_value(reader, inner, expected, depth);
	}
	inner = json_object_get(json_object_get(value, "elem"), "val");
	return inner != NULL ? has_value(reader, inner, expected, depth) : FW_MAYBE;
}

static enum fw_match has_value(const struct reader *reader, const json_t *value,
			       const struct expected *expected, unsigned int depth)
{
	const char *word = json_string_value(value);

	if (depth > 8) {
		return FW_MAYBE;
	}
	if (word != NULL && word[0] == '@') {
		return in_named_set(reader, word + 1, expected, depth + 1);
	}
	if (word != NULL) {
		return fw_match_if(expected->word != NULL && strcmp(word, expected->word) == 0);
	}
	if (json_is_integer(value)) {
		return fw_match_if(json_integer_value(value) == expected->number);
	}
	if (json_is_array(value)) {
		return any_of(reader, value, expected, depth + 1);
	}
	return json_is_object(value) ? has_object(reader, value, expected, depth + 1) : FW_MAYBE;
}

/* ---- matches ---- */

static enum fw_match of_payload(struct reader *reader, const json_t *payload, const json_t *right,
				bool *about_port)
{
	static const char *const others[] = {"udp",  "udplite", "icmp", "icmpv6", "igmp", "sctp",
					     "dccp", "ah",      "esp",  "comp",   NULL};
	const char *protocol = text_at(payload, "protocol"), *field = text_at(payload, "field");
	const struct expected port = {.number = reader->packet->port};
	const struct expected tcp = {.word = "tcp", .number = 6};
	bool v6 = strcmp(protocol, "ip6") == 0;

	for (size_t i = 0; others[i] != NULL; i++) {
		if (strcmp(protocol, others[i]) == 0) {
			reader->foreign = true;
			return FW_NO;
		}
	}
	if ((strcmp(protocol, "tcp") == 0 || strcmp(protocol, "th") == 0) &&
	    strcmp(field, "dport") == 0) {
		*about_port = true;
		return has_value(reader, right, &port, 0);
	}
	if (!v6 && strcmp(protocol, "ip") != 0) {
		return FW_MAYBE;
	}
	if (v6 != (reader->packet->family == AF_INET6)) {
		reader->foreign = true;
		return FW_NO;
	}
	return strcmp(field, v6 ? "nexthdr" : "protocol") == 0 ? has_value(reader, right, &tcp, 0)
							       : FW_MAYBE;
}

static enum fw_match of_meta(const struct reader *reader, const char *key, const json_t *right)
{
	bool v6 = reader->packet->family == AF_INET6;
	const struct expected tcp = {.word = "tcp", .number = 6};
	const struct expected nfproto = {.word = v6 ? "ipv6" : "ipv4", .number = v6 ? 10 : 2};
	const struct expected protocol = {.word = v6 ? "ip6" : "ip", .number = v6 ? 0x86dd : 0x800};

	if (strcmp(key, "l4proto") == 0) {
		return has_value(reader, right, &tcp, 0);
	}
	if (strcmp(key, "nfproto") == 0) {
		return has_value(reader, right, &nfproto, 0);
	}
	if (strcmp(key, "protocol") == 0) {
		return has_value(reader, right, &protocol, 0);
	}
	if (strncmp(key, "iif", 3) == 0 && json_is_string(right) &&
	    strcmp(json_string_value(right), "lo") == 0) {
		return FW_NO;
	}
	return FW_MAYBE;
}

/* @param left an expression; @return whether what it stands for is in right */
static enum fw_match of_left(struct reader *reader, const json_t *left, const json_t *right,
			     bool *about_port)
{
	static const struct expected new = {.word = "new", .number = 8};
	const json_t *value;
	const char *kind = only_key(left, &value);

	if (strcmp(kind, "payload") == 0) {
		return of_payload(reader, value, right, about_port);
	}
	if (strcmp(kind, "meta") == 0) {
		return of_meta(reader, text_at(value, "key"), right);
	}
	if (strcmp(kind, "ct") == 0 && strcmp(text_at(value, "key"), "state") == 0) {
		return has_value(reader, right, &new, 0);
	}
	if (strcmp(kind, "ct") == 0 && strcmp(text_at(value, "key"), "status") == 0) {
		return FW_NO; /* of a connection that was seen before, or rewritten */
	}
	if (strcmp(kind, "fib") == 0 && strcmp(text_at(value, "result"), "type") == 0 &&
	    json_is_string(right)) {
		return fw_match_if(strcmp(json_string_value(right), "local") == 0);
	}
	/* tcp flags & (fin|syn|rst|ack) == syn: a first packet */
	if (strcmp(kind, "&") == 0 && json_is_string(right) &&
	    strcmp(json_string_value(right), "syn") == 0) {
		return FW_YES;
	}
	return FW_MAYBE;
}

/* tcp dport >= 1024 */
static enum fw_match compare(const struct reader *reader, const json_t *match, const char *op,
			     bool *about_port)
{
	const json_t *right = json_object_get(match, "right");
	const json_t *payload = json_object_get(json_object_get(match, "left"), "payload");
	json_int_t bound = json_integer_value(right), port = reader->packet->port;
	bool equal = op[1] == '=' && port == bound;

	if (!json_is_integer(right) || strcmp(text_at(payload, "field"), "dport") != 0) {
		return FW_MAYBE;
	}
	*about_port = true;
	return fw_match_if(equal || (op[0] == '<' ? port < bound : port > bound));
}

static enum fw_match of_match(struct reader *reader, const json_t *match, bool *about_port)
{
	const char *op = text_at(match, "op");
	enum fw_match result;

	if (op[0] == '<' || op[0] == '>') {
		return compare(reader, match, op, about_port);
	}
	reader->foreign = false;
	result = of_left(reader, json_object_get(match, "left"), json_object_get(match, "right"),
			 about_port);
	if (strcmp(op, "!=") == 0) {
		return reader->foreign ? FW_NO : fw_match_not(result);
	}
	return strcmp(op, "==") == 0 || strcmp(op, "in") == 0 ? result : FW_MAYBE;
}

/* ---- rules ---- */

/* Whether a statement is a verdict, and which. */
static bool take_verdict(const char *name, const json_t *value, struct fw_rule *rule)
{
	static const struct {
		const char *name;
		enum fw_action action;
	} verdicts[] = {
		{"accept", FW_ACCEPT}, {"drop", FW_DROP}, {"reject", FW_DROP},
		{"jump", FW_JUMP},     {"goto", FW_GOTO}, {"return", FW_RETURN},
		{"queue", FW_ACCEPT},
	};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (strcmp(name, verdicts[i].name) == 0) {
			rule->action = verdicts[i].action;
			rule->target = json_string_value(json_object_get(value, "target"));
			/* to nowhere */
			if ((rule->action == FW_JUMP || rule->action == FW_GOTO) &&
			    rule->target == NULL) {
				rule->action = FW_NEXT;
			}
			return true;
		}
	}
	return false;
}

/* A map of verdicts is as many rules. */
static int take_vmap(struct reader *reader, struct fw_chain *chain, const struct fw_rule *so_far,
		     const json_t *vmap)
{
	const json_t *list = json_object_get(json_object_get(vmap, "data"), "set"), *pair, *value;
	size_t i;

	json_array_foreach(list, i, pair)
	{
		struct fw_rule rule = *so_far;
		enum fw_match match = of_left(reader, json_object_get(vmap, "key"),
					      json_array_get(pair, 0), &rule.about_port);
		const char *name = only_key(json_array_get(pair, 1), &value);
		int err;

		rule.match = match < rule.match ? match : rule.match;
		if (!take_verdict(name, value, &rule)) {
			continue;
		}
		err = fw_add(reader->rules, chain, &rule);
		if (err != 0) {
			return err;
		}
	}
	return 0;
}

/* What neither matches nor decides. */
static bool is_harmless(const char *statement)
{
	static const char *const names[] = {"counter", "log",  "comment", "mangle",
					    "notrack", "flow", "set",     NULL};

	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(statement, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static int take_rule(struct reader *reader, const json_t *json)
{
	const json_t *list = json_object_get(json, "expr"), *statement, *value;
	struct fw_chain *chain;
	struct fw_rule rule = {.match = FW_YES, .action = FW_NEXT};
	char *table;
	size_t i;

	reader->family = text_at(json, "family");
	reader->table = text_at(json, "table");
	table = talloc_asprintf(reader->rules, "%s %s", reader->family, reader->table);
	chain = table != NULL ? fw_chain(reader->rules, table, text_at(json, "chain")) : NULL;
	if (chain == NULL) {
		return ENOMEM;
	}
	rule.text = talloc_asprintf(table, "rule with handle %lld in nft -a list chain %s %s",
				    (long long)json_integer_value(json_object_get(json, "handle")),
				    table, chain->name);
	if (rule.text == NULL) {
		return ENOMEM;
	}
	json_array_foreach(list, i, statement)
	{
		const char *name = only_key(statement, &value);
		enum fw_match match = FW_YES;

		if (strcmp(name, "vmap") == 0) {
			return take_vmap(reader, chain, &rule, value);
		}
		if (take_verdict(name, value, &rule)) {
			break;
		}
		if (strcmp(name, "xt") == 0 && strcmp(text_at(value, "name"), "REJECT") == 0) {
			rule.action = FW_DROP;
			break;
		}
		if (strcmp(name, "match") == 0) {
			match = of_match(reader, value, &rule.about_port);
		} else if (!is_harmless(name)) {
			match = FW_MAYBE;
		}
		rule.match = match < rule.match ? match : rule.match;
	}
	return fw_add(reader->rules, chain, &rule);
}

static int take_chain(struct reader *reader, const json_t *json)
{
	const char *hook = text_at(json, "hook");
	char *table = talloc_asprintf(reader->rules, "%s %s", text_at(json, "family"),
				      text_at(json, "table"));
	struct fw_chain *chain =
		table != NULL ? fw_chain(reader->rules, table, text_at(json, "name")) : NULL;

	if (chain == NULL) {
		return ENOMEM;
	}
	chain->base = strcmp(text_at(json, "type"), "nat") != 0 &&
		      (strcmp(hook, "input") == 0 || strcmp(hook, "prerouting") == 0 ||
		       strcmp(hook, "ingress") == 0);
	chain->policy_drop = strcmp(text_at(json, "policy"), "drop") == 0;
	return 0;
}

/* Whether packets of the family come to tables of that one. */
static bool concerns(const struct reader *reader, const char *family)
{
	if (strcmp(family, "ip") == 0) {
		return reader->packet->family == AF_INET;
	}
	if (strcmp(family, "ip6") == 0) {
		return reader->packet->family == AF_INET6;
	}
	return strcmp(family, "inet") == 0 || strcmp(family, "netdev") == 0;
}

int fw_nft_read(struct fw_ruleset *rules, const char *text, const struct fw_packet *packet,
		const struct fw_filter *leave_out)
{
	json_t *json = json_loads(text, 0, NULL);
	struct reader reader = {
		.rules = rules, .packet = packet, .objects = json_object_get(json, "nftables")};
	const json_t *object, *value;
	size_t i;
	int err = json_is_array(reader.objects) ? 0 : EBADMSG;

	json_array_foreach(reader.objects, i, object)
	{
		const char *kind = only_key(object, &value);
		const char *family = text_at(value, "family"), *table = text_at(value, "table");

		if (err != 0 || !concerns(&reader, family) ||
		    (leave_out->fn != NULL &&
		     leave_out->fn(leave_out->private_data, family, table))) {
			continue;
		}
		if (strcmp(kind, "chain") == 0) {
			err = take_chain(&reader, value);
		} else if (strcmp(kind, "rule") == 0) {
			err = take_rule(&reader, value);
		}
	}
	json_decref(json);
	return err;
}

/* A match or target of iptables, but for one that is understood without its parameters. */
static bool has_module(const json_t *rule)
{
	const json_t *statement;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, statement)
	{
		const json_t *xt = json_object_get(statement, "xt");

		if (xt != NULL && strcmp(text_at(xt, "name"), "REJECT") != 0) {
			return true;
		}
	}
	return false;
}

bool fw_nft_tells_all(const char *text, const char *family, const char *table)
{
	json_t *json = json_loads(text, 0, NULL);
	const json_t *object;
	bool found = false, all = true;
	size_t i;

	json_array_foreach(json_object_get(json, "nftables"), i, object)
	{
		const json_t *named = json_object_get(object, "table");
		const json_t *rule = json_object_get(object, "rule");

		if (named != NULL && strcmp(text_at(named, "name"), table) == 0 &&
		    strcmp(text_at(named, "family"), family) == 0) {
			found = true;
		}
		if (rule != NULL && strcmp(text_at(rule, "table"), table) == 0 &&
		    strcmp(text_at(rule, "family"), family) == 0 && has_module(rule)) {
			all = false;
		}
	}
	json_decref(json);
	return found && all;
}
