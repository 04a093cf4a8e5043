/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of smb.conf: takes everything; what it knows must be in order and be found. */
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "witnessd/util/smbconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct smbconf *conf = NULL;

	if (smbconf_parse(mem_ctx, (const char *)data, size, &conf) != 0) {
		talloc_free(mem_ctx);
		return 0;
	}
	for (size_t i = 0; i < conf->num_shares; i++) {
		if (!smbconf_has_share(conf, conf->shares[i])) {
			abort();
		}
		if (i > 0 && strcasecmp(conf->shares[i - 1], conf->shares[i]) >= 0) {
			abort();
		}
	}
	talloc_free(mem_ctx);
	return 0;
}
