/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration: /etc/witnessd.conf (ini, read with libinih) and -o section.key=value over it.
 * One table (config_keys.c) names every key with its type, default, range and help; the man page, the
 * check of the file and the readers below all follow it. Loading is all or nothing.
 */
#ifndef WITNESSD_CONFIG_H
#define WITNESSD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <talloc.h>

struct config;

enum config_type {
	CONFIG_STRING,
	CONFIG_PATH,   /* absolute, or empty */
	CONFIG_BOOL,   /* yes/no, true/false, on/off, 1/0 */
	CONFIG_NUMBER, /* min..max; nothing behind the digits */
	CONFIG_ENUM,   /* one of .choices, separated by | */
	CONFIG_LIST,   /* words separated by blanks or commas */
	CONFIG_ADDRS,  /* a list of IPv4 and IPv6 addresses; empty only if .def is */
	CONFIG_MAP,    /* a list of NAME:RESOURCE; a name may be there several times */
};

struct config_key {
	const char *name; /* "section.key" */
	enum config_type type;
	const char *def; /* as it would stand in the file */
	uint32_t min, max;
	const char *choices;
	const char *help; /* one sentence */
};

/** The table, ended by name NULL. */
extern const struct config_key config_keys[];

/**
 * Read a file and overrides. A missing file is an error only when it was named by the user (required).
 * @param overrides "section.key=value" strings, NULL at the end; may be NULL
 * @param why a sentence naming the file and line (or the override), what is wrong and what was
 *            expected; a child of mem_ctx
 * @return 0, EINVAL, ENOENT, ENOMEM or what reading gave
 */
int config_load(TALLOC_CTX *mem_ctx, const char *path, bool required, const char *const *overrides,
		struct config **out, char **why);

/* Readers. Asking for a key that is not in the table, or with another type, aborts: a bug. Results are
 * owned by the config. */
const char *config_string(const struct config *config,
			  const char *name); /* STRING, PATH, ENUM; never NULL */
bool config_bool(const struct config *config, const char *name);
uint32_t config_number(const struct config *config, const char *name);
/** LIST, ADDRS or MAP; NULL-terminated, *num may be NULL. */
const char *const *config_list(const struct config *config, const char *name, size_t *num);
/** A word of a MAP: the length of its name; *resource is what is behind the colon. */
size_t config_map_split(const char *word, const char **resource);
/** The value of any key as it would stand in the file. */
const char *config_text(const struct config *config, const char *name);
/** Whether the file or an override set it. */
bool config_is_set(const struct config *config, const char *name);

/** Write every key with its value in force, as a file that config_load() takes (`witnessd --show-config`). */
void config_print(const struct config *config, FILE *out);

#endif
