/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verification trailer's parser; the first byte chooses the byte order. */
#include <stdlib.h>

#include "witnessd/rpc/vt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_vt vt;

	if (size == 0) {
		return 0;
	}
	if (rpc_vt_find(data + 1, size - 1, (data[0] & 1) != 0, &vt) == 0 &&
	    (vt.off % 4 != 0 || vt.off > size - 1 - 8)) {
		abort();
	}
	return 0;
}
