/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/smbconf_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "witnessd/util/log.h"

/* --- words --- */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\v\f");
}

/* Cut the blanks at the end. */
static void trim_end(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char)text[len - 1])) {
		text[--len] = '\0';
	}
}

/* Compare a key as Samba does: ignoring case and blanks. */
static bool key_is(const char *key, const char *name)
{
	for (;;) {
		key += strspn(key, " \t\r\v\f");
		name += strspn(name, " ");
		if (*key == '\0' || *name == '\0') {
			return *key == *name;
		}
		if (tolower((unsigned char)*key) != *name) {
			return false;
		}
		key++;
		name++;
	}
}

static enum smbconf_bool parse_bool(const char *value)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(value, yes[i]) == 0) {
			return SMBCONF_YES;
		}
		if (strcasecmp(value, no[i]) == 0) {
			return SMBCONF_NO;
		}
	}
	return SMBCONF_UNSET;
}

/* Samba's lists: words separated by blanks, commas and semicolons; quotes hold blanks together. */
static int parse_list(struct smbconf_reader *reader, const char *value, const char *const **out)
{
	const char **list = talloc_zero_array(reader->conf, const char *, 1);
	size_t num = 0;

	for (const char *p = value; list != NULL;) {
		bool quoted;
		size_t len;

		p += strspn(p, " \t,;");
		if (*p == '\0') {
			*out = list;
			return 0;
		}
		quoted = *p == '"';
		p += quoted;
		len = quoted ? strcspn(p, "\"") : strcspn(p, " \t,;");
		if (len > 0 && memchr(p, '%', len) == NULL) {
			list = talloc_realloc(reader->conf, list, const char *, num + 2);
			if (list == NULL || (list[num] = talloc_strndup(list, p, len)) == NULL) {
				return ENOMEM;
			}
			list[++num] = NULL;
		}
		p += len;
		p += quoted && *p == '"';
	}
	return ENOMEM;
}

/* A name, unless it has a macro, which only smbd could expand. */
static int parse_name(struct smbconf_reader *reader, const char *value, const char **out)
{
	*out = NULL;
	if (value[0] == '\0' || strchr(value, '%') != NULL) {
		return 0;
	}
	*out = talloc_strdup(reader->conf, value);
	return *out != NULL ? 0 : ENOMEM;
}

/* A path as Samba reads it, with or without quotes. Those with macros and relative ones become empty. */
static int parse_path(struct smbconf_reader *reader, const char *value, const char **out)
{
	size_t len = strlen(value);

	if (len > 1 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	if (value[0] != '/' || memchr(value, '%', len) != NULL) {
		len = 0;
	}
	*out = talloc_strndup(reader, value, len);
	return *out != NULL ? 0 : ENOMEM;
}

/* --- keys and sections --- */

static int global_key(struct smbconf_reader *reader, const char *key, const char *value)
{
	struct smbconf *conf = reader->conf;

	if (key_is(key, "netbios name")) {
		return parse_name(reader, value, &conf->netbios_name);
	}
	if (key_is(key, "workgroup")) {
		return parse_name(reader, value, &conf->workgroup);
	}
	if (key_is(key, "clustering")) {
		conf->clustering = parse_bool(value) == SMBCONF_YES;
		return 0;
	}
	if (key_is(key, "netbios aliases")) {
		return parse_list(reader, value, &conf->netbios_aliases);
	}
	if (key_is(key, "additional dns hostnames")) {
		return parse_list(reader, value, &conf->dns_hostnames);
	}
	return 0;
}

static int take_key(struct smbconf_reader *reader, const char *key, const char *value)
{
	struct smbconf_service *service =
		reader->in_global ? &reader->defaults : &reader->services[reader->current];

	if (key_is(key, "include")) {
		return reader->include != NULL ? reader->include(reader, value) : 0;
	}
	if (key_is(key, "available")) {
		service->available = parse_bool(value);
	} else if (key_is(key, "printable") || key_is(key, "print ok")) {
		service->printable = parse_bool(value);
	} else if (key_is(key, "smb3 share cap:cluster")) {
		service->caps.cluster = parse_bool(value);
	} else if (key_is(key, "smb3 share cap:continuous availability")) {
		service->caps.continuous_availability = parse_bool(value);
	} else if (key_is(key, "path") || key_is(key, "directory")) {
		return parse_path(reader, value, &service->path);
	} else if (reader->in_global) {
		return global_key(reader, key, value);
	}
	return 0;
}

/* Trim blanks around the name of a section and merge those inside. */
static void squeeze(char *name)
{
	char *out = name;

	for (const char *p = name; *p != '\0'; p++) {
		bool blank = isspace((unsigned char)*p);

		if (!blank) {
			*out++ = *p;
		} else if (out > name && out[-1] != ' ') {
			*out++ = ' ';
		}
	}
	*out = '\0';
	trim_end(name);
}

static int take_section(struct smbconf_reader *reader, char *name)
{
	struct smbconf_service *services = reader->services;

	squeeze(name);
	reader->in_global = strcasecmp(name, "global") == 0 || strcasecmp(name, "globals") == 0;
	if (reader->in_global) {
		return 0;
	}
	if (services == NULL || talloc_array_length(services) == reader->num_services) {
		services = talloc_realloc(reader, services, struct smbconf_service,
					  reader->num_services < 8 ? 16 : 2 * reader->num_services);
		if (services == NULL) {
			return ENOMEM;
		}
		reader->services = services;
	}
	reader->current = reader->num_services++;
	services[reader->current] = (struct smbconf_service){.name = talloc_strdup(reader, name),
							     .order = reader->current};
	return services[reader->current].name != NULL ? 0 : ENOMEM;
}

/* --- lines --- */

static int take_line(struct smbconf_reader *reader, char *line)
{
	char *start = line + (skip_blanks(line) - line), *end;

	if (*start == '[') {
		end = strchr(start, ']');
		if (end == NULL) {
			return 0;
		}
		*end = '\0';
		return take_section(reader, start + 1);
	}
	end = strchr(start, '=');
	if (end == NULL) {
		return 0;
	}
	*end = '\0';
	trim_end(start);
	trim_end(end + 1);
	return take_key(reader, start, skip_blanks(end + 1));
}

static bool is_comment(const char *line, size_t len)
{
	while (len > 0 && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	return len > 0 && (*line == '#' || *line == ';');
}

/*
 * A line whose last character is a backslash goes on with the next; comments do not (both seen with
 * testparm of 4.17, which also ignores blanks behind the backslash). The text is changed in place:
 * joining lines only makes them shorter.
 */
int smbconf_read_text(struct smbconf_reader *reader, char *text, size_t len)
{
	char *pos = text, *end = text + len;

	while (pos < end) {
		char *line = pos, *out = pos;
		bool more = true;
		int err;

		while (more && pos < end) {
			char *newline = memchr(pos, '\n', (size_t)(end - pos));
			size_t size = (size_t)((newline != NULL ? newline : end) - pos);
			char *from = pos;

			pos += size + (newline != NULL);
			if (out == line && is_comment(from, size)) {
				break;
			}
			while (size > 0 && isspace((unsigned char)from[size - 1])) {
				size--;
			}
			more = size > 0 && from[size - 1] == '\\';
			size -= more;
			memmove(out, from, size);
			out += size;
		}
		*out = '\0';
		err = take_line(reader, line);
		if (err != 0) {
			return err;
		}
	}
	return 0;
}

/* --- the shares --- */

static int compare_services(const void *left, const void *right)
{
	const struct smbconf_service *a = left, *b = right;
	int order = strcasecmp(a->name, b->name);

	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* Never file shares, whatever their sections contain. */
static bool is_special(const char *name)
{
	static const char *const special[] = {"", "homes", "printers", "print$", "ipc$"};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (strcasecmp(name, special[i]) == 0) {
			return true;
		}
	}
	return false;
}

static enum smbconf_bool last_said(enum smbconf_bool said, enum smbconf_bool before)
{
	return said != SMBCONF_UNSET ? said : before;
}

static void merge_caps(struct smbconf_caps *all, const struct smbconf_caps *said)
{
	all->cluster = last_said(said->cluster, all->cluster);
	all->continuous_availability =
		last_said(said->continuous_availability, all->continuous_availability);
}

/* Merge the sections of each share, the later over the earlier, and keep the names of those that count. */
static int collect_shares(struct smbconf_reader *reader)
{
	struct smbconf_service *services = reader->services;
	size_t num = reader->num_services;
	const char **shares = talloc_array(reader->conf, const char *, num);
	const char **paths = talloc_zero_array(reader->conf, const char *, num);
	struct smbconf_caps *caps = talloc_array(reader->conf, struct smbconf_caps, num);

	if (shares == NULL || paths == NULL || caps == NULL) {
		return ENOMEM;
	}
	reader->conf->shares = shares;
	reader->conf->paths = paths;
	reader->conf->caps = caps;
	if (num > 0) {
		qsort(services, num, sizeof(services[0]), compare_services);
	}
	for (size_t i = 0, next; i < num; i = next) {
		struct smbconf_service all = reader->defaults;

		for (next = i; next < num && strcasecmp(services[i].name, services[next].name) == 0;
		     next++) {
			all.available = last_said(services[next].available, all.available);
			all.printable = last_said(services[next].printable, all.printable);
			merge_caps(&all.caps, &services[next].caps);
			all.path = services[next].path != NULL ? services[next].path : all.path;
		}
		if (is_special(services[i].name) || all.available == SMBCONF_NO ||
		    all.printable == SMBCONF_YES) {
			continue;
		}
		if (reader->conf->num_shares == SMBCONF_MAX_SHARES) {
			log_warn("smb.conf: only the first %d shares are known",
				 SMBCONF_MAX_SHARES);
			break;
		}
		caps[reader->conf->num_shares] = all.caps;
		if (all.path != NULL && all.path[0] != '\0') {
			/* Copied: that of [global] may be the path of several. */
			paths[reader->conf->num_shares] = talloc_strdup(paths, all.path);
			if (paths[reader->conf->num_shares] == NULL) {
				return ENOMEM;
			}
		}
		shares[reader->conf->num_shares++] = talloc_steal(shares, services[i].name);
	}
	return 0;
}

bool smbconf_has_share(const struct smbconf *conf, const char *share)
{
	size_t low = 0, high = conf->num_shares;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcasecmp(share, conf->shares[middle]);

		if (order == 0) {
			return true;
		}
		if (order < 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return false;
}

/* --- the whole --- */

static const char *const no_names[] = {NULL};

struct smbconf_reader *smbconf_reader_new(TALLOC_CTX *mem_ctx)
{
	struct smbconf_reader *reader = talloc_zero(mem_ctx, struct smbconf_reader);

	if (reader != NULL) {
		reader->in_global = true; /* keys before the first section */
		reader->conf = talloc_zero(reader, struct smbconf);
	}
	if (reader == NULL || reader->conf == NULL) {
		talloc_free(reader);
		return NULL;
	}
	reader->conf->netbios_aliases = no_names;
	reader->conf->dns_hostnames = no_names;
	return reader;
}

int smbconf_reader_end(TALLOC_CTX *mem_ctx, struct smbconf_reader *reader, int err,
		       struct smbconf **out)
{
	if (err == 0) {
		err = collect_shares(reader);
	}
	if (err == 0) {
		*out = talloc_steal(mem_ctx, reader->conf);
	}
	talloc_free(reader);
	return err;
}

int smbconf_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len, struct smbconf **out)
{
	struct smbconf_reader *reader;
	char *copy;

	if (len > SMBCONF_MAX_BYTES) {
		return EFBIG;
	}
	reader = smbconf_reader_new(mem_ctx);
	if (reader == NULL) {
		return ENOMEM;
	}
	copy = talloc_array(reader, char, len + 1);
	if (copy == NULL) {
		talloc_free(reader);
		return ENOMEM;
	}
	memcpy(copy, text, len);
	return smbconf_reader_end(mem_ctx, reader, smbconf_read_text(reader, copy, len), out);
}
