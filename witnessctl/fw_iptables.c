/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iptables-save: lines "-A CHAIN options"; each option a match, with ! before it its opposite. */
#include "witnessctl/fw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define WORDS_MAX 128

struct reader {
	struct fw_ruleset *rules;
	const struct fw_packet *packet;
	const struct fw_filter *leave_out;
	const char *table; /* "iptables filter"; NULL: one that does not decide, or is left out */
};

/* Cut a line into words; quotes hold blanks together, and a backslash goes before a quote. @return how many */
static size_t split(char *line, char *words[WORDS_MAX])
{
	size_t num = 0;
	char *in = line, *out = line;

	while (num < WORDS_MAX) {
		bool quoted = false;

		in += strspn(in, " ");
		if (*in == '\0') {
			break;
		}
		words[num++] = out;
		for (; *in != '\0' && (quoted || *in != ' '); in++) {
			if (*in == '"') {
				quoted = !quoted;
			} else {
				in += *in == '\\' && in[1] != '\0';
				*out++ = *in;
			}
		}
		in += *in == ' ';
		*out++ = '\0';
	}
	return num;
}

/* "135", "1:100", "135,445,49152:65535" */
static bool ports_have(const char *text, uint16_t port)
{
	while (*text != '\0') {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (*end == ':') {
			last = end[1] >= '0' && end[1] <= '9' ? strtoul(end + 1, &end, 10) : 65535;
		}
		if (port >= first && port <= last) {
			return true;
		}
		text = end + strcspn(end, ",");
		text += *text == ',';
	}
	return false;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcmp(word, *list) == 0) {
			return true;
		}
	}
	return false;
}

/* What an option says of the packet. *used is how many words are its arguments. */
static enum fw_match judge_option(const struct reader *reader, const char *option,
				  const char *const *args, size_t num, size_t *used,
				  bool *about_port)
{
	static const char *const ports[] = {"--dport", "--dports", "--destination-port",
					    "--destination-ports", NULL};
	static const char *const states[] = {"--ctstate", "--state", NULL};
	static const char *const harmless[] = {"tcp",     "conntrack", "state", "multiport",
					       "comment", "addrtype",  NULL};

	*used = 0;
	if (strcmp(option, "--syn") == 0) {
		return FW_YES;
	}
	if (num == 0) {
		return FW_MAYBE;
	}
	*used = 1;
	if (strcmp(option, "-p") == 0) {
		return fw_match_if(strcasecmp(args[0], "tcp") == 0 || strcmp(args[0], "6") == 0 ||
				   strcmp(args[0], "all") == 0);
	}
	if (is_one_of(option, ports)) {
		*about_port = true;
		return fw_match_if(ports_have(args[0], reader->packet->port));
	}
	if (is_one_of(option, states)) {
		return fw_match_if(strstr(args[0], "NEW") != NULL);
	}
	if (strcmp(option, "-i") == 0) {
		return strcmp(args[0], "lo") == 0 ? FW_NO : FW_MAYBE;
	}
	if (strcmp(option, "-m") == 0) {
		return is_one_of(args[0], harmless) ? FW_YES : FW_MAYBE;
	}
	if (strcmp(option, "--dst-type") == 0) {
		return fw_match_if(strcmp(args[0], "LOCAL") == 0);
	}
	if (strcmp(option, "--comment") == 0) {
		return FW_YES;
	}
	if (strcmp(option, "--tcp-flags") == 0 && num > 1) {
		*used = 2;
		return strcmp(args[1], "SYN") == 0 ? FW_YES : FW_MAYBE;
	}
	while (*used < num && args[*used][0] != '-' && strcmp(args[*used], "!") != 0) {
		(*used)++;
	}
	return FW_MAYBE;
}

/* -j and -g: the words behind the target are its own. */
static void take_target(struct fw_rule *rule, bool is_goto, const char *target)
{
	static const struct {
		const char *name;
		enum fw_action action;
	} known[] = {
		{"ACCEPT", FW_ACCEPT},  {"DROP", FW_DROP},     {"REJECT", FW_DROP},
		{"TARPIT", FW_DROP},    {"RETURN", FW_RETURN}, {"QUEUE", FW_ACCEPT},
		{"NFQUEUE", FW_ACCEPT},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, target) == 0) {
			rule->action = known[i].action;
			return;
		}
	}
	/* One that is no chain (LOG, MARK ...) leads nowhere, and the packet goes on. */
	rule->action = is_goto ? FW_GOTO : FW_JUMP;
	rule->target = target;
}

static int take_rule(struct reader *reader, char **words, size_t num, const char *text)
{
	struct fw_rule rule = {.match = FW_YES, .action = FW_NEXT, .text = text};
	struct fw_chain *chain = fw_chain(reader->rules, reader->table, words[1]);
	bool inverted = false;

	for (size_t i = 2; i < num; i++) {
		enum fw_match match;
		size_t used;

		if (strcmp(words[i], "!") == 0) {
			inverted = true;
			continue;
		}
		if ((strcmp(words[i], "-j") == 0 || strcmp(words[i], "-g") == 0) && i + 1 < num) {
			take_target(&rule, words[i][1] == 'g', words[i + 1]);
			break;
		}
		match = judge_option(reader, words[i], (const char *const *)&words[i + 1],
				     num - i - 1, &used, &rule.about_port);
		match = inverted ? fw_match_not(match) : match;
		rule.match = match < rule.match ? match : rule.match;
		inverted = false;
		i += used;
	}
	return chain == NULL ? ENOMEM : fw_add(reader->rules, chain, &rule);
}

/* ":INPUT DROP [0:0]" */
static int take_chain(struct reader *reader, char **words, size_t num)
{
	const char *name = words[0] + 1;
	struct fw_chain *chain = fw_chain(reader->rules, reader->table, name);

	if (chain == NULL) {
		return ENOMEM;
	}
	chain->base = strcmp(name, "INPUT") == 0 || strcmp(name, "PREROUTING") == 0;
	chain->policy_drop = num > 1 && strcmp(words[1], "DROP") == 0;
	return 0;
}

static int take_table(struct reader *reader, const char *table)
{
	const struct fw_filter *leave_out = reader->leave_out;
	bool v6 = reader->packet->family == AF_INET6;

	reader->table = NULL;
	/* nat only rewrites */
	if (strcmp(table, "nat") == 0 ||
	    (leave_out->fn != NULL &&
	     leave_out->fn(leave_out->private_data, v6 ? "ip6" : "ip", table))) {
		return 0;
	}
	reader->table =
		talloc_asprintf(reader->rules, "%s %s", v6 ? "ip6tables" : "iptables", table);
	return reader->table != NULL ? 0 : ENOMEM;
}

static int take_line(struct reader *reader, char *line, const char *text)
{
	char *words[WORDS_MAX];
	size_t num = split(line, words);

	if (num == 0 || words[0][0] == '#') {
		return 0;
	}
	if (words[0][0] == '*') {
		return take_table(reader, words[0] + 1);
	}
	if (reader->table == NULL) {
		return 0;
	}
	if (words[0][0] == ':') {
		return take_chain(reader, words, num);
	}
	return strcmp(words[0], "-A") == 0 && num > 1 ? take_rule(reader, words, num, text) : 0;
}

int fw_iptables_read(struct fw_ruleset *rules, const char *text, const struct fw_packet *packet,
		     const struct fw_filter *leave_out)
{
	struct reader reader = {.rules = rules, .packet = packet, .leave_out = leave_out};
	int err = 0;

	while (*text != '\0' && err == 0) {
		size_t len = strcspn(text, "\n");
		char *line = talloc_strndup(rules, text, len);
		char *copy = line != NULL ? talloc_strdup(line, line) : NULL;

		err = copy != NULL ? take_line(&reader, copy, line) : ENOMEM;
		talloc_free(line);
		text += len + (text[len] == '\n');
	}
	return err;
}
