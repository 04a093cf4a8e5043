/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of packet filters: text that begins with { is nft's, other is iptables-save's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "witnessctl/fw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool leave_out(void *private_data, const char *family, const char *table)
{
	return strcmp(table, "left") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int families[] = {AF_INET, AF_INET6};
	const struct fw_filter filter = {leave_out, NULL};
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	char *text = talloc_strndup(mem_ctx, (const char *)data, size);

	for (size_t i = 0; text != NULL && i < 2; i++) {
		const struct fw_packet packet = {.family = families[i], .port = 135};
		struct fw_ruleset *rules = fw_new(mem_ctx);
		const char *why = NULL;

		if (text[0] == '{') {
			(void)fw_nft_read(rules, text, &packet, &filter);
			(void)fw_nft_tells_all(text, "ip", "filter");
		} else {
			(void)fw_iptables_read(rules, text, &packet, &filter);
		}
		if ((fw_judge(rules, &why) != FW_OPEN) != (why != NULL)) {
			abort();
		}
	}
	talloc_free(mem_ctx);
	return 0;
}
