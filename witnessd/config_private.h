/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the configuration share: config.c (store), config_value.c, config_file.c (ini). */
#ifndef WITNESSD_CONFIG_PRIVATE_H
#define WITNESSD_CONFIG_PRIVATE_H

#include "witnessd/config.h"

/* Longest value but for lists: with its key it fits a line of libinih (200 bytes). */
#define CONFIG_MAX_VALUE 150
#define CONFIG_MAX_LIST  (64 * 1024)
#define CONFIG_MAX_WORDS 1024

/* A value in force; which members count follows from the type of its key. */
struct config_value {
	bool set;          /* by the file or an override */
	unsigned int line; /* of the file that set it; 0: none */
	const char *text;
	uint32_t number; /* NUMBER, BOOL */
	const char **list;
	size_t num;
};

struct config {
	struct config_value *values; /* in the order of config_keys */
};

/** The index of "section.key" in config_keys, or -1. */
int config_key_index(const char *section, const char *name);

/** Whether any key belongs to that section. */
bool config_section_known(const char *section);

/**
 * Check a text against its key and fill *value (text, number, list: children of mem_ctx).
 * @param why "must be ..., not ...", a child of mem_ctx
 * @return 0, EINVAL or ENOMEM; *value is untouched on error
 */
int config_value_parse(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		       struct config_value *value, char **why);

/** Whether the values of a type are lists, which may go on in the next line. */
bool config_type_is_list(enum config_type type);

/** " (did you mean section.key?)" or "", for a message; a child of mem_ctx, NULL when memory is short. */
char *config_hint(TALLOC_CTX *mem_ctx, const char *section, const char *name);

/** Read the ini text into the config. name is for messages. @return 0, EINVAL or ENOMEM with *why set */
int config_file_parse(TALLOC_CTX *mem_ctx, struct config *config, const char *name,
		      const char *text, size_t len, char **why);

/** As config_load(), from memory: for tests and the fuzzer. */
int config_load_buffer(TALLOC_CTX *mem_ctx, const char *name, const char *text, size_t len,
		       const char *const *overrides, struct config **out, char **why);

#endif
