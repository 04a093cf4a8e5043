/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/util/guid.h"
#include "witnessd/util/log.h"

#define NUMBER_MAX 1000000000UL
#define RATE_MAX   100000UL
#define PATIENCE_S 60

static const char *const expected[] = {
	[CTL_TEXT] = "UTF-8",
	[CTL_NUMBER] = "a whole number of up to 1000000000",
	[CTL_RATE] = "a whole number from 1 to 100000",
	[CTL_PATIENCE] = "0 to 60 seconds",
};

static const struct ctl_option selection[] = {
	{"--registration", "registration", CTL_TEXT},
	{"--net-name", "net_name", CTL_TEXT},
	{"--share-name", "share_name", CTL_TEXT},
	{"--ip-address", "ip_address", CTL_TEXT},
	{"--client-computer-name", "client_computer_name", CTL_TEXT},
	{"--node", "node", CTL_TEXT},
	{"--witness", "witness", CTL_TEXT},
	{"--all", "all", CTL_FLAG},
	{NULL, NULL, CTL_FLAG},
};

/* By a name that may have "=VALUE" behind it. */
static const struct ctl_option *find(const struct ctl_option *options, const char *arg)
{
	size_t len = strcspn(arg, "=");

	for (; options != NULL && options->name != NULL; options++) {
		if (strlen(options->name) == len && strncmp(options->name, arg, len) == 0) {
			return options;
		}
	}
	return NULL;
}

static json_t *seconds(const char *text)
{
	char *end = NULL;
	double s = strtod(text, &end);

	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && s >= 0 && s <= PATIENCE_S
		       ? json_real(s)
		       : NULL;
}

/* @return NULL: it is no such value */
static json_t *value_of(const struct ctl_option *option, const char *text)
{
	unsigned long min = option->type == CTL_RATE ? 1 : 0;
	unsigned long max = option->type == CTL_RATE ? RATE_MAX : NUMBER_MAX;
	char *end = NULL;
	unsigned long n;

	if (option->type == CTL_TEXT) {
		return json_string(text);
	}
	if (option->type == CTL_PATIENCE) {
		return seconds(text);
	}
	errno = 0;
	n = strtoul(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && n >= min &&
			       n <= max
		       ? json_integer((json_int_t)n)
		       : NULL;
}

/* argv[i] is the option. @return arguments taken, 0 after a complaint */
static int take(const struct ctl_option *option, int argc, const char **argv, int i, json_t *into)
{
	const char *text = strchr(argv[i], '=');
	int taken = text != NULL ? 1 : 2;
	json_t *value;

	if (option->type == CTL_FLAG && text == NULL) {
		(void)json_object_set_new(into, option->key, json_true());
		return 1;
	}
	if (option->type == CTL_FLAG || (text == NULL && i + 1 >= argc)) {
		fprintf(stderr, "witnessctl %s: %s %s a value\n", argv[0], option->name,
			option->type == CTL_FLAG ? "does not take" : "needs");
		return 0;
	}
	text = text != NULL ? text + 1 : argv[i + 1];
	value = value_of(option, text);
	if (value == NULL) {
		fprintf(stderr, "witnessctl %s: %s must be %s, not \"%s\"\n", argv[0], option->name,
			expected[option->type], log_printable(text));
		return 0;
	}
	(void)json_object_set_new(into, option->key, value);
	return taken;
}

/* @return arguments taken, 0 after a complaint */
static int take_any(int argc, const char **argv, int i, const struct ctl_option *own, bool select,
		    json_t *request)
{
	const struct ctl_option *option = find(own, argv[i]);

	if (option != NULL) {
		return take(option, argc, argv, i, request);
	}
	option = select ? find(selection, argv[i]) : NULL;
	if (option != NULL) {
		return take(option, argc, argv, i, json_object_get(request, "select"));
	}
	fprintf(stderr, "witnessctl %s: %s is not an option of it (see witnessctl %s --help)\n",
		argv[0], log_printable(argv[i]), argv[0]);
	return 0;
}

int ctl_options(int argc, const char **argv, const struct ctl_option *own, bool select,
		const char **words, size_t max_words, json_t **request)
{
	json_t *got = select ? json_pack("{s:{}}", "select") : json_object();
	size_t num_words = 0;
	int i = 1, taken = 1;

	memset(words, 0, max_words * sizeof(words[0]));
	while (i < argc && taken > 0) {
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
			taken = take_any(argc, argv, i, own, select, got);
		} else if (num_words < max_words) {
			words[num_words++] = argv[i];
			taken = 1;
		} else {
			fprintf(stderr, "witnessctl %s: \"%s\" is more than it takes\n", argv[0],
				log_printable(argv[i]));
			(void)ctl_usage(argv[0]);
			taken = 0;
		}
		i += taken;
	}
	if (taken == 0) {
		json_decref(got);
		return CTL_USAGE;
	}
	*request = got;
	return -1;
}

int ctl_word(const char *command, const char *word, const char *key, json_t **request)
{
	if (word != NULL && json_object_set_new(*request, key, json_string(word)) == 0) {
		return -1;
	}
	if (word != NULL) {
		fprintf(stderr, "witnessctl %s: \"%s\" is not UTF-8\n", command,
			log_printable(word));
	} else {
		(void)ctl_usage(command);
	}
	json_decref(*request);
	*request = NULL;
	return CTL_USAGE;
}

int ctl_handle(const char *command, const char *handle, json_t *request)
{
	struct guid guid;

	if (handle == NULL) {
		json_decref(request);
		return ctl_usage(command);
	}
	/* Not what a pattern matches: that is asked for by --registration. */
	if (guid_parse(handle, &guid) != 0) {
		fprintf(stderr,
			"witnessctl %s: expected a handle as \"witnessctl list --json\" shows it, "
			"not \"%s\"\n",
			command, handle);
		json_decref(request);
		return CTL_USAGE;
	}
	(void)json_object_set_new(json_object_get(request, "select"), "registration",
				  json_string(handle));
	return -1;
}
