/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "libswnclient/private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FIRST_NUMBER  SWNC_VERSION
#define LAST_TEXT     SWNC_TARGET
#define NUM_NUMBERS   (SWNC_STEP_TIMEOUT_MS - FIRST_NUMBER + 1)
#define TEXT_MAX      1024
#define HOST_NAME_LEN 256

struct number_rule {
	uint32_t min, max, def;
};

static const struct number_rule rules[NUM_NUMBERS] = {
	[SWNC_VERSION - FIRST_NUMBER] = {1, 2, 2},
	[SWNC_IP_NOTIFICATION - FIRST_NUMBER] = {0, 1, 0},
	[SWNC_KEEP_ALIVE_S - FIRST_NUMBER] = {0, UINT32_MAX, 120}, /* as Windows asks */
	[SWNC_RESUME - FIRST_NUMBER] = {0, 1, 0},
	[SWNC_MECHANISMS - FIRST_NUMBER] = {SWNC_KERBEROS, SWNC_KERBEROS | SWNC_NTLM,
					    SWNC_KERBEROS | SWNC_NTLM},
	[SWNC_SEAL - FIRST_NUMBER] = {0, 1, 0},
	[SWNC_EPM_PORT - FIRST_NUMBER] = {1, UINT16_MAX, 135},
	[SWNC_STEP_TIMEOUT_MS - FIRST_NUMBER] = {100, 3600000, 15000},
};

struct swnc_config {
	char *texts[LAST_TEXT + 1]; /* by option; [0] is unused */
	uint32_t numbers[NUM_NUMBERS];
};

struct swnc_config *swnc_config_new(void)
{
	struct swnc_config *config = talloc_zero(NULL, struct swnc_config);

	for (size_t i = 0; config != NULL && i < NUM_NUMBERS; i++) {
		config->numbers[i] = rules[i].def;
	}
	return config;
}

static void wipe(char *text)
{
	if (text != NULL) {
		explicit_bzero(text, strlen(text));
		talloc_free(text);
	}
}

void swnc_config_free(struct swnc_config *config)
{
	if (config == NULL) {
		return;
	}
	wipe(config->texts[SWNC_PASSWORD]);
	config->texts[SWNC_PASSWORD] = NULL;
	talloc_free(config);
}

/* @return 0 or EINVAL */
static int check_text(enum swnc_option option, const char *text)
{
	struct ipaddr addr;
	size_t len = strlen(text);

	if (len == 0 && option != SWNC_PASSWORD) {
		return EINVAL;
	}
	if (len > TEXT_MAX) {
		return EINVAL;
	}
	if (option == SWNC_SERVER) {
		return ipaddr_parse(text, &addr);
	}
	/* MS-SWN 3.2.4.1: a client that uses an address instead of a name has no witness. */
	return option == SWNC_NET_NAME && ipaddr_parse(text, &addr) == 0 ? EINVAL : 0;
}

int swnc_config_set_text(struct swnc_config *config, enum swnc_option option, const char *text)
{
	char *copy = NULL;

	if (option < SWNC_NET_NAME || option > LAST_TEXT ||
	    (text != NULL && check_text(option, text) != 0)) {
		return EINVAL;
	}
	if (text != NULL) {
		copy = talloc_strdup(config, text);
		if (copy == NULL) {
			return ENOMEM;
		}
	}
	wipe(config->texts[option]);
	config->texts[option] = copy;
	return 0;
}

int swnc_config_set_number(struct swnc_config *config, enum swnc_option option, uint32_t number)
{
	const struct number_rule *rule;

	if (option < FIRST_NUMBER || option >= FIRST_NUMBER + NUM_NUMBERS) {
		return EINVAL;
	}
	rule = &rules[option - FIRST_NUMBER];
	if (number < rule->min || number > rule->max) {
		return EINVAL;
	}
	config->numbers[option - FIRST_NUMBER] = number;
	return 0;
}

static uint32_t number_of(const struct swnc_config *config, enum swnc_option option)
{
	return config->numbers[option - FIRST_NUMBER];
}

/* Raw NTLM where nothing else is allowed; otherwise SPNEGO chooses. */
static void fill_logon(const struct swnc_config *config, struct swn_client_params *params)
{
	uint32_t mechanisms = number_of(config, SWNC_MECHANISMS);

	params->cred = (struct rpc_cred){
		.user = config->texts[SWNC_USER],
		.domain = config->texts[SWNC_DOMAIN],
		.password = config->texts[SWNC_PASSWORD],
		/* Without a name NTLM would use the user of the environment. */
		.no_ntlm = mechanisms == SWNC_KERBEROS || config->texts[SWNC_USER] == NULL,
	};
	params->auth_type = mechanisms == SWNC_NTLM ? RPC_AUTH_NTLM : RPC_AUTH_SPNEGO;
	params->auth_level =
		number_of(config, SWNC_SEAL) != 0 ? RPC_LEVEL_PRIVACY : RPC_LEVEL_INTEGRITY;
}

/* The two texts with computed defaults. @return 0, EINVAL (this host has no name) or ENOMEM */
static int fill_texts(TALLOC_CTX *mem_ctx, const struct swnc_config *config,
		      struct swn_client_params *params)
{
	char host[HOST_NAME_LEN] = "";

	params->client_name = config->texts[SWNC_CLIENT_NAME];
	params->target = config->texts[SWNC_TARGET];
	if (params->client_name == NULL) {
		if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0') {
			return EINVAL;
		}
		params->client_name = talloc_strdup(mem_ctx, host);
	}
	if (params->target == NULL) {
		params->target = talloc_asprintf(mem_ctx, "cifs@%s", params->net_name);
	}
	return params->client_name != NULL && params->target != NULL ? 0 : ENOMEM;
}

int swn_config_params(TALLOC_CTX *mem_ctx, const struct swnc_config *config,
		      struct swn_client_params *out)
{
	struct swn_client_params params = {
		.net_name = config->texts[SWNC_NET_NAME],
		.share_name = config->texts[SWNC_SHARE],
		.epm_port = (uint16_t)number_of(config, SWNC_EPM_PORT),
		.v1 = number_of(config, SWNC_VERSION) == 1,
		.ip_notification = number_of(config, SWNC_IP_NOTIFICATION) != 0,
		.resume = number_of(config, SWNC_RESUME) != 0,
		.keep_alive_s = number_of(config, SWNC_KEEP_ALIVE_S),
		.timeout_ms = number_of(config, SWNC_STEP_TIMEOUT_MS),
	};
	int err;

	if (params.net_name == NULL || config->texts[SWNC_SERVER] == NULL ||
	    (number_of(config, SWNC_MECHANISMS) == SWNC_NTLM && config->texts[SWNC_USER] == NULL)) {
		return EINVAL;
	}
	err = ipaddr_parse(config->texts[SWNC_SERVER], &params.server);
	if (err == 0) {
		fill_logon(config, &params);
		err = fill_texts(mem_ctx, config, &params);
	}
	if (err == 0) {
		*out = params;
	}
	return err;
}
