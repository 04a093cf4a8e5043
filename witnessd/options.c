/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { OPT_DAEMON = 256, OPT_CHECK, OPT_SHOW, OPT_VERSION, OPT_HELP };

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"foreground", no_argument, NULL, 'f'},
	{"debug", no_argument, NULL, 'd'},
	{"daemon", no_argument, NULL, OPT_DAEMON},
	{"check", no_argument, NULL, OPT_CHECK},
	{"show-config", no_argument, NULL, OPT_SHOW},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

void options_help(FILE *out)
{
	fputs("usage: witnessd [-fd] [-c FILE] [-o SECTION.KEY=VALUE]... [--daemon]\n"
	      "       witnessd [-c FILE] [-o SECTION.KEY=VALUE]... --check | --show-config\n"
	      "       witnessd --version | --help\n\n"
	      "  -c, --config FILE       configuration (default: " CONFIG_DEFAULT_PATH ")\n"
	      "  -o SECTION.KEY=VALUE    set a key of witnessd.conf(5); wins over the file\n"
	      "  -f, --foreground        log to standard error unless global.log_target is set\n"
	      "  -d, --debug             log level debug; twice: trace\n"
	      "      --daemon            go to the background, and return when it serves\n"
	      "      --check             check the configuration and say OK\n"
	      "      --show-config       print every key with the value in force\n",
	      out);
}

static int add_override(TALLOC_CTX *mem_ctx, struct options *options, const char *text)
{
	size_t num = talloc_array_length(options->overrides);

	options->overrides = talloc_realloc(mem_ctx, options->overrides, const char *, num + 1);
	if (options->overrides == NULL) {
		return ENOMEM;
	}
	options->overrides[num - 1] = text;
	options->overrides[num] = NULL;
	return 0;
}

static int usage_error(TALLOC_CTX *mem_ctx, char **argv, int c, char **why)
{
	const char *what = c == ':' ? "needs a value" : "is not an option";
	bool is_long = strncmp(argv[optind - 1], "--", 2) == 0;

	*why = !is_long && optopt > 0 ? talloc_asprintf(mem_ctx, "-%c %s", optopt, what)
				      : talloc_asprintf(mem_ctx, "%s %s", argv[optind - 1], what);
	return *why != NULL ? EINVAL : ENOMEM;
}

static int apply(TALLOC_CTX *mem_ctx, struct options *options, int c)
{
	switch (c) {
	case 'c':
		options->config = optarg;
		options->config_required = true;
		break;
	case 'o':
		return add_override(mem_ctx, options, optarg);
	case 'f':
		options->foreground = true;
		break;
	case 'd':
		options->debug++;
		break;
	case OPT_DAEMON:
		options->daemon = true;
		break;
	case OPT_CHECK:
		options->action = OPTIONS_CHECK;
		break;
	case OPT_SHOW:
		options->action = OPTIONS_SHOW;
		break;
	case OPT_VERSION:
		options->action = OPTIONS_VERSION;
		break;
	case OPT_HELP:
		options->action = OPTIONS_HELP;
		break;
	}
	return 0;
}

/* A path that means the same after chdir("/"). */
static int make_absolute(TALLOC_CTX *mem_ctx, struct options *options)
{
	char cwd[PATH_MAX];

	if (options->config[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL) {
		return 0;
	}
	options->config = talloc_asprintf(mem_ctx, "%s/%s", cwd, options->config);
	return options->config != NULL ? 0 : ENOMEM;
}

int options_parse(TALLOC_CTX *mem_ctx, int argc, char **argv, struct options *out, char **why)
{
	struct options options = {.config = CONFIG_DEFAULT_PATH};
	int c, ret = 0;

	options.overrides = talloc_zero_array(mem_ctx, const char *, 1);
	if (options.overrides == NULL) {
		return ENOMEM;
	}
	opterr = 0;
	optind = 0; /* start anew: tests call this more than once */
	while (ret == 0 && (c = getopt_long(argc, argv, ":c:o:fd", long_options, NULL)) != -1) {
		ret = c == ':' || c == '?' ? usage_error(mem_ctx, argv, c, why)
					   : apply(mem_ctx, &options, c);
	}
	if (ret == 0 && optind < argc) {
		*why = talloc_asprintf(mem_ctx, "%s: no arguments are expected", argv[optind]);
		ret = EINVAL;
	}
	if (ret == 0 && options.daemon && options.foreground) {
		*why = talloc_strdup(mem_ctx, "--foreground and --daemon exclude each other");
		ret = EINVAL;
	}
	if (ret == 0) {
		ret = make_absolute(mem_ctx, &options);
	}
	if (ret == 0) {
		*out = options;
	}
	return ret;
}
