/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libinih parses the syntax. As built by Debian it neither passes line numbers to the handler, nor calls it
 * for a section without keys, and it silently truncates long lines and names. So the function that feeds it
 * lines counts them and refuses what would be truncated.
 */
#include "backends/static/map.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "witnessd/util/log.h"
#include "witnessd/util/text_append.h"

#define SECTION_MAX  49  /* what fits into inih's buffer */
#define NAME_MAX_LEN 127 /* so that "group = NAME" fits into inih's line of 200 */

enum section {
	SECTION_NONE,
	SECTION_CLUSTER,
	SECTION_NODE,
	SECTION_ADDRESS,
	SECTION_SHARE,
};

struct parse {
	struct cluster_state *map;
	const char *file;
	const char *pos, *end;
	int line;
	/* The section that is being read. */
	enum section section;
	int section_line;
	uint32_t seen;  /* a bit a key; 0: no key yet */
	bool headed;    /* a header was read and no key yet */
	bool clustered; /* there was a [cluster] */
	char *name;     /* of the node, address or share; its other strings are children, too */
	struct cluster_node node;
	struct cluster_addr addr;
	struct cluster_share share;
	/* Where each began, for references that can be checked only at the end. */
	int addr_lines[STATIC_MAP_MAX_ADDRS];
	int share_lines[STATIC_MAP_MAX_SHARES];
	/* The first thing that is wrong. */
	int err;
	int err_line;
	char *message;
};

/* Note an error, unless there was one before. @return 0, the error value of inih handlers */
static int __attribute__((format(printf, 4, 5)))
fail(struct parse *p, int err, int line, const char *fmt, ...)
{
	va_list ap;

	if (p->err == 0) {
		p->err = err;
		p->err_line = line;
		va_start(ap, fmt);
		p->message = talloc_vasprintf(p, fmt, ap);
		va_end(ap);
	}
	return 0;
}

static int fail_memory(struct parse *p)
{
	return fail(p, ENOMEM, p->line, "no memory");
}

/* --- values --- */

static const struct {
	const char *word;
	bool value;
} bool_words[] = {
	{"yes", true}, {"no", false},  {"true", true}, {"false", false},
	{"on", true},  {"off", false}, {"1", true},    {"0", false},
};

static int take_bool(struct parse *p, const char *value, bool *out)
{
	for (size_t i = 0; i < sizeof(bool_words) / sizeof(bool_words[0]); i++) {
		if (strcasecmp(value, bool_words[i].word) == 0) {
			*out = bool_words[i].value;
			return 1;
		}
	}
	return fail(p, EINVAL, p->line, "\"%s\" is neither yes nor no", log_escape(p, value));
}

/* A name of a node or group: one word of printable characters that means nothing in an ini file. */
static bool name_valid(const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || strchr("[];#=*\"", *c) != NULL) {
			return false;
		}
	}
	return name[0] != '\0' && strlen(name) <= NAME_MAX_LEN;
}

static int take_name(struct parse *p, const char *value, const char **out)
{
	if (!name_valid(value)) {
		return fail(p, EINVAL, p->line,
			    "\"%s\" is not a name: expected one word of at "
			    "most %d characters",
			    log_escape(p, value), NAME_MAX_LEN);
	}
	*out = talloc_strdup(p->name, value);
	return *out != NULL ? 1 : fail_memory(p);
}

static int take_cluster_quorate(struct parse *p, const char *value)
{
	return take_bool(p, value, &p->map->quorate);
}

static int take_node_id(struct parse *p, const char *value)
{
	char *end = NULL;
	unsigned long long id;

	errno = 0;
	id = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || id > UINT32_MAX) {
		return fail(p, EINVAL, p->line, "\"%s\" is not a number from 0 to %u",
			    log_escape(p, value), UINT32_MAX);
	}
	p->node.id = (uint32_t)id;
	return 1;
}

static int take_node_online(struct parse *p, const char *value)
{
	return take_bool(p, value, &p->node.online);
}

static int take_node_draining(struct parse *p, const char *value)
{
	return take_bool(p, value, &p->node.draining);
}

static int take_addr_node(struct parse *p, const char *value)
{
	return take_name(p, value, &p->addr.node);
}

static int take_addr_group(struct parse *p, const char *value)
{
	return take_name(p, value, &p->addr.group);
}

static int take_addr_kind(struct parse *p, const char *value)
{
	if (strcmp(value, "floating") != 0 && strcmp(value, "fixed") != 0) {
		return fail(p, EINVAL, p->line, "\"%s\" is neither floating nor fixed",
			    log_escape(p, value));
	}
	p->addr.kind = value[1] == 'i' ? CLUSTER_ADDR_FIXED : CLUSTER_ADDR_FLOATING;
	return 1;
}

static int take_addr_state(struct parse *p, const char *value)
{
	for (int state = CLUSTER_ADDR_UNKNOWN; state <= CLUSTER_ADDR_UNAVAILABLE; state++) {
		if (strcmp(value, cluster_addr_state_name(state)) == 0) {
			p->addr.state = state;
			return 1;
		}
	}
	return fail(p, EINVAL, p->line, "\"%s\" is none of available, unavailable, unknown",
		    log_escape(p, value));
}

static int take_share_node(struct parse *p, const char *value)
{
	if (strcmp(value, "*") == 0) {
		return 1; /* every node: no value, but a section needs a key */
	}
	return take_name(p, value, &p->share.node);
}

static int take_share_group(struct parse *p, const char *value)
{
	return take_name(p, value, &p->share.group);
}

static const struct key {
	enum section section;
	const char *name;
	int (*take)(struct parse *p, const char *value);
} keys[] = {
	{SECTION_CLUSTER, "quorate", take_cluster_quorate},
	{SECTION_NODE, "id", take_node_id},
	{SECTION_NODE, "online", take_node_online},
	{SECTION_NODE, "draining", take_node_draining},
	{SECTION_ADDRESS, "node", take_addr_node},
	{SECTION_ADDRESS, "group", take_addr_group},
	{SECTION_ADDRESS, "kind", take_addr_kind},
	{SECTION_ADDRESS, "state", take_addr_state},
	{SECTION_SHARE, "node", take_share_node},
	{SECTION_SHARE, "group", take_share_group},
};

static char *expected_keys(struct parse *p, enum section section)
{
	char *list = talloc_strdup(p, "");
	const char *separator = "";

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].section == section) {
			list = text_append(list, "%s%s", separator, keys[i].name);
			separator = ", ";
		}
	}
	return list;
}

/* --- sections --- */

static int begin_cluster(struct parse *p)
{
	if (p->name[0] != '\0') {
		return fail(p, EINVAL, p->section_line, "[cluster] takes no name");
	}
	if (p->clustered) {
		return fail(p, EINVAL, p->section_line, "[cluster] is there twice");
	}
	p->clustered = true;
	return 1;
}

static int begin_node(struct parse *p)
{
	if (!name_valid(p->name)) {
		return fail(p, EINVAL, p->section_line, "expected [node NAME], NAME one word");
	}
	p->node = (struct cluster_node){.name = p->name, .online = true};
	return 1;
}

static int begin_address(struct parse *p)
{
	p->addr = (struct cluster_addr){.state = CLUSTER_ADDR_AVAILABLE};
	if (ipaddr_parse(p->name, &p->addr.ip) != 0) {
		return fail(p, EINVAL, p->section_line,
			    "\"%s\" is not an address: expected [address IPV4 or IPV6]",
			    log_escape(p, p->name));
	}
	return 1;
}

static int begin_share(struct parse *p)
{
	for (const char *c = p->name; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			return fail(p, EINVAL, p->section_line, "a control character in [share]");
		}
	}
	if (p->name[0] == '\0') {
		return fail(p, EINVAL, p->section_line, "expected [share NAME]");
	}
	p->share = (struct cluster_share){.name = p->name};
	return 1;
}

/* Turn the result of cluster_state_add_*() and the limit of a count into the handler's words. */
static int added(struct parse *p, int err)
{
	if (err == EEXIST) {
		return fail(p, EINVAL, p->section_line, "%s is there twice",
			    log_escape(p, p->name));
	}
	return err == 0 ? 1 : fail_memory(p);
}

static int too_many(struct parse *p, const char *what, int limit)
{
	return fail(p, EINVAL, p->section_line, "more than %d %s", limit, what);
}

static int end_node(struct parse *p)
{
	if (p->map->num_nodes == STATIC_MAP_MAX_NODES) {
		return too_many(p, "nodes", STATIC_MAP_MAX_NODES);
	}
	return added(p, cluster_state_add_node(p->map, &p->node));
}

static int end_address(struct parse *p)
{
	if (p->map->num_addrs == STATIC_MAP_MAX_ADDRS) {
		return too_many(p, "addresses", STATIC_MAP_MAX_ADDRS);
	}
	if (p->addr.group == NULL) {
		return fail(p, EINVAL, p->section_line, "address %s has no group", p->name);
	}
	if (p->addr.node == NULL && p->addr.state == CLUSTER_ADDR_AVAILABLE) {
		return fail(p, EINVAL, p->section_line, "address %s is available and has no node",
			    p->name);
	}
	p->addr_lines[p->map->num_addrs] = p->section_line;
	return added(p, cluster_state_add_addr(p->map, &p->addr));
}

static int end_share(struct parse *p)
{
	if (p->map->num_shares == STATIC_MAP_MAX_SHARES) {
		return too_many(p, "shares", STATIC_MAP_MAX_SHARES);
	}
	p->share_lines[p->map->num_shares] = p->section_line;
	return added(p, cluster_state_add_share(p->map, &p->share));
}

static const struct {
	const char *word;
	int (*begin)(struct parse *p);
	int (*end)(struct parse *p);
} sections[] = {
	[SECTION_CLUSTER] = {"cluster", begin_cluster, NULL},
	[SECTION_NODE] = {"node", begin_node, end_node},
	[SECTION_ADDRESS] = {"address", begin_address, end_address},
	[SECTION_SHARE] = {"share", begin_share, end_share},
};

/* The section is complete: add what it described. inih does not report sections without keys. */
static int end_section(struct parse *p)
{
	enum section section = p->section;
	int ok = 1;

	if (p->headed) {
		return fail(p, EINVAL, p->section_line, "a section without a key");
	}
	p->section = SECTION_NONE;
	if (section != SECTION_NONE && sections[section].end != NULL) {
		ok = sections[section].end(p);
	}
	TALLOC_FREE(p->name);
	return ok;
}

/* The first key of a section has come. title is what stands between the brackets. */
static int begin_section(struct parse *p, const char *title)
{
	size_t len = strcspn(title, " \t"), len_name;

	p->headed = false;
	p->seen = 0;
	p->name = talloc_strdup(p, title + len + strspn(title + len, " \t"));
	if (p->name == NULL) {
		return fail_memory(p);
	}
	for (len_name = strlen(p->name); len_name > 0 && p->name[len_name - 1] == ' ';) {
		p->name[--len_name] = '\0';
	}
	for (size_t i = SECTION_CLUSTER; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strlen(sections[i].word) == len && memcmp(title, sections[i].word, len) == 0) {
			p->section = i;
			return sections[i].begin(p);
		}
	}
	return fail(p, EINVAL, p->section_line,
		    "unknown section [%s]: expected cluster, node, address or share",
		    log_escape(p, title));
}

static int handle_key(void *user, const char *section, const char *name, const char *value)
{
	struct parse *p = user;

	if (p->err != 0) {
		return 0;
	}
	if (p->headed && !begin_section(p, section)) {
		return 0;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].section != p->section || strcmp(keys[i].name, name) != 0) {
			continue;
		}
		if ((p->seen & (1u << i)) != 0) {
			return fail(p, EINVAL, p->line, "%s is there twice", name);
		}
		p->seen |= 1u << i;
		return keys[i].take(p, value);
	}
	if (p->section == SECTION_NONE) {
		return fail(p, EINVAL, p->line, "a key before the first section");
	}
	return fail(p, EINVAL, p->line, "unknown key \"%s\": expected %s", log_escape(p, name),
		    expected_keys(p, p->section));
}

/* --- lines --- */

static bool line_fits(struct parse *p, const char *line, size_t len, size_t room)
{
	const char *close;

	if (memchr(line, '\0', len) != NULL) {
		fail(p, EINVAL, p->line, "a NUL byte");
		return false;
	}
	if (len >= room) {
		fail(p, EINVAL, p->line, "a line of more than %zu characters", room - 1);
		return false;
	}
	if (len == 0 || line[0] != '[') {
		return true;
	}
	close = memchr(line, ']', len);
	if (close == NULL || memchr(line, ';', (size_t)(close - line)) != NULL) {
		fail(p, EINVAL, p->line, "expected [SECTION], without a semicolon");
		return false;
	}
	if (close - line - 1 > SECTION_MAX) {
		fail(p, EINVAL, p->line, "a section name of more than %d characters", SECTION_MAX);
		return false;
	}
	return true;
}

/*
 * Give inih the next line, as fgets() would, but without the blanks before it: an indented line would
 * be taken for more of the value before.
 */
static char *next_line(char *buf, int size, void *stream)
{
	struct parse *p = stream;
	const char *line, *newline;
	size_t len;

	if (p->err != 0 || p->pos == p->end || size < 2) {
		return NULL;
	}
	p->line++;
	newline = memchr(p->pos, '\n', (size_t)(p->end - p->pos));
	line = p->pos;
	p->pos = newline != NULL ? newline + 1 : p->end;
	while (line < p->pos && (*line == ' ' || *line == '\t')) {
		line++;
	}
	len = (size_t)(p->pos - line);
	if (!line_fits(p, line, len, (size_t)size)) {
		return NULL;
	}
	if (len > 0 && line[0] == '[') {
		if (!end_section(p)) {
			return NULL;
		}
		p->headed = true;
		p->section_line = p->line;
	}
	memcpy(buf, line, len);
	buf[len] = '\0';
	return buf;
}

/* --- the whole --- */

static void check_references(struct parse *p)
{
	const struct cluster_state *map = p->map;

	if (map->num_nodes == 0) {
		fail(p, EINVAL, p->line, "no [node NAME] in the whole map");
	}
	for (size_t i = 0; i < map->num_addrs && p->err == 0; i++) {
		const char *node = map->addrs[i].node;

		if (node != NULL && cluster_state_node(map, node) == NULL) {
			fail(p, EINVAL, p->addr_lines[i], "there is no [node %s]", node);
		}
	}
	for (size_t i = 0; i < map->num_shares && p->err == 0; i++) {
		const char *node = map->shares[i].node;

		if (node != NULL && cluster_state_node(map, node) == NULL) {
			fail(p, EINVAL, p->share_lines[i], "there is no [node %s]", node);
		}
	}
}

static void parse_text(struct parse *p)
{
	int bad_line = ini_parse_stream(next_line, p, handle_key, p);

	if (bad_line > 0 && (p->err == 0 || bad_line < p->err_line)) {
		p->err = 0;
		fail(p, EINVAL, bad_line, "expected [SECTION] or KEY = VALUE");
	} else if (bad_line < 0) {
		fail_memory(p);
	}
	if (p->err == 0 && end_section(p)) {
		check_references(p);
	}
}

int static_map_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len, const char *name,
		     struct cluster_state **out, char **why)
{
	struct parse *p;
	int err;

	if (len > STATIC_MAP_MAX_BYTES) {
		*why = talloc_asprintf(mem_ctx, "%s: larger than %d bytes", name,
				       STATIC_MAP_MAX_BYTES);
		return EINVAL;
	}
	p = talloc_zero(mem_ctx, struct parse);
	if (p == NULL || (p->map = cluster_state_new(p)) == NULL) {
		talloc_free(p);
		return ENOMEM;
	}
	p->file = name;
	p->pos = text;
	p->end = text + len;
	parse_text(p);
	err = p->err;
	if (err == 0) {
		*out = talloc_steal(mem_ctx, p->map);
	} else if (err == EINVAL) {
		*why = talloc_asprintf(mem_ctx, "%s:%d: %s", name, p->err_line, p->message);
	}
	talloc_free(p);
	return err;
}
